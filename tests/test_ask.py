"""Questions to a recorded step: each table says what the graph says, fits a terminal, and reads as a table in every form."""

import csv
import io
import json

import pytest

from micrograd_lite import Tracer, cli
from micrograd_lite.chain.rows import edges, gradients
from micrograd_lite.recipe import Recipe, prepare
from micrograd_lite.trace import Trace, ask
from micrograd_lite.trace.rebuild import Rebuild

QUESTIONS = (
    ["--forward"], ["--forward", "--sample", "1"], ["--chain"], ["--chain", "--sample", "0"], ["--by-sample"], ["--optimizer"],
    ["--toward", "layer0.neuron1.w0"], ["--paths", "layer0.neuron1.w0"], ["--matrix", "layer0"], ["--matrix", "layer1"], [],
)  # fmt: skip


def written(folder, recipe, **options):
    with Tracer(folder, **options) as tracer:
        for _ in tracer.follow(prepare(recipe).steps()):
            pass
    return folder


@pytest.fixture(scope="module")
def xor(tmp_path_factory):
    """Twelve steps of 2-8-1 on XOR, as `micrograd-lite train xor` trains it."""
    return written(tmp_path_factory.mktemp("ask") / "xor", Recipe("xor", epochs=12))


def shown(capsys, folder, *arguments):
    assert cli.main(["show", str(folder), *map(str, arguments)]) == 0
    return capsys.readouterr().out


def records(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", ["xor", "iris", "moons", "line", "parts"])
@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_every_answer_fits_a_terminal(question, name, tmp_path_factory, capsys):
    """120 columns at nine digits, whatever the bundled data: 8 hidden neurons, names of any length, two steps."""
    folder = tmp_path_factory.getbasetemp() / f"{name}_wide"
    if not folder.exists():
        written(folder, Recipe(name, epochs=2, batch=5))
    widest = max(shown(capsys, folder, *question).splitlines(), key=len)
    assert len(widest) <= 120, widest


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_each_form_is_one_table(question, xor, capsys):
    """CSV and JSON have the same records, pandas or polars could read either; Markdown and HTML hold the table too."""
    rows = records(shown(capsys, xor, *question, "--format", "csv"))
    made = json.loads(shown(capsys, xor, *question, "--format", "json"))
    assert len(rows) == len(made) > 0 and [list(row) for row in rows] == [list(row) for row in made]
    for row, record in zip(rows, made):
        for name, cell in row.items():
            assert record[name] == cell or float(cell) == record[name]
    assert "<table>" in shown(capsys, xor, *question, "--format", "html")
    assert "| --" in shown(capsys, xor, *question, "--format", "markdown")


def test_toward_ends_in_the_gradient_and_the_update(xor, capsys):
    """The edges that add to one weight, in the order of the sweep: shares add up to the recorded gradient, bit for bit."""
    rows = records(shown(capsys, xor, "--step", 7, "--toward", "layer0.neuron3.w1", "--format", "csv"))
    recorded = next(row for row in Trace(xor).gradients(7) if row.parameter == "layer0.neuron3.w1")
    assert [row["sample"] for row in rows] == ["3", "2", "1", "0"]
    total = 0.0
    for row in rows:
        total += float(row["share"])
        assert float(row["total"]) == total and float(row["partial"]) * float(row["upstream"]) == float(row["share"])
    assert total == recorded.gradient
    text = shown(capsys, xor, "--step", 7, "--toward", "layer0.neuron3.w1")
    assert f"is the last total, {recorded.gradient:.9g}" in text and f"becomes {recorded.after:.9g}" in text


def test_the_matrix_is_the_gradient(xor, capsys):
    """Each weight's terms, input times delta, add up to its recorded gradient; the printed product shows them."""
    for layer in ("layer0", "layer1"):
        rows = records(shown(capsys, xor, "--step", 5, "--matrix", layer, "--format", "csv"))
        last = {row["weight"]: float(row["total"]) for row in rows}
        recorded = {row.parameter: row.gradient for row in Trace(xor).gradients(5)}
        wanted = {name: number for name, number in recorded.items() if name.startswith(f"{layer}.") and ".w" in name}
        assert last == wanted
        assert all(float(row["input"]) * float(row["delta"]) == float(row["product"]) for row in rows)
    text = shown(capsys, xor, "--step", 5, "--matrix", "layer1")
    assert all(f"{number + 0.0:.9g}" in text for number in wanted.values()) and "X^T delta" in text


def test_one_sample_is_a_part_of_the_sweep(xor, capsys):
    """--sample K has the sample's rows of the whole chain rule, in its order and with its totals; every row is in one sample."""
    whole = records(shown(capsys, xor, "--step", 5, "--chain", "--format", "csv"))
    parts = [records(shown(capsys, xor, "--step", 5, "--chain", "--sample", k, "--format", "csv")) for k in range(4)]
    assert sorted((row for part in parts for row in part), key=lambda row: int(row["order"])) == whole
    step = Rebuild(xor).step(5)
    assert len(whole) == sum(1 for _ in edges(step.root)) and {row["node"] for row in parts[2]} >= {"loss", "sample2.cost"}
    assert not any("sample1." in row["node"] for row in parts[2])


def test_strongest_samples_come_first(xor, capsys):
    """For people the samples that pull hardest, in their order; CSV has every sample's share, which add up."""
    shares = Rebuild(xor).step(9).by_sample
    for line in shown(capsys, xor, "--step", 9, "--by-sample").splitlines()[2:]:
        name, cells = line.split()[0], line.split()[2:]
        samples = [int(cell.removeprefix("sample")) for cell in cells if cell.startswith("sample")]
        assert samples == sorted(range(4), key=lambda k: -abs(shares[name][k]))[:3]
    row = records(shown(capsys, xor, "--step", 9, "--by-sample", "--format", "csv"))[0]
    assert [float(row[f"sample{k}"]) for k in range(4)] == shares[row["parameter"]]


def test_paths_add_up_to_the_gradient(xor):
    """All paths (two a sample: the loss uses the logit twice) add up to the gradient, but for rounding."""
    step = Rebuild(xor).step(4)
    rows = records(ask.paths(step, "layer0.neuron2.w1", "csv", most=50))
    total = sum(float(row["share"]) for row in rows)
    assert total == pytest.approx(gradients(step.root)[step.parameters["layer0.neuron2.w1"]], rel=1e-12) and len(rows) == 8


def test_the_optimizers_terms_are_the_recorded_ones(xor, tmp_path, capsys):
    """Every term by name; plain SGD has none and says its formula."""
    rows = records(shown(capsys, xor, "--step", 3, "--optimizer", "--format", "csv"))
    assert [float(row["first"]) for row in rows] == [row["first"] for row in Trace(xor).optimizer(3)]
    written(tmp_path / "sgd", Recipe("xor", optimizer="sgd", epochs=2))
    assert cli.main(["show", str(tmp_path / "sgd"), "--optimizer"]) == 2
    assert "update = -lr * gradient" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, sentence", [
    (["--toward", "layer9.w"], "trains no 'layer9.w'; its parameters are layer0.neuron0.w0"),
    (["--matrix", "layer7"], "has no 'layer7'; its layers are layer0, layer1"),
    (["--chain", "--sample", "4"], "has samples 0 to 3, got 4"),
    (["--sample", "1"], "--sample goes with --forward or --chain"),
    (["--step", "99", "--forward"], "step 99 is not in"),
])  # fmt: skip
def test_a_wrong_question_is_one_sentence(arguments, sentence, xor, capsys):
    """What there is, is named."""
    assert cli.main(["show", str(xor), *arguments]) == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == "" and stderr.count("\n") == 1 and sentence in stderr


