"""A film: what all animations of one trace have in common: the moments that they show, title, time bar, size and colours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from micrograd_lite.pictures.canvas import TEXT, Canvas
from micrograd_lite.pictures.gif import write_gif, write_video
from micrograd_lite.pictures.moments import FRAMES, Moment, caption, losses, moments
from micrograd_lite.pictures.palette import FAINT, LIGHT, PAPER, PEN, Indices, Theme, ink
from micrograd_lite.trace import Trace
from micrograd_lite.trace.kinds import sizes

Box = tuple[int, int, int, int]
HEAD, FOOT = 48, 14  # units: above a picture for title and caption, below it for the time bar
SMALLEST = 0.72  # a small picture has less room, not smaller text: so many pixels for a unit
MILLISECONDS = 80


class Look(NamedTuple):
    """How pictures are drawn: frames of an animation, steps (from, to), pixels (width, height), colours, speed, title.

    video: animations are MP4 files instead of GIFs.
    """

    frames: int = FRAMES
    steps: tuple[int, int | None] = (0, None)
    size: tuple[int, int] | None = None
    theme: Theme = LIGHT
    speed: float = 1.0
    title: str = ""
    video: bool = False

    def canvas(self, natural: tuple[int, int]) -> Canvas:
        """An empty canvas of the size asked for, with text and lines in proportion to the picture's natural size."""
        width, height = self.size or natural
        if not (160 <= width <= 4096 and 120 <= height <= 4096):
            raise ValueError(f"a picture has a size of 160x120 to 4096x4096 pixels, got {width}x{height}")
        scale = max(min(width / natural[0], height / natural[1]), SMALLEST) if self.size else 1.0
        return Canvas((width, height), self.theme, scale)


class Panel(Protocol):
    """A part of a picture that shows one moment after the other."""

    def paint(self, number: int) -> None:
        """Show the film's moment of that number."""


class Film:
    """One trace as it is shown. ValueError when it has no step yet; see `moments` for `states`."""

    def __init__(self, trace: Trace, look: Look | None = None, states: Sequence[int] = ()) -> None:
        look = look or Look()
        if not 0.05 <= look.speed <= 20:
            raise ValueError(f"speed must be from 0.05 to 20 times the usual one, got {look.speed:g}")
        self.trace, self.look = trace, look
        self.moments = moments(trace, look.frames, states, look.steps)
        self.last = self.moments[-1].step

    @cached_property
    def weights(self) -> list[dict[str, float]]:
        """Every parameter at each moment."""
        return [self.trace.weights(moment.step) for moment in self.moments]

    @cached_property
    def losses(self) -> dict[int, float]:
        """The loss after so many updates, of all steps within the film."""
        first = self.moments[0].step
        return {step: loss for step, loss in losses(self.trace).items() if first <= step <= self.last}

    def canvas(self, natural: tuple[int, int]) -> Canvas:
        """A canvas with the title on it."""
        canvas = self.look.canvas(natural)
        write_title(canvas, self.look.title or headline(self.trace.run))
        return canvas

    def inside(self, canvas: Canvas) -> Box:
        """What title, caption and time bar leave free."""
        return 4, HEAD, canvas.size[0] - 4, canvas.size[1] - FOOT

    def note(self, canvas: Canvas, moment: Moment, text: str = "") -> None:
        """Step and loss below the title, and how far the time has come at the bottom."""
        width = canvas.size[0]
        canvas.box(0, 25, width, HEAD - 4, PAPER)
        canvas.text(10, 27, canvas.fitted(text or caption(moment, self.last), width - 16, TEXT + 1), PEN, TEXT + 1)
        first = self.moments[0].step
        time_bar(canvas, (moment.step - first) / max(self.last - first, 1))

    def write(self, path: str | os.PathLike[str], frames: Iterator[Indices], milliseconds: int = MILLISECONDS) -> None:
        """Write the frames in the colours and at the speed asked for. OSError names the path."""
        write = write_video if self.look.video else write_gif
        write(path, frames, round(milliseconds / self.look.speed), self.look.theme)


def filmed(trace: Trace, **look: Any) -> Film:
    """A film of a trace, the settings of its Look by name."""
    return Film(trace, Look(**look))


def animate(
    path: str | os.PathLike[str], film: Film, natural: tuple[int, int],
    panels: Callable[[Canvas, Box], Sequence[Panel]], milliseconds: int = MILLISECONDS,
) -> None:  # fmt: skip
    """Write the film, drawn by the panels that `panels` sets up on a canvas, inside a box."""
    canvas = film.canvas(natural)
    film.write(path, frames(film, canvas, panels(canvas, film.inside(canvas))), milliseconds)


def frames(film: Film, canvas: Canvas, panels: Sequence[Panel]) -> Iterator[Indices]:
    """Every frame, always the same array."""
    for number, moment in enumerate(film.moments):
        film.note(canvas, moment)
        for panel in panels:
            panel.paint(number)
        yield canvas.pixels


def write_title(canvas: Canvas, title: str) -> None:
    """The title in the upper left corner, as large as it fits."""
    room = canvas.size[0] - 16
    size = next((size for size in (TEXT + 3, TEXT + 1, TEXT) if canvas.width(title[:200], size) <= room), TEXT)
    canvas.text(10, 5, canvas.fitted(title, room, size), PEN, size)


def time_bar(canvas: Canvas, share: float) -> None:
    """A thin line for the whole run, with a cursor where the moment is."""
    width, height = canvas.size
    left, right = 10, width - 10
    canvas.box(0, height - FOOT + 1, width, height, PAPER)
    canvas.box(left, height - 7, right, height - 5, FAINT)
    x = left + share * (right - left)
    canvas.box(left, height - 7, round(x), height - 5, ink(1))
    canvas.box(round(x) - 2, height - 10, round(x) + 2, height - 2, ink(1))


def headline(run: Mapping[str, Any]) -> str:
    """`xor: 2-4-1 tanh, sigmoid; Adam, lr 0.1`: data, network, optimizer, as far as run.json says them."""
    data, model, optimizer = (run.get(part) or {} for part in ("data", "model", "optimizer"))
    parts = []
    if "outputs_per_layer" in model:
        reactions = list(dict.fromkeys([*model.get("activation", []), model.get("output", "")]))
        parts.append(f"{sizes(model)} {', '.join(filter(None, reactions))}")
    if "name" in optimizer:
        rate = optimizer.get("lr")
        parts.append(optimizer["name"] + (f", lr {rate:g}" if isinstance(rate, (int, float)) else ""))
    said = "; ".join(part.strip() for part in parts)
    return ": ".join(filter(None, (str(data.get("name") or ""), said))) or "a training run"
