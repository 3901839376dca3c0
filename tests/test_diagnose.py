"""The saturation report: slopes are measured as they are, and the words follow from the numbers."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite import MLP, SGD, Adam, Trace, Tracer, Value, binary_cross_entropy, cli, cross_entropy, mse, train
from micrograd_lite.data import Dataset, digits, iris, line, moons, xor
from micrograd_lite.lab.changes import Change, Changes, argument, changes
from micrograd_lite.lab.diagnose import diagnose, passed, predicted_and_measured, promised, slopes_table
from micrograd_lite.lab.slopes import LayerSlopes, Slopes, slopes, three
from micrograd_lite.module import Module


def record(folder, model, data=None, lr=0.1, epochs=4, loss=mse, every=1, weights_every=None, **options):
    with Tracer(folder, every=every, weights_every=weights_every) as tracer:
        for step in train(model, data or xor(), loss=loss, optimizer=SGD(lr=lr), epochs=epochs, **options):
            tracer.watch(step)
    return folder


def described(name, samples):
    """Data of two features that are not in the trace."""
    return {"name": name, "samples": samples, "features": 2, "classes": 2, "feature_names": [], "class_names": []}


def set_run(folder, **changes):
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**run, **changes}))


def on_arrays():
    """The array page, where NumPy is."""
    return pytest.importorskip("micrograd_lite.arrays", reason="arrays need NumPy")


# --- measuring ---


@pytest.mark.filterwarnings("error")
def test_data_that_32_bits_cannot_hold_are_infinite_and_silent(tmp_path):
    """A cell of 1e300 in data.csv: the report is printed, and NumPy's warning about the cast is not."""
    arrays = on_arrays()
    folder = record(tmp_path / "run", arrays.MLP(2, [3, 1], "tanh", dtype="float32"), weights_every=1)
    path = folder / "data.csv"
    path.write_text(path.read_text().replace("1.0", "1e+300"))
    assert "layer" in diagnose(folder)


@pytest.mark.parametrize(
    "activation, slope",
    [
        ("tanh", lambda z: 1.0 - math.tanh(z) ** 2),
        ("sigmoid", lambda z: math.exp(-z) / (1.0 + math.exp(-z)) ** 2),
        ("relu", lambda z: float(z > 0)),
        ("leaky_relu", lambda z: 1.0 if z > 0 else 0.01),
        ("prelu", lambda z: 1.0 if z > 0 else 0.25),
        ("softplus", lambda z: 1.0 / (1.0 + math.exp(-z))),
        ("elu", lambda z: 1.0 if z > 0 else math.exp(z)),
        ("sin", lambda z: abs(math.cos(z))),
        ("linear", lambda z: 1.0),
    ],
)
def test_slopes_are_those_of_the_activation(tmp_path, activation, slope):
    """Shares and mean, unit by unit, before the first step, against the activation's own derivative."""
    net = MLP(2, [3, 1], activation=activation, init="normal", seed=3)
    for neuron, bias in zip(net.layers[0].neurons, (-3.0, 0.5, 3.0)):
        neuron.b.data = bias
    neurons = [([w.data for w in neuron.w], neuron.b.data) for neuron in net.layers[0].neurons]
    before, *_ = slopes(Trace(record(tmp_path / "run", net, epochs=1, lr=1e-9))).layers
    table = [[slope(b + w[0] * x[0] + w[1] * x[1]) for x in xor().inputs] for w, b in neurons]
    assert before[0].units_flat == [sum(s < 0.01 for s in unit) / 4 for unit in table]
    assert before[0].units_zero == [sum(s == 0.0 for s in unit) / 4 for unit in table]
    assert before[0].mean == pytest.approx(math.fsum(s for unit in table for s in unit) / 12, rel=1e-12)
    assert before[0].flat == pytest.approx(math.fsum(before[0].units_flat) / 3)
    assert (before[1].activation, before[1].mean, before[1].flat) == ("linear", 1.0, 0.0)


