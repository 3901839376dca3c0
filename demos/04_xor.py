"""XOR, the smallest problem that needs a hidden layer: as a well-known page trains it, and with the biases that it lacks.

You will see its published losses again, what biases change, and both runs written down: every number, and pictures.

    python demos/04_xor.py

Last line: look at traces/xor/weights_update.gif
"""

from pathlib import Path

from micrograd_lite import MLP, SGD, Loss, Tracer, data, half_squared_error, mse, train
from micrograd_lite.demo import demo, progress
from micrograd_lite.pictures.render import render
from micrograd_lite.text.tables import table

W1 = [[0.5488135039273248, 0.7151893663724195], [0.6027633760716439, 0.5448831829968969]]
W2 = [[0.4236547993389047], [0.6458941130666561]]
PUBLISHED = {
    1: 0.2758878242324435, 1001: 0.1729955659592114, 2001: 0.07902763587631675, 3001: 0.04742081948953081,
    4001: 0.03288600382565547, 5001: 0.02480908176630337, 6001: 0.01975533852734622, 7001: 0.01632909467792852,
    8001: 0.013868761098711787, 9001: 0.012024254441977914, 10000: 0.010595717501906219,
}  # fmt: skip


def network(bias: bool) -> MLP:
    """Two inputs, two hidden sigmoid neurons, one sigmoid output."""
    return MLP(2, [2, 1], activation="sigmoid", output="sigmoid", init=[W1, W2], bias=bias)


def gradients(loss: Loss) -> list[float]:
    """The slope of the loss on all four rows toward each weight, at the start."""
    net = network(bias=False)
    loss([net(row) for row in data.xor().inputs], data.xor().targets).backward()
    return [weight.grad for weight in net.parameters()]


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Train without and with biases and draw both traces."""
    for name, bias in (("xor", False), ("xor_with_bias", True)):
        net, folder, epochs = network(bias), out / name, 100 if quick else 10_000
        chosen = {"epochs": epochs, "change_every": 1, "chain_rule": [1, epochs], "by_sample": [1, epochs]}
        with Tracer(folder, force=force) as tracer:
            print(f"{name}\n step  mse before it       published, without biases")
            for step in progress(train(net, data.xor(), loss=mse, optimizer=SGD(lr=1.0), **chosen), epochs, name):
                tracer.watch(step)
                if step.number in PUBLISHED:
                    print(f"{step.number:5d}  {step.loss:<18.14f}  {PUBLISHED[step.number]:.14f}", flush=True)
        print("answers", *(f"{a:.0f} xor {b:.0f}: {net.predict([a, b]):.4f}" for a, b in data.xor().inputs), sep="   ")
        print("wrote", *sorted({*render(folder), *folder.iterdir()}), sep="\n  ", end="\n\n")
    print("Why biases: a sigmoid neuron without one says 1/2 where w0*a + w1*b = 0, a line that must go through (0, 0).\n")
    slopes = zip(network(False).state_dict(), gradients(half_squared_error), gradients(mse))
    rows = [[name, *(f"{slope:.12f}" for slope in (half, 0.5 * half, 1.0 * mean))] for name, half, mean in slopes]
    print(table(("first step: slope of", "half squared error", "x 0.5, as published", "mse x 1.0, as here"), rows))
    print(f"look at {out / 'xor' / 'weights_update.gif'}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
