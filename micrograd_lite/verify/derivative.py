"""The gradient, derived again: forward duals over verify's own network. No backward sweep, nothing of the engine.

Every number of the forward pass carries its slopes toward all parameters that it is made of. A unit knows them in two
parts: toward the parameters of the layers below, and toward its own; another unit of its layer has nothing to do with
those. So a pass costs little more than there are paths from a parameter to an output.

How far an honest gradient may be from ours: a few thousand roundings of the sum over all paths of the product of the
absolute slopes (shares that cancel leave no more than their rounding), and what roundings of every number on the way there
may move, at their worst: behind a sine of a billion, or beside a kink, that is everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from micrograd_lite.verify.formulas import exp, sigmoid
from micrograd_lite.verify.network import ACTIVATIONS, ROOM, Network, Reached, only, summed
from micrograd_lite.verify.record import Floats, Record

ROUNDINGS = 8192 * 2.0**-53
"""How far a gradient may be off, relative to the sum of its paths' sizes: the engines' own bound."""

CLEAR = 2.0**-36
"""Closer than this to the sum of its shares' sizes a gradient needs no second look."""

Slopes = list[float]


SLOPES: dict[str, Callable[..., tuple[float, ...]]] = {
    # what the value's slope toward the sum is, then toward a learned slope; 0 at a kink's left side, as everywhere here
    "linear": lambda z, value: (1.0,),
    "relu": lambda z, value: (0.0 if z <= 0.0 else 1.0,),
    "leaky_relu": lambda z, value: (0.01 if z <= 0.0 else 1.0,),
    "prelu": lambda z, value, slope: (1.0, 0.0) if z > 0.0 else (slope, z),
    "elu": lambda z, value: (1.0 if z > 0.0 else exp(z),),
    "softplus": lambda z, value: (sigmoid(z),),
    "sigmoid": lambda z, value: (value * (1.0 - value),),
    "tanh": lambda z, value: (1.0 - value * value,),
    "sin": lambda z, value: (math.cos(z) if math.isfinite(z) else math.nan,),
}
SIZES: dict[str, Callable[..., tuple[float, ...]]] = {
    **SLOPES,
    "sigmoid": lambda z, value: (value + value * value,),
    "tanh": lambda z, value: (1.0 + value * value,),
}
"""The same with each term of a slope counted as its size: 1 - v * v is what two numbers leave of each other."""


def softmax(logits: Sequence[float]) -> list[float]:
    """Each exponential's share in all of them."""
    highest = max(logits)
    raised = [math.exp(logit - highest) for logit in logits]
    total = 0.0
    for number in raised:
        total += number
    return [number / total for number in raised]


def _wanted(target: Any) -> list[Any]:
    return target if isinstance(target, list) else [target]


COST_SLOPES: dict[str, Callable[[Sequence[float], Any], list[float]]] = {
    "mse": lambda outputs, target: [2.0 * (o - t) / len(outputs) for o, t in zip(outputs, _wanted(target))],
    "half_squared_error": lambda outputs, target: [o - t for o, t in zip(outputs, _wanted(target))],
    "binary_cross_entropy": lambda outputs, target: [
        (1.0 - only(target)) * sigmoid(outputs[0]) - only(target) * sigmoid(-outputs[0])
    ],
    "cross_entropy": lambda outputs, label: [p - (1.0 if k == label else 0.0) for k, p in enumerate(softmax(outputs))],
    "hinge": lambda outputs, target: [-only(target) if 1.0 - only(target) * outputs[0] > 0.0 else 0.0],
}
"""The slope of a sample's cost toward each output."""
COST_BENDS: dict[str, Callable[[Sequence[Reached], Any], list[float]]] = {
    "mse": lambda outputs, target: [2.0 * output.off / len(outputs) for output in outputs],
    "half_squared_error": lambda outputs, target: [output.off for output in outputs],
    "binary_cross_entropy": lambda outputs, target: [min(output.off, 1.0) for output in outputs],
    "cross_entropy": lambda outputs, label: [min(max(output.off for output in outputs), 1.0)] * len(outputs),
    "hinge": lambda outputs, target: [
        0.0 if output.off == 0.0 or abs(1.0 - only(target) * output.value) > output.off else abs(only(target))
        for output in outputs
    ],
}
"""How far that slope may be off."""
COST_SIZES: dict[str, Callable[[Sequence[float], Any], list[float]]] = {
    "mse": lambda outputs, target: [2.0 * (abs(o) + abs(t)) / len(outputs) for o, t in zip(outputs, _wanted(target))],
    "half_squared_error": lambda outputs, target: [abs(o) + abs(t) for o, t in zip(outputs, _wanted(target))],
    "binary_cross_entropy": lambda outputs, target: [1.0],
    "cross_entropy": lambda outputs, label: [p + (1.0 if k == label else 0.0) for k, p in enumerate(softmax(outputs))],
    "hinge": lambda outputs, target: [abs(only(target))],
}


