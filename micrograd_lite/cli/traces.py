"""Commands that read a trace folder: its pictures, its tables, its faults, the network in it as a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from micrograd_lite.cli import FORMS


def add_commands(commands: Any) -> None:
    """Add the commands of this page to the subparsers of argparse; each sets `run`, which returns the exit code."""
    drawing = commands.add_parser("render", help="draw the pictures of a trace folder")
    drawing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    drawing.add_argument("--frames", type=int, default=100, help="at most so many frames in a GIF (default: 100)")
    drawing.set_defaults(run=_render)

    showing = commands.add_parser("show", help="print the gradient table of one step of a trace, or the table of a sweep")
    showing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor, or a sweep's")
    showing.add_argument("--step", type=int, help="a recorded step (default: the last)")
    showing.add_argument("--chain", action="store_true", help="the chain rule edge by edge, at a step that was chosen for it")
    showing.add_argument("--format", choices=FORMS, default="text")
    showing.set_defaults(run=_show)

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
    verifying.add_argument("--strict", action="store_true", help="what could not be checked counts as a failure: exit code 1")
    verifying.set_defaults(run=_verify)

    writing = commands.add_parser("flat", help="print a network's loss and backpropagation as one straight-line Python function")
    writing.add_argument("path", help="a trace folder, or a model file that MLP.save wrote")
    writing.add_argument("--loss", help="the loss, such as mse (default: the one that the trace was trained with)")
    writing.add_argument("--c", action="store_true", help="the same function in C, as engine='c' compiles it")
    writing.set_defaults(run=_flat)


def _render(options: Any) -> int:
    from micrograd_lite.pictures.render import render

    for path in render(options.folder, options.frames):
        print(path)
    return 0


def _show(options: Any) -> int:
    from micrograd_lite.sweep import SWEEP

    if Path(options.folder, SWEEP).is_file():
        from micrograd_lite.cli.job import report

        if options.step is not None or options.chain:
            raise ValueError(f"{options.folder} holds a sweep: --step and --chain are for the trace of a run")
        print(report(options.folder, options.format), end="")
        return 0
    from micrograd_lite.trace import Trace
    from micrograd_lite.trace.show import gradient_table, recorded_chain

    table = recorded_chain if options.chain else gradient_table
    print(table(Trace(options.folder), options.step, options.format), end="")
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
    return 1 if report.wrong or (options.strict and not report.proved) else 0


def _flat(options: Any) -> int:
    from micrograd_lite.flat.model import model_program
    from micrograd_lite.trace.network import read_network

    program, text = model_program(*read_network(options.path, options.loss)), None
    if options.c:
        from micrograd_lite.flat.c import c_text

        text = c_text(program.written).source
    print(text or program.source, end="")
    return 0
