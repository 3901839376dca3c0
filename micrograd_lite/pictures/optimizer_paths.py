"""optimizer_paths.gif: several optimizers walk over one map of the loss, from the same start, step by step.

For models with two trained parameters, because a map has two directions. Colours say how high the loss is; the map is
computed from the model and data in run.json.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd_lite.pictures.axes import Axis, Plot, around, colour_bar, legend
from micrograd_lite.pictures.canvas import TEXT, Canvas, letters
from micrograd_lite.pictures.fields import loss_of
from micrograd_lite.pictures.gif import write_gif
from micrograd_lite.pictures.moments import counted, losses, moments, short
from micrograd_lite.pictures.palette import BLACK, DARK, WHITE, Indices, ink, viridis
from micrograd_lite.trace import Trace

BANDS = 14  # heights of the map


class Walk(NamedTuple):
    """One optimizer's path: every recorded step, where it was after it, and its loss there."""

    label: str
    colour: int
    steps: list[int]
    xs: list[float]
    ys: list[float]
    losses: list[float]

    def at(self, step: int) -> int:
        """Where in the lists that step is; a run that has ended stays at its last one."""
        return int(np.searchsorted(self.steps, step, side="right")) - 1


def optimizer_paths(
    path: str | os.PathLike[str], traces: Mapping[str, Trace], x: str, y: str, frames: int = 100,
    size: tuple[int, int] = (800, 500), milliseconds: int = 80,
) -> None:  # fmt: skip
    """Write the animation of the traces (by label) over the parameters named x and y.

    A run that is shorter than the longest one stays where it ended. ValueError when there is no trace, when one has
    other trained parameters than x and y, or other data than the first; OSError names the path.
    """
    if not traces:
        raise ValueError("optimizer_paths needs at least one trace")
    first = next(iter(traces.values()))
    for trace in traces.values():
        if sorted(trace.names) != sorted((x, y)):
            raise ValueError(f"{trace.folder} trains {', '.join(trace.names)}: a map needs exactly {x!r} and {y!r}")
        for part in ("data", "loss", "fixed", "model"):
            if _comparable(trace.run, part) != _comparable(first.run, part):
                raise ValueError(f"{trace.folder} and {first.folder} differ in {part!r}: they cannot stand on one map")
    longest = max((moments(trace, frames) for trace in traces.values()), key=lambda chosen: chosen[-1].step)
    steps = [moment.step for moment in longest]
    walks = [_walk(label, ink(number), trace, x, y) for number, (label, trace) in enumerate(traces.items())]
    write_gif(path, _frames(first, walks, steps, (x, y), size), milliseconds)


def _comparable(run: Mapping[str, Any], part: str) -> Any:
    """The settings that shape the map; where the weights start does not."""
    if part != "model":
        return run.get(part)
    return {name: setting for name, setting in run["model"].items() if name not in ("init", "seed")}


def _walk(label: str, colour: int, trace: Trace, x: str, y: str) -> Walk:
    """The whole path, from before the first update."""
    steps, known = [0, *trace.steps()], losses(trace)
    xs, ys = ([*trace.series(name, "before")[1][:1], *trace.series(name)[1]] for name in (x, y))
    return Walk(label, colour, steps, xs, ys, [known.get(step, math.nan) for step in steps])


