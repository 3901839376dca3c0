"""A formula that somebody typed, such as `tanh(w*x + b)`, as a computation on Values; its text is never run.

Everything that could trouble Python's parser (size, nesting, odd characters, words of its own) is refused at the door,
before the parser sees it. Of what the parser finds only numbers, names, + - * / ** and the functions of the derivative
table are let through.

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
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from keyword import iskeyword
from typing import NamedTuple

from micrograd_lite.graph import is_rank
from micrograd_lite.rules import RULES
from micrograd_lite.scalar import Value

CHARACTERS, NODES, DEPTH = 10_000, 1_000, 100
"""The largest formula: of so many characters, of so many numbers, names and operations, nested so deep."""

TOKEN = re.compile(
    r" *(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>\*\*|[+*-]|/(?!/))|(?P<bracket>[(),])) *",
    re.ASCII,
)


def check_text(text: str) -> None:
    """ValueError unless the text is of a size for the parser and made of nothing but a formula's numbers, words and signs."""
    if not isinstance(text, str):
        raise TypeError(f"a formula is text, got {type(text).__name__}")
    if len(text) > CHARACTERS:
        raise ValueError(f"a formula may have {CHARACTERS:,} characters, got {len(text):,}")
    text, place, nodes, depth = text.rstrip(), 0, 0, 0
    while place < len(text):
        token = TOKEN.match(text, place)
        if token is None:
            raise ValueError(
                f"a formula has numbers, names, + - * / **, brackets ( ) and functions such as tanh(x); "
                f"{cited(text[place:], 12)} at character {place + 1} is none of these"
            )
        if token["number"] and math.isinf(float(token["number"])):
            raise ValueError(f"the number {cited(token['number'], 24)} is too large for a float")
        if token["word"] and (iskeyword(token["word"]) or token["word"].startswith("__")):
            raise ValueError(f"{cited(token['word'])} is a word of Python's and cannot be a name in a formula")
        depth += {"(": 1, ")": -1}.get(token["bracket"], 0)
        nodes += not token["bracket"]
        if nodes > NODES or depth > DEPTH:
            most = f"{NODES:,} numbers, names and operations" if nodes > NODES else f"{DEPTH} brackets inside each other"
            raise ValueError(f"a formula may have {most}; this one has more")
        place = token.end()
    if not nodes:
        raise ValueError("the formula has no number or name in it; write one such as 'tanh(w*x + b)'")


def hint(name: str, known: Iterable[str]) -> str:
    """` (did you mean tanh?)`, where a known name is close."""
    close = get_close_matches(name[:100], list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def cited(text: str, most: int = 40) -> str:
    """A user's text in an error: in quotes, ASCII, and not too long."""
    return ascii(text if len(text) <= most else text[:most] + "...")


OPERATORS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
FUNCTIONS = {name: rule for name, rule in RULES.items() if name not in (*OPERATORS.values(), "neg", "power")}
"""What a formula may call: the rows of the table that are not written with an operator."""

APPLY: dict[str, Callable[..., Value]] = {
    **{name: getattr(Value, name) for name in FUNCTIONS},
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "neg", "pow")},
    **{"div": operator.truediv, "power": operator.pow},
}

Operand = str | float | int
"""A name, a number, or the place of an earlier step."""


class Operation(NamedTuple):
    """One operation of a formula."""

    operation: str
    operands: tuple[Operand, ...]


class Expression(NamedTuple):
    """A formula taken apart. What is written twice is one step, used twice; each number is a leaf of its own."""

    text: str
    names: tuple[str, ...]  # in the order in which they are first written
    steps: tuple[Operation, ...]
    result: Operand

    def __call__(self, *values: Value) -> Value:
        """The root of the graph on these Values, in the order of `names`. Errors are those of the operations."""
        known = dict(zip(self.names, values))
        made: dict[int, Value] = {}
        for place, step in enumerate(self.steps):
            made[place] = applied(step, known, made)
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
    check_text(text)
    try:
        tree = ast.parse(text.strip(), "<formula>", "eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise ValueError(f"{cited(text)} is not a formula: {reason}") from error
    names: dict[str, None] = {}
    steps: dict[str, Operation] = {}  # by their text, because 0.0 == -0.0 and 1 == 1.0
    places: dict[str, int] = {}

    def visit(tree: ast.expr, depth: int = 1) -> Operand:
        if depth > DEPTH:
            raise ValueError(f"a formula may be nested {DEPTH} deep and this one goes deeper; a long sum can be added in groups")
        if isinstance(tree, ast.Constant):
            return float(tree.value)  # type: ignore[arg-type]  # check_text lets numbers through and nothing else
        if isinstance(tree, ast.Name):
            names[variable(tree.id)] = None
            return tree.id
        operation, parts = operation_of(tree)
        operands = tuple(visit(part, depth + 1) for part in parts)
        if operation == "pos":
            return operands[0]
        if operation == "neg" and isinstance(operands[0], float):
            return -operands[0]
        step = Operation("power" if operation == "pow" and isinstance(operands[1], float) else operation, operands)
        steps[repr(step)] = step
        return places.setdefault(repr(step), len(places))

    result = visit(tree)
    expression = Expression(text.strip(), tuple(names), tuple(steps.values()), result)
    check_numbers(expression.steps)
    return expression


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
    if name not in FUNCTIONS:
        raise ValueError(f"{cited(name)} is no function of the table{hint(name, FUNCTIONS)}; known: {', '.join(FUNCTIONS)}")
    wanted = FUNCTIONS[name].inputs
    if tree.keywords or any(isinstance(part, ast.Starred) for part in tree.args) or len(tree.args) != len(wanted):
        raise ValueError(f"{name} takes {len(wanted)} operand{'s' * (len(wanted) > 1)}: write {name}({', '.join(wanted)})")
    return name, tree.args


def variable(name: str) -> str:
    """The name itself, where an input can have it: a function cannot, nor v0, v1 ..., which are the unnamed nodes."""
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
