"""The chain rule's table: its rows are the sweep of `backward()`, number for number, and its formulas are true."""

import ast
import math
from itertools import pairwise

import pytest
from hypothesis import given

from micrograd_lite import MLP, SGD, Adam, Trace, Tracer, Value, cross_entropy, mse, train
from micrograd_lite.chain.drawing import graphviz, svg
from micrograd_lite.chain.formulas import formulas, in_formula
from micrograd_lite.chain.rows import chain_rule, edges, gradients
from micrograd_lite.data import iris, xor
from micrograd_lite.graph import node_names, oldest_first, youngest_first
from micrograd_lite.many import dot, mean
from micrograd_lite.module import Module
from micrograd_lite.rules import SCALAR
from micrograd_lite.scalar import APPLY
from micrograd_lite.verify import verify
from strategies import programs


def same(one, other):
    """The same bits, any NaN being like any other."""
    return repr(one) == repr(other)


def backward(root):
    """The gradients of all leaves below root, from zero."""
    for node in oldest_first(root):
        node.grad = 0.0
    root.backward()


@given(program=programs())
def test_the_last_total_of_each_node_is_its_gradient(program):
    """Bit for bit, for leaves and inner nodes, in the order in which backward() adds."""
    root = program.values()[-1]
    totals = {edge.node.parents[edge.position]: edge.total for edge in edges(root)}
    backward(root)
    assert gradients(root).items() >= totals.items() and gradients(root)[root] == 1.0
    for node, total in totals.items():
        assert same(total, node.grad)


@given(program=programs())
def test_there_is_one_row_for_each_edge_in_sweep_order(program):
    """Node by node, youngest first; within a node, in the order of its parents; constants have no edge."""
    root = program.values()[-1]
    names = node_names(root)
    walked = [(names[node], names[parent]) for node in youngest_first(root) for parent, _ in zip(node.parents, node.partials)]
    rows = chain_rule(root)
    assert [(row.node, row.parent) for row in rows] == walked
    assert [row.order for row in rows] == list(range(1, len(walked) + 1))


@given(program=programs())
def test_the_graph_stays_as_it_is(program):
    """Reading the rows touches no grad."""
    root = program.values()[-1]
    for node in oldest_first(root):
        node.grad = 7.0
    chain_rule(root)
    assert all(node.grad == 7.0 for node in oldest_first(root))


@given(program=programs())
def test_values_and_partials_follow_from_their_formulas(program):
    """Worked out with the numbers of the nodes that they name, both formulas give the numbers of the row, bit for bit."""
    root = program.values()[-1]
    names = node_names(root)
    numbers = {name: node.data for node, name in names.items()}
    for node in youngest_first(root):
        if node.rule.name in ("dot", "sum", "mean", "cross_entropy"):
            continue
        value, slopes = formulas(node, names)
        assert same(worked_out(value, numbers), node.data)
        for slope, partial in zip(slopes, node.partials):
            assert same(worked_out(slope, numbers), partial)


class Functions(ast.NodeTransformer):
    """x ** n as pow(x, n), which does not raise; and whole numbers as floats."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        power = isinstance(node.op, ast.Pow)
        return ast.Call(ast.Name("pow", ast.Load()), [node.left, node.right], []) if power else node

    def visit_Constant(self, node):
        return ast.Constant(float(node.value))


NAMED = {name: lambda *operands, compute=compute: compute(*operands)[0] for name, compute in APPLY.items()}


def worked_out(formula, numbers):
    """What a formula comes to; an operation that it names is the engine's."""
    tree = ast.fix_missing_locations(Functions().visit(ast.parse(formula, mode="eval")))
    return float(eval(compile(tree, formula, "eval"), {**NAMED, **SCALAR}, numbers))


WRITTEN = {
    "sigmoid(x)": (lambda x, y: x.sigmoid(), "z * (1 - z)"),
    "softplus(x)": (lambda x, y: x.softplus(), "sigmoid(x)"),
    "tanh(x)": (lambda x, y: x.tanh(), "1 - z * z"),
    "relu(x)": (lambda x, y: x.relu(), "0 if x <= 0 else 1"),
    "sqrt(x)": (lambda x, y: x.sqrt(), "0.5 / z"),
    "maximum(x, y)": (lambda x, y: x.maximum(y), "1 if x > y else 0.5 if x == y else 0", "1 if x < y else 0.5 if x == y else 0"),
    "x + y": (lambda x, y: x + y, "1", "1"),
    "x / y": (lambda x, y: x / y, "1 / y", "(-z / y)"),
    "x ** 1": (lambda x, y: x**1, "1"),
    "x ** 2": (lambda x, y: x**2, "2 * x"),
    "x ** 3": (lambda x, y: x**3, "3 * x ** 2"),
    "x ** (-1)": (lambda x, y: x**-1, "(-x ** (-2))"),
    "x ** 0.5": (lambda x, y: x**0.5, "0.5 * x ** (-0.5)"),
    "x ** y": (lambda x, y: x**y, "y * x ** (y - 1)", "z * log(x)"),
}


