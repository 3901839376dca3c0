"""The MLP again, on arrays: a layer is one table of weights, a whole batch goes through it in one product.

Same constructor, names, inits and seeds as nn.py, so both networks start from the same numbers. The scalar
`layer0.neuron1.w0` is `layer0.w[0, 1]` here: row = input, column = neuron.

All parameters live in one flat buffer, all gradients in another, and the layers' arrays are views of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_lite import nn
from micrograd_lite.architecture import PRELU_SLOPE, Architecture
from micrograd_lite.arrays.array import Array, quiet, to_array
from micrograd_lite.arrays.buffers import Buffers
from micrograd_lite.arrays.many import matmul
from micrograd_lite.data import Dataset
from micrograd_lite.losses import Loss

if TYPE_CHECKING:  # pages that know this one
    from micrograd_lite.arrays.training import ArrayStep
    from micrograd_lite.plan import Plan


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
            named = {kind: self.arrays.get(f"layer{index}.{kind}") for kind in ("w", "b", "slope")}
            self.layers.append(Layer(name, {kind: array for kind, array in named.items() if array is not None}))

    def __call__(self, inputs: Any) -> Array:
        """The outputs of a batch as a node of the graph: (samples, inputs) to (samples, outputs)."""
        outputs = inputs if isinstance(inputs, Array) else Array(self.batch(inputs))
        for layer in self.layers:
            outputs = layer(outputs)
        return outputs

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

    def parameters(self) -> list[Array]:
        """The arrays of all layers, in the order of their names."""
        return list(self.arrays.values())

    def named_parameters(self) -> list[tuple[str, Array]]:
        """The same with their names: `layer0.w`, `layer0.b`, ..."""
        return list(self.arrays.items())

    def tied(self) -> dict[str, str]:
        """No parameter has a second name here; see Module.tied."""
        return {}

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        self.flat_grad[:] = 0.0

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every array, by name."""
        return {name: array.data.copy() for name, array in self.arrays.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set every array from `state_dict()`'s form; on a ValueError or TypeError nothing has changed."""
        if set(state) != set(self.arrays):
            raise ValueError(f"the state is of another model: it has {', '.join(state)}; this model has {', '.join(self.arrays)}")
        for name, array in self.arrays.items():
            if np.shape(state[name]) != array.data.shape:
                raise ValueError(f"{name} has shape {array.data.shape} in this model and {np.shape(state[name])} in the state")
        tables = {name: to_array(table) for name, table in state.items()}
        for name, array in self.arrays.items():
            array.data[...] = tables[name]

    def dataset(self, data: Dataset, loss: Loss) -> Dataset:
        """A data set as arrays that this model can be trained on, checked; what `train` asks of a model on arrays."""
        from micrograd_lite.arrays.plan import array_dataset

        return array_dataset(data, self, loss)

    def steps(self, plan: Plan, resume: Any = None) -> Iterator[ArrayStep]:
        """Training step by step; what `train` asks of a model on arrays."""
        from micrograd_lite.arrays.training import array_steps

        return array_steps(plan, resume)

    def config(self) -> dict[str, Any]:
        """What the constructor needs to build this architecture again, as plain data."""
        return {**self.architecture.config(), "dtype": str(self.dtype)}


def scalar_name(array: str, index: tuple[int, ...]) -> str:
    """`layer0.w`, (0, 1) is the scalar engine's `layer0.neuron1.w0`; `layer0.b`, (1,) its `layer0.neuron1.b`."""
    layer, kind = array.split(".")
    return f"{layer}.neuron{index[-1]}.{kind}" + (str(index[0]) if kind == "w" else "")


def to_scalar(model: MLP) -> nn.MLP:
    """The same network out of Values: same architecture, same numbers (float32 ones exactly, as doubles)."""
    made = nn.MLP(**{**model.architecture.config(), "init": "zeros"})
    made.architecture.init = model.architecture.init
    state = {}
    for name, array in model.arrays.items():
        state.update({scalar_name(name, index): float(number) for index, number in np.ndenumerate(array.data)})
    made.load_state_dict(state)
    return made


def from_scalar(model: nn.MLP, dtype: str = "float64") -> MLP:
    """The same network on arrays: same architecture, same numbers (rounded when dtype is float32)."""
    made = MLP(**{**model.architecture.config(), "init": "zeros"}, dtype=dtype)
    made.architecture.init = model.architecture.init
    state = model.state_dict()
    for name, array in made.arrays.items():
        for index in np.ndindex(array.data.shape):
            array.data[index] = state[scalar_name(name, index)]
    return made
