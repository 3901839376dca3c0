"""Where the weights started: drawn again from the seed in run.json.

Another start is nobody's fault: a network may be trained a second time, or be given its weights by hand. But then nothing
proves the seed, and this is all that tells two runs apart whose seeds alone differ, when their run.json are swapped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from random import Random

from micrograd_lite.verify.evidence import UNITS, NotChecked, NotHere, near
from micrograd_lite.verify.record import Record

KINDRED = ("relu", "leaky_relu", "prelu", "elu", "softplus")
"""Activations whose weights start as He et al. 2015 have them; the others as Glorot and Bengio 2010."""


def start(record: Record) -> int:
    """The weights before step 1 are those that the seed draws, in the floats of the run."""
    model, state = record.run["model"], record.before(1)
    if "type" in model or model.get("init") == "explicit" or not record.names:
        raise NotHere("no seed drew them")
    if state is None:
        raise NotChecked("those before step 1 are not written down")
    units = UNITS * record.unit / 2.0**-52
    count = 0
    for name, number in drawn(record):
        if name not in state or not near(state[name], number, units):
            raise NotChecked(f"seed {model['seed']!a} puts them elsewhere: they were set otherwise, or run.json is another run's")
        count += 1
    return count


def drawn(record: Record) -> Iterator[tuple[str, float]]:
    """Every weight by name as a new network of this description has it, in the order of drawing."""
    model = record.run["model"]
    generator, widths = Random(model["seed"]), [model["inputs"], *model["outputs_per_layer"]]
    for layer, (activation, (inputs, neurons)) in enumerate(zip([*model["activation"], model["output"]], pairwise(widths))):
        init = model["init"] or ("he" if activation in KINDRED else "glorot")
        for neuron in range(neurons):
            for weight in range(inputs):
                yield f"layer{layer}.neuron{neuron}.w{weight}", number(init, inputs, neurons, generator)


def number(init: str, inputs: int, neurons: int, generator: Random) -> float:
    """One weight by the name of its distribution; NaN for a name that is not known."""
    if init in ("he", "normal"):
        return generator.gauss(0.0, math.sqrt(2.0 / inputs) if init == "he" else 1.0)
    if init in ("glorot", "uniform"):
        return generator.uniform(-1.0, 1.0) * (math.sqrt(6.0 / (inputs + neurons)) if init == "glorot" else 1.0)
    return 0.0 if init == "zeros" else math.nan
