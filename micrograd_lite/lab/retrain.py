"""The run of a trace once more, with a mistake: model, first weights, data, batches, loss and optimizer are those of the trace.

    laboratory = Laboratory("traces/mine")
    laboratory.record(BUGS["never_zeroed"], folder, steps=laboratory.steps)
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from micrograd_lite.architecture import choose
from micrograd_lite.chain.rows import edges
from micrograd_lite.graph import youngest_first
from micrograd_lite.lab.bugs import RIGHT, Bug, mistaken_steps
from micrograd_lite.nn import MLP
from micrograd_lite.optim import OPTIMIZERS, Optimizer
from micrograd_lite.schedules import Cosine, StepDecay
from micrograd_lite.text.progress import progress
from micrograd_lite.trace import Tracer
from micrograd_lite.trace.network import network
from micrograd_lite.trace.rebuild import Rebuild
from micrograd_lite.training import Step

SAME = 1e-9
"""Numbers that lie closer than this, of their size, differ by the order of additions alone."""
EDGES = 4_000
"""Up to so many edges of a step's graph are written down, to say which of them is the first that differs."""


class Retrained(NamedTuple):
    """A run with a mistake. losses: of each step, comparable with the right ones; last: after it; overflow: where it ended."""

    losses: list[float]
    last: float
    overflow: str


class Laboratory:
    """The run of a trace, ready to be trained again. ValueError says why a trace cannot be, as `Rebuild` does."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        rebuild = Rebuild(folder)
        self.trace, self.run, self.plan = rebuild.trace, rebuild.trace.run, rebuild.plan
        first = rebuild.step(self._first_step())  # its gradient comes out as recorded, so this is the run that was trained
        self.edges, self.samples = sum(1 for _ in edges(first.root)), len(first.rows)
        uses = Counter(parent for node in youngest_first(first.root) for parent in node.parents if parent.parents)
        self.several_uses = sum(1 for used in uses.values() if used > 1)
        self.start = self.trace.weights_before(first.number)
        self.steps = len(self.trace.metrics()) + (self.trace.status == "failed")

    def _first_step(self) -> int:
        if not self.trace.steps():
            raise ValueError(f"{self.trace.folder} has no recorded step yet: train and watch at least one")
        return self.trace.steps()[0]

    def model(self, kind: type[MLP] = MLP) -> MLP:
        """The network with its first weights."""
        made = network(self.run, self.trace.folder, kind)
        for name, parameter in made.all_names():
            parameter.data = self.start[name]
        return made

    def optimizer(self) -> Optimizer:
        """The optimizer of the run, before its first step."""
        settings = {name: entry for name, entry in self.run["optimizer"].items() if name != "name"}
        if isinstance(settings["lr"], dict):
            numbers = {name: entry for name, entry in settings["lr"].items() if name != "schedule"}
            settings["lr"] = {"StepDecay": StepDecay, "Cosine": Cosine}[settings["lr"]["schedule"]](**numbers)
        if self.run["optimizer"]["name"] == "AdamW":
            settings.pop("bias_correction", None)  # it always corrects
        return OPTIMIZERS[choose("optimizer", self.run["optimizer"]["name"], OPTIMIZERS)](**settings)

    def retrain(self, bug: Bug, make: Callable[[type[MLP]], MLP], chain: Sequence[int]) -> Iterator[Step]:
        """The steps of the run with a mistake, as many as the trace has."""
        steps = mistaken_steps(
            bug, make, self.plan.training, self.plan.loss, self.optimizer(), chain, epochs=self.run["epochs"],
            batch_size=self.run["batch_size"], shuffle=self.run["shuffle"], seed=self.run["seed"],
            parameters=self.run["parameters"],
        )  # fmt: skip
        return islice(steps, self.steps)

    def record(self, bug: Bug, folder: Path, steps: int, force: bool | str = False) -> Retrained:
        """Train with a mistake and write it down: the trace has the edges of the first two steps of a small network."""
        made: list[MLP] = []

        def make(kind: type[MLP]) -> MLP:
            made.append(self.model(kind))
            return made[0]

        losses, overflow = [], ""
        try:
            with Tracer(folder, every=10 if self.edges <= EDGES else 2, force=force) as tracer:
                again = islice(self.retrain(bug, make, (1, 2) if self.edges <= EDGES else ()), steps)
                for step in tracer.follow(progress(again, steps, bug.name)):
                    losses.append(step.loss / self._times(bug, step.number))
        except FloatingPointError:
            overflow = f"overflow at step {len(losses) + 1}"
        return Retrained(losses, self.loss(made[0]), overflow)

    def _times(self, bug: Bug, number: int) -> int:
        """How many times the mean a step's loss is: the samples of its batch, where they are summed by mistake."""
        size, rows = self.plan.batch_size, len(self.plan.training.inputs)
        place = (number - 1) % self.plan.batches_per_epoch
        already = self.plan.loss.name == "half_squared_error"
        return min(size or rows, rows - place * (size or rows)) if bug.name == "sum_for_mean" and not already else 1

    def loss(self, model: Any) -> float:
        """The right loss of all the data for these weights, the forward pass as the model has it; NaN where it overflows."""
        try:
            loss, data = self.plan.loss, self.plan.training
            return loss.reduce([loss.sample(model(row), target) for row, target in zip(data.inputs, data.targets)]).data
        except ArithmeticError:
            return math.nan

    def shows(self, bug: Bug) -> bool:
        """Do the first three steps, from equal weights, differ by more than the order of additions?"""
        wrong_steps = self.first_steps(bug)
        for right, wrong in zip(self.right_steps, wrong_steps):
            if list(right.before) != list(wrong.before):
                return False  # roundings that an optimizer has made larger
            size = SAME * right.gradient_norm
            if abs(right.loss - wrong.loss) > SAME * abs(right.loss):
                return True
            if any(abs(one - other) > size for one, other in zip(right.gradients, wrong.gradients)):
                return True
            pairs = zip(right.gradients, wrong.gradients, right.terms, wrong.terms)
            updates = [(one.update, other.update) for a, b, one, other in pairs if a == b]
            if any(abs(one - other) > SAME * abs(one) for one, other in updates):
                return True
        return len(wrong_steps) < len(self.right_steps)

    @cached_property
    def right_steps(self) -> list[Step]:
        """The first three steps as they should be."""
        return self.first_steps(RIGHT)

    def first_steps(self, bug: Bug) -> list[Step]:
        """The first three steps with a mistake, or those before an overflow."""
        steps: list[Step] = []
        with suppress(FloatingPointError):
            steps.extend(islice(self.retrain(bug, self.model, ()), 3))
        return steps
