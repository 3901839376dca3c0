"""Tracer: writes down a training run while it happens, so that it can be read at any moment, even after a crash.

    with Tracer("traces/xor") as tracer:
        for step in train(...):
            tracer.watch(step)

When `watch` returns, the step's rows are with the operating system: killing the process cannot lose them.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from micrograd_lite.files import to_json, write_whole
from micrograd_lite.trace import cells
from micrograd_lite.trace.append import Tables
from micrograd_lite.trace.folder import ENVIRONMENT, METRIC_COLUMNS, METRICS, claim, unlock, write_run
from micrograd_lite.trace.parameters import ParameterRows
from micrograd_lite.training import Step


class Tracer:
    """Writes the trace of one run into `folder`; use it as a context manager.

    every: parameters (of an array model, statistics of its arrays) are recorded at the first step, at each multiple
    of `every` and at the last step; metrics.csv has a row for every step. force: replace the run that the folder
    holds. OSError names the path that cannot be written, FileExistsError or BlockingIOError says who is already
    there, ValueError that `every` is not positive.
    """

    def __init__(self, folder: str | os.PathLike[str], every: int = 1, force: bool = False) -> None:
        if not isinstance(every, int) or isinstance(every, bool) or every < 1:
            raise ValueError(f"every must be a whole number of at least 1, got {every!r}")
        self.folder, self.every = Path(folder), every
        self.started = time.monotonic()
        self.environment: dict[str, Any] = {"started": datetime.now(timezone.utc).isoformat(), **versions()}
        self.lock: int | None = claim(self.folder, force)
        self.tables = Tables(self.folder)
        self.run: dict[str, Any] = {}
        self.rows: Any = None  # what is written for each parameter, or for each array of a big model
        self.recent: dict[int, Any] = {}  # steps by the number of rows with them; one may turn out to be the last
        try:
            write_whole(self.folder / ENVIRONMENT, to_json(self.environment))
        except BaseException:
            self._release()
            raise

    def watch(self, step: Any) -> None:
        """Write one step down. OSError names the path when the disk refuses; then nothing of this step is kept."""
        if self.lock is None:
            raise ValueError(f"the trace {self.folder} is closed; make a new Tracer for another run")
        if not self.run:
            self._begin(step)
        last = self.recent.get(self.steps)  # the last step that was written
        if last is not None and (step.number <= last.number or step.run is not last.run):
            raise ValueError(f"step {step.number} comes after step {last.number}: a Tracer watches one run; make another one")
        blocks = self.rows.blocks(step) if last is None or step.number % self.every == 0 else {}
        scalars = cells.numbers([step.loss, step.gradient_norm, step.update_norm, step.learning_rate])
        evaluated = "".join(
            "," + (cells.numbers([step.evaluation[name]]) if name in step.evaluation else "") for name in self.run["evaluation"]
        )
        # both, whatever becomes of this step: refused by the disk, it leaves the one before it as the last
        self.recent = {**({self.steps: last} if last is not None else {}), self.steps + 1: step}
        # metrics.csv comes last: its row says that the rows of the other tables are all there
        self.tables.append({**blocks, METRICS: (f"{step.number},{step.epoch},{scalars}{evaluated}\n", 1)})

    def follow(self, steps: Iterable[Any]) -> Iterator[Any]:
        """The same steps, each handed on when it has been written down."""
        for step in steps:
            self.watch(step)
            yield step

    @property
    def steps(self) -> int:
        """How many steps have been written."""
        return self.tables.extents[METRICS].rows if METRICS in self.tables.extents else 0

    def _begin(self, step: Any) -> None:
        run = {**step.run, "every": self.every}
        rows = _rows_of(step)
        for name, header in rows.headers.items():
            self.tables.open(name, header)
        self.tables.open(METRICS, cells.line((*METRIC_COLUMNS, *run["evaluation"])))
        write_run(self.folder, {"status": "running", **run})
        self.run, self.rows = run, rows

    def close(self, status: str = "finished", error: str | None = None) -> None:
        """Write the last step's rows and the final run.json: only now does the trace read as complete."""
        if self.lock is None:
            return
        try:
            last = self.recent.get(self.steps)
            recorded = last is None or self.steps == 1 or last.number % self.every == 0
            self.tables.append({} if recorded else self.rows.blocks(last))
            self.tables.close()  # before run.json: a network disk may report a failed write only now
            self.environment["seconds"] = round(time.monotonic() - self.started, 3)
            write_whole(self.folder / ENVIRONMENT, to_json(self.environment))
            counts = {name: extent.rows for name, extent in self.tables.extents.items()}
            ending = {"error": error} if error else {}
            write_run(self.folder, {"status": status, **ending, **self.run, "steps": self.steps, "rows": counts})
        finally:
            self._release()

    def _release(self) -> None:
        held, self.lock = self.lock, None
        try:
            self.tables.close()
        finally:
            if held is not None:
                unlock(self.folder, held)

    def __enter__(self) -> Tracer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is None:
            self.close()
            return
        status = "interrupted" if isinstance(error, (KeyboardInterrupt, GeneratorExit)) else "failed"
        with suppress(OSError):  # the first error is the one to report
            sentence = f"{type(error).__name__}: {error}".replace(f"{self.folder}{os.sep}", "")  # run.json holds no path
            self.close(status, sentence if status == "failed" else None)


def _rows_of(step: Any) -> Any:
    if isinstance(step, Step):
        return ParameterRows(step)
    from micrograd_lite.trace.layers import LayerRows  # NumPy loads only for a model that is made of it

    return LayerRows(step)


def versions() -> dict[str, Any]:
    """What the numbers were made with."""
    from micrograd_lite import __version__

    versions = {"micrograd_lite": __version__, "python": platform.python_version(), "system": platform.system()}
    numpy = sys.modules.get("numpy")
    return {**versions, "numpy": numpy.__version__} if numpy else versions
