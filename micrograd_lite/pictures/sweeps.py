"""sweep.png: for each setting of a sweep the share of runs that learned, with its interval, and the spread of their losses."""

from __future__ import annotations

import os
from collections.abc import Sequence

from micrograd_lite.pictures.axes import Axis, Plot, around
from micrograd_lite.pictures.canvas import TEXT, Canvas, fitted, letters
from micrograd_lite.pictures.gif import write_png
from micrograd_lite.pictures.palette import DIM, PAPER, PEN, ink
from micrograd_lite.text.shares import Share, quantile

MOST_ROWS, HIGH, WIDTH = 40, 44, 860
"""Settings in one picture; pixels of each; pixels of the picture."""


class Names(Axis):
    """An axis with a name at each whole number, the first at the top."""

    names: Sequence[str] = ()

    def ticks(self, about: int) -> list[tuple[float, str]]:
        """Each name at its place."""
        return [(-float(row), name) for row, name in enumerate(self.names)]


def sweep_png(path: str | os.PathLike[str], found: Sequence[Share], title: str, meaning: str) -> None:
    """Draw the shares of a sweep. ValueError when none of its runs is done; OSError names the path."""
    shown = [one for one in found if one.runs][:MOST_ROWS]
    if not shown:
        raise ValueError("no run of this sweep is done, so there is nothing to draw")
    names = [fitted(one.name, WIDTH // 4) for one in shown]
    left = max(letters(name).shape[1] for name in names) + 44
    canvas = Canvas((WIDTH, HIGH * len(shown) + 116))
    rows = Names(0.5 - len(shown), 0.5)
    rows.names = names
    empty = Names(*rows)
    top, bottom, middle = 58, 58 + HIGH * len(shown), (WIDTH + left) // 2
    most = max(one.runs for one in shown)
    each = f"{most:,} runs each" if most == min(one.runs for one in shown) else f"up to {most:,} runs each"
    left_out = f"; the first {MOST_ROWS} of {len(found)} settings" if len(found) > len(shown) else ""
    canvas.text(12, 10, fitted(title, WIDTH - 24, TEXT + 1), PEN, TEXT + 1)
    canvas.text(12, 31, fitted(f"{meaning}; {each}{left_out}", WIDTH - 24), DIM)
    tells = any(one.learned is not None for one in shown)
    _learned(Plot(canvas, (left, top, middle - 20, bottom), Axis(-0.02, 1.02), rows), shown if tells else [])
    losses = [loss for one in shown for loss in one.losses]
    positive = bool(losses) and min(losses) > 0.0
    _losses(Plot(canvas, (middle + 10, top, WIDTH - 28, bottom), around(losses, logarithmic=positive), empty), shown)
    write_png(path, canvas)


def _learned(plot: Plot, shown: Sequence[Share]) -> None:
    """A dot for each share, on a line as long as its interval, and its number above."""
    plot.axes("share of runs that learned, with its 95 % interval", "")
    for row, one in enumerate(shown):
        low, high = one.interval
        share = (one.learned or 0) / one.runs
        plot.canvas.line([plot.place(low, -row), plot.place(high, -row)], ink(0), 3.0)
        for end in (low, high):
            x, y = plot.place(end, -row)
            plot.canvas.line([(x, y - 5), (x, y + 5)], ink(0), 2.0)
        x, y = plot.place(share, -row)
        plot.canvas.disc(x, y, 5, PAPER)
        plot.canvas.disc(x, y, 4, ink(0))
        left, _, right, _ = plot.box
        text = f"{one.learned} of {one.runs}"
        half = letters(text).shape[1] / 2
        plot.canvas.text(min(max(x, left + half + 4), right - half - 4), y - 5, text, DIM, at="middle bottom")


def _losses(plot: Plot, shown: Sequence[Share]) -> None:
    """The middle half of the losses as a bar, the middle 90 % as a line through it, the median as a stroke across."""
    plot.axes(f"last loss{', log scale' if plot.x.logarithmic else ''}: 5 to 95 %, 25 to 75 %, median", "")
    for row, one in enumerate(shown):
        if not one.losses:
            continue
        ends = [plot.place(quantile(one.losses, share), -row) for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
        (x0, y), (x1, _), (x2, _), (x3, _), (x4, _) = ends
        plot.canvas.line([(x0, y), (x4, y)], ink(1), 2.0)
        plot.canvas.box(round(x1), round(y) - 6, max(round(x3), round(x1) + 1), round(y) + 7, ink(1, 1))
        plot.canvas.box(round(x2) - 1, round(y) - 9, round(x2) + 2, round(y) + 10, PEN)
