"""The two engines side by side: the same network, batch and optimizer give the same numbers."""

from inspect import isfunction, signature
from typing import NamedTuple

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from array_strategies import (  # noqa: E402
    OPTIMIZERS,
    U32,
    cases,
    fused_step,
    graph_step,
    scalar_names,
    scalar_state,
    scalar_step,
)
from micrograd_lite import losses, many, measure, module, nn, optim, plan, scalar, training  # noqa: E402
from micrograd_lite.arrays import array  # noqa: E402
from micrograd_lite.arrays import losses as array_losses  # noqa: E402
from micrograd_lite.arrays import many as array_many  # noqa: E402
from micrograd_lite.arrays import nn as array_nn  # noqa: E402
from micrograd_lite.arrays import optim as array_optim  # noqa: E402
from micrograd_lite.arrays import plan as array_plan  # noqa: E402
from micrograd_lite.arrays import training as array_training  # noqa: E402
from micrograd_lite.arrays.nn import MLP, to_scalar  # noqa: E402
from micrograd_lite.data import Dataset, digits  # noqa: E402
from micrograd_lite.losses import LOSSES, cross_entropy  # noqa: E402
from micrograd_lite.nn import MLP as ScalarMLP  # noqa: E402
from micrograd_lite.training import train  # noqa: E402
from references import U  # noqa: E402

BOTH_STEPS = [graph_step, fused_step]


@pytest.mark.parametrize("step", BOTH_STEPS)
@settings(max_examples=50)
@given(case=cases())
def test_both_engines_make_the_same_gradients(step, case):
    """Within 256 u S of the scalar engine's, and zero in the same places; the loss within 256 u of max(1, loss)."""
    model, (inputs, targets) = case.model(), case.batch()
    loss, gradients, sizes = scalar_step(model, case.loss, inputs, targets)
    found, found_gradients = step(model, case.loss, inputs, targets)
    assert abs(found - loss) <= 256 * U * max(1.0, abs(loss))
    assert (np.abs(found_gradients - gradients) <= 256 * U * sizes).all()
    assert ((found_gradients == 0) == (gradients == 0)).all()


SMOOTH = ("linear", "softplus", "sigmoid", "tanh", "sin")  # at a kink a float32 sum may fall on the other side


@pytest.mark.parametrize("step", BOTH_STEPS)
@settings(max_examples=30)
@given(case=cases(activations=SMOOTH).filter(lambda case: case.loss.name != "hinge"))
def test_float32_makes_the_same_gradients_to_float32s_digits(step, case):
    """From the same float32 numbers: within 4096 x 2**-24 of max(S, 1e-3), because sums near 0 lose more than S shows."""
    model, (inputs, targets) = case.model("float32"), case.batch("float32")
    loss, gradients, sizes = scalar_step(model, case.loss, inputs, targets)
    found, found_gradients = step(model, case.loss, inputs, targets)
    assert found_gradients.dtype == np.float32
    assert abs(found - loss) <= 4096 * U32 * max(1.0, abs(loss))
    assert (np.abs(found_gradients - gradients) <= 4096 * U32 * np.maximum(sizes, 1e-3)).all()


@pytest.mark.parametrize("step", BOTH_STEPS)
@settings(max_examples=30)
@given(case=cases(most=6))
def test_a_batchs_gradient_is_that_of_its_samples(step, case):
    """The sum, or the mean, of the gradients of its samples alone: within 256 u S."""
    model, (inputs, targets) = case.model(), case.batch()
    loss, _, sizes = scalar_step(model, case.loss, inputs, targets)
    found, gradients = step(model, case.loss, inputs, targets)
    singles = [step(model, case.loss, inputs[i : i + 1], targets[i : i + 1]) for i in range(len(inputs))]
    parts = len(singles) if case.loss.reduce.__name__ == "mean" else 1
    added = np.sum([gradient for _, gradient in singles], axis=0) / parts
    assert (np.abs(gradients - added) <= 256 * U * sizes).all()
    assert abs(found - sum(value for value, _ in singles) / parts) <= 256 * U * max(1.0, abs(loss))


