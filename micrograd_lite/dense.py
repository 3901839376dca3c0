"""The MLP again, on arrays: a layer is one table of weights, a whole batch goes through it in one product.

Same constructor, names, inits and seeds as nn.py, so both networks start from the same numbers. The scalar
`layer0.neuron1.w0` is `layer0.w[0, 1]` here: row = input, column = neuron.

All parameters live in one flat buffer, all gradients in another, and the layers' arrays are views of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from micrograd_lite import nn
from micrograd_lite.architecture import PRELU_SLOPE, Architecture
from micrograd_lite.array import Array, quiet, to_array
from micrograd_lite.array_many import matmul
from micrograd_lite.array_rules import APPLY
from micrograd_lite.buffers import Buffers
from micrograd_lite.module import parts_table

CHUNK = 1_000
"""Samples per product when a whole data set is answered: enough for speed, little memory."""


class Layer:
    """Neurons side by side: weights `w` of shape (inputs, neurons), `b` and (prelu) `slope` of shape (neurons,)."""

    def __init__(self, activation: str, parameters: Mapping[str, Array]) -> None:
        self.activation = activation
        self.w, self.b, self.slope = parameters["w"], parameters.get("b"), parameters.get("slope")

    def __call__(self, inputs: Array) -> Array:
        """One output for each sample and neuron: (samples, inputs) to (samples, neurons)."""
        z = matmul(inputs, self.w)
        z = z if self.b is None else z + self.b
        if self.activation == "linear":
            return z
        activated: Array = z.prelu(self.slope) if self.slope is not None else getattr(z, self.activation)()
        return activated

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """The same numbers without a graph."""
        z = inputs @ self.w.data
        if self.b is not None:
            z += self.b.data
        return self.activate(z)[0]

    def activate(self, z: np.ndarray) -> tuple[np.ndarray, tuple[Any, ...]]:
        """Value and partials of the activation at the sums z, from the table; no partials where there is none."""
        if self.activation == "linear":
            return z, ()
        operands = (z,) if self.slope is None else (z, self.slope.data)
        made: tuple[np.ndarray, tuple[Any, ...]] = APPLY[z.dtype][self.activation](*operands)
        return made

    def parts(self) -> list[tuple[str, Array]]:
        """The parameters by name: w, then b, then slope."""
        return [(name, array) for name, array in (("w", self.w), ("b", self.b), ("slope", self.slope)) if array is not None]

    def describe(self) -> str:
        """`2 inputs -> 16 relu`, for the summary."""
        return f"{self.w.data.shape[0]} inputs -> {self.w.data.shape[1]} {self.activation}"


class MLP(Buffers):
    """A multi-layer perceptron on batches: `MLP(784, [128, 10], dtype="float32")`. Arguments as for nn.MLP, and dtype.

    dtype: float64 for exactness, float32 for speed. ValueError or TypeError says which argument is wrong.
    """

    def __init__(
        self,
        inputs: int,
        outputs_per_layer: Sequence[int],
        activation: str | Sequence[str] = "relu",
        output: str = "linear",
        init: str | Sequence[Any] | None = None,
        bias: bool = True,
        seed: int = 0,
        dtype: str = "float64",
    ) -> None:
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
        self.architecture = Architecture(inputs, outputs_per_layer, activation, output, init, bias, seed)
        initial: dict[str, np.ndarray] = {}
        for index, (name, weights) in enumerate(self.architecture.layers()):
            initial[f"layer{index}.w"] = to_array(weights)
            if bias:
                initial[f"layer{index}.b"] = np.zeros(len(weights[0]))
            if name == "prelu":
                initial[f"layer{index}.slope"] = np.full(len(weights[0]), PRELU_SLOPE)
        self.arrays = {name: Array(table.astype(self.dtype), name) for name, table in initial.items()}
        self.cut()
        self.layers = []
        for index, name in enumerate(self.architecture.activations):
            named = {kind: f"layer{index}.{kind}" for kind in ("w", "b", "slope")}
            self.layers.append(Layer(name, {kind: self.arrays[path] for kind, path in named.items() if path in self.arrays}))

    def __call__(self, inputs: Any) -> Array:
        """The outputs of a batch as a node of the graph: (samples, inputs) to (samples, outputs)."""
        outputs = inputs if isinstance(inputs, Array) else Array(self.batch(inputs))
        for layer in self.layers:
            outputs = layer(outputs)
        return outputs

    @quiet
    def predict(self, inputs: Any) -> np.ndarray:
        """The outputs of a batch as plain numbers, without building a graph: (samples, inputs) to (samples, outputs)."""
        batch, answers = self.batch(inputs), []
        for start in range(0, max(1, len(batch)), CHUNK):  # no samples have no outputs, in one part
            outputs = batch[start : start + CHUNK]
            for layer in self.layers:
                outputs = layer.predict(outputs)
            answers.append(outputs)
        return np.concatenate(answers)

    def batch(self, inputs: Any) -> np.ndarray:
        """Inputs as an array of this model's dtype. ValueError or TypeError gives both shapes or dtypes when they differ."""
        wanted = self.architecture.widths[0]
        if isinstance(inputs, np.ndarray):
            made = np.asarray(inputs)
        elif len({np.size(row) for row in inputs}) > 1:
            raise ValueError(f"the model takes batches of shape (samples, {wanted}), got rows of different widths")
        else:
            made = quiet(to_array(inputs).astype)(self.dtype)
        if made.ndim != 2 or made.shape[1] != wanted:
            raise ValueError(f"the model takes batches of shape (samples, {wanted}), got {made.shape}")
        if made.dtype != self.dtype:
            raise TypeError(f"the model computes in {self.dtype}, the inputs are {made.dtype}: convert them with astype")
        return made

    def parts(self) -> list[tuple[str, Layer]]:
        """The layers by name."""
        return [(f"layer{index}", layer) for index, layer in enumerate(self.layers)]

    def config(self) -> dict[str, Any]:
        """What the constructor needs to build this architecture again, as plain data."""
        return {**self.architecture.config(), "dtype": str(self.dtype)}

    @classmethod
    def load(cls, path: str | os.PathLike[str], dtype: str | None = None) -> MLP:
        """The model that either engine saved, in the file's dtype (float64 if it names none). ValueError if it is no model."""
        from micrograd_lite.saving import read_model

        def build(config: dict[str, Any], state: dict[str, float]) -> MLP:
            model = cls(**{**config, "init": "zeros", "dtype": dtype or config.get("dtype", "float64")})
            model.architecture.init = config["init"]
            model.load_state_dict(state)
            return model

        return read_model(path, build)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the architecture and every parameter as JSON, under the scalar engine's names; whole or untouched."""
        from micrograd_lite.saving import write_model

        write_model(path, self.config(), scalar_state(self))

    def named_parameters(self) -> list[tuple[str, Array]]:
        """The arrays of all layers with their names: `layer0.w`, `layer0.b`, ..."""
        return list(self.arrays.items())

    def tied(self) -> dict[str, str]:
        """No parameter has a second name here; see Module.tied."""
        return {}

    def parameters(self) -> list[Array]:
        """The same without their names, in the same order."""
        return list(self.arrays.values())

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        self.flat_grad[:] = 0.0

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every array, by name."""
        return {name: array.data.copy() for name, array in self.arrays.items()}

    @quiet
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set every array from `state_dict()`'s form, or every number from the scalar engine's.

        On a ValueError or TypeError nothing has changed.
        """
        tables = {name: to_array(table) for name, table in joined(state, self).items()}
        for name, array in self.arrays.items():
            if tables[name].shape != array.data.shape:
                raise ValueError(f"{name} has shape {array.data.shape} in this model and {tables[name].shape} in the state")
        for name, array in self.arrays.items():
            array.data[...] = tables[name]

    def summary(self) -> str:
        """A table of the parts: name, what it is, number of parameters."""
        sizes = [int(np.sum([array.data.size for _, array in layer.parts()])) for layer in self.layers]
        rows = [(name, layer.describe(), size) for (name, layer), size in zip(self.parts(), sizes)]
        return parts_table(rows, self.flat.size)


