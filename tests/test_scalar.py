"""Value and backward(): what a node may hold, what arithmetic on nodes means, and what a backward pass does."""

import contextlib
import copy
import gc
import math
import operator
import pickle
import struct
import sys
import warnings
from fractions import Fraction
from functools import reduce

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from micrograd_lite import many
from micrograd_lite.graph import oldest_first
from micrograd_lite.many import dot
from micrograd_lite.rules import RULES, dot_terms
from micrograd_lite.scalar import Value
from references import (
    BOUND,
    FLOATS,
    FRACTIONS,
    complex_gradients,
    dual_gradients,
    error,
    exact_gradients,
)
from strategies import FINITE, clear_of_kinks, integer_programs, on_values, programs, without_forward_cancellation

inf, nan = math.inf, math.nan


def bits(number):
    """A float's own bits; every NaN is one NaN."""
    assert type(number) is float
    return "nan" if number != number else struct.pack(">d", number)


def gradients(program):
    """The last node of a program run on Values, and the gradient of every input after backward()."""
    nodes = program.values()
    nodes[-1].backward()
    return nodes[-1], [leaf.grad for leaf in nodes[: len(program.inputs)]]


# What a Value holds.

NUMBERS = [
    (2, 2.0),
    (2.5, 2.5),
    (True, 1.0),
    (False, 0.0),
    (Fraction(1, 3), 1 / 3),
    (-0.0, -0.0),
    (inf, inf),
    (2**53 + 1, 9007199254740992.0),
    (10**308, 1e308),
]


@pytest.mark.parametrize("given_number, kept", NUMBERS)
def test_any_real_number_is_kept_as_a_python_float(given_number, kept):
    """ints, bools and Fractions become the nearest Python float; floats stay what they are."""
    assert bits(Value(given_number).data) == bits(kept)


NOT_NUMBERS = [
    ("2.0", "str"),
    (b"2", "bytes"),
    (None, "NoneType"),
    ([1.0], "list"),
    ((1.0,), "tuple"),
    (1 + 0j, "complex"),
    (Value(1.0), "Value"),
    (object(), "object"),
]


@pytest.mark.parametrize("thing, kind", NOT_NUMBERS, ids=[kind for _, kind in NOT_NUMBERS])
def test_anything_else_is_a_type_error_that_names_the_type(thing, kind):
    """str, None, list, complex, another Value: TypeError with the type's name."""
    with pytest.raises(TypeError, match=rf"\b{kind}\b"):
        Value(thing)


OPERATIONS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "maximum": lambda x, y: x.maximum(y) if isinstance(x, Value) else y.maximum(x),
}


@pytest.mark.parametrize("symbol", OPERATIONS)
@pytest.mark.parametrize(
    "thing, kind", [n for n in NOT_NUMBERS if n[1] != "Value"], ids=lambda thing: str(thing).partition(" at 0x")[0]
)
def test_arithmetic_with_anything_else_is_a_type_error_that_names_the_type(symbol, thing, kind):
    """The same on either side of an operator."""
    for x, y in ((Value(2.0), thing), (thing, Value(2.0))):
        with pytest.raises(TypeError, match=rf"\b{kind}\b"):
            OPERATIONS[symbol](x, y)


@pytest.mark.parametrize("number", [10**400, Fraction(10**400), -(10**400)], ids=["int", "Fraction", "negative"])
def test_a_number_too_large_for_a_float_is_a_value_error(number):
    """It names the type; it is no silent inf."""
    with pytest.raises(ValueError, match=type(number).__name__):
        Value(number)


def test_numpy_scalars_are_numbers_and_arrays_are_not():
    """NumPy scalars, on either side of an operator, give Values of Python floats; arrays, 0-d too, are TypeErrors."""
    numpy = pytest.importorskip("numpy")
    scalars = [numpy.float64(2.0), numpy.float32(2.0), numpy.float16(2.0), numpy.int8(2), numpy.uint64(2), numpy.bool_(1)]
    for number in scalars:
        assert bits(Value(number).data) == bits(float(number))
        for operation in OPERATIONS.values():
            for made in (operation(number, Value(3.0)), operation(Value(3.0), number)):
                assert type(made) is Value
                made.backward()
                assert {type(x) for node in oldest_first(made) for x in (node.data, node.grad)} == {float}
    assert (numpy.float64(2) ** Value(3.0)).data == 8.0
    arrays = [numpy.array(2.0), numpy.array([2.0]), numpy.array([1.0, 2.0])]
    for array in arrays:
        with pytest.raises(TypeError, match="ndarray"):
            Value(array)
        for name, operation in OPERATIONS.items():
            for x, y in ((array, Value(3.0)), (Value(3.0), array)):
                with pytest.raises(TypeError, match="ndarray"):
                    operation(x, y)
                    pytest.fail(f"{name} took an array")
    with pytest.raises(TypeError, match="complex"):
        Value(numpy.complex128(2.0))


