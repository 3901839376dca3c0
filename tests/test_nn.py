"""The network pages: names, initial weights, what a neuron computes, and that a model never loses or invents a number."""

import copy
import math
import pickle
import random
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite import nn
from micrograd_lite.architecture import INITS, RELU_FAMILY
from micrograd_lite.check import check_gradients
from micrograd_lite.data import moons
from micrograd_lite.graph import births, oldest_first
from micrograd_lite.module import Module
from micrograd_lite.nn import ACTIVATIONS, MLP, Layer, Neuron
from micrograd_lite.scalar import Value

EVERYDAY = st.floats(-8, 8)
ANY = st.floats()


def bits(numbers):
    """Numbers as text that differs when a single bit does, the sign of zero included."""
    return [repr(float(number)) for number in numbers]


def as_list(outputs):
    return outputs if isinstance(outputs, list) else [outputs]


def nodes_made(run):
    """How many nodes are born while `run()` runs."""
    before = next(births)
    run()
    return next(births) - before - 1


def scrambled(model, seed):
    """The same model with every parameter, biases and slopes included, drawn anew."""
    generator = random.Random(seed)
    for parameter in model.parameters():
        parameter.data = generator.gauss(0.0, 1.5)
    return model


@st.composite
def models(draw):
    """MLPs of every shape, mixture of activations, with and without biases, with arbitrary parameters."""
    widths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    names = [draw(st.sampled_from(ACTIVATIONS)) for _ in widths[1:]]
    model = MLP(widths[0], widths[1:], names[:-1], names[-1], bias=draw(st.booleans()))
    return scrambled(model, draw(st.integers(0, 999)))


@st.composite
def models_with_inputs(draw, numbers):
    model = draw(models())
    width = model.config()["inputs"]
    return model, draw(st.lists(numbers, min_size=width, max_size=width))


# --- names -----------------------------------------------------------------------------------------------------------


def test_a_parameter_is_named_by_its_path():
    """Layer by layer, neuron by neuron: weights in the order of the inputs, then the bias, then a learned slope."""
    assert [name for name, _ in MLP(2, [2, 1], "prelu").named_parameters()] == [
        "layer0.neuron0.w0", "layer0.neuron0.w1", "layer0.neuron0.b", "layer0.neuron0.slope",
        "layer0.neuron1.w0", "layer0.neuron1.w1", "layer0.neuron1.b", "layer0.neuron1.slope",
        "layer1.neuron0.w0", "layer1.neuron0.w1", "layer1.neuron0.b",
    ]  # fmt: skip


def test_without_a_bias_there_is_no_b():
    """bias=False leaves the weights alone, and they keep their names."""
    assert list(MLP(2, [1, 1], bias=False).state_dict()) == ["layer0.neuron0.w0", "layer0.neuron0.w1", "layer1.neuron0.w0"]


@given(model=models())
def test_every_parameter_carries_its_name_as_label(model):
    """So a trace can name a leaf without knowing the model; parameters() is in the order of the names."""
    assert all(parameter.label == name for name, parameter in model.named_parameters())
    assert model.parameters() == [parameter for _, parameter in model.named_parameters()]
    assert len(set(model.parameters())) == len(model.parameters())


def test_a_weight_is_where_its_name_says():
    """layer0.neuron1.w0 is the first weight of the second neuron of the first layer, and weights[0][1] of its table."""
    model = MLP(2, [3, 1], init=[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[7.0], [8.0], [9.0]]])
    assert model.layers[0].neurons[1].w[0].label == "layer0.neuron1.w0"
    assert {name: number for name, number in model.state_dict().items() if ".w" in name} == {
        "layer0.neuron0.w0": 1.0, "layer0.neuron0.w1": 4.0,
        "layer0.neuron1.w0": 2.0, "layer0.neuron1.w1": 5.0,
        "layer0.neuron2.w0": 3.0, "layer0.neuron2.w1": 6.0,
        "layer1.neuron0.w0": 7.0, "layer1.neuron0.w1": 8.0, "layer1.neuron0.w2": 9.0,
    }  # fmt: skip


# --- architecture ----------------------------------------------------------------------------------------------------


