"""The forward pass, written again with plain numbers: what a network answers, and what an answer costs.

Sums go in the order of the engine (bias, first weight, second weight ...), so on one machine the bits agree too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from micrograd_lite.trace.folder import RUN
from micrograd_lite.verify.evidence import NotChecked, Wrong, plainly
from micrograd_lite.verify.formulas import FUNCTIONS, power, softplus
from micrograd_lite.verify.record import Floats, Record
from micrograd_lite.verify.samples import Samples

ROOM = 16
"""Units by which any number in a forward pass may differ, computed by another library or added in another order."""

ACTIVATIONS: dict[str, Callable[..., float]] = {
    "linear": lambda z: z,
    **{name: FUNCTIONS[name] for name in ("relu", "leaky_relu", "prelu", "elu", "softplus", "sigmoid")},
    "tanh": math.tanh,
    "sin": lambda z: math.sin(z) if math.isfinite(z) else math.nan,
}
LARGEST = 2_000_000  # weights that we go through one by one
STEEPEST = {"sigmoid": (0.25, 1.0), "tanh": (1.0, 2.0), "sin": (1.0, 2.0)}
"""How far an activation's value goes when its sum goes by 1, at most, and how far it can go at all; others 1 and any way."""


class Reached(NamedTuple):
    """What one neuron makes of a sample, and how far roundings may take its sum and its value at most."""

    total: float
    total_off: float
    value: float
    off: float


class Unit(NamedTuple):
    """The names of a neuron's parameters."""

    weights: list[str]
    bias: str | None
    slope: str | None


class Network(NamedTuple):
    """Layers of units with their activations, and the loss: of a sample, and whether a batch adds or averages."""

    layers: list[tuple[str, list[Unit]]]
    loss_name: str
    cost: Callable[[Sequence[float], Any], float]
    averages: bool
    columns: list[str]  # every parameter, layer by layer, unit by unit

    def outputs(self, state: Mapping[str, float], inputs: Sequence[float]) -> list[float]:
        """What the network answers to one sample when its parameters have these numbers."""
        values = list(inputs)
        for activation, units in self.layers:
            function, made = ACTIVATIONS[activation], []
            for weights, bias, slope in units:
                total = summed([state[weight] for weight in weights], values, 0.0 if bias is None else state[bias])
                made.append(function(total) if slope is None else function(total, state[slope]))
            values = made
        return values

    def by_name(self, numbers: Sequence[float]) -> dict[str, float]:
        """A number for each parameter, layer by layer, unit by unit; those of one name added up."""
        found: dict[str, float] = {}
        for name, number in zip(self.columns, numbers):
            found[name] = found.get(name, 0.0) + number
        return found

    def reached(self, state: Mapping[str, float], inputs: Sequence[float], floats: Floats, doubt: float) -> list[list[Reached]]:
        """Layer by layer what every neuron makes of one sample, where sums are off by `doubt` of their terms' size."""
        below, made = [Reached(x, 0.0, x, 0.0 if abs(x) < floats.most else math.inf) for x in inputs], []
        for activation, units in self.layers:
            layer, values = [], [part.value for part in below]
            for weights, bias, slope in units:
                numbers, start = [state[weight] for weight in weights], 0.0 if bias is None else state[bias]
                learned, size, off = () if slope is None else (state[slope],), abs(start), 0.0
                for number, part in zip(numbers, below):
                    size += abs(number * part.value)
                    off += abs(number) * part.off
                if doubt and size:
                    off = off + doubt * size + floats.least if size < floats.most else math.inf
                layer.append(reach(activation, summed(numbers, values, start), off, doubt, *learned))
            made.append(layer)
            below = layer
        return made

    def loss(self, state: Mapping[str, float], data: Samples, rows: Sequence[int]) -> float:
        """The loss of some rows of a data set."""
        total = 0.0
        for row in rows:
            total += self.cost(self.outputs(state, (data.inputs or [])[row]), (data.targets or [])[row])
        return total / len(rows) if self.averages else total

    def loss_off(self, state: Mapping[str, float], data: Samples, rows: Sequence[int], floats: Floats) -> float:
        """How far roundings may take that loss, at their worst."""
        off, doubt = 0.0, ROOM * floats.unit
        for row in rows:
            outputs, target = self.reached(state, (data.inputs or [])[row], floats, doubt)[-1], (data.targets or [])[row]
            cost = self.cost([output.value for output in outputs], target)
            off += COST_OFFS[self.loss_name](outputs, target) + doubt * (1.0 + len(rows)) * abs(cost) + floats.least
        return off / len(rows) if self.averages else off


def reach(activation: str, total: float, off: float, doubt: float, *learned: float) -> Reached:
    """A neuron's value where its sum is off by so much."""
    value, (steep, widest) = ACTIVATIONS[activation](total, *learned), STEEPEST.get(activation, (1.0, math.inf))
    steep = max(steep, *map(abs, learned), 0.0)
    if not off < math.inf:  # where a sum may overflow, inf - inf may be NaN, and no activation bounds that
        return Reached(total, off, value, off)
    if activation == "relu" and total < -off:
        return Reached(total, off, value, 0.0)
    return Reached(total, off, value, min(steep * off + doubt * abs(value), widest))