@pytest.mark.parametrize("step", BOTH_STEPS)
@settings(max_examples=30)
@given(case=cases(most=6), data=st.data())
def test_the_order_of_a_batch_does_not_matter(step, case, data):
    """Any permutation of the samples: loss within 256 u, gradients within 256 u S, zeros in the same places."""
    order = data.draw(st.permutations(range(case.samples)))
    model, (inputs, targets) = case.model(), case.batch()
    _, _, sizes = scalar_step(model, case.loss, inputs, targets)
    loss, gradients = step(model, case.loss, inputs, targets)
    found, permuted = step(model, case.loss, inputs[order], targets[order])
    assert abs(found - loss) <= 256 * U * max(1.0, abs(loss))
    assert (np.abs(permuted - gradients) <= 256 * U * sizes).all()
    assert ((permuted == 0) == (gradients == 0)).all()


# Whole trainings.


def dataset(case, samples, seed):
    """A data set of lists that fits the case's loss, with classes where the loss decides between them."""
    inputs, targets = case._replace(samples=samples, seed=seed).batch()
    targets = targets[:, 0].tolist() if targets.ndim == 2 and targets.shape[1] == 1 else targets.tolist()
    classes = {"cross_entropy": case.arguments["outputs_per_layer"][-1], "hinge": 2, "binary_cross_entropy": 2}
    return Dataset("drawn", inputs.tolist(), targets, classes.get(case.loss.name, 0))


@settings(max_examples=40)
@given(
    case=cases(most=4),
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    batch_size=st.sampled_from((None, 1, 2, 3, 7, 50)),
    seed=st.integers(0, 9),
)
def test_both_engines_train_alike(case, optimizer, batch_size, seed):
    """Three epochs: the same steps, batches, losses, rates and evaluation columns; weights within 1e-10 (eps amplifies)."""
    data, test = dataset(case, 5, seed), dataset(case, 3, seed + 1)
    model = case.model()
    twin = to_scalar(model)
    options = dict(loss=case.loss, epochs=3, batch_size=batch_size, seed=seed, test=test, evaluate_every=2)
    runs = [train(net, data, optimizer=OPTIMIZERS[optimizer](), **options) for net in (model, twin)]
    for found, wanted in zip(*runs, strict=True):
        assert (found.number, found.epoch, found.learning_rate) == (wanted.number, wanted.epoch, wanted.learning_rate)
        assert found.loss == pytest.approx(wanted.loss, rel=1e-10, abs=1e-10)
        assert found.gradient_norm == pytest.approx(wanted.gradient_norm, rel=1e-8, abs=1e-10)
        assert found.update_norm == pytest.approx(wanted.update_norm, rel=1e-7, abs=1e-10)
        assert list(found.evaluation) == list(wanted.evaluation)
        assert found.evaluation == pytest.approx(wanted.evaluation, rel=1e-9, abs=1e-9)
        assert np.allclose(model.flat, scalar_state(twin, model), rtol=1e-8, atol=1e-8)


def both_trained(optimizer, steps=50):
    """A 3-layer tanh net on real digits in both engines: the largest difference of a weight over all steps."""
    data = digits()
    few = Dataset("digits", [[x / 16.0 for x in row] for row in data.inputs[:16]], data.targets[:16], 10)
    arguments = dict(inputs=64, outputs_per_layer=[6, 6, 10], activation="tanh", seed=1)
    model, twin = MLP(**arguments), ScalarMLP(**arguments)
    order = [dict(twin.named_parameters())[name] for name in scalar_names(model)]
    options = dict(loss=cross_entropy, epochs=steps // 2, batch_size=8)
    runs = [train(net, few, optimizer=OPTIMIZERS[optimizer](), **options) for net in (model, twin)]
    largest = 0.0
    for _ in zip(*runs, strict=True):
        largest = max(largest, float(np.abs(model.flat - [parameter.data for parameter in order]).max()))
    return largest


@pytest.mark.parametrize("optimizer", ["SGD", "momentum", "Nesterov", "RMSprop", "Adam", "AdamW"])
def test_a_three_layer_net_trains_alike_for_50_steps(optimizer):
    """Real digits, float64, each optimizer: no weight ever differs by more than 1e-12."""
    assert both_trained(optimizer) <= 1e-12


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
def test_evaluation_columns_are_equal(loss):
    """Accuracies to the bit, the test loss within 1e-12: the same names, decisions and middle of the targets."""
    outputs = 3 if loss.name == "cross_entropy" else 1
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(40, 2))
    labels = {"cross_entropy": lambda: generator.integers(0, 3, 40).tolist(),
              "hinge": lambda: np.sign(inputs[:, 0]).tolist(),
              "binary_cross_entropy": lambda: (inputs[:, 0] > 0).astype(float).tolist()}.get(
                  loss.name, lambda: np.where(inputs[:, 0] > 0, 3.0, 7.0).tolist())()  # fmt: skip
    data = Dataset("drawn", inputs[:30].tolist(), labels[:30], 3 if outputs == 3 else 2)
    test = Dataset("drawn", inputs[30:].tolist(), labels[30:], data.classes)
    model = MLP(2, [5, outputs], "tanh")
    twin = to_scalar(model)
    options = dict(loss=loss, epochs=4, batch_size=7, test=test, evaluate_every=3)
    runs = [train(net, data, optimizer=OPTIMIZERS["SGD"](), **options) for net in (model, twin)]
    seen = 0
    for found, wanted in zip(*runs, strict=True):
        assert list(found.evaluation) == list(wanted.evaluation)
        for column, number in wanted.evaluation.items():
            seen += 1
            assert found.evaluation[column] == pytest.approx(number, rel=0 if "accuracy" in column else 1e-12, abs=0)
    assert seen


