"""Operations by name, written again: does a node do what it says, and would its formulas say so for other numbers too?

A formula that fits the numbers of its row may still be none: 0.25 instead of z * (1 - z). So each formula is worked out
at a few other points, where value and slopes are known from the name of the operation.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from typing import Any

from micrograd_lite.trace.folder import CHAIN
from micrograd_lite.verify.edges import SERIES, nodes, readable, softmax, worked_out
from micrograd_lite.verify.evidence import Wrong, place, plainly, shown
from micrograd_lite.verify.formulas import FUNCTIONS, exp, power
from micrograd_lite.verify.record import Record, Row

POINTS = ((0.7, 1.9), (-1.3, 0.4), (2.1, -0.6), (1.25, 1.25))
"""Numbers for the operands: both signs, each one the larger, a tie; no kink and no border of a domain."""

ROOM = 1e-9
"""Relative to a value, or to 1: another spelling of a formula rounds otherwise."""

Known = Callable[..., tuple[float, tuple[float, ...]]]


def _divided(x: float, y: float) -> tuple[float, tuple[float, ...]]:
    return x / y, (1.0 / y, -x / (y * y))


def _larger(x: float, y: float) -> tuple[float, tuple[float, ...]]:
    first = 0.5 if x == y else 1.0 if x > y else 0.0
    return max(x, y), (first, 1.0 - first)


def _smaller(x: float, y: float) -> tuple[float, tuple[float, ...]]:
    first = 0.5 if x == y else 1.0 if x < y else 0.0
    return min(x, y), (first, 1.0 - first)


# fmt: off
OPERATIONS: dict[str, Known] = {
    "add":        lambda x, y: (x + y,                   (1.0, 1.0)),
    "sub":        lambda x, y: (x - y,                   (1.0, -1.0)),
    "mul":        lambda x, y: (x * y,                   (y, x)),
    "div":        _divided,
    "neg":        lambda x: (-x,                         (-1.0,)),
    "pow":        lambda x, y: (math.pow(x, y),          (y * math.pow(x, y - 1.0), math.pow(x, y) * math.log(x))),
    "exp":        lambda x: (exp(x),                     (exp(x),)),
    "log":        lambda x: (math.log(x),                (1.0 / x,)),
    "sqrt":       lambda x: (math.sqrt(x),               (0.5 / math.sqrt(x),)),
    "sin":        lambda x: (math.sin(x),                (math.cos(x),)),
    "cos":        lambda x: (math.cos(x),                (-math.sin(x),)),
    "tanh":       lambda x: (math.tanh(x),               (1.0 / math.cosh(x) ** 2,)),
    "sigmoid":    lambda x: (1.0 / (1.0 + exp(-x)),      (exp(-x) / (1.0 + exp(-x)) ** 2,)),
    "softplus":   lambda x: (math.log(1.0 + exp(x)),     (1.0 / (1.0 + exp(-x)),)),
    "relu":       lambda x: (max(x, 0.0),                (1.0 if x > 0.0 else 0.0,)),
    "leaky_relu": lambda x: (max(x, 0.01 * x),           (1.0 if x > 0.0 else 0.01,)),
    "prelu":      lambda x, a: (x if x > 0.0 else a * x, (1.0, 0.0) if x > 0.0 else (a, x)),
    "elu":        lambda x: (x if x > 0.0 else math.expm1(x), (1.0 if x > 0.0 else exp(x),)),
    "abs":        lambda x: (abs(x),                     (math.copysign(1.0, x),)),
    "maximum":    _larger,
    "minimum":    _smaller,
}
# fmt: on
"""Value and slopes by the name of the operation, in the textbook's form; outside its domain a ValueError."""


def operations(record: Record) -> int:
    """Value and partial formulas of each node are those of its operation, also for other numbers than the row's."""
    unknown: dict[str, int] = {}
    looked = 0
    for rows in nodes(record):
        name = rows[0]["operation"]
        known = SERIES.get(name) or OPERATIONS.get(name) or (_power(rows[0]) if name == "power" else None)
        if known is None:
            unknown[name] = unknown.get(name, 0) + 1
            continue
        looked += len(rows)
        if name in SERIES:
            _series(rows)
            continue
        for point in POINTS:
            _pointwise(rows, known, point)  # type: ignore[arg-type]
    for name, count in unknown.items():
        record.gap(f"operation {plainly(name)} in {count} nodes", "no formula is known for it")
    return looked


def _pointwise(rows: Sequence[Row], known: Known, point: tuple[float, float]) -> None:
    head, names = rows[0], list(dict.fromkeys(row["parent"] for row in rows))
    numbers = dict(zip(names, point))
    try:
        value, slopes = known(*(numbers[row["parent"]] for row in rows))
    except TypeError as error:
        raise Wrong(f"{place(CHAIN, head)}: {plainly(head['operation'])} has not {len(rows)} operands") from error
    except (ValueError, ZeroDivisionError):
        return  # outside the domain
    _compare(head, "formula", numbers, value)
    for row, slope in zip(rows, slopes):
        _compare(row, "partial_formula", {**numbers, head["node"]: value}, slope)


def _series(rows: Sequence[Row]) -> None:
    """The slopes of an operation over many operands at one other point; its value's formula is compared as text."""
    names = list(dict.fromkeys(row["parent"] for row in rows))
    numbers = {name: 0.25 + 0.5 * (position % 7) - 0.125 * (position % 3) for position, name in enumerate(names)}
    moved = [{**row, "parent_value": numbers[row["parent"]]} for row in rows]
    functions = {**FUNCTIONS, "softmax": softmax([row["parent_value"] for row in moved])}
    for row, slope in zip(rows, SERIES[rows[0]["operation"]].slopes(moved)):
        _compare(row, "partial_formula", numbers, slope, functions)


def _compare(row: Row, column: str, numbers: dict[str, float], wanted: float, functions: dict[str, Any] = FUNCTIONS) -> None:
    got = worked_out(row, readable(row, column), numbers, functions)
    if not abs(got - wanted) <= ROOM * max(1.0, abs(wanted)):
        there = ", ".join(f"{plainly(name)} = {number!r}" for name, number in list(numbers.items())[:3])
        says = f"{column} is {shown(row[column])}, which at {there} is {got:.6g}"
        raise Wrong(f"{place(CHAIN, row)}: {says}, but by its operation {plainly(row['operation'])} it is {wanted:.6g}")


def _power(head: Row) -> Known | None:
    """x to the n, whose n stands in the formula; None where none does."""
    for part in ast.walk(readable(head, "formula").tree):
        written = part.args[1:] if isinstance(part, ast.Call) and len(part.args) == 2 else None
        written = [part.right] if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Pow) else written
        for exponent in written or ():
            try:
                n = float(ast.literal_eval(exponent))
            except (ValueError, TypeError):
                continue
            return lambda x: (power(x, n), (n * power(x, n - 1.0) if n else 0.0,))
    return None
