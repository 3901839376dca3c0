"""Each node of a sweep by itself: its value follows from its formula, each partial from its own, and slopes are slopes.

That a partial's formula is the derivative of the value's formula is checked without any table of derivatives: by moving
an operand a little both ways and looking how far the value goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby

from micrograd_lite.trace.folder import CHAIN
from micrograd_lite.verify.evidence import UNITS, NotHere, Wrong, near, place, same, within, wrong
from micrograd_lite.verify.formulas import Formula, alike, read
from micrograd_lite.verify.functions import FUNCTIONS
from micrograd_lite.verify.record import Record, Row
from micrograd_lite.verify.series import SERIES, softmax
from micrograd_lite.verify.walk import SLACK, WIDTH, refuted

DOUBT = 4 * 2.0**-52
"""By how much a formula's value may be off: it rounds a few times."""


def values(record: Record) -> int:
    """A node's value is its formula worked out with its operands' values."""
    for rows in _nodes(record):
        head = rows[0]
        if head["operation"] in SERIES:
            series = SERIES[head["operation"]]
            wanted, rounded = series.value(rows), head["operation"] == "cross_entropy"
            _read(head, "formula")
            if not alike(head["formula"], series.formula(rows)):
                raise wrong(CHAIN, head, "formula", series.formula(rows), "the operands of its rows make it")
        else:
            formula = _read(head, "formula")
            wanted, rounded = _at(head, formula, _operands(rows)), formula.rounded
        if not (near(head["value"], wanted) if rounded else same(head["value"], wanted)):
            raise wrong(CHAIN, head, "value", wanted, "its formula gives")
    return len(record.tables[CHAIN])


def partials(record: Record) -> int:
    """A partial is its formula worked out with the values of the node and its operands."""
    for rows in _nodes(record):
        numbers = {**_operands(rows), rows[0]["node"]: rows[0]["value"]}
        functions = {**FUNCTIONS, "softmax": softmax([row["parent_value"] for row in rows])}
        for row in rows:
            formula = _read(row, "partial_formula")
            wanted = _at(row, formula, numbers, functions)
            room = UNITS * math.ulp(wanted) if formula.rounded else 0.0
            if row["operation"] == "cross_entropy":  # less 1 at the label: rounded before, where it was near 1
                room = UNITS * math.ulp(1.0)
            if not within(row["partial"], wanted, room):
                raise wrong(CHAIN, row, "partial", wanted, "its formula gives")
    return len(record.tables[CHAIN])


def slopes(record: Record) -> int:
    """A partial is the slope of the value: what a small move of the operand does, wherever both directions agree."""
    for rows in _nodes(record):
        head = rows[0]
        if head["operation"] in SERIES:
            for row, wanted in zip(rows, SERIES[head["operation"]].slopes(rows)):
                if not within(row["partial"], wanted, SLACK * max(1e-9, abs(wanted))):
                    raise wrong(CHAIN, row, "partial", wanted, f"the slope of a {head['operation']} is")
            continue
        formula, numbers = _read(head, "formula"), _operands(rows)
        middle = _at(head, formula, numbers)
        for name, paid in groupby(sorted(rows, key=lambda row: str(row["parent"])), key=lambda row: row["parent"]):
            partial, centre = 0.0, numbers[name]
            for row in paid:  # an operand that is used twice has a slope from each use
                partial += row["partial"]

            def value(distance: float, name: str = name, centre: float = centre) -> float:
                return _at(head, formula, {**numbers, name: centre + distance})  # noqa: B023

            slope = refuted(partial, value, middle, max(WIDTH, 1024.0 * math.ulp(centre)), DOUBT)
            if slope is not None:
                about = float(f"{slope:.6g}")
                raise wrong(CHAIN, {**row, "partial": partial}, "partial", about, "moving the operand says it is about")
    return len(record.tables[CHAIN])


def _nodes(record: Record) -> Iterator[list[Row]]:
    """The rows of one node after another."""
    if not record.chain:
        raise NotHere("no step was chosen for it")
    for rows in record.chain.values():
        for _, group in groupby(rows, key=lambda row: row["node"]):
            yield list(group)


def _operands(rows: list[Row]) -> dict[str, float]:
    return {row["parent"]: row["parent_value"] for row in rows}


def _read(row: Row, column: str) -> Formula:
    try:
        return read(row[column])
    except ValueError as error:
        raise Wrong(f"{place(CHAIN, row)}: {error}") from error


def _at(row: Row, formula: Formula, numbers: dict[str, float], functions: dict[str, object] = FUNCTIONS) -> float:
    try:
        return formula(numbers, functions)
    except ValueError as error:
        raise Wrong(f"{place(CHAIN, row)}: {error}") from error
