"""Array: the graph on arrays, its broadcasting, its operations over many operands, against loops over single numbers."""

import copy
import gc
import math
import pickle
import weakref

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from array_strategies import FLOAT32, FLOAT64, broadcast_shapes, on_arrays, whole_numbers  # noqa: E402
from micrograd_lite import many  # noqa: E402
from micrograd_lite.arrays import many as array_many  # noqa: E402
from micrograd_lite.arrays.array import Array, unbroadcast  # noqa: E402
from micrograd_lite.graph import youngest_first  # noqa: E402
from micrograd_lite.rules import MANY, RULES  # noqa: E402
from micrograd_lite.scalar import APPLY, Value  # noqa: E402
from references import U  # noqa: E402

ARRAY_MANY = ("matmul", "sum", "mean", "pick", "reshape", "cross_entropy")
both_dtypes = pytest.mark.parametrize("dtype", [FLOAT64, FLOAT32], ids=str)


# Leaves.


@pytest.mark.parametrize(
    "data, dtype",
    [
        (1, FLOAT64), (True, FLOAT64), ([1, 2], FLOAT64), (np.float32(1), FLOAT32), (np.float64(1), FLOAT64), ([], FLOAT64),
        (np.ones(2, np.float32), FLOAT32), (np.ones(2, np.float16), FLOAT64), (np.ones(2, np.uint8), FLOAT64),
        (np.ones(2, ">f8"), FLOAT64), (np.ones((2, 0)), FLOAT64),
    ],
)  # fmt: skip
def test_real_numbers_become_float64_and_float32_stays(data, dtype):
    """Whatever the kind of real number; the dtype is always one of the two, in the machine's byte order."""
    assert Array(data).data.dtype == dtype


@pytest.mark.parametrize("data", ["1.5", ["1", "2"], None, [1.0, None], 1j, [1j], Value(1.0), [Value(1.0)], {}, b"1", 10**400])
def test_what_is_no_real_number_is_a_type_error(data):
    """Strings that look like numbers, None, complex numbers, Values of the other engine."""
    with pytest.raises(TypeError, match="an Array holds real numbers, got"):
        Array(data)


@pytest.mark.parametrize("operation", ["add", "sub", "mul", "div", "maximum", "prelu", "power"])
@pytest.mark.parametrize("other", ["1.5", ["1", "2"], None, [1.0, None], Value(1.0), b"1"], ids=repr)
def test_an_operand_that_is_no_real_number_is_a_type_error(operation, other):
    """The same on the right of an operation as in Array itself: nothing is parsed, and None is not NaN."""
    with pytest.raises(TypeError):
        on_arrays(operation)(Array([1.0, 2.0]), other)


@both_dtypes
@pytest.mark.parametrize("operation", ["add", "sub", "mul", "div", "pow", "maximum", "minimum", "prelu"])
def test_the_two_dtypes_never_mix(dtype, operation):
    """float32 and float64 together are a TypeError that names both, whether Array or ndarray, 0-d or not."""
    other = FLOAT32 if dtype == FLOAT64 else FLOAT64
    for data in (np.ones(2, other), np.ones((), other)):
        with pytest.raises(TypeError, match=f"{dtype} and {other} do not mix"):
            on_arrays(operation)(Array(np.ones(2, dtype)), Array(data))
        if operation != "pow":
            with pytest.raises(TypeError, match=f"{dtype} and {other} do not mix"):
                on_arrays(operation)(Array(np.ones(2, dtype)), data)


def test_matmul_never_mixes_dtypes():
    """float32 times float64 is a TypeError that names both."""
    with pytest.raises(TypeError, match="matmul: float32 and float64 do not mix"):
        array_many.matmul(Array(np.ones((2, 2), np.float32)), Array(np.ones((2, 2))))


@both_dtypes
def test_plain_numbers_take_the_dtype_of_the_array(dtype):
    """Python numbers on either side of every operator keep the dtype, in value and gradient."""
    x = Array(np.full((2, 2), 2.0, dtype))
    y = ((1 + x) * 3.0 - 1) / 2 + 2.0**x + x**2 + (5 - x) + 1 / x
    total = array_many.mean(y)
    total.backward()
    assert {node.data.dtype for node in (y, total)} == {dtype} and np.asarray(x.grad).dtype == dtype


