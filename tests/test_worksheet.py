"""Worksheets: every blank can be reached with a pencil, the same seed makes the same sheet, and the page says what is needed."""

import csv
import io
import math
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

import sheets
import traced as traced_runs
from micrograd_lite import MLP, SGD, Adam, Tracer, data, half_squared_error, mse, train
from micrograd_lite.classroom.cells import Numbers
from micrograd_lite.classroom.lesson import from_sizes, from_trace
from micrograd_lite.classroom.paper import page
from micrograd_lite.classroom.ranges import ANYWHERE, reach, read_rule
from micrograd_lite.classroom.sheet import LEVELS, Sheet, half_digit, rounded
from micrograd_lite.classroom.updates import terms
from micrograd_lite.cli import main
from micrograd_lite.module import Module
from micrograd_lite.scalar import Value

ROOT = Path(__file__).parent.parent


def sheet(level=2, digits=4, blank=(), **options):
    options.setdefault("seed", 7)
    return Sheet(Numbers(from_sizes(options.pop("sizes", (2, 2, 1)), **options)), level, blank, digits)


def traced(folder, net=None, loss=mse, optimizer=None, epochs=3, **options):
    net = net or MLP(2, [2, 1], "tanh", seed=1)
    with Tracer(folder) as tracer:
        for _ in tracer.follow(train(net, data.xor(), loss=loss, optimizer=optimizer or SGD(lr=0.5), epochs=epochs, **options)):
            pass
    return folder


# --- ranges ---


@pytest.mark.parametrize("rule, ranges, wanted", [
    ("c1 + c2 * c3", {"c1": (1.0, 2.0), "c2": (-1.0, 1.0), "c3": (2.0, 3.0)}, (-2.0, 5.0)),
    ("c1 - c1", {"c1": (1.0, 2.0)}, (-1.0, 1.0)), ("(-c1) / c2", {"c1": (1.0, 2.0), "c2": (2.0, 4.0)}, (-1.0, -0.25)),
    ("c1 ** 2", {"c1": (-1.0, 2.0)}, (0.0, 4.0)), ("c1 ** 2", {"c1": (-3.0, -2.0)}, (4.0, 9.0)),
    ("1 / c1", {"c1": (-1.0, 1.0)}, ANYWHERE), ("sqrt(c1)", {"c1": (-1.0, 4.0)}, ANYWHERE),
    ("exp(c1)", {"c1": (0.0, 1e6)}, (1.0, math.inf)), ("relu(c1)", {"c1": (-1.0, 2.0)}, (0.0, 2.0)),
    ("0 if c1 <= 0 else 1", {"c1": (-1.0, 2.0)}, (0.0, 1.0)), ("0 if c1 <= 0 else 1", {"c1": (0.5, 2.0)}, (1.0, 1.0)),
    ("1 if c1 > 0 else c2", {"c1": (-2.0, -1.0), "c2": (0.2, 0.3)}, (0.2, 0.3)),
    ("prelu(c1, c2)", {"c1": (-2.0, 1.0), "c2": (0.2, 0.3)}, (-0.6, 1.0)),
    ("prelu(c1, c2)", {"c1": (-2.0, 1.0), "c2": (-0.3, -0.2)}, (0.0, 1.0)),
    ("sin(c1)", {"c1": (1.0, 2.0)}, (math.sin(1.0), 1.0)), ("sin(c1)", {"c1": (-2.0, 5.0)}, (-1.0, 1.0)),
    ("cos(c1)", {"c1": (-0.5, 0.25)}, (math.cos(0.5), 1.0)), ("cos(c1)", {"c1": (3.0, 3.5)}, (-1.0, math.cos(3.5))),
])  # fmt: skip
def test_a_range_holds_all_that_a_formula_can_be(rule, ranges, wanted):
    """Its ends are the least and the greatest, for operands anywhere in their ranges; everywhere at a pole."""
    assert reach(read_rule(rule), ranges) == pytest.approx(wanted)


