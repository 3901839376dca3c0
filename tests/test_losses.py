"""The losses: each against numbers worked by hand, against PyTorch's, and against its formula written in plain Python."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite.check import check_gradients
from micrograd_lite.losses import LOSSES, binary_cross_entropy, cross_entropy, half_squared_error, hinge, mse
from micrograd_lite.scalar import Value

EVERYDAY = st.floats(-20, 20)
HUGE = st.floats(-1e308, 1e308)


def add(numbers):
    """From left to right, one rounding at a time: the builtin sum() rounds differently since Python 3.12."""
    total = 0.0
    for number in numbers:
        total += number
    return total


def wrap(predictions):
    """Numbers as Values, in the same nesting."""
    return [wrap(p) if isinstance(p, list) else Value(p) for p in predictions]


def flat(predictions):
    return [leaf for p in predictions for leaf in (p if isinstance(p, list) else [p])]


def loss_and_slopes(loss, predictions, targets):
    """The loss of a batch of plain numbers, and its slope toward each of them, flattened."""
    values = wrap(predictions)
    total = loss(values, targets)
    total.backward()
    return total.data, [leaf.grad for leaf in flat(values)]


# --- by hand ---------------------------------------------------------------------------------------------------------

LN2, LN3 = math.log(2.0), math.log(3.0)
BY_HAND = [
    # loss, predictions, targets, cost, slopes
    (mse, [3.0], [1.0], 4.0, [4.0]),
    (mse, [3.0, 1.0], [1.0, 1.0], 2.0, [2.0, 0.0]),  # (4 + 0) / 2
    (mse, [[1.0, 2.0], [3.0, 5.0]], [[0.0, 0.0], [3.0, 1.0]], 5.25, [0.5, 1.0, 0.0, 2.0]),  # (1 + 4 + 0 + 16) / 4
    (half_squared_error, [3.0], [1.0], 2.0, [2.0]),
    (half_squared_error, [3.0, 1.0], [1.0, 2.0], 2.5, [2.0, -1.0]),  # (4 + 1) / 2
    (half_squared_error, [[1.0, 2.0], [3.0, 5.0]], [[0.0, 0.0], [3.0, 1.0]], 10.5, [1.0, 2.0, 0.0, 4.0]),
    (binary_cross_entropy, [0.0], [1.0], LN2, [-0.5]),  # probability 1/2, less 1
    (binary_cross_entropy, [0.0, 0.0], [0.0, 0.5], LN2, [0.25, 0.0]),
    (binary_cross_entropy, [LN3], [0.0], math.log(4.0), [0.75]),  # odds 3 to 1 for the wrong answer
    (cross_entropy, [[0.0, 0.0]], [0], LN2, [-0.5, 0.5]),
    (cross_entropy, [[5.0, 5.0, 5.0]], [2], LN3, [1 / 3, 1 / 3, -2 / 3]),
    (cross_entropy, [[LN2, 0.0], [0.0, 0.0]], [0, 1], math.log(3.0) / 2, [-1 / 6, 1 / 6, 0.25, -0.25]),  # ln(3/2), ln 2
    (hinge, [0.25], [1.0], 0.75, [-1.0]),
    (hinge, [0.25, 2.0], [-1.0, 1.0], 0.625, [0.5, 0.0]),
    (hinge, [1.0], [1.0], 0.0, [0.0]),  # exactly on the margin: relu's slope at 0 is 0
]


@pytest.mark.parametrize("loss, predictions, targets, cost, slopes", BY_HAND, ids=lambda x: getattr(x, "name", None))
def test_each_loss_is_what_a_pencil_finds(loss, predictions, targets, cost, slopes):
    """Costs and slopes of small batches; 4 ulp, because logarithms and thirds round."""
    found, found_slopes = loss_and_slopes(loss, predictions, targets)
    assert found == pytest.approx(cost, rel=1e-15, abs=1e-15)
    assert found_slopes == pytest.approx(slopes, rel=1e-15, abs=1e-15)


# PyTorch 2.13.0, float64; made by
#   F = torch.nn.functional; y = f(torch.tensor(predictions, requires_grad=True)); y.backward()
# with f = F.mse_loss(o, t); 0.5 * F.mse_loss(o, t, reduction="sum"); F.binary_cross_entropy_with_logits(o, t);
# F.cross_entropy(o, t); torch.clamp(1 - t * o, min=0).mean()
OUTPUTS, WANTED = [[0.5, -1.0], [2.0, 0.25], [-0.75, 3.0]], [[1.0, 0.0], [1.5, -0.5], [0.25, 2.0]]
PYTORCH = [
    (mse, OUTPUTS, WANTED, 0.6770833333333334,
     [-0.16666666666666666, -0.3333333333333333, 0.16666666666666666, 0.25, -0.3333333333333333, 0.3333333333333333]),
    (half_squared_error, OUTPUTS, WANTED, 2.03125, [-0.5, -1.0, 0.5, 0.75, -1.0, 1.0]),
    (binary_cross_entropy, [0.3, -2.0, 1.5, 40.0, -40.0], [1.0, 0.0, 0.25, 1.0, 1.0], 8.401539306698849,
     [-0.08511149663766819, 0.02384058440442351, 0.11351489523872874, 0.0, -0.2]),
    (cross_entropy, [[0.2, -1.0, 3.0], [1.0, 1.0, 1.0], [5.0, -5.0, 0.0]], [0, 2, 1], 4.660507969955069,
     [-0.3145495893759473, 0.0056575549580054705, 0.30889203441794183, 0.1111111111111111, 0.1111111111111111,
      -0.2222222222222222, 0.3310874522807248, -0.3333183019862545, 0.0022308497055297614]),
    (hinge, [0.3, -0.5, 1.0, 2.0], [1.0, 1.0, -1.0, 1.0], 1.05, [-0.25, -0.25, 0.25, 0.0]),
]  # fmt: skip


@pytest.mark.parametrize("loss, predictions, targets, cost, slopes", PYTORCH, ids=lambda x: getattr(x, "name", None))
def test_each_loss_is_pytorchs(loss, predictions, targets, cost, slopes):
    """Constants of torch 2.13.0 in float64; 1e-14: a few roundings; 1e-17: its 0.0 is sigmoid(-40)."""
    found, found_slopes = loss_and_slopes(loss, predictions, targets)
    assert found == pytest.approx(cost, rel=1e-14)
    assert found_slopes == pytest.approx(slopes, rel=1e-14, abs=1e-17)


# --- by formula ------------------------------------------------------------------------------------------------------


def plain_mse(predictions, targets):
    return add(add((o - t) ** 2 for o, t in zip(*pair)) / len(pair[0]) for pair in zip(predictions, targets)) / len(targets)


def plain_half(predictions, targets):
    return add(0.5 * add((o - t) ** 2 for o, t in zip(*pair)) for pair in zip(predictions, targets))


def plain_binary(predictions, targets):
    costs = []
    for [z], t in zip(predictions, targets):
        yes = 1.0 / (1.0 + math.exp(-z))
        no = 1.0 / (1.0 + math.exp(z))
        costs.append(-t * math.log(yes) - (1.0 - t) * math.log(no))
    return add(costs) / len(costs)


def plain_cross_entropy(predictions, targets):
    costs = []
    for logits, label in zip(predictions, targets):
        costs.append(-math.log(math.exp(logits[label]) / add(map(math.exp, logits))))
    return add(costs) / len(costs)


def plain_hinge(predictions, targets):
    return add(max(0.0, 1.0 - t * score) for [score], t in zip(predictions, targets)) / len(targets)


@st.composite
def batches(draw, loss, numbers=EVERYDAY):
    """Predictions (a list of outputs per sample) and targets that fit the loss."""
    samples = draw(st.integers(1, 4))
    outputs = 1 if loss in (binary_cross_entropy, hinge) else draw(st.integers(2 if loss is cross_entropy else 1, 4))
    rows = st.lists(st.lists(numbers, min_size=outputs, max_size=outputs), min_size=samples, max_size=samples)
    target = {
        "binary_cross_entropy": st.floats(0, 1),
        "cross_entropy": st.integers(0, outputs - 1),
        "hinge": st.sampled_from((-1.0, 1.0)),
    }.get(loss.name)
    predictions = draw(rows)
    return predictions, draw(rows if target is None else st.lists(target, min_size=samples, max_size=samples))


def call(loss, predictions, targets):
    """The loss as a network would call it: one output is a Value, not a list."""
    single = len(predictions[0]) == 1
    unwrapped = [t[0] if single and isinstance(t, list) else t for t in targets]
    return loss([row[0] if single else row for row in predictions], unwrapped)


PLAIN = {
    mse: plain_mse, half_squared_error: plain_half, binary_cross_entropy: plain_binary,
    cross_entropy: plain_cross_entropy, hinge: plain_hinge,
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
@given(data=st.data())
def test_each_loss_is_its_formula(loss, data):
    """The textbook's formula in plain floats. 1e-12 of the largest term: the plain forms of the logarithms cancel."""
    predictions, targets = data.draw(batches(loss))
    found = call(loss, wrap(predictions), targets).data
    largest = max(1.0, *(abs(number) for row in predictions for number in row)) ** 2
    assert found == pytest.approx(PLAIN[loss](predictions, targets), rel=1e-12, abs=1e-12 * largest)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
