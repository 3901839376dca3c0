"""weights_update.gif: one heat map for each layer's weights, on one colour scale from the first frame to the last.

A column is a neuron, a row what it listens to: an input or a neuron of the layer before, then its bias. Blue is negative,
white zero, red positive. Small matrices have their numbers written in the cells.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence

import numpy as np

from micrograd_lite.pictures.axes import Axis, colour_bar, rounded_up
from micrograd_lite.pictures.canvas import TEXT, Canvas, fitted, letters
from micrograd_lite.pictures.gif import write_gif
from micrograd_lite.pictures.matrices import Matrix, Panel, laid_out, matrices
from micrograd_lite.pictures.moments import Moment, caption, moments
from micrograd_lite.pictures.palette import BLACK, DARK, DIVERGING_RAMP, FAINT, PALE, WHITE, Indices, Numbers, diverging
from micrograd_lite.trace import Trace


def weights_update(
    path: str | os.PathLike[str], trace: Trace, frames: int = 100, size: tuple[int, int] = (720, 440), milliseconds: int = 80
) -> None:
    """Write the animation of all weights of a trace. ValueError for an empty trace; OSError names the path."""
    chosen = moments(trace, frames)
    if not trace.steps():
        raise ValueError(f"{trace.folder} has no parameters in gradients.csv: no weights to draw; record at least one step")
    states = [trace.weights(moment.step) for moment in chosen]
    names = list(states[0])
    values = np.array([[state[name] for name in names] for state in states])
    write_gif(path, weight_frames(names, values, chosen, size), milliseconds)


def weight_frames(names: Sequence[str], values: Numbers, chosen: Sequence[Moment], size: tuple[int, int]) -> Iterator[Indices]:
    """The frames, always the same array: `values` has one row for each moment and one column for each named parameter."""
    return matrix_frames(matrices(names), values, chosen, size)


def matrix_frames(shown: list[Matrix], values: Numbers, chosen: Sequence[Moment], size: tuple[int, int]) -> Iterator[Indices]:
    """The same for matrices whose cells are columns of `values`."""
    finite = np.abs(values[np.isfinite(values)])
    limit = rounded_up(float(finite.max())) if finite.size else 1.0
    canvas = Canvas(size)
    panels = laid_out(shown, (4, 30, size[0] - 84, size[1] - 4))
    colour_bar(canvas, (size[0] - 66, 62, size[0] - 52, size[1] - 44), DIVERGING_RAMP, Axis(-limit, limit), "weight")
    for panel in panels:
        _write_around(canvas, panel)
    colours = np.concatenate([diverging(values, limit), np.full((len(values), 1), PALE, np.uint8)], axis=1)
    decimals = [(panel, _decimals(limit, panel.room)) for panel in panels]
    written = [(*cell, f".{digits}f", digits) for panel, digits in decimals if digits is not None for cell in panel.cells()]
    for moment, row, colour in zip(chosen, values, colours):
        canvas.box(0, 4, size[0], 24, WHITE)
        canvas.text(10, 6, caption(moment, chosen[-1].step), BLACK, TEXT + 1)
        for panel in panels:
            panel.paint(canvas, colour)
        for index, x, y, form, digits in written:
            number = row[index]
            ink = WHITE if abs(number) > 0.6 * limit else BLACK
            canvas.text(x, y, format(round(number, digits) + 0.0, form), ink, at="middle centre")  # + 0.0: no minus zero
        yield canvas.pixels


def _decimals(limit: float, room: tuple[int, int]) -> int | None:
    """How many decimals fit into a cell of that width and height, up to five digits; None when no number fits."""
    most = max(0, 4 - math.floor(math.log10(limit)))
    for digits in range(most, max(most - 3, -1), -1):
        width = letters(f"{-limit:.{digits}f}").shape[1]
        if width + 4 <= room[0] and room[1] >= 16 and digits <= 9:
            return digits
    return None


def _write_around(canvas: Canvas, panel: Panel) -> None:
    """Title, row and column labels, and what rows and columns are."""
    matrix, (left, top, right, bottom) = panel.matrix, panel.box
    canvas.text(panel.outer[0] + 18, panel.outer[1], fitted(matrix.title, panel.outer[2] - panel.outer[0] - 20), BLACK)
    canvas.frame(left, top, right, bottom, FAINT)
    for text, (start, stop) in _thinned(matrix.rows, panel.rows, 14):
        canvas.text(left - 5, top + (start + stop) / 2, fitted(text, left - panel.outer[0] - 20), DARK, at="right centre")
    widest = max(letters(text).shape[1] for text in matrix.columns)
    for text, (start, stop) in _thinned(matrix.columns, panel.columns, widest + 4):
        canvas.text(left + (start + stop) / 2, bottom + 3, text, DARK, at="middle top")
    canvas.text((left + right) / 2, bottom + 19, matrix.across, DARK, at="middle top")
    canvas.text_up(panel.outer[0] + 9, (top + bottom) / 2, matrix.down, DARK)


def _thinned(labels: Sequence[str], places: Sequence[tuple[int, int]], room: int) -> list[tuple[str, tuple[int, int]]]:
    """Every label, or every 2nd, 5th, 10th ... so that each has room; a last one that is a word stays."""
    each = max(places[-1][1] / len(places), 0.01)
    every = next(step for power in range(9) for step in (10**power, 2 * 10**power, 5 * 10**power) if step * each >= room)
    last = len(labels) - 1
    word = not labels[last].isdigit()
    kept = [index for index in range(0, len(labels), every) if not word or index == last or (last - index) * each >= room]
    return [(labels[index], places[index]) for index in ([*kept, last] if word and last not in kept else kept)]
