"""The optimizers on a flat buffer: the numbers of optim.py, in place."""

import math

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from array_strategies import OPTIMIZERS, U32  # noqa: E402
from micrograd_lite.arrays.optim import ArrayOptimizer  # noqa: E402
from micrograd_lite.optim import SGD, Adam, AdamW, Optimizer, RMSprop  # noqa: E402
from micrograd_lite.scalar import Value  # noqa: E402

STEPS = 300
every_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def gradients(seed, scale=1.0, size=4):
    """A long row of gradients that keep away from 0, where rounding would be most of them."""
    drawn = np.random.default_rng(seed).normal(size=(STEPS, size))
    return scale * (drawn + np.sign(drawn))


def scalar_path(optimizer, start, rows):
    """The parameters after every step of the scalar engine."""
    parameters, path = [Value(number) for number in start], []
    for row in rows:
        for parameter, gradient in zip(parameters, row):
            parameter.grad = float(gradient)
        optimizer.step(parameters)
        path.append([parameter.data for parameter in parameters])
    return np.array(path)


def array_path(optimizer, start, rows, dtype=np.float64):
    """The same on a flat buffer."""
    flat, path = np.array(start, dtype), []
    made = ArrayOptimizer(optimizer, flat)
    for row in rows.astype(dtype):
        made.step(flat, row)
        path.append(flat.copy())
    return np.array(path)


START = [0.5, -1.0, 2.0, 0.0]


@every_optimizer
@settings(max_examples=8)
@given(seed=st.integers(0, 999), scale=st.sampled_from((1e-2, 1.0, 100.0)))
def test_each_optimizer_is_the_scalar_one_over_300_steps(make, seed, scale):
    """Every setting: within 1e-12 of max(1, the largest parameter) after every step."""
    rows = gradients(seed, scale)
    found, wanted = array_path(make(), START, rows), scalar_path(make(), START, rows)
    assert np.abs(found - wanted).max() <= 1e-12 * max(1.0, np.abs(wanted).max())


@every_optimizer
def test_float32_is_the_same_path_to_float32s_digits(make):
    """Every buffer stays float32; 300 steps stay within 8 x 300 roundings of the scalar path's size."""
    rows = gradients(1).astype(np.float32).astype(float)
    flat = np.array(START, np.float32)
    made = ArrayOptimizer(make(), flat)
    for row in rows.astype(np.float32):
        made.step(flat, row)
    wanted = scalar_path(make(), START, rows)
    assert {array.dtype for array in (flat, made.update, *made.memory.values())} == {np.dtype(np.float32)}
    assert np.abs(flat - wanted[-1]).max() <= 8 * STEPS * U32 * max(1.0, np.abs(wanted).max())


@every_optimizer
def test_after_is_before_plus_update(make):
    """To the bit, with `update` as the step left it; the gradient is not touched; the rate is the schedule's."""
    flat, optimizer = np.array(START), make()
    made = ArrayOptimizer(optimizer, flat)
    for number, row in enumerate(gradients(2)[:20], start=1):
        before, kept = flat.copy(), row.copy()
        assert made.step(flat, row) == optimizer.lr(number)
        assert (flat == before + made.update).all() and (row == kept).all()
        assert optimizer.steps == number


@every_optimizer
def test_a_gradient_of_zero_is_served(make):
    """A parameter that nothing depends on: the same numbers as the scalar engine, no warning, no NaN."""
    rows = gradients(3)[:30]
    rows[:, 1] = 0.0
    found, wanted = array_path(make(), START, rows), scalar_path(make(), START, rows)
    assert np.abs(found - wanted).max() <= 1e-12 * max(1.0, np.abs(wanted).max())


@pytest.mark.parametrize("make", [lambda: RMSprop(eps=0.0), lambda: Adam(eps=0.0), lambda: AdamW(eps=0.0)])
def test_without_eps_a_gradient_of_zero_is_refused_as_in_the_scalar_engine(make):
    """0 / 0 is no update: FloatingPointError, and nothing has moved."""
    with pytest.raises(FloatingPointError):
        scalar_path(make(), START, np.zeros((1, 4)))
    flat, optimizer = np.array(START), make()
    with pytest.raises(FloatingPointError):
        ArrayOptimizer(optimizer, flat).step(flat, np.zeros(4))
    assert flat.tolist() == START and optimizer.steps == 0


@pytest.mark.parametrize(
    "make, gradient",
    [(lambda: SGD(lr=1e300), 1e300), (lambda: SGD(lr=1e10, momentum=0.9), 1e305), (lambda: SGD(lr=1.0, weight_decay=1e308), 1.0),
     (lambda: Adam(lr=1e308), 1.0)],
)  # fmt: skip
def test_a_parameter_that_would_overflow_is_refused(make, gradient):
    """FloatingPointError as from the scalar optimizer, which moves nothing then; never a silent inf."""
    start = [1.7e308, -1.7e308]
    with pytest.raises(FloatingPointError, match=r"step 1: .* would become .*; try a smaller learning rate"):
        scalar_path(make(), start, np.array([[-gradient, gradient]]))
    flat, optimizer = np.array(start), make()
    with pytest.raises(FloatingPointError, match=r"step 1: .* would become .*; try a smaller learning rate"):
        ArrayOptimizer(optimizer, flat).step(flat, np.array([-gradient, gradient]))
    assert flat.tolist() == start and optimizer.steps == 0


