"""Kernels: what NumPy computes between the products, in C, to 4 units of the last place of a formula's terms."""

import math
import warnings

import pytest

np = pytest.importorskip("numpy")

from hypothesis import example, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from array_strategies import OPTIMIZERS, SPECIAL, U32, Case, cases, flat_gradients, scalar_step  # noqa: E402
from micrograd_lite import Tracer, arrays, data  # noqa: E402
from micrograd_lite.architecture import ACTIVATIONS  # noqa: E402
from micrograd_lite.arrays.compiled import CompiledOptimizer, CompiledStep, in_c, kernels  # noqa: E402
from micrograd_lite.arrays.fused import FusedStep  # noqa: E402
from micrograd_lite.arrays.kernels import BY_NUMPY, MOVES, kernels_text, spelled  # noqa: E402
from micrograd_lite.arrays.nn import MLP  # noqa: E402
from micrograd_lite.arrays.optim import FADED, FADING, ArrayOptimizer  # noqa: E402
from micrograd_lite.losses import LOSSES, cross_entropy, mse  # noqa: E402
from micrograd_lite.optim import SGD, Adam, AdamW, RMSprop  # noqa: E402
from micrograd_lite.rules import RULES  # noqa: E402
from micrograd_lite.training import train  # noqa: E402
from micrograd_lite.verify import verify  # noqa: E402
from references import U  # noqa: E402
from test_flat_c import cache, folder, with_compiler  # noqa: E402, F401

inf, nan = math.inf, math.nan
DTYPES = ("float64", "float32")
both = pytest.mark.parametrize("dtype", DTYPES)
ULPS = 4


