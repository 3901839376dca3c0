"""The rules of the book: imports go down, every public name is explained, and the README tells the truth."""

import ast
import configparser
import csv
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gallery
import readme

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "micrograd_lite"
PAGES = sorted(PACKAGE.rglob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOUSE = [*readme.EVENING, *readme.ROOMS]
DOORS = {"__init__", "__main__"}

BESIDE = {"data", "chain", "text"}
"""The rooms that any page of the evening may use."""
MOST_LINES, MOST_ROOMS, EVENING_LINES = 250, 30, 2_100


def room(page):
    """The first part of a page's name inside the package: `trace` for micrograd_lite/trace/reader.py."""
    return page.relative_to(PACKAGE).parts[0].removesuffix(".py")


def unseen(node):
    """Is this an import that only type checkers see, or one of a notebook's pictures, drawn by rooms above?"""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, ast.FunctionDef) and node.name.startswith("_repr_")


def imported(page):
    """The rooms and evening pages that a page imports, wherever in it, lazily too."""
    waiting = [ast.parse(page.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        waiting += [child for child in ast.iter_child_nodes(node) if not unseen(child)]
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("micrograd_lite"):
            parts = (node.module or "").split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names if alias.name in HOUSE]


def public(page):
    """The public functions, classes and methods of a page, with their dotted names."""

    def below(tree, prefix):
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                yield f"{prefix}{node.name}", node
                if isinstance(node, ast.ClassDef):
                    yield from below(node, f"{prefix}{node.name}.")

    return below(ast.parse(page.read_text(encoding="utf-8")), "")


def test_the_house_is_what_its_docstrings_say():
    """Every page at the top is of the evening or a room, and each folder's docstring lists its pages, every one once."""
    assert sorted(HOUSE) == sorted({room(page) for page in PAGES} - DOORS) and len(set(HOUSE)) == len(HOUSE) <= MOST_ROOMS
    for name in readme.ROOMS:
        if (PACKAGE / name).is_dir():
            pages = [page for block in readme.listed(PACKAGE / name) for page in block]
            assert sorted(pages) == sorted(page.stem for page in (PACKAGE / name).glob("*.py") if page.stem not in DOORS), name


@pytest.mark.parametrize("name", readme.EVENING)
def test_the_evening_is_read_downwards(name):
    """A page of the evening imports, of the evening, only pages above it; beside it data, chain and text; training flat too."""
    above = set(readme.EVENING[: readme.EVENING.index(name)]) | BESIDE | ({"flat"} if name == "training" else set())
    assert set(imported(PACKAGE / f"{name}.py")) - above - {name} == set()


@pytest.mark.parametrize("page", [page for page in PAGES if room(page) in ("chain", "text")], ids=str)
def test_chain_and_text_know_rules_and_nodes_only(page):
    """Of the evening, these two rooms import rules and graph: what the evening uses stands below it."""
    assert set(imported(page)) & set(readme.EVENING) <= {"rules", "graph"}


def test_no_two_rooms_import_each_other():
    """Rooms and evening pages form no circle, imports inside functions counted."""
    needs = {name: set() for name in HOUSE}
    for page in PAGES:
        if room(page) not in DOORS:
            needs[room(page)] |= set(imported(page)) - {room(page)}
    while needs:
        free = {name for name, wanted in needs.items() if not wanted & needs.keys()}
        assert free, f"these import each other in a circle: {sorted(needs)}"
        needs = {name: wanted for name, wanted in needs.items() if name not in free}


def test_the_evening_stays_small():
    """The pages at the top have at most 2,100 lines together."""
    assert sum(readme.lines(PACKAGE / f"{name}.py") for name in readme.EVENING) <= EVENING_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PACKAGE)))
def test_every_page_and_public_name_is_explained(page):
    """Each page and each public function, class and method has a docstring."""
    assert ast.get_docstring(ast.parse(page.read_text(encoding="utf-8")))
    assert [name for name, node in public(page) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PACKAGE)))
def test_pages_are_short_and_plain(page):
    """A page has at most 250 lines, no `assert` and no touch of the recursion limit."""
    text = page.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES

    assert text.count("\n") <= 250
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Assert)]
    assert "setrecursionlimit" not in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PACKAGE)))
def test_floats_are_never_added_by_the_builtin_sum(page):
    """The builtin sum() rounds differently from Python 3.12 on, so numerics add from left to right themselves.

    Counting with sum(1 for ...) is no numerics.
    """
    tree = ast.parse(page.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "sum"]
    assert all(isinstance(call.args[0], ast.GeneratorExp) and ast.unparse(call.args[0].elt) == "1" for call in calls)