def sample_slopes(known: Network, state: Mapping[str, float], inputs: Sequence[float], target: Any) -> dict[str, float]:
    """The slope of one sample's cost toward every parameter by name."""
    values = list(inputs)
    below: list[tuple[Slopes, Slopes]] = []  # for each number of the layer below: toward the layers under it, its own
    for activation, units in known.layers:
        function, made, carried = ACTIVATIONS[activation], [], []
        for weights, bias, slope in units:
            numbers = [state[weight] for weight in weights]
            total = summed(numbers, values, 0.0 if bias is None else state[bias])
            learned = () if slope is None else (state[slope],)
            value = function(total, *learned)
            steep = SLOPES[activation](total, value, *learned)
            deep = _through([steep[0] * number for number in numbers], below)
            carried.append((deep, [steep[0] * part for part in (*values, *([] if bias is None else [1.0]))] + [*steep[1:]]))
            made.append(value)
        values, below = made, carried
    return known.by_name(_through(COST_SLOPES[known.loss_name](values, target), below))


def sample_sizes(
    known: Network, state: Mapping[str, float], inputs: Sequence[float], target: Any, floats: Floats, doubt: float
) -> tuple[dict[str, float], dict[str, float]]:
    """By name the sum of the sizes of its paths to the cost, each number on them larger by what roundings may make of it;
    and how much of it may vanish where a product is too small for a float."""
    below: list[tuple[Slopes, Slopes]] = []
    values, lost = [Reached(x, 0.0, x, 0.0) for x in inputs], [0.0] * len(known.columns)
    for (activation, units), layer in zip(known.layers, known.reached(state, inputs, floats, doubt)):
        own = [abs(part.value) + part.off for part in values]
        carried, bare = [], []
        for (weights, bias, slope), unit in zip(units, layer):
            learned = () if slope is None else (state[slope],)
            steep = [abs(part) for part in SIZES[activation](unit.total, unit.value, *learned)]
            steep[0] += bend(activation, unit, *learned)
            steep[1:] = [part + unit.total_off for part in steep[1:]]
            deep, mine = _through([abs(state[weight]) for weight in weights], below), own + ([] if bias is None else [1.0])
            carried.append(([steep[0] * part for part in deep], [steep[0] * part for part in mine] + steep[1:]))
            most = max(1.0, steep[0])
            bare.append(([most * part for part in deep], [most * part for part in mine] + steep[1:]))
        for place, number in enumerate(_through([floats.least] * len(units), bare)):
            lost[place] += number
        values, below = layer, carried
    outputs = [output.value for output in values]
    sizes = [abs(part) for part in COST_SIZES[known.loss_name](outputs, target)]
    sizes = [size + off for size, off in zip(sizes, COST_BENDS[known.loss_name](values, target))]
    return known.by_name(_through(sizes, below)), known.by_name(lost)


