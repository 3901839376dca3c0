"""Ranges: the least and the greatest that a formula can come to when its numbers are known to a few digits only.

    >>> reach(read_rule("c1 * (1 - c2)"), {"c1": (0.5, 0.5), "c2": (0.1, 0.2)})
    (0.4, 0.45)

Somebody with a pencil goes on with rounded numbers, so what is right is a range. A formula of a sheet names numbers by
their cells, `c1`, `c2`; it is read, never run: signs, choices and the functions of the derivative table alone are known.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from micrograd_lite.chain.formulas import functions

Range = tuple[float, float]
ANYWHERE = (-math.inf, math.inf)
LONGEST, MOST_PARTS = 2_000, 300
"""Letters of a formula, and the parts of its tree."""
RISING = ("exp", "log", "sqrt", "tanh", "sigmoid", "softplus", "relu", "leaky_relu", "elu")
"""Functions whose range is that between their ends."""
WAVES = {"sin": 0.5, "cos": 0.0}
"""Functions that go up and down: where the first top is, in units of pi; every other one is a bottom."""
SIGNS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.Gt, ast.LtE, ast.Load)


def read_rule(text: str) -> ast.expr:
    """A formula of cells as a tree. ValueError for anything that a sheet does not compute."""
    try:
        tree = ast.parse(text if len(text) <= LONGEST else "", mode="eval").body
        parts = list(ast.walk(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text[:60]!r} is no formula of a sheet") from error
    outside = {id(part.func) for part in parts if isinstance(part, ast.Call)}
    outside |= {id(part.test) for part in parts if isinstance(part, ast.IfExp)}
    for part in parts:
        known = isinstance(part, (ast.Name, ast.Compare)) if id(part) in outside else _is_known(part)
        if len(parts) > MOST_PARTS or not known:
            raise ValueError(f"{text[:60]!r} is no formula of a sheet: it has a {type(part).__name__} that is not known there")
    return tree


def _is_known(part: ast.AST) -> bool:
    """Is this part of a tree, which is no function's name and no condition, one of a sheet's formulas?"""
    match part:
        case ast.Constant(value=number):
            return isinstance(number, (int, float)) and not isinstance(number, bool) and abs(number) < 1e300
        case ast.Name(id=name):
            return is_cell(name)
        case ast.Call(func=ast.Name(id=name), args=given, keywords=[]):
            return len(given) == 1 if name in (*RISING, *WAVES) else name == "prelu" and len(given) == 2
        case ast.IfExp(test=ast.Compare(ops=[_])):
            return True
    return isinstance(part, (*SIGNS, ast.BinOp, ast.UnaryOp))


def is_cell(name: str) -> bool:
    """Is it the name of a cell, such as c12?"""
    return re.fullmatch(r"c[1-9][0-9]{0,4}", name) is not None


def cells_of(tree: ast.AST) -> list[str]:
    """The cells that a formula names, in the order in which it reads."""
    return list(dict.fromkeys(re.findall(r"\bc[1-9][0-9]*\b", ast.unparse(tree))))


def reach(tree: ast.expr, ranges: Mapping[str, Range]) -> Range:
    """Between which numbers the formula lies, for cells in these ranges; everywhere where it has a pole there."""
    try:
        low, high = _reach(tree, ranges)
    except (ArithmeticError, ValueError):
        return ANYWHERE
    return (low, high) if low <= high else ANYWHERE  # NaN


def _reach(tree: ast.expr, ranges: Mapping[str, Range]) -> Range:
    match tree:
        case ast.Constant(value=int() | float() as number):
            return float(number), float(number)
        case ast.Name(id=cell):
            return ranges[cell]
        case ast.UnaryOp(operand=part):
            low, high = _reach(part, ranges)
            return -high, -low
        case ast.BinOp(left=left, op=sign, right=right):
            return _joined(sign, _reach(left, ranges), _reach(right, ranges))
        case ast.IfExp(test=ast.Compare(left=left, ops=[sign], comparators=[right]), body=body, orelse=orelse):
            low, high = _joined(ast.Sub(), _reach(left, ranges), _reach(right, ranges))
            ends = [end > 0 if isinstance(sign, ast.Gt) else end <= 0 for end in (low, high)]
            return around(_reach(body if true else orelse, ranges) for true in ends)
        case ast.Call(func=ast.Name(id=name), args=parts):
            return _called(name, [_reach(part, ranges) for part in parts])
    raise ValueError(f"{ast.unparse(tree)} is no number")


def _joined(sign: ast.operator, one: Range, other: Range) -> Range:
    if isinstance(sign, ast.Div) and other[0] <= 0.0 <= other[1]:
        return ANYWHERE
    if isinstance(sign, ast.Pow) and one[0] <= 0.0 <= one[1]:
        if other != (2.0, 2.0):
            return ANYWHERE
        return 0.0, max(one[0] * one[0], one[1] * one[1])
    compute = _SIGNS[type(sign)]
    return around((end, end) for end in (compute(a, b) for a in one for b in other))


_SIGNS: dict[type[ast.operator], Callable[[float, float], Any]] = {
    ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b, ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}  # fmt: skip


def _called(name: str, ends: list[Range]) -> Range:
    function = functions()[name]
    (low, high), *slopes = ends
    if name == "prelu":
        corners = [function(x, a) for x in (low, high) for a in slopes[0]] + ([0.0] if low < 0.0 < high else [])
        return around((value, value) for value in corners)
    made = [function(low), function(high)]
    if name in WAVES:
        top = WAVES[name] * math.pi
        first, last = math.ceil((low - top) / math.pi), math.floor((high - top) / math.pi)
        made += [] if last < first else [1.0 if first % 2 == 0 else -1.0] + ([] if last == first else [1.0, -1.0])
    return around((value, value) for value in made)


def around(ranges: Iterable[Range]) -> Range:
    """The range from the least to the greatest of these; everywhere where one is not a number."""
    ends = list(ranges)
    if any(low != low or high != high for low, high in ends):
        return ANYWHERE
    return min(low for low, _ in ends), max(high for _, high in ends)
