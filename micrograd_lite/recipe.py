"""A recipe: from a data set's name or file and a few settings to everything that `train` takes, with what was decided told.

    run = prepare(Recipe("plants.csv", layers=(4, 4)))
    for step in run.steps(): ...

What a setting leaves open is decided by the data, as `micrograd-lite train --help` says; each decision is a sentence in `notes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from micrograd_lite import data
from micrograd_lite.architecture import choose
from micrograd_lite.data import Dataset
from micrograd_lite.data.prepare import labelled, two_classes
from micrograd_lite.data.table import read_table
from micrograd_lite.losses import LOSSES, Loss
from micrograd_lite.nn import MLP
from micrograd_lite.optim import OPTIMIZERS, SGD
from micrograd_lite.training import train


class Problem(NamedTuple):
    """A bundled data set, and what is done to it unless a setting says otherwise."""

    load: Callable[[], Dataset]
    is_split: bool = False
    is_scaled: bool = False


PROBLEMS = {
    "xor": Problem(data.xor), "parts": Problem(data.parts), "line": Problem(data.line), "moons": Problem(data.moons),
    "spiral": Problem(data.spiral), "iris": Problem(data.iris, is_split=True, is_scaled=True),
    "digits": Problem(data.digits, is_split=True),
}  # fmt: skip
"""Every bundled problem but mnist, which has parts of its own."""

MNIST = "mnist"

ENGINES = ("flat", "c", "eager", "arrays")

WHOLE_BATCH, BATCH, EPOCHS, MNIST_EPOCHS, TEST, ENOUGH_TO_TEST = 200, 32, 200, 3, 0.25, 40
MOST_SCALAR = 2_000_000
"""Parameters times rows up to which a network is trained number by number."""
MOST_ROWS, ARRAY_STEPS = 300_000, 300
"""Rows of gradients.csv, and recorded steps of an array run, before steps are left out."""

class Recipe(NamedTuple):
    """The settings of a run; None leaves one to the data."""

    source: str
    target: str | None = None
    regression: bool = False
    layers: tuple[int, ...] = (8,)
    activation: str = "tanh"
    output: str = "linear"
    loss: str | None = None
    optimizer: str = "Adam"
    lr: float = 0.05
    momentum: float | None = None
    epochs: int | None = None
    batch: int | None = None
    seed: int = 0
    test: float | None = None
    raw: bool = False
    every: int | None = None
    engine: str | None = None


class Run(NamedTuple):
    """A model and what it is trained on and how, ready to go. example: a row to ask it; notes: a sentence for each decision."""

    model: Any
    training: Dataset
    testing: Dataset | None
    loss: Loss
    optimizer: Any
    epochs: int
    batch: int | None
    seed: int
    engine: str
    every: int
    example: dict[str, float]
    notes: list[str]

    @property
    def total(self) -> int:
        """How many steps it takes."""
        return self.epochs * math.ceil(len(self.training.inputs) / (self.batch or len(self.training.inputs)))

    @property
    def on_arrays(self) -> bool:
        """Is the model one on NumPy arrays?"""
        return not isinstance(self.model, MLP)

    def steps(self) -> Iterator[Any]:
        """The steps of `train`."""
        often = max(1, self.total // 50)
        return train(
            self.model, self.training, loss=self.loss, optimizer=self.optimizer, epochs=self.epochs, batch_size=self.batch,
            seed=self.seed, test=self.testing, evaluate_every=often if self.testing or self.training.classes else None,
            engine="eager" if self.engine == "arrays" else self.engine,
        )  # fmt: skip


def prepare(recipe: Recipe) -> Run:
    """The run that a recipe means. ValueError, TypeError or OSError says in a sentence what cannot be trained."""
    for name in ("epochs", "batch", "every"):
        setting = getattr(recipe, name)
        if setting is not None and (type(setting) is not int or setting < 1):
            raise ValueError(f"{name} must be a whole number of at least 1, got {setting!r}")
    training, testing, notes = _data(recipe)
    example = own_units(training, 0)
    loss = LOSSES[choose("loss", recipe.loss or _usual_loss(training), LOSSES)]
    training, testing = fitted(training, loss), fitted(testing, loss) if testing else None
    if training.units and not training.classes:
        training, testing = _all(data.scaled_target, training, testing)
        notes.append("the target is scaled in the same way, so the loss is in scaled units (--raw leaves all as they are)")
    rows, widths = len(training.inputs), [len(training.inputs[0]), *recipe.layers, _width(training, loss)]
    size = _parameters(widths)
    large = size * rows > MOST_SCALAR
    engine = choose("engine", recipe.engine or ("arrays" if large else "flat"), ENGINES)
    on_arrays = engine == "arrays" or (engine == "c" and large)
    batch = recipe.batch or (BATCH if rows > WHOLE_BATCH else rows)
    epochs = recipe.epochs or (MNIST_EPOCHS if recipe.source == MNIST else EPOCHS)
    total = epochs * math.ceil(rows / batch)
    every = recipe.every or math.ceil(total / ARRAY_STEPS if on_arrays else total * size / MOST_ROWS)
    if on_arrays:
        notes.append(f"{size:,} parameters times {rows:,} rows: trained on NumPy arrays, where statistics of each layer are "
                     "recorded instead of single weights (--engine flat records every number, and takes its time)")  # fmt: skip
    if every > 1 and not recipe.every:
        notes.append(f"every {every}th of the {total:,} steps is recorded (--every 1 for each)")
    return Run(
        _network(recipe, on_arrays, widths), training, testing, loss, _optimizer(recipe), epochs,
        batch if batch < rows else None, recipe.seed, engine, every, example, notes,
    )  # fmt: skip


def _data(recipe: Recipe) -> tuple[Dataset, Dataset | None, list[str]]:
    """Training and test part, scaled where that is due, and what was decided."""
    name, problem = recipe.source, PROBLEMS.get(recipe.source)
    if recipe.target is not None and (problem or name == MNIST):
        raise ValueError(f"a target is a column of a file; {name} has its own")
    if name == MNIST:
        return *data.image_datasets(data.mnist()), ["grey levels are divided by 255; its own 10,000 images are the test"]
    notes = []
    if problem:
        whole = problem.load()
    elif Path(name).suffix or Path(name).exists():
        whole, why = read_table(name, recipe.target, recipe.regression)
        notes.append(why)
    else:
        raise ValueError(f"unknown data {name!r}: it is a CSV file or one of {', '.join(PROBLEMS)}, {MNIST}")
    rows, testing = len(whole.inputs), None
    usual = TEST if (problem is None or problem.is_split) and rows >= ENOUGH_TO_TEST else 0.0
    training, share = whole, usual if recipe.test is None else recipe.test
    if share:
        training, testing = data.split(whole, share, recipe.seed)
        notes.append(f"{len(testing.inputs)} of {rows} rows are kept for testing, drawn by seed {recipe.seed}")
    if not recipe.raw and (problem is None or problem.is_scaled):
        training, testing = _all(data.scaled, training, testing)
        notes.append("inputs are scaled: over the training rows their mean is 0 and their deviation 1; you ask in your own units")
    return training, testing, notes


def _all(prepare: Callable[..., tuple[Dataset, ...]], training: Dataset, testing: Dataset | None) -> list[Any]:
    """Both parts prepared by the training part's numbers; None stays None."""
    return [*prepare(training, *([testing] if testing else [])), None][:2]


