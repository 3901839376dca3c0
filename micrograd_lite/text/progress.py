"""A progress bar on stderr, where somebody watches."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def progress(
    items: Iterable[Item], total: int, title: str = "", unit: str = "step", tell: Callable[[Item], str] | None = None
) -> Iterator[Item]:
    """The same items, counted by a tqdm bar on stderr or in a notebook: none where nobody looks, a plain line without tqdm.

    tell: what to say behind the bar when an item has come.
    """
    if not sys.stderr.isatty() and not in_notebook():
        yield from items
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without ipywidgets the bar is of letters, and works
            from tqdm.auto import tqdm
    except ImportError:
        print(f"{title}: {total:,} {unit}s (install tqdm to see a bar)", file=sys.stderr)
        yield from items
        return
    with tqdm(items, total=total, desc=title, unit=unit, dynamic_ncols=True) as bar:
        for item in bar:
            if tell:
                bar.set_postfix_str(tell(item), refresh=False)
            yield item


def in_notebook() -> bool:
    """Does this code run in a cell of a notebook? Then its kernel is loaded, and nothing more is asked."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in shell.config
