"""A plan: what is to be trained, on what and how, checked at the door, so that the training loop need not."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from numbers import Integral
from typing import Any, NamedTuple

from micrograd_lite.architecture import yes_or_no
from micrograd_lite.data import Dataset, check
from micrograd_lite.data.prepare import seeded, whole_seed
from micrograd_lite.losses import LOSSES, Loss, as_list
from micrograd_lite.module import Module
from micrograd_lite.optim import OPTIMIZERS, Optimizer
from micrograd_lite.scalar import to_float

PLAIN = frozenset((int, float))
"""The kinds of number that a trace writes."""

CHANGE_COLUMNS = ("predicted_change", "measured_change")
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
    change_every: int | None
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

    def measures_change(self, step: int) -> bool:
        """Is this step one of those whose change of the loss is predicted and measured?"""
        return bool(self.change_every) and step % (self.change_every or 1) == 0

    def columns(self) -> list[str]:
        """What is measured beside each step: accuracies where there are classes, the loss on the test data, its change."""
        train = ["train_accuracy"] if self.training.classes else []
        test = ["test_loss", *(["test_accuracy"] if self.testing.classes else [])] if self.testing is not None else []
        return [*(train + test if self.evaluate_every else []), *(CHANGE_COLUMNS if self.change_every else [])]

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
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "seed": self.seed,
            "evaluation": self.columns(),
            "evaluate_every": self.evaluate_every,
            "change_every": self.change_every,
            "chain_rule": sorted(self.chain_rule),
            "by_sample": sorted(self.by_sample),
        }


def describe(data: Dataset) -> dict[str, Any]:
    """A data set as plain data, its tables as they are: of large ones a trace keeps only where they came from."""
    size = {"name": data.name, "samples": len(data.inputs), "features": len(data.inputs[0]), "classes": data.classes}
    size |= {"feature_names": list(data.feature_names), "class_names": list(data.class_names)}
    size |= {"target_name": data.target_name, "units": data.units and data.units._asdict()}
    return {**size, "inputs": data.inputs, "targets": data.targets, "recipe": data.origin}


def make_plan(
    *,
    model: Any,
    data: Any,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int | None,
    batch_size: int | None,
    shuffle: bool,
    seed: int,
    test: Any,
    evaluate_every: int | None,
    parameters: Sequence[str] | None,
    change_every: int | None,
    chain_rule: Collection[int],
    by_sample: Collection[int],
) -> Plan:
    """The arguments of `train`, checked. ValueError or TypeError names the first that cannot be trained."""
    for kind, wanted, got in (("loss", Loss, loss), ("optimizer", Optimizer, optimizer)):
        if not isinstance(got, wanted):
            known = ", ".join(LOSSES) if wanted is Loss else ", ".join(f"{name}()" for name in OPTIMIZERS)
            page = {"loss": "losses", "optimizer": "optim"}[kind]
            raise TypeError(f"{kind} must be one of those in micrograd_lite.{page} ({known}), got {type(got).__name__}")
    for name, setting in (("epochs", epochs), ("batch_size", batch_size), ("evaluate_every", evaluate_every),
                          ("change_every", change_every)):  # fmt: skip
        if setting is not None and (not isinstance(setting, int) or isinstance(setting, bool) or setting < 1):
            raise ValueError(f"{name} must be a whole number of at least 1, got {setting!r}")
    if not hasattr(model, "named_parameters") or not callable(model):
        raise TypeError(f"model must be a Module such as nn.MLP, or a arrays.MLP, got {type(model).__name__}")
    shuffle, seed = yes_or_no("shuffle", shuffle), whole_seed(seed)
    if test is not None and evaluate_every is None:
        evaluate_every = 1
    training = dataset(data, model, loss)
    testing = dataset(test, model, loss) if test is not None else None
    chosen = _chosen(model, parameters)
    return Plan(
        model=model, training=training, testing=testing, loss=loss, optimizer=optimizer, epochs=epochs, batch_size=batch_size,
        shuffle=shuffle, seed=seed, evaluate_every=evaluate_every, change_every=change_every,
        chain_rule=_steps(model, "chain_rule", chain_rule), by_sample=_steps(model, "by_sample", by_sample),
        names=[name for name, _ in chosen], parameters=[value for _, value in chosen],
    )  # fmt: skip


def dataset(data: Any, model: Any, loss: Loss) -> Dataset:
    """A Dataset as itself, a pair (inputs, targets) as a Dataset named `data`; checked. ValueError for bad data."""
    if not isinstance(data, Dataset) and not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise TypeError(f"data must be a Dataset or a pair (inputs, targets), got {type(data).__name__}")
    made = data if isinstance(data, Dataset) else _of_tables(*data)
    made = made._replace(classes=_plain(made.classes))
    if not isinstance(model, Module):
        checked: Dataset = model.dataset(made, loss)  # a model on arrays checks whole tables at once
        return checked
    made = made._replace(inputs=_plain(made.inputs), targets=_plain(made.targets))
    check(made)
    _check_targets(made, model, loss)
    return made


def _of_tables(inputs: Any, targets: Any) -> Dataset:
    """A data set named `data` from two tables: lists, NumPy arrays, or pandas and polars frames, whose columns give the names."""
    names = getattr(inputs, "columns", ())
    inputs, targets = (table.to_numpy() if hasattr(table, "to_numpy") else table for table in (inputs, targets))
    return Dataset("data", inputs, targets, feature_names=tuple(map(str, names)))


def _plain(table: Any) -> Any:
    """Numbers of any kind as Python's: int stays, whole numbers become int, all else float, through rows and lists of rows.

    What is no number stays as it is, for `check` to say where it stands. A row of nothing but floats and ints is not copied.
    """
    if type(table) in PLAIN:
        return table
    if hasattr(table, "tolist") and not hasattr(table, "mask"):  # NumPy's; a masked array is refused by `check`
        table = table.tolist()
    if isinstance(table, (list, tuple)):
        if PLAIN.issuperset(map(type, table)):
            return table
        return [_plain(entry) for entry in table]
    with suppress(TypeError, ValueError):
        return int(table) if isinstance(table, Integral) and not isinstance(table, bool) else to_float(table)
    return table


def _chosen(model: Any, parameters: Sequence[str] | None) -> list[tuple[str, Any]]:
    named: list[tuple[str, Any]] = model.named_parameters()
    if parameters is None:
        return named
    if not isinstance(model, Module):
        raise ValueError("parameters: an array model trains all its parameters; use a scalar model to hold some fixed")
    known = dict(named)
    for name in parameters:
        if name not in known:
            raise ValueError(f"parameters: this model has no {name!r}; its parameters are {', '.join(known)}")
    return [(name, known[name]) for name in known if name in set(parameters)]


def _steps(model: Any, name: str, chosen: Any) -> frozenset[int]:
    steps: list[Any] = list(chosen) if isinstance(chosen, Iterable) else [None]
    if not all(isinstance(step, int) and not isinstance(step, bool) and step >= 1 for step in steps):
        raise ValueError(f"{name} must be the numbers of steps, from 1, such as [1, 100], got {chosen!r}")
    if steps and not isinstance(model, Module):
        raise ValueError(f"{name}: an array model has no edges of single numbers; use a scalar model, to_scalar(model) for one")
    return frozenset(steps)


def _check_targets(data: Dataset, model: Any, loss: Loss) -> None:
    outputs = len(as_list(model.predict(data.inputs[0])))
    output = model.config().get("output", "linear")
    if loss.takes_logits and output != "linear":
        raise ValueError(f"{loss.name} applies its own squashing, so it needs output='linear', not {output!r}")
    for row, target in enumerate(data.targets):
        if not loss.fits(target, outputs):
            raise ValueError(
                f"row {row} of {data.name}: {loss.name} needs {loss.wants}; "
                f"the model has {outputs} output{'s' if outputs > 1 else ''} and the target is {target!r}"
            )