def within(found, wanted, size=0.0):
    """The same numbers, NaN and infinities too, to 4 units of the last place of their size, or of that of their terms."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    with np.errstate(all="ignore"):
        unit = np.spacing(np.maximum(np.abs(wanted), np.asarray(size, wanted.dtype)))
        close = np.abs(found - wanted) <= ULPS * unit
    return found.dtype == wanted.dtype and (close | (found == wanted) | (np.isnan(found) & np.isnan(wanted))).all()


def same(found, wanted):
    """The same numbers to the bit, but for the sign of 0."""
    return found.dtype == wanted.dtype and np.array_equal(found, wanted, equal_nan=True)



WILD = st.one_of(st.sampled_from((*SPECIAL, 1e-40, -1e-44, 88.7, -88.0, -103.0)), st.floats(-100, 100), st.floats())


def layer(name, columns, dtype, bias=True, seed=0):
    """A network of one layer, its biases and slopes drawn, and both ways to make its step."""
    model = MLP(1, [columns], output=name, bias=bias, dtype=dtype)
    generator = np.random.default_rng(seed)
    for array in model.arrays.values():
        array.data[...] = generator.normal(size=array.data.shape)
    return FusedStep(model, 8), CompiledStep(model, 8, kernels(model.dtype))


# One kernel after the other.


@with_compiler
@both
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("name", ACTIVATIONS)
@given(numbers=st.lists(WILD, min_size=1, max_size=24), columns=st.integers(1, 19), seed=st.integers(0, 9))
def test_activations_are_numpys(name, bias, dtype, numbers, columns, seed):
    """Value and partials at any sums, in any shape, no rows too, within 4 ulp; to the bit where a row has no function."""
    plain, made = layer(name, columns, dtype, bias, seed)
    rows = min(8, len(numbers) // columns)
    with np.errstate(all="ignore"):
        sums = np.array(numbers).astype(dtype)[: rows * columns].reshape(rows, columns)
        (value, partials), (found, found_partials) = plain.activate(0, sums.copy()), made.activate(0, sums.copy())
    assert len(found_partials) == len(partials) and found.shape == value.shape
    if name in BY_NUMPY or "(" not in RULES[name].value.replace("(x > 0) & (a == a)", ""):
        assert same(found, value) and all(map(same, found_partials, partials))
        return
    terms = value + value * value if name == "sigmoid" else 0.0  # z * (1 - z): a digit of z is many of 1 - z
    assert within(found, value) and all(within(one, other, terms) for one, other in zip(found_partials, partials))


@with_compiler
@both
@given(numbers=st.lists(WILD, min_size=2, max_size=40), columns=st.integers(2, 13), seed=st.integers(0, 9))
@example(numbers=[0.0, 0.0, nan, 1.0], columns=2, seed=0)
@example(numbers=[inf, inf, -inf, 1.0], columns=2, seed=0)
@example(numbers=[-104.0, 0.0, 1e-40, 2e-40], columns=2, seed=1)
def test_cross_entropy_is_numpys(dtype, numbers, columns, seed):
    """Costs and slopes of any logits within 4 ulp of the largest term; labels of any kind of whole number."""
    plain, made = layer("linear", columns, dtype)
    rows = min(8, len(numbers) // columns)
    if not rows:
        return
    with np.errstate(all="ignore"):
        logits = np.array(numbers).astype(dtype)[: rows * columns].reshape(rows, columns)
        labels = np.random.default_rng(seed).integers(0, columns, rows).astype(("int8", "uint64", "int32")[seed % 3])
        loss, slopes = plain.costs(logits, labels, cross_entropy)
        found, found_slopes = made.costs(logits, labels, cross_entropy)
    share = np.asarray(1.0 / rows, dtype)
    assert within(found_slopes, slopes, share)
    assert within(np.asarray(found, dtype), np.asarray(loss, dtype))


@with_compiler
def test_a_label_that_is_no_column_is_refused():
    """By the sentence of the array engine, and nothing outside of an array is read or written."""
    _, made = layer("linear", 3, "float64")
    for labels in ([0, 3], [-1, 0], [2**62, 1]):
        with pytest.raises(ValueError, match=r"the label must be one of 0 ... 2, got"):
            made.costs(np.zeros((2, 3)), np.array(labels), cross_entropy)
    with pytest.raises(ValueError, match="one label for each row"):
        made.costs(np.zeros((2, 3)), np.array([0]), cross_entropy)


@with_compiler
@both
@pytest.mark.parametrize("name", ["relu", "linear", "prelu", "sigmoid"])
@given(numbers=st.lists(WILD, min_size=1, max_size=40), columns=st.integers(1, 19))
def test_the_way_back_is_numpys(name, dtype, numbers, columns):
    """Slopes toward sums and biases, infinities and NaN among them: the same bits, rows are added in the same order."""
    plain, made = layer(name, columns, dtype)
    rows = min(8, len(numbers) // columns)
    found = []
    for step in (plain, made):
        with np.errstate(all="ignore"):
            upstream = np.array(numbers).astype(dtype)[: rows * columns].reshape(rows, columns)
            partials = tuple(np.tile(upstream[:, :1], columns).copy() for _ in RULES[name].partials) if name in RULES else ()
            step.model.bring_back("grad")
            delta = step.back(step.model.layers[0], partials, upstream)
        found.append((delta, step.model.layers[0].b.grad.copy()))
    assert all(map(same, *found))


def moved(kind, make, dtype, start, rows, *more):
    """Parameters, update and memory after every step of an optimizer."""
    flat, path = np.array(start, dtype), []
    optimizer = kind(make(), flat, *more)
    for row in rows:
        optimizer.step(flat, row)
        path.append([flat.copy(), optimizer.update.copy(), *(sums.copy() for sums in optimizer.memory.values())])
    return path, optimizer.update_norm


@with_compiler
@both
@pytest.mark.parametrize("size", [1, 7, 33, 1023, 1025, 3000])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_every_optimizer_has_numpys_bits(make, size, dtype):
    """Each setting, sizes that are no round numbers, 70 steps: parameters, update and memory to the bit, its length to 1e-5."""
    generator = np.random.default_rng(size)
    start = generator.normal(size=size)
    rows = (10.0 ** generator.integers(-12, 3, (70, size)) * generator.normal(size=(70, size))).astype(dtype)
    rows[:, 0] = 0.0
    plain, norm = moved(ArrayOptimizer, make, dtype, start, rows)
    made, made_norm = moved(CompiledOptimizer, make, dtype, start, rows, kernels(np.dtype(dtype)))
    for step, (numbers, wanted) in enumerate(zip(made, plain)):
        assert all(map(same, numbers, wanted)), f"step {step + 1}"
    assert math.isclose(norm, made_norm, rel_tol=1e-5 if dtype == "float32" else 1e-12)


@with_compiler
@both
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@given(numbers=st.lists(WILD, min_size=1, max_size=9))
def test_wild_gradients_end_as_they_do_in_numpy(make, dtype, numbers):
    """Infinite ones, NaN, denormal ones: the same parameters, or the same sentence and none has moved."""
    with np.errstate(all="ignore"):
        rows = [np.array(numbers).astype(dtype)] * 2
    found = []
    for kind, more in ((ArrayOptimizer, ()), (CompiledOptimizer, (kernels(np.dtype(dtype)),))):
        flat = np.linspace(-1.0, 1.0, len(numbers)).astype(dtype)
        optimizer, ends = kind(make(), flat, *more), []
        for row in rows:
            try:
                ends.append(repr(optimizer.step(flat, row)))
            except FloatingPointError as error:
                ends.append(str(error))
        found.append((flat, optimizer.update, ends))
    assert same(found[0][0], found[1][0]) and same(found[0][1], found[1][1]) and found[0][2] == found[1][2]


@with_compiler
def test_gradients_in_pieces_are_read_too():
    """A gradient and parameters that do not stand in one piece of memory: the numbers of those that do."""
    rows, wide = np.random.default_rng(0).normal(size=(3, 9)), np.zeros((9, 2))
    wide[:, 0] = 0.5
    optimizer, flat = CompiledOptimizer(Adam(), wide[:, 0], kernels(np.dtype("float64"))), np.full(9, 0.5)
    plain = ArrayOptimizer(Adam(), flat)
    for row in rows:
        plain.step(flat, row)
        optimizer.step(wide[:, 0], np.repeat(row, 2)[::2])
    assert same(wide[:, 0].copy(), flat) and not wide[:, 1].any()


@both
@pytest.mark.parametrize("kind", ["numpy", pytest.param("c", marks=with_compiler)])
@pytest.mark.parametrize("make", [lambda: SGD(momentum=0.9), lambda: Adam(betas=(0.9, 0.9)), lambda: RMSprop(alpha=0.5)])
def test_what_has_faded_is_nothing_in_float32(make, kind, dtype):
    """After 2,000 steps without a gradient a sum is 0 in float32, and what it is by the formula in float64; others stay."""
    flat = np.array([0.5, 0.5], dtype)
    optimizer = ArrayOptimizer(make(), flat) if kind == "numpy" else CompiledOptimizer(make(), flat, kernels(flat.dtype))
    gradient = np.array([1.0, 1.0], dtype)
    for _ in range(2_000):
        optimizer.step(flat, gradient)
        gradient[0] = 0.0
    for sums in optimizer.memory.values():
        assert sums[1] >= 1.0 and (sums[0] == 0.0 if dtype == "float32" else sums[0] > 0.0 or make().__class__ is RMSprop)


def test_nothing_else_has_faded():
    """A sum of at least 1e-30 is what the formula makes of it, and a smaller one stays until it is looked at."""
    flat = np.array([0.0], np.float32)
    optimizer = ArrayOptimizer(SGD(momentum=0.5), flat)
    for start, step, wanted in ((3e-30, FADING, 1.5e-30), (0.9 * FADED, FADING, 0.0), (0.9 * FADED, FADING + 1, 0.45 * FADED)):
        optimizer.memory["velocity"][:], optimizer.optimizer.steps = start, step - 1
        optimizer.step(flat, np.array([0.0], np.float32))
        assert math.isclose(float(optimizer.memory["velocity"][0]), wanted, rel_tol=1e-6)


# Whole steps and whole trainings.


def close_step(case, dtype, unit):
    """Loss and gradients of both within 64 roundings of the graph's terms: 4 ulp of each partial, met one after the other."""
    model, (inputs, targets) = case.model(dtype), case.batch(dtype)
    _, _, sizes = scalar_step(model, case.loss, inputs.astype(float), targets)
    loss, wanted = FusedStep(model, len(inputs))(inputs, targets, case.loss), flat_gradients(model)
    model.flat_grad[:] = nan
    found = CompiledStep(model, len(inputs), kernels(model.dtype))(np.asfortranarray(inputs), targets, case.loss)
    assert abs(found - loss) <= 64 * unit * max(1.0, abs(loss))
    assert (np.abs(flat_gradients(model) - wanted) <= 64 * unit * sizes + np.finfo(dtype).tiny).all()


