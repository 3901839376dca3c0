"""Five optimizers on one loss: two parameters, one start, five paths down the same valley.

You will see what each does in its first steps and where it ends, why Adam corrects its means, and all the paths in one picture.

    python demos/07_optimizers.py

Last line: look at traces/optimizers/optimizer_paths.gif
"""

from pathlib import Path

from micrograd_lite import MLP, SGD, Adam, RMSprop, Value, data, mse, train
from micrograd_lite.demo import demo, progress
from micrograd_lite.pictures.optimizer_paths import optimizer_paths
from micrograd_lite.pictures.render import render
from micrograd_lite.text.tables import table
from micrograd_lite.trace import Trace, Tracer


def moves(optimizer: Adam) -> list[float]:
    """How far each of five steps goes, in learning rates, when the gradient is always 1."""
    weight = Value(0.0)
    weight.grad = 1.0
    return [-optimizer.step([weight])[0].update / optimizer.lr(step) for step in range(1, 6)]


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Fit y = 2x + 3 five times from w = b = 0."""
    epochs, rows, traces, pictures = 20 if quick else 200, [], {}, []
    optimizers = {
        "sgd": SGD(lr=0.05),
        "momentum": SGD(lr=0.01, momentum=0.9),
        "rmsprop": RMSprop(lr=0.1),
        "adam": Adam(lr=0.1),
        "adam_uncorrected": Adam(lr=0.1, bias_correction=False),
    }
    for name, optimizer in optimizers.items():
        folder, net = out / "optimizers" / name, MLP(1, [1], init="zeros")
        with Tracer(folder, force=force) as tracer:
            for step in progress(train(net, data.line(), loss=mse, optimizer=optimizer, epochs=epochs), epochs, name):
                tracer.watch(step)
                if step.number in (1, 2, 10, epochs):
                    rows.append([name, str(step.number), *(f"{number:.6g}" for number in (step.loss, *step.after))])
        traces[name] = Trace(folder)
        pictures += render(folder)
    print(table(("optimizer", "step", "loss before it", "w", "b"), rows))
    adams = {"adam": Adam(), "adam_uncorrected": Adam(bias_correction=False)}
    rows = [[name, *(f"{move:.2f} lr" for move in moves(adam))] for name, adam in adams.items()]
    print(table(("move where g = 1", *(f"step {number}" for number in range(1, 6))), rows))
    print("Adam's means of g and of g * g start at 0: after one step they are 0.1 and 0.001 where they should be 1 and 1.")
    print("So without the correction the first step is 0.1 / sqrt(0.001) = 3.16 learning rates long.\n")
    paths = out / "optimizers" / "optimizer_paths.gif"
    optimizer_paths(paths, traces, x="layer0.neuron0.w0", y="layer0.neuron0.b")
    print("wrote", *pictures, sep="\n  ")
    print(f"look at {paths}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
