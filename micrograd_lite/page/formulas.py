"""Formulas: the rows of the derivative table in JavaScript, so that a page can go forward and back by itself.

No derivative is typed for the page. A row's text is parsed and spelled as for C (flat/formulas.py): the two languages mean
the same by these signs, and what C calls fabs, power and modulo stands in script/network.js.
"""

from __future__ import annotations

import ast

from micrograd_lite.chain.spelling import parsed
from micrograd_lite.flat.formulas import formula
from micrograd_lite.rules import MANY, RULES

NUMBERS = {"inf": "Infinity", "nan": "NaN"}


def script() -> str:
    """Two JavaScript objects: RULES, each row's value and slopes as functions, and MANY, the slopes of sums."""
    rows = [f"  {name}: {{{_row(name)}}},\n" for name in RULES]
    return f"const RULES = {{\n{''.join(rows)}}};\n{_many()}"


def spelled(text: str) -> str:
    """One formula of the table in JavaScript."""
    return formula(_Asked().visit(parsed(text)), lambda name: NUMBERS.get(name, name))


def _row(name: str) -> str:
    rule = RULES[name]
    letters = ", ".join(rule.inputs)
    slopes = ", ".join(f"({letters}, z) => {spelled(partial)}" for partial in rule.partials)
    return f"value: ({letters}) => {spelled(rule.value)}, slopes: [{slopes}]"


def _many() -> str:
    """The slope toward a weight, an input and a bias of a dot, toward a term of a sum and of a mean."""
    sums = (("dot", "wx"), ("sum", ""), ("mean", "n"))
    rows = []
    for name, letters in sums:
        pairs = zip(MANY[name].inputs, MANY[name].partials)
        slopes = ", ".join(f"{group}: ({', '.join(letters)}) => {spelled(partial)}" for group, partial in pairs)
        rows.append(f"  {name}: {{{slopes}}},\n")
    return f"const MANY = {{\n{''.join(rows)}}};\n"


class _Asked(ast.NodeTransformer):
    """`if n` is `if n != 0`: Python and C take NaN for true, JavaScript does not."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.test, ast.Name):
            node.test = ast.Compare(node.test, [ast.NotEq()], [ast.Constant(0.0)])
        return node