def scalar_name(array: str, index: tuple[int, ...]) -> str:
    """`layer0.w`, (0, 1) is the scalar engine's `layer0.neuron1.w0`; `layer0.b`, (1,) its `layer0.neuron1.b`."""
    layer, kind = array.split(".")
    return f"{layer}.neuron{index[-1]}.{kind}" + (str(index[0]) if kind == "w" else "")


def scalar_state(model: MLP) -> dict[str, float]:
    """Every number under the scalar engine's name for it, in that engine's order (float32 ones exactly, as doubles)."""
    state = {}
    for name, layer in model.parts():
        for neuron in range(layer.w.data.shape[1]):
            for kind, array in layer.parts():
                column = array.data[..., neuron].reshape(-1)  # a bias is one number
                state.update({scalar_name(f"{name}.{kind}", (row, neuron)): number for row, number in enumerate(column.tolist())})
    return state


def joined(state: Mapping[str, Any], model: MLP) -> dict[str, Any]:
    """A state as one table for each array of a model, from those, or from numbers under the scalar engine's names."""
    by_array = bool(set(state) & set(model.arrays))
    wanted = list(model.arrays if by_array else scalar_state(model))
    missing, unknown = [name for name in wanted if name not in state], set(state) - set(wanted)
    if missing or unknown:
        first = f"{missing[0]!r} is missing" if missing else f"{min(unknown)!r} is unknown"
        raise ValueError(f"the state is of another model: it has {len(state)} names, this model {len(wanted)}, and {first}")
    if by_array:
        return dict(state)
    shapes = {name: array.data.shape for name, array in model.arrays.items()}
    numbers = {name: [state[scalar_name(name, index)] for index in np.ndindex(shape)] for name, shape in shapes.items()}
    return {name: to_array(flat).reshape(shapes[name]) for name, flat in numbers.items()}


def to_scalar(model: MLP) -> nn.MLP:
    """The same network out of Values: same architecture, same numbers."""
    made = nn.MLP(**{**model.architecture.config(), "init": "zeros"})
    made.architecture.init = model.architecture.init
    made.load_state_dict(scalar_state(model))
    return made


def from_scalar(model: nn.MLP, dtype: str = "float64") -> MLP:
    """The same network on arrays: same architecture, same numbers (rounded when dtype is float32)."""
    made = MLP(**{**model.architecture.config(), "init": "zeros"}, dtype=dtype)
    made.architecture.init = model.architecture.init
    made.load_state_dict(model.state_dict())
    return made
