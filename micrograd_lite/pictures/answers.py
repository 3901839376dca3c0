"""What a network answers: predictions.png, its worst mistakes in a test set and some right answers; confusion.png, which
class it takes for which (a row is what the samples are, a column what the network answered).
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from micrograd_lite.pictures.canvas import TEXT, Canvas, fitted, letters
from micrograd_lite.pictures.film import Look
from micrograd_lite.pictures.gif import write_png
from micrograd_lite.pictures.palette import DIM, FAINT, GREYS, PAPER, PEN, Indices, Numbers, diverging, ink

SHOWN, COLUMNS, LEAST_RIGHT = 25, 5, 5
TOP_ROW = 84  # units: above the first row
TILE, ACROSS, DOWN = 112, 134, 162  # pixels: an image, and from one image to the next


def predictions(
    path: str | os.PathLike[str], images: ArrayLike, labels: ArrayLike, outputs: ArrayLike, class_names: Sequence[str] = (),
    look: Look | None = None,
) -> None:  # fmt: skip
    """Write 25 images with the network's answer under each: its worst mistakes first, then some that it has right.

    The worst are those of which it is most confident; at least five right ones are shown. images: (samples, height,
    width), or (samples, pixels) of square ones, 0 for paper. labels: (samples,), whole numbers from 0. outputs: (samples,
    classes), the highest is the answer. The share of right answers is that of all samples. ValueError says what does not
    fit; OSError names the path.
    """
    pictures, scores = as_images(images), np.asarray(outputs, dtype=float)
    if scores.ndim != 2 or len(scores) != len(pictures) or np.isnan(scores).any():
        raise ValueError(f"outputs must be numbers of shape ({len(pictures)}, classes), a row for each; got {_seen(scores)}")
    answers, actual = scores.argmax(axis=1), as_labels(labels, "labels", len(pictures))
    names = named(class_names, scores.shape[1], int(actual.max()))
    right, sure = answers == actual, confidences(scores)
    shown, look = worst_first(right, sure), look or Look()
    canvas = look.canvas((COLUMNS * ACROSS + 10, 88 + math.ceil(len(shown) / COLUMNS) * DOWN))
    title = look.title or f"The network is right about {right_of(right)}"
    canvas.text(16, 8, canvas.fitted(title, canvas.size[0] - 20, TEXT + 3), PEN, TEXT + 3)
    wrong, mistakes = np.count_nonzero(~right[shown]), np.count_nonzero(~right)
    first = f"Its {wrong} worst of {mistakes:,} mistakes first, in an orange frame with a cross" if wrong else "No mistake"
    canvas.text(16, 34, f"{first}; then {len(shown) - wrong} that it has right.", DIM)
    canvas.text(16, 52, "Below each: its answer, and how confident it is of it.", DIM)
    for place, index in enumerate(shown):
        left, top = 16 + place % COLUMNS * ACROSS, TOP_ROW + place // COLUMNS * DOWN
        _paste(canvas, left, top, pictures[index], float(min(0, pictures.min())), float(pictures.max()))
        middle, below = left + TILE / 2, top + TILE + 5
        canvas.frame(left, top, left + TILE, top + TILE, FAINT)
        if not right[index]:
            _mark(canvas, left, top)
            text = canvas.fitted(f"but is {names[actual[index]]}", ACROSS - 8, TEXT + 1)
            canvas.text(middle, below + 17, text, PEN, TEXT + 1, "middle top")
        share = f", {sure[index]:.0%}"
        name = canvas.fitted(f"says {names[answers[index]]}", ACROSS - 8 - canvas.width(share, TEXT + 1), TEXT + 1)
        canvas.text(middle, below, name + share, PEN, TEXT + 1, "middle top")
    write_png(path, canvas)


def confidences(scores: Numbers) -> Numbers:
    """How sure the network is of each answer, 0 to 1: its output where all are shares, else softmax of its outputs."""
    if scores.min() >= 0.0 and scores.max() <= 1.0:
        return np.asarray(scores.max(axis=1))
    with np.errstate(all="ignore"):
        powers = np.exp(np.nan_to_num(scores - scores.max(axis=1, keepdims=True)))
    return np.asarray(1.0 / powers.sum(axis=1))


def worst_first(right: Numbers, sure: Numbers) -> list[int]:
    """Which samples to show: mistakes by falling confidence, then right ones in their order."""
    wrong = np.flatnonzero(~right)
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")]
    good = np.flatnonzero(right)
    few = min(LEAST_RIGHT, len(good))
    wrong = wrong[: SHOWN - few]
    return [int(index) for index in [*wrong, *good[: SHOWN - len(wrong)]]]


def _paste(canvas: Canvas, left: int, top: int, picture: Numbers, low: float, high: float) -> None:
    """One image as ink on paper, as large as a tile in its own proportions."""
    shares = (picture.astype(float) - low) / ((high - low) or 1.0)
    side = canvas.px(TILE)
    height, width = (max(round(length * side / max(picture.shape)), 1) for length in picture.shape)
    resized = np.asarray(Image.fromarray(shares.astype(np.float32)).resize((width, height), Image.Resampling.BOX))
    inked: Indices = np.rint(np.clip(resized, 0.0, 1.0) * (GREYS - 1)).astype(np.uint8) + np.uint8(PAPER)
    x, y = canvas.px(left) + (side - width) // 2, canvas.px(top) + (side - height) // 2
    canvas.pixels[y : y + height, x : x + width] = inked[: canvas.pixels.shape[0] - y, : canvas.pixels.shape[1] - x]


def _mark(canvas: Canvas, left: int, top: int) -> None:
    """A thick frame around a tile and a cross in its corner: seen without colours too."""
    right, bottom = left + TILE, top + TILE
    for out in range(4):
        canvas.frame(left - out, top - out, right + out, bottom + out, ink(1))
    canvas.box(right - 20, top, right, top + 20, ink(1))
    for start, end in (((-15, 5), (-6, 14)), ((-15, 14), (-6, 5))):
        canvas.line([(right + start[0], top + start[1]), (right + end[0], top + end[1])], PAPER, 3.0)


def as_images(images: ArrayLike) -> Numbers:
    """Images as (samples, height, width); rows of pixels become squares. ValueError when they are none."""
    made = np.asarray(images)
    side = math.isqrt(made.shape[1]) if made.ndim == 2 else 0
    if made.ndim == 2 and side * side == made.shape[1]:
        made = made.reshape(-1, side, side)
    if made.ndim != 3 or not made.size or made.dtype.kind not in "uifb" or not np.isfinite(made).all():
        shapes = "(samples, height, width) or (samples, side * side)"
        raise ValueError(f"images must be finite numbers of shape {shapes}; got {_seen(made)}")
    return made


def as_labels(labels: ArrayLike, what: str, samples: int | None = None) -> Numbers:
    """Labels as whole numbers of shape (samples,). ValueError when they are none."""
    made = np.asarray(labels)
    whole = made.ndim == 1 and made.size > 0 and made.dtype.kind in "ui" and int(made.min()) >= 0
    if not whole or samples not in (None, len(made)):
        count = "samples" if samples is None else samples
        raise ValueError(f"{what} must be whole numbers from 0 of shape ({count},); got {_seen(made)}")
    return made.astype(np.int64)


def named(class_names: Sequence[str], classes: int, highest: int) -> list[str]:
    """The name of each class, its number by default. ValueError when labels, names and classes do not fit together."""
    if highest >= classes or len(class_names) not in (0, classes):
        raise ValueError(f"there are {classes} classes, {len(class_names)} names and labels up to {highest}; these must fit")
    return [str(name) for name in class_names] or [str(label) for label in range(classes)]


def right_of(right: Numbers) -> str:
    """`9,056 of 10,000 test samples (90.56%)`."""
    return f"{np.count_nonzero(right):,} of {right.size:,} test samples ({np.mean(right):.2%})"


def _seen(made: Numbers) -> str:
    return f"{made.dtype} of shape {made.shape}" + (" with NaN" if made.dtype.kind == "f" and np.isnan(made).any() else "")


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
    canvas.text(12, 8, title, PEN, TEXT + 3)
    canvas.text(12, 34, _worst(counts, names), DIM)
    canvas.text((left + right) / 2, 62, "answered by the network", DIM, at="middle top")
    canvas.text_up(16, (top + bottom) / 2, "what it is", DIM)
    canvas.text(right + 12, top - 4, "answered right (recall)", DIM, at="left bottom")
    canvas.text(12, bottom + 12, "Blue: right answers. Red: mistakes, the darker the more samples of that row.", DIM)
    colours, shares = tints(counts), _shares(counts)
    for row, recall in enumerate(recalls(counts)):
        y = top + HIGH * row + HIGH / 2
        canvas.text(left - 8, y, shown[row], PEN, at="right centre")
        x = left + wide * row + wide / 2
        if turned:
            canvas.text_up(x, top - 6 - letters(shown[row]).shape[1] / 2, shown[row])
        else:
            canvas.text(x, top - 4, shown[row], PEN, at="middle bottom")
        canvas.text(right + 12, y, recall, PEN, at="left centre")
        for column, count in enumerate(counts[row]):
            x = left + wide * column
            canvas.box(x, top + HIGH * row, x + wide - 1, top + HIGH * (row + 1) - 1, int(colours[row, column]))
            colour = PAPER if row == column and shares[row, row] > 0.6 else PEN if count else QUIET
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
