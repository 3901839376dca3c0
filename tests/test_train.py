"""The training loop: what a Step says, in which order samples come, and that nothing that cannot be trained gets in."""

import gc
import math
import os
import subprocess
import sys
from fractions import Fraction
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite.data import Dataset, centred, iris, line, mazur, moons, parts, split, xor
from micrograd_lite.losses import LOSSES, Loss, binary_cross_entropy, cross_entropy, half_squared_error, hinge, mse
from micrograd_lite.many import mean
from micrograd_lite.module import Module
from micrograd_lite.nn import MLP, Neuron
from micrograd_lite.optim import SGD, Adam, AdamW, RMSprop
from micrograd_lite.scalar import Value
from micrograd_lite.schedules import Cosine
from micrograd_lite.training import train

INPUTS, TARGETS = xor().inputs, xor().targets


def run(model=None, data=None, **options):
    """All the steps of a short training."""
    options = {"loss": mse, "optimizer": SGD(lr=0.1), "epochs": 2, **options}
    return list(train(model or MLP(2, [3, 1], "tanh"), data or xor(), **options))


def bits(numbers):
    return [repr(number) for number in numbers]


class Witness(Module):
    """A line y = w * x that writes down which inputs it was shown."""

    def __init__(self):
        self.w, self.seen = Value(0.5), []

    def __call__(self, inputs):
        self.seen.append(inputs[0])
        return self.w * inputs[0]

    def predict(self, inputs):
        return self.w.data * inputs[0]

    def parts(self):
        return [("w", self.w)]


def shown(samples, epochs, **options):
    """The inputs that a model sees in so many epochs, one list per step."""
    witness, orders = Witness(), []
    data = ([[float(row)] for row in range(samples)], [0.0] * samples)
    for _ in train(witness, data, loss=mse, optimizer=SGD(lr=1e-6), epochs=epochs, **options):
        orders.append([int(x) for x in witness.seen])
        witness.seen.clear()
    return orders


# --- a Step ----------------------------------------------------------------------------------------------------------

OPTIMIZERS = [
    lambda: SGD(lr=0.1), lambda: SGD(lr=0.1, momentum=0.9, nesterov=True), lambda: RMSprop(lr=0.01),
    lambda: Adam(lr=0.01, weight_decay=0.1), lambda: AdamW(lr=Cosine(0.1, 4)),
]  # fmt: skip


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [None, 3])
def test_a_step_tells_what_happened(make, batch_size):
    """after = before + update in bits; this before is the last after; norms, names and rate are those of the numbers."""
    model, optimizer = MLP(2, [3, 1], "tanh"), make()
    state, number = list(model.state_dict().values()), 0
    for step in train(model, xor(), loss=mse, optimizer=optimizer, epochs=4, batch_size=batch_size):
        number += 1
        assert step.number == number
        assert list(step.names) == list(model.state_dict())
        assert bits(step.before) == bits(state)
        assert bits(step.after) == bits(before + terms.update for before, terms in zip(step.before, step.terms, strict=True))
        assert bits(step.after) == bits(model.state_dict().values())
        assert step.gradient_norm == pytest.approx(math.hypot(*step.gradients), rel=1e-14)
        assert step.update_norm == pytest.approx(math.hypot(*(terms.update for terms in step.terms)), rel=1e-14)
        assert step.learning_rate == optimizer.lr(number)
        assert {type(number) for number in (*step.before, *step.gradients, *step.after, step.loss)} == {float}
        state = list(step.after)
    assert number == (4 if batch_size is None else 8)