@pytest.mark.parametrize("text", [
    "__import__('os')", "c1.real", "open(c1)", "c1 if c2 else c3", "[c1]", "c0 + c1", "x + 1", "1e999", "'a'", "c1 +", "",
    "relu()", "relu(c1, c2)", "prelu(c1)", "relu(x=c1)", "c1 < c2 < c3", "(lambda: c1)()", "c1 @ c2", "+c1", "(" * 500,
    "c1" + " + c1" * 999, "-" * 500 + "c1",
])  # fmt: skip
def test_nothing_but_arithmetic_is_a_formula(text):
    """A key is somebody's file: its formulas are read, never run, and what is no arithmetic is refused."""
    with pytest.raises(ValueError, match="is no formula of a sheet"):
        read_rule(text)


# --- what stands on a sheet ---


def test_sixteen_sheets_are_within_reach_and_their_mistakes_are_named(tmp_path):
    """The short form of tests/sheets.py: no blank out of reach, every planted mistake found, named and not punished twice."""
    totals = sheets.run(16, 5, tmp_path, say=lambda _: None)
    assert totals["unreachable"] == totals["punished twice"] == 0
    assert totals["found"] == totals["named"] == totals["planted"] == 16 and totals["from own number"] > 50


@pytest.mark.parametrize("options", [
    {"sizes": (2, 2, 1)}, {"sizes": (3, 2, 2), "loss": "cross_entropy"}, {"sizes": (2, 3, 1), "loss": "binary_cross_entropy"},
    {"sizes": (2, 2, 1), "loss": "hinge", "activation": "prelu"}, {"sizes": (2, 2, 2), "loss": "half_squared_error"},
    {"sizes": (2, 2, 1), "optimizer": "AdamW", "step": 3}, {"sizes": (2, 2, 1), "optimizer": "RMSprop", "lr": 0.01, "step": 2},
    {"sizes": (2, 2, 1), "output": "sigmoid", "activation": "sin"},
], ids=str)  # fmt: skip
def test_every_formula_gives_its_number(options):
    """The rule of each cell, put together from the exact numbers of others, is the number that the engine computed."""
    exact = {}
    for cell in sheet(level=3, **options).numbers.cells:
        exact[cell.name] = cell.exact
        if cell.rule:
            value = eval(cell.rule, {"__builtins__": {}}, {**sheets.CALCULATOR, **exact})
            assert value == pytest.approx(cell.exact, rel=1e-12, abs=1e-15), cell


@pytest.mark.parametrize("optimizer", [
    SGD(lr=0.1), SGD(lr=0.1, momentum=0.9), SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    Adam(lr=0.05, weight_decay=0.1), Adam(lr=0.05, bias_correction=False),
], ids=lambda optimizer: str(optimizer.config()))  # fmt: skip
def test_the_optimizers_rows_are_its_arithmetic(optimizer, tmp_path):
    """Every setting of a trace's optimizer stands in the formulas: a calculator gets the update that was recorded."""
    numbers = Numbers(from_trace(traced(tmp_path / "t", optimizer=optimizer), step=3))
    exact = {}
    for cell in numbers.cells:
        exact[cell.name] = cell.exact
        if cell.part == "optimizer" and cell.rule:
            assert eval(cell.rule, {"sqrt": math.sqrt}, dict(exact)) == pytest.approx(cell.exact, rel=1e-11)
    assert [cell.column for cell in numbers.of("optimizer")][-1] == "after"


def test_a_level_leaves_out_more_than_the_one_before():
    """1: what follows the slopes; 2: the slopes too; 3: all that can be computed."""
    names = [{printed.cell.name for printed in sheet(level).blanks} for level in LEVELS]
    assert names[0] < names[1] < names[2]
    columns = [{printed.cell.column for printed in sheet(level).blanks} for level in LEVELS]
    assert columns[0] == {"share", "gradient", "update", "after"} and columns[1] - columns[0] == {"partial"}
    assert columns[2] - columns[1] >= {"value"}


