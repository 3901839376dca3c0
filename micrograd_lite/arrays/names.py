"""Every number of a network on arrays under the name that it has in the scalar engine, and back into arrays.

`layer0.w[0, 1]` is `layer0.neuron1.w0`: row = input, column = neuron.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_lite.arrays.array import to_array

if TYPE_CHECKING:  # the page that knows this one
    from micrograd_lite.arrays.nn import MLP


def scalar_name(array: str, index: tuple[int, ...]) -> str:
    """`layer0.w`, (0, 1) is the scalar engine's `layer0.neuron1.w0`; `layer0.b`, (1,) its `layer0.neuron1.b`."""
    layer, kind = array.split(".")
    return f"{layer}.neuron{index[-1]}.{kind}" + (str(index[0]) if kind == "w" else "")


def scalar_state(model: MLP) -> dict[str, float]:
    """Every number under the scalar engine's name for it, in that engine's order (float32 ones exactly, as doubles)."""
    state = {}
    for name, layer in model.parts():
        for neuron in range(layer.w.data.shape[1]):
            for kind, array in layer.parts():
                column = array.data[..., neuron].reshape(-1)  # a bias is one number
                state.update({scalar_name(f"{name}.{kind}", (row, neuron)): number for row, number in enumerate(column.tolist())})
    return state


def joined(state: Mapping[str, Any], model: MLP) -> dict[str, Any]:
    """A state as one table for each array of a model, from those, or from numbers under the scalar engine's names."""
    by_array = bool(set(state) & set(model.arrays))
    wanted = list(model.arrays if by_array else scalar_state(model))
    missing, unknown = [name for name in wanted if name not in state], set(state) - set(wanted)
    if missing or unknown:
        first = f"{missing[0]!r} is missing" if missing else f"{min(unknown)!r} is unknown"
        raise ValueError(f"the state is of another model: it has {len(state)} names, this model {len(wanted)}, and {first}")
    if by_array:
        return dict(state)
    shapes = {name: array.data.shape for name, array in model.arrays.items()}
    numbers = {name: [state[scalar_name(name, index)] for index in np.ndindex(shape)] for name, shape in shapes.items()}
    return {name: to_array(flat).reshape(shapes[name]) for name, flat in numbers.items()}
