"""Traces for the tests of verify: runs of every kind, written down with every detail, and ways to change them."""

import copy
import csv
import json
from itertools import islice

from micrograd_lite import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Cosine,
    Layer,
    Neuron,
    RMSprop,
    StepDecay,
    Tracer,
    Value,
    binary_cross_entropy,
    cross_entropy,
    half_squared_error,
    hinge,
    mse,
    train,
)
from micrograd_lite.data import Dataset, iris, mazur, moons, xor
from micrograd_lite.module import Module

PAIRS = Dataset("pairs", [[0.1, -0.5], [0.7, 0.2], [-0.3, 0.9]], [[0.0, 1.0], [0.5, -0.5], [1.0, 0.25]])
FLOWERS = iris()._replace(inputs=iris().inputs[::10], targets=iris().targets[::10])


def tied():
    """Two neurons of a layer share one bias, as Mazur has them; the other layer's bias has no name of its own."""
    net = MLP(2, [2, 2], activation="sigmoid", output="sigmoid", seed=2)
    net.layers[0].neurons[1].b = net.layers[0].neurons[0].b
    net.layers[1].neurons[0].b = Value(0.6)
    return net


class Own(Module):
    """A model that nobody knows: tanh(w * x0 * w) + x1, with a weight that is used twice."""

    def __init__(self):
        self.w = Value(0.7, "w")

    def parts(self):
        return [("w", self.w)]

    def __call__(self, inputs):
        return (self.w * inputs[0] * self.w).tanh() + inputs[1]


ALL = ("relu", "leaky_relu", "prelu", "elu", "softplus", "sigmoid", "tanh", "sin")
RUNS = {
    # name: model, data, settings of train; each runs for seven steps unless it says how many epochs
    "xor, momentum": (lambda: MLP(2, [3, 1], "tanh", "sigmoid"), xor(), {"loss": mse, "optimizer": SGD(lr=0.5, momentum=0.9)}),
    "no bias, nesterov": (lambda: MLP(2, [2, 1], "sigmoid", bias=False), xor(),
                          {"loss": half_squared_error, "optimizer": SGD(0.1, 0.8, nesterov=True, weight_decay=0.01)}),
    "two outputs, rmsprop": (lambda: MLP(2, [3, 2], "elu"), PAIRS, {"loss": mse, "optimizer": RMSprop(0.01, weight_decay=0.1)}),
    "hinge, adam": (lambda: MLP(2, [4, 1], "relu"), moons(samples=12),
                    {"loss": hinge, "optimizer": Adam(0.05, weight_decay=0.1)}),
    "yes or no, adamw": (lambda: MLP(2, [3, 1], "prelu"), xor(), {"loss": binary_cross_entropy, "optimizer": AdamW(0.1)}),
    "flowers, batches": (lambda: MLP(4, [5, 3], "leaky_relu"), FLOWERS,
                         {"loss": cross_entropy, "optimizer": Adam(0.01), "batch_size": 4, "seed": 3, "test": FLOWERS}),
    "file order": (lambda: MLP(4, [3], "softplus"), FLOWERS,
                   {"loss": cross_entropy, "optimizer": SGD(Cosine(0.1, 5, 0.01)), "batch_size": 6, "shuffle": False}),
    "all activations": (lambda: MLP(2, [2] * 8 + [1], ALL, "sin", seed=4), xor(),
                        {"loss": half_squared_error, "optimizer": Adam(StepDecay(0.1, 0.5, 2), bias_correction=False)}),
    "adam, a schedule": (lambda: MLP(2, [1, 1], "softplus", seed=5), xor(),
                         {"loss": mse, "optimizer": Adam(Cosine(0.2, 4), eps=0.0)}),
    "fixed, tied, unnamed": (tied, mazur(), {"loss": half_squared_error, "optimizer": SGD(0.5, 0.5),
                                             "parameters": ["layer0.neuron0.w0", "layer0.neuron0.b", "layer1.neuron0.b"]}),
    "tied, samples": (tied, PAIRS, {"loss": mse, "optimizer": SGD(0.5)}),
    "wide sums": (lambda: MLP(10, [9, 1], "tanh"), ([[0.1 * i * j - 1.0 for j in range(10)] for i in range(9)], [0.1] * 9),
                  {"loss": mse, "optimizer": SGD(0.05)}),
    "a layer": (lambda: Layer([[0.1, 0.2], [-0.3, 0.5]], "tanh"), PAIRS, {"loss": mse, "optimizer": SGD(0.1)}),
    "a neuron": (lambda: Neuron([0.5, -0.25], "sigmoid"), xor(), {"loss": mse, "optimizer": RMSprop(0.1)}),
    "a dead input": (lambda: MLP(2, [1]), ([[0.5, 0.0], [-1.0, 0.0]], [1.0, 0.5]), {"loss": mse, "optimizer": SGD(0.1)}),
    "one weight": (lambda: MLP(1, [1], bias=False), ([[2.0]], [1.0]), {"loss": mse, "optimizer": SGD(0.1)}),
    "one sample": (lambda: MLP(1, [1], bias=False), ([[2.0]], [1.0]), {"loss": mse, "optimizer": SGD(0.01, 0.5)}),
    "no parameter": (lambda: MLP(2, [1]), xor(), {"loss": mse, "optimizer": Adam(), "parameters": []}),
    "unknown model": (Own, xor(), {"loss": mse, "optimizer": Adam(0.1)}),
}  # fmt: skip
PLAIN = {"chain_rule": [], "by_sample": [], "change_every": None, "evaluate_every": None}
DETAILED = {"chain_rule": [1, 3], "by_sample": [1, 2, 7], "change_every": 1, "evaluate_every": 2}


