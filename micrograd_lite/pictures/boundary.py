"""decision_boundary.gif: what a network with two inputs answers everywhere, and the line where it changes its mind.

One output: blue below the threshold, red above it, in about twenty bands. Several outputs: each place has the pale colour
of the highest one. The training data are marks in the shape and colour of their class, in the data's own units.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from micrograd_lite.losses import LOSSES, hinge
from micrograd_lite.pictures.axes import Axis, Plot, around, colour_bar, rounded_up
from micrograd_lite.pictures.canvas import Canvas
from micrograd_lite.pictures.fields import outputs
from micrograd_lite.pictures.film import Box, Film, animate
from micrograd_lite.pictures.palette import PEN, Indices, Numbers, diverging, ink
from micrograd_lite.pictures.points import Points, key, mark, outline
from micrograd_lite.trace import Trace

QUIET = 8  # a grey that stands out less than the line of decision
COARSE = 5  # the network answers at every fifth pixel; between them the field is interpolated
NARROW = 280  # units
SURE = 0.9
"""From this share of the softmax on a class is drawn in its full tint."""
LEVELS = 20
"""Colours of a field of one output: bands inform, and they compress."""
FEW = 80
"""Points up to which they are drawn large."""


class Question(NamedTuple):
    """How the outputs of a network are to be read: as one number around a threshold, or by the highest."""

    title: str
    threshold: float
    low: float
    high: float  # the ends of the colour scale; equal where they are to be found from the answers
    is_logit: bool
    margins: bool = False  # lines at -1 and +1 too


def applies(trace: Trace) -> bool:
    """Has the trace what this picture needs: two inputs, classes, and the data?"""
    run = trace.run
    data, model = run.get("data") or {}, run.get("model") or {}
    has_data = {"inputs", "targets"} <= data.keys() and bool(data.get("classes"))
    return has_data and model.get("inputs") == 2 and "outputs_per_layer" in model and bool(trace.steps())


def decision_boundary(path: str | os.PathLike[str], film: Film) -> None:
    """Write the animation. ValueError when the trace is no classifier of two inputs; OSError names the path."""
    if not applies(film.trace):
        raise ValueError(
            f"{film.trace.folder}: a decision boundary needs a model with two inputs, classes, and the data in run.json"
        )
    animate(path, film, (640, 480), lambda canvas, box: [FieldPanel(canvas, box, film)])


class FieldPanel:
    """What the network answers everywhere, its line of decision, and the data."""

    def __init__(self, canvas: Canvas, box: Box, film: Film) -> None:
        self.canvas, self.film, run = canvas, film, film.trace.run
        self.points, self.model = Points(run), run["model"]
        left, top, right, bottom = box
        is_narrow = right - left < NARROW  # then the field needs the room of its key
        aside = 10 if is_narrow else min(max(116, (right - left) // 5), 150)
        shown = self.points.shown
        inner = (left + 64, top + 4, right - aside, bottom - 42)
        self.plot = Plot(canvas, inner, around(shown[:, 0], 0.12), around(shown[:, 1], 0.12))
        self.plot.axes(self.points.features[0], self.points.features[1], grid=False)
        self.grid, self.shape = _grid(self.plot)
        self.question = self._question() if self.model["outputs_per_layer"][-1] == 1 else None
        self.has_shares = run["loss"] == "cross_entropy"
        self.on_data, self.data = self._marks()
        if not is_narrow:
            self._keys(right - aside, top, aside - 14, bottom)

    def _keys(self, left: int, top: int, room: int, bottom: int) -> None:
        """What marks, lines and colours mean, right of the field."""
        canvas = self.canvas
        below = key(canvas, left + 12, top, room, self.points.named_classes())
        if self.question:
            below = self._line_key(left + 12, below, room, self.question)
            bar = (left + 14, below + 24, left + 30, max(bottom - 42, below + 40))
            ramp = _bands(np.linspace(-1.0, 1.0, LEVELS), 1.0)
            colour_bar(canvas, bar, np.repeat(ramp, 16), Axis(self.question.low, self.question.high), self.question.title)
        else:
            _keyed_line(canvas, left + 12, below + 10, room, "a tie of two", 2.0, PEN)
            if self.has_shares:
                canvas.text(left + 14, below + 30, canvas.fitted(f"faint: below {SURE:.0%}", room), PEN, at="left centre")

    def paint(self, number: int) -> None:
        """The field of one moment."""
        field = self.canvas.view(self.plot.box)
        answer = outputs(self.model, self.film.weights[number], self.grid).reshape(*self.shape, -1)
        size = field.shape[1], field.shape[0]
        fine = [_enlarged(channel, size) for channel in np.moveaxis(answer, -1, 0)]
        thick = max(1, round(self.canvas.scale))
        field[...] = _one_output(fine[0], self.question, thick) if self.question else self._several(np.array(fine), thick)
        field[self.on_data] = self.data[self.on_data]

    def _several(self, answers: Numbers, thick: int) -> Indices:
        """The class that is highest, fainter where its share of the softmax says that the network is not sure."""
        highest, unsure = answers.argmax(axis=0), np.full(answers.shape[1:], not self.has_shares)
        if self.has_shares:
            with np.errstate(over="ignore", invalid="ignore"):
                unsure = ~(np.exp(answers - answers.max(axis=0)).sum(axis=0) <= 1.0 / SURE)
        tints = np.array([[ink(one, tint) for tint in (1, 2)] for one in range(len(answers))], dtype=np.uint8)
        return _with_lines(tints[highest, unsure.astype(int)], highest, thick, PEN)

    def _question(self) -> Question:
        at_data = [outputs(self.model, weights, self.points.inputs) for weights in self.film.weights]
        return question(self.film.trace, at_data)

    def _line_key(self, left: float, top: float, room: float, asked: Question) -> int:
        word = "black" if self.canvas.theme.palette[PEN].mean() < 128 else "white"
        _keyed_line(self.canvas, left, top + 10, room, f"{word} line:", 2.0, PEN)
        text = self.canvas.fitted(f"{asked.title} {asked.threshold:g}", room)
        self.canvas.text(left + 2, top + 26, text, PEN, at="left centre")
        if asked.margins:
            _keyed_line(self.canvas, left, top + 46, room, "grey: -1, +1", 2.0, QUIET)
        return round(top) + (58 if asked.margins else 38)

    def _marks(self) -> tuple[Numbers, Indices]:
        """Which pixels of the plot the data cover, and the picture of the data."""
        height, width = self.canvas.pixels.shape
        picture, covered = (Canvas((width, height), self.canvas.theme, self.canvas.scale) for _ in range(2))
        radius = 5.5 if len(self.points.shown) <= FEW else 3.6
        for (x, y), one in zip(self.points.shown, self.points.classes().tolist()):
            place = self.plot.place(float(x), float(y))
            mark(picture, *place, one, radius)
            outline(covered, *place, one, radius + 2.0, PEN)
        return covered.view(self.plot.box) > PEN // 2, picture.view(self.plot.box)


def _keyed_line(canvas: Canvas, left: float, y: float, room: float, text: str, width: float, colour: int) -> None:
    canvas.line([(left + 2, y), (left + 16, y)], colour, width)
    canvas.text(left + 22, y, canvas.fitted(text, room - 20), PEN, at="left centre")


def question(trace: Trace, at_data: Sequence[Numbers]) -> Question:
    """The threshold lies between the two targets; for a logit it is a probability of one half."""
    loss, output = LOSSES.get(trace.run["loss"]), trace.run["model"]["output"]
    if loss and loss.takes_logits:
        return Question("probability", 0.5, 0.0, 1.0, True)
    targets = np.asarray(trace.run["data"]["targets"], dtype=float)
    known = loss.threshold if loss else None
    threshold = float(targets.min() + targets.max()) / 2 if known is None else known
    if output == "sigmoid" and threshold == 0.5:
        return Question("output", 0.5, 0.0, 1.0, False)
    finite = np.concatenate([answers[np.isfinite(answers)] for answers in at_data])
    reach = rounded_up(float(np.abs(finite - threshold).max())) if finite.size else 1.0
    return Question("score" if loss is hinge else "output", threshold, threshold - reach, threshold + reach, False, loss is hinge)


def _grid(plot: Plot) -> tuple[Numbers, tuple[int, int]]:
    """Every fifth pixel of the plot as a point of the inputs as they are shown."""
    left, top, right, bottom = plot.box
    xs = np.linspace(plot.x.low, plot.x.high, max((right - left) // COARSE, 2))
    ys = np.linspace(plot.y.high, plot.y.low, max((bottom - top) // COARSE, 2))
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2), (len(ys), len(xs))


def _enlarged(values: Numbers, size: tuple[int, int]) -> Numbers:
    small = Image.fromarray(np.clip(values, -1e30, 1e30).astype(np.float32))
    return np.asarray(small.resize(size, Image.Resampling.BILINEAR))


def _bands(values: Numbers, limit: float) -> Indices:
    """Numbers from -limit to limit in twenty colours, ten on each side of zero."""
    with np.errstate(invalid="ignore"):
        band = np.clip(np.floor(values / limit * (LEVELS / 2)), -LEVELS // 2, LEVELS // 2 - 1)
    return diverging((band + 0.5) / (LEVELS / 2), 1.0)


def _one_output(answer: Numbers, asked: Question, thick: int) -> Indices:
    with np.errstate(over="ignore"):  # answers are of 32 bits, thresholds among data of 1e300 are not
        value = 1.0 / (1.0 + np.exp(-answer)) if asked.is_logit else answer
        field, above = _bands(value - asked.threshold, asked.high - asked.threshold), value > asked.threshold
    if asked.margins:
        for margin in (-1.0, 1.0):
            field = _with_lines(field, value > margin, 1, QUIET)
    return _with_lines(field, above, thick, PEN)


def _with_lines(field: Indices, decision: Numbers, thick: int, colour: int) -> Indices:
    """A line where a pixel's decision differs from that of the next one to the right or below."""
    edge = np.zeros(field.shape, dtype=bool)
    down, right = decision[1:] != decision[:-1], decision[:, 1:] != decision[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    for _ in range(math.ceil(thick) - 1):
        edge[1:] |= edge[:-1].copy()
        edge[:, 1:] |= edge[:, :-1].copy()
    field[edge] = colour
    return field
