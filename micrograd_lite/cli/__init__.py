"""The command line: `micrograd-lite render traces/xor`. What each command is called, what it takes, the page that does it.

    networks  train, predict, data
    sweeps    sweep
    job       what sweep does with each combination, and what it says of all of them
    pictures  render, page
    traces    show, diff, diagnose, lab, verify, flat
    formulas  explain, rules

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

FORMS = ("text", "markdown", "csv", "html", "json")
"""How a table may be printed."""


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaint is one line; --help has the rest."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint, with no more of the user's text than a line can hold, and exit with 2."""
        message = message if len(message) <= LONGEST else f"{message[:LONGEST]}..."
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = parser().parse_args(arguments)
    return guarded(options.run, options)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; what it makes has `run`, which takes the options and returns the exit code."""
    from micrograd_lite.cli import formulas, networks, pictures, sweeps, traces  # they stand below this page

    made = OneLineParser(prog="micrograd-lite", description="every number of backpropagation, on the table")
    made.add_argument("--version", action="version", version=f"micrograd-lite {__version__}")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    for page in (networks, sweeps, pictures, traces, formulas):
        page.add_commands(commands)
    return made


def guarded(run: Callable[[Any], int], options: Any) -> int:
    """Call `run(options)` and turn what a user can cause into one line on stderr and an exit code."""
    if sys.stdout is None:  # closed, as by `>&-`: the first file that is opened would take its place
        print("error: standard output is closed, so there is nowhere to print to", file=sys.stderr)
        return 2
    try:
        code = run(options)
        sys.stdout.flush()  # a reader that has gone, or a full disk, is noticed here, not at exit
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
    except MemoryError:
        print("error: this needs more memory than there is", file=sys.stderr)
    except (ValueError, TypeError, OSError, ArithmeticError) as error:
        print(f"error: {visible(one_line(error))}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except (OSError, ValueError):  # what could not be written shall not be tried again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2


def say(*texts: Any, sep: str = " ", end: str = "\n") -> None:
    """Print, as `print` does, what may hold a name out of a file: no such name moves the cursor or recolours a terminal."""
    print(visible(sep.join(map(str, texts)) + end), end="")


def visible(text: str) -> str:
    """A text whose control characters, but for newlines and tabs, and what else cannot be seen, are written as escapes."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in "\n\t" else ascii(letter)[1:-1] for letter in text)


def one_line(error: BaseException) -> str:
    """The sentence of an error, with the path where the system's own message has one."""
    sentence = str(error)
    if isinstance(error, OSError) and error.strerror:
        sentence = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(sentence.split()) or type(error).__name__
