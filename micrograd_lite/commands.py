"""The commands of the command line: what each is called, what it takes, and the one page that does it.

A page loads when its command runs, so `micrograd-lite rules` needs no NumPy.
"""

from __future__ import annotations

from typing import Any


def add_commands(commands: Any) -> None:
    """Add every command to the subparsers of argparse; each sets `run`, which returns the exit code."""
    drawing = commands.add_parser("render", help="draw the pictures of a trace folder")
    drawing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    drawing.add_argument("--frames", type=int, default=100, help="at most so many frames in a GIF (default: 100)")
    drawing.set_defaults(run=_render)

    showing = commands.add_parser("show", help="print the gradient table of one step of a trace")
    showing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    showing.add_argument("--step", type=int, help="a recorded step (default: the last)")
    showing.add_argument("--format", choices=("text", "markdown", "csv"), default="text")
    showing.set_defaults(run=_show)

    verifying = commands.add_parser("verify", help="derive every row of a trace again and name the first that is wrong")
    verifying.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    verifying.set_defaults(run=_verify)

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


def _verify(options: Any) -> int:
    from micrograd_lite.verify import verify

    report = verify(options.folder)
    print(report.text(), end="")
    return 1 if report.wrong else 0


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