@pytest.mark.parametrize("loss", [mse, half_squared_error, binary_cross_entropy, hinge], ids=lambda loss: loss.name)
def test_loss_and_gradients_are_those_before_the_update(loss):
    """Built again by hand from the numbers in `before`: the same bits."""
    data = moons(12) if loss is hinge else xor()
    for step in run(MLP(2, [3, 1], "tanh"), data, loss=loss, epochs=3):
        model = MLP(2, [3, 1], "tanh")
        model.load_state_dict(dict(zip(step.names, step.before)))
        total = loss([model(inputs) for inputs in data.inputs], data.targets)
        assert repr(total.data) == repr(step.loss)
        total.backward()
        assert step.gradients == pytest.approx([parameter.grad for parameter in model.parameters()], rel=1e-13, abs=1e-17)


def test_gradients_do_not_pile_up_from_step_to_step():
    """A parameter that already has a gradient is forgiven: the first step is the same."""
    model = MLP(2, [3, 1], "tanh")
    for parameter in model.parameters():
        parameter.grad = 1e6
    assert run(model, epochs=1)[0].gradients == run(epochs=1)[0].gradients


def test_the_last_samples_shares_arrive_first():
    """A batch is one graph built sample by sample; backward adds the last sample's share first: to the bit, no other order."""
    generator = Random(1)
    data = [[generator.gauss(0, 1)] for _ in range(7)], [generator.gauss(0, 1) for _ in range(7)]
    step = run(Neuron([0.3], "linear"), data, epochs=1)[0]
    shares = [(2.0 * (0.0 + 0.3 * x - t) * (1.0 / 7.0), x) for [x], t in zip(*data)]

    def added(samples):
        w = b = 0.0
        for slope, x in samples:
            w += x * slope
            b += slope
        return bits([w, b])

    assert bits(step.gradients) == added(reversed(shares))
    assert bits(step.gradients) != added(shares)  # these numbers can tell the orders apart


# --- order -----------------------------------------------------------------------------------------------------------


def test_the_full_batch_comes_in_file_order():
    """Every step, every sample, never shuffled; step and epoch count together."""
    assert shown(5, 3) == [[0, 1, 2, 3, 4]] * 3
    assert [(step.number, step.epoch) for step in run(epochs=3)] == [(1, 1), (2, 2), (3, 3)]


@given(samples=st.integers(1, 12), batch_size=st.integers(1, 15), epochs=st.integers(1, 3), seed=st.integers(0, 9))
def test_every_epoch_is_a_permutation(samples, batch_size, epochs, seed):
    """Each sample once an epoch, the last batch smaller if it must be; the same seed gives the same order."""
    batches = shown(samples, epochs, batch_size=batch_size, seed=seed)
    per_epoch = math.ceil(samples / batch_size)
    assert len(batches) == epochs * per_epoch
    for start in range(0, len(batches), per_epoch):
        epoch = batches[start : start + per_epoch]
        assert sorted(row for batch in epoch for row in batch) == list(range(samples))
        assert [len(batch) for batch in epoch[:-1]] == [batch_size] * (per_epoch - 1)
    assert shown(samples, epochs, batch_size=batch_size, seed=seed) == batches


def test_epochs_and_seeds_are_shuffled_differently():
    """Ten samples in one batch: two epochs, and two seeds, see other orders; the order sorts by eight random bytes each."""
    first, second = shown(10, 2, batch_size=10, seed=1)
    assert first != second and first != shown(10, 1, batch_size=10, seed=2)[0]
    keys = Random(1).randbytes(80)
    assert first == sorted(range(10), key=lambda row: int.from_bytes(keys[8 * row : 8 * row + 8], sys.byteorder))


def test_epochs_are_counted_through_their_batches():
    """Four samples in batches of 3: two steps an epoch."""
    steps = run(batch_size=3, epochs=3)
    assert [(step.number, step.epoch) for step in steps] == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3)]


# --- evaluation ------------------------------------------------------------------------------------------------------


