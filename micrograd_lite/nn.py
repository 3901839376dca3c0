"""Neuron, Layer and MLP: a neural network is a number made from many numbers, so Values are all it takes.

    neuron   activation(bias + w0*x0 + w1*x1 + ...)
    layer    neurons side by side, all looking at the same inputs
    MLP      layers one after the other (multi-layer perceptron)

Parameters carry their path as a name: `layer0.neuron1.w0` is the first weight of the second neuron of the first layer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from micrograd_lite.architecture import ACTIVATIONS, PRELU_SLOPE, Architecture, choose, yes_or_no
from micrograd_lite.many import dot
from micrograd_lite.module import Module
from micrograd_lite.scalar import APPLY, Value, operand, to_float

__all__ = ["ACTIVATIONS", "MLP", "Layer", "Neuron"]


class Values(list[Value]):
    """Inputs that are Values, and a list that says so: a layer wraps its inputs once for all its neurons."""

    __slots__ = ()


class Floats(list[float]):
    """The same for plain numbers."""

    __slots__ = ()


class Neuron(Module):
    """One unit of a layer: weights `w`, a bias `b` (None without) and an activation; `prelu` also learns `slope`.

    weights: the initial numbers, one for each input. ValueError for an unknown activation.
    """

    def __init__(self, weights: Sequence[float], activation: str = "relu", bias: bool = True) -> None:
        self.activation = choose("activation", activation, ACTIVATIONS)
        self.w = [Value(weight) for weight in weights]
        self.b = Value(0.0) if yes_or_no("bias", bias) else None
        self.slope = Value(PRELU_SLOPE) if activation == "prelu" else None
        self.activate = None if activation == "linear" else getattr(Value, activation)

    def __call__(self, inputs: Sequence[Any]) -> Value:
        """The neuron's output as a node of the graph; inputs: numbers or Values, one for each weight."""
        if len(inputs) != len(self.w):
            raise self._wrong_width(inputs)
        values = inputs if type(inputs) is Values else [operand(x) for x in inputs]
        z = dot(self.w, values, self.b)
        if self.slope:
            return z.prelu(self.slope)
        return z if self.activate is None else self.activate(z)

    def predict(self, inputs: Sequence[float]) -> float:
        """The same number without a graph, in the same order of additions."""
        if len(inputs) != len(self.w):
            raise self._wrong_width(inputs)
        numbers = inputs if type(inputs) is Floats else [to_float(x) for x in inputs]
        total = self.b.data if self.b else 0.0
        for weight, x in zip(self.w, numbers):
            total += weight.data * x
        if self.activation == "linear":
            return total
        apply = APPLY[self.activation]
        output: float = (apply(total, self.slope.data) if self.slope else apply(total))[0]
        return output

    def places(self) -> dict[Value, tuple[str, str]]:
        """Where its sum begins, and which activation follows."""
        return {self.w[0]: ("", self.activation)} if self.w else {}

    def config(self) -> dict[str, Any]:
        """What is written into run.json about this neuron."""
        return {"type": "Neuron", "inputs": len(self.w), "output": self.activation}

    def _wrong_width(self, inputs: Sequence[Any]) -> ValueError:
        return ValueError(
            f"this neuron has {len(self.w)} weights but was given {len(inputs)} inputs; "
            f"build the MLP with {len(inputs)} inputs"
        )

    def parts(self) -> list[tuple[str, Value]]:
        """The parameters by name: w0, w1, ..., then b, then slope."""
        weights = [(f"w{index}", weight) for index, weight in enumerate(self.w)]
        return weights + [(name, value) for name, value in (("b", self.b), ("slope", self.slope)) if value]


class Layer(Module):
    """Neurons side by side. weights: shape (inputs, neurons), one column for each neuron."""

    def __init__(self, weights: Sequence[Sequence[float]], activation: str = "relu", bias: bool = True) -> None:
        if len({len(row) for row in weights}) != 1:
            raise ValueError(f"a layer needs rows of weights of one width, got widths {[len(row) for row in weights]}")
        self.neurons = [Neuron(column, activation, bias) for column in zip(*weights)]

    def __call__(self, inputs: Sequence[Any]) -> list[Value]:
        """One output for each neuron."""
        values = Values([operand(x) for x in inputs])
        return [neuron(values) for neuron in self.neurons]

    def predict(self, inputs: Sequence[float]) -> list[float]:
        """The same numbers without a graph."""
        numbers = Floats([to_float(x) for x in inputs])
        return [neuron.predict(numbers) for neuron in self.neurons]

    def parts(self) -> list[tuple[str, Neuron]]:
        """The neurons by name."""
        return [(f"neuron{index}", neuron) for index, neuron in enumerate(self.neurons)]

    def config(self) -> dict[str, Any]:
        """What is written into run.json about this layer."""
        return {**self.neurons[0].config(), "type": "Layer", "neurons": len(self.neurons)}

    def describe(self) -> str:
        """`2 inputs -> 16 relu`, for the summary."""
        return f"{len(self.neurons[0].w)} inputs -> {len(self.neurons)} {self.neurons[0].activation}"


class MLP(Module):
    """A multi-layer perceptron: `MLP(2, [16, 16, 1])` has two inputs, two hidden layers of 16 and one output.

    activation: one name for all hidden layers, or one for each; output: the last layer's activation.
    init: a name of `architecture.INITS`, or explicit weights, one (inputs, neurons) table for each layer; by default `he`
    where the activation is of the relu family, else `glorot`. Biases start at 0. Weights are drawn from
    `random.Random(seed)` in the order of their names. ValueError or TypeError says which argument is wrong.
    """

    def __init__(
        self,
        inputs: int,
        outputs_per_layer: Sequence[int],
        activation: str | Sequence[str] = "relu",
        output: str = "linear",
        init: str | Sequence[Sequence[Sequence[float]]] | None = None,
        bias: bool = True,
        seed: int = 0,
    ) -> None:
        self.architecture = Architecture(inputs, outputs_per_layer, activation, output, init, bias, seed)
        self.layers = [Layer(weights, name, bias) for name, weights in self.architecture.layers()]
        for path, parameter in self.named_parameters():
            parameter.label = path

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """The outputs for one sample: a Value when the last layer has one neuron, else a list of Values."""
        outputs: Any = inputs
        for layer in self.layers:
            outputs = layer(outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def predict(self, inputs: Sequence[float]) -> Any:
        """The same outputs as plain floats, without building a graph."""
        outputs = list(inputs)
        for layer in self.layers:
            outputs = layer.predict(outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def parts(self) -> list[tuple[str, Layer]]:
        """The layers by name."""
        return [(f"layer{index}", layer) for index, layer in enumerate(self.layers)]

    def config(self) -> dict[str, Any]:
        """What the constructor needs to build this architecture again, as plain data."""
        return self.architecture.config()

    @classmethod
    def of(cls, config: Mapping[str, Any], state: Mapping[str, float] | None = None) -> MLP:
        """The network that `config()` and `state_dict()` describe; without a state all weights are 0."""
        known = {name: setting for name, setting in config.items() if name != "dtype"}  # of arrays: a float is a double here
        model = cls(**{**known, "init": "zeros"})
        model.architecture.init = config["init"]
        if state is not None:
            model.load_state_dict(state)
        return model

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MLP:
        """The model that `save(path)` wrote. ValueError when the file is not one."""
        from micrograd_lite.text.saving import read_model

        return read_model(path, cls.of)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the architecture and every parameter as JSON; the file is whole or untouched."""
        from micrograd_lite.text.saving import write_model

        write_model(path, self.config(), self.state_dict())