@with_compiler
@settings(max_examples=40)
@given(case=cases())
def test_a_compiled_step_is_the_fused_step(case):
    """Random nets and losses, inputs in Fortran's order, with and without biases, in both dtypes."""
    close_step(case, "float64", U)
    close_step(case, "float32", U32)


@with_compiler
@pytest.mark.parametrize("dtype, unit", [("float64", U), ("float32", U32)])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_with_every_loss(activation, loss, dtype, unit):
    """As hidden layer, and as output where the loss allows it."""
    outputs = {"binary_cross_entropy": 1, "hinge": 1}.get(loss.name, 3)
    output = "linear" if loss.takes_logits else activation
    case = Case(dict(inputs=3, outputs_per_layer=[7, 5, outputs], activation=activation, output=output), loss, 6, 2)
    close_step(case, dtype, unit)


@with_compiler
@pytest.mark.parametrize("activation", ["relu", "prelu", "linear", "tanh"])
def test_a_partial_batch_leaves_nothing_behind(activation):
    """A big, a small and again a big batch through the same buffers: each is as if it were the first."""
    model = MLP(4, [6, 5, 3], activation, seed=3)
    made, generator = CompiledStep(model, 8, kernels(model.dtype)), np.random.default_rng(0)
    for samples in (8, 3, 8, 1, 5, 8):
        inputs, labels = generator.normal(size=(samples, 4)), generator.integers(0, 3, samples)
        found = made(inputs, labels, cross_entropy), flat_gradients(model)
        fresh = CompiledStep(model, samples, kernels(model.dtype))(inputs, labels, cross_entropy), flat_gradients(model)
        assert found[0] == fresh[0] and np.allclose(found[1], fresh[1], rtol=0, atol=1e-15)
        assert [array.shape for array in made.activations] == [(samples, width) for width in (4, 6, 5, 3)]
        assert all(partial.shape == value.shape for value, slopes in zip(made.activations[1:], made.slopes) for partial in slopes)


