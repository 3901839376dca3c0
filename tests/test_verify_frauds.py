"""Planted frauds: a changed number is found by the check that is meant to find it, and by no other."""

import csv
import math
import shutil

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from micrograd_lite import MLP, SGD, RMSprop, Tracer, cross_entropy, mse, scalar, train
from micrograd_lite.chain.formulas import written
from micrograd_lite.data import Dataset
from micrograd_lite.rules import RULES, SCALAR, compile_rule
from micrograd_lite.text import cells
from micrograd_lite.verify import CHECKS, verify
from micrograd_lite.verify.derivative import added, derived
from micrograd_lite.verify.network import network
from micrograd_lite.verify.record import Record
from test_verify_forgeries import FORGED
from traced import PLAIN, edited, moved, put, verdicts, without, write, write_arrays

# --- planted frauds --------------------------------------------------------------------------------------------------

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


def a_gradient_too_long(folder):
    def half_as_much(rows):
        gradient = 1.5 * float(rows[-1]["gradient"])
        put(rows[-1], gradient=gradient, update=-0.1 * gradient, after=float(rows[-1]["before"]) + -0.1 * gradient)
        edited(folder, "metrics.csv", lambda rows: put(rows[-1], gradient_norm=abs(gradient), update_norm=abs(-0.1 * gradient)))

    edited(folder, "gradients.csv", half_as_much)


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
    def change(rows):  # of an operation that only the walk can judge, because nobody knows its name
        repaid(rows, "sample3.y", 1.0, "1.0")
        name = last_paid(rows, "sample3.y")["node"]
        for row in rows:
            row["operation"] = "minus" if row["node"] == name else row["operation"]

    edited(folder, "chain_rule.csv", change)


def an_operation_is_renamed(folder):
    edited(folder, "chain_rule.csv", lambda rows: [row.update(operation="sigmoid") for row in rows if row["operation"] == "tanh"])


def blame_shifts(folder):
    edited(folder, "gradients_by_sample.csv", lambda rows: moved(rows[3], "sample2", 1e-9))


def an_announced_column_is_gone(folder):
    edited(folder, "run.json", lambda run: run["evaluation"].pop())


