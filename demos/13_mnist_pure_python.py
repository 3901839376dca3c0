"""Real MNIST with nothing but Python: 60,000 images, 12,730 weights, one epoch, no NumPy; and beside it the same in C.

You will see two flat programs of 784-16-10 go through the images once. The bundled digits stand in for a missing MNIST.

    python demos/13_mnist_pure_python.py

Last line: look at traces/mnist_pure_python.json
"""

from array import array
from pathlib import Path
from random import Random
from time import perf_counter

from micrograd_lite import MLP, cross_entropy, data
from micrograd_lite.data.mnist import mnist_bytes, mnist_files
from micrograd_lite.demo import demo, fresh
from micrograd_lite.flat.compiled import in_c
from micrograd_lite.flat.model import flatten_model


def images() -> tuple:
    """Training images and labels, test images and labels, and how black a pixel can be."""
    try:
        mnist_files()
    except FileNotFoundError:
        return *(column for part in data.split(data.digits(), test=0.2, seed=0) for column in part[1:3]), 1.0
    ink, labels, *test = mnist_bytes()
    rows, test_rows = ([part[k : k + 784] for k in range(0, len(part), 784)] for part in (ink, test[0]))
    return rows, labels, test_rows, test[1], 255.0


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Train for one epoch of batches of 20 with plain gradient descent, in Python and in C; --quick takes 1,000 images."""
    path, (rows, labels, test_rows, test_labels, black) = fresh(out / "mnist_pure_python.json", force), images()
    order = Random(0).sample(range(len(rows)), len(rows))[: 1000 if quick else None]
    net, start = MLP(len(rows[0]), [16, 10]), perf_counter()
    flat = flatten_model(net, cross_entropy, [([ink / black for ink in rows[0]], labels[0])])
    ways = [(program, array("d", net.state_dict().values()), []) for program in dict.fromkeys((flat, in_c(flat)))]
    print(f"{flat.operations:,} operations an image, written out and compiled in {perf_counter() - start:.2f} s", flush=True)
    for done in range(0, len(order), 20):
        samples = [([ink / black for ink in rows[row]], labels[row]) for row in order[done : done + 20]]
        for program, numbers, seconds in ways:
            start, gradients = perf_counter(), array("d", bytes(8 * len(numbers)))
            losses = program.run(numbers, gradients, program.pack(samples), 1 / len(samples))
            numbers[:] = array("d", [number - 0.1 * gradient for number, gradient in zip(numbers, gradients)])
            seconds.append(perf_counter() - start)
        if done % 6000 == 5980 or done + 20 >= len(order):
            times = [f" {sum(seconds):6.1f} s in {name}" for name, (*_, seconds) in zip(("Python", "C"), ways)]
            print(f"{done + 20:6,} images  loss {sum(losses) / len(losses):.4f}", *times, flush=True)
    net.load_state_dict(dict(zip(net.state_dict(), numbers)))
    tests = [*zip(test_rows, test_labels)][: 200 if quick else None]
    right = [cross_entropy.correct(net.predict([ink / black for ink in row]), label) for row, label in tests].count(True)
    print(f"{right:,} of {len(tests):,} unseen digits are right: {right / len(tests):.2%}; same bits: {numbers == ways[0][1]}")
    net.save(path)
    print(f"look at {path}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
