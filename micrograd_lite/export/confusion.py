"""confusion.png: which class is taken for which. A row is what the samples are, a column what the network answered."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from micrograd_lite.export.answers import as_labels, named, right_of
from micrograd_lite.export.canvas import TEXT, Canvas, fitted, letters
from micrograd_lite.export.gif import write_png
from micrograd_lite.export.palette import BLACK, DARK, WHITE, Indices, Numbers, diverging

MOST = 20
"""Classes that a table can have."""
QUIET = 8  # the grey of a zero
HIGH, TOP, ROOM = 30, 84, 600  # pixels: a row, what stands above the column names, and these side by side


def confusion(path: str | os.PathLike[str], labels: ArrayLike, predicted: ArrayLike, class_names: Sequence[str] = ()) -> None:
    """Write the table of how many samples of each class got which answer, and the recall of each class.

    labels, predicted: (samples,), whole numbers from 0, of 2 to 20 classes. Recall is the share of a class's samples that
    are answered right. ValueError says what does not fit; OSError names the path.
    """
    actual = as_labels(labels, "labels")
    answers = as_labels(predicted, "predicted", len(actual))
    highest = int(max(actual.max(), answers.max()))
    classes = len(class_names) or max(highest + 1, 2)
    if not 2 <= classes <= MOST:
        raise ValueError(f"a confusion table shows 2 to {MOST} classes, got {classes}")
    names = named(class_names, classes, highest)
    counts = np.bincount(actual * classes + answers, minlength=classes**2).reshape(classes, classes)
    write_png(path, _drawn(counts, names, f"The network is right about {right_of(actual == answers)}"))


def _drawn(counts: Numbers, names: Sequence[str], title: str) -> Canvas:
    shown = [fitted(name, 110) for name in names]
    longest = max(letters(name).shape[1] for name in shown)
    wide = max(letters(f"{counts.max():,}").shape[1] + 14, 46, min(longest + 10, ROOM // len(names)))
    turned = longest > wide - 6  # long names stand upright above their columns
    left, top = 44 + longest, TOP + (longest + 6 if turned else 18)
    right, bottom = left + wide * len(names), top + HIGH * len(names)
    canvas = Canvas((max(right + 150, 560), bottom + 34))
    canvas.text(12, 8, title, BLACK, TEXT + 3)
    canvas.text(12, 34, _worst(counts, names), DARK)
    canvas.text((left + right) / 2, 62, "answered by the network", DARK, at="middle top")
    canvas.text_up(16, (top + bottom) / 2, "what it is", DARK)
    canvas.text(right + 12, top - 4, "answered right (recall)", DARK, at="left bottom")
    canvas.text(12, bottom + 12, "Blue: right answers. Red: mistakes, the darker the more samples of that row.", DARK)
    colours, shares = tints(counts), _shares(counts)
    for row, recall in enumerate(recalls(counts)):
        y = top + HIGH * row + HIGH / 2
        canvas.text(left - 8, y, shown[row], BLACK, at="right centre")
        x = left + wide * row + wide / 2
        if turned:
            canvas.text_up(x, top - 6 - letters(shown[row]).shape[1] / 2, shown[row])
        else:
            canvas.text(x, top - 4, shown[row], BLACK, at="middle bottom")
        canvas.text(right + 12, y, recall, BLACK, at="left centre")
        for column, count in enumerate(counts[row]):
            x = left + wide * column
            canvas.box(x, top + HIGH * row, x + wide - 1, top + HIGH * (row + 1) - 1, int(colours[row, column]))
            colour = WHITE if row == column and shares[row, row] > 0.6 else BLACK if count else QUIET
            canvas.text(x + wide / 2, y, f"{count:,}", colour, at="middle centre")
    return canvas


def _shares(counts: Numbers) -> Numbers:
    """Each count as a share of its row; 0 in a row without samples."""
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def tints(counts: Numbers) -> Indices:
    """The colour of each cell: blue on the diagonal by recall, red beside it by the share of the row, the largest reddest."""
    shares = _shares(counts)
    mistakes = shares * (1 - np.eye(len(counts)))
    return diverging(0.6 * mistakes / (mistakes.max() or 1.0) - 0.8 * np.diag(np.diag(shares)), 1.0)


def recalls(counts: Numbers) -> list[str]:
    """`97.9% of 980` for each class; a class without samples says so."""
    totals = counts.sum(axis=1)
    return [f"{counts[row, row] / total:.1%} of {total:,}" if total else "no samples" for row, total in enumerate(totals)]


def _worst(counts: Numbers, names: Sequence[str]) -> str:
    """The most frequent mistake as a sentence."""
    mistakes = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    row, column = divmod(int(mistakes.argmax()), len(names))
    times = int(mistakes[row, column])
    if not times:
        return "There is no mistake."
    often = "once" if times == 1 else f"{times:,} times"
    return f"The most frequent mistake: {fitted(names[row], 110)} taken for {fitted(names[column], 110)}, {often}."
