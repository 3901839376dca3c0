"""Tables for people: rows of text as aligned columns, as Markdown, as HTML, as CSV or JSON."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from micrograd_lite.rules import MANY, RULES
from micrograd_lite.text import cells
from micrograd_lite.text.files import number, to_json
from micrograd_lite.text.words import markup

EXACT = ("csv", "json")
"""Forms for programs: every column, every digit."""
WIDEST = 120
"""Columns of a terminal: a longer line above rows, and a longer text in the last column, is broken."""


Groups = Sequence[tuple[str, Sequence[Sequence[str]]]]
"""Rows of cells, below a line of their own or below none."""


class Table(str):
    """The text of a table, which a notebook shows as a table."""

    header: Sequence[str]
    groups: Groups

    def _repr_html_(self) -> str:
        return _sections(self.header, self.groups, "html")


def kept(text: str, header: Sequence[str], groups: Groups) -> Table:
    """A table's text, and what it was made from."""
    made = Table(text)
    made.header, made.groups = header, groups
    return made


def table(header: Sequence[str], rows: Sequence[Sequence[str]], form: str = "text") -> Table:
    """Rows under a header, ending in a newline, in form text, markdown, csv, html or json (a list of records).

    Columns of numbers stand on the right.
    """
    if form == "csv":
        return kept("".join(cells.line(row) for row in (header, *rows)), header, [("", rows)])
    if form == "json":
        return kept(to_json([dict(zip(header, map(_typed, row))) for row in rows]), header, [("", rows)])
    return sections(header, [("", rows)], form)


def sections(header: Sequence[str], groups: Groups, form: str = "text") -> Table:
    """One table for people whose rows stand in groups, each below a line of its own ("": none), as wide as the table."""
    return kept(_sections(header, groups, form), header, groups)


def _sections(header: Sequence[str], groups: Groups, form: str) -> str:
    rows = [row for _, below in groups for row in below]
    shown = [[_markdown(cell) if form == "markdown" else cell for cell in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[column]) for row in shown)) for column in range(len(header))]
    on_the_right = [all(_is_number(row[column]) for row in rows) for column in range(len(header))]
    if form == "html":
        return _html(header, groups, on_the_right)
    aligned = [
        [cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, on_the_right)]
        for row in shown
    ]
    if form == "markdown":
        dashes = ["-" * (width - 1) + (":" if right else "-") for width, right in zip(widths, on_the_right)]
        titled = ([_markdown(title), *[""] * (len(header) - 1)] for title, _ in groups)
        lines = [f"| {' | '.join(row)} |" for row in _placed(groups, aligned[1:], titled)]
        return "\n".join([f"| {' | '.join(aligned[0])} |", f"| {' | '.join(dashes)} |", *lines]) + "\n"
    room = len("  ".join(aligned[0][:-1])) + 2
    lines = [_broken("  ".join(row).rstrip(), room) for row in aligned]
    titles = (textwrap.fill(title, WIDEST, subsequent_indent="    ", break_on_hyphens=False) for title, _ in groups)
    rule = "-" * min(WIDEST, max(map(len, "\n".join(lines).split("\n"))))
    return "\n".join([lines[0], rule, *_placed(groups, lines[1:], titles)]) + "\n"


def _broken(line: str, room: int) -> str:
    """A line whose last cell, behind `room`, goes on below itself where it is wider than the terminal."""
    if len(line) <= WIDEST or room > WIDEST // 2 or " " not in line[room:]:
        return line
    parts = textwrap.wrap(line[room:], WIDEST - room, break_long_words=False, break_on_hyphens=False)
    return line[:room] + f"\n{' ' * room}".join(parts)


def _placed(groups: Sequence[tuple[str, Sequence[Any]]], rows: Sequence[Any], titles: Iterable[Any]) -> Iterator[Any]:
    """The rows of all groups, each group's line, if it has one, before its first."""
    remaining = iter(rows)
    for (title, below), line in zip(groups, titles):
        if title:
            yield line
        yield from islice(remaining, len(below))


def _markdown(cell: str) -> str:
    """A cell of a Markdown table: a bar ends none, and what looks like HTML stays text."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", cell.replace("|", "\\|"))


def _html(header: Sequence[str], groups: Sequence[tuple[str, Sequence[Sequence[str]]]], on_the_right: Sequence[bool]) -> str:
    """A table element; what the cells hold stays text."""
    lines = ["<table>"]
    sides = [' style="text-align:right"' if right else "" for right in on_the_right]

    def line(kind: str, row: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{kind}{side}>{markup(cell)}</{kind}>" for cell, side in zip(row, sides)) + "</tr>"

    lines.append(line("th", header))
    for title, below in groups:
        if title:
            lines.append(f'<tr><td colspan="{len(header)}">{markup(title)}</td></tr>')
        lines += [line("td", row) for row in below]
    return "\n".join([*lines, "</table>\n"])


def digits(value: float, form: str) -> str:
    """A number for a table: nine digits for people, exact in CSV and JSON."""
    return number(value) if form in EXACT else f"{value + 0.0:.9g}"  # -0.0 is 0 to people


def cell(entry: str | float, form: str) -> str:
    """An entry of a row as a cell: text made safe, a number as `digits` writes it, a whole number as it is."""
    if isinstance(entry, str):
        return cells.word(entry) if form == "csv" else cells.text(entry)
    return digits(entry, form) if isinstance(entry, float) else str(entry)


def _typed(cell: str) -> Any:
    """A cell of JSON: a number where it reads like one, else its text; NaN and infinity are texts there."""
    if not _is_number(cell):
        return cell
    return int(cell) if cell.lstrip("-").isdecimal() else float(cell)


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
