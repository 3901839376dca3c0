"""Tables for people: rows of text as aligned columns, as Markdown or as CSV."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd_lite.files import number
from micrograd_lite.rules import MANY, RULES
from micrograd_lite.trace import Trace, cells


def table(header: Sequence[str], rows: Sequence[Sequence[str]], form: str = "text") -> str:
    """Rows under a header, ending in a newline; form: text, markdown or csv. Columns of numbers stand on the right."""
    if form == "csv":
        return "".join(cells.line(row) for row in (header, *rows))
    shown = [[cell.replace("|", "\\|") if form == "markdown" else cell for cell in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[column]) for row in shown)) for column in range(len(header))]
    on_the_right = [all(_is_number(row[column]) for row in rows) for column in range(len(header))]
    aligned = [
        [cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, on_the_right)]
        for row in shown
    ]
    if form == "markdown":
        rule = ["-" * (width - 1) + (":" if right else "-") for width, right in zip(widths, on_the_right)]
        return "".join(f"| {' | '.join(row)} |\n" for row in (aligned[0], rule, *aligned[1:]))
    lines = ["  ".join(row).rstrip() for row in aligned]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]]) + "\n"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def gradient_table(trace: Trace, step: int | None = None, form: str = "text") -> str:
    """What one recorded step (the last by default) did to each parameter. ValueError when it is not recorded.

    The numbers are rounded to nine digits in text and Markdown, exact in CSV.
    """
    if step is None:
        if not trace.steps():
            raise ValueError(f"{trace.folder} has no recorded step yet")
        step = trace.steps()[-1]
    header = ("parameter", "before", "gradient", "update", "after")
    rows = []
    for row in trace.gradients(step):
        numbers = (row.before, row.gradient, row.update, row.after)
        name = cells.text(row.parameter)
        rows.append([name, *(number(value) if form == "csv" else f"{value:.9g}" for value in numbers)])
    return table(header, rows, form)


def rules_table(form: str = "text") -> str:
    """The derivative table, as in the README: one row for each operation."""
    rows = [(rule.name, rule.value, ", ".join(rule.partials), rule.needs, rule.smooth) for rule in RULES.values()]
    rows += [(rule.name, rule.value, ", ".join(rule.partials), "", "") for rule in MANY.values()]
    shown = [[name, *(_code(formula, form) for formula in formulas)] for name, *formulas in rows]
    return table(("operation", "value z", "slope toward each operand", "needs", "smooth where"), shown, form)


def _code(formula: str, form: str) -> str:
    return f"`{formula}`" if formula and form == "markdown" else formula
