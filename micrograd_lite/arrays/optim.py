"""The optimizers' arithmetic again, on one flat buffer, in place: the same terms in the same order as optim.py.

Memory is touched as few times as possible, because that is what a step of an optimizer costs. So the running means are
kept without their factor (1 - beta), as fading sums: first_sum = beta * first_sum + gradient, and first = (1 - beta) *
first_sum; all of Adam's factors and corrections meet in two numbers at the end. Ten passes over memory instead of sixteen.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrograd_lite.arrays.array import quiet
from micrograd_lite.arrays.buffers import length
from micrograd_lite.optim import SGD, Adam, Optimizer, RMSprop

FADED, FADING = 1e-30, 32
"""In float32 a sum that has faded below this becomes 0, looked at every so many steps: denormal numbers cost half an epoch."""

SAFE = 1e18
"""A shorter update carries no finite parameter beyond the largest float32: that takes half a unit of its last place, 1e31."""


class ArrayOptimizer:
    """An optimizer of optim.py for one flat buffer of parameters. TypeError for one of your own.

    `update` holds the last step's update, `update_norm` its length; `memory` what is carried on, by name.
    """

    def __init__(self, optimizer: Optimizer, parameters: np.ndarray) -> None:
        self.optimizer, self.terms = optimizer, arithmetic(optimizer)
        names = [FADING_SUMS.get(name, name) for name in optimizer.REMEMBERS]
        if names and not optimizer.memory:
            optimizer.memory = {name: np.zeros_like(parameters) for name in names}
        memory = optimizer.memory if names else {}  # an optimizer goes on where it stopped
        wanted = parameters.shape, parameters.dtype
        if not isinstance(memory, dict) or any((array.shape, array.dtype) != wanted for array in memory.values()):
            raise ValueError("this optimizer remembers the parameters of another model; make a new one")
        self.memory: dict[str, np.ndarray] = memory
        self.update, self.update_norm = np.zeros_like(parameters), 0.0
        self.scratch = np.empty_like(parameters) if getattr(optimizer, "weight_decay", 0.0) else self.update[:0]

    @quiet
    def step(self, parameters: np.ndarray, gradient: np.ndarray) -> float:
        """Move the parameters in place; returns the learning rate used.

        FloatingPointError when a parameter would no longer be finite: then none has moved.
        """
        optimizer = self.optimizer
        step = optimizer.steps + 1
        lr = optimizer.lr(step)
        self.update_norm = self.move(parameters, gradient, lr, step)
        if not self.update_norm < SAFE:
            after = parameters + self.update
            if not np.isfinite(after).all():
                position = int(np.flatnonzero(~np.isfinite(after))[0])
                became = f"parameter {position} would become {float(after[position])!r}"
                raise FloatingPointError(f"step {step}: {became}; try a smaller learning rate")
        parameters += self.update
        optimizer.steps = step
        return lr

    def move(self, parameters: np.ndarray, gradient: np.ndarray, lr: float, step: int) -> float:
        """Make `update`, and what is remembered; returns the update's length."""
        faded = self.faded(step)
        for sums in self.memory.values() if faded else ():
            sums[np.abs(sums) < faded] = 0.0
        self.terms(self, self.optimizer, parameters, gradient, lr, step)
        return length(self.update)  # one product, which costs less than a look at each number

    def faded(self, step: int) -> float:
        """The size below which a sum becomes 0 at this step; 0.0 for none."""
        return FADED if self.update.dtype == np.float32 and step % FADING == 0 else 0.0

    def decayed(self, gradient: np.ndarray, value: np.ndarray, decay: float) -> np.ndarray:
        """gradient + decay * value, without touching the gradient."""
        if not decay:
            return gradient
        np.multiply(value, decay, out=self.scratch)
        self.scratch += gradient
        return self.scratch