@given(data=st.data())
def test_each_slope_is_a_central_difference(loss, data):
    """A smoke test of every slope of every loss, away from the hinge's corner."""
    predictions, targets = data.draw(batches(loss, st.floats(-4, 4)))
    if loss is hinge:
        corners = [abs(1.0 - t * score) for [score], t in zip(predictions, targets)]
        predictions = [[row[0] + 0.1] if corner < 0.05 else row for row, corner in zip(predictions, corners)]
    width = len(predictions[0])

    def function(*leaves):
        return call(loss, [list(leaves[start : start + width]) for start in range(0, len(leaves), width)], targets)

    check_gradients(function, *(number for row in predictions for number in row))


@given(data=st.data())
def test_cross_entropy_of_two_logits_is_the_binary_one_of_their_difference(data):
    """softmax over (z1, z0) is sigmoid(z1 - z0). 1e-12: the difference is rounded once."""
    a, b, label = data.draw(EVERYDAY), data.draw(EVERYDAY), data.draw(st.integers(0, 1))
    two = cross_entropy([[Value(a), Value(b)]], [label]).data
    assert two == pytest.approx(binary_cross_entropy([Value(b - a)], [label]).data, rel=1e-12, abs=1e-12)


# --- reductions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
@given(data=st.data())
def test_a_batch_is_its_samples_reduced_from_left_to_right(loss, data):
    """half_squared_error is the sum of its samples' costs, every other loss their mean: to the bit."""
    predictions, targets = data.draw(batches(loss))
    costs = [call(loss, wrap([row]), [target]).data for row, target in zip(predictions, targets)]
    expected = add(costs) if loss is half_squared_error else add(costs) / len(costs)
    assert repr(call(loss, wrap(predictions), targets).data) == repr(expected)