def test_a_new_leaf_has_no_history():
    """A leaf: its number, grad 0.0, no parents, no partials, no rule, and the label given."""
    leaf = Value(2, "w")
    assert (leaf.data, leaf.grad, leaf.parents, leaf.partials, leaf.rule, leaf.label) == (2.0, 0.0, (), (), None, "w")
    assert Value(2.0).label == ""


def test_a_node_has_slots_only():
    """No attribute can be misspelled into existence."""
    with pytest.raises(AttributeError):
        Value(1.0).gradient = 1.0


def test_assigning_data_and_grad_is_free():
    """Optimizers assign; nothing is checked and nothing else changes."""
    leaf = Value(1.0)
    leaf.data, leaf.grad = 5.0, -2.0
    assert (leaf.data, leaf.grad, float(leaf)) == (5.0, -2.0, 5.0)


def test_float_of_a_value_is_its_number():
    """float(v) is v.data, a Python float, for leaves and inner nodes."""
    v = Value(1.5) + 1
    assert bits(float(v)) == bits(2.5)


def test_equality_and_hash_are_identity():
    """Two nodes with the same number are two nodes: a set keeps both, a dict tells them apart."""
    a, b = Value(1.0), Value(1.0)
    assert a == a and a != b and a != 1.0
    assert len({a, b, a}) == 2 and {a: 1, b: 2}[b] == 2


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_values_have_no_order(compare):
    """Comparing nodes is a TypeError, not a comparison of identities: compare their numbers."""
    with pytest.raises(TypeError):
        compare(Value(1.0), Value(2.0))


def test_repr_shows_number_gradient_and_label():
    """The way micrograd prints, with the label if there is one."""
    assert repr(Value(2.0)) == "Value(data=2.0, grad=0.0)"
    assert repr(Value(2.0, "w")) == "Value(data=2.0, grad=0.0, label='w')"


# What arithmetic means.

REFLECTED = [
    # operation                  value     d/dv at v = 4
    (lambda v: 3 + v,             7.0,      1.0),
    (lambda v: 3 - v,            -1.0,     -1.0),
    (lambda v: 3 * v,            12.0,      3.0),
    (lambda v: 3 / v,             0.75,    -0.1875),
    (lambda v: 2**v,             16.0,      16.0 * math.log(2.0)),
    (lambda v: Fraction(1, 2) - v, -3.5,   -1.0),
    (lambda v: True - v,         -3.0,     -1.0),
    (lambda v: v + 3,             7.0,      1.0),
    (lambda v: v - 3,             1.0,      1.0),
    (lambda v: v * 3,            12.0,      3.0),
    (lambda v: v / 2,             2.0,      0.5),
    (lambda v: v**2,             16.0,      8.0),
    (lambda v: -v,               -4.0,     -1.0),
    (lambda v: abs(-v),           4.0,      1.0),
    (lambda v: abs(v),            4.0,      1.0),
    (lambda v: v.abs(),           4.0,      1.0),
    (lambda v: v.maximum(3),      4.0,      1.0),
    (lambda v: v.minimum(3),      3.0,      0.0),
]  # fmt: skip


@pytest.mark.parametrize("operation, value, slope", REFLECTED)
def test_numbers_may_stand_on_either_side(operation, value, slope):
    """A plain number on the left or right keeps the written order of the operands."""
    v = Value(4.0)
    made = operation(v)
    made.backward()
    assert (made.data, v.grad) == (value, slope)


@given(x=FINITE, y=FINITE.filter(bool))
@example(x=1.0, y=49.0)
@example(x=5.0, y=3.0)
def test_division_is_correctly_rounded(x, y):
    """x / y is Python's x / y in every bit, not x * y**-1."""
    assert bits((Value(x) / Value(y)).data) == bits(x / y)