@pytest.mark.parametrize("activation", ["tanh", "relu", "prelu", "sigmoid"])
def test_both_engines_measure_the_same(tmp_path, activation):
    """The same network and steps, once as scalars and once as arrays whose weights are kept."""
    pages = on_arrays()
    settings = {"activation": activation, "output": "sigmoid", "init": "normal", "seed": 1}
    one = slopes(Trace(record(tmp_path / "scalar", MLP(2, [5, 4, 1], **settings))))
    other = slopes(Trace(record(tmp_path / "array", pages.MLP(2, [5, 4, 1], **settings), weights_every=1)))
    assert one.on == other.on == "all its samples"
    assert len(one.layers) == len(other.layers) == 3
    for layers, arrays in zip(one.layers, other.layers):
        for layer, array in zip(layers, arrays):
            assert layer[:3] == array[:3] and layer.mean == pytest.approx(array.mean, rel=1e-9)
            assert (layer.units_flat, layer.units_zero) == (array.units_flat, array.units_zero)


def test_three_moments(tmp_path):
    """The weights before the first step, in the middle and at the end; of fewer steps, those that there are."""
    assert (three([0]), three([0, 1]), three([0, 1, 2]), three(range(101))) == ([0], [0, 1], [0, 1, 2], [0, 50, 100])
    run = record(tmp_path / "run", MLP(2, [2, 1]), epochs=10, every=5)
    assert [layers[0].step for layers in slopes(Trace(run)).layers] == [0, 5, 10]


def test_without_weights_the_layers_are_told_and_no_units(tmp_path):
    """An array trace that kept no weights: shares of layers.csv at its first, middle and last row, and nothing is invented."""
    net = on_arrays().MLP(2, [5, 1], activation="tanh", output="sigmoid", init="normal")
    run = record(tmp_path / "run", net, epochs=9)
    measured = slopes(Trace(run))
    kept = {(row["step"], row["array"]): row["activations_flat"] for row in Trace(run).layers()}
    assert [[layer.flat for layer in layers] for layers in measured.layers] == [
        [kept[step, "layer0.w"], kept[step, "layer1.w"]] for step in (1, 5, 9)
    ]
    assert all(math.isnan(layer.mean) and layer.units_flat == [] for layers in measured.layers for layer in layers)
    assert [line.split()[4:6] for line in slopes_table(measured).splitlines()[2:]] == [["?", "?"]] * 6
    assert "layers.csv" in diagnose(run)


def test_data_is_found_by_its_name(tmp_path):
    """Digits are too many numbers for run.json; the package has them."""
    net = on_arrays().MLP(64, [8, 10], activation="tanh")
    run = record(tmp_path / "run", net, digits(), loss=cross_entropy, batch_size=300, epochs=1, weights_every=2)
    assert slopes(Trace(run)).on == "1,000 of its 1,797 samples, loaded again by their recipe"
    set_run(run, data=described("mine", 1797))
    assert slopes(Trace(run)).on.endswith("layers.csv has it, which keeps no single units")