def test_hidden_layers_take_one_activation_or_one_each():
    """One name serves all hidden layers; a list gives one to each; the last layer has its own."""

    def kinds(model):
        return [layer.neurons[0].activation for layer in model.layers]

    assert kinds(MLP(2, [3, 3, 1])) == ["relu", "relu", "linear"]
    assert kinds(MLP(2, [3, 3, 1], "tanh", "sigmoid")) == ["tanh", "tanh", "sigmoid"]
    assert kinds(MLP(2, [3, 3, 1], ["sin", "elu"], "softplus")) == ["sin", "elu", "softplus"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(inputs=2, outputs_per_layer=[3, 1], activation=["relu", "relu"]), "1 hidden layers need 1 names"),
        (dict(inputs=2, outputs_per_layer=[3, 3, 1], activation=["relu"]), "2 hidden layers need 2 names"),
        (dict(inputs=2, outputs_per_layer=[1], activation=["relu"]), "0 hidden layers need 0 names"),
        (dict(inputs=2, outputs_per_layer=[]), "widths"),
        (dict(inputs=0, outputs_per_layer=[1]), "at least 1"),
        (dict(inputs=2, outputs_per_layer=[3, -1]), "at least 1"),
        (dict(inputs=2, outputs_per_layer=[2.0]), "whole numbers"),
        (dict(inputs="2", outputs_per_layer=[2]), "whole numbers"),
        (dict(inputs=True, outputs_per_layer=[2]), "whole numbers"),
        (dict(inputs=2, outputs_per_layer=3), "widths|outputs_per_layer"),
        (dict(inputs=2, outputs_per_layer=[2, 1], activation=None), "activation"),
        (dict(inputs=2, outputs_per_layer=[1], seed=None), "seed"),
        (dict(inputs=2, outputs_per_layer=[1], activation="typo"), "unknown activation 'typo'"),
        (dict(inputs=2, outputs_per_layer=[2, 1], activation="typo"), "unknown activation 'typo'"),
        (dict(inputs=2, outputs_per_layer=[1], output="typo"), "unknown activation 'typo'"),
        (dict(inputs=2, outputs_per_layer=[1], init="typo"), "unknown init 'typo'"),
    ],
)
def test_an_architecture_that_cannot_be_built_is_refused(arguments, words):
    """ValueError or TypeError with a sentence that says which argument is wrong."""
    with pytest.raises((ValueError, TypeError), match=words):
        MLP(**arguments)


@pytest.mark.parametrize("kind, known", [("activation", ACTIVATIONS), ("init", INITS)])
def test_an_unknown_name_is_answered_with_the_known_ones(kind, known):
    """The error lists every choice, and the closest one when there is one that is close."""
    wrong = {"activation": "sigmoyd", "init": "glorott"}[kind]
    meant = {"activation": "sigmoid", "init": "glorot"}[kind]
    with pytest.raises(ValueError) as caught:
        MLP(2, [2, 1], **{kind: wrong})
    assert ", ".join(known) in str(caught.value) and f"did you mean {meant!r}?" in str(caught.value)
    with pytest.raises(ValueError) as caught:
        MLP(2, [2, 1], **{kind: "qqqq"})
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("call", ["__call__", "predict"])
@pytest.mark.parametrize("make", [lambda: Neuron([1.0, 2.0]), lambda: Layer([[1.0], [2.0]]), lambda: MLP(2, [2, 1])])
def test_a_wrong_number_of_inputs_is_a_sentence(make, call):
    """With or without a graph, the error says how many were needed, how many came, and what to do."""
    with pytest.raises(ValueError, match="2 weights but was given 3 inputs; build the MLP with 3 inputs"):
        getattr(make(), call)([1.0, 2.0, 3.0])


def test_the_last_width_decides_the_kind_of_output():
    """One output is a Value, as in micrograd; more are a list. predict does the same with floats."""
    assert type(MLP(2, [3, 1])([1.0, 2.0])) is Value
    assert [type(output) for output in MLP(2, [3, 2])([1.0, 2.0])] == [Value, Value]
    assert type(MLP(2, [3, 1]).predict([1.0, 2.0])) is float
    assert [type(output) for output in MLP(2, [3, 2]).predict([1.0, 2.0])] == [float, float]


