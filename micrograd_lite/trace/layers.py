"""What a step writes down for an array model: one row for each array instead of one for each weight.

activations_flat is the share of outputs of the layer (over samples and neurons) whose slope is under 0.01: saturated
sigmoids, dead relus. Nothing flows back through them.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_lite.arrays.array import quiet
from micrograd_lite.arrays.buffers import length, views
from micrograd_lite.arrays.nn import MLP
from micrograd_lite.arrays.training import ArrayStep
from micrograd_lite.measure import FLAT
from micrograd_lite.text import cells, npz
from micrograd_lite.text.files import write_whole
from micrograd_lite.trace.folder import LAYERS, WEIGHTS

COLUMNS = (
    "step", "array", "norm", "mean", "std", "min", "max", "gradient_norm", "update_norm", "update_ratio", "activations_flat",
)  # fmt: skip


class LayerRows:
    """layers.csv; made from the first step of a run, whose flat buffers stay the same until its last."""

    def __init__(self, step: ArrayStep) -> None:
        self.headers = {LAYERS: cells.line(COLUMNS)}
        sizes = {name: (array.data.size,) for name, array in step.model.arrays.items()}
        buffers = (step.model.flat, step.model.flat_grad, step.optimizer.update)
        self.parts = zip_by_name(*(views(buffer, sizes) for buffer in buffers))
        self.names = {name: cells.line([cells.word(name)])[:-1] for name in sizes}
        self.layers = {name: int(name.partition(".")[0].removeprefix("layer")) for name in sizes}

    @quiet
    def blocks(self, step: ArrayStep) -> dict[str, tuple[str, int]]:
        """The rows of one step as text, and how many they are; none when its arrays hold a later step that failed."""
        if not step.is_live:
            return {}
        flat = [share_of_flat(partials) for partials in step.fused.slopes]
        rows = [
            f"{step.number},{self.names[name]},{cells.numbers((*describe(*parts), flat[self.layers[name]]))}\n"
            for name, parts in self.parts.items()
        ]
        return {LAYERS: ("".join(rows), len(rows))}


def zip_by_name(*tables: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, ...]]:
    """Several dicts with the same names as one dict of tuples."""
    return {name: tuple(table[name] for table in tables) for name in tables[0]}


def describe(weights: np.ndarray, gradient: np.ndarray, update: np.ndarray) -> tuple[float, ...]:
    """Norm, mean, standard deviation, smallest, largest; norms of gradient and update; update norm / weight norm."""
    norm, moved = length(weights), length(update)
    mean = float(np.einsum("i->", weights.ravel())) / weights.size  # a third of the time of weights.sum()
    rms, middle = norm / math.sqrt(weights.size), abs(mean)  # variance = rms * rms - mean * mean, which could overflow
    # Where the mean is most of the norm the difference is mostly rounding: then the long way.
    short = rms - middle > 0.005 * middle
    low, high = float(np.minimum.reduce(weights, axis=None)), float(np.maximum.reduce(weights, axis=None))
    deviation = math.sqrt(rms - middle) * math.sqrt(rms + middle) if short else _deviation(weights, max(abs(low), abs(high)))
    ratio = moved / norm if norm else math.inf
    return norm, mean, deviation, low, high, length(gradient), moved, ratio


def _deviation(weights: np.ndarray, largest: float) -> float:
    """Their standard deviation, in units of a power of two near the largest: squares neither overflow nor vanish."""
    unit = math.ldexp(1.0, math.frexp(largest)[1] - 1) if math.isfinite(largest) else 1.0
    return float((weights / unit).std(dtype=np.float64)) * unit


def share_of_flat(partials: tuple[Any, ...]) -> float:
    """The share of outputs whose slope is under FLAT; 0 for a linear layer."""
    return float(np.count_nonzero(np.abs(partials[0]) < FLAT) / partials[0].size) if partials else 0.0


def write_arrays(folder: Path, number: int, model: MLP, flat: np.ndarray) -> None:
    """weights/step_NNNNNN.npz: every array of the model by name, as it was in `flat`. OSError names the path."""
    buffer = io.BytesIO()
    arrays = views(flat, {name: array.data.shape for name, array in model.arrays.items()})
    np.savez(buffer, allow_pickle=False, **arrays)
    (folder / WEIGHTS).mkdir(exist_ok=True)
    write_whole(folder / WEIGHTS / f"step_{number:06d}.npz", buffer.getvalue())


def read_arrays(path: Path, numbers: int) -> dict[str, np.ndarray]:
    """The arrays of one such file, so many numbers at most. ValueError names a file that is not one."""
    return {name: np.array(found.numbers).reshape(found.shape) for name, found in npz.read_arrays(path, numbers).items()}
