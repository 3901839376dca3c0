"""decision_boundary.gif: what a network with two inputs answers everywhere, and the line where it changes its mind.

One output: blue below the threshold, red above it, white at it. Several outputs: each place has the colour of the highest
one. The training data are drawn as discs in the colour of their class.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from micrograd_lite.losses import LOSSES
from micrograd_lite.pictures.axes import Axis, Plot, around, colour_bar, legend, rounded_up
from micrograd_lite.pictures.canvas import TEXT, Canvas
from micrograd_lite.pictures.fields import outputs
from micrograd_lite.pictures.gif import write_gif
from micrograd_lite.pictures.moments import Moment, caption, moments
from micrograd_lite.pictures.palette import BLACK, DIVERGING_RAMP, WHITE, Indices, Numbers, diverging, ink
from micrograd_lite.trace import Trace

COARSE = 5  # the network answers at every fifth pixel; between them the field is interpolated


class Question(NamedTuple):
    """How the outputs of a network are to be read: as one number around a threshold, or by the highest."""

    title: str
    threshold: float
    low: float
    high: float  # the ends of the colour scale; equal where they are to be found from the answers
    is_logit: bool


def applies(trace: Trace) -> bool:
    """Has the trace what this picture needs: two inputs, classes, and the data?"""
    run = trace.run
    data, model = run.get("data") or {}, run.get("model", {})
    has_data = {"inputs", "targets"} <= data.keys() and bool(data.get("classes"))
    return has_data and model.get("inputs") == 2 and "outputs_per_layer" in model and bool(trace.steps())


def decision_boundary(
    path: str | os.PathLike[str], trace: Trace, frames: int = 100, size: tuple[int, int] = (640, 460), milliseconds: int = 80
) -> None:
    """Write the animation. ValueError when the trace is empty or is no classifier of two inputs; OSError names the path."""
    if not applies(trace):
        raise ValueError(f"{trace.folder}: a decision boundary needs a model with two inputs, classes, and the data in run.json")
    chosen = moments(trace, frames)
    write_gif(path, _frames(trace, chosen, size), milliseconds)


def _frames(trace: Trace, chosen: Sequence[Moment], size: tuple[int, int]) -> Iterator[Indices]:
    data, model = trace.run["data"], trace.run["model"]
    points, classes = np.array(data["inputs"]), _classes(data["targets"])
    canvas = Canvas(size)
    labels = sorted(set(classes.tolist()))
    plot = Plot(canvas, (70, 34, size[0] - 122, size[1] - 46), around(points[:, 0], 0.12), around(points[:, 1], 0.12))
    across, up = data.get("feature_names") or ("input 0", "input 1")
    plot.axes(across, up, grid=False)
    left, top, right, bottom = plot.box
    names = data.get("class_names") or [_class_name(data["targets"], classes, one) for one in labels]
    legend(canvas, right + 10, top, [(name, ink(one)) for name, one in zip(names, labels)], room=size[0] - right - 14)
    grid, shape = _grid(plot)
    answers = [outputs(model, trace.weights(moment.step), grid).reshape(*shape, -1) for moment in chosen]
    if answers[0].shape[-1] == 1:
        at_data = [outputs(model, trace.weights(moment.step), points) for moment in chosen]
        question = _question(trace, at_data)
        bar = (right + 14, top + 18 * len(labels) + 50, right + 28, bottom)
        colour_bar(canvas, bar, DIVERGING_RAMP, Axis(question.low, question.high), question.title)
    on_disc, discs = _discs(plot, points, classes)
    for moment, answer in zip(chosen, answers):
        canvas.box(0, 4, size[0], 24, WHITE)
        canvas.text(10, 6, caption(moment, chosen[-1].step), BLACK, TEXT + 1)
        fine = [_enlarged(channel, (right - left, bottom - top)) for channel in np.moveaxis(answer, -1, 0)]
        field = _one_output(fine[0], question) if len(fine) == 1 else _several_outputs(np.array(fine))
        field[on_disc] = discs[on_disc]
        canvas.pixels[top:bottom, left:right] = field
        yield canvas.pixels


def _question(trace: Trace, at_data: Sequence[Numbers]) -> Question:
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
    return Question("output", threshold, threshold - reach, threshold + reach, False)


def _classes(targets: Sequence[Any]) -> Numbers:
    """The class of each sample as a number from 0: the label, the highest of several targets, or above the middle."""
    values = np.asarray(targets, dtype=float)
    if values.ndim == 2 and values.shape[1] > 1:
        return np.asarray(values.argmax(axis=1))
    values = values.reshape(-1)
    if all(isinstance(target, int) for target in targets):
        return np.asarray(values, dtype=int)
    return np.asarray(values > (values.min() + values.max()) / 2, dtype=int)


def _class_name(targets: Sequence[Any], classes: Numbers, one: int) -> str:
    first = targets[int(np.flatnonzero(classes == one)[0])]
    return f"class {one}" if isinstance(first, (int, list)) else f"target {first:g}"


def _grid(plot: Plot) -> tuple[Numbers, tuple[int, int]]:
    """Every fifth pixel of the plot as a point of the inputs."""
    left, top, right, bottom = plot.box
    xs = np.linspace(plot.x.low, plot.x.high, max((right - left) // COARSE, 2))
    ys = np.linspace(plot.y.high, plot.y.low, max((bottom - top) // COARSE, 2))
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2), (len(ys), len(xs))


def _enlarged(values: Numbers, size: tuple[int, int]) -> Numbers:
    small = Image.fromarray(np.clip(values, -1e30, 1e30).astype(np.float32))
    return np.asarray(small.resize(size, Image.Resampling.BILINEAR))


def _one_output(answer: Numbers, question: Question) -> Indices:
    with np.errstate(over="ignore"):
        value = 1.0 / (1.0 + np.exp(-answer)) if question.is_logit else answer
    field = diverging(value - question.threshold, question.high - question.threshold)
    return _with_lines(field, value > question.threshold)


def _several_outputs(answers: Numbers) -> Indices:
    highest = answers.argmax(axis=0)
    tints = np.array([ink(one, 2) for one in range(len(answers))], dtype=np.uint8)
    return _with_lines(tints[highest], highest)


def _with_lines(field: Indices, decision: Numbers) -> Indices:
    """Black where a pixel's decision differs from that of the next one to the right or below."""
    down, right = decision[1:] != decision[:-1], decision[:, 1:] != decision[:, :-1]
    for part in (field[1:], field[:-1]):
        part[down] = BLACK
    for part in (field[:, 1:], field[:, :-1]):
        part[right] = BLACK
    return field


def _discs(plot: Plot, points: Numbers, classes: Numbers) -> tuple[Numbers, Indices]:
    """Which pixels of the plot the data cover, and the picture of the data: discs with a white rim."""
    shape, picture = Canvas(plot.canvas.size), Canvas(plot.canvas.size)
    for (x, y), one in zip(points, classes.tolist()):
        place = plot.place(float(x), float(y))
        shape.disc(*place, 5.5, BLACK)
        picture.disc(*place, 6.5, WHITE)
        picture.disc(*place, 4.3, ink(one))  # the first two are blue and red, as the ends of the diverging ramp
    left, top, right, bottom = plot.box
    return shape.pixels[top:bottom, left:right] > BLACK // 2, picture.pixels[top:bottom, left:right]
