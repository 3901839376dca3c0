"""Formulas: the text in a cell, read and worked out. Only arithmetic is understood; nothing is ever executed.

A formula is parsed and walked: numbers, names of nodes, + - * / **, comparisons, a choice, and the functions below, where
what overflows is inf, what has no value is NaN, and nothing raises. Anything else in it is an error that names it.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple


def total(function: Callable[..., float]) -> Callable[..., float]:
    """A function of the math module that gives NaN where it would raise."""

    def everywhere(*numbers: float) -> float:
        try:
            return function(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            return math.nan

    return everywhere


def exp(x: float) -> float:
    """e to the x; inf when that is too large for a float."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def power(x: float, y: float) -> float:
    """x to the y; inf with its sign when that is too large, inf for 0 to a negative power, NaN for NaN."""
    try:
        return math.pow(x, y) if y == y else y
    except OverflowError:
        return -math.inf if x < 0.0 and y % 2.0 == 1.0 else math.inf
    except ValueError:
        return math.inf if x == 0.0 else math.nan


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    return 1.0 / (1.0 + exp(-x)) if x >= 0.0 else exp(x) / (1.0 + exp(x))


def softplus(x: float) -> float:
    """log(1 + exp(x)), without overflow."""
    return x + math.log1p(exp(-x)) if x >= 0.0 else math.log1p(exp(x))


EXACT: dict[str, Callable[..., float]] = {
    "sqrt": total(math.sqrt),
    "abs": abs,
    "relu": lambda x: 0.0 if x <= 0.0 else x,
    "leaky_relu": lambda x: x if x > 0.0 else 0.01 * x,
    "prelu": lambda x, slope: x if x > 0.0 else slope * x,
    "maximum": lambda x, y: x if x > y or x != x else y,
    "minimum": lambda x, y: x if x < y or x != x else y,
}
"""Rounded alike on every machine; NaN in is NaN out."""

LIBRARY: dict[str, Callable[..., float]] = {
    **{name: total(getattr(math, name)) for name in (
        "log", "log1p", "expm1", "sin", "cos", "tan", "tanh", "sinh", "cosh", "asin", "acos", "atan", "atan2", "asinh",
        "acosh", "atanh", "erf", "erfc", "gamma", "lgamma", "log2", "log10", "hypot",
    )},
    "exp": exp,
    "pow": power,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "elu": lambda x: x if x > 0.0 else math.expm1(x),
}  # fmt: skip
"""The last digits depend on the system. Rows of the table use some; the others are there for rows to come."""

FUNCTIONS: dict[str, Any] = {**EXACT, **LIBRARY}
"""Every function that a formula may name and that one row can work out."""
MANY = ("softmax", "mean")
"""Those that ask for all rows of their node (edges.py)."""

DEEPEST = 100
"""How deep a formula may be nested: rows of the table need ten."""

CONSTANTS = {"inf": math.inf, "nan": math.nan}
OPERATIONS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: power,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.USub: operator.neg, ast.UAdd: operator.pos,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip


class Formula(NamedTuple):
    """A formula that has been read; every name of a node in its tree is a string."""

    tree: Any
    names: frozenset[str]
    rounded: bool  # does a function of the system's library take part?

    def __call__(self, numbers: Mapping[str, float], functions: Mapping[str, Any] = FUNCTIONS) -> float:
        """Its value where nodes have these numbers; NaN where it has none. ValueError names what it asks in vain."""
        try:
            return float(_value(self.tree, numbers, functions))
        except ArithmeticError:
            return math.nan
        except (KeyError, TypeError) as error:
            what = f"{error.args[0]!a} is no operand of this row" if isinstance(error, KeyError) else f"{error}"
            raise ValueError(f"the formula {ast.unparse(self.tree)!a} has no value: {what}") from error


@lru_cache(maxsize=20_000)
def read(text: str) -> Formula:
    """A formula from its text. ValueError says why it is none."""
    try:
        tree: Any = ast.parse(text, mode="eval").body
        _check_depth(tree)
        tree = _Names().visit(tree)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text[:200]!a} is no formula: {error}") from error
    parts = list(ast.walk(tree))
    names = frozenset(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
    library = (isinstance(part, ast.Pow) or (isinstance(part, ast.Name) and part.id in LIBRARY) for part in parts)
    return Formula(tree, names, any(library))


def same_formula(one: str, other: str) -> bool:
    """Do two texts write the same formula, whatever their spaces, parentheses and quotes?"""
    return ast.dump(read(one).tree) == ast.dump(read(other).tree)


def _check_depth(tree: Any) -> None:
    level, depth = [tree], 0
    while level:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if depth > DEEPEST:
        raise ValueError(f"it is nested {depth} deep, and {DEEPEST} is the limit")


class _Names(ast.NodeTransformer):
    """Turns the names of nodes, dotted or in quotes, into strings, and numbers into floats; refuses all else."""

    def generic_visit(self, node: Any) -> Any:
        known = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.operator, ast.unaryop, ast.cmpop, ast.expr_context)
        sign = isinstance(node, (ast.operator, ast.unaryop, ast.cmpop))
        if not isinstance(node, known) or (sign and type(node) not in OPERATIONS):
            raise ValueError(f"{type(node).__name__} does not belong in one")
        return super().generic_visit(node)

    def visit_Call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name) or node.keywords or node.func.id not in (*FUNCTIONS, *MANY):
            raise ValueError(f"{ast.unparse(node.func)[:50]} is no known function")
        return ast.Call(node.func, [self.visit(operand) for operand in node.args], [])

    def visit_Name(self, node: ast.Name) -> Any:
        return node if node.id in CONSTANTS else ast.Constant(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        dotted = ast.unparse(node)
        if not all(word.isidentifier() for word in dotted.split(".")):
            raise ValueError(f"{dotted[:50]} is no name")
        return ast.Constant(dotted)

    def visit_Constant(self, node: ast.Constant) -> Any:
        if node.value is ... or isinstance(node.value, (str, bool)):
            return node
        if not isinstance(node.value, (int, float)):
            raise ValueError(f"{node.value!r:.50} is no number")
        return ast.Constant(float(node.value))


def _value(node: Any, numbers: Mapping[str, float], functions: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return numbers[node.value] if isinstance(node.value, str) else node.value
    if isinstance(node, ast.Name):
        return CONSTANTS[node.id]
    if isinstance(node, ast.IfExp):
        return _value(node.body if _value(node.test, numbers, functions) else node.orelse, numbers, functions)
    if isinstance(node, ast.Call):
        return functions[node.func.id](*(_value(operand, numbers, functions) for operand in node.args))  # type: ignore[attr-defined]
    if isinstance(node, ast.UnaryOp):
        return OPERATIONS[type(node.op)](_value(node.operand, numbers, functions))
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, numbers, functions), _value(node.right, numbers, functions)
        return OPERATIONS[type(node.op)](left, right)
    if len(node.ops) != 1:
        raise TypeError("a comparison has two sides")
    left, right = _value(node.left, numbers, functions), _value(node.comparators[0], numbers, functions)
    return OPERATIONS[type(node.ops[0])](left, right)
