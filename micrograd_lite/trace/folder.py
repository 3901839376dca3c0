"""A trace folder: which files the format names, who may write there, and run.json, the page that says what it is."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from micrograd_lite.text.files import from_json, opened, read_whole, to_json, write_whole
from micrograd_lite.trace.kinds import check_run

try:
    import fcntl
except ImportError:  # not a POSIX system: the lock is a file that only one process can create
    fcntl = None  # type: ignore[assignment]

MOST = 1 << 28
"""Bytes of run.json: it has room for the names of some million parameters."""
FORMAT = "micrograd-lite-trace/2"
RUN, METRICS, GRADIENTS, OPTIMIZER = "run.json", "metrics.csv", "gradients.csv", "optimizer.csv"
CHAIN, BY_SAMPLE, DATA = "chain_rule.csv", "gradients_by_sample.csv", "data.csv"
LAYERS, ENVIRONMENT, LOCK, WEIGHTS = "layers.csv", "environment.json", "run.lock", "weights"
METRIC_COLUMNS = ("step", "epoch", "loss", "gradient_norm", "update_norm", "learning_rate")
CHECKPOINTS = ("checkpoint.json", "checkpoint.npz")
FILES = (
    RUN, METRICS, GRADIENTS, OPTIMIZER, ENVIRONMENT, LOCK, LAYERS, CHAIN, BY_SAMPLE, DATA,
    *CHECKPOINTS, "layers.png", "weights_update.gif", "training_loss.gif", "decision_boundary.gif",
    "optimizer_paths.gif", "backward.gif", "curves.png", "predictions.png", "confusion.png",
    "network.gif", "learning.gif", "fit.gif", "gradients.gif", "updates.gif", "page.html",
    *(f"{name}.mp4" for name in ("weights_update", "training_loss", "decision_boundary", "network", "learning", "fit",
                                 "gradients", "updates")),
)  # fmt: skip
"""Every file that this format names; beside them, weights/step_NNNNNN.npz."""


REPLACE = "choose another folder, or replace it: --force for a command, Tracer(..., force=True) in a script"
"""What to do about a run that stands where another one shall be written."""

KEPT = re.compile(r"step_(\d{6,})\.npz")
PART = re.compile(rf"\.({'|'.join(map(re.escape, FILES))}|{KEPT.pattern})\.[0-9a-f]{{8}}\.part")
"""The temporary files of write_whole, left behind by kill -9."""


def read_run(folder: Path) -> dict[str, Any]:
    """run.json of a trace folder, checked as a whole. FileNotFoundError or ValueError says why this is no trace of ours."""
    path = folder / RUN
    try:
        content = read_whole(path, MOST)
    except (FileNotFoundError, NotADirectoryError) as error:
        what = "is not a trace folder: it has no run.json" if folder.exists() else "does not exist"
        raise FileNotFoundError(f"{folder} {what}; a trace is made by micrograd-lite train, or by a Tracer") from error
    try:
        run = from_json(content)
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    got = run.get("format") if isinstance(run, dict) else None
    if got == "micrograd-lite-trace/1":
        again = "remove the folder and make it again, with the command, script or demo that trained it"
        raise ValueError(f"{path} is of format {got!r}, before names and formulas changed; {again}")
    if got != FORMAT:
        raise ValueError(f"{path} is of format {got!a:.100}; this version reads {FORMAT!r}")
    try:
        check_run(run)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return dict(run)


def first_unmeasured(run: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The first row of metrics.csv, whose columns that were not measured hold NaN and not nothing, with None for those.

    Programs take a column's type from its first rows: so a column of numbers is one, wherever its first number stands.
    """
    made = dict(row)
    for column in run.get("evaluation", []):
        every = run.get("change_every" if column.endswith("_change") else "evaluate_every")
        if every != 1 and made.get(column) != made.get(column):
            made[column] = None
    return made


def write_run(folder: Path, run: dict[str, Any]) -> None:
    """Replace run.json as a whole."""
    write_whole(folder / RUN, to_json({"format": FORMAT, **run}))


def settings(run: dict[str, Any]) -> dict[str, Any]:
    """What run.json says of a run from its beginning: not its status, nor what is counted at its end."""
    return {name: entry for name, entry in run.items() if name not in ("format", "status", "error", "steps", "rows")}


