"""A node's formulas as people write them: of its value and of its slopes, in the names of its graph.

    >>> from micrograd_lite import Value
    >>> x = Value(3.0, "x")
    >>> for node in (x.sigmoid(), x**2, 1.0 / x):
    ...     print(*formulas(node, {x: "x", node: "z"} | {part: "one" for part in node.parents if part is not x}))
    sigmoid(x) ['z * (1 - z)']
    x ** 2 ['2 * x']
    one / x ['1 / x', '(-z / x)']

An operation with a sign of its own is written with it, any other is called by its name: how sigmoid is computed stands
once, in the derivative table (`micrograd-lite rules`). Slopes are the table's, a whole number without its `.0`; where
the table has a shorter one from the textbook, that one, if at this node it gives the same number.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from keyword import iskeyword
from typing import Any, NamedTuple

from micrograd_lite.chain.spelling import parsed, series, worked_out
from micrograd_lite.graph import Node
from micrograd_lite.rules import MANY, RULES, SCALAR, Rule, compile_rule, dot_terms

SHOWN = 8
"""A sum of more terms is written with its first two and its last."""


def formulas(node: Node, names: Mapping[Node, str]) -> tuple[str, list[str]]:
    """The rule of an inner node with its operands' names put in: of its value, and of its slope toward each parent."""
    operands = [in_formula(names[parent]) for parent in node.parents]
    if node.rule.name in MANY:
        value, slopes = MANY_FORMULAS[node.rule.name](node, operands)
    else:
        rule = RULES[node.rule.name]
        numbers = {letter: parent.data for letter, parent in zip(rule.inputs, node.parents)}
        made = written(rule.name, tuple((letter, repr(numbers[letter])) for letter in rule.inputs[len(rule.partials) :]))
        letters = {**dict(zip(rule.inputs, operands)), "z": in_formula(names[node])}
        value, slopes = made.value.format(**letters), [slope.format(**letters) for slope in made.slopes]
        for place, slope in enumerate(made.textbook):
            if _value(rule.textbook[place], {**numbers, "z": node.data}) == repr(node.partials[place]):
                slopes[place] = slope.format(**letters)
    return shielded(value), [shielded(slope) for slope in slopes]


class Written(NamedTuple):
    """Templates for `str.format`: {x}, {y} ... stand for the operands, {z} for the result."""

    value: str
    slopes: tuple[str, ...]  # by the row itself
    textbook: tuple[str, ...]  # by its textbook's form, if it has one


@lru_cache(maxsize=4096)
def written(name: str, constants: tuple[tuple[str, str], ...] = ()) -> Written:
    """Rule `name` as people write it, with some operands known: (letter, number as text)."""
    rule, known = RULES[name], {letter: parsed(number) for letter, number in constants}
    slopes, textbook = (
        tuple(_plain(worked_out(parsed(partial), known)) for partial in partials) for partials in (rule.partials, rule.textbook)
    )
    if called(rule):
        return Written(f"{name}({', '.join(f'{{{letter}}}' for letter in rule.inputs)})", slopes, textbook)
    return Written(_plain(worked_out(parsed(rule.value), known), ones=True), slopes, textbook)


def called(rule: Rule) -> bool:
    """Is an operation written by its name? Those are not that have a sign: x + y, -x, x ** n."""
    return not isinstance(parsed(rule.value), (ast.BinOp, ast.UnaryOp)) and not rule.value.startswith("pow(")


def _plain(formula: ast.expr, ones: bool = False) -> str:
    """A formula with ** for pow and whole numbers without .0; x ** 1 is x and x ** 0 is 1, unless `ones` are to be kept."""
    return ast.unparse(ast.fix_missing_locations(_Plain(ones).visit(formula)))


class _Plain(ast.NodeTransformer):
    def __init__(self, ones: bool) -> None:
        self.ones = ones

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id != "pow":
            return node
        base, exponent = node.args
        if not self.ones and isinstance(exponent, ast.Constant) and exponent.value in (0, 1):
            return base if exponent.value else ast.Constant(1)
        return ast.BinOp(base, ast.Pow(), exponent)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        number = node.value
        return ast.Constant(int(number)) if isinstance(number, float) and number.is_integer() and number < 2**53 else node


def _value(formula: str, numbers: Mapping[str, float]) -> str:
    """What a textbook's form comes to, as text; "" where it has no value. Its text is the table's own, never a user's."""
    try:
        return repr(eval(_compiled(formula), functions(), dict(numbers)))
    except (ArithmeticError, ValueError):
        return ""


@lru_cache
def _compiled(formula: str) -> Any:
    return compile(formula, "<a row of the table>", "eval")


@lru_cache
def functions() -> dict[str, Any]:
    """What formulas name: the functions that the rows are made of, and the rows themselves, as functions of floats."""

    def value_of(rule: Rule) -> Callable[..., float]:
        both = compile_rule(rule, SCALAR)
        return lambda *operands: both(*operands)[0]

    return {**{rule.name: value_of(rule) for rule in RULES.values() if called(rule)}, **SCALAR}


def in_formula(name: str) -> str:
    """A node's name as it stands in a formula: itself, or in quotes when it would read as anything else."""
    words = name.split(".")
    plain = all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", word) and not iskeyword(word) for word in words)
    return name if plain and name not in TAKEN else repr(name)


TAKEN = {*SCALAR, *(rule.name for rule in RULES.values() if called(rule)), "softmax", "mean"}
"""Words that mean something else in a formula."""


def shielded(formula: str) -> str:
    """A formula with a leading sign stands in parentheses, so that no spreadsheet takes its cell for a command."""
    return f"({formula})" if formula.startswith(("-", "+")) else formula


def _dot(node: Node, operands: Sequence[str]) -> tuple[str, list[str]]:
    to_w, to_x, to_b = MANY["dot"].partials
    slopes = [_plain(parsed(to_b))] * len(operands)
    bias, pairs = dot_terms(range(len(operands)))
    _, term, _ = series("dot", len(pairs))
    products = []
    for w, x in pairs:
        letters = {"w": operands[w], "x": operands[x]}
        products.append(term.format(**letters))
        slopes[w], slopes[x] = letters[to_w], letters[to_x]
    start = [] if bias is None else [operands[bias]]
    return " + ".join([*start, *shortened(products)]), slopes


def _series(node: Node, operands: Sequence[str]) -> tuple[str, list[str]]:
    slope = re.sub(r"\bn\b", str(len(operands)), _plain(parsed(MANY[node.rule.name].partials[0])))
    value = " + ".join(shortened(operands)) if node.rule.name == "sum" else f"mean({', '.join(shortened(operands))})"
    return value, [slope] * len(operands)


def _cross_entropy(node: Node, operands: Sequence[str]) -> tuple[str, list[str]]:
    logits, label = operands[:-1], int(node.parents[-1].data)
    slopes = [f"softmax({x}){' - 1' if position == label else ''}" for position, x in enumerate(logits)]
    return f"-log(softmax({logits[label]}))", slopes


def shortened(terms: Sequence[str]) -> list[str]:
    """All terms, or of a long sum the first two and the last."""
    return list(terms) if len(terms) <= SHOWN else [*terms[:2], "...", terms[-1]]


MANY_FORMULAS = {"dot": _dot, "sum": _series, "mean": _series, "cross_entropy": _cross_entropy}
"""How the rows over many operands are written out."""
