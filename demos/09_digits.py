"""Real handwritten digits, 8 x 8 pixels, on arrays: a batch of 64 images is one matrix, and a layer one product.

You will see the table of the layers, the accuracy on digits that the network never saw, and what it gets wrong.

    python demos/09_digits.py

Last line: look at traces/digits/weights_update.gif
"""

from pathlib import Path

import numpy as np

from micrograd_lite import Adam, Tracer, arrays, cross_entropy, data, train
from micrograd_lite.demo import demo, progress
from micrograd_lite.pictures.answers import confusion, predictions
from micrograd_lite.pictures.render import render


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Train 64-64-10 on 1,437 digits and test it on the other 360."""
    training, unseen = data.split(data.digits(), test=0.2, seed=0)
    net = arrays.MLP(64, [64, 10], dtype="float32", seed=0)
    print(arrays.to_scalar(net).summary())
    inputs = np.array(unseen.inputs, dtype=np.float32)
    print("one image is a row of 64 numbers; its first three rows of pixels, in sixteenths:")
    print((16 * inputs[0].reshape(8, 8)[:3]).astype(int), end="\n\n")

    epochs, folder = 3 if quick else 40, out / "digits"
    steps = train(net, training, loss=cross_entropy, optimizer=Adam(lr=0.003), batch_size=64, epochs=epochs, test=unseen,
                  evaluate_every=23)  # fmt: skip
    with Tracer(folder, every=23, weights_every=23, force=force) as tracer:
        for step in tracer.follow(progress(steps, 23 * epochs, "digits")):
            if step.evaluation and step.epoch in (1, 2, 3, 5, 10, 20, 40):
                shares = "  ".join(f"{name} {value:.4f}" for name, value in step.evaluation.items())
                print(f"epoch {step.epoch:2d}  loss {step.loss:.4f}  {shares}")

    outputs = net.predict(inputs)
    wrong = np.flatnonzero(outputs.argmax(axis=1) != unseen.targets)
    mistakes = ", ".join(f"a {unseen.targets[row]} taken for a {outputs[row].argmax()}" for row in wrong[:6])
    print(f"\n{len(wrong)} of {len(inputs)} unseen digits are wrong: {mistakes}{', ...' if len(wrong) > 6 else ''}")
    predictions(folder / "predictions.png", inputs, np.array(unseen.targets), outputs)
    confusion(folder / "confusion.png", np.array(unseen.targets), outputs.argmax(axis=1))
    print("wrote", *sorted({*render(folder), *folder.glob("*.*")}), sep="\n  ")
    print(f"look at {folder / 'weights_update.gif'}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
