"""A trace proves itself: honest traces pass every check; what cannot be read, or not be checked, is said in a sentence."""

import csv
import math
import shutil
import subprocess
import sys
from itertools import islice
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from honest import honest
from micrograd_lite import MLP, SGD, Adam, Tracer, cli, cross_entropy, mse, train
from micrograd_lite.chain.formulas import called
from micrograd_lite.data import Dataset
from micrograd_lite.rules import RULES
from micrograd_lite.scalar import APPLY
from micrograd_lite.text.npz import read_arrays
from micrograd_lite.verify import CHECKS, verify
from micrograd_lite.verify.formulas import FUNCTIONS, read
from micrograd_lite.verify.network import ACTIVATIONS
from strategies import points
from traced import FLOWERS, PAIRS, RUNS, edited, moved, put, verdicts, write, write_arrays

# --- honest traces ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, engine", [(name, engine) for name in RUNS for engine in ("eager", "flat")
                                          if engine == "eager" or isinstance(RUNS[name][0](), MLP)])  # fmt: skip
def test_an_honest_trace_passes(tmp_path, name, engine):
    """Every check agrees, whatever was trained and however; what is looked at is all there is."""
    report = verify(write(tmp_path / "run", name, engine))
    assert report.wrong == ""
    assert name == "unknown model" or report.text().endswith(f"run: {report.rows} rows agree\n")
    assert (name == "unknown model") == bool(report.unchecked)
    missing = {finding.check for finding in report.findings if finding.verdict.startswith("not ")}
    assert missing <= {*OF_ARRAYS, "memory carried on", "checkpoint", "evaluation"} | NOT_HERE.get(name, set())


OF_ARRAYS = {"update ratios", "kept weights", "moves of arrays", "flat activations"}
NOT_HERE = {
    "unknown model": {"loss", "gradients are slopes", "evaluation", "first weights"},
    "a layer": {"first weights"},
    "a neuron": {"first weights"},
    "no parameter": {"first weights", "all parameters", "after = before + update", "before = last after", "update by the formula",
                     "gradients are slopes", "shares of samples"},
}  # fmt: skip


@pytest.mark.parametrize("seed", [0, 25])
def test_honest_runs_drawn_at_random_are_never_accused(seed):
    """The first of those that `python tests/honest.py` draws: every engine, loss, optimizer, schedule, thinned, gone on with."""
    pytest.importorskip("numpy")
    kinds, alarms = honest(25, seed)
    assert not alarms and {kind.partition(",")[0] for kind in kinds} >= {"eager", "flat", "arrays"}


ONCE_ACCUSED = {
    "decisions behind a sine of a billion": 863, "squares and products too small for 32 bits": 927,
    "flat outputs behind a sine of a billion": 1097, "a share too small for all its digits": 1951,
    "a loss behind a sine of a billion": 2143, "decisions that may all fall either way": 2633,
    "a slope beside a kink": 2943, "a kink whose side underflow decides": 3033, "a mean divided by a square that may be 0": 6151,
    "a change of the loss beside an overflow": 7715, "a loss among weights of 1e128": 8914, "a sum that may be inf - inf": 1727,
}  # fmt: skip


@pytest.mark.parametrize("seed", ONCE_ACCUSED.values(), ids=ONCE_ACCUSED)
def test_a_run_that_was_once_accused_passes(seed):
    """Runs of tests/honest.py that an earlier verify called wrong."""
    pytest.importorskip("numpy")
    assert honest(1, seed)[1] == {}


@pytest.mark.parametrize("every", [3, 7, 100])
def test_a_trace_of_some_steps_passes(tmp_path, every):
    """Recorded at the first step, at multiples and at the last one."""
    assert verify(write(tmp_path / "run", "flowers, batches", every=every)).wrong == ""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("whole", [True, False], ids=["all samples", "batches"])
