"""A trace proves itself: honest traces pass every check, and a changed number is found by the check that is meant to find it."""

import csv
import json
import math
import shutil
import subprocess
import sys
from itertools import islice

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from micrograd_lite import (
    MLP, SGD, Adam, AdamW, Cosine, Layer, Neuron, RMSprop, StepDecay, Tracer, Value, binary_cross_entropy, cli, cross_entropy,
    half_squared_error, hinge, mse, train,
)  # fmt: skip
from micrograd_lite.data import Dataset, iris, mazur, moons, xor
from micrograd_lite.module import Module
from micrograd_lite.trace import cells
from micrograd_lite.verify import CHECKS, verify
from micrograd_lite.verify.arrays import read_arrays
from micrograd_lite.verify.formulas import read

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


def a_ratio_that_flatters(folder):
    edited(folder, "layers.csv", lambda rows: moved(rows[2], "update_ratio", 1e-9))


def a_mean_that_drifts(folder):
    edited(folder, "layers.csv", lambda rows: moved(rows[2], "mean", 1e-3))


def a_norm_of_arrays(folder):
    edited(folder, "metrics.csv", lambda rows: moved(rows[2], "gradient_norm", 1e-3))


def weights_of_another_step(folder):
    shutil.copy(folder / "weights" / "step_000001.npz", folder / "weights" / "step_000012.npz")


ARRAY_FRAUDS = {
    a_ratio_that_flatters: ("update ratios", set()),
    a_mean_that_drifts: ("kept weights", set()),
    a_norm_of_arrays: ("norms", set()),
    weights_of_another_step: ("kept weights", {"measured change", "evaluation"}),  # they answer with those weights
}


@pytest.mark.parametrize("fraud", ARRAY_FRAUDS, ids=lambda fraud: fraud.__name__)
def test_frauds_in_traces_of_arrays_are_caught(tmp_path, arrays, fraud):
    """Likewise; where whole weights are exchanged, the checks that compute with them may see it too."""
    check, others = ARRAY_FRAUDS[fraud]
    folder = shutil.copytree(arrays, tmp_path / "run")
    fraud(folder)
    wrong = {name for name, verdict in verdicts(verify(folder)).items() if verdict == "wrong"}
    assert check in wrong and wrong <= {check} | others


def test_every_check_has_its_fraud():
    """No check stands in the list without a fraud that shows it working."""
    assert {check for check, *_ in (*FRAUDS.values(), *ARRAY_FRAUDS.values())} == set(CHECKS)


@pytest.mark.parametrize("name", ["metrics.csv", "gradients.csv", "optimizer.csv", "chain_rule.csv", "gradients_by_sample.csv"])
@pytest.mark.parametrize("details", [{}, PLAIN], ids=["detailed", "plain"])
def test_tables_swapped_between_two_runs_are_caught(tmp_path, name, details):
    """Two runs that differ in their seed alone: one table of the other run is enough."""
    one = write(tmp_path / "one", **details)
    other = write(tmp_path / "other", model=lambda: MLP(2, [3, 1], "tanh", "sigmoid", seed=1), **details)
    if (one / name).exists():
        shutil.copy(other / name, one / name)
        assert name in verify(one).wrong or "metrics.csv" in verify(one).wrong


@pytest.mark.parametrize("option", ["optimizer", "data", "seed"])
def test_a_swapped_run_json_is_caught(tmp_path, option):
    """When the runs differ in what run.json says of them; a note tells when it is the seed of the weights alone."""
    changed = {"optimizer": RMSprop(0.02), "data": None, "seed": 4}[option]
    one = write(tmp_path / "one", "flowers, batches", **PLAIN)
    if option == "data":
        edited(one, "run.json", lambda run: run["data"]["inputs"][3].__setitem__(2, 9.0))
    else:
        shutil.copy(write(tmp_path / "other", "flowers, batches", **PLAIN, **{option: changed}) / "run.json", one)
    assert verify(one).wrong


