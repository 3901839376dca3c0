"""A trace proves itself: honest traces pass every check, and a changed number is found by the check that is meant to find it."""

import csv
import json
import math
import shutil
import subprocess
import sys
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite import (
    MLP, SGD, Adam, AdamW, Cosine, Layer, Neuron, RMSprop, StepDecay, Tracer, Value, binary_cross_entropy, cli, cross_entropy,
    half_squared_error, hinge, mse, train,
)  # fmt: skip
from micrograd_lite.data import Dataset, iris, mazur, moons, xor
from micrograd_lite.module import Module
from micrograd_lite.verify import CHECKS, verify

# --- honest traces ---------------------------------------------------------------------------------------------------

SIGNS = Dataset("signs", xor().inputs, [-1.0, 1.0, 1.0, -1.0], classes=2)
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
    "hinge, adam": (lambda: MLP(2, [4, 1], "relu"), moons(samples=12), {"loss": hinge, "optimizer": Adam(0.05, weight_decay=0.1)}),
    "yes or no, adamw": (lambda: MLP(2, [3, 1], "prelu"), xor(), {"loss": binary_cross_entropy, "optimizer": AdamW(0.1)}),
    "flowers, batches": (lambda: MLP(4, [5, 3], "leaky_relu"), FLOWERS,
                         {"loss": cross_entropy, "optimizer": Adam(0.01), "batch_size": 4, "seed": 3, "test": FLOWERS}),
    "file order": (lambda: MLP(4, [3], "softplus"), FLOWERS,
                   {"loss": cross_entropy, "optimizer": SGD(Cosine(0.1, 5, 0.01)), "batch_size": 6, "shuffle": False}),
    "all activations": (lambda: MLP(2, [2] * 8 + [1], ALL, "sin", seed=4), xor(),
                        {"loss": half_squared_error, "optimizer": Adam(StepDecay(0.1, 0.5, 2), bias_correction=False)}),
    "adam, a schedule": (lambda: MLP(2, [1, 1], "softplus", seed=5), xor(), {"loss": mse, "optimizer": Adam(Cosine(0.2, 4), eps=0.0)}),
    "fixed, tied, unnamed": (tied, mazur(), {"loss": half_squared_error, "optimizer": SGD(0.5, 0.5),
                                             "parameters": ["layer0.neuron0.w0", "layer0.neuron0.b", "layer1.neuron0.b"]}),
    "tied, samples": (tied, PAIRS, {"loss": mse, "optimizer": SGD(0.5)}),
    "wide sums": (lambda: MLP(10, [9, 1], "tanh"), ([[0.1 * i * j - 1.0 for j in range(10)] for i in range(9)], [0.1] * 9),
                  {"loss": mse, "optimizer": SGD(0.05)}),
    "a layer": (lambda: Layer([[0.1, 0.2], [-0.3, 0.5]], "tanh"), PAIRS, {"loss": mse, "optimizer": SGD(0.1)}),
    "a neuron": (lambda: Neuron([0.5, -0.25], "sigmoid"), xor(), {"loss": mse, "optimizer": RMSprop(0.1)}),
    "a dead input": (lambda: MLP(2, [1]), ([[0.5, 0.0], [-1.0, 0.0]], [1.0, 0.5]), {"loss": mse, "optimizer": SGD(0.1)}),
    "one sample": (lambda: MLP(1, [1], bias=False), ([[2.0]], [1.0]), {"loss": mse, "optimizer": SGD(0.01, 0.5)}),
    "no parameter": (lambda: MLP(2, [1]), xor(), {"loss": mse, "optimizer": Adam(), "parameters": []}),
    "unknown model": (Own, xor(), {"loss": mse, "optimizer": Adam(0.1)}),
}  # fmt: skip
DETAILED = {"chain_rule": [1, 3], "by_sample": [1, 2, 7], "anatomy_every": 1, "evaluate_every": 2}