def test_an_honest_trace_of_arrays_passes(tmp_path, dtype, whole):
    """Its norms, its kept weights, and, where the data are small, its losses by the scalar forward pass."""
    pytest.importorskip("numpy")
    from micrograd_lite import arrays

    for data, loss, widths in ((FLOWERS, cross_entropy, [6, 3]), (FLOWERS._replace(targets=PAIRS.targets * 5), mse, [7, 2])):
        net = arrays.MLP(4, widths, "sigmoid", dtype=dtype)
        settings = {"loss": loss, "optimizer": SGD(0.5), "batch_size": None if whole else 4, "change_every": 2, "test": data}
        with Tracer(tmp_path / loss.name, every=2, weights_every=2) as tracer:
            list(tracer.follow(islice(train(net, data, **settings), 9)))
        report = verify(tmp_path / loss.name)
        assert report.wrong == ""
        assert {"loss", "evaluation", "measured change", "norms", *OF_ARRAYS} <= {
            finding.check for finding in report.findings if finding.verdict == "ok"
        }


@pytest.mark.parametrize("dtype, size", [("float64", 1e197), ("float64", 1e308), ("float64", 1e-197), ("float64", 1e-310),
                                         ("float32", 1e38), ("float32", 1e-30), ("float32", 1e-40)])  # fmt: skip
@pytest.mark.parametrize("spread", [0.0, 1e-16, 1e-9, 1.0])
def test_statistics_of_any_size_pass(tmp_path, dtype, size, spread):
    """Squares of such weights overflow or vanish, their deviation does not."""
    pytest.importorskip("numpy")
    from micrograd_lite import arrays

    net = arrays.MLP(3, [1], init=[[[size * (1.0 - spread * part)] for part in (0.0, 0.25, 0.5)]], dtype=dtype)
    data = Dataset("nothing", [[0.0] * 3] * 2, [1.0, 2.0])
    with Tracer(tmp_path / "run", weights_every=1) as tracer:
        list(tracer.follow(train(net, data, loss=mse, optimizer=SGD(0.1), epochs=2)))
    report = verify(tmp_path / "run")
    assert report.wrong == ""
    row = next(row for row in csv.DictReader((tmp_path / "run" / "layers.csv").read_text().splitlines()))
    assert abs(float(row["std"]) - size * spread * math.sqrt(1.0 / 24.0)) <= 1e-3 * size * spread + 1e-7 * size


def test_shares_that_cancel_inside_a_sample_are_no_fraud(tmp_path):
    """A weight of two places whose shares cancel: the gradient is 0.0 or a rounding, in whatever order it was added up."""
    net = MLP(1, [2, 1], "tanh", init=[[[0.3, 0.3]], [[0.1], [-0.1]]])
    first, second = net.layers[0].neurons
    second.w[0] = first.w[0]
    data = Dataset("three", [[0.1], [0.7], [-1.3]], [0.3, 0.7, 0.1])
    with Tracer(tmp_path / "run") as tracer:
        steps = train(net, data, loss=mse, optimizer=SGD(0.1), by_sample=[1, 2, 3], chain_rule=[1])
        list(tracer.follow(islice(steps, 3)))
    assert verify(tmp_path / "run").wrong == ""


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_nan_stays_nan_in_every_activation(name):
    """As in the engine: relu of NaN is NaN, and so is its slope times anything."""
    learned = (0.25,) if name == "prelu" else ()
    assert math.isnan(ACTIVATIONS[name](math.nan, *learned))


def test_the_first_weights_prove_the_seed(tmp_path):
    """As the seed draws them, or otherwise: then run.json may be another run's, or somebody set them."""
    one = write(tmp_path / "one")
    other = write(tmp_path / "other", model=lambda: MLP(2, [3, 1], "tanh", "sigmoid", seed=1))
    assert verify(one).proved and verify(other).proved
    shutil.copy(other / "run.json", one)
    assert verify(one).unchecked[0].startswith("first weights, seed 1 puts them elsewhere: ")


