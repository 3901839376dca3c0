"""What every demo script shares: its options, and a progress bar on stderr where somebody watches."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from micrograd_lite.cli import OneLineParser, guarded

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


def fresh(path: Path, force: bool) -> Path:
    """The path of a file that a demo is going to write, its folder made. FileExistsError if it is there, unless by --force."""
    if path.exists() and not force:
        raise FileExistsError(f"{path} is there already; choose another --out, or replace it with --force")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def demo(run: Callable[..., None], out: str, description: str, more: argparse.ArgumentParser | None = None) -> None:
    """Run a demo script: `run(out, quick, force)` with the options that every demo has, then exit.

    more: a parser of further options, given to `run` by name.
    """
    parser = OneLineParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter,
                           parents=[more] if more else [])  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path(out), help=f"folder for the traces and pictures (default: {out})")
    parser.add_argument("--quick", action="store_true", help="a short run, to see that everything works")
    parser.add_argument("--force", action="store_true", help="replace the traces of an earlier run")
    options = parser.parse_args()

    def run_and_succeed(chosen: Any) -> int:
        run(**vars(chosen))
        return 0

    sys.exit(guarded(run_and_succeed, options))
