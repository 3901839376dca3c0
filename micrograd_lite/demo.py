"""What every demo script shares: its options, an exit code, and the progress bar."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from micrograd_lite.cli import OneLineParser, guarded
from micrograd_lite.text.progress import progress

__all__ = ["demo", "progress"]


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