def write(folder, name="xor, momentum", engine="eager", steps=7, every=1, model=None, **options):
    """The trace of a run of the table, with every detail; `model` instead of the run's own."""
    own, data, settings = RUNS[name]
    settings = {**settings, **DETAILED, **options}
    settings["optimizer"] = type(settings["optimizer"])(settings["optimizer"].lr, **settings["optimizer"].settings) if (
        type(settings["optimizer"]) is not AdamW) else AdamW(0.1)  # a fresh one, without memory  # fmt: skip
    with Tracer(folder, every=every) as tracer:
        for step in islice(train((model or own)(), data, engine=engine, **settings), steps):
            tracer.watch(step)
    return folder


def verdicts(report):
    """Check by check: ok, wrong or not here."""
    return {finding.check: finding.verdict for finding in report.findings}


@pytest.mark.parametrize("name, engine", [(name, engine) for name in RUNS for engine in ("eager", "flat")
                                          if engine == "eager" or isinstance(RUNS[name][0](), MLP)])  # fmt: skip
def test_an_honest_trace_passes(tmp_path, name, engine):
    """Every check agrees, whatever was trained and however; what is looked at is all there is."""
    report = verify(write(tmp_path / "run", name, engine))
    assert report.wrong == ""
    assert report.text().endswith(f"run: {report.rows} rows agree\n")
    missing = {finding.check for finding in report.findings if finding.verdict == "not here"}
    assert missing <= {"update ratios", "kept weights", "memory carried on", "evaluation"} | NOT_HERE.get(name, set())


NOT_HERE = {
    "unknown model": {"loss", "evaluation"},
    "no parameter": {"after = before + update", "before = last after", "update by the formula", "shares of samples"},
}  # fmt: skip


@pytest.mark.parametrize("every", [3, 7, 100])
def test_a_trace_of_some_steps_passes(tmp_path, every):
    """Recorded at the first step, at multiples and at the last one."""
    assert verify(write(tmp_path / "run", "flowers, batches", every=every)).wrong == ""


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    """A run of the array engine in 32 bits on the flowers, all weights kept."""
    pytest.importorskip("numpy")
    from micrograd_lite import dense

    folder = tmp_path_factory.mktemp("arrays") / "run"
    net = dense.MLP(4, [5, 3], "prelu", dtype="float32", seed=1)
    settings = {"loss": cross_entropy, "optimizer": Adam(0.01), "batch_size": 6, "epochs": 4, "test": FLOWERS, "anatomy_every": 1}
    with Tracer(folder, weights_every=1) as tracer:
        list(tracer.follow(train(net, FLOWERS, **settings)))
    return folder


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("whole", [True, False], ids=["all samples", "batches"])
def test_an_honest_trace_of_arrays_passes(tmp_path, dtype, whole):
    """Its norms, its kept weights, and, where the data are small, its losses by the scalar forward pass."""
    pytest.importorskip("numpy")
    from micrograd_lite import dense

    for data, loss, widths in ((FLOWERS, cross_entropy, [6, 3]), (FLOWERS._replace(targets=PAIRS.targets * 5), mse, [7, 2])):
        net = dense.MLP(4, widths, "sigmoid", dtype=dtype)
        settings = {"loss": loss, "optimizer": SGD(0.5), "batch_size": None if whole else 4, "anatomy_every": 2, "test": data}
        with Tracer(tmp_path / loss.name, every=2, weights_every=2) as tracer:
            list(tracer.follow(islice(train(net, data, **settings), 9)))
        report = verify(tmp_path / loss.name)
        assert report.wrong == ""
        assert {"loss", "evaluation", "measured change", "norms", "kept weights"} <= {
            finding.check for finding in report.findings if finding.verdict == "ok"
        }


# --- planted frauds --------------------------------------------------------------------------------------------------

PLAIN = {"chain_rule": [], "by_sample": [], "anatomy_every": None, "evaluate_every": None}


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


def a_step_is_missing(folder):
    without(folder, lambda row: row["step"] == "5", "metrics.csv")
    edited(folder, "run.json", lambda run: run.update(steps=6))


def a_wrong_epoch(folder):
    edited(folder, "metrics.csv", lambda rows: rows[3].update(epoch="2"))


def a_row_too_many_is_counted(folder):
    edited(folder, "run.json", lambda run: run["rows"].update({"metrics.csv": 8}))


def a_recorded_step_is_missing(folder):
    without(folder, lambda row: row["step"] == "3", "gradients.csv", "optimizer.csv")