@pytest.mark.parametrize("make", [RMSprop, Adam, AdamW])
def test_a_huge_gradient_is_quiet(make):
    """A gradient whose square overflows gives an update of 0 without a warning, as in the scalar engine."""
    rows = np.full((3, 4), 1e200)
    assert (array_path(make(), START, rows) == scalar_path(make(), START, rows)).all()


@every_optimizer
def test_the_same_optimizer_goes_on_where_it_stopped(make):
    """A second ArrayOptimizer of one optimizer remembers what the first one did: ten steps and ten more are twenty."""
    rows, flat, optimizer = gradients(4)[:20], np.array(START), make()
    for part in (rows[:10], rows[10:]):
        made = ArrayOptimizer(optimizer, flat)
        for row in part:
            made.step(flat, row)
    assert flat.tolist() == array_path(make(), START, rows)[-1].tolist()


@pytest.mark.parametrize("make", [lambda: SGD(momentum=0.9), RMSprop, Adam, AdamW])
def test_an_optimizer_of_another_model_is_refused(make):
    """As the scalar engine: an optimizer that remembers so many parameters serves no other number of them."""
    optimizer = make()
    flat = np.array(START)
    ArrayOptimizer(optimizer, flat).step(flat, np.ones(4))
    with pytest.raises(ValueError, match="make a new one"):
        ArrayOptimizer(optimizer, np.zeros(7)).step(np.zeros(7), np.ones(7))


class Unknown(Optimizer):
    """None of the four."""


class OtherTerms(Adam):
    """An Adam by name, whose formula is another."""

    def terms(self, value, gradient, memory, lr, step):
        """Half the update."""
        terms = super().terms(value, gradient, memory, lr, step)
        return terms._replace(update=terms.update / 2.0)


class OtherStep(SGD):
    """An SGD that does something before each step."""

    def step(self, parameters):
        """The gradients clipped, then a step."""
        for parameter in parameters:
            parameter.grad = max(-1.0, min(1.0, parameter.grad))
        return super().step(parameters)


@pytest.mark.parametrize("kind", [Unknown, OtherTerms, OtherStep])
def test_an_optimizer_of_ones_own_is_refused_in_a_sentence(kind):
    """Only the formulas of optim.py have arithmetic for arrays: nothing that a subclass changes is passed over in silence."""
    with pytest.raises(TypeError, match=f"{kind.__name__} has no arithmetic for arrays; use SGD, RMSprop, Adam or AdamW"):
        ArrayOptimizer(kind(0.1), np.zeros(2))


def test_a_formula_put_on_one_optimizer_is_refused():
    """Also where the object, and not its class, has another formula."""
    optimizer = SGD(lr=0.1)
    optimizer.terms = lambda *arguments: None
    with pytest.raises(TypeError, match="SGD has no arithmetic for arrays"):
        ArrayOptimizer(optimizer, np.zeros(2))


class WarmAdam(Adam):
    """An Adam with settings of its own."""

    def __init__(self):
        super().__init__(lr=0.003, betas=(0.7, 0.9))


def test_a_subclass_with_the_same_formula_is_served():
    """Settings of one's own change no formula: the path is the scalar engine's."""
    rows = gradients(5)[:30]
    found, wanted = array_path(WarmAdam(), START, rows), scalar_path(WarmAdam(), START, rows)
    assert np.abs(found - wanted).max() <= 1e-12


@every_optimizer
def test_memory_is_what_its_name_says(make):
    """A running mean of optim.py is (1 - beta) times the fading sum kept here; a velocity is itself: within 1e-12."""
    rows, flat, optimizer, twin = gradients(6)[:20], np.array(START), make(), make()
    made, parameters = ArrayOptimizer(optimizer, flat), [Value(number) for number in START]
    for row in rows:
        made.step(flat, row)
        for parameter, gradient in zip(parameters, row):
            parameter.grad = float(gradient)
        twin.step(parameters)
    betas = dict(zip(("first", "second"), getattr(twin, "betas", ()))) | {"square": getattr(twin, "alpha", 0.0)}
    assert len(made.memory) == len(twin.REMEMBERS)
    for position, name in enumerate(twin.REMEMBERS):
        wanted = np.array([remembered[position] for remembered in twin.memory])
        found = made.memory[name] if name == "velocity" else (1.0 - betas[name]) * made.memory[f"{name}_sum"]
        assert np.abs(found - wanted).max() <= 1e-12 * max(1.0, np.abs(wanted).max())


def test_adams_first_step_is_the_rate():
    """With bias correction, the first update is lr in the direction of -gradient, for any gradient well above eps."""
    found = array_path(Adam(lr=0.01), [0.0, 0.0], np.array([[3.0, -1e-3]]))
    assert found[0] == pytest.approx([-0.01, 0.01], rel=1e-4) and math.isfinite(found.sum())
