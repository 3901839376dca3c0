"""A sweep: the same job for every combination of some settings, on any concurrent.futures Executor, a Dask cluster's too.

    for run in sweep(job, {"layers": [[2], [4]], "seed": range(500)}, "traces/seeds"):
        print(run.settings, run.result or run.error)

One run says little: a 2-2-1 network learns XOR from 300 of 500 seeds. The same sweep started again does what is missing.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import platform
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from functools import partial
from hashlib import sha256
from itertools import product
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple

from micrograd_lite.text.files import to_json, write_whole
from micrograd_lite.text.shares import TAKEN, summary
from micrograd_lite.trace.folder import lock, unlock

FORMAT = "micrograd-lite-sweep/1"
SWEEP, LOCK, RESULT, SUMMARY = "sweep.json", "sweep.lock", "result.json", "summary.csv"

Settings = dict[str, Any]
Job = Callable[[Settings], dict[str, Any]]
Place = str | os.PathLike[str]


class Run(NamedTuple):
    """One run: what its job returned, or the sentence with which it failed. Neither: it is still to be done."""

    settings: Settings
    result: dict[str, Any] | None = None
    error: str | None = None

    @property
    def done(self) -> bool:
        """Has it ended, well or not?"""
        return self.result is not None or self.error is not None

    @property
    def name(self) -> str:
        """Its folder's: a hash of its settings."""
        return sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:16]


def sweep(job: Job, grid: Mapping[str, Sequence[Any]], folder: Place, pool: Executor | None = None) -> Iterator[Run]:
    """Do `job(settings)` for every combination of the grid, and yield each Run when it is there, those of earlier starts first.

    job: a function at the top of a module, which returns a dict of numbers, words and lists; `learned` (True or False) and
    `final_loss` are counted by `show`. Its errors are recorded and end nothing, but for the machine's (OSError, ImportError,
    MemoryError). folder: where every worker can write. pool: by default a process a core. At the end summary.csv has a row a
    run, in grid order: the same bytes whoever did them. ValueError at the door, FileExistsError or BlockingIOError for the
    folder, OSError when the disk or a worker fails: as after Ctrl-C, what has finished is kept, and the same call goes on.
    """
    try:
        pickle.dumps(job)
    except Exception as error:  # pickle raises what it likes
        raise ValueError(f"the job must be a function at the top of a module, which other processes can find: {error}") from error
    return _swept(job, checked(grid), Path(folder).absolute(), pool)


def _swept(job: Job, grid: dict[str, list[Any]], folder: Path, pool: Executor | None) -> Iterator[Run]:
    descriptor = _claim(folder, job, grid)
    try:
        todo = []
        for run in runs(folder):
            if run.done:
                yield run
            else:
                todo.append(run.settings)
        if todo:
            with nullcontext(pool) if pool else processes(min(os.cpu_count() or 1, len(todo))) as workers:
                yield from _finished(workers, job, todo, folder)
        write_whole(folder / SUMMARY, summary(runs(folder)))
    finally:
        unlock(folder, descriptor)


def _finished(pool: Executor, job: Job, todo: Sequence[Settings], folder: Path) -> Iterator[Run]:
    futures: list[Future[Run]] = []
    try:
        with _deaf():
            futures += [pool.submit(one, job, settings, str(folder)) for settings in todo]
        for future in as_completed(futures):
            yield future.result()
    except OSError:
        raise
    except Exception as error:
        died = isinstance(error, (BrokenExecutor, CancelledError))
        what = "a worker process or the cluster's scheduler has died" if died else f"a worker cannot do a run: {error!r}"
        raise ChildProcessError(f"{what}; what has finished is kept, and the same sweep started again goes on") from error
    finally:
        for future in futures:
            future.cancel()


@contextmanager
def _deaf() -> Iterator[None]:
    """Let Ctrl-C wait, here, and in a process that starts now until it can answer: it would print a traceback."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def one(job: Job, settings: Settings, folder: str) -> Run:
    """Do one run, in a worker, and write its result down. OSError when the folder is not there or cannot be written."""
    if not Path(folder, SWEEP).is_file():
        raise FileNotFoundError(f"the worker on {platform.node()} does not see {folder}; all workers must share a sweep's folder")
    place, run = place_of(folder, settings), read(folder, settings)
    if run.done:  # Dask asks again for what a worker had done that has died since
        return run
    place.mkdir(parents=True, exist_ok=True)
    _tidy(place)
    try:
        result = dict(job(dict(settings)))
        if taken := {*result} & {*settings, *TAKEN}:
            raise ValueError(f"the job's result has a {min(taken)!r}, and so has its table already")
        text = to_json({"settings": settings, "result": result})
    except (OSError, ImportError, MemoryError):  # not the fault of these settings: another start may do better
        raise
    except Exception as error:
        text = to_json({"settings": settings, "error": " ".join(f"{type(error).__name__}: {error}".split())})
    write_whole(place / RESULT, text)
    return read(folder, settings)


@contextmanager
def processes(jobs: int) -> Iterator[Executor]:
    """A pool of so many processes, which end with this one however it ends, and do not hear a terminal's Ctrl-C."""
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    ours, theirs = context.Pipe()
    pool = ProcessPoolExecutor(jobs, context, _follow, (theirs,))
    try:
        yield pool
        pool.shutdown()
    finally:
        ours.close()  # ends the runs in flight
        pool.shutdown(cancel_futures=True)
        theirs.close()


