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

FLOORS = (
    ("rules", "graph", "files", "spelling", "typed"),
    (
        "scalar", "many", "check", "chain", "paths", "expression", "arrange", "layout", "drawing", "array_rules", "array",
        "array_many",
    ),
    (
        "module", "inits", "architecture", "neuron", "nn", "losses", "schedules", "optimizer", "optim", "data", "measure",
        "saving", "progress", "buffers", "dense", "fused", "optim_array", "flat", "flat_back", "flat_lines", "flat_model",
        "flat_names", "flat_program", "flat_sizes", "flat_text",
    ),
    ("array_plan", "plan", "planning", "detail", "array_training", "flat_training", "training", "bugs", "bug_lab"),
    ("trace",),
    ("export", "explain", "flat_source", "slopes", "diagnose", "verify"),
    ("commands", "cli", "__main__", "__init__"),
)  # fmt: skip
FLOOR = {page: floor for floor, pages in enumerate(FLOORS) for page in pages}


def name_of(page):
    """The first part of a page's name inside the package: `trace` for micrograd_lite/trace/reader.py."""
    return page.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(page):
    """The pages that a page imports, wherever in it, except for type checkers' eyes only."""
    for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("micrograd_lite"):
            parts = (node.module or "").split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names if alias.name in FLOOR]


def public(page):
    """The public functions, classes and methods of a page, with their dotted names."""

    def below(tree, prefix):
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                yield f"{prefix}{node.name}", node
                if isinstance(node, ast.ClassDef):
                    yield from below(node, f"{prefix}{node.name}.")

    return below(ast.parse(page.read_text(encoding="utf-8")), "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PACKAGE)))
def test_imports_go_down(page):
    """A page imports from its own floor or from one below."""
    if name_of(page) == "__init__":
        return
    upward = [name for name in imported(page) if FLOOR[name] > FLOOR[name_of(page)]]
    assert not upward


def test_no_two_pages_import_each_other():
    """Imports that go sideways make no cycle (a page's own sub-pages count as one page)."""
    edges = {name_of(page): set() for page in PAGES}
    for page in PAGES:
        if name_of(page) not in ("__init__",):
            edges[name_of(page)] |= set(imported(page)) - {name_of(page)}
    while edges:
        free = {name for name, needs in edges.items() if not needs & edges.keys()}
        assert free, f"these pages import each other in a circle: {sorted(edges)}"
        edges = {name: needs for name, needs in edges.items() if name not in free}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PACKAGE)))
def test_every_page_and_public_name_is_explained(page):
    """Each page and each public function, class and method has a docstring."""
    assert ast.get_docstring(ast.parse(page.read_text(encoding="utf-8")))
    assert [name for name, node in public(page) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PACKAGE)))
def test_pages_are_short_and_plain(page):
    """A page has at most 170 lines, no `assert` and no touch of the recursion limit."""
    text = page.read_text(encoding="utf-8")
    assert text.count("\n") <= 170
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
    """The reading order leaves no page of the package out, and every demo is listed."""
    pages = {f"{name_of(page)}/" if page.parent != PACKAGE else page.name for page in PAGES} - {"__init__.py", "__main__.py"}
    assert [page for page in sorted(pages) if f"`{page}`" not in README] == []
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
    assert "micrograd-lite = micrograd_lite.cli:run" in config["options.entry_points"]["console_scripts"]
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