def test_evaluation_is_of_the_weights_after_the_update():
    """Test loss is the loss function's own bits on the test data; accuracy is the share of right decisions."""
    training, testing = split(centred(iris())[0], seed=1)
    model = MLP(4, [5, 3], seed=2)
    for step in islice(train(model, training, loss=cross_entropy, optimizer=SGD(lr=0.3), test=testing), 4):
        expected = cross_entropy([model(inputs) for inputs in testing.inputs], testing.targets).data
        assert repr(step.evaluation["test_loss"]) == repr(expected)
        for part, data in (("train", training), ("test", testing)):
            outputs = [model.predict(inputs) for inputs in data.inputs]
            right = [row.index(max(row)) == label for row, label in zip(outputs, data.targets)]
            assert step.evaluation[f"{part}_accuracy"] == right.count(True) / len(right)


def test_a_decision_between_minus_one_and_one_is_its_sign():
    """Targets of -1 and 1 with a square error: 0.3 is nearer to 1 than to -1, so it is right."""
    data = Dataset("signs", [[1.0], [-1.0]], [1.0, -1.0], classes=2)
    [step] = run(Neuron([0.3], "linear"), data, optimizer=SGD(lr=1e-6), epochs=1, evaluate_every=1)
    assert step.evaluation["train_accuracy"] == 1.0


# --- which parameters ------------------------------------------------------------------------------------------------


def test_parameters_not_named_stay_as_they_are():
    """In a Step only those named appear, in the model's order; the rest are listed as fixed, and keep their bits."""
    model = MLP(2, [3, 1], "tanh")
    before = model.state_dict()
    chosen = ["layer1.neuron0.b", "layer0.neuron1.w0"]
    steps = run(model, parameters=chosen, epochs=3)
    assert list(steps[0].names) == ["layer0.neuron1.w0", "layer1.neuron0.b"]
    assert all(len(part) == 2 for part in (steps[0].before, steps[0].gradients, steps[0].terms, steps[0].after))
    after = model.state_dict()
    assert {name for name in before if before[name] != after[name]} == set(chosen)
    assert steps[0].run["fixed"] == {name: number for name, number in before.items() if name not in chosen}
    assert steps[0].gradients == [run(epochs=1)[0].gradients[list(before).index(name)] for name in steps[0].names]


def test_the_run_is_plain_data():
    """What a trace needs to build the model again: model, loss, optimizer, data and seed."""
    described = run(optimizer=Adam(lr=Cosine(0.1, 5)), seed=9, batch_size=2)[0].run
    assert described["model"] == MLP(2, [3, 1], "tanh").config()
    assert (described["loss"], described["seed"], described["batch_size"]) == ("mse", 9, 2)
    assert described["optimizer"]["name"] == "Adam" and described["optimizer"]["lr"]["schedule"] == "Cosine"
    assert described["optimizer_memory"] == ["first", "second"]
    assert (described["data"]["name"], described["data"]["samples"], described["data"]["inputs"]) == ("xor", 4, INPUTS)


# --- numbers that are not finite -------------------------------------------------------------------------------------


def log_of_output(outputs, target):
    return (outputs * 0.0).sqrt() * target  # value 0, slope inf


STEEP = Loss("steep", log_of_output, mean, wants="a number", fits=lambda target, outputs: True, correct=lambda *pair: True)


def test_the_first_node_that_is_not_finite_is_the_oldest():
    """A spoiled weight is found by its name, not the sums that it spoils."""
    model = MLP(2, [2, 1])
    model.layers[0].neurons[1].w[0].data = math.nan
    with pytest.raises(FloatingPointError, match=r"step 1: the loss is nan; .*layer0\.neuron1\.w0 = a leaf = nan"):
        run(model)
    overflowing = MLP(1, [1, 1], "linear", init=[[[1e200]], [[1e200]]])
    with pytest.raises(FloatingPointError, match=r"first number that is not finite is sample0\.layer1\.neuron0 = .* \+ .* = inf"):
        run(overflowing, ([[1.0]], [0.0]))


