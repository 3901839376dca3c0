"""The optimizers: each against its formula written out as a loop, against PyTorch's numbers, and against theory."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_lite.optim import OPTIMIZERS, SGD, Adam, AdamW, Optimizer, RMSprop
from micrograd_lite.scalar import Value
from micrograd_lite.schedules import Cosine, StepDecay

STEPS = 300


def steps(optimizer, values, gradients):
    """Give the optimizer one list of gradients per step; returns the parameters' numbers after every step."""
    parameters, path = [Value(value) for value in values], []
    for row in gradients:
        for parameter, gradient in zip(parameters, row):
            parameter.grad = gradient
        optimizer.step(parameters)
        path.append([parameter.data for parameter in parameters])
    return path


# --- hand-written references -----------------------------------------------------------------------------------------
# Written from the papers and PyTorch's pseudocode, one parameter at a time, in another order of operations than optim.py
# where there is one. Each is a generator: it is sent a gradient and yields the parameter.


def sgd(w, rates, momentum=0.0, nesterov=False, weight_decay=0.0):
    buffer = None
    for lr in rates:
        g = yield w
        g += w * weight_decay
        if momentum:
            buffer = g if buffer is None else buffer * momentum + g
            g = g + buffer * momentum if nesterov else buffer
        w -= lr * g
    yield w


def rmsprop(w, rates, alpha=0.99, eps=1e-8, weight_decay=0.0):
    v = 0.0
    for lr in rates:
        g = yield w
        g += w * weight_decay
        v = v * alpha + g**2 * (1.0 - alpha)
        w -= lr * g / (v**0.5 + eps)
    yield w


def adam(w, rates, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, bias_correction=True, decoupled=False):
    m = v = 0.0
    for t, lr in enumerate(rates, start=1):
        g = yield w
        if decoupled:
            w *= 1.0 - lr * weight_decay
        else:
            g += w * weight_decay
        m += (g - m) * (1.0 - betas[0])
        v = v * betas[1] + g**2 * (1.0 - betas[1])
        m_hat, v_root = m, math.sqrt(v)
        if bias_correction:
            m_hat = m / (1.0 - betas[0] ** t)
            v_root = math.sqrt(v) / math.sqrt(1.0 - betas[1] ** t)
        w -= lr * m_hat / (v_root + eps)
    yield w


def adamw(w, rates, weight_decay=0.01, **settings):
    return adam(w, rates, weight_decay=weight_decay, decoupled=True, **settings)


def reference_path(reference, settings, values, gradients, rates):
    columns = []
    for index, value in enumerate(values):
        walker = reference(value, rates, **settings)
        next(walker)
        columns.append([walker.send(row[index]) for row in gradients])
    return [list(row) for row in zip(*columns)]