def test_columns_and_rows_can_be_chosen():
    """`blank` names columns, rows, or both; an unknown one is a sentence with those that are there."""
    assert {printed.cell.column for printed in sheet(blank=["share"]).blanks} == {"share"}
    one = sheet(blank=["layer0.neuron0.sum", "update"]).blanks
    assert {(printed.cell.column == "update") or printed.cell.row == "layer0.neuron0.sum" for printed in one} == {True}
    with pytest.raises(ValueError, match=r"no 'shares' is computed on this sheet; its columns are value, partial, share, "):
        sheet(blank=["shares"])


def test_no_blank_is_printed_elsewhere():
    """A number that only repeats a blank one is not printed: the place says where it is found."""
    made = sheet(level=1)
    text = page(made)
    assert made.source  # upstreams, the slope of the sample, the gradient of the optimizer's table
    shares = [printed for printed in made.blanks if printed.cell.column == "share" and abs(printed.cell.exact) not in (0.0, 1.0)]
    given = {printed.text for printed in made.shown.values() if not printed.blank}
    assert [printed.text for printed in shares if f">{printed.text}<" in text and printed.text not in given] == []
    for repeated, source in made.source.items():
        assert repeated not in made.shown and made.shown[source].blank


def test_what_cannot_be_told_right_from_wrong_is_given():
    """Where roundings decide the number, such as a difference of equal numbers, it is printed; with more digits it is a blank."""
    coarse, fine = (sheet(level=3, digits=digits, seed=12, optimizer="Adam") for digits in (3, 9))
    assert len(coarse.blanks) < len(fine.blanks)
    for printed in (*coarse.blanks, *fine.blanks):
        assert printed.tolerance <= 0.05 * abs(printed.cell.exact)


def test_a_tolerance_is_at_least_half_of_the_last_digit():
    """The rounded number of the key itself is always right."""
    for printed in sheet(level=3).blanks:
        assert printed.tolerance >= half_digit(printed.cell.exact, 4) > 0.0
        assert abs(float(printed.text) - printed.cell.exact) <= printed.tolerance


@pytest.mark.parametrize("value, digits, text, half", [
    (0.123456, 4, "0.1235", 5e-05), (-1.0, 4, "-1", 5e-04), (9.9996, 4, "10", 5e-04), (1234.5, 3, "1.23e+03", 5.0),
    (-0.0, 4, "0", 0.0),
])  # fmt: skip
def test_significant_digits(value, digits, text, half):
    """Numbers are rounded to digits that count, whatever their size."""
    assert (rounded(value, digits), half_digit(value, digits)) == (text, half)


def short(name):
    """A run of tests/traced.py, its first two steps traced."""

    def make(folder):
        model, rows, options = traced_runs.RUNS[name]
        with Tracer(folder) as tracer:
            for _ in tracer.follow(islice(train(model(), rows, **options), 2)):
                pass
        return folder

    return make


@pytest.mark.parametrize("name", traced_runs.RUNS)
def test_every_kind_of_run_makes_a_sheet_or_a_sentence(name, tmp_path):
    """Momentum, schedules, tied and fixed weights, batches, one sample: all blanks are within reach, or a sentence refuses it."""
    try:
        made = Sheet(Numbers(from_trace(short(name)(tmp_path / "t"))), level=3)
    except ValueError as error:
        assert name in ("all activations", "wide sums", "a layer", "a neuron", "no parameter", "unknown model"), error
        return
    assert sheets.unreachable(made, sheets.key_of(made, tmp_path)) == []


# --- where a sheet comes from ---


