"""`train` and `predict` as commands: any table becomes a trained network, which answers in the table's own units."""

import csv
import math

import pytest

from micrograd_lite import MLP, SGD, Trace, Tracer, cli, data, mse, train
from micrograd_lite.cli.networks import OPTIONS
from micrograd_lite.losses import LOSSES
from micrograd_lite.recipe import PROBLEMS, Recipe, fitted, prepare
from micrograd_lite.trace.predict import Answering
from micrograd_lite.verify import verify


def table(folder, rows=60, target=lambda x, y: 100.0 + 3.0 * x - y, name="own.csv"):
    path = folder / name
    lines = ["size,age,price"]
    for row in range(rows):
        x, y = 1000.0 + 10.0 * (row % 12), 0.01 * (row % 5)
        lines.append(f"{x!r},{y!r},{target(x, y)}")
    path.write_text("\n".join(lines) + "\n")
    return path


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


def refused(capsys, *arguments):
    try:
        code = run(*arguments)
    except SystemExit as error:
        code = error.code
    stderr = capsys.readouterr().err
    assert code == 2 and stderr.count("\n") == 1, (code, stderr)
    return stderr


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_bundled_problem_trains_and_verifies(name, tmp_path, capsys):
    """Each bundled problem gets through one command; its trace verifies, and it says what to try next."""
    short = ["--epochs", "2", *(["--layers", "2", "--batch", "1500"] if name == "digits" else [])]
    assert run("train", name, "--out", tmp_path / "t", *short) == 0
    printed = capsys.readouterr().out
    tried = [line.split()[1] for line in printed.splitlines() if line.startswith("  micrograd-lite ")]
    assert tried == ["predict", "page", "render", "show"] and "total" in printed and "  loss " in printed
    assert not verify(tmp_path / "t").wrong and Trace(tmp_path / "t").status == "finished"


def test_a_regression_answers_in_its_own_units(tmp_path, capsys):
    """Inputs of a thousand and a hundredth, a target of thousands: scaled for training, asked and answered unscaled."""
    path, out = table(tmp_path), tmp_path / "trace"
    assert run("train", path, "--layers", "", "--epochs", "400", "--out", out) == 0
    printed = capsys.readouterr().out
    assert "so a regression" in printed and "the loss is in scaled units" in printed and "15 of 60 rows are kept" in printed
    assert run("predict", out, "size=1050", "age=0.02") == 0
    name, sign, answer = capsys.readouterr().out.split()
    assert (name, sign) == ("price", "=") and float(answer) == pytest.approx(100.0 + 3.0 * 1050 - 0.02, abs=0.05)


def test_raw_scales_nothing(tmp_path, capsys):
    """--raw: the numbers of the file are the numbers of the trace."""
    path = table(tmp_path, rows=6)
    assert run("train", path, "--raw", "--lr", "1e-9", "--optimizer", "sgd", "--epochs", "1", "--out", tmp_path / "t") == 0
    told = Trace(tmp_path / "t").run["data"]
    assert told["units"] is None and told["inputs"] == data.read_csv(path).inputs and "scaled" not in capsys.readouterr().out


def test_classes_are_answered_by_name_with_probabilities(tmp_path, capsys):
    """`price = dear` comes first, the probability of each class below; they add up to one."""
    path, out = table(tmp_path, target=lambda x, y: "dear" if x > 1055 else "cheap"), tmp_path / "trace"
    run("train", path, "--out", out)
    capsys.readouterr()
    for size, wanted in ((1000, "cheap"), (1110, "dear")):
        assert run("predict", out, f"size={size}", "age=0.02") == 0
        first, *below = capsys.readouterr().out.splitlines()
        assert first == f"price = {wanted}"
        shares = {line.split()[0]: float(line.split()[1]) for line in below}
        assert list(shares) == ["cheap", "dear"] and math.isclose(shares["cheap"] + shares["dear"], 1.0, abs_tol=2e-6)
        assert max(shares, key=shares.get) == wanted


@pytest.mark.parametrize("loss", ["mse", "hinge", "binary_cross_entropy", "half_squared_error", "cross_entropy"])
@pytest.mark.parametrize("name", ["xor", "moons"])
def test_two_classes_under_each_loss(name, loss, tmp_path):
    """Whatever the loss wants of a target, the same rows get the same names, and the trained network says them."""
    with Tracer(tmp_path / "t", every=500) as tracer:
        made = prepare(Recipe(name, loss=loss, epochs=300, lr=0.02 if loss == "half_squared_error" else 0.05))
        for step in made.steps():
            tracer.watch(step)
    network, whole = Answering(tmp_path / "t"), PROBLEMS[name].load()
    names = [whole.class_names[int(target > min(whole.targets))] for target in whole.targets]
    right = [network.answer(row).name == name for row, name in zip(whole.inputs, names)]
    assert sum(right) >= 0.97 * len(right)