def a_chosen_step_is_missing(folder):
    without(folder, lambda row: row["step"] == "3", "chain_rule.csv")


def shares_of_a_step_are_missing(folder):
    without(folder, lambda row: row["step"] == "2", "gradients_by_sample.csv")


def the_last_weight_is_another(folder):
    edited(folder, "gradients.csv", lambda rows: moved(rows[-1], "after", 1e-3))


def a_weight_jumps(folder):
    def jump(rows):  # the weight of an input that is always 0: no loss and no gradient knows it
        put(rows[-2], after=moved(rows[-2], "before", 1.0) + float(rows[-2]["update"]))

    edited(folder, "gradients.csv", jump)


def resealed(folder, row, update):
    """Let the last step's one weight move by `update`, in every table that says so."""
    edited(folder, "gradients.csv", lambda rows: put(rows[-1], update=update, after=float(rows[-1]["before"]) + update))
    edited(folder, "optimizer.csv", lambda rows: rows[-1].update({**row, "update": repr(update)}))
    edited(folder, "metrics.csv", lambda rows: put(rows[-1], update_norm=abs(update)))


def last_terms(folder):
    with (folder / "optimizer.csv").open() as file:
        return list(csv.DictReader(file))[-1]


def an_update_is_larger(folder):
    row = last_terms(folder)
    resealed(folder, row, 1.5 * float(row["update"]))


def memory_from_nowhere(folder):
    row = last_terms(folder)
    velocity = 0.5 * moved(row, "velocity_before", 0.1) + float(row["gradient"])
    put(row, velocity=velocity)
    resealed(folder, row, -0.01 * velocity)


def a_wrong_learning_rate(folder):
    edited(folder, "metrics.csv", lambda rows: put(rows[1], learning_rate=0.7))


def a_wrong_norm(folder):
    edited(folder, "metrics.csv", lambda rows: moved(rows[1], "gradient_norm", 1e-9))


def a_wrong_loss(folder):
    edited(folder, "metrics.csv", lambda rows: moved(rows[1], "loss", 1e-9))


def a_wrong_promise(folder):
    edited(folder, "metrics.csv", lambda rows: moved(rows[1], "predicted_change", 1e-12))


def a_wrong_measurement(folder):
    edited(folder, "metrics.csv", lambda rows: moved(rows[1], "measured_change", 1e-9))


def a_wrong_last_measurement(folder):
    edited(folder, "metrics.csv", lambda rows: moved(rows[-1], "measured_change", 1e-9))


def a_wrong_accuracy(folder):
    edited(folder, "metrics.csv", lambda rows: moved(rows[1], "train_accuracy", 0.25))


def a_wrong_test_loss(folder):
    edited(folder, "metrics.csv", lambda rows: moved(rows[1], "test_loss", 1e-9))


def a_wrong_order(folder):
    edited(folder, "chain_rule.csv", lambda rows: rows[4].update(order="6"))


def another_operation(folder):
    edited(folder, "chain_rule.csv", lambda rows: rows[5].update(operation="something"))


def last_paid(rows, to):
    """The row that pays a leaf of the first step last: nothing is made of its total."""
    return [row for row in rows if row["parent"] == to and row["step"] == "1"][-1]


def a_share_too_large(folder):
    def change(rows):
        row = last_paid(rows, "sample1.x1")
        moved(row, "share", 1e-9)
        moved(row, "total", 1e-9)

    edited(folder, "chain_rule.csv", change)


def a_wrong_total(folder):
    edited(folder, "chain_rule.csv", lambda rows: moved(last_paid(rows, "sample1.x1"), "total", 1e-9))


def the_sweep_of_another_run(folder):
    other = write(folder.parent / "other", model=lambda: MLP(2, [3, 1], "tanh", "sigmoid", seed=1))
    shutil.copy(other / "chain_rule.csv", folder)


def a_wrong_value(folder):
    def change(rows):  # the sum of a relu that is off: further below 0 changes nothing above
        off = next(row for row in rows if row["operation"] == "relu" and float(row["parent_value"]) < -0.1)
        name = off["parent"]
        for row in rows:
            for column, node in (("value", "node"), ("parent_value", "parent")):
                if row[node] == name and row["step"] == off["step"]:
                    moved(row, column, -0.01)

    edited(folder, "chain_rule.csv", change)


