"""Training on arrays: the same steps as the scalar loop, a door that lets nothing bad in, and rows that describe layers."""

import csv
import io
import math
import warnings
from contextlib import suppress

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from micrograd_lite.arrays.buffers import length  # noqa: E402
from micrograd_lite.arrays.losses import ON_ARRAYS  # noqa: E402
from micrograd_lite.arrays.nn import MLP, to_scalar  # noqa: E402
from micrograd_lite.data import Dataset, xor  # noqa: E402
from micrograd_lite.losses import LOSSES, Loss, binary_cross_entropy, cross_entropy, hinge, mse  # noqa: E402
from micrograd_lite.many import mean  # noqa: E402
from micrograd_lite.optim import SGD, Adam, RMSprop  # noqa: E402
from micrograd_lite.trace import Trace, Tracer  # noqa: E402
from micrograd_lite.trace.folder import LAYERS  # noqa: E402
from micrograd_lite.trace.layers import COLUMNS, LayerRows, describe  # noqa: E402
from micrograd_lite.training import train  # noqa: E402
from micrograd_lite.verify import verify  # noqa: E402

GENERATOR = np.random.default_rng(0)
INPUTS = GENERATOR.normal(size=(10, 3))
LABELS = GENERATOR.integers(0, 4, 10)


def net(outputs=4, **options):
    return MLP(3, [5, outputs], **{"activation": "tanh", "seed": 2, **options})


def run(model=None, data=(INPUTS, LABELS), **options):
    """The steps of a short training, one by one."""
    options = {"loss": cross_entropy, "optimizer": SGD(lr=0.1), "epochs": 2, **options}
    return train(model or net(), data, **options)


# Steps and batches.


def shown(samples, **options):
    """Which rows each step saw, read off the inputs of its batch."""
    data = np.arange(float(samples))[:, None], np.zeros(samples)
    steps = train(MLP(1, [1]), data, loss=mse, optimizer=SGD(lr=1e-9), **options)
    return [(step.number, step.epoch, step.fused.activations[0][:, 0].astype(int).tolist()) for step in steps]


@settings(max_examples=30)
@given(samples=st.integers(1, 12), batch_size=st.one_of(st.none(), st.integers(1, 15)), seed=st.integers(0, 9))
def test_the_batches_are_the_scalar_engines(samples, batch_size, seed):
    """The same rows in the same order, each once an epoch, the last batch smaller if it must be; the same epochs."""
    seen = []

    def sample(outputs, target):
        seen.append(int(target))
        return (outputs - 0.0) ** 2

    watching = Loss("mse", sample, mean, "numbers", lambda *_: True, lambda *_: True)
    model = to_scalar(MLP(1, [1], init="zeros"))
    data = [[float(row)] for row in range(samples)], list(map(float, range(samples)))
    wanted = []
    for step in train(model, data, loss=watching, optimizer=SGD(lr=1e-9), epochs=3, batch_size=batch_size, seed=seed):
        wanted.append((step.number, step.epoch, seen[:]))
        seen.clear()
    assert shown(samples, epochs=3, batch_size=batch_size, seed=seed) == wanted


def test_evaluation_leaves_the_step_alone():
    """Activations, slopes, gradients and update of a step are the same with and without an evaluation after it."""
    def everything(**options):
        return [
            [array.tobytes() for array in (*s.fused.activations, *(p for ps in s.fused.slopes for p in ps), s.model.flat_grad,
                                           s.optimizer.update, s.model.flat)]
            for s in run(batch_size=4, epochs=3, **options)
        ]  # fmt: skip

    big = np.random.default_rng(1).normal(size=(2100, 3)), np.zeros(2100, int)
    assert everything(test=big) == everything()


def test_norms_are_those_of_gradient_and_update():
    """Euclidean lengths of all parameters together."""
    for step in run(epochs=3):
        assert step.gradient_norm == pytest.approx(math.hypot(*step.model.flat_grad), rel=1e-14)
        assert step.update_norm == pytest.approx(math.hypot(*step.optimizer.update), rel=1e-14)


