"""Tables for people: rows of text as aligned columns, as Markdown, as CSV or as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence

from micrograd_lite.rules import MANY, RULES
from micrograd_lite.text import cells
from micrograd_lite.text.files import number
from micrograd_lite.text.words import markup


class Table(str):
    """The text of a table, which a notebook shows as a table."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def _repr_html_(self) -> str:
        return str(_written(self.header, self.rows, "html"))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], form: str = "text") -> Table:
    """Rows under a header, ending in a newline, in form text, markdown, csv or html. Columns of numbers stand on the right."""
    made = Table(_written(header, rows, form))
    made.header, made.rows = header, rows
    return made


def _written(header: Sequence[str], rows: Sequence[Sequence[str]], form: str) -> str:
    if form == "csv":
        return "".join(cells.line(row) for row in (header, *rows))
    shown = [[_markdown(cell) if form == "markdown" else cell for cell in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[column]) for row in shown)) for column in range(len(header))]
    on_the_right = [all(_is_number(row[column]) for row in rows) for column in range(len(header))]
    if form == "html":
        return _html(header, rows, on_the_right)
    aligned = [
        [cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, on_the_right)]
        for row in shown
    ]
    if form == "markdown":
        rule = ["-" * (width - 1) + (":" if right else "-") for width, right in zip(widths, on_the_right)]
        return "".join(f"| {' | '.join(row)} |\n" for row in (aligned[0], rule, *aligned[1:]))
    lines = ["  ".join(row).rstrip() for row in aligned]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]]) + "\n"


def _markdown(cell: str) -> str:
    """A cell of a Markdown table: a bar ends none, and what looks like HTML stays text."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", cell.replace("|", "\\|"))


def _html(header: Sequence[str], rows: Sequence[Sequence[str]], on_the_right: Sequence[bool]) -> str:
    """A table element; what the cells hold stays text."""
    lines = ["<table>"]
    for kind, row in [("th", header), *(("td", row) for row in rows)]:
        sides = [' style="text-align:right"' if right else "" for right in on_the_right]
        lines.append("<tr>" + "".join(f"<{kind}{side}>{markup(cell)}</{kind}>" for cell, side in zip(row, sides)) + "</tr>")
    return "\n".join([*lines, "</table>\n"])


def digits(value: float, form: str) -> str:
    """A number for a table: nine digits for people, exact in CSV."""
    return number(value) if form == "csv" else f"{value:.9g}"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def rules_table(form: str = "text") -> str:
    """The derivative table, as in the README: one row for each operation."""
    rows = [(rule.name, rule.value, ", ".join(rule.partials), rule.needs, rule.smooth) for rule in RULES.values()]
    rows += [(rule.name, rule.value, ", ".join(rule.partials), "", "") for rule in MANY.values()]
    shown = [[name, *(_code(formula, form) for formula in formulas)] for name, *formulas in rows]
    return table(("operation", "value z", "slope toward each operand", "needs", "smooth where"), shown, form)


def _code(formula: str, form: str) -> str:
    return f"`{formula}`" if formula and form == "markdown" else formula
