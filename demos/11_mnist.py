"""MNIST at full size: what unscaled starting weights cost, and what well-scaled ones give, on 60,000 real images.
784-256-128-10 with Adam; with --recipe sigmoid, the 784-128-10 sigmoid network of a well-known page.

    python demos/11_mnist.py

Last line: look at traces/mnist_corrected/weights_update.gif
"""

from argparse import ArgumentParser

import numpy as np

from micrograd_lite import SGD, Adam, Tracer, arrays, cross_entropy, data, half_squared_error, train
from micrograd_lite.demo import demo, progress
from micrograd_lite.pictures.answers import confusion, predictions
from micrograd_lite.pictures.render import render


def networks(recipe: str, inputs: int) -> list:
    if recipe == "adam":
        nets = (arrays.MLP(inputs, [256, 128, 10], init=init, dtype="float32") for init in ("normal", "he"))
        return [(net, cross_entropy, Adam(lr=0.001)) for net in nets]
    old = np.random.RandomState(0)  # the page's own numbers: NumPy's old generator, N(0, 1)
    legacy = [old.randn(*shape).tolist() for shape in ((inputs, 128), (128, 10))]
    written = arrays.MLP(inputs, [128, 10], activation="sigmoid", output="sigmoid", init=legacy)
    corrected = arrays.MLP(inputs, [128, 10], activation="sigmoid")
    return [(written, half_squared_error, SGD(lr=0.1)), (corrected, cross_entropy, SGD(lr=0.5))]


def main(out, quick: bool, force: bool | str, recipe: str = "adam", root: str | None = None, epochs: int = 0) -> None:
    batch, usual, dtype = (128, 3, "float32") if recipe == "adam" else (64, 20, "float64")
    both, count = data.mnist_or_digits(root, dtype, 2000 if quick else None), 1 if quick else epochs or usual
    inputs, labels, total = np.asarray(both[1].inputs, dtype), np.array(both[1].targets), -(-len(both[0].inputs) // batch)
    for name, (net, loss, optimizer) in zip(("mnist_as_written", "mnist_corrected"), networks(recipe, inputs.shape[1])):
        training, test = map(data.one_hot, both) if loss is half_squared_error else both
        settings = {"batch_size": batch, "shuffle": recipe == "adam", "epochs": count, "evaluate_every": total}
        steps = train(net, training, loss=loss, optimizer=optimizer, test=test, **settings)
        print(f"\n{name}: {loss.name}, starting weights up to {np.abs(net.flat).max():.2f}")
        with Tracer(out / name, every=10, weights_every=max(1, total * count // 20), force=force) as tracer:
            for step in tracer.follow(progress(steps, total * count, name)):
                if step.number == 1 or step.evaluation:
                    flat = "".join(f"{np.mean(np.abs(slopes[0]) < 0.01):5.0%}" for slopes in step.fused.slopes if slopes)
                    accuracy = f"  test accuracy {step.evaluation['test_accuracy']:.4f}" if step.evaluation else ""
                    print(f"epoch {step.epoch:2d}  loss {step.loss:11.4f}  slopes under 0.01, by layer: {flat:10}{accuracy}")
        predictions(out / name / "predictions.png", inputs, labels, answers := net.predict(inputs))
        confusion(out / name / "confusion.png", labels, answers.argmax(axis=1))
        render(out / name)
    print("\nA slope of 0 lets no gradient through: unscaled weights make sums of hundreds, where a sigmoid is flat.",
          f"look at {out / 'mnist_corrected' / 'weights_update.gif'}", sep="\n")


if __name__ == "__main__":
    more = ArgumentParser(add_help=False)
    more.add_argument("--recipe", choices=("adam", "sigmoid"), default="adam", help="which network (default: adam)")
    more.add_argument("--data", dest="root", help="the folder with the four MNIST files (default: look for them)")
    more.add_argument("--epochs", type=int, default=0, help="times over the data (default: 3 or 20, the recipe's own)")
    demo(main, out="traces", description=__doc__, more=more)
