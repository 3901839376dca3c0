"""A border that bends: 16 + 16 relu neurons learn to tell two half moons apart, and you can watch the border move.

You will see the loss and the share of right answers every ten steps, and an animation of what the net answers everywhere.

    python demos/05_moons.py

Last line: look at traces/moons/decision_boundary.gif
"""

from pathlib import Path

from micrograd_lite import MLP, SGD, data, hinge, train
from micrograd_lite.demo import demo, progress
from micrograd_lite.pictures.render import render
from micrograd_lite.text.tables import table
from micrograd_lite.trace import Tracer


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Train on 100 points, all in one batch, with the hinge loss: every point wants a margin of 1 from the border."""
    moons, net, folder, epochs = data.moons(), MLP(2, [16, 16, 1], seed=1), out / "moons", 10 if quick else 100
    rows = []
    with Tracer(folder, force=force) as tracer:
        print(f"{net.summary()}\n")
        steps = train(net, moons, loss=hinge, optimizer=SGD(lr=1.0), epochs=epochs, evaluate_every=10)
        for step in progress(steps, total=epochs, title="moons"):
            tracer.watch(step)
            if step.evaluation:
                rows.append([str(step.number), f"{step.loss:.6g}", f"{step.evaluation['train_accuracy']:.2f}"])
    print(table(("step", "hinge loss before it", "accuracy after it"), rows))
    (x, y), target = moons.inputs[0], moons.targets[0]
    score = net.predict([x, y])
    cost = max(0.0, 1.0 - target * score)
    print(f"Point 0 is ({x:.4f}, {y:.4f}) with target {target:.0f}. The net's score is {score:.4f}, so the point costs")
    print(f"max(0, 1 - ({target:.0f}) x ({score:.4f})) = {cost:.4f}. A score of the right sign, at least 1 from 0,")
    print("costs nothing and has no slope: only points near the border still move it.\n")
    print("wrote", *render(folder), sep="\n  ")
    print(f"look at {folder / 'decision_boundary.gif'}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
