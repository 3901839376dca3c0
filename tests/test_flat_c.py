"""The flat program in C: the same bits, errors and files as in Python; and what happens where it cannot be compiled."""

import ctypes
import itertools
import math
import os
import random
import shutil
import stat
import subprocess
import sys
import threading
import warnings
from array import array
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from micrograd_lite import cli, data, many
from micrograd_lite.flat import c, compiled, compiler
from micrograd_lite.flat.c import c_text
from micrograd_lite.flat.compiled import CProgram, in_c
from micrograd_lite.flat.formulas import FUNCTIONS
from micrograd_lite.flat.functions import TAKEN
from micrograd_lite.flat.model import flatten_model
from micrograd_lite.flat.write import flatten
from micrograd_lite.losses import LOSSES, cross_entropy, mse
from micrograd_lite.nn import MLP
from micrograd_lite.optim import SGD, Adam
from micrograd_lite.rules import RULES
from micrograd_lite.scalar import Value
from micrograd_lite.trace import Tracer
from micrograd_lite.training import train
from test_flat import NETWORKS, STARTS, WILD, bits, outcome, wild_graphs
from test_flat_train import ACTIVATIONS, DATA, FILES, OPTIMIZERS, RUNS, Logarithm, failure, steps

inf, nan = math.inf, math.nan
ROOT = Path(__file__).parent.parent
COMMAND = (os.environ.get("CC") or "cc").split()[0]
with_compiler = pytest.mark.skipif(
    not os.environ.get("CI") and (not shutil.which(COMMAND) or os.environ.get("MICROGRAD_LITE_CC") == "off"),
    reason=f"no C compiler: {COMMAND} is on no path, or MICROGRAD_LITE_CC=off",
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A cache for all tests of a session, so that the user's stays as it is."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(folder, monkeypatch):
    """Compiled programs go to the folder of the tests; every sentence may be said again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(compiled, "said", set())
    compiler.version.cache_clear()
    return folder


def in_pieces(patch):
    """Even a short program with a workspace, loops and many functions."""
    patch.setattr(c, "SHORT", 0)
    patch.setattr(c, "PART", 5)
    patch.setattr(c, "RUN", 1)
    patch.setattr("micrograd_lite.flat.loops.RUN", 2)


SHAPES = {"one function": lambda patch: None, "in pieces": in_pieces}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def result(program, leaves, numbers, starts, samples, reduce):
    """Loss and slopes of a batch as bits, or the error."""
    for leaf, number, start in zip(leaves, numbers, starts):
        leaf.data, leaf.grad = number, start
    return outcome(lambda: [program.backward(samples, reduce), *(leaf.grad for leaf in leaves), *program.losses(samples)])


# The same bits.


@with_compiler
@shapes
@settings(max_examples=4 * settings.default.max_examples)
@given(graph=wild_graphs, data=st.data())
def test_loss_and_slopes_are_the_flat_programs_bit_for_bit(shape, graph, data):
    """400 random graphs twice (brief: 100), any operation, five batches of any numbers each: the same bits or the same error."""
    leaves, inputs = [*map(Value, graph.first[0])], [*map(Value, graph.first[1])]
    try:
        program = flatten(graph.root(leaves, inputs), leaves, inputs)
    except ValueError as error:
        assume("depends on none" not in str(error))
        raise
    with pytest.MonkeyPatch.context() as patch:
        shape(patch)
        made = CProgram(program)
    for _ in range(5):
        numbers = data.draw(st.lists(WILD, min_size=graph.learned, max_size=graph.learned))
        starts = data.draw(st.lists(STARTS, min_size=graph.learned, max_size=graph.learned))
        row = st.lists(WILD, min_size=graph.inputs, max_size=graph.inputs)
        samples = [(inputs, ()) for inputs in data.draw(st.lists(row, min_size=1, max_size=3))]
        reduce = data.draw(st.sampled_from((many.mean, many.sum)))
        found = [result(each, leaves, numbers, starts, samples, reduce) for each in (made, program)]
        assert found[0] == found[1]


@with_compiler
@shapes
@settings(max_examples=max(10, settings.default.max_examples // 5))
@given(network=NETWORKS, loss=st.sampled_from(sorted(LOSSES)))
def test_networks_too(shape, network, loss):
    """MLPs on everyday numbers, where what relu cuts off is skipped: every loss and activation."""
    hidden, activation, bias, seed = network
    problem = DATA[loss]
    outputs = {"cross_entropy": 3, "half_squared_error": 2}.get(loss, 1)
    model = MLP(len(problem.inputs[0]), [*hidden, outputs], activation, bias=bias, init="uniform", seed=seed)
    program = flatten_model(model, LOSSES[loss], problem)
    with pytest.MonkeyPatch.context() as patch:
        shape(patch)
        made = CProgram(program)
    leaves, samples = program.parameters, list(zip(problem.inputs, problem.targets))
    numbers, starts = [leaf.data for leaf in leaves], [0.0] * len(leaves)
    found = [result(each, leaves, numbers, starts, samples, many.mean) for each in (made, program)]
    assert found[0] == found[1]


POINTS = (0.0, -0.0, 1.0, -1.0, 0.5, 3.0, -2.5, 2.0, -3.0, inf, -inf, nan, 1e200, -1e200, 5e-324, 710.0, -750.0)


@with_compiler
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_row_at_every_point(rule):
    """Each operation at kinks, zeros of both signs, infinities and NaN, at the edge of its domain and outside."""
    leaves = [Value(0.75 + k, letter) for k, letter in enumerate(rule.inputs)]
    from micrograd_lite.scalar import APPLY, node

    value, partials = APPLY[rule.name](*(leaf.data for leaf in leaves))
    learned = leaves[: len(partials)]
    program = flatten(node(value, tuple(leaves), partials, rule), learned, leaves[len(partials) :])
    made = CProgram(program)
    for point in itertools.product(POINTS, repeat=len(leaves)):
        samples = [(list(point[len(partials) :]), ())]
        found = [result(each, learned, point, [0.0] * len(learned), samples, many.sum) for each in (made, program)]
        assert found[0] == found[1], point


@with_compiler
@pytest.mark.parametrize("numbers", [[1.0, 2.0, 3.0], [inf, 0.0, inf], [nan, 1.0, 2.0], [1.0, nan, 2.0], [-inf, -inf, 0.0],
                                     [1e308, -1e308, 0.0], [0.0, -0.0, 0.0], [-inf, -inf, -inf]])  # fmt: skip
def test_cross_entropy_of_hard_numbers(numbers):
    """Ties, infinities and NaN among the logits, each label; a label that is none is the engine's error."""
    leaves = [Value(0.1 * k, f"x{k}") for k in range(3)]
    root = many.cross_entropy(leaves, 1)
    program = flatten(root, leaves, (), [("label", root.parents[-1])])
    made = CProgram(program)
    for label in (0, 1, 2, 3, -1, True, 10**400, 2.0, "1"):
        found = []
        for each in (made, program):
            for leaf, number in zip(leaves, numbers):
                leaf.data, leaf.grad = number, 0.0
            try:
                found.append([bits(each.backward([((), label)])), *(bits(leaf.grad) for leaf in leaves)])
            except (TypeError, ValueError) as error:
                found.append((type(error), str(error)))
        assert found[0] == found[1], label


@with_compiler
@settings(max_examples=max(20, settings.default.max_examples // 4))
@given(
    loss=st.sampled_from(sorted(LOSSES)), hidden=st.lists(st.integers(1, 4), max_size=2), activation=st.sampled_from(ACTIVATIONS),
    bias=st.booleans(), seed=st.integers(0, 99), optimizer=st.sampled_from(OPTIMIZERS), batch_size=st.none() | st.integers(1, 7),
    evaluate=st.none() | st.just(2),
)  # fmt: skip
def test_the_steps_are_the_flat_engines(loss, hidden, activation, bias, seed, optimizer, batch_size, evaluate):
    """Every loss, activation, optimizer and batch size: the same Step records to the last bit."""
    problem = DATA[loss]
    outputs = {"cross_entropy": 3, "half_squared_error": 2}.get(loss, 1)
    made = []
    for engine in ("flat", "c"):
        model = MLP(len(problem.inputs[0]), [*hidden, outputs], activation, bias=bias, init="uniform", seed=seed)
        options = dict(loss=LOSSES[loss], optimizer=optimizer(), epochs=3, batch_size=batch_size, evaluate_every=evaluate)
        made.append(steps(engine, model, problem, **options))
    assert made[0] == made[1]


@with_compiler
@pytest.mark.parametrize("name", RUNS)
def test_the_trace_has_the_engines_bytes(name, tmp_path):
    """run.json, metrics.csv, gradients.csv and optimizer.csv are the same files."""
    model, problem, loss, optimizer, options = RUNS[name]
    for engine in ("eager", "c"):
        with Tracer(tmp_path / engine) as tracer:
            for step in train(model(), problem, loss=loss, optimizer=optimizer(), epochs=5, engine=engine, **options):
                tracer.watch(step)
    for file in FILES:
        if (tmp_path / "eager" / file).exists():
            assert (tmp_path / "c" / file).read_bytes() == (tmp_path / "eager" / file).read_bytes()


@with_compiler
@pytest.mark.parametrize(
    "make, loss, lr",
    [
        (lambda: MLP(2, [3, 1], "linear", seed=1), mse, 1e60), (lambda: MLP(2, [3, 1], "elu", seed=3), mse, 1e155),
        (Logarithm, mse, 1.0),
    ],
)  # fmt: skip
def test_a_run_that_fails_fails_alike(make, loss, lr):
    """The same error, naming step, node and operation; the same weights are left."""
    problem = ([[1.0, 2.0], [3.0, -1.0]], [1.0, 0.0]) if make is not Logarithm else ([[1.0], [2.0]], [-9.0, -9.0])
    found = [failure(engine, make(), problem, loss=loss, optimizer=SGD(lr=lr)) for engine in ("eager", "c")]
    assert found[0] == found[1]


@with_compiler
def test_numbers_of_other_kinds():
    """ints, bools and Fractions become floats; array("d") is as good as a list; a word is the program's TypeError."""
    w, x = Value(0.1, "w"), [Value(1.0, "x"), Value(2.0, "y")]
    program = flatten(w * x[0] + x[1], [w], x)
    made = CProgram(program)
    odd = [10**400, 1.0], ["1", 2.0], [1.0], 7
    for row in ([3, 2.5], (True, Fraction(1, 3)), array("d", [0.1, 0.2]), array("f", [0.5, 0.25]), *odd):
        found = []
        for each in (made, program):
            try:
                found.append(each.losses([([1.0, 2.0], ()), (row, ())]))
            except (TypeError, ValueError) as error:
                found.append((type(error), str(error)))
        assert found[0] == found[1]
    for samples in ([], [1.0], [([1.0, 2.0], (), 3)], [([1.0, 2.0], [1.0])]):
        assert outcome(lambda: [made.backward(samples)]) == outcome(lambda: [program.backward(samples)])  # noqa: B023
    w.data = 3  # assigning .data is free: Python's own arithmetic then
    assert repr(made.losses([([2.0, 1.0], ())])) == repr(program.losses([([2.0, 1.0], ())]))


@with_compiler
def test_samples_are_packed_once():
    """Packed samples give the same bits as often as they are used; numbers may come and go as arrays, without a Value."""
    problem, model = data.moons(20), MLP(2, [4, 1], seed=1)
    program, samples = flatten_model(model, LOSSES["hinge"], problem), list(zip(problem.inputs, problem.targets))
    made, leaves = CProgram(program), program.parameters
    packed = made.pack(samples)
    assert made.pack(packed) is packed
    numbers, starts = [leaf.data for leaf in leaves], [0.0] * len(leaves)
    found = [result(made, leaves, numbers, starts, each, many.mean) for each in (samples, packed, packed)]
    assert found[0] == found[1] == found[2] == result(program, leaves, numbers, starts, samples, many.mean)
    gradients = array("d", starts)
    losses = made.run(array("d", numbers), gradients, packed, 1 / 20)
    assert losses.tolist() == program.losses(samples) and gradients.tolist() == [leaf.grad for leaf in leaves]
    slopes = array("d", starts)
    assert program.run(numbers, slopes, program.pack(samples), 1 / 20) == losses.tolist() and slopes == gradients
    with pytest.raises(TypeError, match="samples must be what pack made of floats, got list"):
        made.run(array("d", numbers), gradients, samples, 1.0)
    for wrong in (array("d", numbers[1:]), array("f", numbers), numbers):
        with pytest.raises(ValueError, match=r"an array\('d'\) of 17"):
            made.run(wrong, gradients, packed, 1.0)
    domain = CProgram(flatten(leaves[0].log(), [leaves[0]]))
    assert domain.run(array("d", [-1.0]), array("d", [0.0]), domain.pack([((), ())]), 1.0) is None


@with_compiler
def test_names_that_c_has_for_itself():
    """Keywords, functions of the C library and names of the text's own are harmless labels."""
    others = "part0", "part1", "isnan", "M_PI", "y0", "errno", "*/", "d_x", "x0", "NULL", "main"
    labels = [*sorted(TAKEN), *FUNCTIONS.values(), *others]
    leaves = [Value(0.01 * k, label) for k, label in enumerate(labels, 1)]
    root = Value(0.0)
    for one, other in itertools.pairwise(leaves):
        root = root + one * other
    program = flatten(root.tanh(), leaves)
    for shape in SHAPES.values():
        with pytest.MonkeyPatch.context() as patch:
            shape(patch)
            made = CProgram(program)
        numbers, starts = [leaf.data for leaf in leaves], [0.0] * len(leaves)
        found = [result(each, leaves, numbers, starts, [((), ())], many.sum) for each in (made, program)]
        assert found[0] == found[1]


@with_compiler
def test_a_large_program_is_short_in_c():
    """784-16-10 is some hundred lines, because a neuron's products are a loop; still the same bits."""
    samples = [([((7 * k + row) % 11) / 10 for k in range(784)], row) for row in range(4)]
    program = flatten_model(MLP(784, [16, 10]), cross_entropy, samples)
    text = c_text(program.written)
    assert text.lines < 500 and "for (k = 0; k < 784; k++) s += p[layer0_neuron0_w0 + k] * x[x0 + k];" in text.source
    leaves = program.parameters
    numbers, starts = [leaf.data for leaf in leaves], [0.0] * len(leaves)
    found = [result(each, leaves, numbers, starts, samples, many.mean) for each in (CProgram(program), program)]
    assert found[0] == found[1]


@with_compiler
def test_a_long_program_is_several_functions():
    """3,000 operations in a random order, of which hardly two are a loop: many functions, a workspace, the same bits."""
    generator = random.Random(3)
    leaves = [Value(generator.uniform(-1.0, 1.0), f"w{k}") for k in range(20)]
    root = leaves[0]
    steps = Value.__add__, Value.__sub__, Value.__mul__, lambda x, w: x.tanh(), lambda x, w: x.relu(), lambda x, w: (x * w).sin()
    for _ in range(3000):
        root = generator.choice(steps)(root, generator.choice(leaves))
    program = flatten(root, leaves)
    made = CProgram(program)
    assert made.source.count("static int part") > 5 and made.workspace > 8 * 3000
    numbers, starts = [leaf.data for leaf in leaves], [0.0] * len(leaves)
    for wild in (numbers, [1e150 * number for number in numbers], [*numbers[:-1], nan]):
        found = [result(each, leaves, wild, starts, [((), ())], many.sum) for each in (made, program)]
        assert found[0] == found[1]


@with_compiler
def test_two_threads_run_one_program():
    """A call has its numbers to itself."""
    model, problem = MLP(2, [60, 30, 1], seed=1), data.moons(40)
    program = flatten_model(model, LOSSES["hinge"], problem)
    made, samples = CProgram(program), list(zip(problem.inputs, problem.targets))
    assert made.workspace > 0
    expected, found = program.losses(samples), []
    work = lambda: found.extend(made.losses(samples) == expected for _ in range(50))  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 200


@with_compiler
@pytest.mark.parametrize("number, promised", [("12", "True"), ("13", "same bits: True")])
def test_the_demos_race_it(number, promised, tmp_path, capsys):
    """Demos 12 and 13 show C as their third column, and say that it has the same bits."""
    from test_demos import demo

    demo(number).main(tmp_path, True, False)
    printed = capsys.readouterr().out
    assert "in C" in printed and promised in printed and "False" not in printed and "-  " not in printed


# The text.


def test_the_text_reads_well():
    """Names from labels, a statement a line, the operation beside it, short lines; `micrograd-lite flat --c` prints it."""
    source = c_text(flatten_model(MLP(2, [2, 1], "sigmoid", "sigmoid"), mse, data.xor()).written).source
    assert "    g[layer0_neuron1_w0] += x[x0] * d_layer0_neuron1_sum;" in source
    assert "/* sigmoid */" in source and "*losses = loss;" in source
    assert max(map(len, source.splitlines())) <= 130 and source.isascii()


def test_the_command_prints_it(tmp_path, capsys):
    """`micrograd-lite flat --c MODEL.json` prints the text that engine="c" compiles; nothing is compiled for that."""
    model = MLP(2, [2, 1], "sigmoid", "sigmoid")
    model.save(tmp_path / "xor.json")
    assert cli.main(["flat", "--c", str(tmp_path / "xor.json")]) == 0
    assert capsys.readouterr().out == c_text(flatten_model(model, mse, data.xor()).written).source


def test_every_function_of_the_table_has_a_c_spelling():
    """So a new row that calls another one needs a line in flat/formulas.py."""
    import ast

    called = {
        node.func.id
        for rule in RULES.values() for formula in (rule.value, *rule.partials, rule.needs or "0")
        for node in ast.walk(ast.parse(formula, mode="eval")) if isinstance(node, ast.Call)
    }  # fmt: skip
    assert called <= set(FUNCTIONS)


# Where it cannot be compiled.


def run(**options):
    """Some steps of XOR with engine="c", as text."""
    return steps("c", MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1), data.xor(), loss=mse, optimizer=Adam(), epochs=2, **options)


def says(sentence):
    """A first run warns in one line, which has `sentence` in it, and has the flat engine's steps; a second is silent."""
    expected = steps("flat", MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1), data.xor(), loss=mse, optimizer=Adam(), epochs=2)
    with pytest.warns(RuntimeWarning, match="the flat program runs in Python, with the same numbers") as caught:
        assert run() == expected
    (warning,) = caught
    assert sentence in str(warning.message) and "\n" not in str(warning.message)
    assert run() == expected


def test_it_can_be_turned_off(monkeypatch):
    """MICROGRAD_LITE_CC=off."""
    monkeypatch.setenv("MICROGRAD_LITE_CC", "off")
    says("MICROGRAD_LITE_CC=off")


def test_no_compiler(monkeypatch, tmp_path):
    """CC names what is not there; or cc is on no path."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", str(tmp_path / "nothing"))
    says("there is no C compiler")
    compiler.version.cache_clear()
    monkeypatch.setattr(compiled, "said", set())
    monkeypatch.delenv("CC")
    monkeypatch.setenv("PATH", str(tmp_path))
    says("there is no C compiler 'cc'")


BROKEN = {
    "fails": ("echo 'program.c:1: error: no' >&2; exit 3", "exit code 3: program.c:1: error: no"),
    "writes nothing": ("exit 0", "wrote no library"),
    "writes nonsense": ('while [ "$1" != -o ]; do shift; [ $# = 0 ] && exit 0; done; echo nonsense > "$2"', "cannot be compiled"),
    "is killed": ("kill -9 $$", "failed with exit code -9"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_compiler(name, monkeypatch, tmp_path):
    """One that fails, writes nothing, writes no library, or dies."""
    script, sentence = BROKEN[name]
    path = tmp_path / "cc"
    path.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo {name}; exit 0; fi\n{script}\n')
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))
    says(sentence)


@with_compiler
def test_a_compiler_that_computes_otherwise(monkeypatch, tmp_path):
    """A library whose numbers are not Python's is not used."""
    path = tmp_path / "cc"
    path.write_text(f'#!/bin/sh\n[ -f program.c ] && sed -i "s/exp(-/exp(1e-9-/g" program.c\nexec {COMMAND} "$@"\n')
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))
    says("computes other numbers than Python")


