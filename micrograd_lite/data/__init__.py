"""The problems that the networks learn: a few toys, the iris plants and small handwritten digits.

The toys, iris and digits are made or read on the spot with the standard library, so that a first network trains without a
download; each call returns a new `Dataset` of plain lists. `mnist` gives NumPy arrays, downloaded when it is nowhere yet.

    dataset   inputs and targets with their names, checked
    toys      xor, parts, line, mazur, moons, spiral
    bundled   iris and 8 x 8 digits, shipped with the package
    table     a CSV file of your own
    prepare   splitting, centring, scaling; random numbers from a seed
    origin    where a data set came from, and the same loaded again
    idx       the file format of MNIST, checked before it is read
    mnist     MNIST's four files: found, downloaded, verified
    images    images as data sets
"""

from micrograd_lite.data.bundled import digits, iris
from micrograd_lite.data.dataset import Dataset, Units, check
from micrograd_lite.data.images import image_datasets, mnist_or_digits
from micrograd_lite.data.mnist import mnist
from micrograd_lite.data.prepare import centred, one_hot, scaled, scaled_target, split
from micrograd_lite.data.table import read_csv
from micrograd_lite.data.toys import line, mazur, moons, parts, spiral, xor

__all__ = [
    "Dataset",
    "Units",
    "centred",
    "check",
    "digits",
    "image_datasets",
    "iris",
    "line",
    "mazur",
    "mnist",
    "mnist_or_digits",
    "moons",
    "one_hot",
    "parts",
    "read_csv",
    "scaled",
    "scaled_target",
    "spiral",
    "split",
    "xor",
]
