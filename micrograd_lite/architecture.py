"""Architecture: how many neurons stand in each layer, what they do to their sums and where their weights start.

Both engines build their networks from this one record, so the same arguments mean the same numbers in both. Where
weights start matters: too small and nothing flows, too large and every unit saturates.

    he       N(0, 2 / inputs)                             for relu and its kin (He et al. 2015)
    glorot   U(-r, r), r = sqrt(6 / (inputs + outputs))   for tanh, sigmoid, linear (Glorot and Bengio 2010)
    uniform  U(-1, 1), as micrograd; normal N(0, 1), unscaled; zeros, which no hidden layer can learn from

Weights are drawn from the generator in the order of their names: neuron by neuron, inputs in order.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from micrograd_lite.data.prepare import seeded, whole_seed
from micrograd_lite.scalar import to_float

ACTIVATIONS = ("linear", "relu", "leaky_relu", "prelu", "elu", "softplus", "sigmoid", "tanh", "sin")
"""What a layer may do to its sums, by name: a pointwise rule of the table, or nothing (linear)."""

PRELU_SLOPE = 0.25
"""Where prelu's learned slope starts (He et al. 2015)."""


class Architecture:
    """The arguments of an MLP, checked. ValueError or TypeError says which one is wrong; see nn.MLP for their meaning."""

    def __init__(
        self,
        inputs: int,
        outputs_per_layer: Sequence[int],
        activation: str | Sequence[str],
        output: str,
        init: Any,
        bias: bool,
        seed: int,
    ) -> None:
        if not isinstance(outputs_per_layer, (list, tuple)):
            raise TypeError(f"outputs_per_layer must be a list such as [16, 1], got {outputs_per_layer!r}")
        widths = [inputs, *outputs_per_layer]
        if len(widths) < 2 or not all(isinstance(width, int) and width is not True and width > 0 for width in widths):
            raise ValueError(f"an MLP needs layer widths that are whole numbers of at least 1, got {widths}")
        hidden = len(widths) - 2
        if not isinstance(activation, (str, list, tuple)):
            raise TypeError(f"activation must be a name or a list of names, got {activation!r}")
        names = [choose("activation", activation, ACTIVATIONS)] * hidden if isinstance(activation, str) else list(activation)
        if len(names) != hidden:
            raise ValueError(f"activation: {hidden} hidden layers need {hidden} names (or one for all), got {names}")
        self.widths, self.bias, self.seed = widths, yes_or_no("bias", bias), whole_seed(seed)
        self.activations = [choose("activation", name, ACTIVATIONS) for name in [*names, output]]
        named = init is None or isinstance(init, str)
        self.init: str | None = init if named else "explicit"
        self._given: list[Any] = [init] * (hidden + 1) if named else explicit(init, hidden + 1)

    def layers(self) -> Iterator[tuple[str, list[list[float]]]]:
        """Activation and initial weights, shape (inputs, neurons), of one layer after the other."""
        generator = seeded(self.seed)
        for activation, shape, given in zip(self.activations, pairwise(self.widths), self._given):
            yield activation, initial_weights(given, shape, activation, generator)

    def config(self) -> dict[str, Any]:
        """What a constructor needs to build this architecture again, as plain data."""
        return {
            "inputs": self.widths[0],
            "outputs_per_layer": self.widths[1:],
            "activation": self.activations[:-1],
            "output": self.activations[-1],
            "init": self.init,
            "bias": self.bias,
            "seed": self.seed,
        }


INITS: dict[str, Callable[[Random, int, int], float]] = {
    "he": lambda generator, inputs, outputs: generator.gauss(0.0, math.sqrt(2.0 / inputs)),
    "glorot": lambda generator, inputs, outputs: generator.uniform(-1.0, 1.0) * math.sqrt(6.0 / (inputs + outputs)),
    "uniform": lambda generator, inputs, outputs: generator.uniform(-1.0, 1.0),
    "normal": lambda generator, inputs, outputs: generator.gauss(0.0, 1.0),
    "zeros": lambda generator, inputs, outputs: 0.0,
}

RELU_FAMILY = ("relu", "leaky_relu", "prelu", "elu", "softplus")


def choose(kind: str, name: Any, known: Iterable[str]) -> str:
    """The name itself when it is known; else a ValueError that lists the known ones."""
    names = list(known)
    if name in names:
        return str(name)
    from difflib import get_close_matches  # only a mistake needs it

    close = get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"unknown {kind} {name!r}: choose one of {', '.join(names)}{hint}")


def yes_or_no(name: str, setting: Any) -> bool:
    """The setting as True or False; TypeError for anything else, because every text is true, "no" too."""
    numpy = sys.modules.get("numpy")  # its True and False are no bool
    if isinstance(setting, bool) or (numpy is not None and isinstance(setting, numpy.bool_)):
        return bool(setting)
    raise TypeError(f"{name} must be True or False, got {setting!r}")


def initial_weights(
    init: str | Sequence[Sequence[float]] | None, shape: tuple[int, int], activation: str, generator: Random
) -> list[list[float]]:
    """The weights of one layer, shape (inputs, neurons). ValueError for an unknown init or a table of another shape."""
    inputs, outputs = shape
    if init is None:
        init = "he" if activation in RELU_FAMILY else "glorot"
    if isinstance(init, str):
        draw = INITS[choose("init", init, INITS)]
        columns = [[draw(generator, inputs, outputs) for _ in range(inputs)] for _ in range(outputs)]
        return [list(row) for row in zip(*columns)]
    if not isinstance(init, (list, tuple)) or not all(isinstance(row, (list, tuple)) for row in init):
        raise ValueError(f"init: a layer needs a table, a list of {inputs} rows of {outputs} weights, got {init!r}")
    rows = [list(row) for row in init]
    if len(rows) != inputs or any(len(row) != outputs for row in rows):
        got = f"{len(rows)} rows of {sorted({len(row) for row in rows})}"
        raise ValueError(f"init: this layer needs a table of {inputs} inputs x {outputs} neurons, got {got}")
    return [[_finite(number, (place, column)) for column, number in enumerate(row)] for place, row in enumerate(rows)]


def _finite(weight: Any, place: tuple[int, int]) -> float:
    where = f"init: the weight in row {place[0]}, column {place[1]}"
    try:
        number = to_float(weight)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from error
    if not math.isfinite(number):
        raise ValueError(f"{where} is {number!r}; every weight must be finite")
    return number


def explicit(tables: Any, layers: int) -> list[Any]:
    """Explicit weights: one table for each layer. ValueError when there are more or fewer."""
    if not isinstance(tables, (list, tuple)) or len(tables) != layers:
        raise ValueError(f"init: explicit weights need one table for each of the {layers} layers")
    return list(tables)
