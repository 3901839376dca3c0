"""The losses again, on arrays: what losses.py says about one sample, for a whole batch at once.

One row of the table for each loss, found by the record itself, not by its name. A loss of your own, or one with a part
replaced, is in no row: it goes through Values, sample by sample, so that it means here what it means in the scalar engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from micrograd_lite.arrays import many as array_many
from micrograd_lite.arrays.array import Array, node, quiet
from micrograd_lite.losses import Loss, as_list, binary_cross_entropy, cross_entropy, half_squared_error, hinge, mse
from micrograd_lite.rules import ManyRule
from micrograd_lite.scalar import Value


class ArrayLoss(NamedTuple):
    """A loss of losses.py for a batch: outputs have shape (samples, outputs); targets the same, labels (samples,)."""

    sample: Callable[[Any, Any], Any]  # (outputs, targets) -> every cost of the batch
    reduce: Callable[[Array], Array]  # costs -> one number
    takes: Callable[[np.ndarray, int], bool]  # (targets, number of outputs) -> is their shape right?
    fits: Callable[[np.ndarray, int], np.ndarray]  # the same -> which of them are right?
    correct: Callable[[np.ndarray, np.ndarray, float], np.ndarray]  # (outputs, targets, border) -> is each decision right?


def takes_labels(targets: np.ndarray, outputs: int) -> bool:
    """One whole number for each sample, and outputs to choose from."""
    return targets.ndim == 1 and targets.dtype.kind in "iu" and outputs > 1


def takes_numbers(targets: np.ndarray, outputs: int) -> bool:
    """One number for each sample and output."""
    return targets.ndim == 2 and targets.shape[1] == outputs


def takes_one(targets: np.ndarray, outputs: int) -> bool:
    """One number for each sample, and one output."""
    return outputs == 1 and takes_numbers(targets, outputs)


def _finite(targets: np.ndarray, outputs: int) -> np.ndarray:
    return np.asarray(np.isfinite(targets))


def _same_side(outputs: np.ndarray, targets: np.ndarray, border: float) -> np.ndarray:
    if outputs.shape[1] > 1:
        return np.asarray(outputs.argmax(axis=1) == targets.argmax(axis=1))
    return np.asarray((outputs[:, 0] > border) == (targets[:, 0] > border))


# Written with + - * and functions alone, a sample's cost in losses.py is the cost of every row of an array.
ON_ARRAYS: dict[Loss, ArrayLoss] = {
    mse: ArrayLoss(mse.sample, array_many.mean, takes_numbers, _finite, _same_side),
    half_squared_error: ArrayLoss(half_squared_error.sample, array_many.sum, takes_numbers, _finite, _same_side),
    binary_cross_entropy: ArrayLoss(
        binary_cross_entropy.sample, array_many.mean, takes_one,
        fits=lambda targets, outputs: (targets >= 0) & (targets <= 1),
        correct=lambda outputs, targets, border: (outputs[:, 0] > 0) == (targets[:, 0] > 0.5),
    ),
    cross_entropy: ArrayLoss(
        array_many.cross_entropy, array_many.mean, takes_labels,
        fits=lambda labels, outputs: (labels >= 0) & (labels < outputs),
        correct=lambda outputs, labels, border: outputs.argmax(axis=1) == labels,
    ),
    hinge: ArrayLoss(
        hinge.sample, array_many.mean, takes_one,
        fits=lambda targets, outputs: np.abs(targets) == 1,
        correct=lambda outputs, targets, border: (outputs[:, 0] > 0) == (targets[:, 0] > 0),
    ),
}  # fmt: skip
"""What is known about each loss on arrays; the key is the whole record, so a loss with a replaced part is not found."""

THROUGH_VALUES = ManyRule("through_values", ("outputs",), "the loss of the outputs, as Values", ("its slope",))


def array_loss(loss: Loss, outputs: Array, targets: np.ndarray) -> Array:
    """The loss of a batch as one node."""
    known = ON_ARRAYS.get(loss)
    return known.reduce(known.sample(outputs, targets)) if known else through_values(loss, outputs, targets)


@quiet
def through_values(loss: Loss, outputs: Array, targets: np.ndarray) -> Array:
    """The loss of a batch, computed by the scalar engine from the outputs; its slopes are what backward() finds there.

    Right for any loss, at the scalar engine's speed: some 10 us for each output of each sample.
    """
    rows = [[Value(number) for number in row] for row in outputs.data.tolist()]
    total = loss([row[0] if len(row) == 1 else row for row in rows], targets.tolist())
    total.backward()
    slopes = np.array([[value.grad for value in row] for row in rows]).astype(outputs.data.dtype)
    return node(np.asarray(total.data).astype(outputs.data.dtype), (outputs,), (slopes,), THROUGH_VALUES)


def decisions(loss: Loss, outputs: np.ndarray, targets: np.ndarray, border: float) -> np.ndarray:
    """For each sample, is the decision right? border: the middle of the training targets, which parts a yes from a no."""
    known = ON_ARRAYS.get(loss)
    if known:
        return np.asarray(known.correct(outputs, targets, border))
    samples = zip(outputs.tolist(), targets.tolist())
    return np.array([bool(loss.correct(as_list(output), target, border)) for output, target in samples])
