"""The lab: the run of one's own trace again with each well-known mistake; where one does not show, it is said why."""

import math
import shlex

import pytest

from micrograd_lite import MLP, SGD, Adam, AdamW, RMSprop, StepDecay, Trace, Tracer, half_squared_error, mse, train
from micrograd_lite.cli import main
from micrograd_lite.data import iris, xor
from micrograd_lite.lab.bugs import BUGS, RIGHT
from micrograd_lite.lab.mistakes import EVERYWHERE, all_mistakes, one_mistake, unseen
from micrograd_lite.lab.retrain import Laboratory
from micrograd_lite.trace.diff import compare


def record(folder, model=None, data=None, loss=mse, optimizer=None, epochs=4, **options):
    model = model or MLP(2, [4, 1], activation="sigmoid", output="sigmoid", seed=1)
    with Tracer(folder) as tracer:
        for step in train(model, data or xor(), loss=loss, optimizer=optimizer or SGD(lr=2.0), epochs=epochs, **options):
            tracer.watch(step)
    return folder


@pytest.mark.parametrize(
    "optimizer",
    [SGD(lr=0.5, momentum=0.9, nesterov=True, weight_decay=0.01), Adam(lr=0.02, betas=(0.8, 0.99)), AdamW(lr=0.02),
     RMSprop(lr=0.01), SGD(lr=StepDecay(0.5, 0.5, 3))],
    ids=["sgd", "adam", "adamw", "rmsprop", "schedule"],
)  # fmt: skip
def test_the_right_run_is_the_run_of_the_trace(tmp_path, optimizer):
    """Model, first weights, batches, loss and optimizer are found in the folder: the same losses and weights, in bits."""
    net = MLP(4, [5, 3], activation="tanh", seed=7)
    flowers = iris()._replace(targets=[[float(label == place) for place in range(3)] for label in iris().targets])
    record(tmp_path / "run", net, flowers, optimizer=optimizer, epochs=2, batch_size=40, seed=3)
    laboratory = Laboratory(tmp_path / "run")
    again = laboratory.record(RIGHT, tmp_path / "right", laboratory.steps)
    one, other = Trace(tmp_path / "run"), Trace(tmp_path / "right")
    assert again.losses == [row["loss"] for row in one.metrics()]
    assert one.weights(one.last_recorded()) == other.weights(other.last_recorded())


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory):
    """The network on which every mistake is said to show, trained by the very command that is printed."""
    folder = tmp_path_factory.mktemp("lab") / "everywhere"
    assert main([*shlex.split(EVERYWHERE)[1:], "--epochs", "20", "--out", str(folder)]) == 0
    return Laboratory(folder)


@pytest.mark.parametrize("name", BUGS)
def test_every_mistake_shows_on_the_network_that_is_named(everywhere, name):
    """No reason is given there, because there is a difference."""
    assert unseen(BUGS[name], everywhere) == ""


HERE = {
    # what is trained                                                        mistake              why it does not show
    "one hidden layer": ({}, "unordered", "every inner number is used once, so any order is right"),
    "sgd": ({}, "uncorrected", "it is a mistake in Adam, and this run is trained by SGD"),
    "sgd has no eps": ({}, "eps_inside", "it is a mistake in Adam, and this run is trained by SGD"),
    "rmsprop": ({"optimizer": RMSprop()}, "eps_inside", "it is a mistake in Adam, and this run is trained by RMSprop"),
    "left out": ({"optimizer": Adam(bias_correction=False)}, "uncorrected", "the correction is left out of this run already"),
    "relu": ({"model": MLP(2, [4, 1])}, "slope_at_the_sum", "no unit is a sigmoid or a tanh"),
    "one layer": ({"model": MLP(2, [1])}, "updated_too_early", "there is one layer only"),
    "no biases": ({"model": MLP(2, [4, 1], bias=False)}, "bias_forgotten", "it has no biases"),
    "one sample": ({"batch_size": 1}, "sum_for_mean", "a step sees one sample"),
    "a sum": ({"loss": half_squared_error, "optimizer": SGD(lr=0.1)}, "sum_for_mean", "half_squared_error is a sum already"),
    "one step": ({"epochs": 1}, "never_zeroed", "there is one step only"),
    "one use": ({"model": MLP(2, [1]), "batch_size": 1}, "overwritten", "every weight is used once in a step"),
}  # fmt: skip


@pytest.mark.parametrize("settings, name, why", HERE.values(), ids=HERE)
def test_a_mistake_that_does_not_show_is_said_to_be_invisible_and_why(tmp_path, settings, name, why):
    """The numbers of the first steps agree, and what the network has not got is named; where it shows, too."""
    laboratory = Laboratory(record(tmp_path / "run", **settings))
    assert unseen(BUGS[name], laboratory).startswith(why)
    said = one_mistake(tmp_path / "run", name, tmp_path / "out")
    assert f"It does not show on this network: {why}" in said and f"It shows on this one: {EVERYWHERE}\n" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["overwritten", "never_zeroed", "slope_at_the_sum", "updated_too_early", "bias_forgotten"])
def test_the_other_mistakes_show_on_one_hidden_layer(tmp_path, name):
    """Of 2-4-1: these four and the sum for the mean."""
    assert unseen(BUGS[name], Laboratory(record(tmp_path / "run"))) == ""


