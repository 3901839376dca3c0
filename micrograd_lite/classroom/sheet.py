"""A sheet: which cells of a lesson are blank, what the others print, and how far from the key an answer may lie.

    sheet = Sheet(Numbers(from_sizes((2, 2, 1), seed=7)), level=2)

Who fills it goes on with rounded numbers. So an answer is right within what can be reached from what is printed, and half of
its last digit; where that is too wide to tell right from wrong, the cell is given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import NamedTuple

from micrograd_lite.classroom.cells import CHAIN, Cell, Numbers
from micrograd_lite.classroom.ranges import Range, cells_of, reach, read_rule
from micrograd_lite.text import cells as written
from micrograd_lite.text.files import number

LEVELS = {1: ("value", "partial"), 2: ("value",), 3: ()}
"""The columns that are given at each level: first the forward pass and the slopes, then the forward pass, then nothing."""
WIDEST = 0.05
"""Of a number: a tolerance beyond this share of it does not tell right from wrong."""
FEWEST, MOST = 3, 9
"""Significant digits of a sheet."""
SHEET_COLUMNS = ("cell", "part", "row", "column", "formula", "number")
KEY_COLUMNS = (*SHEET_COLUMNS, "exact", "tolerance", "rule", "digits")


class Printed(NamedTuple):
    """A cell on paper. tolerance: of a blank, None for a number that is given; rule: its formula in cells of the sheet."""

    cell: Cell
    text: str
    tolerance: float | None
    rule: str

    @property
    def blank(self) -> bool:
        """Is it to be filled in?"""
        return self.tolerance is not None


class Sheet:
    """What is printed of a lesson. blank: names of columns or rows, instead of a level. ValueError when nothing would be blank.

    shown: by cell what is printed; a cell that only repeats a blank one is not there, and `source` leads to that one.
    """

    def __init__(self, numbers: Numbers, level: int = 2, blank: Collection[str] = (), digits: int = 4) -> None:
        if not FEWEST <= digits <= MOST:
            raise ValueError(f"digits must be from {FEWEST} to {MOST}, got {digits}")
        if level not in LEVELS:
            raise ValueError(f"level must be 1, 2 or 3, got {level}")
        self.numbers, self.digits = numbers, digits
        self.chosen, self.wanted = bool(blank), self._wanted(blank, level)
        self.shown: dict[str, Printed] = {}
        self.source: dict[str, str] = {}
        self.ranges: dict[str, Range] = {}
        for cell in numbers.cells:
            self._print(cell)
        if not self.blanks:
            raise ValueError(f"nothing to fill in: no number of {', '.join(sorted(self.wanted))} can be told right from wrong "
                             f"with {digits} digits; take more --digits, or other columns")  # fmt: skip

    @property
    def blanks(self) -> list[Printed]:
        """The cells that are to be filled in."""
        return [printed for printed in self.shown.values() if printed.blank]

    def _wanted(self, blank: Collection[str], level: int) -> set[str]:
        computed = [cell for cell in self.numbers.cells if cell.rule]
        columns, rows = (list(dict.fromkeys(getattr(cell, of) for cell in computed)) for of in ("column", "row"))
        for name in blank:
            if name not in columns and name not in rows:
                raise ValueError(f"no {name!r} is computed on this sheet; its columns are {', '.join(columns)}; "
                                 f"its rows {', '.join(rows)}")  # fmt: skip
        return set(blank or columns) - (set() if blank else set(LEVELS[level]))

    def _print(self, cell: Cell) -> None:
        rule = read_rule(cell.rule) if cell.rule else None
        sources = {name: self.source.get(name, name) for name in cells_of(rule)} if rule else {}
        text, exact = rounded(cell.exact, self.digits), cell.exact
        repeats = cell.copied and cell.part != CHAIN and not self.chosen  # nothing to compute: the place says where it is found
        if rule and self.wanted & {cell.column, cell.row} and not repeats:
            low, high = reach(rule, self.ranges)
            tolerance = max(high - exact, exact - low, 0.0) + half_digit(exact, self.digits)
            tolerance += 1e-12 * abs(exact)  # the sheet's formula and the engine's may round their last bits apart
            if tolerance <= WIDEST * abs(exact):
                self.ranges[cell.name] = (exact - tolerance, exact + tolerance)
                renamed = re.sub(r"\bc\d+\b", lambda found: sources[found.group()], cell.rule)
                self.shown[cell.name] = Printed(cell, text, tolerance, renamed)
                return
        if cell.copied and self._is_open(sources[cell.rule]):
            self.source[cell.name], self.ranges[cell.name] = sources[cell.rule], self.ranges[cell.rule]
            return
        ends = sorted((exact, float(text)))
        self.ranges[cell.name] = (ends[0], ends[1])
        self.shown[cell.name] = Printed(cell, text, None, "")

    def _is_open(self, name: str) -> bool:
        return name in self.shown and self.shown[name].blank

    def csv(self) -> str:
        """The sheet as a table, the cells that are to be filled in empty."""
        rows = [(*_words(printed.cell), "" if printed.blank else printed.text) for printed in self.shown.values()]
        return "".join(map(written.line, (SHEET_COLUMNS, *rows)))

    def key(self) -> str:
        """The same table with every number, rounded and exact, and of the blanks tolerance and rule."""
        rows = []
        for printed in self.shown.values():
            beyond = "" if printed.tolerance is None else number(printed.tolerance)
            rows.append((*_words(printed.cell), printed.text, number(printed.cell.exact), beyond, printed.rule, str(self.digits)))
        return "".join(map(written.line, (KEY_COLUMNS, *rows)))


def _words(cell: Cell) -> list[str]:
    return [cell.name, cell.part, *(written.word(text) for text in (cell.row, cell.column)), written.text(cell.formula)]


def rounded(value: float, digits: int) -> str:
    """A number with so many significant digits, as a sheet prints it.

    >>> rounded(-0.00123456, 4), rounded(2.0, 4), rounded(123456.0, 4)
    ('-0.001235', '2', '1.235e+05')
    """
    return f"{value + 0.0:.{digits}g}"


def half_digit(value: float, digits: int) -> float:
    """Half of the last digit of a number that is rounded to so many; 0 for 0.

    >>> half_digit(0.25, 4)
    5e-05
    """
    if value == 0.0 or not math.isfinite(value):
        return 0.0
    return float(f"5e{math.floor(math.log10(abs(value))) - digits}")
