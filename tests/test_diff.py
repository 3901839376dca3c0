"""Comparing two traces: equal ones are equal, and the first difference is named with what it means, in the order of a step."""

import csv
import json
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite import MLP, SGD, Adam, Trace, Tracer, cli, mse, train
from micrograd_lite.data import Dataset, xor
from micrograd_lite.text.cells import plain
from micrograd_lite.trace.diff import compare, entries, hint
from micrograd_lite.trace.stages import STAGES, by_step, forward

EVERYTHING = {"chain_rule": [1, 3], "by_sample": [1, 3], "change_every": 1}


def record(folder, optimizer=None, seed=0, epochs=4, every=1, data=None, engine="eager", loss=mse, **options):
    """Four steps of a small network on XOR, with everything that a trace can hold."""
    net = MLP(2, [2, 1], activation="tanh", output="sigmoid", seed=seed)
    with Tracer(folder, every=every) as tracer:
        steps = train(net, data or xor(), loss=loss, optimizer=optimizer or Adam(lr=0.1), epochs=epochs, engine=engine, **options)
        for step in steps:
            tracer.watch(step)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return record(tmp_path_factory.mktemp("whole") / "run", **EVERYTHING)


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


def change(folder, table, row, column, new):
    """Replace one cell of a table; row: the place of the row, from 0. Returns its step and what stood there."""
    header, *rows = csv.reader((folder / table).read_text().splitlines())
    old, rows[row][header.index(column)] = rows[row][header.index(column)], new
    with open(folder / table, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return int(rows[row][0]), old


def set_run(folder, **changes):
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**run, **changes}))


def command(capsys, *arguments):
    code = cli.main(["diff", *map(str, arguments)])
    return code, capsys.readouterr().out


# --- equal traces ---


def test_a_trace_is_equal_to_its_copy(whole, copy, capsys):
    """Exit 0, with the number of rows of each table."""
    tables = ("gradients.csv", "chain_rule.csv", "metrics.csv", "gradients_by_sample.csv", "optimizer.csv")
    counted = [f"{len((whole / table).read_text().splitlines()) - 1} of {table}" for table in tables]
    code, out = command(capsys, whole, copy)
    assert (code, out) == (0, f"A is {whole}, B is {copy}\nno row differs; compared: {', '.join(counted)}\n")


def test_the_engines_leave_equal_traces(whole, tmp_path):
    """Eager and flat: nothing differs, not in the last bit."""
    assert compare(whole, record(tmp_path / "flat", engine="flat", **EVERYTHING)).equal


def test_what_only_one_recorded_is_not_compared(whole, tmp_path):
    """Fewer steps, no edges, no change of the loss: what both have is equal."""
    sparse = record(tmp_path / "sparse", every=2)
    comparison = compare(whole, sparse)
    assert comparison.equal
    assert comparison.rows == {"gradients.csv": 27, "metrics.csv": 4, "optimizer.csv": 27}


# --- one cell ---


def cells_of(folder):
    """Every number and formula of a trace that `diff` compares: table, place of the row, column."""
    found = []
    for table in dict.fromkeys(stage.table for stage in STAGES):
        if (folder / table).exists():
            header, *rows = csv.reader((folder / table).read_text().splitlines())
            columns = [column for column in header if column not in ("step", "order", "parameter", "node", "parent")]
            found += [(table, row, column) for row in range(len(rows)) for column in columns]
    return found


@given(data=st.data())
def test_any_changed_cell_is_found(whole, tmp_path_factory, data):
    """Whichever cell of whichever table: the difference is at that step, in that table and column, with both numbers."""
    table, row, column = data.draw(st.sampled_from(cells_of(whole)))
    changed = shutil.copytree(whole, tmp_path_factory.mktemp("changed") / "run")
    text = column in ("formula", "partial_formula", "operation")
    new = "another" if text else 7 if column == "epoch" else 0.12345
    step, old = change(changed, table, row, column, str(new))
    found = compare(whole, changed).difference
    assert (found.step, found.table, found.b) == (step, table, new)
    assert found.a == (plain(old) if text else float(old)) and found.meaning
    assert found.column == column or (column, found.column) == ("parent_value", "leaf")


