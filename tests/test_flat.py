"""Flat programs: a graph written out as one Python function computes the very numbers of the engine, and is safe to make."""

import ast
import contextlib
import gc
import linecache
import math
import operator
import os
import re
import struct
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from interpreters import VERSIONS, interpreter
from micrograd_lite import many
from micrograd_lite.chain.spelling import spelled, worked_out
from micrograd_lite.data import xor
from micrograd_lite.flat.model import flatten_model
from micrograd_lite.flat.write import MOST_OPERATIONS, flatten, write
from micrograd_lite.graph import births, oldest_first
from micrograd_lite.losses import mse
from micrograd_lite.many import dot
from micrograd_lite.nn import MLP
from micrograd_lite.rules import RULES, SCALAR
from micrograd_lite.scalar import APPLY, Value
from strategies import arity, on_values, programs

inf, nan = math.inf, math.nan
ROOT = Path(__file__).parent.parent
PYTHONS = [path for path in map(interpreter, VERSIONS) if path and path != sys.executable]


def bits(number):
    """A float's own bits; every NaN is one NaN."""
    assert type(number) is float
    return "nan" if number != number else struct.pack(">d", number)


def outcome(work):
    """What a piece of work returns, as bits, or the type and text of the error that it raises."""
    try:
        return [bits(number) for number in work()]
    except (ValueError, ArithmeticError) as error:
        return type(error), str(error)


# The same numbers, bit for bit.

WILD = st.one_of(
    st.sampled_from((0.0, -0.0, 1.0, -1.0, 0.5, 2.0, inf, -inf, nan, 1e200, -1e200, 5e-324, 710.0, -750.0)),
    st.floats(-4, 4), st.floats(),
)  # fmt: skip
EXPONENTS = st.sampled_from((2.0, 3.0, 1.0, 0.0, -1.0, -2.0, 0.5, -0.5, nan, inf, -0.0, 4.0))
MANY = ("dot", "dot without bias", "sum", "mean", "cross_entropy")
NAMES = st.sampled_from((*RULES, *MANY, "dot", "relu", "mul", "add", "relu"))


class Wild:
    """A random graph over every operation, as data: parameters, inputs and constants, then steps that all count."""

    def __init__(self, draw):
        self.learned = draw(st.integers(1, 4))
        self.inputs = draw(st.integers(0, 2))
        self.constants = draw(st.lists(WILD, max_size=2))
        self.first = [0.75 + 0.125 * k for k in range(self.learned)], [0.5 + 0.25 * k for k in range(self.inputs)]
        nodes = dict(enumerate(map(Value, (*self.first[0], *self.first[1], *self.constants))))
        self.steps, leaves = {}, len(nodes)  # by the place of the node that they make
        picks = st.lists(st.integers(0, 30), min_size=6, max_size=6)
        for name, picked, exponent in draw(st.lists(st.tuples(NAMES, picks, EXPONENTS), min_size=1, max_size=14)):
            step = name, [len(nodes) - 1 - pick % len(nodes) for pick in picked], picked[-1], exponent
            with contextlib.suppress(ValueError, ArithmeticError):  # outside a domain where it is built: leave this one out
                nodes[len(nodes)] = self.node(nodes, *step)
                self.steps[len(nodes) - 1] = step
        assume(self.steps)
        self.ends = range(max(leaves, len(nodes) - 3), len(nodes))  # added up, so that more of them count
        below = set(oldest_first(many.sum([nodes[end] for end in self.ends])))
        self.steps = {place: step for place, step in self.steps.items() if nodes[place] in below}

    def node(self, nodes, name, places, number, exponent):
        """One more node, from those that are there."""
        chosen = [nodes.get(place) for place in places]  # one that is not needed may not be there
        if name in RULES:
            return on_values(name)(*chosen[: arity(name)], *((exponent,) if name == "power" else ()))
        width = 1 + number % 3
        if name == "cross_entropy":
            return many.cross_entropy(chosen[: width + 1], number % (width + 1))
        if name in ("sum", "mean"):
            return getattr(many, name)(chosen[:width])
        return dot(chosen[:width], chosen[3 : 3 + width], chosen[2] if name == "dot" and width < 3 else None)

    def root(self, leaves, inputs):
        """The graph on other leaves."""
        nodes = dict(enumerate([*leaves, *inputs, *map(Value, self.constants)]))
        for place, step in self.steps.items():
            nodes[place] = self.node(nodes, *step)
        return many.sum([nodes[end] for end in self.ends])


