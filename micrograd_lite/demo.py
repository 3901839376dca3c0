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


def fresh(path: Path, force: bool | str, text: str | None = None) -> Path:
    """The path of a file that a demo is going to write, its folder made. FileExistsError if it is there, unless by --force.

    text: what it is going to hold, if that is known; a file that holds just this is the demo's own.
    """
    own = force == "same" and text is not None and path.is_file() and path.read_bytes() == text.encode()
    if path.exists() and not own and force is not True:
        raise FileExistsError(f"{path} is there already; choose another --out, or replace it with --force")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def demo(run: Callable[..., None], out: str, description: str, more: argparse.ArgumentParser | None = None) -> None:
    """Run a demo script: `run(out, quick, force)` with the options that every demo has, then exit.

    force: True by --force, else "same": a demo replaces the traces of its own earlier runs, of which nothing is lost.
    more: a parser of further options, given to `run` by name.
    """
    parser = OneLineParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter,
                           parents=[more] if more else [])  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path(out), help=f"folder for the traces and pictures (default: {out})")
    parser.add_argument("--quick", action="store_true", help="a short run, to see that everything works")
    parser.add_argument("--force", action="store_const", const=True, default="same",
                        help="replace other runs too (the same run as here is replaced without it)")  # fmt: skip
    options = parser.parse_args()

    def run_and_succeed(chosen: Any) -> int:
        run(**vars(chosen))
        return 0

    sys.exit(guarded(run_and_succeed, options))
