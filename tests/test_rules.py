"""The derivative table, row by row, against mathematics that does not read it."""

import linecache
import math
import re
import traceback
from operator import attrgetter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from micrograd_lite import many
from micrograd_lite.rules import MANY, RULES, SCALAR, Rule, outside_domain
from micrograd_lite.scalar import APPLY, Value
from references import (
    BOUND,
    COMPLEX,
    FLOATS,
    ROWS,
    STEP,
    TINY,
    U,
    derived_complex,
    derived_row,
    error,
    exact_cross_entropy,
    exact_row,
    row,
)
from strategies import FINITE, GRID, OPERATORS, on_values, points, points_outside, wide_points

every_row = pytest.mark.parametrize("rule", RULES.values(), ids=attrgetter("name"))
rows_with_a_domain = pytest.mark.parametrize("rule", [r for r in RULES.values() if r.needs], ids=attrgetter("name"))
inf, nan = math.inf, math.nan


def same(a, b):
    """Whether two floats are the same number, sign of zero included, or both NaN."""
    return (a == b and math.copysign(1.0, a) == math.copysign(1.0, b)) or (a != a and b != b)


def at(function, point, position, number):
    """The value of a row with one operand replaced."""
    return function(*point[:position], number, *point[position + 1 :])[0]


# Every partial, found in four independent ways.


@every_row
@given(data=st.data())
def test_every_partial_is_the_slope_of_its_value(rule, data):
    """Each partial agrees with a central difference wherever the row is smooth (to 1e-5, for a bend in the slope)."""
    point = data.draw(points(rule))
    _, partials = APPLY[rule.name](*point)
    for position, partial in enumerate(partials):
        h = 2e-6 * max(1.0, abs(point[position]))
        above, below = point[position] + h, point[position] - h
        rise = at(APPLY[rule.name], point, position, above) - at(APPLY[rule.name], point, position, below)
        assert abs(partial - rise / (above - below)) <= 1e-5 * max(1.0, abs(partial))


@every_row
@given(data=st.data())
def test_every_partial_agrees_with_the_hand_written_derivative(rule, data):
    """Each value and partial agrees with the references' own formula within 8192 u times the partial's size."""
    point = data.draw(points(rule))
    value, partials = APPLY[rule.name](*point)
    expected, slopes, sizes = row(FLOATS, rule.name, point)
    assert abs(value - expected) <= BOUND * abs(expected)
    for partial, slope, size in zip(partials, slopes, sizes):
        assert abs(partial - slope) <= BOUND * size


@every_row
@given(data=st.data())
def test_every_partial_agrees_with_the_complex_step(rule, data):
    """Each partial agrees within 8192 u S with the imaginary part that a tiny imaginary step leaves in the value."""
    point = data.draw(points(rule))
    _, partials = APPLY[rule.name](*point)
    _, _, sizes = row(FLOATS, rule.name, point)
    for position, (partial, size) in enumerate(zip(partials, sizes)):
        stepped = [complex(number, STEP) if i == position else number for i, number in enumerate(point)]
        stepped = [complex(number) if i < len(partials) else number for i, number in enumerate(stepped)]
        assert abs(partial - complex(COMPLEX[rule.name](*stepped)).imag / STEP) <= BOUND * size


@every_row
@given(data=st.data())
def test_every_row_is_accurate_on_its_whole_domain(rule, data):
    """At any finite point, kinks included, value and partials that do not overflow agree with 50-digit arithmetic.

    Within 8 u for the value and 8192 u of their size for the partials, or a few of the smallest floats times the
    operands, where a factor has underflowed.
    """
    point = data.draw(wide_points(rule))
    value, partials = APPLY[rule.name](*point)
    expected, slopes, sizes = exact_row(rule.name, point)
    underflow = 4.0 * TINY
    for number in point:
        underflow *= max(1.0, min(abs(number), 1e150))
    if math.isfinite(value):
        assert error(value, expected) <= 8 * U * abs(float(expected)) + TINY
    for partial, slope, size in zip(partials, slopes, sizes):
        if math.isfinite(partial):
            assert error(partial, slope) <= BOUND * float(size) + underflow


