"""What a trace says: every row checked against the training it was made from, every name and number read back exactly."""

import csv
import math
import os
import subprocess
import sys
from fractions import Fraction
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faults import PACKAGE, TABLES, network, record, steps
from micrograd_lite import MLP, SGD, Adam, AdamW, RMSprop, StepDecay, cross_entropy, mse, train
from micrograd_lite.data import Dataset
from micrograd_lite.many import dot
from micrograd_lite.module import Module
from micrograd_lite.plan import dataset
from micrograd_lite.scalar import Value
from micrograd_lite.text import cells
from micrograd_lite.text.files import number
from micrograd_lite.trace import Trace, Tracer
from micrograd_lite.verify import verify

OPTIMIZERS = {
    "SGD": lambda: SGD(lr=0.1),
    "momentum": lambda: SGD(lr=0.1, momentum=0.9),
    "nesterov": lambda: SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "RMSprop": lambda: RMSprop(lr=0.01),
    "Adam": lambda: Adam(lr=0.1),
    "AdamW": lambda: AdamW(lr=0.1),
    "decay": lambda: SGD(lr=StepDecay(0.1, 0.5, 2)),
}


def table(path):
    """A CSV file as any program reads it."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def bits(value):
    """A float as text that differs wherever the bits do (all NaN are one)."""
    return number(value)


# --- rows ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_row_is_what_the_training_did(tmp_path, name):
    """Bit for bit: all columns of metrics and gradients; after = before + update; before = after of the step before."""
    watched = []
    with Tracer(tmp_path / "run") as tracer:
        for step in islice(steps(optimizer=OPTIMIZERS[name]()), 6):
            tracer.watch(step)
            watched.append(step)
    trace = Trace(tmp_path / "run")
    assert trace.steps() == [1, 2, 3, 4, 5, 6]
    for step, row in zip(watched, trace.metrics()):
        rows = trace.gradients(step.number)
        assert [row.parameter for row in rows] == list(step.names) == trace.names
        assert [row.before for row in rows] == step.before
        assert [row.gradient for row in rows] == step.gradients
        assert [row.update for row in rows] == [terms.update for terms in step.terms]
        assert [row.after for row in rows] == step.after
        assert all(bits(row.before + row.update) == bits(row.after) for row in rows)
        assert row == {"step": step.number, "epoch": step.epoch, "loss": step.loss, "gradient_norm": step.gradient_norm,
                       "update_norm": step.update_norm, "learning_rate": step.learning_rate}  # fmt: skip
        # 1e-15: a handful of roundings
        assert row["gradient_norm"] == pytest.approx(math.hypot(*(row.gradient for row in rows)), rel=1e-15, abs=0)
        assert row["update_norm"] == pytest.approx(math.hypot(*(row.update for row in rows)), rel=1e-15, abs=0)
    for earlier, later in pairwise(watched):
        befores, afters = trace.gradients(later.number), trace.gradients(earlier.number)
        assert [bits(row.before) for row in befores] == [bits(row.after) for row in afters]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_optimizer_table_has_every_term_where_there_is_state(tmp_path, name):
    """One column for each term, the gradient first, the update last; what a step leaves is what the next one finds."""
    watched = list(islice(steps(optimizer=OPTIMIZERS[name]()), 4))
    with Tracer(tmp_path / "run") as tracer:
        for step in watched:
            tracer.watch(step)
    path, trace = tmp_path / "run" / "optimizer.csv", Trace(tmp_path / "run")
    if name in ("SGD", "decay"):
        assert not path.exists() and trace.optimizer(2) == []
        return
    fields = watched[0].terms[0]._fields
    assert table(path)[0] == ["step", "parameter", "gradient", *fields] and fields[-1] == "update"
    for step in watched:
        for row, gradients, terms in zip(trace.optimizer(step.number), trace.gradients(step.number), step.terms, strict=True):
            expected = {"step": step.number, "parameter": gradients.parameter, "gradient": gradients.gradient}
            assert row == {**expected, **terms._asdict()} and row["update"] == gradients.update
    memory = trace.run["optimizer_memory"]
    assert memory and all(f"{term}_before" in fields for term in memory)
    for earlier, later in pairwise(range(1, 5)):
        for before, after in zip(trace.optimizer(earlier), trace.optimizer(later)):
            assert [before[term] for term in memory] == [after[f"{term}_before"] for term in memory]


@pytest.mark.parametrize("every", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("number", [1, 2, 5, 6, 7])
def test_every_records_the_first_each_multiple_and_the_last(tmp_path, every, number):
    """metrics.csv has every step all the same; run.json counts the rows of each table."""
    trace = record(tmp_path / "run", number, every=every)
    wanted = [step for step in range(1, number + 1) if step in (1, number) or step % every == 0]
    assert trace.steps() == wanted
    assert [row["step"] for row in trace.metrics()] == list(range(1, number + 1))
    assert trace.run["steps"] == number
    rows = {name: len(table(tmp_path / "run" / name)) - 1 for name in TABLES}
    assert trace.run["rows"] == rows == dict(zip(TABLES, (number, 5 * len(wanted), 5 * len(wanted))))


def test_a_run_that_is_watched_from_its_middle_records_its_first_and_last_step(tmp_path):
    """The first step that a Tracer sees, whatever its number; so the state before any update of the trace is known."""
    with Tracer(tmp_path / "run", every=10) as tracer:
        for step in islice(steps(), 14, 18):
            tracer.watch(step)
    assert Trace(tmp_path / "run").steps() == [15, 18]


def test_evaluation_columns_are_empty_where_nothing_was_measured(tmp_path):
    """Steps 3 and 6 of 7, and the last: numbers there, empty cells (NaN in the first row) and None elsewhere."""
    inputs, targets = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1]
    data = train(MLP(2, [2], seed=1), _classes(inputs, targets), loss=cross_entropy, optimizer=SGD(lr=0.5), epochs=7,
                 test=_classes(inputs[:2], targets[:2]), evaluate_every=3)  # fmt: skip
    with Tracer(tmp_path / "run") as tracer:
        for step in data:
            tracer.watch(step)
    columns = ["train_accuracy", "test_loss", "test_accuracy"]
    header, *rows = table(tmp_path / "run" / "metrics.csv")
    assert header == ["step", "epoch", "loss", "gradient_norm", "update_norm", "learning_rate", *columns]
    for row, read in zip(rows, Trace(tmp_path / "run").metrics(), strict=True):
        measured = read["step"] in (3, 6, 7)
        unmeasured = "NaN" if read["step"] == 1 else ""  # programs take a column's type from its first rows
        assert [cell != unmeasured for cell in row[6:]] == [measured] * 3
        assert [read[column] is not None for column in columns] == [measured] * 3
        assert not measured or all(0 <= read[column] <= 1 for column in columns if "accuracy" in column)


def _classes(inputs, targets):
    from micrograd_lite.data import Dataset

    return Dataset("classes", inputs, targets, classes=2)


def test_fixed_parameters_are_in_the_weights_and_not_in_the_rows(tmp_path):
    """Only trained parameters have rows; weights() gives all, at step 0 the state before any update."""
    net = network()
    before = net.state_dict()
    trace = record(tmp_path / "run", 3, net=net, parameters=["layer1.neuron0.w0", "layer0.neuron0.b"])
    assert trace.names == ["layer0.neuron0.b", "layer1.neuron0.w0"]
    assert trace.weights(0) == before and trace.weights(3).keys() == before.keys()
    assert trace.weights(3)["layer0.neuron0.w0"] == before["layer0.neuron0.w0"]
    assert trace.series("layer1.neuron0.w0", "before")[1][0] == before["layer1.neuron0.w0"]


SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -1.7976931348623157e308, 1e16, 0.1 + 0.2]


def test_numbers_that_are_not_finite_round_trip(tmp_path):
    """NaN, inf, -inf, the smallest and the largest float, both zeros: in every table, bit for bit."""
    step = next(steps())
    odd = step._replace(
        loss=math.nan, gradient_norm=math.inf, update_norm=-0.0, learning_rate=5e-324,
        before=SPECIAL[:5], gradients=SPECIAL[4:], after=SPECIAL[2:7],
        terms=[terms._replace(first=special, update=special) for terms, special in zip(step.terms, SPECIAL)],
    )  # fmt: skip
    with Tracer(tmp_path / "run") as tracer:
        tracer.watch(odd)
    trace = Trace(tmp_path / "run")
    rows = trace.gradients(1)
    read = [[bits(getattr(row, column)) for row in rows] for column in ("before", "gradient", "update", "after")]
    assert read == [[bits(value) for value in values] for values in (SPECIAL[:5], SPECIAL[4:], SPECIAL[:5], SPECIAL[2:7])]
    assert [bits(row["first"]) for row in trace.optimizer(1)] == [bits(value) for value in SPECIAL[:5]]
    assert [bits(trace.metrics()[0][name]) for name in ("loss", "gradient_norm", "update_norm", "learning_rate")] == [
        "NaN", "inf", "-0.0", "5e-324"]  # fmt: skip
    assert "NaN" in (tmp_path / "run" / "metrics.csv").read_text()


# --- names -----------------------------------------------------------------------------------------------------------

HOSTILE = [
    "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "a\rb", "a\nb\r\nc", "=\n=", "\t",
    '"', '"quoted"', "a,b", ";", "'", "''x", "'=x", "\\", "\\n", "\\\\n", "\\0", "\0", "a\0b", "\\'", "'\\n", "\\\n",
    "", " ", "ü", "数", "🙂", "\u2028", "\x85", "\x0b\x0c\x1c", "\ufeff",
    "<script>", "../../etc/passwd", "step", "NaN", "x" * 10_000,
]  # fmt: skip


def check_cell(name):
    """Reads back, cannot be a formula, stands in one line; in a row too."""
    cell = cells.text(name)
    assert cells.plain(cell) == name
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert not set(cell) & {"\n", "\r", "\t", "\0"}
    line = cells.line(["1", cell, "2"])
    assert line.count("\n") == 1 and line.endswith("\n")
    assert next(csv.reader([line])) == ["1", cell, "2"]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_a_safe_cell(name):
    """Known tricks against spreadsheets, CSV readers and our own escapes."""
    check_cell(name)


@settings(max_examples=2 * settings.default.max_examples)
@given(st.text() | st.text("=+-@'\"\t\r\n\\0nrt,", max_size=8))
def test_every_name_is_a_safe_cell(name):
    """Any text, and texts of the characters that matter only."""
    check_cell(name)


@given(st.lists(st.text("=+-'\\n\nrt0,\"", max_size=5), unique=True, max_size=8))
def test_different_names_are_different_cells(names):
    """No two names are written alike."""
    assert len({cells.text(name) for name in names}) == len(names)


class Named(Module):
    """A weighted sum whose weights have any names."""

    def __init__(self, names):
        self.names, self.weights = names, [Value(index / 10) for index in range(len(names))]

    def __call__(self, inputs):
        return dot(self.weights, [Value(x) for x in inputs])

    def predict(self, inputs):
        return self(inputs).data

    def parts(self):
        return list(zip(self.names, self.weights))


def trace_of_names(folder, names):
    """Two steps of a model whose parameters have these names."""
    data = [[1.0] * len(names)], [1.0]
    with Tracer(folder) as tracer:
        for step in train(Named(names), data, loss=mse, optimizer=Adam(lr=0.1), epochs=2):
            tracer.watch(step)
    return Trace(folder)


def check_names(trace, names):
    assert trace.names == names and trace.status == "finished"
    for step in (1, 2):
        assert [row.parameter for row in trace.gradients(step)] == names
        assert [row["parameter"] for row in trace.optimizer(step)] == names
        assert list(trace.weights(step)) == names


def test_hostile_names_round_trip_through_a_trace(tmp_path):
    """All of them as parameters of one model, in every table; no file or folder is named after one."""
    trace = trace_of_names(tmp_path / "run", HOSTILE)
    check_names(trace, HOSTILE)
    assert trace.series("=\n=", "before")[1][0] == HOSTILE.index("=\n=") / 10
    assert sorted(os.listdir(tmp_path)) == ["run"]
    assert sorted(os.listdir(tmp_path / "run")) == sorted([*TABLES, "data.csv", "environment.json", "run.json"])
    for name in ("gradients.csv", "optimizer.csv"):
        assert len((tmp_path / "run" / name).read_bytes().split(b"\n")) == 1 + 2 * len(HOSTILE) + 1


@settings(max_examples=30)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5, unique=True))
def test_any_names_round_trip_through_a_trace(tmp_path_factory, names):
    """Whatever text hypothesis finds."""
    check_names(trace_of_names(tmp_path_factory.mktemp("names") / "run", names), names)


@pytest.mark.parametrize("name", ["x" * 200_000, "bytes \udcff"], ids=["200,000 characters", "not unicode"])
def test_a_name_that_cannot_be_read_back_is_refused_by_watch(tmp_path, name):
    """Or it can be read back: a ValueError before anything is written is as good, a trace that cannot be read is not."""
    try:
        trace = trace_of_names(tmp_path / "run", [name])
    except ValueError:
        assert Trace(tmp_path / "run").metrics() == []
    else:
        check_names(trace, [name])


# --- one tracer, one run ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("every", [0, -1, 1.5, True, "3", None])
def test_every_must_be_a_positive_whole_number(tmp_path, every):
    """ValueError with what was got, and no folder is made."""
    with pytest.raises(ValueError) as caught:
        Tracer(tmp_path / "run", every=every)
    assert str(caught.value) == f"every must be a whole number of at least 1, got {every!r}"
    assert not (tmp_path / "run").exists()


def test_a_closed_tracer_watches_nothing(tmp_path):
    """ValueError that says what to do; closing again changes nothing."""
    run = steps()
    with Tracer(tmp_path / "run") as tracer:
        tracer.watch(next(run))
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(ValueError) as caught:
        tracer.watch(next(run))
    assert str(caught.value) == f"the trace {tmp_path / 'run'} is closed; make a new Tracer for another run"
    tracer.close()
    tracer.close("failed", "late")
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_a_second_run_is_refused_from_its_first_step(tmp_path):
    """ValueError; what was watched before is kept and can go on."""
    first = steps()
    with Tracer(tmp_path / "run") as tracer:
        tracer.watch(next(first))
        with pytest.raises(ValueError, match=r"^step 1 comes after step 1: a Tracer watches one run; make another one$"):
            tracer.watch(next(steps()))
        tracer.watch(next(first))
    assert [row["step"] for row in Trace(tmp_path / "run").metrics()] == [1, 2]


def test_a_second_run_is_refused_in_its_middle(tmp_path):
    """A later step of another training has another run: its rows would stand under the wrong run.json."""
    first, second = steps(), steps(optimizer=SGD(lr=0.5), batch_size=None)
    next(second)
    with Tracer(tmp_path / "run") as tracer:
        tracer.watch(next(first))
        with pytest.raises(ValueError, match=r"another one|one run"):
            tracer.watch(next(second))
    assert len(Trace(tmp_path / "run").metrics()) == 1


def test_a_step_is_refused_the_second_time(tmp_path):
    """Also when the steps do not start at 1: step numbers only grow."""
    run = list(islice(steps(), 4, 8))
    with Tracer(tmp_path / "run") as tracer:
        for step in run:
            tracer.watch(step)
        for step in run:
            with pytest.raises(ValueError, match=f"step {step.number} comes after step 8"):
                tracer.watch(step)
    assert [row["step"] for row in Trace(tmp_path / "run").metrics()] == [5, 6, 7, 8]


@pytest.mark.parametrize("before", [
    "from micrograd_lite import Tracer", "import micrograd_lite.trace", "from micrograd_lite import MLP, SGD, Tracer",
])  # fmt: skip
def test_train_is_the_function_whatever_was_imported_first(before):
    """The page train.py and the function train() share a name in the package: the page must not stand in its way."""
    code = f"{before}\nfrom micrograd_lite import train\nassert callable(train), train"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# --- what is no trace ------------------------------------------------------------------------------------------------

def test_a_missing_folder_is_named(tmp_path):
    """The whole sentence."""
    with pytest.raises(FileNotFoundError) as caught:
        Trace(tmp_path / "nothing")
    assert str(caught.value) == (
        f"{tmp_path / 'nothing'} does not exist; a trace is made by micrograd-lite train, or by a Tracer"
    )


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.write_text("x")], ids=["folder", "file"])
def test_what_is_no_trace_folder_is_named(tmp_path, make):
    """The whole sentence."""
    make(tmp_path / "mine")
    with pytest.raises(FileNotFoundError) as caught:
        Trace(tmp_path / "mine")
    assert str(caught.value) == (
        f"{tmp_path / 'mine'} is not a trace folder: it has no run.json; "
        "a trace is made by micrograd-lite train, or by a Tracer"
    )


OURS = "this version reads 'micrograd-lite-trace/2'"


@pytest.mark.parametrize("content, reason", [
    ('{"format": "micrograd-lite-trace/1"}', "is of format 'micrograd-lite-trace/1', before names and formulas changed; "
     "remove the folder and make it again, with the command, script or demo that trained it"),
    ('{"format": "micrograd-lite-trace/3"}', f"is of format 'micrograd-lite-trace/3'; {OURS}"),
    ('{"name": "mine"}', f"is of format None; {OURS}"),
    ("[1, 2]", f"is of format None; {OURS}"),
    ("{", "is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ("", "is not JSON: Expecting value: line 1 column 1 (char 0)"),
], ids=["older", "newer", "foreign", "list", "cut", "empty"])  # fmt: skip
def test_a_foreign_run_json_is_named_with_its_format(tmp_path, content, reason):
    """ValueError in one sentence."""
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(ValueError) as caught:
        Trace(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'run.json'} {reason}"


@pytest.mark.parametrize("content", [b"\xff\xfe", b'{"format": "micrograd-lite-trace/2", "x": "\xff"}'])
def test_a_run_json_that_is_no_text_is_a_value_error(tmp_path, content):
    """With its path."""
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.json is not JSON"):
        Trace(tmp_path)


@pytest.mark.parametrize("line, cells", [("7,only two\n", 2), ("\n", 0), ("1,2,3,4,5,6,7\n", 7)])
def test_a_spoiled_row_in_the_middle_is_named_with_its_line(tmp_path, line, cells):
    """No cut makes this: someone edited the file. ValueError with path and line, whichever way one asks."""
    trace = record(tmp_path / "run", 3)
    path = tmp_path / "run" / "metrics.csv"
    rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*rows[:2], line, *rows[2:]]))
    with pytest.raises(ValueError) as caught:
        Trace(tmp_path / "run").metrics()
    assert str(caught.value) == f"{path}, line 3 is not a row of a trace: {cells} cells where the header has 6"
    assert trace.folder == tmp_path / "run"


def test_what_is_not_recorded_is_refused_with_what_is(tmp_path):
    """Steps, parameters and columns: ValueError that lists the known ones."""
    trace = record(tmp_path / "run", 4, every=3)
    for ask in (trace.gradients, trace.weights, trace.optimizer):
        with pytest.raises(ValueError, match=r"^step 2 is not in .*gradients\.csv; recorded steps: 1, 3, 4$"):
            ask(2)
    with pytest.raises(ValueError, match=r"^no 'after' of 'w9' in this trace; parameters: layer0.*; columns: before, "):
        trace.series("w9")
    with pytest.raises(ValueError, match=r"^no 'step' of 'layer0\.neuron0\.b' in this trace"):
        trace.series("layer0.neuron0.b", "step")


def test_reading_writes_nothing(tmp_path):
    """Every question asked, of a finished trace: not a file is touched."""
    trace = record(tmp_path / "run", 3)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "run").iterdir()}
    assert (trace.status, trace.damage, trace.metrics()[0]["step"], trace.steps()) == ("finished", "", 1, [1, 2, 3])
    for question, about in ((trace.gradients, 1), (trace.optimizer, 1), (trace.weights, 0), (trace.series, trace.names[0])):
        question(about)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "run").iterdir()} == before


@pytest.mark.parametrize("name", ["force", "resume"])
def test_a_switch_of_the_tracer_is_true_or_false(tmp_path, name):
    """force="no" would have replaced the run that stands there; it is still whole."""
    record(tmp_path / "run", 3)
    with pytest.raises(TypeError, match=f"^{name} must be True or False, got 'no'$"):
        Tracer(tmp_path / "run", **{name: "no"})
    assert Trace(tmp_path / "run").steps() == [1, 2, 3]


def kinds_of_numbers():
    """XOR as Fractions, bools and NumPy's numbers, for losses of numbers and of labels."""
    np = pytest.importorskip("numpy")
    rows = [[Fraction(0), np.float32(0.0)], [np.bool_(False), Fraction(1)], [True, np.int8(0)], [np.int64(1), 1]]
    return [
        ("numbers", MLP(2, [2, 1], seed=np.int64(3)), Dataset("d", rows, [False, Fraction(1), np.float64(1), np.int64(0)]), mse),
        ("labels", MLP(2, [2]), Dataset("d", rows, [np.int64(0), 1, np.uint8(1), 0], classes=np.int64(2)), cross_entropy),
        ("an array of labels", MLP(2, [2]), Dataset("d", rows, np.array([0, 1, 1, 0])), cross_entropy),
        ("lists of targets", MLP(2, [2]), Dataset("d", rows, [(np.float32(0.5), Fraction(1, 2))] * 4), mse),
    ]


