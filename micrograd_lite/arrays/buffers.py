"""All parameters of an array model in one flat buffer, all gradients in another: views that stay views.

An optimizer updates the whole network in a few passes over memory, because each array's data and grad is a piece of one
buffer. `array.data = ...` and backward() put other arrays there, as they may: their numbers are brought back in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from micrograd_lite.arrays.array import Array


class Buffers:
    """Base of the MLP on arrays: `arrays` by name, `flat` and `flat_grad` with the numbers of all of them."""

    arrays: dict[str, Array]
    dtype: np.dtype[Any]

    def cut(self) -> None:
        """Make new buffers of the arrays' numbers, and the arrays views of them."""
        shapes = {name: array.data.shape for name, array in self.arrays.items()}
        size = int(np.sum([array.data.size for array in self.arrays.values()]))
        buffers = {kind: np.empty(size, self.dtype) for kind in ("data", "grad")}
        self._buffers = {kind: (flat, views(flat, shapes)) for kind, flat in buffers.items()}
        self.bring_back("data")
        self.bring_back("grad")

    @property
    def flat(self) -> np.ndarray:
        """All parameters, one after the other; what was assigned to an array's `data` comes in first."""
        return self.bring_back("data")

    @property
    def flat_grad(self) -> np.ndarray:
        """All gradients likewise; what backward() or an assignment put elsewhere comes in first."""
        return self.bring_back("grad")

    def bring_back(self, kind: str) -> np.ndarray:
        """Every array's `data` (or `grad`) a view of its buffer again, with the numbers it has now; returns the buffer."""
        flat, cut = self._buffers[kind]
        for name, view in cut.items():
            if getattr(self.arrays[name], kind) is not view:
                view[...] = getattr(self.arrays[name], kind)
                setattr(self.arrays[name], kind, view)
        return flat

    def __getstate__(self) -> dict[str, Any]:
        return {name: part for name, part in self.__dict__.items() if name != "_buffers"}  # a copy cuts its own views

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.cut()


def views(flat: np.ndarray, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """A flat buffer cut into named arrays, one after the other, without copying."""
    cut, start = {}, 0
    for name, shape in shapes.items():
        stop = start + int(np.prod(shape))
        cut[name] = flat[start:stop].reshape(shape)
        start = stop
    return cut


def length(numbers: np.ndarray) -> float:
    """The Euclidean length of an array, scaled only where the squares would overflow or vanish."""
    flat = numbers.ravel()
    squares = float(np.dot(flat, flat))
    if 1e-25 < squares < math.inf:
        return math.sqrt(squares)
    largest = float(np.abs(flat).max())
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(float(np.sum((flat / largest) ** 2)))
