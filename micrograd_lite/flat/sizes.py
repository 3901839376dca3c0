"""Sizes: how large the numbers of a program can get, so that it may know that none of them overflows.

Where relu is flat, 0.0 comes back times whatever arrives: 0.0, unless that is infinite or NaN. If no number of the program
can be, nothing has to be computed there, and half of the way back is saved. So: if every number that goes in is at most
MODERATE, is every value and every slope finite? Sizes go through the formulas of the table as |x + y| <= |x| + |y| and
|x * y| <= |x| * |y|, or are the bounds that a row gives; a formula of which neither says anything counts as infinite.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from micrograd_lite.rules import RULES, dot_terms

MODERATE = 2.0**20
HUGE = 2.0**1000


def stays_finite(order: Sequence[Any], variable: set[Any], moving: set[Any]) -> bool:
    """Are all values and all slopes finite when every leaf in `variable` is at most MODERATE? order: oldest first."""
    values: dict[Any, float] = {}
    slopes: dict[Any, tuple[float, ...]] = {}
    for node in order:
        sizes = [values[parent] for parent in node.parents]
        values[node], slopes[node] = _operation(node, sizes)
        if not node.parents:
            values[node] = MODERATE if node in variable else abs(float(node.data))
    arriving = {order[-1]: 1.0}
    for node in reversed(order):
        if node not in moving:
            continue
        for parent, slope in zip(node.parents, slopes[node]):
            if parent in moving:
                arriving[parent] = arriving.get(parent, 0.0) + slope * arriving[node]
    return all(size < HUGE for size in (*values.values(), *arriving.values()))


def _operation(node: Any, sizes: list[float]) -> tuple[float, tuple[float, ...]]:
    if not node.parents:
        return 0.0, ()
    if node.rule.name in RULES:
        return pointwise(node.rule.name, tuple(sizes))
    total = 0.0
    if node.rule.name == "cross_entropy":  # softmax less 1 at the label; the value is a difference of logits and log n
        return 2.0 * max(sizes[:-1]) + len(sizes), (1.0,) * (len(sizes) - 1)
    if node.rule.name != "dot":  # sum and mean
        for size in sizes:
            total += size
        return total, (1.0,) * len(sizes)
    slopes = [1.0] * len(sizes)  # the bias's; those of weights and inputs follow
    bias, pairs = dot_terms(range(len(sizes)))
    for w, x in pairs:
        total += sizes[w] * sizes[x]
        slopes[w], slopes[x] = sizes[x], sizes[w]
    return total + (0.0 if bias is None else sizes[bias]), tuple(slopes)


@lru_cache(maxsize=4096)
def pointwise(name: str, sizes: tuple[float, ...]) -> tuple[float, tuple[float, ...]]:
    """Bounds of the value and the slopes of rule `name`, from bounds of its operands."""
    rule = RULES[name]
    value, *slopes = rule.bounds or (rule.value, *rule.partials)
    known = dict(zip(rule.inputs, sizes))
    known["z"] = _size(ast.parse(value, mode="eval").body, known)
    return known["z"], tuple(_size(ast.parse(slope, mode="eval").body, known) for slope in slopes)


def _size(tree: ast.expr, known: dict[str, float]) -> float:
    """A bound of the absolute value of a formula; inf where none is known."""
    match tree:
        case ast.Constant(value=number):
            return abs(float(number))  # type: ignore[arg-type]
        case ast.Name(id=name):
            return known.get(name, math.inf)
        case ast.UnaryOp(operand=below):
            return _size(below, known)
        case ast.IfExp(body=one, orelse=other):
            return max(_size(one, known), _size(other, known))
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return _size(left, known) + _size(right, known)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _size(left, known) * _size(right, known)
        case ast.Call(func=ast.Name(id="abs"), args=[below]):
            return _size(below, known)
        case ast.Call(func=ast.Name(id="pow"), args=[base, ast.Name(id="n")]) if known["n"] >= 1.0:
            return _power(max(1.0, _size(base, known)), known["n"])
        case ast.Call(func=ast.Name(id="pow"), args=[base, ast.BinOp()]) if known.get("n", 0.0) >= 1.0:
            return _power(max(1.0, _size(base, known)), known["n"])
    return math.inf


def _power(base: float, exponent: float) -> float:
    return math.inf if exponent * math.log2(base) > 1000 else base**exponent
