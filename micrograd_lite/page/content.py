"""Content: what of a trace goes into its page, and which of it the page can work out again, bit for bit.

What follows from other numbers exactly is not sent: after is before + update, before is the last step's after, and of plain
gradient descent update is -lr * gradient. Whether that holds is not assumed but tried, on every number.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from micrograd_lite.page.packing import Columns
from micrograd_lite.page.recorded import recorded_rows
from micrograd_lite.page.samples import Samples, batches_of, samples_of
from micrograd_lite.page.story import story, title
from micrograd_lite.page.tiles import tiles
from micrograd_lite.text import cells
from micrograd_lite.trace import Trace
from micrograd_lite.trace.kinds import by_hand
from micrograd_lite.trace.rebuild import Rebuild

COLUMNS = ("before", "gradient", "update", "after")
LAYER_COLUMNS = (
    "norm", "mean", "std", "min", "max", "gradient_norm", "update_norm", "update_ratio", "activations_flat",
)  # fmt: skip
MOST_LOSSES = 20_000
"""Steps of the loss curve; of a longer run it has the steps of the table."""


class Content(NamedTuple):
    """What a page is made of: its title, what it says in words, what it packs, and the table that stands without scripts.

    last: of the last step, a row of texts for each parameter or array, under the names `columns`; step: its number, 0 for none.
    """

    title: str
    story: list[str]
    header: dict[str, Any]
    blocks: dict[str, Columns | bytes]
    columns: Sequence[str]
    last: list[list[str]]
    step: int


class Source:
    """A trace and what its page is made from. What does not depend on the steps that are left out is asked for once."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.table = _table(trace)

    @property
    def recorded(self) -> int:
        """How many steps have a table."""
        return len(self.table.steps)

    @cached_property
    def status(self) -> str:
        """As `Trace.status` says it, which reads every table."""
        return self.trace.status

    @cached_property
    def rebuild(self) -> Rebuild:
        """The trace's steps, built again. ValueError says why they cannot be."""
        if by_hand(self.trace.run):
            raise ValueError("A loop of one's own trained it: of a backward pass the page has what the loop wrote down.")
        return Rebuild(self.trace)

    @cached_property
    def samples(self) -> Samples:
        """The graph of a sample, and what each sample puts into it. ValueError as for `rebuild`."""
        return samples_of(self.rebuild)

    def content(self, every: int = 1) -> Content:
        """The content of the page, with every so many of the recorded steps, and the last."""
        trace, table = self.trace, self.table
        kept = [*table.steps[:-1:every], *table.steps[-1:]]
        blocks: dict[str, Columns | bytes] = {"steps": [[float(step) for step in kept]]}
        metrics, measured = _metrics(trace, set(kept))
        blocks["metrics"] = metrics
        rates = dict(zip(metrics[0], metrics[2]))
        given, last = _packed_table(table, kept, [rates.get(step, math.nan) for step in kept], blocks)
        names = [cells.text(name) for name in table.rows]
        header = {
            "title": title(trace.run), "columns": list(table.columns), "rows": names, "given": given, "measured": measured,
            "recorded": self.recorded, **_model(trace), **self._details(kept, blocks),
        }  # fmt: skip
        shown = [[name, *map(cells.number, row)] for name, row in zip(names, last)]
        told = story(trace, self.status, self.recorded, every)
        return Content(title(trace.run), told, header, blocks, table.columns, shown, kept[-1] if kept else 0)

    def _details(self, kept: Sequence[int], blocks: dict[str, Columns | bytes]) -> dict[str, Any]:
        """What a backward pass is computed from, or the rows of it that the trace holds, or the tiles of an array model."""
        if self.table.columns != COLUMNS:
            return tiles(self.trace, blocks)
        if not kept:
            return {}
        try:
            samples = self.samples
        except (ValueError, TypeError, ArithmeticError) as error:
            return {**recorded_rows(self.trace, blocks), "no_backward": str(error).replace(str(self.trace.folder), "this trace")}
        blocks["constants"] = samples.constants
        blocks["targets"] = _targets(self.trace.run["data"]["targets"])
        batches = batches_of(self.rebuild.plan, kept)
        if not batches:
            return {"graph": samples.header}
        longest = max(map(len, batches))
        filled = [row + 1 for batch in batches for row in [*batch, *[-1] * (longest - len(batch))]]  # 0: no sample
        blocks["batches"] = struct.pack(f"<{len(filled)}I", *filled)
        return {"graph": samples.header, "batch": longest}


