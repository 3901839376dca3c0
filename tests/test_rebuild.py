"""A recorded step is built again from its trace alone: same graph, same gradients in bits, whatever was trained and however."""

import json

import pytest

from micrograd_lite import MLP, SGD, Adam, Layer, Tracer, data, half_squared_error, hinge, mse, train
from micrograd_lite.chain.rows import gradients
from micrograd_lite.recipe import Recipe, prepare
from micrograd_lite.trace.rebuild import Rebuild
from micrograd_lite.trace.samples import taken_apart, with_samples


def traced(folder, steps, **options):
    with Tracer(folder, **options) as tracer:
        for _ in tracer.follow(steps):
            pass
    return Rebuild(folder)


@pytest.mark.parametrize("recipe", [
    Recipe("xor", layers=(2,), epochs=20), Recipe("xor", engine="eager", activation="relu", epochs=6),
    Recipe("spiral", epochs=2), Recipe("moons", loss="hinge", batch=7, epochs=3), Recipe("line", layers=(), epochs=9),
    Recipe("parts", layers=(3, 2), activation="prelu", optimizer="SGD", momentum=0.9, epochs=9),
    Recipe("iris", epochs=2, loss="mse"),
], ids=str)  # fmt: skip
def test_every_recorded_step_comes_out_in_bits(recipe, tmp_path):
    """Loss and gradients of the rebuilt graph are the recorded ones, to the last digit."""
    rebuild = traced(tmp_path / "t", prepare(recipe).steps())
    losses = {row["step"]: row["loss"] for row in rebuild.trace.metrics()}
    for number in rebuild.trace.steps():
        step = rebuild.step(number)
        totals = gradients(step.root)
        assert step.root.data == losses[number] and step.note == ""
        for name, parameter in step.parameters.items():
            assert totals.get(parameter, 0.0) == step.recorded[name].gradient == step_gradient(step, name)


def step_gradient(step, name):
    """A gradient as its samples' shares, added from the last to the first."""
    total = 0.0
    for share in reversed(step.by_sample[name]):
        total += share
    return total


def test_chosen_shares_are_those_that_were_chosen_before(tmp_path):
    """by_sample afterwards is what train(..., by_sample=[...]) had written."""
    net, options = MLP(2, [3, 1], "tanh"), {"loss": mse, "optimizer": Adam(lr=0.05), "epochs": 4, "by_sample": [3]}
    rebuild = traced(tmp_path / "t", train(net, data.xor(), **options))
    assert rebuild.step(3).by_sample == rebuild.trace.by_sample(3)


def test_shuffled_batches_are_found_again(tmp_path):
    """The rows of a step are those that its seed shuffled there, in any order of asking."""
    whole = data.moons(20)
    steps = train(MLP(2, [2, 1]), whole, loss=hinge, optimizer=SGD(lr=0.01), epochs=3, batch_size=6, seed=5)
    rebuild = traced(tmp_path / "t", steps)
    rows = {number: rebuild.step(number).rows for number in (9, 1, 12, 4)}
    assert [len(rows[number]) for number in (1, 4, 9, 12)] == [6, 2, 6, 2] and rows[9] != rows[1]
    epoch = [row for number in (1, 2, 3, 4) for row in rebuild.rows(number)]
    assert sorted(epoch) == list(range(20)) and epoch != list(range(20))


def test_fixed_and_tied_weights_take_part(tmp_path):
    """A weight that was not trained, and one that is used under two names, stand where they stood."""
    net = MLP(2, [2, 2], "sigmoid", "sigmoid")
    for layer in net.layers:
        layer.neurons[1].b = layer.neurons[0].b
    names = [name for name, _ in net.named_parameters() if not name.endswith("b")]
    steps = train(net, data.mazur(), loss=half_squared_error, optimizer=SGD(lr=0.5), epochs=5, parameters=names)
    rebuild = traced(tmp_path / "t", steps)
    assert [rebuild.step(number).root.data for number in range(1, 6)] == [row["loss"] for row in rebuild.trace.metrics()]


def test_the_last_step_is_the_default_and_others_are_refused(tmp_path):
    """step() is the last; a step between the recorded ones, or of another number of samples, is a sentence."""
    rebuild = traced(tmp_path / "t", prepare(Recipe("xor", epochs=25)).steps(), every=10)
    assert rebuild.step().number == 25
    with pytest.raises(ValueError, match=r"step 7 is not in .*recorded steps: 1, 10, 20, 25"):
        rebuild.step(7)
    with pytest.raises(ValueError, match="step 10 has samples 0 to 3, got 4"):
        rebuild.step(10).sample(4)
    assert rebuild.step(10).sample(3).parents


