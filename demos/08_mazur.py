"""Mazur's example, digit by digit: the step that thousands have computed by hand, and what sharing a bias does to it.

You will see the gradient table of the first step, the published numbers, and the same step with the biases learning too.

    python demos/08_mazur.py

Last line: look at traces/mazur/gradients.csv
"""

from pathlib import Path

from micrograd_lite import MLP, SGD, Value, data, half_squared_error, train
from micrograd_lite.demo import demo, progress
from micrograd_lite.pictures.render import render
from micrograd_lite.text.tables import table
from micrograd_lite.trace import Trace, Tracer
from micrograd_lite.trace.show import gradient_table

W1, W2 = [[0.15, 0.25], [0.20, 0.30]], [[0.40, 0.50], [0.45, 0.55]]  # a column for each neuron: w1 w2, w3 w4; w5 w6, w7 w8


def network(shared: bool) -> MLP:
    """2-2-2 sigmoid. The two neurons of a layer share one bias, one Value used twice, or have one each."""
    net = MLP(2, [2, 2], activation="sigmoid", output="sigmoid", init=[W1, W2])
    for layer, start in zip(net.layers, (0.35, 0.60)):
        tied = Value(start)
        for neuron in layer.neurons:
            neuron.b = tied if shared else Value(start)
    return net


def after_one_step(shared: bool) -> float:
    """The loss after one step of all weights and biases."""
    _, second = train(network(shared), data.mazur(), loss=half_squared_error, optimizer=SGD(lr=0.5), epochs=2)
    return second.loss


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Train with both biases held fixed, as Mazur does; then repeat his first step with the biases learning too."""
    net, folder, epochs, losses = network(shared=True), out / "mazur", 100 if quick else 10_000, []
    weights = [name for name in net.state_dict() if ".w" in name]
    with Tracer(folder, force=force) as tracer:
        steps = train(net, data.mazur(), loss=half_squared_error, optimizer=SGD(lr=0.5), epochs=epochs, parameters=weights)
        for step in progress(steps, total=epochs, title="mazur"):
            tracer.watch(step)
            losses.append(step.loss)
    print("The first step, w1 to w8 from top to bottom; the biases are held fixed:\n", gradient_table(Trace(folder), 1), sep="\n")
    rows = [["before step 1", f"{losses[0]:.9f}", "0.298371109"], ["after it", f"{losses[1]:.9f}", "0.291027924"]]
    rows.append([f"before step {epochs}", f"{losses[-1]:.10f}", "" if quick else "0.0000351085"])
    print(table(("loss", "here", "published"), rows))
    print("The second published loss ends in a slip: even the rounded weights that Mazur prints give 0.291027774.")
    both, four = f"{after_one_step(shared=True):.9f}", f"{after_one_step(shared=False):.9f}"
    print(f"If the two shared biases learn too it is {both}, with a bias for each neuron {four}: a shared bias adds up the")
    print("shares of both its neurons, like any Value that is used twice.\n")
    print("wrote", *render(folder), sep="\n  ")
    print(f"look at {folder / 'gradients.csv'}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
