"""Forgeries that fit together: whole columns, settings and files changed so that the tables still add up. Each is caught by
its class, or named in the verdict as not checked; then --strict fails."""

import csv
import json
import math
import shutil
from itertools import islice

import pytest

from micrograd_lite import MLP, SGD, Tracer, binary_cross_entropy, cli, mse, train
from micrograd_lite.data import moons, xor
from micrograd_lite.training import loss_and_gradients
from micrograd_lite.verify import verify
from micrograd_lite.verify.network import network
from micrograd_lite.verify.record import Record
from traced import PLAIN, edited, put, verdicts, write, write_arrays


def scaled(folder, table, factor, *columns):
    """Multiply whole columns."""
    def change(rows):
        for row in rows:
            put(row, **{column: float(row[column]) * factor for column in columns if row[column]})

    edited(folder, table, change)


def setting(path, value):
    """A forgery that sets one entry of run.json, such as model.bias; None takes it out."""

    def forge(folder):
        def change(run):
            *way, last = path.split(".")
            for part in way:
                run = run[part]
            run[last] = value

        edited(folder, "run.json", change)

    forge.__name__ = f"{path} is {value!r:.30}"
    return forge


def sizes_of_another_network(folder):
    edited(folder, "run.json", lambda run: run["model"].update(outputs_per_layer=[4, 1]))
    scaled(folder, "metrics.csv", 0.5, "loss")


def an_activation_of_another_network(folder):
    edited(folder, "run.json", lambda run: run["model"].update(activation=["prelu"]))
    scaled(folder, "metrics.csv", 0.5, "loss")


def all_blame_on_one_sample(folder):
    def change(rows):
        for row in rows:
            put(row, sample0=float(row["gradient"]), sample1=0.0, sample2=0.0, sample3=0.0)

    edited(folder, "gradients_by_sample.csv", change)


def two_samples_swapped(folder):
    def change(rows):
        for row in rows:  # added in another order, the sum may differ in its last bit: then in both tables
            row["sample1"], row["sample2"] = row["sample2"], row["sample1"]
            total = 0.0
            for sample in (3, 2, 1, 0):
                total += float(row[f"sample{sample}"])
            if total != float(row["gradient"]):
                row["sample1"], row["sample2"] = row["sample2"], row["sample1"]

    edited(folder, "gradients_by_sample.csv", change)


def columns_of(folder, change):
    """Rewrite metrics.csv with another header: `change` gets the rows as lists of text."""
    path = folder / "metrics.csv"
    rows = list(csv.reader(path.read_text().splitlines()))
    path.write_text("".join(",".join(row) + "\n" for row in change(rows)))


def an_evaluation_column_is_dropped(folder):
    edited(folder, "run.json", lambda run: run["evaluation"].remove("test_accuracy"))
    columns_of(folder, lambda rows: [[cell for cell, name in zip(row, rows[0]) if name != "test_accuracy"] for row in rows])


def an_evaluation_column_is_renamed(folder):
    edited(folder, "run.json", lambda run: run.update(evaluation=["train_accuracy", "test_loss", "real_accuracy"]))
    columns_of(folder, lambda rows: [[cell.replace("test_accuracy", "real_accuracy") for cell in row] for row in rows])


def an_evaluation_column_is_added(folder):
    edited(folder, "run.json", lambda run: run["evaluation"].append("f1"))
    columns_of(folder, lambda rows: [[*row, "f1" if row is rows[0] else "1.0"] for row in rows])


def an_evaluation_cell_is_emptied(folder):
    edited(folder, "metrics.csv", lambda rows: rows[3].update(test_accuracy=""))


def the_cells_of_an_evaluation_are_emptied(folder):
    edited(folder, "metrics.csv", lambda rows: rows[3].update(test_accuracy="", test_loss="", train_accuracy=""))


def the_test_data_are_removed(folder):
    edited(folder, "run.json", lambda run: run.update(test=None))
    scaled(folder, "metrics.csv", 0.1, "test_loss")