def _sgd(self: ArrayOptimizer, sgd: SGD, value: np.ndarray, gradient: np.ndarray, lr: float, step: int) -> None:
    gradient = self.decayed(gradient, value, sgd.weight_decay)
    if not sgd.momentum:
        np.multiply(gradient, -lr, out=self.update)
        return
    velocity = self.memory["velocity"]
    velocity *= sgd.momentum
    velocity += gradient
    if sgd.nesterov:
        np.multiply(velocity, sgd.momentum, out=self.update)
        self.update += gradient
        self.update *= -lr
    else:
        np.multiply(velocity, -lr, out=self.update)


def _rmsprop(self: ArrayOptimizer, rmsprop: RMSprop, value: np.ndarray, gradient: np.ndarray, lr: float, step: int) -> None:
    gradient = self.decayed(gradient, value, rmsprop.weight_decay)
    square, update = self.memory["square_sum"], self.update
    _add_square(square, rmsprop.alpha, gradient, update)
    rate, eps = rmsprop_factors(rmsprop, lr, step)
    np.sqrt(square, out=update)
    update += eps
    np.divide(gradient, update, out=update)
    update *= rate


def rmsprop_factors(rmsprop: RMSprop, lr: float, step: int) -> tuple[float, float]:
    """The rate and the eps that go with the root of a fading sum, which lacks the factor (1 - alpha)."""
    scale = math.sqrt(1.0 - rmsprop.alpha)
    return -lr / scale, rmsprop.eps / scale


def _adam(self: ArrayOptimizer, adam: Adam, value: np.ndarray, gradient: np.ndarray, lr: float, step: int) -> None:
    gradient = gradient if adam.DECOUPLED else self.decayed(gradient, value, adam.weight_decay)
    first, second, update = self.memory["first_sum"], self.memory["second_sum"], self.update
    beta1, beta2 = adam.betas
    first *= beta1
    first += gradient
    _add_square(second, beta2, gradient, update)
    rate, eps = adam_factors(adam, lr, step)
    np.sqrt(second, out=update)
    update += eps
    np.divide(first, update, out=update)
    update *= rate
    if adam.DECOUPLED and adam.weight_decay:
        np.multiply(value, lr * adam.weight_decay, out=self.scratch)
        update -= self.scratch


def adam_factors(adam: Adam, lr: float, step: int) -> tuple[float, float]:
    """The rate and the eps that go with fading sums: all of Adam's factors and corrections meet in them."""
    beta1, beta2 = adam.betas
    mean = (1.0 - beta1) / (1.0 - beta1**step if adam.bias_correction else 1.0)
    scale = math.sqrt((1.0 - beta2) / (1.0 - beta2**step if adam.bias_correction else 1.0))
    return -lr * mean / scale, adam.eps / scale


def _add_square(square: np.ndarray, keep: float, gradient: np.ndarray, scratch: np.ndarray) -> None:
    """square = keep * square + gradient**2, in place: a fading sum."""
    np.multiply(gradient, gradient, out=scratch)
    square *= keep
    square += scratch


ARITHMETIC: dict[Any, Any] = {SGD.terms: _sgd, RMSprop.terms: _rmsprop, Adam.terms: _adam}
"""The arithmetic of each formula; AdamW has Adam's, with the decay decoupled."""

FADING_SUMS = {"first": "first_sum", "second": "second_sum", "square": "square_sum"}
"""What is kept here in place of a running mean of optim.py: the mean is (1 - beta) times it. A velocity is one already."""


def arithmetic(optimizer: Optimizer) -> Any:
    """The function that does an optimizer's `terms` on arrays. TypeError for an optimizer whose formula is not in optim.py."""
    methods = {name: getattr(optimizer, name) for name in ("terms", "step")}
    plain = {name: getattr(method, "__func__", method) for name, method in methods.items()}
    if plain["terms"] not in ARITHMETIC or plain["step"] is not Optimizer.step:
        why = f"{type(optimizer).__name__} has no arithmetic for arrays; use SGD, RMSprop, Adam or AdamW"
        raise TypeError(f"{why}, or a scalar model, which calls its terms() and step()")
    return ARITHMETIC[plain["terms"]]