SHARE = st.floats(0.0, 0.999)
LONG = st.floats(0.9, 0.999)  # where decay is part of the gradient: g / |g| of a short memory jumps at 0, and so would rounding
DECAY = st.one_of(st.just(0.0), st.floats(1e-4, 0.5))
RATE = st.floats(1e-5, 0.5)
EPS = st.sampled_from((1e-8, 1e-6, 1e-3))
KINDS = {
    "SGD": (SGD, sgd, st.fixed_dictionaries({"weight_decay": DECAY})),
    "momentum": (SGD, sgd, st.fixed_dictionaries({"momentum": st.floats(0.01, 0.99), "weight_decay": DECAY})),
    "Nesterov": (
        SGD, sgd, st.fixed_dictionaries({"momentum": st.floats(0.01, 0.99), "nesterov": st.just(True), "weight_decay": DECAY}),
    ),
    "RMSprop": (RMSprop, rmsprop, st.fixed_dictionaries({"alpha": LONG, "eps": EPS, "weight_decay": DECAY})),
    "Adam": (Adam, adam, st.fixed_dictionaries({"betas": st.tuples(SHARE, LONG), "eps": EPS, "weight_decay": DECAY})),
    "Adam without bias correction": (
        Adam, adam, st.fixed_dictionaries({"betas": st.tuples(SHARE, SHARE), "eps": EPS, "bias_correction": st.just(False)}),
    ),
    "AdamW": (AdamW, adamw, st.fixed_dictionaries({"betas": st.tuples(SHARE, SHARE), "eps": EPS, "weight_decay": DECAY})),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(data=st.data(), seed=st.integers(0, 999), scale=st.sampled_from((1e-6, 1e-2, 1.0, 100.0)))
def test_each_optimizer_is_its_formula_over_300_steps(kind, data, seed, scale):
    """Two parameters, random gradients, settings of hypothesis's choice: within 1e-12 of the loop written out by hand."""
    optimizer, reference, options = KINDS[kind]
    settings, lr = data.draw(options), data.draw(RATE)
    if optimizer is Adam and "weight_decay" in settings:  # decay alone would circle around 0, doubling rounding every turn
        settings["weight_decay"] *= min(1.0, scale)
    generator = Random(seed)
    values = [generator.gauss(0, 1), generator.gauss(0, 1)]
    gradients = [[generator.gauss(0, scale), generator.gauss(0.3 * scale, scale)] for _ in range(STEPS)]
    found = steps(optimizer(lr=lr, **settings), values, gradients)
    expected = reference_path(reference, settings, values, gradients, [lr] * STEPS)
    largest = max(1.0, *(abs(number) for row in expected for number in row))
    for row, wanted in zip(found, expected):
        assert row == pytest.approx(wanted, rel=0, abs=1e-12 * largest)


@pytest.mark.parametrize("kind", ["momentum", "RMSprop", "Adam", "AdamW"])
@pytest.mark.parametrize(
    "schedule, rate",
    [
        (StepDecay(0.2, 0.5, 40), lambda step: 0.2 / 2 ** ((step - 1) // 40)),
        (Cosine(0.2, 250, 0.01), lambda step: 0.01 + 0.095 * (1 + math.cos(math.pi * min(step - 1, 250) / 250))),
    ],
)
def test_a_schedule_gives_every_step_its_rate(kind, schedule, rate):
    """Also where the rate stands inside the formula twice (AdamW's decay): within 1e-12 over 300 steps."""
    optimizer, reference, _ = KINDS[kind]
    settings = {"momentum": 0.9} if kind == "momentum" else {"weight_decay": 0.1}
    generator = Random(3)
    gradients = [[generator.gauss(0, 1)] for _ in range(STEPS)]
    found = steps(optimizer(lr=schedule, **settings), [1.0], gradients)
    expected = reference_path(reference, settings, [1.0], gradients, [rate(step) for step in range(1, STEPS + 1)])
    assert found == [pytest.approx(row, rel=1e-12, abs=1e-12) for row in expected]


# --- PyTorch ---------------------------------------------------------------------------------------------------------

# torch 2.13.0, float64, f(a, b) = 0.2 a^3 - a b + 1.5 b^2 from a = 0.5, b = -1.25; the parameters after steps 1, 2 and 5 of
#   w = [torch.tensor(0.5, requires_grad=True), torch.tensor(-1.25, requires_grad=True)]
#   opt = torch.optim.<line below, with w first>
#   opt.zero_grad(); (0.2*w[0]**3 - w[0]*w[1] + 1.5*w[1]**2).backward(); opt.step()
PYTORCH = {
    "SGD(lr=0.05)": [
        [0.43, -1.0375], [0.37257799999999996, -0.8603750000000001], [0.254644131807043, -0.4867599431732483]],
    "SGD(lr=0.05, momentum=0.9)": [
        [0.43, -1.0375], [0.30957799999999996, -0.6691250000000001], [-0.0940989114829965, 0.5899215080394149]],
    "SGD(lr=0.05, momentum=0.9, nesterov=True)": [
        [0.367, -0.8462500000000001], [0.222228977, -0.39807875], [-0.06061763451405984, 0.5021427642972524]],
    "SGD(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1)": [
        [0.36225, -0.834375], [0.21333817143750003, -0.3770503125], [-0.07218066394088944, 0.5124741968656863]],
    "RMSprop()": [
        [0.40000000714285666, -1.150000002352941], [0.3333310058469791, -1.0826778804607962],
        [0.19754884002611783, -0.9450836617558621]],
    "RMSprop(lr=0.02, alpha=0.9, eps=1e-6, weight_decay=0.1)": [
        [0.43675458472736606, -1.186754492510885], [0.39254091910369276, -1.1422218030232185],
        [0.29620703853038205, -1.0446726776410027]],
    "Adam()": [
        [0.49900000000714284, -1.249000000002353], [0.49800002997280174, -1.248000024659481],
        [0.4950004981963406, -1.2450004102360717]],
    "Adam(lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)": [
        [0.4800000137930939, -1.2300000045714274], [0.46002155370781916, -1.2100170781762805],
        [0.40035711333304, -1.1502865839143632]],
    "AdamW()": [
        [0.49899500000714286, -1.248987500002353], [0.497990040314787, -1.2479750350477532],
        [0.4949756035469401, -1.2449380158622327]],
    "AdamW(lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)": [
        [0.4790000142857041, -1.2275000047058813], [0.4580651557793864, -1.2050641052021576],
        [0.3958015919697504, -1.13826929313348]],
}  # fmt: skip


@pytest.mark.parametrize("line", PYTORCH)
def test_each_optimizer_takes_pytorchs_steps(line):
    """Five steps on a small function, defaults included: constants of torch 2.13.0. 1e-13: five steps of rounding."""
    optimizer = eval(line)
    a, b = Value(0.5), Value(-1.25)
    path = []
    for _ in range(5):
        a.grad = b.grad = 0.0
        (0.2 * a**3 - a * b + 1.5 * b**2).backward()
        optimizer.step([a, b])
        path.append([a.data, b.data])
    assert [path[0], path[1], path[4]] == [pytest.approx(row, rel=1e-13) for row in PYTORCH[line]]


def test_defaults_are_pytorchs():
    """Read from torch.optim of torch 2.13.0: lr, momentum, betas, eps and weight decay."""
    assert SGD().config() == {"name": "SGD", "lr": 0.001, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
    assert RMSprop().config() == {"name": "RMSprop", "lr": 0.01, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0}
    shared = {"lr": 0.001, "betas": [0.9, 0.999], "eps": 1e-8, "bias_correction": True}
    assert Adam().config() == {"name": "Adam", "weight_decay": 0.0, **shared}
    assert AdamW().config() == {"name": "AdamW", "weight_decay": 0.01, **shared}


def test_every_optimizer_is_listed_under_its_name():
    """OPTIMIZERS is the whole list."""
    assert list(OPTIMIZERS.items()) == [("SGD", SGD), ("RMSprop", RMSprop), ("Adam", Adam), ("AdamW", AdamW)]


# --- theory ----------------------------------------------------------------------------------------------------------


def test_adam_without_correction_starts_too_fast():
    """At a gradient of 1 it moves 3.16, 4.25, 4.95, 5.44, 5.80 x lr; the true one moves 1 x lr at every step."""
    for corrected, moves in ((False, [3.16, 4.25, 4.95, 5.44, 5.80]), (True, [1.0] * 5)):
        path = steps(Adam(lr=0.01, bias_correction=corrected), [0.0], [[1.0]] * 5)
        taken = [before - after for [before], [after] in zip([[0.0], *path], path)]
        assert taken == pytest.approx([0.01 * move for move in moves], abs=0.01 * 0.005)  # the numbers have two decimals


@given(gradient=st.floats(1e-3, 1e3), sign=st.sampled_from((1.0, -1.0)))
def test_the_first_step_of_adam_is_lr_whatever_the_gradient(gradient, sign):
    """Bias correction makes it sign descent at first; 1e-4: eps = 1e-8 beside a gradient of at least 1e-3."""
    [[after]] = steps(Adam(lr=0.1), [0.0], [[sign * gradient]])
    assert after == pytest.approx(-0.1 * sign, rel=1e-4)


def test_momentum_adds_up_a_steady_gradient():
    """At a constant gradient 1 the step tends to lr / (1 - momentum): 10 x lr for 0.9, within 0.9**100."""
    path = steps(SGD(lr=0.01, momentum=0.9), [0.0], [[1.0]] * 101)
    assert path[-2][0] - path[-1][0] == pytest.approx(0.1, rel=1e-4)


@pytest.mark.parametrize("make", [lambda: SGD(lr=0.1, momentum=0.0), lambda: SGD(lr=0.1)])
def test_plain_descent_is_one_product(make):
    """after = before - lr * gradient, and nothing is remembered."""
    optimizer = make()
    assert steps(optimizer, [1.0], [[2.0], [2.0]]) == [[1.0 - 0.1 * 2.0], [1.0 - 0.1 * 2.0 - 0.1 * 2.0]]
    assert optimizer.REMEMBERS == ()


# --- terms -----------------------------------------------------------------------------------------------------------

EVERY = [
    SGD(lr=0.1), SGD(lr=0.1, weight_decay=0.2), SGD(lr=0.1, momentum=0.9),
    SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    RMSprop(lr=0.1), RMSprop(lr=0.1, weight_decay=0.1), Adam(lr=0.1), Adam(lr=0.1, bias_correction=False),
    Adam(lr=StepDecay(0.1, 0.5, 2), weight_decay=0.1), AdamW(lr=Cosine(0.1, 5)),
]  # fmt: skip


def fresh(optimizer):
    """A new optimizer of the same settings, so that one test's memory is not another's."""
    made = type(optimizer).__new__(type(optimizer))
    made.__dict__.update(optimizer.__dict__, memory=[], steps=0)
    return made


@pytest.mark.parametrize("kind", EVERY, ids=lambda o: type(o).__name__)
@given(path=st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=6))
def test_terms_add_up_in_bits(kind, path):
    """after = before + update, exactly; the memory before is the memory after the step before; all are Python floats."""
    optimizer, parameters, memory = fresh(kind), [Value(0.5), Value(-2.0)], {}
    for row in path:
        before = [parameter.data for parameter in parameters]
        for parameter, gradient in zip(parameters, row):
            parameter.grad = gradient
        for index, (start, parameter, terms) in enumerate(zip(before, parameters, optimizer.step(parameters), strict=True)):
            assert repr(parameter.data) == repr(start + terms.update)
            assert terms._fields[-1] == "update" and all(type(term) is float for term in terms)
            for name in optimizer.REMEMBERS:
                assert getattr(terms, f"{name}_before") == memory.get((index, name), 0.0)
                memory[index, name] = getattr(terms, name)


def test_adams_terms_are_those_of_a_pencil():
    """lr 0.5, betas (0.5, 0.75), eps 0, gradient 4 then 0: every term is a short binary fraction."""
    optimizer, parameter = Adam(lr=0.5, betas=(0.5, 0.75), eps=0.0), Value(1.0)
    parameter.grad = 4.0
    assert optimizer.step([parameter]) == [(0.0, 2.0, 0.0, 4.0, 4.0, 16.0, 0.125, -0.5)]
    parameter.grad = 0.0
    [terms] = optimizer.step([parameter])
    assert terms[:4] == (2.0, 1.0, 4.0, 3.0)
    assert terms.first_corrected == 1.0 / 0.75 and terms.second_corrected == 3.0 / 0.4375
    assert parameter.data == 0.5 + terms.update


@pytest.mark.parametrize("name", ["lr", "momentum", "weight_decay"])
def test_updates_stay_python_floats_when_settings_are_numpy_scalars(name):
    """np.float64 is a float, so it is a fair setting; but no NumPy type may reach a parameter or a table."""
    numpy = pytest.importorskip("numpy")
    optimizer = SGD(**{"lr": 0.1, name: numpy.float64(0.25)})
    parameter = Value(1.0)
    parameter.grad = 1.0
    terms = optimizer.step([parameter])
    assert {type(parameter.data), *map(type, terms[0])} == {float}


# --- mistakes --------------------------------------------------------------------------------------------------------

NAN, INF = math.nan, math.inf
BAD_NUMBERS = [-1.0, NAN, INF, -INF, True, "0.1", None, [0.1], 1j]


@pytest.mark.parametrize(
    "kind, name, setting",
    [
        *((kind, "lr", bad) for kind in OPTIMIZERS for bad in [*BAD_NUMBERS, 0, 0.0]),
        *((kind, "weight_decay", bad) for kind in OPTIMIZERS for bad in BAD_NUMBERS),
        *(("SGD", "momentum", bad) for bad in [*BAD_NUMBERS, 1.0, 1.5]),
        *(("RMSprop", name, bad) for name in ("alpha", "eps") for bad in BAD_NUMBERS),
        ("RMSprop", "alpha", 1.0),
        *(("Adam", "eps", bad) for bad in BAD_NUMBERS),
        *(("Adam", "betas", (bad, 0.999)) for bad in [*BAD_NUMBERS, 1.0]),
        *(("AdamW", "betas", (0.9, bad)) for bad in [*BAD_NUMBERS, 1.0]),
        *(("Adam", "betas", bad) for bad in (0.9, (0.9,), (0.9, 0.99, 0.999), None, ())),
    ],
    ids=lambda x: str(x)[:20],
)
def test_a_bad_setting_is_refused_in_one_sentence(kind, name, setting):
    """When the optimizer is made, not when it steps: ValueError or TypeError that names the setting."""
    with pytest.raises((ValueError, TypeError)) as caught:
        OPTIMIZERS[kind](**{name: setting})
    sentence = str(caught.value)
    assert name in sentence and "\n" not in sentence and len(sentence) < 200


def test_nesterov_needs_momentum():
    """Without it there is nothing to look ahead with."""
    with pytest.raises(ValueError, match="nesterov needs a momentum"):
        SGD(lr=0.1, nesterov=True)


def test_an_optimizer_belongs_to_its_parameters():
    """Another number of parameters than at the step before is a ValueError with both numbers, and nothing moves."""
    optimizer, parameters = Adam(lr=0.1), [Value(1.0), Value(2.0)]
    optimizer.step(parameters)
    for others in (parameters[:1], [*parameters, Value(3.0)]):
        before = [parameter.data for parameter in others]
        with pytest.raises(ValueError, match=f"holds 2 parameters and was given {len(others)}"):
            optimizer.step(others)
        assert [parameter.data for parameter in others] == before
    assert optimizer.steps == 1


@pytest.mark.parametrize("kind", EVERY, ids=lambda o: type(o).__name__)
def test_a_step_that_fails_changes_nothing(kind):
    """A second parameter without a number: the first has not moved, the memory and the count are as before."""
    optimizer, good, spoiled = fresh(kind), Value(1.0), Value(2.0)
    good.grad = spoiled.grad = 0.5
    optimizer.step([good, spoiled])
    before = (good.data, list(optimizer.memory), optimizer.steps)
    spoiled.grad = None
    with pytest.raises(TypeError):
        optimizer.step([good, spoiled])
    assert (good.data, optimizer.memory, optimizer.steps) == before


def test_the_common_part_has_no_formula():
    """Optimizer itself says which ones do."""
    with pytest.raises(TypeError, match="use SGD, RMSprop, Adam or AdamW"):
        Optimizer(0.1).step([Value(1.0)])


@pytest.mark.parametrize("make, name", [
    (lambda told: SGD(momentum=0.9, nesterov=told), "nesterov"), (lambda told: Adam(bias_correction=told), "bias_correction"),
], ids=["nesterov", "bias_correction"])  # fmt: skip
def test_a_switch_is_true_or_false(make, name):
    """Every text is true in Python, "no" too: it is refused."""
    with pytest.raises(TypeError, match=f"^{name} must be True or False, got 'no'$"):
        make("no")