def bend(activation: str, unit: Reached, *learned: float) -> float:
    """How far an activation's slope may be off where its sum is; at a kink, that roundings pass, by its jump."""
    jumps = {"relu": 1.0, "leaky_relu": 0.99, "prelu": abs(1.0 - (*learned, 0.0)[0])}
    if activation in jumps:
        return 0.0 if abs(unit.total) > unit.total_off or unit.total_off == 0.0 else jumps[activation]
    return 0.0 if activation == "linear" else min(unit.total_off, 2.0)  # no slope changes faster than its operand


def _through(weights: Sequence[float], below: Sequence[tuple[Slopes, Slopes]]) -> Slopes:
    """The slopes of a sum of the layer's numbers, each times its weight: deep ones add up, own ones stand side by side."""
    deep: Slopes = []
    for weight, (slopes, _) in zip(weights, below):
        deep = [total + weight * slope for total, slope in zip(deep, slopes)] if deep else [weight * slope for slope in slopes]
    return [*deep, *chain.from_iterable([weight * slope for slope in own] for weight, (_, own) in zip(weights, below))]


class Derived:
    """The gradient of one step's loss, derived from the weights before it: each sample's share, by parameter.

    A further name of a tied parameter pays into its first one.
    """

    def __init__(self, known: Network, record: Record, state: Mapping[str, float], step: int) -> None:
        self.known, self.state, self.data, self.tied = known, state, record.data, record.run["tied"]
        self.rows, self.unit, self.floats = record.batches.rows(step), record.unit, record.floats
        self.bound = ROUNDINGS if record.unit < 2.0**-30 else 64.0 * record.unit
        self.shares = self._each(lambda inputs, target: sample_slopes(known, state, inputs, target))
        self.total = added(self.shares)

    @cached_property
    def sizes(self) -> list[dict[str, float]]:
        """For each sample, by parameter, the sum of its paths' sizes."""
        return self._each(lambda inputs, target: sample_sizes(self.known, self.state, inputs, target, self.floats, 0.0)[0])

    @cached_property
    def rooms(self) -> list[dict[str, float]]:
        """How far each share may be from ours: roundings of its paths, and of all numbers on them, at their worst."""

        def room(inputs: Sequence[float], target: Any) -> dict[str, float]:
            sizes, _ = sample_sizes(self.known, self.state, inputs, target, self.floats, 0.0)
            large, lost = sample_sizes(self.known, self.state, inputs, target, self.floats, ROOM * self.unit)
            return {name: self.bound * large[name] + (large[name] - sizes[name]) + lost[name] for name in sizes}

        return self._each(room)

    @cached_property
    def room(self) -> dict[str, float]:
        """How far each parameter's gradient may be from ours."""
        return added(self.rooms)

    def agrees(self, name: str, gradient: float) -> bool:
        """Is this the gradient of a parameter? Where ours is not a finite number nothing can be told."""
        off = abs(gradient - self.total[name])
        return not off > CLEAR * abs(self.total[name]) or not off > self.room[name]

    def agrees_on(self, sample: int, name: str, share: float) -> bool:
        """Is this the sample's share in the gradient of a parameter?"""
        off = abs(share - self.shares[sample][name])
        return not off > CLEAR * abs(share) or not off > self.rooms[sample][name]

    def _each(self, found: Callable[[Sequence[float], Any], dict[str, float]]) -> list[dict[str, float]]:
        parts, size = [], float(len(self.rows)) if self.known.averages else 1.0
        inputs, targets = self.data.inputs or [], self.data.targets or []
        for row in self.rows:
            part = found(inputs[row], targets[row])
            for name, first in self.tied.items():
                part[first] += part.pop(name)
            parts.append({name: number / size for name, number in part.items()})
        return parts


def derived(record: Record, known: Network, step: int) -> Derived | None:
    """The gradient of a step; None where the weights before it are not written down."""
    state = record.before(step)
    return None if state is None else Derived(known, record, state, step)


def added(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The sum over the samples, name by name."""
    totals = dict.fromkeys(parts[0] if parts else (), 0.0)
    for part in parts:
        for name, number in part.items():
            totals[name] += number
    return totals