def test_division_by_zero_is_a_zero_division_error():
    """On both sides, with the operation's name."""
    for division in (lambda: Value(1.0) / 0, lambda: 1 / Value(0.0), lambda: Value(0.0) / Value(-0.0)):
        with pytest.raises(ZeroDivisionError, match=r"^div: needs y != 0, got "):
            division()


@pytest.mark.parametrize("base", [-2.0, -0.5, 0.0, 3.0])
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7.0, Fraction(4)])
def test_a_whole_exponent_takes_any_base(base, exponent):
    """x ** n for whole n >= 0, any sign of x: Python's own number, and slope n * x ** (n - 1)."""
    x = Value(base)
    z = x**exponent
    z.backward()
    n = int(exponent)
    assert z.data == base**n and x.grad == (n * base ** (n - 1) if n else 0.0)


def test_x_to_the_zero_is_one_with_slope_zero():
    """For every x: 0, inf and NaN too."""
    for number in (0.0, -0.0, 2.0, -3.0, inf, -inf, nan):
        x = Value(number)
        z = x**0
        z.backward()
        assert (z.data, x.grad) == (1.0, 0.0)


def test_a_value_exponent_has_a_slope_of_its_own():
    """x ** y has slopes toward both; x ** 2 has one toward x only and makes the number a constant."""
    x, y = Value(2.0), Value(3.0)
    z = x**y
    z.backward()
    assert (z.data, x.grad, y.grad) == (8.0, 12.0, 8.0 * math.log(2.0))
    square = x**2
    square.backward()
    assert square.rule is RULES["power"] and len(square.partials) == 1 and square.parents[1].grad == 0.0


POWERS_OUTSIDE = [
    (lambda: Value(-8.0) ** 0.5, "power"),
    (lambda: Value(0.0) ** -1, "power"),
    (lambda: Value(-2.0) ** Value(2.0), "pow"),
    (lambda: Value(0.0) ** Value(2.0), "pow"),
    (lambda: 0 ** Value(2.0), "pow"),
    (lambda: (-2) ** Value(2.0), "pow"),
]


@pytest.mark.parametrize("power, name", POWERS_OUTSIDE)
def test_powers_outside_the_domain_are_value_errors(power, name):
    """A fractional power of a negative number, 0 to a negative one, any Value exponent on a base that is not positive."""
    with pytest.raises(ValueError, match=rf"^{name}: needs "):
        power()


def test_a_zero_partial_still_multiplies():
    """0 x inf is NaN: nothing is skipped because it looks like nothing."""
    x = Value(-1.0)
    (x.relu() * inf).backward()
    assert math.isnan(x.grad)
    w = Value(0.0)
    (w * inf).backward()
    assert w.grad == inf and math.isnan((Value(0.0) * inf).data)


# Gradients, against independent mathematics.


def test_the_example_of_micrograds_readme():
    """Karpathy's expression gives his numbers: 24.7041, 138.8338, 645.5773, here to the last bit."""
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert (g.data, a.grad, b.grad) == (24.70408163265306, 138.83381924198252, 645.5772594752186)


@given(program=programs())
def test_gradients_agree_with_dual_numbers(program):
    """On any graph, kinks and cancellation included, within 8192 u S."""
    root, found = gradients(program)
    for gradient, expected in zip(found, dual_gradients(FLOATS, program)):
        assert abs(root.data - expected.value) <= BOUND * abs(expected.value)
        assert abs(gradient - expected.slope) <= BOUND * expected.size


@given(program=clear_of_kinks())
def test_gradients_agree_with_the_complex_step(program):
    """On graphs clear of kinks, within 8192 u S."""
    _, found = gradients(program)
    for gradient, slope, expected in zip(found, complex_gradients(program), dual_gradients(FLOATS, program)):
        assert abs(gradient - slope) <= BOUND * expected.size


@given(program=without_forward_cancellation())
def test_gradients_agree_with_fifty_digits(program):
    """On graphs without forward cancellation, within 8192 u S."""
    root, found = gradients(program)
    for gradient, expected in zip(found, exact_gradients(program)):
        assert error(root.data, expected.value) <= BOUND * abs(float(expected.value))
        assert error(gradient, expected.slope) <= BOUND * float(expected.size)


@given(program=integer_programs())
def test_integer_programs_are_exact(program):
    """Values and gradients of programs on small whole numbers are the exact fractions, bit for bit."""
    root, found = gradients(program)
    for gradient, expected in zip(found, dual_gradients(FRACTIONS, program)):
        assert (Fraction(root.data), Fraction(gradient)) == (expected.value, expected.slope)