wild_graphs = st.composite(lambda draw: Wild(draw))()
STARTS = st.one_of(st.just(0.0), WILD.filter(lambda number: bits(number) != bits(-0.0)))


@settings(max_examples=20 * settings.default.max_examples)
@given(graph=wild_graphs, data=st.data())
def test_loss_and_slopes_are_the_engines_bit_for_bit(graph, data):
    """2,000 random graphs (brief: 500), any operation, a batch of any numbers (NaN, inf, zeros): the same bits or the same error.

    The program is made once, from everyday numbers, and runs on all others.
    """
    leaves, inputs = [*map(Value, graph.first[0])], [*map(Value, graph.first[1])]
    try:
        program = flatten(graph.root(leaves, inputs), leaves, inputs)
    except ValueError as error:
        assume("depends on none" not in str(error))
        raise
    numbers = data.draw(st.lists(WILD, min_size=graph.learned, max_size=graph.learned))
    starts = data.draw(st.lists(STARTS, min_size=graph.learned, max_size=graph.learned))
    row = st.lists(WILD, min_size=graph.inputs, max_size=graph.inputs)
    samples = data.draw(st.lists(row, min_size=1, max_size=3))
    reduce = data.draw(st.sampled_from((many.mean, many.sum)))

    def reset():
        for leaf, number, start in zip(leaves, numbers, starts):
            leaf.data, leaf.grad = number, start

    def engine():
        reset()
        total = reduce([graph.root(leaves, [*map(Value, sample)]) for sample in samples])
        total.backward()
        return [total.data, *(leaf.grad for leaf in leaves)]

    def written_out():
        reset()
        loss = program.backward([(sample, ()) for sample in samples], reduce)
        return [loss, *(leaf.grad for leaf in leaves)]

    assert outcome(written_out) == outcome(engine)


@given(program=programs())
def test_everyday_programs_too(program):
    """On the programs that the engine's own tests use."""
    *_, root = nodes = program.values()
    leaves = nodes[: len(program.inputs)]
    assume(root.parents)
    total = many.mean([root])
    total.backward()
    expected = [bits(leaf.grad) for leaf in leaves]
    try:
        written = flatten(root, leaves)
    except ValueError as error:
        assume("depends on none" not in str(error))
        raise
    for leaf in leaves:
        leaf.grad = 0.0
    assert bits(written.backward()) == bits(total.data)
    assert [bits(leaf.grad) for leaf in leaves] == expected


NETWORKS = st.tuples(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sampled_from(("relu", "leaky_relu", "prelu", "elu", "tanh", "sigmoid")),
    st.booleans(), st.integers(0, 99),
)  # fmt: skip


@given(network=NETWORKS, rows=st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-2, 2)), min_size=1, max_size=5))
def test_networks_too(network, rows):
    """MLPs on calm numbers, where what relu cuts off is skipped: still the same bits, from sample to sample."""
    hidden, activation, bias, seed = network
    model = MLP(2, [*hidden, 1], activation, bias=bias, init="uniform", seed=seed)
    samples = [([x, y], target) for x, y, target in rows]
    program = flatten_model(model, mse, samples)
    loss = mse([model(inputs) for inputs, _ in samples], [target for _, target in samples])
    loss.backward()
    expected = [bits(parameter.grad) for parameter in model.parameters()]
    model.zero_grad()
    assert bits(program.backward(samples)) == bits(loss.data)
    assert [bits(parameter.grad) for parameter in model.parameters()] == expected


@pytest.mark.parametrize("huge", [1e200, inf, nan, 1e308])
def test_what_relu_cuts_off_is_infinite(huge):
    """0.0 times inf is NaN: a program whose numbers are not moderate skips nothing."""
    w, v, x = Value(1.0, "w"), Value(1.0, "v"), Value(1.0, "x")
    program = flatten((w * x).relu() * v, [w, v], [x])
    assert "calm" in program.source.split("# The way back")[1]
    for numbers in ((-1.0, huge, huge), (-huge, huge, 1.0), (-huge, -huge, huge), (-1.0, 1.0, huge)):
        w.data, v.data, number = numbers
        w.grad = v.grad = 0.0
        loss = program.backward([([number], ())])
        made = [bits(loss), bits(w.grad), bits(v.grad)]
        w.grad = v.grad = 0.0
        root = (w * number).relu() * v
        total = many.mean([root])
        total.backward()
        assert made == [bits(total.data), bits(w.grad), bits(v.grad)]


