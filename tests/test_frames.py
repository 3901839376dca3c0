"""Every CSV of a trace is read by pandas and by polars as they are called, each column as what it is."""

import pytest

from micrograd_lite import MLP, SGD, Adam, Tracer, cross_entropy, data, mse, train
from micrograd_lite.chain.rows import chain_rule
from micrograd_lite.chain.tables import chain_table
from micrograd_lite.data import Dataset
from micrograd_lite.scalar import Value
from micrograd_lite.text import cells
from micrograd_lite.trace import Trace
from micrograd_lite.verify import verify
from test_log import looped
from traced import write_arrays

WORDS = {"parameter", "array", "node", "operation", "formula", "parent", "partial_formula", "part"}
WHOLE = {"step", "epoch", "order"}
FLOWERS = data.iris()._replace(inputs=data.iris().inputs[::3], targets=data.iris().targets[::3])


def late(folder):
    """Measured from step 120 on; its last batch is short; edges and shares of that one."""
    with Tracer(folder) as tracer:
        steps = train(MLP(4, [3, 3], "tanh"), FLOWERS, loss=cross_entropy, optimizer=Adam(0.01), epochs=26, batch_size=8,
                      test=FLOWERS, evaluate_every=120, change_every=150, chain_rule=[7], by_sample=[7, 8])  # fmt: skip
        list(tracer.follow(steps))


def mixed(folder):
    """Whole numbers first, a half after row 100; names that read as numbers."""
    rows = [[float(k) if k < 120 else k + 0.5, k] for k in range(150)]
    rows[0][0] = 0
    numbers = Dataset("numbers", rows, [1] * 140 + [0.5] * 10, feature_names=("1.5", "NA"))
    with Tracer(folder) as tracer:
        list(tracer.follow(train(MLP(2, [1]), numbers, loss=mse, optimizer=SGD(1e-6), epochs=2)))


def by_hand(folder):
    """Of a loop of one's own; its parameters are called 0, nan and so on; a hundred slopes of 1.0 come first."""
    net = MLP(2, [1, 1], "tanh", seed=3)
    names = list(zip(("0", "nan", "NA", "true", "1e5"), net.parameters()))
    cost = None
    with Tracer(folder) as tracer:
        for step in range(2):
            cost = net([1.0, 0.5]) ** 2
            for _ in range(150):
                cost = cost + 0.25
            net.zero_grad()
            cost.backward()
            tracer.log(cost, names, chain_rule=step == 0)


TRACES = {"late": late, "mixed": mixed, "by hand": by_hand, "a loop": looped, "arrays": write_arrays}


@pytest.fixture(scope="module", params=TRACES)
def folder(request, tmp_path_factory):
    """A trace of each kind."""
    if request.param == "arrays":
        pytest.importorskip("numpy", reason="arrays need numpy")
    made = tmp_path_factory.mktemp("run") / "run"
    TRACES[request.param](made)
    return made


def check(table, columns, kind_of, words, whole, real):
    """Words are words, counts are whole, all else is a real number, whatever the first hundred rows look like."""
    rows = len(table.read_text().splitlines()) - 1
    for column in columns if rows else ():  # a loop that chose no step has an empty chain_rule.csv
        got = kind_of(column)
        wanted = words if column in WORDS else whole if column in WHOLE else real
        if table.name == "data.csv" and column not in WORDS:
            wanted = (*whole, *real)  # labels are whole
        assert got in wanted, f"{table.name}: {column} is {got}"


def test_pandas_reads_every_table(folder):
    """pandas.read_csv(path)."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    for path in folder.glob("*.csv"):
        frame = pandas.read_csv(path)
        check(path, frame.columns, lambda column: str(frame[column].dtype), ("str", "object"), ("int64",), ("float64",))  # noqa: B023
        for column in WORDS & set(frame.columns):
            assert all(type(cell) is str for cell in frame[column]), column


def test_polars_reads_every_table(folder):
    """polars.read_csv(path)."""
    polars = pytest.importorskip("polars", reason="polars is not installed")
    for path in folder.glob("*.csv"):
        frame = polars.read_csv(path)
        check(path, frame.columns, lambda column: str(frame[column].dtype), ("String",), ("Int64",), ("Float64",))  # noqa: B023


def test_reader_and_verify_read_the_same_tables(folder):
    """What is written for other programs changes nothing for ours: None where nothing was measured, names as they were."""
    trace, report = Trace(folder), verify(folder)
    assert not report.wrong
    every = trace.run.get("evaluate_every")
    for row in trace.metrics():
        for column in ("train_accuracy", "test_loss"):
            if column in trace.run["evaluation"]:
                measured = row["step"] % every == 0 or row["step"] == trace.metrics()[-1]["step"]
                assert (row[column] is not None) == measured
    for step in trace.run.get("by_sample", []):
        assert {len(shares) for shares in trace.by_sample(step).values()} == {2 if step == 7 else 8}


ODD_WORDS = ["1.0", "-1", "nan", "inf", "1_0", " 2 ", "NA", "null", "None", "True", "", "'1.0", "=1", "w", "2 * x"]


@pytest.mark.parametrize("name", ODD_WORDS)
def test_a_word_stays_a_word_and_is_read_back(name):
    """No number, no missing number, no truth value; and `plain` gives the name again."""
    cell = cells.word(name)
    assert cells.plain(cell) == name
    with pytest.raises(ValueError):
        float(cell)
    assert cell == name or cell.startswith("'")


def test_a_printed_chain_table_is_read_too(tmp_path):
    """`show --chain --format csv` and explain's tables: 1.0 is a formula there."""
    polars = pytest.importorskip("polars", reason="polars is not installed")
    total = Value(1.0, "x") * Value(2.0, "w")
    for _ in range(120):
        total = total + 1.0
    path = tmp_path / "table.csv"
    path.write_text(chain_table(chain_rule(total), "csv"))
    assert str(polars.read_csv(path)["partial_formula"].dtype) == "String"
