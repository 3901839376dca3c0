"""Images as a data set: pictures of 0 ... 255 become rows of 0.0 ... 1.0, one number for each pixel."""

from __future__ import annotations

from typing import Any

from micrograd_lite.data.bundled import digits
from micrograd_lite.data.dataset import Dataset, Made
from micrograd_lite.data.mnist import Mnist, is_original, mnist, mnist_files
from micrograd_lite.data.prepare import first, split


def image_datasets(images: Mnist, dtype: str = "float32") -> tuple[Dataset, Dataset]:
    """MNIST for a arrays.MLP: (train, test) with inputs (samples, 784) divided by 255 and labels 0 ... 9."""
    train = _dataset("mnist/train", images.train_images, images.train_labels, dtype)
    return train, _dataset("mnist/test", images.test_images, images.test_labels, dtype)


def _dataset(name: str, images: Any, labels: Any, dtype: str) -> Dataset:
    import numpy as np

    pixels = np.divide(images.reshape(len(images), -1), 255.0, dtype=dtype)
    columns: dict[str, Any] = {"inputs": pixels, "targets": labels.astype(np.int64)}
    made: Made = {"name": "mnist", "part": name.partition("/")[2], "dtype": str(np.dtype(dtype))}
    origin = (made,) if is_original(made["part"], images, labels) else ()
    return Dataset(name, **columns, classes=10, class_names=tuple("0123456789"), target_name="digit", origin=origin)


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
    return [part if rows is None else first(part, rows) for part in parts]


def image_part(images: Mnist, part: str, dtype: str) -> Dataset:
    """One part of what `image_datasets` makes, train or test."""
    tables = {"train": (images.train_images, images.train_labels), "test": (images.test_images, images.test_labels)}
    return _dataset(f"mnist/{part}", *tables[part], dtype)