def test_an_order_of_additions_is_no_difference(tmp_path):
    """Adam divides by a gradient that is nothing but rounding: its step differs wholly, and the mistake still shows nowhere."""
    net = MLP(2, [4, 1], activation="tanh", output="sigmoid", init="zeros")
    laboratory = Laboratory(record(tmp_path / "run", net, optimizer=Adam(lr=0.1), epochs=10))
    assert unseen(BUGS["unordered"], laboratory) == "every inner number is used once, so any order is right"


def test_the_sum_says_how_many_times_the_learning_rate(tmp_path, capsys):
    """Four samples, four times; by Adam hardly at all; and the loss beside it is the mean, to be compared."""
    pytest.importorskip("PIL", reason="pictures need Pillow")
    said = one_mistake(record(tmp_path / "run"), "sum_for_mean", tmp_path / "out")
    assert "as if the learning rate were 4 times as large, for 4 samples are in a step.\n" in said
    firsts = [line.split()[1] for line in said.splitlines() if line.startswith(("right ", "sum_for_mean "))]
    assert len(firsts) == 2 and firsts[0] == firsts[1] and "Its loss is shown as a mean" in said
    said = one_mistake(record(tmp_path / "adam", optimizer=Adam(lr=0.1)), "sum_for_mean", tmp_path / "adam_out")
    assert "but Adam divides by the size of the gradient and hardly notices" in said


def test_one_mistake_is_told_drawn_and_kept(tmp_path, capsys):
    """The first row that differs, both losses, a picture and two traces that `diff` takes; and again without --force."""
    Image = pytest.importorskip("PIL.Image", reason="pictures need Pillow")
    run = record(tmp_path / "mine", epochs=50)
    for _ in range(2):
        assert main(["lab", str(run), "never_zeroed"]) == 0
        out, beside = capsys.readouterr().out, tmp_path / "mine_lab"
        assert "A is right, B has the mistake:\nstep 2, " in out and "it was not zeroed" in out
        assert f"Both curves: {beside / 'never_zeroed.png'}\n" in out
        assert f"micrograd-lite diff {beside / 'right'} {beside / 'never_zeroed'}\n" in out
    with Image.open(beside / "never_zeroed.png") as picture:
        assert picture.size == (640, 420) and len(picture.convert("RGB").getcolors()) > 3
    assert not compare(beside / "right", beside / "never_zeroed").equal
    assert str(Trace(beside / "right").metrics()[-1]["loss"]) == str(Trace(run).metrics()[-1]["loss"])


def test_another_run_in_that_place_needs_force(tmp_path, capsys):
    """What stands in --out of another trace is not replaced."""
    pytest.importorskip("PIL", reason="pictures need Pillow")
    one, other = record(tmp_path / "one"), record(tmp_path / "other", optimizer=SGD(lr=0.1))
    place = ["never_zeroed", "--out", str(tmp_path / "lab")]
    assert main(["lab", str(one), *place]) == 0
    assert main(["lab", str(other), *place]) == 2
    assert "its optimizer differs" in capsys.readouterr().err
    assert main(["lab", str(other), *place, "--force"]) == 0


def test_the_table_of_all_mistakes(tmp_path):
    """A row and a sentence for each, those that do not show too; nothing is left behind."""
    said = all_mistakes(record(tmp_path / "run", epochs=30))
    rows = [line.split()[0] for line in said.splitlines() if line and line.split()[0] in BUGS]
    assert rows == list(BUGS)
    assert [name for name in BUGS if f"{name}: invisible here: " in said] == ["unordered", "uncorrected", "eps_inside"]
    assert EVERYWHERE in said and [path.name for path in tmp_path.iterdir()] == ["run"]
    assert max(map(len, said.splitlines()[2:13])) <= 120


def test_a_mistake_that_overflows_says_where(tmp_path):
    """z * (1 - z) has no bound: the step stands where the last loss would be."""
    laboratory = Laboratory(record(tmp_path / "run", epochs=200))
    run = laboratory.record(BUGS["slope_at_the_sum"], tmp_path / "wrong", laboratory.steps)
    assert run.overflow == f"overflow at step {len(run.losses) + 1}" and all(map(math.isfinite, run.losses))


def test_large_data_are_not_run_as_long(tmp_path):
    """The table is made within a bounded number of edges, and says of how many steps."""
    net = MLP(4, [8, 3], seed=1)
    flowers = iris()._replace(targets=[[float(label == place) for place in range(3)] for label in iris().targets])
    said = all_mistakes(record(tmp_path / "run", net, flowers, optimizer=SGD(lr=0.1), epochs=90))
    steps, total = (int(word) for word in said.split("trained again for ")[1].split(" steps")[0].split(" of "))
    assert 2 < steps < total == 90


def test_a_trace_that_cannot_be_trained_again_says_why(tmp_path, capsys):
    """No such mistake; a network on arrays; no step: exit code 2 and one line."""
    run = record(tmp_path / "run")
    assert main(["lab", str(run), "nothing"]) == 2
    assert "unknown mistake 'nothing': choose one of overwritten, unordered" in capsys.readouterr().err
    assert main(["lab", str(run), "--force"]) == 2
    assert "for one mistake" in capsys.readouterr().err
    Tracer(tmp_path / "empty").close()
    assert main(["lab", str(tmp_path / "empty")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    arrays = pytest.importorskip("micrograd_lite.arrays", reason="arrays need NumPy")
    record(tmp_path / "arrays", arrays.MLP(2, [1]))
    assert main(["lab", str(tmp_path / "arrays")]) == 2
    assert "network on arrays" in capsys.readouterr().err
