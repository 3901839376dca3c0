"""A training step on arrays with its kernels compiled: `train(..., engine="c")`.

The products are NumPy's still; all that stands between them, and the optimizer, is C. Where nothing can be compiled, a
sentence says so, once, and the step is the one that NumPy does.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_lite.arrays.buffers import length
from micrograd_lite.arrays.fused import FusedStep
from micrograd_lite.arrays.kernels import BY_NUMPY, FLAGS, NUMBERS, kernels_text
from micrograd_lite.arrays.many import labels_of
from micrograd_lite.arrays.nn import MLP
from micrograd_lite.arrays.optim import ARITHMETIC, ArrayOptimizer, adam_factors, rmsprop_factors
from micrograd_lite.flat.compiled import say_once
from micrograd_lite.flat.compiler import NotCompiled, loaded
from micrograd_lite.losses import Loss, cross_entropy
from micrograd_lite.optim import SGD, Adam, Optimizer, RMSprop

LABELS = np.dtype("l")
"""A `long` of C."""


def in_c(model: MLP, samples: int, optimizer: Optimizer) -> tuple[FusedStep, ArrayOptimizer]:
    """What trains a model on batches of at most so many samples: both with kernels or, after a warning, neither."""
    try:
        library = kernels(model.dtype)
    except NotCompiled as reason:
        say_once(f"{reason}; arrays are trained by NumPy, with the same numbers but for last digits")
        return FusedStep(model, samples), ArrayOptimizer(optimizer, model.flat)
    return CompiledStep(model, samples, library), CompiledOptimizer(optimizer, model.flat, library)


def kernels(dtype: np.dtype[Any]) -> ctypes.CDLL:
    """The kernels for float32 or float64. NotCompiled says why there are none."""
    return loaded(kernels_text("float" if dtype == np.float32 else "double"), *FLAGS)


class CompiledStep(FusedStep):
    """A FusedStep whose activations, cross-entropy and ways back are kernels: the numbers to 4 units of the last place."""

    def __init__(self, model: MLP, samples: int, library: ctypes.CDLL) -> None:
        super().__init__(model, samples)
        widths, learned = model.architecture.widths[1:], [layer.slope is not None for layer in model.layers]
        self.partials = [[np.empty((samples, width), model.dtype) for _ in range(1 + own)] for width, own in zip(widths, learned)]
        self.ends, self.each = np.empty((samples, widths[-1]), model.dtype), np.empty(samples, model.dtype)
        self.no_bias = np.full(max(widths), -0.0, model.dtype)  # x + -0.0 is x, for -0.0 too
        long, real = ctypes.c_long, ctypes.c_float if model.dtype == np.float32 else ctypes.c_double
        named = {layer.activation: f"{layer.activation}_forward" for layer in model.layers if layer.activation not in BY_NUMPY}
        self.forwards = {name: kernel(library, found, long, long, *"*****") for name, found in named.items()}
        self.backs = kernel(library, "back", long, long, *"***")
        self.softmax = kernel(library, "costs", long, long, *"**", real, *"**")
        self.softmax.restype = ctypes.c_int

    def forward(self, inputs: np.ndarray) -> list[np.ndarray]:
        """The inputs, then the outputs of each layer."""
        self.model.bring_back("data")  # each array a piece of the one buffer, as the kernels read it
        return super().forward(inputs)

    def activate(self, index: int, z: np.ndarray) -> tuple[np.ndarray, tuple[Any, ...]]:
        """A layer's outputs, in place of z, and the partials of its activation."""
        layer = self.model.layers[index]
        if layer.activation in BY_NUMPY:
            return super().activate(index, z)
        bias = self.no_bias if layer.b is None else layer.b.data
        slope = None if layer.slope is None else layer.slope.data
        made = [buffer[: len(z)] for buffer in self.partials[index]]
        places = [address(array) for array in (bias, slope, *made)]
        self.forwards[layer.activation](*z.shape, address(z), *places, *[None] * (4 - len(places)))
        return z, tuple(made)

    def costs(self, outputs: np.ndarray, targets: np.ndarray, loss: Loss) -> tuple[float, np.ndarray]:
        """The loss of a batch and its slope toward each output."""
        if loss is not cross_entropy or len(outputs) > len(self.each):
            return super().costs(outputs, targets, loss)
        outputs = np.ascontiguousarray(outputs, self.model.dtype)
        if targets.shape != outputs.shape[:1] or targets.dtype.kind not in "iu":
            labels_of(targets, outputs.shape, "cross_entropy")  # an error that says what is wrong
        rows, labels = len(outputs), np.ascontiguousarray(targets, LABELS)
        each, slopes = self.each[:rows], self.ends[:rows]
        if self.softmax(*outputs.shape, address(outputs), address(labels), 1.0 / rows, address(each), address(slopes)):
            labels_of(targets, outputs.shape, "cross_entropy")
        return float(each.mean()), slopes

    def back(self, layer: Any, partials: tuple[Any, ...], upstream: np.ndarray) -> np.ndarray:
        """The gradient of the sums z, in place of upstream, and that of the bias."""
        places = address(partials[0] if partials else None), address(None if layer.b is None else layer.b.grad)
        self.backs(*upstream.shape, address(upstream), *places)
        return upstream