@with_compiler
def test_an_array_put_in_place_of_a_parameter_is_read():
    """`array.data = ...`, of another order in memory, between two steps: the kernels see the new numbers."""
    model = MLP(4, [6, 3])
    made, generator = CompiledStep(model, 5, kernels(model.dtype)), np.random.default_rng(0)
    inputs, labels = generator.normal(size=(5, 4)), generator.integers(0, 3, 5)
    made(inputs, labels, cross_entropy)
    model.arrays["layer0.w"].data = np.asfortranarray(generator.normal(size=(4, 6)))
    model.arrays["layer0.b"].data = generator.normal(size=12)[::2]
    found = made(inputs, labels, cross_entropy)
    assert math.isclose(found, FusedStep(model, 5)(inputs, labels, cross_entropy), rel_tol=1e-14)


def digits(engine, epochs=12, dtype="float32", tracer=None, **options):
    """The last step of a training on the bundled digits."""
    training, testing = data.split(data.digits(), 0.2)
    net = MLP(64, [32, 10], seed=1, dtype=dtype)
    options = {"optimizer": Adam(lr=0.003), "batch_size": 32, **options}
    steps = train(net, training, loss=cross_entropy, epochs=epochs, test=testing, evaluate_every=10, engine=engine, **options)
    *_, last = tracer.follow(steps) if tracer else steps
    return last


