"""Does a checkpoint fit its folder? Asked before a run goes on, because going on cuts every table back to it.

A table is cut between two steps or not at all: just before the cut stands the last row of the checkpoint's step (or of
the last recorded step before it), just after the cut a later one. Of a long table, lines are counted, not read.
"""

from __future__ import annotations

import csv
import math
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from micrograd_lite.text import cells
from micrograd_lite.text.npz import Unreadable, read_arrays
from micrograd_lite.trace.append import NO_LINK
from micrograd_lite.trace.checkpoint import Checkpoint, read_checkpoint
from micrograd_lite.trace.folder import BY_SAMPLE, CHAIN, GRADIENTS, METRICS, OPTIMIZER, REPLACE, WEIGHTS, read_run
from micrograd_lite.trace.kinds import most_numbers

PIECE = 1 << 20
"""Bytes read in one go."""


class Reach(NamedTuple):
    """A table up to a cut: its rows, the step of the last one, and the step of the row after the cut (None: no row)."""

    rows: int
    before: int | None
    after: int | None


def resumable(folder: Path) -> Checkpoint:
    """The checkpoint of a run that can go on, checked against run.json and every table. ValueError says why it cannot."""
    run = read_run(folder)
    if run.get("status") == "finished":
        raise ValueError(f"{folder} holds a finished run, there is nothing to go on with: {REPLACE}")
    checkpoint = read_checkpoint(folder, run)
    if (folder / WEIGHTS).is_symlink():
        raise ValueError(f"{folder / WEIGHTS} is a link, so this run cannot go on: weights are kept in the folder itself")
    try:
        _check_tables(folder, run, checkpoint)
        _check_numbers(folder, run, checkpoint)
    except (LookupError, TypeError, AttributeError, ZeroDivisionError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{folder} does not fit its checkpoint: {error!r}"[:500]) from error
    return checkpoint


def _check_tables(folder: Path, run: dict[str, Any], checkpoint: Checkpoint) -> None:
    step, parameters = checkpoint.step, len(run["parameters"])
    reached = {name: reach(folder / name, extent.size) for name, extent in checkpoint.extents.items()}
    recorded = max(step // run["every"] * run["every"], _first_step(folder / METRICS))
    for name, found in reached.items():
        extent = checkpoint.extents[name]
        chosen = name in (CHAIN, BY_SAMPLE)  # not every step has rows there
        last = step if chosen or name == METRICS or found.before == step else recorded
        right = (found.before or 0) <= last if chosen or (not parameters and name != METRICS) else found.before == last
        whole = chosen or name == METRICS or found.rows % (parameters or 1) == 0
        if not right or not whole or (found.after is not None and found.after <= last):
            raise ValueError(f"{folder / name} does not fit the checkpoint: byte {extent.size:,} is not the end of step {last}")
        if found.rows != extent.rows or extent.rows > run.get("rows", {}).get(name, math.inf):
            raise ValueError(f"{folder / name} does not fit the checkpoint: {found.rows} rows, not {extent.rows}")


def reach(path: Path, size: int) -> Reach:
    """What stands before and after byte `size` of a table. ValueError when a row does not end there."""
    with _opened(path) as file:
        if os.fstat(file.fileno()).st_size < size:
            raise ValueError(f"{path} is shorter than it was at the checkpoint: {size:,} bytes are needed to go on")
        lines, line, place, piece = 0, 0, 0, b""  # line: where the last one starts
        while place < size and (piece := file.read(min(PIECE, size - place))):
            ended = piece.rfind(b"\n", 0, size - place - 1)  # the newline before the last line, if it is in this piece
            line = place + ended + 1 if ended >= 0 else line
            place += len(piece)
            lines += piece.count(b"\n")
        if not piece.endswith(b"\n"):
            raise ValueError(f"{path} does not fit the checkpoint: byte {size:,} is in the middle of a row")
        after = file.read(40)
        file.seek(line)
        return Reach(lines - 1, _step(path, file.read(40)) if lines > 1 else None, _step(path, after) if b"," in after else None)


def _opened(path: Path) -> BinaryIO:
    """A table, which is a file of its folder and neither a link nor a pipe. ValueError or OSError names what is not."""
    descriptor = os.open(path, os.O_RDONLY | NO_LINK | getattr(os, "O_NONBLOCK", 0))  # a pipe without a writer would hang
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(f"{path} does not fit the checkpoint: it is no regular file")
    return open(descriptor, "rb")


def _step(path: Path, row: bytes) -> int:
    cell = row.partition(b",")[0]
    if not cell.isdigit():
        raise ValueError(f"{path} does not fit the checkpoint: a row starts with {cell!r}, which is no step")
    return int(cell)


def _first_step(path: Path) -> int:
    with _opened(path) as file:
        file.readline(PIECE)
        return _step(path, file.readline(PIECE))


def _check_numbers(folder: Path, run: dict[str, Any], checkpoint: Checkpoint) -> None:
    """What stands in the folder a second time must be the same there: parameters and memory after the checkpoint's step."""
    kept = folder / WEIGHTS / f"step_{checkpoint.step:06d}.npz"
    if GRADIENTS not in checkpoint.extents:
        if kept.is_file() and _weights(kept, run) != list(checkpoint.parameters):
            raise ValueError(f"the checkpoint of {folder} has other parameters than {kept}")
        return
    memory = dict(zip(run["optimizer_memory"], zip(*checkpoint.memory)))
    for name, columns in ((GRADIENTS, {"after": checkpoint.parameters}), (OPTIMIZER, memory)):
        for column, numbers in columns.items():
            cells_there = _last_cells(folder / name, checkpoint, len(run["parameters"]), column)
            if cells_there and cells_there != [cells.number(number) for number in numbers]:
                raise ValueError(f"the checkpoint of {folder} has other numbers than the column {column} of {name}")


def _weights(path: Path, run: dict[str, Any]) -> list[float]:
    try:
        tables = read_arrays(path, most_numbers(run["model"]))
    except Unreadable as error:
        raise ValueError(f"{path} does not fit the checkpoint: {error}") from error
    return [number for name in run["parameters"] for number in tables[name].numbers]


def _last_cells(path: Path, checkpoint: Checkpoint, rows: int, column: str) -> list[str]:
    """One column of the checkpoint's step, in the last rows before the cut; none when that step was not recorded."""
    size = checkpoint.extents[path.name].size
    with _opened(path) as file:
        header = next(csv.reader([file.readline(PIECE).decode("utf-8")]))
        room = 256 * (rows + 1)
        while True:
            file.seek(max(0, size - room))
            lines = file.read(min(size, room)).split(b"\n")[:-1]
            if len(lines) > rows or room >= size:  # else the first of them may be half a line
                break
            room *= 4
    table = [dict(zip(header, row)) for row in csv.reader(line.decode("utf-8") for line in lines[len(lines) - rows :])]
    return [row[column] for row in table if row["step"] == str(checkpoint.step)]
