"""Commands that make something: a trained network, its answers, a data set on the disk."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import Any

from micrograd_lite.cli import say
from micrograd_lite.cli.traces import reading

MOST_ASKED = 6
"""Names in a sentence."""

def add_commands(commands: Any) -> None:
    """Add the commands of this page to the subparsers of argparse; each sets `run`, which returns the exit code."""
    training = commands.add_parser("train", help="train a network on a bundled problem or on your own CSV file, and trace it")
    training.add_argument("data", metavar="DATA", help="a CSV file, or xor parts line moons spiral iris digits mnist")
    add_recipe(training)
    training.add_argument("--out", default="traces/mine", metavar="FOLDER", help="the trace folder (default: traces/mine)")
    training.add_argument("--force", action="store_true", help="replace the trace that the folder holds")
    training.set_defaults(run=_train)

    predicting = commands.add_parser("predict", help="what the network of a trace answers, in the data's own units")
    predicting.add_argument("folder", help="a folder that a Tracer wrote, such as traces/mine")
    predicting.add_argument("asked", nargs="+", metavar="NAME=NUMBER", help="such as a=0 b=1, or a CSV file with these columns")
    predicting.set_defaults(run=reading(_predict))

    fetching = commands.add_parser("data", help="find or download a data set")
    fetching.add_argument("name", choices=("mnist",))
    fetching.add_argument("--root", help="the folder to look in and to download to (default: the user's cache)")
    fetching.set_defaults(run=_data)


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """The options of a recipe; what is left out is not in the namespace."""
    for name, kind, what in OPTIONS:
        switch: dict[str, Any] = {"action": "store_true"} if kind is bool else {"type": kind, "metavar": "X"}
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help=what, **switch)


def widths(text: str) -> tuple[int, ...]:
    """`4,4` as the widths of hidden layers; nothing at all is none. ArgumentTypeError for anything else."""
    try:
        return tuple(int(width) for width in text.split(",")) if text.strip() else ()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} are no widths; write whole numbers with commas, such as 4,4") from error


OPTIONS: tuple[tuple[str, Any, str], ...] = (
    ("target", str, "the column of the file that is learned (default: the last)"),
    ("regression", bool, "whole numbers in the target are numbers, not classes"),
    ("layers", widths, "neurons of each hidden layer, such as 4,4; '' is none (default: 8)"),
    ("activation", str, "of the hidden layers (default: tanh)"),
    ("output", str, "activation of the last layer (default: linear)"),
    ("loss", str, "what is made small (default: cross_entropy for three classes or more, binary_cross_entropy for two, "
                  "mse for numbers)"),
    ("optimizer", str, "SGD, RMSprop, Adam or AdamW (default: Adam)"),
    ("lr", float, "the learning rate (default: 0.05)"),
    ("momentum", float, "of SGD (default: none)"),
    ("epochs", int, "times over the data (default: 200; mnist: 3)"),
    ("batch", int, "samples a step (default: all up to 200 of them, else 32)"),
    ("seed", int, "of the first weights, the shuffling and the rows for testing (default: 0)"),
    ("test", float, "share of rows kept for testing (default: 0.25 of those of a file, iris and digits where there are 40 or "
                    "more; else none)"),
    ("raw", bool, "numbers as they stand in the file (default: inputs and numbers to be learned are scaled by the training "
                  "rows; toys never)"),
    ("every", int, "steps between those that are recorded (default: each, while gradients.csv stays under 300,000 rows)"),
    ("engine", str, "flat, c, eager or arrays (default: flat; arrays where parameters times rows exceed 2,000,000; c is "
                   "either of these, compiled)"),
)  # fmt: skip
"""The settings of a recipe as options: name, kind, meaning and default."""


def _train(options: Any) -> int:
    from micrograd_lite.recipe import Recipe, prepare
    from micrograd_lite.text.progress import progress
    from micrograd_lite.trace import Tracer

    chosen = {name: getattr(options, name) for name, _, _ in OPTIONS if name in options}
    run = prepare(Recipe(options.data, **chosen))
    data = run.training
    kind = f"{data.classes} classes ({', '.join(data.class_names)})" if data.classes else f"numbers ({data.target_name})"
    say(f"{data.name}: {len(data.inputs)} rows, {len(data.inputs[0])} inputs ({some(list(run.example))}), target: {kind}")
    say(*run.notes, "", run.model.summary(), "", sep="\n")
    last: list[Any] = []
    with Tracer(options.out, every=run.every, force=options.force, weights_every=run.every if run.on_arrays else None) as tracer:
        for step in tracer.follow(progress(run.steps(), run.total, data.name)):
            last = [*last[-4:], (step.number, step.loss, step.evaluation)]
    for number, loss, evaluation in last:
        say(f"step {number}  loss {loss:.9g}", *(f"{name} {value:.9g}" for name, value in evaluation.items()), sep="  ")
    asked = [f"{name}={value:.4g}" for name, value in run.example.items()] if len(run.example) <= MOST_ASKED else ["rows.csv"]
    say(f"\nThe trace is in {options.out}. Now try:")
    for line in (["predict", options.out, *asked], ["page", options.out], ["render", options.out], ["show", options.out]):
        say("  micrograd-lite", shlex.join(line))
    return 0


def some(names: Sequence[str]) -> str:
    """The first few names."""
    return ", ".join(names[:MOST_ASKED]) + (", ..." if len(names) > MOST_ASKED else "")


def _predict(options: Any) -> int:
    from micrograd_lite.trace.predict import predict

    say(predict(options.folder, options.asked), end="")
    return 0


def _data(options: Any) -> int:
    from micrograd_lite.data.mnist import fetch

    for path in fetch(options.root):
        say(path)
    return 0