def test_mnist_that_is_not_at_hand_is_not_fetched(tmp_path, monkeypatch):
    """Then layers.csv has to do; nothing is downloaded."""
    net = on_arrays().MLP(2, [2, 1])
    run = record(tmp_path / "run", net, weights_every=1)
    set_run(run, data=described("mnist/train", 60_000))
    (run / "data.csv").unlink()
    monkeypatch.setenv("MICROGRAD_LITE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "layers.csv" in slopes(Trace(run)).on


# --- words ---


def said(folder):
    """The sentences below the table, about units."""
    return diagnose(folder).partition("weights aside.\n\n")[2]


def lead(folder):
    """The sentences above it, about the loss and the steps."""
    return diagnose(folder).partition("\n\n")[0]


def firing(*biases, **settings):
    """A relu network whose first units have these biases; all others fire at every sample."""
    net = MLP(2, [4, 1], seed=1, **settings)
    for neuron, bias in zip(net.layers[0].neurons, (*biases, 9.0, 9.0, 9.0, 9.0)):
        neuron.b.data = bias
    return net


WIDER = "make the layer wider (--layers 8; MLP(..., [8, ...]) in Python)"


@pytest.mark.parametrize(
    "init, remedy", [("he", WIDER), (None, WIDER), ("normal", "start with init='he' (MLP(..., init='he'))")]
)
def test_dead_units_are_counted(tmp_path, init, remedy):
    """A relu with a bias of -100 never fires, from the start: the rate is not to blame."""
    run = record(tmp_path / "run", firing(-100.0, init=init), lr=1e-6)
    assert said(run) == f"layer0: 1 of 4 units never fire (at the start 1): nothing moves them any more; {remedy}.\n"


def test_a_few_dead_units_are_no_harm(tmp_path):
    """One in twenty or fewer."""
    net = MLP(2, [20, 1], seed=1)
    for place, neuron in enumerate(net.layers[0].neurons):
        neuron.b.data = -100.0 if place == 3 else 9.0
    assert "1 of 20 units never fire (at the start 1): nothing moves them any more; so few are no harm." in said(
        record(tmp_path / "run", net, lr=1e-6)
    )


def test_a_unit_is_mostly_flat_from_nine_samples_in_ten_on():
    """Of these five, three; and dead is only what never fires."""
    layer = LayerSlopes(1, 0, "tanh", 0.8, 0.1, [0.89, 0.9, 0.91, 1.0, 0.0], [0.0, 0.0, 0.99, 1.0, 0.0])
    assert (layer.mostly_flat, layer.dead) == (3, 1)


def test_units_that_die_blame_the_learning_rate(tmp_path):
    """All fire at the start, and a step that is far too long kills them."""
    run = record(tmp_path / "run", firing(), far_away(), lr=20.0, epochs=1)
    assert "units never fire (at the start 0): nothing moves them any more; lower the learning rate" in said(run)


def far_away():
    """Positive inputs and a large target: one step of a large rate pulls all weights far to one side."""
    return Dataset("far", [[1.0, 2.0], [2.0, 1.0]], [-50.0, -60.0])


def test_a_saturated_layer_from_the_start(tmp_path):
    """Weights a hundred times too large: hidden tanhs are told to start smaller, outputs to be logits."""
    net = MLP(2, [4, 1], activation="tanh", output="sigmoid", init="normal", seed=1)
    for parameter in net.parameters():
        parameter.data = 100.0 * parameter.data + 30.0
    words = said(record(tmp_path / "run", net, moons()))
    remedy = "too large from the start; start with init='glorot' (MLP(..., init='glorot')) or scale the inputs"
    assert "layer0: saturated; " in words and remedy in words
    assert "layer1: saturated; 1 of 1 units are mostly flat" in words
    assert "use output='linear' and a cross-entropy (--output linear" in words
    assert "At the start the slopes let " in words


def test_a_layer_that_goes_flat_while_it_learns(tmp_path):
    """Steep at the start, flat at the end: the learning rate is named."""
    net = MLP(2, [4, 1], activation="tanh", seed=1)
    words = said(record(tmp_path / "run", net, far_away(), lr=5.0, epochs=1))
    assert "(0% at first): it went flat while it learned" in words


def test_a_healthy_network(tmp_path):
    """Nothing is said that is not so."""
    run = record(tmp_path / "run", MLP(2, [4, 1], activation="tanh"), lr=0.01)
    assert said(run) == "No relu is dead, and no layer of sigmoids or tanhs is mostly flat.\n"


def test_a_relu_that_rests_is_no_fault(tmp_path):
    """About half of the slopes of a healthy relu layer are 0."""
    words = said(record(tmp_path / "run", MLP(2, [8, 1], seed=2), moons(), lr=0.01))
    assert words.startswith("No relu is dead")


def test_what_gets_through_is_a_product():
    """From the outputs down; NaN where a layer is not known."""

    def layer(number, mean):
        return LayerSlopes(0, number, "tanh", 0.0, mean, [], [])

    assert passed([layer(0, 0.5), layer(1, 0.25), layer(2, 1.0)]) == [0.125, 0.25, 1.0]
    assert math.isnan(passed([layer(0, math.nan), layer(1, 0.25)])[0])
    assert "12.50%" in slopes_table(Slopes([[layer(0, 0.5), layer(1, 0.25)]], ""))


def test_a_first_loss_far_above_guessing(tmp_path):
    """Unscaled weights make a classifier sure and wrong; a scaled start is as good as guessing."""
    flowers = iris()
    bad = record(tmp_path / "bad", MLP(4, [16, 3], init="normal", seed=1), flowers, lr=1e-3, loss=cross_entropy, epochs=1)
    good = record(tmp_path / "good", MLP(2, [4, 1], seed=1), xor(), lr=0.01, loss=binary_cross_entropy, epochs=1)
    assert "where guessing costs ln 3 = 1.099: the outputs are sure and wrong before anything is learned" in lead(bad)
    assert "guessing" not in lead(good)


# --- the change of the loss, predicted and measured ---


def line_run(folder, lr, epochs=100):
    return record(folder, MLP(1, [1], init="zeros"), line(), lr=lr, epochs=epochs, change_every=1)


@pytest.mark.parametrize(
    "lr, begins",
    [
        (0.01, "At all 100 measured steps the loss fell by at least half of what its slope promised."),
        (0.08, "At 51 of 100 steps, first at step 1, the loss fell by less than half of what its slope promised (at step 1 -1"),
        (0.09, "At 100 of 100 steps, first at step 1, the loss rose where its slope promised a fall (at step 1 +24.2 for -375)"),
    ],
)
def test_the_line_tells_a_rate_that_is_too_big(tmp_path, lr, begins):
    """The limit is .0845: below it, but too big, the loss still falls and its change shows it from the first step."""
    (sentence,) = predicted_and_measured(Trace(line_run(tmp_path / "run", lr)))
    assert sentence.startswith(begins)


@given(lr=st.floats(0.001, 0.1), curvature=st.floats(0.1, 100.0))
def test_half_of_the_promise_is_the_bottom_of_a_parabola(tmp_path_factory, lr, curvature):
    """On c w**2 the step passes the bottom exactly when lr > 1 / (2 c), and climbs when lr > 1 / c."""
    if min(abs(2.0 * curvature * lr - 1.0), abs(curvature * lr - 1.0)) < 1e-6 or curvature * lr > 3.0:
        return
    data = line()._replace(inputs=[[math.sqrt(curvature)]], targets=[0.0])
    net = MLP(1, [1], bias=False, init=[[[1.0]]])
    run = record(tmp_path_factory.mktemp("parabola") / "run", net, data, lr=lr, epochs=1, change_every=1)
    (sentence,) = predicted_and_measured(Trace(run))
    assert ("less than half" in sentence) == (0.5 < curvature * lr <= 1.0)
    assert ("the loss rose" in sentence) == (curvature * lr > 1.0)


def test_rounding_is_no_divergence(tmp_path):
    """At a minimum that is not 0 a change of the last digits has any sign: it is left out."""
    net, data = MLP(1, [1], init="zeros"), Dataset("bent", [[-1.0], [0.0], [1.0]], [1.0, 0.1, 2.0])
    run = record(tmp_path / "run", net, data, lr=0.3, epochs=200, every=200, change_every=1)
    changes = [(row["predicted_change"], row["measured_change"]) for row in Trace(run).metrics()]
    assert any(predicted < 0.0 < measured for predicted, measured in changes)
    assert "rose" not in " ".join(predicted_and_measured(Trace(run)))


def test_a_few_steps_are_no_harm(tmp_path):
    """One long first step of Adam in a hundred."""
    with Tracer(tmp_path / "run") as tracer:
        net = MLP(2, [4, 1], activation="tanh", output="sigmoid", seed=3)
        for step in train(net, xor(), loss=mse, optimizer=Adam(lr=0.1), epochs=100, change_every=1):
            tracer.watch(step)
    (sentence,) = predicted_and_measured(Trace(tmp_path / "run"))
    assert sentence.startswith("At 1 of 100 steps, first at step 1, ") and sentence.endswith("so few are no harm.")


@pytest.mark.parametrize("optimizer", [SGD(lr=0.05), Adam(lr=0.05)], ids=["sgd", "adam"])
def test_the_change_of_a_recorded_step_is_measured_after_the_fact(tmp_path, optimizer):
    """Nothing was chosen before: built again from the trace, each number is that of train(..., change_every=1)."""
    for name, options in (("after", {}), ("while", {"change_every": 1})):
        with Tracer(tmp_path / name) as tracer:
            net, own = MLP(2, [4, 1], activation="tanh", seed=3), type(optimizer)(lr=0.05)
            for step in train(net, moons(), loss=mse, optimizer=own, epochs=4, batch_size=30, **options):
                tracer.watch(step)
    after, watched = changes(Trace(tmp_path / "after")), changes(Trace(tmp_path / "while"))
    assert (after.rebuilt, watched.rebuilt, len(after.rows)) == (True, False, len(watched.rows))
    for one, other in zip(after.rows, watched.rows):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-15)
    assert f"{len(after.rows)} rebuilt steps" in predicted_and_measured(Trace(tmp_path / "after"))[0]