def claim(folder: Path, force: bool) -> int:
    """Make the folder ready for a new run and lock it; returns the descriptor that holds the lock.

    FileExistsError when it holds a trace (and not `force`) or anything else; BlockingIOError when a run is being
    written there right now. With `force`, only files that the format names are removed, and only from a trace.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(folder, force)
    descriptor = lock(folder)
    try:
        _refuse_foreign(folder, force)  # again: another writer may have come and gone before we held the lock
        empty(folder, descriptor)
    except BaseException:
        unlock(folder, descriptor)
        raise
    return descriptor


def empty(folder: Path, descriptor: int) -> None:
    """Remove the run that a folder holds, which is locked by this descriptor. OSError names the path."""
    # run.json first: whoever looks, or takes over after our death, finds a trace at every moment
    write_run(folder, {"status": "running"})
    try:
        os.ftruncate(descriptor, 0)
    except OSError as error:
        raise OSError(error.errno, f"cannot write: {error.strerror}", str(folder / METRICS)) from error
    for path in _files_of_the_format(folder):
        if path.name not in (RUN, METRICS, LOCK):  # metrics.csv carries the lock; it is emptied, not removed
            path.unlink()


def reclaim(folder: Path) -> int:
    """Lock the folder of a run that is to go on, changing nothing. Errors as for `claim` and `read_run`."""
    read_run(folder)
    if not (folder / METRICS).is_file():
        raise ValueError(f"{folder} has no {METRICS}, so its run cannot go on; replace it with force=True")
    return lock(folder)


def sweep(folder: Path, step: int, every: int | None) -> None:
    """Remove what an earlier process left that a run has not when it never stopped before `step`.

    Half-written files, and weights kept after `step` or between the multiples of `every`. OSError names the path.
    """
    for path in [*_files_of_the_format(folder)]:
        kept = KEPT.fullmatch(path.name)
        if PART.fullmatch(path.name) or (kept and (int(kept[1]) > step or (every and int(kept[1]) % every))):
            path.unlink()


def _refuse_foreign(folder: Path, force: bool) -> None:
    leftover = folder / METRICS  # empty when a writer died between taking the lock and its first file
    if all(
        path.name == LOCK or PART.fullmatch(path.name) or (path == leftover and not path.stat().st_size)
        for path in folder.iterdir()
    ):
        return
    try:
        run = read_run(folder)
    except (OSError, ValueError) as error:
        raise FileExistsError(f"{folder} is not empty and is not a trace of {FORMAT}; choose another folder") from error
    if not force:
        raise FileExistsError(
            f"{folder} already holds a trace ({run.get('steps', 'some')} steps, {run.get('status')}); {REPLACE}"
        )


def _files_of_the_format(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in FILES if (folder / name).is_file())
    yield from (path for path in folder.iterdir() if PART.fullmatch(path.name))
    if (folder / WEIGHTS).is_dir() and not (folder / WEIGHTS).is_symlink():
        yield from (path for path in (folder / WEIGHTS).iterdir() if KEPT.fullmatch(path.name) or PART.fullmatch(path.name))


def lock(folder: Path, name: str = METRICS) -> int:
    """An open file of the folder, metrics.csv, that no other process can lock. BlockingIOError when another one holds it."""
    refusal = BlockingIOError(f"another run is being written to {folder} right now; wait for it or choose another folder")
    if fcntl is None:
        try:
            os.close(os.open(folder / LOCK, os.O_CREAT | os.O_EXCL))
        except FileExistsError as error:
            raise refusal from error
    try:
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except BaseException:
        if fcntl is None:
            (folder / LOCK).unlink(missing_ok=True)
        raise
    if fcntl is None:
        return descriptor
    for _ in range(5):  # a reader that asks whether the writer lives holds the lock for a moment
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            time.sleep(0.02)
        except OSError as error:
            os.close(descriptor)
            raise OSError(error.errno, f"cannot lock: {error.strerror}", str(folder / name)) from error
    os.close(descriptor)
    raise refusal


def unlock(folder: Path, descriptor: int) -> None:
    """Let others write here."""
    with suppress(OSError):  # run.json is in place, and the lock is gone even when closing fails
        os.close(descriptor)
    if fcntl is None:
        (folder / LOCK).unlink(missing_ok=True)


def is_being_written(folder: Path) -> bool:
    """Does a live process hold the lock?"""
    if fcntl is None:
        return (folder / LOCK).exists()
    with suppress(OSError, ValueError), opened(folder / METRICS) as metrics:
        try:
            fcntl.flock(metrics, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