@both_dtypes
@pytest.mark.parametrize("shape", [(), (1,), (2, 3)], ids=str)
def test_data_and_gradients_keep_their_dtype_through_every_operation(dtype, shape):
    """Every row and every operation over many operands: no node and no gradient of another dtype, 0-d too."""
    nodes = [Array(np.full(shape, 0.5, dtype)) for _ in "xy"]
    made = [on_arrays(name)(*nodes[: len(rule.inputs)]) for name, rule in RULES.items() if name != "power"]
    total = nodes[0] ** 2.0
    for node in made:
        total = total + node
    root = array_many.sum(array_many.reshape(total, -1)) + array_many.mean(total)
    root.backward()
    assert {np.asarray(node.data).dtype for node in youngest_first(root)} == {dtype}
    assert {np.asarray(node.grad).dtype for node in [*youngest_first(root), *nodes]} == {dtype}


def test_ndarrays_on_the_left_let_array_answer():
    """ndarray - Array is one Array, not an ndarray of Arrays; NumPy scalars too."""
    x = Array([1.0, 2.0])
    for left in (np.array([5.0, 7.0]), np.float64(5.0)):
        made = left - x
        assert type(made) is Array and made.data.tolist() == (np.asarray(left) - x.data).tolist()


# Broadcasting, against loops over single numbers.

PAIRS = ("add", "sub", "mul", "maximum", "minimum", "prelu")


def slow_gradients(name, x, y, weights):
    """d(sum of weights * operation(x, y)) toward every element, number by number, through the scalar engine's row."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    gradients = np.zeros(x.shape), np.zeros(y.shape)
    for index in np.ndindex(shape):
        places = [
            tuple(0 if size == 1 else i for i, size in zip(index[len(shape) - array.ndim :], array.shape)) for array in (x, y)
        ]
        _, partials = APPLY[name](float(x[places[0]]), float(y[places[1]]))
        for gradient, place, partial in zip(gradients, places, partials):
            gradient[place] += partial * weights[index]
    return gradients


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=40)
@given(shapes=broadcast_shapes(), seed=st.integers(0, 99))
def test_broadcasting_is_undone(name, shapes, seed):
    """Gradients have their parents' shapes and, on whole numbers, exactly the sums of a slow loop over every element."""
    x, y = Array(whole_numbers(shapes[0], seed)), Array(whole_numbers(shapes[1], seed + 1))
    made = on_arrays(name)(x, y)
    weights = whole_numbers(np.shape(made.data), seed + 2)
    array_many.sum(made * weights).backward()
    for leaf, expected in zip((x, y), slow_gradients(name, x.data, y.data, weights)):
        assert np.shape(leaf.grad) == leaf.data.shape
        assert np.array_equal(leaf.grad, expected)


@settings(max_examples=40)
@given(shapes=broadcast_shapes(), seed=st.integers(0, 99))
def test_unbroadcast_is_the_transpose_of_broadcasting(shapes, seed):
    """<u, broadcast(x)> = <unbroadcast(u), x> for every shape that broadcasts."""
    shape = np.broadcast_shapes(*shapes)
    u, x = whole_numbers(shape, seed), whole_numbers(shapes[0], seed + 1)
    assert float((u * np.broadcast_to(x, shape)).sum()) == float((unbroadcast(u, shapes[0]) * x).sum())


def test_shapes_that_do_not_broadcast_are_refused():
    """A ValueError that gives both shapes."""
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        Array([1.0, 2.0]) + Array([1.0, 2.0, 3.0])


def test_an_array_that_is_both_operands_gets_both_shares():
    """x - x has slope 0, x * x has slope 2x, also where one use is broadcast."""
    x = Array([[1.0], [2.0]])
    ((x - x) + x * x + x * np.ones((2, 3))).backward()
    assert x.grad.tolist() == [[0.0 + 3 * 2.0 + 3.0], [3 * 4.0 + 3.0]]


# Operations over many operands.