def test_an_inner_value_that_an_edge_repeats_counts_too(whole, copy):
    """The forward pass is told once for each node; an edge that tells it differently is found as an edge."""
    header, *rows = csv.reader((copy / "chain_rule.csv").read_text().splitlines())
    second = next(place for place, row in enumerate(rows) if row[header.index("operation")] == "dot") + 1
    change(copy, "chain_rule.csv", second, "value", "0.5")
    found = compare(whole, copy).difference
    assert (found.column, found.b) == ("value", 0.5) and " -> " in found.row


ORDER = [
    # first to differ, another cell of the same step that differs too, the meaning
    (("gradients.csv", "before"), ("metrics.csv", "loss"), "other initial weights"),
    (("metrics.csv", "loss"), ("gradients.csv", "gradient"), "equal weights, another loss"),
    (("chain_rule.csv", "value"), ("metrics.csv", "loss"), "the same formula of the same numbers gives something else"),
    (("chain_rule.csv", "share"), ("gradients.csv", "gradient"), "in one of them the share is not partial times upstream"),
    (("gradients.csv", "gradient"), ("optimizer.csv", "first"), "every edge of the sweep agrees"),
    (("metrics.csv", "learning_rate"), ("optimizer.csv", "first"), "another learning rate or schedule"),
    (("optimizer.csv", "rate"), ("gradients.csv", "update"), "the gradient and all terms before agree"),
    (("gradients.csv", "update"), ("gradients.csv", "after"), "the gradient agrees and the update differs: the optimizer's"),
    (("gradients.csv", "after"), ("metrics.csv", "measured_change"), "after is not before + update in one of them"),
    (("metrics.csv", "predicted_change"), ("metrics.csv", "measured_change"), "all that is trained agrees"),
]


@pytest.mark.parametrize("first, second, meaning", ORDER, ids=lambda cell: "-".join(cell) if isinstance(cell, tuple) else "")
def test_the_first_difference_is_the_first_in_the_order_of_a_step(whole, copy, first, second, meaning):
    """Of two cells that differ in one step the one that comes about first is named, whichever table it stands in."""
    for table, column in (second, first):
        change(copy, table, 0, column, "0.12345")
    found = compare(whole, copy).difference
    assert (found.step, found.table, found.column) == (1, *first)
    assert found.meaning.startswith(meaning)


def test_an_earlier_step_comes_first(whole, copy):
    """Whatever the table."""
    change(copy, "metrics.csv", 3, "loss", "1.0")
    change(copy, "gradients.csv", 2 * 9, "after", "1.0")
    assert compare(whole, copy).difference[:4] == (3, "gradients.csv", "layer0.neuron0.w0", "after")


# --- what it means ---


def meaning(a, b):
    return compare(a, b).difference.meaning


def test_other_seeds_are_other_initial_weights(whole, tmp_path):
    """And the setting is listed."""
    comparison = compare(whole, record(tmp_path / "other", seed=1))
    assert comparison.difference.meaning == "other initial weights"
    assert comparison.settings == ["model.seed: 0 in A, 1 in B"]


def test_other_data_is_named_by_its_leaf(whole, tmp_path):
    """Where edges are kept, the very input; without them the loss differs with equal weights."""
    other = Dataset("xor", [[0.0, 0.0], [0.0, 0.5], [1.0, 0.0], [1.0, 1.0]], xor().targets, 2)
    comparison = compare(whole, record(tmp_path / "edges", data=other, **EVERYTHING))
    assert comparison.difference[2:6] == ("sample1.x1", "leaf", 1.0, 0.5)
    assert "data.inputs[1][1]: 1.0 in A, 0.5 in B" in comparison.settings
    assert meaning(record(tmp_path / "a"), record(tmp_path / "b", data=other)).startswith("equal weights, another loss")