def _follow(end: Any) -> None:
    """In a worker: die as soon as the other end is closed, by the sweep, or by the system when the sweep is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def die() -> None:
        wait([end])
        os._exit(1)

    threading.Thread(target=die, daemon=True).start()


def checked(grid: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """The grid as JSON holds it. ValueError for a name without values, a value that JSON has not or that is there twice."""
    made: dict[str, list[Any]] = {}
    for name, values in grid.items():
        if not isinstance(name, str) or name in ("", *TAKEN) or isinstance(values, str) or not len(values):
            raise ValueError(f"the grid's {name!r} must be a name, none of {', '.join(TAKEN)}, with a list of values")
        try:
            spelled = [json.dumps(value, allow_nan=False) for value in values]
        except (TypeError, ValueError) as error:
            raise ValueError(f"the grid's {name} must be finite numbers, words and lists of them: {error}") from error
        if len(set(spelled)) < len(spelled):
            raise ValueError(f"the grid's {name} has a value twice: {', '.join(spelled)}"[:200])
        made[name] = [json.loads(value) for value in spelled]
    if not made:
        raise ValueError("a grid needs a name with its values, such as {'seed': range(10)}")
    return made


def _claim(folder: Path, job: Job, grid: dict[str, list[Any]]) -> int:
    """Lock the folder for a new sweep, or for this one again; the descriptor holds the lock."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / SWEEP).exists() and any(path.suffix not in (".lock", ".part") for path in folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty and holds no sweep; choose another folder")
    descriptor = lock(folder, LOCK)
    try:
        name = getattr(job.func if isinstance(job, partial) else job, "__qualname__", type(job).__qualname__)
        if not (folder / SWEEP).exists():
            write_whole(folder / SWEEP, to_json({"format": FORMAT, "job": name, "grid": grid}))
        found = read_sweep(folder)
        there, here = {**found["grid"], "job": found["job"]}, {**grid, "job": name}
        differing = [name for name in {**here, **there} if there.get(name) != here.get(name)]
        if differing or [*there] != [*here]:
            what = [*differing, "order of names"][0]
            raise FileExistsError(f"{folder} holds another sweep, its {what} differs; choose another folder")
        _tidy(folder)
    except BaseException:
        unlock(folder, descriptor)
        raise
    return descriptor


def _tidy(folder: Path) -> None:
    """Remove what a killed process has half written."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)


def place_of(folder: Place, settings: Settings) -> Path:
    """The folder of the run with these settings."""
    return Path(folder, "runs", Run(settings).name)


def read_sweep(folder: Place) -> dict[str, Any]:
    """sweep.json of a folder: its job and its grid. FileNotFoundError or ValueError when there is none that we can read."""
    record = _read(Path(folder, SWEEP))
    if record.get("format") != FORMAT or "job" not in record or not isinstance(record.get("grid"), dict):
        raise ValueError(f"{Path(folder, SWEEP)} is of format {str(record.get('format'))[:60]!r}; this version reads {FORMAT!r}")
    return record


def runs(folder: Place) -> list[Run]:
    """Every run of a sweep in grid order, at any moment; the last name's values change first."""
    grid = read_sweep(folder)["grid"]
    return [read(folder, dict(zip(grid, values))) for values in product(*grid.values())]


def read(folder: Place, settings: Settings) -> Run:
    """The run with these settings as its result.json has it. ValueError when that is no result of theirs."""
    path = place_of(folder, settings) / RESULT
    try:
        record = _read(path)
    except FileNotFoundError:
        return Run(settings)
    if record.get("settings") != settings or not (record.get("error") or isinstance(record.get("result"), dict)):
        raise ValueError(f"{path} is no result of its run; remove it, and the run is done again")
    return Run(settings, record.get("result"), record.get("error"))


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is no record in JSON: {error}") from error