def test_the_same_seed_is_the_same_sheet(tmp_path, capsys):
    """Byte by byte, of a trace and without one; another seed has other numbers."""
    folder = traced(tmp_path / "t")
    for source in (["--sizes", "2,2,1"], [str(folder), "--step", "2"]):
        made = []
        for place, seed in (("a", 1), ("b", 1), ("c", 2)):
            out = tmp_path / f"{place}{source[0][2:3]}"
            assert main(["worksheet", *source, "--seed", str(seed), "--out", str(out)]) == 0
            made.append({path.name: path.read_bytes() for path in out.iterdir()})
        assert made[0] == made[1] and made[0]["sheet.csv"] != made[2]["sheet.csv"]
        assert sorted(made[0]) == ["key.csv", "key.html", "sheet.csv", "sheet.html"]
    capsys.readouterr()


def test_hashes_do_not_decide_a_sheet(tmp_path):
    """Another order of sets and dicts, as another PYTHONHASHSEED makes it, gives the same bytes."""
    made = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        command = [sys.executable, "-m", "micrograd_lite", "worksheet", "--sizes", "2,2,2", "--out", str(out)]
        subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
        made.append([path.read_bytes() for path in sorted(out.iterdir())])
    assert made[0] == made[1]


def test_a_traces_numbers_are_those_that_were_recorded(tmp_path):
    """Without a seed the weights, the gradient and the step are the trace's; the first recorded step by default."""
    folder = traced(tmp_path / "t", optimizer=Adam(lr=0.05), loss=half_squared_error)
    lesson = from_trace(folder)
    assert lesson.step.number == 1 and from_trace(folder, step=3).step.number == 3
    numbers = Numbers(lesson)
    gradient = numbers.at(numbers.gradient)
    assert gradient.exact == lesson.step.recorded[gradient.row].gradient
    weight = next(cell for cell in numbers.of("forward") if cell.row == "layer0.neuron0.w0")
    assert weight.exact == lesson.step.recorded["layer0.neuron0.w0"].before


def test_with_a_seed_the_run_is_trained_again(tmp_path):
    """The same network, data, loss and optimizer from other first weights: the numbers of that seed's own trace."""
    folder = traced(tmp_path / "t", optimizer=Adam(lr=0.05), epochs=4)
    other = traced(tmp_path / "other", net=MLP(2, [2, 1], "tanh", seed=5), optimizer=Adam(lr=0.05), epochs=4, seed=5)
    again, wanted = from_trace(folder, step=3, seed=5), from_trace(other, step=3)
    assert again.step.recorded == wanted.step.recorded and again.terms == wanted.terms
    with pytest.raises(ValueError, match="step must be from 1 to 4"):
        from_trace(folder, step=5, seed=1)


def test_a_sample_can_be_chosen(tmp_path):
    """By default the one that moves most weights: of xor not (0, 0), whose weights have no slope."""
    folder = traced(tmp_path / "t")
    assert from_trace(folder).sample == 3 and from_trace(folder, sample=1).sample == 1
    with pytest.raises(ValueError, match="has samples 0 to 3, got 4"):
        from_trace(folder, sample=4)


def explicit(folder):
    return traced(folder, net=MLP(2, [1], init=[[[0.5], [0.25]]]))


def held(folder):
    return traced(folder, parameters=["layer0.neuron0.w0"])


class Own(Module):
    """A model that is no network."""

    def __init__(self):
        self.w = Value(0.5, "w")

    def parts(self):
        return [("w", self.w)]

    def __call__(self, inputs):
        return self.w * inputs[0]


@pytest.mark.parametrize("make, asked, sentence", [
    (explicit, {"seed": 1}, "weights that were given, not drawn"), (held, {"seed": 1}, "held fixed or shared"),
    (lambda folder: traced(folder, net=Own()), {}, "is not the trace of an MLP of scalars"),
    (lambda folder: traced(folder, net=MLP(2, [9, 9, 1])), {}, "no two pages hold a 2-9-9-1 network: take fewer and narrower"),
    (traced, {"step": 9}, "step 9"),
], ids=["given", "shared", "own module", "too large", "no such step"])  # fmt: skip
def test_what_makes_no_sheet_says_why(make, asked, sentence, tmp_path):
    """Each in a sentence."""
    with pytest.raises(ValueError, match=sentence):
        Numbers(from_trace(make(tmp_path / "t"), **asked))


