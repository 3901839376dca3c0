"""The command line: `micrograd-lite render traces/xor`.

A mistake of the user's is one line on stderr and exit code 2, a failed check 1, Ctrl-C 130; never a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from micrograd_lite import __version__


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaint is one line; --help has the rest."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint and exit with 2."""
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = OneLineParser(prog="micrograd-lite", description="every number of backpropagation, on the table")
    parser.add_argument("--version", action="version", version=f"micrograd-lite {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    drawing = commands.add_parser("render", help="draw the pictures of a trace folder")
    drawing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    drawing.add_argument("--frames", type=int, default=100, help="at most so many frames in a GIF (default: 100)")
    drawing.set_defaults(run=_render)

    showing = commands.add_parser("show", help="print the gradient table of one step of a trace")
    showing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    showing.add_argument("--step", type=int, help="a recorded step (default: the last)")
    showing.add_argument("--format", choices=("text", "markdown", "csv"), default="text")
    showing.set_defaults(run=_show)

    writing = commands.add_parser("flat", help="print a network's loss and backpropagation as one straight-line Python function")
    writing.add_argument("path", help="a trace folder, or a model file that MLP.save wrote")
    writing.add_argument("--loss", help="the loss, such as mse (default: the one that the trace was trained with)")
    writing.set_defaults(run=_flat)

    listing = commands.add_parser("rules", help="print the derivative table that everything else reads")
    listing.add_argument("--format", choices=("text", "markdown", "csv"), default="text")
    listing.set_defaults(run=_rules)

    fetching = commands.add_parser("data", help="find or download a data set")
    fetching.add_argument("name", choices=("mnist",))
    fetching.add_argument("--root", help="the folder to look in and to download to (default: the user's cache)")
    fetching.set_defaults(run=_data)

    options = parser.parse_args(arguments)
    return guarded(options.run, options)


def run() -> None:
    """The console script."""
    sys.exit(main())


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


def guarded(run: Callable[[Any], int], options: Any) -> int:
    """Call `run(options)` and turn what a user can cause into one line on stderr and an exit code."""
    try:
        code = run(options)
        sys.stdout.flush()  # a reader that has gone is noticed here, not at exit
        return code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `micrograd-lite show FOLDER | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("micrograd_lite"):
            raise
        package = {"PIL": "pillow"}.get(error.name or "", error.name)
        print(f"error: this needs the package {package!r}: pip install {package}", file=sys.stderr)
    except (ValueError, TypeError, OSError, ArithmeticError) as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
    return 2


def one_line(error: BaseException) -> str:
    """The sentence of an error, with the path where the system's own message has one."""
    sentence = str(error)
    if isinstance(error, OSError) and error.strerror:
        sentence = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(sentence.split()) or type(error).__name__


def _render(options: Any) -> int:
    from micrograd_lite.export.render import render

    for path in render(options.folder, options.frames):
        print(path)
    return 0


def _show(options: Any) -> int:
    from micrograd_lite.export.tables import gradient_table
    from micrograd_lite.trace import Trace

    print(gradient_table(Trace(options.folder), options.step, options.format), end="")
    return 0


def _flat(options: Any) -> int:
    from micrograd_lite.flat_source import read_program

    print(read_program(options.path, options.loss).source, end="")
    return 0


def _rules(options: Any) -> int:
    from micrograd_lite.export.tables import rules_table

    print(rules_table(options.format), end="")
    return 0


def _data(options: Any) -> int:
    from micrograd_lite.data.mnist import fetch

    for path in fetch(options.root):
        print(path)
    return 0
