"""The plan again, for arrays: the same door as plan.py, but whole tables are checked at once.

A data set of lists becomes arrays of the model's dtype here; arrays are taken as they are, never copied.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_lite.arrays.array import quiet
from micrograd_lite.arrays.losses import ON_ARRAYS, takes_labels
from micrograd_lite.arrays.nn import MLP
from micrograd_lite.data import Dataset
from micrograd_lite.losses import Loss

CHUNK = 4096
"""Rows looked at in one go: a mask of the whole of MNIST would take as much memory as a quarter of it."""


def array_dataset(made: Dataset, model: MLP, loss: Loss) -> Dataset:
    """The data set with an array of inputs (samples, features) and an array of targets, checked.

    Labels stay whole numbers of shape (samples,); other targets get the model's dtype and shape (samples, outputs).
    ValueError and TypeError say what is wrong, with both shapes or dtypes.
    """
    inputs = model.batch(made.inputs)
    if not len(inputs):
        raise ValueError(f"{made.name} has no rows; a data set needs at least one")
    for start in range(0, len(inputs), CHUNK):
        bad = np.argwhere(~np.isfinite(inputs[start : start + CHUNK]))
        if len(bad):
            row, column = start + int(bad[0, 0]), int(bad[0, 1])
            number = float(inputs[row, column])
            raise ValueError(f"{made.name}: inputs: row {row}, column {column} is {number!r}; every number must be finite")
    tables: dict[str, Any] = {"inputs": inputs, "targets": _targets(made, model, loss, len(inputs))}
    return made._replace(**tables)


def _targets(data: Dataset, model: MLP, loss: Loss, samples: int) -> np.ndarray:
    outputs, output = model.architecture.widths[-1], model.architecture.activations[-1]
    if loss.takes_logits and output != "linear":
        raise ValueError(f"{loss.name} applies its own squashing, so it needs output='linear', not {output!r}")
    targets = np.asarray(data.targets)
    if len(targets) != samples:
        raise ValueError(f"{data.name} has {samples} rows of inputs but {len(targets)} targets; give each row one target")
    if targets.dtype.kind not in "biuf":
        raise TypeError(f"{data.name}: targets must be real numbers, got dtype {targets.dtype}")
    known = ON_ARRAYS.get(loss)
    if known is None:
        return _checked_by_row(data, targets, loss, outputs)
    if known.takes is not takes_labels:
        targets = quiet(targets[:, None].astype if targets.ndim == 1 else targets.astype)(model.dtype, copy=False)
    made = f"the model has {outputs} output{'s' if outputs > 1 else ''} and the target"
    if not known.takes(targets, outputs):
        given = np.asarray(data.targets)
        raise ValueError(f"{data.name}: {loss.name} needs {loss.wants}; {made}s have shape {given.shape} and dtype {given.dtype}")
    fits = known.fits(targets, outputs)  # one answer for each row, or for each number of it
    if not fits.all():
        row = int(np.argwhere(~fits)[0, 0])
        raise ValueError(f"row {row} of {data.name}: {loss.name} needs {loss.wants}; {made} is {targets[row].tolist()!r}")
    return targets


def _checked_by_row(data: Dataset, targets: np.ndarray, loss: Loss, outputs: int) -> np.ndarray:
    """The targets of a loss of one's own as they are: the loss itself says of each whether it fits."""
    for row, target in enumerate(targets.tolist()):
        if not np.isfinite(target).all():
            raise ValueError(f"{data.name}: the target of row {row} is {target}; every number must be finite")
        if not loss.fits(target, outputs):
            made = f"the model has {outputs} output{'s' if outputs > 1 else ''} and the target is {target!r}"
            raise ValueError(f"row {row} of {data.name}: {loss.name} needs {loss.wants}; {made}")
    return targets