def test_fixed_and_shared_weights_stand_on_a_sheet(tmp_path):
    """A weight that is not trained has its edges and no update; one that two neurons share gets a total."""
    net = MLP(2, [2, 1], "tanh", seed=2)
    net.layers[0].neurons[1].b = net.layers[0].neurons[0].b
    fixed = Numbers(from_trace(held(tmp_path / "held")))
    assert {cell.row for cell in fixed.of("optimizer")} == {"lr", "layer0.neuron0.w0"}
    shared = Numbers(from_trace(traced(tmp_path / "tied", net=net)))
    assert [cell.row for cell in shared.of("chain") if cell.column == "total" and cell.row.endswith(".b")]



def test_mazurs_network_is_a_sheet(tmp_path):
    """The best known example by hand, 2-2-2 with sigmoids and shared biases, fits: loss .298371109, w5 becomes .35891648."""
    net = MLP(2, [2, 2], "sigmoid", "sigmoid", init=[[[0.15, 0.25], [0.20, 0.30]], [[0.40, 0.50], [0.45, 0.55]]])
    for layer, bias in zip(net.layers, (0.35, 0.60)):
        for neuron in layer.neurons:
            neuron.b = layer.neurons[0].b
        layer.neurons[0].b.data = bias
    names = [name for name, _ in net.named_parameters() if not name.endswith(".b")]
    with Tracer(tmp_path / "t") as tracer:
        for _ in tracer.follow(train(net, data.mazur(), loss=half_squared_error, optimizer=SGD(0.5), epochs=1, parameters=names)):
            pass
    made = Sheet(Numbers(from_trace(tmp_path / "t")), level=3, blank=[], digits=8)
    cells = {(cell.row, cell.column): cell.exact for cell in made.numbers.cells}
    assert cells["cost", "value"] == pytest.approx(0.298371109, abs=1e-9) and len(made.blanks) > 30


# --- the page ---


def test_a_page_says_what_a_student_needs():
    """Drawing, given numbers, each formula, a box for each blank with its name; it is ASCII, and asks for nothing elsewhere."""
    made = sheet(level=3)
    text = page(made)
    assert text.isascii() and "http" not in text.replace("http://www.w3.org/2000/svg", "") and "<script" not in text
    assert text.count("<svg") == 1 and "@page" in text and "break-inside:avoid" in text
    for printed in made.blanks:
        assert text.count(f"<small>{printed.cell.name}</small>") == 1
        assert f"<b>{printed.text}</b>" not in text
    assert "b + w0 &#215; x0 + w1 &#215; x1" in text and "error<sup>2</sup>" in text and "tanh(x) = " in text


def test_the_key_is_the_page_with_its_numbers():
    """Every box is filled, with what is still right beside it."""
    made = sheet(level=3)
    text = page(made, key=True)
    for printed in made.blanks:
        assert f"<small>{printed.cell.name}</small><b>{printed.text}</b>" in text
    assert text.count("&#177;") == len(made.blanks) and "your c" not in text


def test_names_of_somebody_else_stay_text(tmp_path):
    """A data set's name is neither a tag of the page nor a formula of a spreadsheet."""
    named = data.xor()._replace(name="<b>=1+1</b>")
    with Tracer(tmp_path / "t") as tracer:
        for _ in tracer.follow(train(MLP(2, [2, 1]), named, loss=mse, optimizer=SGD(0.1), epochs=1)):
            pass
    made = Sheet(Numbers(from_trace(tmp_path / "t")))
    assert "<b>=1" not in page(made) and "&lt;b&gt;=1+1" in page(made)
    for row in csv.reader(io.StringIO(made.csv())):
        assert not any(re.match(r"[=+@]|-\D", cell) for cell in row)


