"""Trace: reads a trace folder back, at any moment: while it is being written, after a crash, or whole.

A reader sees whole steps or nothing. A step counts once its row stands in metrics.csv, which is written last.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from micrograd_lite.chain.rows import ChainRow
from micrograd_lite.text.cells import read_table
from micrograd_lite.trace.folder import (
    BY_SAMPLE,
    CHAIN,
    GRADIENTS,
    LAYERS,
    METRIC_COLUMNS,
    METRICS,
    OPTIMIZER,
    RUN,
    WEIGHTS,
    first_unmeasured,
    is_being_written,
    read_run,
)
from micrograd_lite.trace.kinds import by_hand, check_sizes, most_numbers, weights_of
from micrograd_lite.trace.rows import CHAIN_COLUMNS
from micrograd_lite.trace.samples import with_samples


class GradientRow(NamedTuple):
    """What one step did to one parameter: after = before + update."""

    step: int
    parameter: str
    before: float
    gradient: float
    update: float
    after: float


class Trace:
    """The trace in `folder` as it stood when each table was first asked for. Nothing is ever written.

    FileNotFoundError when there is no trace, ValueError when its format is another one or a row is not whole.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        run = read_run(self.folder)
        try:
            check_sizes(run)
        except ValueError as error:
            raise ValueError(f"{self.folder / RUN}: {error}") from error
        self.run = with_samples(run, self.folder)
        self.names: list[str] = list(self.run.get("parameters", []))

    def _repr_html_(self) -> str:
        from micrograd_lite.page.notebook import of_trace

        return of_trace(self)

    @property
    def status(self) -> str:
        """finished, interrupted or failed; running; killed (running, but nobody writes); damaged (rows are missing)."""
        if self.run["status"] == "running":
            # asked in this order: a writer that closes now has written run.json before it lets go of the lock
            if is_being_written(self.folder) or read_run(self.folder)["status"] != "running":
                return "running"
            return "killed"
        return "damaged" if self.damage else str(self.run["status"])

    @property
    def damage(self) -> str:
        """A sentence about the first table that has not the rows that run.json counted; empty when all is there."""
        for name, rows in self.run.get("rows", {}).items():
            found = sum(1 for _ in read_table(self.folder / name, ("step",)))
            if found != rows:
                return f"{self.folder / name} has {found} whole rows, but run.json counted {rows} when the run ended"
        return ""

    def metrics(self) -> list[dict[str, Any]]:
        """One dict a step: step, epoch, loss, ...; None where a column was not measured at that step."""
        return self._metrics

    @cached_property
    def _metrics(self) -> list[dict[str, Any]]:
        rows = list(read_table(self.folder / METRICS, METRIC_COLUMNS))
        return [first_unmeasured(self.run, row) for row in rows[:1]] + rows[1:]

    @property
    def _last(self) -> int:
        """The last whole step, 0 before there is one. Ask before reading a table: this row vouches for those of the others."""
        return int(self._metrics[-1]["step"]) if self._metrics else 0

    def gradients(self, step: int) -> list[GradientRow]:
        """The gradient table of one recorded step, in the order of the parameters. ValueError when it is not recorded."""
        if step not in self._blocks:
            raise ValueError(f"step {step} is not in {self.folder / GRADIENTS}; recorded steps: {_range(self.steps())}")
        return self._blocks[step]

    def steps(self) -> list[int]:
        """The recorded steps, in order."""
        return list(self._blocks)

    @cached_property
    def _blocks(self) -> dict[int, list[GradientRow]]:
        last = self._last
        blocks: dict[int, list[GradientRow]] = {}
        for row in read_table(self.folder / GRADIENTS, GradientRow._fields):
            if row["step"] <= last:
                blocks.setdefault(row["step"], []).append(GradientRow(**row))
        return {step: rows for step, rows in blocks.items() if len(rows) == len(self.names)}

    def series(self, parameter: str, column: str = "after") -> tuple[list[int], list[float]]:
        """Recorded steps and one column (before, gradient, update, after) of one parameter. ValueError for another name."""
        if parameter not in self.names or column not in GradientRow._fields[2:]:
            known = f"{', '.join(self.names)}; columns: {', '.join(GradientRow._fields[2:])}"
            raise ValueError(f"no {column!r} of {parameter!r} in this trace; parameters: {known}")
        index = self.names.index(parameter)
        return self.steps(), [getattr(rows[index], column) for rows in self._blocks.values()]

    def weights(self, step: int) -> dict[str, float]:
        """Every parameter after a recorded step, fixed and tied ones included; step 0 is the state before any update."""
        if step == 0 and self._blocks:
            return self.weights_before(self.steps()[0])
        return self._whole({row.parameter: row.after for row in self.gradients(step)})

    def weights_before(self, step: int) -> dict[str, float]:
        """The same before the update of a recorded step."""
        return self._whole({row.parameter: row.before for row in self.gradients(step)})

    def last_recorded(self) -> int:
        """The last recorded step. ValueError when there is none yet."""
        if not self.steps():
            raise ValueError(f"{self.folder} has no recorded step yet")
        return self.steps()[-1]

    def _whole(self, state: dict[str, float]) -> dict[str, float]:
        """A state of the trained parameters with fixed and tied ones beside them."""
        state = {**{name: float(number) for name, number in self.run.get("fixed", {}).items()}, **state}
        return {**state, **{name: state[first] for name, first in self.run.get("tied", {}).items()}}

    def optimizer(self, step: int) -> list[dict[str, Any]]:
        """The optimizer's terms at one recorded step, one dict for each parameter; empty for an optimizer without state."""
        self.gradients(step)  # says so when this step is not recorded
        rows = [row for row in read_table(self.folder / OPTIMIZER, ("step", "parameter")) if row["step"] == step]
        return rows if len(rows) == len(self.names) else []  # the last step's rows may be on their way

    def chain_rule(self, step: int) -> list[ChainRow]:
        """Every edge of one step's backward pass, in its order. ValueError when the step was not chosen for it."""
        rows = self._details(CHAIN, CHAIN_COLUMNS, step, "chain_rule")
        return [ChainRow(**{name: row[name] for name in ChainRow._fields}) for row in rows]

    def by_sample(self, step: int) -> dict[str, list[float]]:
        """For each parameter the share of each sample in its gradient at one step. ValueError when it was not chosen."""
        rows = self._details(BY_SAMPLE, ("step", "parameter", "gradient"), step, "by_sample")
        shares = {row["parameter"]: [row[name] for name in row if name.startswith("sample")] for row in rows}
        return {name: [share for share in row if share == share] for name, row in shares.items()}

    def _details(self, table: str, columns: Sequence[str], step: int, option: str) -> list[dict[str, Any]]:
        last = self._last
        rows = [row for row in read_table(self.folder / table, columns) if row["step"] == step <= last]
        if not rows:
            chosen = ", ".join(map(str, self.run.get(option, [])[:20])) or f"none; {chooses(self.run, option)}"
            raise ValueError(f"step {step} is not in {self.folder / table}; steps chosen for it: {chosen}")
        return rows

    def layers(self) -> list[dict[str, Any]]:
        """The rows of layers.csv, one dict for each array at each recorded step; empty for a scalar model."""
        last = self._last
        return [row for row in read_table(self.folder / LAYERS, ("step", "array")) if row["step"] <= last]

    def array_steps(self) -> list[int]:
        """The steps whose weights are kept in weights/, in order; 0 is the state before any update."""
        last = self._metrics[-1]["step"] if self._metrics else -1
        kept = (path.stem.removeprefix("step_") for path in (self.folder / WEIGHTS).glob("step_*.npz"))
        return sorted(int(step) for step in kept if step.isdecimal() and int(step) <= last)

    def arrays(self, step: int) -> dict[str, Any]:
        """Every array of an array model after one of `array_steps()`. ValueError when it is not kept or not readable."""
        if step not in self.array_steps():
            raise ValueError(f"{self.folder / WEIGHTS} has no step {step}; it has {_range(self.array_steps())}")
        from micrograd_lite.trace.layers import read_arrays  # NumPy loads only for a model that is made of it

        path, model = self.folder / WEIGHTS / f"step_{step:06d}.npz", self.run["model"]
        arrays = read_arrays(path, most_numbers(model))
        if math.fsum(array.size for array in arrays.values()) < weights_of(model):
            raise ValueError(f"{path} has not all the weights of the model in {RUN}")
        return arrays


def chooses(run: Mapping[str, Any], option: str) -> str:
    """The words that say how a step is chosen to be shown in detail, in a run like this one."""
    return f"log(..., {option}=True) chooses a step" if by_hand(run) else f"train(..., {option}=[1]) chooses one"


def _range(steps: list[int]) -> str:
    shown = [*steps[:3], "...", steps[-1]] if len(steps) > 4 else steps
    return ", ".join(map(str, shown)) or "none"