@pytest.mark.parametrize("init", ["he", "glorot", "uniform", "normal", "zeros", None])
def test_every_distribution_is_drawn_again(tmp_path, init):
    """By its name, or by the activation where none was chosen."""
    folder = write(tmp_path / "run", model=lambda: MLP(2, [3, 1], "relu", "tanh", init=init, seed=3))
    assert verdicts(verify(folder))["first weights"] == "ok"


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
    [("x * (1 - x)", 0.25), ("x ** 2", 0.25), ("x ** (-2)", 4.0), ("0 ** (-1)", math.inf), ("sigmoid(x - x)", 0.5),
     ("'a b' + x", 2.5), ("(-layer0.w)", -3.0), ("pow(x, 2.0)", 0.25), ("exp(1000.0)", math.inf),
     ("0.0 if x <= 0 else x", 0.5), ("x if (x > 'a b') | (x != x) else 'a b'", 2.0), ("x - 1.0 / 4.0", 0.25)],
)  # fmt: skip
def test_a_formula_is_worked_out(text, value):
    """Names stand as they are, dotted, or in quotes; what overflows is inf."""
    assert read(text)({"x": 0.5, "a b": 2.0, "layer0.w": 3.0}) == value


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if called(rule)], ids=attrgetter("name"))
@given(data=st.data())
def test_formulas_may_name_every_operation_of_the_table(rule, data):
    """By functions of verify's own, which agree with the engine's to the last bits."""
    point = data.draw(points(rule))
    value, known = FUNCTIONS[rule.name](*point), APPLY[rule.name](*point)[0]
    assert repr(value) == repr(known) or abs(value - known) <= 4 * math.ulp(known)


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
        assert verdicts(report)["rows as counted"] == "not checked"
    edited(tmp_path / "copy", "gradients.csv", lambda rows: (rows.pop(), moved(rows[7], "after", 1.0)))
    assert verify(tmp_path / "copy").wrong.startswith("gradients.csv, step 1, layer0.neuron2.w1: after is ")


def test_an_interrupted_run_passes(tmp_path):
    """Its last step is recorded when it is closed."""
    model, data, settings = RUNS["hinge, adam"]
    with pytest.raises(KeyboardInterrupt), Tracer(tmp_path / "run", every=4) as tracer:
        for step in train(model(), data, **{**settings, "optimizer": Adam(0.1)}):
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
    edited(folder, "gradients.csv", lambda rows: put(rows[1], before=0.25, update=0.5, after=1.0))
    code, out, err = command(capsys, folder)
    sentence = "gradients.csv, step 1, layer0.neuron0.w1: after is 1.0, but before + update is 0.75"
    assert (code, err, out.splitlines()[-1]) == (1, "", sentence)


