"""layers.png: how the layers of a big network fare while it learns: do they still react, move, get a signal?

Three plots over the steps, a line for each layer, from layers.csv.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd_lite.pictures.axes import Axis, Plot, around
from micrograd_lite.pictures.canvas import Canvas
from micrograd_lite.pictures.film import Look, headline, write_title
from micrograd_lite.pictures.gif import write_png
from micrograd_lite.pictures.palette import DIM, PEN, ink
from micrograd_lite.trace import Trace

HEALTHY = (3e-4, 3e-3)
"""Update over weights: "should be somewhere around 1e-3" (Karpathy, CS231n: Neural Networks Part 3, Stanford 2015)."""
MOST = 10
"""Layers shown at most: there are ten colours for lines."""
POINTS = 200
"""Points of a line at most: of a longer run, each is the median of several steps, or the lines would hide each other."""


class Question(NamedTuple):
    """One plot: the sentence above it, the column of layers.csv, the words on the axis, and the axis for its values."""

    title: str
    column: str
    unit: str
    axis: Callable[[Sequence[float]], Axis]


QUESTIONS = (
    Question("Which share of a layer's activations is flat (slope below 0.01)? No gradient flows back through those.",
             "activations_flat", "share of activations", lambda _: Axis(-0.03, 1.03)),
    Question("How large is one update beside the weights it changes? Green: around 0.001, as CS231n advises.",
             "update_ratio", "update / weights", lambda values: around(values, logarithmic=True)),
    Question("How strong is the signal that tells each layer what to change?",
             "gradient_norm", "gradient length", lambda values: around(values, logarithmic=True)),
)  # fmt: skip


def applies(trace: Trace) -> bool:
    """Has the trace what this picture needs: weights of layers in layers.csv?"""
    return bool(by_layer(trace.layers()))


def layer_curves(path: str | os.PathLike[str], trace: Trace, look: Look | None = None) -> None:
    """Write the picture. ValueError when the trace has no layers.csv or no step in it; OSError names the path."""
    layers = by_layer(trace.layers())
    if not layers:
        raise ValueError(f"{trace.folder} has no weights of layers in layers.csv: nothing to draw; train and watch a arrays.MLP")
    look = look or Look()
    canvas = look.canvas((820, 800))
    width, height = canvas.size
    last = max(rows[-1]["step"] for rows in layers.values())
    window = math.ceil(max(map(len, layers.values())) / POINTS)
    write_title(canvas, look.title or headline(trace.run))
    middle = f" (each point: the median of {window} recorded steps)" if window > 1 else ""
    canvas.text(12, 27, canvas.fitted(f"How each layer fares, step by step{middle}", width - 24), DIM)
    top = _legend(canvas, [(_named(trace, layer), ink(number)) for number, layer in enumerate(layers)]) + 4
    each = (height - top) // len(QUESTIONS)
    for place, question in enumerate(QUESTIONS):
        here = top + place * each
        canvas.text(12, here + 2, canvas.fitted(question.title, width - 24), PEN)
        series = [medians(rows, question.column, window) for rows in layers.values()]
        axis = question.axis([value for _, values in series for value in values])
        plot = Plot(canvas, (82, here + 24, width - 24, here + each - 46), Axis(0.0, max(float(last), 1.0), whole=True), axis)
        if question.column == "update_ratio":
            _band(plot)
        plot.axes("step", question.unit + (", log scale" if axis.logarithmic else ""))
        for number, (steps, values) in enumerate(series):
            plot.curve(steps, values, ink(number))
    write_png(path, canvas)


def _legend(canvas: Canvas, entries: Sequence[tuple[str, int]]) -> int:
    """One for all plots, in lines below the title; where it ends."""
    x, y, width = 12, 56, canvas.size[0]
    for text, colour in entries:
        shown = canvas.fitted(text, 240)
        if x > 12 and x + 30 + canvas.width(shown) > width - 8:
            x, y = 12, y + 18
        canvas.box(x, y - 2, x + 18, y + 2, colour)
        canvas.text(x + 24, y, shown, PEN, at="left centre")
        x += 44 + canvas.width(shown)
    return y + 14


def _band(plot: Plot) -> None:
    """The healthy update ratios, as far as they are on the axis."""
    low, high = (min(max(plot.y.share(value), 0.0), 1.0) for value in HEALTHY)
    left, top, right, bottom = plot.box
    if low < high:
        plot.canvas.box(left, round(bottom - high * (bottom - top)), right, round(bottom - low * (bottom - top)), ink(2, 2))


def by_layer(rows: Sequence[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    """The rows of each layer's weights in order; of more than ten layers ten, from the first to the last."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        match = re.fullmatch(r"layer(\d{1,6})\.w", row["array"], re.ASCII)
        if match:
            found.setdefault(int(match[1]), []).append(row)
    numbers, count = sorted(found), min(len(found), MOST)
    return {layer: found[layer] for layer in (numbers[round(n * (len(numbers) - 1) / max(count - 1, 1))] for n in range(count))}


def _named(trace: Trace, layer: int) -> str:
    """`layer 0: 784 -> 128, relu`, as far as run.json says it."""
    model = trace.run.get("model", {})
    try:
        widths = [model["inputs"], *model["outputs_per_layer"]]
        return f"layer {layer}: {widths[layer]} -> {widths[layer + 1]}, {[*model['activation'], model['output']][layer]}"
    except (KeyError, IndexError, TypeError):
        return f"layer {layer}"


def medians(rows: Sequence[dict[str, Any]], column: str, window: int) -> tuple[list[float], list[float]]:
    """Steps and values of one column, each the median of so many rows; NaN, a gap, where none of them is finite."""
    steps, values = [], []
    for start in range(0, len(rows), window):
        group = rows[start : start + window]
        finite = [row[column] for row in group if row[column] is not None and math.isfinite(row[column])]
        steps.append(float(np.median([row["step"] for row in group])))
        values.append(float(np.median(finite)) if finite else math.nan)
    return steps, values