def test_another_learning_rate(whole, tmp_path):
    """Named before the updates that follow from it."""
    assert meaning(whole, record(tmp_path / "b", Adam(lr=0.2))) == "another learning rate or schedule"


def test_another_optimizer(tmp_path):
    """Equal gradients and rates, another update."""
    a, b = record(tmp_path / "a", SGD(lr=0.1)), record(tmp_path / "b", SGD(lr=0.1, momentum=0.9))
    assert compare(a, b).difference[:4] == (2, "gradients.csv", "layer0.neuron0.w0", "update")


def test_weights_that_moved_between_recorded_steps(tmp_path):
    """With every second step recorded, the first sign of a change may be the next step's weights."""
    a, b = record(tmp_path / "a", every=4, epochs=8), record(tmp_path / "b", every=4, epochs=8)
    change(b, "gradients.csv", 9, "before", "1.0")
    assert compare(a, b).difference[:4] == (4, "gradients.csv", "layer0.neuron0.w0", "before")
    assert meaning(a, b) == "something moved the weights since the last recorded step"


def test_a_parameter_that_one_has_not_got(tmp_path):
    """A row that is missing is named, and not the row that stands in its place."""
    a, b = record(tmp_path / "a"), record(tmp_path / "b")
    rows = (b / "gradients.csv").read_text().splitlines(keepends=True)
    (b / "gradients.csv").write_text("".join(rows[:1] + rows[2:]))
    assert compare(a, b).difference[1:4] == ("gradients.csv", "layer0.neuron0.w0", "before")
    assert (compare(a, b).difference.b, compare(b, a).difference.a) == ("nothing", "nothing")


def test_a_step_that_one_has_not_got(whole, copy):
    """A row of metrics.csv that was taken out is named, and the steps after it are not compared with others."""
    rows = (copy / "metrics.csv").read_text().splitlines(keepends=True)
    (copy / "metrics.csv").write_text("".join(rows[:2] + rows[3:]))
    assert compare(whole, copy).difference[:6] == (2, "metrics.csv", "", "step", 2, 3)


def test_a_sum_for_a_mean_is_guessed(whole, copy):
    """A number that is a whole multiple of the other is told; one that is not, is not."""
    loss = Trace(whole).metrics()[0]["loss"]
    for folder, factor, guess in ((copy, 4.0, "B has 4 times the other: a sum for a mean of 4, perhaps"), (copy, 4.1, "")):
        change(folder, "metrics.csv", 0, "loss", repr(factor * loss))
        assert meaning(whole, folder).partition("pass. ")[2] == guess


def test_a_difference_in_the_last_digits_is_no_multiple(whole, copy):
    """Nothing is guessed about two numbers that are nearly the same."""
    loss = Trace(whole).metrics()[0]["loss"]
    change(copy, "metrics.csv", 0, "loss", repr(loss * (1.0 + 1e-12)))
    assert "times" not in meaning(whole, copy)


@pytest.mark.parametrize("factor, times", [
    (2.0, 2), (1.0, None), (2.5, None), (-3.0, None), (999_999.0, 999_999), (1_000_001.0, None),
    (4.0 * (1.0 + 5e-10), 4), (4.0 * (1.0 + 2e-9), None),
])  # fmt: skip
def test_a_multiple_is_told_from_2_to_a_million_within_1e_9(factor, times):
    """In both directions; anything else is two numbers that differ."""
    for name, x, y in (("B", 0.25, 0.25 * factor), ("A", 0.25 * factor, 0.25)):
        said = f". {name} has {times} times the other: a sum for a mean of {times}, perhaps"
        assert hint("", "loss", x, y, {}) == (said if times else "")


