"""The demos are the tutorial: each one runs, keeps its promises, and shows the numbers that the literature prints."""

import csv
import importlib.util
import os
import re
import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

import micrograd_lite
from micrograd_lite import MLP, SGD, Adam, cross_entropy, data, half_squared_error, hinge, mse, train
from micrograd_lite.trace import Trace, Tracer

ROOT = Path(__file__).parent.parent
PACKAGE = {**os.environ, "PYTHONPATH": str(Path(micrograd_lite.__file__).parent.parent)}  # processes test the same package
DEMOS = sorted((ROOT / "demos").glob("[0-9]*.py"))
EXACT = 1e-9  # the published numbers have 16 digits; sums in another order change the last few in 10,000 steps
XOR_LOSSES = {
    1: 0.2758878242324435, 1001: 0.1729955659592114, 2001: 0.07902763587631675, 3001: 0.04742081948953081,
    4001: 0.03288600382565547, 5001: 0.02480908176630337, 6001: 0.01975533852734622, 7001: 0.01632909467792852,
    8001: 0.013868761098711787, 9001: 0.012024254441977914, 10000: 0.010595717501906219,
}  # fmt: skip


def load(path):
    """A demo as a module; its name starts with a digit, so `import` cannot."""
    pytest.importorskip("PIL", reason="the demos draw pictures with Pillow")
    specification = importlib.util.spec_from_file_location(f"demo_{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def demo(number):
    return load(next(path for path in DEMOS if path.stem.startswith(number)))


def command(path, *options):
    """The demo as a reader runs it, in a process of its own."""
    return [sys.executable, "-W", "error", "-u", str(path), *map(str, options)]


def run(path, *options):
    return subprocess.run(command(path, *options), cwd=ROOT, env=PACKAGE, capture_output=True, text=True, check=False)


def xor_trace(folder, bias):
    """10,000 epochs of demo 04's network, as the demo trains it."""
    net = demo("04").network(bias)
    with Tracer(folder, every=1000) as tracer:
        for step in train(net, data.xor(), loss=mse, optimizer=SGD(lr=1.0), epochs=10_000):
            tracer.watch(step)
    return net


def metrics(folder):
    with open(folder / "metrics.csv", newline="") as file:
        return {int(row["step"]): float(row["loss"]) for row in csv.DictReader(file)}


@pytest.fixture
def undrawn(monkeypatch):
    """Animations are named and not drawn: `tox -e demos` draws those of every demo."""
    monkeypatch.setattr("micrograd_lite.pictures.film.write_gif", lambda path, *drawn: Path(path).touch())


# Every demo keeps its promises.


@pytest.mark.filterwarnings("ignore:MICROGRAD_LITE_CC=off")
@pytest.mark.parametrize("path", DEMOS, ids=lambda path: path.stem)
def test_a_quick_run_ends_with_the_line_that_the_docstring_promises(path, tmp_path, capsys, monkeypatch):
    """A demo's last printed line is the one in its docstring, and the picture or table that it points at is there."""
    monkeypatch.setenv("MICROGRAD_LITE_CC", "off")  # nothing goes into the user's cache
    module = load(path)
    promised = re.search(r"^Last line: (.*)$", module.__doc__, re.MULTILINE).group(1)
    module.main(tmp_path, True, False)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == promised.replace("traces/", f"{tmp_path}/")
    for pointed_at in re.findall(r"traces/\S+", promised):
        assert (tmp_path / pointed_at.removeprefix("traces/")).stat().st_size > 0


@pytest.mark.parametrize("path", DEMOS, ids=lambda path: path.stem)
def test_a_demo_is_short_and_names_its_own_command(path):
    """At most 60 lines of at most 130 characters; the docstring has the command on a line of its own."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 130
    assert f"    python demos/{path.name}" in lines


@pytest.mark.parametrize("number", ["02", "04", "07", "10", "12", "15"])
@pytest.mark.filterwarnings("ignore:MICROGRAD_LITE_CC=off")
def test_a_demo_replaces_its_own_earlier_run(number, tmp_path, monkeypatch, undrawn):
    """Without --force a second run of the same demo with the same settings is the first one again."""
    monkeypatch.setenv("MICROGRAD_LITE_CC", "off")
    module = demo(number)
    for _ in range(2):
        module.main(tmp_path, True, "same")


def test_the_demos_are_numbered_without_a_gap():
    """The reading order is 01, 02, ..."""
    assert [path.name[:2] for path in DEMOS] == [f"{number:02d}" for number in range(1, len(DEMOS) + 1)]


def test_every_file_that_a_demo_says_it_wrote_is_there(tmp_path, capsys, undrawn):
    """Demo 04 lists its files, tables and pictures, under `wrote`."""
    demo("04").main(tmp_path, True, False)
    listed = {line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith(f"  {tmp_path}")}
    assert listed == {str(path) for path in tmp_path.glob("*/*")}
    for name in ("gradients.csv", "metrics.csv", "run.json", "weights_update.gif", "training_loss.gif"):
        assert {str(tmp_path / "xor" / name), str(tmp_path / "xor_with_bias" / name)} <= listed


def test_a_demo_runs_twice_and_another_run_needs_force(tmp_path, undrawn):
    """The same run again replaces its own trace; another one in its place is refused in one line that names --force."""
    pytest.importorskip("PIL", reason="the demos draw pictures with Pillow")
    path = ROOT / "demos" / "03_line.py"
    first = run(path, "--out", tmp_path, "--quick")
    assert (first.returncode, first.stderr) == (0, "")
    written = (tmp_path / "line" / "metrics.csv").read_bytes()
    again = run(path, "--out", tmp_path, "--quick")
    assert (again.returncode, again.stderr, again.stdout) == (0, "", first.stdout)
    assert (tmp_path / "line" / "metrics.csv").read_bytes() == written
    second = run(path, "--out", tmp_path)
    assert second.returncode == 2
    assert len(second.stderr.splitlines()) == 1
    assert str(tmp_path / "line") in second.stderr and "--force" in second.stderr
    assert (tmp_path / "line" / "metrics.csv").read_bytes() == written
    third = run(path, "--out", tmp_path, "--force")
    assert (third.returncode, third.stderr) == (0, "")


@pytest.fixture
def ctrl_c_reaches_children():
    """A suite that runs in the background ignores SIGINT, and so would its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX")
@pytest.mark.usefixtures("ctrl_c_reaches_children")
def test_ctrl_c_closes_the_trace_as_interrupted(tmp_path):
    """Ctrl-C in the middle of training: exit code 130, one word instead of a traceback, every step so far readable."""
    pytest.importorskip("PIL", reason="the demos draw pictures with Pillow")
    arguments = command(ROOT / "demos" / "04_xor.py", "--out", tmp_path)
    with subprocess.Popen(arguments, cwd=ROOT, env=PACKAGE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        next(line for line in process.stdout if line.split()[:1] == ["1"])  # the first step is printed: training has begun
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "interrupted\n")
    trace = Trace(tmp_path / "xor")
    assert trace.status == "interrupted"
    assert 1 <= trace.run["steps"] == len(trace.metrics()) < 10_000


# The numbers of the literature, to the digits in which they are printed there.


def test_chain_rule_as_in_the_readme_of_micrograd():
    """micrograd's README: 24.7041, 138.8338, 645.5773."""
    a, b, g = demo("01").expression()
    g.backward()
    assert [f"{number:.4f}" for number in (g.data, a.grad, b.grad)] == ["24.7041", "138.8338", "645.5773"]


def test_16_explains_micrograds_readme_expression(tmp_path, capsys):
    """The same three numbers from the formula as text; all paths to each input are there, and their shares add up."""
    explaining = demo("16")
    explaining.main(tmp_path, False, False)
    out = capsys.readouterr().out
    assert "g = 24.7041, dg/da = 138.8338, dg/db = 645.5773, as micrograd's README says" in out
    assert re.findall(r"all (\d+) paths to (\w) add up to its gradient, but for \de-1[34]\.", out) == [("24", "a"), ("30", "b")]
    assert {path.name for path in tmp_path.glob("explain/*")} == {"explain.html", "graph.svg", "backward.gif"}
    with pytest.raises(FileExistsError, match="--force"):
        explaining.main(tmp_path, False, False)
    explaining.main(tmp_path, False, "same")
    (tmp_path / "explain" / "graph.svg").write_text("somebody's own")
    with pytest.raises(FileExistsError, match="--force"):
        explaining.main(tmp_path, False, "same")
    explaining.main(tmp_path, False, True)


def test_parts_without_an_activation_are_the_published_outputs():
    """S1: a linear 2-3-1 net without biases; the published numbers are single precision, so within 1.5e-7."""
    outputs = [demo("02").network().predict(row) for row in data.parts().inputs]
    assert outputs == pytest.approx([3.0904665, 1.2236414, 1.7270732, 2.2305048], abs=1.5e-7, rel=0)


@pytest.mark.parametrize("optimizer", [SGD(lr=0.1), SGD(lr=0.02, momentum=0.9), Adam(lr=0.01)], ids=["sgd", "momentum", "adam"])
def test_parts_find_the_price_formula(optimizer):
    """S1: trained from the published start, the product of the two layers goes to (2, 3)."""
    net = demo("02").network()
    *_, last = train(net, data.parts(), loss=mse, optimizer=optimizer, epochs=500)
    assert last.loss < 1e-5
    assert [net.predict([1.0, 0.0]), net.predict([0.0, 1.0])] == pytest.approx([2.0, 3.0], abs=0.03)


def test_line_has_the_published_curvature_and_limit():
    """S3b: eigenvalues .33810 and 23.6619, so plain gradient descent is stable only below .084524."""
    module = demo("03")
    assert (f"{module.SLOW:.5f}", f"{module.FAST:.4f}", f"{2 / module.FAST:.6f}") == ("0.33810", "23.6619", "0.084524")


@pytest.mark.parametrize("lr, shrinks", [(0.084, True), (0.085, False)])
def test_line_is_stable_only_below_the_limit(lr, shrinks):
    """S3b: just below 2 / 23.6619 the loss goes to 0, just above it grows."""
    losses = [step.loss for step in demo("03").steps(lr, 3000)]
    assert (losses[-1] < 1e-3) if shrinks else (losses[-1] > 1e3 * losses[0])


def test_line_keeps_3_38_percent_of_the_slow_error():
    """S3b: after 1000 steps of lr .01 the run has 3.38 % of its error along the slow direction left."""
    module = demo("03")
    *_, last = module.steps(0.01, 1000)
    assert f"{module.slow_error(*last.after) / module.slow_error(0.0, 0.0):.2%}" == "3.38%"


def test_xor_without_biases_gives_the_published_losses(tmp_path):
    """S2b: all eleven losses, read from metrics.csv, within 1e-9."""
    xor_trace(tmp_path / "xor", bias=False)
    losses = metrics(tmp_path / "xor")
    assert {step: losses[step] for step in XOR_LOSSES} == pytest.approx(XOR_LOSSES, abs=EXACT, rel=0)
    assert demo("04").PUBLISHED == XOR_LOSSES


def test_xor_with_biases_ends_at_the_corrected_loss(tmp_path):
    """S2b: with biases that start at 0 the loss after training is about .000298."""
    net = xor_trace(tmp_path / "xor", bias=True)
    loss = mse([net(row) for row in data.xor().inputs], data.xor().targets)
    assert f"{loss.data:.6f}" == "0.000298"


def test_xor_steps_as_the_published_page_does():
    """S2b: .5 x the slope of half the summed square error is the slope of mse."""
    published, ours = (demo("04").gradients(loss) for loss in (half_squared_error, mse))
    assert [0.5 * slope for slope in published] == pytest.approx(ours, rel=1e-12)


def test_moons_are_told_apart():
    """100 full-batch steps of the 2-16-16-1 net leave no point of the 100 on the wrong side."""
    *_, last = train(MLP(2, [16, 16, 1], seed=1), data.moons(), loss=hinge, optimizer=SGD(lr=1.0), epochs=100, evaluate_every=100)
    assert last.evaluation["train_accuracy"] == 1.0


def test_a_10_64_10_classifier_has_1354_parameters():
    """S3a: 10 x 64 + 64 + 64 x 10 + 10, in the parameters and in the summary table."""
    net = MLP(10, [64, 10])
    assert len(net.parameters()) == 1354
    assert net.summary().splitlines()[-1].split() == ["total", "1,354"]


def test_iris_reaches_the_published_training_accuracy():
    """S4: 51 full-batch updates at lr .5 name about .96 of the training plants rightly, whatever the start."""
    training, testing = data.centred(*data.split(data.iris()))
    for seed in range(3):
        net = MLP(4, [16, 3], seed=seed)
        *_, last = train(net, training, loss=cross_entropy, optimizer=SGD(lr=0.5), epochs=51, test=testing, evaluate_every=51)
        assert last.evaluation["train_accuracy"] == pytest.approx(0.96, abs=0.02)
        assert last.evaluation["test_accuracy"] >= 0.9


def test_a_species_centred_by_its_own_mean_is_lost(tmp_path, capsys):
    """S4: the corrected and the well-known way of centring agree on a mixed test and differ on setosas alone: 10 and 0 right."""
    demo("06").main(tmp_path, False, False)
    setosa = next(line for line in capsys.readouterr().out.splitlines() if "setosa" in line)
    assert "10 of 10" in setosa and "0 of 10 = 0.0000" in setosa


@pytest.mark.parametrize(
    "corrected, moves",
    [(False, ["3.16", "4.25", "4.95", "5.44", "5.80"]), (True, ["1.00"] * 5)],
    ids=["uncorrected", "corrected"],
)
def test_adam_where_the_gradient_is_one(corrected, moves):
    """Theory: without its correction Adam moves 3.16, 4.25, 4.95, 5.44, 5.80 lr; the true one 1 lr each step."""
    assert [f"{move:.2f}" for move in demo("07").moves(Adam(bias_correction=corrected))] == moves


def test_mazur_with_fixed_biases():
    """Mazur: the loss falls from .298371109 to .291027774, w5 becomes .35891648, and both biases stay."""
    net = demo("08").network(shared=True)
    weights = [name for name in net.state_dict() if ".w" in name]
    steps = train(net, data.mazur(), loss=half_squared_error, optimizer=SGD(lr=0.5), parameters=weights)
    first, second = islice(steps, 2)
    assert (f"{first.loss:.9f}", f"{second.loss:.9f}") == ("0.298371109", "0.291027774")
    assert f"{second.before[weights.index('layer1.neuron0.w0')]:.8f}" == "0.35891648"
    assert [neuron.b.data for layer in net.layers for neuron in layer.neurons] == [0.35, 0.35, 0.60, 0.60]


def test_mazur_with_learning_biases():
    """Mazur: updating both shared biases too gives .285750887."""
    assert f"{demo('08').after_one_step(shared=True):.9f}" == "0.285750887"
