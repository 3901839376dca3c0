"""The order in which the numbers of a step come about: weights, forward pass, loss, backward pass, optimizer, new weights.

Each row says where such numbers stand in a trace, and what it means when two traces differ there for the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from micrograd_lite.text.cells import read_table
from micrograd_lite.trace.folder import BY_SAMPLE, CHAIN, GRADIENTS, LAYERS, METRICS, OPTIMIZER
from micrograd_lite.trace.reader import Trace

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]
"""The rows of one step, table by table."""
Cell = tuple[str, str, Any]
"""Row, column and value."""


class Stage(NamedTuple):
    """Numbers that come about together: their table, its cells in order, and what a first difference there means.

    A meaning by column; "" is for every other column, "only one" for a row that one trace has not got, "order" for rows
    that come in another order.
    """

    table: str
    cells: Callable[[Rows], Iterator[Cell]]
    meaning: Mapping[str, str]

    def means(self, what: str) -> str:
        """The meaning of a first difference in a column, or of a missing row."""
        return self.meaning.get(what) or self.meaning.get("", "the rows are not the same")


def column(*names: str) -> Callable[[Rows], Iterator[Cell]]:
    """The cells of these columns, row by row."""

    def cells(rows: Rows) -> Iterator[Cell]:
        for row in rows:
            yield from ((label(row), name, row[name]) for name in names if name in row)

    return cells


def from_the_last(rows: Rows) -> Iterator[Cell]:
    """The gradients from the last parameter to the first: that is the way in which the sweep comes."""
    return column("gradient")(rows[::-1])


def others(*known: str) -> Callable[[Rows], Iterator[Cell]]:
    """All columns but those, row by row."""
    return lambda rows: column(*(name for name in rows[0] if name not in ("step", "parameter", *known)))(rows)


def label(row: Mapping[str, Any]) -> str:
    """What a row is about: a parameter, an array, or the whole step."""
    return str(row.get("parameter") or row.get("array") or "")


def forward(rows: Rows) -> Iterator[Cell]:
    """The forward pass, as the edges tell it: the leaves, then each node's formula and value, after those it is made of."""
    nodes = {row["node"]: row for row in reversed(rows)}  # a node has a row for each of its edges: the first one speaks
    leaves = {row["parent"]: row["parent_value"] for row in reversed(rows) if row["parent"] not in nodes}
    for name in sorted(leaves):
        yield name, "leaf", leaves[name]
    for name in _each_after_its_operands(rows, nodes):
        yield name, "formula", nodes[name]["formula"]
        yield name, "value", nodes[name]["value"]


def _each_after_its_operands(rows: Rows, nodes: Collection[str]) -> Iterator[str]:
    """The nodes of a sweep in an order that depends on its edges alone, and not on the way in which it walks them."""
    operands: dict[str, set[str]] = {name: set() for name in nodes}
    for row in rows:
        operands[row["node"]] |= {row["parent"]} & operands.keys()
    sorter = TopologicalSorter(operands)
    try:
        sorter.prepare()
    except CycleError:  # no graph makes such rows
        yield from sorted(nodes)
        return
    while ready := sorted(sorter.get_ready(), key=lambda name: (len(name), name)):  # v9 is older than v10
        yield from ready
        sorter.done(*ready)


def backward(rows: Rows) -> Iterator[Cell]:
    """The backward pass, edge by edge; the columns of the forward pass again, because each edge repeats them."""
    for row in rows:
        edge = f"{row['node']} -> {row['parent']}"
        yield from ((edge, name, row[name]) for name in row if name not in ("step", "order", "node", "parent"))


MISSING = {"only one": "the two have not the same parameters", "order": "the same parameters in another order"}

# fmt: off
STAGES = (
    Stage(GRADIENTS, column("before"), {**MISSING, "": "other initial weights"}),
    Stage(CHAIN, forward, {
        "leaf":     "the forward pass starts from other numbers: other data, or other weights than those recorded",
        "formula":  "the forward pass computes something else here",
        "value":    "the same formula of the same numbers gives something else: the forward pass differs here",
        "only one": "one forward pass uses this number and the other does not",
    }),
    Stage(METRICS, column("epoch", "loss"), {
        "epoch": "another number of batches in an epoch",
        "":      "equal weights, another loss: other data, another loss function or forward pass",
    }),
    Stage(LAYERS, column("activations_flat"), {**MISSING, "": "equal loss, other activations inside"}),
    Stage(CHAIN, backward, {
        "upstream":        "this node sends on another total than it should: before, or without, all of its shares",
        "partial_formula": "another local derivative for the same operation",
        "partial":         "the same formula, values and upstream, another local derivative",
        "share":           "in one of them the share is not partial times upstream",
        "total":           "equal shares, another total: they are not added up from zero (= for +=, or an old gradient)",
        "only one":        "one sweep does not walk this edge",
        "order":           "the sweeps visit the nodes in another order, or one of them begins again",
    }),
    Stage(BY_SAMPLE, others("gradient"), {**MISSING, "": "{column} pulls with another strength: the backward pass differs"}),
    Stage(GRADIENTS, from_the_last, {"": "weights and loss agree, so the backward pass differs"}),
    Stage(BY_SAMPLE, column("gradient"), {"": "the shares agree, and the gradient beside them differs"}),
    Stage(LAYERS, column("gradient_norm"), {"": "weights and loss agree, so the backward pass differs"}),
    Stage(METRICS, column("gradient_norm"), {"": "weights and loss agree, so the gradient or its length differs"}),
    Stage(METRICS, column("learning_rate"), {"": "another learning rate or schedule"}),
    Stage(OPTIMIZER, others(), {
        **MISSING, "": "the gradient and all terms before agree, so the optimizer computes {column} in another way"}),
    Stage(GRADIENTS, column("update"), {"": "the gradient agrees and the update differs: the optimizer's arithmetic"}),
    Stage(LAYERS, column("update_norm", "update_ratio"), {"": "the gradient agrees: the optimizer's arithmetic"}),
    Stage(METRICS, column("update_norm"), {"": "the gradient agrees: the optimizer's arithmetic"}),
    Stage(GRADIENTS, column("after"), {"": "after is not before + update in one of them"}),
    Stage(LAYERS, column("norm", "mean", "std", "min", "max"), {"": "equal updates, other weights after them"}),
    Stage(METRICS, others("epoch", "loss", "gradient_norm", "learning_rate", "update_norm"), {
        "": "all that is trained agrees, so {column} is measured in another way"}),
)
# fmt: on


def by_step(trace: Trace) -> Iterator[tuple[int, Tables]]:
    """Each step of a trace with its rows, as far as metrics.csv vouches for them."""
    steps = len(trace.metrics())
    names = {stage.table: None for stage in STAGES}
    rows = merge(*(_rows(trace, name) for name in names), key=itemgetter(0))
    for step, group in groupby(rows, key=itemgetter(0)):
        tables: Tables = {}
        for _, name, row in group:
            tables.setdefault(name, []).append(row)
        if METRICS in tables and (steps := steps - 1) >= 0:
            yield step, tables


def _rows(trace: Trace, name: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for row in read_table(trace.folder / name, ("step",)):
        yield row["step"], name, row
