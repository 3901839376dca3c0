"""The first difference between two traces, and what it means: which part of training does not do the same.

Within a step the numbers are compared in the order in which they come about (STAGES), so all that led to the first
difference agrees: equal weights and another loss is the forward pass, equal gradients and another update the optimizer.
Which settings of the two runs differ is said as run.json has them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

from micrograd_lite.trace.folder import CHAIN, GRADIENTS, METRICS
from micrograd_lite.trace.reader import Trace
from micrograd_lite.trace.stages import STAGES, Stage, Tables, by_step

RECORDING = (
    "format", "status", "error", "steps", "rows", "every", "weights_every", "epochs", "evaluation",
    "evaluate_every", "change_every", "chain_rule", "by_sample",
)  # fmt: skip
"""What run.json says about the recording and not about the numbers."""


def entries(run: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every entry of run.json that decides numbers, by its path: optimizer.lr, data.inputs[3][1]."""
    waiting = [(key, entry) for key, entry in run.items() if key not in RECORDING][::-1]
    while waiting:
        path, entry = waiting.pop()
        if isinstance(entry, dict):
            waiting += [(f"{path}.{key}", inner) for key, inner in entry.items()][::-1]
        elif isinstance(entry, list):
            waiting += [(f"{path}[{place}]", inner) for place, inner in enumerate(entry)][::-1]
        else:
            yield path, entry


def other_settings(a: dict[str, Any], b: dict[str, Any]) -> Iterator[str]:
    """A line for each entry of two run.json that is not the same."""
    ours, theirs = dict(entries(a)), dict(entries(b))
    for path in {**ours, **theirs}:
        one, other = ours.get(path, "nothing"), theirs.get(path, "nothing")
        if one != other:
            yield f"{path}: {shown(one)} in A, {shown(other)} in B"