def test_a_note_tells_where_the_weights_start(tmp_path):
    """As the seed draws them, or otherwise: then run.json may be another run's, or somebody set them."""
    one = write(tmp_path / "one")
    other = write(tmp_path / "other", model=lambda: MLP(2, [3, 1], "tanh", "sigmoid", seed=1))
    assert verify(one).notes == ["the weights start where seed 0 puts them"]
    assert verify(other).notes == ["the weights start where seed 1 puts them"]
    shutil.copy(other / "run.json", one)
    assert verify(one).notes[0].startswith("the weights before step 1 are not those that seed 1 draws: ")


@pytest.mark.parametrize("init", ["he", "glorot", "uniform", "normal", "zeros", None])
def test_every_distribution_is_drawn_again(tmp_path, init):
    """By its name, or by the activation where none was chosen."""
    folder = write(tmp_path / "run", model=lambda: MLP(2, [3, 1], "relu", "tanh", init=init, seed=3))
    assert verify(folder).notes == ["the weights start where seed 3 puts them"]


# --- any cell at all -------------------------------------------------------------------------------------------------

TABLES = ("gradients.csv", "optimizer.csv", "metrics.csv", "chain_rule.csv", "gradients_by_sample.csv")
ROUNDED = {
    "metrics.csv": ("loss", "gradient_norm", "update_norm", "learning_rate", "measured_change"),
    "optimizer.csv": ("first_corrected", "second_corrected"),
    "gradients_by_sample.csv": tuple(f"sample{sample}" for sample in range(12)),
}
"""Where a last bit may be lost: a library's exp, tanh or pow takes part, or the number is a term of a sum, which rounds."""

CHANGES = {
    "the next float": lambda number: math.nextafter(number, math.inf),
    "the other sign": lambda number: -number,
    "one more": lambda number: number + 1.0,
    "a little more": lambda number: number + 1e-6 * max(1.0, abs(number)),
    "nan": lambda number: math.nan,
    "inf": lambda number: math.inf,
}


@pytest.fixture(scope="module", params=["xor, momentum", "hinge, adam"])
def honest(tmp_path_factory, request):
    """A trace with every table, their rows of text, and the place of every number in them."""
    folder = write(tmp_path_factory.mktemp("honest") / "run", request.param, **{"chain_rule": [3], "by_sample": [3]})
    texts = ("step", "order", "epoch", "parameter", "node", "operation", "formula", "parent", "partial_formula")
    tables = {name: list(csv.reader((folder / name).read_text().splitlines())) for name in TABLES}
    places = {
        name: [(row, column) for row, line in enumerate(rows) if row for column, cell in enumerate(line)
               if cell and rows[0][column] not in texts]
        for name, rows in tables.items()
    }  # fmt: skip
    return folder, tables, places


@given(change=st.sampled_from(sorted(CHANGES)), table=st.sampled_from(TABLES), place=st.integers(0, 10**6))
def test_no_number_can_be_changed_unseen(honest, change, table, place):
    """Any number of any scalar table, made another: some check finds it, down to the last bit where arithmetic is exact."""
    folder, tables, places = honest
    row, column = places[table][place % len(places[table])]
    rows = [list(line) for line in tables[table]]
    number = float(rows[row][column])
    rounded = rows[0][column] in ROUNDED.get(table, ()) and (change == "the next float" or number == 0.0)
    rounded |= rows[0][column] == "before" and number == 0.0  # of the first step: an update swallows 5e-324 and -0.0
    other = CHANGES["a little more" if rounded else change](number)
    assume(repr(other) != repr(number))
    rows[row][column] = repr(other)
    whole = (folder / table).read_bytes()
    try:
        (folder / table).write_text("".join(map(cells.line, rows)))
        assert verify(folder).wrong, (table, rows[row], rows[0][column], number)
    finally:
        (folder / table).write_bytes(whole)


# --- a formula is text from a file -----------------------------------------------------------------------------------

