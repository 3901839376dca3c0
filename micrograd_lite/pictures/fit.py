"""fit.gif: the curve that a network with one input draws through its data, now and, as faint lines, before."""

from __future__ import annotations

import os

import numpy as np

from micrograd_lite.pictures.axes import Plot, around
from micrograd_lite.pictures.canvas import Canvas
from micrograd_lite.pictures.fields import outputs
from micrograd_lite.pictures.film import Box, Film, animate
from micrograd_lite.pictures.palette import Numbers, ink
from micrograd_lite.pictures.points import Points, mark, output_names
from micrograd_lite.trace import Trace

PLACES = 160
"""Points of a curve."""
PAST = 12
"""Curves of the past at most; more would be a surface."""


def applies(trace: Trace) -> bool:
    """Has the trace what this picture needs: one input, numbers as targets, and the data?"""
    data, model = trace.run.get("data") or {}, trace.run.get("model") or {}
    has_data = {"inputs", "targets"} <= data.keys() and not data.get("classes")
    return has_data and model.get("inputs") == 1 and "outputs_per_layer" in model and bool(trace.steps())


def fit(path: str | os.PathLike[str], film: Film) -> None:
    """Write the animation. ValueError when the trace is no regression of one input; OSError names the path."""
    if not applies(film.trace):
        raise ValueError(f"{film.trace.folder}: a fit needs a model with one input, no classes, and the data in run.json")
    animate(path, film, (640, 440), lambda canvas, box: [FitPanel(canvas, box, film)])


class FitPanel:
    """The data, the curve of one moment, and curves of moments before it."""

    def __init__(self, canvas: Canvas, box: Box, film: Film) -> None:
        self.canvas, self.film, run = canvas, film, film.trace.run
        points, model = Points(run), run["model"]
        targets = points.answers(np.asarray(points.targets)).reshape(len(points.shown), -1)
        left, top, right, bottom = box
        x = around(points.shown[:, 0], 0.1)
        self.xs = np.linspace(x.low, x.high, PLACES)
        inputs = points.inputs_at(self.xs[:, None])
        self.curves = [points.answers(outputs(model, weights, inputs)) for weights in film.weights]
        start = self.curves[0][np.isfinite(self.curves[0])]
        height = np.ptp(targets) or 1.0
        near = start[(start > targets.min() - height) & (start < targets.max() + height)]  # the start in view, if it is near
        y = around([*targets.ravel().tolist(), *near.tolist()], 0.12)
        self.plot = Plot(canvas, (left + 70, top + 6, right - 20, bottom - 42), x, y)
        names = output_names(run)
        self.plot.axes(points.features[0], names[0] if len(names) == 1 else "outputs: " + ", ".join(names))
        self.places = [(self.plot.place(float(one), float(value)), number) for one, row in zip(points.shown[:, 0], targets)
                       for number, value in enumerate(row)]  # fmt: skip
        self.empty = canvas.view(box).copy()
        self.box, self.every = box, max(1, round(len(film.moments) / PAST))

    def paint(self, number: int) -> None:
        """One moment; what was before is pale."""
        shown = self.canvas.view(self.box)
        shown[...] = self.empty
        if number and (number - 1) % self.every == 0:
            self._draw(self.curves[number - 1], 1.2, 2)
            self.empty = shown.copy()
        for (x, y), output in self.places:
            mark(self.canvas, x, y, output + 1, 4.6 if len(self.places) <= PLACES else 2.6)
        self._draw(self.curves[number], 3.0, 0)

    def _draw(self, curve: Numbers, width: float, tint: int) -> None:
        for output, values in enumerate(curve.T):
            self.plot.curve(self.xs.tolist(), values.tolist(), ink(output, tint) if output or tint else ink(0), width)
