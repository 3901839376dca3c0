"""The cells of a CSV file: numbers and names as text that reads back exactly and that no spreadsheet takes for a formula.

Written one line at a time; read back as whole rows of typed cells, or as one sentence that names the file and the line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from micrograd_lite.text.files import number, opened

__all__ = ["line", "number", "numbers", "plain", "read_table", "spelled", "text", "typed", "word"]

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
_UNESCAPES = {escape: plain for plain, escape in _ESCAPES.items()}


LONGEST = 100_000
"""Python's csv module reads cells of up to 131,072 characters."""


LONGEST_LINE = 1 << 26
"""Bytes of a row: a million numbers have room in it."""


def text(name: str) -> str:
    """A name as one safe cell: control characters escaped, a leading = + - @ or ' shielded by an apostrophe."""
    shield = "'" if name.startswith(_STARTS_A_FORMULA) else ""
    return shield + "".join(_ESCAPES.get(character, character) for character in name)


MISSING = frozenset((
    "", "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "1.#ind", "1.#qnan", "<na>", "n/a", "na", "null", "none", "true",
    "false",
))  # fmt: skip
"""Words that programs for tables take for a missing number, or for a truth value."""


def word(name: str) -> str:
    """The same for a column of words: a name or formula that reads as a number, such as `1.0`, is shielded too.

    Programs take a column's type from its first rows: a thousand rows of 1.0 and then one of `w` would be an error.
    """
    cell = text(name)
    return cell if cell.startswith("'") or not _reads_otherwise(name) else f"'{cell}"


def _reads_otherwise(name: str) -> bool:
    try:
        float(name)
        return True
    except ValueError:
        return name.strip().lower() in MISSING


def plain(cell: str) -> str:
    """The name that `text` or `word` made this cell from."""
    name = re.sub(r"\\[\\nrt0]", lambda match: _UNESCAPES[match.group()], cell) if "\\" in cell else cell
    return name[1:] if cell.startswith("'") else name


def line(cells: Iterable[str]) -> str:
    """One CSV row with its newline."""
    cells = list(cells)
    if max(map(len, cells), default=0) > LONGEST:
        raise ValueError(f"a name of {max(map(len, cells))} characters is too long for a CSV cell; keep it below {LONGEST}")
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def numbers(values: Sequence[float]) -> str:
    """Numbers as cells, joined: they need no quotes."""
    return ",".join(map(number, values))


def spelled(value: Any) -> str:
    """What JSON can hold as one cell: yes or no, exact numbers, lists with commas, nothing for None."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, (int, float)):
        return number(value) if isinstance(value, float) else str(value)
    if isinstance(value, list):
        return ",".join(map(spelled, value))
    return value if value in ("NaN", "inf", "-inf") else text(str(value))


TEXT = ("parameter", "array", "node", "operation", "formula", "parent", "partial_formula")
WHOLE = ("step", "epoch", "order")


def read_table(
    path: Path, columns: Sequence[str], reads: Callable[[str], Callable[[str], Any]] | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of a CSV file whose header starts with `columns`: names, whole numbers, floats, None for an empty cell.

    reads: for a column's name what makes an entry of its cells, `typed` by default. A last line without its newline is still
    being written: it is left out. A file that is not there has no rows. ValueError names the file and the first line that is
    not a row of this table.
    """
    place = f"{path}, line 1"
    try:
        lines = csv.reader(whole_lines(path))
        header = next(lines, [])
        if header and tuple(header[: len(columns)]) != tuple(columns):
            raise ValueError(f"the header should start with {','.join(columns)}")
        entries = [(reads or typed)(column) for column in header]
        for row in lines:
            if len(row) != len(header):
                raise ValueError(f"{len(row)} cells where the header has {len(header)}")
            yield dict(zip(header, [read(cell) for read, cell in zip(entries, row)]))
    except (ValueError, csv.Error) as error:
        place = f"{path}, line {max(1, lines.line_num)}"
        raise ValueError(f"{place} is not a row of a trace: {error}") from error


def whole_lines(path: Path) -> Iterator[str]:
    """The lines of a file that have their newline; none when it is not there. ValueError for one that is too long."""
    try:
        file = opened(path)
    except FileNotFoundError:  # not written yet, or just removed by a new run
        return
    with file:
        while (line := file.readline(LONGEST_LINE)).endswith(b"\n"):
            yield line[:-1].decode("utf-8")
        if len(line) == LONGEST_LINE:
            raise ValueError(f"a line is longer than {LONGEST_LINE:,} bytes")


def typed(column: str) -> Callable[[str], Any]:
    """What makes of a column's cells what it holds."""
    return plain if column in TEXT else int if column in WHOLE else _measured


def _measured(cell: str) -> float | None:
    return float(cell) if cell else None
