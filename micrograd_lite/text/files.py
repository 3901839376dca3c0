"""Whole files or nothing: a path holds the old content or the new content, never half of either.

And one way to open a file of somebody else: a pipe, a folder or a device in its place is refused, not waited for.
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO


def write_whole(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Replace the file at `path` at once: write beside it, sync, rename. OSError names the path; nothing is left over."""
    path = Path(path)
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:  # Ctrl-C too must not leave a half-written file behind
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, f"cannot write: {error.strerror}", str(path)) from error
        raise


def replaces_only(path: str | os.PathLike[str], beginning: bytes, kind: str) -> None:
    """FileExistsError where a file stands that does not begin so: a picture replaces a picture, never somebody's work."""
    if Path(path).is_file():
        with open(path, "rb") as file:
            found = file.read(len(beginning))
        if found and found != beginning:
            raise FileExistsError(f"{path} stands there and holds no {kind}; choose another name")


def opened(path: str | os.PathLike[str]) -> BinaryIO:
    """A file, open for reading. ValueError when it is no regular file, OSError as it comes with the path named."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe without a writer would hang
    descriptor = os.open(path, flags)
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, "is a directory, no regular file", str(path))
        raise ValueError(f"{path} is no regular file")
    return open(descriptor, "rb")


def read_whole(path: str | os.PathLike[str], most: int) -> bytes:
    """The bytes of a regular file. ValueError when it has more than `most` of them: they are counted before they are read."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ValueError(f"{path} has {size:,} bytes, and what it is said to hold takes at most {most:,}")
        return file.read(most)


def from_json(content: bytes) -> Any:
    """What JSON in UTF-8 says. ValueError for what is none, or is nested deeper than people nest."""
    try:
        record = json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    layer, depth = [record], 0
    while layer:
        layer = [inner for outer in layer if isinstance(outer, (dict, list))
                 for inner in (outer.values() if isinstance(outer, dict) else outer)]  # fmt: skip
        depth += 1
        if depth > DEEPEST:
            raise ValueError("it is nested too deep")
    return record


DEEPEST = 20
"""Lists and dicts inside of each other, in a file of ours."""


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def to_json(record: Any) -> str:
    """Readable JSON with a final newline; non-finite numbers become the strings NaN, inf, -inf."""
    return json.dumps(_finite(record), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(record: Any) -> Any:
    if isinstance(record, float) and not math.isfinite(record):
        return number(record)
    if isinstance(record, dict):
        return {key: _finite(item) for key, item in record.items()}
    if isinstance(record, (list, tuple)):
        return [_finite(item) for item in record]
    return record


def number(value: float) -> str:
    """A float as text that reads back to the same bits; NaN, inf and -inf for the rest."""
    value = float(value)
    return "NaN" if value != value else repr(value)
