"""weights_update.gif: one heat map for each layer's weights, on scales that stay from the first frame to the last.

A column is a neuron, a row what it listens to: an input or a neuron of the layer before, then its bias. Blue is negative,
pale zero, red positive. Small matrices have their numbers written in the cells. Gradients and updates are drawn the same way.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np

from micrograd_lite.pictures.axes import Axis, colour_bar, rounded_up
from micrograd_lite.pictures.canvas import TEXT, Canvas
from micrograd_lite.pictures.film import Box, Film, animate
from micrograd_lite.pictures.matrices import Matrix, Panel, laid_out, matrices
from micrograd_lite.pictures.palette import DIM, DIVERGING_RAMP, FAINT, PALE, PAPER, PEN, Indices, Numbers, diverging
from micrograd_lite.pictures.points import feature_names, output_names

KINDS = {"weights": "after", "gradients": "gradient", "updates": "update"}
"""What heat maps show, and its column of gradients.csv."""
APART = 4.0
"""Layers whose ranges differ more than so many times have a scale each."""
REACH, EXPLODED = 20.0, 1e6
"""Where values grow to so many times (the second) those of the first frames, a scale ends at so many times (the first) these."""
LARGE = 1e6  # from here on numbers are written as powers of ten
WORD = 36  # units: a column as wide has its name, cut where it is longer
NATURAL = (720, 460)
SHARED, OWN = 76, 70  # units for the colour bar of all, for that of each


def weights_update(path: str | os.PathLike[str], film: Film, kind: str = "weights") -> None:
    """Write the animation of all weights of a trace, their gradients or their updates.

    ValueError for a trace without parameters and for another kind; OSError names the path.
    """
    trace = film.trace
    if kind not in KINDS:
        raise ValueError(f"heat maps show {', '.join(KINDS)}; got {kind!r}")
    if not trace.steps():
        raise ValueError(f"{trace.folder} has no parameters in gradients.csv: no {kind} to draw; record at least one step")
    names = list(film.weights[0])
    values = np.array([[state[name] for name in names] for state in (film.weights if kind == "weights" else changes(film, kind))])
    shown = matrices(names, feature_names(trace.run), output_names(trace.run))
    animate(path, film, NATURAL, lambda canvas, box: [HeatPanel(canvas, box, shown, values, kind.rstrip("s"))])


def changes(film: Film, kind: str) -> list[dict[str, float]]:
    """For each moment the gradients or updates of the step that led to it, 0 for what is not trained; NaN before any step."""
    found = []
    for moment, state in zip(film.moments, film.weights):
        rows = {row.parameter: getattr(row, KINDS[kind]) for row in film.trace.gradients(moment.step)} if moment.step else {}
        found.append({name: rows.get(name, 0.0 if rows else math.nan) for name in state})
    return found


class HeatPanel:
    """A heat map for each matrix; its cells are columns of `values`, which has a row for each moment."""

    def __init__(self, canvas: Canvas, box: Box, shown: list[Matrix], values: Numbers, unit: str = "weight") -> None:
        self.canvas, self.values = canvas, values
        limits = [limit_of(values[:, matrix.cells[matrix.cells >= 0]]) for matrix in shown]
        self.is_own = max(limits) > APART * min(limits)
        limits = limits if self.is_own else [max(limits)] * len(limits)
        left, top, right, bottom = box
        notes = ["Each layer has its own scale." if self.is_own else "", _beyond(shown, values, limits)]
        if unit != "weight":
            notes.insert(0, f"The {unit} of the step just made; grey before the first.")
        if any(notes):
            canvas.text(left + 6, top - 2, canvas.fitted(" ".join(filter(None, notes)), right - left - 8), DIM)
            top += 18
        area = (left, top, right if self.is_own else right - SHARED, bottom)
        self.panels = laid_out(shown, area, OWN if self.is_own else 0)
        for panel, limit in zip(self.panels, limits):
            _write_around(canvas, panel)
            x, (_, y, _, low) = panel.box[2] + 10 if self.is_own else right - 62, panel.box
            if self.is_own or panel is self.panels[0]:
                low, y = (low, y + 14) if self.is_own else (bottom - 40, top + 32)
                colour_bar(canvas, (x, y, x + 12, max(low, y + 8)), DIVERGING_RAMP, Axis(-limit, limit), unit)
        self._prepare(limits)

    def _prepare(self, limits: Sequence[float]) -> None:
        """The colours of all moments, and where and how numbers are written."""
        scale = np.ones(self.values.shape[1])
        for panel, limit in zip(self.panels, limits):
            scale[panel.matrix.cells[panel.matrix.cells >= 0]] = limit
        colours = diverging(self.values / scale, 1.0)
        self.colours = np.concatenate([colours, np.full((len(colours), 1), PALE, np.uint8)], axis=1)
        self.areas: list[tuple[Indices, Numbers]] = [
            (self.canvas.view(panel.box), panel.owners(self.canvas)) for panel in self.panels
        ]
        self.written = []
        for panel, limit in zip(self.panels, limits):
            form = number_form(self.canvas, limit, panel.room)
            if form:
                self.written += [(*cell, 0.6 * limit, f".{form[0]}f", *form) for cell in panel.cells()]

    def paint(self, number: int) -> None:
        """Colours and numbers of one moment."""
        colours, row, text = self.colours[number], self.values[number], self.canvas.text
        for view, owners in self.areas:
            view[...] = colours[owners]
        for index, x, y, strong, form, digits, size in self.written:
            value = row[index]
            ink = PAPER if abs(value) > strong else PEN
            written = format(round(value, digits) + 0.0, form) if abs(value) < LARGE else f"{value:.1e}"  # + 0.0: no minus zero
            text(x, y, written, ink, size, "middle centre")


def limit_of(values: Numbers) -> float:
    """A round number for the end of a scale: the largest value, unless a run explodes: its start must not turn pale."""
    sizes = np.abs(np.where(np.isfinite(values), values, 0.0)).max(axis=1, initial=0.0)
    largest, grown = float(sizes.max(initial=0.0)), sizes[sizes > 0]
    start = float(grown[: max(len(grown) // 10, 1)].max(initial=0.0))
    return rounded_up(REACH * start if largest > EXPLODED * start else largest)


def _beyond(shown: Sequence[Matrix], values: Numbers, limits: Sequence[float]) -> str:
    sizes = [np.abs(values[:, matrix.cells[matrix.cells >= 0]]) for matrix in shown]
    over = any(bool((size > limit * (1 + 1e-9)).any()) for size, limit in zip(sizes, limits))
    return "The darkest colours stand for all that is beyond the scale, too." if over else ""


def number_form(canvas: Canvas, limit: float, room: tuple[int, int]) -> tuple[int, int] | None:
    """How many decimals fit into a cell of that width and height, and in which size; None when no number fits."""
    most = max(0, 4 - math.floor(math.log10(limit)))
    for digits in range(most, max(most - 3, -1), -1):
        widest = f"{-limit:.{digits}f}"
        if canvas.width(widest) + 4 <= room[0] and room[1] >= 16 and digits <= 9:
            sizes = [size for size in range(TEXT, 30) if canvas.width(widest, size) <= 0.6 * room[0] and size <= room[1] / 3]
            return digits, max(sizes, default=TEXT)
    return None


def _write_around(canvas: Canvas, panel: Panel) -> None:
    """Title, row and column labels, and what rows and columns are."""
    matrix, (left, top, right, bottom) = panel.matrix, panel.box
    canvas.text(panel.outer[0] + 18, panel.outer[1], canvas.fitted(matrix.title, panel.outer[2] - panel.outer[0] - 20), PEN)
    canvas.frame(left, top, right, bottom, FAINT)
    for text, (start, stop) in thinned(matrix.rows, panel.rows, 14):
        canvas.text(left - 5, top + (start + stop) / 2, canvas.fitted(text, left - panel.outer[0] - 20), DIM, at="right centre")
    each = panel.columns[-1][1] / len(panel.columns)
    least = WORD if any(not text.isdigit() for text in matrix.columns) else 60  # a name is rather cut than left out
    names = [canvas.fitted(text, max(each - 4, least)) for text in matrix.columns]
    widest = max(canvas.width(text) for text in names)
    for text, (start, stop) in thinned(names, panel.columns, widest + 4):
        canvas.text(left + (start + stop) / 2, bottom + 3, text, DIM, at="middle top")
    canvas.text((left + right) / 2, bottom + 19, matrix.across, DIM, at="middle top")
    canvas.text_up(panel.outer[0] + 9, (top + bottom) / 2, canvas.fitted(matrix.down, bottom - top + 20), DIM)


def thinned(labels: Sequence[str], places: Sequence[tuple[int, int]], room: int) -> list[tuple[str, tuple[int, int]]]:
    """Every label, or every 2nd, 5th, 10th ... so that each has room; a last one that is a word stays."""
    each = max(places[-1][1] / len(places), 0.01)
    every = next(step for power in range(9) for step in (10**power, 2 * 10**power, 5 * 10**power) if step * each >= room)
    last = len(labels) - 1
    word = not labels[last].isdigit()
    kept = [index for index in range(0, len(labels), every) if not word or index == last or (last - index) * each >= room]
    return [(labels[index], places[index]) for index in ([*kept, last] if word and last not in kept else kept)]