@pytest.mark.parametrize("off, told", [(0.0, True), (5e-10, True), (2e-9, False)])
def test_a_gradient_that_was_not_zeroed_is_told_within_1e_9(off, told):
    """Two gradients that differ by the one of the step before."""
    before = {"gradients.csv": [{"step": 3, "parameter": "w", "gradient": 0.5}]}
    said = hint("w", "gradient", 0.125, 0.125 + 0.5 * (1.0 + off), before)
    assert said == (". They differ by the gradient of step 3: it was not zeroed" if told else "")


# --- tolerance, ends, mistakes ---


def test_within_a_tolerance(whole, copy, capsys):
    """A change in the last digits is a difference by default and none within 1e-9."""
    _, loss = change(copy, "metrics.csv", 1, "loss", "0")
    change(copy, "metrics.csv", 1, "loss", repr(float(loss) * (1.0 + 1e-12)))
    assert command(capsys, whole, copy)[0] == 1
    assert command(capsys, whole, copy, "--within", "1e-9")[0] == 0


@pytest.mark.parametrize(
    "cell, other, equal", [("NaN", "NaN", True), ("0.0", "-0.0", True), ("inf", "inf", True), ("inf", "1e308", False)]
)
def test_numbers_that_are_none(whole, tmp_path, cell, other, equal):
    """Any NaN is like any other, inf like inf."""
    a, b = (shutil.copytree(whole, tmp_path / name) for name in "ab")
    change(a, "gradients.csv", 0, "update", cell)
    change(b, "gradients.csv", 0, "update", other)
    assert compare(a, b).equal == equal


def test_a_longer_run(whole, tmp_path, capsys):
    """Two ended runs of different length are different, though all that both have agrees."""
    code, out = command(capsys, whole, record(tmp_path / "longer", epochs=6))
    assert code == 1
    assert out.endswith("A has 4 steps (finished), B has 6 (finished): they agree as far as both go\n")


def test_a_run_that_goes_on(whole, tmp_path, capsys):
    """Compared as far as it goes, and said so; exit 0."""
    net = MLP(2, [2, 1], activation="tanh", output="sigmoid", seed=0)
    steps = train(net, xor(), loss=mse, optimizer=Adam(lr=0.1), epochs=4)
    with Tracer(tmp_path / "run") as tracer:
        for _ in range(2):
            tracer.watch(next(steps))
        code, out = command(capsys, whole, tmp_path / "run")
    assert code == 0
    assert out.endswith("A has 4 steps (finished), B has 2 (running): compared as far as both go\n")


def test_a_setting_alone_is_a_difference(whole, copy, capsys):
    """The numbers agree and run.json tells another story: exit 1; what is only about the recording does not count."""
    set_run(copy, every=7, evaluation=[])
    assert command(capsys, whole, copy)[0] == 0
    set_run(copy, seed=5)
    code, out = command(capsys, whole, copy)
    assert code == 1 and "run.json, seed: 0 in A, 5 in B\nno row differs" in out


def test_many_settings_are_cut(whole, copy, capsys):
    """Eight are listed and the others counted."""
    run = json.loads((copy / "run.json").read_text())
    set_run(copy, data={**run["data"], "class_names": [], "feature_names": [], **{f"of my own {place}": 1 for place in range(9)}})
    lines = [line for line in command(capsys, whole, copy)[1].splitlines() if line.startswith("run.json")]
    assert len(lines) == 9 and lines[-1].startswith("run.json: and ") and lines[-1].endswith(" more settings")


def test_settings_as_deep_as_json_goes():
    """Without recursion."""
    deep = {"a": 1}
    for _ in range(10_000):
        deep = [deep]
    assert list(entries({"model": deep})) == [("model" + "[0]" * 10_000 + ".a", 1)]


