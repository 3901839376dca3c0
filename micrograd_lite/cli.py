"""The command line: `micrograd-lite render traces/xor`. What each command is called, what it takes, the page that does it.

A page loads when its command runs, so `micrograd-lite rules` needs no NumPy. A mistake of the user's is one line on
stderr and exit code 2, a failed check 1, Ctrl-C 130; never a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from micrograd_lite import __version__

LONGEST = 300
"""Letters of a complaint."""


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaint is one line; --help has the rest."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint, with no more of the user's text than a line can hold, and exit with 2."""
        message = message if len(message) <= LONGEST else f"{message[:LONGEST]}..."
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = OneLineParser(prog="micrograd-lite", description="every number of backpropagation, on the table")
    parser.add_argument("--version", action="version", version=f"micrograd-lite {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    add_commands(commands)
    options = parser.parse_args(arguments)
    return guarded(options.run, options)


def run() -> None:
    """The console script."""
    sys.exit(main())


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


FORMS = ("text", "markdown", "csv", "html")


def add_commands(commands: Any) -> None:
    """Add every command to the subparsers of argparse; each sets `run`, which returns the exit code."""
    drawing = commands.add_parser("render", help="draw the pictures of a trace folder")
    drawing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    drawing.add_argument("--frames", type=int, default=100, help="at most so many frames in a GIF (default: 100)")
    drawing.set_defaults(run=_render)

    showing = commands.add_parser("show", help="print the gradient table of one step of a trace")
    showing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    showing.add_argument("--step", type=int, help="a recorded step (default: the last)")
    showing.add_argument("--chain", action="store_true", help="the chain rule edge by edge, at a step that was chosen for it")
    showing.add_argument("--format", choices=FORMS, default="text")
    showing.set_defaults(run=_show)

    explaining = commands.add_parser("explain", help="every number of a formula's value and gradients, as tables or as a picture")
    explaining.add_argument("formula", help="such as 'tanh(w*x + b)'; put -- before one that starts with a minus")
    explaining.add_argument("values", nargs="*", metavar="NAME=NUMBER", help="such as w=2 x=0.5 b=0.1; before the options")
    explaining.add_argument("--paths", metavar="NAME", help="take the gradient of this input apart, path by path")
    explaining.add_argument("--most", type=int, default=10, help="at most so many paths (default: 10)")
    instead = explaining.add_mutually_exclusive_group()
    instead.add_argument("--format", choices=FORMS, default="text")
    instead.add_argument("--graph", choices=("svg", "dot"), help="print the graph alone")
    instead.add_argument("--gif", metavar="FILE", help="write the backward pass as an animation")
    explaining.set_defaults(run=_explain)

    differing = commands.add_parser("diff", help="find the first difference between two traces and say what it means")
    differing.add_argument("a", help="a folder that a Tracer wrote")
    differing.add_argument("b", help="another one")
    differing.add_argument("--within", type=float, default=0.0, help="tolerance, such as 1e-9 (default: 0, the same bits)")
    differing.set_defaults(run=_diff)

    diagnosing = commands.add_parser("diagnose", help="say what keeps the network of a trace from learning")
    diagnosing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    diagnosing.set_defaults(run=_diagnose)

    verifying = commands.add_parser("verify", help="derive every row of a trace again and name the first that is wrong")
    verifying.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    verifying.set_defaults(run=_verify)

    writing = commands.add_parser("flat", help="print a network's loss and backpropagation as one straight-line Python function")
    writing.add_argument("path", help="a trace folder, or a model file that MLP.save wrote")
    writing.add_argument("--loss", help="the loss, such as mse (default: the one that the trace was trained with)")
    writing.add_argument("--c", action="store_true", help="the same function in C, as engine='c' compiles it")
    writing.set_defaults(run=_flat)

    listing = commands.add_parser("rules", help="print the derivative table that everything else reads")
    listing.add_argument("--format", choices=FORMS, default="text")
    listing.set_defaults(run=_rules)

    fetching = commands.add_parser("data", help="find or download a data set")
    fetching.add_argument("name", choices=("mnist",))
    fetching.add_argument("--root", help="the folder to look in and to download to (default: the user's cache)")
    fetching.set_defaults(run=_data)


def _render(options: Any) -> int:
    from micrograd_lite.pictures.render import render

    for path in render(options.folder, options.frames):
        print(path)
    return 0


def _show(options: Any) -> int:
    from micrograd_lite.trace import Trace
    from micrograd_lite.trace.show import gradient_table, recorded_chain

    table = recorded_chain if options.chain else gradient_table
    print(table(Trace(options.folder), options.step, options.format), end="")
    return 0


def _explain(options: Any) -> int:
    from micrograd_lite.chain.drawing import graphviz, svg
    from micrograd_lite.explain.page import explain, explained

    at = explained(options.formula, options.values)
    if options.gif is not None:
        from micrograd_lite.pictures.backward import backward_gif

        backward_gif(options.gif, at.root, at.formula.text)
        print(options.gif)
    elif options.graph:
        print({"svg": svg, "dot": graphviz}[options.graph](at.root), end="")
    else:
        print(explain(at, options.format, options.paths, options.most), end="")
    return 0


def _diff(options: Any) -> int:
    from micrograd_lite.trace.diff import compare

    found = compare(options.a, options.b, options.within)
    print(f"A is {options.a}, B is {options.b}", found, sep="\n")
    return 0 if found.equal else 1


def _diagnose(options: Any) -> int:
    from micrograd_lite.lab.diagnose import diagnose

    print(diagnose(options.folder), end="")
    return 0


def _verify(options: Any) -> int:
    from micrograd_lite.verify import verify

    report = verify(options.folder)
    print(report.text(), end="")
    return 1 if report.wrong else 0


def _flat(options: Any) -> int:
    from micrograd_lite.flat.model import model_program
    from micrograd_lite.trace.network import read_network

    program = model_program(*read_network(options.path, options.loss))
    if options.c:
        from micrograd_lite.flat.c import c_text
    print(c_text(program.written).source if options.c else program.source, end="")
    return 0


def _rules(options: Any) -> int:
    from micrograd_lite.text.tables import rules_table

    print(rules_table(options.format), end="")
    return 0


def _data(options: Any) -> int:
    from micrograd_lite.data.mnist import fetch

    for path in fetch(options.root):
        print(path)
    return 0


