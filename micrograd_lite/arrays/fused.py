"""One training step of an MLP on arrays without a graph: the same arithmetic in buffers that are made once.

The graph of nn.py allocates every intermediate array anew; here the products and sums go into buffers (`out=`)
and gradients straight into the model's flat buffer. Values and partials of the activations come from the same table
and the loss from the same page, so the tests hold both to the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_lite.arrays.array import node, quiet
from micrograd_lite.arrays.buffers import length
from micrograd_lite.arrays.losses import array_loss
from micrograd_lite.arrays.many import softmax_costs
from micrograd_lite.arrays.nn import MLP
from micrograd_lite.losses import Loss, cross_entropy


class FusedStep:
    """Forward and backward of one model for batches of at most so many samples; gradients land in `model.flat_grad`.

    After a call, `activations` holds the inputs and each layer's outputs, `slopes` the partials of each activation,
    `gradient_norm` the length of the gradient.
    """

    def __init__(self, model: MLP, samples: int) -> None:
        self.model = model
        widths = model.architecture.widths
        self.sums = [np.empty((samples, width), model.dtype) for width in widths[1:]]
        self.deltas = [np.empty((samples, width), model.dtype) for width in widths[:-1]]
        self.activations: list[np.ndarray] = []
        self.slopes: list[tuple[Any, ...]] = []
        self.rows = np.empty((0, widths[0]), model.dtype)
        self.calls, self.gradient_norm = 0, 0.0

    def gather(self, inputs: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
        """The chosen rows of a data set, in a buffer that the next call fills anew; all rows for None."""
        if rows is None:
            return inputs
        if not len(self.rows):
            self.rows = np.empty((len(self.sums[0]), inputs.shape[1]), self.model.dtype)
        return np.take(inputs, rows, axis=0, out=self.rows[: len(rows)], mode="clip")  # "clip" fills `out` without a copy

    @quiet
    def forward(self, inputs: np.ndarray) -> list[np.ndarray]:
        """The inputs, then the outputs of each layer."""
        self.activations, self.slopes = [inputs], []
        for index, (layer, buffer) in enumerate(zip(self.model.layers, self.sums)):
            z = np.matmul(self.activations[-1], layer.w.data, out=buffer[: len(inputs)])
            value, partials = self.activate(index, z)
            self.activations.append(value)
            self.slopes.append(partials)
        return self.activations

    def activate(self, index: int, z: np.ndarray) -> tuple[np.ndarray, tuple[Any, ...]]:
        """A layer's outputs and the partials of its activation, from the products; z is written to."""
        layer = self.model.layers[index]
        if layer.b is not None:
            z += layer.b.data
        return layer.activate(z)

    @quiet
    def __call__(self, inputs: np.ndarray, targets: np.ndarray, loss: Loss) -> float:
        """The loss of a batch; its slope toward every parameter is in the model's flat_grad afterwards."""
        self.calls += 1
        self.model.bring_back("grad")  # a graph's backward() has put arrays of its own there
        total, delta = self.costs(self.forward(inputs)[-1], targets, loss)
        layers = self.model.layers
        for index in range(len(layers) - 1, -1, -1):
            delta = self.gradients(layers[index], self.activations[index], self.slopes[index], delta)
            if index:
                delta = np.matmul(delta, layers[index].w.data.T, out=self.deltas[index][: len(inputs)])
        self.gradient_norm = length(self.model.flat_grad)
        return total

    def costs(self, outputs: np.ndarray, targets: np.ndarray, loss: Loss) -> tuple[float, np.ndarray]:
        """The loss of a batch and its slope toward each output, which may be written to."""
        if loss is cross_entropy:  # most networks that are large have it; without a graph it takes half the time
            costs, slopes = softmax_costs(outputs, targets)
            slopes *= 1.0 / len(outputs)
            return float(costs.mean()), slopes
        leaf = node(outputs, (), (), None)  # on the buffer itself: Array(...) would copy it
        total = array_loss(loss, leaf, targets)
        total.backward()
        return float(total.data), np.array(leaf.grad)

    def gradients(self, layer: Any, inputs: np.ndarray, partials: tuple[Any, ...], upstream: np.ndarray) -> np.ndarray:
        """Write the gradients of one layer; returns the gradient of its sums z."""
        if layer.slope is not None:
            np.sum(partials[1] * upstream, axis=0, out=layer.slope.grad)
        delta = self.back(layer, partials, upstream)
        np.matmul(inputs.T, delta, out=layer.w.grad)
        return delta

    def back(self, layer: Any, partials: tuple[Any, ...], upstream: np.ndarray) -> np.ndarray:
        """The gradient of the sums z, in place of upstream, and that of the bias."""
        delta = np.multiply(upstream, partials[0], out=upstream) if partials else upstream
        if layer.b is not None:
            np.add.reduce(delta, axis=0, out=layer.b.grad)  # np.sum does this after asking who else might
        return delta
