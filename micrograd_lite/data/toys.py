"""Six problems small enough to draw, each here because a network shows something on it.

They are written out or computed, never downloaded. Where chance is involved it comes from the seed alone:
same seed, same points.
"""

import math
import operator
import random
from numbers import Real

from micrograd_lite.data.dataset import Dataset
from micrograd_lite.data.prepare import seeded, whole_seed


def xor() -> Dataset:
    """Return the four rows of exclusive or, targets 0.0 and 1.0: the smallest problem that needs a hidden layer."""
    return Dataset("xor", [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 1.0, 0.0], classes=2,
                   feature_names=("a", "b"), class_names=("same", "different"), target_name="a xor b", origin=({"name": "xor"},))


def parts() -> Dataset:
    """Return four machine parts: volume and weight, and a price to learn.

    The prices are made up for this package, price = 2 * volume + 3 * weight, so that linear layers can learn
    them exactly.
    """
    return Dataset("parts", [[0.7, 0.5], [0.2, 0.3], [0.3, 0.4], [0.4, 0.5]], [2.9, 1.3, 1.8, 2.3],
                   feature_names=("volume", "weight"), target_name="price", origin=({"name": "parts"},))


def line() -> Dataset:
    """Return five points of y = 2x + 3, at x = 1 to 5: one linear unit finds the 2 and the 3."""
    return Dataset("line", [[1.0], [2.0], [3.0], [4.0], [5.0]], [5.0, 7.0, 9.0, 11.0, 13.0],
                   feature_names=("x",), target_name="y", origin=({"name": "line"},))


def mazur() -> Dataset:
    """Return the one row of Matt Mazur's "A Step by Step Backpropagation Example": two inputs, two targets."""
    return Dataset("mazur", [[0.05, 0.10]], [[0.01, 0.99]], feature_names=("i1", "i2"), origin=({"name": "mazur"},))


def moons(samples: int = 100, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return two interleaved half circles: no straight line separates them. Targets -1.0 (upper) and 1.0 (lower).

    The upper moon is (cos t, sin t), the lower one (1 - cos t, 0.5 - sin t), with t evenly spaced from 0 to pi (the
    shape of scikit-learn's make_moons, not its random numbers). The upper one has samples // 2 points. The seed
    shuffles the rows, then moves both coordinates of each by a normal deviate times `noise`.
    """
    generator, samples, noise = _checked("moons", 2, samples, noise, seed)
    points = []
    for t in _angles(samples // 2):
        points.append((math.cos(t), math.sin(t), -1.0))
    for t in _angles(samples - samples // 2):
        points.append((1.0 - math.cos(t), 0.5 - math.sin(t), 1.0))
    generator.shuffle(points)
    inputs = [[x + noise * generator.gauss(0.0, 1.0), y + noise * generator.gauss(0.0, 1.0)] for x, y, _ in points]
    return Dataset("moons", inputs, [target for _, _, target in points], classes=2,
                   feature_names=("x", "y"), class_names=("upper", "lower"), target_name="moon",
                   origin=({"name": "moons", "samples": samples, "noise": noise, "seed": whole_seed(seed)},))


def spiral(samples: int = 150, noise: float = 0.2, seed: int = 0) -> Dataset:
    """Return three spiral arms that start around the origin: labels 0, 1, 2.

    Point k of an arm of n lies at radius r = k/n (k = 1 to n) and angle 2 pi arm/3 + 4r radians, plus a normal deviate
    times `noise` in the angle (after the spiral of Stanford's CS231n). When samples is not a multiple of three the
    first arms have one more. The seed shuffles the rows first, then draws the noise.
    """
    generator, samples, noise = _checked("spiral", 3, samples, noise, seed)
    points = []
    for arm in range(3):
        count = (samples + 2 - arm) // 3
        for k in range(1, count + 1):
            points.append((k / count, 2.0 * math.pi * arm / 3.0 + 4.0 * k / count, arm))
    generator.shuffle(points)
    inputs = []
    for radius, angle, _ in points:
        angle += noise * generator.gauss(0.0, 1.0)
        inputs.append([radius * math.cos(angle), radius * math.sin(angle)])
    return Dataset("spiral", inputs, [arm for _, _, arm in points], classes=3,
                   feature_names=("x", "y"), class_names=("arm 0", "arm 1", "arm 2"), target_name="arm",
                   origin=({"name": "spiral", "samples": samples, "noise": noise, "seed": whole_seed(seed)},))


def _angles(count: int) -> list[float]:
    return [math.pi * (k / max(count - 1, 1)) for k in range(count)]     # in this order the last one is exactly pi


def _checked(name: str, classes: int, samples: int, noise: float, seed: int) -> tuple[random.Random, int, float]:
    try:
        count = operator.index(samples)
    except TypeError as error:
        raise TypeError(f"samples is the number of points, an integer, got {type(samples).__name__}") from error
    if count < classes:
        raise ValueError(f"{name} has {classes} classes and needs at least one sample for each, got samples={samples}")
    if not isinstance(noise, Real):
        raise TypeError(f"noise is a number, got {type(noise).__name__}")
    if not 0.0 <= noise < math.inf:
        raise ValueError(f"noise is the spread of the points, a finite number from 0 up, got {noise}")
    return seeded(seed), count, float(noise)
