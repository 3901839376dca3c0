"""Packing: tables of numbers as text that a page carries, every bit of them.

What training writes changes little from step to step, and its change changes even less. So each column of 64-bit patterns is
replaced by its second differences (modulo 2**64, which loses nothing: NaN, -0.0 and inf are patterns like others), whose
upper bytes are nearly all 0 or 255. Stored byte by byte, the upper bytes of all columns first, they are what gzip likes.

    a page's data    base64 of gzip of: 4 bytes, the length of the header | the header, JSON | one block after another
    a block          of numbers: 8 planes of bytes, the highest first, column by column | of bytes: as they are

script/unpack.js is the other half.
"""

from __future__ import annotations

import gzip
import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MASK = (1 << 64) - 1

Columns = Sequence[Sequence[float]]
"""A table of numbers, column by column, all of one length."""


def packed(header: Mapping[str, Any], blocks: Mapping[str, Columns | bytes]) -> str:
    """Header and blocks as base64, in ASCII; the same content gives the same text on one machine."""
    shapes = {name: [len(block)] if isinstance(block, bytes) else _shape(block) for name, block in blocks.items()}
    told = json.dumps({**header, "blocks": shapes}, separators=(",", ":"), allow_nan=False).encode("ascii")
    parts = [block if isinstance(block, bytes) else planes(block) for block in blocks.values()]
    content = b"".join([struct.pack("<I", len(told)), told, *parts])
    return b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")


def unpacked(text: str) -> tuple[dict[str, Any], dict[str, list[list[float]] | bytes]]:
    """What `packed` was given, bit for bit, the header with the shapes of the blocks."""
    content = gzip.decompress(b64decode(text))
    (size,) = struct.unpack_from("<I", content)
    header, place = json.loads(content[4 : 4 + size]), 4 + size
    blocks: dict[str, list[list[float]] | bytes] = {}
    for name, shape in header["blocks"].items():
        length = shape[0] if len(shape) == 1 else 8 * shape[0] * shape[1]
        part, place = content[place : place + length], place + length
        blocks[name] = part if len(shape) == 1 else from_planes(part, *shape)
    return header, blocks


def planes(columns: Columns) -> bytes:
    """The bytes of all second differences: every highest byte, then every second one, down to the lowest."""
    differences = b"".join(struct.pack(f"<{len(column)}Q", *_second_differences(column)) for column in columns)
    return b"".join(differences[place::8] for place in range(7, -1, -1))


def from_planes(content: bytes, columns: int, rows: int) -> list[list[float]]:
    """The numbers again."""
    differences = bytearray(8 * columns * rows)
    for place in range(8):
        differences[7 - place :: 8] = content[place * columns * rows : (place + 1) * columns * rows]
    made = []
    for column in range(columns):
        bits, before, earlier = [], 0, 0
        for difference in struct.unpack_from(f"<{rows}Q", differences, 8 * column * rows):
            earlier, before = before, (difference + 2 * before - earlier) & MASK
            bits.append(before)
        made.append(list(struct.unpack(f"<{rows}d", struct.pack(f"<{rows}Q", *bits))))
    return made


def _second_differences(column: Sequence[float]) -> Iterator[int]:
    before = earlier = 0
    for (bits,) in struct.iter_unpack("<Q", struct.pack(f"<{len(column)}d", *column)):
        yield (bits - 2 * before + earlier) & MASK
        earlier, before = before, bits


def _shape(columns: Columns) -> list[int]:
    rows = len(columns[0]) if columns else 0
    if any(len(column) != rows for column in columns):
        raise ValueError(f"the columns of a block have one length, got {sorted({len(column) for column in columns})}")
    return [len(columns), rows]
