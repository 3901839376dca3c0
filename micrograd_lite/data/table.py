"""A table of your own: a CSV file with a header becomes a data set, whose target is one of its columns.

    data = read_csv("plants.csv", target="species")

A target of words, or of few whole numbers, is classes; other numbers are a regression. Nothing is guessed in silence: `Table.why`
says which it was and by what, and a cell that no network could learn from is refused with its line.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from micrograd_lite.data.dataset import Dataset, Made
from micrograd_lite.text.files import opened, read_whole

MOST_CLASSES = 10
"""Whole numbers of up to so many kinds, each twice or more on average, are classes."""

PIECE = 1 << 20
"""Bytes of a file that are read at once."""

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "?"))
"""What stands in a cell that holds nothing."""


class Table(NamedTuple):
    """A data set, and a sentence: what its target was taken for, and why."""

    data: Dataset
    why: str


def read_csv(path: str | os.PathLike[str], target: str | None = None, regression: bool = False) -> Dataset:
    """The data set in a CSV file; see `read_table`."""
    return read_table(path, target, regression).data


def read_table(path: str | os.PathLike[str], target: str | None = None, regression: bool = False) -> Table:
    """The data set in a CSV file, with the reason for what its target is.

    The first line names the columns; cells are parted by commas (by semicolons or tabs where the header has no comma).
    target: a column's name, by default the last one; all others are inputs, and numbers. regression: whole numbers are numbers.
    ValueError names the line of the first cell that is missing, no number or not finite, of a row of another width, and a
    column that is the same in every row. OSError when the file cannot be read.
    """
    with open(path, "rb") as file:
        return table_of(file.read(), str(path), target, regression)


def table_of(content: bytes, name: str, target: str | None, regression: bool) -> Table:
    """The same from the bytes of a file that is called `name`."""
    header, rows, lines = _cells(content, name)
    if target is not None and target not in header:
        raise ValueError(f"{name} has no column {target!r}; its columns are {', '.join(header)}")
    column = header.index(target) if target is not None else len(header) - 1
    target, features = header[column], (*header[:column], *header[column + 1 :])
    for position, title in enumerate(header):
        values = {row[position] for row in rows}
        if len(values) == 1:
            same = f"{name}, line {lines[0]}: column {title!r} is {rows[0][position]} here and in every row below"
            raise ValueError(f"{same}; nothing can be learned from it: leave it out")
    inputs = [[_number(cell, name, line, title) for cell, title in zip(row[:column] + row[column + 1 :], features)]
              for row, line in zip(rows, lines)]  # fmt: skip
    wanted = [row[column] for row in rows]
    classes, why = _classes(wanted, regression)
    if classes:
        data = Dataset(Path(name).stem, inputs, [classes.index(cell) for cell in wanted], len(classes), features, tuple(classes))
    else:
        numbers = [_number(cell, name, line, target) for cell, line in zip(wanted, lines)]
        data = Dataset(Path(name).stem, inputs, numbers, 0, features)
    from hashlib import sha256  # here, not above: importing the package stays cheap

    origin: Made = {"name": "read_csv", "path": name, "bytes": len(content), "sha256": sha256(content).hexdigest(),
                    "target": target, "regression": bool(regression)}  # fmt: skip
    return Table(data._replace(target_name=target, origin=(origin,)), f"target {target!r}: {why}")


def same_file(path: str, size: int, sha256: str) -> bytes:
    """The content of the very file of so many bytes and this SHA-256. ValueError or OSError says what was expected."""
    from hashlib import sha256 as new

    expected = f"expected the file of {size:,} bytes with the SHA-256 {sha256}"
    try:
        with opened(path) as file:
            actual, found = os.fstat(file.fileno()).st_size, new()
            for piece in iter(lambda: file.read(PIECE if actual == size else 0), b""):  # one of another size is not read
                found.update(piece)
    except OSError as error:
        raise type(error)(f"{path} cannot be read: {error.strerror}; {expected}") from error
    except ValueError as error:
        raise ValueError(f"{error}; {expected}") from error
    if actual != size or found.hexdigest() != sha256:
        got = f"{actual:,} bytes" if actual != size else f"the SHA-256 {found.hexdigest()}"
        raise ValueError(f"{path} is not the file that was trained, it has {got}; {expected}")
    return read_whole(path, size)


def read_rows(content: bytes, path: str) -> list[tuple[list[str], int]]:
    """The cells of each row that is not empty, the header among them, and the row's last line in the file."""
    import csv  # here, not above: importing the package stays cheap
    import io
    import re

    try:
        file = io.StringIO(content.decode("utf-8-sig"), newline="")
        first = re.sub('"[^"]*"', "", file.readline())  # a quoted name may hold any of them
        parted = "," if "," in first else ";" if ";" in first else "\t" if "\t" in first else ","
        file.seek(0)
        reader = csv.reader(file, delimiter=parted, strict=True)
        return [([cell.strip() for cell in row], reader.line_num) for row in reader if any(map(str.strip, row))]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a CSV file in UTF-8: {error}") from error