UNREADABLE = {
    "no folder": lambda folder: shutil.rmtree(folder),
    "no run.json": lambda folder: (folder / "run.json").unlink(),
    "another format": lambda folder: edited(folder, "run.json", lambda run: run.update(format="micrograd-lite-trace/1")),
    "not JSON": lambda folder: (folder / "run.json").write_text("{"),
    "no parameters": lambda folder: edited(folder, "run.json", lambda run: run.pop("parameters")),
    "no settings": lambda folder: (folder / "run.json").write_text('{"format": "micrograd-lite-trace/2"}'),
    "no metrics": lambda folder: (folder / "metrics.csv").unlink(),
    "no steps": lambda folder: edited(folder, "metrics.csv", lambda rows: rows.clear()),
    "a word for a number": lambda folder: edited(folder, "gradients.csv", lambda rows: rows[3].update(after="word")),
    "an empty cell": lambda folder: edited(folder, "gradients.csv", lambda rows: rows[3].update(after="")),
    "an empty loss": lambda folder: edited(folder, "metrics.csv", lambda rows: rows[3].update(loss="")),
    "a column too few": lambda folder: (folder / "chain_rule.csv").write_text("step,order\n1,1\n"),
    "not text": lambda folder: (folder / "optimizer.csv").write_bytes(b"\xff\xfe\n"),
    "data of words": lambda folder: edited(folder, "data.csv", lambda rows: rows[0].update(a="word")),
    "targets of words": lambda folder: edited(folder, "data.csv", lambda rows: rows[0].update({[*rows[0]][-1]: "a"})),
    "data too short": lambda folder: edited(folder, "data.csv", lambda rows: rows.pop()),
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
    "a seed of another kind": lambda run: run.update(batch_size=2, seed=10**30),
    "widths of words": lambda run: run["model"].update(outputs_per_layer=["a"], inputs="b"),
    "an unknown activation": lambda run: run["model"].update(output="step"),
    "an unknown optimizer": lambda run: run["optimizer"].update(name="Lion"),
    "an unknown schedule": lambda run: run["optimizer"].update(lr={"schedule": "Warm"}),
    "an unknown loss": lambda run: run.update(loss="huber"),
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
def test_damaged_weights_are_one_line(tmp_path, capsys, damage):
    """Exit code 2 and the path; nothing is ever unpickled."""
    pytest.importorskip("numpy")
    folder = write_arrays(tmp_path / "run")
    damage(folder / "weights" / "step_000003.npz")
    code, out, err = command(capsys, folder)
    assert (code, out) == (2, "") and err.count("\n") == 1 and "step_000003.npz" in err


def test_arrays_are_read_as_numpy_reads_them(tmp_path):
    """Both precisions, both byte orders, any shape: the same numbers without NumPy."""
    np = pytest.importorskip("numpy")
    for kind in ("<f4", "<f8", ">f4", ">f8"):
        kept = {"layer0.w": np.linspace(-1, 1, 6, dtype=kind).reshape(2, 3), "layer0.b": np.ones(3, kind)}
        np.savez(tmp_path / "kept.npz", **kept)
        found = read_arrays(tmp_path / "kept.npz", 9)
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
    files = ("kinds", "folder", "samples")
    readers = ("", ".text", ".text.cells", ".text.files", ".text.npz", ".trace", *(f".trace.{page}" for page in files))
    assert pages == {f"micrograd_lite{page}" for page in readers}


def test_the_names_of_a_trace_are_found_lazily():
    """Tracer, Trace and GradientRow import as ever; an unknown name is an AttributeError that lists them."""
    from micrograd_lite import trace

    assert all(getattr(trace, name).__name__ == name for name in trace.__all__)
    with pytest.raises(AttributeError, match=r"no attribute 'Tracing'; it has GradientRow, Trace, Tracer$"):
        trace.Tracing  # noqa: B018


def ragged(folder, arrays):
    """A trained border at 2, and test targets whose own middle is another; an output of 3 stands between the two."""
    data = Dataset("wide", [[1.0], [2.0]], [0.0, 4.0], classes=2)
    test = Dataset("narrow", [[3.0], [3.0]], [3.0, 4.0], classes=2)
    net = MLP(1, [1], init=[[[1.0]]])
    if arrays:
        pytest.importorskip("numpy")
        from micrograd_lite.arrays import from_scalar

        net = from_scalar(net)
    with Tracer(folder, weights_every=1 if arrays else None) as tracer:
        list(tracer.follow(train(net, data, loss=mse, optimizer=SGD(lr=1e-9), epochs=1, test=test)))
    return folder


@pytest.mark.parametrize("arrays", [False, True], ids=["scalar", "arrays"])
def test_the_border_is_the_middle_of_the_training_targets(tmp_path, arrays):
    """Verify parts yes from no where the training does, and finds an accuracy by the test targets' own middle wrong."""
    folder = ragged(tmp_path / "run", arrays)
    assert verdicts(verify(folder))["evaluation"] == "ok" and not verify(folder).wrong
    edited(folder, "metrics.csv", lambda rows: put(rows[0], test_accuracy=0.5))
    assert verify(folder).wrong.startswith("metrics.csv, step 1: test_accuracy is 0.5")