@pytest.mark.parametrize("engine", ["eager", "flat"])
def test_any_kind_of_number_is_traced_as_a_plain_one(tmp_path, engine):
    """NumPy's numbers, bools and Fractions as data, labels, seeds and held weights: the trace is that of plain numbers."""
    numpy = pytest.importorskip("numpy")
    for name, model, data, loss in kinds_of_numbers():
        model.parameters()[0].data = Fraction(1, 2)  # .data is free and unchecked; this one is not trained
        names = [name for name, _ in model.named_parameters()][1:]
        with Tracer(tmp_path / name) as tracer:
            options = {"epochs": 2, "test": data, "seed": numpy.int64(5), "parameters": names}
            list(tracer.follow(train(model, data, loss=loss, optimizer=SGD(lr=0.1), engine=engine, **options)))
        run = Trace(tmp_path / name).run
        assert run["data"]["inputs"] == [[0, 0], [0, 1], [1, 0], [1, 1]], name
        assert run["data"]["targets"] == [[0.5, 0.5]] * 4 if name == "lists of targets" else [0, 1, 1, 0]
        assert list(run["fixed"].values()) == [0.5]
        assert verify(tmp_path / name).wrong == ""


def test_plain_data_are_not_copied():
    """Rows of floats and ints are the caller's own: MNIST as lists fits into memory once."""
    data = Dataset("d", [[0.0, 1], [1.0, 0]], [0, 1])
    plain = dataset(data, MLP(2, [2]), cross_entropy)
    assert [a is b for a, b in zip(plain.inputs, data.inputs)] == [True, True]
    assert (plain.inputs, plain.targets) == (data.inputs, data.targets)
