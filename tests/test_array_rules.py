"""The derivative table on arrays: each element is what the scalar engine makes of it, and the two engines refuse the same."""

import linecache
import traceback
import warnings
from itertools import product
from operator import attrgetter

import pytest

np = pytest.importorskip("numpy")

from hypothesis import example, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from array_strategies import EXACT, FLOAT32, FLOAT64, SPECIAL, U32, inf, nan, near, same_bits, scalar_row, served  # noqa: E402
from derived import terms  # noqa: E402
from micrograd_lite import scalar  # noqa: E402
from micrograd_lite.arrays.rules import APPLY, array_spelling, where  # noqa: E402
from micrograd_lite.rules import RULES, SCALAR  # noqa: E402
from references import FLOATS, TINY, U, row  # noqa: E402
from strategies import points, points_outside, wide_points  # noqa: E402

every_row = pytest.mark.parametrize("rule", RULES.values(), ids=attrgetter("name"))
rows_with_a_domain = pytest.mark.parametrize("rule", [r for r in RULES.values() if r.needs], ids=attrgetter("name"))
both_dtypes = pytest.mark.parametrize("dtype", [FLOAT64, FLOAT32], ids=str)


@np.errstate(all="ignore")
def on_columns(rule, columns, dtype=FLOAT64):
    """The row at many points at once: values, and one array for each partial."""
    value, partials = APPLY[dtype][rule.name](*(np.array(column, dtype) for column in columns))
    return value, [np.broadcast_to(partial, value.shape) for partial in partials]


def units(roundings, terms, underflow=0.0):
    """So many roundings of some terms, and one more of the smallest floats; nothing where equality is asked."""
    terms = np.abs(np.array(terms, dtype=float))
    return roundings * U * np.where(np.isfinite(terms), terms, 0.0) + (underflow if roundings else 0.0)


def table(rule, drawn):
    """Drawn points as columns."""
    return list(zip(*drawn)) if drawn else [()] * len(rule.inputs)


# The same numbers as the scalar engine.


@every_row
@settings(max_examples=25)
@given(data=st.data())
def test_every_element_is_what_the_scalar_engine_computes(rule, data):
    """At everyday points: the same bits where only + - * / and choices are used, else within 8 u of the partial's terms."""
    columns = table(rule, data.draw(st.lists(points(rule), min_size=1, max_size=8)))
    value, partials = on_columns(rule, columns)
    expected, slopes = scalar_row(rule, columns)
    sizes = list(zip(*(row(FLOATS, rule.name, point)[2] for point in zip(*columns))))
    roundings = 0 if rule.name in EXACT else 8
    assert near(value, expected, units(roundings, expected)).all()
    for partial, slope, size in zip(partials, slopes, sizes, strict=True):
        assert near(partial, slope, units(roundings, size)).all()


@every_row
@settings(max_examples=25)
@given(data=st.data())
def test_every_element_agrees_on_the_whole_domain(rule, data):
    """At any finite points, kinks, overflow and underflow included: 8 u, and a few of the smallest floats times the operands."""
    columns = table(rule, data.draw(st.lists(wide_points(rule), min_size=1, max_size=8)))
    value, partials = on_columns(rule, columns)
    expected, slopes = scalar_row(rule, columns)
    roundings = 0 if rule.name in EXACT else 8
    function = {**SCALAR, "abs": abs}.get
    underflow = 4.0 * TINY * np.prod([np.clip(np.abs(np.array(column)), 1.0, 1e150) for column in columns], axis=0)
    assert near(value, expected, units(roundings, expected, TINY)).all()
    for partial, slope, text in zip(partials, slopes, rule.partials, strict=True):
        sizes = [terms(text, {**dict(zip(rule.inputs, p)), "z": z}, float, function) for *p, z in zip(*columns, expected)]
        assert near(partial, slope, units(roundings, sizes, underflow)).all()


SPECIAL_POINTS = {
    rule.name: [point for point in product(SPECIAL, repeat=len(rule.inputs)) if served(rule, point)] for rule in RULES.values()
}