def test_a_hidden_layer_may_be_one_neuron_wide():
    """3 * tanh(2 * x), through a layer of width one."""
    model = MLP(1, [1, 1], "tanh", init=[[[2.0]], [[3.0]]])
    assert model([0.25]).data == model.predict([0.25]) == 3.0 * math.tanh(0.5)


# --- initial weights -------------------------------------------------------------------------------------------------

DRAWN_BY_HAND = {
    "he": lambda generator, inputs, outputs: generator.gauss(0.0, math.sqrt(2.0 / inputs)),
    "glorot": lambda generator, inputs, outputs: (2.0 * generator.random() - 1.0) * math.sqrt(6.0 / (inputs + outputs)),
    "uniform": lambda generator, inputs, outputs: 2.0 * generator.random() - 1.0,
    "normal": lambda generator, inputs, outputs: generator.gauss(0.0, 1.0),
    "zeros": lambda generator, inputs, outputs: 0.0,
}
"""The five inits written out again: U(-1, 1) is 2 * U(0, 1) - 1."""


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_weights_are_drawn_in_the_order_of_their_names(init, seed):
    """One generator, seeded once: layer by layer, neuron by neuron, input by input; biases start at 0, slopes at 1/4."""
    widths = [3, 4, 2]
    generator, expected = random.Random(seed), {}
    for layer, (inputs, outputs) in enumerate(pairwise(widths)):
        for neuron in range(outputs):
            for index in range(inputs):
                expected[f"layer{layer}.neuron{neuron}.w{index}"] = DRAWN_BY_HAND[init](generator, inputs, outputs)
            expected[f"layer{layer}.neuron{neuron}.b"] = 0.0
            expected[f"layer{layer}.neuron{neuron}.slope"] = 0.25
    state = MLP(3, [4, 2], "prelu", "prelu", init=init, seed=seed).state_dict()
    assert list(state) == list(expected)
    # 1 ulp of 2: random.uniform(-1, 1) is -1 + 2 * U, here 2 * U - 1
    assert list(state.values()) == pytest.approx(list(expected.values()), rel=0, abs=2.0**-52)


@pytest.mark.parametrize(
    "init, variance, bound",
    [
        ("he", 2.0 / 100, math.inf),
        ("glorot", 6.0 / 150 / 3.0, math.sqrt(6.0 / 150)),
        ("uniform", 1.0 / 3.0, 1.0),
        ("normal", 1.0, math.inf),
        ("zeros", 0.0, 0.0),
    ],
)
def test_weights_have_the_moments_of_their_distribution(init, variance, bound):
    """Mean 0 and the named variance, within 5 standard errors of 5,000 draws; uniform ones stay inside their bounds."""
    weights = [number for name, number in MLP(100, [50], init=init, seed=7).state_dict().items() if ".w" in name]
    assert len(weights) == 5000
    mean = math.fsum(weights) / 5000
    measured = math.fsum((weight - mean) ** 2 for weight in weights) / 5000
    assert abs(mean) <= 5 * math.sqrt(variance / 5000)
    assert abs(measured - variance) <= 5 * variance * math.sqrt(2.0 / 5000)  # a normal's; a uniform's is smaller
    assert max(map(abs, weights)) <= bound


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_activation_chooses_the_init(activation):
    """Without a name: he for the relu family, glorot for the rest, layer by layer."""
    by_hand = "he" if activation in ("relu", "leaky_relu", "prelu", "elu", "softplus") else "glorot"
    chosen = MLP(3, [5], output=activation, seed=3).state_dict()
    assert chosen == MLP(3, [5], output=activation, seed=3, init=by_hand).state_dict()
    assert (activation in RELU_FAMILY) == (by_hand == "he")


def test_seeds_decide_and_the_global_generator_is_left_alone():
    """Same seed, same weights; another seed, others; and the state of `random` is neither read nor moved."""
    random.seed(1)
    before = random.getstate()
    first = MLP(2, [3, 1], seed=5).state_dict()
    assert random.getstate() == before
    random.seed(2)
    assert MLP(2, [3, 1], seed=5).state_dict() == first
    assert MLP(2, [3, 1], seed=6).state_dict() != first


