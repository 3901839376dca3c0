"""From a model and a loss to a flat program: build the graph of one sample, with leaves for whatever a sample brings.

And training through it: the same steps, bit for bit, in a fraction of the time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

from micrograd_lite.data import Dataset
from micrograd_lite.flat.program import Program, Written
from micrograd_lite.flat.write import write
from micrograd_lite.losses import Loss, as_list
from micrograd_lite.module import Module
from micrograd_lite.rules import MANY
from micrograd_lite.scalar import Value


def flatten_model(model: Any, loss: Loss, data: Dataset | Sequence[Any]) -> Program:
    """The program of one sample's loss, with slopes toward all parameters of a Module, under their names.

    data: a Dataset, or pairs (inputs, target). The first and the last sample show the form, and whether it depends on
    the data: ValueError when their graphs differ in more than the numbers, or when the program does not repeat the
    engine's loss.
    """
    samples: Sequence[Any] = list(zip(data.inputs, data.targets)) if isinstance(data, Dataset) else data
    if not samples:
        raise ValueError("a flat program needs a sample to be made from, got none")
    ends = [samples[0], samples[-1]][: len(samples)]
    first, *others = (_of_sample(model, loss, sample) for sample in ends)
    program = Program(first)
    alike = all(other.source == first.source for other in others)
    if not alike or any(repr(program.losses([end])) != repr([loss.sample(model(end[0]), end[1]).data]) for end in ends):
        raise ValueError("the shape of this graph depends on the data, so it cannot be written out; train with the eager engine")
    return program


def _of_sample(model: Any, loss: Loss, sample: Any) -> Written:
    inputs, target = sample
    leaves = [Value(number, f"x{position}") for position, number in enumerate(inputs)]
    outputs = model(leaves)
    if _is_label(loss, outputs, target):
        root = loss.sample(outputs, target)
        targets = [("label", root.parents[-1])]
    else:
        single = not isinstance(target, (list, tuple))
        targets = [("target" if single else f"target{k}", Value(number)) for k, number in enumerate(as_list(target))]
        root = loss.sample(outputs, targets[0][1] if single else [leaf for _, leaf in targets])
    return write(root, model.named_parameters(), leaves, targets)


def _is_label(loss: Loss, outputs: Any, target: Any) -> bool:
    """Does the loss take a label, a position among the outputs, and not a number?"""
    if not isinstance(target, Integral) or not isinstance(outputs, list):
        return False
    try:
        return loss.sample(outputs, target).rule is MANY["cross_entropy"]
    except (TypeError, ValueError):
        return False


Engine = Callable[[Any, Sequence[Any], int], tuple[float, list[float]]]
"""What `train` calls at each step: (plan, batch, step) -> (loss, gradients)."""


def flat_engine(name: str, model: Module, loss: Loss, data: Dataset, parameters: Sequence[Value], eager: Engine) -> Engine:
    """An engine that does what `eager` does, with the model written out as a flat program: "flat", or "c", compiled.

    parameters: those that are trained, in the order of their gradients. When the loss or a slope is not finite the step
    is run again by `eager`, whose error names the node. ValueError now for a model that has no flat program.
    """
    program: Any = flatten_model(model, loss, data)
    if name == "c":
        from micrograd_lite.flat.compiled import in_c  # loads what runs a compiler

        program = in_c(program, list(zip(data.inputs, data.targets))[:1])

    def loss_and_gradients(plan: Any, batch: Sequence[Any], step: int) -> tuple[float, list[float]]:
        for parameter in program.parameters:  # zero_grad() would make all their names first, at every step
            parameter.grad = 0.0
        total = program.backward(batch, loss.reduce)
        gradients = [parameter.grad for parameter in parameters]
        if math.isfinite(total) and all(map(math.isfinite, gradients)):
            return total, gradients
        return eager(plan, batch, step)

    return loss_and_gradients


def model_program(model: Any, loss: Loss) -> Program:
    """The program of a model on its own, without data: a sample of the right form is made up, and no number of it stays.

    ValueError when the loss does not go with the number of outputs.
    """
    outputs = model.architecture.widths[-1]
    target: Any = 1.0 if outputs == 1 else 0 if loss.takes_logits else [0.0] * outputs
    if not loss.fits(target, outputs):
        raise ValueError(f"{loss.name} needs {loss.wants}, and this model has {outputs} outputs; choose another --loss")
    return flatten_model(model, loss, [([0.5] * model.architecture.widths[0], target)])