POINTS = (0.0, -0.0, 1.0, -1.0, 0.5, 3.0, -2.5, inf, -inf, nan)


@pytest.mark.parametrize("rule", RULES.values(), ids=operator.attrgetter("name"))
def test_constants_are_worked_out_without_changing_a_bit(rule):
    """Every row, every choice of operands that are constants: value and slopes are those of the row, at every point."""
    names = dict(zip(rule.inputs, "xy"))
    for mask in range(2 ** len(rule.inputs)):
        for x in POINTS:
            for y in POINTS if len(rule.inputs) > 1 else (0.0,):
                point = dict(zip(rule.inputs, (x, y)))
                try:
                    value, partials = APPLY[rule.name](*point.values())
                except (ValueError, ArithmeticError):
                    continue
                fixed = {letter for k, letter in enumerate(point) if mask >> k & 1}
                made = spelled(rule.name, tuple((letter, repr(point[letter])) for letter in point if letter in fixed))
                spell = {letter: name for letter, name in names.items()} | {"z": "z"}
                here = {names[letter]: number for letter, number in point.items()}
                scope = {**SCALAR, "abs": abs}
                if made.guard and not eval(made.guard.format(**spell), scope, here):
                    continue  # the program's `else`: NaN, or the engine's error
                found = eval(made.value.format(**spell), scope, here)
                assert bits(float(found)) == bits(value), (made, point)
                for text, partial in zip(made.slopes, partials):
                    assert bits(float(eval(text.format(**spell), scope, {**here, "z": value}))) == bits(partial), (text, point)


def test_a_row_tells_where_it_is_flat():
    """Relu's slope is 0.0 up to 0; a row that is flat nowhere, elsewhere, or toward one of two operands tells nothing."""
    assert {name: spelled(name).flat for name in RULES if spelled(name).flat} == {"relu": "{x} <= 0.0"}


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.bounds], ids=lambda rule: rule.name)
@given(x=st.floats(allow_nan=False))
def test_the_bounds_of_a_row_hold(rule, x):
    """Value and slope are never larger in size than what the row says for |x|."""
    value, (slope,) = APPLY[rule.name](x)
    most = [eval(bound, {}, {"x": abs(x)}) for bound in rule.bounds]
    assert abs(value) <= most[0] and abs(slope) <= most[1]


def test_a_formula_that_cannot_be_spelled_is_refused():
    """One sentence, not a program that lacks half of it."""
    with pytest.raises(ValueError, match=r"^'x\[0\]' cannot be spelled out: "):
        worked_out(ast.parse("1.0 + x[0]", mode="eval").body, {})


def test_multiplications_by_one_are_not_written():
    """1.0 * s is s and -1.0 * s is -s; 0.0 * s and x + 0.0 stay, because they can change bits."""
    w = Value(2.0, "w")
    source = flatten(((w * 1.0 + 0.0) - 3.0) * 0.0, [w]).source
    assert "1.0" not in source
    assert "+ 0.0" in source and "* 0.0" in source and "0.0 * d_loss" in source


def test_a_second_call_adds_up():
    """As backward() does: gradients accumulate until they are set to 0.0."""
    w, x = Value(3.0, "w"), Value(0.0, "x")
    program = flatten(w * x, [w], [x])
    assert program.backward([([2.0], ())]) == 6.0 and w.grad == 2.0
    program.backward([([4.0], ()), ([6.0], ())])
    assert w.grad == 7.0
    assert program.losses([([4.0], ()), ([6.0], ())]) == [12.0, 18.0] and w.grad == 7.0


def test_an_error_is_the_first_samples():
    """Of two samples at fault the first is reported, as the engine would, and no gradient has changed."""
    w, x = Value(1.0, "w"), Value(1.0, "x")
    program = flatten((w * x).log() + 1.0 / (w - x + 2.5), [w], [x])
    with pytest.raises(ValueError, match=re.escape("log: needs x > 0, got -2.0")):
        program.backward([([1.0], ()), ([-2.0], ()), ([3.5], ())])
    with pytest.raises(ZeroDivisionError, match=r"^div: needs y != 0"):
        program.backward([([1.0], ()), ([3.5], ()), ([-2.0], ())])
    assert w.grad == 0.0


