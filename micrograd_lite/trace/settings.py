"""What run.json says of two runs, side by side: which settings are not the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

RECORDING = ("format", "status", "error", "steps", "rows", "every", "evaluation", "chain_rule", "by_sample")
"""What run.json says about the recording and not about the numbers."""


def entries(run: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every entry of run.json that decides numbers, by its path: optimizer.lr, data.inputs[3][1]."""
    waiting = [(key, entry) for key, entry in run.items() if key not in RECORDING][::-1]
    while waiting:
        path, entry = waiting.pop()
        if isinstance(entry, dict):
            waiting += [(f"{path}.{key}", inner) for key, inner in entry.items()][::-1]
        elif isinstance(entry, list):
            waiting += [(f"{path}[{place}]", inner) for place, inner in enumerate(entry)][::-1]
        else:
            yield path, entry


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
