"""Whole arrays, as NumPy keeps them, read without NumPy: a .npz is a zip file of .npy files, each a header and bytes."""

from __future__ import annotations

import ast
import math
import struct
import sys
import zipfile
import zlib
from array import array
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from micrograd_lite.text.files import read_whole

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


def read_arrays(path: Path, numbers: int) -> dict[str, Table]:
    """The arrays of one file, by name. Unreadable names a file that does not hold plain arrays, so many numbers at most."""
    try:
        contents = entries(path, numbers)
        if any(not name.endswith(".npy") for name in contents):
            raise ValueError(f"it has the entries {_named(contents)}")
        return {name[:-4]: table(name[:-4], content) for name, content in contents.items()}
    except ValueError as error:
        raise Unreadable(f"{path} does not hold plain arrays: {error}") from error


ROOM, ROOM_PER_NUMBER = 10_000, 512
"""Bytes that a file may have beside its numbers, and for each of them, where an array has but one."""


def entries(path: Path, numbers: int) -> dict[str, bytes]:
    """What the files in a zip file hold, whose arrays have so many numbers. ValueError for what is no such file.

    Nothing of ours is compressed: what is, could unpack to more than there is memory for.
    """
    try:
        with zipfile.ZipFile(BytesIO(read_whole(path, ROOM + ROOM_PER_NUMBER * numbers))) as file:
            found = file.infolist()
            if len({entry.filename for entry in found}) < len(found):
                raise ValueError(f"it has the entries {_named(entry.filename for entry in found)}")
            if any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & ENCRYPTED for entry in found):
                raise ValueError("its entries are compressed or encrypted, which ours never are")
            return {entry.filename: file.read(entry) for entry in found}
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, struct.error, NotImplementedError, RuntimeError, OverflowError,
            AttributeError, OSError) as error:  # fmt: skip
        raise ValueError(" ".join(str(error).split())) from error


ENCRYPTED = 1


def _named(names: Iterable[str]) -> str:
    """Names that somebody may have forged, in ASCII: none of them moves a terminal's cursor."""
    return ", ".join(map(ascii, names))[:200] or "none"


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