@pytest.mark.parametrize("add_up", [many.sum, many.mean, lambda nodes: dot(nodes[:1], nodes[1:]), lambda nodes: -nodes[0] * 0.0])
def test_zeros_keep_their_sign(add_up):
    """A sum starts from 0.0, so it is 0.0 where all its terms are -0.0; a negated zero is -0.0."""
    leaves = [Value(1.0), Value(1.0)]
    program = flatten(add_up(leaves), leaves)
    for numbers in ((-0.0, -0.0), (0.0, -0.0), (-0.0, 0.0), (0.0, 0.0), (-0.0, 1.0)):
        for leaf, number in zip(leaves, numbers):
            leaf.data = number
        assert bits(program.losses([((), ())])[0]) == bits(add_up(leaves).data)


def test_overflow_is_ieees():
    """exp(1000) is inf and sin(inf) is nan, without an exception, as in the engine."""
    w = Value(1.0, "w")
    program = flatten(w.exp() + w.exp().sin(), [w])
    w.data = 1000.0
    assert math.isnan(program.backward()) and math.isnan(w.grad)


# The text.


def program_of_xor():
    """The program that is pinned in the gallery."""
    return flatten_model(MLP(2, [2, 1], activation="sigmoid", output="sigmoid"), mse, xor())


def test_the_pinned_copy_is_what_is_made():
    """traces/gallery/xor_flat_program.py is the program of XOR 2-2-1, on every Python."""
    assert (ROOT / "traces" / "gallery" / "xor_flat_program.py").read_text() == program_of_xor().source


def test_the_source_is_the_whole_program():
    """Compiled by hand, with nothing but the names that it calls, the text computes the same numbers."""
    model = MLP(2, [2, 1], activation="sigmoid", output="sigmoid")
    written, scope = flatten_model(model, mse, xor()), {"exp": math.exp, "pow": math.pow}
    exec(written.source, scope)
    numbers, samples = [p.data for p in model.parameters()], [(row, [t]) for row, t in zip(xor().inputs, xor().targets)]
    losses, gradients = scope["program"](numbers, [0.0] * 9, samples, 0.25, True)
    assert losses == written.losses(list(zip(xor().inputs, xor().targets)))
    written.backward(list(zip(xor().inputs, xor().targets)))
    assert gradients == [parameter.grad for parameter in model.parameters()]


def test_the_source_reads_well():
    """It opens with what it is, has short lines, names from labels, a comment at each neuron, and one at the way back."""
    source = program_of_xor().source
    assert ast.get_docstring(ast.parse(source)).startswith("The loss of one sample")
    assert max(map(len, source.splitlines())) <= 130
    for comment in ("# layer0.neuron0", "# layer0.neuron1", "# layer1.neuron0", "# The way back", "# back through layer0"):
        assert comment in source
    assert "d_layer0_neuron1_w0 += x0 * d_layer0_neuron1_sum" in source
    assert [line for line in source.splitlines() if line != line.rstrip()] == []


def test_a_traceback_shows_the_line():
    """The text is registered with linecache for as long as the program lives, so tracebacks and pdb show it."""
    w = Value(2.0, "w")
    program = flatten(w.log() * w, [w])
    w.data = -1.0
    try:
        program.backward()
    except ValueError as error:
        shown = "".join(traceback.format_exception(error))
    assert 'outside("log", w)' in shown and program.filename in shown
    name = program.filename
    assert "".join(linecache.getlines(name)) == program.source
    del program
    gc.collect()
    assert name not in linecache.cache


def test_tied_weights_are_paid_by_each_use():
    """One Value in two neurons: one name, two payments."""
    model = MLP(2, [2, 1], "tanh")
    model.layers[0].neurons[1].b = model.layers[0].neurons[0].b
    source = flatten_model(model, mse, xor()).source
    assert len(re.findall(r"d_layer0_neuron0_b \+= ", source)) == 2 and "layer0_neuron1_b" not in source


def test_constants_stand_in_the_text():
    """A leaf that nobody named is a number; NaN and infinities have their names."""
    w = Value(2.0, "w")
    source = flatten(many.sum([w * 0.1, w * nan, w * -inf]), [w]).source
    assert "w * 0.1" in source and "w * nan" in source and "w * -inf" in source


# Hostile names.