def write(folder, name="xor, momentum", engine="eager", steps=7, every=1, model=None, **options):
    """The trace of a run of the table, with every detail; `model` instead of the run's own."""
    own, data, settings = RUNS[name]
    settings = {**settings, **DETAILED, **options}
    settings["optimizer"] = copy.deepcopy(settings["optimizer"])  # one without memory
    with Tracer(folder, every=every) as tracer:
        for step in islice(train((model or own)(), data, engine=engine, **settings), steps):
            tracer.watch(step)
    return folder


def write_arrays(folder):
    """The trace of a run of the array engine in 32 bits on the flowers, all weights kept."""
    from micrograd_lite import arrays

    net = arrays.MLP(4, [5, 3], "prelu", dtype="float32", seed=1)
    settings = {"loss": cross_entropy, "optimizer": Adam(0.01), "batch_size": 6, "epochs": 4, "test": FLOWERS, "change_every": 1}
    with Tracer(folder, weights_every=1) as tracer:
        list(tracer.follow(train(net, FLOWERS, **settings)))
    return folder


def verdicts(report):
    """Check by check: ok, wrong or not here."""
    return {finding.check: finding.verdict for finding in report.findings}


def edited(folder, name, change):
    """Rewrite one file of a trace: `change` gets its rows as a list of dicts of text, or run.json as a dict."""
    path = folder / name
    if name == "run.json":
        run = json.loads(path.read_text())
        change(run)
        path.write_text(json.dumps(run))
        return
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    header = list(rows[0])
    change(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def put(row, **cells):
    """Write numbers into a row."""
    row.update({column: repr(number) for column, number in cells.items()})


def moved(row, column, by):
    """Add to a number of a row; returns the new one."""
    put(row, **{column: float(row[column]) + by})
    return float(row[column])


def without(folder, chosen, *names):
    """Take the chosen rows out of some tables, and let run.json count the others."""
    for name in names:
        edited(folder, name, lambda rows: rows.__setitem__(slice(None), [row for row in rows if not chosen(row)]))
        count = len((folder / name).read_text().splitlines()) - 1
        edited(folder, "run.json", lambda run: run["rows"].update({name: count}))  # noqa: B023