@with_compiler
@both
def test_digits_are_learned_as_by_numpy(dtype):
    """90 % of unseen digits, and the loss of NumPy's run: to 1e-9 in float64, to 1e-2 in float32, after 540 steps."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made, plain = digits("c", dtype=dtype), digits("eager", dtype=dtype)
    assert made.evaluation["test_accuracy"] >= 0.9
    assert math.isclose(made.loss, plain.loss, rel_tol=1e-9 if dtype == "float64" else 1e-2)
    assert isinstance(made.optimizer, CompiledOptimizer) and isinstance(made.fused, CompiledStep)


OFTEN = {
    "Adam": lambda: Adam(lr=0.01), "momentum": lambda: SGD(lr=0.1, momentum=0.9), "AdamW": AdamW, "RMSprop": RMSprop,
    "short momentum": lambda: SGD(lr=0.1, momentum=0.1), "short RMSprop": lambda: RMSprop(alpha=0.1, eps=1e-3),
}  # fmt: skip
"""The short ones forget within 32 steps."""


@pytest.mark.parametrize("engine", ["eager", pytest.param("c", marks=with_compiler)])
@pytest.mark.parametrize("name", OFTEN)
def test_its_trace_verifies(name, engine, tmp_path):
    """All weights kept, in float32, a column of inputs that is 0 but once in 40 steps, so that what is remembered of it fades
    to 0: every check of verify is made, and none finds a wrong number."""
    generator = np.random.default_rng(0)
    inputs, labels = generator.normal(size=(160, 3)).astype("float32"), generator.integers(0, 3, 160)
    inputs[4:, 0] = 0.0
    left = []
    with Tracer(tmp_path / "run", weights_every=1) as tracer:
        net = arrays.MLP(3, [5, 3], "tanh", dtype="float32")
        options = dict(loss=cross_entropy, optimizer=OFTEN[name](), batch_size=4, shuffle=False, epochs=2, engine=engine)
        for step in tracer.follow(train(net, (inputs.tolist(), labels.tolist()), **options)):
            first, *_ = step.optimizer.memory.values()
            left.append(np.abs(first[:5]).max())  # of the weights of that column
    assert left[25] > 0.0 and bool(left[34] == 0.0) is name.startswith("short")
    report = verify(tmp_path / "run")
    assert report.wrong == "" and report.unchecked == []


@with_compiler
def test_a_checkpoint_goes_on_with_the_same_bits():
    """20 steps, and 20 more by a new model and optimizer from the checkpoint: the bits of 40 in one go."""
    def run(epochs, resume=None):
        net = MLP(4, [8, 3], dtype="float32")
        *_, last = train(net, data.iris(), loss=cross_entropy, optimizer=Adam(), epochs=epochs, engine="c", resume=resume)
        return net, last

    whole, _ = run(40)
    half, last = run(20)
    memory = {name: sums.copy() for name, sums in last.optimizer.memory.items()}
    resume = type("Saved", (), dict(step=20, parameters=half.flat.copy(), memory=memory, extents={}))()
    assert same(run(40, resume)[0].flat, whole.flat)


@with_compiler
def test_a_loss_that_is_not_finite_is_named_as_by_numpy():
    """The same sentence, and no parameter has moved."""
    def failure(engine):
        net = MLP(2, [3, 1], dtype="float32", seed=1)
        net.flat[:] = 1e30
        with pytest.raises(FloatingPointError) as raised:
            next(train(net, data.xor(), loss=mse, optimizer=SGD(lr=0.1), engine=engine))
        return str(raised.value), net.flat.tolist()

    assert failure("c") == failure("eager")


# Where there is no compiler.


def test_without_a_compiler_a_sentence_once_and_numpys_bits(monkeypatch):
    """Two trainings, one warning, and the bits of engine="eager"."""
    monkeypatch.setenv("MICROGRAD_LITE_CC", "off")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made, _ = digits("c", epochs=1), digits("c", epochs=1)
    (said,) = [str(warning.message) for warning in caught]
    assert said == "MICROGRAD_LITE_CC=off turns C off; arrays are trained by NumPy, with the same numbers but for last digits"
    assert type(made.fused) is FusedStep and same(made.model.flat, digits("eager", epochs=1).model.flat)


@pytest.mark.parametrize("setting, sentence", [("nothing", "there is no C compiler 'nothing'"), ("false", "'false' failed")])
def test_a_compiler_that_is_not_there_or_fails(setting, sentence, monkeypatch, tmp_path):
    """One sentence with the reason, and the training goes on."""
    monkeypatch.setenv("CC", setting)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.warns(RuntimeWarning, match=sentence):
        assert type(digits("c", epochs=1).fused) is FusedStep


def test_a_cache_that_cannot_be_written(monkeypatch, tmp_path):
    """A file stands where the folder should be: the same."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.warns(RuntimeWarning, match="C cannot be compiled, cached or loaded"):
        step, optimizer = in_c(MLP(2, [1]), 4, SGD())
    assert type(step) is FusedStep and type(optimizer) is ArrayOptimizer


def test_flat_is_no_engine_for_arrays():
    """A sentence that says which there are."""
    with pytest.raises(ValueError, match="'flat' is for scalar models; a model on arrays has 'eager', by NumPy, or 'c'"):
        train(MLP(2, [1]), data.xor(), loss=mse, optimizer=SGD(), engine="flat")


def test_the_formulas_are_those_of_the_table():
    """Each activation's value and partials stand in the text as C spells the row, each optimizer once with each decay."""
    text = kernels_text("float")
    for name in ACTIVATIONS:
        for formula in (RULES[name].value, *RULES[name].partials) if name not in BY_NUMPY else ():
            assert f"= {spelled(formula)};" in text
    assert text.count("\ndouble ") == 2 * len(MOVES) + 1
    assert spelled("0.0 if x <= 0 else x") == "x <= (real)0.0 ? (real)0.0 : x"