HOSTILE = [
    "__import__('os').system('true')", "x\n    raise SystemExit", '"""', "'''\\", "# comment", "x; import os", "lambda", "None",
    "exp", "d_w", "w", "w", "w.0", "w_0", "__debug__", "\u2028raise", "\ufb01", "fi", "", " ", "1st", "samples", "program",
    "loss", "d_loss", "gr\u00f6\u00dfe", "\u6570", "a" * 10_000, "\x00", "\r\x0c", "{u}", "{0}", "%s", "\\", "match", "print",
    "__builtins__", "\ud800",
]  # fmt: skip


def hostile_sum(labels):
    """A loss of leaves with any labels, their slopes by the engine, and the program."""
    leaves = [Value(0.5 + k, label) for k, label in enumerate(labels)]
    root = many.sum([leaf * (k + 2.0) for k, leaf in enumerate(leaves)])
    return leaves, flatten(root, leaves)


def statements(source):
    """The program's syntax without its names."""
    return re.sub(r"\b(id|arg)='[^']*'", "", ast.dump(ast.parse(source)))


@given(labels=st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12)), min_size=1, max_size=6))
@example(labels=HOSTILE)
def test_labels_are_never_code(labels):
    """Whatever the labels say, the program is the same program, its names are its own, and its numbers are right."""
    leaves, program = hostile_sum(labels)
    program.backward()
    assert [leaf.grad for leaf in leaves] == [k + 2.0 for k in range(len(leaves))]
    plain = hostile_sum([f"plain{k}" for k in range(len(labels))])[1]
    assert statements(program.source) == statements(plain.source)
    assert program.source.isascii() and program.source.isprintable() is False  # newlines, and no other control characters
    assert all(line.isprintable() for line in program.source.split("\n"))


def test_names_that_are_not_their_labels_are_listed():
    """Keywords, collisions and other text get safe names; a table at the top tells which is which."""
    _, program = hostile_sum(["lambda", "a b", "a_b", "layer0.w", "fine", ""])
    head = program.source.partition("def program")[0]
    rows = dict(re.findall(r"^#     (\w+) +('.*')$", head, re.MULTILINE))
    assert rows == {"lambda_2": "'lambda'", "a_b": "'a b'", "a_b_2": "'a_b'"}


def test_hostile_paths_of_neurons_stay_comments():
    """A neuron's comment is made from its weights' names."""
    w, x = Value(1.0, "evil\nimport os\n.w0"), Value(2.0)
    source = flatten(dot([w], [x]), [w]).source
    assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Import, ast.ImportFrom))]


def test_numbers_are_never_code():
    """`.data` can be assigned anything: what is no number does not get into the text, whatever its repr says."""

    class Evil(float):
        def __repr__(self):
            return "__import__('os')"

    w, constant = Value(2.0, "w"), Value(3.0)
    root = w * constant
    constant.data = Evil(3.0)
    assert "loss = w * 3.0 " in flatten(root, [w]).source
    constant.data = "__import__('os')"
    with pytest.raises(ValueError, match="could not convert"):
        flatten(root, [w])


def test_a_program_has_no_builtins():
    """What a program can call is a short list of functions."""
    w = Value(1.0, "w")
    function = flatten(w * w, [w])._sure
    assert function.__globals__["__builtins__"] == {}


# Bad input: one clear sentence.


W, X = Value(2.0, "w"), Value(3.0, "x")
INNER = W * X
REFUSED = [
    (lambda: flatten(INNER, [Value(1.0, "other")]), ValueError, "depends on none of the 1 parameters"),
    (lambda: flatten(INNER, []), ValueError, "depends on none of the 0 parameters"),
    (lambda: flatten(INNER, [W, W]), ValueError, "'w' is named twice"),
    (lambda: flatten(INNER, [W], [W]), ValueError, "'w' is named twice"),
    (lambda: flatten(INNER, [W], [X], [X]), ValueError, "'x' is named twice"),
    (lambda: flatten(INNER * 2.0, [W, ("inner", INNER)]), ValueError, "'inner' was computed by mul; only leaves"),
    (lambda: flatten(W, [W]), ValueError, "not computed from anything|depends on none"),
    (lambda: flatten(2.0, [W]), TypeError, "root must be a Value, got float"),
    (lambda: flatten([INNER], [W]), TypeError, "root must be a Value, got list"),
    (lambda: flatten(INNER, [2.0]), TypeError, "parameters: a leaf is a Value, .* got float"),
    (lambda: flatten(INNER, ["w"]), TypeError, "got str"),
    (lambda: flatten(INNER, [W]).backward([1.0]), ValueError, "sample 0 must be a pair"),
    (lambda: flatten(INNER, [W], [X]).losses([([1.0], ()), ([1.0, 2.0], ())]), ValueError, "sample 1 has 2 inputs and 0 targets"),
    (lambda: flatten(INNER, [W], [X]).backward([([1.0], 1.0)]), ValueError, "made for 1 and 0"),
    (lambda: flatten(INNER, [W], [X]).backward([(["1"], ())]), TypeError, "got str"),
    (lambda: flatten(INNER, [W], [X]).backward([]), ValueError, "at least one value"),
    (lambda: flatten(INNER, [W]).backward(reduce=lambda losses: losses[0] * 2.0), ValueError, "many.mean or many.sum"),
]  # fmt: skip


