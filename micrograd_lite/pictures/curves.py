"""training_loss.gif and curves.png: the loss falling (or not), and how often the network is right."""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from micrograd_lite.pictures.axes import Axis, Plot, around, legend
from micrograd_lite.pictures.canvas import Canvas
from micrograd_lite.pictures.film import HEAD, Box, Film, Look, animate, write_title
from micrograd_lite.pictures.gif import write_png
from micrograd_lite.pictures.palette import DIM, PAPER, ink

STEPS, ACCURACY = "updates made", "accuracy"
COLOURS = {"train": ink(0), "test": ink(1)}
NOISE = 1e-16
"""A loss below this is what rounding has left of 0: it stands at the bottom."""


class Series(NamedTuple):
    """One line of a plot: what was measured after so many updates. A number that is not finite is a gap."""

    label: str
    steps: list[int]
    values: list[float]


class CurvePanel:
    """What was measured up to each moment; axes alone know the whole run."""

    def __init__(self, canvas: Canvas, box: Box, film: Film, series: Sequence[Series], title: str) -> None:
        self.canvas, self.film, self.series, self.box = canvas, film, series, box
        self.plot = _plot(canvas, box, series, film.moments[0].step, film.last, title)
        _named(canvas, self.plot, series, title)
        self.drawn = canvas.view(box).copy()
        self.known = [0 for _ in series]  # so many points of each are there by now

    def paint(self, number: int) -> None:
        """The curves as far as they have come, and a dot where each ends."""
        shown, step = self.canvas.view(self.box), self.film.moments[number].step
        shown[...] = self.drawn
        for place, one in enumerate(self.series):
            before, known = self.known[place], bisect_right(one.steps, step)
            if known > before:
                piece = slice(max(0, before - 1), known)
                self.plot.curve(*_thinned(self.plot, Series("", one.steps[piece], one.values[piece])), COLOURS[one.label])
            self.known[place] = known
        self.drawn = shown.copy()
        for known, one in zip(self.known, self.series):
            if known and math.isfinite(one.values[known - 1]):
                x, y = self.plot.place(one.steps[known - 1], one.values[known - 1])
                self.canvas.disc(x, y, 5.5, PAPER)
                self.canvas.disc(x, y, 4.5, ink(1) if len(self.series) == 1 else COLOURS[one.label])


def loss_panel(canvas: Canvas, box: Box, film: Film) -> CurvePanel:
    """The loss up to each moment."""
    return CurvePanel(canvas, box, film, [_losses(film)], f"loss ({film.trace.run.get('loss', 'value')})")


def accuracy_panel(canvas: Canvas, box: Box, film: Film) -> CurvePanel:
    """How often the network was right, up to each moment."""
    return CurvePanel(canvas, box, film, accuracies(film), ACCURACY)


def training_loss(path: str | os.PathLike[str], film: Film) -> None:
    """Write the animation of the loss. OSError names the path."""
    animate(path, film, (640, 420), lambda canvas, box: [loss_panel(canvas, box, film)])


def _thinned(plot: Plot, series: Series) -> tuple[list[float], list[float]]:
    """Of the points in one column of pixels the first, the lowest, the highest and the last: the eye sees no others."""
    columns: dict[int, list[int]] = {}
    for index, step in enumerate(series.steps):
        columns.setdefault(plot.canvas.px(plot.place(step, plot.y.high)[0]), []).append(index)
    kept: list[int] = []
    for indices in columns.values():
        by_value = sorted(indices, key=lambda index: series.values[index])
        gaps = [index for index in indices if not math.isfinite(series.values[index])]
        kept += sorted({indices[0], by_value[0], by_value[-1], indices[-1], *gaps})
    return [float(series.steps[index]) for index in kept], [series.values[index] for index in kept]


def curves(path: str | os.PathLike[str], film: Film) -> None:
    """Write one picture of loss and, where it was measured, accuracy: on training and on test data. OSError names the path."""
    write_png(path, drawn_curves(film))


def drawn_curves(film: Film) -> Canvas:
    """That picture."""
    trace, last = film.trace, film.last
    loss = [_losses(film), *_measured(film, "test_loss", "test")]
    right = accuracies(film)
    canvas = film.canvas((640, 630) if right else (640, 420))
    width, height = canvas.size
    made = f"{last:,} updates" if film.moments[0].step == 0 else f"updates {film.moments[0].step:,} to {last:,}"
    canvas.text(10, 27, canvas.fitted(f"{made}, status: {trace.run.get('status', 'unknown')}", width - 16), DIM)
    middle = (HEAD + height) // 2 if right else height
    _drawn(canvas, (4, HEAD, width - 4, middle), loss, film, f"loss ({trace.run.get('loss', 'value')})")
    if right:
        _drawn(canvas, (4, middle, width - 4, height), right, film, ACCURACY)
    return canvas


