"""Cells: numbers and names as text that reads back exactly and that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from micrograd_lite.files import number

__all__ = ["line", "number", "numbers", "plain", "text"]

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
_UNESCAPES = {escape: plain for plain, escape in _ESCAPES.items()}


LONGEST = 100_000
"""Python's csv module reads cells of up to 131,072 characters."""


def text(name: str) -> str:
    """A name as one safe cell: control characters escaped, a leading = + - @ or ' shielded by an apostrophe."""
    shield = "'" if name.startswith(_STARTS_A_FORMULA) else ""
    return shield + "".join(_ESCAPES.get(character, character) for character in name)


def plain(cell: str) -> str:
    """The name that `text` made this cell from."""
    name = re.sub(r"\\[\\nrt0]", lambda match: _UNESCAPES[match.group()], cell)
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