# The two engines page by page.


class Pair(NamedTuple):
    """What mirrors what. Names that stand on one side only have their reason; every other name, in its order, on both."""

    scalar: tuple  # pages or classes, in reading order
    array: tuple
    renamed: dict = {}  # noqa: RUF012
    only_scalar: dict = {}  # noqa: RUF012
    only_array: dict = {}  # noqa: RUF012


PAIRS = {
    "scalar": Pair(
        (scalar,), (array,), {"Value": "Array", "to_float": "to_array"},
        {"describe": "the array page takes it from the scalar page"},
        {"refuse_masked": "one number has no mask", "unbroadcast": "arrays broadcast: a share goes back to its parent's shape",
         "pointwise": "operations over many operands have a pull of their own, and this is everybody else's"},
    ),
    "Value": Pair(
        (scalar.Value,), (array.Array,), {},
        {"__float__": "an array is not one number", "_repr_svg_": "a drawing has a box for each number"},
    ),
    "many": Pair(
        (many,), (array_many,), {"dot": "matmul"}, {},
        {"pick": "one column of each row: a single sample needs an index only", "reshape": "a number has no shape",
         "softmax_costs": "the same without a graph, for the fused step",
         "labels_of": "labels are checked for a whole batch at once"},
    ),
    "Layer": Pair(
        (nn.Layer, module.Module), (array_nn.Layer,), {},
        {"config": "only the whole network is written into run.json", "all_names": "see MLP", "named_parameters": "see parts",
         "places": "names of scalar nodes", "tied": "see MLP", "parameters": "see parts",
         "zero_grad": "gradients are cleared in one pass over the model's buffer",
         "state_dict": "a part has no buffer of its own", "load_state_dict": "likewise", "summary": "it has no parts but arrays",
         "_repr_html_": "it is the summary"},
        {"activate": "value and partials at once, which the fused step needs"},
    ),
    "MLP": Pair(
        (nn.MLP, module.Module), (array_nn.MLP,), {},
        {"all_names": "no array has a second name: named_parameters() is all", "places": "names of scalar nodes",
         "describe": "an array model is part of no other"},
        {"batch": "inputs as an array of the model's dtype", "dataset": "what train asks of a model that is no Module",
         "steps": "what train asks of a model that is no Module"},
    ),
    "nn": Pair(
        (nn,), (array_nn,), {},
        {"Neuron": "a column of a layer's arrays", **dict.fromkeys(("Values", "Floats"), "a batch is converted as a whole")},
        {"to_scalar": "between the engines", "from_scalar": "between the engines"},
    ),
    "losses": Pair(
        (losses,), (array_losses,), {"Loss": "ArrayLoss"}, {"as_list": "a batch is always a table"},
        {"takes_labels": "the shape of a whole batch", "takes_numbers": "the shape of a whole batch",
         "takes_one": "the shape of a whole batch", "array_loss": "Loss.__call__: a table of known losses, else Values",
         "through_values": "a loss of one's own", "decisions": "Loss.correct for a whole batch"},
    ),
    "Loss": Pair(
        (losses.Loss,), (array_losses.ArrayLoss,), {},
        {"name": "the key is the record itself", "wants": "in the record", "takes_logits": "in the record",
         "threshold": "in the record"},
        {"takes": "the shape of a whole batch"},
    ),
    "optim": Pair(
        (optim,), (array_optim,), {"Optimizer": "ArrayOptimizer"},
        {"check_setting": "the settings are those of the scalar optimizer", **dict.fromkeys(
            ("SGDTerms", "SGD", "RMSpropTerms", "RMSprop", "AdamTerms", "Adam", "AdamW"),
            "one function for each formula, in ARITHMETIC: no terms are kept for arrays")},
        {"arithmetic": "finds that function", **dict.fromkeys(("rmsprop_factors", "adam_factors"), "what fading sums lack")},
    ),
    "Optimizer": Pair(
        (optim.Optimizer,), (array_optim.ArrayOptimizer,), {},
        {"REMEMBERS": "in the optimizer", "terms": "the function in ARITHMETIC", "config": "in the optimizer"},
        {"decayed": "weight decay without touching the gradient", "move": "what a kernel does instead",
         "faded": "sums in float32 become 0 before they are denormal"},
    ),
    "plan": Pair(
        (plan,), (array_plan,), {"dataset": "array_dataset"},
        {"Plan": "both engines share it", "describe": "shared", "make_plan": "shared"},
    ),
    "training": Pair(
        (training, measure), (array_training,),
        {"Step": "ArrayStep", "train": "array_steps", "evaluation": "array_evaluation"},
        {"loss_and_gradients": "fused.FusedStep", "collector_paused": "a step on arrays makes hardly any objects",
         "norm": "buffers.length", "batch_loss": "array_losses.array_loss", "predicted_change": "one dot product",
         "middle": "array_losses", **dict.fromkeys(("batch_rows", "Detail", "detail", "batch_graph", "named", "by_sample"),
                                                   "a batch on arrays has no edges of single numbers")},
        {"tables": "a checked data set holds arrays"},
    ),
}  # fmt: skip