FRAUDS = {
    # the check that must catch it, and alone: the fraud; the run that it is planted in, and how that is written
    an_announced_column_is_gone: ("run.json and tables", "xor, momentum", {**PLAIN, "evaluate_every": 1}),
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
    a_gradient_too_long: ("gradients are slopes", "one weight", PLAIN),
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
    an_operation_is_renamed: ("operations", "xor, momentum", {}),
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
    assert ".csv" in sentence or check == "run.json and tables"


WRONG_RULES = {
    "tanh": "1.0 + z * z",
    "sigmoid": "z * (1.0 + z)",
    "softplus": "-1.0 / (1.0 + exp(-x)) if x >= 0 else exp(x) / (1.0 + exp(x))",
    "relu": "0.0 if x <= 0 else -1.0",
    "leaky_relu": "-0.01 if x <= 0 else 1.0",
    "elu": "1.0 if x > 0 else -exp(x)",
    "sin": "-cos(x)",
}


@pytest.mark.parametrize("name", WRONG_RULES)
def test_an_engine_with_a_wrong_rule_is_caught(tmp_path, monkeypatch, name):
    """Its sweep adds up, its weights follow its gradients; walking and a derivative of our own show that the slopes are none."""
    monkeypatch.setitem(RULES, name, RULES[name]._replace(partials=(WRONG_RULES[name],)))
    monkeypatch.setitem(scalar.APPLY, name, compile_rule(RULES[name], SCALAR))
    monkeypatch.setattr(scalar.Value, name, scalar.unary(name))
    written.cache_clear()
    try:
        folder = write(tmp_path / "run", steps=3, model=lambda: MLP(2, [4, 4, 1], name, seed=1), optimizer=SGD(0.01))
    finally:
        written.cache_clear()
    wrong = {finding.check: finding.sentence for finding in verify(folder).findings if finding.verdict == "wrong"}
    assert set(wrong) == {"partials are slopes", "gradients are slopes", "shares of samples", "operations"}
    assert " but moving the operand says it is about " in wrong["partials are slopes"]
    assert " but by our own derivative it is " in wrong["gradients are slopes"]


def a_ratio_that_flatters(folder):
    edited(folder, "layers.csv", lambda rows: moved(rows[2], "update_ratio", 1e-9))


def a_mean_that_drifts(folder):
    edited(folder, "layers.csv", lambda rows: moved(rows[2], "mean", 1e-3))


def a_norm_of_arrays(folder):
    edited(folder, "metrics.csv", lambda rows: moved(rows[2], "gradient_norm", 1e-3))


def longer_gradients(folder):
    """In both tables, so that the lengths still add up."""
    for table in ("metrics.csv", "layers.csv"):
        edited(folder, table, lambda rows: [put(row, gradient_norm=1.01 * float(row["gradient_norm"])) for row in rows])


def livelier_activations(folder):
    edited(folder, "layers.csv", lambda rows: put(rows[0], activations_flat=float(rows[0]["activations_flat"]) + 0.25))


def weights_of_another_step(folder):
    shutil.copy(folder / "weights" / "step_000001.npz", folder / "weights" / "step_000012.npz")


ARRAY_FRAUDS = {
    a_ratio_that_flatters: ("update ratios", set()),
    a_mean_that_drifts: ("kept weights", set()),
    a_norm_of_arrays: ("norms", {"moves of arrays"}),
    longer_gradients: ("moves of arrays", set()),
    livelier_activations: ("flat activations", set()),
    weights_of_another_step: ("kept weights", {"measured change", "evaluation", "moves of arrays"}),  # they answer with those
}


@pytest.mark.parametrize("fraud", ARRAY_FRAUDS, ids=lambda fraud: fraud.__name__)
def test_frauds_in_traces_of_arrays_are_caught(tmp_path, fraud):
    """Likewise; where whole weights are exchanged, the checks that compute with them may see it too."""
    pytest.importorskip("numpy")
    check, others = ARRAY_FRAUDS[fraud]
    folder = write_arrays(tmp_path / "run")
    fraud(folder)
    wrong = {name for name, verdict in verdicts(verify(folder)).items() if verdict == "wrong"}
    assert check in wrong and wrong <= {check} | others


def narrow(folder, margin, outputs, size=1.0):
    """A trace of arrays whose only decision, a right one, is as narrow as the margin; it says that it is wrong."""
    from micrograd_lite import arrays

    weights = [[size + margin, size]] if outputs == 2 else [[0.5 * size + margin]]
    net = arrays.MLP(1, [outputs], init=[weights], bias=False)
    table = ([[1.0], [-1.0]], [0, 1]) if outputs == 2 else ([[1.0], [0.0]], [size, 0.0])
    data = Dataset("two", *table, classes=2)
    settings = {"loss": cross_entropy if outputs == 2 else mse, "optimizer": SGD(1e-30), "epochs": 1}
    with Tracer(folder, weights_every=1) as tracer:
        list(tracer.follow(train(net, data, test=data, evaluate_every=1, **settings)))
    edited(folder, "metrics.csv", lambda rows: [put(row, test_accuracy=0.5) for row in rows])
    return folder


@pytest.mark.parametrize("outputs, size", [(2, 1.0), (2, 100.0), (1, 1.0), (1, 1000.0)])
def test_a_narrow_decision_of_arrays_may_fall_either_way(tmp_path, outputs, size):
    """Narrow: within 1e-4 of the border, or of the larger output; a ten-thousandth more is none, and decided as it stands."""
    pytest.importorskip("numpy")
    scale = max(1.0, size if outputs == 2 else 0.5 * size)
    for margin, verdict in ((0.99e-4, "ok"), (1.01e-4, "wrong")):
        folder = narrow(tmp_path / verdict, margin * scale, outputs, size)
        assert verdicts(verify(folder))["evaluation"] == verdict


@pytest.mark.parametrize("parameter", ["layer0.neuron0.b", "layer0.neuron0.w0"])
def test_only_shares_of_a_tied_weight_have_room_and_no_more_than_a_rounding_for_each_use(tmp_path, parameter):
    """Added in another order, each use may round, by the size of its paths; a weight with one place adds up to the last bit."""
    folder = write(tmp_path / "run", "tied, samples")
    for row in csv.DictReader((folder / "gradients_by_sample.csv").read_text().splitlines()):
        if (row["step"], row["parameter"]) == ("1", parameter):
            shares = [float(row[column]) for column in row if column.startswith("sample")]
    total = 0.0
    for share in reversed(shares):
        total += share
    record = Record(folder)
    size = added(derived(record, network(record), 1).sizes)[parameter]
    room = 2 * len(shares) * 2.0**-52 * size

    def write_gradient(rows):
        row = next(row for row in rows if (row["step"], row["parameter"]) == ("1", parameter))
        put(row, gradient=total + off)

    for off, fits in ((0.0, True), (room * 0.9, True), (room * 1.1, False)):
        for table in ("gradients.csv", "gradients_by_sample.csv"):
            edited(folder, table, write_gradient)
        fine = off == 0.0 or (fits and parameter.endswith("b"))
        assert verdicts(verify(folder))["shares of samples"] == ("ok" if fine else "wrong")


def test_every_check_has_its_fraud():
    """No check stands in the list without a fraud that shows it working, here or among the forgeries; another start is none."""
    shown = {check for check, *_ in (*FRAUDS.values(), *ARRAY_FRAUDS.values(), *FORGED.values())}
    assert shown == set(CHECKS) - {"first weights"}


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
        edited(one, "data.csv", lambda rows: rows[3].update({[*rows[3]][3]: "9.0"}))
    else:
        shutil.copy(write(tmp_path / "other", "flowers, batches", **PLAIN, **{option: changed}) / "run.json", one)
    assert verify(one).wrong


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