def test_a_gradient_that_is_not_finite_stops_with_everything_as_it_was():
    """A finite loss with an infinite slope: the sentence names the step and the parameter."""
    model = MLP(1, [1])
    before = model.state_dict()
    with pytest.raises(FloatingPointError, match=r"step 1: the gradient of layer0\.neuron0\.w0 is (nan|inf|-inf)"):
        run(model, ([[1.0]], [1.0]), loss=STEEP)
    assert model.state_dict() == before


def test_an_error_leaves_the_optimizer_as_it_was():
    """Neither its count nor its memory has moved."""
    optimizer = Adam(lr=0.1)
    model = MLP(1, [1])
    with pytest.raises(FloatingPointError):
        run(model, ([[1.0]], [1.0]), loss=STEEP, optimizer=optimizer)
    assert (optimizer.steps, optimizer.memory) == (0, [])


# --- the garbage collector -------------------------------------------------------------------------------------------


class Collecting(Witness):
    """Writes down whether the collector runs while the model works."""

    def __call__(self, inputs):
        self.seen.append(gc.isenabled())
        return self.w * inputs[0]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_waits_inside_a_step_and_only_there(enabled):
    """Off while a graph is built; as the user had it at every yield, after the end and after dropping the generator."""
    model = Collecting()
    (gc.enable if enabled else gc.disable)()
    try:
        steps = train(model, ([[1.0], [2.0]], [0.0, 0.0]), loss=mse, optimizer=SGD(lr=0.01), epochs=3, evaluate_every=1)
        between = [gc.isenabled()]
        for _ in steps:
            between.append(gc.isenabled())
        between.append(gc.isenabled())
        dropped = train(model, ([[1.0]], [0.0]), loss=mse, optimizer=SGD(lr=0.01))
        next(dropped)
        del dropped
        between.append(gc.isenabled())
        with pytest.raises(FloatingPointError):
            run(Neuron([math.nan], "linear"), ([[1.0]], [0.0]))
        between.append(gc.isenabled())
    finally:
        gc.enable()
    assert set(between) == {enabled} and set(model.seen) == {False}


MEMORY = """
import gc
from itertools import islice
from micrograd_lite import MLP, Adam, mse, train
from micrograd_lite.data import moons

def pages():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

gc.disable()
steps = train(MLP(2, [16, 1], "tanh"), moons(20), loss=mse, optimizer=Adam(lr=0.01))
for step in islice(steps, 20):
    pass
before = pages()
for step in islice(steps, 200):
    pass
import resource
print((pages() - before) * resource.getpagesize())
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux's /proc/self/statm")
def test_graphs_are_freed_without_the_collector():
    """200 steps with the collector off: the process grows by at most 1 MB (one step's graph alone is about 200 kB)."""
    grown = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True).stdout
    assert int(grown) <= 2**20


# --- at the door -----------------------------------------------------------------------------------------------------

BAD_COUNTS = [0, -1, True, False, "2", 2.0, math.nan, [2]]
ONE, TWO, SQUASHED = (lambda: MLP(2, [1])), (lambda: MLP(2, [2])), (lambda: MLP(2, [1], output="sigmoid"))


def pair(targets):
    return INPUTS, targets