def _frames(
    trace: Trace, walks: Sequence[Walk], steps: Sequence[int], names: tuple[str, str], size: tuple[int, int]
) -> Iterator[Indices]:
    canvas = Canvas(size)
    x, y = (around(_inner([value for walk in walks for value in getattr(walk, side)]), 0.15) for side in ("xs", "ys"))
    plot = Plot(canvas, (82, 34, size[0] - 236, size[1] - 46), x, y)
    plot.axes(*names, grid=False)
    lowest = _map(plot, trace, names)
    _, top, right, _ = plot.box
    _cross(plot, *lowest, "lowest")
    for place in {(walk.xs[0], walk.ys[0]) for walk in walks}:
        _cross(plot, *place, "start")
    rim, trail = (Plot(Canvas(size), plot.box, x, y) for _ in range(2))  # white rims keep lines visible on any ground
    canvas.text(right + 14, top - 6, "loss after this step", DARK, at="left bottom")
    rim.canvas.pixels[...] = canvas.pixels
    for step, before in zip(steps, [0, *steps]):
        for walk in walks:
            start, stop = walk.at(before), walk.at(step)
            if stop > start:
                piece = walk.xs[start : stop + 1], walk.ys[start : stop + 1]
                rim.curve(*piece, WHITE, 5.0)
                trail.curve(*piece, walk.colour, 2.5)
        canvas.pixels[...] = np.where(trail.canvas.pixels != WHITE, trail.canvas.pixels, rim.canvas.pixels)
        canvas.text(10, 6, counted(step, steps[-1]), BLACK, TEXT + 1)
        for walk in walks:
            _disc(plot, walk.xs[walk.at(step)], walk.ys[walk.at(step)], walk.colour)
        entries = [(f"{walk.label}: {short(walk.losses[walk.at(step)])}", walk.colour) for walk in walks]
        legend(canvas, right + 14, top, entries, 214, 214)
        yield canvas.pixels


def _inner(values: Sequence[float]) -> list[float]:
    """The numbers without those of a run that exploded: at most 20 times as far out as the middle half reaches."""
    finite = np.array([value for value in values if math.isfinite(value)])
    if not finite.size:
        return []
    low, high = np.percentile(finite, (25, 75))
    reach = 20 * (high - low) or np.inf
    kept: list[float] = finite[(finite >= low - reach) & (finite <= high + reach)].tolist()
    return kept


def _map(plot: Plot, trace: Trace, names: tuple[str, str]) -> tuple[float, float]:
    """Fill the plot with the loss as bands of colour, add the colour bar, and return where the loss is lowest."""
    left, top, right, bottom = plot.box
    xs = np.linspace(plot.x.low, plot.x.high, right - left)
    ys = np.linspace(plot.y.high, plot.y.low, bottom - top)
    grid = dict(zip(names, np.meshgrid(xs, ys)))
    heights = np.asarray(loss_of(trace.run, {**trace.weights(0), **grid}))
    finite = heights[np.isfinite(heights)]
    if not finite.size:
        raise ValueError(f"{trace.folder}: the loss is not finite anywhere on the map; try smaller learning rates")
    floor = max(float(finite.min()), float(finite.max()) * 1e-5, 1e-300)
    scale = Axis(floor, max(float(finite.max()), floor * 1.01), True)
    shares = (np.log10(np.maximum(heights, floor)) - math.log10(floor)) / math.log10(scale.high / floor)
    bands = np.floor(np.clip(shares, 0.0, 1.0) * BANDS * 0.9999) / (BANDS - 1)
    plot.canvas.pixels[top:bottom, left:right] = viridis(bands)
    colours = viridis(np.repeat(np.arange(BANDS) / (BANDS - 1), 12))
    colour_bar(plot.canvas, (right + 18, top + 150, right + 34, bottom), colours, scale, "loss")
    row, column = np.unravel_index(int(np.nanargmin(np.where(np.isfinite(heights), heights, np.inf))), heights.shape)
    return float(xs[column]), float(ys[row])


def _disc(plot: Plot, x: float, y: float, colour: int) -> None:
    """Where an optimizer is now, unless that is off the map or not finite."""
    if plot.x.low <= x <= plot.x.high and plot.y.low <= y <= plot.y.high:
        place = plot.place(x, y)
        plot.canvas.disc(*place, 6, WHITE)
        plot.canvas.disc(*place, 5, colour)


def _cross(plot: Plot, x: float, y: float, text: str) -> None:
    """A black cross on white, with a word beside it."""
    px, py = plot.place(x, y)
    for colour, width in ((WHITE, 5.0), (BLACK, 2.0)):
        plot.canvas.line([(px - 6, py - 6), (px + 6, py + 6)], colour, width)
        plot.canvas.line([(px - 6, py + 6), (px + 6, py - 6)], colour, width)
    words = letters(text)
    left = px + 12 if px + 16 + words.shape[1] < plot.box[2] else px - 14 - words.shape[1]
    plot.canvas.box(round(left) - 2, round(py) - 9, round(left) + words.shape[1] + 2, round(py) + 9, WHITE)
    plot.canvas.text(left, py, text, BLACK, at="left centre")
