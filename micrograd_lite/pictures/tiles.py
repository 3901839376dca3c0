"""weights_update.gif of a big network: the weights into each neuron of the first layer, as a little picture of its own.

A neuron that looks at an image has one weight for each pixel, so its weights are an image too: a tile. Blue is negative,
white zero, red positive. Inputs that are no square image get the plain heat maps of heatmap.py.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from micrograd_lite.pictures.axes import Axis, colour_bar, rounded_up
from micrograd_lite.pictures.canvas import Canvas
from micrograd_lite.pictures.film import Box, Film, Look, animate
from micrograd_lite.pictures.heatmap import NATURAL, HeatPanel
from micrograd_lite.pictures.matrices import Matrix
from micrograd_lite.pictures.palette import DIM, DIVERGING_RAMP, FAINT, Numbers, diverging
from micrograd_lite.trace import Trace

MOST = 50
"""Neurons shown at most; the others learn in the same way."""
FRAMES = 30  # more than that make a large file and no clearer one
MILLISECONDS = 150  # for each frame
LEAST_SIDE = 4  # four measurements of a flower are no picture of 2 x 2
APART = 8  # every eighth colour of the ramp: the eye sees the same pattern, and the file has a quarter of the size
LARGE = 20_000  # numbers in heat maps; the first layer has one however large it is
WORDS = {"w": "weight", "b": "bias", "slope": "slope"}
LABEL, GAP = 17, 7  # pixels above a tile for the neuron's number, and between tiles


class Tiles(NamedTuple):
    """Where tiles stand: the upper left corner of each, how wide they are, and which weight each of their pixels shows."""

    corners: list[tuple[int, int]]
    width: int
    owner: Numbers  # shape (width, width): a number of an input


def film_of(trace: Trace, look: Look) -> Film:
    """At most 30 of the moments whose weights are kept. ValueError when none were."""
    kept = trace.array_steps()
    if not kept:
        raise ValueError(f"{trace.folder} has no weights/step_NNNNNN.npz: no weights to draw; keep the weights at some steps")
    return Film(trace, look._replace(frames=min(look.frames, FRAMES)), kept)


def weights_update(path: str | os.PathLike[str], film: Film) -> None:
    """Write the animation of an array model's weights. OSError names the path."""
    trace, chosen = film.trace, film.moments
    first = trace.arrays(chosen[0].step)
    side = math.isqrt(first["layer0.w"].shape[0])
    if side >= LEAST_SIDE and side * side == first["layer0.w"].shape[0]:
        weights = np.array([trace.arrays(moment.step)["layer0.w"][:, :MOST].T for moment in chosen])
        neurons = first["layer0.w"].shape[1]
        animate(path, film, (740, 540), lambda canvas, box: [TilePanel(canvas, box, weights, neurons)], MILLISECONDS)
        return
    states = [np.concatenate([table.ravel() for table in layer_tables(trace.arrays(moment.step))]) for moment in chosen]
    shown, values = layer_matrices(first), np.array(states, dtype=float)
    animate(path, film, NATURAL, lambda canvas, box: [HeatPanel(canvas, box, shown, values)], MILLISECONDS)


