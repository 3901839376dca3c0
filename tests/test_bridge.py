"""The bridge between the engines: an entry of dW = X^T delta is the sum of the scalar engine's rows for that one weight."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite import MLP, SGD, half_squared_error, mse, train
from micrograd_lite.data import Dataset

np = pytest.importorskip("numpy", reason="arrays need NumPy")
arrays = pytest.importorskip("micrograd_lite.arrays", reason="arrays need NumPy")

U = 2.0**-53
NUMBERS = st.floats(-2.0, 2.0, allow_subnormal=False)


@st.composite
def problems(draw):
    """A network of one to three layers (the last one linear or sigmoid), one to five samples for it, and a loss."""
    widths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    samples = draw(st.integers(1, 5))
    tables = [draw(st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=samples, max_size=samples))
              for width in (widths[0], widths[-1])]  # fmt: skip
    activation = draw(st.sampled_from(["tanh", "sigmoid", "softplus", "sin"]))  # smooth: no kink to round to different sides of
    output, bias, seed = draw(st.sampled_from(["linear", "sigmoid"])), draw(st.booleans()), draw(st.integers(0, 99))
    model = MLP(widths[0], widths[1:], activation=activation, output=output, init="uniform", bias=bias, seed=seed)
    return model, Dataset("drawn", *tables), draw(st.sampled_from([mse, half_squared_error]))


def one_step(problem):
    """The first step of training in both engines, from the same weights: the scalar one with every edge."""
    model, samples, loss = problem
    array = arrays.from_scalar(model)
    (other,) = train(array, samples, loss=loss, optimizer=SGD(lr=0.01), epochs=1)
    (one,) = train(model, samples, loss=loss, optimizer=SGD(lr=0.01), epochs=1, chain_rule=[1])
    return one, other


def entries(array):
    """Each weight of each layer: layer, row, column and its scalar name."""
    for number, layer in enumerate(array.layers):
        for i, j in np.ndindex(layer.w.data.shape):
            yield number, i, j, arrays.scalar_name(f"layer{number}.w", (i, j))


@given(problem=problems())
def test_every_entry_is_the_sum_of_its_rows(problem):
    """In all layers, for every weight: one row for each sample, and their shares add up to the array engine's entry.

    Tolerance: at most 5 samples and 3 layers of at most 4 numbers below 10 round a few hundred times, 1e-13 of the
    largest number on the way; 1e-12 leaves room for the last digit of exp and tanh, which the two libraries round apart.
    """
    one, other = one_step(problem)
    for number, i, j, name in entries(other.model):
        shares = [row.share for row in one.chain if row.parent == name]
        assert len(shares) == len(problem[1].inputs)
        gradient = other.model.layers[number].w.grad[i, j]
        scale = max(1.0, *map(abs, one.gradients), *map(abs, shares))
        assert math.isclose(math.fsum(shares), gradient, abs_tol=1e-12 * scale)


@given(problem=problems())
def test_the_rows_are_the_matrix_product_itself(problem):
    """With X made of the rows' partials and delta of their upstreams, X^T @ delta is the rows' totals.

    Tolerance: n products are rounded and added in two orders, at most 2 n u times the sum of their sizes. The shares are
    the products themselves, to the bit.
    """
    one, other = one_step(problem)
    samples = len(problem[1].inputs)
    rows = {name: [row for row in one.chain if row.parent == name][::-1] for *_, name in entries(other.model)}
    for number, layer in enumerate(other.model.layers):
        inputs, neurons = layer.w.data.shape
        names = [[arrays.scalar_name(f"layer{number}.w", (i, j)) for j in range(neurons)] for i in range(inputs)]
        x = np.array([[rows[names[i][0]][sample].partial for i in range(inputs)] for sample in range(samples)])
        delta = np.array([[rows[names[0][j]][sample].upstream for j in range(neurons)] for sample in range(samples)])
        dw = x.T @ delta
        for i, j in np.ndindex(dw.shape):
            cells = rows[names[i][j]]
            assert [row.share for row in cells] == [x[sample, i] * delta[sample, j] for sample in range(samples)]
            bound = 2 * samples * U * math.fsum(abs(row.share) for row in cells)
            assert abs(dw[i, j] - cells[0].total) <= bound + 5e-324 * samples


@given(problem=problems())
def test_x_and_delta_are_those_of_the_array_engine(problem):
    """The partial of a row is what the array engine has as X, the upstream what it has as delta (hidden layers)."""
    one, other = one_step(problem)
    for number, i, j, name in entries(other.model):
        rows = [row for row in one.chain if row.parent == name][::-1]
        x = other.fused.activations[number][:, i]
        assert np.allclose([row.partial for row in rows], x, rtol=0.0, atol=1e-12 * max(1.0, np.abs(x).max()))
        if number + 1 < len(other.model.layers):
            delta = other.fused.deltas[number + 1][:, j]
            assert np.allclose([row.upstream for row in rows], delta, rtol=0.0, atol=1e-11 * max(1.0, np.abs(delta).max()))