def the_test_samples_are_removed(folder):
    edited(folder, "data.csv", lambda rows: rows.__setitem__(slice(None), [row for row in rows if row["part"] == "train"]))
    scaled(folder, "metrics.csv", 0.1, "test_loss")


def an_operation_is_renamed(folder):
    edited(folder, "chain_rule.csv", lambda rows: [row.update(operation="sigmoid") for row in rows if row["operation"] == "tanh"])


def a_partial_formula_is_its_constant(folder):
    def change(rows):
        row = next(row for row in rows if row["operation"] == "tanh")
        row["partial_formula"] = row["partial"]

    edited(folder, "chain_rule.csv", change)


def a_value_formula_is_its_constant(folder):
    def change(rows):
        name = next(row["node"] for row in rows if row["operation"] == "relu" and float(row["value"]) == 0.0)
        for row in rows:
            row["formula"] = "0.0" if row["node"] == name else row["formula"]
            row["partial_formula"] = "0.0" if row["node"] == name else row["partial_formula"]

    edited(folder, "chain_rule.csv", change)


def underscores(text):
    return text[:-2] + "_" + text[-2:]


def full_width(text):
    return text.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})


def digits_in_json(folder):
    edited(folder, "run.json", lambda run: run["optimizer"].update(lr="０.01"))


def another_activation_and_the_losses_that_it_gives(folder):
    """relu for tanh, with the losses of a network of relus: only its gradients are those of another network."""
    edited(folder, "run.json", lambda run: run["model"].update(activation=["relu"]))
    record = Record(folder)
    known = network(record)

    def change(rows):
        for row in rows:
            step = int(row["step"])
            put(row, loss=known.loss(record.before(step), record.data, record.batches.rows(step)))

    edited(folder, "metrics.csv", change)


def changed_checkpoint(path, value):
    """A forgery that sets one entry of checkpoint.json."""

    def forge(folder):
        about = json.loads((folder / "checkpoint.json").read_text())
        *way, last = path
        entry = about
        for part in way:
            entry = entry[part]
        entry[last] = value
        (folder / "checkpoint.json").write_text(json.dumps(about))

    forge.__name__ = f"{'.'.join(map(str, path))} of checkpoint.json is {value!r}"
    return forge


def broken_checkpoint(text):
    """A forgery that writes something else in place of checkpoint.json."""

    def forge(folder):
        (folder / "checkpoint.json").write_text(text)

    forge.__name__ = f"checkpoint.json is {text[:20]!r}"
    return forge


def longer_updates(folder):
    """update_norm is larger by a hundredth, in both tables and in the ratio."""
    scaled(folder, "metrics.csv", 1.01, "update_norm")

    def change(rows):
        for row in rows:
            put(row, update_norm=float(row["update_norm"]) * 1.01)
            put(row, update_ratio=float(row["update_norm"]) / float(row["norm"]))

    edited(folder, "layers.csv", change)


def shorter_gradients(folder):
    """gradient_norm is smaller by a hundredth, in both tables."""
    for table in ("metrics.csv", "layers.csv"):
        scaled(folder, table, 0.99, "gradient_norm")


def another_rate(folder):
    """The learning rate is smaller by a tenth, in run.json and in metrics.csv."""
    edited(folder, "run.json", lambda run: run["optimizer"].update(lr=0.009))
    edited(folder, "metrics.csv", lambda rows: [put(row, learning_rate=0.009) for row in rows])


def another_optimizer(folder):
    """RMSprop's name on Adam's updates."""
    optimizer = {"name": "RMSprop", "lr": 0.01, "alpha": 0.9, "eps": 1e-8, "weight_decay": 0.0}
    edited(folder, "run.json", lambda run: run.update(optimizer=optimizer, optimizer_memory=["square"]))


def prettier_losses(folder):
    scaled(folder, "metrics.csv", 0.5, "loss")


