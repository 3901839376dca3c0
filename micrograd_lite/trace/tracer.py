"""Tracer: writes down a training run while it happens, so that it can be read at any moment, even after a crash.

    with Tracer("traces/xor") as tracer:
        for step in train(...):
            tracer.watch(step)

When `watch` returns, the step's rows are with the operating system: killing the process cannot lose them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from micrograd_lite.architecture import yes_or_no
from micrograd_lite.text import cells
from micrograd_lite.text.files import to_json, write_whole
from micrograd_lite.trace.append import Tables
from micrograd_lite.trace.checkpoint import Checkpoint, Earlier, last_step, write_checkpoint
from micrograd_lite.trace.fit import resumable
from micrograd_lite.trace.folder import (
    DATA,
    ENVIRONMENT,
    METRIC_COLUMNS,
    METRICS,
    claim,
    read_run,
    reclaim,
    sweep,
    unlock,
    write_run,
)
from micrograd_lite.trace.rows import DetailRows, rows_of, versions, write_weights
from micrograd_lite.trace.samples import taken_apart


class Recent(NamedTuple):
    """The step before, and the one now being written: it is the last one once metrics.csv has more than so many rows.

    Both are kept whatever becomes of the second: refused by the disk or interrupted, it leaves the one before it as the last.
    """

    rows: int
    before: Any = None
    now: Any = None


class Tracer:
    """Writes the trace of one run into `folder`; use it as a context manager.

    every: parameters (of an array model, statistics of its arrays) are recorded at the first step, at each multiple
    of `every` and at the last step; metrics.csv has a row for every step. force: replace the run that the folder
    holds. OSError names the path that cannot be written, FileExistsError or BlockingIOError says who is already
    there, ValueError that a number of steps is not positive.

    weights_every keeps all weights of an array model, before the first step and after the last too. With
    checkpoint_every a run can go on after a crash, by `Tracer(folder, resume=True)`, `train(..., resume=tracer.checkpoint)`
    and the same settings; its tables are then those of a run that was never interrupted. A run that cannot go on (it is
    finished, has no checkpoint, or one that does not fit its tables) is a ValueError, and no byte of it changes.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        every: int = 1,
        force: bool = False,
        weights_every: int | None = None,
        checkpoint_every: int | None = None,
        resume: bool = False,
    ) -> None:
        for name, steps in (("every", every), ("weights_every", weights_every), ("checkpoint_every", checkpoint_every)):
            if (steps is not None or name == "every") and (not isinstance(steps, int) or isinstance(steps, bool) or steps < 1):
                raise ValueError(f"{name} must be a whole number of at least 1, got {steps!r}")
        force, resume = yes_or_no("force", force), yes_or_no("resume", resume)
        if force and resume:
            raise ValueError("force and resume contradict each other: one replaces the run in the folder, one goes on with it")
        self.folder, self.every = Path(folder), every
        self.weights_every, self.checkpoint_every = weights_every, checkpoint_every
        self.started = time.monotonic()
        self.environment: dict[str, Any] = {"started": datetime.now(timezone.utc).isoformat(), **versions()}
        self.lock: int | None = reclaim(self.folder) if resume else claim(self.folder, force)
        self.tables = Tables(self.folder)
        self.run: dict[str, Any] = {}
        self.rows: Any = None  # what is written for each parameter, or for each array of a big model
        self.recent = Recent(rows=0)
        self.checkpoint: Checkpoint | None = None  # where the run goes on; give it to train(resume=...)
        try:
            if resume:
                self.checkpoint = resumable(self.folder)
            else:
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
        last = self._last()
        if last is not None and (step.number <= last.number or step.run is not last.run):
            raise ValueError(f"step {step.number} comes after step {last.number}: a Tracer watches one run; make another one")
        first = last is None
        blocks = {**(self.rows.blocks(step) if first or self._is_recorded(step.number) else {}), **self.details.blocks(step)}
        scalars = cells.numbers([step.loss, step.gradient_norm, step.update_norm, step.learning_rate])
        columns = self.run["evaluation"]
        evaluated = "".join(f",{cells.number(step.evaluation[name]) if name in step.evaluation else ''}" for name in columns)
        self.recent = Recent(self.steps, before=last, now=step)
        # metrics.csv comes last: its row says that the rows of the other tables are all there
        self.tables.append({**blocks, METRICS: (f"{step.number},{step.epoch},{scalars}{evaluated}\n", 1)})
        if self.weights_every:
            ends = step.number == last_step(self.run)
            write_weights(self.folder, step, first, kept=ends or step.number % self.weights_every == 0)
        if self.checkpoint_every and step.number % self.checkpoint_every == 0:
            write_checkpoint(self.folder, step, self.tables.extents)

    def follow(self, steps: Iterable[Any]) -> Iterator[Any]:
        """The same steps, each handed on when it has been written down."""
        for step in steps:
            self.watch(step)
            yield step

    @property
    def steps(self) -> int:
        """How many steps have been written."""
        return self.tables.extents[METRICS].rows if METRICS in self.tables.extents else 0

    def _is_recorded(self, number: int) -> bool:
        """Is this one of the steps, after the first, whose rows are written as soon as they are watched?"""
        return number % self.every == 0 or number == last_step(self.run)

    def _last(self) -> Any:
        """The last step that was written, None before the first."""
        return self.recent.now if self.steps > self.recent.rows else self.recent.before

    def _begin(self, step: Any) -> None:
        told, samples = taken_apart(step.run)
        run = {**told, "every": self.every, "weights_every": self.weights_every}
        rows, details = rows_of(step), DetailRows(run)
        if self.checkpoint is not None:
            self._go_on(run, step.number, samples)
            self.recent = Recent(self.steps, before=Earlier(self.checkpoint.step, step.run))
            self.run, self.rows, self.details = run, rows, details
            return
        if samples:
            write_whole(self.folder / DATA, samples)
        for name, header in (rows.headers | details.headers).items():
            self.tables.open(name, header)
        self.tables.open(METRICS, cells.line((*METRIC_COLUMNS, *run["evaluation"])))
        write_run(self.folder, {"status": "running", **run})
        self.run, self.rows, self.details = run, rows, details

    def _go_on(self, run: dict[str, Any], number: int, samples: str | None = None) -> None:
        """Go on with the run in the folder at step `number`. ValueError when this is another run; then nothing has changed."""
        earlier, checkpoint = _settings(read_run(self.folder)), self.checkpoint
        wanted = json.loads(to_json(_settings(run)))
        changed = [name for name in {**wanted, **earlier} if name != "epochs" and wanted.get(name) != earlier.get(name)]
        if samples and (self.folder / DATA).read_text(encoding="utf-8") != samples:
            changed.append("data")
        if changed or checkpoint is None or number != checkpoint.step + 1:
            what = f"its {changed[0]} differs" if changed else f"step {number} does not follow its checkpoint"
            raise ValueError(f"{self.folder} holds another run, {what}: to go on, train with the same settings and resume=")
        self.tables.reopen(checkpoint.extents)
        write_run(self.folder, {"status": "running", **run})  # first: from now on nothing in the folder counts as complete
        write_whole(self.folder / ENVIRONMENT, to_json(self.environment))
        self.tables.append({})  # cuts them back to the checkpoint
        sweep(self.folder, checkpoint.step, None if checkpoint.step == last_step(run) else self.weights_every)

    def close(self, status: str = "finished", error: str | None = None) -> None:
        """Write the last step's rows and the final run.json: only now does the trace read as complete."""
        if self.lock is None:
            return
        try:
            if self.checkpoint is not None and not self.run:
                run = _settings(read_run(self.folder))
                if status != "finished" or self.checkpoint.step != last_step(run):
                    return  # nothing was watched since: the run stays as it is, to go on another time
                self._go_on(run, self.checkpoint.step + 1)  # its process died between the last step and close()
                self.run = run
            last = self._last()
            if self.weights_every and last is not None and not isinstance(last, Earlier):
                write_weights(self.folder, last)
            recorded = last is None or isinstance(last, Earlier) or self.steps == 1 or self._is_recorded(last.number)
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


def _settings(run: dict[str, Any]) -> dict[str, Any]:
    """What run.json says of a run from its beginning: not its status, nor what is counted at its end."""
    return {name: entry for name, entry in run.items() if name not in ("format", "status", "error", "steps", "rows")}