class TilePanel:
    """The tiles: `weights` has shape (moments, neurons shown, inputs). Each has a scale of its own from first to last."""

    def __init__(self, canvas: Canvas, box: Box, weights: Numbers, neurons: int) -> None:
        self.canvas, side = canvas, math.isqrt(weights.shape[2])
        left, top, right, bottom = box
        unit = canvas.scale
        area = (canvas.px(left + 6), canvas.px(top + 56), canvas.px(right - 96), canvas.px(bottom - 2))
        self.tiles = laid_out(weights.shape[1], side, area, canvas.px(LABEL), canvas.px(GAP))
        self.weights = weights[:, : len(self.tiles.corners)]
        self.limits = [scale_end(self.weights[:, neuron]) for neuron in range(len(self.tiles.corners))]
        self._explain(box, side, neurons)
        ramp = DIVERGING_RAMP[::APART]
        colour_bar(canvas, (right - 88, top + 90, right - 74, bottom - 16), ramp, Axis(-1.0, 1.0), "of its largest")
        for number, (x, y) in enumerate(self.tiles.corners):
            canvas.text((x + self.tiles.width / 2) / unit, y / unit - 1, str(number), DIM, at="middle bottom")
            canvas.frame(x / unit, y / unit, (x + self.tiles.width) / unit, (y + self.tiles.width) / unit, FAINT)

    def _explain(self, box: Box, side: int, neurons: int) -> None:
        """What is seen, in words."""
        count, low, high = len(self.tiles.corners), min(self.limits), max(self.limits)
        scales = f"from {low:g} to {high:g}" if low < high else f"{low:g}"
        notes = [f"{count} of {neurons} neurons are shown." if count < neurons else ""]
        notes.append(f"Each tile has its own scale, as its darkest colours stand for {scales} and beyond.")
        if np.any(np.isnan(self.weights)):
            notes.append("Grey: not a number.")
        for row, line in enumerate((
            f"Each tile: the weights into one neuron (number above) of layer 0, placed like the {side} x {side} inputs.",
            "Red: a high input here makes the neuron's answer larger. Blue: smaller. Pale: it does not matter.",
            " ".join(filter(None, notes)),
        )):  # fmt: skip
            self.canvas.text(10, box[1] - 4 + 18 * row, self.canvas.fitted(line, box[2] - 14), DIM)

    def paint(self, number: int) -> None:
        """The tiles of one moment."""
        width = self.tiles.width
        for (x, y), limit, weights in zip(self.tiles.corners, self.limits, self.weights[number]):
            self.canvas.pixels[y : y + width, x : x + width] = diverging(weights, limit, APART)[self.tiles.owner]


def scale_end(weights: Numbers) -> float:
    """A round number that at most one weight in two hundred exceeds: a few large ones must not make all others pale."""
    sizes = np.abs(weights[np.isfinite(weights) & (weights != 0)])
    return rounded_up(float(np.percentile(sizes, 99.5))) if sizes.size else 1.0


def laid_out(count: int, side: int, area: Box, label: int = LABEL, gap: int = GAP) -> Tiles:
    """As many of the tiles as have a pixel for each weight, each as large as the area of pixels allows."""
    left, top, right, bottom = area
    width, columns = 0, 1
    while width < side:
        rooms = [((right - left) // n - gap, (bottom - top) // math.ceil(count / n) - label - gap) for n in range(1, count + 1)]
        width, columns = max((min(room), n) for n, room in enumerate(rooms, 1))
        if count == 1 or width >= side:
            break
        count -= 1
    width = max(width // side * side, min(width, side), 1)  # a single tile that is too large shows every second, third ... weight
    across, down = (right - left) // columns, (bottom - top) // math.ceil(count / columns)
    corners = [(left + n % columns * across, top + label + n // columns * down) for n in range(count)]
    places = np.arange(width) * side // width
    return Tiles(corners, width, places[:, None] * side + places)


def layer_tables(arrays: Mapping[str, Numbers]) -> list[Numbers]:
    """For each layer one table of up to 50 neurons: a row for each input, then bias and slope. Later layers if not too large."""
    tables: list[Numbers] = []
    while f"layer{len(tables)}.w" in arrays:
        parts = [arrays[name] for word in WORDS if (name := f"layer{len(tables)}.{word}") in arrays]
        tables.append(np.concatenate([np.atleast_2d(part)[:, :MOST] for part in parts]))
    sizes = np.cumsum([table.size for table in tables])
    return [table for table, size in zip(tables, sizes) if table is tables[0] or size <= LARGE]


def layer_matrices(arrays: Mapping[str, Numbers]) -> list[Matrix]:
    """The same tables as heat maps; a cell is a number's place when they are laid out one after the other."""
    made, start = [], 0
    for layer, table in enumerate(layer_tables(arrays)):
        inputs, neurons = arrays[f"layer{layer}.w"].shape
        words = [text for word, text in WORDS.items() if f"layer{layer}.{word}" in arrays][1:]
        title = f"layer {layer}: {inputs} -> {neurons}" + (f", the first {MOST}" if neurons > MOST else "")
        source = f"from layer {layer - 1}" if layer else "from input"
        rows, columns = [*map(str, range(inputs)), *words], [str(neuron) for neuron in range(table.shape[1])]
        cells = start + np.arange(table.size).reshape(table.shape)
        made.append(Matrix(title, rows, columns, "to neuron", source, cells, inputs))
        start += table.size
    return made
