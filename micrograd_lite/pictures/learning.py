"""learning.gif: the network, what it answers, and its loss side by side: the moment of learning in one picture."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence

from micrograd_lite.pictures import boundary, fit, network
from micrograd_lite.pictures.canvas import TEXT, Canvas
from micrograd_lite.pictures.curves import LossPanel, accuracies
from micrograd_lite.pictures.film import Box, Film, Panel, animate
from micrograd_lite.pictures.palette import PAPER, PEN
from micrograd_lite.trace import Trace

NATURAL, SIZE = (960, 540), (1280, 720)  # in units; in pixels, unless somebody asks for another size


def applies(trace: Trace) -> bool:
    """Has the trace what this picture needs: a network whose weights are recorded, two layers or more or a field or fit?"""
    return network.applies(trace)


def learning(path: str | os.PathLike[str], film: Film) -> None:
    """Write the animation. ValueError when there is no network of recorded weights; OSError names the path."""
    if not applies(film.trace):
        raise ValueError(f"{film.trace.folder}: learning.gif needs an MLP and its weights in gradients.csv")
    if film.look.size is None:
        film.look = film.look._replace(size=SIZE)
    animate(path, film, NATURAL, lambda canvas, box: panels(canvas, box, film))


def panels(canvas: Canvas, box: Box, film: Film) -> Sequence[Panel]:
    """The network on the left; on the right field or fit, if there is one, above the loss and the accuracy."""
    left, top, right, bottom = box
    answers: list[Callable[[Canvas, Box, Film], Panel]] = [boundary.FieldPanel] if boundary.applies(film.trace) else []
    answers += [fit.FitPanel] if fit.applies(film.trace) else []
    answer = next(iter(answers), None)
    middle = left + round((right - left) * (0.5 if answer else 0.56))
    made: list[Panel] = [network.NetworkPanel(canvas, (left, top, middle, bottom), film)]
    below = top
    if answer:
        below = top + round((bottom - top) * 0.58)
        made.append(answer(canvas, (middle, top, right, below), film))
        below += 4
    right_now = Accuracy(canvas, (middle + 70, bottom - 20, right, bottom), film)
    made.append(LossPanel(canvas, (middle, below, right, bottom - (20 if right_now.series else 0)), film))
    return [*made, right_now] if right_now.series else made


class Accuracy:
    """How often the network is right, as a line of words."""

    def __init__(self, canvas: Canvas, box: Box, film: Film) -> None:
        self.canvas, self.box, self.film = canvas, box, film
        self.series = accuracies(film)

    def paint(self, number: int) -> None:
        """The last evaluation up to that moment."""
        left, top, right, bottom = self.box
        self.canvas.box(left, top, right, bottom, PAPER)
        said = []
        for one in self.series:
            known = [value for step, value in zip(one.steps, one.values) if step <= self.film.moments[number].step]
            said.append(f"{one.label} {known[-1]:.1%}" if known and math.isfinite(known[-1]) else f"{one.label} not yet measured")
        self.canvas.text(left, top + 2, self.canvas.fitted("accuracy: " + ", ".join(said), right - left), PEN, TEXT)