def own_units(dataset: Dataset, row: int) -> dict[str, float]:
    """One row's inputs by name, as they were before anything was scaled."""
    numbers, units = dataset.inputs[row], dataset.units
    if units:
        numbers = [centre + scale * number for number, centre, scale in zip(numbers, units.centre, units.scale)]
    return dict(zip(dataset.feature_names or [f"x{column}" for column in range(len(numbers))], map(float, numbers)))


def _parameters(widths: list[int]) -> int:
    """How many weights and biases a network of these widths has."""
    size = 0
    for inputs, neurons in pairwise(widths):
        size += (inputs + 1) * neurons
    return size


def _usual_loss(training: Dataset) -> str:
    if not training.classes:
        return "mse"
    return "cross_entropy" if training.classes > 2 else "binary_cross_entropy"


def fitted(dataset: Dataset, loss: Loss) -> Dataset:
    """The data set with its classes as this loss wants them: labels, 0.0 and 1.0, -1.0 and 1.0, or a 1.0 among zeros."""
    if not dataset.classes:
        if loss.name not in ("mse", "half_squared_error"):
            raise ValueError(f"{loss.name} is for classes, and the target of {dataset.name} is numbers; take mse")
        return dataset
    if loss.name == "cross_entropy":
        return labelled(dataset)
    if dataset.classes == 2:
        if loss.name in ("mse", "half_squared_error") and isinstance(dataset.targets[0], float):
            return dataset  # a toy's own: 0.0 and 1.0, or -1.0 and 1.0
        return two_classes(dataset, -1.0 if loss.name == "hinge" else 0.0)
    if loss.name in ("binary_cross_entropy", "hinge"):
        raise ValueError(f"{loss.name} is for two classes, {dataset.name} has {dataset.classes}; take cross_entropy")
    return data.one_hot(labelled(dataset))


def _width(training: Dataset, loss: Loss) -> int:
    if loss.name == "cross_entropy":
        return max(2, training.classes)
    first = training.targets[0]
    return len(first) if isinstance(first, (list, tuple)) else 1


def _network(recipe: Recipe, on_arrays: bool, widths: list[int]) -> Any:
    if not on_arrays:
        return MLP(widths[0], widths[1:], recipe.activation, recipe.output, seed=recipe.seed)
    from micrograd_lite.arrays import MLP as ArrayMLP

    return ArrayMLP(widths[0], widths[1:], recipe.activation, recipe.output, seed=recipe.seed, dtype="float32")


def _optimizer(recipe: Recipe) -> Any:
    spelled = {name.lower(): name for name in OPTIMIZERS}.get(recipe.optimizer.lower(), recipe.optimizer)
    kind = OPTIMIZERS[choose("optimizer", spelled, OPTIMIZERS)]
    if recipe.momentum is None:
        return kind(lr=recipe.lr)
    if kind is not SGD:
        raise ValueError(f"momentum is for SGD; {spelled} has running means of its own")
    return SGD(lr=recipe.lr, momentum=recipe.momentum)