class CompiledOptimizer(ArrayOptimizer):
    """An ArrayOptimizer whose formula is a kernel: the same bits, and one pass over memory before the weights move."""

    def __init__(self, optimizer: Optimizer, parameters: np.ndarray, library: ctypes.CDLL) -> None:
        super().__init__(optimizer, parameters)
        self.kernel = kernel(library, move_name(optimizer), ctypes.c_long, *"******")
        self.kernel.restype = ctypes.c_double

    def move(self, parameters: np.ndarray, gradient: np.ndarray, lr: float, step: int) -> float:
        """Make `update`, and what is remembered; returns the update's length."""
        if not all(sums.flags.c_contiguous for sums in self.memory.values()):
            return super().move(parameters, gradient, lr, step)  # somebody's own arrays
        numbers = {**FACTORS[self.terms](self.optimizer, lr, step), "faded": self.faded(step)}
        given = np.array([numbers.get(name, 0.0) for name in NUMBERS])
        arrays = [np.ascontiguousarray(array, self.update.dtype) for array in (gradient, parameters)]
        sums = [*map(address, self.memory.values()), None, None][:2]
        squares = self.kernel(self.update.size, *map(address, arrays), address(self.update), *sums, address(given))
        return math.sqrt(squares) if 1e-25 < squares < math.inf else length(self.update)


def _sgd(sgd: SGD, lr: float, step: int) -> dict[str, float]:
    return {"rate": -lr, "keep": sgd.momentum, "decay": sgd.weight_decay}


def _rmsprop(rmsprop: RMSprop, lr: float, step: int) -> dict[str, float]:
    rate, eps = rmsprop_factors(rmsprop, lr, step)
    return {"rate": rate, "eps": eps, "keep_square": rmsprop.alpha, "decay": rmsprop.weight_decay}


def _adam(adam: Adam, lr: float, step: int) -> dict[str, float]:
    rate, eps = adam_factors(adam, lr, step)
    keep, keep_square = adam.betas
    decay = adam.weight_decay * (lr if adam.DECOUPLED else 1.0)
    return {"rate": rate, "eps": eps, "keep": keep, "keep_square": keep_square, "decay": decay}


FACTORS: dict[Any, Callable[..., dict[str, float]]] = {
    ARITHMETIC[SGD.terms]: _sgd, ARITHMETIC[RMSprop.terms]: _rmsprop, ARITHMETIC[Adam.terms]: _adam,
}  # fmt: skip
"""The numbers of a kernel for each arithmetic of optim.py."""


def move_name(optimizer: Optimizer) -> str:
    """The kernel of an optimizer with its settings."""
    made: Any = optimizer
    decay = "_decoupled" if getattr(made, "DECOUPLED", False) else "_decayed"
    name = {SGD.terms: "sgd", RMSprop.terms: "rmsprop", Adam.terms: "adam"}[made.terms.__func__]
    if name == "sgd" and made.momentum:
        name = "nesterov" if made.nesterov else "momentum"
    return f"{name}{decay if made.weight_decay else ''}"


def kernel(library: ctypes.CDLL, name: str, *kinds: Any) -> Any:
    """A function of a library; a `*` stands for a pointer."""
    function = library[name]  # a function of one's own, where library.name would be everybody's
    function.argtypes = [ctypes.c_void_p if kind == "*" else kind for kind in kinds]
    function.restype = None
    return function


def address(array: np.ndarray | None) -> int | None:
    """Where an array's numbers begin; None for none. It has to stay alive, and in one piece."""
    return None if array is None else int(array.__array_interface__["data"][0])
