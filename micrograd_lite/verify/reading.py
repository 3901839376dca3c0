"""Tables and numbers, read strictly: what Python's own float() lets pass (1_0, full-width digits, spaces) is no number here."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from micrograd_lite.text import cells
from micrograd_lite.text.cells import TEXT, WHOLE, plain

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|-?inf|nan|NaN")


class Table(NamedTuple):
    """A file of the trace: its columns, and its rows as far as they are whole."""

    header: list[str]
    rows: list[dict[str, Any]]


def read_table(path: Path, columns: Sequence[str]) -> Table:
    """A CSV file whose header starts with `columns`; a last line without its newline is still being written.

    A file that is not there has no header. ValueError names the file and the first line that is no row of this table.
    """
    rows = list(cells.read_table(path, columns, cell))
    return Table(next(csv.reader(cells.whole_lines(path)), []), rows)


def cell(column: str, text: str) -> Any:
    """What a cell holds: a name, a whole number, a number, or None where it is empty. ValueError says why it is none."""
    if column in TEXT:
        return plain(text)
    if column in WHOLE:
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise ValueError(f"{text[:50]!a} is no whole number")
        return int(text)
    return number(text) if text else None


def number(entry: Any) -> float:
    """A number as it stands in a cell or in JSON, where NaN and infinity are words. ValueError for anything else."""
    if isinstance(entry, str) and NUMBER.fullmatch(entry):
        return float(entry)
    if isinstance(entry, (int, float)) and not isinstance(entry, bool):
        return float(entry)
    raise ValueError(f"{entry!a:.50} is no number")


def numeral(entry: Any) -> float:
    """A number of JSON: digits are no text there, only NaN, inf and -inf are. ValueError for anything else."""
    if isinstance(entry, str) and entry not in ("NaN", "inf", "-inf"):
        raise ValueError(f"{entry!a:.50} is no number")
    return number(entry)
