"""Tables and numbers, read strictly: what Python's own float() lets pass (1_0, full-width digits, spaces) is no number here."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from micrograd_lite.text import cells
from micrograd_lite.text.cells import TEXT, WHOLE, plain

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|-?inf|nan|NaN")
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


class Table(NamedTuple):
    """A file of the trace: its columns, and its rows as far as they are whole."""

    header: list[str]
    rows: list[dict[str, Any]]


def read_table(path: Path, columns: Sequence[str]) -> Table:
    """A CSV file whose header starts with `columns`; a last line without its newline is still being written.

    A file that is not there has no header. ValueError names the file and the first line that is no row of this table.
    """
    rows = list(cells.read_table(path, columns, entry))
    return Table(next(csv.reader(cells.whole_lines(path)), []), rows)


def entry(column: str) -> Callable[[str], Any]:
    """What makes of a column's cells a name, a whole number or a number; None where one is empty, ValueError where it is none."""
    return plain if column in TEXT else _whole if column in WHOLE else _measured


def _whole(cell: str) -> int:
    if not WHOLE_NUMBER.fullmatch(cell):
        raise ValueError(f"{cell[:50]!a} is no whole number")
    return int(cell)


def _measured(cell: str) -> float | None:
    return number(cell) if cell else None


def number(found: Any) -> float:
    """A number as it stands in a cell or in JSON, where NaN and infinity are words. ValueError for anything else."""
    if isinstance(found, str) and NUMBER.fullmatch(found):
        return float(found)
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return float(found)
    raise ValueError(f"{found!a:.50} is no number")


def numeral(found: Any) -> float:
    """A number of JSON: digits are no text there, only NaN, inf and -inf are. ValueError for anything else."""
    if isinstance(found, str) and found not in ("NaN", "inf", "-inf"):
        raise ValueError(f"{found!a:.50} is no number")
    return number(found)
