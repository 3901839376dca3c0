"""Each node of a sweep by itself: its value follows from its formula, each partial from its own, and slopes are slopes.

That a partial's formula is the derivative of the value's formula is checked without any table of derivatives: by moving
an operand a little both ways and looking how far the value goes. The formulas of operations over many operands (dot, sum,
mean, cross-entropy) name not all of them, so value and formula are made again from the operands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from micrograd_lite.trace.folder import CHAIN
from micrograd_lite.verify.evidence import UNITS, NotHere, Wrong, near, place, same, within, wrong
from micrograd_lite.verify.formulas import FUNCTIONS, Formula, read, same_formula
from micrograd_lite.verify.gradient import SLACK, WIDTH, refuted
from micrograd_lite.verify.network import cross_entropy
from micrograd_lite.verify.record import Record, Row

SHOWN = 8
"""A sum of more terms is written with its first two and its last."""


class Series(NamedTuple):
    """What a node with these rows is worth, how its formula reads, and its slope toward the parent of each row."""

    value: Callable[[Sequence[Row]], float]
    formula: Callable[[Sequence[Row]], str]
    slopes: Callable[[Sequence[Row]], list[float]]


def products(rows: Sequence[Row]) -> tuple[list[Row], list[tuple[Row, Row]]]:
    """The rows of a dot in the order in which it adds: a bias or none, then the pairs of weight and input.

    They are paid backwards, the last product first and the bias just before the first product.
    """
    paid = list(rows)
    bias = [paid.pop(-3 if len(paid) > 1 else 0)] if len(paid) % 2 else []
    return bias, list(zip(paid[0::2], paid[1::2]))[::-1]


def dot(rows: Sequence[Row]) -> float:
    """bias + w0 * x0 + w1 * x1 + ..., from left to right."""
    bias, pairs = products(rows)
    total = bias[0]["parent_value"] if bias else 0.0
    for w, x in pairs:
        total += w["parent_value"] * x["parent_value"]
    return float(total)


def dot_slopes(rows: Sequence[Row]) -> list[float]:
    """Toward a weight its input, toward an input its weight, toward the bias 1."""
    bias, pairs = products(rows)
    slopes = [slope for w, x in reversed(pairs) for slope in (x["parent_value"], w["parent_value"])]
    if bias:
        slopes.insert(-2, 1.0)
    return slopes


def added(rows: Sequence[Row]) -> float:
    """x0 + x1 + ..., from left to right."""
    total = 0.0
    for row in rows:
        total += row["parent_value"]
    return total


def softmax(logits: Sequence[float]) -> Callable[[float], float]:
    """The share of exp(x) in the exponentials of all logits, as a function of x."""

    def share(x: float) -> float:
        highest, total = max(logits), 0.0
        for logit in logits:
            total += math.exp(min(logit - highest, 0.0))
        return math.exp(min(x - highest, 0.0)) / total

    return share


def label(rows: Sequence[Row]) -> int:
    """The place of the right logit: the one whose slope is less by 1."""
    found = [place for place, row in enumerate(rows) if row["partial_formula"].endswith("- 1")]
    return found[0] if found else 0


def cross_entropy_slopes(rows: Sequence[Row]) -> list[float]:
    """The softmax of each logit, less 1 at the right one."""
    share = softmax([row["parent_value"] for row in rows])
    return [share(row["parent_value"]) - (1.0 if place == label(rows) else 0.0) for place, row in enumerate(rows)]


def shortened(terms: list[str], sign: str = " + ") -> str:
    """All terms, or of a long sum the first two and the last."""
    return sign.join(terms if len(terms) <= SHOWN else [*terms[:2], "...", terms[-1]])


def dot_formula(rows: Sequence[Row]) -> str:
    """The formula of a dot: the bias is a term beside the products, of which the middle ones may be left out."""
    bias, pairs = products(rows)
    terms = shortened([f"{w['parent']!r} * {x['parent']!r}" for w, x in pairs])
    return " + ".join([*(repr(row["parent"]) for row in bias), *([terms] if terms else [])])


def _names(rows: Sequence[Row], sign: str = " + ") -> str:
    return shortened([repr(row["parent"]) for row in rows], sign)


SERIES = {
    "dot": Series(dot, dot_formula, dot_slopes),
    "sum": Series(added, _names, lambda rows: [1.0] * len(rows)),
    "mean": Series(
        lambda rows: added(rows) / len(rows),
        lambda rows: f"mean({_names(rows, ', ')})",
        lambda rows: [1.0 / len(rows)] * len(rows),
    ),
    "cross_entropy": Series(
        lambda rows: cross_entropy([row["parent_value"] for row in rows], label(rows)),
        lambda rows: f"-log(softmax({rows[label(rows)]['parent']!r}))",
        cross_entropy_slopes,
    ),
}
"""By the name of the operation."""


DOUBT = 4 * 2.0**-52
"""By how much a formula's value may be off: it rounds a few times."""