HOSTILE = {
    "an attribute of a call": "exp(x).real",
    "a call of anything else": "open('x')",
    "a call of a method": "x.hex()",
    "a comprehension": "[x for x in 'ab']",
    "a lambda": "(lambda: 1)()",
    "a walrus": "(x := 1.0)",
    "an import": "__import__('os')",
    "a keyword argument": "exp(x=1.0)",
    "a starred argument": "exp(*x)",
    "a subscript": "x[0]",
    "a huge integer": "9" * 500,
    "a huge power": "10 ** 10 ** 10 ** 10",
    "too deep": "(" * 300 + "x" + ")" * 300,
    "100,000 minus signs": "-" * 100_000 + "x",
    "a long sum": "+".join(["x"] * 200),
    "an empty text": "",
    "two lines": "x\ny",
    "a null byte": "x\0",
    "a string is no number": "'x' + 1j",
    "bytes": "b'x'",
    "a condition of a float": "1.0 & x",
    "a chain of comparisons": "0.0 < x < 1.0",
    "an unknown name": "y + 1.0",
    "the node itself": "z",
    "too many operands": "exp(x, x)",
    "dots": "x + ...",
    "a surrogate": "\udcff",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_formula_is_refused_or_is_nan(text):
    """Nothing of it is executed: one sentence, or no number."""
    try:
        assert math.isnan(read(text)({"x": 1.0})) or text == "10 ** 10 ** 10 ** 10"
    except ValueError as error:
        assert "\n" not in str(error) and str(error).isascii() and len(str(error)) < 400


@pytest.mark.parametrize(
    "text, value",
    [("x * (1.0 - x)", 0.25), ("'a b' + x", 2.5), ("(-layer0.w)", -3.0), ("pow(x, 2.0)", 0.25), ("exp(1000.0)", math.inf),
     ("0.0 if x <= 0 else x", 0.5), ("x if (x > 'a b') | (x != x) else 'a b'", 2.0), ("x - 1.0 / 4.0", 0.25)],
)  # fmt: skip
def test_a_formula_is_worked_out(text, value):
    """Names stand as they are, dotted, or in quotes; what overflows is inf."""
    assert read(text)({"x": 0.5, "a b": 2.0, "layer0.w": 3.0}) == value


@pytest.mark.parametrize("text", ["log(0.0)", "1.0 / 0.0", "sqrt(-1.0)", "pow(-1.0, 0.5)"])
def test_what_has_no_value_is_nan(text):
    """Rows of the table never ask for it; a forged one may."""
    assert math.isnan(read(text)({}))


# --- traces that are no traces, or not yet ---------------------------------------------------------------------------


def test_a_run_that_still_goes_on_is_verified_as_far_as_it_goes(tmp_path):
    """Running, then killed: the report says so and up to where; half a row is left out."""
    model, data, settings = RUNS["xor, momentum"]
    with Tracer(tmp_path / "run", every=2) as tracer:
        for step in islice(train(model(), data, **{**settings, "optimizer": Adam(0.1)}), 5):
            tracer.watch(step)
        running = verify(tmp_path / "run")
        shutil.copytree(tmp_path / "run", tmp_path / "copy")
        with pytest.raises(ValueError, match=r"new has no whole step yet \(its status is running\); there is nothing to verify$"):
            Tracer(tmp_path / "new")
            verify(tmp_path / "new")
    with (tmp_path / "copy" / "gradients.csv").open("a") as file:
        file.write("6,layer0.neuron0.w0,0.1")
    killed = verify(tmp_path / "copy")
    for status, report in (("running", running), ("killed", killed)):
        assert report.wrong == ""
        assert report.notes[-1] == f"the run is {status}: verified as far as it goes, up to step 5"
        assert verdicts(report)["rows as counted"] == "not here"
    edited(tmp_path / "copy", "gradients.csv", lambda rows: (rows.pop(), moved(rows[7], "after", 1.0)))
    assert verify(tmp_path / "copy").wrong.startswith("gradients.csv, step 1, layer0.neuron2.w1: after is ")


def test_an_interrupted_run_passes(tmp_path):
    """Its last step is recorded when it is closed."""
    model, data, settings = RUNS["hinge, adam"]
    with pytest.raises(KeyboardInterrupt), Tracer(tmp_path / "run", every=4) as tracer:
        for step in train(model(), data, **settings):
            tracer.watch(step)
            if step.number == 6:
                raise KeyboardInterrupt
    assert verify(tmp_path / "run").wrong == ""


def command(capsys, folder):
    """Exit code, standard output and standard error of `micrograd-lite verify FOLDER`."""
    code = cli.main(["verify", str(folder)])
    return code, *capsys.readouterr()


def test_the_command_prints_the_checks_and_a_verdict(tmp_path, capsys):
    """Exit code 0 and the number of rows, or 1 and the first wrong row on the last line."""
    folder = write(tmp_path / "run")
    code, out, err = command(capsys, folder)
    assert (code, err) == (0, "") and [line[:24].strip() for line in out.splitlines()[1 : 1 + len(CHECKS)]] == list(CHECKS)
    assert out.splitlines()[-1] == f"{folder}: {verify(folder).rows} rows agree"
    a_wrong_rule(folder)
    code, out, err = command(capsys, folder)
    sentence = "chain_rule.csv, step 1, row 7, v66 to sample3.y: partial is 1.0, but moving the operand says it is about -1.0"
    assert (code, err, out.splitlines()[-1]) == (1, "", sentence)


UNREADABLE = {
    "no folder": lambda folder: shutil.rmtree(folder),
    "no run.json": lambda folder: (folder / "run.json").unlink(),
    "another format": lambda folder: edited(folder, "run.json", lambda run: run.update(format="micrograd-lite-trace/2")),
    "not JSON": lambda folder: (folder / "run.json").write_text("{"),
    "no settings": lambda folder: (folder / "run.json").write_text('{"format": "micrograd-lite-trace/1"}'),
    "no metrics": lambda folder: (folder / "metrics.csv").unlink(),
    "no steps": lambda folder: edited(folder, "metrics.csv", lambda rows: rows.clear()),
    "a word for a number": lambda folder: edited(folder, "gradients.csv", lambda rows: rows[3].update(after="word")),
    "an empty cell": lambda folder: edited(folder, "gradients.csv", lambda rows: rows[3].update(after="")),
    "an empty loss": lambda folder: edited(folder, "metrics.csv", lambda rows: rows[3].update(loss="")),
    "a column too few": lambda folder: (folder / "chain_rule.csv").write_text("step,order\n1,1\n"),
    "not text": lambda folder: (folder / "optimizer.csv").write_bytes(b"\xff\xfe\n"),
    "data of words": lambda folder: edited(folder, "run.json", lambda run: run["data"]["inputs"][0].__setitem__(0, "word")),
    "data too short": lambda folder: edited(folder, "run.json", lambda run: run["data"]["targets"].pop()),
    "no samples": lambda folder: edited(folder, "run.json", lambda run: run["data"].update(samples=0)),
    "a batch of words": lambda folder: edited(folder, "run.json", lambda run: run.update(batch_size="all")),
    "every is 0": lambda folder: edited(folder, "run.json", lambda run: run.update(every=0)),
}


@pytest.mark.parametrize("damage", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_readable_trace_is_one_line(tmp_path, capsys, damage):
    """Exit code 2 and a sentence that names the path, on standard error."""
    folder = write(tmp_path / "run")
    damage(folder)
    code, out, err = command(capsys, folder)
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1 and str(folder) in err


SETTINGS = {
    "no optimizer": lambda run: run.update(optimizer={"name": "Adam"}),
    "momentum of words": lambda run: run["optimizer"].update(momentum="much"),
    "a schedule of half its settings": lambda run: run["optimizer"].update(lr={"schedule": "Cosine", "lr": 1.0}),
    "a learning rate of words": lambda run: run["optimizer"].update(lr="fast"),
    "steps of words": lambda run: run.update(steps="seven"),
    "rows of words": lambda run: run.update(rows="many"),
    "fixed words": lambda run: run.update(fixed={"layer0.neuron0.b": "word"}),
    "targets of words": lambda run: run["data"].update(targets=["a", "b", "c", "d"]),
    "a seed of another kind": lambda run: run.update(batch_size=2, seed=10**30),
    "widths of words": lambda run: run["model"].update(outputs_per_layer=["a"], inputs="b"),
    "an unknown activation": lambda run: run["model"].update(output="step"),
    "an unknown optimizer": lambda run: run["optimizer"].update(name="Lion"),
    "an unknown schedule": lambda run: run["optimizer"].update(lr={"schedule": "Warm"}),
    "an unknown loss": lambda run: run.update(loss="huber"),
    "huge data": lambda run: run["data"].update(inputs=[[1e308, 1e308]] * 4),
    "chosen words": lambda run: run.update(chain_rule=["a"], by_sample=[None]),
}


@pytest.mark.parametrize("change", SETTINGS.values(), ids=SETTINGS)
def test_settings_that_fit_no_table_are_one_sentence(tmp_path, capsys, change):
    """Whatever run.json says: no traceback; a wrong row, or a line about what is not known here."""
    folder = write(tmp_path / "run")
    edited(folder, "run.json", change)
    code, out, err = command(capsys, folder)
    assert code in (0, 1, 2) and err.count("\n") == (1 if code == 2 else 0)
    assert code != 0 or "is known for" in out or "not those of the model" in out or "not known here" in out


NPZ = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "empty": lambda path: path.write_bytes(b""),
    "no zip": lambda path: path.write_bytes(b"weights" * 100),
    "a byte changed": lambda path: path.write_bytes(path.read_bytes().replace(b"NUMPY", b"NUMPI")),
    "pickled": lambda path: __import__("numpy").savez(path, **{"layer0.w": __import__("numpy").array([{}], dtype=object)}),
    "whole numbers": lambda path: __import__("numpy").savez(path, **{"layer0.w": __import__("numpy").arange(20)}),
}


@pytest.mark.parametrize("damage", NPZ.values(), ids=NPZ)
def test_damaged_weights_are_one_line(tmp_path, capsys, arrays, damage):
    """Exit code 2 and the path; nothing is ever unpickled."""
    folder = shutil.copytree(arrays, tmp_path / "run")
    damage(folder / "weights" / "step_000003.npz")
    code, out, err = command(capsys, folder)
    assert (code, out) == (2, "") and err.count("\n") == 1 and "step_000003.npz" in err


def test_arrays_are_read_as_numpy_reads_them(tmp_path):
    """Both precisions, both byte orders, any shape, compressed or not: the same numbers without NumPy."""
    np = pytest.importorskip("numpy")
    for save in (np.savez, np.savez_compressed):
        for kind in ("<f4", "<f8", ">f4", ">f8"):
            kept = {"layer0.w": np.linspace(-1, 1, 6, dtype=kind).reshape(2, 3), "layer0.b": np.ones(3, kind)}
            save(tmp_path / "kept.npz", **kept)
            found = read_arrays(tmp_path / "kept.npz")
            assert {name: list(table.numbers) for name, table in found.items()} == {
                name: array.ravel().tolist() for name, array in kept.items()
            }
            scalars = dict(found["layer0.w"].scalars())
            assert scalars["layer0.neuron1.w0"] == float(kept["layer0.w"][0, 1])


# --- a code path of its own ------------------------------------------------------------------------------------------


def test_verifying_loads_no_engine(tmp_path):
    """In a process of its own: after a whole trace, of all our pages only the readers of files are loaded; no NumPy."""
    folder = write(tmp_path / "run", "flowers, batches")
    program = (
        "import sys; from micrograd_lite.verify import verify; report = verify(sys.argv[1]); assert not report.wrong; "
        "print(*sorted(name for name in sys.modules if name.startswith('micrograd_lite') or name.startswith('numpy')))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True)
    pages = {name for name in done.stdout.split() if not name.startswith("micrograd_lite.verify")}
    assert pages == {f"micrograd_lite{page}" for page in ("", ".files", ".trace", ".trace.cells", ".trace.folder", ".trace.table")}


def test_the_names_of_a_trace_are_found_lazily():
    """Tracer, Trace and GradientRow import as ever; an unknown name is an AttributeError that lists them."""
    from micrograd_lite import trace

    assert all(getattr(trace, name).__name__ == name for name in trace.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Tracing'; it has GradientRow, Trace, Tracer$"):
        trace.Tracing  # noqa: B018
