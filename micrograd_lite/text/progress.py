"""A progress bar on stderr, where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def progress(
    items: Iterable[Item], total: int, title: str = "", unit: str = "step", tell: Callable[[Item], str] | None = None
) -> Iterator[Item]:
    """The same items, counted by a tqdm bar on stderr: none when stderr is no terminal, one plain line without tqdm.

    tell: what to say behind the bar when an item has come.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    try:
        from tqdm import tqdm
    except ImportError:
        print(f"{title}: {total:,} {unit}s (install tqdm to see a bar)", file=sys.stderr)
        yield from items
        return
    with tqdm(items, total=total, desc=title, unit=unit, dynamic_ncols=True) as bar:
        for item in bar:
            if tell:
                bar.set_postfix_str(tell(item), refresh=False)
            yield item