def values(record: Record) -> int:
    """A node's value is its formula worked out with its operands' values."""
    for rows in nodes(record):
        head = rows[0]
        if head["operation"] in SERIES:
            series = SERIES[head["operation"]]
            wanted, rounded = series.value(rows), head["operation"] == "cross_entropy"
            readable(head, "formula")
            if not same_formula(head["formula"], series.formula(rows)):
                raise wrong(CHAIN, head, "formula", series.formula(rows), "the operands of its rows make it")
        else:
            formula = readable(head, "formula")
            wanted, rounded = worked_out(head, formula, _operands(rows)), formula.rounded
        if not (near(head["value"], wanted) if rounded else same(head["value"], wanted)):
            raise wrong(CHAIN, head, "value", wanted, "its formula gives")
    return len(record.tables[CHAIN])


def partials(record: Record) -> int:
    """A partial is its formula worked out with the values of the node and its operands."""
    for rows in nodes(record):
        numbers = {**_operands(rows), rows[0]["node"]: rows[0]["value"]}
        functions = {**FUNCTIONS, "softmax": softmax([row["parent_value"] for row in rows])}
        for row in rows:
            formula = readable(row, "partial_formula")
            wanted = worked_out(row, formula, numbers, functions)
            room = UNITS * math.ulp(wanted) if formula.rounded else 0.0
            if row["operation"] == "cross_entropy":  # less 1 at the label: rounded before, where it was near 1
                room = UNITS * math.ulp(1.0)
            if not within(row["partial"], wanted, room):
                raise wrong(CHAIN, row, "partial", wanted, "its formula gives")
    return len(record.tables[CHAIN])


def slopes(record: Record) -> int:
    """A partial is the slope of the value: what a small move of the operand does, wherever both directions agree."""
    for rows in nodes(record):
        head = rows[0]
        if head["operation"] in SERIES:
            for row, wanted in zip(rows, SERIES[head["operation"]].slopes(rows)):
                if not within(row["partial"], wanted, SLACK * max(1e-9, abs(wanted))):
                    raise wrong(CHAIN, row, "partial", wanted, f"the slope of a {head['operation']} is")
            continue
        formula, numbers = readable(head, "formula"), _operands(rows)
        middle = worked_out(head, formula, numbers)
        for name, paid in groupby(sorted(rows, key=lambda row: str(row["parent"])), key=lambda row: row["parent"]):
            partial, centre = 0.0, numbers[name]
            for row in paid:  # an operand that is used twice has a slope from each use
                partial += row["partial"]

            def value(distance: float, name: str = name, centre: float = centre) -> float:
                return worked_out(head, formula, {**numbers, name: centre + distance})  # noqa: B023

            slope = refuted(partial, value, middle, max(WIDTH, 1024.0 * math.ulp(centre)), DOUBT)
            if slope is not None:
                about = float(f"{slope:.6g}")
                raise wrong(CHAIN, {**row, "partial": partial}, "partial", about, "moving the operand says it is about")
    return len(record.tables[CHAIN])


def nodes(record: Record) -> Iterator[list[Row]]:
    """The rows of one node after another."""
    if not record.chain:
        raise NotHere("no step was chosen for it")
    for rows in record.chain.values():
        for _, group in groupby(rows, key=lambda row: row["node"]):
            yield list(group)


def _operands(rows: list[Row]) -> dict[str, float]:
    return {row["parent"]: row["parent_value"] for row in rows}


def readable(row: Row, column: str) -> Formula:
    """The formula in a cell. Wrong when it is none."""
    try:
        return read(row[column])
    except ValueError as error:
        raise Wrong(f"{place(CHAIN, row)}: {error}") from error


def worked_out(row: Row, formula: Formula, numbers: dict[str, float], functions: dict[str, object] = FUNCTIONS) -> float:
    """A formula's value with these numbers. Wrong when it asks for others."""
    try:
        return formula(numbers, functions)
    except ValueError as error:
        raise Wrong(f"{place(CHAIN, row)}: {error}") from error
