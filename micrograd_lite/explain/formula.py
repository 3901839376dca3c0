"""A formula that somebody typed, such as `tanh(w*x + b)`, as a computation on Values; its text is never run.

Everything that could trouble Python's parser (size, nesting, odd characters, words of its own) is refused at the door
(`lines`), before the parser sees it. Of what the parser finds only numbers, names, + - * / **, the functions of the derivative
table and a few of a textbook's (`BOOK`) are let through; ^ is **. A formula may have several lines (`text_lines`).

    >>> formula = parse("tanh(w*x + b)")
    >>> formula.names
    ('w', 'x', 'b')
    >>> round(formula(Value(2.0), Value(0.5), Value(0.1)).data, 6)
    0.800499
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import NamedTuple

from micrograd_lite.explain.lines import DEPTH, check_text, cited, hint, text_lines
from micrograd_lite.graph import is_rank
from micrograd_lite.many import mean
from micrograd_lite.rules import RULES
from micrograd_lite.scalar import Value

OPERATORS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
FUNCTIONS = {name: rule for name, rule in RULES.items() if name not in (*OPERATORS.values(), "neg", "power")}
"""What a formula may call: the rows of the table that are not written with an operator."""

APPLY: dict[str, Callable[..., Value]] = {
    **{name: getattr(Value, name) for name in FUNCTIONS},
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "neg", "pow")},
    **{"div": operator.truediv, "power": operator.pow, "mean": lambda *values: mean(values)},
}

Operand = str | float | int
"""A name, a number, or the place of an earlier step."""
Apply = Callable[..., Operand]
"""What takes an operation's name and its operands and makes a step of them."""


def softmax(step: Apply, operands: Sequence[Operand]) -> Operand:
    """The share of the first operand: exp(x) / (exp(x) + exp(y) + ...)."""
    exponentials = [step("exp", operand) for operand in operands]
    return step("div", exponentials[0], reduce(partial(step, "add"), exponentials))


class Shorthand(NamedTuple):
    """What a book writes as one function, and the table has under another name or in parts."""

    operands: tuple[str, ...]  # as in the sentence about a wrong number of them; "..." is any number more
    steps: Callable[[Apply, Sequence[Operand]], Operand]


BOOK = {
    "ln": Shorthand(("x",), lambda step, operands: step("log", *operands)),
    "max": Shorthand(("x", "y", "..."), lambda step, operands: reduce(partial(step, "maximum"), operands)),
    "min": Shorthand(("x", "y", "..."), lambda step, operands: reduce(partial(step, "minimum"), operands)),
    "mean": Shorthand(("x", "..."), lambda step, operands: step("mean", *operands)),
    "softmax": Shorthand(("x", "y", "..."), softmax),
}
NUMBERS = {"pi": math.pi}


class Operation(NamedTuple):
    """One operation of a formula."""

    operation: str
    operands: tuple[Operand, ...]


class Expression(NamedTuple):
    """A formula taken apart. What is written twice is one step, used twice; each number is a leaf of its own."""

    text: str
    names: tuple[str, ...]  # of the inputs, in the order in which they are first written
    steps: tuple[Operation, ...]
    result: Operand
    given: Mapping[str, float]  # the inputs that a line of the formula gives a number, as in `a = 2`
    labels: Mapping[int, str]  # the names that lines give to steps, as in `d = a*b`

    def __call__(self, *values: Value) -> Value:
        """The root of the graph on these Values, in the order of `names`. Errors are those of the operations."""
        known = dict(zip(self.names, values))
        made: dict[int, Value] = {}
        for place, step in enumerate(self.steps):
            made[place] = applied(step, known, made)
            made[place].label = self.labels.get(place, "")
        return node(self.result, known, made)


def applied(step: Operation, known: Mapping[str, Value], made: Mapping[int, Value]) -> Value:
    """The node of one step."""
    if step.operation == "power":  # its exponent stays a plain number: there is no slope toward it
        return APPLY["power"](node(step.operands[0], known, made), step.operands[1])
    return APPLY[step.operation](*(node(operand, known, made) for operand in step.operands))


def node(operand: Operand, known: Mapping[str, Value], made: Mapping[int, Value]) -> Value:
    """The node that an operand stands for."""
    if isinstance(operand, str):
        return known[operand]
    return made[operand] if isinstance(operand, int) else Value(operand)


