"""The MLP on arrays: the same network as nn.MLP, its parameters in one flat buffer."""

import copy
import pickle
from fractions import Fraction

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from array_strategies import FLOAT32, FLOAT64, cases, flat_gradients, scalar_names  # noqa: E402
from micrograd_lite import nn  # noqa: E402
from micrograd_lite.architecture import ACTIVATIONS, INITS  # noqa: E402
from micrograd_lite.arrays.array import Array  # noqa: E402
from micrograd_lite.arrays.many import mean  # noqa: E402
from micrograd_lite.arrays.nn import MLP, from_scalar, scalar_name, to_scalar  # noqa: E402
from micrograd_lite.losses import mse  # noqa: E402
from micrograd_lite.optim import SGD  # noqa: E402
from micrograd_lite.training import train  # noqa: E402

both_dtypes = pytest.mark.parametrize("dtype", ["float64", "float32"])


def small(**options):
    return MLP(2, [3, 1], **{"activation": "tanh", "seed": 5, **options})


INPUTS = [[0.5, -1.0], [1.5, 2.0], [-0.5, 0.25], [0.0, 1.0]]
TARGETS = [1.0, -1.0, 0.5, 0.0]


def trained(model, epochs=5, **options):
    """The parameters by name after a short training."""
    inputs, targets = np.array(INPUTS, model.dtype), np.array(TARGETS)
    for _ in train(model, (inputs, targets), loss=mse, optimizer=SGD(lr=0.1), epochs=epochs, **options):
        pass
    return {name: array.tolist() for name, array in model.state_dict().items()}


# The same network.


@settings(max_examples=40)
@given(case=cases(), init=st.sampled_from([*INITS, None]))
def test_same_arguments_same_numbers(case, init):
    """Every name of the scalar network once, with the same initial number to the bit."""
    arguments = {**case.arguments, "init": init}
    made, twin = MLP(**arguments), nn.MLP(**arguments)
    numbers = dict(zip(scalar_names(made), made.flat.tolist()))
    assert numbers == twin.state_dict() and len(numbers) == made.flat.size


@pytest.mark.parametrize("init", INITS)
def test_float32_starts_from_the_same_numbers_rounded(init):
    """One rounding to float32, nothing else."""
    single, double = small(init=init, dtype="float32"), small(init=init)
    assert single.flat.dtype == FLOAT32 and (single.flat == double.flat.astype(np.float32)).all()


def test_explicit_weights_are_taken_as_they_are():
    """One (inputs, neurons) table for each layer, as for nn.MLP."""
    tables = [[[0.1, 0.2], [0.3, 0.4]], [[0.5], [0.6]]]
    made = MLP(2, [2, 1], init=tables)
    assert made.arrays["layer0.w"].data.tolist() == tables[0] and made.arrays["layer1.w"].data.tolist() == tables[1]


@pytest.mark.parametrize(
    "arguments",
    [
        dict(inputs=0, outputs_per_layer=[1]), dict(inputs=2, outputs_per_layer=[]), dict(inputs=2, outputs_per_layer=3),
        dict(inputs=2, outputs_per_layer=[1], output="softmax"), dict(inputs=2, outputs_per_layer=[1], init="xavier"),
        dict(inputs=2, outputs_per_layer=[1, 1], activation=["relu", "relu"]), dict(inputs=2, outputs_per_layer=[1], seed="a"),
        dict(inputs=2, outputs_per_layer=[1], init=[[[1.0]]]), dict(inputs=1, outputs_per_layer=[1], init=[[["1.0"]]]),
        dict(inputs=1, outputs_per_layer=[1], init=[[[None]]]),
    ],
)  # fmt: skip
def test_what_the_scalar_network_refuses_is_refused_here(arguments):
    """The same exception and, where it is the architecture's, the same sentence."""
    with pytest.raises((ValueError, TypeError)) as wanted:
        nn.MLP(**arguments)
    with pytest.raises((ValueError, TypeError)) as caught:
        MLP(**arguments)
    assert type(caught.value) is type(wanted.value)
    if "a Value" not in str(wanted.value):
        assert str(caught.value) == str(wanted.value)


@pytest.mark.parametrize("dtype", ["float16", "int64", ">f8", "complex128", "O"])
def test_only_two_dtypes_are_computed_in(dtype):
    """float32 or float64; anything else is refused in a sentence."""
    with pytest.raises(ValueError, match="dtype must be float32 or float64"):
        MLP(1, [1], dtype=dtype)


