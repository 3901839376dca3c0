"""What run.json says of two runs, side by side: which settings are not the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

RECORDING = ("format", "status", "error", "steps", "rows", "every", "evaluation", "chain_rule", "by_sample")
"""What run.json says about the recording and not about the numbers."""


def entries(record: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every entry of run.json that decides numbers, by its path: optimizer.lr, data.inputs[3][1]."""
    if not isinstance(record, (dict, list)):
        yield path, record
        return
    for key, entry in record.items() if isinstance(record, dict) else enumerate(record):
        if path or key not in RECORDING:
            yield from entries(entry, f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else key)


def other_settings(a: dict[str, Any], b: dict[str, Any]) -> Iterator[str]:
    """A line for each entry of two run.json that is not the same."""
    ours, theirs = dict(entries(a)), dict(entries(b))
    for path in {**ours, **theirs}:
        one, other = ours.get(path, "nothing"), theirs.get(path, "nothing")
        if one != other:
            yield f"{path}: {shown(one)} in A, {shown(other)} in B"


def shown(value: Any) -> str:
    """A cell as in the table, cut when it is long."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
