"""The fused step: the graph's numbers without the graph, in buffers that are made once."""

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given, settings  # noqa: E402

from array_strategies import U32, Case, cases, flat_gradients, fused_step, graph_step, inf, nan, scalar_step  # noqa: E402
from micrograd_lite.architecture import ACTIVATIONS  # noqa: E402
from micrograd_lite.arrays.fused import FusedStep  # noqa: E402
from micrograd_lite.arrays.nn import MLP  # noqa: E402
from micrograd_lite.losses import LOSSES, cross_entropy, mse  # noqa: E402
from references import U  # noqa: E402


def same_step(case, dtype="float64", unit=U):
    """Loss and gradients of both within 16 roundings of the graph's terms: the sums may be taken in another order."""
    model, (inputs, targets) = case.model(dtype), case.batch(dtype)
    _, _, sizes = scalar_step(model, case.loss, inputs.astype(float), targets)
    loss, gradients = graph_step(model, case.loss, inputs, targets)
    fused_loss, fused_gradients = fused_step(model, case.loss, inputs, targets)
    assert abs(fused_loss - loss) <= 16 * unit * max(1.0, abs(loss))
    assert (np.abs(fused_gradients - gradients) <= 16 * unit * sizes).all()
    assert ((fused_gradients == 0) == (gradients == 0)).all()


@settings(max_examples=40)
@given(case=cases())
def test_a_fused_step_is_the_graphs_step(case):
    """Random nets and losses: loss within 16 u, gradients within 16 u S, zeros in the same places."""
    same_step(case)


@pytest.mark.parametrize("dtype, unit", [("float64", U), ("float32", U32)])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_fuses(activation, bias, dtype, unit):
    """As hidden layer and as output, with and without bias, in both dtypes: the same bounds."""
    arguments = dict(inputs=3, outputs_per_layer=[4, 3, 2], activation=activation, output=activation, bias=bias)
    same_step(Case(arguments, mse, 5, 1), dtype, unit)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
@pytest.mark.parametrize("dtype, unit", [("float64", U), ("float32", U32)])
def test_every_loss_fuses(loss, dtype, unit):
    """Mean and sum over the batch, labels and tables of targets: the same bounds."""
    outputs = {"binary_cross_entropy": 1, "hinge": 1}.get(loss.name, 3)
    same_step(Case(dict(inputs=3, outputs_per_layer=[4, outputs], activation="tanh"), loss, 6, 2), dtype, unit)


def classifier(**options):
    return MLP(4, [6, 5, 3], **{"activation": ["relu", "tanh"], "seed": 3, **options})


def batch(samples, seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(samples, 4)), generator.integers(0, 3, samples)


@pytest.mark.parametrize("activation", ["relu", "prelu", "linear", "tanh"])
def test_a_partial_batch_leaves_nothing_behind(activation):
    """A big, a small and again a big batch through the same buffers: each is as if it were the first."""
    model = classifier(activation=activation)
    fused = FusedStep(model, 8)
    for samples in (8, 3, 8, 1, 5, 8):
        inputs, labels = batch(samples, seed=samples)
        found = fused(inputs, labels, cross_entropy), flat_gradients(model)
        fresh = FusedStep(model, samples)(inputs, labels, cross_entropy), flat_gradients(model)
        assert found[0] == fresh[0] and np.allclose(found[1], fresh[1], rtol=0, atol=1e-15)
        assert [array.shape for array in fused.activations] == [(samples, width) for width in (4, 6, 5, 3)]


@pytest.mark.parametrize("activation", ["relu", "prelu", "linear", "sigmoid"])
def test_nothing_that_is_passed_in_is_written_to(activation):
    """Inputs, targets and weights survive a step, read-only ones included; so do the activations of the step itself."""
    model = classifier(activation=activation, output="linear")
    inputs, labels = batch(5)
    kept = inputs.copy(), labels.copy(), model.flat.copy()
    inputs.flags.writeable = labels.flags.writeable = False
    fused = FusedStep(model, 5)
    before = [array.copy() for array in fused.forward(inputs)]
    fused(inputs, labels, cross_entropy)
    assert all((now == then).all() for now, then in zip(fused.activations, before, strict=True))
    assert (inputs == kept[0]).all() and (labels == kept[1]).all() and (model.flat == kept[2]).all()


