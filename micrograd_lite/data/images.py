"""Images as a data set: pictures of 0 ... 255 become rows of 0.0 ... 1.0, one number for each pixel."""

from __future__ import annotations

from typing import Any

from micrograd_lite.data.bundled import digits
from micrograd_lite.data.dataset import Dataset
from micrograd_lite.data.mnist import Mnist, mnist, mnist_files
from micrograd_lite.data.prepare import split


def image_datasets(images: Mnist, dtype: str = "float32") -> tuple[Dataset, Dataset]:
    """MNIST for a arrays.MLP: (train, test) with inputs (samples, 784) divided by 255 and labels 0 ... 9."""
    train = _dataset("mnist/train", images.train_images, images.train_labels, dtype)
    return train, _dataset("mnist/test", images.test_images, images.test_labels, dtype)


def _dataset(name: str, images: Any, labels: Any, dtype: str) -> Dataset:
    import numpy as np

    pixels = np.divide(images.reshape(len(images), -1), 255.0, dtype=dtype)
    columns: dict[str, Any] = {"inputs": pixels, "targets": labels.astype(np.int64)}
    return Dataset(name, **columns, classes=10, class_names=tuple("0123456789"), target_name="digit")


def mnist_or_digits(root: Any = None, dtype: str = "float32", rows: int | None = None) -> list[Dataset]:
    """MNIST as `image_datasets` makes it; where it is not at hand, a sentence on stdout and the bundled digits.

    Nothing is downloaded unasked: `mnist()` and `micrograd-lite data mnist` do that.
    rows: only the first so many of the training and of the test data.
    """
    try:
        mnist_files(root)
        parts = image_datasets(mnist(root), dtype)
    except (OSError, ValueError) as error:
        print(f"{error}\n(`micrograd-lite data mnist` does it.) This run takes the bundled digits of 8 x 8 pixels.")
        parts = split(digits(), seed=0)
    return [part._replace(inputs=part.inputs[:rows], targets=part.targets[:rows]) for part in parts]


def one_hot(data: Dataset) -> Dataset:
    """Labels as rows with a 1.0 at the label: what a square error wants of a classifier."""
    return data._replace(targets=[[float(label == one) for one in range(data.classes)] for label in data.targets])
