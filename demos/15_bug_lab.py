"""Ten well-known mistakes in backpropagation: most of them still learn, and each is found by comparing two traces.

You will see how far each gets on XOR, and the first row of its trace that differs from that of the right engine.

    python demos/15_bug_lab.py

Last line: micrograd-lite diff traces/bug_lab/right traces/bug_lab/never_zeroed
"""

from pathlib import Path

from micrograd_lite.demo import demo, progress
from micrograd_lite.lab.bugs import BUGS, RIGHT, RIGHT_ADAM, Bug, wrong_steps
from micrograd_lite.text.tables import table
from micrograd_lite.trace import Trace, Tracer
from micrograd_lite.trace.diff import compare


def losses(bug: Bug, folder: Path, epochs: int, force: bool | str) -> list[float]:
    """Train with a bug, written down; the losses up to the end, or to where the numbers overflow."""
    try:
        with Tracer(folder / bug.name, every=10, force=force) as tracer:
            return [step.loss for step in tracer.follow(progress(wrong_steps(bug, epochs), epochs, bug.name))]
    except FloatingPointError:
        return [row["loss"] for row in Trace(folder / bug.name).metrics()]


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Train without a bug, then with each, and compare."""
    folder, epochs, rows, told = out / "bug_lab", 100 if quick else 1000, [], []
    right = {bug.name: losses(bug, folder, epochs, force) for bug in (RIGHT, RIGHT_ADAM)}
    for name, bug in BUGS.items():
        model = RIGHT_ADAM.name if bug.terms else RIGHT.name
        run = losses(bug, folder, epochs, force)
        difference = compare(folder / model, folder / name).difference
        ended = f"{run[-1]:.6f}" + ("" if len(run) == epochs else f", then overflow at step {len(run) + 1}")
        place = f"step {difference.step}, {difference.row or difference.a}, {difference.column}"
        rows.append([name, f"{run[0]:.4f}", ended, f"{right[model][-1]:.6f}", place])
        told.append(f"{name}: {bug.effect}.\n    {difference}")
    print(table(("bug", "first loss", "last loss with it", "without", "the first difference"), rows))
    print(*told, sep="\n")
    print(f"\nSet side by side by\nmicrograd-lite diff {folder / 'right'} {folder / 'never_zeroed'}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