def test_where_no_step_can_be_rebuilt_nothing_is_said_about_it(tmp_path):
    """A network on arrays, whose trace did not measure it."""
    run = record(tmp_path / "run", on_arrays().MLP(2, [1]))
    assert predicted_and_measured(Trace(run)) == []


# --- how the loss went ---


def losses_of(folder, *losses):
    """A trace with these losses, whatever trained it."""
    numbers = Dataset("numbers", [[0.0, 1.0], [1.0, 2.0]], [1.0, 2.0])
    record(folder, MLP(2, [4, 1], activation="tanh", seed=1), numbers, epochs=len(losses), lr=1e-3)
    rows = (folder / "metrics.csv").read_text().splitlines()
    cells = [row.split(",") for row in rows[1:]]
    lines = [",".join([*cell[:2], repr(loss), *cell[3:]]) for cell, loss in zip(cells, losses)]
    (folder / "metrics.csv").write_text("\n".join([rows[0], *lines]) + "\n")
    return folder


COURSES = {
    "fell": ([1.0 / n for n in range(1, 41)], "The loss fell from 1 to 0.025."),
    "still falls": ([1.0 - 0.015 * n for n in range(40)], "The loss fell from 1 to 0.415, and still falls: train longer"),
    "rose": ([1.0, 1.1, 1.2, 1.3], "The loss rose, from 1 to 1.3: "),
    "exploded": ([1.0, 50.0, 2_500.0], "The loss exploded, from 1 to 2500: "),
    "came back": ([1.0, 0.5, 0.1, 0.3, 0.5, 0.8], "The loss fell to 0.1 at step 3 and rose again to 0.8: "),
    "swings": ([1.0, 0.5] * 10 + [0.9], "The loss went from 1 to 0.9, and swings to and fro in the second half "),
    "stands": ([0.25, 0.2499, 0.2498, 0.2497], "The loss stands still, from 0.25 to 0.2497."),
    "stopped": ([1.0, 0.7, 0.5] + [0.4] * 9, "The loss went from 1 to 0.4 and has stood still since step 7; if"),
}  # fmt: skip


