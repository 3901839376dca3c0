"""Saved models: what is read back is what was written, to the bit, and a file that is no model says so in a sentence."""

import json
import math
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_lite.nn import ACTIVATIONS, MLP


def bits(model):
    return {name: repr(number) for name, number in model.state_dict().items()}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("models") / "model.json"


@settings(max_examples=40)
@given(
    widths=st.lists(st.integers(1, 3), min_size=2, max_size=4),
    names=st.lists(st.sampled_from(ACTIVATIONS), min_size=3, max_size=3),
    bias=st.booleans(),
    seed=st.integers(0, 9),
    data=st.data(),
)
def test_a_model_goes_round_to_the_bit(path, widths, names, bias, seed, data):
    """Architecture, names and any float at all as a parameter: NaN, infinities, -0.0 and denormals too."""
    hidden = len(widths) - 2
    model = MLP(widths[0], widths[1:], names[:hidden], names[-1], bias=bias, seed=seed)
    for parameter in model.parameters():
        parameter.data = data.draw(st.floats())
    model.save(path)
    loaded = MLP.load(path)
    assert bits(loaded) == bits(model)
    assert loaded.config() == model.config()
    assert [parameter.label for parameter in loaded.parameters()] == list(model.state_dict())


@pytest.mark.parametrize("init", [None, "uniform", [[[1.0], [2.0]]]])
def test_the_origin_of_the_weights_is_kept(path, init):
    """config()["init"] says how they were drawn; explicit weights are `explicit`; loading draws nothing."""
    model = MLP(2, [1], init=init)
    model.save(path)
    assert MLP.load(path).config() == model.config()
    assert bits(MLP.load(path)) == bits(model)


def test_the_file_is_json_for_people(path):
    """Valid JSON even with numbers that JSON lacks; the same model gives the same bytes."""
    model = MLP(1, [1])
    model.parameters()[0].data, model.parameters()[1].data = math.nan, -math.inf
    model.save(path)

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    record = json.loads(path.read_text(), parse_constant=refuse)
    assert record["parameters"] == {"layer0.neuron0.w0": "NaN", "layer0.neuron0.b": "-inf"}
    first = path.read_bytes()
    model.save(str(path))
    assert path.read_bytes() == first and first.endswith(b"\n")


def record(**changes):
    """A good model file as a dict, with changes; a change to None removes the entry."""
    whole = {"format": "micrograd-lite-model/1", "model": MLP(1, [1]).config(), "parameters": MLP(1, [1]).state_dict()}
    return json.dumps({name: part for name, part in {**whole, **changes}.items() if part is not None})


CONFIG, STATE = MLP(1, [1]).config(), MLP(1, [1]).state_dict()


def test_the_good_record_is_good(path):
    """The cases below fail for the reason they name, and for no other."""
    path.write_text(record())
    assert bits(MLP.load(path)) == bits(MLP(1, [1]))


FOREIGN = {
    "empty": "",
    "truncated": record()[:-20],
    "not JSON": "weights = 3",
    "a list": "[1, 2]",
    "a number": "3",
    "null": "null",
    "no format": record(format=None),
    "another format": record(format="micrograd-lite-model/2"),
    "no model": record(model=None),
    "no parameters": record(parameters=None),
    "parameters in a list": record(parameters=[1.0, 2.0]),
    "a word for a number": record(parameters={**STATE, "layer0.neuron0.b": "zero"}),
    "a list for a number": record(parameters={**STATE, "layer0.neuron0.b": [0.0]}),
    "no number": record(parameters={**STATE, "layer0.neuron0.b": None}),
    "a parameter too few": record(parameters={"layer0.neuron0.b": 0.0}),
    "a parameter too many": record(parameters={**STATE, "layer1.neuron0.b": 0.0}),
    "a model without widths": record(model={"inputs": 1}),
    "a model with a strange setting": record(model={**CONFIG, "colour": "red"}),
    "a model of no width": record(model={**CONFIG, "outputs_per_layer": []}),
    "a model with an unknown activation": record(model={**CONFIG, "output": "typo"}),
    "a model with a word for a width": record(model={**CONFIG, "inputs": "1"}),
    "a model without init": record(model={name: part for name, part in CONFIG.items() if name != "init"}),
    "another kind of model": record(model={"type": "Layer"}),
    "nested too deeply": "[" * 100_000,
    "a number of too many digits": record().replace('"inputs": 1', '"inputs": ' + "1" * 5000),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_no_model_says_so(path, content):
    """ValueError in one sentence with the path and what is wrong."""
    path.write_text(content)
    with pytest.raises(ValueError) as caught:
        MLP.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_bytes_that_are_no_text_say_so(path):
    """A GIF or a gzip is not a model."""
    path.write_bytes(b"\x1f\x8b\x08\xff\xfe")
    with pytest.raises(ValueError, match=path.name):
        MLP.load(path)


def test_a_missing_file_names_its_path(tmp_path):
    """FileNotFoundError, as from open()."""
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        MLP.load(tmp_path / "nowhere.json")
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        MLP.load(tmp_path)


def test_a_save_that_fails_leaves_the_old_file(tmp_path):
    """A folder that is missing is an OSError with the path; a number that is no number leaves the old file whole."""
    with pytest.raises(OSError, match="nowhere"):
        MLP(1, [1]).save(tmp_path / "nowhere" / "model.json")
    path, model = tmp_path / "model.json", MLP(1, [1])
    model.save(path)
    before = path.read_bytes()
    model.parameters()[0].data = object()
    with pytest.raises((TypeError, ValueError)):
        model.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.json"]