@pytest.mark.parametrize(
    "init",
    [
        [[[1.0], [2.0]]],  # one table for two layers
        [[[1.0], [2.0]], [[1.0]], [[1.0]]],  # three
        [[[1.0]], [[1.0]]],  # one input row for two inputs
        [[[1.0, 2.0]], [[1.0]]],  # transposed
        [[[1.0], [2.0, 3.0]], [[1.0]]],  # ragged
        [[], [[1.0]]],
        [[1.0, 2.0], [[1.0]]],  # a vector where a table belongs
        [1.0, 2.0],
        3,
        {0: [[1.0], [2.0]], 1: [[1.0]]},
    ],
)
def test_explicit_weights_of_another_shape_are_refused(init):
    """The sentence starts with the argument's name: nothing is broadcast, cut or transposed."""
    with pytest.raises((ValueError, TypeError), match=r"^init"):
        MLP(2, [1, 1], init=init)


def test_a_ragged_layer_is_refused():
    """Layer([[1, 2], [3]]) has no second weight for its second neuron: a ValueError, not a smaller layer."""
    with pytest.raises(ValueError):
        Layer([[1.0, 2.0], [3.0]])


# --- what is computed ------------------------------------------------------------------------------------------------


@given(case=models_with_inputs(ANY))
def test_predict_is_the_graph_without_the_graph(case):
    """Bit for bit the value of the graph, for any float at all, and not one node is born."""
    model, inputs = case
    predictions = []
    assert nodes_made(lambda: predictions.append(model.predict(inputs))) == 0
    assert bits(as_list(predictions[0])) == bits(as_list(model(inputs)))


@pytest.mark.parametrize("kind", ["float32", "float64", "int8", "bool_"])
def test_predict_takes_numpy_scalars_as_the_graph_does(kind):
    """They become Python floats first: the same bits as the graph's, and a Python float comes out."""
    numpy = pytest.importorskip("numpy")
    inputs = [getattr(numpy, kind)(0.1), getattr(numpy, kind)(1.0)]
    model = MLP(2, [3, 1])
    assert type(model.predict(inputs)) is float
    assert bits([model.predict(inputs)]) == bits([model(inputs)])


@pytest.mark.parametrize(
    "bias, activation, nodes", [(True, "relu", 2), (False, "tanh", 2), (True, "linear", 1), (True, "prelu", 2)]
)
def test_a_neuron_is_one_dot_and_one_activation(bias, activation, nodes):
    """Two nodes, one for a linear neuron; inputs that are Values are used as they are."""
    neuron, inputs = Neuron([0.5, -0.25], activation, bias), [Value(1.0), Value(2.0)]
    assert nodes_made(lambda: neuron(inputs)) == nodes
    output = neuron(inputs)
    made = [node.rule.name for node in oldest_first(output) if node.rule]
    assert made == ["dot", activation][:nodes]


