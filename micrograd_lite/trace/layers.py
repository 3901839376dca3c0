"""What a step writes down for an array model: one row for each array instead of one for each weight.

activations_flat is the share of outputs of the layer (over samples and neurons) whose slope is under 0.01: saturated
sigmoids, dead relus. Nothing flows back through them.
"""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_lite.array_training import ArrayStep, length
from micrograd_lite.dense import MLP, views
from micrograd_lite.files import write_whole
from micrograd_lite.trace import cells
from micrograd_lite.trace.folder import LAYERS, WEIGHTS

COLUMNS = (
    "step", "array", "norm", "mean", "std", "min", "max", "gradient_norm", "update_norm", "update_ratio", "activations_flat",
)  # fmt: skip
FLAT = 0.01


class LayerRows:
    """layers.csv; made from the first step of a run."""

    def __init__(self, step: ArrayStep) -> None:
        self.headers = {LAYERS: cells.line(COLUMNS)}
        self.names = {name: cells.line([cells.text(name)])[:-1] for name in step.model.arrays}

    def blocks(self, step: ArrayStep) -> dict[str, tuple[str, int]]:
        """The rows of one step as text, and how many they are."""
        arrays = step.model.arrays
        updates = views(step.optimizer.update, {name: array.data.shape for name, array in arrays.items()})
        flat = [share_of_flat(partials) for partials in step.fused.slopes]
        rows = []
        for name, array in arrays.items():
            share = flat[int(name.partition(".")[0].removeprefix("layer"))]
            statistics = describe(array.data, array.grad, updates[name])
            rows.append(f"{step.number},{self.names[name]},{cells.numbers(statistics)},{cells.number(share)}\n")
        return {LAYERS: ("".join(rows), len(rows))}


def describe(weights: np.ndarray, gradient: np.ndarray, update: np.ndarray) -> list[float]:
    """Norm, mean, standard deviation, smallest, largest; norms of gradient and update; update norm / weight norm."""
    norm, moved = length(weights), length(update)
    mean = float(weights.mean())
    deviation = math.sqrt(max(0.0, norm * norm / weights.size - mean * mean))
    ratio = moved / norm if norm else math.inf
    return [norm, mean, deviation, float(weights.min()), float(weights.max()), length(gradient), moved, ratio]


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


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of one such file. ValueError names a file that is not one, or that wants to be unpickled."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, zipfile.BadZipFile, EOFError, AttributeError) as error:
        raise ValueError(f"{path} does not hold plain arrays: {error}") from error
