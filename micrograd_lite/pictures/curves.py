"""training_loss.gif and curves.png: the loss falling (or not), and how often the network is right."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from micrograd_lite.pictures.axes import Axis, Plot, around, legend
from micrograd_lite.pictures.canvas import TEXT, Canvas, fitted
from micrograd_lite.pictures.gif import write_gif, write_png
from micrograd_lite.pictures.moments import Moment, caption, losses, moments
from micrograd_lite.pictures.palette import BLACK, WHITE, Indices, ink
from micrograd_lite.trace import Trace

STEPS = "updates made"


class Series(NamedTuple):
    """One line of a plot: what was measured after so many updates. A number that is not finite is a gap."""

    label: str
    steps: list[int]
    values: list[float]


def training_loss(
    path: str | os.PathLike[str], trace: Trace, frames: int = 100, size: tuple[int, int] = (640, 420), milliseconds: int = 80
) -> None:
    """Write the animation of the loss. ValueError for an empty trace; OSError names the path."""
    chosen = moments(trace, frames)
    write_gif(path, _loss_frames(trace, chosen, size), milliseconds)


def _loss_frames(trace: Trace, chosen: Sequence[Moment], size: tuple[int, int]) -> Iterator[Indices]:
    canvas = Canvas(size)
    known = losses(trace)
    series = Series("loss", list(known), list(known.values()))
    plot = _plot(canvas, (0, 20, *size), [series], chosen[-1].step, f"loss ({trace.run.get('loss', 'value')})")
    whole = Canvas(size)
    whole.pixels[...] = canvas.pixels
    Plot(whole, plot.box, plot.x, plot.y).curve(series.steps, series.values, ink(0))
    empty = canvas.pixels.copy()
    for moment in chosen:
        # a curve over time is uncovered from left to right: nothing needs to be drawn twice
        here = round(plot.place(moment.step, plot.y.low)[0])
        canvas.pixels[...] = empty
        canvas.pixels[:, : here + 1] = whole.pixels[:, : here + 1]
        canvas.text(10, 6, caption(moment, chosen[-1].step), BLACK, TEXT + 1)
        if math.isfinite(moment.loss):
            x, y = plot.place(moment.step, moment.loss)
            canvas.disc(x, y, 5, WHITE)
            canvas.disc(x, y, 4, ink(1))
        yield canvas.pixels


def curves(path: str | os.PathLike[str], trace: Trace, size: tuple[int, int] = (640, 420)) -> None:
    """Write one picture of loss and, where it was measured, accuracy: on training and on test data. Errors as above."""
    write_png(path, drawn_curves(trace, size))


def drawn_curves(trace: Trace, size: tuple[int, int] = (640, 420)) -> Canvas:
    """That picture. ValueError for an empty trace."""
    last = moments(trace)[-1].step
    known = losses(trace)
    loss = [Series("train", list(known), list(known.values())), *_measured(trace, "test_loss", "test")]
    right = [*_measured(trace, "train_accuracy", "train"), *_measured(trace, "test_accuracy", "test")]
    canvas = Canvas((size[0], size[1] * 3 // 2) if right else size)
    width, height = canvas.size
    middle = height // 2 if right else height
    _drawn(canvas, (0, 20, width, middle), loss, last, f"loss ({trace.run.get('loss', 'value')})")
    if right:
        _drawn(canvas, (0, middle + 8, width, height), right, last, "accuracy", Axis(-0.03, 1.03))
    canvas.text(10, 6, fitted(_headline(trace.run, last), width - 20, TEXT + 1), BLACK, TEXT + 1)
    return canvas


def compared(
    path: str | os.PathLike[str], runs: Mapping[str, Sequence[float]], title: str, measure: str,
    size: tuple[int, int] = (640, 420),
) -> None:  # fmt: skip
    """Write one picture of several runs' losses, one number for each step. OSError names the path."""
    canvas, colours = Canvas(size), [ink(place) for place in range(len(runs))]
    series = [Series(label, list(range(len(losses))), list(losses)) for label, losses in runs.items()]
    plot = _plot(canvas, (0, 20, *size), series, max(len(one.steps) - 1 for one in series), measure)
    for one, colour in zip(series, colours):
        plot.curve(one.steps, one.values, colour)
    left, _, right, bottom = plot.box
    legend(canvas, left + 14, bottom - 12 - 18 * len(runs), list(zip(runs, colours)), room=right - left - 28)
    canvas.text(10, 6, fitted(title, size[0] - 20, TEXT + 1), BLACK, TEXT + 1)
    write_png(path, canvas)


def _headline(run: Mapping[str, Any], last: int) -> str:
    """`xor, SGD, 100 updates`: what was learned, by what, for how long; what run.json does not say is left out."""
    known = [str((run.get(part) or {}).get("name", "")) for part in ("data", "optimizer")]
    return ", ".join([*filter(None, known), f"{last:,} updates"])


def _measured(trace: Trace, column: str, label: str) -> list[Series]:
    """The evaluations that were made, which are of the weights after each step's update."""
    rows = [row for row in trace.metrics() if row.get(column) is not None]
    return [Series(label, [row["step"] for row in rows], [float(row[column]) for row in rows])] if rows else []


def _plot(
    canvas: Canvas, box: tuple[int, int, int, int], series: Sequence[Series], last: int, title: str, y: Axis | None = None
) -> Plot:
    """An empty plot for these series, which leaves room for its labels inside `box`."""
    values = [value for one in series for value in one.values]
    left, top, right, bottom = box
    inner = (left + 82, top + 12, right - 34, bottom - 44)
    plot = Plot(canvas, inner, Axis(0.0, max(float(last), 1.0)), y or around(values, logarithmic=_spans_decades(values)))
    plot.axes(STEPS, f"{title}, log scale{', 0 at the bottom' if 0 in values else ''}" if plot.y.logarithmic else title)
    return plot


def _drawn(
    canvas: Canvas, box: tuple[int, int, int, int], series: Sequence[Series], last: int, title: str, y: Axis | None = None
) -> None:
    plot = _plot(canvas, box, series, last, title, y)
    colours = {"train": ink(0), "test": ink(1)}
    for one in series:
        plot.curve(one.steps, one.values, colours[one.label])
    entries = [(one.label, colours[one.label]) for one in series]
    rises = title == "accuracy"  # a legend stands where a good run's lines are not
    legend(canvas, plot.box[2] - 90, plot.box[3] - 12 - 18 * len(entries) if rises else plot.box[1] + 6, entries)


def _spans_decades(values: Sequence[float]) -> bool:
    """Is the largest finite number 30 times the smallest, all above zero (exact zeros aside)?"""
    finite = [value for value in values if math.isfinite(value) and value != 0]
    return bool(finite) and min(finite) > 0 and max(finite) > 30 * min(finite)
