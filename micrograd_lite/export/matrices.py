"""From parameter names back to matrices: layer0.neuron1.w0 stands in row 0, column 1 of the first layer's matrix."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from micrograd_lite.export.palette import Numbers

_PATH = re.compile(r"layer(\d{1,3})\.neuron(\d{1,5})\.(?:w(\d{1,5})|(b|slope))", re.ASCII)
_WORDS = {"b": "bias", "slope": "slope"}


class Matrix(NamedTuple):
    """One heat map: what is written around it, and which parameter each cell shows (-1 for none)."""

    title: str
    rows: list[str]
    columns: list[str]
    across: str  # what a column is
    down: str  # what a row is
    cells: Numbers
    weights: int  # so many rows before those of biases and slopes


def matrices(names: Sequence[str]) -> list[Matrix]:
    """A matrix for each layer, in order, and one for the parameters that belong to none."""
    layers: dict[int, dict[tuple[int, str], int]] = {}
    others: list[int] = []
    for index, name in enumerate(names):
        found = _PATH.fullmatch(name)
        if not found:
            others.append(index)
            continue
        layer, neuron, weight, word = found.groups()
        layers.setdefault(int(layer), {})[int(neuron), str(int(weight)) if weight else word] = index
    made = []
    for layer, found_cells in sorted(layers.items()):
        matrix = _matrix(layer, found_cells)
        if matrix:
            made.append(matrix)
        else:
            others += found_cells.values()
    return made + ([_loose([names[index] for index in others], others)] if others else [])


def _matrix(layer: int, found: dict[tuple[int, str], int]) -> Matrix | None:
    """The matrix of one layer; None when nearly all of it would be empty, for names that only look like ours."""
    neurons = 1 + max(neuron for neuron, _ in found)
    weights = max((1 + int(row) for _, row in found if row.isdigit()), default=0)
    words = [word for word in _WORDS if any(row == word for _, row in found)]
    if (weights + len(words)) * neurons > 4 * len(found) + 8:
        return None
    rows = [*map(str, range(weights)), *words]
    cells = np.full((len(rows), neurons), -1)
    place = {row: index for index, row in enumerate(rows)}
    for (neuron, row), index in found.items():
        cells[place[row], neuron] = index
    title = f"layer {layer}: {weights} -> {neurons}"
    source = "from input" if layer == 0 else f"from layer {layer - 1}"
    columns = [str(neuron) for neuron in range(neurons)]
    return Matrix(title, [_WORDS.get(row, row) for row in rows], columns, "to neuron", source, cells, weights)


def _loose(names: list[str], indices: list[int]) -> Matrix:
    """Parameters of other names: a column with their names beside it, or a square when there are many."""
    if len(names) <= 12:
        return Matrix("parameters", names, [""], "", "", np.array(indices)[:, None], len(names))
    width = math.ceil(math.sqrt(len(names)))
    cells = np.full((math.ceil(len(names) / width), width), -1)
    cells.flat[: len(names)] = indices
    rows, columns = ([str(index) for index in range(count)] for count in cells.shape)
    return Matrix("other parameters", rows, columns, "in reading order", "", cells, len(rows))