def test_no_reference_is_left_over():
    """Every row has its references, by hand or derived, and there are none for a row that is gone."""
    assert set(ROWS) == set(COMPLEX) == set(RULES)


@every_row
@given(data=st.data())
def test_a_reference_derived_from_the_text_agrees_with_the_one_by_hand(rule, data):
    """What stands for a row that nobody wrote mathematics for: value, partials and their sizes, dual and complex."""
    point = data.draw(points(rule))
    by_hand, derived = row(FLOATS, rule.name, point), derived_row(rule)(FLOATS, *point)
    expected, slopes, sizes = by_hand
    assert abs(derived[0] - expected) <= BOUND * abs(expected)
    assert list(derived[2]) == pytest.approx(list(sizes), rel=BOUND)
    for position, (slope, size, found) in enumerate(zip(slopes, sizes, derived[1])):
        assert abs(found - slope) <= BOUND * size
        stepped = [complex(number, STEP * (i == position)) for i, number in enumerate(point[: len(slopes)])]
        imaginary = complex(derived_complex(rule)(*stepped, *point[len(slopes) :])).imag
        assert abs(imaginary / STEP - slope) <= BOUND * size


def test_a_derived_reference_finds_a_wrong_partial():
    """It believes the row's value alone: a new row with a sign or a factor wrong is told from the right one, far out too."""
    for partial in ("1.0 / ((1.0 + abs(x)) * (1.0 + abs(x)))", "-1.0 / (1.0 + abs(x))"):
        entry = derived_row(Rule("softsign", "x", "x / (1.0 + abs(x))", (partial,)))
        value, (slope,), _ = entry(FLOATS, -1e100)
        assert (value, slope) == (-1.0, 1e-200)
    assert entry(FLOATS, 3.0)[1] == (1 / 16,)


# What happens at particular points.

KINKS = [
    # row           point            value  partials
    ("relu",       (0.0,),           0.0,   (0.0,)),
    ("relu",       (-0.0,),          0.0,   (0.0,)),
    ("abs",        (0.0,),           0.0,   (0.0,)),
    ("abs",        (-0.0,),          0.0,   (0.0,)),
    ("leaky_relu", (0.0,),           0.0,   (0.01,)),
    ("prelu",      (0.0, 0.25),      0.0,   (0.25, 0.0)),
    ("prelu",      (0.0, -3.0),     -0.0,   (-3.0, 0.0)),
    ("elu",        (0.0,),           0.0,   (1.0,)),
    ("maximum",    (2.0, 2.0),       2.0,   (0.5, 0.5)),
    ("maximum",    (inf, inf),       inf,   (0.5, 0.5)),
    ("maximum",    (0.0, -0.0),      0.0,   (0.5, 0.5)),
    ("minimum",    (2.0, 2.0),       2.0,   (0.5, 0.5)),
    ("minimum",    (-inf, -inf),    -inf,   (0.5, 0.5)),
    ("minimum",    (0.0, -0.0),      0.0,   (0.5, 0.5)),
]  # fmt: skip


@pytest.mark.parametrize("name, point, value, partials", KINKS)
def test_at_a_kink_the_convention_decides(name, point, value, partials):
    """relu, abs: slope 0 at 0; leaky_relu, prelu: the negative side's; elu: 1; maximum, minimum: half each at a tie."""
    assert APPLY[name](*point) == (value, partials)


