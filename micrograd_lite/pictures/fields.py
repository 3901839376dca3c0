"""A network at many points at once, or one network with many weights: what boundaries and loss maps are made of.

The pictures need thousands of answers for each frame, so this page computes them on whole arrays, from the weights in a
trace. Activations are the derivative table's rows, as array.py compiles them; the losses are those of losses.py, in NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from micrograd_lite import many
from micrograd_lite.arrays.rules import APPLY
from micrograd_lite.losses import LOSSES, Loss, binary_cross_entropy, cross_entropy, half_squared_error, hinge, mse
from micrograd_lite.pictures.palette import Numbers

ACTIVATE = APPLY[np.dtype(float)]


def outputs(model: Mapping[str, Any], parameters: Mapping[str, ArrayLike], inputs: ArrayLike) -> Numbers:
    """The outputs of an MLP as in run.json's "model", shape (..., samples, outputs), for inputs of shape (samples, inputs).

    A parameter may be an array: then the network is computed for each of its entries, and they come first in the
    shape. KeyError when a parameter is missing.
    """
    widths = [model["inputs"], *model["outputs_per_layer"]]
    shape = np.broadcast_shapes(*{np.shape(value) for value in parameters.values()})
    values = np.asarray(inputs, dtype=float)

    def stacked(layer: int, name: str) -> Numbers:
        """One parameter of each neuron of a layer, side by side, broadcast to the shape of the largest array."""
        numbers = [parameters[f"layer{layer}.neuron{neuron}.{name}"] for neuron in range(widths[layer + 1])]
        return np.stack([np.broadcast_to(number, shape) for number in numbers], axis=-1) if shape else np.array(numbers)

    with np.errstate(all="ignore"):  # overflow is inf here as everywhere
        for layer, activation in enumerate([*model["activation"], model["output"]]):
            values = values @ np.stack([stacked(layer, f"w{index}") for index in range(widths[layer])], axis=-2)
            if model["bias"]:
                values = values + stacked(layer, "b")[..., None, :]
            slopes = [stacked(layer, "slope")[..., None, :]] if activation == "prelu" else []
            if activation != "linear":
                values = ACTIVATE[activation](values, *slopes)[0]
    return values


def loss_of(run: Mapping[str, Any], parameters: Mapping[str, ArrayLike]) -> Any:
    """The loss on the training data of run.json, one number or an array of them. KeyError when run.json has not the data."""
    data = run["data"]
    answers = outputs(run["model"], parameters, data["inputs"])
    with np.errstate(all="ignore"):
        loss = LOSSES[run["loss"]]
        costs = _COSTS[loss](answers, np.asarray(data["targets"], dtype=float))
        total = costs.sum(axis=-1) if loss.reduce is many.sum else costs.mean(axis=-1)
    return float(total) if np.ndim(total) == 0 else total


def _squares(answers: Numbers, targets: Numbers) -> Numbers:
    return np.asarray((answers - targets.reshape(len(targets), -1)) ** 2)


def _softplus(x: Numbers) -> Numbers:
    return np.asarray(np.logaddexp(0.0, x))


def _cross_entropy(answers: Numbers, labels: Numbers) -> Numbers:
    picked = np.take_along_axis(answers, np.broadcast_to(labels.astype(int)[:, None], (*answers.shape[:-1], 1)), axis=-1)
    largest = answers.max(axis=-1)
    total: Numbers = largest + np.log(np.exp(answers - largest[..., None]).sum(axis=-1)) - picked[..., 0]
    return total


_COSTS: dict[Loss, Any] = {
    mse: lambda answers, targets: _squares(answers, targets).mean(axis=-1),
    half_squared_error: lambda answers, targets: 0.5 * _squares(answers, targets).sum(axis=-1),
    binary_cross_entropy: lambda answers, targets: (
        targets * _softplus(-answers[..., 0]) + (1.0 - targets) * _softplus(answers[..., 0])
    ),
    cross_entropy: _cross_entropy,
    hinge: lambda answers, targets: np.maximum(0.0, 1.0 - targets * answers[..., 0]),
}
"""The cost of each sample."""