@pytest.mark.parametrize("mistake, kind, sentence", REFUSED)
def test_a_mistake_is_one_sentence(mistake, kind, sentence):
    """What cannot be written out, or run, is said in words before anything is computed."""
    before = W.grad
    with pytest.raises(kind, match=sentence) as caught:
        mistake()
    assert "\n" not in str(caught.value) and W.grad == before


def test_a_graph_that_is_half_built_is_refused():
    """A node without parents yet, or one older than its operands: another thread may still be at work."""
    w = Value(1.0, "w")
    unfinished = object.__new__(Value)
    root = w * 2.0
    root.parents = (w, unfinished)
    with pytest.raises(ValueError, match="is not finished"):
        flatten(root, [w])
    backwards = w * 2.0
    backwards.parents[1].birth = next(births)
    with pytest.raises(ValueError, match="older than what it was computed from"):
        flatten(backwards, [w])


def test_other_numbers_are_taken_as_the_engine_takes_them():
    """ints, bools and Fractions among the inputs become floats."""
    w, x = Value(0.1, "w"), Value(1.0, "x")
    program = flatten(w * x, [w], [x])
    assert program.losses([([3], ()), ([True], ())]) == [0.1 * 3.0, 0.1]


# Size.


def chain(operations):
    """A graph of so many operations, one above the other."""
    w = Value(0.5, "w")
    node = w
    for _ in range(operations // 2):
        node = (node * w).sin()
    return w, node


def test_a_program_that_is_too_large_is_refused():
    """The bound is named, and so is the size."""
    w, root = chain(MOST_OPERATIONS + 2)
    with pytest.raises(ValueError, match=r"250,00. operations; a flat program has at most 250,000"):
        flatten(root, [w])


def test_leaves_are_no_operations():
    """A mean of 130,000 weights is 130,000 operations and can be written out."""
    leaves = [Value(0.0) for _ in range(130_000)]
    assert write(many.mean(leaves), leaves).operations == 130_000


LARGE = """
import sys
from micrograd_lite import flatten
from micrograd_lite.many import dot, mean
from micrograd_lite.scalar import Value
sys.setrecursionlimit(1000)
w = Value(0.5, "w")
node = w
for _ in range(%d // 2):
    node = (node * w).sin()
row = [Value(0.001 * k, f"r{k}") for k in range(%d)]
root = node + dot(row, row) + mean(row)
for hidden in range(3):
    root = root + dot(row[:1000], [root] * 1000).relu()
program = flatten(root, [w, *row])
loss = program.backward()
found = [w.grad, *(leaf.grad for leaf in row)]
for leaf in (w, *row):
    leaf.grad = 0.0
mean([root]).backward()
print(program.operations, loss == root.data and found == [w.grad, *(leaf.grad for leaf in row)])
"""


@pytest.mark.parametrize("python", [sys.executable, *PYTHONS], ids=lambda path: Path(path).name)
def test_a_hundred_thousand_operations(python):
    """Deep chains and wide sums compile without recursion, and agree with the engine, on each Python there is."""
    size = 90_000 if python == sys.executable else 30_000  # with the sums, 100,000 operations
    command, path = [str(python), "-c", LARGE % (size, 2_000)], {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=path, capture_output=True, text=True, check=False)
    assert done.stderr == "" and done.stdout.split()[1] == "True"
    assert int(done.stdout.split()[0]) > size
