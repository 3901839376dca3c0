"""Spelling: a row of the derivative table as text, in the names of one program.

The row stays the only place where a derivative is written. It is parsed, its letters become operands, and what is
constant is worked out where that cannot change a bit: 1.0 * s is s, -1.0 * s is -s, `n - 1.0` with n = 3.0 is 2.0, a
choice whose condition is known is its branch. 0.0 * s stays (it is NaN when s is infinite) and so does x + 0.0 (which
turns -0.0 into 0.0). Rounding of `+ - * /` is IEEE's, so it does not matter when they are worked out.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from micrograd_lite.rules import MANY, RULES, SCALAR

UPSTREAM = "u"
"""The letter for the slope that arrives from above: no operand of a row has it."""


class Spelling(NamedTuple):
    """Templates for `str.format`: {x}, {y} ... stand for the operands, {z} for the result, {u} for upstream."""

    value: str
    slopes: tuple[str, ...]
    shares: tuple[str, ...]  # slope * {u}: what is added to the operand's gradient
    guard: str  # the domain; "" where every number is inside
    flat: str  # where the row's one slope is 0.0, if it is a choice that begins with 0.0; "" for any other row


@lru_cache(maxsize=4096)
def spelled(name: str, constants: tuple[tuple[str, str], ...] = ()) -> Spelling:
    """Rule `name` with some operands known: (letter, number as text), in the text because 0.0 == -0.0."""
    rule, known = RULES[name], {letter: parsed(number) for letter, number in constants}
    slopes = [worked_out(parsed(partial), known) for partial in rule.partials]
    guard = worked_out(parsed(rule.needs or "True"), known)
    made = Spelling(
        ast.unparse(worked_out(parsed(rule.value), known)),
        tuple(map(ast.unparse, slopes)),
        tuple(ast.unparse(share(slope)) for slope in slopes),
        "" if _number(guard) == 1.0 else ast.unparse(guard),
        _flat(slopes),
    )
    return made._replace(guard="") if made.guard and _keeps_out_nan_alone(guard, made) else made


def share(slope: ast.expr) -> ast.expr:
    """slope * upstream, moved into the branches of a choice so that `1.0 * upstream` can be seen to be upstream."""
    if isinstance(slope, ast.IfExp):
        return ast.IfExp(slope.test, share(slope.body), share(slope.orelse))
    return _joined(slope, ast.Mult(), ast.Name(f"{{{UPSTREAM}}}"))


def _flat(slopes: list[ast.expr]) -> str:
    """Where the slope is 0.0: the condition of a choice that begins with 0.0. Of one operand only: there nothing flows back."""
    if len(slopes) == 1 and isinstance(slopes[0], ast.IfExp) and _number(slopes[0].body) == 0.0:
        return ast.unparse(slopes[0].test)
    return ""


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
    partial = parsed(rule.partials[rule.inputs.index(group)])
    return ast.unparse(share(worked_out(partial, {"n": parsed(repr(float(count)))}, rule.inputs)))


def parsed(formula: str) -> ast.expr:
    """A formula of the table, parsed."""
    return ast.parse(formula, mode="eval").body


SIGNS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Mod: operator.mod,
    ast.BitAnd: lambda one, other: bool(one and other), ast.BitOr: lambda one, other: bool(one or other),
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def worked_out(tree: ast.expr, known: dict[str, ast.expr], letters: Iterable[str] = "xyzna") -> ast.expr:
    """A formula with what is known put in, its other operands marked as {x}, and all that is constant worked out."""

    def within(part: ast.expr) -> ast.expr:
        return worked_out(part, known, letters)

    match tree:
        case ast.Name(id=letter):
            return known[letter] if letter in known else ast.Name(f"{{{letter}}}") if letter in letters else tree
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return ast.Constant(float(number))  # `x <= 0.0` says what `x <= 0` says, and Python compares two floats 3x faster
        case ast.UnaryOp(op=sign, operand=part):
            return ast.UnaryOp(sign, within(part))
        case ast.Call(func=function, args=parts):
            return ast.Call(function, [within(part) for part in parts], [])
        case ast.IfExp(test=test, body=body, orelse=orelse):
            test = within(test)
            if _number(test) is None:
                return ast.IfExp(test, within(body), within(orelse))
            return within(body) if _number(test) else within(orelse)
        case ast.BoolOp(op=word, values=parts):
            decides = isinstance(word, ast.Or)  # `or` is decided by a True in it, `and` by a False; the others say nothing
            open_parts = [part for part in map(within, parts) if not _is(part, not decides)]
            if any(_is(part, decides) for part in open_parts):
                return ast.Constant(decides)
            return ast.BoolOp(word, open_parts) if len(open_parts) > 1 else [*open_parts, ast.Constant(not decides)][0]
        case ast.BinOp(left=left, op=sign, right=right) | ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _joined(within(left), sign, within(right))
        case ast.Constant():
            return tree
    raise ValueError(f"{ast.unparse(tree)!r} cannot be spelled out: write it with the signs and choices of the other rows")


def _joined(left: ast.expr, sign: Any, right: ast.expr) -> ast.expr:
    """`left sign right`: where both are numbers the number that it is, and 1.0 * s is s, -1.0 * s is -s."""
    one, other = _number(left), _number(right)
    if isinstance(sign, ast.Mult) and 1.0 in (one, other):
        return right if one == 1.0 else left
    if isinstance(sign, ast.Mult) and (one, other) in ((-1.0, None), (None, -1.0)):
        return ast.UnaryOp(ast.USub(), left if one is None else right)
    if one is not None and other is not None:
        try:
            found = SIGNS[type(sign)](one, other)
        except ArithmeticError:
            pass  # the guard speaks before this is reached
        else:
            return ast.Constant(found) if isinstance(found, bool) else parsed(repr(float(found)))
    return ast.Compare(left, [sign], [right]) if isinstance(sign, ast.cmpop) else ast.BinOp(left, sign, right)


def _number(tree: ast.expr) -> float | None:
    """The number that a piece of formula is, with its sign; None for anything that is not known."""
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        below = _number(tree.operand)
        return None if below is None else -below
    if isinstance(tree, ast.Name):
        return {"inf": math.inf, "nan": math.nan}.get(tree.id)
    return float(tree.value) if isinstance(tree, ast.Constant) else None  # type: ignore[arg-type]


def _is(tree: ast.expr, truth: bool) -> bool:
    """Is a piece of formula known to be True, or known to be False?"""
    return isinstance(tree, ast.Constant) and tree.value is truth


def _keeps_out_nan_alone(guard: ast.expr, made: Spelling) -> bool:
    """Is the guard needless: does it let every number of x in, and do the formulas give NaN for NaN by themselves?

    A guard that only compares x with 0 treats all numbers of one sign alike, so three points tell.
    """
    comparisons = [node for node in ast.walk(guard) if isinstance(node, ast.Compare)]
    for node in comparisons:
        if ast.unparse(node.left) != "{x}" or any(_number(part) != 0.0 for part in node.comparators):
            return False
    if not comparisons or not all(_evaluated(made.guard.format(x="x"), {"x": x}) for x in (-1.0, 0.0, 1.0)):
        return False
    here = {"x": math.nan, "z": math.nan}
    results = [_evaluated(text.format(x="x", z="z"), here) for text in (made.value, *made.slopes)]
    return all(result != result for result in results)


def _evaluated(formula: str, names: dict[str, float]) -> Any:
    """A formula of the table at a point. Its text is the table's own with numbers in it, never a user's."""
    return eval(compile(formula, "<a row of the table>", "eval"), dict(SCALAR), names)