@every_row
@pytest.mark.parametrize("which", ["value", "partials"])
def test_special_numbers_make_the_same_numbers(rule, which):
    """Zeros of both signs, kinks, infinities, NaN and overflows, in every combination that the scalar engine serves."""
    columns = table(rule, SPECIAL_POINTS[rule.name])
    value, partials = on_columns(rule, columns)
    expected, slopes = scalar_row(rule, columns)
    pairs = [(value, expected)] if which == "value" else list(zip(partials, slopes, strict=True))
    for found, wanted in pairs:
        agrees = near(found, wanted, units(0 if rule.name in EXACT else 8, wanted, TINY))
        wrong = [(*point, float(f), w) for point, f, w, fine in zip(zip(*columns), found, wanted, agrees) if not fine]
        assert wrong == []


@every_row
def test_special_numbers_keep_the_sign_of_zero(rule):
    """A value that is 0.0 or -0.0 in the scalar engine is the same zero here."""
    columns = table(rule, SPECIAL_POINTS[rule.name])
    value, _ = on_columns(rule, columns)
    expected, _ = scalar_row(rule, columns)
    zeros = [
        (*point, float(found), wanted)
        for point, found, wanted in zip(zip(*columns), value, expected)
        if wanted == 0 and not same_bits(found, wanted)
    ]
    assert zeros == []


@every_row
@settings(max_examples=25)
@given(data=st.data())
def test_a_single_number_is_treated_as_one_of_many(rule, data):
    """A 0-d array has the value and partials of the same number inside a table, sign of zero included."""
    point = data.draw(st.sampled_from(SPECIAL_POINTS[rule.name]))
    alone, slopes = on_columns(rule, point)
    among, columns = on_columns(rule, [[number, number] for number in point])
    rounds_otherwise = 0 if rule.name in EXACT else 8  # a vector instruction against the single one
    for one, many in [(alone, among), *zip(slopes, columns)]:
        assert near(one, many[0], units(rounds_otherwise, many[0])) and (np.isnan(one) or np.signbit(one) == np.signbit(many[0]))


@every_row
@settings(max_examples=25)
@given(data=st.data())
def test_float32_is_the_same_mathematics_with_fewer_digits(rule, data):
    """Within 64 x 2**-24 of the value and of the partial's terms: each formula has few roundings of modest condition."""
    drawn = [tuple(float(np.float32(x)) for x in p) for p in data.draw(st.lists(points(rule), min_size=1, max_size=8))]
    columns = table(rule, [point for point in drawn if served(rule, point)])
    value, partials = on_columns(rule, columns, FLOAT32)
    expected, slopes = scalar_row(rule, columns)
    sizes = list(zip(*(row(FLOATS, rule.name, point)[2] for point in zip(*columns))))
    assert near(value, expected, 64 * U32 * np.abs(expected)).all()
    for partial, slope, size in zip(partials, slopes, sizes):
        assert near(partial, slope, 64 * U32 * np.array(size)).all()


@every_row
@both_dtypes
@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0,)], ids=str)
def test_a_rule_never_changes_the_dtype(rule, dtype, shape):
    """Value and partials have the dtype of the operands: 0.5 in a formula makes no float64 of float32."""
    value, partials = APPLY[dtype][rule.name](*(np.full(shape, 2.0, dtype) for _ in rule.inputs))
    assert {np.asarray(made).dtype for made in (value, *partials)} == {dtype}