NOISE = {"__module__", "__doc__", "__slots__", "__annotations__", "__dict__", "__weakref__", "__orig_bases__", "__new__",
         "__getnewargs__", "__match_args__", "__slotnames__", "__static_attributes__", "__firstlineno__"}  # fmt: skip


def members(places):
    """The names that pages define, or that classes have, in their order; private ones only where Python gives them a meaning."""
    found = []
    for place in places:
        for name, member in vars(place).items():
            at_home = isinstance(place, type) or getattr(member, "__module__", "") == place.__name__
            if isinstance(place, type):
                shown = name[0] != "_" or ((name[:2] == "__" or "_repr_" in name) and name not in NOISE)
            else:
                shown = name[0] != "_" and (isfunction(member) or isinstance(member, type))
            if at_home and shown and name not in found:
                found.append(name)
    fields = [getattr(place, "_fields", ()) for place in places if isinstance(place, type)]
    return [name for names in fields for name in names] or found


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_the_pages_mirror_each_other(pair):
    """The same public members in the same order; a difference stands in the table with its reason, and nothing else does."""
    found, mirrored = members(pair.scalar), members(pair.array)
    kept = [pair.renamed.get(name, name) for name in found if name not in pair.only_scalar]
    assert kept == [name for name in mirrored if name not in pair.only_array]
    assert pair.only_scalar.keys() | pair.renamed.keys() <= set(found) and not pair.only_scalar.keys() & set(mirrored)
    assert pair.only_array.keys() <= set(mirrored) and not pair.only_array.keys() & set(found)


def test_the_members_of_the_networks_take_the_same_arguments():
    """Names and order of the parameters; dtype is the arrays' own, and one batch stands where one sample stood."""
    for name in members((nn.MLP, module.Module)):
        if name not in PAIRS["MLP"].only_scalar:
            found, wanted = ([*signature(getattr(kind, name)).parameters] for kind in (MLP, nn.MLP))
            assert [parameter for parameter in found if parameter != "dtype"] == wanted


def test_the_steps_of_training_mirror_each_other():
    """What a Step has an ArrayStep has, in the same order; what would be a copy of every number is a view of a buffer."""
    only_scalar = {"names": "model.arrays", "before": "model.flat less the update", "gradients": "model.flat_grad",
                   "terms": "optimizer.update", "after": "model.flat", "chain": "no edges of single numbers",
                   "by_sample": "likewise"}  # fmt: skip
    only_array = {"fused", "optimizer", "start", "model"}
    made = next(train(MLP(1, [1]), ([[1.0]], [0.0]), loss=losses.mse, optimizer=OPTIMIZERS["SGD"]()))
    found = [name for name in vars(made) if not name.startswith("_") and name not in only_array]
    assert found == [name for name in training.Step._fields if name not in only_scalar]


def test_every_optimizer_has_arithmetic_on_arrays():
    """One function for each formula of optim.py, in its order."""
    assert list(array_optim.ARITHMETIC) == list(dict.fromkeys(kind.terms for kind in optim.OPTIMIZERS.values()))
