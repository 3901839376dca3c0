"""The command about somebody's own engine: check."""

from __future__ import annotations

import json
from typing import Any

from micrograd_lite.cli import say


def add_commands(commands: Any) -> None:
    """Add the command of this page to the subparsers of argparse; it sets `run`, which returns the exit code."""
    checking = commands.add_parser("check", help="test somebody's own Value class: what is wrong, and the likely line")
    checking.add_argument("file", help="a Python file or a notebook with a class that holds a number and has backward()")
    checking.add_argument("--class", dest="cls", default="", metavar="NAME", help="which class, where there are several")
    checking.add_argument("--format", choices=("text", "json", "gradescope"), default="text")
    checking.add_argument("--points", metavar="FILE", help='for gradescope: weights as JSON, such as {"mul": 5, "graphs": 10}')
    checking.add_argument("--hidden", action="store_true", help="keep counterexamples and lines back")
    checking.set_defaults(run=_check)


def _check(options: Any) -> int:
    from micrograd_lite.classroom import verdict
    from micrograd_lite.classroom.checking import check_engine

    if options.points and options.format != "gradescope":
        raise ValueError("--points are for --format gradescope")
    weights = verdict.points(options.points) if options.points else None
    checked = check_engine(options.file, options.cls)
    if options.format == "text":
        say(verdict.text(checked, options.hidden), end="")
    elif options.format == "json":
        print(json.dumps(verdict.as_dict(checked, options.hidden), indent=2))
    else:
        print(json.dumps(verdict.gradescope(checked, options.hidden, weights), indent=2))
    return checked.code