def test_plain_inputs_are_wrapped_once_for_a_whole_layer():
    """Two numbers into three neurons: two leaves, three dots, three activations."""
    layer = Layer([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "tanh")
    assert nodes_made(lambda: layer([1.0, 2.0])) == 2 + 3 + 3


def written_out(neuron, inputs):
    """activation(bias + w0*x0 + w1*x1 + ...), one node per operation, as a user would write it."""
    total = neuron.b if neuron.b is not None else Value(0.0)
    for weight, x in zip(neuron.w, inputs):
        total = total + weight * x
    if neuron.activation == "linear":
        return total
    return total.prelu(neuron.slope) if neuron.slope is not None else getattr(total, neuron.activation)()


@given(case=models_with_inputs(EVERYDAY))
def test_a_network_has_the_bits_of_its_sums_written_out(case):
    """Value, every parameter's gradient and every input's: the same bits as one node per addition and product."""
    model, numbers = case
    found = []
    for layer_of in (lambda layer, inputs: layer(inputs), lambda layer, inputs: [written_out(n, inputs) for n in layer.neurons]):
        model.zero_grad()
        outputs = inputs = [Value(number) for number in numbers]
        for layer in model.layers:
            outputs = layer_of(layer, outputs)
        total = outputs[0]
        for output in outputs[1:]:
            total = total + output
        (total * total).backward()
        found.append(bits([total.data, *(leaf.grad for leaf in (*model.parameters(), *inputs))]))
    assert found[0] == found[1]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_networks_slopes_are_those_of_central_differences(activation):
    """A smoke test through two layers, biases and slopes included; the point is away from kinks."""
    model = scrambled(MLP(2, [3, 1], activation), 4)

    def output(*parameters):
        names = dict(zip(model.state_dict(), parameters))
        copied = copy.deepcopy(model)
        for layer, made in zip(copied.layers, ("layer0", "layer1")):
            for index, neuron in enumerate(layer.neurons):
                path = f"{made}.neuron{index}."
                neuron.w = [names[f"{path}w{i}"] for i in range(len(neuron.w))]
                neuron.b, neuron.slope = names[path + "b"], names.get(path + "slope")
        return copied([0.7, -0.3])

    check_gradients(output, *model.state_dict().values())


# --- Module ----------------------------------------------------------------------------------------------------------


def test_a_tied_weight_is_listed_once():
    """Under the first of its names; its gradient is the sum of both uses; a state has its number under every name."""
    model = MLP(1, [1, 1], "linear", bias=False, init=[[[3.0]], [[5.0]]])
    model.layers[1].neurons[0].w[0] = model.layers[0].neurons[0].w[0]
    assert [name for name, _ in model.named_parameters()] == ["layer0.neuron0.w0"]
    output = model([2.0])
    output.backward()
    assert (output.data, model.parameters()[0].grad) == (18.0, 12.0)  # w*w*x, slope 2*w*x
    assert model.state_dict() == {"layer0.neuron0.w0": 3.0, "layer1.neuron0.w0": 3.0}
    assert "total" in model.summary() and model.summary().splitlines()[-1].split() == ["total", "1"]


def test_a_state_that_unties_a_weight_is_refused():
    """Two numbers for one weight cannot both be kept: ValueError, and nothing has changed."""
    model = MLP(1, [1, 1], "linear", bias=False, init=[[[3.0]], [[5.0]]])
    model.layers[1].neurons[0].w[0] = model.layers[0].neurons[0].w[0]
    with pytest.raises(ValueError):
        model.load_state_dict({"layer0.neuron0.w0": 1.0, "layer1.neuron0.w0": 2.0})
    assert model.parameters()[0].data == 3.0


def test_zero_grad_forgets_and_backward_accumulates():
    """Twice backward without zero_grad is twice the gradient."""
    model = MLP(2, [2, 1], "tanh")
    model([1.0, 2.0]).backward()
    once = [parameter.grad for parameter in model.parameters()]
    model([1.0, 2.0]).backward()
    assert [parameter.grad for parameter in model.parameters()] == [2.0 * grad for grad in once]
    model.zero_grad()
    assert {parameter.grad for parameter in model.parameters()} == {0.0}


@given(model=models(), numbers=st.randoms(use_true_random=False))
def test_a_state_goes_round(model, numbers):
    """state_dict, change everything, load_state_dict: the same bits, non-finite ones too; the state is a copy."""
    for parameter in model.parameters():
        parameter.data = numbers.choice([numbers.gauss(0, 1), math.nan, math.inf, -0.0, 5e-324])
    state = model.state_dict()
    before = bits(state.values())
    scrambled(model, 1)
    assert bits(state.values()) == before
    model.load_state_dict(state)
    assert bits(model.state_dict().values()) == before


GOOD = MLP(1, [1, 1]).state_dict()


@pytest.mark.parametrize(
    "state, error, words",
    [
        ({}, ValueError, "0 parameters, this model 4, and 'layer0.neuron0.w0' is missing"),
        ({**GOOD, "layer9.neuron0.w0": 1.0}, ValueError, "'layer9.neuron0.w0' is unknown"),
        ({**GOOD, "layer1.neuron0.b": "1"}, TypeError, "str"),
        ({**GOOD, "layer1.neuron0.b": None}, TypeError, "NoneType"),
        ({**GOOD, "layer1.neuron0.b": 10**400}, ValueError, "too large"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(state, error, words):
    """Not even the parameters before the wrong one."""
    model = scrambled(MLP(1, [1, 1]), 3)
    before = model.state_dict()
    with pytest.raises(error, match=words):
        model.load_state_dict({name: state[name] for name in sorted(state)})
    assert model.state_dict() == before


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"])
@given(case=models_with_inputs(EVERYDAY))
def test_a_copied_model_computes_the_same_and_shares_nothing(copied, case):
    """Names, numbers, gradients and predictions are equal; changing the copy leaves the original alone."""
    model, inputs = case
    as_list(model(inputs))[0].backward()
    twin = copied(model)
    assert bits(twin.state_dict().values()) == bits(model.state_dict().values())
    assert bits(parameter.grad for parameter in twin.parameters()) == bits(parameter.grad for parameter in model.parameters())
    assert [parameter.label for parameter in twin.parameters()] == list(model.state_dict()) == list(twin.state_dict())
    assert bits(as_list(twin(inputs))) == bits(as_list(model(inputs)))
    before = bits(model.state_dict().values())
    scrambled(twin, 8)
    assert bits(model.state_dict().values()) == before


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"])
def test_a_copied_model_keeps_its_ties(copied):
    """Two uses of one weight are still one weight in the copy."""
    model = MLP(1, [1, 1], bias=False)
    model.layers[1].neurons[0].w[0] = model.layers[0].neurons[0].w[0]
    assert len(copied(model).parameters()) == 1


def test_the_summary_counts_by_hand():
    """10 * 64 + 64 and 64 * 10 + 10: 1,354 parameters."""
    assert MLP(10, [64, 10]).summary() == (
        "part    what it is              parameters\n"
        "------------------------------------------\n"
        "layer0  10 inputs -> 64 relu           704\n"
        "layer1  64 inputs -> 10 linear         650\n"
        "------------------------------------------\n"
        "total                                1,354"
    )


@given(model=models())
def test_the_summary_adds_up(model):
    """The parts' counts add up to the total, and lines are equally wide."""
    lines = model.summary().splitlines()
    counts = [int(line.split()[-1].replace(",", "")) for line in lines[2:-2] + lines[-1:]]
    assert counts[-1] == len(model.parameters()) == len(model.state_dict())
    remaining = counts.pop()
    for count in counts:
        remaining -= count
    assert remaining == 0
    assert len(set(map(len, lines))) == 1


class Line(Module):
    """A module of a user's own: a slope, and a part that is itself a module."""

    def __init__(self):
        self.steepness, self.rest = Value(2.0), Neuron([3.0], "tanh")

    def __call__(self, x):
        return self.steepness * self.rest([x])

    def parts(self):
        return [("steepness", self.steepness), ("rest", self.rest)]


def test_your_own_module_says_its_parts_and_the_rest_follows():
    """Names, zero_grad, states and the summary come from parts() alone."""
    module = Line()
    assert [name for name, _ in module.named_parameters()] == ["steepness", "rest.w0", "rest.b"]
    module(0.5).backward()
    assert module.steepness.grad == math.tanh(1.5)
    module.zero_grad()
    assert module.steepness.grad == 0.0
    module.load_state_dict({"steepness": 7, "rest.w0": 1, "rest.b": 0})
    assert module.state_dict() == {"steepness": 7.0, "rest.w0": 1.0, "rest.b": 0.0}
    assert [line.split()[0] for line in module.summary().splitlines()[2:-2]] == ["steepness", "rest"]
    assert Module().parameters() == []


# --- drop-in for micrograd -------------------------------------------------------------------------------------------


def micrograd_loop(model, wrap, steps):
    """The training loop of micrograd's demo notebook, word for word except for the data: svm loss, L2, SGD by hand."""
    X, y = moons(20, seed=1)[1:3]
    losses_seen = []
    for k in range(steps):
        inputs = [list(map(wrap, xrow)) for xrow in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores)]
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        losses_seen.append(total_loss.data)
    return losses_seen, accuracy.count(True) / len(accuracy)


def test_micrograds_own_training_loop_works():
    """Its demo, unchanged, learns the moons."""
    losses, accuracy = micrograd_loop(MLP(2, [16, 16, 1], init="uniform", seed=1337), Value, 60)
    assert losses[-1] < 0.2 * losses[0] and accuracy >= 0.95


def test_micrograd_itself_takes_the_same_steps():
    """From the same weights, 5 steps of both packages; 1e-9: they add in different orders."""
    engine = pytest.importorskip("micrograd.engine")
    nn = pytest.importorskip("micrograd.nn")
    theirs, ours = nn.MLP(2, [4, 1]), MLP(2, [4, 1], init="uniform", seed=3)
    for mine, yours in zip(ours.parameters(), theirs.parameters(), strict=True):
        yours.data = mine.data
    assert micrograd_loop(ours, Value, 5)[0] == pytest.approx(micrograd_loop(theirs, engine.Value, 5)[0], rel=1e-9)


def test_a_layer_and_a_neuron_stand_alone():
    """A Layer and a Neuron are modules too: they call, predict and name their parameters by themselves."""
    layer = Layer([[1.0, -1.0], [0.5, 0.25]], "relu", bias=False)
    assert [output.data for output in layer([2.0, 4.0])] == layer.predict([2.0, 4.0]) == [4.0, 0.0]
    assert list(layer.state_dict()) == ["neuron0.w0", "neuron0.w1", "neuron1.w0", "neuron1.w1"]
    assert list(Neuron([1.0], "prelu").state_dict()) == ["w0", "b", "slope"]


@pytest.mark.parametrize("kind, call", [("operand", "__call__"), ("to_float", "predict")])
def test_a_layer_converts_its_inputs_once_for_all_its_neurons(kind, call, monkeypatch):
    """Three neurons look at two inputs: two conversions, with and without a graph; a Neuron on its own makes two as well."""
    converted, convert = [], getattr(nn, kind)
    monkeypatch.setattr(nn, kind, lambda x: converted.append(x) or convert(x))
    for made in (Layer([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), Neuron([1.0, 2.0])):
        getattr(made, call)([0.5, 1])
        assert converted == [0.5, 1]
        converted.clear()


class Pair(Module):
    """Two parts under names of the test's choice."""

    def __init__(self, first, second):
        self.named = [first, second]

    def parts(self):
        return self.named


@pytest.mark.parametrize("parts", [
    [("w", Value(1.0)), ("w", Value(2.0))], [("unit", Neuron([1.0])), ("unit", Neuron([2.0]))],
    [("unit", Neuron([1.0])), ("unit.w0", Value(2.0))],
], ids=["values", "modules", "a dotted name"])  # fmt: skip
def test_two_parameters_of_one_name_are_refused(parts):
    """A dictionary of weights could hold only one of them: nobody loses the other in silence."""
    for ask in (Module.named_parameters, Module.state_dict, Module.parameters, Module.zero_grad, Module.summary):
        with pytest.raises(ValueError, match=r"^two parameters of this Pair are named '(w|unit\.w0)'; give its parts\(\) diff"):
            ask(Pair(*parts))


def test_one_parameter_may_stand_twice_under_one_name():
    """Nothing is lost by it."""
    w = Value(1.0)
    assert Pair(("w", w), ("w", w)).state_dict() == {"w": 1.0}


@pytest.mark.parametrize("make", [
    lambda bias: MLP(2, [1], bias=bias), lambda bias: Layer([[1.0]], bias=bias), lambda bias: Neuron([1.0], bias=bias),
], ids=["MLP", "Layer", "Neuron"])  # fmt: skip
@pytest.mark.parametrize("bias", ["no", "False", None, 0, 1.0], ids=repr)
def test_a_bias_is_true_or_false(make, bias):
    """Every text is true in Python: bias="no" would have made one."""
    with pytest.raises(TypeError, match=f"^bias must be True or False, got {bias!r}$"):
        make(bias)


@pytest.mark.parametrize("weight, error, told", [
    (math.nan, ValueError, "is nan; every weight must be finite"), (math.inf, ValueError, "is inf; every weight must be finite"),
    ("1", TypeError, ": a Value holds one real number, got str"), (10**400, ValueError, ": .* this int is too large for one"),
], ids=str)  # fmt: skip
def test_explicit_weights_are_finite_numbers(weight, error, told):
    """A NaN in a table of weights is named by its place, before anything is trained."""
    with pytest.raises(error, match=f"^init: the weight in row 1, column 0 ?{told}$"):
        MLP(2, [1], init=[[[1.0], [weight]]])


def test_explicit_weights_of_any_kind_become_floats():
    """Whole numbers and Fractions too."""
    model = MLP(2, [1], init=[[[1], [Fraction(1, 4)]]])
    assert [repr(number) for number in model.state_dict().values()] == ["1.0", "0.25", "0.0"]