def test_every_loss_is_listed_under_its_name():
    """LOSSES is the whole list."""
    assert {name: loss.name for name, loss in LOSSES.items()} == {loss.name: loss.name for loss in PLAIN}


# --- stability -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "logit, target, cost, slope",
    [
        (1e4, 1.0, 0.0, 0.0), (1e4, 0.0, 1e4, 1.0), (-1e4, 1.0, 1e4, -1.0), (-1e4, 0.0, 0.0, 0.0),
        (1e308, 1.0, 0.0, 0.0), (1e308, 0.0, 1e308, 1.0), (-1e308, 1.0, 1e308, -1.0), (-1e308, 0.0, 0.0, 0.0),
        (1e308, 0.5, 5e307, 0.5),
    ],
)  # fmt: skip
def test_binary_cross_entropy_is_exact_at_any_logit(logit, target, cost, slope):
    """No overflow, no log of 0: a sure and wrong answer costs its logit."""
    assert loss_and_slopes(binary_cross_entropy, [logit], [target]) == (cost, [slope])


@pytest.mark.parametrize(
    "logits, label, cost, slopes",
    [
        ([1e4, 0.0], 0, 0.0, [0.0, 0.0]), ([1e4, 0.0], 1, 1e4, [1.0, -1.0]),
        ([1e308, 0.0], 0, 0.0, [0.0, 0.0]), ([1e308, 0.0], 1, 1e308, [1.0, -1.0]),
        ([1e308, -1e308], 0, 0.0, [0.0, 0.0]), ([1e308, -1e308], 1, math.inf, [1.0, -1.0]),  # 2e308 has no float
        ([-1e308, -1e308], 1, LN2, [0.5, -0.5]), ([1e308, 1e308], 0, LN2, [-0.5, 0.5]),
    ],
)  # fmt: skip
def test_cross_entropy_is_exact_at_any_logits(logits, label, cost, slopes):
    """The same for softmax: the difference of the logits, or log 2 at a tie."""
    found, found_slopes = loss_and_slopes(cross_entropy, [logits], [label])
    assert found == pytest.approx(cost, rel=1e-15, abs=0)
    assert found_slopes == slopes


@pytest.mark.parametrize("loss, predictions, target", [(binary_cross_entropy, 40.0, 1), (cross_entropy, [0.0, -40.0], 0)])
def test_a_small_cost_keeps_its_digits(loss, predictions, target):
    """A sure and right answer costs log(1 + exp(-40)) = 4.2e-18, not 0: the 1 does not swallow the rest."""
    assert loss([wrap([predictions])[0]], [target]).data == pytest.approx(math.log1p(math.exp(-40.0)), rel=1e-14, abs=0)


