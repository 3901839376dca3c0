"""The schedules: the first step uses the starting rate, and every later one what the formula says."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite.optim import SGD
from micrograd_lite.scalar import Value
from micrograd_lite.schedules import Constant, Cosine, StepDecay, schedule, settings

RATE = st.floats(1e-6, 10.0)


def rates(made, count):
    return [made(step) for step in range(1, count + 1)]


# torch 2.13.0, float64: o = torch.optim.SGD([w], lr=0.4); s = <scheduler>(o, ...); its rate before each
# o.step(); s.step()
def test_step_decay_is_pytorchs_step_lr():
    """StepLR(o, 3, gamma=0.5): halved after every third step."""
    assert rates(StepDecay(0.4, 0.5, 3), 8) == pytest.approx([0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.1, 0.1], rel=1e-15)


def test_cosine_is_pytorchs_cosine_annealing():
    """CosineAnnealingLR(o, 5, eta_min=0.1), within 4 ulp; PyTorch computes it from the rate before."""
    expected = [0.4, 0.37135254915624216, 0.29635254915624215, 0.2036474508437579, 0.1286474508437579, 0.1]
    assert rates(Cosine(0.4, 5, 0.1), 6) == pytest.approx(expected, rel=1e-15)


@given(lr=RATE, factor=st.floats(0.01, 1.0), every=st.integers(1, 50), step=st.integers(1, 500))
def test_step_decay_multiplies_once_per_period(lr, factor, every, step):
    """The first `every` steps at lr; from then on the rate of `every` steps ago times the factor. 1e-13: up to 500 roundings."""
    decay = StepDecay(lr, factor, every)
    assert decay(min(step, every)) == lr
    assert decay(step + every) == pytest.approx(decay(step) * factor, rel=1e-13)


@given(lr=RATE, steps=st.integers(1, 300), final=st.floats(0.0, 1e-6))
def test_cosine_goes_down_from_lr_to_final_and_stays(lr, steps, final):
    """It starts at lr, never rises, is half way at half time, and is `final` from step steps + 1 on."""
    cosine = Cosine(lr, steps, final)
    path = rates(cosine, steps + 3)
    assert path[0] == pytest.approx(lr, rel=1e-15)
    assert path[-3:] == pytest.approx([final] * 3, abs=1e-15 * lr)
    assert all(later <= earlier * (1 + 1e-15) for earlier, later in pairwise(path))
    assert (cosine(1 + steps / 2)) == pytest.approx((lr + final) / 2, rel=1e-12)


@given(lr=RATE, step=st.integers(1, 10**6))
def test_a_number_is_the_constant_schedule(lr, step):
    """The same rate for ever, the very bits."""
    assert schedule(lr) == Constant(lr)
    assert schedule(lr)(step) == lr


@pytest.mark.parametrize("made", [Constant(0.1), StepDecay(0.1, 0.5, 3), Cosine(0.1, 10)])
def test_a_schedule_is_itself(made):
    """schedule() returns it unchanged, and settings() is plain data that builds it again."""
    assert schedule(made) is made
    plain = settings(made)
    if isinstance(plain, dict):
        assert type(made)(**{name: number for name, number in plain.items() if name != "schedule"}) == made
        assert plain["schedule"] == type(made).__name__
    else:
        assert schedule(plain) == made


NAN, INF = math.nan, math.inf


BAD = [0, 0.0, -1, NAN, INF, -INF, True, False, "0.1", None, [0.1], 1j, 10**400]


@pytest.mark.parametrize("bad", BAD, ids=lambda x: str(x)[:20])
@pytest.mark.parametrize(
    "make, name",
    [
        (lambda bad: bad, "lr"),
        (lambda bad: Constant(bad), "lr"),
        (lambda bad: StepDecay(bad, 0.5, 3), "lr"),
        (lambda bad: StepDecay(0.1, bad, 3), "factor"),
        (lambda bad: StepDecay(0.1, 0.5, bad), "every"),
        (lambda bad: Cosine(bad, 5), "lr"),
        (lambda bad: Cosine(0.1, bad), "steps"),
    ],
    ids=["number", "Constant", "StepDecay.lr", "StepDecay.factor", "StepDecay.every", "Cosine.lr", "Cosine.steps"],
)
def test_a_rate_that_is_not_positive_and_finite_is_refused(make, bad, name):
    """By the optimizer, when it is made: ValueError or TypeError in a sentence that names the number."""
    with pytest.raises((ValueError, TypeError), match=f"learning rate: {name}"):
        SGD(lr=make(bad))


@pytest.mark.parametrize("made", [StepDecay(0.1, 0.5, 2.5), Cosine(0.1, 2.5)])
def test_steps_are_counted_in_whole_numbers(made):
    """A period of 2.5 steps is a mistake."""
    with pytest.raises((ValueError, TypeError), match="whole"):
        SGD(lr=made)


def test_a_cosine_may_end_at_zero():
    """final=0 is the default, and a step at rate 0 moves nothing."""
    optimizer, parameter = SGD(lr=Cosine(0.1, 1)), Value(1.0)
    parameter.grad = 1.0
    optimizer.step([parameter])
    assert parameter.data == 0.9
    optimizer.step([parameter])
    assert parameter.data == 0.9