def test_three_classes_under_each_loss(tmp_path):
    """cross_entropy gets labels, a square error a row with a 1.0; a loss of two classes is refused."""
    spiral = data.spiral(9)
    assert fitted(spiral, LOSSES["cross_entropy"]).targets == spiral.targets
    assert fitted(spiral, mse).targets == data.one_hot(spiral).targets
    for name in ("hinge", "binary_cross_entropy"):
        with pytest.raises(ValueError, match=f"{name} is for two classes, spiral has 3"):
            fitted(spiral, LOSSES[name])


def test_many_rows_are_answered_from_a_file(tmp_path, capsys):
    """predict FOLDER FILE: one line an answer, under a header, in the file's order."""
    path, out = table(tmp_path, target=lambda x, y: "dear" if x > 1055 else "cheap"), tmp_path / "trace"
    run("train", path, "--out", out, "--epochs", "50")
    capsys.readouterr()
    assert run("predict", out, path) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert len(rows) == 60 and list(rows[0]) == ["price", "probability of cheap", "probability of dear"]
    network = Answering(out)
    assert [row["price"] for row in rows[:12]] == [network.answer([1000.0 + 10 * k, 0.01 * (k % 5)]).name for k in range(12)]


def test_a_file_that_trains_is_a_file_that_is_asked(tmp_path, capsys):
    """Semicolons, a byte order mark, a quoted name with a comma, empty lines: read alike; a fault is at its line of the file."""
    lines = ['\ufeff"size, m";age;price', *(f"{k}.5;{k % 3};{2 * k}.25" for k in range(8))]
    path, out = tmp_path / "t.csv", tmp_path / "trace"
    path.write_text("\r\n".join([lines[0], "", *lines[1:]]), encoding="utf-8")
    assert run("train", path, "--epochs", "1", "--out", out) == 0
    capsys.readouterr()
    assert run("predict", out, path) == 0 and len(capsys.readouterr().out.splitlines()) == 9
    path.write_text("\r\n".join([lines[0], "", "1,5;2;3"]), encoding="utf-8")
    assert "t.csv, line 3: size, m must be a number, got '1,5'" in refused_after(capsys, "predict", out, path)
    path.write_text(lines[0], encoding="utf-8")
    assert "has no rows under its header" in refused_after(capsys, "predict", out, path)


def test_large_tables_go_to_arrays_and_say_so(tmp_path, capsys):
    """Parameters times rows above two million: NumPy arrays, float32, kept weights, the same predict."""
    pytest.importorskip("numpy")
    path, out = table(tmp_path, rows=240), tmp_path / "trace"
    assert run("train", path, "--layers", "200,60", "--epochs", "2", "--lr", "0.001", "--out", out) == 0
    assert "trained on NumPy arrays" in capsys.readouterr().out
    assert Trace(out).run["model"]["dtype"] == "float32"
    assert run("predict", out, "size=1050", "age=0.02") == 0
    assert capsys.readouterr().out.startswith("price = ")


def test_c_is_the_usual_engine_compiled():
    """Small data number by number, large data on arrays; either way `train` gets engine="c"."""
    pytest.importorskip("numpy")
    for source, layers, on_arrays in (("xor", (8,), False), ("digits", (200,), True)):
        for engine in ("c", None):
            made = prepare(Recipe(source, layers=layers, epochs=1, activation="relu", engine=engine))
            assert made.on_arrays is on_arrays and (made.engine == "c") is (engine == "c")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROGRAD_LITE_CC", "off")
        patch.setattr("micrograd_lite.flat.compiled.said", set())
        with pytest.warns(RuntimeWarning, match="MICROGRAD_LITE_CC=off turns C off; arrays are trained by NumPy"):
            next(prepare(Recipe("digits", layers=(200,), epochs=1, engine="c")).steps())


def test_the_same_recipe_gives_the_same_bytes(tmp_path, capsys):
    """Same seed, same tables; another seed, other rows for testing."""
    path = table(tmp_path)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("train", path, "--epochs", "3", "--seed", seed, "--out", tmp_path / name)
    paths = [sorted((tmp_path / name).glob("*.[cj]s[vo]*")) for name in "abc"]
    files = [{path.name: path.read_bytes() for path in some if path.name != "environment.json"} for some in paths]
    assert files[0] == files[1] and files[0]["gradients.csv"] != files[2]["gradients.csv"]


def test_a_second_run_needs_force(tmp_path, capsys):
    """The folder of a trace is not overwritten unless --force says so."""
    run("train", "xor", "--epochs", "1", "--out", tmp_path / "t")
    assert "--force" in refused_after(capsys, "train", "xor", "--epochs", "1", "--out", tmp_path / "t")
    assert run("train", "xor", "--epochs", "2", "--out", tmp_path / "t", "--force") == 0


