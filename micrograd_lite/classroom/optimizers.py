"""Somebody's mse, SGD and Adam, where they have them: three steps beside the formulas, written out here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from micrograd_lite.classroom.adapter import Engine, parameters_of
from micrograd_lite.classroom.findings import Finding, close, shown
from micrograd_lite.classroom.lines import defined

NUMBERS, TARGETS = (0.5, 2.0, -1.0), (1.0, 0.0, 1.0)
GRADIENTS = (0.3, -0.2, 1e-5)
"""Of one parameter, step by step; the last is so small that the place of eps matters."""

LR = 0.1


SETTINGS: dict[str, Any] = {
    **dict.fromkeys(("lr", "learning_rate"), LR), **dict.fromkeys(("momentum", "weight_decay"), 0.0), "betas": (0.9, 0.999),
    **dict.fromkeys(("beta1", "b1"), 0.9), **dict.fromkeys(("beta2", "b2"), 0.999), **dict.fromkeys(("eps", "epsilon"), 1e-8),
}  # fmt: skip
"""What an optimizer is built with, of the names that it takes: somebody's own defaults are no mistake."""


def of_losses(engine: Engine, names: Mapping[str, Any]) -> list[Finding]:
    """mse(outputs, targets) is the mean of the squares; half of it will do."""
    for name in ("mse", "mse_loss", "MSE", "MSELoss"):
        if callable(names.get(name)) and not isinstance(names[name], type):
            got = engine.number(names[name]([engine.leaf(x) for x in NUMBERS], list(TARGETS)))
            total = math.fsum((x - y) ** 2 for x, y in zip(NUMBERS, TARGETS))
            if close(got, total):
                words = "it is the sum of the squares, not their mean: the steps are as many times as long as there are rows"
            elif not close(got, total / 3) and not close(got, total / 6):
                words = "it is not the mean of the squares of output minus target"
            else:
                continue
            numbers = f"of outputs {NUMBERS} and targets {TARGETS} it is {shown(got)} and should be {shown(total / 3)}"
            return [Finding("wrong", name, words, (), numbers, defined(names[name]))]
    return []


def sgd(gradients: tuple[float, ...]) -> list[float]:
    """The weight after each step, from 1.0."""
    weight, course = 1.0, []
    for gradient in gradients:
        weight -= LR * gradient
        course.append(weight)
    return course


def adam(gradients: tuple[float, ...], corrected: bool = True, inside: bool = False) -> list[float]:
    """The weight after each step; without the correction of the means, or with eps inside the root, as mistakes have it."""
    weight, first, second, course = 1.0, 0.0, 0.0, []
    for step, gradient in enumerate(gradients, 1):
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient * gradient
        mean = first / (1.0 - 0.9**step) if corrected else first
        square = second / (1.0 - 0.999**step) if corrected else second
        weight -= LR * mean / (math.sqrt(square + 1e-8) if inside else math.sqrt(square) + 1e-8)
        course.append(weight)
    return course


LOOKS: dict[str, tuple[tuple[Callable[[tuple[float, ...]], list[float]], str], ...]] = {
    "SGD": ((sgd, ""),),
    "Adam": (
        (adam, ""),
        (
            lambda g: adam(g, corrected=False),
            "its means are used as they are: they start at 0 and must be divided by 1 - beta**step",
        ),
        (lambda g: adam(g, inside=True), "eps stands inside the root, where its 1e-8 acts as 1e-4: it is added to the root"),
    ),
}
"""Of each optimizer the right course, and what mistakes make of it."""


def of_optimizers(engine: Engine, names: Mapping[str, Any]) -> list[Finding]:
    """SGD(parameters, lr) and Adam(parameters, lr): the weight after each step()."""
    found = []
    for name, looks in LOOKS.items():
        if isinstance(names.get(name), type) and hasattr(names[name], "step"):
            for gradients in ((GRADIENTS[0],) * 3, (GRADIENTS[2],) * 3, GRADIENTS):
                got, wanted = course(engine, names[name], gradients), looks[0][0](gradients)
                off = next((at for at, (one, two) in enumerate(zip(got, wanted)) if not close(one, two)), None)
                if off is not None:
                    like = [words for formula, words in looks[1:] if all(map(close, got, formula(gradients)))]
                    words = like[0] if like else (half_known(gradients, got, looks) or "its steps are not those of the formula")
                    came = f"{shown(got[off])} and should be {shown(wanted[off])}"
                    numbers = f"from 1.0 with gradient {gradients[off]:g}, step {off + 1}: {came}"
                    found.append(Finding("wrong", name, words, (), numbers, defined(names[name].step)))
                    break
    return found


def half_known(gradients: tuple[float, ...], got: list[float], looks: Any) -> str:
    """Only the first mean uncorrected, as it is often forgotten."""
    if len(looks) < 2 or len(set(gradients)) > 1:
        return ""
    weight, first = 1.0, 0.0
    for gradient in gradients:
        first = 0.9 * first + 0.1 * gradient
        weight -= LR * first / (abs(gradient) + 1e-8)
    return (
        "its first mean is used as it is: it starts at 0 and must be divided by 1 - beta1**step" if close(got[-1], weight) else ""
    )


def course(engine: Engine, kind: type, gradients: tuple[float, ...]) -> list[float]:
    """One parameter's number after each step of their optimizer."""
    weight, takes = engine.leaf(1.0), parameters_of(kind)
    settings = {name: value for name, value in SETTINGS.items() if name in takes}
    optimizer = kind([weight], **settings) if {"lr", "learning_rate"} & settings.keys() else kind([weight], LR, **settings)
    found = []
    for gradient in gradients:
        setattr(weight, engine.grad, gradient)
        optimizer.step()
        found.append(engine.number(weight))
    return found
