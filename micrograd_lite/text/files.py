"""Whole files or nothing: a path holds the old content or the new content, never half of either."""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any


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
