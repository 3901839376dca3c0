"""A lesson: the step of a network that a sheet is about, out of a trace, trained again from a seed, or made up for the purpose.

    lesson = from_trace("traces/mine", step=1)
    lesson = from_sizes((2, 2, 1), seed=7)
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from micrograd_lite.architecture import choose
from micrograd_lite.chain.rows import gradients
from micrograd_lite.data import Dataset
from micrograd_lite.data.prepare import seeded, whole_seed
from micrograd_lite.lab.retrain import Laboratory
from micrograd_lite.losses import LOSSES
from micrograd_lite.nn import MLP
from micrograd_lite.optim import OPTIMIZERS
from micrograd_lite.recipe import fitted
from micrograd_lite.scalar import Value
from micrograd_lite.trace import Tracer
from micrograd_lite.trace.rebuild import Rebuild, RebuiltStep
from micrograd_lite.training import train

ROWS = 4
"""Samples of a lesson that is made up."""
MOST_STEPS = 100_000
"""A run is not trained further for a sheet."""


@dataclass
class Lesson:
    """A step as it was rebuilt, its run.json, its learning rate, the optimizer's terms by parameter, the sample of the sheet."""

    step: RebuiltStep
    run: dict[str, Any]
    lr: float
    terms: dict[str, dict[str, float]]
    sample: int

    @property
    def cost(self) -> Value:
        """The cost of the sheet's sample."""
        return self.step.sample(self.sample)

    @property
    def names(self) -> list[str]:
        """The parameters that the step moves."""
        return list(self.step.parameters)


def from_trace(
    folder: str | os.PathLike[str], step: int | None = None, seed: int | None = None, sample: int | None = None
) -> Lesson:
    """The lesson of a recorded step; with a seed, that of the same run trained again from it.

    step: by default the first recorded one, with a seed 1. sample: of its batch, by default the one that moves most parameters.
    ValueError says in a sentence why a trace cannot be shown like this.
    """
    if seed is None:
        rebuild = Rebuild(folder)
        if not rebuild.trace.steps():
            raise ValueError(f"{rebuild.trace.folder} has no recorded step yet: train and watch at least one")
        return _lesson(rebuild, rebuild.trace.steps()[0] if step is None else step, sample)
    laboratory, number = Laboratory(folder), 1 if step is None else step
    if not 1 <= number <= min(laboratory.steps, MOST_STEPS):
        raise ValueError(f"step must be from 1 to {min(laboratory.steps, MOST_STEPS):,}, as in {folder}, got {number}")
    run, plan = laboratory.run, laboratory.plan
    if run["model"].get("init") == "explicit":
        raise ValueError(f"{folder} started from weights that were given, not drawn: no seed makes others")
    fixed = [name for name, _ in plan.model.named_parameters() if name not in run["parameters"]]
    if fixed or run.get("tied"):
        raise ValueError(f"{folder} has weights that are held fixed or shared: make its sheet without a seed")
    model = MLP(**{**run["model"], "seed": whole_seed(seed)})
    steps = train(
        model, plan.training, loss=plan.loss, optimizer=laboratory.optimizer(), epochs=run["epochs"],
        batch_size=run["batch_size"], shuffle=run["shuffle"], seed=seed, engine="flat" if number > 20 else "eager",
    )  # fmt: skip
    return _trained(steps, number, sample)


def from_sizes(
    sizes: Sequence[int], seed: int = 0, activation: str = "tanh", output: str = "linear", loss: str = "mse",
    optimizer: str = "SGD", lr: float = 0.5, step: int = 1, sample: int | None = None,
) -> Lesson:  # fmt: skip
    """The lesson of a network of these sizes on four samples, all numbers drawn with few digits from a seed.

    ValueError when no such network can be trained by that loss.
    """
    if len(sizes) < 2 or any(size < 1 for size in sizes):
        raise ValueError(f"sizes are inputs, neurons of each layer, outputs, such as 2,2,1; got {','.join(map(str, sizes))}")
    chosen = LOSSES[choose("loss", loss, LOSSES)]
    one, generator = sizes[-1] == 1, seeded(seed)
    if loss in (("cross_entropy",) if one else ("binary_cross_entropy", "hinge")):
        other = "two outputs or more" if one else "one output"
        raise ValueError(f"{loss} needs {other}, and the sizes end with {sizes[-1]}")
    inputs = [[_drawn(generator, 2.0) for _ in range(sizes[0])] for _ in range(ROWS)]
    if chosen.takes_logits or loss == "hinge":
        classes = max(2, sizes[-1])
        data = fitted(Dataset("made up", inputs, [row % classes for row in range(ROWS)], classes=classes), chosen)
    else:
        rows = [[abs(_drawn(generator, 1.0)) for _ in range(sizes[-1])] for _ in range(ROWS)]
        data = Dataset("made up", inputs, [row[0] for row in rows] if one else rows)
    model = MLP(sizes[0], list(sizes[1:]), activation, output, seed=seed)
    for _, parameter in model.named_parameters():
        parameter.data = _drawn(generator, 1.0)
    kind = OPTIMIZERS[choose("optimizer", optimizer, OPTIMIZERS)]
    if not 1 <= step <= MOST_STEPS:
        raise ValueError(f"step must be from 1 to {MOST_STEPS:,}, got {step}")
    return _trained(train(model, data, loss=chosen, optimizer=kind(lr=lr), seed=seed, engine="eager"), step, sample)


def _drawn(generator: Random, most: float) -> float:
    """A number of one digit behind the point, from -most to most, and not 0."""
    size = generator.randint(1, round(10 * most)) / 10.0
    return size if generator.random() < 0.5 else -size


def _trained(steps: Iterator[Any], number: int, sample: int | None) -> Lesson:
    """The lesson of a run that is trained up to a step, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "trace")
        with Tracer(place, every=number) as tracer:
            for _ in tracer.follow(islice(steps, number)):
                pass
        try:
            return _lesson(Rebuild(place), number, sample)
        except ValueError as error:
            raise ValueError(str(error).replace(str(place), "the run")) from error


def _lesson(rebuild: Rebuild, number: int, sample: int | None) -> Lesson:
    step = rebuild.step(number)
    rates = {row["step"]: row["learning_rate"] for row in rebuild.trace.metrics()}
    terms = {row["parameter"]: row for row in rebuild.trace.optimizer(number)}
    if sample is None:
        moved = [_moved(step, place) for place in range(min(len(step.rows), 100))]
        sample = moved.index(max(moved))
    step.sample(sample)  # is there such a one?
    return Lesson(step, rebuild.trace.run, rates[number], terms, sample)


def _moved(step: RebuiltStep, place: int) -> int:
    """How many parameters a sample has a slope toward that is not 0."""
    totals = gradients(step.sample(place))
    return sum(1 for parameter in step.parameters.values() if totals.get(parameter, 0.0) != 0.0)