@pytest.mark.parametrize("losses, begins", COURSES.values(), ids=COURSES)
def test_the_course_of_the_loss_is_told_first(tmp_path, losses, begins):
    """The first words of the report are what metrics.csv tells, before any unit is looked at."""
    assert diagnose(losses_of(tmp_path / "run", *losses)).startswith(begins)


def test_the_line_beyond_its_limit_is_told_with_its_number(tmp_path):
    """185 to 3.2e8 at lr .09: it exploded, the limit is .0845, and half of it is named as an argument."""
    run = record(tmp_path / "run", MLP(1, [1], init="zeros"), line(), lr=0.09, epochs=100)
    assert lead(run).startswith("The loss exploded, from ")
    limit = "only below a learning rate of about 0.0845, and it is 0.09; take half of the limit, --lr 0.042 (lr=0.042 in Python)"
    assert limit in lead(run)
    better = record(tmp_path / "better", MLP(1, [1], init="zeros"), line(), lr=0.042, epochs=1000)
    assert lead(better).startswith("The loss fell from ") and "too big" not in diagnose(better)


def test_a_failed_run_says_where_and_what_to_do(tmp_path):
    """The reason that run.json holds, and a learning rate with its number."""
    with pytest.raises(FloatingPointError):
        record(tmp_path / "run", MLP(1, [1], init="zeros"), line(), lr=0.5, epochs=1000)
    assert lead(tmp_path / "run").startswith("The run failed after ") and "--lr 0.042" in lead(tmp_path / "run")


def test_a_rate_that_is_far_too_small_is_told(tmp_path):
    """The loss stands still because the steps are short: ten times as long."""
    run = record(tmp_path / "run", MLP(1, [1], init="zeros"), line(), lr=1e-6, epochs=10)
    assert "The loss stands still" in lead(run) and "raise the learning rate from 1e-06, --lr 1e-05 (lr=1e-05 in" in lead(run)


def test_large_inputs_are_told_to_be_scaled(tmp_path):
    """Inputs of some hundreds make the loss steep: without --raw, or data.scaled."""
    data = Dataset("wide", [[100.0], [200.0], [300.0]], [1.0, 2.0, 3.0])
    run = record(tmp_path / "run", MLP(1, [1], init="zeros"), data, lr=0.01, epochs=5)
    assert "the inputs reach 300: scale them (micrograd-lite train without --raw; data.scaled in Python)" in lead(run)


