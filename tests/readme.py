"""Writes the generated parts of README.md again: `python tests/readme.py`. A test fails while one of them is not up to date.

A part stands between two comments, `<!-- rules -->` and `<!-- end of rules -->`, and one function here makes it: a new
part is a pair of comments in the README and a function in PARTS. The pages' order is that of the package's own docstring,
what a page says of itself is the first sentence of its own.
"""

import ast
import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from micrograd_lite import cli  # noqa: E402


def rules():
    """The operations: what `micrograd-lite rules --format markdown` prints."""
    with redirect_stdout(io.StringIO()) as printed:
        cli.main(["rules", "--format", "markdown"])
    return printed.getvalue()


PACKAGE = ROOT / "micrograd_lite"
PACE = 10
"""Lines that are read in a minute."""


def docstring(page):
    """What a page or a folder says of itself."""
    return ast.get_docstring(ast.parse(page.read_text(encoding="utf-8")), clean=False)


def listed(place):
    """The names that stand indented in the docstring of a folder, block by block, each line's first word or all of them."""
    blocks = re.findall(r"(?m)(?:^    .*\n?)+", docstring(place / "__init__.py"))
    return [[line.split()[0] for line in block.splitlines()] if "  " in block.strip() else block.split() for block in blocks]


EVENING, ROOMS = listed(PACKAGE)
(MIRROR,) = listed(PACKAGE / "arrays")


def sentence(page):
    """The first sentence of a page, as one line of a table."""
    return re.split(r"(?<=[.:]) (?=[A-Z`])|\n\n", " ".join(docstring(page).split("\n\n")[0].split()))[0].rstrip(".:")


def lines(path):
    """Lines of a page, or of all pages of a folder."""
    return sum(page.read_text(encoding="utf-8").count("\n") for page in ([path] if path.is_file() else path.rglob("*.py")))


def of_pages(header, pages, total):
    """One row for each page: its name, its lines, what it says of itself; the last row counts."""
    rows = [f"| {header} | lines | what it is |", "|---|---:|---|"]
    for name, path in pages:
        rows.append(f"| `{name}` | {lines(path):,} | {sentence(path / '__init__.py' if path.is_dir() else path)} |")
    count = sum(lines(path) for _, path in pages)
    return "\n".join([*rows, f"| | {count:,} | {total.format(hours=round(count / PACE / 60))} |"])


def evening():
    """The pages at the top, in reading order."""
    pages = [(f"{name}.py", PACKAGE / f"{name}.py") for name in EVENING]
    return of_pages("page", pages, f"about {{hours}} hours at {PACE} lines a minute")


def mirror():
    """The pages of arrays/, each with the page that it mirrors."""
    pages = [(f"arrays/{name}.py", PACKAGE / "arrays" / f"{name}.py") for name in MIRROR]
    return of_pages("page", pages, "the evening again, for who wants it fast")


def rooms():
    """The side rooms, in the order of the package's docstring."""
    places = [(f"{name}/", PACKAGE / name) if (PACKAGE / name).is_dir() else (f"{name}.py", PACKAGE / f"{name}.py")
              for name in ROOMS if name != "arrays"]  # fmt: skip
    return of_pages("room", places, "beside the evening")


PARTS = {"rules": rules, "evening": evening, "mirror": mirror, "rooms": rooms}
"""By the name in the comments, what makes the part: a function without arguments that returns its text."""


def rewritten(text, parts=PARTS):
    """The README's text with its generated parts made again; ValueError when one has no place, or two, in it."""
    for name, make in parts.items():
        around = re.split(rf"(?<=<!-- {name} -->\n)|(?=<!-- end of {name} -->\n)", text)
        if len(around) != 3:
            raise ValueError(f"README.md needs one place between <!-- {name} --> and <!-- end of {name} -->, in this order")
        text = f"{around[0]}{make().rstrip()}\n{around[2]}"
    return text


def main(readme=ROOT / "README.md"):
    """Write the file, if anything in it changes, and say so."""
    before = readme.read_text(encoding="utf-8")
    after = rewritten(before)
    if after == before:
        print(f"{readme.name} is up to date")
    else:
        readme.write_text(after, encoding="utf-8", newline="\n")
        print(f"{readme.name} is written again")


if __name__ == "__main__":
    main()