def test_a_norm_asked_for_late_is_not_another_steps():
    """Steps kept in a list tell their own norms, or refuse: never those of the last step."""
    wanted = [(step.gradient_norm, step.update_norm) for step in run(batch_size=3)]
    for step, norms in zip(list(run(batch_size=3)), wanted):
        with suppress(RuntimeError):
            assert (step.gradient_norm, step.update_norm) == norms


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30, 1e-200, 1e200, 0.0])
def test_length_neither_overflows_nor_underflows(dtype, scale):
    """As measure.norm: within rounding of math.hypot for numbers whose squares no float of the dtype can hold."""
    scale = scale if dtype == "float64" else math.copysign(abs(scale) ** 0.15, scale)  # 1e-30 and 1e30 at most
    numbers = (np.array([3.0, -4.0, 12.0]) * scale).astype(dtype)
    with np.errstate(all="ignore"):  # as its callers are
        found = length(numbers)
    assert found == pytest.approx(13.0 * scale, rel=1e-6 if dtype == "float32" else 1e-15, abs=0)


@pytest.mark.parametrize("number", [3e-23, 1e-20, 1.8e-13, 1.9e-13, 1e-12, 1e19, 3e19])
def test_the_length_of_small_float32_numbers_is_scaled_in_time(number):
    """The squares of 3e-23 are denormal and have one digit; from 1.9e-13 on three of them, above 1e-25, have them all."""
    numbers = np.full(3, number, "float32")
    with np.errstate(all="ignore"):
        found = length(numbers)
    assert found == pytest.approx(math.sqrt(3.0) * float(numbers[0]), rel=3e-7, abs=0)


@pytest.mark.parametrize(
    "numbers, norm", [([math.inf, 1.0], math.inf), ([-math.inf, 1.0], math.inf), ([math.nan, 1.0], math.nan)]
)
def test_the_length_of_what_is_not_finite(numbers, norm):
    """inf or NaN, and inf is not NaN."""
    with np.errstate(all="ignore"):
        found = length(np.array(numbers))
    assert found == pytest.approx(norm, nan_ok=True)


