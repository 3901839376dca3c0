"""Tracer: writes down a training run while it happens, so that it can be read at any moment, even after a crash.

    with Tracer("traces/xor") as tracer:
        for step in train(...):
            tracer.watch(step)

When `watch` returns, the step's rows are with the operating system: killing the process cannot lose them.
In a loop of one's own it is `tracer.log(loss, net)`, as trace/loop says.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from micrograd_lite.architecture import yes_or_no
from micrograd_lite.text.files import to_json, write_whole
from micrograd_lite.trace.again import SAME, changed, held, holds_a_run, refuse_another
from micrograd_lite.trace.append import Tables
from micrograd_lite.trace.checkpoint import Checkpoint, Earlier, Recent, last_step, write_checkpoint
from micrograd_lite.trace.fit import resumable
from micrograd_lite.trace.folder import (
    DATA,
    ENVIRONMENT,
    METRICS,
    claim,
    empty,
    reclaim,
    sweep,
    unlock,
    write_run,
)  # fmt: skip
from micrograd_lite.trace.loop import Loop
from micrograd_lite.trace.rows import DetailRows, metrics_header, metrics_row, rows_of, versions, write_weights
from micrograd_lite.trace.samples import taken_apart


class Tracer:
    """Writes the trace of one run into `folder`; use it as a context manager.

    every: parameters (of an array model, statistics of its arrays) are recorded at the first step, at each multiple
    of `every` and at the last step; metrics.csv has a row for every step. force: replace the run that the folder
    holds; "same" replaces it at the first step if it is this very run, of which nothing is lost. OSError names the path
    that cannot be written, FileExistsError or BlockingIOError says who is already there, ValueError that a number of
    steps is not positive.

    weights_every keeps all weights of an array model, before the first step and after the last too. With
    checkpoint_every a run can go on after a crash, by `Tracer(folder, resume=True)`, `train(..., resume=tracer.checkpoint)`
    and the same settings; its tables are then those of a run that was never interrupted. A run that cannot go on (it is
    finished, has no checkpoint, or one that does not fit its tables) is a ValueError, and no byte of it changes.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        every: int = 1,
        force: bool | str = False,
        weights_every: int | None = None,
        checkpoint_every: int | None = None,
        resume: bool = False,
    ) -> None:
        for name, steps in (("every", every), ("weights_every", weights_every), ("checkpoint_every", checkpoint_every)):
            if (steps is not None or name == "every") and (not isinstance(steps, int) or isinstance(steps, bool) or steps < 1):
                raise ValueError(f"{name} must be a whole number of at least 1, got {steps!r}")
        force, resume = force if force == SAME else yes_or_no("force", force), yes_or_no("resume", resume)
        if force and resume:
            raise ValueError("force and resume contradict each other: one replaces the run in the folder, one goes on with it")
        self.folder, self.every = Path(folder), every
        self.weights_every, self.checkpoint_every = weights_every, checkpoint_every
        self.started = time.monotonic()
        self.environment: dict[str, Any] = {"started": datetime.now(timezone.utc).isoformat(), **versions()}
        self.unsure = force == SAME and holds_a_run(self.folder)  # is it the same one?
        self.lock: int | None = reclaim(self.folder) if resume or self.unsure else claim(self.folder, force is True)
        self.tables = Tables(self.folder)
        self.run: dict[str, Any] = {}
        self.rows: Any = None  # what is written for each parameter, or for each array of a big model
        self.recent = Recent(rows=0)
        self.checkpoint: Checkpoint | None = None  # where the run goes on; give it to train(resume=...)
        self.loop: Loop | None = None  # of one's own, where its steps are logged
        try:
            if resume:
                self.checkpoint = resumable(self.folder)
            elif not self.unsure:
                write_whole(self.folder / ENVIRONMENT, to_json(self.environment))
        except BaseException:
            self._release()
            raise

    def watch(self, step: Any) -> None:
        """Write one step down. OSError names the path when the disk refuses; then nothing of this step is kept."""
        self._refuse_closed()
        if self.loop is not None:
            raise ValueError("this Tracer logs a loop of one's own: a Tracer watches one run; make another one")
        self._write(step)

    def log(self, loss: Any, net: Any, chain_rule: bool = False) -> None:
        """Note one step of a loop of one's own: call it after `loss.backward()`, before the update.

        net: a Module, or pairs of name and Value, the same in each call. A step is written when its update is over, at the
        next call or at close(); chain_rule: with every edge of its backward pass. OSError names the path when the disk
        refuses; ValueError, TypeError or FloatingPointError says what cannot be logged. A call that raised was no call.
        """
        self._refuse_closed()
        if self.checkpoint is not None or self.checkpoint_every:
            raise ValueError("a loop of one's own cannot be resumed, nobody but itself knows its state: only train() can")
        if self.loop is None and self.run:
            raise ValueError("this Tracer watches the steps of train(); make another one to log a loop of one's own")
        loop = self.loop or Loop(net)
        noted = loop.noted(loss, net, yes_or_no("chain_rule", chain_rule))
        self._write_waiting()
        loop.waiting, self.loop = noted, loop

    def _refuse_closed(self) -> None:
        if self.lock is None:
            raise ValueError(f"the trace {self.folder} is closed; make a new Tracer for another run")

    def _write_waiting(self) -> None:
        """Write the step that was logged last, if it is not written yet: its update is over now."""
        waiting, last = self.loop and self.loop.waiting, self._last()
        if self.loop and waiting and (last is None or last.number < waiting.number):
            self._write(self.loop.whole(waiting))

    def _write(self, step: Any) -> None:
        if not self.run:
            self._begin(step)
        last = self._last()
        if last is not None and (step.number <= last.number or step.run is not last.run):
            raise ValueError(f"step {step.number} comes after step {last.number}: a Tracer watches one run; make another one")
        if self.loop and step.chain and step.number not in self.run["chain_rule"]:  # run.json says so before the rows are there
            self.run = {**self.run, "chain_rule": [*self.run["chain_rule"], step.number]}
            write_run(self.folder, {"status": "running", **self.run})
        first = last is None
        blocks = {**(self.rows.blocks(step) if first or self._is_recorded(step.number) else {}), **self.details.blocks(step)}
        self.recent = Recent(self.steps, before=last, now=step)
        # metrics.csv comes last: its row says that the rows of the other tables are all there
        self.tables.append({**blocks, METRICS: (metrics_row(step, first), 1)})
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
        if self.unsure and self.lock is not None:
            refuse_another(self.folder, run, samples, metrics_row(step, first=True))
            empty(self.folder, self.lock)
            write_whole(self.folder / ENVIRONMENT, to_json(self.environment))
            self.unsure = False
        if samples:
            write_whole(self.folder / DATA, samples)
        for name, header in (rows.headers | details.headers).items():
            self.tables.open(name, header)
        self.tables.open(METRICS, metrics_header(run))
        write_run(self.folder, {"status": "running", **run})
        self.run, self.rows, self.details = run, rows, details

    def _go_on(self, run: dict[str, Any], number: int, samples: str = "") -> None:
        """Go on with the run in the folder at step `number`. ValueError when this is another run; then nothing has changed."""
        checkpoint = self.checkpoint
        names = [name for name in changed(self.folder, run, samples) if name != "epochs"]
        if names or checkpoint is None or number != checkpoint.step + 1:
            what = f"its {names[0]} differs" if names else f"step {number} does not follow its checkpoint"
            raise ValueError(f"{self.folder} holds another run, {what}: give train its settings and resume=tracer.checkpoint")
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
            if self.unsure:
                return  # nothing was watched: what stands in the folder stays as it is
            with suppress(OSError, TypeError, ValueError) if status != "finished" else nullcontext():
                self._write_waiting()
            if self.checkpoint is not None and not self.run:
                run = held(self.folder)
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
