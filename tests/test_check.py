"""The gradient checker is itself checked: it must catch a planted mistake and stay quiet otherwise."""

import math
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite.check import central_difference, check_gradients, compare_gradients, path_sizes
from micrograd_lite.rules import RULES
from micrograd_lite.scalar import APPLY, Value, node
from references import FRACTIONS, dual_gradients
from strategies import integer_programs, on_values, points, programs

every_row = pytest.mark.parametrize("rule", RULES.values(), ids=attrgetter("name"))


def one_row(rule, point, spoil=lambda partial, position: partial):
    """The row as a function of its differentiable operands alone, its partials spoiled; and where to look at it."""
    constants = point[len(rule.partials) :]

    def function(*values):
        value, partials = APPLY[rule.name](*(x.data for x in values), *constants)
        return node(value, values, tuple(spoil(p, i) for i, p in enumerate(partials)), rule)

    return function, point[: len(rule.partials)]


@every_row
@given(data=st.data())
def test_every_row_passes_where_it_is_smooth(rule, data):
    """No false alarm at everyday points of any row."""
    function, point = one_row(rule, data.draw(points(rule)))
    check_gradients(function, *point)


@pytest.mark.parametrize("bend", [lambda x: x.elu(), lambda x: x / (1.0 + x.abs())], ids=["elu", "softsign"])
def test_a_bend_in_the_slope_is_no_kink(bend):
    """elu and softsign have slope 1 at 0 from both sides, and a third of a step of error there: no false alarm."""
    check_gradients(bend, 0.0)
    with pytest.raises(ValueError, match=r"the gradient of x0 at 0\.0 is 0\.0 by backward"):
        check_gradients(lambda x: x.relu(), 0.0)


@every_row
@given(data=st.data())
def test_a_planted_sign_error_is_caught(rule, data):
    """A partial of the wrong sign is caught and named, at any point where it is not close to zero."""
    position = data.draw(st.integers(0, len(rule.partials) - 1))
    point = data.draw(points(rule).filter(lambda point: abs(APPLY[rule.name](*point)[1][position]) > 1e-3))
    function, point = one_row(rule, point, lambda partial, i: -partial if i == position else partial)
    with pytest.raises(ValueError, match=f"the gradient of x{position} at "):
        check_gradients(function, *point)
    assert [row.agrees for row in compare_gradients(function, *point)] == [i != position for i in range(len(point))]


@every_row
@given(data=st.data())
def test_a_planted_small_error_is_caught(rule, data):
    """A partial that is wrong by one part in a thousand is caught as well."""
    point = data.draw(points(rule).filter(lambda point: abs(APPLY[rule.name](*point)[1][0]) > 0.1))
    function, point = one_row(rule, point, lambda partial, i: partial * 1.001 if i == 0 else partial)
    assert not compare_gradients(function, *point)[0].agrees


SMOOTH = ("add", "sub", "mul", "neg", "sin", "cos", "tanh", "sigmoid", "softplus")


@given(program=programs(lost=64.0, names=SMOOTH, most=6))
def test_whole_programs_pass(program):
    """No false alarm on random well-conditioned programs of rows that are smooth everywhere, so that no nudge meets a kink."""
    check_gradients(lambda *values: program.run(values, on_values)[-1], *program.inputs)


def test_an_error_deep_in_a_graph_is_caught():
    """One wrong partial spoils exactly the inputs below it."""

    def wrong_sine(x):
        return node(math.sin(x.data), (x,), (-math.cos(x.data),), RULES["sin"])

    rows = compare_gradients(lambda x, y: wrong_sine(x * 2.0).exp() + y.tanh(), 0.3, 0.7)
    assert [(row.name, row.agrees) for row in rows] == [("x0", False), ("x1", True)]