def by_differences(function, leaf, h=1e-5):
    """Central differences of a function of no arguments toward each element of a leaf."""
    slopes = np.zeros(leaf.data.shape)
    for index in np.ndindex(leaf.data.shape):
        kept = leaf.data[index]
        leaf.data[index] = kept + h
        above = float(function().data)
        leaf.data[index] = kept - h
        slopes[index] = (above - float(function().data)) / (2 * h)
        leaf.data[index] = kept
    return slopes


def some(*shape, seed=0):
    return Array(np.random.default_rng(seed).normal(size=shape))


X, W = some(3, 4), some(4, 2, seed=1)
OPERATIONS = {
    "matmul": lambda: array_many.matmul(X, W),
    "sum": lambda: array_many.sum(X) * 2.0,
    "sum, axis 0": lambda: array_many.sum(X, axis=0),
    "sum, axis 1": lambda: array_many.sum(X, axis=1),
    "sum, last axis": lambda: array_many.sum(X, axis=-1),
    "mean": lambda: array_many.mean(X) * 3.0,
    "mean, axis 0": lambda: array_many.mean(X, axis=0),
    "mean, axis 1": lambda: array_many.mean(X, axis=1),
    "mean, last axis": lambda: array_many.mean(X, axis=-1),
    "pick": lambda: array_many.pick(X, [3, 0, 0]),
    "reshape": lambda: array_many.reshape(X, 2, 6),
    "reshape, -1": lambda: array_many.reshape(X, -1),
    "cross_entropy": lambda: array_many.cross_entropy(X, [3, 0, 0]),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_pull_is_the_slope_of_its_value(name):
    """Shares agree with central differences (1e-8, by truncation) when each element of the result counts differently."""

    def weighted():
        made = OPERATIONS[name]()
        return array_many.sum(made * np.arange(1.0, 1.0 + made.data.size).reshape(made.data.shape) / 3.0)

    for leaf in (X, W):
        leaf.grad = 0.0
    root = weighted()
    root.backward()
    assert root.parents[0].parents[0].rule.name in (*ARRAY_MANY, "mul")
    for leaf in (X, W):
        assert np.allclose(leaf.grad, by_differences(weighted, leaf), rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", ARRAY_MANY)
def test_every_many_row_for_arrays_has_its_function(name):
    """Each function marks its nodes with its row of the table."""
    arguments = {"matmul": (X, W), "pick": (X, [0, 0, 0]), "cross_entropy": (X, [0, 0, 0]), "reshape": (X, 12)}.get(name, (X,))
    assert getattr(array_many, name)(*arguments).rule is MANY[name]


@settings(max_examples=30)
@given(data=st.data(), rows=st.integers(1, 4), inner=st.integers(1, 4), columns=st.integers(1, 4), seed=st.integers(0, 99))
def test_matmul_is_dot_for_every_pair(data, rows, inner, columns, seed):
    """On whole numbers, values and gradients are exactly those of the scalar engine's dots."""
    x, w = Array(whole_numbers((rows, inner), seed)), Array(whole_numbers((inner, columns), seed + 1))
    made = array_many.matmul(x, w)
    made.backward()
    xs, ws = [[Value(n) for n in row] for row in x.data], [[Value(n) for n in row] for row in w.data]
    dots = [[many.dot(list(column), row) for column in zip(*ws)] for row in xs]
    many.sum([dot for row in dots for dot in row]).backward()
    for found, values in ((x.grad, xs), (w.grad, ws)):
        assert found.tolist() == [[value.grad for value in row] for row in values]
    assert made.data.tolist() == [[dot.data for dot in row] for row in dots]


@pytest.mark.parametrize("name", ["sum", "mean"])
@settings(max_examples=30)
@given(numbers=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20))
def test_sum_and_mean_are_the_scalar_engines(name, numbers):
    """Within n u of the sum of magnitudes, because NumPy adds in another order; the slopes are the same bits."""
    x, values = Array(numbers), [Value(number) for number in numbers]
    made, expected = getattr(array_many, name)(x), getattr(many, name)(values)
    made.backward()
    expected.backward()
    assert abs(made.data - expected.data) <= len(numbers) * U * math.fsum(map(abs, numbers))
    assert x.grad.tolist() == [value.grad for value in values]


@settings(max_examples=40)
@given(data=st.data(), columns=st.integers(1, 5), rows=st.integers(1, 4))
def test_cross_entropy_is_the_scalar_engines(data, columns, rows):
    """Value and slopes of every row, for logits of any size up to 1e307: 16 u of max(1, loss), and no warning."""
    numbers = st.one_of(st.floats(-1e307, 1e307), st.floats(-40, 40), st.sampled_from((0.0, 1e4, -1e4, 1e307, -1e307)))
    logits = data.draw(st.lists(st.lists(numbers, min_size=columns, max_size=columns), min_size=rows, max_size=rows))
    labels = data.draw(st.lists(st.integers(0, columns - 1), min_size=rows, max_size=rows))
    leaf = Array(logits)
    made = array_many.cross_entropy(leaf, labels)
    made.backward()
    for row, label, value, slopes in zip(logits, labels, made.data, leaf.grad):
        values = [Value(logit) for logit in row]
        expected = many.cross_entropy(values, label)
        expected.backward()
        assert abs(value - expected.data) <= 16 * U * max(1.0, expected.data)
        assert np.allclose(slopes, [v.grad for v in values], rtol=0, atol=16 * U)


@pytest.mark.parametrize(
    "logits, label, cost",
    [
        ([1e308, -1e308], 0, 0.0), ([1e308, -1e308], 1, math.inf), ([-1e308, -1e308], 0, math.log(2.0)),
        ([1e4, 0.0], 0, 0.0), ([1e4, 0.0], 1, 1e4), ([0.0, 40.0], 1, math.exp(-40.0)), ([7.0], 0, 0.0),
    ],
)  # fmt: skip
def test_cross_entropy_is_stable(logits, label, cost):
    """Huge logits neither overflow nor cancel; a tiny cost keeps its digits; slopes stay between -1 and 1."""
    leaf = Array([logits])
    made = array_many.cross_entropy(leaf, [label])
    made.backward()
    assert made.data[0] == pytest.approx(cost, rel=1e-15, abs=0)
    assert np.isfinite(leaf.grad).all() and (np.abs(leaf.grad) <= 1).all()


@pytest.mark.parametrize(
    "make, value",
    [
        (lambda x: array_many.sum(x), math.inf),
        (lambda x: array_many.mean(x), math.inf),
        (lambda x: array_many.sum(x, axis=0), math.inf),
        (lambda x: array_many.matmul(array_many.reshape(x, 1, 2), Array([[10.0], [1.0]])), math.inf),
        (lambda x: x.exp() - x.exp(), math.nan),
        (lambda x: x * x, math.inf),
    ],
)
def test_overflow_is_infinite_and_silent(make, value):
    """Sums, means and products too large for a float are inf, without a warning, as in the scalar engine."""
    x = Array([1e308, 1.1e308])
    made = make(x)
    made.backward()
    assert np.array_equal(np.broadcast_to(value, np.shape(made.data)), made.data, equal_nan=True)


def test_the_settings_of_numpy_stay_as_they_were():
    """Being quiet about overflow ends with the operation: np.geterr() is the user's own afterwards."""
    with np.errstate(all="raise"):
        before = np.geterr()
        x = Array([1000.0])
        (x.exp() * x.exp()).backward()
        with pytest.raises(ValueError):
            (x - 2000.0).log()
        assert np.geterr() == before


@pytest.mark.parametrize(
    "call, kind, text",
    [
        (lambda: array_many.matmul(some(2, 3), some(2, 3)), ValueError, r"matmul: shapes \(2, 3\) and \(2, 3\)"),
        (lambda: array_many.matmul(some(3), some(3, 1)), ValueError, r"matmul: shapes \(3,\) and \(3, 1\)"),
        (lambda: array_many.mean(some(0)), ValueError, "at least one value"),
        (lambda: array_many.mean(some(3, 0), axis=1), ValueError, "at least one value"),
        (lambda: array_many.mean(some(3), axis=1), ValueError, "axis"),
        (lambda: array_many.sum(some(3), axis=1), ValueError, "axis"),
        (lambda: array_many.reshape(some(3), 2), ValueError, "reshape"),
        (lambda: array_many.pick(some(2, 3), [0, 3]), ValueError, r"pick: the label must be one of 0 \.\.\. 2, got 3 in row 1"),
        (lambda: array_many.cross_entropy(some(2, 3), [-1, 0]), ValueError, r"one of 0 \.\.\. 2, got -1 in row 0"),
        (lambda: array_many.cross_entropy(some(2, 3), [0]), ValueError, r"\(2, 3\).*\(1,\)"),
        (lambda: array_many.cross_entropy(some(2, 3), [[0], [1]]), ValueError, r"\(2, 3\).*\(2, 1\)"),
        (lambda: array_many.cross_entropy(some(3), [0, 1, 2]), ValueError, r"\(3,\)"),
        (lambda: array_many.cross_entropy(some(2, 3), [0.0, 1.0]), TypeError, "whole numbers, got dtype float64"),
        (lambda: array_many.cross_entropy(some(2, 3), [True, False]), TypeError, "whole numbers, got dtype bool"),
    ],
)  # fmt: skip
def test_operands_that_do_not_fit_are_refused_in_a_sentence(call, kind, text):
    """Shapes, labels and axes: what was asked and what was got."""
    with pytest.raises(kind, match=text):
        call()


def test_backward_never_raises_for_empty_arrays():
    """A mean over the columns of a table without rows is an empty array, and so is its gradient."""
    for make in (array_many.mean, array_many.sum):
        x = Array(np.zeros((0, 3)))
        make(x, axis=1).backward()
        assert x.grad.shape == (0, 3)


# The graph.


def example():
    """A graph with a node used twice, a broadcast and operations of both kinds."""
    x, w, b = some(3, 2, seed=2), some(2, 2, seed=3), some(2, seed=4)
    hidden = (array_many.matmul(x, w) + b).tanh()
    return (x, w, b), array_many.mean(hidden * hidden + hidden)


def test_a_second_backward_doubles_the_leaves_and_nothing_else():
    """Leaves accumulate, inner nodes start from zero: exactly twice the gradient, and the root's stays 1."""
    leaves, root = example()
    root.backward()
    first, inner = [leaf.grad.copy() for leaf in leaves], [np.array(node.grad) for node in youngest_first(root)]
    root.backward()
    assert all(np.array_equal(leaf.grad, 2.0 * grad) for leaf, grad in zip(leaves, first))
    assert all(np.array_equal(node.grad, grad) for node, grad in zip(youngest_first(root), inner))


def test_a_gradient_that_was_read_stays_what_it_was():
    """A gradient kept from one backward pass is not moved by the next one: it accumulates into a new array."""
    (x, _, _), root = example()
    root.backward()
    kept, numbers = x.grad, x.grad.copy()
    root.backward()
    assert np.array_equal(kept, numbers)


def test_gradients_are_nobodys_views():
    """Two leaves of one sum own their gradients: writing into one moves neither the other nor any data."""
    a, b = Array([1.0, 2.0]), Array([3.0, 4.0])
    made = array_many.reshape(a + b, 2, 1)
    made.backward()
    a.grad += 5.0
    assert a.grad.tolist() == [6.0, 6.0] and b.grad.tolist() == [1.0, 1.0]
    assert made.grad.tolist() == [[1.0], [1.0]] and a.data.tolist() == [1.0, 2.0]


def test_backward_on_a_leaf_adds_one_to_each_element():
    """d(sum of x)/dx is 1 everywhere, and leaves accumulate."""
    x = Array([[1.0, 2.0]])
    x.backward()
    x.backward()
    assert x.grad.tolist() == [[2.0, 2.0]]


def test_operations_leave_their_operands_alone():
    """Neither forward nor backward writes into the data of a node, not even of a read-only array."""
    frozen = np.arange(1.0, 7.0).reshape(2, 3)
    frozen.flags.writeable = False
    x = Array(frozen)
    for name, rule in RULES.items():
        array_many.sum(on_arrays(name)(x, *[2.0] * (len(rule.inputs) - 1) if name != "pow" else [x])).backward()
    array_many.sum(array_many.cross_entropy(x, [0, 2]) + array_many.pick(x, [0, 2])).backward()
    assert x.data.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def test_a_dropped_graph_is_freed_at_once():
    """No reference cycles: without the garbage collector, the data of an inner node goes with its last name."""
    gc.collect()
    gc.disable()
    try:
        _, root = example()
        root.backward()
        inner = weakref.ref(root.parents[0].data)
        assert inner() is not None
        del root
        assert inner() is None
    finally:
        gc.enable()


def test_a_deep_chain_works():
    """20,000 nodes one after the other: no recursion."""
    x = y = Array([1.0, 2.0])
    for _ in range(20_000):
        y = y + 1.0
    y.backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_an_inner_node_cannot_be_copied():
    """Copying or pickling it is a TypeError that names the remedy; a leaf copies with label and gradient."""
    leaf = Array([1.0, 2.0], "w")
    made = leaf * 2.0
    made.backward()
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            copied(made)
    twin = pickle.loads(pickle.dumps(leaf))
    assert (twin.data.tolist(), twin.grad.tolist(), twin.label) == ([1.0, 2.0], [2.0, 2.0], "w")


def test_equality_and_hash_are_identity():
    """Two arrays of the same numbers are different nodes; a set of nodes works."""
    a, b = Array([1.0]), Array([1.0])
    assert a != b and a == a and len({a, b, a}) == 2


def test_kinds_of_powers():
    """A number or ndarray as exponent is a constant; an Array has a slope of its own and needs a positive base."""
    x, n = Array([2.0, 3.0]), Array([3.0, 2.0])
    (x**n).backward()
    assert n.grad == pytest.approx([8 * math.log(2), 9 * math.log(3)]) and x.grad.tolist() == [12.0, 6.0]
    y = Array([-2.0, 3.0])
    (y ** np.array([3.0, 2.0])).backward()
    assert y.grad.tolist() == [12.0, 6.0]
    with pytest.raises(ValueError, match=r"pow: needs x > 0, got x = -2\.0, y = 3\.0"):
        y**n


def test_repr_is_short():
    """Shape, dtype and label: a batch is not printed in full."""
    assert repr(Array(np.zeros((100, 100)), "w")) == "Array(shape=(100, 100), dtype=float64, label='w')"


def test_an_array_shares_nothing_with_its_caller():
    """A buffer that is filled anew for the next batch leaves the graph of the last one alone, however it was handed in."""
    buffer, other = np.array([1.0, 2.0]), np.array([10.0, 20.0])
    x, w = Array(buffer), Array(memoryview(buffer))
    total = array_many.sum(x * w * other)
    buffer[:], other[:] = -5.0, -5.0
    total.backward()
    assert (x.data.tolist(), x.grad.tolist(), w.grad.tolist()) == ([1.0, 2.0], [10.0, 40.0], [10.0, 40.0])


TWO_TO_ONE = {
    "mul": lambda x, w: x * w, "div": lambda x, w: w / x, "matmul": lambda x, w: array_many.matmul(x, w),
    "tanh": lambda x, w: (x + w).tanh(), "cross_entropy": lambda x, w: array_many.cross_entropy(x * w, [0, 1]),
    "mean": lambda x, w: array_many.mean(x * w, axis=0), "prelu": lambda x, w: (-x).prelu(w), "power": lambda x, w: x**3 * w,
}  # fmt: skip


def gradients_after(made, between):
    """The gradients of x and w when something happens to their data between the forward pass and backward()."""
    x, w = Array([[1.0, 2.0], [3.0, 4.0]]), Array([[5.0, 6.0], [7.0, 8.0]])
    total = made(x, w)
    between(x)
    between(w)
    total.backward()
    return x.grad.tolist(), w.grad.tolist()


def put_anew(array):
    array.data = array.data - 1.0


def put_in_place(array):
    array.data -= 1.0


@pytest.mark.parametrize("made", TWO_TO_ONE.values(), ids=TWO_TO_ONE)
def test_assigning_data_after_the_forward_pass_changes_no_gradient(made):
    """As with Values: a graph keeps the arrays that it was made from, matmul's too."""
    assert gradients_after(made, put_anew) == gradients_after(made, lambda array: None)


def test_changing_data_in_place_after_the_forward_pass_changes_gradients():
    """What the docstring of Array warns of: the same array is the graph's, and copying each one would cost memory and time."""
    for name in ("mul", "matmul"):
        assert gradients_after(TWO_TO_ONE[name], put_in_place) != gradients_after(TWO_TO_ONE[name], lambda array: None)
    assert "`w.data -= ...`" in Array.__doc__