@pytest.mark.parametrize("make", [lambda: SGD(lr=0.1, momentum=0.9), lambda: RMSprop(lr=0.01), lambda: Adam(lr=0.01)])
def test_training_goes_on_with_the_same_optimizer(make):
    """Three epochs and three more with one optimizer are the scalar engine's three and three: moments are kept."""
    model, optimizer, twin_optimizer = net(), make(), make()
    twin = to_scalar(model)
    data = INPUTS.tolist(), LABELS.tolist()
    for _ in range(2):
        found = list(run(model, data, optimizer=optimizer, epochs=3))
        wanted = list(run(twin, data, optimizer=twin_optimizer, epochs=3))
    assert found[-1].loss == pytest.approx(wanted[-1].loss, rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_loss_trains(name, dtype):
    """The loss falls, and every buffer keeps the model's dtype."""
    outputs = {"cross_entropy": 4, "hinge": 1, "binary_cross_entropy": 1}.get(name, 2)
    targets = {"cross_entropy": LABELS, "hinge": np.sign(INPUTS[:, 0]), "binary_cross_entropy": (INPUTS[:, 0] > 0) * 1.0}
    model = net(outputs, dtype=dtype)
    steps = run(model, (INPUTS.astype(dtype), targets.get(name, INPUTS[:, :2])), loss=LOSSES[name], epochs=30, batch_size=None,
                optimizer=SGD(lr=0.02))  # fmt: skip
    losses = []
    for step in steps:
        losses.append(step.loss)
        arrays = [model.flat, model.flat_grad, step.optimizer.update, *step.fused.activations]
        assert {array.dtype for array in arrays} == {np.dtype(dtype)} and type(step.loss) is float
    assert losses[-1] < losses[0]


# The door.


def refused(kind, text, model=None, data=(INPUTS, LABELS), **options):
    """Training is refused before the first step, and nothing has moved."""
    model = model or net()
    before, optimizer = model.flat.copy(), SGD(lr=0.1)
    with warnings.catch_warnings(), pytest.raises(kind, match=text):
        warnings.simplefilter("error")
        run(model, data, optimizer=optimizer, **options)
    assert (model.flat == before).all() and optimizer.steps == 0


def with_cell(value):
    inputs = INPUTS.copy()
    inputs[7, 2] = value
    return inputs


BAD_INPUTS = [
    (INPUTS[:, :2], ValueError, r"\(samples, 3\), got \(10, 2\)"),
    (INPUTS[0], ValueError, r"\(samples, 3\), got \(3,\)"),
    (INPUTS.astype(np.float32), TypeError, "computes in float64, the inputs are float32"),
    (INPUTS.astype(int), TypeError, "computes in float64, the inputs are int64"),
    (with_cell(math.nan), ValueError, "data: inputs: row 7, column 2 is nan; every number must be finite"),
    (with_cell(math.inf), ValueError, "data: inputs: row 7, column 2 is inf; every number must be finite"),
    (with_cell(math.nan).tolist(), ValueError, "data: inputs: row 7, column 2 is nan"),
    (INPUTS[:0], ValueError, "data has no rows; a data set needs at least one"),
    ([], ValueError, None),
    ([[1.0, 2.0, None]] * 10, (TypeError, ValueError), None),
    ([["1", "2", "3"]] * 10, (TypeError, ValueError), None),
    ([[1.0, 2.0, 3.0]] * 9 + [[1.0]], ValueError, r"\(samples, 3\)|row 9"),
    (INPUTS[:9], ValueError, "data has 9 rows of inputs but 10 targets; give each row one target"),
]


@pytest.mark.parametrize("inputs, kind, text", BAD_INPUTS)
@pytest.mark.parametrize("part", ["data", "test"])
def test_bad_inputs_do_not_get_in(inputs, kind, text, part):
    """Wrong shape or dtype (both named), NaN and infinity (with their place), nothing at all; in test data too."""
    if part == "data":
        refused(kind, text, data=(inputs, LABELS))
    else:
        refused(kind, text, test=(inputs, LABELS))


TOO_BIG, NEGATIVE = LABELS.copy(), LABELS.copy()
TOO_BIG[6], NEGATIVE[2] = 4, -1

BAD_TARGETS = [
    (cross_entropy, 4, TOO_BIG, ValueError, "cross_entropy needs a label from 0 to the number of outputs - 1.*4 outputs"),
    (cross_entropy, 4, NEGATIVE, ValueError, "cross_entropy needs a label"),
    (cross_entropy, 4, LABELS.astype(float), ValueError, r"shape \(10,\) and dtype float64"),
    (cross_entropy, 4, LABELS.astype(bool), ValueError, "cross_entropy needs a label"),
    (cross_entropy, 4, LABELS[:, None], ValueError, r"shape \(10, 1\)"),
    (cross_entropy, 4, LABELS[:4], ValueError, "10 rows of inputs but 4 targets"),
    (cross_entropy, 1, LABELS * 0, ValueError, "cross_entropy needs a label"),
    (mse, 2, INPUTS, ValueError, r"mse needs one number for each output; the model has 2 outputs .*shape \(10, 3\)"),
    (mse, 2, INPUTS[:, 0], ValueError, r"mse needs one number for each output; the model has 2 outputs .*shape \(10,\)"),
    (mse, 3, with_cell(math.nan), ValueError, None),
    (mse, 3, with_cell(math.inf), ValueError, None),
    (mse, 1, ["1.5"] * 10, (TypeError, ValueError), None),
    (mse, 1, [None] * 10, (TypeError, ValueError), None),
    (mse, 1, [1j] * 10, (TypeError, ValueError), None),
    (hinge, 1, LABELS * 0, ValueError, "hinge needs -1 or"),
    (binary_cross_entropy, 1, LABELS * 0 + 1.5, ValueError, "binary_cross_entropy needs a number from 0 to 1"),
]


@pytest.mark.parametrize("loss, outputs, targets, kind, text", BAD_TARGETS)
def test_bad_targets_do_not_get_in(loss, outputs, targets, kind, text):
    """Labels that are not there, other shapes and dtypes, NaN, text: the sentence says what the loss needs and what it got."""
    refused(kind, text, net(outputs), (INPUTS, targets), loss=loss)


def test_a_label_that_is_not_there_is_named():
    """Which row, which label: in ten thousand labels nobody finds it by shape and dtype."""
    refused(ValueError, r"row 6 .*\b4\b", data=(INPUTS, TOO_BIG))


def test_a_target_that_is_not_finite_is_named():
    """Which row: as for inputs."""
    refused(ValueError, "row 7.*nan", net(3), (INPUTS, with_cell(math.nan)), loss=mse)


@pytest.mark.parametrize("part", ["inputs", "targets"])
def test_numbers_too_large_for_float32_are_refused_without_a_warning(part):
    """1e300 is no float32: a ValueError, whether it comes as an input or a target."""
    inputs, targets = INPUTS.tolist(), INPUTS[:, 0].tolist()
    (inputs[3] if part == "inputs" else targets).__setitem__(1, 1e300)
    refused(ValueError, None, net(1, dtype="float32"), (inputs, targets), loss=mse)


def test_float64_data_does_not_get_into_a_float32_model():
    """Inputs of another dtype are a TypeError that names both and the remedy."""
    refused(TypeError, "computes in float32, the inputs are float64: convert them with astype", net(dtype="float32"))


def test_losses_that_squash_need_a_linear_output():
    """Softmax after a softmax is a mistake: the same sentence as the scalar engine's."""
    text = "cross_entropy applies its own squashing, so it needs output='linear', not 'sigmoid'"
    refused(ValueError, text, net(output="sigmoid"))


def test_lists_and_arrays_train_alike():
    """A data set of lists is made into arrays at the door, with the same numbers."""
    lists = [step.loss for step in run(data=(INPUTS.tolist(), LABELS.tolist()), batch_size=3)]
    assert lists == [step.loss for step in run(batch_size=3)]


def test_a_bundled_data_set_trains():
    """xor, of lists, with targets that are plain numbers."""
    losses = [s.loss for s in train(MLP(2, [4, 1], "tanh"), xor(), loss=mse, optimizer=Adam(lr=0.1), epochs=100)]
    assert losses[-1] < 0.01


# Numbers that are not finite.


def stopped(model, text, steps=0, **options):
    """Training stops with a sentence, without a warning, and the parameters stand as before that step."""
    optimizer, done, before = options.pop("optimizer", SGD(lr=0.1)), 0, model.flat.copy()
    with warnings.catch_warnings(), pytest.raises(FloatingPointError, match=text):
        warnings.simplefilter("error")
        for _ in run(model, optimizer=optimizer, **options):
            done += 1
            before = model.flat.copy()
    assert done == steps == optimizer.steps
    assert model.flat.tobytes() == before.tobytes()


@pytest.mark.parametrize(
    "layer, number, text",
    [
        (0, 1e308, r"step 1: the loss is (nan|inf); the first array with a number that is not finite is v\d+ = matmul\("),
        (1, math.nan, "step 1: the loss is nan; the first array with a number that is not finite is layer1.w = a leaf"),
        (0, math.inf, "step 1: the loss is nan; the first array with a number that is not finite is layer0.w = a leaf"),
    ],
)
def test_a_loss_that_is_not_finite_stops_the_training(layer, number, text):
    """The sentence names the step, the first array that is not finite and its operation."""
    model = net(activation="relu")
    model.arrays[f"layer{layer}.w"].data[...] = number
    stopped(model, text)


def test_a_square_that_overflows_is_named():
    """Finite outputs, an infinite loss: the operation that made it is in the sentence."""
    model = net(1, activation="linear")
    model.arrays["layer1.b"].data[...] = 1e200
    text = r"step 1: the loss is inf; the first array with a number that is not finite is v\d+ = power\("
    stopped(model, text, data=(INPUTS, INPUTS[:, 0]), loss=mse)


def test_a_mean_that_overflows_is_named():
    """Each square is finite, their sum is not."""
    model = net(1, activation="linear")
    model.arrays["layer1.b"].data[...] = 1e154
    text = r"step 1: the loss is inf; the first array with a number that is not finite is v\d+ = mean\("
    stopped(model, text, data=(INPUTS, INPUTS[:, 0]), loss=mse)


@pytest.mark.parametrize("dtype, size", [("float32", 1e25), ("float64", 1e200)])
def test_a_huge_finite_gradient_trains_without_a_warning(dtype, size):
    """Gradients whose squares overflow are gradients like others: the step is taken, its norms are finite, nothing warns."""
    inputs, targets = np.full((2, 3), size, dtype), np.array([1.0, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (step,) = train(MLP(3, [1], init="zeros", dtype=dtype), (inputs, targets), loss=hinge, optimizer=SGD(lr=1e-20), epochs=1)
        assert step.gradient_norm == pytest.approx(math.sqrt(3.0) * size, rel=1e-6)


def test_divergence_stops_with_the_scalar_engines_step():
    """A learning rate that is far too large: both engines stop at the same step with a FloatingPointError."""
    def steps_done(model, data):
        done = 0
        with warnings.catch_warnings(), pytest.raises(FloatingPointError, match="try a smaller learning rate"):
            warnings.simplefilter("error")
            for _ in train(model, data, loss=mse, optimizer=SGD(lr=1e6), epochs=200):
                done += 1
        return done

    model = net(1, activation="linear")
    twin = to_scalar(model)
    assert steps_done(model, (INPUTS, INPUTS[:, 0])) == steps_done(twin, (INPUTS.tolist(), INPUTS[:, 0].tolist()))


# layers.csv.


def rows_of(step):
    """The rows that a step writes, as dictionaries of floats by array."""
    text, count = LayerRows(step).blocks(step)[LAYERS]
    rows = {row["array"]: row for row in csv.DictReader(io.StringIO(text), COLUMNS)}
    assert count == len(rows) == len(step.model.arrays)
    return rows


@pytest.mark.parametrize("dtype, rel", [("float64", 1e-12), ("float32", 1e-4)])
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "prelu", "linear"])
def test_layer_rows_are_numpys_statistics(dtype, rel, activation):
    """Norm, mean, standard deviation, extremes, gradient, update and their ratio, each from its definition in doubles."""
    step = list(run(net(activation=activation, dtype=dtype), (INPUTS.astype(dtype), LABELS), epochs=3))[-1]
    start = 0
    for name, row in rows_of(step).items():
        array = step.model.arrays[name]
        update = step.optimizer.update[start : start + array.data.size]
        start += array.data.size
        weights, size = array.data.astype(float), np.linalg.norm(array.data.astype(float))
        expected = {
            "step": 3, "norm": size, "mean": weights.mean(), "std": weights.std(), "min": weights.min(), "max": weights.max(),
            "gradient_norm": np.linalg.norm(array.grad.astype(float)), "update_norm": np.linalg.norm(update.astype(float)),
            "update_ratio": np.linalg.norm(update.astype(float)) / size,
        }  # fmt: skip
        for column, number in expected.items():
            assert float(row[column]) == pytest.approx(number, rel=rel, abs=rel * size), column


@pytest.mark.parametrize("dtype, rel", [("float64", 1e-9), ("float32", 1e-4)])
@pytest.mark.parametrize("spread", [0.0, 1e-3])
def test_a_standard_deviation_much_smaller_than_the_mean_keeps_its_digits(dtype, rel, spread):
    """Numbers close together, such as prelu's slopes at the start: their spread is not rounding, and none is 0."""
    model = net(activation="prelu", dtype=dtype)
    step = next(run(model, (INPUTS.astype(dtype), LABELS)))
    array = model.arrays["layer0.slope"].data
    array[...] = 0.3 + spread * np.arange(5)
    expected = float(array.astype(float).std())
    assert float(rows_of(step)["layer0.slope"]["std"]) == pytest.approx(expected, rel=rel, abs=0)


def test_flat_activations_are_counted():
    """Dead relus, saturated sigmoids: the share of outputs of the batch whose slope is under 0.01; 0 for a linear layer."""
    model = net(activation="relu")
    model.arrays["layer0.b"].data[:2] = -100.0
    step = next(run(model))
    rows = rows_of(step)
    dead = float(np.mean(step.fused.activations[1] == 0.0))
    assert float(rows["layer0.w"]["activations_flat"]) == float(rows["layer0.b"]["activations_flat"]) == dead >= 0.4
    assert float(rows["layer1.w"]["activations_flat"]) == 0.0


def test_weights_of_zero_have_an_infinite_ratio():
    """update_norm / 0 is inf, written down as such."""
    model = net()
    step = next(run(model))
    model.arrays["layer0.b"].data[...] = 0.0
    assert rows_of(step)["layer0.b"]["update_ratio"] == "inf"


def test_a_failed_step_leaves_no_row_of_its_own(tmp_path):
    """The last step's arrays are lost to the one that failed: its rows are left out, not filled with the other's numbers."""
    net = MLP(2, [1], dtype="float32")
    data = Dataset("far", np.full((4, 2), 1e3, np.float32), np.full((4, 1), 1e3, np.float32))
    with suppress(FloatingPointError), Tracer(tmp_path / "run", every=100) as tracer:
        for _ in tracer.follow(train(net, data, loss=mse, optimizer=SGD(lr=1e-6), epochs=1000)):
            pass
    trace = Trace(tmp_path / "run")
    assert trace.status == "failed" and len(trace.metrics()) > 1
    assert {row["step"] for row in trace.layers()} == {1}
    assert not verify(tmp_path / "run").wrong


def test_the_deviation_of_huge_weights_is_finite():
    """Their squares are not."""
    weights = np.array([1e200, -1e200, 1e200, -1e200])
    with np.errstate(over="ignore"):
        assert describe(weights, weights, weights)[2] == pytest.approx(1e200)


# Losses of one's own.

OWN_LOSSES = {
    "half as much": mse._replace(reduce=lambda costs: 0.5 * mean(costs)),
    "the worst sample": mse._replace(reduce=lambda costs: max(costs, key=float)),
    "always right": mse._replace(correct=lambda *_: True),
    "the small ones": mse._replace(correct=lambda outputs, target, middle=0.0: outputs[0] < middle),
    "a name that is taken": Loss("hinge", lambda output, target: abs(output - target) * 3.0, mean, "a number",
                                 lambda target, outputs: outputs == 1, lambda outputs, target, middle: target > middle),
    "only above": mse._replace(sample=lambda output, target: (output - target) ** 2 if target > 0.1 else output * 0.0),
    "summed labels": cross_entropy._replace(reduce=lambda costs: costs[0] if len(costs) == 1 else costs[0] + costs[-1]),
}  # fmt: skip


@pytest.mark.parametrize("batch_size", [1, 4, None])
@pytest.mark.parametrize("loss", OWN_LOSSES.values(), ids=OWN_LOSSES)
def test_a_loss_of_ones_own_means_the_same_in_both_engines(loss, batch_size):
    """Any sample, reduce and correct, whatever its name: loss, gradients and evaluation are the scalar engine's within 1e-12."""
    labels = loss.takes_logits
    model = net(4 if labels else 1)
    twin = to_scalar(model)
    data = Dataset("drawn", INPUTS.tolist(), LABELS.tolist() if labels else INPUTS[:, 0].tolist(), 4 if labels else 2)
    runs = [run(each, data, loss=loss, batch_size=batch_size, epochs=3, test=data) for each in (model, twin)]
    for found, wanted in zip(*runs, strict=True):
        assert found.loss == pytest.approx(wanted.loss, rel=1e-12, abs=1e-12)
        assert found.gradient_norm == pytest.approx(wanted.gradient_norm, rel=1e-11, abs=1e-12)
        assert found.evaluation == pytest.approx(wanted.evaluation, rel=1e-12, abs=1e-12)


def test_a_loss_of_ones_own_keeps_its_dtype():
    """A float32 model trained on a loss that goes through Values stays float32."""
    model = net(1, dtype="float32")
    loss = OWN_LOSSES["half as much"]
    for step in run(model, (INPUTS.astype(np.float32), INPUTS[:, 0]), loss=loss):
        assert step.model.flat_grad.dtype == step.model.flat.dtype == np.float32 and type(step.loss) is float


def test_the_table_of_losses_on_arrays_is_whole():
    """One row for each loss of losses.py, found by the record: a replaced part is another loss."""
    assert list(ON_ARRAYS) == list(LOSSES.values())
    assert mse._replace(correct=lambda *_: True) not in ON_ARRAYS
