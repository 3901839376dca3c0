"""The forward pass, written again with plain numbers: what a network answers, and what an answer costs.

Sums go in the order of the engine (bias, first weight, second weight ...), so on one machine the bits agree too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from micrograd_lite.verify.evidence import NotHere, plainly
from micrograd_lite.verify.formulas import exp, power
from micrograd_lite.verify.record import Record, Samples

ACTIVATIONS: dict[str, Callable[..., float]] = {
    "linear": lambda z: z,
    "relu": lambda z: z if z > 0.0 else 0.0,
    "leaky_relu": lambda z: z if z > 0.0 else 0.01 * z,
    "prelu": lambda z, slope: z if z > 0.0 else slope * z,
    "elu": lambda z: z if z > 0.0 else math.expm1(z),
    "softplus": lambda z: softplus(z),
    "sigmoid": lambda z: 1.0 / (1.0 + exp(-z)) if z >= 0.0 else exp(z) / (1.0 + exp(z)),
    "tanh": math.tanh,
    "sin": lambda z: math.sin(z) if math.isfinite(z) else math.nan,
}


class Unit(NamedTuple):
    """The names of a neuron's parameters."""

    weights: list[str]
    bias: str | None
    slope: str | None


class Network(NamedTuple):
    """Layers of units with their activations, and the loss: of a sample, and whether a batch adds or averages."""

    layers: list[tuple[str, list[Unit]]]
    cost: Callable[[Sequence[float], Any], float]
    averages: bool

    def outputs(self, state: Mapping[str, float], inputs: Sequence[float], shaken: Iterator[float] | None = None) -> list[float]:
        """What the network answers to one sample when its parameters have these numbers; see `loss` for shaken."""
        values = list(inputs)
        for activation, units in self.layers:
            function, made = ACTIVATIONS[activation], []
            for weights, bias, slope in units:
                total = state[bias] if bias is not None else 0.0
                for weight, x in zip(weights, values):
                    total += state[weight] * x
                if shaken is not None:
                    total *= next(shaken)
                made.append(function(total) if slope is None else function(total, state[slope]))
            values = made if shaken is None else [value * next(shaken) for value in made]
        return values

    def loss(
        self, state: Mapping[str, float], data: Samples, rows: Sequence[int], shaken: Iterator[float] | None = None
    ) -> float:
        """The loss of some rows of a data set; shaken: factors near 1 for every sum and every output on the way."""
        total = 0.0
        for row in rows:
            total += self.cost(self.outputs(state, (data.inputs or [])[row], shaken), (data.targets or [])[row])
        return total / len(rows) if self.averages else total


def shaking(seed: int, doubt: float) -> Iterator[float]:
    """Factors 1 + doubt and 1 - doubt, drawn by a seed: what roundings of that size may do to a number."""
    generator, factors = Random(seed), (1.0 + doubt, 1.0 - doubt)
    while True:
        yield generator.choice(factors)


def network(record: Record) -> Network:
    """The network that run.json describes. NotHere when it describes none that is known here, or has not its numbers."""
    config, loss = record.run["model"], record.run["loss"]
    if loss not in COSTS:
        raise NotHere(f"no formula is known for the loss {plainly(loss)}")
    if record.data.inputs is None:
        raise NotHere("the data are too big to stand in run.json")
    named = _scalar_names(record) if record.in_arrays else {*record.names, *record.run["fixed"], *record.run["tied"]}
    try:
        layers = list(_layers(config, named))
    except (KeyError, TypeError, ValueError) as error:
        raise NotHere(f"run.json describes a model that is not known here: {error!a:.100}") from error
    used = {name for _, units in layers for unit in units for name in (*unit.weights, unit.bias, unit.slope) if name}
    if used != named or any(name not in ACTIVATIONS for name, _ in layers):
        raise NotHere("the parameters are not those of the model in run.json")
    if any(len(row) != len(layers[0][1][0].weights) for row in record.data.inputs):
        raise NotHere("the data in run.json are not those of the model")
    return Network(layers, COSTS[loss], loss != "half_squared_error")


def _layers(config: Mapping[str, Any], named: set[str]) -> list[tuple[str, list[Unit]]]:
    kind = config.get("type", "MLP")
    if kind not in ("MLP", "Layer", "Neuron"):
        raise ValueError(kind)
    widths = [config["inputs"], *(config["outputs_per_layer"] if kind == "MLP" else [config.get("neurons", 1)])]
    activations = [*config.get("activation", []), config["output"]]
    made = []
    for index, (activation, inputs, neurons) in enumerate(zip(activations, widths, widths[1:])):
        units = []
        for neuron in range(neurons):
            path = (f"layer{index}." if kind == "MLP" else "") + (f"neuron{neuron}." if kind != "Neuron" else "")
            bias, slope = (f"{path}{name}" if f"{path}{name}" in named else None for name in ("b", "slope"))
            units.append(Unit([f"{path}w{position}" for position in range(inputs)], bias, slope))
        made.append((activation, units))
    return made


def _scalar_names(record: Record) -> set[str]:
    for step in record.kept():
        return {name for array in record.arrays(step).values() for name, _ in array.scalars()}
    raise NotHere("no weights are kept")


def softplus(z: float) -> float:
    """log(1 + exp(z)), without overflow."""
    return z + math.log1p(exp(-z)) if z >= 0.0 else math.log1p(exp(z))


def only(target: Any) -> float:
    """A target for one output; a model of arrays has it in a list."""
    return float(target[0] if isinstance(target, list) else target)


def squares(outputs: Sequence[float], target: Any) -> float:
    """The sum of the squared errors."""
    total = 0.0
    for output, wanted in zip(outputs, target if isinstance(target, list) else [target], strict=True):
        total += power(output - wanted, 2.0)
    return total


def cross_entropy(logits: Sequence[float], label: int) -> float:
    """-log of the softmax of the right logit: log1p of all exponentials but the highest, which is 1."""
    highest = max(logits)
    rest, top = 0.0, logits.index(highest)
    for position, logit in enumerate(logits):
        rest += math.exp(logit - highest) if position != top else 0.0
    return math.log1p(rest) + (highest - logits[label])


COSTS: dict[str, Callable[[Sequence[float], Any], float]] = {
    "mse": lambda outputs, target: squares(outputs, target) / len(outputs),
    "half_squared_error": lambda outputs, target: 0.5 * squares(outputs, target),
    "binary_cross_entropy": lambda outputs, target: (
        only(target) * softplus(-outputs[0]) + (1.0 - only(target)) * softplus(outputs[0])
    ),
    "cross_entropy": cross_entropy,
    "hinge": lambda outputs, target: max(0.0, 1.0 - only(target) * outputs[0]),
}
"""What one sample costs, by the name of the loss."""
