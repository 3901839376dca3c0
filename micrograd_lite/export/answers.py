"""predictions.png: the first images of a test set with what the network takes them for, its mistakes marked."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from micrograd_lite.export.canvas import TEXT, Canvas, fitted
from micrograd_lite.export.gif import write_png
from micrograd_lite.export.palette import BLACK, DARK, FAINT, GREYS, WHITE, Indices, Numbers, ink

SHOWN, COLUMNS = 25, 5
TILE, ACROSS, DOWN = 112, 134, 162  # pixels: an image, and from one image to the next


def predictions(
    path: str | os.PathLike[str], images: ArrayLike, labels: ArrayLike, outputs: ArrayLike, class_names: Sequence[str] = ()
) -> None:
    """Write the first 25 images with the network's answer under each; wrong ones have a frame, a cross and both labels.

    images: (samples, height, width), or (samples, pixels) of square ones, 0 for paper. labels: (samples,), whole numbers
    from 0. outputs: (samples, classes), the highest is the answer. The share of right answers is that of all samples.
    ValueError says what does not fit; OSError names the path.
    """
    pictures, scores = as_images(images), np.asarray(outputs, dtype=float)
    if scores.ndim != 2 or len(scores) != len(pictures) or np.isnan(scores).any():
        raise ValueError(f"outputs must be numbers of shape ({len(pictures)}, classes), a row for each; got {_seen(scores)}")
    answers, actual = scores.argmax(axis=1), as_labels(labels, "labels", len(pictures))
    names = named(class_names, scores.shape[1], int(actual.max()))
    right, count = answers == actual, min(SHOWN, len(pictures))
    canvas = Canvas((COLUMNS * ACROSS + 10, 70 + math.ceil(count / COLUMNS) * DOWN))
    canvas.text(16, 8, f"The network is right about {right_of(right)}", BLACK, TEXT + 3)
    first = f"The first {count} of them" if count < len(right) else "All of them"
    wrong = np.count_nonzero(~right[:count])
    marked = f"{wrong} wrong, in an orange frame with a cross" if wrong else "none wrong"
    canvas.text(16, 34, f"{first}: {marked}. Below each: its answer.", DARK)
    for index in range(count):
        left, top = 16 + index % COLUMNS * ACROSS, 66 + index // COLUMNS * DOWN
        _paste(canvas, left, top, pictures[index], float(min(0, pictures.min())), float(pictures.max()))
        middle, below = left + TILE / 2, top + TILE + 5
        canvas.frame(left, top, left + TILE, top + TILE, FAINT)
        if not right[index]:
            _mark(canvas, left, top)
            canvas.text(middle, below + 17, fitted(f"but is {names[actual[index]]}", ACROSS - 8), BLACK, TEXT + 1, "middle top")
        canvas.text(middle, below, fitted(f"says {names[answers[index]]}", ACROSS - 8), BLACK, TEXT + 1, "middle top")
    write_png(path, canvas)


def _paste(canvas: Canvas, left: int, top: int, picture: Numbers, low: float, high: float) -> None:
    """One image as dark ink on white paper, as large as a tile in its own proportions."""
    shares = (picture.astype(float) - low) / ((high - low) or 1.0)
    height, width = (max(round(length * TILE / max(picture.shape)), 1) for length in picture.shape)
    resized = np.asarray(Image.fromarray(shares.astype(np.float32)).resize((width, height), Image.Resampling.BOX))
    inked: Indices = np.rint(np.clip(resized, 0.0, 1.0) * (GREYS - 1)).astype(np.uint8) + np.uint8(WHITE)
    x, y = left + (TILE - width) // 2, top + (TILE - height) // 2
    canvas.pixels[y : y + height, x : x + width] = inked


def _mark(canvas: Canvas, left: int, top: int) -> None:
    """A thick frame around a tile and a cross in its corner: seen without colours too."""
    right, bottom = left + TILE, top + TILE
    for out in range(4):
        canvas.frame(left - out, top - out, right + out, bottom + out, ink(1))
    canvas.box(right - 20, top, right, top + 20, ink(1))
    for start, end in (((-15, 5), (-6, 14)), ((-15, 14), (-6, 5))):
        canvas.line([(right + start[0], top + start[1]), (right + end[0], top + end[1])], WHITE, 3.0)


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