def compared(
    path: str | os.PathLike[str], runs: Mapping[str, Sequence[float]], title: str, measure: str, look: Look | None = None
) -> None:
    """Write one picture of several runs' losses, one number for each step. OSError names the path."""
    canvas, colours = (look or Look()).canvas((640, 420)), [ink(place) for place in range(len(runs))]
    width, height = canvas.size
    series = [Series(label, list(range(len(losses))), list(losses)) for label, losses in runs.items()]
    plot = _plot(canvas, (4, 24, width - 4, height), series, 0, max(len(one.steps) - 1 for one in series), measure)
    for one, colour in zip(series, colours):
        plot.curve(*_thinned(plot, one), colour)
    left, _, right, bottom = plot.box
    legend(canvas, left + 14, bottom - 12 - 18 * len(runs), list(zip(runs, colours)), room=right - left - 28)
    write_title(canvas, title)
    write_png(path, canvas)


def _losses(film: Film) -> Series:
    return Series("train", list(film.losses), list(film.losses.values()))


def accuracies(film: Film) -> list[Series]:
    """How often the network was right, where that was measured."""
    return [*_measured(film, "train_accuracy", "train"), *_measured(film, "test_accuracy", "test")]


def _measured(film: Film, column: str, label: str) -> list[Series]:
    """The evaluations that were made, which are of the weights after each step's update."""
    first, rows = film.moments[0].step, film.trace.metrics()
    rows = [row for row in rows if row.get(column) is not None and first <= row["step"] <= film.last]
    return [Series(label, [row["step"] for row in rows], [float(row[column]) for row in rows])] if rows else []


def _plot(canvas: Canvas, box: Box, series: Sequence[Series], first: int, last: int, title: str) -> Plot:
    """An empty plot for these series, which leaves room for its labels inside `box`."""
    values = [value for one in series for value in one.values]
    left, top, right, bottom = box
    inner = (left + 78, top + 8, right - 26, bottom - 42)
    y = _y_axis(values, title == ACCURACY)
    plot = Plot(canvas, inner, Axis(float(first), max(float(last), first + 1.0), whole=True), y)
    low = any(value < y.low for value in values)
    titles = [f"{title}, log scale, below {y.low:.0e} at the bottom"] if y.logarithmic and low else []
    short = title.partition(" (")[0]
    titles += [f"{title}, log scale", f"{title}, log", f"{short}, log scale", f"log {short}"] if y.logarithmic else [title, short]
    room = inner[3] - inner[1]
    below = STEPS if canvas.width(STEPS) <= inner[2] - inner[0] else "updates"
    plot.axes(below, next((one for one in titles if canvas.width(one) <= room), titles[-1]))
    return plot


def _y_axis(values: Sequence[float], is_share: bool) -> Axis:
    """Around the values; shares stay within 0 to 1; a scale of powers ends where rounding begins."""
    if is_share:
        axis = around(values, 0.1)
        return Axis(max(axis.low, -0.03), min(axis.high, 1.03))
    axis = around(values, logarithmic=_spans_decades(values))
    return axis._replace(low=NOISE) if axis.logarithmic and axis.low < NOISE < axis.high / 30 else axis


def _drawn(canvas: Canvas, box: Box, series: Sequence[Series], film: Film, title: str) -> None:
    plot = _plot(canvas, box, series, film.moments[0].step, film.last, title)
    for one in series:
        plot.curve(*_thinned(plot, one), COLOURS[one.label])
    _named(canvas, plot, series, title)


def _named(canvas: Canvas, plot: Plot, series: Sequence[Series], title: str) -> None:
    """A legend for several lines, where those of a good run are not; one line needs none."""
    entries = [(one.label, COLOURS[one.label]) for one in series]
    if len(entries) > 1:
        below = plot.box[3] - 12 - 18 * len(entries)
        legend(canvas, plot.box[2] - 90, below if title == ACCURACY else plot.box[1] + 6, entries)


def _spans_decades(values: Sequence[float]) -> bool:
    """Is the largest finite number 30 times the smallest, all above zero (exact zeros aside)?"""
    finite = [value for value in values if math.isfinite(value) and value != 0]
    return bool(finite) and min(finite) > 0 and max(finite) > 30 * min(finite)
