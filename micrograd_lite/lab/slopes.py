"""How steep the units of a network are on its data: a unit whose slope is nearly 0 passes no error on, and so learns nothing.

Measured from a trace, at its first, middle and last recorded weights: unit by unit where the data is to be had, else
layer by layer as layers.csv has it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from micrograd_lite.measure import FLAT
from micrograd_lite.nn import MLP
from micrograd_lite.scalar import operand
from micrograd_lite.trace import Trace
from micrograd_lite.trace.kinds import by_hand
from micrograd_lite.trace.samples import loaded

ROWS = 1_000
"""Samples of a large data set that are looked at; 200 in the scalar engine, which takes its time."""


class LayerSlopes(NamedTuple):
    """One layer with the weights after `step` updates. Shares count samples and units; lists have an entry for each unit."""

    step: int
    layer: int
    activation: str
    flat: float  # share of slopes under FLAT
    mean: float  # mean of the slopes; NaN where only layers.csv tells
    units_flat: list[float]  # share of samples at which the unit's slope is under FLAT; empty where only layers.csv tells
    units_zero: list[float]  # the same for a slope of exactly 0

    @property
    def dead(self) -> int:
        """Units whose slope is 0 at every sample: no sample will ever move them."""
        return self.units_zero.count(1.0)

    @property
    def mostly_flat(self) -> int:
        """Units whose slope is under FLAT for at least nine samples in ten, dead ones included."""
        return [share >= 0.9 for share in self.units_flat].count(True)


class Slopes(NamedTuple):
    """All layers at each of the steps, and on which samples."""

    layers: list[list[LayerSlopes]]  # for each step, from the first layer to the last
    on: str


class Unmeasured(ValueError):
    """No slopes can be measured: the trace is not of an MLP, or its data is not to be had."""


def slopes(trace: Trace) -> Slopes:
    """The slopes of a trace. Unmeasured, which is a ValueError, says why there are none; ValueError when it has no step yet."""
    model = trace.run.get("model") or {}
    if not {"inputs", "outputs_per_layer", "activation", "output"} <= model.keys():
        raise Unmeasured(f"{trace.folder} is not the trace of an MLP: there are no layers whose slopes could be measured")
    if not trace.metrics():
        raise ValueError(f"{trace.folder} has no step yet: train and watch at least one")
    if by_hand(trace.run):
        raise Unmeasured("a loop of one's own keeps its data to itself")
    scalar = bool(trace.steps())
    steps, absent = [0, *trace.steps()] if scalar else trace.array_steps(), f"{trace.folder} keeps no weights"
    if steps:
        try:
            inputs, on = known_inputs(trace, 200 if scalar else ROWS)
            return Slopes([(scalar_layers if scalar else array_layers)(trace, step, inputs) for step in three(steps)], on)
        except Absent as error:
            absent = str(error)
    if not trace.layers():
        raise Unmeasured(f"{absent}: no slopes can be measured")
    return Slopes(from_layers(trace), "the batch of each step, as layers.csv has it, which keeps no single units")


def three(steps: Sequence[int]) -> list[int]:
    """The first, the middle and the last."""
    return [steps[place] for place in sorted({0, len(steps) // 2, len(steps) - 1})]


class Absent(ValueError):
    """The data of a trace are not to be had."""


def known_inputs(trace: Trace, rows: int) -> tuple[Any, str]:
    """The inputs of the data as the trace holds them, or so many loaded again; and which. Absent says why there are none."""
    try:
        data = loaded(trace.run, "data", trace.folder)
    except (OSError, ValueError) as error:
        raise Absent(str(error)) from error
    if "inputs" in trace.run["data"]:
        return data["inputs"], "all its samples"
    inputs = data["inputs"][:rows]
    return inputs, f"{len(inputs):,} of its {data['samples']:,} samples, loaded again by their recipe"


def scalar_layers(trace: Trace, step: int, inputs: Sequence[Sequence[float]]) -> list[LayerSlopes]:
    """Each layer of a scalar model: the slopes that its own nodes hold."""
    model = MLP.of(trace.run["model"], trace.weights(step))
    tables: list[list[list[float]]] = [[] for _ in model.layers]  # layer, sample, unit
    for row in inputs:
        values = [operand(float(x)) for x in row]
        for layer, table in zip(model.layers, tables):
            values = layer(values)
            linear = layer.neurons[0].activation == "linear"
            table.append([1.0 if linear else abs(value.partials[0]) for value in values])
    made = []
    for number, (layer, table) in enumerate(zip(model.layers, tables)):
        units, everything = list(zip(*table)), [slope for row in table for slope in row]
        flat, zero = [share_flat(unit) for unit in units], [unit.count(0.0) / len(unit) for unit in units]
        mean = math.fsum(everything) / len(everything)
        made.append(LayerSlopes(step, number, layer.neurons[0].activation, share_flat(everything), mean, flat, zero))
    return made


def share_flat(numbers: Sequence[float]) -> float:
    """The share of slopes under FLAT."""
    return [number < FLAT for number in numbers].count(True) / len(numbers)


def array_layers(trace: Trace, step: int, inputs: Any) -> list[LayerSlopes]:
    """Each layer of an array model: the slopes of its forward pass."""
    import numpy as np

    from micrograd_lite import arrays
    from micrograd_lite.arrays.fused import FusedStep

    model = arrays.MLP.of(trace.run["model"], trace.arrays(step))
    fused = FusedStep(model, len(inputs))
    with np.errstate(over="ignore"):  # what is too large for 32 bits is inf there
        fused.forward(np.asarray(inputs, model.dtype))
    made = []
    for number, (layer, partials) in enumerate(zip(model.layers, fused.slopes)):
        steep = np.abs(partials[0]) if partials else np.ones_like(fused.activations[number + 1])
        flat, zero = (steep < FLAT).mean(axis=0), (steep == 0.0).mean(axis=0)
        mean = float(steep.mean(dtype=float))
        made.append(LayerSlopes(step, number, layer.activation, float(flat.mean()), mean, flat.tolist(), zero.tolist()))
    return made


def from_layers(trace: Trace) -> list[list[LayerSlopes]]:
    """Each layer as layers.csv has it, which keeps no units."""
    names = [*trace.run["model"]["activation"], trace.run["model"]["output"]]
    rows = [row for row in trace.layers() if row["array"].endswith(".w")]
    found: dict[int, list[LayerSlopes]] = {}
    for row in rows:
        layer = int(row["array"].partition(".")[0].removeprefix("layer"))
        mean = 1.0 if names[layer] == "linear" else math.nan
        found.setdefault(row["step"], []).append(
            LayerSlopes(row["step"], layer, names[layer], row["activations_flat"], mean, [], [])
        )
    return [found[step] for step in three(list(found))]