def turned(plan, batch, step):
    """An engine whose gradient is turned by 3 %, across its own direction: as long as it was."""
    loss, gradients = loss_and_gradients(plan, batch, step)
    a, b, *others = gradients
    gradients = [a * math.cos(0.03) - b * math.sin(0.03), a * math.sin(0.03) + b * math.cos(0.03), *others]
    for parameter, gradient in zip(plan.parameters, gradients):
        parameter.grad = gradient
    return loss, gradients


MOMENTUM, ADAM, BATCHES, ARRAYS = "xor, momentum", "hinge, adam", "flowers, batches", "arrays"
STOPPED = {"checkpoint_every": 5}
FORGED = {
    # the check that must catch it (others may see it too): the forgery and the run that it is made in
    sizes_of_another_network: ("run.json and tables", MOMENTUM, {}),
    an_activation_of_another_network: ("run.json and tables", MOMENTUM, {}),
    setting("model.bias", False): ("run.json and tables", MOMENTUM, {}),
    setting("model.inputs", 3): ("run.json and tables", MOMENTUM, {}),
    setting("data.features", 3): ("run.json and tables", MOMENTUM, {}),
    setting("data.classes", 0): ("run.json and tables", BATCHES, {}),
    setting("data.classes", 2): ("run.json and tables", BATCHES, {}),
    setting("test.classes", 4): ("run.json and tables", BATCHES, {}),
    setting("model.output", "softmax"): ("run.json and tables", MOMENTUM, {}),
    setting("model.activation", ["tanh", "tanh"]): ("run.json and tables", MOMENTUM, {}),
    setting("optimizer_memory", []): ("run.json and tables", MOMENTUM, {}),
    setting("status", "excellent"): ("run.json and tables", MOMENTUM, {}),
    setting("fixed", {"layer9.neuron0.b": 0.0}): ("run.json and tables", MOMENTUM, {}),
    all_blame_on_one_sample: ("shares of samples", MOMENTUM, {}),
    two_samples_swapped: ("shares of samples", MOMENTUM, {}),
    an_evaluation_column_is_dropped: ("run.json and tables", BATCHES, {}),
    an_evaluation_column_is_renamed: ("run.json and tables", BATCHES, PLAIN),
    an_evaluation_column_is_added: ("run.json and tables", BATCHES, PLAIN),
    an_evaluation_cell_is_emptied: ("run.json and tables", BATCHES, {}),
    the_cells_of_an_evaluation_are_emptied: ("run.json and tables", BATCHES, {}),
    the_test_data_are_removed: ("run.json and tables", BATCHES, {}),
    the_test_samples_are_removed: ("run.json and tables", BATCHES, {}),
    an_operation_is_renamed: ("operations", MOMENTUM, {}),
    a_partial_formula_is_its_constant: ("operations", MOMENTUM, {}),
    a_value_formula_is_its_constant: ("operations", ADAM, {}),
    another_activation_and_the_losses_that_it_gives: ("gradients are slopes", MOMENTUM, PLAIN),
    longer_updates: ("moves of arrays", ARRAYS, {}),
    shorter_gradients: ("moves of arrays", ARRAYS, {}),
    setting("optimizer.betas", [0.8, 0.999]): ("moves of arrays", ARRAYS, {}),
    another_rate: ("moves of arrays", ARRAYS, {}),
    another_optimizer: ("moves of arrays", ARRAYS, {}),
    prettier_losses: ("loss", ARRAYS, {}),
    changed_checkpoint(["step"], 4): ("checkpoint", MOMENTUM, STOPPED),
    changed_checkpoint(["step"], 8): ("checkpoint", MOMENTUM, STOPPED),
    changed_checkpoint(["parameters", 0], 0.25): ("checkpoint", MOMENTUM, STOPPED),
    changed_checkpoint(["memory", 0], [0.25]): ("checkpoint", MOMENTUM, STOPPED),
    changed_checkpoint(["memory"], []): ("checkpoint", MOMENTUM, STOPPED),
    changed_checkpoint(["extents", "metrics.csv"], [100, 2]): ("checkpoint", MOMENTUM, STOPPED),
    changed_checkpoint(["extents", "../victim.txt"], [0, 0]): ("checkpoint", MOMENTUM, STOPPED),
    broken_checkpoint("[" * 100_000): ("checkpoint", MOMENTUM, STOPPED),
    broken_checkpoint("{}"): ("checkpoint", MOMENTUM, STOPPED),
}


