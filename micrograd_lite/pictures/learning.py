"""learning.gif: the network, what it answers, and its loss side by side: the moment of learning in one picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from micrograd_lite.pictures import boundary, fit, network
from micrograd_lite.pictures.canvas import Canvas
from micrograd_lite.pictures.curves import accuracies, accuracy_panel, loss_panel
from micrograd_lite.pictures.film import Box, Film, Panel, animate
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
    if not accuracies(film):
        return [*made, loss_panel(canvas, (middle, below, right, bottom), film)]
    across, half = (middle + right) // 2, (below + bottom) // 2
    losses = (middle, below, across, bottom) if answer else (middle, below, right, half)
    shares = (across, below, right, bottom) if answer else (middle, half, right, bottom)
    return [*made, loss_panel(canvas, losses, film), accuracy_panel(canvas, shares, film)]
