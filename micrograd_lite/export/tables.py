"""Tables for people: rows of text as aligned columns, as Markdown, as CSV or as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd_lite.chain import ChainRow
from micrograd_lite.drawing import markup
from micrograd_lite.files import number
from micrograd_lite.rules import MANY, RULES
from micrograd_lite.trace import Trace, cells


def table(header: Sequence[str], rows: Sequence[Sequence[str]], form: str = "text") -> str:
    """Rows under a header, ending in a newline, in form text, markdown, csv or html. Columns of numbers stand on the right."""
    if form == "csv":
        return "".join(cells.line(row) for row in (header, *rows))
    shown = [[cell.replace("|", "\\|") if form == "markdown" else cell for cell in row] for row in (header, *rows)]
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


def gradient_table(trace: Trace, step: int | None = None, form: str = "text") -> str:
    """What one recorded step (the last by default) did to each parameter. ValueError when it is not recorded.

    The numbers are rounded to nine digits, exact in CSV.
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
        rows.append([name, *(digits(value, form) for value in numbers)])
    return table(header, rows, form)


def chain_table(rows: Sequence[ChainRow], form: str = "text") -> str:
    """The chain rule edge by edge: every column in CSV, else those that a pencil needs."""
    columns = {name: name.replace("_", " ") for name in ChainRow._fields}
    if form != "csv":
        wanted = ("order", "node", "formula", "upstream", "parent", "partial_formula", "partial", "share", "total")
        columns = {name: columns[name] for name in wanted}
    shown = [[_cell(getattr(row, name), form) for name in columns] for row in rows]
    return table(list(columns) if form == "csv" else list(columns.values()), shown, form)


def recorded_chain(trace: Trace, step: int | None = None, form: str = "text") -> str:
    """The chain rule of one step of a trace (the last that was chosen, by default). ValueError when none was."""
    if step is None:
        last = trace.metrics()[-1]["step"] if trace.metrics() else 0
        chosen = [number for number in trace.run.get("chain_rule") or [] if number <= last]
        if not chosen:
            raise ValueError(f"{trace.folder} has no step that was chosen for it: train(..., chain_rule=[1]) chooses the first")
        step = chosen[-1]
    return chain_table(trace.chain_rule(step), form)


def _cell(entry: str | float, form: str) -> str:
    if isinstance(entry, str):
        return cells.text(entry)
    return digits(entry, form) if isinstance(entry, float) else str(entry)


def rules_table(form: str = "text") -> str:
    """The derivative table, as in the README: one row for each operation."""
    rows = [(rule.name, rule.value, ", ".join(rule.partials), rule.needs, rule.smooth) for rule in RULES.values()]
    rows += [(rule.name, rule.value, ", ".join(rule.partials), "", "") for rule in MANY.values()]
    shown = [[name, *(_code(formula, form) for formula in formulas)] for name, *formulas in rows]
    return table(("operation", "value z", "slope toward each operand", "needs", "smooth where"), shown, form)


def _code(formula: str, form: str) -> str:
    return f"`{formula}`" if formula and form == "markdown" else formula
