"""The operations over many operands again, on arrays: each has its value and its pull.

A pull goes from the gradient that arrives at a node (upstream) to the share of each operand. A reader of scalar
code finds here what its loops become: `matmul` is `dot` for all neurons and samples at once, and its pull has the
transposes that come from summing the scalar shares over the other index.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_lite.arrays.array import PULLS, Array, node, quiet
from micrograd_lite.rules import MANY


@quiet
def matmul(x: Array, w: Array) -> Array:
    """x @ w: (samples, inputs) times (inputs, outputs). ValueError gives both shapes when they do not fit."""
    if x.data.ndim != 2 or w.data.ndim != 2 or x.data.shape[1] != w.data.shape[0]:
        raise ValueError(f"matmul: shapes {x.data.shape} and {w.data.shape} do not fit: columns of the first, rows of the second")
    if x.data.dtype != w.data.dtype:
        raise TypeError(f"matmul: {x.data.dtype} and {w.data.dtype} do not mix; convert one of them with ndarray.astype")
    return node(x.data @ w.data, (x, w), (x.data, w.data), MANY["matmul"])


@quiet
def sum(values: Array, axis: int | None = None) -> Array:
    """The sum of all elements, or along one axis."""
    return node(np.asarray(values.data.sum(axis=axis)), (values,), (axis,), MANY["sum"])


@quiet
def mean(values: Array, axis: int | None = None) -> Array:
    """The mean of all elements, or along one axis. ValueError when there is nothing to average."""
    count = values.data.size if axis is None else len(np.moveaxis(values.data, axis, 0))
    if not count:
        raise ValueError("a mean needs at least one value, got none")
    return node(np.asarray(values.data.mean(axis=axis)), (values,), (axis,), MANY["mean"])


def pick(values: Array, columns: Any) -> Array:
    """One element of each row: values[i, columns[i]]. ValueError for a column that is not there."""
    columns = labels_of(columns, values.data.shape, "pick")
    return node(values.data[np.arange(len(columns)), columns], (values,), (columns,), MANY["pick"])


def reshape(values: Array, *shape: int) -> Array:
    """The same elements in another shape."""
    return node(values.data.reshape(shape), (values,), (), MANY["reshape"])


@quiet
def cross_entropy(logits: Array, labels: Any) -> Array:
    """-log softmax(logits)[label] for each row as one node: shape (samples, outputs) to (samples,).

    Softmax and logarithm are fused, so nothing overflows. ValueError for a label that is not one of the columns.
    """
    value, slopes = softmax_costs(logits.data, labels)
    return node(value, (logits,), (slopes,), MANY["cross_entropy"])


def softmax_costs(logits: np.ndarray, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """The value of cross_entropy, (samples,), and its slopes, (samples, outputs)."""
    labels = labels_of(labels, logits.shape, "cross_entropy")
    starts = np.arange(0, logits.size, logits.shape[1])  # of the rows; flat places cost half of pairs (row, column)
    top, right = starts + logits.argmax(axis=1), starts + labels
    shifted = logits - logits.take(top)[:, None]
    slopes = np.exp(shifted, order="C")
    flat = slopes.reshape(-1)
    flat[top] = 0.0  # all but the highest, whose exponential is 1: log1p keeps the digits of a small cost
    rest = slopes.sum(axis=1)
    flat[top] = np.exp(shifted.take(top))
    slopes /= (1.0 + rest)[:, None]
    flat[right] -= 1.0
    return np.log1p(rest) - shifted.take(right), slopes


def labels_of(labels: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Labels as an array of whole numbers, one for each row of a table. ValueError or TypeError says what is wrong."""
    made = np.asarray(labels)
    if made.dtype.kind not in "iu":
        raise TypeError(f"{name}: labels must be whole numbers, got dtype {made.dtype}")
    if len(shape) != 2 or made.shape != shape[:1]:
        raise ValueError(f"{name}: {shape} needs one label for each row of a table, got labels of shape {made.shape}")
    if made.size and (made.min() < 0 or made.max() >= shape[1]):
        row = int(np.flatnonzero((made < 0) | (made >= shape[1]))[0])
        raise ValueError(f"{name}: the label must be one of 0 ... {shape[1] - 1}, got {int(made[row])} in row {row}")
    return made.astype(np.intp, copy=False)  # uint64 and places would add up to floats


def _spread(made: Array) -> Any:
    """The upstream gradient of a sum, back over the axis that was summed away."""
    (values,), (axis,) = made.parents, made.partials
    if axis is None:
        return np.full(values.data.shape, made.grad)
    return np.broadcast_to(np.expand_dims(made.grad, axis), values.data.shape)


def _scatter(made: Array) -> np.ndarray:
    (values,), (columns,) = made.parents, made.partials
    share: np.ndarray = np.zeros_like(values.data)
    share[np.arange(len(columns)), columns] = made.grad
    return share


PULLS.update(
    matmul=lambda made: [made.grad @ made.partials[1].T, made.partials[0].T @ made.grad],
    sum=lambda made: [_spread(made)],
    mean=lambda made: [_spread(made) * (made.data.size / (made.parents[0].data.size or 1))],
    pick=lambda made: [_scatter(made)],
    reshape=lambda made: [made.grad.reshape(made.parents[0].data.shape)],
    cross_entropy=lambda made: [made.partials[0] * made.grad[:, None]],
)
