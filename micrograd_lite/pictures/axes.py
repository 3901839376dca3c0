"""From numbers to pixels: axes with round ticks, plots, legends and colour bars."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from micrograd_lite.pictures.canvas import Canvas
from micrograd_lite.pictures.palette import DIM, FAINT, PALE, PAPER, PEN, Indices

FAR = 1e300
STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


class Axis(NamedTuple):
    """A range of numbers along one side of a plot, on a plain or a logarithmic scale; whole: ticks at whole numbers only."""

    low: float
    high: float
    logarithmic: bool = False
    whole: bool = False

    def share(self, value: float) -> float:
        """Where a number stands: 0 at the low end, 1 at the high end, at most one axis length outside."""
        low, high = self.low, self.high
        if self.logarithmic:  # zero has no logarithm: it stands at the low end
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, low))
        return min(max((value - low) / (high - low), -1.0), 2.0)

    def ticks(self, about: int) -> list[tuple[float, str]]:
        """Round numbers in the range with their labels, `about` so many."""
        if self.logarithmic:
            return self._powers(about)
        size = (self.high - self.low) / max(about, 1)
        power = 10.0 ** math.floor(math.log10(size))
        step = power * next(one for one in (1.0, 2.0, 5.0, 10.0) if one * power >= size * 0.999)
        step = max(step, 1.0) if self.whole else step
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(index * step, label(index * step, step)) for index in range(first, last + 1)]

    def _powers(self, about: int) -> list[tuple[float, str]]:
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        if last - first < 2:
            first, last = first - 1, last + 1
        every = max(1, math.ceil((last - first) / max(about, 1)))
        parts = (1.0, 2.0, 5.0) if 2 * (last - first) <= about else (1.0,)
        numbers = [part * 10.0**power for power in range(first, last + 1, every) for part in parts]
        return [(one, f"{one:g}") for one in numbers if self.low * 0.999 <= one <= self.high * 1.001]


def label(value: float, step: float) -> str:
    """A tick's number with as many decimals as its step needs: 0.25, 1,000, 2e-07."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals > 5 or abs(value) >= 1e7:
        return f"{value:.3g}"
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"  # + 0.0: no minus zero


def around(values: Iterable[float], margin: float = 0.05, logarithmic: bool = False) -> Axis:
    """An axis around all numbers up to 1e300, with a margin on both sides; around 0 to 1 when there are none."""
    finite = [value for value in values if abs(value) < FAR and (value > 1 / FAR or not logarithmic)]
    low, high = (min(finite), max(finite)) if finite else (1.0, 1.0) if logarithmic else (0.0, 1.0)
    if logarithmic:
        stretch = high**margin / low**margin if high > low else 2.0  # high / low may be more than a double can hold
        return Axis(max(low / stretch, 1e-307), min(high * stretch, 1e307), True)
    near = max(abs(low), abs(high)) * 1e-9  # a range below what a double can tell apart is no range
    stretch = margin * (high - low) if high - low > near else 0.5 * abs(high) or 0.5
    return Axis(low - stretch, high + stretch)


def rounded_up(value: float) -> float:
    """The next round number, for the end of a scale; 1 for zero."""
    if not value or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((one * power for one in STEPS if one * power >= value * (1 - 1e-12)), 10.0 * power)


class Plot:
    """A box of a canvas (left, top, right, bottom) between two axes."""

    def __init__(self, canvas: Canvas, box: tuple[int, int, int, int], x: Axis, y: Axis) -> None:
        self.canvas, self.box, self.x, self.y = canvas, box, x, y

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a point."""
        left, top, right, bottom = self.box
        return left + self.x.share(x) * (right - 1 - left), bottom - 1 - self.y.share(y) * (bottom - 1 - top)

    def axes(self, x_title: str, y_title: str, grid: bool = True) -> None:
        """Frame, ticks, numbers and titles; with grid lines unless a field will fill the box."""
        canvas, (left, top, right, bottom) = self.canvas, self.box
        for value, text in _apart(canvas, self.x.ticks((right - left) // 75), (right - left) / 8):
            x = round(self.place(value, self.y.low)[0])
            canvas.box(x, top if grid else bottom, x + 1, bottom + 4, PALE)
            canvas.box(x, bottom, x + 1, bottom + 4, DIM)
            canvas.text(x, bottom + 5, text, DIM, at="middle top")
        widest = 0
        for value, text in self.y.ticks((bottom - top) // 40):
            y = round(self.place(self.x.low, value)[1])
            canvas.box(left if grid else left - 4, y, right, y + 1, PALE)
            canvas.box(left - 4, y, left, y + 1, DIM)
            canvas.text(left - 6, y, text, DIM, at="right centre")
            widest = max(widest, canvas.width(text))
        canvas.frame(left, top, right, bottom, FAINT)
        canvas.text((left + right) / 2, bottom + 22, canvas.fitted(x_title, right - left), DIM, at="middle top")
        canvas.text_up(max(left - widest - 18, 9), (top + bottom) / 2, canvas.fitted(y_title, bottom - top), DIM)

    def curve(self, xs: Sequence[float], ys: Sequence[float], colour: int, width: float = 2.0) -> None:
        """A line through the points, with a gap where a number is not finite. It stays inside the box."""
        before = self.canvas.pixels.copy()
        run: list[tuple[float, float]] = []
        for x, y in [*zip(xs, ys), (math.nan, math.nan)]:
            if math.isfinite(x) and math.isfinite(y):
                run.append(self.place(x, y))
            elif run:
                self.canvas.line(run, colour, width)
                run = []
        inside = self.canvas.view(self.box).copy()
        self.canvas.pixels[...] = before
        self.canvas.view(self.box)[...] = inside


def _apart(canvas: Canvas, ticks: list[tuple[float, str]], room: float) -> list[tuple[float, str]]:
    """The ticks, or every second one of them, so that their labels do not touch."""
    widest = max((canvas.width(text) for _, text in ticks), default=0)
    return ticks if widest + 8 <= room * 8 / max(len(ticks), 1) else ticks[::2]


def legend(canvas: Canvas, x: int, y: int, entries: Sequence[tuple[str, int]], width: int = 0, room: float = 1000) -> None:
    """A box with a stroke of each colour beside its label, its upper left corner at (x, y); `width` keeps it that wide."""
    shown = [(canvas.fitted(text, room - 38), colour) for text, colour in entries]
    width = width or 38 + max(canvas.width(text) for text, _ in shown)
    height = 18 * len(shown) + 6
    canvas.box(x, y, x + width, y + height, PAPER)
    canvas.frame(x, y, x + width, y + height, FAINT)
    for row, (text, colour) in enumerate(shown):
        middle = y + 12 + 18 * row
        canvas.box(x + 6, middle - 2, x + 24, middle + 2, colour)
        canvas.text(x + 30, middle, text, PEN, at="left centre")


def colour_bar(canvas: Canvas, box: tuple[int, int, int, int], colours: Indices, axis: Axis, title: str = "") -> None:
    """A standing bar of the colours, the first at the bottom, with the axis's numbers on its right."""
    left, top, right, bottom = box
    bar = canvas.view(box)
    bar[...] = colours[np.rint(np.linspace(len(colours) - 1, 0, len(bar))).astype(int)][:, None]
    canvas.frame(left, top, right, bottom, FAINT)
    for value, text in axis.ticks((bottom - top) // 45):
        y = round(bottom - 1 - axis.share(value) * (bottom - 1 - top))
        canvas.box(right, y, right + 4, y + 1, DIM)
        canvas.text(right + 6, y, text, DIM, at="left centre")
    canvas.text(left, top - 5, title, DIM, at="left bottom")