@pytest.mark.parametrize("activation, output", [("tanh", "linear"), ("sigmoid", "sigmoid")])
def test_a_network_that_is_right_gets_no_advice(tmp_path, activation, output):
    """At 98 % of iris and 100 % of XOR, with any number of saturated units or long steps, nothing is to be lowered."""
    flowers = iris() if output == "linear" else xor()
    net = MLP(len(flowers.inputs[0]), [8, 3 if output == "linear" else 1], activation=activation, output=output, seed=1)
    with Tracer(tmp_path / "run", every=20) as tracer:
        loss = cross_entropy if output == "linear" else mse
        for step in train(net, flowers, loss=loss, optimizer=Adam(lr=0.02 if output == "linear" else 0.2), epochs=300):
            tracer.watch(step)
    report = diagnose(tmp_path / "run")
    share = float(report.split("% of the training rows")[0].split("\n")[-1])
    assert share >= 98.0
    for advice in ("lower", "too big", "raise", "--lr", "use ", "start with"):
        assert advice not in report


def test_a_rate_is_not_blamed_for_a_few_steps(tmp_path):
    """Two of twenty rebuilt steps of Adam on the moons go too far; the middle one does not."""
    rows = [Change(step, -1.0, -0.9 if step > 3 else -0.2, 0.1) for step in range(1, 21)]
    (sentence,) = promised(Changes(rows, True), False)
    assert sentence.endswith("most steps end before the bottom of the valley, so the learning rate is not too big.")


@given(lr=st.floats(1e-9, 1e3))
def test_a_learning_rate_is_named_in_two_digits_rounded_down(lr):
    """What is advised is a number to type, and not above what was found."""
    words = argument(lr)
    number = float(words.split()[1])
    assert words == f"--lr {number:.2g} (lr={number:.2g} in Python)" and 0.9 * lr <= number <= lr * (1.0 + 1e-9)


def test_flat_and_let_through_are_explained_where_they_stand(tmp_path):
    """Right below the table that has these words in its head."""
    report = diagnose(record(tmp_path / "run", MLP(2, [2, 1])))
    below = report.partition("error let through\n")[2]
    assert "\nflat: a slope under 0.01; " in below and "\nerror let through: the mean slopes " in below


# --- the command, and mistakes ---


def test_the_command_prints_the_report(tmp_path, capsys):
    """Exit 0."""
    run = record(tmp_path / "run", MLP(2, [2, 1]))
    assert cli.main(["diagnose", str(run)]) == 0
    assert capsys.readouterr().out == diagnose(run)


class Alone(Module):
    """A model that is no MLP."""

    def __init__(self):
        self.w = Value(1.0)

    def parts(self):
        return [("w", self.w)]

    def __call__(self, inputs):
        return self.w * inputs[0]


def test_without_slopes_the_loss_is_told(tmp_path, capsys, monkeypatch):
    """A model of one's own, data that are not at hand: how the loss went, and why there are no slopes. Exit 0."""
    monkeypatch.setattr("micrograd_lite.trace.samples.SMALL", 1_000)  # so many numbers are kept in a trace
    large = Dataset("mine", [row * 2 for row in iris().inputs], iris().targets)
    for name, model, data in (("alone", Alone(), None), ("data", MLP(8, [1]), large), ("none", MLP(2, [1]), None)):
        record(tmp_path / name, model, data, lr=1e-6)
    (tmp_path / "none" / "data.csv").unlink()
    for name, says in (
        ("alone", "is not the trace of an MLP"),
        ("data", "does not hold its data ('mine', 150 samples)"),
        ("none", "does not hold its data ('xor', 4 samples)"),
    ):
        assert cli.main(["diagnose", str(tmp_path / name)]) == 0, name
        out, err = capsys.readouterr()
        assert out.startswith("The loss ") and says in out and not err


def test_mistakes_are_one_line(tmp_path, capsys):
    """Exit 2 and a sentence: no trace, no step, a damaged run.json."""
    Tracer(tmp_path / "empty").close()
    record(tmp_path / "broken", MLP(2, [2, 1]), lr=1e-6)
    set_run(tmp_path / "broken", model={**json.loads((tmp_path / "broken/run.json").read_text())["model"], "output": 3})
    for name, says in (("nothing", "does not exist"), ("empty", "has no step yet"), ("broken", "")):
        assert cli.main(["diagnose", str(tmp_path / name)]) == 2, name
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1) and says in err