def _cells(content: bytes, path: str) -> tuple[list[str], list[list[str]], list[int]]:
    """The header, the rows without empty lines, and the line of each row in the file."""
    read = read_rows(content, path)
    if len(read) < 3:
        raise ValueError(f"{path} needs a line of names and at least two rows, it has {len(read)} lines that are not empty")
    (header, _), *rows = read
    if len(header) < 2:
        raise ValueError(f"{path} has one column, {header[0]!r}; it needs at least one input and a target")
    for title in header:
        if not title or header.count(title) > 1:
            raise ValueError(f"{path}, line 1: each column needs a name of its own, got {header}")
    if all(_is_number(title) for title in header):
        raise ValueError(f"{path}, line 1: the first line names the columns, got the numbers {', '.join(header)}")
    for row, line in rows:
        if len(row) != len(header):
            raise ValueError(f"{path}, line {line}: {len(row)} cells, the header names {len(header)} columns")
        for cell, title in zip(row, header):
            if cell.lower() in MISSING:
                raise ValueError(f"{path}, line {line}: column {title!r} is missing ({cell!r}); fill it in or leave the row out")
    return header, [row for row, _ in rows], [line for _, line in rows]


def _number(cell: str, path: str, line: int, title: str) -> float:
    if not _is_number(cell):
        what = "a number is written with a point" if _has_decimal_comma(cell) else "a word is no input: leave the column out"
        raise ValueError(f"{path}, line {line}: column {title!r} must be a number, got {cell!r}; {what}")
    number = float(cell)
    if not math.isfinite(number):
        raise ValueError(f"{path}, line {line}: column {title!r} must be finite, got {cell!r}")
    return number


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and "_" not in cell  # Python's own spellings are nobody's data


def _has_decimal_comma(cell: str) -> bool:
    """Whether the cell is a number as `67,9`."""
    return cell.count(",") == 1 and "." not in cell and _is_number(cell.replace(",", "."))


def _classes(cells: Sequence[str], regression: bool) -> tuple[list[str], str]:
    """The names of the classes in order, none for a regression, and the reason."""
    kinds = sorted(set(cells))
    if not all(map(_is_number, kinds)):
        if regression:
            raise ValueError(f"a regression needs numbers, and the target has {next(k for k in kinds if not _is_number(k))!r}")
        comma = next((kind for kind in kinds if _has_decimal_comma(kind)), "")
        if comma:
            raise ValueError(f"a number is written with a point, and the target has {comma!r}")
        if 2 * len(kinds) > len(cells):
            raise ValueError(f"the target has {len(kinds)} different words in {len(cells)} rows: too many to learn as classes")
        return kinds, f"words, so classes: {', '.join(kinds)}"
    whole = all(float(kind).is_integer() for kind in kinds)
    count = f"{'whole ' if whole else ''}numbers of {len(kinds)} kinds in {len(cells)} rows"
    if regression:
        return [], f"{count}, taken as a regression as asked"
    if whole and len(kinds) <= MOST_CLASSES and 2 * len(kinds) <= len(cells):
        kinds.sort(key=float)
        return kinds, f"{count}, so classes: {', '.join(kinds)}"
    return [], f"{count}, so a regression"
