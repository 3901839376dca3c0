"""Reading one table of a trace: whole rows of typed cells, or one sentence that names the file and the line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from micrograd_lite.trace import cells

TEXT = ("parameter", "array", "node", "operation", "formula", "parent", "partial_formula")
WHOLE = ("step", "epoch", "order")


def read_table(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of a CSV file whose header starts with `columns`: names, whole numbers, floats, None for an empty cell.

    A last line without its newline is still being written: it is left out. A file that is not there has no rows.
    ValueError names the file and the first line that is not a row of this table.
    """
    place = f"{path}, line 1"
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # not written yet, or just removed by a new run
        return
    try:
        text = content.rpartition(b"\n")[0].decode("utf-8")
        lines = csv.reader(text.split("\n"))
        header = next(lines, [])
        if header and tuple(header[: len(columns)]) != tuple(columns):
            raise ValueError(f"the header should start with {','.join(columns)}")
        for row in lines:
            place = f"{path}, line {lines.line_num}"
            if len(row) != len(header):
                raise ValueError(f"{len(row)} cells where the header has {len(header)}")
            yield {column: typed(column, cell) for column, cell in zip(header, row)}
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{place} is not a row of a trace: {error}") from error


def typed(column: str, cell: str) -> Any:
    """One cell as what its column holds."""
    if column in TEXT:
        return cells.plain(cell)
    if column in WHOLE:
        return int(cell)
    return float(cell) if cell else None