def test_a_read_only_cache(monkeypatch, tmp_path):
    """A cache folder that cannot be made: not by this user, and in /proc by nobody."""
    root = not hasattr(os, "geteuid") or os.geteuid() == 0
    if root and not Path("/proc/self").exists():
        pytest.skip("root may write everywhere, and there is no /proc")
    tmp_path.chmod(0o500)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc" if root else str(tmp_path))
    says("C cannot be compiled, cached or loaded")
    tmp_path.chmod(0o700)


def test_a_cache_that_is_no_folder(monkeypatch, tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    says("file")


def test_no_home(monkeypatch):
    """Neither a cache folder nor a home is known."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "")
    says("there is no home folder")


@pytest.mark.parametrize("where", ["micrograd-lite/c", "micrograd-lite", "."])
def test_a_folder_of_others_is_not_used(where, monkeypatch, tmp_path):
    """Where others can write into the cache or a folder above it, nothing is loaded and nothing written."""
    (tmp_path / "micrograd-lite" / "c").mkdir(parents=True, mode=0o700)
    (tmp_path / where).chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    says("others can write into")
    assert list((tmp_path / "micrograd-lite" / "c").iterdir()) == []
    (tmp_path / where).chmod(0o700)


def libraries(folder):
    return sorted((folder / "micrograd-lite" / "c").iterdir())


@with_compiler
def test_what_was_compiled_is_used_again(monkeypatch, tmp_path):
    """A second program of the same text needs no compiler but its version; another compiler or text compiles anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = run()
    (library,) = libraries(tmp_path)
    assert stat.S_IMODE(library.parent.stat().st_mode) == 0o700
    before = library.stat().st_mtime_ns
    monkeypatch.setattr(compiler, "compiled", None)
    assert run() == first and library.stat().st_mtime_ns == before
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    wrapper = tmp_path / "other"
    wrapper.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo other\nexec {COMMAND} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("CC", str(wrapper))
    assert run() == first and len(libraries(tmp_path)) >= 1


@with_compiler
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data[:-1] + b"?"])
def test_a_damaged_library_is_not_loaded(damage, monkeypatch, tmp_path):
    """What does not have the content that its name says is compiled again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program = flatten_model(MLP(2, [2, 1], seed=1), mse, data.xor())
    text = c_text(program.written)
    loaded = []
    monkeypatch.setattr(ctypes, "CDLL", loaded.append)
    compiler.library(text)
    (library,) = libraries(tmp_path)
    whole = library.read_bytes()
    library.write_bytes(damage(whole))
    compiler.library(text)
    assert len(loaded) == 2 and Path(loaded[-1]).read_bytes()[:4] == whole[:4]
    assert compiler.whole(library.parent, library.stem.partition("-")[0]) is not None


CHILD = """
from micrograd_lite import MLP, SGD, mse, train
from micrograd_lite.data import xor
print(repr([step.loss for step in train(MLP(2, [3, 1]), xor(), loss=mse, optimizer=SGD(lr=0.1), epochs=3, engine="c")]))
"""


@with_compiler
def test_processes_at_once(tmp_path):
    """Six processes that find an empty cache at the same time: no warning, one library, the same numbers."""
    settings = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    results = [child.communicate() for child in children]
    assert {child.returncode for child in children} == {0} and {errors for _, errors in results} == {""}
    assert len({printed for printed, _ in results}) == 1
    assert {path.suffix for path in libraries(tmp_path)} == {".so"}


def test_a_program_that_is_too_long_stays_in_python(monkeypatch):
    """Above the ceiling a sentence says so, with both numbers."""
    monkeypatch.setattr(compiler, "MOST_LINES", 10)
    says("10 are the most that is compiled")


def test_nothing_is_compiled_at_import():
    """Importing the package, or training with another engine, loads neither the compiler's page nor subprocess."""
    program = (
        "import sys; from micrograd_lite import MLP, SGD, mse, train; from micrograd_lite.data import xor; "
        "next(train(MLP(2, [2, 1]), xor(), loss=mse, optimizer=SGD(lr=0.1), engine='flat')); "
        "print(sorted({'micrograd_lite.flat.compiler', 'micrograd_lite.flat.c', 'ctypes', 'subprocess'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@with_compiler
def test_no_warning_where_all_is_well():
    """A program of one's own, too: in_c(flatten(...))."""
    w, x = Value(2.0, "w"), Value(3.0, "x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        program = in_c(flatten(w * x, [w], [x]))
    assert isinstance(program, CProgram)
    assert program.backward([([2.0], ()), ([4.0], ())], lambda losses: many.sum(losses)) == 12.0 and w.grad == 6.0