def test_the_generated_parts_of_the_readme_are_up_to_date():
    """`python tests/readme.py` would change nothing."""
    assert readme.rewritten(README) == README


def test_a_generated_part_is_replaced_and_nothing_else():
    """Between its comments; a part that has no place in the README, or two, is an error."""
    text, part = "a\n<!-- b -->\nold\n<!-- end of b -->\nc\n", {"b": lambda: r"new \1"}
    assert readme.rewritten(text, part) == "a\n<!-- b -->\nnew \\1\n<!-- end of b -->\nc\n"
    for wrong in ("a\n", text + text, "<!-- b -->\nold\n"):
        with pytest.raises(ValueError, match="needs one place between <!-- b --> and <!-- end of b -->"):
            readme.rewritten(wrong, part)


def test_the_readme_is_written_by_one_command(tmp_path, capsys):
    """A stale table is made again, and the second time there is nothing to do."""
    stale = tmp_path / "README.md"
    stale.write_text(README.replace("| `x * y` ", "| `y * x` "), encoding="utf-8")
    for said in ("README.md is written again\n", "README.md is up to date\n"):
        readme.main(stale)
        assert (capsys.readouterr().out, stale.read_text(encoding="utf-8")) == (said, readme.rewritten(README))


def test_readme_names_every_page_and_demo():
    """Every demo is listed; every page is, because the lists are those of the docstrings."""
    named = re.findall(r"^\| `([a-z_/.]+)` \|", README, re.MULTILINE)
    assert {name.removesuffix(".py").removesuffix("/") for name in named} >= set(HOUSE) - {"arrays"}
    assert [demo.name for demo in sorted((ROOT / "demos").glob("*.py")) if f"`demos/{demo.name}`" not in README] == []


def test_readme_links_lead_somewhere():
    """Every relative link and picture of the README exists."""
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_importing_the_package_loads_the_standard_library_only():
    """`import micrograd_lite`, and then the scalar engine, training and tracing, load no third-party module."""
    program = (
        "import sys; before = set(sys.modules); import micrograd_lite; "
        "from micrograd_lite import MLP, SGD, Tracer, Trace, mse, train; import micrograd_lite.cli, micrograd_lite.data; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names) - {'micrograd_lite'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_imported():
    """Each name in `__all__` is found lazily, and an unknown one is an AttributeError that lists them."""
    import micrograd_lite

    assert all(getattr(micrograd_lite, name) is not None for name in micrograd_lite.__all__)
    assert set(micrograd_lite.__all__) == {name for names in micrograd_lite._PAGES.values() for name in names}
    assert set(micrograd_lite.__all__) <= set(dir(micrograd_lite))
    with pytest.raises(AttributeError, match="no attribute 'Tensor'; it has LOSSES, "):
        micrograd_lite.Tensor  # noqa: B018


def test_metadata_stands_in_setup_cfg():
    """Name, script and Python bound are what the README says; the data files are shipped."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert config["metadata"]["name"] == "micrograd-lite"
    assert config["options"]["python_requires"] == ">=3.10"
    assert "micrograd-lite = micrograd_lite.__main__:run" in config["options.entry_points"]["console_scripts"]
    assert "*.csv.gz" in config["options.package_data"]["micrograd_lite.data"]


def numbers_in(path):
    """Every cell of a table or JSON file, numbers as floats."""

    def number(cell):
        try:
            return float(cell)
        except (TypeError, ValueError):
            return cell

    if path.suffix == ".csv":
        return [[number(cell) for cell in row] for row in csv.reader(path.read_text().splitlines())]
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    "name", ["run.json", "metrics.csv", "gradients.csv", "optimizer.csv", "chain_rule.csv", "gradients_by_sample.csv"]
)
def test_the_gallery_can_be_made_again(name, tmp_path):
    """The committed gallery agrees with a fresh one to 1e-9, number by number."""
    gallery.make(tmp_path)
    made, kept = numbers_in(tmp_path / "xor" / name), numbers_in(gallery.GALLERY / "xor" / name)
    if name == "run.json":
        assert made == kept
        return
    assert len(made) == len(kept)
    for row, kept_row in zip(made, kept):
        for cell, kept_cell in zip(row, kept_row, strict=True):
            assert cell == kept_cell or math.isclose(cell, kept_cell, rel_tol=1e-9, abs_tol=1e-9)