def test_a_row_tells_what_was_compared():
    """Each row holds name, point, both slopes and the verdict."""
    (row,) = compare_gradients(lambda x: x * x, 3.0)
    assert (row.name, row.point, row.gradient, row.agrees) == ("x0", 3.0, 6.0, True)
    assert row.difference == pytest.approx(6.0, rel=1e-9)


def test_a_slope_that_is_not_finite_never_agrees():
    """inf and NaN are reported, not waved through, whatever the tolerance."""

    def steep(slope):
        return lambda x: node(x.data, (x,), (slope,), RULES["abs"])

    for slope in (math.inf, -math.inf, math.nan):
        assert not compare_gradients(steep(slope), 1.0, tolerance=1e300)[0].agrees


def test_an_input_that_is_not_used_has_slope_zero():
    """It agrees: nothing moves when it is nudged."""
    assert [row.gradient for row in compare_gradients(lambda x, y: x * 2.0, 1.0, 5.0)] == [2.0, 0.0]
    check_gradients(lambda x, y: x * 2.0, 1.0, 5.0)


def test_a_function_may_return_its_input():
    """The identity has slope 1."""
    check_gradients(lambda x: x, 2.5)


def test_the_error_says_where_and_what():
    """The message names the input, the point and both slopes."""
    with pytest.raises(ValueError, match=r"^the gradient of x0 at .*2\.0.* is 3\.0 by backward\(\) but ") as caught:
        check_gradients(lambda x: node(x.data, (x,), (3.0,), RULES["abs"]), 2.0)
    assert "by central differences" in str(caught.value)


def test_a_check_at_no_point_is_refused():
    """Nothing that was compared is nothing that was found right."""
    with pytest.raises(ValueError, match="check_gradients needs a point: a number for each input of the function"):
        check_gradients(lambda: 1.0)


def test_central_differences_are_exact_to_fourth_order():
    """Richardson's step leaves only rounding on a cubic."""
    assert central_difference(lambda x: x * x * x, (2.0,), 0) == pytest.approx(12.0, rel=1e-10)


def test_path_sizes_by_example():
    """In (x*y - x*y) + x with x=3, y=-2 the paths to x add up to 2+2+1 and to y to 3+3, though the gradient is 1 and 0."""
    x, y = Value(3.0), Value(-2.0)
    first, second = x * y, x * y
    root = (first - second) + x
    sizes = path_sizes(root)
    assert (sizes[x], sizes[y], sizes[first], sizes[second], sizes[root]) == (5.0, 6.0, 1.0, 1.0, 1.0)


@given(program=integer_programs())
def test_path_sizes_add_up_every_path(program):
    """S found backwards through the graph is S found forwards by dual numbers, in exact whole numbers."""
    nodes = program.values()
    sizes = path_sizes(nodes[-1])
    for leaf, expected in zip(nodes, dual_gradients(FRACTIONS, program)):
        assert sizes.get(leaf, 0.0) == expected.size


def test_a_constant_has_no_slope():
    """A function that returns a plain number agrees with itself: every gradient and every difference is 0."""
    check_gradients(lambda x, y: 7, 2.0, 0.5)
    assert [(row.gradient, row.difference, row.agrees) for row in compare_gradients(lambda x: 7.5, 2.0)] == [(0.0, 0.0, True)]


def test_a_number_that_left_the_graph_is_no_constant():
    """Whoever returns the float instead of the Value is told that backward() knows nothing of it."""
    with pytest.raises(ValueError, match=r"^the gradient of x0 at 2\.0 is 0\.0 by backward\(\) but (3\.|2\.9)"):
        check_gradients(lambda x: (x * 3.0).data, 2.0)


@pytest.mark.parametrize("output", [None, [1.0], "1.0"], ids=repr)
def test_a_function_without_a_number_is_refused(output):
    """A forgotten return, or a list, is named."""
    with pytest.raises(TypeError, match=f"^the function must return a Value or a number, got {type(output).__name__}$"):
        check_gradients(lambda x: output, 2.0)