def test_slopes_are_those_of_the_forward_pass():
    """After a step, `slopes` still holds each activation's partials at its own sums: upstream went elsewhere."""
    model = MLP(4, [6, 3], "tanh", output="sigmoid")
    inputs, _ = batch(5)
    fused = FusedStep(model, 5)
    fused(inputs, np.zeros((5, 3)), mse)
    hidden, outputs = fused.activations[1:]
    assert np.allclose(fused.slopes[0][0], 1.0 - hidden**2, rtol=0, atol=4 * U)
    assert np.allclose(fused.slopes[1][0], outputs * (1.0 - outputs), rtol=0, atol=4 * U)


def test_gradients_are_replaced_and_not_added():
    """A second fused step on the same batch leaves the same gradients, whatever stood in the buffer."""
    model, (inputs, labels) = classifier(), batch(5)
    fused = FusedStep(model, 5)
    fused(inputs, labels, cross_entropy)
    first = model.flat_grad.copy()
    model.flat_grad[:] = nan
    fused(inputs, labels, cross_entropy)
    assert (model.flat_grad == first).all()


def test_gradients_land_in_the_flat_buffer_after_a_graphs_backward():
    """A graph's backward gives the arrays gradients of their own; the fused step writes into the flat buffer nevertheless."""
    model, (inputs, labels) = classifier(), batch(5)
    graph_step(model, cross_entropy, inputs, labels)
    FusedStep(model, 5)(inputs, labels, cross_entropy)
    assert model.flat_grad.any()
    assert (model.flat_grad == flat_gradients(model)).all()


def test_two_steps_of_one_model_do_not_share_buffers():
    """Predicting, as evaluation does, leaves the activations of a training step as they were."""
    model, (inputs, labels) = classifier(), batch(5)
    fused = FusedStep(model, 5)
    fused(inputs, labels, cross_entropy)
    kept = [array.copy() for array in (*fused.activations, model.flat_grad)]
    outputs = model.predict(batch(2500)[0])
    assert outputs.shape == (2500, 3)
    assert all((now == then).all() for now, then in zip((*fused.activations, model.flat_grad), kept))


@pytest.mark.parametrize("samples", [1, 999, 1000, 1001, 2500])
def test_prediction_is_the_graphs_outputs(samples):
    """In chunks or at once, the outputs agree within rounding (1e-13), in order, in an array of their own."""
    model, inputs = classifier(), batch(samples)[0]
    first = model.predict(inputs)
    assert np.allclose(first, model(inputs).data, rtol=0, atol=1e-13)
    kept = first.copy()
    model.predict(-inputs)
    assert (first == kept).all()


def test_gathered_rows_are_the_chosen_rows():
    """In the order asked for, also for a last smaller batch; without rows the data set itself, uncopied."""
    inputs = np.arange(40.0).reshape(10, 4)
    fused = FusedStep(classifier(), 4)
    for rows in ([3, 1, 9, 0], [7, 2], [9, 8, 5, 4]):
        assert (fused.gather(inputs, np.array(rows)) == inputs[rows]).all()
    assert fused.gather(inputs, None) is inputs


def test_the_settings_of_numpy_stay_as_they_were():
    """Quiet operations inside a quiet step: np.geterr() is the user's own afterwards, on every version of NumPy."""
    with np.errstate(all="raise"):
        before = np.geterr()
        FusedStep(classifier(), 5)(*batch(5), cross_entropy)
        assert np.geterr() == before


@pytest.mark.parametrize("case", [Case(dict(inputs=1, outputs_per_layer=[2, 1], activation="relu"), mse, 3, 4)])
def test_overflow_is_quiet(case):
    """Weights of 1e200 make an infinite loss and no warning: training says it in a sentence of its own."""
    model, (inputs, targets) = case.model(), case.batch()
    model.flat[:] = 1e200
    assert fused_step(model, case.loss, np.abs(inputs), targets)[0] == inf


def test_no_samples_have_no_outputs():
    """Shape (0, outputs), no error."""
    assert MLP(3, [4, 2]).predict(np.zeros((0, 3))).shape == (0, 2)
