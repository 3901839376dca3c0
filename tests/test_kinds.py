"""Kinds at the door: what is given works, or one sentence says what is wanted instead."""

import re

import pytest

from micrograd_lite import MLP, SGD, Adam, Tracer, Value, cli, cross_entropy, data, mse, train
from micrograd_lite.data.mnist import mnist_files
from micrograd_lite.flat.write import flatten


class Named(Value):
    """A Value of one's own, as somebody may derive it for a lecture."""


OPERATIONS = {
    "v + w": lambda v, w: v + w, "v - w": lambda v, w: v - w, "v * w": lambda v, w: v * w, "v / w": lambda v, w: v / w,
    "v ** w": lambda v, w: v**w, "v ** 2": lambda v, w: v**2, "2 ** v": lambda v, w: 2**v, "1 - v": lambda v, w: 1 - v,
    "maximum": lambda v, w: v.maximum(w), "tanh": lambda v, w: v.tanh() + w, "neuron": lambda v, w: MLP(2, [1], seed=1)([v, w]),
}  # fmt: skip


@pytest.mark.parametrize("kinds", [(Named, Named), (Named, Value), (Value, Named)], ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_subclass_of_value_takes_part_in_arithmetic(name, kinds):
    """On either side of every operation: the same value and slopes as plain Values have."""

    def slopes(kinds):
        v, w = kinds[0](1.5, "v"), kinds[1](2.5, "w")
        z = OPERATIONS[name](v, w)
        z.backward()
        return z.data, v.grad, w.grad

    assert slopes(kinds) == slopes((Value, Value))


def test_a_subclass_of_value_is_written_out_as_a_flat_program():
    """A leaf of one's own kind is a leaf."""
    programs = []
    for kind in (Named, Value):
        v, w = kind(1.5, "v"), kind(2.5, "w")
        programs.append(flatten(v * w + v, [v, w]).source)
    assert programs[0] == programs[1]


def masked(shape):
    """A masked array of ones, with a hole."""
    np = pytest.importorskip("numpy", reason="the array engine needs NumPy")
    made = np.ma.masked_array(np.ones(shape), mask=False)
    made[0] = np.ma.masked
    return made


def array_net():
    """One linear unit on arrays."""
    from micrograd_lite import arrays

    return arrays.MLP(2, [1], seed=1)


def step(model, inputs, targets):
    """One step of training on them."""
    return next(train(model, (inputs, targets), loss=mse, optimizer=SGD(lr=0.1), epochs=1))


DOORS = {
    "Value": lambda m: Value(m(1)[0]),
    "operand of a Value": lambda m: Value(1.0) * m(2),
    "left of a Value": lambda m: m(2) * Value(1.0),
    "Array": lambda m: type(array_net().arrays["layer0.w"])(m(2)),
    "operand of an Array": lambda m: array_net().arrays["layer0.b"] * m(1),
    "left of an Array": lambda m: m(1) * array_net().arrays["layer0.b"],
    "batch": lambda m: array_net()(m((3, 2))),
    "batch of a list": lambda m: array_net()([m(2), m(2)]),
    "predict": lambda m: array_net().predict(m((3, 2))),
    "inputs, arrays": lambda m: step(array_net(), m((3, 2)), [1.0, 2.0, 3.0]),
    "targets, arrays": lambda m: step(array_net(), [[1.0, 2.0]] * 3, m(3)),
    "inputs, scalar": lambda m: step(MLP(2, [1]), m((3, 2)), [1.0, 2.0, 3.0]),
    "targets, scalar": lambda m: step(MLP(2, [1]), [[1.0, 2.0]] * 3, m(3)),
}


@pytest.mark.parametrize("door", DOORS)
def test_masked_arrays_are_refused(door):
    """The numbers under the mask never count as numbers: TypeError at every door."""
    with pytest.raises(TypeError, match=r"(?i)masked"):
        DOORS[door](masked)


@pytest.fixture(params=["float64", "float32"])
def array_trace(request, tmp_path):
    """A finished run on arrays."""
    pytest.importorskip("numpy", reason="the array engine needs NumPy")
    from micrograd_lite import arrays

    net = arrays.MLP(4, [4, 3], seed=2, dtype=request.param)
    with Tracer(tmp_path / "run", weights_every=2) as tracer:
        for _ in tracer.follow(train(net, data.iris(), loss=cross_entropy, optimizer=Adam(lr=0.01), epochs=3)):
            pass
    return tmp_path / "run"


@pytest.mark.parametrize("options", [[], ["--step", "2"], ["--chain"], ["--chain", "--step", "1"]], ids=str)
def test_show_says_what_an_array_trace_holds(options, array_trace, capsys):
    """There are no single weights in it: one sentence that names the tables which are there."""
    assert cli.main(["show", str(array_trace), *options]) == 2
    complaint = capsys.readouterr().err
    assert re.search(r"network on arrays.*metrics\.csv, layers\.csv .* and 3 files of whole arrays in weights/", complaint)
    assert complaint.count("\n") == 1


def test_flat_writes_an_array_trace_as_the_scalar_network_of_its_sizes(array_trace, capsys):
    """The program is that of the scalar network with the same architecture and loss."""
    assert cli.main(["flat", str(array_trace)]) == 0
    program = capsys.readouterr().out
    MLP(4, [4, 3], seed=2).save(array_trace.parent / "model.json")
    assert cli.main(["flat", str(array_trace.parent / "model.json"), "--loss", "cross_entropy"]) == 0
    assert program == capsys.readouterr().out


def test_a_missing_mnist_names_the_command(tmp_path, monkeypatch):
    """Who has no MNIST is told what to type."""
    monkeypatch.delenv("MICROGRAD_LITE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"`micrograd-lite data mnist --root .*` downloads it"):
        mnist_files(tmp_path / "nothing")
