"""weights_update.gif of a big network: the weights into each neuron of the first layer, as a little picture of its own.

A neuron that looks at an image has one weight for each pixel, so its weights are an image too: a tile. Blue is negative,
white zero, red positive. Inputs that are no square image get the plain heat maps of heatmap.py.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from micrograd_lite.pictures.axes import Axis, colour_bar, rounded_up
from micrograd_lite.pictures.canvas import TEXT, Canvas, fitted
from micrograd_lite.pictures.gif import write_gif
from micrograd_lite.pictures.heatmap import matrix_frames
from micrograd_lite.pictures.matrices import Matrix
from micrograd_lite.pictures.moments import Moment, caption, moments
from micrograd_lite.pictures.palette import BLACK, DARK, DIVERGING_RAMP, FAINT, WHITE, Indices, Numbers, diverging
from micrograd_lite.trace import Trace

MOST = 50
"""Neurons shown at most; the others learn in the same way."""
FRAMES = 30  # more than that make a large file and no clearer one
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


def weights_update(
    path: str | os.PathLike[str], trace: Trace, frames: int = FRAMES, size: tuple[int, int] = (740, 500), milliseconds: int = 150
) -> None:
    """Write the animation of an array model's weights. ValueError when none were kept; OSError names the path."""
    kept = trace.array_steps()
    if not kept:
        raise ValueError(f"{trace.folder} has no weights/step_NNNNNN.npz: no weights to draw; keep the weights at some steps")
    chosen = moments(trace, frames, kept)
    first = trace.arrays(chosen[0].step)
    side = math.isqrt(first["layer0.w"].shape[0])
    if side >= LEAST_SIDE and side * side == first["layer0.w"].shape[0]:
        weights = np.array([trace.arrays(moment.step)["layer0.w"][:, :MOST].T for moment in chosen])
        write_gif(path, tile_frames(weights, first["layer0.w"].shape[1], chosen, size), milliseconds)
        return
    states = [np.concatenate([table.ravel() for table in layer_tables(trace.arrays(moment.step))]) for moment in chosen]
    write_gif(path, matrix_frames(layer_matrices(first), np.array(states, dtype=float), chosen, size), milliseconds)


def tile_frames(weights: Numbers, neurons: int, chosen: Sequence[Moment], size: tuple[int, int]) -> Iterator[Indices]:
    """The frames, always the same array: `weights` has shape (moments, neurons shown, inputs)."""
    canvas, limit, side = Canvas(size), scale_end(weights), math.isqrt(weights.shape[2])
    tiles = laid_out(weights.shape[1], side, (10, 84, size[0] - 84, size[1] - 6))
    count = len(tiles.corners)
    notes = [f"{count} of {neurons} neurons are shown."] if count < neurons else []
    if np.any(np.abs(weights) > limit):
        notes.append("The darkest colours also stand for the few weights beyond the scale.")
    if np.any(np.isnan(weights)):
        notes.append("Grey: not a number.")
    for y, line in (
        (28, f"Each tile: the weights into one neuron (number above) of layer 0, placed like the {side} x {side} inputs."),
        (46, "Red: a high input here makes the neuron's answer larger. Blue: smaller. White: it does not matter."),
        (64, " ".join(notes)),
    ):
        canvas.text(10, y, fitted(line, size[0] - 14), DARK)
    ramp = DIVERGING_RAMP[::APART]
    colour_bar(canvas, (size[0] - 66, 114, size[0] - 52, size[1] - 16), ramp, Axis(-limit, limit), "weight")
    for number, (left, top) in enumerate(tiles.corners):
        canvas.text(left + tiles.width / 2, top - 1, str(number), DARK, at="middle bottom")
        canvas.frame(left, top, left + tiles.width, top + tiles.width, FAINT)
    for moment, state in zip(chosen, weights):
        canvas.box(0, 4, size[0], 24, WHITE)
        canvas.text(10, 6, caption(moment, chosen[-1].step), BLACK, TEXT + 1)
        for (left, top), colours in zip(tiles.corners, diverging(state, limit, APART)):
            canvas.pixels[top : top + tiles.width, left : left + tiles.width] = colours[tiles.owner]
        yield canvas.pixels


def scale_end(weights: Numbers) -> float:
    """A round number that at most one weight in two hundred exceeds: a few large ones must not make all others pale."""
    sizes = np.abs(weights[np.isfinite(weights) & (weights != 0)])
    return rounded_up(float(np.percentile(sizes, 99.5))) if sizes.size else 1.0


def laid_out(count: int, side: int, area: tuple[int, int, int, int]) -> Tiles:
    """As many of the tiles as have a pixel for each weight, each as large as the area (left, top, right, bottom) allows."""
    left, top, right, bottom = area
    width, columns = 0, 1
    while width < side:
        rooms = [((right - left) // n - GAP, (bottom - top) // math.ceil(count / n) - LABEL - GAP) for n in range(1, count + 1)]
        width, columns = max((min(room), n) for n, room in enumerate(rooms, 1))
        if count == 1 or width >= side:
            break
        count -= 1
    width = max(width // side * side, min(width, side), 1)  # a single tile that is too large shows every second, third ... weight
    across, down = (right - left) // columns, (bottom - top) // math.ceil(count / columns)
    corners = [(left + n % columns * across, top + LABEL + n // columns * down) for n in range(count)]
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
