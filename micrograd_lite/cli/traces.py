"""Commands that read a trace folder: its tables, its faults, the network in it as a program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from micrograd_lite.cli import FORMS, say


def add_commands(commands: Any) -> None:
    """Add the commands of this page to the subparsers of argparse; each sets `run`, which returns the exit code."""
    showing = commands.add_parser("show", help="print the gradient table of one step of a trace, or the table of a sweep")
    showing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor, or a sweep's")
    showing.add_argument("--step", type=int, help="a recorded step (default: the last)")
    questions = showing.add_mutually_exclusive_group()
    questions.add_argument("--forward", action="store_true", help="each node's formula and value")
    questions.add_argument("--chain", action="store_true", help="the chain rule edge by edge")
    questions.add_argument("--toward", metavar="PARAMETER", help="each edge that adds to its gradient, and the update")
    questions.add_argument("--by-sample", action="store_true", help="which samples pull at each parameter")
    questions.add_argument("--optimizer", action="store_true", help="every term of the optimizer's formula")
    questions.add_argument("--paths", metavar="PARAMETER", help="its gradient as the sum over all paths from the loss")
    questions.add_argument("--matrix", metavar="LAYER", help="the gradient of layer0, say, as transposed inputs times delta")
    showing.add_argument("--sample", type=int, metavar="K", help="of --forward and --chain: one sample of the step's batch alone")
    showing.add_argument("--format", choices=FORMS, default="text")
    showing.set_defaults(run=reading(_show))

    differing = commands.add_parser("diff", help="find the first difference between two traces and say what it means")
    differing.add_argument("folder", metavar="a", help="a folder that a Tracer wrote")
    differing.add_argument("b", help="another one")
    differing.add_argument("--within", type=float, default=0.0, help="tolerance, such as 1e-9 (default: 0, the same bits)")
    differing.set_defaults(run=reading(_diff))

    diagnosing = commands.add_parser("diagnose", help="say what keeps the network of a trace from learning")
    diagnosing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    diagnosing.set_defaults(run=reading(_diagnose))

    trying = commands.add_parser("lab", help="train the run of a trace again with well-known mistakes, and see what they do")
    trying.add_argument("folder", help="a folder that a Tracer wrote, such as traces/mine")
    trying.add_argument("mistake", nargs="?", help="such as never_zeroed (default: a table of all)")
    trying.add_argument("--out", metavar="FOLDER", help="for the traces and the picture of one mistake (default: FOLDER_lab)")
    trying.add_argument("--force", action="store_true", help="replace other runs that stand there")
    trying.set_defaults(run=_lab)

    verifying = commands.add_parser("verify", help="derive every row of a trace again and name the first that is wrong")
    verifying.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    verifying.add_argument("--strict", action="store_true", help="what could not be checked counts as a failure: exit code 1")
    verifying.add_argument("--long", action="store_true", help="also what takes long: data of more than 20,000 numbers")
    verifying.set_defaults(run=reading(_verify))

    writing = commands.add_parser("flat", help="print a network's loss and backpropagation as one straight-line Python function")
    writing.add_argument("folder", metavar="path", help="a trace folder, or a model file that MLP.save wrote")
    writing.add_argument("--loss", help="the loss, such as mse (default: the one that the trace was trained with)")
    writing.add_argument("--c", action="store_true", help="the same function in C, as engine='c' compiles it")
    writing.set_defaults(run=reading(_flat))


DAMAGE = (LookupError, AttributeError, TypeError, RecursionError, OverflowError, FloatingPointError, ZeroDivisionError)
"""What reading a folder runs into whose files contradict each other."""


def reading(run: Callable[[Any], int]) -> Callable[[Any], int]:
    """A command that reads the trace in `options.folder`: files that do not fit each other are a sentence, too."""

    def guarded(options: Any) -> int:
        try:
            return run(options)
        except DAMAGE as error:
            told = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise ValueError(f"{options.folder} is damaged, its files do not fit each other: {told}") from error

    return guarded


def _show(options: Any) -> int:
    from micrograd_lite.sweep import SWEEP

    if Path(options.folder, SWEEP).is_file():
        from micrograd_lite.cli.job import report

        if any(getattr(options, name) not in (None, False) for name in ("step", "sample", *QUESTIONS)):
            raise ValueError(f"{options.folder} holds a sweep: --step and the questions about it are for the trace of a run")
        say(report(options.folder, options.format), end="")
        return 0
    from micrograd_lite.trace import Trace
    from micrograd_lite.trace.show import gradient_table, recorded_chain

    number, form = options.step, options.format
    asked = [name for name in QUESTIONS if getattr(options, name)]
    if options.sample is not None and not (options.forward or options.chain):
        raise ValueError("--sample goes with --forward or --chain")
    if not asked:
        say(gradient_table(Trace(options.folder), number, form), end="")
    elif options.chain and options.sample is None and _chosen(Trace(options.folder), number):
        say(recorded_chain(Trace(options.folder), number, form), end="")
    else:
        say(_answer(asked[0], options), end="")
    return 0


QUESTIONS = ("forward", "chain", "toward", "by_sample", "optimizer", "paths", "matrix")


def _chosen(trace: Any, number: int | None) -> bool:
    """Did the run write this step's edges down itself? Of a loop of one's own nothing else is to be had."""
    from micrograd_lite.trace.kinds import by_hand

    asked = [number] if number is not None else trace.steps()[-1:]
    return by_hand(trace.run) or bool(set(asked) & set(trace.run.get("chain_rule") or []))


def _answer(question: str, options: Any) -> str:
    from micrograd_lite.text.tables import EXACT
    from micrograd_lite.trace import Trace, ask
    from micrograd_lite.trace.rebuild import Rebuild

    form = options.format
    if question == "optimizer":
        trace = Trace(options.folder)
        return ask.optimizer(trace, trace.last_recorded() if options.step is None else options.step, form)
    step = Rebuild(options.folder).step(options.step)
    if question in ("forward", "chain"):
        made = {"forward": ask.forward, "chain": ask.backward}[question](step, form, options.sample)
    elif question == "by_sample":
        made = ask.by_sample(step, form)
    else:
        made = {"toward": ask.toward, "paths": ask.paths, "matrix": ask.matrix}[question](step, getattr(options, question), form)
    return made if not step.note or form in EXACT else f"{made}\n{step.note}\n"


def _diff(options: Any) -> int:
    from micrograd_lite.trace.diff import compare

    found = compare(options.folder, options.b, options.within)
    say(f"A is {options.folder}, B is {options.b}", found, sep="\n")
    return 0 if found.equal else 1


def _diagnose(options: Any) -> int:
    from micrograd_lite.lab.diagnose import diagnose

    say(diagnose(options.folder), end="")
    return 0


def _lab(options: Any) -> int:
    from pathlib import Path

    from micrograd_lite.lab.mistakes import all_mistakes, one_mistake

    if options.mistake is None:
        if options.out or options.force:
            raise ValueError("--out and --force are for one mistake: the table of all leaves nothing behind")
        print(all_mistakes(options.folder), end="")
        return 0
    beside = Path(options.folder)
    out = Path(options.out) if options.out else beside.with_name(f"{beside.resolve().name}_lab")
    print(one_mistake(options.folder, options.mistake, out, options.force or "same"), end="")
    return 0


def _verify(options: Any) -> int:
    from micrograd_lite.verify import verify

    report = verify(options.folder, long=options.long)
    say(report.text(), end="")
    return 1 if report.wrong or (options.strict and not report.proved) else 0


def _flat(options: Any) -> int:
    from micrograd_lite.flat.model import model_program
    from micrograd_lite.trace.network import read_network

    program, text = model_program(*read_network(options.folder, options.loss)), None
    if options.c:
        from micrograd_lite.flat.c import c_text

        text = c_text(program.written).source
    say(text or program.source, end="")
    return 0