def write_run(folder, name, **options):
    """The run of a forgery: one of the table, or one of arrays."""
    if name == ARRAYS:
        pytest.importorskip("numpy")
        return write_arrays(folder, **options)
    return write(folder, name, **options)


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_each_forgery_is_caught(tmp_path, forge):
    """By its check, among others perhaps."""
    check, name, options = FORGED[forge]
    folder = write_run(tmp_path / "run", name, **options)
    assert verify(folder).wrong == ""
    forge(folder)
    assert verdicts(verify(folder))[check] == "wrong"


def test_a_turned_gradient_is_caught_though_all_else_follows_from_it(tmp_path):
    """Norms, updates and losses are those of the turned gradient; only our own derivative tells."""
    report = verify(turned_run(tmp_path / "run"))
    assert [finding.check for finding in report.findings if finding.verdict == "wrong"] == ["gradients are slopes"]


def turned_run(folder):
    """A trace that an engine with a turned gradient wrote."""
    with Tracer(folder) as tracer:
        settings = {"loss": mse, "optimizer": SGD(0.5), "engine": turned}
        list(tracer.follow(islice(train(MLP(2, [3, 1], "tanh"), xor(), **settings), 5)))
    return folder


def test_a_turned_gradient_of_arrays_is_caught_by_the_kept_weights(tmp_path, monkeypatch):
    """The lengths of the whole gradient and of each array are what they were; each weight has moved elsewhere."""
    pytest.importorskip("numpy")
    report = verify(turned_arrays(tmp_path / "run", monkeypatch))
    assert [finding.check for finding in report.findings if finding.verdict == "wrong"] == ["moves of arrays"]


def turned_arrays(folder, monkeypatch):
    """A trace of arrays by an engine that turns its gradient by 3 % in the plane of the first two weights."""
    from micrograd_lite.arrays.fused import FusedStep

    true = FusedStep.__call__

    def wrong(self, *batch):
        loss = true(self, *batch)
        a, b = self.model.flat_grad[:2].tolist()
        self.model.flat_grad[:2] = a * math.cos(0.03) - b * math.sin(0.03), a * math.sin(0.03) + b * math.cos(0.03)
        return loss

    with monkeypatch.context() as patched:
        patched.setattr(FusedStep, "__call__", wrong)
        return write_arrays(folder, "tanh", optimizer=SGD(0.1))


def spelled(spell, name):
    """A forgery that writes a number in another way."""

    def forge(folder):
        edited(folder, "gradients.csv", lambda rows: rows[0].update(before=spell(rows[0]["before"])))

    forge.__name__ = f"a number {name}"
    return forge


SPELLED = [spelled(underscores, "with an underscore"), spelled(full_width, "in full-width digits"),
           spelled(lambda text: f" {text}", "after a space"), spelled(lambda text: f"+{text}", "with a plus sign"),
           spelled(lambda text: "Infinity", "that is infinite in letters")]  # fmt: skip


@pytest.mark.parametrize("forge", SPELLED, ids=lambda forge: forge.__name__)
def test_only_plain_digits_are_a_number(tmp_path, forge):
    """Python's float() takes more: spaces, underscores, digits of every script."""
    folder = write(tmp_path / "run")
    forge(folder)
    with pytest.raises(ValueError, match=r"gradients.csv, line 2 is not a row of a trace: .* is no number$"):
        verify(folder)