@every_row
@both_dtypes
def test_nothing_warns(rule, dtype):
    """Overflow, division of infinities and NaN are numbers, not warnings."""
    with np.errstate(over="ignore"):
        columns = [np.array(column).astype(dtype) for column in table(rule, SPECIAL_POINTS[rule.name])]
    kept = [served(rule, point) for point in zip(*(column.tolist() for column in columns))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        on_columns(rule, [column[kept] for column in columns], dtype)


# Outside the domain.


@rows_with_a_domain
@settings(max_examples=25)
@given(data=st.data())
def test_the_first_element_outside_the_domain_is_named(rule, data):
    """The same exception and the same sentence as the scalar engine's, for the first of several offenders; NaN may pass."""
    fine, bad = data.draw(points(rule)), data.draw(st.lists(points_outside(rule), min_size=1, max_size=3))
    cells = [fine] * data.draw(st.integers(0, 3)) + [(nan,) * len(rule.inputs)] * data.draw(st.integers(0, 2)) + bad + [fine]
    with pytest.raises((ValueError, ZeroDivisionError)) as wanted:
        scalar.APPLY[rule.name](*bad[0])
    with pytest.raises((ValueError, ZeroDivisionError)) as caught:
        on_columns(rule, table(rule, cells))
    assert (type(caught.value), str(caught.value)) == (type(wanted.value), str(wanted.value))


@pytest.mark.parametrize(
    "name, operands, text",
    [
        ("log", ([[1.0, 2.0], [-0.0, -5.0]],), "log: needs x > 0, got -0.0"),
        ("sqrt", (-4.0,), "sqrt: needs x >= 0, got -4.0"),
        ("div", ([[1.0], [2.0]], [3.0, 0.0]), "div: needs y != 0, got x = 1.0, y = 0.0"),
        ("div", ([1.0, 2.0], 0.0), "div: needs y != 0, got x = 1.0, y = 0.0"),
        ("pow", (2.0, [1.0, nan]), None),
        ("pow", ([-1.0, nan], [nan, 2.0]), None),
        ("pow", ([1.0, -3.0], [[1.0], [2.0]]), "pow: needs x > 0, got x = -3.0, y = 1.0"),
    ],
)
def test_the_first_offender_is_found_through_broadcasting(name, operands, text):
    """Row by row of the broadcast result; a NaN operand is never an offender."""
    operands = [np.array(operand) for operand in operands]
    if text is None:
        with np.errstate(all="ignore"):
            APPLY[FLOAT64][name](*operands)
        return
    with pytest.raises((ValueError, ZeroDivisionError)) as caught:
        APPLY[FLOAT64][name](*operands)
    assert str(caught.value) == text


# where: a choice by multiplying bits.

BITS = st.one_of(st.floats(), st.sampled_from(SPECIAL))


@both_dtypes
@settings(max_examples=25)
@given(data=st.data())
@example(data=None)
def test_where_is_exact(dtype, data):
    """Bit for bit np.where, NaN payloads and signs of zero included, for whole arrays and for written numbers."""
    size = 4
    if data is None:
        test, x, y = [True, False, True, False], [-0.0, -0.0, nan, inf], [0.0, -0.0, 1.0, -inf]
    else:
        test = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
        x, y = (data.draw(st.lists(BITS, min_size=size, max_size=size)) for _ in "xy")
    with np.errstate(over="ignore"):
        x, y = np.array(x).astype(dtype), np.array(y).astype(dtype)
    bits = np.int32 if dtype == FLOAT32 else np.int64
    for one, other in ((x, y), (x[0], y), (x, y[0]), (x[0], y[0])):
        expected = np.where(test, one, other)
        found = where(np.array(test), one, other)
        assert found.dtype == dtype and (found.view(bits) == expected.view(bits)).all()


@pytest.mark.parametrize("order", ["C", "F", "strided", "broadcast"])
def test_where_takes_any_layout(order):
    """Transposed, strided and broadcast operands choose as whole ones do."""
    base = np.arange(24.0).reshape(4, 6) - 11.5
    x = {"C": base, "F": np.asfortranarray(base), "strided": np.repeat(base, 2, axis=1)[:, ::2],
         "broadcast": np.broadcast_to(base[0], base.shape)}[order]  # fmt: skip
    assert (where(x > 0, x, -x) == np.where(x > 0, x, -x)).all()
    assert (where(x.T > 0, np.float64(0.0), x.T) == np.where(x.T > 0, 0.0, x.T)).all()


# Rows as code.


@every_row
def test_a_traceback_shows_the_line_of_the_row(rule):
    """An error inside a row shows the row's own source line as spelled for arrays, in a file of its own."""
    with pytest.raises(Exception) as caught:
        APPLY[FLOAT64][rule.name](*(object() for _ in rule.inputs))
    frames = [f for f in traceback.extract_tb(caught.value.__traceback__) if f.name == rule.name]
    assert frames and frames[0].line in linecache.getlines(frames[0].filename)[frames[0].lineno - 1]
    assert frames[0].filename != scalar.APPLY[rule.name].__code__.co_filename


@pytest.mark.parametrize(
    "formula, spelled",
    [
        ("x * y", "x * y"),
        ("0.5 / z if z != 0 else inf", "where(z != 0, number(0.5) / z, inf)"),
        ("x > 0 or n == 0 or x < 0 and n % 1 == 0", "(x > 0) | (n == 0) | (x < 0) & (n % 1 == 0)"),
    ],
)
def test_a_formula_is_respelled_and_not_rewritten(formula, spelled):
    """A choice becomes where, `or` becomes |, a written number takes the dtype; the rest stays as it stands."""
    assert array_spelling(formula) == spelled
