"""From parameter names back to matrices: layer0.neuron1.w0 stands in row 0, column 1 of the first layer's matrix.

And where their heat maps stand in a picture: as many as there are, each as large as the picture allows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from micrograd_lite.pictures.canvas import Canvas, letters
from micrograd_lite.pictures.palette import Numbers

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


def matrices(names: Sequence[str], features: Sequence[str] = (), outputs: Sequence[str] = ()) -> list[Matrix]:
    """A matrix for each layer, in order, and one for the parameters that belong to none.

    features, outputs: the names of what the first layer's rows and the last layer's columns stand for, where they fit.
    """
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
            if layer == 0 and len(features) == matrix.weights:
                matrix = matrix._replace(rows=[*features, *matrix.rows[matrix.weights :]])
            made.append(matrix)
        else:
            others += found_cells.values()
    if made and len(outputs) == len(made[-1].columns):
        made[-1] = made[-1]._replace(columns=list(outputs), across="to output")
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


Box = tuple[int, int, int, int]
TITLE, BELOW, GAP, LARGEST = 20, 36, 5, 400  # pixels: above a panel, below it, before the biases, and a cell at most


class Panel(NamedTuple):
    """A matrix at its place. Rows and columns start and stop at pixels of the box."""

    matrix: Matrix
    outer: Box  # with labels
    box: Box  # the cells alone
    rows: list[tuple[int, int]]
    columns: list[tuple[int, int]]
    shown: Numbers  # for each pixel the parameter to show, -1 for none

    @property
    def room(self) -> tuple[int, int]:
        """Width and height of a cell."""
        return self.columns[0][1] - self.columns[0][0], self.rows[0][1] - self.rows[0][0]

    def cells(self) -> Iterator[tuple[int, float, float]]:
        """Each parameter and the middle of its cell."""
        for (row, column), index in np.ndenumerate(self.matrix.cells):
            if index >= 0:
                (left, right), (top, bottom) = self.columns[column], self.rows[row]
                yield int(index), self.box[0] + (left + right) / 2, self.box[1] + (top + bottom) / 2

    def owners(self, canvas: Canvas) -> Numbers:
        """For each pixel of the box on this canvas the parameter to show, -1 for none."""
        shape = canvas.view(self.box).shape
        rows, columns = (np.minimum((np.arange(count) + 0.5) / canvas.scale, most - 1).astype(int)
                         for count, most in zip(shape, self.shown.shape))  # fmt: skip
        return np.asarray(self.shown[rows][:, columns])


def laid_out(matrices: list[Matrix], area: Box, aside: int = 0) -> list[Panel]:
    """All matrices in as many lines as make the smallest cell largest; aside: what each leaves free on its right."""
    left, top, right, bottom = area
    best: list[Panel] = []
    for lines in range(1, len(matrices) + 1):
        per_line = math.ceil(len(matrices) / lines)
        groups = [matrices[start : start + per_line] for start in range(0, len(matrices), per_line)]
        height = (bottom - top) // len(groups)
        panels = [
            panel for line, group in enumerate(groups)
            for panel in _line(group, (left, top + line * height, right, top + (line + 1) * height), aside)
        ]  # fmt: skip
        if not best or _smallest(panels) > _smallest(best):
            best = panels
    return best


def _smallest(panels: list[Panel]) -> float:
    return min(min(panel.columns[-1][1] / len(panel.columns), panel.rows[-1][1] / len(panel.rows)) for panel in panels)


def _line(group: list[Matrix], area: Box, aside: int) -> list[Panel]:
    """Side by side; wider matrices get more of the room, but each enough for its title."""
    left, top, right, bottom = area
    margins = [38 + min(120, max(letters(row[:40]).shape[1] for row in matrix.rows)) + aside for matrix in group]
    room = right - left - int(np.sum(margins))
    least = min(60, max(room // len(group), 1))
    wanted = np.array([matrix.cells.shape[1] for matrix in group], dtype=float)
    extra = max(room - least * len(group), 0)
    widths = np.minimum(least + extra * wanted / wanted.sum(), np.maximum(wanted * LARGEST, 60) + 10).astype(int)
    left += (right - left - int(np.sum(margins)) - int(widths.sum())) // 2
    panels = []
    for matrix, margin, width in zip(group, margins, widths.tolist()):
        panels.append(_panel(matrix, (left, top, left + margin + width - aside, bottom), margin - aside))
        left += margin + width
    return panels


def _panel(matrix: Matrix, outer: Box, margin: int) -> Panel:
    left, top, right, bottom = outer[0] + margin - 4, outer[1] + TITLE, outer[2] - 6, outer[3] - BELOW
    rows = _cells(len(matrix.rows), bottom - top, matrix.weights)
    columns = _cells(len(matrix.columns), right - left, len(matrix.columns))
    box = (left, top, left + columns[-1][1], top + rows[-1][1])
    of_row, of_column = (_owner(places) for places in (rows, columns))
    padded = np.pad(matrix.cells, (0, 1), constant_values=-1)  # the gaps between cells are one more row and column
    return Panel(matrix, outer, box, rows, columns, padded[of_row][:, of_column])


def _cells(count: int, room: int, before_gap: int) -> list[tuple[int, int]]:
    """Where each cell starts and stops; large ones are kept apart by a pixel, biases by a few."""
    gap = GAP if 0 < before_gap < count and room > 4 * count else 0
    size = min(max((room - gap) / count, 0.01), LARGEST)
    size = math.floor(size) if size >= 2 else size
    starts = [int(index * size) + (gap if index >= before_gap else 0) for index in range(count)]
    apart = 1 if size >= 10 else 0
    return [(start, max(start + math.ceil(size) - apart, start + 1)) for start in starts]


def _owner(places: list[tuple[int, int]]) -> Numbers:
    """For each pixel the cell that it belongs to, or the number of cells for a gap."""
    owner = np.full(places[-1][1], len(places))
    for index, (start, stop) in enumerate(places):
        owner[start:stop] = index
    return owner