def parse(text: str) -> Expression:
    """The formula in `text`. ValueError says in one sentence what is in it that no formula has.

    ZeroDivisionError or ValueError also when numbers alone leave an operation's domain or overflow, as in 9**9**9.
    """
    lines, reading, nodes = text_lines(text), Reading(), 0
    for _, line in lines:
        nodes = check_text(line, nodes)
    for name, line in lines:
        try:
            tree = ast.parse(line.replace("^", "**"), "<formula>", "eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
            raise ValueError(f"{cited(line)} is not a formula: {reason}") from error
        result = reading.operand(tree)
        if name:
            result = reading.named(name, result)
    whole = "; ".join(f"{name} = {line}" if name else line for name, line in lines)
    steps = tuple(reading.steps.values())
    check_numbers(steps)
    return Expression(whole, tuple(reading.inputs), steps, result, reading.given, reading.labels)


class Reading:
    """The lines of a formula while they are read: inputs, steps, and the names that lines have given so far."""

    def __init__(self) -> None:
        self.inputs: dict[str, None] = {}
        self.given: dict[str, float] = {}
        self.labels: dict[int, str] = {}
        self.known: dict[str, Operand] = {}
        self.steps: dict[str, Operation] = {}  # by their text, because 0.0 == -0.0 and 1 == 1.0
        self.places: dict[str, int] = {}

    def named(self, name: str, operand: Operand) -> Operand:
        """What a line gives a name to: a number makes it an input with this number, a step is called so from here on."""
        check_text(name)
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise ValueError(f"{cited(name)} is no name; a line of a formula begins with one name, as in 'd = a*b + c'")
        if variable(name) in self.inputs or name in self.known:
            raise ValueError(f"{cited(name)} stands in an earlier line already; choose another name")
        if isinstance(operand, float):
            self.inputs[name], self.given[name], operand = None, operand, name
        elif isinstance(operand, int):
            self.labels.setdefault(operand, name)
        self.known[name] = operand
        return operand

    def operand(self, tree: ast.expr, depth: int = 1) -> Operand:
        """What a piece of a line stands for; the steps that it takes are added."""
        if depth > DEPTH:
            raise ValueError(f"a formula may be nested {DEPTH} deep and this one goes deeper; a long sum can be added in groups")
        if isinstance(tree, ast.Constant):
            return float(tree.value)  # type: ignore[arg-type]  # check_text lets numbers through and nothing else
        if isinstance(tree, ast.Name):
            if tree.id in self.known:
                return self.known[tree.id]
            if tree.id not in NUMBERS:
                self.inputs[variable(tree.id)] = None
            return NUMBERS.get(tree.id, tree.id)
        operation, parts = operation_of(tree)
        operands = [self.operand(part, depth + 1) for part in parts]
        if operation == "pos":
            return operands[0]
        if operation == "neg" and isinstance(operands[0], float):
            return -operands[0]
        return BOOK[operation].steps(self.step, operands) if operation in BOOK else self.step(operation, *operands)

    def step(self, operation: str, *operands: Operand) -> Operand:
        """The place of an operation among the steps; one that stands there already is not added again."""
        step = Operation("power" if operation == "pow" and isinstance(operands[1], float) else operation, operands)
        self.steps[repr(step)] = step
        return self.places.setdefault(repr(step), len(self.places))


def operation_of(tree: ast.expr) -> tuple[str, Sequence[ast.expr]]:
    """The rule that a piece of the formula applies, or `pos` for a plus sign in front, and its operands."""
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, (ast.USub, ast.UAdd)):
        return "neg" if isinstance(tree.op, ast.USub) else "pos", [tree.operand]
    if isinstance(tree, ast.BinOp) and type(tree.op) in OPERATORS:
        return OPERATORS[type(tree.op)], [tree.left, tree.right]
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        what = "function call without a name" if isinstance(tree, ast.Call) else "comma outside of a function's brackets"
        raise ValueError(f"a formula has no {what}; factors are joined by *, numbers have a decimal point")
    name = tree.func.id
    if name not in FUNCTIONS and name not in BOOK:
        known = (*FUNCTIONS, *BOOK)
        raise ValueError(f"{cited(name)} is no function of the table{hint(name, known)}; known: {', '.join(known)}")
    wanted = BOOK[name].operands if name in BOOK else tuple(FUNCTIONS[name].inputs)
    fewest = len(wanted) - ("..." in wanted)
    fits = len(tree.args) >= fewest if "..." in wanted else len(tree.args) == fewest
    if tree.keywords or any(isinstance(part, ast.Starred) for part in tree.args) or not fits:
        least = "at least " * ("..." in wanted)
        raise ValueError(f"{name} takes {least}{fewest} operand{'s' * (fewest > 1)}: write {name}({', '.join(wanted)})")
    return name, tree.args


def variable(name: str) -> str:
    """The name itself, where an input can have it: a function cannot, nor pi, nor v0, v1 ..., which are the unnamed nodes."""
    if name in NUMBERS:
        raise ValueError(f"{name} is the number {NUMBERS[name]!r} in every formula; choose another name")
    if name in FUNCTIONS:
        raise ValueError(f"{name} is a function: write {name}({', '.join(FUNCTIONS[name].inputs)}), or choose another name")
    if is_rank(name):
        raise ValueError(f"{cited(name)} reads like the name of an unnamed node, v0, v1, ...; choose another name")
    return name


def check_numbers(steps: Sequence[Operation]) -> None:
    """What is made of numbers alone must be a number too: ValueError for 9**9**9, ZeroDivisionError for 1/0."""
    made: dict[int, Value] = {}
    for place, step in enumerate(steps):
        if all(isinstance(operand, float) or operand in made for operand in step.operands):
            made[place] = applied(step, {}, made)
            if not math.isfinite(made[place].data):
                raise ValueError(f"the numbers of this formula are too large: a {step.operation} of them is {made[place].data}")
