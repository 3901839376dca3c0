"""The gradient, derived again: forward duals over verify's own network. No backward sweep, nothing of the engine.

Every number of the forward pass carries its slopes toward all parameters that it is made of. A unit knows them in two
parts: toward the parameters of the layers below, and toward its own; another unit of its layer has nothing to do with
those. So a pass costs little more than there are paths from a parameter to an output.

How far an honest gradient may be from ours: a few thousand roundings of the sum over all paths of the product of the
absolute slopes (shares that cancel leave no more than their rounding), and what roundings on the way there move.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from micrograd_lite.verify.formulas import exp
from micrograd_lite.verify.network import ACTIVATIONS, ROOM, Network, only, shaking, summed
from micrograd_lite.verify.record import Record

ROUNDINGS = 8192 * 2.0**-53
"""How far a gradient may be off, relative to the sum of its paths' sizes: the engines' own bound."""

CLEAR = 2.0**-36
"""Closer than this to the sum of its shares' sizes a gradient needs no second look."""

Slopes = list[float]


def share(z: float) -> float:
    """1 / (1 + exp(-z)), without overflow."""
    return 1.0 / (1.0 + exp(-z)) if z >= 0.0 else exp(z) / (1.0 + exp(z))


SLOPES: dict[str, Callable[..., tuple[float, ...]]] = {
    # what the value's slope toward the sum is, then toward a learned slope; 0 at a kink's left side, as everywhere here
    "linear": lambda z, value: (1.0,),
    "relu": lambda z, value: (0.0 if z <= 0.0 else 1.0,),
    "leaky_relu": lambda z, value: (0.01 if z <= 0.0 else 1.0,),
    "prelu": lambda z, value, slope: (1.0, 0.0) if z > 0.0 else (slope, z),
    "elu": lambda z, value: (1.0 if z > 0.0 else exp(z),),
    "softplus": lambda z, value: (share(z),),
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
        (1.0 - only(target)) * share(outputs[0]) - only(target) * share(-outputs[0])
    ],
    "cross_entropy": lambda outputs, label: [p - (1.0 if k == label else 0.0) for k, p in enumerate(softmax(outputs))],
    "hinge": lambda outputs, target: [-only(target) if 1.0 - only(target) * outputs[0] > 0.0 else 0.0],
}
"""The slope of a sample's cost toward each output."""
COST_SIZES: dict[str, Callable[[Sequence[float], Any], list[float]]] = {
    "mse": lambda outputs, target: [2.0 * (abs(o) + abs(t)) / len(outputs) for o, t in zip(outputs, _wanted(target))],
    "half_squared_error": lambda outputs, target: [abs(o) + abs(t) for o, t in zip(outputs, _wanted(target))],
    "binary_cross_entropy": lambda outputs, target: [1.0],
    "cross_entropy": lambda outputs, label: [p + (1.0 if k == label else 0.0) for k, p in enumerate(softmax(outputs))],
    "hinge": lambda outputs, target: [abs(only(target))],
}


def sample_slopes(
    known: Network, state: Mapping[str, float], inputs: Sequence[float], target: Any, shaken: Iterator[float] | None = None,
    sizes: bool = False,
) -> dict[str, float]:  # fmt: skip
    """The slope of one sample's cost toward every parameter by name; sizes: the sum of its paths' sizes instead."""
    count, slope_of = (abs, SIZES) if sizes else (float, SLOPES)
    values = list(inputs)
    below: list[tuple[Slopes, Slopes]] = []  # for each number of the layer below: toward the layers under it, its own
    for activation, units in known.layers:
        function, made, carried = ACTIVATIONS[activation], [], []
        for weights, bias, slope in units:
            numbers = [state[weight] for weight in weights]
            total = summed(numbers, values, 0.0 if bias is None else state[bias], shaken)
            learned = () if slope is None else (state[slope],)
            value = function(total, *learned)
            steep = [count(part) for part in slope_of[activation](total, value, *learned)]
            own = [count(x) for x in values] + ([] if bias is None else [1.0])
            deep = _through([steep[0] * count(number) for number in numbers], below)
            carried.append((deep, [steep[0] * part for part in own] + steep[1:]))
            made.append(value if shaken is None else value * next(shaken))
        values, below = made, carried
    cost_slopes = (COST_SIZES if sizes else COST_SLOPES)[known.loss_name](values, target)
    found: dict[str, float] = {}
    for name, number in zip(known.columns, _through([count(part) for part in cost_slopes], below)):
        found[name] = found.get(name, 0.0) + number
    return found


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
        self.rows = record.batches.rows(step)
        self.unit, self.doubt = record.unit, ROOM * record.unit
        self.bound = ROUNDINGS if record.unit < 2.0**-30 else 64.0 * record.unit
        self.shares = self._shares()
        self.total = added(self.shares)

    @cached_property
    def sizes(self) -> list[dict[str, float]]:
        """For each sample, by parameter, the sum of its paths' sizes."""
        return self._shares(sizes=True)

    @cached_property
    def rooms(self) -> list[dict[str, float]]:
        """How far each share may be from ours: roundings of its paths, and four times what a shaken pass moves."""
        moved = [dict.fromkeys(part, 0.0) for part in self.shares]
        for seed in range(3):
            for part, most, ours in zip(self._shares(shaking(seed, self.doubt)), moved, self.shares):
                for name, number in part.items():
                    most[name] = max(most[name], abs(number - ours[name]))
        return [{name: self.bound * part[name] + 4.0 * most[name] for name in part} for part, most in zip(self.sizes, moved)]

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

    def _shares(self, shaken: Iterator[float] | None = None, sizes: bool = False) -> list[dict[str, float]]:
        parts, size = [], float(len(self.rows)) if self.known.averages else 1.0
        inputs, targets = self.data.inputs or [], self.data.targets or []
        for row in self.rows:
            found = sample_slopes(self.known, self.state, inputs[row], targets[row], shaken, sizes)
            for name, first in self.tied.items():
                found[first] += found.pop(name)
            parts.append({name: number / size for name, number in found.items()})
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