@given(program=programs())
def test_results_and_gradients_are_python_floats(program):
    """Every number in the graph is a float, after the forward and after the backward pass."""
    root, _ = gradients(program)
    for node in oldest_first(root):
        assert {type(number) for number in (node.data, node.grad, *node.partials)} == {float}


@given(program=programs())
def test_partials_belong_to_the_first_parents(program):
    """Each node has at most as many partials as parents; those beyond are constants."""
    for node in program.values():
        assert len(node.partials) <= len(node.parents)
        assert (node.rule is None) == (not node.parents)


# dot and its written-out sum.

ANY = st.floats()


def shared_graph(leaves, weights, inputs, bias, add_up):
    """A graph whose dot product is computed by add_up from nodes that may be tied; returns all nodes' numbers."""
    nodes = [Value(data) for data, _ in leaves]
    for leaf, (_, grad) in zip(nodes, leaves):
        leaf.grad = grad
    pool = [*nodes, nodes[0] * nodes[-1], nodes[0].tanh()]
    chosen = [[pool[i % len(pool)] for i in positions] for positions in (weights, inputs)]
    total = add_up(*chosen, None if bias is None else pool[bias % len(pool)])
    root = total.tanh() * pool[0] + total * pool[-1]
    root.backward()
    return [bits(x) for node in (root, total, *pool) for x in (node.data, node.grad)]


def written_out(weights, inputs, bias):
    """The sum that dot stands for, one node for each operation."""
    return sum((w * x for w, x in zip(weights, inputs)), Value(0.0) if bias is None else bias)


PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=8)


@pytest.mark.parametrize("numbers", [st.floats(-9, 9), ANY], ids=["everyday", "any"])
@given(data=st.data())
def test_dot_is_the_written_out_sum_bit_for_bit(numbers, data):
    """Value and all gradients, whatever nodes are tied (weights, inputs, bias, inner nodes) and what grads stood before."""
    leaves = data.draw(st.lists(st.tuples(numbers, st.one_of(st.just(0.0), numbers)), min_size=1, max_size=5))
    pairs = data.draw(PAIRS)
    bias = data.draw(st.none() | st.integers(0, 6))
    choice = (leaves, [w for w, _ in pairs], [x for _, x in pairs], bias)
    assert shared_graph(*choice, dot) == shared_graph(*choice, written_out)


def test_dot_of_one_node_with_itself():
    """The most tied case: x*x + x*x + x from one x that already has a gradient."""
    x, y = Value(0.1), Value(0.1)
    x.grad = y.grad = 0.3
    dot([x, x], [x, x], x).backward()
    written_out([y, y], [y, y], y).backward()
    assert bits(x.grad) == bits(y.grad)


def test_dot_is_one_node():
    """Its parents are the very weights, inputs and bias."""
    w, x, b = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)], Value(5.0)
    made = dot(w, x, b)
    assert set(made.parents) == {*w, *x, b} and made.data == 16.0


def test_dot_without_anything_is_its_bias():
    """No products: the value is the bias and so is the gradient's way."""
    b = Value(5.0)
    made = dot([], [], b)
    made.backward()
    assert (made.data, b.grad) == (5.0, 1.0)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("bias", [None, Value(5.0)], ids=["no bias", "bias"])
def test_dot_terms_takes_a_dot_apart(count, bias):
    """The very bias, or None, and the very pairs, in the order of the call; a dot of nothing does not exist."""
    w, x = [Value(1.0) for _ in range(count)], [Value(2.0) for _ in range(count)]
    if count or bias:
        assert dot_terms(dot(w, x, bias).parents) == (bias, list(zip(w, x)))


def test_dot_needs_one_input_for_each_weight():
    """The ValueError names both counts."""
    with pytest.raises(ValueError, match="2 weights and 1 inputs"):
        dot([Value(1.0), Value(2.0)], [Value(1.0)])


@given(numbers=st.lists(ANY, min_size=1, max_size=8))
def test_sum_is_the_written_out_sum_bit_for_bit(numbers):
    """From left to right, without compensation, on every Python version."""
    assert bits(many.sum([Value(x) for x in numbers]).data) == bits(reduce(operator.add, numbers, 0.0))


@given(numbers=st.lists(ANY, min_size=1, max_size=8))
def test_mean_is_the_sum_divided_once(numbers):
    """(x0 + x1 + ...) / n, in that order of operations."""
    assert bits(many.mean([Value(x) for x in numbers]).data) == bits(reduce(operator.add, numbers, 0.0) / len(numbers))