def shown(value: Any) -> str:
    """A cell as in the table, cut when it is long."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


SHOWN = 8
"""Settings that differ, listed at most."""


class Difference(NamedTuple):
    """The first cell that differs: where it stands, what it is in each trace ("nothing": the row is missing), what it means."""

    step: int
    table: str
    row: str  # a parameter, a node, an edge of the sweep; empty in metrics.csv
    column: str
    a: Any
    b: Any
    meaning: str

    def __str__(self) -> str:
        place = f"step {self.step}" + (f", {self.row}" if self.row else "")
        short = [f"{number:.6g}" if isinstance(number, float) else shown(number) for number in (self.a, self.b)]
        a, b = short if short[0] != short[1] else (shown(self.a), shown(self.b))
        return f"{place}: {self.column} {a} in A, {b} in B ({self.table}); {self.meaning}"


class Comparison(NamedTuple):
    """Two traces, compared: settings of run.json that differ, rows that agree, the first difference, where they end."""

    settings: list[str]
    rows: dict[str, int]  # for each table
    difference: Difference | None
    end: str  # a sentence when one trace goes further than the other
    equal: bool  # as far as both go, when one of them is still being written

    def _repr_html_(self) -> str:
        from micrograd_lite.text.words import Prose

        return Prose(self)._repr_html_()

    def __str__(self) -> str:
        count = ", ".join(f"{rows:,} of {table}" for table, rows in self.rows.items())
        settings = [f"run.json, {line}" for line in self.settings[:SHOWN]]
        more = [f"run.json: and {len(self.settings) - SHOWN} more settings"] if len(self.settings) > SHOWN else []
        found = [str(self.difference)] if self.difference else []
        agreeing = "rows that agree before this step" if self.difference else "no row differs; compared"
        return "\n".join([*settings, *more, *found, f"{agreeing}: {count or 'none'}", *([self.end] if self.end else [])])


def compare(first: str | os.PathLike[str], second: str | os.PathLike[str], within: float = 0.0) -> Comparison:
    """Compare two trace folders, A and B, to the first difference in what both recorded.

    within: relative and absolute tolerance; by default numbers must be the same to the bit (any NaN is like any other).
    FileNotFoundError or ValueError when a folder holds no trace that can be read.
    """
    if not 0.0 <= within < math.inf:
        raise ValueError(f"within must be a number of at least 0, such as 1e-9, got {within!r}")
    a, b = Trace(first), Trace(second)
    settings = list(other_settings(a.run, b.run))
    rows: dict[str, int] = dict.fromkeys((stage.table for stage in STAGES), 0)
    difference: Difference | None = None
    before: Tables = {}
    for (step, left), (other, right) in zip(by_step(a), by_step(b)):
        if step != other:
            difference = Difference(min(step, other), METRICS, "", "step", step, other, "one of them has not got this step")
        elif left != right:
            difference = first_difference(step, left, right, before, within)
        if difference:
            break
        for table in left.keys() & right.keys():
            rows[table] += len(left[table])
        before = left
    compared = {table: count for table, count in rows.items() if count}
    if difference:
        return Comparison(settings, compared, difference, "", False)
    end, ended_alike = _end(a, b)
    return Comparison(settings, compared, None, end, ended_alike and not settings)


def first_difference(step: int, a: Tables, b: Tables, before: Tables, within: float = 0.0) -> Difference | None:
    """The first difference of one step, in the tables that both traces have at it; before: what agreed at the step before."""
    for stage in STAGES:
        if stage.table not in a or stage.table not in b:
            continue
        left, right = list(stage.cells(a[stage.table])), list(stage.cells(b[stage.table]))
        both = {cell[1] for cell in left} & {cell[1] for cell in right}  # what only one measures is no difference
        for one, other in zip_longest(*([cell for cell in cells if cell[1] in both] for cells in (left, right))):
            if one is None or other is None or one[:2] != other[:2]:
                return _missing(step, stage, one, other, left, right)
            (row, column, x), y = one, other[2]
            if not agree(x, y, within):
                known = {GRADIENTS, CHAIN} & a.keys() & b.keys()
                meaning = meaning_of(stage, column, known, bool(before)) + hint(row, column, x, y, before)
                return Difference(step, stage.table, row, column, x, y, meaning)
    return None


def meaning_of(stage: Stage, column: str, known: Collection[str], before: bool) -> str:
    """What it means, given the tables that both have at this step, and whether a step before it was compared."""
    if (stage.table, column) == (GRADIENTS, "before") and before:
        return "something moved the weights since the last recorded step"
    if (stage.table, column) == (GRADIENTS, "gradient") and CHAIN in known:
        return "every edge of the sweep agrees, so the gradient was changed after it"
    if column == "loss" and GRADIENTS not in known and not before:
        return "other initial weights, data, loss function or forward pass: the tables do not say which"
    return stage.means(column).format(column=column)


def hint(row: str, column: str, x: Any, y: Any, before: Tables) -> str:
    """What two numbers have to do with each other: one is a multiple of the other, or has an old gradient in it."""
    numbers = all(isinstance(number, float) and math.isfinite(number) for number in (x, y))
    if not numbers or column not in ("loss", "gradient", "share", "total", "gradient_norm"):
        return ""
    parameter = row.rpartition(" -> ")[2]
    for old in before.get(GRADIENTS, []):
        if old["parameter"] == parameter and old["gradient"] and math.isclose(abs(y - x), abs(old["gradient"]), rel_tol=1e-9):
            return f". They differ by the gradient of step {old['step']}: it was not zeroed"
    for name, large, small in (("B", y, x), ("A", x, y)):
        times = round(large / small) if small and abs(large / small) < 1e6 else 0
        if times > 1 and math.isclose(large, times * small, rel_tol=1e-9):
            again = ", or backward() called twice" if times == 2 and column != "loss" else ""
            return f". {name} has {times} times the other: a sum for a mean of {times}{again}, perhaps"
    return ""


def _missing(step: int, stage: Stage, one: Any, other: Any, left: list[Any], right: list[Any]) -> Difference:
    """A row that one trace has not got, or that comes at another place."""
    if one is not None and all(one[:2] != cell[:2] for cell in right):
        return Difference(step, stage.table, one[0], one[1], one[2], "nothing", stage.means("only one"))
    if other is not None and all(other[:2] != cell[:2] for cell in left):
        return Difference(step, stage.table, other[0], other[1], "nothing", other[2], stage.means("only one"))
    x, y = (cell[0] if cell else "the end" for cell in (one, other))
    return Difference(step, stage.table, "", "next row", x, y, stage.means("order"))


def agree(x: Any, y: Any, within: float) -> bool:
    """Is a cell the same in both?"""
    if isinstance(x, float) and isinstance(y, float):
        return x == y or (x != x and y != y) or math.isclose(x, y, rel_tol=within, abs_tol=within)
    return bool(x == y)


def _end(a: Trace, b: Trace) -> tuple[str, bool]:
    """A sentence about the lengths of two traces that agree, and whether they end alike or are still being written."""
    lengths = [len(trace.metrics()) for trace in (a, b)]
    states = [trace.status if trace.run["status"] == "running" else trace.run["status"] for trace in (a, b)]
    steps = f"A has {lengths[0]:,} steps ({states[0]}), B has {lengths[1]:,} ({states[1]})"
    if "running" in states:
        return f"{steps}: compared as far as both go", True
    return (f"{steps}: they agree as far as both go", False) if lengths[0] != lengths[1] else ("", True)