def refused_after(capsys, *arguments):
    capsys.readouterr()
    assert run(*arguments) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("arguments, sentence", [
    (["train", "nowhere.csv"], "No such file"),
    (["train", "xr"], "unknown data 'xr': it is a CSV file or one of xor"),
    (["train", "xor", "--loss", "mse2"], "unknown loss 'mse2'"),
    (["train", "parts", "--loss", "hinge"], "hinge is for classes, and the target of parts is numbers"),
    (["train", "xor", "--optimizer", "adamm"], "unknown optimizer 'adamm'"),
    (["train", "xor", "--momentum", "0.9"], "momentum is for SGD; Adam has running means of its own"),
    (["train", "xor", "--layers", "4,,4"], "'4,,4' are no widths; write whole numbers with commas, such as 4,4"),
    (["train", "xor", "--layers", "4,0"], "layer widths that are whole numbers of at least 1"),
    (["train", "xor", "--layers", "four"], "--layers"),
    (["train", "xor", "--epochs", "0"], "epochs must be a whole number of at least 1, got 0"),
    (["train", "xor", "--batch", "0"], "batch must be a whole number of at least 1, got 0"),
    (["train", "xor", "--every", "-1"], "every must be a whole number of at least 1, got -1"),
    (["train", "xor", "--test", "2"], "between 0 and 1, got 2.0"),
    (["train", "xor", "--target", "a"], "a target is a column of a file; xor has its own"),
    (["train", "xor", "--lr", "nan"], "lr"),
    (["train", "xor", "--seed", "-3"], "from 0 up, got -3"),
    (["train", "xor", "--engine", "gpu"], "unknown engine 'gpu'"),
    (["train", "xor", "--activation", "tan"], "unknown activation 'tan'"),
])  # fmt: skip
def test_a_mistake_is_one_sentence_and_writes_nothing(arguments, sentence, tmp_path, capsys):
    """Exit code 2, one line, no folder."""
    assert sentence in refused(capsys, *arguments, "--out", tmp_path / "t")
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("asked, sentence", [
    (["a=1"], "b is missing; this network wants a, b"), (["a=1", "b=x"], "b must be a number, got 'x'"),
    (["a=1", "b=nan"], "b must be finite"), (["a=1", "c=2"], "'c=2' is no NAME=NUMBER; this network wants a, b"),
    (["nowhere.csv"], "No such file"), (["a=1", "a=2", "b=1"], "a is given twice"),
])  # fmt: skip
def test_a_wrong_question_is_one_sentence(asked, sentence, tmp_path, capsys):
    """What the network wants is named."""
    run("train", "xor", "--epochs", "1", "--out", tmp_path / "t")
    capsys.readouterr()
    assert sentence in refused(capsys, "predict", tmp_path / "t", *asked)


def test_the_defaults_in_the_help_are_the_real_ones():
    """What --help says is left out is what a recipe takes then."""
    told = {name: what for name, _, what in OPTIONS}
    assert set(told) == set(Recipe._fields) - {"source"}
    usual = Recipe("xor")
    for name in ("activation", "output", "optimizer", "lr", "seed"):
        assert f"(default: {getattr(usual, name)})" in told[name]
    assert usual.layers == (8,) and "(default: 8)" in told["layers"]


def frames():
    """The same four rows as lists, as arrays and as frames."""
    rows, wanted = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 1.0, 0.0]
    yield rows, wanted
    np = pytest.importorskip("numpy")
    yield np.array(rows), np.array(wanted)
    yield np.array(rows, dtype="float32"), np.array(wanted, dtype=int)
    for package in ("pandas", "polars"):
        library = pytest.importorskip(package)
        yield library.DataFrame({"a": [0.0, 0.0, 1.0, 1.0], "b": [0, 1, 0, 1]}), library.DataFrame({"y": wanted})["y"]


def test_tables_of_any_library_train_in_both_engines():
    """Lists, NumPy arrays, pandas and polars frames: the same losses; a frame's columns are the features' names."""
    losses = set()
    for inputs, targets in frames():
        steps = list(train(MLP(2, [3, 1], "tanh"), (inputs, targets), loss=mse, optimizer=SGD(lr=0.1), epochs=3))
        losses.add(tuple(step.loss for step in steps))
        assert steps[0].run["data"]["feature_names"] == (["a", "b"] if hasattr(inputs, "columns") else [])
        arrays = pytest.importorskip("micrograd_lite.arrays")
        if str(getattr(inputs, "dtype", "")) == "float32":
            continue  # a model on arrays computes in one width and says so
        again = train(arrays.MLP(2, [3, 1], "tanh"), (inputs, targets), loss=mse, optimizer=SGD(lr=0.1), epochs=3)
        assert [step.loss for step in again] == pytest.approx([step.loss for step in steps], rel=1e-12)
    assert len(losses) == 1
