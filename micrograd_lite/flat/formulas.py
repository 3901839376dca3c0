"""Formulas: how C spells an expression of the flat program.

Both languages mean the same by + - * / and by every comparison; they differ in signs, in how strongly these bind, and in the
names of functions. Python's own parser reads the formula, so that C gets parentheses where it needs them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

SAME = ("exp", "log", "sqrt", "sin", "cos", "tanh", "expm1", "log1p")
FUNCTIONS = {**{name: name for name in SAME}, "abs": "fabs", "pow": "power"}
"""What Python's text calls, and what C calls instead."""

OPERATORS: dict[type[ast.AST], tuple[str, int]] = {  # what C writes, and how strongly it binds
    ast.Or: ("||", 1), ast.BitOr: ("||", 1), ast.And: ("&&", 2), ast.BitAnd: ("&&", 2), ast.Eq: ("==", 3), ast.NotEq: ("!=", 3),
    ast.Lt: ("<", 3), ast.LtE: ("<=", 3), ast.Gt: (">", 3), ast.GtE: (">=", 3), ast.Add: ("+", 4), ast.Sub: ("-", 4),
    ast.Mult: ("*", 5), ast.Div: ("/", 5), ast.USub: ("-", 6), ast.Not: ("!", 6),
}  # fmt: skip


def formula(tree: ast.expr, number: Callable[[str], str], above: int = 0) -> str:
    """An expression in C, in parentheses where it binds weaker than what is above it.

    number: what the number of a Python name is called in C; it is asked in the order in which C reads them. ValueError for
    what no flat program has.
    """
    match tree:
        case ast.Name(id=name):
            return number(name)
        case ast.Constant(value=float() | int() as constant):
            return repr(float(constant))
        case ast.Call(func=ast.Name(id=name), args=operands) if name in FUNCTIONS:
            return f"{FUNCTIONS[name]}({', '.join(formula(operand, number) for operand in operands)})"
        case ast.BinOp(left=left, op=ast.Mod(), right=right):
            return f"modulo({formula(left, number)}, {formula(right, number)})"
        case ast.BinOp(left=left, op=op, right=right):
            sign, binds = OPERATORS[type(op)]
            text = f"{formula(left, number, binds)} {sign} {formula(right, number, binds + 1)}"
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            sign, binds = OPERATORS[type(op)]
            text = f"{formula(left, number, binds + 1)} {sign} {formula(right, number, binds + 1)}"
        case ast.BoolOp(op=op, values=values):
            sign, binds = OPERATORS[type(op)]
            text = f" {sign} ".join(formula(value, number, binds + 1) for value in values)
        case ast.UnaryOp(op=op, operand=operand):
            sign, binds = OPERATORS[type(op)]
            text = f"{sign}{formula(operand, number, binds + 1)}"
        case ast.IfExp(test=test, body=body, orelse=orelse):
            asked, binds = formula(test, number, 1), 0
            text = f"{asked} ? {formula(body, number, 1)} : {formula(orelse, number)}"
        case _:
            raise ValueError(f"C has no spelling for {ast.unparse(tree)[:80]}")
    return f"({text})" if binds < above else text
