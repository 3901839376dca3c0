"""The learning rate has a limit, and the curvature of the loss says which: 2 / the largest eigenvalue of the Hessian.

You will see one linear unit find y = 2x + 3, what is left of its slowest error, and a step too large, before it explodes.

    python demos/03_line.py

Last line: look at traces/line/training_loss.gif
"""

from math import fsum, hypot
from pathlib import Path

from micrograd_lite import MLP, SGD, data, mse, train
from micrograd_lite.demo import demo, progress
from micrograd_lite.lab.diagnose import predicted_and_measured
from micrograd_lite.pictures.render import render
from micrograd_lite.text.tables import table
from micrograd_lite.trace import Trace, Tracer

XS = [x for (x,) in data.line().inputs]
WW, WB, BB = 2 * fsum(x * x for x in XS) / len(XS), 2 * fsum(XS) / len(XS), 2.0  # the Hessian of mean((w x + b - y)**2)
SLOW, FAST = ((WW + BB) / 2 + sign * hypot((WW - BB) / 2, WB) for sign in (-1, 1))  # its eigenvalues, as for any 2 x 2 matrix


def slow_error(w: float, b: float) -> float:
    """How far (w, b) is from (2, 3) along the slow direction, the eigenvector (WB, SLOW - WW)."""
    return ((w - 2.0) * WB + (b - 3.0) * (SLOW - WW)) / hypot(WB, SLOW - WW)


def steps(lr: float, epochs: int):
    """Train w and b from 0; each step also measures its change of the loss, beside what the slope promised."""
    return train(MLP(1, [1], init="zeros"), data.line(), loss=mse, optimizer=SGD(lr=lr), epochs=epochs, change_every=1)


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Train below the limit, then just below and just above it."""
    epochs, folder, rows, losses, said = 100 if quick else 1000, out / "line", [], {}, ""
    with Tracer(folder, force=force) as tracer:
        for step in tracer.follow(progress(steps(0.01, epochs), total=epochs, title="line")):
            w, b = step.after
            if step.number in (1, 2, 10, 100, 1000):
                rows.append([str(step.number), f"{step.loss:.6g}", f"{w:.6f}", f"{b:.6f}", f"{slow_error(w, b):.6f}"])
    print(table(("step", "loss before it", "w", "b", "error along the slow direction"), rows))
    left, formula = slow_error(w, b) / slow_error(0.0, 0.0), (1.0 - 0.01 * SLOW) ** epochs
    print(f"The Hessian (({WW:g}, {WB:g}), ({WB:g}, {BB:g})) has the eigenvalues {SLOW:.5f} and {FAST:.4f}.")
    print(f"A step at learning rate 0.01 leaves the share 1 - 0.01 x {SLOW:.5f} of the slow error. After {epochs} of them")
    print(f"{left:.2%} was left in this run, and the formula says {formula:.2%}.\n")
    print(f"Along the fast direction it is 1 - lr x {FAST:.4f}, below -1 when lr is above 2 / {FAST:.4f} = {2 / FAST:.6f}:\n")
    for lr in (0.08, 0.09):
        with Tracer(out / f"line_lr_{lr}", force=force) as tracer:
            losses[lr] = [step.loss for step in tracer.follow(steps(lr, 100))]
        said += f"\nlr {lr}: {predicted_and_measured(Trace(tracer.folder))[0]}\n"
    rows = [[str(number), *(f"{run[number - 1]:.6g}" for run in losses.values())] for number in (1, 2, 3, 10, 30, 100)]
    print(table(("step", *(f"loss at lr {lr}" for lr in losses)), rows), said, sep="")
    print("wrote", *render(folder), sep="\n  ", end=f"\nlook at {folder / 'training_loss.gif'}\n")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
