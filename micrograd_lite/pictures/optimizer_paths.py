"""optimizer_paths.gif: several optimizers walk over one map of the loss, from the same start, step by step.

For models with two trained parameters, because a map has two directions. Colours say how high the loss is; the map is
computed from the model and data in run.json.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from micrograd_lite.pictures.axes import Axis, Plot, around, colour_bar, legend
from micrograd_lite.pictures.fields import loss_of
from micrograd_lite.pictures.film import FOOT, HEAD, Film, Look, headline, write_title
from micrograd_lite.pictures.moments import Moment, counted, losses, short
from micrograd_lite.pictures.palette import DIM, FAINT, INKS, PAPER, PEN, Indices, ink, viridis
from micrograd_lite.pictures.points import feature_names
from micrograd_lite.trace import Trace

NATURAL = (860, 680)
BANDS = 20  # heights of the map
TAIL = (16, 6)
"""So many frames ago a path turns pale, and so many ago paler than now."""


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
    path: str | os.PathLike[str], traces: Mapping[str, Trace], x: str, y: str, look: Look | None = None
) -> None:
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
    films = [Film(trace, look) for trace in traces.values()]
    longest = max(films, key=lambda film: film.last)
    steps = together([film.moments for film in films if film.last == longest.last])
    walks = [_walk(label, ink(number), trace, x, y) for number, (label, trace) in enumerate(traces.items())]
    longest.write(path, _frames(longest, walks, steps, (x, y)))


def together(runs: Sequence[Sequence[Moment]]) -> list[int]:
    """Steps for all runs of equal length: at each moment the middle one of theirs, each once."""
    count = min(map(len, runs))
    picked = [np.array([moment.step for moment in run])[np.rint(np.linspace(0, len(run) - 1, count)).astype(int)] for run in runs]
    return [int(step) for step in np.unique(np.rint(np.median(np.array(picked), axis=0)))]


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


def _frames(film: Film, walks: Sequence[Walk], steps: Sequence[int], names: tuple[str, str]) -> Iterator[Indices]:
    run = film.trace.run
    canvas = film.look.canvas(NATURAL)
    several = "; ".join(part for part in headline({**run, "optimizer": {}}).split("; ") if part)
    write_title(canvas, film.look.title or f"{several}; {len(walks)} optimizers from one start")
    width, height = canvas.size
    x, y = (around(_inner([value for walk in walks for value in getattr(walk, side)]), 0.15) for side in ("xs", "ys"))
    each = min((width - 20) // max(len(walks), 1), 200)
    small = round(each * 0.62)
    plot = Plot(canvas, (82, HEAD + 16, width - 244, height - FOOT - 72 - small), x, y)
    plot.axes(_named(run, names[0]), _named(run, names[1]), grid=False)
    lowest = _map(plot, film.trace, names)
    _, top, right, _ = plot.box
    canvas.text(right + 14, top - 6, "loss after this step", DIM, at="left bottom")
    minis = []
    for number, walk in enumerate(walks):
        left = round(10 + (number + 0.5) * (width - 20) / len(walks) - each / 2) + 6
        mini = Plot(canvas, (left, height - FOOT - 6 - small, left + each - 12, height - FOOT - 6), x, y)
        _shrunk_map(plot, mini)
        canvas.frame(*mini.box, FAINT)
        canvas.text(left, mini.box[1] - 4, canvas.fitted(walk.label, each - 12), PEN, at="left bottom")
        minis.append(mini)
    _cross(plot, *lowest, "lowest")
    for place in {(walk.xs[0], walk.ys[0]) for walk in walks}:
        _cross(plot, *place, "start")
    empty = canvas.pixels.copy()
    for number, step in enumerate(steps):
        canvas.pixels[...] = empty
        film.note(canvas, Moment(step, math.nan, math.nan), counted(step, steps[-1]))
        for walk, mini in zip(walks, minis):
            _tail(plot, walk, steps[: number + 1], 3.0)
            _path(mini, walk, 0, walk.at(step), walk.colour, 2.0)
        for walk, mini in zip(walks, minis):
            for shown, radius in ((plot, 5.0), (mini, 3.5)):
                _disc(shown, walk.xs[walk.at(step)], walk.ys[walk.at(step)], walk.colour, radius)
        entries = [(f"{walk.label}: {short(walk.losses[walk.at(step)])}", walk.colour) for walk in walks]
        legend(canvas, right + 14, top, entries, 222, 222)
        yield canvas.pixels


def _tail(plot: Plot, walk: Walk, steps: Sequence[int], width: float) -> None:
    """The way so far; what is longer ago is thinner and paler."""
    marks = [0, *(walk.at(steps[max(len(steps) - 1 - back, 0)]) for back in TAIL), walk.at(steps[-1])]
    for (start, stop), tint, part in zip(pairwise(marks), (2, 1, 0), (0.5, 0.7, 1.0)):
        _path(plot, walk, start, stop, walk.colour + tint * INKS, width * part, tint < 2)


def _path(plot: Plot, walk: Walk, start: int, stop: int, colour: int, width: float, rim: bool = True) -> None:
    if stop > start:
        piece = walk.xs[start : stop + 1], walk.ys[start : stop + 1]
        if rim:
            plot.curve(*piece, PAPER, width + 2.0)  # a rim keeps a line visible on any ground
        plot.curve(*piece, colour, width)


def _named(run: Mapping[str, Any], name: str) -> str:
    """A parameter with what it stands for: `layer0.neuron0.w0, the weight of x`."""
    features, last = feature_names(run), name.rpartition(".")[2]
    if last == "b":
        return f"{name}, the bias"
    if name.startswith("layer0.") and last[:1] == "w" and last[1:].isdigit() and int(last[1:]) < len(features):
        return f"{name}, the weight of {features[int(last[1:])]}"
    return name


def _shrunk_map(plot: Plot, mini: Plot) -> None:
    """The same map, small."""
    large, small = plot.canvas.view(plot.box), plot.canvas.view(mini.box)
    rows, columns = (np.arange(few) * many // few for few, many in zip(small.shape, large.shape))
    small[...] = large[rows][:, columns]


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
    view = plot.canvas.view(plot.box)
    rows, columns = (np.arange(few) * many // few for few, many in zip(view.shape, bands.shape))
    view[...] = viridis(bands)[rows][:, columns]
    colours = viridis(np.repeat(np.arange(BANDS) / (BANDS - 1), 12))
    colour_bar(plot.canvas, (right + 18, min(top + 150, bottom - 60), right + 34, bottom), colours, scale, "loss")
    row, column = np.unravel_index(int(np.nanargmin(np.where(np.isfinite(heights), heights, np.inf))), heights.shape)
    return float(xs[column]), float(ys[row])


def _disc(plot: Plot, x: float, y: float, colour: int, radius: float) -> None:
    """Where an optimizer is now, unless that is off the map or not finite."""
    if plot.x.low <= x <= plot.x.high and plot.y.low <= y <= plot.y.high:
        place = plot.place(x, y)
        plot.canvas.disc(*place, radius + 2.0, PEN)
        plot.canvas.disc(*place, radius + 1.0, PAPER)
        plot.canvas.disc(*place, radius, colour)


def _cross(plot: Plot, x: float, y: float, text: str) -> None:
    """A black cross on white, with a word beside it."""
    px, py = plot.place(x, y)
    for colour, width in ((PAPER, 5.0), (PEN, 2.0)):
        plot.canvas.line([(px - 6, py - 6), (px + 6, py + 6)], colour, width)
        plot.canvas.line([(px - 6, py + 6), (px + 6, py - 6)], colour, width)
    width = plot.canvas.width(text)
    left = px + 12 if px + 16 + width < plot.box[2] else px - 14 - width
    plot.canvas.box(round(left) - 2, round(py) - 9, round(left) + width + 2, round(py) + 9, PAPER)
    plot.canvas.text(left, py, text, PEN, at="left centre")
