"""The MLP again, on arrays: a layer is one table of weights, a whole batch goes through it in one product.

Same constructor, names, inits and seeds as nn.py, so both networks start from the same numbers. The scalar
`layer0.neuron1.w0` is `layer0.w[0, 1]` here: row = input, column = neuron.

All parameters live in one flat buffer, all gradients in another, and the layers' arrays are views of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_lite import nn
from micrograd_lite.architecture import PRELU_SLOPE, Architecture
from micrograd_lite.arrays.array import Array, quiet, refuse_masked, to_array
from micrograd_lite.arrays.buffers import Buffers
from micrograd_lite.arrays.many import matmul
from micrograd_lite.arrays.names import joined, scalar_name, scalar_state
from micrograd_lite.arrays.rules import APPLY
from micrograd_lite.data import Dataset
from micrograd_lite.losses import Loss
from micrograd_lite.module import parts_table

if TYPE_CHECKING:  # pages that know this one
    from micrograd_lite.arrays.training import ArrayStep
    from micrograd_lite.plan import Plan

__all__ = ["MLP", "Layer", "from_scalar", "scalar_name", "to_scalar"]

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
            if self.architecture.bias:
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
        refuse_masked(inputs)
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
    def of(cls, config: Mapping[str, Any], state: Mapping[str, Any] | None = None) -> MLP:
        """The network that `config()` and `state_dict()` of either engine describe; without a state all weights are 0."""
        model = cls(**{**config, "init": "zeros"})
        model.architecture.init = config["init"]
        if state is not None:
            model.load_state_dict(state)
        return model

    @classmethod
    def load(cls, path: str | os.PathLike[str], dtype: str | None = None) -> MLP:
        """The model that either engine saved, in the file's dtype (float64 if it names none). ValueError if it is no model."""
        from micrograd_lite.text.saving import read_model

        return read_model(path, lambda config, state: cls.of({**config, **({"dtype": dtype} if dtype else {})}, state))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the architecture and every parameter as JSON, under the scalar engine's names; whole or untouched."""
        from micrograd_lite.text.saving import write_model

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

    def _repr_html_(self) -> str:
        from micrograd_lite.text.words import Prose

        return Prose(f"MLP on arrays\n{self.summary()}")._repr_html_()

    def dataset(self, data: Dataset, loss: Loss) -> Dataset:
        """A data set as arrays that this model can be trained on, checked; what `train` asks of a model on arrays."""
        from micrograd_lite.arrays.plan import array_dataset

        return array_dataset(data, self, loss)

    def steps(self, plan: Plan, resume: Any = None, engine: str = "eager") -> Iterator[ArrayStep]:
        """Training step by step; what `train` asks of a model on arrays."""
        from micrograd_lite.arrays.training import array_steps

        return array_steps(plan, resume, engine)



def to_scalar(model: MLP) -> nn.MLP:
    """The same network out of Values: same architecture, same numbers."""
    return nn.MLP.of(model.architecture.config(), scalar_state(model))


def from_scalar(model: nn.MLP, dtype: str = "float64") -> MLP:
    """The same network on arrays: same architecture, same numbers (rounded when dtype is float32)."""
    return MLP.of({**model.config(), "dtype": dtype}, model.state_dict())
