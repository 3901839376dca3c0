"""Planning: the arguments of `train` checked at the door, so that the training loop need not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from numbers import Integral
from typing import Any

from micrograd_lite.data import Dataset, check
from micrograd_lite.data.prepare import whole_seed
from micrograd_lite.inits import yes_or_no
from micrograd_lite.losses import LOSSES, Loss, as_list
from micrograd_lite.module import Module
from micrograd_lite.optim import OPTIMIZERS, Optimizer
from micrograd_lite.plan import Plan
from micrograd_lite.scalar import to_float

PLAIN = frozenset((int, float))
"""The kinds of number that a trace writes."""


def make_plan(
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
    anatomy_every: int | None = None,
    chain_rule: Collection[int] = (),
    by_sample: Collection[int] = (),
) -> Plan:
    """The arguments of `train`, checked. ValueError or TypeError names the first that cannot be trained."""
    for kind, wanted, got in (("loss", Loss, loss), ("optimizer", Optimizer, optimizer)):
        if not isinstance(got, wanted):
            known = ", ".join(LOSSES) if wanted is Loss else ", ".join(f"{name}()" for name in OPTIMIZERS)
            page = {"loss": "losses", "optimizer": "optim"}[kind]
            raise TypeError(f"{kind} must be one of those in micrograd_lite.{page} ({known}), got {type(got).__name__}")
    for name, setting in (("epochs", epochs), ("batch_size", batch_size), ("evaluate_every", evaluate_every),
                          ("anatomy_every", anatomy_every)):  # fmt: skip
        if setting is not None and (not isinstance(setting, int) or isinstance(setting, bool) or setting < 1):
            raise ValueError(f"{name} must be a whole number of at least 1, got {setting!r}")
    if not hasattr(model, "named_parameters") or not callable(model):
        raise TypeError(f"model must be a Module such as nn.MLP, or a dense.MLP, got {type(model).__name__}")
    shuffle, seed = yes_or_no("shuffle", shuffle), whole_seed(seed)
    if test is not None and evaluate_every is None:
        evaluate_every = 1
    training = dataset(data, model, loss)
    testing = dataset(test, model, loss) if test is not None else None
    chosen = _chosen(model, parameters)
    names, values = [name for name, _ in chosen], [value for _, value in chosen]
    return Plan(
        model, training, testing, loss, optimizer, epochs, batch_size, shuffle, seed, evaluate_every, anatomy_every,
        _steps(model, "chain_rule", chain_rule), _steps(model, "by_sample", by_sample), names, values,
    )  # fmt: skip


def dataset(data: Any, model: Any, loss: Loss) -> Dataset:
    """A Dataset as itself, a pair (inputs, targets) as a Dataset named `data`; checked. ValueError for bad data."""
    if not isinstance(data, Dataset) and not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise TypeError(f"data must be a Dataset or a pair (inputs, targets), got {type(data).__name__}")
    made = data if isinstance(data, Dataset) else Dataset("data", *data)
    made = made._replace(classes=_plain(made.classes))
    if not isinstance(model, Module):
        from micrograd_lite.array_plan import array_dataset  # NumPy loads only for a model that is made of it

        return array_dataset(made, model, loss)
    targets = list(made.targets) if getattr(made.targets, "ndim", 0) == 1 else made.targets  # NumPy's labels
    made = made._replace(inputs=_plain(made.inputs), targets=_plain(targets))
    check(made)
    _check_targets(made, model, loss)
    return made


def _plain(table: Any) -> Any:
    """Numbers of any kind as Python's: int stays, whole numbers become int, all else float, through rows and lists of rows.

    What is no number stays as it is, for `check` to say where it stands. A row of nothing but floats and ints is not copied.
    """
    if type(table) in PLAIN:
        return table
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
