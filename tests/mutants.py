"""Flip each sign of the derivative table in turn: the property tests must notice every single one.

    python tests/mutants.py              all rows
    python tests/mutants.py tanh div     these rows only

Each mutant is a copy of the package and its tests in a temporary folder, with one partial of one row negated or one
plus or minus inside it flipped. Exit status 1 when a mutant survives, or when the tests fail on the unchanged copy.
"""

import ast
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tokenize
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SUITE = ("tests/test_rules.py", "tests/test_scalar.py")
NEEDED = ("tests/conftest.py", "tests/references.py", "tests/strategies.py", *SUITE)


class Mutant(NamedTuple):
    """One wrong formula, and the line and columns of rules.py where it replaces the right one."""

    row: str
    formula: str
    wrong: str
    line: int
    start: int
    end: int


def flipped(formula):
    """The formula with its overall sign flipped, then with each of its inner plus and minus signs flipped."""
    yield f"-({formula})"
    for token in tokenize.generate_tokens(io.StringIO(formula).readline):
        if token.string in "+-" and token.type == tokenize.OP:
            other = "-" if token.string == "+" else "+"
            yield formula[: token.start[1]] + other + formula[token.end[1] :]


def mutants(source):
    """Every mutant of every partial in the table, found in the page's own syntax tree."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("Rule", "ManyRule"):
            name, partials = call.args[0].value, call.args[3].elts
            for text in partials:
                if not re.search(r"\bu\b", text.value):  # u: the upstream array, in rows of the array page alone
                    for wrong in flipped(text.value):
                        yield Mutant(name, text.value, wrong, text.lineno, text.col_offset, text.end_col_offset)


def planted(source, mutant):
    """rules.py with the mutant in it."""
    lines = source.splitlines(keepends=True)
    line = lines[mutant.line - 1]
    lines[mutant.line - 1] = line[: mutant.start] + repr(mutant.wrong) + line[mutant.end :]
    return "".join(lines)


def caught(source, only=""):
    """Whether the tests fail on a copy of the project whose table reads `source`; tests of one row come first."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "micrograd_lite", copy / "micrograd_lite", ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "tests").mkdir()
        for path in NEEDED:
            shutil.copy(ROOT / path, copy / path)
        (copy / "micrograd_lite" / "rules.py").write_text(source, encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        options = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "--rootdir", folder]
        for selection in ([SUITE[0], "-k", only], SUITE) if only else (SUITE,):
            code = subprocess.run(
                [sys.executable, "-m", "pytest", *options, *selection], cwd=copy, env=environment, capture_output=True
            ).returncode
            if code == 1:
                return True
            if code not in (0, 5):  # 5: the selection is empty
                raise RuntimeError(f"pytest stopped with status {code}: run it by hand with {selection} in {ROOT}")
        return False


def main(rows):
    """Print one line for each mutant; 0 when all are caught, else 1."""
    started = time.perf_counter()
    source = (ROOT / "micrograd_lite" / "rules.py").read_text(encoding="utf-8")
    if caught(source):
        print("the tests fail on the unchanged package: mend that first")
        return 1
    chosen = [mutant for mutant in mutants(source) if not rows or mutant.row in rows]
    survivors = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        verdicts = pool.map(lambda mutant: caught(planted(source, mutant), mutant.row), chosen)
        for mutant, noticed in zip(chosen, verdicts):
            survivors += not noticed
            print(f"{mutant.row:14}{'caught' if noticed else 'SURVIVED':10}{mutant.formula}  ->  {mutant.wrong}", flush=True)
    print(f"{len(chosen)} mutants, {survivors} survived, {time.perf_counter() - started:.0f} s")
    return 1 if survivors or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
