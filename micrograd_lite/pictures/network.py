"""network.gif: the network itself: a node for each input and neuron, a line for each weight, both as they change.

A line is as wide as its weight is large and red where it is positive, blue where it is negative; a ring around a neuron is
its bias in the same way; a node is filled by its mean answer over the data. All on one scale from first to last.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd_lite.pictures.axes import rounded_up
from micrograd_lite.pictures.canvas import Canvas
from micrograd_lite.pictures.fields import ACTIVATE
from micrograd_lite.pictures.film import Box, Film, animate
from micrograd_lite.pictures.heatmap import limit_of
from micrograd_lite.pictures.palette import DIM, DIVERGING_RAMP, MISSING, PAPER, PEN, Numbers, diverging
from micrograd_lite.pictures.points import Points, feature_names, output_names
from micrograd_lite.trace import Trace

MOST = 400
"""Edges drawn at most: of more, the strongest of each moment."""
WIDEST, THINNEST = 8.0, 0.7  # of a line, in units
WORK = 20_000_000
"""Samples times weights times moments up to which nodes are filled by what they answer."""
BLUE, RED = int(DIVERGING_RAMP[22]), int(DIVERGING_RAMP[-23])


def applies(trace: Trace) -> bool:
    """Has the trace what this picture needs: a network whose single weights are recorded?"""
    return "outputs_per_layer" in (trace.run.get("model") or {}) and bool(trace.steps())


def network(path: str | os.PathLike[str], film: Film) -> None:
    """Write the animation. ValueError when there is no network of recorded weights; OSError names the path."""
    if not applies(film.trace):
        raise ValueError(f"{film.trace.folder}: a drawing of the network needs an MLP and its weights in gradients.csv")
    animate(path, film, (720, 460), lambda canvas, box: [NetworkPanel(canvas, box, film)])


class NetworkPanel:
    """The drawn network. ValueError when a weight that its sizes promise is not recorded."""

    def __init__(self, canvas: Canvas, box: Box, film: Film) -> None:
        self.canvas, self.film, self.box = canvas, film, box
        model = film.trace.run["model"]
        self.widths: list[int] = [model["inputs"], *model["outputs_per_layer"]]
        self.weights, self.biases = _arrays(film, self.widths)
        flat = [np.concatenate([one.reshape(len(one), -1) for one in group], axis=1) for group in (self.weights, self.biases)]
        self.limits = [limit_of(values) for values in flat]
        self.means = means(film, self.widths, self.weights, self.biases)
        lines = self._explained()
        self.places, self.radius = self._placed(17 * len(lines))
        for row, text in enumerate(reversed(lines)):
            canvas.text(box[0] + 6, box[3] - 2 - 17 * row, canvas.fitted(text, box[2] - box[0] - 12), DIM, at="left bottom")
        self.empty = canvas.view(box).copy()

    def paint(self, number: int) -> None:
        """The network with the weights of one moment."""
        self.canvas.view(self.box)[...] = self.empty
        self._edges(number)
        for layer, column in enumerate(self.places):
            for node, (x, y) in enumerate(column):
                self._node(number, layer, node, x, y)

    def _edges(self, number: int) -> None:
        """Negative ones first, then positive ones; in one sheet each."""
        kept: list[tuple[float, int, int, int]] = []
        for layer, weights in enumerate(self.weights):
            kept += [(float(value), layer, *place) for place, value in np.ndenumerate(weights[number]) if value]
        kept = sorted(kept, key=lambda edge: -abs(edge[0]))[:MOST]
        for sign, colour in ((-1.0, BLUE), (1.0, RED)):
            lines = []
            for value, layer, source, target in kept:
                if value * sign > 0:
                    width = min(abs(value) / self.limits[0], 1.0) * WIDEST
                    lines.append((self.places[layer][source], self.places[layer + 1][target], max(width, THINNEST)))
            self.canvas.lines(self.box, lines, colour)

    def _node(self, number: int, layer: int, node: int, x: float, y: float) -> None:
        radius = self.radius
        bias = float(self.biases[layer - 1][number, node]) if layer and self.biases[layer - 1].size else 0.0
        if bias:
            ring = max(min(abs(bias) / self.limits[1], 1.0) * min(WIDEST, radius), 1.0)
            self.canvas.disc(x, y, radius + 1.5 + ring, RED if bias > 0 else BLUE)
        self.canvas.disc(x, y, radius + 1.5, PAPER)
        self.canvas.disc(x, y, radius, DIM)
        self.canvas.disc(x, y, max(radius - 1.3, 1.0), self._fill(number, layer, node))

    def _fill(self, number: int, layer: int, node: int) -> int:
        if self.means is None:
            return PAPER
        value = float(self.means[0][layer][number, node])
        return int(diverging(value, self.means[1][layer], 4)) if math.isfinite(value) else MISSING

    def _placed(self, below: int) -> tuple[list[list[tuple[float, float]]], float]:
        """The middle of each node by layer, and the radius that lets them stand apart."""
        left, top, right, bottom = self.box
        run, canvas = self.film.trace.run, self.canvas
        features = feature_names(run) or [f"input {index}" for index in range(self.widths[0])]
        names = [features, output_names(run)]
        most = (right - left) // 4
        low, high = top + 26, bottom - below - 6
        gap = (high - low) / max(self.widths)
        radius = min(max(gap * 0.28, 1.6), 22.0)
        rooms = [max(canvas.width(canvas.fitted(name, most)) for name in some) + radius + 20 for some in names]
        start, end = left + rooms[0], right - rooms[1]
        columns = []
        for layer, count in enumerate(self.widths):
            x = start + (end - start) * layer / (len(self.widths) - 1)
            apart = min((high - low) / count, 170.0)
            columns.append([(x, (low + high) / 2 + (node - (count - 1) / 2) * apart) for node in range(count)])
        if gap >= 13 * 0.9 or max(self.widths[0], self.widths[-1]) * 13 <= high - low:
            for some, column, side, at in ((names[0], columns[0], -1, "right centre"), (names[1], columns[-1], 1, "left centre")):
                for name, (x, y) in zip(some, column):
                    canvas.text(x + side * (radius + 13), y, canvas.fitted(name, most), PEN, at=at)
        for layer, column in enumerate(columns[1:]):
            activation = [*run["model"].get("activation", []), run["model"].get("output", "")][layer]
            canvas.text(column[0][0], top + 2, canvas.fitted(activation, 90), DIM, at="middle top")
        return columns, radius

    def _explained(self) -> list[str]:
        """What lines, rings and fills mean, and what the widest stand for."""
        left, _, right, _ = self.box
        edges = int(np.sum([one[0].size for one in self.weights]))
        said = [f"The strongest {MOST} of {edges:,} weights."] if edges > MOST else []
        said += [f"Line: weight, widest {self.limits[0]:g}.", "Red: positive.", "Blue: negative."]
        if any(one.size for one in self.biases):
            said.append(f"Ring: bias, widest {self.limits[1]:g}.")
        if self.means is not None:
            said.append("Fill: mean answer over the data.")
        lines, line = [], ""
        for sentence in said:
            joined = f"{line} {sentence}".strip()
            if line and self.canvas.width(joined) > right - left - 16:
                lines.append(line)
                joined = sentence
            line = joined
        return [*lines, line]


def _arrays(film: Film, widths: Sequence[int]) -> tuple[list[Numbers], list[Numbers]]:
    """For each layer the weights (moments, inputs, neurons) and the biases (moments, neurons); no biases are an empty array."""
    weights, biases = [], []
    has_bias = bool(film.trace.run["model"].get("bias", True))
    try:
        for layer, (count, neurons) in enumerate(pairwise(widths)):
            names = [[f"layer{layer}.neuron{neuron}.w{index}" for neuron in range(neurons)] for index in range(count)]
            weights.append(np.array([[[state[name] for name in row] for row in names] for state in film.weights]))
            inner = [f"layer{layer}.neuron{neuron}.b" for neuron in range(neurons)] if has_bias else []
            biases.append(np.array([[state[name] for name in inner] for state in film.weights]))
    except KeyError as error:
        raise ValueError(f"{film.trace.folder}: run.json describes a network with {error}, which is not recorded") from error
    return weights, biases


def _limit(values: Numbers) -> float:
    """A round number that no finite value exceeds."""
    finite = np.abs(values[np.isfinite(values)])
    return rounded_up(float(finite.max())) if finite.size else 1.0


def means(
    film: Film, widths: Sequence[int], weights: Sequence[Numbers], biases: Sequence[Numbers]
) -> tuple[list[Numbers], list[float]] | None:
    """For each layer the mean answer of each node over the data, (moments, nodes), and the end of its scale.

    None when the data are not in the trace, or too many, or a slope is learned.
    """
    run: Mapping[str, Any] = film.trace.run
    try:
        inputs = Points(run).inputs
    except (KeyError, TypeError, ValueError):
        return None
    activations = [*run["model"]["activation"], run["model"]["output"]]
    size = inputs.shape[0] * len(film.moments) * int(np.sum([one[0].size for one in weights]))
    if size > WORK or "prelu" in activations or inputs.shape[1] != widths[0]:
        return None
    values: Numbers = np.broadcast_to(inputs, (len(film.moments), *inputs.shape))
    found = [values.mean(axis=1)]
    with np.errstate(all="ignore"):
        for activation, weight, bias in zip(activations, weights, biases):
            values = values @ weight + (bias[:, None, :] if bias.size else 0.0)
            values = values if activation == "linear" else ACTIVATE[activation](values)[0]
            found.append(values.mean(axis=1))
    ends = [1.0 if activation in ("sigmoid", "tanh") else _limit(one) for activation, one in zip(activations, found[1:])]
    return found, [_limit(inputs), *ends]
