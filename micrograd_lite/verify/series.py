"""Operations over many operands, from the rows of one node: dot, sum, mean and cross-entropy.

Their formulas are shortened with `...` when they are long, so value and formula are made again from the operands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from micrograd_lite.verify.network import cross_entropy
from micrograd_lite.verify.record import Row

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
    found = [place for place, row in enumerate(rows) if row["partial_formula"].endswith("- 1.0")]
    return found[0] if found else 0


def cross_entropy_slopes(rows: Sequence[Row]) -> list[float]:
    """The softmax of each logit, less 1 at the right one."""
    share = softmax([row["parent_value"] for row in rows])
    return [share(row["parent_value"]) - (1.0 if place == label(rows) else 0.0) for place, row in enumerate(rows)]


def shortened(terms: list[str]) -> str:
    """All terms, or of a long sum the first two and the last."""
    return " + ".join(terms if len(terms) <= SHOWN else [*terms[:2], "...", terms[-1]])


def dot_formula(rows: Sequence[Row]) -> str:
    """The formula of a dot: the bias is a term beside the products, of which the middle ones may be left out."""
    bias, pairs = products(rows)
    terms = shortened([f"{w['parent']!r} * {x['parent']!r}" for w, x in pairs])
    return " + ".join([*(repr(row["parent"]) for row in bias), *([terms] if terms else [])])


def _names(rows: Sequence[Row], form: str = "{!r}") -> str:
    return shortened([form.format(row["parent"]) for row in rows])


SERIES = {
    "dot": Series(dot, dot_formula, dot_slopes),
    "sum": Series(added, _names, lambda rows: [1.0] * len(rows)),
    "mean": Series(
        lambda rows: added(rows) / len(rows),
        lambda rows: f"({_names(rows)}) / {float(len(rows))!r}",
        lambda rows: [1.0 / len(rows)] * len(rows),
    ),
    "cross_entropy": Series(
        lambda rows: cross_entropy([row["parent_value"] for row in rows], label(rows)),
        lambda rows: f"log({_names(rows, 'exp({!r})')}) - {rows[label(rows)]['parent']!r}",
        cross_entropy_slopes,
    ),
}
"""By the name of the operation."""