EDGES = [
    # row           point            value  partials
    ("sqrt",       (0.0,),           0.0,   (inf,)),
    ("sqrt",       (-0.0,),          0.0,   (inf,)),
    ("power",      (0.0, 0.5),       0.0,   (inf,)),
    ("power",      (-0.0, 0.5),      0.0,   (inf,)),
    ("power",      (0.0, 0.25),      0.0,   (inf,)),
    ("power",      (0.0, 1.5),       0.0,   (0.0,)),
    ("power",      (0.0, 1.0),       0.0,   (1.0,)),
    ("power",      (0.0, 2.0),       0.0,   (0.0,)),
    ("power",      (0.0, 0.0),       1.0,   (0.0,)),
    ("power",      (-3.0, 0.0),      1.0,   (0.0,)),
    ("power",      (inf, 0.0),       1.0,   (0.0,)),
    ("power",      (nan, 0.0),       1.0,   (0.0,)),
    ("power",      (-2.0, 3.0),     -8.0,   (12.0,)),
    ("power",      (-2.0, -2.0),     0.25,  (0.25,)),
    ("power",      (-2.0, -1.0),    -0.5,   (-0.25,)),
    ("sub",        (1.0, 1.0),       0.0,   (1.0, -1.0)),
    ("log",        (inf,),           inf,   (0.0,)),
    ("exp",        (-inf,),          0.0,   (0.0,)),
    ("tanh",       (inf,),           1.0,   (0.0,)),
    ("sigmoid",    (-inf,),          0.0,   (0.0,)),
    ("sigmoid",    (inf,),           1.0,   (0.0,)),
    ("softplus",   (-inf,),          0.0,   (0.0,)),
    ("softplus",   (inf,),           inf,   (1.0,)),
    ("elu",        (-inf,),         -1.0,   (0.0,)),
]  # fmt: skip


@pytest.mark.parametrize("name, point, value, partials", EDGES)
def test_at_the_edge_of_a_domain_value_and_slope_are_limits(name, point, value, partials):
    """sqrt and fractional powers at 0 have value 0 and slope inf; x ** 0 is 1 with slope 0, for NaN too; inf is a number."""
    assert APPLY[name](*point) == (value, partials)


OVERFLOWS = [
    ("exp", (1000.0,), inf),
    ("exp", (1e308,), inf),
    ("power", (1e200, 2.0), inf),
    ("power", (-1e200, 2.0), inf),
    ("power", (-1e200, 3.0), -inf),
    ("power", (-1e-200, -3.0), -inf),
    ("power", (-1e-200, -2.0), inf),
    ("pow", (1e200, 2.0), inf),
    ("pow", (1e-200, -2.0), inf),
    ("mul", (1e200, -1e200), -inf),
    ("add", (1.7e308, 1.7e308), inf),
    ("div", (1e300, -1e-300), -inf),
]


@pytest.mark.parametrize("name, point, value", OVERFLOWS)
def test_overflow_is_infinite_and_no_exception(name, point, value):
    """Too large a result is inf with the right sign, as IEEE arithmetic has it."""
    assert APPLY[name](*point)[0] == value


@pytest.mark.parametrize("name", ["sin", "cos"])
@pytest.mark.parametrize("x", [inf, -inf])
def test_sine_and_cosine_of_infinity_are_nan(name, x):
    """sin and cos of inf are NaN, value and slope, without an exception."""
    value, (partial,) = APPLY[name](x)
    assert math.isnan(value) and math.isnan(partial)


@pytest.mark.parametrize("exponent, slope", [(2.0**53, -(2.0**53)), (2.0**53 - 1, 2.0**53 - 1)])
def test_the_slope_of_a_huge_whole_power_keeps_its_sign(exponent, slope):
    """(-1) ** n falls for even n and rises for odd n, up to 2**53, where floats stop being odd."""
    assert APPLY["power"](-1.0, exponent)[1] == (slope,)


NAN_POSITIONS = [(rule, position) for rule in RULES.values() for position in range(len(rule.inputs))]


