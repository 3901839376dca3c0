"""A progress bar on stderr, where somebody watches."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], total: int, title: str = "") -> Iterator[Item]:
    """The same items, counted by a tqdm bar on stderr or in a notebook: none where nobody looks, a plain line without tqdm."""
    if not sys.stderr.isatty() and not in_notebook():
        yield from items
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without ipywidgets the bar is of letters, and works
            from tqdm.auto import tqdm
    except ImportError:
        print(f"{title}: {total:,} steps (install tqdm to see a bar)", file=sys.stderr)
        yield from items
        return
    yield from tqdm(items, total=total, desc=title, unit="step", dynamic_ncols=True)


def in_notebook() -> bool:
    """Does this code run in a cell of a notebook? Then its kernel is loaded, and nothing more is asked."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in shell.config