def test_sheet_and_key_have_the_same_rows():
    """The sheet is the key with its blanks empty, and without exact numbers."""
    made = sheet()
    empty, full = (list(csv.DictReader(io.StringIO(text))) for text in (made.csv(), made.key()))
    assert [row["cell"] for row in empty] == [row["cell"] for row in full]
    for one, other in zip(empty, full):
        assert one["number"] == ("" if other["tolerance"] else other["number"])
        assert float(other["exact"]) == pytest.approx(float(other["number"]), rel=1e-3, abs=1e-12)


# --- the command ---


def test_the_command_names_its_files(tmp_path, capsys):
    """Four files, how many numbers are to be filled in, and what to do with them then."""
    out = tmp_path / "s"
    assert main(["worksheet", "--sizes", "2,2,1", "--blank", "share,update", "--digits", "5", "--out", str(out)]) == 0
    *files, last = capsys.readouterr().out.splitlines()
    assert files == [str(out / name) for name in ("sheet.html", "sheet.csv", "key.html", "key.csv")]
    assert re.fullmatch(r"\d+ numbers to fill in; when they are: micrograd-lite mark SHEET.csv --key .*key.csv", last)


def test_a_filled_sheet_is_never_replaced(tmp_path, capsys):
    """The same sheet may be written again; one that somebody filled in, or another one, stays."""
    command = ["worksheet", "--sizes", "2,2,1", "--out", str(tmp_path)]
    assert main(command) == main(command) == 0
    (tmp_path / "sheet.csv").write_text("filled", encoding="utf-8")
    assert main(command) == 2 and (tmp_path / "sheet.csv").read_text() == "filled"
    assert "is another sheet, or is filled in; choose another --out" in capsys.readouterr().err


@pytest.mark.parametrize("asked, sentence", [
    ([], "a worksheet is of a trace folder, or of a network that is made up"), (["t", "--sizes", "2,1"], "give one of them"),
    (["--sizes", "2,two"], "--sizes needs whole numbers"), (["--sizes", "2"], "sizes are inputs, neurons of each layer"),
    (["--sizes", "2,0,1"], "sizes are inputs"), (["--sizes", "2,1", "--loss", "msee"], "did you mean 'mse'"),
    (["--sizes", "2,1", "--loss", "cross_entropy"], "cross_entropy needs two outputs"),
    (["--sizes", "2,2", "--loss", "hinge"], "hinge needs one output"), (["--sizes", "2,1", "--digits", "2"], "digits must be"),
    (["--sizes", "9,1"], "no two pages hold a 9-1 network"),
    (["--sizes", "2,1", "--blank", "shares"], "no 'shares' is computed"), (["nowhere"], "nowhere"),
    (["nowhere", "--lr", "1"], "--lr is for --sizes"), (["--sizes", "2,1", "--step", "0"], "step must be from 1"),
    (["--sizes", "2,1", "--lr", "1e308", "--step", "3"], "try a smaller learning rate"),
    (["--sizes", "2,1", "--sample", "4"], "has samples 0 to 3"),
])  # fmt: skip
def test_a_mistake_of_the_users_is_a_line(asked, sentence, tmp_path, capsys):
    """Exit code 2, one line on stderr, and no file."""
    code = main(["worksheet", *asked, "--out", str(tmp_path / "s")])
    said = capsys.readouterr()
    assert code == 2 and said.err.startswith("error: ") and sentence in said.err and said.err.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_every_formula_of_an_optimizer_is_known():
    """Another name is a sentence."""
    with pytest.raises(ValueError, match="knows the steps of SGD, RMSprop, Adam and AdamW"):
        terms({"name": "by hand"}, 1)
