"""Tables that only grow, by whole steps: what was written survives the process, what failed leaves no trace.

Several tables grow together. A step is appended to each of them with one write; if any write fails, or Ctrl-C comes
in between, all are cut back to where they stood after the last whole step.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

NO_LINK = getattr(os, "O_NOFOLLOW", 0)


class Extent(NamedTuple):
    """How far one table reaches: bytes, and rows below the header."""

    size: int
    rows: int


class Tables:
    """Append-only CSV files of one folder, by name. Every append is all or nothing, across all files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.descriptors: dict[str, int] = {}
        self.extents: dict[str, Extent] = {}

    def open(self, name: str, header: str) -> None:
        """Start an empty table with its header line. OSError names the path."""
        path = self.folder / name
        if name in self.descriptors:  # a first attempt was refused, by a full disk perhaps
            os.close(self.descriptors.pop(name))
        try:
            self.descriptors[name] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | NO_LINK, 0o666)
        except OSError as error:
            raise OSError(error.errno, f"cannot write: {error.strerror}", str(path)) from error
        self.extents = {**self.extents, name: Extent(0, 0)}
        self.append({name: (header, 0)})

    def reopen(self, extents: Mapping[str, Extent]) -> None:
        """Go on with tables that an earlier process wrote, up to where each reached at a checkpoint.

        Nothing is cut before the next append. OSError names the path.
        """
        for name in extents:
            try:
                self.descriptors[name] = os.open(self.folder / name, os.O_RDWR | os.O_APPEND | NO_LINK)
            except OSError as error:
                raise OSError(error.errno, f"cannot write: {error.strerror}", str(self.folder / name)) from error
        self.extents = dict(extents)

    def append(self, blocks: Mapping[str, tuple[str, int]]) -> None:
        """Append to each named table its text, made of so many rows, in the order given.

        OSError names the path; then, as after Ctrl-C, every table is as it was before.
        """
        grown = dict(self.extents)
        try:
            self._cut_back()  # an earlier failure may have left half a row, when even cutting back failed
            for name, (block, rows) in blocks.items():
                size, before = self.extents[name]
                grown[name] = Extent(size + self._write(name, block), before + rows)
            self.extents = grown  # the one assignment that makes the step count
        except BaseException:
            with suppress(OSError):  # the first error is the one to report; the next append cuts back again
                self._cut_back()
            raise

    def _cut_back(self) -> None:
        for name in reversed([name for name in self.extents if name in self.descriptors]):  # the table that vouches is cut first
            if os.fstat(self.descriptors[name]).st_size > self.extents[name].size:
                os.ftruncate(self.descriptors[name], self.extents[name].size)

    def _write(self, name: str, block: str) -> int:
        data = block.encode("utf-8")
        written = 0
        try:
            while written < len(data):  # a regular file takes all at once, unless the disk is nearly full
                written += os.write(self.descriptors[name], data[written:])
        except OSError as error:
            reason = error.strerror or errno.errorcode.get(error.errno or 0, "")
            raise OSError(error.errno, f"cannot write: {reason}", str(self.folder / name)) from error
        return written

    def close(self) -> None:
        """Close every file; a second call does nothing."""
        while self.descriptors:
            os.close(self.descriptors.popitem()[1])
