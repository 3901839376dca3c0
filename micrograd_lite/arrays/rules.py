"""The derivative table spelled for arrays: the same rows, each element deciding for itself.

A choice (`a if test else b`) becomes `where(test, a, b)`, a written number takes the dtype of the arrays, and the domain is
checked for all elements at once. Nothing else about a row changes, so a derivative is still written down once.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from micrograd_lite.rules import RULES, Rule, compile_rule, outside_domain


class _ArraySpelling(ast.NodeTransformer):
    """A choice becomes `where`, `and` becomes `&`, `or` becomes `|`: each element decides for itself.

    Numbers written in a formula take the dtype of the arrays: 0.5 would make float64 of float32.
    """

    def visit_Constant(self, number: ast.Constant) -> ast.AST:
        return ast.Call(ast.Name("number"), [number], []) if isinstance(number.value, float) else number

    def visit_IfExp(self, choice: ast.IfExp) -> ast.AST:
        self.generic_visit(choice)
        return ast.Call(ast.Name("where"), [choice.test, choice.body, choice.orelse], [])

    def visit_BoolOp(self, choice: ast.BoolOp) -> ast.AST:
        self.generic_visit(choice)
        joined = choice.values[0]
        for value in choice.values[1:]:
            joined = ast.BinOp(joined, ast.BitAnd() if isinstance(choice.op, ast.And) else ast.BitOr(), value)
        return joined


def array_spelling(formula: str) -> str:
    """A formula of the table as NumPy evaluates it, element by element."""
    return ast.unparse(_ArraySpelling().visit(ast.parse(formula, mode="eval")))


def array_guard(rule: Rule) -> str:
    """Outside the domain: the first element that is no NaN is an error; NaN in, NaN out."""
    operands = ", ".join(rule.inputs)
    return f"    [{operands}] = require({array_spelling(rule.needs)}, {rule.name!r}, {operands})\n"


def require(fits: Any, name: str, *operands: Any) -> Any:
    """The operands. Raises what scalar.py raises, for the first element outside the domain of rule `name`.

    NaN may pass; all operands are NaN there, so that value and slopes are, as in scalar.py.
    """
    if np.all(fits):
        return operands
    fits, *points = np.broadcast_arrays(fits, *operands)
    outside = ~fits & ~np.any([np.isnan(operand) for operand in points], axis=0)
    if outside.any():
        first = tuple(np.argwhere(outside)[0])
        raise outside_domain(name, *(float(operand[first]) for operand in points))
    return [np.where(fits, operand, operand.dtype.type(np.nan)) for operand in points]


def where(test: Any, x: Any, y: Any) -> Any:
    """x where the test is true, else y, by multiplying their bits with 1 and 0: exact, also for inf and NaN.

    np.where does the same, but its branches cost 100 us on 128 x 256 random signs, and this takes 15.
    """
    test, x, y = np.asarray(test, dtype=bool), np.asarray(x), np.asarray(y)
    bits = np.int32 if y.dtype == np.float32 else np.int64
    chosen = y.view(bits) * ~test
    if x.ndim or x.view(bits):  # not `or x`: -0.0 is false, but its bits are not 0
        chosen = chosen + x.view(bits) * test
    return chosen.view(y.dtype)


def _pow(x: Any, y: Any) -> Any:
    z = np.power(x, y)  # not x**y, which takes the square root for y = 0.5, and that of -0.0 is -0.0
    if np.any(y < 0):
        z = np.where((x == 0) & (y < 0), np.abs(z), z)  # met only as a slope: inf, whatever the sign of 0
    return np.where(np.isnan(y), y, z)  # C says 1 ** nan is 1; here NaN in is NaN out


ARRAY: dict[str, Any] = {
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "expm1", "log1p")},
    **{"pow": _pow, "where": where, "require": require, "numbers": "arrays"},
}
"""The namespace in which the rows mean arithmetic on arrays, element by element."""

APPLY = {
    np.dtype(number): {
        name: compile_rule(rule, {**ARRAY, "number": number, "inf": number(np.inf)}, array_spelling, array_guard)
        for name, rule in RULES.items()
    }
    for number in (np.float32, np.float64)
}
"""For each dtype, each rule row as a function of arrays that returns `(value, partials)`."""
