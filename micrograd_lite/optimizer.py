"""Optimizer: what all optimizers share. Each one adds a single method, its formula, in optim.py."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

from micrograd_lite import schedules
from micrograd_lite.scalar import Value


class Optimizer:
    """What all optimizers share. `lr` is the learning rate: a positive number or a schedule."""

    REMEMBERS: ClassVar[tuple[str, ...]] = ()  # the terms kept for the next step, per parameter; they start at 0.0

    def __init__(self, lr: Any, **settings: Any) -> None:
        self.lr = schedules.schedule(lr)
        self.settings: dict[str, Any] = settings
        self.steps = 0
        self.memory: Any = []  # one tuple for each parameter; of an array model, a dict of flat arrays

    def terms(self, value: float, gradient: float, memory: tuple[float, ...], lr: float, step: int) -> Any:
        """Every term of one parameter's step, the last one named `update`."""
        raise TypeError(f"{type(self).__name__} defines no terms(); use SGD, RMSprop, Adam or AdamW")

    def step(self, parameters: Sequence[Value]) -> list[Any]:
        """Move each parameter by its update and return the terms, in the order of the parameters.

        ValueError when the number of parameters differs from the step before, FloatingPointError when a parameter
        would no longer be finite. Nothing moves if anything raises.
        """
        memory = self.memory or [(0.0,) * len(self.REMEMBERS)] * len(parameters)
        if isinstance(memory, dict) or len(memory) != len(parameters):  # a dict: of an array model
            raise ValueError(f"this optimizer holds {len(memory)} parameters and was given {len(parameters)}; make a new one")
        step = self.steps + 1
        lr = self.lr(step)
        all_terms = [
            self.terms(float(parameter.data), float(parameter.grad), remembered, lr, step)
            for parameter, remembered in zip(parameters, memory)
        ]
        after = [float(parameter.data) + terms.update for parameter, terms in zip(parameters, all_terms)]
        for position, number in enumerate(after):
            if not math.isfinite(number):
                name = parameters[position].label or f"parameter {position}"
                raise FloatingPointError(f"step {step}: {name} would become {number!r}; try a smaller learning rate")
        for parameter, number in zip(parameters, after):
            parameter.data = number
        self.memory = [tuple(getattr(terms, name) for name in self.REMEMBERS) for terms in all_terms]
        self.steps = step
        return all_terms

    def config(self) -> dict[str, Any]:
        """Name and settings as plain data, for run.json."""
        return {"name": type(self).__name__, "lr": schedules.settings(self.lr), **self.settings}


def check_setting(name: str, setting: Any, below: float = math.inf) -> float:
    """The setting as a float. ValueError unless it is a number of at least 0 and below a bound."""
    if isinstance(setting, bool) or not isinstance(setting, Real) or not 0 <= float(setting) < below:
        raise ValueError(f"{name} must be a number of at least 0 and below {below}, got {setting!r}")
    return float(setting)
