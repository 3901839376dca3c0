"""One training step of an MLP on arrays without a graph: the same arithmetic in buffers that are made once.

The graph of dense.py allocates every intermediate array anew; here the products and sums go into buffers (`out=`)
and gradients straight into the model's flat buffer. Values and partials of the activations come from the same table
and the loss is the same graph, so the tests hold both to the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_lite import array_many
from micrograd_lite.array import APPLY, Array, quiet
from micrograd_lite.dense import MLP
from micrograd_lite.losses import Loss
from micrograd_lite.scalar import cross_entropy

REDUCE = {"mean": array_many.mean, "sum": array_many.sum}


def batch_loss(loss: Loss, outputs: Array, targets: np.ndarray) -> Array:
    """The loss of a batch as one node: the text of losses.py read with arrays, a sample being a row."""
    sample = array_many.cross_entropy if loss.sample is cross_entropy else loss.sample
    return REDUCE[loss.reduce.__name__](sample(outputs, targets))


class FusedStep:
    """Forward and backward of one model for batches of at most so many samples; gradients land in `model.flat_grad`."""

    def __init__(self, model: MLP, samples: int) -> None:
        self.model = model
        self.apply = APPLY[model.dtype]
        widths = model.architecture.widths
        self.sums = [np.empty((samples, width), model.dtype) for width in widths[1:]]
        self.deltas = [np.empty((samples, width), model.dtype) for width in widths[:-1]]

    @quiet
    def __call__(self, inputs: np.ndarray, targets: np.ndarray, loss: Loss) -> float:
        """The loss of a batch; its slope toward every parameter is in the model's flat_grad afterwards."""
        layers, count = self.model.layers, len(inputs)
        activations, slopes = [inputs], []
        for layer, buffer in zip(layers, self.sums):
            z = np.matmul(activations[-1], layer.w.data, out=buffer[:count])
            if layer.b is not None:
                z += layer.b.data
            value, partials = self.activate(layer, z)
            activations.append(value)
            slopes.append(partials)
        outputs = Array(activations[-1])
        total = batch_loss(loss, outputs, targets)
        total.backward()
        delta = outputs.grad
        for index in range(len(layers) - 1, -1, -1):
            delta = self.gradients(layers[index], activations[index], slopes[index], delta)
            if index:
                delta = np.matmul(delta, layers[index].w.data.T, out=self.deltas[index][:count])
        return float(total.data)

    def activate(self, layer: Any, z: np.ndarray) -> tuple[np.ndarray, tuple[Any, ...]]:
        """Value and partials of a layer's activation, from the table."""
        if layer.activation == "linear":
            return z, ()
        operands = (z,) if layer.slope is None else (z, layer.slope.data)
        made: tuple[np.ndarray, tuple[Any, ...]] = self.apply[layer.activation](*operands)
        return made

    def gradients(self, layer: Any, inputs: np.ndarray, partials: tuple[Any, ...], upstream: np.ndarray) -> np.ndarray:
        """Write the gradients of one layer; returns the gradient of its sums z."""
        if layer.slope is not None:
            np.sum(partials[1] * upstream, axis=0, out=layer.slope.grad)
        delta = np.multiply(upstream, partials[0], out=upstream) if partials else upstream
        np.matmul(inputs.T, delta, out=layer.w.grad)
        if layer.b is not None:
            np.sum(delta, axis=0, out=layer.b.grad)
        return delta