class _Table(NamedTuple):
    steps: list[int]
    rows: list[str]
    columns: tuple[str, ...]
    of: Callable[[int], list[list[float]]]  # the numbers of a step, row by row


def _table(trace: Trace) -> _Table:
    """What is recorded step by step: of each parameter what happened to it, of an array model a row for each array."""
    layers = trace.layers()
    if not layers:
        return _Table(trace.steps(), trace.names, COLUMNS, lambda step: [list(row[2:]) for row in trace.gradients(step)])
    blocks: dict[int, dict[str, list[float]]] = {}
    for row in layers:
        blocks.setdefault(row["step"], {})[row["array"]] = [row.get(name, math.nan) for name in LAYER_COLUMNS]
    names = list(next(iter(blocks.values())))
    steps = [step for step, rows in blocks.items() if list(rows) == names]
    return _Table(steps, names, LAYER_COLUMNS, lambda step: list(blocks[step].values()))


def _packed_table(
    table: _Table, kept: Sequence[int], rates: Sequence[float], blocks: dict[str, Columns | bytes]
) -> tuple[dict[str, str], list[list[float]]]:
    """Adds the columns that the page cannot work out to `blocks`; returns how it makes the others, and the last step's rows."""
    states = [table.of(step) for step in kept]
    rows = range(len(table.rows))
    columns = {name: [[state[row][place] for state in states] for row in rows] for place, name in enumerate(table.columns)}
    given = _given(columns, rates) if table.columns == COLUMNS and kept else {}
    for name, block in columns.items():
        if given.get(name) == "carried":
            blocks[name] = [column[:1] for column in block]
        elif name not in given:
            blocks[name] = block
    return given, states[-1] if states else []


def _metrics(trace: Trace, kept: set[int]) -> tuple[list[list[float]], list[str]]:
    """Step, loss and learning rate, and what else was measured, as columns; NaN where it was not."""
    rows = trace.metrics()
    rows = rows if len(rows) <= MOST_LOSSES else [row for row in rows if row["step"] in kept]
    names = ["step", "loss", "learning_rate", *(name for name in trace.run.get("evaluation", []) if not name.endswith("_change"))]
    return [[_number(row.get(name)) for row in rows] for name in names], names


def _number(entry: float | None) -> float:
    return math.nan if entry is None else float(entry)


def _given(columns: dict[str, list[list[float]]], rates: Sequence[float]) -> dict[str, str]:
    """How each column of the gradient table follows from others, where it does so in every bit."""
    before, gradient, update, after = (columns[name] for name in COLUMNS)
    given = {}
    if _same(update, ([-rate * number for rate, number in zip(rates, column)] for column in gradient)):
        given["update"] = "rate"
    if _same(after, ([number + change for number, change in zip(*pair)] for pair in zip(before, update))):
        given["after"] = "sum"
    if given.get("after") and _same((column[1:] for column in before), (column[:-1] for column in after)):
        given["before"] = "carried"
    return given


def _same(columns: Iterable[Sequence[float]], others: Iterable[Sequence[float]]) -> bool:
    """Are these numbers the same in bits? 0.0 is not -0.0 here."""
    return all(struct.pack(f"{len(one)}d", *one) == struct.pack(f"{len(other)}d", *other) for one, other in zip(columns, others))


def _model(trace: Trace) -> dict[str, Any]:
    """What is drawn of the network, and what the data are called."""
    run, made = trace.run, dict[str, Any]()
    model, data = run.get("model") or {}, run.get("data") or {}
    if "outputs_per_layer" in model:
        made["network"] = {
            "widths": [model["inputs"], *model["outputs_per_layer"]], "activations": [*model["activation"], model["output"]],
            "fixed": {name: cells.number(number) for name, number in run.get("fixed", {}).items()}, "tied": run.get("tied", {}),
        }  # fmt: skip
    made["data"] = {name: data.get(name) for name in ("name", "feature_names", "class_names", "classes", "target_name", "units")}
    made["loss"] = str(run.get("loss", ""))
    return made


def _targets(targets: Sequence[Any]) -> list[list[float]]:
    rows = [target if isinstance(target, list) else [target] for target in targets]
    return [[float(number) for number in column] for column in zip(*rows)]
