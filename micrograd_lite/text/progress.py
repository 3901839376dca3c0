"""A progress bar on stderr, where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], total: int, title: str = "") -> Iterator[Item]:
    """The same items, counted by a tqdm bar on stderr: none when stderr is no terminal, one plain line without tqdm."""
    if not sys.stderr.isatty():
        yield from items
        return
    try:
        from tqdm import tqdm
    except ImportError:
        print(f"{title}: {total:,} steps (install tqdm to see a bar)", file=sys.stderr)
        yield from items
        return
    yield from tqdm(items, total=total, desc=title, unit="step", dynamic_ncols=True)
