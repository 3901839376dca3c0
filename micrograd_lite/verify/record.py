"""The record: everything that a trace folder says, read once, as far as its last whole step.

A run that is still going on, or whose process was killed, is read up to the last row of metrics.csv: that row is written
last, and vouches for the rows of its step in the other tables. Which rows of the data a step was trained on is found
again from the seed.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from micrograd_lite.text.npz import read_arrays
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
from micrograd_lite.trace.kinds import by_hand, most_numbers
from micrograd_lite.trace.samples import with_samples
from micrograd_lite.verify.reading import numeral, read_table
from micrograd_lite.verify.samples import Samples, load_again

LARGE = 20_000
"""Numbers of the training data up to which what was computed from them is computed again unasked."""


class Batches:
    """The rows of each step's batch, in their order: sorted by eight random bytes each, drawn anew for every epoch."""

    def __init__(self, samples: int, batch_size: int | None, shuffle: bool, seed: int) -> None:
        self.samples, self.size, self.seed = samples, batch_size or samples, seed
        self.shuffled = shuffle and batch_size is not None
        self.whole = self.size >= samples and not self.shuffled
        self.per_epoch = -(-samples // self.size)
        self._epoch = 0
        self._order: Sequence[int] = range(samples)

    def epoch(self, step: int) -> int:
        """The epoch of a step; both count from 1."""
        return (step - 1) // self.per_epoch + 1

    def count(self, step: int) -> int:
        """How many rows a step takes; the last step of an epoch takes what is left."""
        return min(self.size, self.samples - (step - 1) % self.per_epoch * self.size)

    def rows(self, step: int) -> Sequence[int]:
        """The rows of the data that a step takes, in order."""
        epoch = self.epoch(step)
        if self.shuffled and epoch != self._epoch:
            if epoch < self._epoch or self._epoch == 0:  # a new check begins again at the first step
                self._epoch, self._generator = 0, Random(self.seed)
            while self._epoch < epoch:
                keys = array("Q", self._generator.randbytes(8 * self.samples))
                self._epoch += 1
            self._order = sorted(range(self.samples), key=keys.__getitem__)
        start = (step - 1) % self.per_epoch * self.size
        return self._order[start : start + self.size]


class Floats(NamedTuple):
    """The floats of a run: the distance from 1 to the next one, the smallest that are exact, and the largest."""

    unit: float
    least: float
    most: float


UNKNOWN = Samples(1, 0, None, None)
"""The data of a loop of one's own, which keeps them to itself."""

NARROW, WIDE = Floats(2.0**-23, 2.0**-126, 2.0**127), Floats(2.0**-52, 2.0**-1022, 2.0**1023)

Row = dict[str, Any]

COLUMNS = {
    METRICS: METRIC_COLUMNS,
    GRADIENTS: ("step", "parameter", "before", "gradient", "update", "after"),
    OPTIMIZER: ("step", "parameter", "gradient"),
    CHAIN: ("step", "order", "node", "operation", "formula", "value", "upstream",
            "parent", "parent_value", "partial_formula", "partial", "share", "total"),
    BY_SAMPLE: ("step", "parameter", "gradient"),
    LAYERS: ("step", "array", "norm", "mean", "std", "min", "max",
             "gradient_norm", "update_norm", "update_ratio", "activations_flat"),
}  # fmt: skip
"""How the header of each table starts."""


class Record:
    """A trace, read. FileNotFoundError or ValueError says in a sentence why there is no trace that can be read.

    tables: the rows of each file in its order; gradients, optimizer, by_sample, layers: rows by step and name;
    metrics: a row by step; chain: rows by step.
    """

    def __init__(self, folder: str | os.PathLike[str], long: bool = False) -> None:
        self.folder = Path(folder)
        self.run = with_samples(read_run(self.folder), self.folder)
        # asked in this order: a writer that ends now has written run.json before it lets go of the lock
        self.ended = self.run.get("status") != "running"
        alive = not self.ended and (is_being_written(self.folder) or read_run(self.folder).get("status") != "running")
        self.status = str(self.run.get("status")) if self.ended else "running" if alive else "killed"
        self.gaps: list[str] = []  # what the check that is being made could not look at, and why
        self.free: list[str] = []  # entries of run.json on which nothing depends
        self.headers: dict[str, list[str]] = {}
        self.tables = {METRICS: self._table(METRICS)}
        if not self.tables[METRICS]:
            raise ValueError(f"{self.folder} has no whole step yet (its status is {self.status}); there is nothing to verify")
        self.by_hand = by_hand(self.run)
        if "model" not in self.run:
            raise ValueError(f"{self.folder / RUN} names no model, but {METRICS} has steps")
        self.last: int = self.tables[METRICS][-1]["step"]
        for name in COLUMNS:
            self.tables[name] = [row for row in self._table(name) if row["step"] <= self.last]
        self.metrics: dict[int, Row] = {row["step"]: row for row in self.tables[METRICS]}
        self.gradients, self.optimizer = self._by_name(GRADIENTS), self._by_name(OPTIMIZER)
        self.by_sample, self.layers = self._by_name(BY_SAMPLE), self._by_name(LAYERS, "array")
        self.chain: dict[int, list[Row]] = {}
        for row in self.tables[CHAIN]:
            self.chain.setdefault(row["step"], []).append(row)
        self.names: list[str] = self.run["parameters"]
        self._arrays: dict[int, Mapping[str, Any]] = {}
        self.in_arrays = "dtype" in self.run["model"]
        self.floats = NARROW if self.run["model"].get("dtype") == "float32" else WIDE
        self.unit = self.floats.unit
        self.data = UNKNOWN if self.by_hand else Samples.of(self.run["data"], f"{self.folder / RUN}: data")
        self.testing = Samples.of(self.run["test"], f"{self.folder / RUN}: test") if self.run.get("test") else None
        self.absent = "the data are not in the trace"
        self.contradiction, self.notes, self.again = "", tuple[str, ...](), frozenset[str]()
        there = self.data.inputs is not None or "recipe" in (self.run["data"] or {})
        numbers = self.data.size * self.run["data"].get("features", 1) if there else 0
        if self.data.inputs is None and numbers and long:
            again = load_again(self.run, self.folder)
            self.data, self.testing = again.data or self.data, again.testing or self.testing
            self.again = frozenset(name for name, part in (("data", again.data), ("test", again.testing)) if part)
            self.notes, self.absent, self.contradiction = again.notes, again.absent or self.absent, again.contradiction
        if numbers > LARGE and not long:
            self.absent = f"it takes long with the {numbers:,} numbers of these data, and --long was not asked for"
            self.data = self.data._replace(inputs=None, targets=None)
            self.testing = self.testing and self.testing._replace(inputs=None, targets=None)
        self.batches = Batches(self.data.size, self.run.get("batch_size"), self.run["shuffle"], self.run["seed"])

    def gap(self, what: str, why: str) -> None:
        """Say that a check leaves something unproved."""
        self.gaps.append(f"{what}, {why}")

    def told_by_edges(self, what: str) -> int:
        """Of a loop of one's own, steps whose backward pass is written down edge by edge; the others are a gap."""
        blind = len(self.metrics) - len(self.chain)
        if blind:
            self.gap(f"{what} of {blind} step{'s' if blind > 1 else ''}", "no log(..., chain_rule=True) wrote their edges down")
        return len(self.chain)

    def before(self, step: int) -> dict[str, float] | None:
        """Every parameter before a step, fixed and tied ones included; None when they are not written down."""
        return self._weights(step, "before") or self._weights(step - 1, "after")

    def after(self, step: int) -> dict[str, float] | None:
        """The same after a step."""
        return self._weights(step, "after") or self._weights(step + 1, "before")

    def _weights(self, step: int, column: str) -> dict[str, float] | None:
        if self.in_arrays:
            kept = self.arrays(step if column == "after" else step - 1)
            return {name: number for array in kept.values() for name, number in array.scalars()} or None
        rows = self.gradients.get(step, {})
        if len(rows) != len(self.names):
            return None
        state = {name: numeral(number) for name, number in self.run["fixed"].items()}
        return self.tied(state | {name: row[column] for name, row in rows.items()})

    def tied(self, state: dict[str, float]) -> dict[str, float]:
        """The same parameters; each further name of a tied one has the number of its first name."""
        return state | {name: state[first] for name, first in self.run["tied"].items() if first in state}

    def kept(self) -> list[int]:
        """The steps after which whole arrays are kept, in order; 0 is the start."""
        stems = (path.stem.removeprefix("step_") for path in (self.folder / WEIGHTS).glob("step_*.npz"))
        return sorted(int(stem) for stem in stems if stem.isdecimal() and int(stem) <= self.last)

    def arrays(self, step: int) -> Mapping[str, Any]:
        """The arrays kept after a step; none when they are not."""
        if step not in self._arrays:
            path = self.folder / WEIGHTS / f"step_{step:06d}.npz"
            numbers = most_numbers(self.run["model"])
            self._arrays = {step: read_arrays(path, numbers) if path.exists() else {}}  # one step at a time: they are big
        return self._arrays[step]

    def _table(self, name: str) -> list[Row]:
        self.headers[name], rows = read_table(self.folder / name, COLUMNS[name])
        filled = COLUMNS[name] if name in (METRICS, BY_SAMPLE) else next(iter(rows), {})  # what is not measured is empty
        rows[:1] = [first_unmeasured(self.run, row) for row in rows[:1] if name == METRICS] or rows[:1]
        for row in rows:
            if None in row.values():
                for column in filled:
                    if row[column] is None:
                        raise ValueError(f"{self.folder / name}: {column} is empty in a row of step {row['step']}")
        return rows

    def _by_name(self, table: str, column: str = "parameter") -> dict[int, dict[str, Row]]:
        found: dict[int, dict[str, Row]] = {}
        for row in self.tables[table]:
            found.setdefault(row["step"], {})[row[column]] = row
        return found
