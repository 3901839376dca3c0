"""A formula explained: its value, how each node got there, the shares of each gradient, and a second opinion on it.

    micrograd-lite explain "tanh(w*x + b)" w=2 x=0.5 b=0.1
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from micrograd_lite.chain.drawing import notebook
from micrograd_lite.chain.rows import chain_rule, gradients
from micrograd_lite.chain.tables import chain_table, forward_table, paths_section
from micrograd_lite.check import central_difference
from micrograd_lite.explain.formula import Expression, parse, variable
from micrograd_lite.explain.lines import cited, hint
from micrograd_lite.scalar import Value
from micrograd_lite.text.tables import digits, table
from micrograd_lite.text.words import markup

LONGEST = 120
"""Letters of a formula in a heading."""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #1a1a1a; background: #fff }}
table {{ border-collapse: collapse; font-family: ui-monospace, monospace; font-size: 85% }}
th, td {{ border-bottom: 1px solid #ddd; padding: 0.25em 0.8em; text-align: left }}
div {{ overflow-x: auto }}
h1 {{ font-size: 1.4em; overflow-wrap: anywhere }}
h2 {{ font-size: 1.1em }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>Values flow down the arrows. Gradients flow up: each arrow multiplies by the number on it, its slope.</p>
{body}</body>
</html>
"""


class Explained(NamedTuple):
    """A formula at a point: its inputs by name, and the root of its graph."""

    formula: Expression
    inputs: dict[str, Value]
    root: Value


def explained(text: str, values: Sequence[str]) -> Explained:
    """The graph of a formula at `name=number`s. ValueError says in one sentence what does not fit."""
    formula = parse(text)
    numbers = dict(formula.given)
    for given in values:
        name, equals, number = given.partition("=")
        name = name.strip()
        if not equals:
            raise ValueError(f"{cited(given)} is no value for an input; write it as name=number")
        if name in numbers:
            raise ValueError(f"{cited(name)} is given two values; give it one")
        check_input(name, formula)
        try:
            numbers[name] = float(number)
        except ValueError as error:
            raise ValueError(f"{cited(given)} gives no number; write it as {cited(name)[1:-1]}=0.5") from error
    missing = [name for name in formula.names if name not in numbers]
    if missing:
        raise ValueError(f"no value for {_listed(missing)}; add {' '.join(f'{name[:40]}=...' for name in missing[:8])}")
    inputs = {name: Value(numbers[name], name) for name in formula.names}
    return Explained(formula, inputs, formula(*inputs.values()))


def explain(at: Explained, form: str = "text", toward: str | None = None, most: int = 10) -> str:
    """All tables of a formula at a point, as text, markdown, csv or html; HTML is a whole page with the picture in it.

    toward: an input whose gradient is also taken apart into its paths, at most so many of them.
    """
    sections = [
        ("forward: each node from those that it is made of", forward_table(at.root, form)),
        ("backward: share = partial x upstream; a gradient is the total of all shares", chain_table(chain_rule(at.root), form)),
        ("gradients, and what nudging the input a little says", gradient_table(at, form)),
    ]
    if toward is not None:
        check_input(toward, at.formula)
        sections.append(paths_section(at.root, at.inputs[toward], form, most))
    asked = [(name, value) for name, value in at.inputs.items() if name not in at.formula.given]
    text, point = at.formula.text, ", ".join(f"{name} = {value.data:.9g}" for name, value in asked)
    text = text if len(text) <= LONGEST else text[: LONGEST - 2] + ".."
    return written(f"{text} = {at.root.data:.9g}" + (f" at {point}" if point else ""), at.root, sections, form)


def written(title: str, root: Value, sections: Sequence[tuple[str, str]], form: str) -> str:
    """Tables under their headings, the title above; HTML is a whole page with the graph's picture, CSV the tables alone."""
    if form == "csv":
        return "\n".join(content for _, content in sections)
    if form == "html":
        parts = [f"<div>\n{notebook(root)}</div>\n"]
        parts += [f"<h2>{markup(heading)}</h2>\n<div>\n{content}</div>\n" for heading, content in sections]
        return PAGE.format(title=markup(title), body="".join(parts))
    mark, code = ("## ", "`") if form == "markdown" else ("", "")
    return f"{mark and '# '}{code}{title}{code}\n" + "".join(f"\n{mark}{heading}\n\n{content}" for heading, content in sections)


def gradient_table(at: Explained, form: str = "text") -> str:
    """The gradient of each input beside a central difference, which knows nothing of derivative rules."""
    totals, rows = gradients(at.root), []
    point = [value.data for value in at.inputs.values()]
    for position, (name, value) in enumerate(at.inputs.items()):
        try:
            nudged = digits(central_difference(at.formula.__call__, point, position), form)
        except (ValueError, ArithmeticError):
            nudged = "a nudge leaves the domain"
        rows.append((name, digits(value.data, form), digits(totals.get(value, 0.0), form), nudged))
    return table(("input", "value", "gradient", "central difference"), rows, form)


def check_input(name: str, formula: Expression) -> None:
    """ValueError for a name that is no input of the formula: it says which are, and which one is close."""
    if name not in formula.names:
        variable(name)  # says so of a name that no input can have
        raise ValueError(f"{cited(name)} is not in the formula{hint(name, formula.names)}; its inputs: {_listed(formula.names)}")


def _listed(names: Sequence[str]) -> str:
    """Names for an error: not too many, none too long."""
    return ", ".join(name[:40] for name in names[:8]) + (", ..." if len(names) > 8 else "") or "none"
