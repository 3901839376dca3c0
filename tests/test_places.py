"""Names by place: in a graph that is shown every neuron is called by where it stands, and training names nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite import MLP, SGD, Layer, Neuron, Value, mse, train
from micrograd_lite.architecture import ACTIVATIONS
from micrograd_lite.graph import node_names
from micrograd_lite.module import Module
from micrograd_lite.plan import make_plan
from micrograd_lite.training import batch_graph

INPUTS, TARGETS = [[0.5, -1.0], [1.0, 2.0]], [1.0, -1.0]


def shown(model, loss=mse, inputs=INPUTS, targets=TARGETS):
    """The names of the graph of one batch, with the number under each."""
    rest = dict.fromkeys(("epochs", "batch_size", "test", "evaluate_every", "parameters", "change_every"))
    plan = make_plan(model=model, data=(inputs, targets), loss=loss, optimizer=SGD(0.1), shuffle=False, seed=0,
                     chain_rule=[], by_sample=[], **rest)  # fmt: skip
    root = batch_graph(plan, list(zip(plan.training.inputs, plan.training.targets)))
    return {name: node.data for node, name in node_names(root).items()}


def test_every_node_of_a_network_but_the_losses_own_has_a_name():
    """Parameters, inputs, targets, sums, neurons, costs and the loss; output minus target and its exponent go by rank."""
    names = shown(MLP(2, [2, 1], activation="tanh"), inputs=INPUTS[:1], targets=TARGETS[:1])
    assert [name for name in names if name[0] != "v"] == [
        *(f"layer{layer}.neuron{neuron}.{part}" for layer, neuron in ((0, 0), (0, 1), (1, 0)) for part in ("w0", "w1", "b")),
        "sample0.x0", "sample0.x1",
        "sample0.layer0.neuron0.sum", "sample0.layer0.neuron0", "sample0.layer0.neuron1.sum", "sample0.layer0.neuron1",
        "sample0.layer1.neuron0", "sample0.y", "sample0.cost", "loss",
    ]  # fmt: skip
    assert [name for name in names if name[0] == "v"] == ["v17", "v18"]


@given(activation=st.sampled_from(sorted(ACTIVATIONS)), output=st.sampled_from(sorted(ACTIVATIONS)), seed=st.integers(0, 9))
def test_a_neurons_name_has_its_answer_in_each_sample(activation, output, seed):
    """Whatever its activation; the sum before it has a name of its own, unless there is no activation."""
    net = MLP(2, [3, 1], activation=activation, output=output, seed=seed)
    names = shown(net)
    for sample, inputs in enumerate(INPUTS):
        answers = inputs
        for number, layer in enumerate(net.layers):
            answers = layer.predict(answers)
            kind = (activation, output)[number]
            for place, answer in enumerate(answers):
                name = f"sample{sample}.layer{number}.neuron{place}"
                assert names[name] == answer and (f"{name}.sum" in names) == (kind != "linear")


@pytest.mark.parametrize("model, name", [
    (Neuron([1.0, 2.0], "tanh"), "sample1.neuron"), (Layer([[1.0], [2.0]], "tanh"), "sample1.neuron0"),
])  # fmt: skip
def test_a_neuron_or_a_layer_alone_has_a_place_too(model, name):
    """Its parameters get the names that the model has for them."""
    names = shown(model if isinstance(model, Neuron) else Single(model))
    name = name if isinstance(model, Neuron) else name.replace("neuron0", "layer.neuron0")
    assert {name, f"{name}.sum"} <= names.keys()
    assert {"w0", "b"} <= {known.rpartition(".")[2] for known in names}


class Single(Module):
    """A model of one's own with a layer in it."""

    def __init__(self, layer):
        self.layer = layer

    def parts(self):
        return [("layer", self.layer)]

    def __call__(self, inputs):
        return self.layer(inputs)[0]


class Own(Module):
    """Without layers; the node `hidden` has a label, and `twice` is a label of two nodes."""

    def __init__(self):
        self.w, self.kept = Value(2.0), Value(1.0) + 1.0
        self.kept.label = "kept"

    def parts(self):
        return [("w", self.w)]

    def __call__(self, inputs):
        hidden = self.w * inputs[0]
        hidden.label = "hidden"
        one, other = hidden * 1.0, hidden * 2.0
        one.label = other.label = "twice"
        return (one + other) * self.kept


def test_labels_of_the_model_stay_behind_the_sample():
    """One that two nodes have names neither; a node that was there before belongs to no sample."""
    names = shown(Own())
    inner = {name for name in names if name[0] != "v" and name.split(".")[-1] not in ("x0", "x1", "y")}
    assert inner == {"w", "kept", "sample0.hidden", "sample1.hidden", "sample0.cost", "sample1.cost", "loss"}


class Shared(Module):
    """One neuron, used twice."""

    def __init__(self):
        self.neuron = Neuron([1.0, -1.0], "tanh")

    def parts(self):
        return [("first", self.neuron), ("second", self.neuron)]

    def __call__(self, inputs):
        return self.neuron(inputs) + self.neuron(inputs[::-1])


def test_a_neuron_that_is_used_twice_in_a_sample_goes_by_rank():
    """Its name would be that of two nodes."""
    assert not any("first" in name or "second" in name for name in shown(Shared()) if name.startswith("sample"))


def test_training_names_nothing():
    """Labels are given where a graph is built to be shown, at the steps chosen for it."""
    costs = []

    def sample(output, target):
        costs.append(mse.sample(output, target))
        return costs[-1]

    for _ in train(MLP(2, [2, 1]), (INPUTS, TARGETS), loss=mse._replace(sample=sample), optimizer=SGD(0.1), epochs=2,
                   chain_rule=[2]):  # fmt: skip
        pass
    assert ["cost" in cost.label for cost in costs] == [False] * 4 + [True] * 2
    assert all(node.label == "" for cost in costs[:4] for node in node_names(cost) if node.parents)
