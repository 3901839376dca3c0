"""Writes the generated parts of README.md again: `python tests/readme.py`. A test fails while one of them is not up to date.

A part stands between two comments, `<!-- rules -->` and `<!-- end of rules -->`, and one function here makes it: a new
part is a pair of comments in the README and a function in PARTS.
"""

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


PARTS = {"rules": rules}
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
