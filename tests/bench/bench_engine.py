"""One training step of moons 2-16-16-1 on 100 points, SVM loss: the package micrograd 0.1.0 against the scalar engine.

    python tests/bench/bench_engine.py

One engine per process, the garbage collector on, as a user finds it.
"""

import random
import sys
from itertools import pairwise

from micrograd_lite.data import moons
from side_by_side import in_turns, ratio, report, seconds_per_call

POINTS = moons(100, seed=0)
PEERS = ("micrograd", "written_out", "train")


def micrograd_step():
    """micrograd's own demo: its MLP, max-margin loss, L2 penalty, one step of gradient descent."""
    from micrograd.engine import Value
    from micrograd.nn import MLP

    random.seed(1337)
    return step_of(MLP(2, [16, 16, 1]), Value)


def written_out_step():
    """The same program, one node per operation, on our Value."""
    from micrograd_lite import Value

    random.seed(1337)
    return step_of(WrittenOut(Value), Value)


def step_of(model, value):
    """micrograd's demo loop body for any engine with its interface."""

    def step():
        inputs = [list(map(value, row)) for row in POINTS.inputs]
        scores = list(map(model, inputs))
        losses = [(1 + -target * score).relu() for target, score in zip(POINTS.targets, scores)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        for parameter in model.parameters():
            parameter.grad = 0
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= 0.1 * parameter.grad
        return loss.data

    return step


class WrittenOut:
    """A 2-16-16-1 network as a reader of micrograd writes it: every product and every sum is a node."""

    def __init__(self, value):
        sizes = [2, 16, 16, 1]
        self.layers = [
            [([value(random.uniform(-1, 1)) for _ in range(inputs)], value(0.0)) for _ in range(outputs)]
            for inputs, outputs in pairwise(sizes)
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = [sum((wi * xi for wi, xi in zip(weights, x)), bias) for weights, bias in layer]
            x = [z.relu() for z in x] if layer is not self.layers[-1] else x
        return x[0]

    def parameters(self):
        return [p for layer in self.layers for weights, bias in layer for p in (*weights, bias)]


def train_step():
    """The same network and loss with our MLP inside `train`; weight decay 2e-4 is the slope of 1e-4 * sum(p * p)."""
    from micrograd_lite import MLP, SGD, hinge, train

    steps = train(MLP(2, [16, 16, 1], init="uniform"), POINTS, loss=hinge, optimizer=SGD(lr=0.1, weight_decay=2e-4))
    return lambda: next(steps).loss


def main(rounds=5):
    """Print the table."""
    results = in_turns(__file__, PEERS, rounds)
    version = ".".join(map(str, sys.version_info[:2]))
    report(
        f"moons 2-16-16-1, 100 points, one step, Python {version}, against micrograd 0.1.0",
        [
            ("one node per operation, written out", f"{ratio(results, 'micrograd', 'written_out'):.1f} x faster", ">= 5 x"),
            ("our MLP inside `train`", f"{ratio(results, 'micrograd', 'train'):.1f} x faster", ">= 30 x"),
        ],
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        steps = {"micrograd": micrograd_step, "written_out": written_out_step, "train": train_step}
        print(seconds_per_call(steps[sys.argv[1]](), calls=8 if sys.argv[1] == "micrograd" else 20, warm_up=2))
    else:
        main()