@pytest.mark.parametrize(
    "model, changes, words",
    [
        (ONE, dict(data=([], [])), "no rows"),
        (ONE, dict(data=([[0.0, 0.0], [1.0]], [0.0, 1.0])), "row 1 has 1 numbers but row 0 has 2"),
        (ONE, dict(data=([[0.0, 0.0], []], [0.0, 1.0])), "row 1 is empty"),
        (ONE, dict(data=([[0.0, math.nan]], [0.0])), "row 0, column 1 is nan"),
        (ONE, dict(data=([[0.0, math.inf]], [0.0])), "inf"),
        (ONE, dict(data=([[0.0, "1"]], [0.0])), "not a number but a str"),
        (ONE, dict(data=([[0.0, 1.0]], [math.nan])), "target of row 0 is nan"),
        (ONE, dict(data=(INPUTS, TARGETS[:3])), "4 rows of inputs but 3 targets"),
        (ONE, dict(data=Dataset("d", INPUTS, [0, 1, 2, 0], classes=2)), "row 2 has label 2"),
        (ONE, dict(data=None), "data"),
        (ONE, dict(data=5), "data"),
        (ONE, dict(data=INPUTS * 2), r"pair|\(inputs, targets\)|Dataset, or"),
        (ONE, dict(data=(INPUTS,)), r"pair|\(inputs, targets\)|Dataset, or"),
        (ONE, dict(data=([[1.0]], [0.0])), "2 weights but was given 1 inputs"),
        (ONE, dict(test=([[1.0]], [0.0])), "2 weights but was given 1 inputs"),
        (ONE, dict(test=([], [])), "no rows"),
        (ONE, dict(data=pair([[0.0, 1.0]] * 4)), "row 0 of data: mse needs one number for each output"),
        (TWO, dict(data=pair(TARGETS)), "model has 2 outputs and the target is 0.0"),
        (TWO, dict(data=pair([0, 1, 2, 0]), loss=cross_entropy), "row 2 of data: cross_entropy needs a label from 0"),
        (TWO, dict(data=pair([0, 1, -1, 0]), loss=cross_entropy), "row 2"),
        (TWO, dict(data=pair([0, 1.0, 1, 0]), loss=cross_entropy), "row 1"),
        (TWO, dict(test=pair([0, 1, 2, 0]), data=pair([0, 1, 1, 0]), loss=cross_entropy), "row 2"),
        (ONE, dict(data=pair([0, 0, 0, 0]), loss=cross_entropy), "cross_entropy"),
        (ONE, dict(data=pair(TARGETS), loss=hinge), r"row 0 of data: hinge needs -1 or \+1, for one output"),
        (TWO, dict(data=pair([1.0] * 4), loss=hinge), "hinge needs"),
        (ONE, dict(data=pair([0.0, 2.0, 0.0, 1.0]), loss=binary_cross_entropy), "row 1 of data: .* a number from 0 to 1"),
        (TWO, dict(data=pair(TARGETS), loss=binary_cross_entropy), "for one output"),
        (SQUASHED, dict(loss=binary_cross_entropy), "needs output='linear', not 'sigmoid'"),
        (lambda: MLP(2, [2], output="tanh"), dict(data=pair([0, 1, 1, 0]), loss=cross_entropy), "not 'tanh'"),
        (lambda: Neuron([0.1, 0.2], "sigmoid"), dict(loss=binary_cross_entropy), "linear"),
        (ONE, dict(loss="mse"), "loss must be .*got str"),
        (ONE, dict(loss=None), "loss must be .*got NoneType"),
        (ONE, dict(loss=lambda predictions, targets: 0), "loss must be .*got function"),
        (ONE, dict(optimizer="SGD"), "optimizer must be .*got str"),
        (ONE, dict(optimizer=SGD), "optimizer must be .*got type"),
        (ONE, dict(optimizer=SGD), r"micrograd_lite\.optim\b"),
        (lambda: "model", dict(), "model"),
        (lambda: sum, dict(), "model"),
        (Module, dict(), "model"),
        (ONE, dict(parameters=["layer0.neuron0.w9"]), "no 'layer0.neuron0.w9'; its parameters are layer0.neuron0.w0, "),
        (ONE, dict(parameters="layer0.neuron0.w0"), "parameters"),
        (ONE, dict(seed=None), "seed"),
        (ONE, dict(seed=None, batch_size=2), "seed"),
        (ONE, dict(seed=[1], batch_size=2), "seed"),
        *((ONE, {name: bad}, name) for name in ("epochs", "batch_size", "evaluate_every") for bad in BAD_COUNTS),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_first_step(model, changes, words):
    """ValueError or TypeError from train() itself, in one sentence; not from the first step, nor from inside a loop."""
    options = {"data": xor(), "loss": mse, "optimizer": SGD(lr=0.1), "epochs": 1, **changes}
    made = model()
    with pytest.raises((ValueError, TypeError), match=words) as caught:
        train(made, options.pop("data"), **options)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_module_of_your_own_can_be_trained_without_predict():
    """Module says: your parts(), and the rest follows. A model that can be called can be trained."""

    class Doubling(Module):
        def __init__(self):
            self.w = Value(1.0)

        def parts(self):
            return [("w", self.w)]

        def __call__(self, inputs):
            return self.w * inputs[0]

    assert run(Doubling(), ([[1.0]], [2.0]), epochs=1)[0].before == [1.0]


@pytest.mark.parametrize("kind", [int, float, Fraction, "int64", "float32"])
def test_numbers_of_any_kind_train_alike(kind):
    """Inputs and targets that are ints, Fractions or NumPy scalars give the bits of floats."""
    if isinstance(kind, str):
        kind = getattr(pytest.importorskip("numpy"), kind)
    data = [[kind(x) for x in row] for row in INPUTS], [kind(y) for y in TARGETS]
    found = run(data=data, evaluate_every=1, test=data)
    expected = run(data=(INPUTS, TARGETS), evaluate_every=1, test=(INPUTS, TARGETS))
    assert [step.after for step in found] == [step.after for step in expected]
    assert {type(number) for step in found for number in step.evaluation.values()} == {float}


@pytest.mark.parametrize(
    "imports",
    [
        "from micrograd_lite import train",
        "from micrograd_lite import Tracer, train",
        "from micrograd_lite import train, Tracer",
        "from micrograd_lite import Step, train",
        "from micrograd_lite.trace import Tracer; from micrograd_lite import train",
        "from micrograd_lite.training import Step; from micrograd_lite import train",
        "from micrograd_lite import *",
    ],
)
def test_train_is_the_function_whatever_was_imported_before(imports):
    """The page and its function have one name: loading the page, or one that needs it, must not hide the function."""
    program = f"{imports}\nassert train.__class__.__name__ == 'function', train"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


# --- systems from the literature -------------------------------------------------------------------------------------


def test_xor_follows_its_published_losses():
    """2-2-1 sigmoid without biases, full batch, lr 1 on mse: the published losses at epochs 0, 1000 and 2000, within 1e-10."""
    init = [
        [[0.5488135039273248, 0.7151893663724195], [0.6027633760716439, 0.5448831829968969]],
        [[0.4236547993389047], [0.6458941130666561]],
    ]
    model = MLP(2, [2, 1], "sigmoid", "sigmoid", init=init, bias=False)
    losses = [step.loss for step in islice(train(model, xor(), loss=mse, optimizer=SGD(lr=1.0)), 2001)]
    expected = [0.2758878242324435, 0.1729955659592114, 0.07902763587631675]
    assert losses[::1000] == pytest.approx(expected, rel=1e-10)


def mazurs_network():
    """2-2-2 sigmoid; the two biases of a layer are one parameter."""
    init = [[[0.15, 0.25], [0.20, 0.30]], [[0.40, 0.50], [0.45, 0.55]]]
    model = MLP(2, [2, 2], "sigmoid", "sigmoid", init=init)
    for layer, bias in zip(model.layers, (0.35, 0.60)):
        layer.neurons[0].b.data = bias
        layer.neurons[1].b = layer.neurons[0].b
    return model


@pytest.mark.parametrize("shared, after", [(False, 0.291027774), (True, 0.285750887)])
def test_mazurs_step_by_step_example(shared, after):
    """Half the summed square error .298371109, after one step at lr .5 .291027774; .285750887 if the shared biases move too."""
    model = mazurs_network()
    names = [name for name, _ in model.named_parameters()]
    assert len(names) == 10
    chosen = names if shared else [name for name in names if not name.endswith(".b")]
    options = dict(loss=half_squared_error, optimizer=SGD(lr=0.5), parameters=chosen)
    first, second = islice(train(model, mazur(), **options), 2)
    assert first.loss == pytest.approx(0.298371109, abs=5e-10)
    assert second.loss == pytest.approx(after, abs=5e-10)
    assert dict(zip(first.names, first.after))["layer1.neuron0.w0"] == pytest.approx(0.35891648, abs=5e-9)


def test_the_line_is_stable_only_below_its_bound():
    """Hessian eigenvalues .33810 and 23.6619: lr .01 leaves 3.38 % in 1,000 steps, lr above .084524 diverges."""
    model = MLP(1, [1], init="zeros")
    for _ in islice(train(model, line(), loss=mse, optimizer=SGD(lr=0.01)), 1000):
        pass
    w, b = model.state_dict().values()
    assert math.hypot(w - 2, b - 3) / math.hypot(2, 3) <= 0.0338  # all of the start would be slow at worst
    slow = (w - 2) / (b - 3)  # what is left lies along the slow eigenvector of [[22, 6], [6, 2]]
    assert 22 * slow + 6 == pytest.approx(0.33810 * slow, abs=1e-4)
    for lr, grows in ((0.0845, False), (0.0846, True)):
        model = MLP(1, [1], init="zeros")
        losses = [step.loss for step in islice(train(model, line(), loss=mse, optimizer=SGD(lr=lr)), 2001)]
        assert (losses[2000] > losses[1000]) == grows


def test_parts_pass_through_two_linear_layers():
    """S1: 2-3-1, linear, without biases: the published outputs, within 1e-7 (weights are given to seven digits)."""
    w1 = [[-0.8113182, 1.4845988, 0.06532937], [-2.4427042, 0.0992484, 0.5912243]]
    w2 = [[-0.8113182], [1.4845988], [0.06532937]]
    model = MLP(2, [3, 1], "linear", init=[w1, w2], bias=False)
    expected = [3.0904665, 1.2236414, 1.7270732, 2.2305048]
    assert [model.predict(inputs) for inputs in parts().inputs] == pytest.approx(expected, abs=1e-6)
    for optimizer in (SGD(lr=0.05), SGD(lr=0.02, momentum=0.9), Adam(lr=0.05)):
        model = MLP(2, [3, 1], "linear", init=[w1, w2], bias=False)
        losses = [step.loss for step in islice(train(model, parts(), loss=mse, optimizer=optimizer), 300)]
        assert losses[-1] < 0.2 * losses[0]


def test_every_loss_can_be_trained():
    """Each one falls in twenty steps on data that fits it."""
    data = {
        "mse": xor(), "half_squared_error": xor(), "binary_cross_entropy": xor(), "hinge": moons(10),
        "cross_entropy": (INPUTS, [0, 1, 1, 0]),
    }  # fmt: skip
    for name, loss in LOSSES.items():
        model = MLP(2, [4, 2 if name == "cross_entropy" else 1], "tanh", seed=1)
        losses = [step.loss for step in run(model, data[name], loss=loss, epochs=20)]
        assert losses[-1] < losses[0], name
    assert set(data) == set(LOSSES)


def test_a_loss_or_optimizer_by_name_is_told_the_names():
    """What is wanted is the record itself; the sentence lists them all."""
    known = "mse, half_squared_error, binary_cross_entropy, cross_entropy, hinge"
    with pytest.raises(TypeError, match=rf"^loss must be one of those in micrograd_lite\.losses \({known}\), got str$"):
        train(MLP(2, [1]), xor(), loss="mse", optimizer=SGD())
    with pytest.raises(TypeError, match=r"^optimizer must be .*optim \(SGD\(\), RMSprop\(\), Adam\(\), AdamW\(\)\), got str$"):
        train(MLP(2, [1]), xor(), loss=mse, optimizer="sgd")