@pytest.mark.parametrize("rule, position", NAN_POSITIONS, ids=[f"{rule.name}-{i}" for rule, i in NAN_POSITIONS])
@given(data=st.data())
def test_nan_in_is_nan_out(rule, position, data):
    """A NaN in any operand makes the value NaN, whatever the others are, except nan ** 0."""
    numbers = st.one_of(GRID, st.sampled_from((1.0, 0.0, -0.0, inf, -inf, nan)), st.floats())
    point = data.draw(st.tuples(*(numbers for _ in rule.inputs)))
    point = (*point[:position], nan, *point[position + 1 :])
    if not (rule.name == "power" and point[1] == 0):
        assert math.isnan(APPLY[rule.name](*point)[0])


# Outside the domain.

OUTSIDE = [
    # row      point         error              text
    ("log",   (0.0,),        ValueError,        "log: needs x > 0, got 0.0"),
    ("log",   (-0.0,),       ValueError,        "log: needs x > 0, got -0.0"),
    ("log",   (-inf,),       ValueError,        "log: needs x > 0, got -inf"),
    ("sqrt",  (-1.0,),       ValueError,        "sqrt: needs x >= 0, got -1.0"),
    ("pow",   (0.0, 2.0),    ValueError,        "pow: needs x > 0, got x = 0.0, y = 2.0"),
    ("pow",   (-2.0, 3.0),   ValueError,        "pow: needs x > 0, got x = -2.0, y = 3.0"),
    ("power", (-8.0, 0.5),   ValueError,        f"power: needs {RULES['power'].needs}, got x = -8.0, n = 0.5"),
    ("power", (0.0, -1.0),   ValueError,        f"power: needs {RULES['power'].needs}, got x = 0.0, n = -1.0"),
    ("div",   (1.0, 0.0),    ZeroDivisionError, "div: needs y != 0, got x = 1.0, y = 0.0"),
    ("div",   (0.0, -0.0),   ZeroDivisionError, "div: needs y != 0, got x = 0.0, y = -0.0"),
]  # fmt: skip


@pytest.mark.parametrize("name, point, kind, text", OUTSIDE)
def test_outside_the_domain_the_error_names_operation_and_operand(name, point, kind, text):
    """The message is exactly: the row's name, what it needs, what it got."""
    with pytest.raises(kind) as caught:
        APPLY[name](*point)
    assert type(caught.value) is kind and str(caught.value) == text


@rows_with_a_domain
@given(data=st.data())
def test_every_point_outside_the_domain_is_refused(rule, data):
    """Where `needs` is false the row raises its own kind of error, never another and never a wrong number."""
    point = data.draw(points_outside(rule))
    with pytest.raises(rule.error) as caught:
        APPLY[rule.name](*point)
    assert str(caught.value) == str(outside_domain(rule.name, *point))


@every_row
@given(data=st.data())
def test_every_point_of_the_domain_is_served(rule, data):
    """Where `needs` is true the row returns floats, one partial for each differentiable operand, and never raises."""
    point = data.draw(st.one_of(points(rule), wide_points(rule)))
    value, partials = APPLY[rule.name](*point)
    assert {type(number) for number in (value, *partials)} == {float}
    assert len(partials) == len(rule.partials)


# Stable forms.

STABLE = ("sigmoid", "tanh", "softplus")


@pytest.mark.parametrize("name", STABLE)
@given(x=FINITE)
@example(x=1e308)
@example(x=-1e308)
@example(x=710.0)
@example(x=-745.2)
@example(x=37.0)
@example(x=-37.0)
@example(x=1e-300)
def test_stable_forms_are_accurate_for_any_finite_input(name, x):
    """sigmoid, tanh and softplus are finite and agree with 50-digit arithmetic: 8 u of the value, 8 u of the slope's terms."""
    value, (partial,) = APPLY[name](x)
    expected, (slope,), (size,) = exact_row(name, (x,))
    assert error(value, expected) <= 8 * U * abs(float(expected)) + TINY
    assert error(partial, slope) <= 8 * U * float(size) + TINY


