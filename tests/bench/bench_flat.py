"""The flat program, in Python and in C, against the package micrograd 0.1.0 and our own engine; what an operation costs in it.

    python tests/bench/bench_flat.py

Loss and gradients of moons 2-16-16-1 on 100 points (max-margin loss), one engine per process, the collector on; MNIST-sized
784-16-10 on made-up images, a fifth of their pixels inked; networks of 1,000, 10,000 and 100,000 operations. In C the samples
are packed once, as they are for the steps of a training.
"""

import os
import random
import sys
import tempfile
import time
from array import array

from micrograd_lite.data import moons
from side_by_side import in_turns, ratio, report, seconds_per_call

POINTS = moons(100, seed=0)
SIZES = {"1000": (8, [20, 16, 1]), "10000": (70, [64, 8, 1]), "100000": (784, [62, 10])}


def micrograd():
    """micrograd's own MLP and loop body, without regularisation and update."""
    from micrograd.engine import Value
    from micrograd.nn import MLP

    random.seed(1337)
    model = MLP(2, [16, 16, 1])

    def step():
        inputs = [list(map(Value, row)) for row in POINTS.inputs]
        losses = [(1 + -target * model(x)).relu() for target, x in zip(POINTS.targets, inputs)]
        loss = sum(losses) * (1.0 / len(losses))
        model.zero_grad()
        loss.backward()

    return step


def micrograd_images(images=5):
    """micrograd on 784-16-10 and made-up images, with a square loss: it has no softmax."""
    from micrograd.nn import MLP

    random.seed(1337)
    model, samples = MLP(784, [16, 10]), [[random.random() for _ in range(784)] for _ in range(images)]

    def step():
        for image in samples:
            loss = sum((score - 1.0) ** 2 for score in model(image))
            loss.backward()

    return step


def eager():
    """The same network and loss on our engine, collector paused as `train` does."""
    from micrograd_lite import MLP, hinge
    from micrograd_lite.training import collector_paused

    model = MLP(2, [16, 16, 1], init="uniform", seed=1337)

    def step():
        with collector_paused():
            loss = hinge([model(row) for row in POINTS.inputs], POINTS.targets)
            model.zero_grad()
            loss.backward()

    return step


def flat(spelled=lambda program: program):
    """The same again as a flat program."""
    from micrograd_lite import MLP, hinge
    from micrograd_lite.flat.model import flatten_model

    model = MLP(2, [16, 16, 1], init="uniform", seed=1337)
    program = spelled(flatten_model(model, hinge, POINTS))
    samples = list(zip(POINTS.inputs, POINTS.targets))
    samples = program.pack(samples) if spelled is in_c else samples

    def step():
        for parameter in program.parameters:
            parameter.grad = 0.0
        program.backward(samples)

    return step


def big(inputs, outputs, images=20):
    """A classifier as a flat program, and samples for it: a pixel is 0 four times out of five, as in MNIST."""
    from micrograd_lite import MLP, cross_entropy
    from micrograd_lite.flat.model import flatten_model

    generator = random.Random(1)
    greys = [level / 255 for level in range(256)]
    draw = lambda: greys[generator.randrange(256) if generator.random() < 0.2 else 0]  # noqa: E731
    outputs = [*outputs[:-1], max(2, outputs[-1])]
    samples = [([draw() for _ in range(inputs)], generator.randrange(outputs[-1])) for _ in range(images)]
    return flatten_model(MLP(inputs, outputs), cross_entropy, samples), samples


def in_c(program):
    """The program compiled; an error where it cannot be."""
    from micrograd_lite.flat.compiled import CProgram

    return CProgram(program)


def image_in_c():
    """784-16-10 in C, 20 images, from an array of numbers to an array of slopes."""
    program, samples = big(784, [16, 10])
    numbers = array("d", [parameter.data for parameter in program.parameters])
    made = in_c(program)
    packed, gradients = made.pack(samples), array("d", bytes(8 * len(numbers)))
    return lambda: made.run(numbers, gradients, packed, 1 / len(samples))


def compiling(inputs, outputs):
    """Seconds for the text of a classifier in C and for compiling it, with an empty cache."""
    program, _ = big(inputs, outputs, images=1)
    before = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        start = time.perf_counter()
        in_c(program)
        seconds = time.perf_counter() - start
    os.environ.pop("XDG_CACHE_HOME")
    if before is not None:
        os.environ["XDG_CACHE_HOME"] = before
    return seconds


def measured(work, calls):
    """Print seconds per call: what a process of its own is for."""
    print(seconds_per_call(work, calls=calls, warm_up=3))


def main(rounds=5):
    """Print the tables."""
    results = in_turns(__file__, ("micrograd", "eager", "flat", "c"), rounds)
    version = ".".join(map(str, sys.version_info[:2]))
    title = f"moons 2-16-16-1, 100 points, loss and gradients, Python {version}: the flat program"
    report(title, [
        ("against micrograd 0.1.0", f"{ratio(results, 'micrograd', 'flat'):.0f} x faster", ">= 300 x"),
        ("against our eager engine", f"{ratio(results, 'eager', 'flat'):.1f} x faster", ""),
        ("in C, against the flat program", f"{ratio(results, 'flat', 'c'):.1f} x faster", ">= 20 x"),
        ("in C, against micrograd 0.1.0", f"{ratio(results, 'micrograd', 'c'):,.0f} x faster", ""),
    ])  # fmt: skip
    start = time.perf_counter()
    big(784, [16, 10], images=1)
    written = time.perf_counter() - start
    image = min(in_turns(__file__, ("image",), rounds)["image"]) / 20
    image_c = min(in_turns(__file__, ("image_in_c",), rounds)["image_in_c"]) / 20
    theirs = min(in_turns(__file__, ("micrograd_images",), 1)["micrograd_images"]) / 5
    report(f"784-16-10 with softmax cross-entropy, Python {version}", [
        ("loss and gradients of one image", f"{1e3 * image:.2f} ms", "<= 1 ms on 3.11"),
        ("60,000 images at that rate", f"{60_000 * image:.0f} s", ""),
        ("60,000 images by micrograd 0.1.0, from 5 of them", f"{60_000 * theirs / 3600:.1f} hours", ""),
        ("writing and compiling the program in Python", f"{written:.2f} s", "< 2 s"),
        ("loss and gradients of one image in C, numbers as arrays", f"{1e6 * image_c:.1f} us", "<= 30 us"),
        ("spelling and compiling it in C", f"{compiling(784, [16, 10]):.2f} s", "<= 3 s"),
        ("the same for 2-16-16-2", f"{compiling(2, [16, 16, 2]):.2f} s", ""),
    ])  # fmt: skip
    rows = []
    for size in SIZES:
        seconds = min(in_turns(__file__, (size,), rounds)[size]) / 20
        operations = big(*SIZES[size], images=1)[0].operations
        rows.append((f"{operations:,} operations", f"{1e9 * seconds / operations:.0f} ns each", "linear"))
    report(f"the cost of an operation, forward and backward, Python {version}", rows)


if __name__ == "__main__":
    peer = sys.argv[1] if len(sys.argv) > 1 else ""
    if peer in SIZES or peer == "image":
        program, samples = big(*SIZES.get(peer, (784, [16, 10])))
        measured(lambda: program.backward(samples), calls=10)
    elif peer:
        peers = {"micrograd": micrograd, "micrograd_images": micrograd_images, "eager": eager, "flat": flat,
                 "c": lambda: flat(in_c), "image_in_c": image_in_c}  # fmt: skip
        measured(peers[peer](), calls=5 if "micrograd" in peer else 30)
    else:
        main()
