"""Commands for a class: a step of training as a sheet to fill in, and filled sheets marked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from micrograd_lite.cli import one_line, say, visible

MADE_UP = ("activation", "output", "loss", "optimizer", "lr")
"""Options of a network that is made up."""


def add_commands(commands: Any) -> None:
    """Add the commands of this page to the subparsers of argparse; each sets `run`, which returns the exit code."""
    making = commands.add_parser("worksheet", help="one step of training as a sheet to fill in by hand, with its key")
    making.add_argument("folder", nargs="?", help="a trace, such as traces/mine; or --sizes instead")
    making.add_argument("--sizes", metavar="2,2,1", help="inputs, neurons of each layer, outputs: a network that is made up")
    making.add_argument("--step", type=int, help="a recorded step (default: the first)")
    making.add_argument("--sample", type=int, metavar="K", help="of the batch (default: the one that moves most weights)")
    making.add_argument("--level", type=int, default=2, choices=(1, 2, 3), help="blank are with 1 shares, gradient and update, "
                        "with 2 the partials too, with 3 the forward pass too: everything (default: 2)")
    making.add_argument("--blank", default="", metavar="share,total", help="columns or rows that are blank, instead of a level")
    making.add_argument("--seed", type=int, help="other numbers: the run trained again from it, or the network made up from it")
    making.add_argument("--digits", type=int, default=4, help="significant digits, 3 to 9 (default: 4)")
    making.add_argument("--out", required=True, metavar="DIR", help="for sheet.html, sheet.csv, key.html and key.csv")
    for name in MADE_UP:
        making.add_argument(f"--{name}", type=float if name == "lr" else str, help=f"with --sizes: {HELP[name]}")
    making.set_defaults(run=_worksheet)

    marking = commands.add_parser("mark", help="mark filled worksheets: right, wrong, right from an own earlier number, missing")
    marking.add_argument("sheets", nargs="+", metavar="SHEET.csv", help="sheet.csv as somebody filled it in")
    marking.add_argument("--key", required=True, metavar="KEY.csv", help="key.csv, as worksheet wrote it")
    marking.add_argument("--out", metavar="MARKS.csv", help="a row for each sheet, with the verdict of each cell")
    marking.add_argument("--format", choices=("text", "json"), default="text")
    marking.set_defaults(run=_mark)


HELP = {
    "activation": "of the hidden layers (default: tanh)", "output": "activation of the last layer (default: linear)",
    "loss": "such as binary_cross_entropy (default: mse)", "optimizer": "SGD, RMSprop, Adam or AdamW (default: SGD)",
    "lr": "the learning rate (default: 0.5)",
}  # fmt: skip


def _worksheet(options: Any) -> int:
    from micrograd_lite.cli.traces import reading

    if (options.folder is None) == (options.sizes is None):
        raise ValueError("a worksheet is of a trace folder, or of a network that is made up with --sizes 2,2,1: give one of them")
    return (_made if options.folder is None else reading(_made))(options)


def _made(options: Any) -> int:
    from micrograd_lite.classroom.cells import Numbers
    from micrograd_lite.classroom.lesson import from_sizes, from_trace
    from micrograd_lite.classroom.paper import page
    from micrograd_lite.classroom.sheet import Sheet
    from micrograd_lite.text.files import write_whole

    asked = {name: getattr(options, name) for name in MADE_UP if getattr(options, name) is not None}
    if options.folder is not None:
        if asked:
            raise ValueError(f"--{next(iter(asked))} is for --sizes: a trace has its own")
        lesson = from_trace(options.folder, options.step, options.seed, options.sample)
    else:
        lesson = from_sizes(_sizes(options.sizes), seed=options.seed or 0, step=1 if options.step is None else options.step,
                            sample=options.sample, **asked)  # fmt: skip
    blank = [name.strip() for name in options.blank.split(",") if name.strip()]
    sheet = Sheet(Numbers(lesson), options.level, blank, options.digits)
    files = {"sheet.html": page(sheet), "sheet.csv": sheet.csv(), "key.html": page(sheet, key=True), "key.csv": sheet.key()}
    place = Path(options.out)
    for name, content in files.items():
        if (place / name).exists() and (place / name).read_bytes() != content.encode():
            raise FileExistsError(f"{place / name} is another sheet, or is filled in; choose another --out")
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_whole(place / name, content)
        say(place / name)
    say(f"{len(sheet.blanks)} numbers to fill in; when they are: micrograd-lite mark SHEET.csv --key {place / 'key.csv'}")
    return 0


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(size) for size in text.split(","))
    except ValueError as error:
        raise ValueError(f"--sizes needs whole numbers with commas between them, such as 2,2,1; got {text!r}") from error


def _mark(options: Any) -> int:
    from micrograd_lite.classroom.answers import read_answers, read_key
    from micrograd_lite.classroom.mark import Marks, mark
    from micrograd_lite.classroom.marks import marks_csv, marks_json, marks_text
    from micrograd_lite.text.files import replaces_only, write_whole

    if options.out is not None:
        replaces_only(options.out, b"sheet,right,own_number,wrong,missing,", "marks")
    key = read_key(options.key)
    names = [Path(sheet).name for sheet in options.sheets]
    marked: dict[str, Marks] = {}
    failed = 0
    for sheet, name in zip(options.sheets, names):
        try:
            marked[name if names.count(name) == 1 else sheet] = mark(read_answers(sheet, key), key)
        except (ValueError, OSError) as error:
            print(f"error: {visible(one_line(error))}", file=sys.stderr)
            failed += 1
    if marked:
        if options.out is not None:
            write_whole(options.out, marks_csv(marked, key))
        say((marks_json if options.format == "json" else marks_text)(marked, key), end="")
    return 2 if failed else 0
