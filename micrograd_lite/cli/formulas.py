"""Commands about formulas: one that somebody typed, taken apart; the derivative table."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from micrograd_lite.cli import FORMS, say

VALUED = ("--paths", "--most", "--step", "--sample", "--format", "--graph", "--gif")
"""The options of `explain` that a value follows."""


def add_commands(commands: Any) -> None:
    """Add the commands of this page to the subparsers of argparse; each sets `run`, which returns the exit code."""
    explaining = commands.add_parser("explain", help="every number of a formula's value and gradients, as tables or as a picture")
    explaining.add_argument("formula", help="such as 'tanh(w*x + b)', or lines such as 'd = a*b; tanh(d)'; or a trace folder")
    explaining.add_argument("values", nargs="*", metavar="NAME=NUMBER", help="such as w=2 x=0.5 b=0.1")
    explaining.add_argument("--paths", metavar="NAME", help="take the gradient of this input apart, path by path")
    explaining.add_argument("--most", type=int, default=10, help="at most so many paths (default: 10)")
    explaining.add_argument("--step", type=int, help="of a trace: a recorded step (default: the last)")
    explaining.add_argument("--sample", type=int, metavar="K", help="of a trace: one sample of the step's batch (default: 0)")
    instead = explaining.add_mutually_exclusive_group()
    instead.add_argument("--format", choices=FORMS[:-1], default="text")  # its tables are several: no JSON
    instead.add_argument("--graph", choices=("svg", "dot"), help="print the graph alone")
    instead.add_argument("--gif", metavar="FILE", help="write the backward pass as an animation")
    explaining.set_defaults(run=_explain)

    listing = commands.add_parser("rules", help="print the derivative table that everything else reads")
    listing.add_argument("--format", choices=FORMS, default="text")
    listing.set_defaults(run=_rules)


def in_order(arguments: Sequence[str]) -> list[str]:
    """What `explain` is given, the options first: a formula may begin with a minus, and values may follow options."""
    waiting = iter(arguments[1:])
    options: list[str] = ["explain"]
    rest: list[str] = []
    for argument in waiting:
        if argument == "--":
            rest += waiting
        elif re.match(r"--[a-z]|-h$", argument):
            options.append(argument)
            if "=" not in argument and any(option.startswith(argument) for option in VALUED):
                options += islice(waiting, 1)
        else:
            rest.append(argument)
    return [*options, "--", *rest]


def _explain(options: Any) -> int:
    from micrograd_lite.chain.drawing import graphviz, svg
    from micrograd_lite.explain.page import explain, explained

    if os.path.isfile(os.path.join(options.formula, "run.json")):
        from micrograd_lite.explain.sample import explain_sample
        from micrograd_lite.trace.rebuild import Rebuild

        if options.values or options.paths:
            raise ValueError("a trace has its own numbers: ask it with --step and --sample, or `show --paths`")
        step, place = Rebuild(options.formula).step(options.step), options.sample or 0
        root, title = step.sample(place), f"sample{place}, step {step.number}"
    else:
        if options.step is not None or options.sample is not None:
            raise ValueError(f"--step and --sample are for a trace folder, and {options.formula!r} is none")
        at = explained(options.formula, options.values)
        root, title, step = at.root, at.formula.text, None
    if options.gif is not None:
        from micrograd_lite.pictures.backward import backward_gif
        from micrograd_lite.text.files import replaces_only

        replaces_only(options.gif, b"GIF8", "GIF")
        backward_gif(options.gif, root, title)
        say(options.gif)
    elif options.graph:
        say({"svg": svg, "dot": graphviz}[options.graph](root), end="")
    elif step is not None:
        say(explain_sample(step, place, options.format), end="")
    else:
        say(explain(at, options.format, options.paths, options.most), end="")
    return 0


def _rules(options: Any) -> int:
    from micrograd_lite.text.tables import rules_table

    say(rules_table(options.format), end="")
    return 0