@pytest.mark.parametrize("formula", WRITTEN)
def test_formulas_are_written_as_people_write_them(formula):
    """An operation with a sign is written with it, any other by its name; a slope is the textbook's, its 1 no 1.0."""
    x, y = Value(2.0, "x"), Value(3.0, "y")
    make, *slopes = WRITTEN[formula]
    node = make(x, y)
    names = {x: "x", y: "y", node: "z"}
    assert formulas(node, {**dict.fromkeys(node.parents, "n"), **names}) == (formula, slopes)


@pytest.mark.parametrize("node, slope", [
    (Value(0.0, "x").sqrt(), "0.5 / v1 if v1 != 0 else inf"),
    (Value(5e-324, "x") ** Value(0.0, "y"), "y * x ** (y - 1) if y else 0"),
])  # fmt: skip
def test_where_the_textbook_has_no_number_the_row_says_what_holds(node, slope):
    """At a border a slope's formula is the table's own: the textbook's divides by zero there, or multiplies 0 by infinity."""
    assert formulas(node, node_names(node) | {node: "v1"})[1][0] == slope


def test_operations_over_many_operands_are_written_out():
    """In the order in which they add; a long sum is shortened; the slope toward a weight is its input's name."""
    w, x = ([Value(1.0 + place, f"{letter}{place}") for place in range(3)] for letter in "wx")
    rows = chain_rule(dot(w, x, Value(0.5, "b")))
    assert {row.formula for row in rows} == {"b + w0 * x0 + w1 * x1 + w2 * x2"}
    assert [(row.parent, row.partial_formula) for row in rows] == [
        ("w2", "x2"), ("x2", "w2"), ("w1", "x1"), ("x1", "w1"), ("b", "1"), ("w0", "x0"), ("x0", "w0"),
    ]  # fmt: skip
    long = chain_rule(mean([Value(1.0, f"c{place}") for place in range(20)]))
    assert (long[0].formula, long[0].partial_formula) == ("mean(c0, c1, ..., c19)", "1 / 20")
    logits = [Value(1.0, f"z{place}") for place in range(3)]
    rows = chain_rule(cross_entropy.sample(logits, 1))
    assert {row.formula for row in rows} == {"(-log(softmax(z1)))"}
    assert [row.partial_formula for row in rows] == ["softmax(z0)", "softmax(z1) - 1", "softmax(z2)"]


def test_a_dot_without_products_is_its_bias_in_tables_and_drawings():
    """One row, whose formula is the bias's name and whose slope is 1; the drawing has both boxes."""
    root = dot([], [], Value(0.5, "b"))
    assert [(row.formula, row.parent, row.partial_formula, row.total) for row in chain_rule(root)] == [("b", "b", "1", 1.0)]
    assert "v1 = b" in svg(root) and "v1 = b" in graphviz(root)


class Constant(Module):
    """A model that has a bias and looks at nothing."""

    def __init__(self):
        self.b = Value(0.5, "b")

    def parts(self):
        return [("b", self.b)]

    def __call__(self, inputs):
        return dot([], [], self.b)


def test_a_dot_without_products_can_be_traced(tmp_path):
    """Its edges are recorded, and the trace proves itself."""
    with Tracer(tmp_path) as tracer:
        for step in train(Constant(), ([[1.0], [2.0]], [1.0, 2.0]), loss=mse, optimizer=SGD(lr=0.1), epochs=2, chain_rule=[1]):
            tracer.watch(step)
    assert {row.formula for row in Trace(tmp_path).chain_rule(1) if row.operation == "dot"} == {"b"}
    assert verify(tmp_path).wrong == ""


@pytest.mark.parametrize("name", [
    "a b", "exp", "abs", "sigmoid", "softmax", "mean", "inf", "lambda", "x.1", "=x", "1", "a'b", "", "\u00e9",
])  # fmt: skip
def test_a_name_that_is_no_plain_word_stands_in_quotes(name):
    """So that a formula can be read back: every word in it is a number, a function or one node's name."""
    assert in_formula(name) == repr(name)


@pytest.mark.parametrize("name", ["w", "v7", "layer0.neuron1.w0", "_x"])
def test_plain_names_stand_as_they_are(name):
    """Dots are fine."""
    assert in_formula(name) == name


