"""Reference mathematics for a row of the table that nobody wrote a reference for: its value's text, worked out step by step.

The text is parsed and each step of it is done on whatever numbers the caller brings: dual numbers, from which a slope
comes out that the row's own partial is held against, or complex numbers. Nothing is executed, and of the row only the
value is believed; what a partial says counts for the size of its rounding errors alone.
"""

import ast
import math
import operator
from functools import lru_cache

STEPS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
COMPARISONS = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
CONSTANTS = {"inf": math.inf, "nan": math.nan}


@lru_cache
def parsed(formula):
    """A formula of the table as a tree."""
    return ast.parse(formula, mode="eval").body


def worked_out(formula, numbers, operation, plain):
    """What a formula comes to for these numbers of any kind.

    operation: from a rule's or function's name to a function of such numbers (and of floats, where the text has some);
    plain: from a number to the real number that comparisons look at.
    """

    def at(tree):
        if isinstance(tree, ast.Constant):
            return float(tree.value)
        if isinstance(tree, ast.Name):
            return numbers[tree.id] if tree.id in numbers else CONSTANTS[tree.id]
        if isinstance(tree, ast.UnaryOp):
            return operation("neg")(at(tree.operand))
        if isinstance(tree, ast.BinOp) and type(tree.op) in STEPS:
            return operation(STEPS[type(tree.op)])(at(tree.left), at(tree.right))
        if isinstance(tree, ast.Call):
            return operation(tree.func.id)(*map(at, tree.args))
        assert isinstance(tree, ast.IfExp), f"a choice that this page does not know: {ast.unparse(tree)}"
        return at(tree.body if true(tree.test) else tree.orelse)

    def true(tree):
        if isinstance(tree, ast.Compare):
            (compare,), (right,) = tree.ops, tree.comparators
            return COMPARISONS[type(compare)](plain(at(tree.left)), plain(at(right)))
        if isinstance(tree, ast.BoolOp):
            return (all if isinstance(tree.op, ast.And) else any)(map(true, tree.values))
        if isinstance(tree, ast.BinOp):
            return (operator.and_ if isinstance(tree.op, ast.BitAnd) else operator.or_)(true(tree.left), true(tree.right))
        return bool(plain(at(tree)))

    return at(parsed(formula))


def calls(formula):
    """The functions that a formula calls."""
    return {part.func.id for part in ast.walk(parsed(formula)) if isinstance(part, ast.Call)}


def terms(formula, numbers, number, function):
    """The formula with every minus between terms made a plus of their sizes: what its rounding errors are proportional to.

    numbers: plain ones, by letter; number: makes one of a float; function: from a name to a function of such numbers.
    """
    arithmetic = {
        "add": lambda x, y: (x[0] + y[0], x[1] + y[1]),
        "sub": lambda x, y: (x[0] - y[0], x[1] + y[1]),
        "mul": lambda x, y: (x[0] * y[0], x[1] * y[1]),
        "div": lambda x, y: (x[0] / y[0], x[1] / abs(y[0])),
        "neg": lambda x: (-x[0], x[1]),
    }

    def sized(x):
        x = x if isinstance(x, tuple) else number(x)
        return x if isinstance(x, tuple) else (x, abs(x))

    def operation(name):
        if name in arithmetic:
            return lambda *operands: arithmetic[name](*map(sized, operands))
        return lambda *operands: sized(function(name)(*(sized(x)[0] for x in operands)))

    return sized(worked_out(formula, numbers, operation, lambda x: sized(x)[0]))[1]