@given(logits=st.lists(st.one_of(GRID, st.floats(-1e307, 1e307)), min_size=1, max_size=6), data=st.data())
@example(logits=[1e307, -1e307], data=None)
@example(logits=[-1e307, 1e307], data=None)
@example(logits=[1e308, 1e308, 1e308], data=None)
@example(logits=[-1e308, -1e308], data=None)
@example(logits=[1000.0, 0.0], data=None)
@example(logits=[0.0], data=None)
def test_cross_entropy_is_accurate_for_any_finite_logits(logits, data):
    """Value and slopes agree with 50-digit arithmetic within 16 u of max(1, loss), for each label."""
    labels = range(len(logits)) if data is None else [data.draw(st.integers(0, len(logits) - 1))]
    for label in labels:
        nodes = [Value(logit) for logit in logits]
        loss = many.cross_entropy(nodes, label)
        loss.backward()
        expected, slopes = exact_cross_entropy(logits, label)
        assert error(loss.data, expected) <= 16 * U * max(1.0, float(expected))
        assert max(error(node.grad, slope) for node, slope in zip(nodes, slopes)) <= 16 * U


# Rows as code.


@every_row
def test_a_traceback_shows_the_line_of_the_row(rule):
    """An error inside a row shows the row's own source line, not a blank."""
    with pytest.raises(TypeError) as caught:
        APPLY[rule.name](*(object() for _ in rule.inputs))
    (frame,) = [f for f in traceback.extract_tb(caught.value.__traceback__) if f.name == rule.name]
    assert frame.line in (f"if not ({rule.needs}):", f"z = {rule.value}")
    assert frame.line in "".join(traceback.format_exception(TypeError, caught.value, caught.value.__traceback__))


@every_row
def test_a_rows_lines_survive_a_cache_check(rule):
    """linecache.checkcache, which traceback printers call, does not drop the rows' source."""
    filename = APPLY[rule.name].__code__.co_filename
    linecache.checkcache(filename)
    assert linecache.getline(filename, 1).startswith(f"def {rule.name}(")


@every_row
def test_every_row_is_an_operator_or_method_of_value(rule):
    """Writing the operation on Values makes a node of this very row, with the row's value and partials."""
    numbers = (2.0, 3.0)[: len(rule.inputs)]
    last = numbers[-1] if rule.name == "power" else Value(numbers[-1])
    made = on_values(rule.name)(*map(Value, numbers[:-1]), last)
    assert made.rule is rule
    assert (made.data, made.partials) == APPLY[rule.name](*numbers)


@every_row
def test_help_shows_the_formulas(rule):
    """The method made from a row has the row's formulas in its docstring."""
    methods = [m for m in vars(Value).values() if getattr(m, "__qualname__", "") == f"Value.{rule.name}"]
    assert methods
    assert all(text in methods[0].__doc__ for text in (rule.value, *rule.partials, rule.needs))


def test_no_operator_is_left_over():
    """Each operator that the tests write stands for a row of the table."""
    assert set(OPERATORS) <= set(RULES)


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.textbook], ids=attrgetter("name"))
@given(data=st.data())
def test_the_textbook_form_of_a_partial_is_the_partial(rule, data):
    """Where the row is smooth the two texts are the same number, bit for bit: nothing else is shown for it."""
    numbers = dict(zip(rule.inputs, data.draw(points(rule))))
    z, partials = APPLY[rule.name](*numbers.values())
    named = {name: lambda *operands, compute=compute: compute(*operands)[0] for name, compute in APPLY.items()}
    assert len(rule.textbook) == len(partials)
    for text, partial in zip(rule.textbook, partials):
        assert same(eval(text, {**named, **SCALAR}, {**numbers, "z": z}), partial)


# The second table: operations over many operands.

SERIES = re.compile(r"(?P<term>(?:exp\()?\w0\)?(?: \* \w0)?) \+ \S+(?: \* \S+)? \+ \.\.\.")


def written_out(text, count, label=0):
    """A formula of MANY with its dots replaced: `x0 + x1 + ...` for three operands is `x0 + x1 + x2`."""
    text = text.replace("x_label", f"x{label}")
    return SERIES.sub(lambda found: " + ".join(found["term"].replace("0", str(i)) for i in range(count)), text)


