"""train(..., engine="flat"): the engine's steps and the engine's files, byte for byte; and the command that prints a program."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_lite import cli, data, many
from micrograd_lite.flat.model import flatten_model, model_program
from micrograd_lite.losses import LOSSES, Loss, binary_cross_entropy, cross_entropy, half_squared_error, hinge, mse
from micrograd_lite.module import Module
from micrograd_lite.nn import MLP, Neuron
from micrograd_lite.optim import SGD, Adam, AdamW, RMSprop
from micrograd_lite.scalar import Value
from micrograd_lite.trace import Tracer
from micrograd_lite.trace.network import read_network
from micrograd_lite.training import train

OPTIMIZERS = (lambda: SGD(lr=0.1), lambda: SGD(lr=0.05, momentum=0.9, nesterov=True), lambda: RMSprop(), lambda: Adam(lr=0.05),
              lambda: AdamW(lr=0.05))  # fmt: skip
ACTIVATIONS = ("relu", "leaky_relu", "prelu", "elu", "softplus", "tanh", "sigmoid", "sin", "linear")
DATA = {"mse": data.xor(), "half_squared_error": data.mazur(), "binary_cross_entropy": data.xor(), "hinge": data.moons(10),
        "cross_entropy": data.iris()._replace(inputs=data.iris().inputs[::9], targets=data.iris().targets[::9])}  # fmt: skip
FILES = ("run.json", "metrics.csv", "gradients.csv", "optimizer.csv")


def steps(engine, model, problem, **options):
    """All steps of a training, as text: every float shows all its bits."""
    return [repr(step) for step in train(model, problem, engine=engine, **options)]


@settings(max_examples=60)
@given(
    loss=st.sampled_from(sorted(LOSSES)), hidden=st.lists(st.integers(1, 4), max_size=2), activation=st.sampled_from(ACTIVATIONS),
    bias=st.booleans(), seed=st.integers(0, 99), optimizer=st.sampled_from(OPTIMIZERS), batch_size=st.none() | st.integers(1, 7),
    evaluate=st.none() | st.just(2),
)  # fmt: skip
def test_the_steps_are_the_engines(loss, hidden, activation, bias, seed, optimizer, batch_size, evaluate):
    """Every loss, activation, optimizer and batch size: the same Step records to the last bit."""
    problem = DATA[loss]
    outputs = {"cross_entropy": 3, "half_squared_error": 2}.get(loss, 1)
    made = []
    for engine in ("eager", "flat"):
        model = MLP(len(problem.inputs[0]), [*hidden, outputs], activation, bias=bias, init="uniform", seed=seed)
        options = dict(loss=LOSSES[loss], optimizer=optimizer(), epochs=3, batch_size=batch_size, evaluate_every=evaluate)
        made.append(steps(engine, model, problem, **options))
    assert made[0] == made[1]


def mazur_with_tied_biases():
    """Each layer's two neurons share one bias."""
    model = MLP(2, [2, 2], "sigmoid", "sigmoid")
    for layer in model.layers:
        layer.neurons[1].b = layer.neurons[0].b
    return model


