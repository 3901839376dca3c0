"""Architecture: how many neurons stand in each layer, what they do to their sums and where their weights start.

Both engines build their networks from this one record, so the same arguments mean the same numbers in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from micrograd_lite.data.prepare import seeded, whole_seed
from micrograd_lite.inits import choose, explicit, initial_weights, yes_or_no

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
