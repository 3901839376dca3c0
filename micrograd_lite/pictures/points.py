"""The training data of a trace as a picture shows them: in the data's own units, with the data's own names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from micrograd_lite.pictures.canvas import Canvas
from micrograd_lite.pictures.palette import PAPER, PEN, Numbers, ink

SQUARE = ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85))
TRIANGLE = ((0.0, -1.1), (1.05, 0.8), (-1.05, 0.8))
DIAMOND = ((0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0))
CROSS = ((-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4),
         (0.4, 1.1), (-0.4, 1.1), (-0.4, 0.4), (-1.1, 0.4), (-1.1, -0.4), (-0.4, -0.4))  # fmt: skip
SHAPES = ((), SQUARE, TRIANGLE, DIAMOND, CROSS)
"""Of the classes in turn, () for a disc: who cannot tell colours apart tells shapes."""


class Points:
    """The samples of run.json's data. KeyError when they are not there.

    inputs: as the network was trained with, (samples, features); shown: the same in the data's own units.
    """

    def __init__(self, run: Mapping[str, Any]) -> None:
        data = run["data"]
        self.inputs: Numbers = np.asarray(data["inputs"], dtype=float).reshape(len(data["inputs"]), -1)
        self.targets: Sequence[Any] = data["targets"]
        units = data.get("units") or {}
        self._centre, self._scale = np.asarray(units.get("centre", 0.0)), np.asarray(units.get("scale", 1.0))
        self._target_centre, self._target_scale = units.get("target_centre", 0.0), units.get("target_scale", 1.0)
        self.shown = self.inputs * self._scale + self._centre
        width = self.inputs.shape[1]
        names = data.get("feature_names") or [f"input {index}" for index in range(width)]
        self.features = [str(name) for name in names]
        self.target_name = str(data.get("target_name") or "target")
        self.class_names = [str(name) for name in data.get("class_names") or ()]

    def inputs_at(self, shown: Numbers) -> Numbers:
        """What the network is given for points in the data's own units."""
        made: Numbers = (shown - self._centre) / self._scale
        return made

    def answers(self, outputs: Numbers) -> Numbers:
        """A regression's outputs, or targets, in the data's own units."""
        made: Numbers = np.asarray(outputs, dtype=float) * self._target_scale + self._target_centre
        return made

    def classes(self) -> Numbers:
        """The class of each sample from 0: the label, the highest of several targets, or above the middle."""
        values = np.asarray(self.targets, dtype=float)
        if values.ndim == 2 and values.shape[1] > 1:
            return np.asarray(values.argmax(axis=1))
        values = values.reshape(-1)
        if all(isinstance(target, int) for target in self.targets):
            return np.asarray(values, dtype=int)
        return np.asarray(values > (values.min() + values.max()) / 2, dtype=int)

    def named_classes(self) -> list[tuple[int, str]]:
        """Each class that there is, with its name."""
        classes = self.classes()
        labels = sorted(set(classes.tolist()))
        return [(label, self._name(label, classes)) for label in labels]

    def _name(self, label: int, classes: Numbers) -> str:
        if label < len(self.class_names):
            return self.class_names[label]
        first = self.targets[int(np.flatnonzero(classes == label)[0])]
        return f"class {label}" if isinstance(first, (int, list)) else f"target {first:g}"


def output_names(run: Mapping[str, Any]) -> list[str]:
    """What each output of the network stands for, as far as run.json says it; else their numbers."""
    data, model = run.get("data") or {}, run.get("model") or {}
    count = (model.get("outputs_per_layer") or [0])[-1]
    names = [str(name) for name in data.get("class_names") or ()]
    if count == 1:
        return [str(data.get("target_name") or "output")]
    return names if len(names) == count else [str(number) for number in range(count)]


def feature_names(run: Mapping[str, Any]) -> list[str]:
    """What each input stands for; empty when run.json does not say it for each."""
    names = [str(name) for name in (run.get("data") or {}).get("feature_names") or ()]
    return names if len(names) == (run.get("model") or {}).get("inputs") else []


def mark(canvas: Canvas, x: float, y: float, number: int, radius: float = 5.0) -> None:
    """A point of class `number`: its shape and colour, with a light and a dark outline that stand out from any ground."""
    for colour, size in ((PEN, radius + 2.0), (PAPER, radius + 1.0), (ink(number), radius - 0.6)):
        outline(canvas, x, y, number, size, colour)


def outline(canvas: Canvas, x: float, y: float, number: int, size: float, colour: int) -> None:
    """The shape of class `number`, filled."""
    corners = SHAPES[number % len(SHAPES)]
    if corners:
        canvas.shape([(x + size * across, y + size * down) for across, down in corners], colour)
    else:
        canvas.disc(x, y, size, colour)


def key(canvas: Canvas, left: float, top: float, room: float, entries: Sequence[tuple[int, str]]) -> int:
    """A line for each class with its mark and name; where they end."""
    for row, (number, name) in enumerate(entries):
        y = top + 10 + 20 * row
        mark(canvas, left + 9, y, number, 4.5)
        canvas.text(left + 22, y, canvas.fitted(name, room - 24), PEN, at="left centre")
    return round(top) + 20 * len(entries)