def test_names_expand_to_the_scalar_engines():
    """Row = input, column = neuron."""
    assert scalar_name("layer0.w", (0, 1)) == "layer0.neuron1.w0"
    assert scalar_name("layer2.w", (12, 3)) == "layer2.neuron3.w12"
    assert scalar_name("layer0.b", (1,)) == "layer0.neuron1.b"
    assert scalar_name("layer10.slope", (4,)) == "layer10.neuron4.slope"


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("bias", [True, False])
def test_labels_are_names(activation, bias):
    """Each array carries its own name, in the order of the flat buffer, and the layers hold the same arrays."""
    model = small(activation=activation, bias=bias)
    assert [array.label for array in model.parameters()] == [name for name, _ in model.named_parameters()]
    held = [array for layer in model.layers for array in (layer.w, layer.b, layer.slope) if array is not None]
    assert held == model.parameters()
    assert ("layer0.slope" in model.arrays) == (activation == "prelu") and ("layer0.b" in model.arrays) == bias


# Conversion.


@settings(max_examples=30)
@given(case=cases())
def test_there_and_back_changes_nothing(case):
    """to_scalar and from_scalar keep every bit; float32 survives the way through doubles."""
    for dtype in ("float64", "float32"):
        model = case.model(dtype)
        back = from_scalar(to_scalar(model), dtype)
        assert back.flat.tobytes() == model.flat.tobytes() and list(back.arrays) == list(model.arrays)


@settings(max_examples=20)
@given(case=cases())
def test_conversion_keeps_the_architecture(case):
    """config() says the same before and after, init and seed included: it goes into run.json and into saved models."""
    model = case.model()
    config = {name: setting for name, setting in model.config().items() if name != "dtype"}
    assert to_scalar(model).config() == config
    assert from_scalar(to_scalar(model)).config() == model.config()


def test_a_conversion_is_a_copy():
    """Training one of the two does not move the other."""
    model = small()
    twin, before = to_scalar(model), model.flat.copy()
    for parameter in twin.parameters():
        parameter.data += 1.0
    assert (model.flat == before).all()


# Batches.


