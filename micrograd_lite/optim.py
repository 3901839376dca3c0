"""Optimizers: from a gradient to a step, in plain arithmetic, one number at a time.

Each optimizer is one method, `terms`: given a parameter's number, its gradient and what it remembers of that
parameter, it returns every term of its formula, ending with the update. Then `after = before + update`.
Definitions and defaults are PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar, NamedTuple

from micrograd_lite import schedules
from micrograd_lite.architecture import yes_or_no
from micrograd_lite.scalar import Value

__all__ = ["OPTIMIZERS", "SGD", "Adam", "AdamW", "Optimizer", "RMSprop"]


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


class SGDTerms(NamedTuple):
    """velocity = momentum * velocity_before + gradient; update = -lr * velocity (Nesterov looks one step ahead)."""

    velocity_before: float
    velocity: float
    update: float


class SGD(Optimizer):
    """Gradient descent: update = -lr * gradient; with momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013)."""

    def __init__(self, lr: Any = 0.001, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0) -> None:
        momentum = check_setting("momentum", momentum, below=1.0)
        weight_decay = check_setting("weight_decay", weight_decay)
        nesterov = yes_or_no("nesterov", nesterov)
        if nesterov and not momentum:
            raise ValueError("nesterov needs a momentum above 0")
        super().__init__(lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.REMEMBERS = ("velocity",) if momentum else ()  # type: ignore[misc]

    def terms(self, value: float, gradient: float, memory: tuple[float, ...], lr: float, step: int) -> SGDTerms:
        """See SGDTerms."""
        gradient = gradient + self.weight_decay * value if self.weight_decay else gradient
        before = memory[0] if memory else 0.0
        velocity = self.momentum * before + gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return SGDTerms(before, velocity, -lr * direction)


class RMSpropTerms(NamedTuple):
    """square = alpha * square_before + (1 - alpha) * gradient**2; rate = lr / (sqrt(square) + eps)."""

    square_before: float
    square: float
    rate: float
    update: float


class RMSprop(Optimizer):
    """Divide by the running size of the gradient (Tieleman and Hinton 2012): update = -rate * gradient."""

    REMEMBERS = ("square",)

    def __init__(self, lr: Any = 0.01, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0) -> None:
        alpha = check_setting("alpha", alpha, below=1.0)
        eps = check_setting("eps", eps)
        weight_decay = check_setting("weight_decay", weight_decay)
        super().__init__(lr, alpha=alpha, eps=eps, weight_decay=weight_decay)
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay

    def terms(self, value: float, gradient: float, memory: tuple[float, ...], lr: float, step: int) -> RMSpropTerms:
        """See RMSpropTerms."""
        gradient = gradient + self.weight_decay * value if self.weight_decay else gradient
        square = self.alpha * memory[0] + (1.0 - self.alpha) * gradient * gradient
        rate = _ratio(lr, math.sqrt(square) + self.eps)
        return RMSpropTerms(memory[0], square, rate, -rate * gradient)


class AdamTerms(NamedTuple):
    """Two running means, of the gradient and its square; corrected ones undo their start at 0."""

    first_before: float
    first: float
    second_before: float
    second: float
    first_corrected: float
    second_corrected: float
    rate: float
    update: float


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): update = -rate * first_corrected, rate = lr / (sqrt(second_corrected) + eps).

    `bias_correction=False` leaves the correction out, as a well-known mistake does: the first steps are too big.
    """

    REMEMBERS = ("first", "second")
    DECOUPLED: ClassVar[bool] = False  # AdamW: weight decay moves the weight itself, not its gradient

    def __init__(
        self,
        lr: Any = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        bias_correction: bool = True,
    ) -> None:
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"betas must be two numbers such as (0.9, 0.999), got {betas!r}")
        betas = check_setting("betas[0]", betas[0], below=1.0), check_setting("betas[1]", betas[1], below=1.0)
        eps = check_setting("eps", eps)
        weight_decay = check_setting("weight_decay", weight_decay)
        bias_correction = yes_or_no("bias_correction", bias_correction)
        super().__init__(lr, betas=list(betas), eps=eps, weight_decay=weight_decay, bias_correction=bias_correction)
        self.betas, self.eps, self.weight_decay, self.bias_correction = betas, eps, weight_decay, bias_correction

    def terms(self, value: float, gradient: float, memory: tuple[float, ...], lr: float, step: int) -> AdamTerms:
        """See AdamTerms."""
        if self.weight_decay and not self.DECOUPLED:
            gradient = gradient + self.weight_decay * value
        beta1, beta2 = self.betas
        first = beta1 * memory[0] + (1.0 - beta1) * gradient
        second = beta2 * memory[1] + (1.0 - beta2) * gradient * gradient
        first_corrected = first / (1.0 - beta1**step) if self.bias_correction else first
        second_corrected = second / (1.0 - beta2**step) if self.bias_correction else second
        rate = _ratio(lr, math.sqrt(second_corrected) + self.eps)
        update = -rate * first_corrected
        if self.weight_decay and self.DECOUPLED:
            update -= lr * self.weight_decay * value
        return AdamTerms(memory[0], first, memory[1], second, first_corrected, second_corrected, rate, update)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): update also has -lr * weight_decay * weight."""

    DECOUPLED = True

    def __init__(
        self, lr: Any = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.01
    ) -> None:
        super().__init__(lr, betas, eps, weight_decay)


OPTIMIZERS = {optimizer.__name__: optimizer for optimizer in (SGD, RMSprop, Adam, AdamW)}
"""Every optimizer by name."""


def _ratio(lr: float, size: float) -> float:
    return lr / size if size else math.inf  # only with eps=0 and a gradient of exactly 0
