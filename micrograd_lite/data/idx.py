"""IDX files: a short header, then nothing but numbers. MNIST comes in this format, plain or packed with gzip.

A file from the net may be cut off, damaged or made to harm. So the header, and the length that it declares, are checked
against the bytes that are really there before anything of that size is allocated. The standard library is enough for
that and for bytes (images, labels); only `read_idx`, which returns an array, needs NumPy.

The header: two zero bytes, a type code, the number of dimensions, and each dimension as four bytes, the highest first.
The numbers follow in the same byte order, the last dimension running fastest (http://yann.lecun.com/exdb/mnist/).
"""

from __future__ import annotations

import math
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

if TYPE_CHECKING:
    import numpy as np

TYPES = {
    # code   name, bytes each
    0x08: ("uint8",   1),
    0x09: ("int8",    1),
    0x0B: ("int16",   2),
    0x0C: ("int32",   4),
    0x0D: ("float32", 4),
    0x0E: ("float64", 8),
}  # fmt: skip
GZIP = b"\x1f\x8b"
PIECE = 1 << 14
MOST_DIMENSIONS = 32  # what every NumPy can hold; the format itself would go to 255
ANY_RATIO, BOMB_RATIO = 1 << 26, 100  # a gzip file may grow to 64 MiB, or a hundredfold; MNIST grows fivefold


class Header(NamedTuple):
    """What the first bytes of an IDX file say: the type code of its numbers and the dimensions, outermost first.

    >>> Header(0x08, (60000, 28, 28)).size
    47040000
    """

    type_code: int
    dims: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of bytes that follow the header."""
        return math.prod(self.dims) * TYPES[self.type_code][1]

    def encoded(self) -> bytes:
        """The header as it stands in the file."""
        return bytes((0, 0, self.type_code, len(self.dims))) + b"".join(dim.to_bytes(4, "big") for dim in self.dims)


def read_header(path: str | os.PathLike[str]) -> Header:
    """Return the header of a sound file, after a check of the whole file (a gzip file is unpacked once, in pieces).

    ValueError, with path and reason: not a regular file, not IDX, cut off, too long, damaged, or a gzip bomb.
    OSError as it comes.
    """
    with _opened(path) as file:
        return _checked(file)


def read_bytes(path: str | os.PathLike[str]) -> tuple[Header, memoryview]:
    """Return the header and the bytes after it, in a buffer of their own; errors as for `read_header`.

    Image k of a file of 28 x 28 bytes is `content[784 * k : 784 * (k + 1)]`, a sequence of integers from 0 to 255.
    """
    header, content = _read(path)
    return header, memoryview(content)


def read_idx(path: str | os.PathLike[str]) -> np.ndarray[Any, Any]:
    """Return a new array of the file's shape and type, in this machine's byte order; errors as for `read_header`."""
    import numpy as np

    header, content = _read(path)
    array = np.frombuffer(content, TYPES[header.type_code][0]).reshape(header.dims)
    return array.byteswap(inplace=True) if sys.byteorder == "little" else array


def _opened(path: str | os.PathLike[str]) -> BinaryIO:
    if not stat.S_ISREG(os.stat(Path(path)).st_mode):  # before opening: to open a pipe is to wait for its writer
        raise ValueError(f"{path} is not a regular file; give the path of an IDX file, plain or packed with gzip")
    return open(path, "rb", buffering=0)


def _read(path: str | os.PathLike[str]) -> tuple[Header, bytearray]:
    with _opened(path) as file:
        header = _checked(file)
        file.seek(0)
        try:
            content = bytearray(header.size)
        except MemoryError as error:
            raise ValueError(f"{path}: its {header.size:,} bytes do not fit into memory") from error
        start = -len(header.encoded())  # where the next piece goes: the header before the content, and not into it
        for piece in _pieces(file):
            end = start + len(piece)
            content[max(start, 0) : max(end, 0)] = piece[max(-start, 0) :]
            start = end
    if start != header.size:
        raise ValueError(f"{path} changed while it was read; read it again")
    return header, content


def _checked(file: BinaryIO) -> Header:
    """Go through the whole file, keeping nothing but its header, and raise for the first fault."""
    packed = file.read(2) == GZIP
    file.seek(0)
    pieces, begin = _pieces(file), b""
    while len(begin) < 4 + 4 * MOST_DIMENSIONS and (piece := next(pieces, b"")):
        begin += piece
    header = _parsed(begin, file.name)
    on_disk, expected = os.fstat(file.fileno()).st_size, len(header.encoded()) + header.size
    declared = f"{' x '.join(map(str, header.dims))} {TYPES[header.type_code][0]}, {expected:,} bytes with the header"
    if packed and expected > max(ANY_RATIO, BOMB_RATIO * on_disk):
        raise ValueError(f"{file.name} declares {declared}, but is a gzip file of {on_disk:,} bytes; "
                         f"if you trust it, unpack it with gunzip first")
    actual = len(begin) if packed else on_disk
    while packed and actual <= expected and (piece := next(pieces, b"")):
        actual += len(piece)
    if actual != expected:
        fault, held = ("is cut off", f"{actual:,}") if actual < expected else ("is too long", "more")
        raise ValueError(f"{file.name} {fault}: it declares {declared}, but holds {held}; get it again")
    return header


def _parsed(begin: bytes, name: str) -> Header:
    if len(begin) < 4 or begin[:2] != b"\0\0":
        raise ValueError(f"{name} is no IDX file: it begins with {begin[:4].hex(' ') or 'nothing'}, not 00 00 and two more")
    code, rank = begin[2:4]
    if code not in TYPES:
        raise ValueError(f"{name} has the unknown type code 0x{code:02X}; IDX knows {', '.join(map('0x{:02X}'.format, TYPES))}")
    if not 1 <= rank <= MOST_DIMENSIONS:
        raise ValueError(f"{name} declares {rank} dimensions; 1 to {MOST_DIMENSIONS} can be read")
    if len(begin) < 4 + 4 * rank:
        raise ValueError(f"{name} is cut off: a header for {rank} dimensions has {4 + 4 * rank} bytes, not {len(begin)}")
    dims = tuple(int.from_bytes(begin[at : at + 4], "big") for at in range(4, 4 + 4 * rank, 4))
    if 0 in dims:
        raise ValueError(f"{name} declares {' x '.join(map(str, dims))} numbers; every dimension must be at least 1")
    return Header(code, dims)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """The content of a plain or gzip file in pieces of 1 byte to 16 KiB; ValueError for damaged gzip data."""
    data = file.read(PIECE)
    member = zlib.decompressobj(wbits=31) if data[:2] == GZIP else None  # 31: gzip, with its checksum and length
    while data:
        try:
            piece = member.decompress(data, PIECE) if member else data
        except zlib.error as error:
            raise ValueError(f"{file.name} is damaged: gzip says {str(error).rpartition(': ')[2]}; get it again") from error
        if piece:
            yield piece
        data = (member and (member.unconsumed_tail or member.unused_data)) or file.read(PIECE)
        if member and member.eof and data:
            member = zlib.decompressobj(wbits=31)  # gzip files may be joined: cat a.gz b.gz
    if member and not member.eof:
        raise ValueError(f"{file.name} is cut off: its gzip data ends early; get it again")