def test_what_cannot_be_built_again_says_why(tmp_path):
    """An engine of one's own, a loss of one's own, a network of one's own, no data, arrays: each a sentence."""

    def turned(plan, batch, step):
        from micrograd_lite.training import loss_and_gradients

        loss, slopes = loss_and_gradients(plan, batch, step)
        for parameter in plan.parameters:
            parameter.grad *= 1.01
        return loss, [slope * 1.01 for slope in slopes]

    def steps(**options):
        return train(MLP(2, [2, 1], "tanh"), data.xor(), **{"loss": mse, "optimizer": SGD(lr=0.1), "epochs": 2} | options)

    with pytest.raises(ValueError, match=r"step 2 cannot be built again: the gradient of layer0.neuron0.w0 comes out as"):
        traced(tmp_path / "engine", steps(engine=turned)).step()
    with pytest.raises(ValueError, match="'mine', a loss of one's own: no step can be built again"):
        traced(tmp_path / "loss", steps(loss=mse._replace(name="mine")))
    with pytest.raises(ValueError, match="is not the trace of an MLP"):
        traced(tmp_path / "net", train(Layer([[0.1], [0.2]], "tanh"), data.xor(), loss=mse, optimizer=SGD(lr=0.1), epochs=2))
    traced(tmp_path / "data", steps())
    (tmp_path / "data" / "data.csv").unlink()
    with pytest.raises(ValueError, match=r"does not hold its data \('xor', 4 samples\)"):
        Rebuild(tmp_path / "data")
    arrays = pytest.importorskip("micrograd_lite.arrays", reason="a network on arrays needs NumPy")
    on_arrays = train(arrays.MLP(2, [2, 1], "tanh"), data.xor(), loss=mse, optimizer=SGD(lr=0.1), epochs=4)
    with pytest.raises(ValueError, match=r"a network on arrays.* and 3 files of whole arrays in weights/"):
        traced(tmp_path / "arrays", on_arrays, weights_every=2)


def test_last_digits_may_differ_and_are_told(tmp_path):
    """A recorded gradient one rounding away is another machine's; 1e-6 away it is refused."""
    rebuild = traced(tmp_path / "t", prepare(Recipe("xor", epochs=2)).steps())
    row = rebuild.trace.gradients(2)[0]
    for factor, told in ((1.0 + 2.0**-50, "Last digits differ"), (1.0 + 1e-6, None)):
        rebuild.trace._blocks[2][0] = row._replace(gradient=row.gradient * factor)
        if told:
            assert rebuild.step(2).note.startswith(told)
        else:
            with pytest.raises(ValueError, match="step 2 cannot be built again"):
                rebuild.step(2)


# --- data.csv ---


def test_data_csv_holds_what_was_trained(tmp_path):
    """Under the data's names, training part first: ints stay ints, lists are columns, and the same come back."""
    whole = data.Dataset("d", [[1, 0.1], [-2, 1e-300]], [[0.5, 1.0], [2.0, 3.0]], 0, ("=size", "b"), (), "price")
    steps = train(MLP(2, [2]), whole, loss=mse, optimizer=SGD(lr=1e-9), epochs=1, test=(whole.inputs[:1], whole.targets[1:]))
    rebuild = traced(tmp_path / "t", steps)
    assert (tmp_path / "t" / "data.csv").read_text() == (
        "part,'=size,b,price0,price1\ntrain,1,0.1,0.5,1.0\ntrain,-2,1e-300,2.0,3.0\ntest,1,0.1,2.0,3.0\n")  # fmt: skip
    run = rebuild.trace.run
    assert (run["data"]["inputs"], run["data"]["targets"]) == (whole.inputs, whole.targets)
    assert (run["test"]["inputs"], run["test"]["targets"]) == (whole.inputs[:1], whole.targets[1:])
    assert "inputs" not in json.loads((tmp_path / "t" / "run.json").read_text())["data"]
    assert taken_apart(run)[1] == (tmp_path / "t" / "data.csv").read_text()


@pytest.mark.parametrize("change, sentence", [
    (lambda text: text.replace("0.0,1.0,1.0", "0.0,1_0,1.0"), "line 3 is not a row of the data: '1_0' is no number"),
    (lambda text: text.replace("0.0,1.0,1.0", "0.0,1.0"), "line 3 is not a row of the data: 3 cells"),
    (lambda text: text.replace("train,0.0,1.0", "other,0.0,1.0"), "line 3 is not a row of the data"),
    (lambda text: text.replace("0.0,1.0,1.0", "0.0,nan,1.0"), "'nan' is no number"),
    (lambda text: text.replace("0.0,1.0,1.0", "0.0,1e999,1.0"), "'1e999' is too large for a float"),
    (lambda text: text.replace(",", ";"), "line 2 is not a row of the data"),
])  # fmt: skip
def test_a_damaged_data_csv_is_one_sentence(change, sentence, tmp_path):
    """The file and the line are named."""
    traced(tmp_path / "t", prepare(Recipe("xor", epochs=2)).steps())
    path = tmp_path / "t" / "data.csv"
    path.write_text(change(path.read_text()))
    with pytest.raises(ValueError, match=r"data\.csv") as refusal:
        Rebuild(tmp_path / "t")
    assert sentence in str(refusal.value)


def test_data_without_a_folder_stay_as_they_are(tmp_path):
    """A run without data, as while it begins, is itself."""
    assert with_samples({"status": "running"}, tmp_path) == {"status": "running"}


def test_another_data_set_does_not_resume(tmp_path):
    """A run goes on with its own data only: another number in them is told, and nothing changes."""
    def steps(whole, resume=None):
        return train(MLP(2, [2, 1]), whole, loss=mse, optimizer=SGD(lr=0.1), epochs=6, resume=resume)

    with pytest.raises(RuntimeError), Tracer(tmp_path / "t", checkpoint_every=2) as tracer:
        for step in tracer.follow(steps(data.xor())):
            if step.number == 3:
                raise RuntimeError
    before = {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()}
    other = data.xor()._replace(targets=[0.0, 1.0, 1.0, 0.25])
    with pytest.raises(ValueError, match="holds another run, its data differs"), Tracer(tmp_path / "t", resume=True) as tracer:
        for _ in tracer.follow(steps(other, tracer.checkpoint)):
            pass
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()}
    with Tracer(tmp_path / "t", resume=True) as tracer:
        for _ in tracer.follow(steps(data.xor(), tracer.checkpoint)):
            pass
    assert Rebuild(tmp_path / "t").step().number == 6