@pytest.mark.parametrize("function", [many.sum, many.mean])
def test_nothing_has_no_sum(function):
    """An empty sum or mean is a ValueError, not a nameless zero."""
    with pytest.raises(ValueError, match="at least one value"):
        function([])


NOT_LABELS = [(2, ValueError), (-1, ValueError), (1.0, TypeError), ("0", TypeError), (None, TypeError)]


@pytest.mark.parametrize("label, kind", NOT_LABELS)
def test_cross_entropy_wants_a_label_that_is_a_position(label, kind):
    """A label outside 0 ... n-1 is a ValueError (no counting from the end), one that is no whole number a TypeError."""
    with pytest.raises(kind):
        many.cross_entropy([Value(1.0), Value(2.0)], label)


@given(st.lists(st.sampled_from((0.0, 1.0, -1000.0, inf, -inf)), max_size=4), st.integers(0, 4))
def test_cross_entropy_keeps_nan(others, position):
    """A NaN among the logits makes loss and gradients NaN, wherever it stands, without an exception."""
    logits = [Value(x) for x in [*others[:position], nan, *others[position:]]]
    for label in range(len(logits)):
        assert math.isnan(many.cross_entropy(logits, label).data)


# The backward pass.


@given(program=integer_programs())
def test_a_second_backward_doubles_the_leaves_and_nothing_else(program):
    """Leaves accumulate, inner nodes start anew: exactly, on whole numbers, where nothing is rounded."""
    root = program.values()[-1]
    root.backward()
    first = {node: node.grad for node in oldest_first(root)}
    root.backward()
    assert {node: node.grad for node in first} == {n: grad if n.parents else 2 * grad for n, grad in first.items()}


@given(program=programs())
def test_a_second_backward_gives_inner_nodes_the_same_bits(program):
    """Nothing of the first pass is left in an inner node."""
    root = program.values()[-1] * 1.0
    root.backward()
    first = {node: bits(node.grad) for node in oldest_first(root) if node.parents}
    root.backward()
    assert {node: bits(node.grad) for node in first} == first


def test_backward_on_a_leaf_adds_one():
    """d(leaf)/d(leaf) is 1, and leaves accumulate."""
    leaf = Value(3.0)
    leaf.backward()
    assert leaf.grad == 1.0
    leaf.backward()
    assert leaf.grad == 2.0


def test_the_root_has_gradient_one():
    """d(root)/d(root) is 1 after each backward pass of an inner node."""
    root = Value(3.0) * 2
    root.backward()
    root.backward()
    assert root.grad == 1.0


def test_two_losses_share_their_leaves():
    """Backward passes of two roots add up in the leaves, also through a common inner node."""
    a = Value(2.0)
    shared = a * 3.0
    (shared * 5.0).backward()
    (shared * 7.0).backward()
    assert (a.grad, shared.grad) == (36.0, 7.0)


def twice(y):
    return y + y


def diamond(y):
    return y * 2.0 + y * 3.0


def lopsided(y):
    return y + (y * 2.0) * (y * 0.0 + 3.0) + y.relu().relu().relu()


def square(y):
    return y * y


SHAPES = [(twice, 2.0), (diamond, 5.0), (lopsided, 8.0), (square, 12.0)]


@pytest.mark.parametrize("shape, slope", SHAPES, ids=[shape.__name__ for shape, _ in SHAPES])
def test_a_node_passes_on_its_gradient_once_all_its_uses_have_paid(shape, slope):
    """y = a*b used several times, at several depths: a gets b times the whole slope toward y = 6."""
    a, b = Value(2.0), Value(3.0)
    y = a * b
    shape(y).backward()
    assert (y.grad, a.grad, b.grad) == (slope, 3.0 * slope, 2.0 * slope)


def test_a_long_ladder_of_diamonds_is_linear_work():
    """y = y + y fifty times has 2**50 paths and fifty nodes."""
    x = y = Value(1.0)
    for _ in range(50):
        y = y + y
    y.backward()
    assert x.grad == 2.0**50


@given(program=programs())
def test_changing_data_after_the_forward_pass_does_not_change_gradients(program):
    """The partials were computed in the forward pass: later assignments cannot spoil them."""
    _, expected = gradients(program)
    nodes = program.values()
    for node in nodes:
        node.data = nan
    nodes[-1].backward()
    assert [bits(leaf.grad) for leaf in nodes[: len(program.inputs)]] == [bits(grad) for grad in expected]


