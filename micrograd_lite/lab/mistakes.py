"""What each well-known mistake does to your own network, and where it does nothing at all.

    micrograd-lite lab traces/mine                 a table of all mistakes
    micrograd-lite lab traces/mine never_zeroed    the first row that differs, both last losses, both curves

Some mistakes do not show on some networks: then the numbers are the right ones, and the reason is said.
"""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path

from micrograd_lite.architecture import choose
from micrograd_lite.lab.bugs import BUGS, RIGHT, Bug
from micrograd_lite.lab.retrain import Laboratory, Retrained
from micrograd_lite.optim import Adam
from micrograd_lite.text.tables import table
from micrograd_lite.trace.diff import compare

WORK = 1_000_000
"""Edges that a run in the table of all mistakes walks, so that the table takes no minutes."""
EVERYWHERE = "micrograd-lite train xor --layers 4,2 --activation sigmoid"
"""A network on which every mistake shows: two hidden layers, sigmoids, biases, Adam, several samples a step."""
WIDEST = 46
"""Letters of a row's name in the table."""
BENT = {"sigmoid", "tanh"}
"""Activations whose slope at the sum is another number than at the output."""


def one_mistake(folder: str | os.PathLike[str], name: str, out: Path, force: bool | str = False) -> str:
    """Train the run of a trace with one mistake, and say what differs; traces and picture are left in `out`.

    ValueError for an unknown mistake or a trace that cannot be trained again; OSError names a path.
    """
    bug, laboratory = BUGS[choose("mistake", name, BUGS)], Laboratory(folder)
    about = f"{name}: {effect(bug, laboratory)}."
    if why := unseen(bug, laboratory):
        return f"{about}\n\nIt does not show on this network: {why}.\nIt shows on this one: {EVERYWHERE}\n"
    from micrograd_lite.pictures.curves import compared  # NumPy and Pillow load only where something is drawn

    runs = {each.name: laboratory.record(each, out / each.name, laboratory.steps, force) for each in (RIGHT, bug)}
    picture, recorded = out / f"{name}.png", laboratory.run
    losses = {f"{each} ({ended(run)})": run.losses for each, run in runs.items()}
    title = f"{recorded['data']['name']}, {recorded['optimizer']['name']}: {name}"
    compared(picture, losses, title, f"loss ({recorded['loss']})")
    rows = [[each, f"{run.losses[0]:.6g}", ended(run)] for each, run in runs.items()]
    means = "\nIts loss is shown as a mean, to be compared." if bug.reduce else ""
    return (
        f"{about}\n\nThe first row that differs; A is right, B has the mistake:\n"
        f"{compare(out / RIGHT.name, out / name).difference}\n\n"
        f"{table(('run', 'first loss', 'last loss'), rows)}{means}\n"
        f"Both curves: {picture}\nBoth traces: micrograd-lite diff {out / RIGHT.name} {out / name}\n"
    )


def all_mistakes(folder: str | os.PathLike[str]) -> str:
    """A table of all mistakes on the run of a trace, what differs first with each, and why some do not show here."""
    laboratory = Laboratory(folder)
    steps = min(laboratory.steps, max(2, WORK // laboratory.edges))
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        right = laboratory.record(RIGHT, out / RIGHT.name, steps)
        rows, told = [["(none)", "", "", ended(right)]], []
        for name, bug in BUGS.items():
            why = unseen(bug, laboratory)
            run = None if why else laboratory.record(bug, out / name, steps)
            found = first_place(out, name) if run else ("invisible here", "")
            rows.append([name, *found, ended(run or right)])
            told.append(f"{name}: {f'invisible here: {why}' if why else effect(bug, laboratory)}.")
    shorter = f" of {laboratory.steps:,}" if steps < laboratory.steps else ""
    return (
        f"{laboratory.trace.folder}, trained again for {steps:,}{shorter} steps with each mistake\n\n"
        f"{table(('mistake', 'differs first at', 'in', 'last loss'), rows)}\n" + "\n".join(told) + "\n\n"
        f"Every one of them shows on this network: {EVERYWHERE}\n"
        f"More of one: micrograd-lite lab {laboratory.trace.folder} {next(iter(BUGS))}\n"
    )


def first_place(out: Path, name: str) -> tuple[str, str]:
    """Step and row of the first difference between the right run and one with a mistake; table and column."""
    found = compare(out / RIGHT.name, out / name).difference
    if found is None:
        return "no recorded row", ""
    row = found.row if len(found.row) <= WIDEST else f"{found.row[: WIDEST - 3]}..."
    return f"step {found.step}" + (f", {row}" if row else ""), f"{found.table}, {found.column}"


def ended(run: Retrained) -> str:
    """The last loss of a run, or where its numbers overflowed."""
    return run.overflow or ("overflow" if math.isnan(run.last) else f"{run.last:.6g}")


def effect(bug: Bug, laboratory: Laboratory) -> str:
    """What becomes of a mistake, with the numbers of this run."""
    name, samples = laboratory.run["optimizer"]["name"], laboratory.samples
    if bug.name == "unordered" and laboratory.several_uses:
        return f"{bug.effect}; here {laboratory.several_uses:,} inner numbers have several uses"
    if bug.name not in ("sum_for_mean", "called_twice"):
        return bug.effect
    summed = f"as if the learning rate were {samples} times as large, for {samples} samples are in a step"
    scaled = summed if bug.reduce else bug.effect
    return scaled if name == "SGD" else f"{scaled}; but {name} divides by the size of the gradient and hardly notices"


def unseen(bug: Bug, laboratory: Laboratory) -> str:
    """Why a mistake does not show in this run; empty where it does."""
    optimizer = laboratory.optimizer()
    if bug.terms and not isinstance(optimizer, Adam):
        return f"it is a mistake in Adam, and this run is trained by {type(optimizer).__name__}"
    return "" if laboratory.shows(bug) else reason(bug, laboratory)


def reason(bug: Bug, laboratory: Laboratory) -> str:
    """What a network without a difference has not got."""
    architecture = laboratory.run["model"]
    activations = {*architecture["activation"], architecture["output"]}
    right = {
        "overwritten": "every weight is used once in a step",
        "unordered": "every inner number is used once, so any order is right",
        "never_zeroed": "there is one step only, and no old gradient" if laboratory.steps < 2 else "the gradients are 0",
        "slope_at_the_sum": f"no unit is a sigmoid or a tanh; {', '.join(sorted(activations))}: the sum has the same slope",
        "updated_too_early": "there is one layer only, and no error goes back through its weights",
        "bias_forgotten": "it has no biases",
        "sum_for_mean": "a step sees one sample" if laboratory.samples == 1 else f"{laboratory.run['loss']} is a sum already",
        "uncorrected": "the correction is left out of this run already",
        "eps_inside": "all gradients are so large that eps is nothing beside them",
    }[bug.name]
    return "its numbers agree all the same" if bug.name == "slope_at_the_sum" and activations & BENT else right