def test_digits_in_json_are_no_number(tmp_path):
    """A text is no number in run.json, unless it is NaN, inf or -inf."""
    folder = write(tmp_path / "run")
    digits_in_json(folder)
    with pytest.raises(ValueError, match=r"run.json: .* must be .*, got"):
        verify(folder)


def an_operation_of_nobody(folder):
    edited(folder, "chain_rule.csv", lambda rows: [row.update(operation="swish") for row in rows if row["operation"] == "tanh"])


def another_loss_without_the_weights(folder):
    """The kept weights are deleted, and the losses are half of what they were."""
    shutil.rmtree(folder / "weights")
    prettier_losses(folder)


def another_length_between_recorded_steps(folder):
    """Of a step whose rows are not recorded."""
    edited(folder, "metrics.csv", lambda rows: put(rows[4], gradient_norm=float(rows[4]["gradient_norm"]) * 0.5))


def a_longer_update_between_kept_weights(folder):
    """At step 5, where the weights neither before nor after are kept; in both tables and in the ratio."""
    def change(rows):
        for row in rows:
            if row["step"] == "5":
                put(row, update_norm=float(row["update_norm"]) * 1.5)
                put(row, **({"update_ratio": float(row["update_norm"]) / float(row["norm"])} if "norm" in row else {}))

    for table in ("metrics.csv", "layers.csv"):
        edited(folder, table, change)


THINNED = {"every": 3}
NOT_CHECKED = {
    # what the last line says, and the run: nothing in the folder could prove these
    "an unknown loss": (setting("loss", "huber"), "loss, no formula is known for the loss huber", MOMENTUM, {}),
    "an unknown optimizer": (setting("optimizer", {"name": "Lion", "lr": 0.5}),
                             "update by the formula, no formula is known for Lion", MOMENTUM, {}),
    "an unknown schedule": (setting("optimizer.lr", {"schedule": "Warm", "lr": 0.5}),
                            "learning rate, no formula is known for the schedule Warm", MOMENTUM, {}),
    "an unknown operation": (an_operation_of_nobody, "operation swish in 24 nodes, no formula is known for it", MOMENTUM, {}),
    "an unknown setting": (setting("luck", 7), "luck of run.json, no such setting is known here", MOMENTUM, {}),
    "another seed": (setting("model.seed", 7), "first weights, seed 7 puts them elsewhere: they were set otherwise, or run.json "
                     "is another run's", MOMENTUM, {}),
    "kept weights deleted, losses forged": (another_loss_without_the_weights, "loss, no weights are kept", ARRAYS, {}),
    "an update between kept weights": (a_longer_update_between_kept_weights,
                                       "updates of 12 steps, the weights before and after are not both kept",
                                       ARRAYS, {"weights_every": 3, "change_every": None}),
    "a length between recorded steps": (another_length_between_recorded_steps,
                                        "lengths of gradient and update of 3 steps, their rows are not in gradients.csv",
                                        MOMENTUM, THINNED),
}  # fmt: skip