def refused(*arguments):
    done = subprocess.run([sys.executable, "-m", "micrograd_lite", "diff", *map(str, arguments)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1
    return done.stderr


def test_mistakes_are_one_line(whole, copy, tmp_path, capsys):
    """No trace, another format, a broken row, a tolerance that is none: exit 2 and a sentence."""
    assert "does not exist; a trace is made by micrograd-lite train" in refused(whole, tmp_path / "nothing")
    for arguments, says in (
        ((tmp_path, whole), "is not a trace folder"),
        ((whole, whole, "--within", "-1"), "within must be a number of at least 0"),
        ((whole, whole, "--within", "nan"), "within must be a number of at least 0"),
    ):
        assert cli.main(["diff", *map(str, arguments)]) == 2
        assert says in capsys.readouterr().err
    change(copy, "gradients.csv", 3, "update", "x")
    assert cli.main(["diff", str(whole), str(copy)]) == 2
    assert "gradients.csv, line 5 is not a row of a trace" in capsys.readouterr().err
    set_run(copy, format="micrograd-lite-trace/1")
    assert cli.main(["diff", str(whole), str(copy)]) == 2
    assert "is of format 'micrograd-lite-trace/1'" in capsys.readouterr().err


def test_an_empty_trace(whole, tmp_path):
    """A run that was closed before its first step agrees with nothing more than the settings say."""
    Tracer(tmp_path / "empty").close()
    comparison = compare(whole, tmp_path / "empty")
    assert (comparison.rows, comparison.difference, comparison.equal) == ({}, None, False)
    assert "compared: none" in str(comparison)


# --- array models ---


def test_array_traces_are_compared_by_their_layers(tmp_path):
    """Row by row of layers.csv, after the loss; the weights before the first step are not in the tables, and that is said."""
    arrays = pytest.importorskip("micrograd_lite.arrays", reason="arrays need NumPy")
    for name, seed, lr in (("a", 0, 0.1), ("same", 0, 0.1), ("seed", 1, 0.1), ("lr", 0, 0.2)):
        net = arrays.MLP(2, [2, 1], activation="tanh", output="sigmoid", seed=seed)
        with Tracer(tmp_path / name) as tracer:
            for step in train(net, xor(), loss=mse, optimizer=SGD(lr=lr), epochs=3):
                tracer.watch(step)
    assert compare(tmp_path / "a", tmp_path / "same").rows == {"metrics.csv": 3, "layers.csv": 12}
    assert compare(tmp_path / "a", tmp_path / "same").equal
    assert meaning(tmp_path / "a", tmp_path / "seed").startswith("other initial weights, data, loss function or forward pass")
    assert meaning(tmp_path / "a", tmp_path / "lr") == "another learning rate or schedule"
    shutil.copytree(tmp_path / "a", tmp_path / "moved")
    change(tmp_path / "moved", "layers.csv", 4, "std", "5.0")
    assert compare(tmp_path / "a", tmp_path / "moved").difference[:4] == (2, "layers.csv", "layer0.w", "std")


def test_steps_that_came_since_are_left_out(copy):
    """What was in metrics.csv when it was first read is what the other tables are read for."""
    trace = Trace(copy)
    trace.metrics()
    with open(copy / "metrics.csv", "a") as file:
        file.write((copy / "metrics.csv").read_text().splitlines()[-1].replace("4,4", "5,5", 1) + "\n")
    assert len(list(by_step(trace))) == 4 and len(list(by_step(Trace(copy)))) == 5


def test_nodes_are_compared_from_the_oldest_on():
    """v9 before v10."""
    rows = [{"node": f"v{rank}", "parent": f"v{rank - 1}", "parent_value": 0.0, "formula": "", "value": 0.0} for rank in (10, 9)]
    assert [row for row, column, _ in forward(rows) if column != "formula"] == ["v8", "v9", "v10"]


def test_steps_come_whole_and_in_order(whole):
    """by_step gives each step once, with the rows of the tables that have it."""
    steps = list(by_step(Trace(whole)))
    assert [number for number, _ in steps] == [1, 2, 3, 4]
    assert ["chain_rule.csv" in tables for _, tables in steps] == [True, False, True, False]
    assert all({row["step"] for row in rows} == {number} for number, tables in steps for rows in tables.values())
