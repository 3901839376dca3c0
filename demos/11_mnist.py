"""MNIST at full size: what unscaled starting weights cost, and what well-scaled ones give, on 60,000 real images.

    python demos/11_mnist.py --recipe adam        (784-256-128-10, Adam: N(0, 1) against He weights)
    python demos/11_mnist.py --recipe sigmoid     (784-128-10 sigmoid: as a well-known page has it, then corrected)

Last line: look at traces/mnist_corrected/weights_update.gif
"""

from argparse import ArgumentParser
from itertools import pairwise
from pathlib import Path

import numpy as np

from micrograd_lite import SGD, Adam, Tracer, cross_entropy, data, dense, half_squared_error, train
from micrograd_lite.array_training import predict
from micrograd_lite.cli import demo
from micrograd_lite.export.answers import confusion, predictions
from micrograd_lite.export.render import render
from micrograd_lite.progress import progress

ADAM = {"loss": cross_entropy, "optimizer": lambda: Adam(lr=0.001), "batch_size": 128}
SIGMOID = {"loss": half_squared_error, "optimizer": lambda: SGD(lr=0.1), "batch_size": 64, "shuffle": False}
BETTER = {**SIGMOID, "loss": cross_entropy, "optimizer": lambda: SGD(lr=0.5)}
RECIPES = {  # hidden layers, epochs, then the model and the training as written, and as corrected
    "adam": ([256, 128], 3, ({"init": "normal", "dtype": "float32"}, ADAM), ({"init": "he", "dtype": "float32"}, ADAM)),
    "sigmoid": ([128], 20, ({"activation": "sigmoid", "output": "sigmoid", "init": "legacy"}, SIGMOID), ({"activation": "sigmoid"}, BETTER)),
}  # fmt: skip


def main(out: Path, quick: bool, force: bool, recipe: str = "adam", root: str | None = None, epochs: int = 0) -> None:
    """Train the network as written and as corrected; --quick takes 2,000 images and one epoch."""
    hidden, usual, *runs = RECIPES[recipe]
    for name, (model, settings) in zip(("as_written", "corrected"), runs):
        parts = data.mnist_or_digits(root, model.get("dtype", "float64"))
        training, test = (part._replace(inputs=part.inputs[:2000], targets=part.targets[:2000]) if quick else part for part in parts)
        labels, widths, folder = np.array(test.targets), [len(training.inputs[0]), *hidden, 10], out / f"mnist_{name}"
        if model.get("init") == "legacy":  # the page's own numbers: NumPy's old generator, seed 0, N(0, 1) unscaled
            old = np.random.RandomState(0)
            model, training, test = {**model, "init": [old.randn(*pair).tolist() for pair in pairwise(widths)]}, *map(data.one_hot, (training, test))
        net, count = dense.MLP(widths[0], widths[1:], **model), 1 if quick else epochs or usual
        per_epoch = -(-len(training.inputs) // settings["batch_size"])
        steps = train(net, training, test=test, epochs=count, evaluate_every=per_epoch, **{**settings, "optimizer": settings["optimizer"]()})
        print(f"\n{name}: {settings['loss'].name}, weights between {net.layers[0].w.data.min():.2f} and {net.layers[0].w.data.max():.2f}")
        with Tracer(folder, every=10, weights_every=max(1, per_epoch * count // 20), force=force) as tracer:
            for step in tracer.follow(progress(steps, per_epoch * count, name)):
                if step.number == 1 or step.evaluation:
                    flat = " ".join(f"{np.mean(np.abs(slopes[0]) < 0.01):4.0%}" for slopes in step.fused.slopes if slopes)
                    accuracy = "  ".join(f"{part} {share:.4f}" for part, share in step.evaluation.items() if "accuracy" in part)
                    print(f"epoch {step.epoch:2d}  loss {step.loss:11.4f}  slope under 0.01 in layer 0, 1: {flat:9}  {accuracy}", flush=True)
        inputs, side = np.asarray(test.inputs, net.dtype), round(widths[0] ** 0.5)
        outputs = predict(net, inputs)
        predictions(folder / "predictions.png", inputs.reshape(-1, side, side), labels, outputs)
        confusion(folder / "confusion.png", labels, outputs.argmax(axis=1))
        render(folder)
    print("\nA slope of 0 lets no gradient through: unscaled weights make sums of hundreds, where a sigmoid is flat.")
    print(f"look at {out / 'mnist_corrected' / 'weights_update.gif'}")


if __name__ == "__main__":
    options = ArgumentParser(add_help=False)
    options.add_argument("--recipe", choices=RECIPES, default="adam", help="which network (default: adam)")
    options.add_argument("--data", dest="root", help="the folder with the four MNIST files (default: look for it or download it)")
    options.add_argument("--epochs", type=int, default=0, help="times over the data (default: 3 or 20, the recipe's own)")
    demo(main, out="traces", description=__doc__, more=options)