def test_formulas_with_a_leading_sign_stand_in_parentheses():
    """A cell that starts with a minus is a command to a spreadsheet."""
    x = Value(2.0, "x")
    rows = chain_rule(-x - 1.0 / x)
    assert all(cell[0] not in "-+=" for row in rows for cell in (row.formula, row.partial_formula))
    assert "(-x)" in {row.formula for row in rows}


# --- in training -----------------------------------------------------------------------------------------------------

def steps(engine="eager", **options):
    """Four steps on XOR, the first and the third of them in detail."""
    net = MLP(2, [2, 1], activation="tanh", output="sigmoid")
    chosen = {"chain_rule": [1, 3], "by_sample": [1, 3], "change_every": 1, **options}
    return train(net, xor(), loss=mse, optimizer=Adam(lr=0.1), epochs=4, engine=engine, **chosen)


@pytest.mark.parametrize("engine", ["eager", "flat"])
def test_chosen_steps_show_their_chain_rule_and_the_others_nothing(engine):
    """The last totals of the parameters are the gradients of the step, in bits, whichever engine found them."""
    for step in steps(engine):
        assert bool(step.chain) == bool(step.by_sample) == (step.number in (1, 3))
        totals = {row.parent: row.total for row in step.chain}
        assert not step.chain or [totals[name] for name in step.names] == step.gradients
        assert not step.chain or step.chain[0].value == step.loss


def test_details_change_no_number():
    """A run with them and one without are the same."""
    plain = [step.after for step in steps(chain_rule=[], by_sample=[], change_every=None)]
    assert [step.after for step in steps()] == plain


def test_the_shares_of_the_samples_add_up_to_the_gradient():
    """From the last sample to the first, the sweep's order, to the very bit."""
    for step in steps():
        for gradient, shares in zip(step.gradients, step.by_sample):
            total = 0.0
            for share in reversed(shares):
                total += share
            assert total == gradient


def test_a_sample_whose_input_is_zero_pulls_at_no_weight_of_it():
    """On XOR the first row is (0, 0): it moves biases only, in the first layer."""
    step = next(steps())
    first = {name: shares[0] for name, shares in zip(step.names, step.by_sample)}
    assert all((first[name] == 0.0) == (".w" in name) for name in first if name.startswith("layer0"))


@pytest.mark.parametrize("engine", ["eager", "flat"])
def test_the_measured_change_is_the_step_to_the_next_loss(engine):
    """With all samples in each step; the predicted one is gradient times update, summed."""
    rows = list(steps(engine))
    for step, following in pairwise(rows):
        assert step.evaluation["measured_change"] == following.loss - step.loss
        predicted = math.fsum(gradient * terms.update for gradient, terms in zip(step.gradients, step.terms))
        assert step.evaluation["predicted_change"] == pytest.approx(predicted, abs=1e-15)


def test_details_read_back_from_the_trace(tmp_path):
    """Row for row and bit for bit; a step that was not chosen is an error that names those that were."""
    with Tracer(tmp_path / "run", every=4) as tracer:
        kept = list(tracer.follow(steps()))
    trace = Trace(tmp_path / "run")
    for step in kept[0::2]:
        assert trace.chain_rule(step.number) == list(step.chain)
        assert list(trace.by_sample(step.number).values()) == step.by_sample
    for read in (trace.chain_rule, trace.by_sample):
        with pytest.raises(ValueError, match=r"^step 2 is not in .*csv; steps chosen for it: 1, 3$"):
            read(2)
    assert trace.metrics()[0]["measured_change"] == kept[0].evaluation["measured_change"]
    assert trace.status == "finished"


def test_a_smaller_last_batch_leaves_its_cells_empty(tmp_path):
    """150 flowers in batches of 70: the last one has 10 shares."""
    net = MLP(4, [3])
    with Tracer(tmp_path / "run") as tracer:
        run = train(net, iris(), loss=cross_entropy, optimizer=SGD(lr=0.1), epochs=1, batch_size=70, by_sample=[1, 3])
        kept = list(tracer.follow(run))
    assert [len(step.by_sample and step.by_sample[0]) for step in kept] == [70, 0, 10]
    trace = Trace(tmp_path / "run")
    assert [list(trace.by_sample(number).values()) for number in (1, 3)] == [step.by_sample for step in kept[0::2]]


@pytest.mark.parametrize("chosen", [3, [0], [1.5], ["1"], [True], None])
def test_chosen_steps_are_numbers_of_steps(chosen):
    """Anything else is a ValueError before the first step."""
    with pytest.raises(ValueError, match=r"^chain_rule must be the numbers of steps, from 1, such as"):
        next(steps(chain_rule=chosen))
