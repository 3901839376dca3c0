"""Real MNIST with nothing but Python: 60,000 images, 12,730 weights, one epoch, no NumPy.

You will see a flat program of 784-16-10 go through the images once. The bundled digits stand in for a missing MNIST.

    python demos/13_mnist_pure_python.py

Last line: look at traces/mnist_pure_python.json
"""

from pathlib import Path
from random import Random
from time import perf_counter

from micrograd_lite import MLP, cross_entropy, data
from micrograd_lite.data.mnist import mnist_bytes, mnist_files
from micrograd_lite.demo import demo
from micrograd_lite.flat.model import flatten_model

GREY = [level / 255 for level in range(256)]  # the floats of all pixels; the list of an image is made when it is needed


def images() -> tuple:
    """Training images and labels, test images and labels, and what makes a float of a pixel."""
    try:
        mnist_files()
    except FileNotFoundError:
        return *(column for part in data.split(data.digits(), test=0.2, seed=0) for column in part[1:3]), float
    ink, labels, *test = mnist_bytes()
    rows, test_rows = ([part[k : k + 784] for k in range(0, len(part), 784)] for part in (ink, test[0]))
    return rows, labels, test_rows, test[1], GREY.__getitem__


def main(out: Path, quick: bool, force: bool) -> None:
    """Train for one epoch of batches of 20 with plain gradient descent; --quick takes 1,000 images."""
    path = out / "mnist_pure_python.json"
    if path.exists() and not force:
        raise FileExistsError(f"{path} is there already; choose another --out, or replace it with --force")
    rows, labels, test_rows, test_labels, number = images()
    net, order, recent, start = MLP(len(rows[0]), [16, 10]), [*range(len(rows))], [], perf_counter()
    program = flatten_model(net, cross_entropy, [([*map(number, rows[0])], labels[0])])
    print(f"{program.operations:,} operations an image, written out and compiled in {perf_counter() - start:.2f} s", flush=True)
    Random(0).shuffle(order)
    start, order = perf_counter(), order[: 1000 if quick else None]
    for done in range(0, len(order), 20):
        recent.append(program.backward([([*map(number, rows[row])], labels[row]) for row in order[done : done + 20]]))
        for parameter in program.parameters:
            parameter.data, parameter.grad = parameter.data - 0.1 * parameter.grad, 0.0
        if done % 6000 == 5980 or done + 20 >= len(order):
            print(f"{done + 20:6,} images  loss {sum(recent) / len(recent):.4f}  {perf_counter() - start:5.1f} s", flush=True)
            recent.clear()
    tests = [*zip(test_rows, test_labels)][: 200 if quick else None]
    right = [cross_entropy.correct(net.predict([*map(number, row)]), label) for row, label in tests].count(True)
    print(f"{right:,} of {len(tests):,} unseen digits named rightly: {right / len(tests):.2%}")
    out.mkdir(parents=True, exist_ok=True)
    net.save(path)
    print(f"look at {path}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