def by_hand(text, numbers, label=0, **member):
    """The number that a formula of MANY stands for."""
    count = len(numbers["x"])
    named = {f"{letter}{i}": number for letter, group in numbers.items() for i, number in enumerate(group)}
    return eval(written_out(text, count, label), {**SCALAR, **named, "n": count, **member})


LISTS = st.lists(GRID, min_size=1, max_size=6, unique=True)


def test_formulas_with_dots_are_written_out():
    """The test's own reading of the dots, by example."""
    assert written_out(MANY["dot"].value, 3) == "b + w0 * x0 + w1 * x1 + w2 * x2"
    assert written_out(MANY["cross_entropy"].value, 2, 1) == "log(exp(x0) + exp(x1)) - x1"


@given(pairs=st.lists(st.tuples(GRID, GRID), min_size=1, max_size=6), bias=GRID)
def test_dot_computes_what_its_row_says(pairs, bias):
    """Value and slopes of dot are those of the row's text, evaluated by hand."""
    w, x, b = [Value(p[0]) for p in pairs], [Value(p[1]) for p in pairs], Value(bias)
    made = many.dot(w, x, b)
    made.backward()
    numbers = {"w": [node.data for node in w], "x": [node.data for node in x]}
    assert made.data == by_hand(MANY["dot"].value, numbers, b=bias)
    w_text, x_text, b_text = MANY["dot"].partials
    for weight, number in zip(w, x):
        assert weight.grad == by_hand(w_text, numbers, x=number.data)
        assert number.grad == by_hand(x_text, numbers, w=weight.data)
    assert b.grad == by_hand(b_text, numbers)


@pytest.mark.parametrize("name", ["sum", "mean"])
@given(numbers=LISTS)
def test_sum_and_mean_compute_what_their_rows_say(name, numbers):
    """Value and slopes of sum and mean are those of the row's text, evaluated by hand."""
    nodes = [Value(number) for number in numbers]
    made = getattr(many, name)(nodes)
    made.backward()
    assert made.data == by_hand(MANY[name].value, {"x": numbers})
    assert [node.grad for node in nodes] == [by_hand(MANY[name].partials[0], {"x": numbers})] * len(nodes)


@given(numbers=LISTS, data=st.data())
def test_cross_entropy_computes_what_its_row_says(numbers, data):
    """Value and slopes of cross_entropy are those of the row's (unfused) text, within rounding of numbers up to 8."""
    label = data.draw(st.integers(0, len(numbers) - 1))
    nodes = [Value(number) for number in numbers]
    made = many.cross_entropy(nodes, label)
    made.backward()
    rule = MANY["cross_entropy"]
    assert made.data == pytest.approx(by_hand(rule.value, {"x": numbers}, label), abs=256 * U)
    total = by_hand("exp(x0) + exp(x1) + ...", {"x": numbers})
    for number, node in zip(numbers, nodes):
        member = {"x": number, "softmax": lambda x: math.exp(x) / total}
        expected = by_hand(rule.partials[0], {"x": numbers}, label, **member)
        assert node.grad == pytest.approx(expected, abs=64 * U)


NUMBER_ROWS = [rule for rule in MANY.values() if not any(re.search(r"\bu\b", text) for text in rule.partials)]
"""The rows that state slopes; rows in terms of `u`, the upstream array, belong to the array page alone."""


@pytest.mark.parametrize("rule", NUMBER_ROWS, ids=attrgetter("name"))
def test_every_many_row_is_a_function_of_the_scalar_page(rule):
    """Each row over many numbers has its function, which marks its nodes with the row."""
    nodes = [Value(1.0), Value(2.0)]
    arguments = {"dot": (nodes, nodes, Value(0.0)), "cross_entropy": (nodes, 1)}.get(rule.name, (nodes,))
    assert getattr(many, rule.name)(*arguments).rule is rule
