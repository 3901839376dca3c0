"""A plan: what is to be trained, on what and how."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from micrograd_lite.data import Dataset
from micrograd_lite.data.prepare import seeded
from micrograd_lite.losses import Loss
from micrograd_lite.optim import Optimizer

SMALL = 1_000
"""A data set of up to so many numbers is written into run.json."""

ANATOMY = ("predicted_change", "measured_change")
"""Columns about a step's loss: what its slope promised of the update (sum of gradient * update), and what came of it."""


class Plan(NamedTuple):
    """Everything that decides the numbers of a run; see `train` for the meaning of each."""

    model: Any
    training: Dataset
    testing: Dataset | None
    loss: Loss
    optimizer: Optimizer
    epochs: int | None
    batch_size: int | None
    shuffle: bool
    seed: int
    evaluate_every: int | None
    anatomy_every: int | None
    chain_rule: frozenset[int]
    by_sample: frozenset[int]
    names: list[str]
    parameters: list[Any]

    @property
    def batches_per_epoch(self) -> int:
        """Steps in one epoch."""
        return math.ceil(len(self.training.inputs) / (self.batch_size or len(self.training.inputs)))

    def shuffles(self) -> Iterator[bytes | None]:
        """For each epoch, eight random bytes for each sample: sorting by them is the shuffle. None keeps the file's order.

        Sorting, because both engines can do it alike, each at its own speed: a list shuffled in place costs the arrays
        a twentieth of their time.
        """
        generator = seeded(self.seed)
        for _ in range(self.epochs) if self.epochs is not None else count():
            shuffled = self.shuffle and self.batch_size is not None
            yield generator.randbytes(8 * len(self.training.inputs)) if shuffled else None

    def is_evaluated(self, step: int) -> bool:
        """Is this step one of those after which loss and accuracy are measured?"""
        last = self.epochs is not None and step == self.epochs * self.batches_per_epoch
        return bool(self.evaluate_every) and (step % (self.evaluate_every or 1) == 0 or last)

    def has_anatomy(self, step: int) -> bool:
        """Is this step one of those whose change of the loss is predicted and measured?"""
        return bool(self.anatomy_every) and step % (self.anatomy_every or 1) == 0

    def columns(self) -> list[str]:
        """What is measured beside each step: accuracies where there are classes, the loss on the test data, its change."""
        train = ["train_accuracy"] if self.training.classes else []
        test = ["test_loss", *(["test_accuracy"] if self.testing.classes else [])] if self.testing is not None else []
        return [*(train + test if self.evaluate_every else []), *(ANATOMY if self.anatomy_every else [])]

    def describe(self) -> dict[str, Any]:
        """The plan as plain data, for run.json."""
        fixed = {name: float(parameter.data) for name, parameter in self.model.named_parameters() if name not in self.names}
        return {
            "model": self.model.config(),
            "parameters": self.names,
            "fixed": fixed,
            "tied": self.model.tied(),
            "loss": self.loss.name,
            "optimizer": self.optimizer.config(),
            "optimizer_memory": list(self.optimizer.REMEMBERS),
            "data": describe(self.training),
            "test": self.testing and describe(self.testing),
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "seed": self.seed,
            "evaluation": self.columns(),
            "chain_rule": sorted(self.chain_rule),
            "by_sample": sorted(self.by_sample),
        }


def describe(data: Dataset) -> dict[str, Any]:
    """A data set as plain data; a small one with all its numbers, so that a trace can be drawn and checked alone."""
    size = {"name": data.name, "samples": len(data.inputs), "features": len(data.inputs[0]), "classes": data.classes}
    size |= {"feature_names": list(data.feature_names), "class_names": list(data.class_names)}
    small = len(data.inputs) * len(data.inputs[0]) <= SMALL
    return {**size, "inputs": plain(data.inputs), "targets": plain(data.targets)} if small else size


def plain(table: Any) -> list[Any]:
    """Lists of numbers, whether they were lists or an array."""
    made: list[Any] = table.tolist() if hasattr(table, "tolist") else table
    return made