@pytest.mark.parametrize("loss", [binary_cross_entropy, cross_entropy], ids=lambda loss: loss.name)
@given(data=st.data())
def test_no_finite_logit_makes_a_nan(loss, data):
    """Costs are at least 0, never nan; slopes toward logits are within -1 and 1."""
    predictions, targets = data.draw(batches(loss, HUGE))
    values = wrap(predictions)
    total = call(loss, values, targets)
    total.backward()
    assert total.data >= 0.0
    assert all(-1.0 <= leaf.grad <= 1.0 for leaf in flat(values))


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
def test_counts_that_differ_are_refused(loss):
    """A sentence with the loss's name and both counts."""
    with pytest.raises(ValueError, match=f"{loss.name}: got 1 predictions for 2 targets"):
        loss([[Value(1.0), Value(2.0)]], [1, 1])


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
def test_nothing_has_no_loss(loss):
    """The mean of no samples is a ValueError, not 0."""
    with pytest.raises(ValueError, match="at least one"):
        loss([], [])


@pytest.mark.parametrize("loss", [mse, half_squared_error], ids=lambda loss: loss.name)
@pytest.mark.parametrize("outputs, target", [([1.0, 2.0], 1.0), ([1.0, 2.0], [1.0]), ([1.0], [1.0, 5.0]), ([1.0, 2.0], [])])
def test_no_output_and_no_target_is_dropped(loss, outputs, target):
    """Two outputs against one target is a ValueError, not the loss of the first output."""
    with pytest.raises(ValueError):
        loss([wrap(outputs)], [target])


@pytest.mark.parametrize(
    "label, error",
    [(2, ValueError), (-1, ValueError), (10**30, ValueError), (1.0, TypeError), ("1", TypeError), (None, TypeError)],
)
def test_a_label_is_one_of_the_outputs(label, error):
    """Labels count from 0 and never from the end; 1.0 is not a label."""
    with pytest.raises(error):
        cross_entropy([wrap([0.0, 1.0])], [label])


@pytest.mark.parametrize(
    "loss, fitting, unfitting",
    [
        (mse, [(1.0, 1), (3, 1), ([1.0, 2.0], 2), ([1.0], 1)], [(1.0, 2), ([1.0], 2), ("1", 1), (None, 1), ([1.0, "2"], 2)]),
        (half_squared_error, [(1.0, 1), ([1.0, 2.0], 2)], [(1.0, 2), ("1", 1)]),
        (binary_cross_entropy, [(0, 1), (1.0, 1), (0.25, 1)], [(1.5, 1), (-1.0, 1), (math.nan, 1), (1.0, 2), ("1", 1)]),
        (cross_entropy, [(0, 2), (1, 2)], [(2, 2), (-1, 2), (1.0, 2), (True, 2), ([0, 1], 2), ("a", 2)]),
        (hinge, [(-1, 1), (1.0, 1)], [(0, 1), (0.5, 1), (1.0, 2), ([1.0], 1), ("1", 1), (math.nan, 1)]),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_each_loss_knows_which_targets_fit(loss, fitting, unfitting):
    """`fits` is what training checks at the door."""
    assert [loss.fits(*case) for case in fitting] == [True] * len(fitting)
    assert [loss.fits(*case) for case in unfitting] == [False] * len(unfitting)


@pytest.mark.parametrize(
    "loss, right, wrong",
    [
        (mse, [([0.9], 1.0), ([0.1, 0.8], [0.0, 1.0])], [([0.4], 1.0), ([0.4, 0.3], [0.0, 1.0]), ([math.nan], 1.0)]),
        (half_squared_error, [([0.9], 1.0)], [([0.4], 1.0)]),
        (binary_cross_entropy, [([0.1], 1), ([-0.1], 0)], [([0.1], 0), ([-0.1], 1)]),
        (cross_entropy, [([1.0, 2.0, 0.0], 1)], [([1.0, 2.0, 0.0], 0)]),
        (hinge, [([0.1], 1.0), ([-0.1], -1.0)], [([0.1], -1.0), ([-0.1], 1.0)]),
    ],
)
def test_each_loss_knows_a_right_decision(loss, right, wrong):
    """`correct` is what accuracy counts: the nearer side, the highest of several outputs, the more probable label."""
    assert [bool(loss.correct(*case)) for case in right] == [True] * len(right)
    assert [bool(loss.correct(*case)) for case in wrong] == [False] * len(wrong)