@pytest.mark.parametrize(
    "inputs, kind, text",
    [
        (np.zeros((4, 3)), ValueError, r"\(samples, 2\), got \(4, 3\)"),
        (np.zeros(2), ValueError, r"\(samples, 2\), got \(2,\)"),
        (np.zeros((1, 4, 2)), ValueError, r"\(samples, 2\), got \(1, 4, 2\)"),
        ([0.0, 1.0], ValueError, r"\(samples, 2\), got \(2,\)"),
        (np.zeros((4, 2), np.float32), TypeError, "computes in float64, the inputs are float32"),
        (np.zeros((4, 2), np.int64), TypeError, "computes in float64, the inputs are int64"),
        (np.zeros((4, 2), np.complex128), TypeError, "computes in float64, the inputs are complex128"),
        (Array(np.zeros((4, 2), np.float32)), TypeError, "float32 and float64"),
        (Array(np.zeros((4, 3))), ValueError, r"\(4, 3\) and \(2, 3\)"),
        ([["1.0", "2.0"]], TypeError, None),
        ([[None, 1.0]], TypeError, None),
        ([[1.0], [1.0, 2.0]], ValueError, r"\(samples, 2\)"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(inputs, kind, text):
    """Both shapes, or both dtypes, in the sentence; strings and None are no numbers."""
    with pytest.raises(kind, match=text):
        small()(inputs)


def test_lists_of_numbers_take_the_dtype_of_the_model():
    """A list has no dtype of its own."""
    assert small(dtype="float32")(INPUTS).data.dtype == FLOAT32 and small()([[1, True]]).data.dtype == FLOAT64


def test_an_empty_batch_has_no_outputs():
    """(0, inputs) to (0, outputs)."""
    assert small()(np.zeros((0, 2))).data.shape == (0, 1)


# State.


def test_state_goes_out_and_in():
    """state_dict is a copy; loading it restores every number, in place."""
    model = small()
    state, flat = model.state_dict(), model.flat
    model.flat[:] += 1.0
    assert not any((array == state[name]).any() for name, array in model.state_dict().items())
    model.load_state_dict(state)
    assert all((array.data == state[name]).all() for name, array in model.named_parameters())
    assert (model.flat == flat).all()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state.pop("layer1.b"),
        lambda state: state.update(other=np.zeros(1)),
        lambda state: state.update({"layer1.b": np.zeros(2)}),
        lambda state: state.update({"layer1.b": ["x"]}),
        lambda state: state.update({"layer1.b": [None]}),
        lambda state: state.update({"layer1.b": [1j]}),
        lambda state: state.update({"layer1.b": ["1.5"]}),
    ],
    ids=["missing", "unknown", "shape", "text", "None", "complex", "text of a number"],
)
def test_a_state_that_does_not_fit_changes_nothing(spoil):
    """ValueError or TypeError, and every number is still the old one."""
    model = small()
    before = model.flat.copy()
    state = {name: array + 1.0 for name, array in model.state_dict().items()}
    spoil(state)
    with pytest.raises((ValueError, TypeError)):
        model.load_state_dict(state)
    assert (model.flat == before).all()


# One flat buffer.


@both_dtypes
def test_all_parameters_are_views_of_one_buffer(dtype):
    """Writing into the flat buffer moves the arrays, and the other way round; the gradients likewise."""
    model = small(dtype=dtype)
    model.flat[:] = np.arange(model.flat.size)
    model.flat_grad[:] = -np.arange(model.flat.size)
    assert np.concatenate([array.data.ravel() for array in model.parameters()]).tolist() == list(range(13))
    assert flat_gradients(model).tolist() == [-n for n in range(13)]
    model.arrays["layer1.b"].data[...] = 99.0
    assert model.flat[-1] == 99.0


def test_a_graphs_gradients_arrive_in_the_flat_buffer():
    """backward() through the graph leaves in flat_grad what it leaves in the arrays, and zero_grad clears both."""
    model = small()
    mean(model(INPUTS)).backward()
    assert model.flat_grad.any() and (model.flat_grad == flat_gradients(model)).all()
    model.zero_grad()
    assert not model.flat_grad.any() and not flat_gradients(model).any()


def test_gradients_accumulate_until_they_are_zeroed():
    """Two backward passes double; after zero_grad one pass is one pass."""
    model = small()
    mean(model(INPUTS)).backward()
    once = flat_gradients(model)
    mean(model(INPUTS)).backward()
    assert (flat_gradients(model) == 2.0 * once).all()
    model.zero_grad()
    mean(model(INPUTS)).backward()
    assert (flat_gradients(model) == once).all()


@pytest.mark.parametrize("batch_size", [None, 3])
def test_training_after_a_graphs_backward_is_training(batch_size):
    """A gradient taken by hand before or between steps leaves no trace in the training."""
    fresh = trained(small(), batch_size=batch_size)
    model = small()
    mean(model(INPUTS)).backward()
    assert trained(model, batch_size=batch_size) == fresh
    model, data = small(), (np.array(INPUTS), np.array(TARGETS))
    for _ in train(model, data, loss=mse, optimizer=SGD(lr=0.1), epochs=5, batch_size=batch_size):
        mean(model(INPUTS)).backward()
    assert {name: array.tolist() for name, array in model.state_dict().items()} == fresh


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"])
def test_a_copy_of_a_model_trains_like_the_model(twin):
    """A copy has buffers of its own, and its arrays are views of them: the original stays, the copy learns."""
    model = small()
    before = model.flat.copy()
    made = twin(model)
    assert trained(made) == trained(small()) and (model.flat == before).all()
    assert (made.flat == np.concatenate([array.data.ravel() for array in made.parameters()])).all()


def test_assigning_data_by_hand_is_seen_by_training():
    """`array.data = ...` is free, as in the scalar engine: training goes on from the assigned numbers."""
    expected = small(init="zeros")
    model = small()
    for array in model.parameters():
        array.data = np.zeros_like(array.data)
    assert trained(model) == trained(expected)


def test_parameters_can_be_clipped_between_steps():
    """Replacing an array's data between steps, as one clips weights, moves the model and the training with it."""

    def clipped(clip):
        model, data = small(), (np.array(INPUTS), np.array(TARGETS))
        for _ in train(model, data, loss=mse, optimizer=SGD(lr=0.5), epochs=5):
            for array in model.parameters():
                clip(array)
        return np.concatenate([array.data.ravel() for array in model.parameters()])

    def in_place(array):
        array.data[...] = array.data.clip(-0.3, 0.3)

    def anew(array):
        array.data = array.data.clip(-0.3, 0.3)

    assert clipped(anew).tolist() == clipped(in_place).tolist()


def test_arrays_have_the_same_door():
    """bias="no", a NaN weight and a negative seed are refused by the same sentences; Fractions become floats."""
    for options, told in (
        ({"bias": "no"}, r"^bias must be True or False, got 'no'$"),
        ({"init": [[[1.0], [float("nan")]]]}, r"^init: the weight in row 1, column 0 is nan; every weight must be finite$"),
        ({"seed": -1}, r"^seed is a whole number from 0 up, got -1"),
    ):
        with pytest.raises((TypeError, ValueError), match=told):
            MLP(2, [1], **options)
    assert MLP(2, [1], init=[[[1], [Fraction(1, 4)]]], bias=np.False_).flat.tolist() == [1.0, 0.25]
    assert MLP(2, [1], bias=np.False_).config()["bias"] is False


def test_a_batch_in_a_reused_buffer_does_not_change_gradients():
    """The graph of a batch has its own inputs."""
    def flat_grad(spoil):
        model, batch = small(), np.array([[0.5, -1.0], [0.25, 2.0]])
        total = mean(model(batch))
        spoil(batch)
        total.backward()
        return model.flat_grad.tolist()

    assert flat_grad(lambda batch: batch.fill(9.0)) == flat_grad(lambda batch: None)
# The methods of the scalar network.


@settings(max_examples=20)
@given(case=cases())
def test_a_saved_model_loads_in_both_engines(tmp_path_factory, case):
    """One format, one name for each number: whichever engine wrote the file, both read it back to the bit."""
    path = tmp_path_factory.getbasetemp() / "either.json"
    for dtype in ("float64", "float32"):
        model = case.model(dtype)
        model.save(path)
        back, scalar = MLP.load(path), nn.MLP.load(path)
        assert back.config() == model.config() and back.flat.tobytes() == model.flat.tobytes()
        assert scalar.config() == to_scalar(model).config() and scalar.state_dict() == to_scalar(model).state_dict()
        scalar.save(path)
        again = MLP.load(path, dtype)
        assert again.config() == model.config() and again.flat.tobytes() == model.flat.tobytes()


def test_both_engines_write_the_same_file_but_for_the_dtype(tmp_path):
    """The same names in the same order, the same numbers: one line more says the dtype."""
    model = small(activation="prelu")
    model.save(tmp_path / "arrays.json")
    to_scalar(model).save(tmp_path / "scalar.json")
    found, wanted = ((tmp_path / name).read_text().splitlines() for name in ("arrays.json", "scalar.json"))
    assert [line.rstrip(",") for line in found if '"dtype"' not in line] == [line.rstrip(",") for line in wanted]


def test_a_file_of_the_scalar_engine_loads_as_float64(tmp_path):
    """It names no dtype, and its numbers are doubles; another dtype is asked for."""
    nn.MLP(2, [3, 1]).save(tmp_path / "model.json")
    assert MLP.load(tmp_path / "model.json").dtype == FLOAT64
    assert MLP.load(tmp_path / "model.json", dtype="float32").dtype == FLOAT32


@pytest.mark.parametrize("engine", [MLP, nn.MLP], ids=["arrays", "scalar"])
def test_a_file_that_is_no_model_is_refused_alike(tmp_path, engine):
    """ValueError in one sentence with the path: a parameter too few, no JSON."""
    path = tmp_path / "model.json"
    small().save(path)
    for content in (path.read_text().replace('"layer1.neuron0.b"', '"layer1.neuron9.b"'), "weights = 3"):
        path.write_text(content)
        with pytest.raises(ValueError, match=r"model\.json is not a model saved by micrograd_lite") as caught:
            engine.load(path)
        assert "\n" not in str(caught.value)


@settings(max_examples=20)
@given(case=cases())
def test_a_scalar_networks_state_can_be_loaded(case):
    """load_state_dict takes the scalar engine's names too; a name too few or too many changes nothing."""
    model, other = case.model(), MLP(**case.arguments)
    state = to_scalar(model).state_dict()
    before = other.flat.copy()
    for wrong in ({**state, "layer9.neuron0.b": 0.0}, dict(list(state.items())[1:]), {**state, next(iter(state)): "1.0"}):
        with pytest.raises((ValueError, TypeError)):
            other.load_state_dict(wrong)
        assert (other.flat == before).all()
    other.load_state_dict(state)
    assert other.flat.tobytes() == model.flat.tobytes()


@settings(max_examples=20)
@given(case=cases())
def test_the_summary_is_the_scalar_networks(case):
    """The same table: parts, what they are, numbers of parameters."""
    model = case.model()
    assert model.summary() == to_scalar(model).summary()


@settings(max_examples=20)
@given(case=cases(), dtype=st.sampled_from(["float64", "float32"]))
def test_prediction_needs_no_graph_and_is_its_outputs(case, dtype):
    """Plain numbers of shape (samples, outputs) and the model's dtype: the graph's, within 1e-13, or 1e-5 in float32."""
    model, (inputs, _) = case.model(dtype), case.batch(dtype)
    found = model.predict(inputs)
    assert type(found) is np.ndarray and found.dtype == model.dtype
    bound = 1e-13 if dtype == "float64" else 1e-5
    assert np.allclose(found, model(inputs).data, rtol=bound, atol=bound)
    assert (model.predict(inputs.tolist()) == found).all()


def test_prediction_refuses_what_the_graph_refuses():
    """Another width, another dtype: the sentences of `batch`."""
    with pytest.raises(ValueError, match=r"\(samples, 2\), got \(4, 3\)"):
        small().predict(np.zeros((4, 3)))
    with pytest.raises(TypeError, match="convert them with astype"):
        small().predict(np.zeros((4, 2), np.float32))