@given(program=programs(), numbers=st.lists(st.sampled_from((0.0, -0.0, 1e308, -1e308, inf, -inf, nan, 1e-320)), min_size=4))
def test_backward_never_raises(program, numbers):
    """Whatever the forward pass let through, the backward pass runs to the end."""
    nodes = [Value(numbers[i % len(numbers)]) for i, _ in enumerate(program.inputs)]
    for name, operands, constants in program.steps:
        try:
            nodes.append(on_values(name)(*(nodes[position] for position in operands), *constants))
        except (ValueError, ZeroDivisionError):
            nodes.append(Value(1.0))
    nodes[-1].backward()
    assert {type(node.grad) for node in nodes} == {float}


# Memory, copies, and what stays as it was.


def living_values():
    """How many Values exist, by the collector's list; it holds garbage too, as long as nothing was collected."""
    return len([None for thing in gc.get_objects() if type(thing) is Value])


@pytest.fixture
def no_collector():
    """Reference counting alone: the garbage collector is off during the test."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_dropped_graph_is_freed_at_once(no_collector):
    """No cycles: with the collector off nothing of a graph outlives its last name, also after backward()."""
    before = living_values()
    leaves = [Value(1.0), Value(2.0)]
    root = (dot(leaves, leaves, leaves[0]) + many.cross_entropy(leaves, 0) * many.mean(leaves)).tanh() ** leaves[1]
    root.backward()
    assert living_values() > before + 8
    del root
    assert living_values() == before + 2


def test_a_failed_operation_leaves_nothing_behind(no_collector):
    """An error outside the domain does not keep its operands alive once it has been handled."""
    before = living_values()
    with contextlib.suppress(ValueError):
        Value(0.0).log()
    assert living_values() == before


def test_a_chain_of_a_million_nodes(no_collector):
    """It builds, backs up and is freed: no recursion anywhere, whatever the depth."""
    limit, blocks = sys.getrecursionlimit(), sys.getallocatedblocks()
    x = y = Value(1.0)
    for _ in range(1_000_000):
        y = -y
    y.backward()
    assert (y.data, x.grad) == (1.0, 1.0)
    assert sys.getallocatedblocks() > blocks + 1_000_000
    del y
    assert sys.getallocatedblocks() < blocks + 10_000
    assert sys.getrecursionlimit() == limit


COPIES = [copy.copy, copy.deepcopy, pickle.dumps]


@pytest.mark.parametrize("duplicate", COPIES, ids=lambda function: function.__name__)
@pytest.mark.parametrize("made", [lambda a: a + 1, lambda a: dot([a], [a]), lambda a: many.sum([a])], ids=["add", "dot", "sum"])
def test_an_inner_node_cannot_be_copied(duplicate, made):
    """TypeError that says what to do instead."""
    with pytest.raises(TypeError, match=r"inner node.*Value\(node\.data\)"):
        duplicate(made(Value(1.0)))


def pickled(leaf):
    return pickle.loads(pickle.dumps(leaf))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled], ids=lambda function: function.__name__)
def test_a_leaf_can_be_copied(duplicate):
    """Number, gradient and label come along; the copy is another node."""
    leaf = Value(2.5, "w")
    leaf.grad = -1.0
    twin = duplicate(leaf)
    assert twin is not leaf and (twin.data, twin.grad, twin.label) == (2.5, -1.0, "w")
    assert (twin.parents, twin.partials, twin.rule) == ((), (), None) and twin.birth > leaf.birth


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_leaf_pickles_in_every_modern_protocol(protocol):
    """From protocol 2 on, a leaf comes back with number and label."""
    twin = pickle.loads(pickle.dumps(Value(2.5, "w"), protocol))
    assert (twin.data, twin.label) == (2.5, "w")


def test_a_deep_copy_keeps_ties():
    """A leaf listed twice is one leaf in the copy."""
    leaf = Value(1.0)
    first, second = copy.deepcopy([leaf, leaf])
    assert first is second is not leaf


@settings(max_examples=10)
@given(program=programs())
def test_nothing_global_changes(program):
    """No recursion limit, no collector setting, no warning filter is touched by building and backing up."""
    before = sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold(), list(warnings.filters)
    gradients(program)
    assert before == (sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold(), list(warnings.filters))