def test_arrays_say_what_they_keep(tmp_path, capsys):
    """A network on arrays has no edges of single numbers: a sentence with what there is."""
    pytest.importorskip("numpy")
    folder = written(tmp_path / "t", Recipe("xor", engine="arrays", epochs=4), weights_every=2)
    for question in (["--toward", "layer0.neuron1.w0"], ["--chain"], ["--by-sample"]):
        assert cli.main(["show", str(folder), *question]) == 2
        assert "network on arrays" in capsys.readouterr().err


def test_a_sample_is_explained_as_a_formula_is(xor, capsys):
    """explain FOLDER: forward and backward of one sample as text, HTML page, drawing; values are refused."""
    assert cli.main(["explain", str(xor), "--step", "6", "--sample", "2"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("sample2 of step 6, row 2 of the data: it costs ") and "sample2.layer0.neuron1.sum" in text
    assert max(map(len, text.splitlines())) <= 120
    assert cli.main(["explain", str(xor), "--format", "html"]) == 0
    assert "<svg" in capsys.readouterr().out
    assert cli.main(["explain", str(xor), "--graph", "svg", "--sample", "3"]) == 0
    assert "sample3.x0" in capsys.readouterr().out
    for wrong in (["explain", str(xor), "w=2"], ["explain", "a*b", "a=1", "b=2", "--step", "3"]):
        assert cli.main(wrong) == 2 and capsys.readouterr().err.count("\n") == 1