def summed(weights: Sequence[float], values: Sequence[float], bias: float) -> float:
    """bias + w0 * x0 + w1 * x1 + ..., from left to right."""
    total = bias
    for weight, x in zip(weights, values):
        total += weight * x
    return total


def network(record: Record) -> Network:
    """The network that run.json describes. NotChecked when it describes none that is known here, or has not its numbers.

    That sizes and names agree is the business of settings.py.
    """
    loss, layers = record.run["loss"], architecture(record.run["model"], names(record))
    if layers is None:
        raise NotChecked(f"a model of type {plainly(str(record.run['model'].get('type')))} is not known here")
    if loss not in COSTS:
        raise NotChecked(f"no formula is known for the loss {plainly(loss)}")
    if record.data.inputs is None:
        raise NotChecked(record.absent)
    if record.in_arrays and not record.kept():
        raise NotChecked("no weights are kept")
    return Network(layers, loss, COSTS[loss], loss != "half_squared_error", parameter_names(layers))


def names(record: Record) -> list[str]:
    """Every name of a parameter in run.json: trained, fixed, and further names of tied ones."""
    return [*record.names, *record.run["fixed"], *record.run["tied"]]


def architecture(config: Mapping[str, Any], named: Collection[str]) -> list[tuple[str, list[Unit]]] | None:
    """The layers of a model; None when it is of a type of the user's own. Wrong when its description contradicts itself."""
    kind = config.get("type", "MLP")
    if kind not in ("MLP", "Layer", "Neuron"):
        return None
    if kind == "MLP":
        widths, activations = [config.get("inputs"), *_list(config, "outputs_per_layer")], [*_list(config, "activation")]
    else:
        widths, activations = [config.get("inputs"), config.get("neurons") if kind == "Layer" else 1], []
    activations.append(config.get("output"))
    if not all(type(width) is int and width > 0 for width in widths) or len(widths) != len(activations) + 1:
        raise Wrong(f"{RUN}: {len(activations)} activations do not fit a model of the sizes {widths!a:.100}")
    weights = math.fsum(one * other for one, other in pairwise(widths))
    if weights > (LARGEST if "dtype" in config else max(LARGEST // 100, len(named))):
        raise NotChecked(f"a model of the sizes {widths!a:.100} is too large to be computed again")
    for name in activations:
        if name not in ACTIVATIONS:
            raise Wrong(f"{RUN}: {name!a:.100} is no activation")
    made = []
    for index, (activation, inputs, neurons) in enumerate(zip(activations, widths, widths[1:])):
        units = []
        for neuron in range(neurons):
            path = (f"layer{index}." if kind == "MLP" else "") + (f"neuron{neuron}." if kind != "Neuron" else "")
            has_bias = config.get("bias") if kind == "MLP" else f"{path}b" in named  # a layer does not say
            bias = f"{path}b" if has_bias else None
            slope = f"{path}slope" if activation == "prelu" else None
            units.append(Unit([f"{path}w{position}" for position in range(inputs)], bias, slope))
        made.append((activation, units))
    return made


def parameter_names(layers: Sequence[tuple[str, Sequence[Unit]]]) -> list[str]:
    """Every parameter by name, in the order of the units."""
    units = [unit for _, units in layers for unit in units]
    return [name for weights, bias, slope in units for name in (*weights, bias, slope) if name is not None]


def _list(config: Mapping[str, Any], name: str) -> list[Any]:
    if not isinstance(config.get(name), list):
        raise Wrong(f"{RUN}: {name} of the model should be a list, and is {config.get(name)!a:.100}")
    return list(config[name])


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
    "hinge": lambda outputs, target: ACTIVATIONS["relu"](1.0 - only(target) * outputs[0]),
}
"""What one sample costs, by the name of the loss."""
COST_OFFS: dict[str, Callable[[Sequence[Reached], Any], float]] = {
    "mse": lambda outputs, target: squares_off(outputs, target) / len(outputs),
    "half_squared_error": lambda outputs, target: 0.5 * squares_off(outputs, target),
    "binary_cross_entropy": lambda outputs, target: outputs[0].off,
    "cross_entropy": lambda outputs, label: 2.0 * max(output.off for output in outputs),
    "hinge": lambda outputs, target: outputs[0].off,
}
"""How far that is off, at most, where the outputs are."""


def squares_off(outputs: Sequence[Reached], target: Any) -> float:
    """How far the sum of the squared errors is off, at most."""
    total = 0.0
    for output, wanted in zip(outputs, target if isinstance(target, list) else [target]):
        total += output.off * (2.0 * abs(output.value - wanted) + output.off)
    return total
