"""The problems that the networks learn: a few toys, the iris plants and small handwritten digits.

Everything here is made or read on the spot with the standard library, so that a first network trains without a
download. Each function returns a new `Dataset` of plain lists; nothing is read from disk before it is asked for.
"""

from micrograd_lite.data.bundled import digits, iris
from micrograd_lite.data.dataset import Dataset, check
from micrograd_lite.data.prepare import centred, scaled, split
from micrograd_lite.data.toys import line, mazur, moons, parts, spiral, xor

__all__ = [
    "Dataset",
    "centred",
    "check",
    "digits",
    "iris",
    "line",
    "mazur",
    "moons",
    "parts",
    "scaled",
    "spiral",
    "split",
    "xor",
]
