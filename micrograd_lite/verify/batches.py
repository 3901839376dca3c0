"""Samples and batches: which rows of the data a step was trained on, found again from the seed."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple


class Samples(NamedTuple):
    """A data set as run.json has it; inputs and targets are None when it is too big to stand there."""

    size: int
    classes: int
    inputs: list[list[float]] | None
    targets: list[Any] | None

    @classmethod
    def of(cls, described: Any, where: str) -> Samples:
        """The data set from its description. ValueError when it is not one."""
        try:
            inputs = described.get("inputs")
            if inputs is not None:
                inputs = [[float(number) for number in row] for row in inputs]
            made = cls(int(described["samples"]), int(described["classes"]), inputs, described.get("targets"))
            if made.size < 1 or (inputs is not None and not len(inputs) == len(described["targets"]) == made.size):
                raise ValueError(f"{made.size} samples")
            return made
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError(f"{where} is no description of a data set: {error!r}") from error


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