@pytest.mark.parametrize("forge, gap, name, options", NOT_CHECKED.values(), ids=NOT_CHECKED)
def test_what_is_not_known_is_named_in_the_last_line(tmp_path, capsys, forge, gap, name, options):
    """Exit code 0 with the gap in the verdict; 1 with --strict."""
    folder = write_run(tmp_path / "run", name, **options)
    forge(folder)
    report = verify(folder)
    assert report.wrong == "" and gap in report.unchecked
    assert cli.main(["verify", str(folder)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"{folder}: no wrong row in {report.rows}; not checked: ") and gap in last
    assert cli.main(["verify", str(folder), "--strict"]) == 1


def test_a_whole_trace_passes_strictly(tmp_path, capsys):
    """Every check of the format ran: then the rows agree, and --strict has nothing to add."""
    folder = write(tmp_path / "run")
    assert cli.main(["verify", str(folder), "--strict"]) == 0
    assert capsys.readouterr().out.endswith("rows agree\n")


def test_thinned_and_big_traces_say_what_is_not_there(tmp_path, monkeypatch):
    """Rows between recorded steps and data that are too many for the trace cannot be proved; the verdict says which."""
    thin = verify(write(tmp_path / "thin", every=3))
    assert thin.wrong == "" and {
        "how the weights came to be before 2 steps, the step before is not recorded",
        "lengths of gradient and update of 3 steps, their rows are not in gradients.csv",
    } <= set(thin.unchecked)
    for page in ("trace.samples", "verify.settings"):
        monkeypatch.setattr(f"micrograd_lite.{page}.SMALL", 1_000)  # numbers that are kept; 100,000 would take a minute
    big = verify(_big(tmp_path / "big"))
    assert big.wrong == "" and "loss, the data are not in the trace" in big.unchecked


def _big(folder):
    with Tracer(folder) as tracer:
        list(tracer.follow(train(MLP(2, [2, 1], "tanh"), moons(samples=600), loss=mse, optimizer=SGD(0.1), epochs=2)))
    return folder


def test_data_on_which_no_number_depends_are_proved_by_their_digest(tmp_path):
    """Two rows swapped in a batch of all samples: no number of the trace can tell, the SHA-256 does."""
    folder = write(tmp_path / "run")
    path = folder / "data.csv"
    header, *rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join([header, *reversed(rows)]))
    assert verify(folder).wrong.startswith("data.csv is not the file that was trained")
    path.write_text("".join([header, *rows]))
    assert verify(folder).wrong == ""
    edited(folder, "run.json", lambda run: run.pop("data_sha256"))
    assert "data.csv, run.json has no SHA-256 of it" in verify(folder).unchecked


@pytest.mark.parametrize("option", ["evaluate_every", "change_every"])
def test_how_often_was_measured_cannot_be_left_out(tmp_path, option):
    """Columns that were measured every so many steps need the number: without it any rows would fit."""
    folder = write(tmp_path / "run", change_every=1, evaluate_every=1, test=xor())
    assert verify(folder).wrong == ""
    edited(folder, "run.json", lambda run: run.pop(option))
    assert verify(folder).wrong.startswith(f"run.json: {option} is None")


@pytest.mark.parametrize("lie", ["1e999", "nan"])
def test_a_number_that_is_not_finite_needs_numbers_that_large(tmp_path, lie):
    """Arrays of 32 bits may overflow where our own floats do not, but not where nothing is large."""
    arrays = pytest.importorskip("micrograd_lite.arrays", reason="arrays need NumPy")
    net = arrays.MLP(2, [3, 1], "relu", dtype="float32")
    with Tracer(tmp_path / "run", weights_every=1) as tracer:
        told = {"loss": binary_cross_entropy, "optimizer": SGD(0.1), "epochs": 3, "test": xor(), "evaluate_every": 1}
        list(tracer.follow(train(net, xor(), **told)))
    assert verify(tmp_path / "run").wrong == ""
    path = tmp_path / "run" / "metrics.csv"
    header, *rows = [line.split(",") for line in path.read_text().splitlines()]
    rows[1][header.index("test_loss")] = lie
    path.write_text("".join(",".join(row) + "\n" for row in [header, *rows]))
    assert verify(tmp_path / "run").wrong.startswith("metrics.csv, step 2: test_loss is")


def test_large_data_are_computed_again_where_that_is_asked_for(tmp_path, monkeypatch, capsys):
    """Above a number of numbers the verdict names what was left, and how to ask for it; --long proves it all."""
    folder = write(tmp_path / "run")
    monkeypatch.setattr("micrograd_lite.verify.record.LARGE", 7)
    report = verify(folder)
    left = [sentence for sentence in report.unchecked if "and --long was not asked for" in sentence]
    assert report.wrong == "" and not report.proved and left[0].startswith("loss, it takes long with the 8 numbers")
    assert verify(folder, long=True).proved
    assert cli.main(["verify", str(folder), "--strict"]) == 1 and cli.main(["verify", str(folder), "--strict", "--long"]) == 0
    capsys.readouterr()
