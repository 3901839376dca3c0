"""Layers: two linear layers are one, and training turns that one into the price formula of the data.

You will see four published outputs, the product of the layers, and how it moves to (2, 3): price = 2 x volume + 3 x weight.

    python demos/02_parts.py

Last line: look at traces/parts/adam/weights_update.gif
"""

from pathlib import Path

from micrograd_lite import MLP, SGD, Adam, data, mse, train
from micrograd_lite.demo import demo, progress
from micrograd_lite.pictures.render import render
from micrograd_lite.text.tables import table
from micrograd_lite.trace import Tracer

W1 = [[-0.8113182, 1.4845988, 0.06532937], [-2.4427042, 0.0992484, 0.5912243]]  # a row for each input
W2 = [[-0.8113182], [1.4845988], [0.06532937]]  # a column for each neuron
PUBLISHED = [3.0904665, 1.2236414, 1.7270732, 2.2305048]


def network() -> MLP:
    """Two inputs, three linear neurons, one linear output; no biases."""
    return MLP(2, [3, 1], activation="linear", init=[W1, W2], bias=False)


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Show the forward pass and the product, then train from one start three times."""
    parts, net, epochs = data.parts(), network(), 50 if quick else 500
    volume, weight = (row[0] * W2[0][0] + row[1] * W2[1][0] + row[2] * W2[2][0] for row in W1)  # the matrix product W1 W2
    rows = []
    for (v, w), published, price in zip(parts.inputs, PUBLISHED, parts.targets):
        answers = (net.predict([v, w]), published, volume * v + weight * w)
        rows.append([f"{v} {w}", *(f"{answer:.7f}" for answer in answers), f"{price}"])
    print(table(("volume weight", "2-3-1 network", "published", "one layer", "price"), rows))
    print("The published numbers were computed in single precision: their seventh decimal may be off by one.")
    print(f"Without an activation the two layers are one: w1 w2 = ({volume:.7f}, {weight:.7f}), the column `one layer`.\n")

    optimizers = {"sgd": SGD(lr=0.1), "momentum": SGD(lr=0.02, momentum=0.9), "adam": Adam(lr=0.01)}
    rows, pictures = [], []
    for name, optimizer in optimizers.items():
        folder, net = out / "parts" / name, network()
        with Tracer(folder, force=force) as tracer:
            for step in progress(train(net, parts, loss=mse, optimizer=optimizer, epochs=epochs), epochs, name):
                tracer.watch(step)
                if step.number in (1, 10, 50, 500):
                    product = (f"{net.predict(unit):.6f}" for unit in ([1.0, 0.0], [0.0, 1.0]))
                    rows.append([name, str(step.number), f"{step.loss:.3e}", *product])
        pictures += render(folder)
    print(table(("optimizer", "step", "loss before it", "w1 w2: volume", "w1 w2: weight"), rows))
    print("All three head for (2, 3), each with its own w1 and w2: many pairs of layers have the same product.")
    print("wrote", *pictures, sep="\n  ")
    print(f"look at {folder / 'weights_update.gif'}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