def repaid(rows, to, partial, formula=None):
    """Give the edge that pays a leaf last another partial, and reckon on from there."""
    row = last_paid(rows, to)
    share = partial * float(row["upstream"])
    total = float(row["total"]) - float(row["share"])
    put(row, partial=partial, share=share, total=total + share)
    if formula:
        row["partial_formula"] = formula


def a_wrong_partial(folder):
    def change(rows):  # sample 3 comes first in the sweep, and only one edge leads to its target
        repaid(rows, "sample3.y", -1.0 - 1e-9)

    edited(folder, "chain_rule.csv", change)


def a_wrong_rule(folder):
    edited(folder, "chain_rule.csv", lambda rows: repaid(rows, "sample3.y", 1.0, "1.0"))


def blame_shifts(folder):
    edited(folder, "gradients_by_sample.csv", lambda rows: moved(rows[3], "sample2", 1e-9))


FRAUDS = {
    # the check that must catch it, and alone: the fraud; the run that it is planted in, and how that is written
    a_step_is_missing: ("steps without gaps", "xor, momentum", {**PLAIN, "every": 3}),
    a_wrong_epoch: ("steps without gaps", "xor, momentum", PLAIN),
    a_row_too_many_is_counted: ("rows as counted", "xor, momentum", {}),
    a_recorded_step_is_missing: ("all parameters", "xor, momentum", {**PLAIN, "every": 3}),
    a_chosen_step_is_missing: ("chosen steps", "xor, momentum", {}),
    shares_of_a_step_are_missing: ("chosen steps", "xor, momentum", {}),
    the_last_weight_is_another: ("after = before + update", "xor, momentum", PLAIN),
    a_weight_jumps: ("before = last after", "a dead input", PLAIN),
    an_update_is_larger: ("update by the formula", "one sample", PLAIN),
    memory_from_nowhere: ("memory carried on", "one sample", PLAIN),
    a_wrong_learning_rate: ("learning rate", "xor, momentum", {}),
    a_wrong_norm: ("norms", "xor, momentum", {}),
    a_wrong_loss: ("loss", "flowers, batches", PLAIN),
    a_wrong_promise: ("predicted change", "xor, momentum", {}),
    a_wrong_measurement: ("measured change", "xor, momentum", {}),
    a_wrong_last_measurement: ("measured change", "flowers, batches", {}),
    a_wrong_accuracy: ("evaluation", "xor, momentum", {}),
    a_wrong_test_loss: ("evaluation", "flowers, batches", {}),
    a_wrong_order: ("order of the sweep", "xor, momentum", {}),
    another_operation: ("order of the sweep", "xor, momentum", {}),
    a_share_too_large: ("shares and totals", "xor, momentum", {}),
    a_wrong_total: ("shares and totals", "xor, momentum", {}),
    the_sweep_of_another_run: ("loss, leaves, gradients", "xor, momentum", {}),
    a_wrong_value: ("values by formula", "hinge, adam", {}),
    a_wrong_partial: ("partials by formula", "xor, momentum", {}),
    a_wrong_rule: ("partials are slopes", "xor, momentum", {}),
    blame_shifts: ("shares of samples", "xor, momentum", {}),
}


def alone(folder, check):
    """Only the named check finds the trace wrong; without it the fraud goes unnoticed. Returns its sentence."""
    assert verify(folder, {name: made for name, made in CHECKS.items() if name != check}).wrong == ""
    sentence = verify(folder, {check: CHECKS[check]}).wrong
    assert sentence and "\n" not in sentence and sentence.isascii()
    assert verify(folder).wrong == sentence
    return sentence


@pytest.mark.parametrize("fraud", FRAUDS, ids=lambda fraud: fraud.__name__)
def test_each_fraud_is_caught_by_its_own_check_alone(tmp_path, fraud):
    """The check is needed, and no other is: it names the file and the step."""
    check, name, options = FRAUDS[fraud]
    folder = write(tmp_path / "run", name, **options)
    assert verify(folder).wrong == ""
    fraud(folder)
    sentence = alone(folder, check)
    assert ".csv" in sentence
