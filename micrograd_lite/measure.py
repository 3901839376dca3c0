"""What a step is measured by: the length of a gradient, loss and accuracy, and where a number stopped being finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from micrograd_lite.chain.formulas import formulas
from micrograd_lite.data import Dataset
from micrograd_lite.graph import node_names, oldest_first
from micrograd_lite.losses import Loss, as_list
from micrograd_lite.scalar import Value

FLAT = 0.01
"""A slope below this lets hardly anything of an error through: a saturated sigmoid, a dead relu."""


def norm(numbers: Sequence[float]) -> float:
    """The Euclidean length, scaled so that squares cannot overflow; added from left to right."""
    largest = max((abs(number) for number in numbers), default=0.0)
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    total = 0.0
    for number in numbers:
        total += (number / largest) ** 2
    return largest * math.sqrt(total)


def evaluation(model: Any, loss: Loss, training: Dataset, testing: Dataset | None) -> dict[str, float]:
    """Loss on the test data and, for classes, accuracy (share of right decisions, 0 to 1) on both.

    The middle of the *training* targets parts a yes from a no in both: the test data must not move their own border.
    """
    results: dict[str, float] = {}
    for part, data in (("train", training), ("test", testing)):
        if data is None:
            continue
        outputs = [as_list(model.predict(inputs)) for inputs in data.inputs]
        if part == "test":
            results["test_loss"] = loss([_wrap(output) for output in outputs], data.targets).data
        if data.classes:
            between = middle(training.targets)
            right = [loss.correct(output, target, between) for output, target in zip(outputs, data.targets)]
            results[f"{part}_accuracy"] = right.count(True) / len(right)
    return results


def batch_loss(model: Any, loss: Loss, batch: Sequence[tuple[Any, Any]]) -> float:
    """The loss of a batch of (inputs, target) as plain numbers."""
    return loss([_wrap(as_list(model.predict(inputs))) for inputs, _ in batch], [target for _, target in batch]).data


def predicted_change(gradients: Sequence[float], terms: Sequence[Any]) -> float:
    """What the slope promises of an update: the sum of gradient * update, from left to right (Taylor's first term)."""
    total = 0.0
    for gradient, term in zip(gradients, terms):
        total += gradient * term.update
    return total


def middle(targets: Sequence[Any]) -> float:
    """Half-way between the smallest and the largest target: where a yes parts from a no."""
    numbers = [float(number) for target in targets for number in as_list(target)]
    return (min(numbers) + max(numbers)) / 2.0


def _wrap(outputs: Sequence[float]) -> Any:
    values = [Value(output) for output in outputs]
    return values[0] if len(values) == 1 else values


def first_non_finite(root: Value) -> str:
    """A sentence that names the oldest node below root whose number is not finite, and the operation that made it."""
    names = node_names(root)
    for node in oldest_first(root):
        if not math.isfinite(node.data):
            made = formulas(node, names)[0] if node.parents else "a leaf"
            return f"the first number that is not finite is {names[node]} = {made} = {node.data!r}; try a smaller learning rate"
    return "every number in it is finite"
