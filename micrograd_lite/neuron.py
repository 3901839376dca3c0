"""Neuron: activation(bias + w0*x0 + w1*x1 + ...), the one unit that networks are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd_lite.architecture import ACTIVATIONS, PRELU_SLOPE
from micrograd_lite.inits import choose, yes_or_no
from micrograd_lite.many import dot
from micrograd_lite.module import Module
from micrograd_lite.scalar import APPLY, Value, operand, to_float


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
        return self.fire([operand(x) for x in inputs])

    def fire(self, inputs: Sequence[Value]) -> Value:
        """The same for inputs that are all Values: a layer wraps them once for all its neurons."""
        if len(inputs) != len(self.w):
            raise self._wrong_width(inputs)
        z = dot(self.w, inputs, self.b)
        if self.slope:
            return z.prelu(self.slope)
        return z if self.activate is None else self.activate(z)

    def predict(self, inputs: Sequence[float]) -> float:
        """The same number without a graph, in the same order of additions."""
        return self.number([to_float(x) for x in inputs])

    def number(self, inputs: Sequence[float]) -> float:
        """The same for inputs that are all floats: a layer converts them once for all its neurons."""
        if len(inputs) != len(self.w):
            raise self._wrong_width(inputs)
        total = self.b.data if self.b else 0.0
        for weight, x in zip(self.w, inputs):
            total += weight.data * x
        if self.activation == "linear":
            return total
        slope = (self.slope.data,) if self.slope else ()
        output: float = APPLY[self.activation](total, *slope)[0]
        return output

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
