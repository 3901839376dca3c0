"""Spelling: a row of the derivative table as text, in the names of one program.

The row stays the only place where a derivative is written. It is parsed, its letters become operands, and what is
constant is worked out where that cannot change a bit: 1.0 * s is s, -1.0 * s is -s, `n - 1.0` with n = 3.0 is 2.0, a
choice whose condition is known is its branch. 0.0 * s stays (it is NaN when s is infinite) and so does x + 0.0 (which
turns -0.0 into 0.0). Rounding of `+ - * /` is IEEE's, so it does not matter when they are worked out.
"""

from __future__ import annotations

import ast
import math
import re
from functools import lru_cache
from typing import Any, NamedTuple

from micrograd_lite.rules import MANY, RULES, SCALAR

UPSTREAM = "u"
"""The letter for the slope that arrives from above: no operand of a row has it."""


class Spelling(NamedTuple):
    """Templates for `str.format`: {x}, {y} ... stand for the operands, {z} for the result, {u} for upstream."""

    value: str
    slopes: tuple[str, ...]
    shares: tuple[str, ...]  # slope * {u}: what the operand is paid
    guard: str  # the domain; "" where every number is inside


@lru_cache(maxsize=4096)
def spelled(name: str, constants: tuple[tuple[str, str], ...] = ()) -> Spelling:
    """Rule `name` with some operands known: (letter, number as text), in the text because 0.0 == -0.0."""
    rule, known = RULES[name], dict(constants)
    slopes = [_parsed(partial, known) for partial in rule.partials]
    guard = _parsed(rule.needs or "True", known)
    always = isinstance(guard, ast.Constant) and guard.value is True
    made = Spelling(
        _template(_parsed(rule.value, known)),
        tuple(map(_template, slopes)),
        tuple(_template(share(slope)) for slope in slopes),
        "" if always else _template(guard),
    )
    return made._replace(guard="") if guard and _keeps_out_nan_alone(guard, made) else made


def share(slope: ast.expr, upstream: str = f"_{UPSTREAM}_") -> ast.expr:
    """slope * upstream, moved into the branches of a choice so that `1.0 * upstream` can be seen to be upstream."""
    if isinstance(slope, ast.IfExp):
        return ast.IfExp(slope.test, share(slope.body, upstream), share(slope.orelse, upstream))
    return _product(slope, ast.Name(upstream))


def series(name: str, count: int) -> tuple[str, str, str]:
    """Before, term and after of a row over many operands: `b + `, `w{i} * x{i}`, ``; its formula shows terms 0 and 1."""
    found = re.fullmatch(r"(.*?)([a-z]0(?: \* [a-z]0)?) \+ [^+]* \+ \.\.\.(.*)", MANY[name].value)
    if found is None:
        raise ValueError(f"the row of {name} is no series that can be written out: {MANY[name].value!r}")
    before, term, after = found.groups()
    return before, re.sub(r"([a-z])0", r"{\1}", term), re.sub(r"\bn\b", repr(float(count)), after)


def many_slope(name: str, group: str, count: int) -> str:
    """What the row says the slope toward one operand of a group is, times upstream, as a template."""
    rule = MANY[name]
    return _template(share(_parsed(rule.partials[rule.inputs.index(group)], {"n": repr(float(count))}, rule.inputs)))


def _parsed(formula: str, known: dict[str, str], letters: Any = "xyzna") -> ast.expr:
    folded: ast.expr = _Fold(known, letters).visit(ast.parse(formula, mode="eval").body)
    return folded


def _template(tree: ast.expr) -> str:
    return re.sub(r"\b_([a-z])_\b", r"{\1}", ast.unparse(ast.fix_missing_locations(tree)))


class _Fold(ast.NodeTransformer):
    """Puts in what is known, marks the other operands as _x_, and works out what is constant."""

    def __init__(self, known: dict[str, str], letters: Any) -> None:
        self.known, self.letters = known, letters

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        # `x <= 0.0` says the same as `x <= 0`, and Python compares two floats in a third of the time
        return ast.Constant(float(node.value)) if type(node.value) is int else node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.known:
            return ast.parse(self.known[node.id], mode="eval").body
        return ast.Name(f"_{node.id}_") if node.id in self.letters else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant) or _number(node.test) is not None:
            return node.body if _number(node.test) else node.orelse
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        decides = isinstance(node.op, ast.Or)  # `or` is decided by a True in it, `and` by a False
        values = [part for part in node.values if _truth(part) is not (not decides)]
        if not values or any(_truth(part) is decides for part in values):
            return ast.Constant(decides if values else not decides)
        return ast.BoolOp(node.op, values) if len(values) > 1 else values[0]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return _product(node.left, node.right) if isinstance(node.op, ast.Mult) else _worked_out(node)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        return _worked_out(node)


def _product(left: ast.expr, right: ast.expr) -> ast.expr:
    for one, other in ((left, right), (right, left)):
        if _number(one) == 1.0:
            return other
        if _number(one) == -1.0 and _number(other) is None:
            return ast.UnaryOp(ast.USub(), other)
    return _worked_out(ast.BinOp(left, ast.Mult(), right))


def _worked_out(node: Any) -> ast.expr:
    """The node itself, or the number that it is when all its parts are numbers."""
    parts = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.left, *node.comparators]
    if None in map(_number, parts):
        return node  # type: ignore[no-any-return]
    try:
        found = _evaluated(ast.unparse(node), {})
    except ArithmeticError:
        return node  # type: ignore[no-any-return]  # the guard speaks before this is reached
    return ast.Constant(found) if isinstance(found, bool) else ast.parse(repr(float(found)), mode="eval").body


def _number(node: ast.expr) -> float | None:
    """The number that a piece of formula is, with its sign; None for anything that is not known."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        below = _number(node.operand)
        return None if below is None else -below
    if isinstance(node, ast.Name):
        return {"inf": math.inf, "nan": math.nan}.get(node.id)
    return float(node.value) if isinstance(node, ast.Constant) else None  # type: ignore[arg-type]


def _truth(node: ast.expr) -> bool | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, bool) else None


def _keeps_out_nan_alone(guard: ast.expr, made: Spelling) -> bool:
    """Is the guard needless: does it let every number of x in, and do the formulas give NaN for NaN by themselves?

    A guard that only compares x with 0 treats all numbers of one sign alike, so three points tell.
    """
    comparisons = [node for node in ast.walk(guard) if isinstance(node, ast.Compare)]
    for node in comparisons:
        if ast.unparse(node.left) != "_x_" or any(_number(part) != 0.0 for part in node.comparators):
            return False
    if not comparisons or not all(_evaluated(made.guard.format(x="x"), {"x": x}) for x in (-1.0, 0.0, 1.0)):
        return False
    here = {"x": math.nan, "z": math.nan}
    results = [_evaluated(text.format(x="x", z="z"), here) for text in (made.value, *made.slopes)]
    return all(result != result for result in results)


def _evaluated(formula: str, names: dict[str, float]) -> Any:
    """A formula of the table at a point. Its text is the table's own with numbers in it, never a user's."""
    return eval(compile(formula, "<a row of the table>", "eval"), dict(SCALAR), names)
