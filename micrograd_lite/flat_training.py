"""Training through a flat program: the same steps, bit for bit, in a fraction of the time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from micrograd_lite.flat_model import flatten_model
from micrograd_lite.module import Module
from micrograd_lite.plan import Plan

Engine = Callable[[Plan, Sequence[Any], int], tuple[float, list[float]]]


def flat_engine(plan: Plan, eager: Engine) -> Engine:
    """A function (plan, batch, step) -> (loss, gradients) that does what `eager` does, with the plan's model flattened.

    When the loss or a slope is not finite the step is run again by `eager`, whose error names the node. ValueError now
    for a model that has no flat program.
    """
    if not isinstance(plan.model, Module):
        raise ValueError("engine: 'flat' is for scalar models; an array model has an engine of its own")
    program = flatten_model(plan.model, plan.loss, plan.training)

    def loss_and_gradients(plan: Plan, batch: Sequence[Any], step: int) -> tuple[float, list[float]]:
        for parameter in program.parameters:  # zero_grad() would make all their names first, at every step
            parameter.grad = 0.0
        loss = program.backward(batch, plan.loss.reduce)
        gradients = [parameter.grad for parameter in plan.parameters]
        if math.isfinite(loss) and all(map(math.isfinite, gradients)):
            return loss, gradients
        return eager(plan, batch, step)

    return loss_and_gradients