RUNS = {
    "xor": (lambda: MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1), data.xor(), mse, lambda: Adam(lr=0.1), {}),
    "moons": (lambda: MLP(2, [16, 16, 1], seed=1), data.moons(), hinge, lambda: SGD(lr=1.0), {"batch_size": 32}),
    "iris": (lambda: MLP(4, [16, 3]), data.iris(), cross_entropy, lambda: SGD(lr=0.5, momentum=0.5),
             {"batch_size": 64, "test": data.iris()}),
    "mazur": (mazur_with_tied_biases, data.mazur(), half_squared_error, lambda: RMSprop(),
              {"parameters": ["layer0.neuron0.w0", "layer1.neuron0.b"]}),
    "unnamed": (lambda: Neuron([0.5, -0.5], "tanh"), data.xor(), mse, lambda: AdamW(lr=0.1), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_the_trace_has_the_engines_bytes(name, tmp_path):
    """run.json, metrics.csv, gradients.csv and optimizer.csv of both engines are the same files."""
    model, problem, loss, optimizer, options = RUNS[name]
    for engine in ("eager", "flat"):
        with Tracer(tmp_path / engine) as tracer:
            for step in train(model(), problem, loss=loss, optimizer=optimizer(), epochs=4, engine=engine, **options):
                tracer.watch(step)
    folders = (tmp_path / "eager", tmp_path / "flat")
    written = [{path.name: path.read_bytes() for path in folder.iterdir() if path.name in FILES} for folder in folders]
    assert {"run.json", "metrics.csv", "gradients.csv"} <= written[0].keys()
    assert written[0] == written[1]


def failure(engine, model, problem, **options):
    """The error in which a training ends, and the weights that it leaves."""
    with pytest.raises((FloatingPointError, ValueError, ZeroDivisionError)) as caught:
        list(train(model, problem, engine=engine, epochs=50, **options))
    return caught.type, str(caught.value), repr(model.state_dict())


class Logarithm(Module):
    """y = log(w * x): outside its domain as soon as w is negative."""

    def __init__(self):
        self.w = Value(0.1, "w")

    def __call__(self, inputs):
        return (self.w * inputs[0]).log()

    def predict(self, inputs):
        return math.log(self.w.data * float(inputs[0]))

    def parts(self):
        return [("w", self.w)]


@pytest.mark.parametrize(
    "make, loss, lr",
    [
        (lambda: MLP(2, [3, 1], "linear", seed=1), mse, 1e60),
        (lambda: MLP(2, [3, 1], "relu", seed=2), half_squared_error, 1e100),
        (lambda: MLP(2, [3, 1], "elu", seed=3), mse, 1e155),
        (Logarithm, mse, 1.0),
    ],
)
def test_a_run_that_fails_fails_alike(make, loss, lr):
    """The same error, naming step, node and operation; the same weights are left."""
    problem = ([[1.0, 2.0], [3.0, -1.0]], [1.0, 0.0]) if make is not Logarithm else ([[1.0], [2.0]], [-9.0, -9.0])
    results = [failure(engine, make(), problem, loss=loss, optimizer=SGD(lr=lr)) for engine in ("eager", "flat")]
    assert results[0] == results[1]
    assert "finite" in results[0][1] or "would become" in results[0][1] or "log: needs x > 0" in results[0][1]


class Moody(Module):
    """A model that takes another way for another input: no program can repeat it."""

    def __init__(self):
        self.w = Value(0.5, "w")

    def __call__(self, inputs):
        z = self.w * inputs[0]
        return z.tanh() if z.data > 0 else z

    def parts(self):
        return [("w", self.w)]


def test_a_shape_that_depends_on_the_data_is_refused():
    """It is said before the first step, and says what to do; so is a loss that looks at its target's number."""
    samples = [([1.0], 0.0), ([-1.0], 0.0)]
    with pytest.raises(ValueError, match="the shape of this graph depends on the data"):
        flatten_model(Moody(), mse, samples)
    sample = lambda output, target: output * (2.0 if target else 3.0)  # noqa: E731
    peeking = Loss("peeking", sample, many.mean, wants="", fits=lambda *_: True, correct=lambda *_: True)
    with pytest.raises(ValueError, match="the shape of this graph depends on the data"):
        flatten_model(Neuron([0.5], "linear"), peeking, [([1.0], 0.0), ([1.0], 1.0)])


def test_an_engine_has_a_name():
    """An unknown engine, and a model that is no scalar one, are ValueErrors before the first step."""
    options = dict(loss=mse, optimizer=SGD(lr=0.1))
    with pytest.raises(ValueError, match="unknown engine 'fast': choose one of eager, flat, c"):
        train(MLP(2, [1]), data.xor(), engine="fast", **options)
    pytest.importorskip("numpy", reason="array models are made of NumPy")
    from micrograd_lite import arrays

    with pytest.raises(ValueError, match="'flat' is for scalar models"):
        train(arrays.MLP(2, [1]), data.xor(), engine="flat", **options)


def test_a_label_stays_a_label():
    """The label of cross_entropy is an argument of the program: a sample's own label counts, and must be one."""
    model = MLP(4, [3])
    program = flatten_model(model, cross_entropy, data.iris())
    row = data.iris().inputs[0]
    for label in range(3):
        assert program.losses([(row, label)]) == [cross_entropy.sample(model(row), label).data]
    with pytest.raises(ValueError, match=r"label must be one of 0 \.\.\. 2, got 3"):
        program.losses([(row, 3)])
    with pytest.raises(TypeError):
        program.losses([(row, 1.0)])


# The command.


def traced(folder, model, problem, loss):
    with Tracer(folder) as tracer:
        for step in train(model, problem, loss=loss, optimizer=SGD(lr=0.1), epochs=1):
            tracer.watch(step)
    return folder


@pytest.mark.parametrize(
    "make, problem, loss",
    [
        (lambda: MLP(2, [2, 1], "sigmoid", "sigmoid"), data.xor(), mse),
        (lambda: MLP(4, [5, 3]), data.iris(), cross_entropy),
        (lambda: MLP(2, [2, 1], "prelu", bias=False), data.xor(), binary_cross_entropy),
        (lambda: MLP(2, [3, 1]), data.moons(10), hinge),
        (mazur_with_tied_biases, data.mazur(), half_squared_error),
    ],
)
def test_the_command_prints_the_program_of_a_trace(make, problem, loss, tmp_path, capsys):
    """`micrograd-lite flat FOLDER` prints what flatten_model makes of the model that was trained."""
    folder = traced(tmp_path / "run", make(), problem, loss)
    assert cli.main(["flat", str(folder)]) == 0
    assert capsys.readouterr().out == flatten_model(make(), loss, problem).source == model_program(*read_network(folder)).source


def test_the_command_prints_the_program_of_a_saved_model(tmp_path, capsys):
    """`micrograd-lite flat MODEL.json --loss NAME`; without a loss mse, or cross_entropy for several linear outputs."""
    MLP(2, [2, 1], "sigmoid", "sigmoid").save(tmp_path / "xor.json")
    assert cli.main(["flat", str(tmp_path / "xor.json")]) == 0
    assert capsys.readouterr().out == (Path(__file__).parents[1] / "traces/gallery/xor_flat_program.py").read_text()
    model = MLP(2, [3])
    model.save(tmp_path / "three.json")
    for asked, loss, target in ((None, cross_entropy, 1), ("mse", mse, [1.0, 1.0, 1.0])):
        expected = flatten_model(model, loss, [([0.0, 0.0], target)])
        assert model_program(*read_network(tmp_path / "three.json", asked)).source == expected.source


def test_a_mistake_is_one_line(tmp_path, capsys):
    """A path that is neither, an unknown loss, a loss that does not fit: exit code 2 and one line that says it."""
    MLP(2, [3]).save(tmp_path / "three.json")
    (tmp_path / "empty").mkdir()
    for arguments, said in (
        ([tmp_path / "none.json"], "none.json"), ([tmp_path / "empty"], "is not a trace folder"),
        ([tmp_path / "three.json", "--loss", "msee"], "unknown loss 'msee'"),
        ([tmp_path / "three.json", "--loss", "hinge"], "hinge needs"),
    ):  # fmt: skip
        assert cli.main(["flat", *map(str, arguments)]) == 2
        errors = capsys.readouterr().err
        assert said in errors and len(errors.splitlines()) == 1


def test_pure_python_needs_no_numpy():
    """Training through a flat program loads the standard library only."""
    program = (
        "import sys; from micrograd_lite import MLP, SGD, mse, train; from micrograd_lite.data import xor; "
        "next(train(MLP(2, [2, 1]), xor(), loss=mse, optimizer=SGD(lr=0.1), engine='flat')); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'numpy', 'PIL', 'imageio', 'tqdm', 'pooch'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
