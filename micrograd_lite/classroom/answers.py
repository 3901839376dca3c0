"""What somebody filled in: a sheet's CSV file as spreadsheets leave it, and the key that it is marked by.

Spreadsheets write a mark before the first letter, semicolons or tabs for commas, a comma for the decimal point, rows in
another order, quotes and spaces. All of that is read; what is not a sheet is one sentence that names the file and the line.
"""

from __future__ import annotations

import csv
import math
import os
import re
from contextlib import suppress
from typing import Any, NamedTuple

from micrograd_lite.classroom.ranges import cells_of, is_cell, read_rule
from micrograd_lite.classroom.sheet import KEY_COLUMNS
from micrograd_lite.text.cells import plain
from micrograd_lite.text.files import read_whole

MOST_BYTES = 4_000_000
"""Of a sheet's file."""
SAME = 0.8
"""A sheet of whose given numbers a smaller share than this is the key's is another sheet."""


class Answer(NamedTuple):
    """What stands in a cell: its line in the file, its text, and the number that it is, None for no number."""

    line: int
    text: str
    value: float | None


class KeyCell(NamedTuple):
    """A row of a key. printed: the rounded number; tolerance and rule: of a blank, None for a number that was given."""

    name: str
    part: str
    row: str
    column: str
    formula: str
    printed: float
    exact: float
    tolerance: float | None
    rule: Any
    digits: int

    @property
    def place(self) -> str:
        """Where it stands, in words: `c25, share of cost -> error`."""
        return f"{self.name}, {self.column} of {self.row}"


Key = dict[str, KeyCell]


def read_key(path: str | os.PathLike[str]) -> Key:
    """A key by its cells, each after those of its formula. ValueError names the line that is no row of a key."""
    made: Key = {}
    for line, row in read_rows(path, KEY_COLUMNS):
        where = f"{path}, line {line}"
        name, printed, exact = row["cell"], number_of(row["number"]), number_of(row["exact"])
        if not is_cell(name) or name in made:
            raise ValueError(f"{where}: {name!r} is {'there twice' if name in made else 'no cell of a key'}")
        if printed is None or exact is None or not row["digits"].isdecimal():
            raise ValueError(f"{where}: a row of a key has a number, an exact number and digits")
        tolerance, rule = number_of(row["tolerance"]), None
        try:
            if row["rule"]:
                rule = read_rule(plain(row["rule"]))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        unknown = [cell for cell in cells_of(rule) if cell not in made] if rule else []
        if unknown or (rule is None) != (tolerance is None):
            why = f"{unknown[0]} does not stand before it" if unknown else "a blank has a tolerance and a rule"
            raise ValueError(f"{where}: {why}")
        part, place, column, formula = (plain(row[word]) for word in ("part", "row", "column", "formula"))
        digits = min(int(row["digits"][:3]), 15)
        made[name] = KeyCell(name, part, place, column, formula, printed, exact, tolerance, rule, digits)
    if not any(cell.rule for cell in made.values()):
        raise ValueError(f"{path} is no key: it has no blank to mark")
    return made


def read_answers(path: str | os.PathLike[str], key: Key) -> dict[str, Answer]:
    """What a sheet says in the cells of the key. ValueError for a file that is no sheet of this key."""
    made: dict[str, Answer] = {}
    for line, row in read_rows(path, ("cell", "number")):
        name = row["cell"]
        if name not in key:
            raise ValueError(f"{path}, line {line}: the key has no cell {name!r}; is this another sheet?")
        if name in made:
            raise ValueError(f"{path}, line {line}: {name} is there twice, first in line {made[name].line}")
        made[name] = Answer(line, row["number"], number_of(row["number"]))
    given = [cell for cell in key.values() if cell.rule is None and cell.name in made and made[cell.name].text]
    same = sum(1 for cell in given if same_number(made[cell.name].value, cell.printed))
    if same < SAME * len(given):
        raise ValueError(f"{path} is another sheet than the key's: {same} of its {len(given)} given numbers agree")
    return made


def same_number(value: float | None, printed: float) -> bool:
    """Is it the given number, but for the digits that a spreadsheet does not show?"""
    return value is not None and math.isclose(value, printed, rel_tol=0.01, abs_tol=1e-12)


def read_rows(path: str | os.PathLike[str], columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table with such columns, in any order and among others, each with its line."""
    lines = _text(path).splitlines()
    skipped = 1 if lines and lines[0].lower().startswith("sep=") else 0
    header_line = next((line for line in lines[skipped:] if line.strip()), "")
    separator = max(",;\t", key=header_line.count)
    made: list[tuple[int, dict[str, str]]] = []
    header: list[str] = []
    reader = csv.reader(lines[skipped:], delimiter=separator)
    try:
        for row in reader:
            cells = [cell.strip().strip("\u00a0").strip() for cell in row]
            if not any(cells):
                continue
            if not header:
                header = [cell.lower() for cell in cells]
                missing = [column for column in columns if column not in header]
                if missing:
                    raise ValueError(f"{path}, line {reader.line_num + skipped}: the first row should name the columns "
                                     f"{', '.join(columns)}; {', '.join(missing)} is not there")  # fmt: skip
                continue
            cells += [""] * (len(header) - len(cells))
            if any(cells[len(header) :]):
                raise ValueError(f"{path}, line {reader.line_num + skipped}: {len(cells)} cells where the first row has "
                                 f"{len(header)}; a decimal comma needs quotes in a file with commas")  # fmt: skip
            made.append((reader.line_num + skipped, dict(zip(header, cells))))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num + skipped}: {error}") from error
    if not made:
        raise ValueError(f"{path} is empty: it has no row of a sheet")
    return made


def _text(path: str | os.PathLike[str]) -> str:
    content = read_whole(path, MOST_BYTES)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        with suppress(UnicodeDecodeError):
            return content.decode("utf-16")
    if content.startswith(b"PK\x03\x04"):
        raise ValueError(f"{path} is a workbook: save the sheet as CSV")
    if b"\0" in content:
        raise ValueError(f"{path} is no text: save the sheet as CSV")
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig")
    return content.decode("cp1252", "replace")


SPELLED = {"\u2212": "-", "\u2013": "-", " ": "", "\u00a0": "", "\u00d7": "x", "*10^": "e", "x10^": "e"}
"""How people write signs and powers of ten, in this order."""
NUMBER = r"[+-]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)(?:e[+-]?[0-9]{1,4})?"


def number_of(text: str) -> float | None:
    """The number that somebody typed, None for what is none.

    >>> [number_of(text) for text in ("-0,25", " 1/4 ", "2.5E-1", "25 %", "'-1", "= 0.5", "?")]
    [-0.25, 0.25, 0.25, 0.25, -1.0, 0.5, None]
    """
    typed = text.strip().lstrip("'=~\u2248").lower()
    for written, plainly in SPELLED.items():
        typed = typed.replace(written, plainly)
    if typed.count(",") == 1 and "." not in typed:
        typed = typed.replace(",", ".")
    share = 100.0 if typed.endswith("%") else 1.0
    above, slash, below = typed.removesuffix("%").partition("/")
    if not re.fullmatch(NUMBER, above) or (slash and not re.fullmatch(NUMBER, below)):
        return None
    value = float(above) / share
    if slash:
        value = value / float(below) if float(below) else math.inf
    return value if math.isfinite(value) else None
