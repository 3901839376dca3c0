"""Whole arrays, as NumPy keeps them, read without NumPy: a .npz is a zip file of .npy files, each a header and bytes."""

from __future__ import annotations

import ast
import math
import sys
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TYPES = {"<f4": "f", "<f8": "d", ">f4": "f", ">f8": "d"}
"""NumPy's names of the numbers that a model is made of, and the array module's."""


class Unreadable(ValueError):
    """A file that does not hold plain arrays."""


class Table(NamedTuple):
    """An array of a model: its name, its shape, and its numbers row by row."""

    name: str
    shape: tuple[int, ...]
    numbers: array[float]

    def scalars(self) -> Iterator[tuple[str, float]]:
        """Each number under its name in the scalar engine: `layer0.w` [0, 1] is `layer0.neuron1.w0`."""
        layer, _, kind = self.name.partition(".")
        columns = self.shape[-1] if self.shape else 1
        for position, number in enumerate(self.numbers):
            row, column = divmod(position, columns)
            yield f"{layer}.neuron{column}.{kind}{row if kind == 'w' else ''}", number


def read_arrays(path: Path) -> dict[str, Table]:
    """The arrays of one file, by name. Unreadable names a file that does not hold plain arrays."""
    try:
        with zipfile.ZipFile(path) as file:
            names = [name for name in file.namelist() if name.endswith(".npy")]
            return {name[:-4]: table(name[:-4], file.read(name)) for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise Unreadable(f"{path} does not hold plain arrays: {error}") from error


def table(name: str, content: bytes) -> Table:
    """One .npy file: magic, version, length of the header, a dict as text, then the numbers. ValueError for anything else."""
    if content[:6] != b"\x93NUMPY" or len(content) < 12:
        raise ValueError(f"{name} is no .npy file")
    wide = 2 if content[6] == 1 else 4  # bytes that give the header's length
    start = 8 + wide + int.from_bytes(content[8 : 8 + wide], "little")
    try:
        header = ast.literal_eval(content[8 + wide : start].decode("latin1").strip()) if start < 10_000 else {}
        kind, shape = header["descr"], tuple(header["shape"])
        numbers: array[float] = array(TYPES[kind])
        numbers.frombytes(content[start:])
        right = not header["fortran_order"] and len(numbers) == math.prod(shape) and all(type(side) is int for side in shape)
    except (SyntaxError, KeyError, TypeError, ValueError, MemoryError, RecursionError) as error:
        raise ValueError(f"{name} has a header or a length that is not one of plain numbers: {error!r}") from error
    if not right:
        raise ValueError(f"{name} holds {len(numbers)} numbers, its header says {shape}")
    if (kind[0] == "<") != (sys.byteorder == "little"):
        numbers.byteswap()
    return Table(name, shape, numbers)
