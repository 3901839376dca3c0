"""Learning-rate schedules: a number that depends on the step. A plain number is the constant schedule.

Steps count from 1; the first step always uses the starting rate. Definitions as in PyTorch's lr_scheduler.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, NamedTuple


class StepDecay(NamedTuple):
    """lr * factor ** ((step - 1) // every): the rate drops every so many steps."""

    lr: float
    factor: float
    every: int

    def __call__(self, step: int) -> float:
        """The rate of one step."""
        drops: int = (step - 1) // self.every
        return self.lr * self.factor**drops


class Cosine(NamedTuple):
    """Half a cosine from lr down to `final` over `steps` steps, then constant (Loshchilov and Hutter 2017)."""

    lr: float
    steps: int
    final: float = 0.0

    def __call__(self, step: int) -> float:
        """The rate of one step."""
        done = min(step - 1, self.steps) / self.steps
        return self.final + (self.lr - self.final) * (1.0 + math.cos(math.pi * done)) / 2.0


class Constant(NamedTuple):
    """The same rate at every step."""

    lr: float

    def __call__(self, step: int) -> float:
        """The rate of one step."""
        return self.lr


Schedule = Constant | StepDecay | Cosine


def schedule(lr: Any) -> Schedule:
    """A number as the constant schedule, a schedule as itself. ValueError unless its rates are positive and finite."""
    made = lr if isinstance(lr, (StepDecay, Cosine, Constant)) else Constant(lr)
    checked: dict[str, Any] = {name: _setting(name, setting) for name, setting in made._asdict().items()}
    exact = all(type(setting) is type(checked[name]) for name, setting in made._asdict().items())
    return made if exact else type(made)(**checked)


def _setting(name: str, setting: Any) -> float | int:
    counted = name in ("every", "steps")
    if isinstance(setting, bool) or not isinstance(setting, Integral if counted else Real):
        wanted = "a whole number" if counted else "a number or a schedule"
        raise TypeError(f"learning rate: {name} must be {wanted}, got {type(setting).__name__}")
    try:
        number = float(setting)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0 or (number == 0 and name != "final"):
        raise ValueError(f"learning rate: {name} must be a positive finite number, got {setting!r}")
    return int(number) if counted else number


def settings(made: Schedule) -> Any:
    """The schedule as plain data for run.json: a number, or its name and numbers."""
    return made.lr if isinstance(made, Constant) else {"schedule": type(made).__name__, **made._asdict()}
