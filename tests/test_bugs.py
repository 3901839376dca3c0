"""The bug lab: each wrong engine is wrong where it says, and comparing its trace with the right one finds that very row."""

import math

import pytest

from micrograd_lite import MLP, SGD, Adam, Trace, Tracer, Value, mse, train
from micrograd_lite.data import xor
from micrograd_lite.lab.bugs import BUGS, RIGHT, RIGHT_ADAM, Engine, wrong_steps
from micrograd_lite.trace.diff import compare

FOUND = {
    # bug               step  table             column
    "overwritten":       (1, "chain_rule.csv", "total"),
    "unordered":         (1, "chain_rule.csv", "next row"),
    "never_zeroed":      (2, "chain_rule.csv", "total"),
    "called_twice":      (1, "chain_rule.csv", "next row"),
    "slope_at_the_sum":  (1, "chain_rule.csv", "partial"),
    "updated_too_early": (1, "chain_rule.csv", "partial"),
    "bias_forgotten":    (1, "chain_rule.csv", "leaf"),
    "sum_for_mean":      (1, "chain_rule.csv", "formula"),
    "uncorrected":       (1, "optimizer.csv", "first_corrected"),
    "eps_inside":        (1, "optimizer.csv", "rate"),
}  # fmt: skip
FOUND_WITHOUT_EDGES = {
    "overwritten":       (1, "gradients.csv", "gradient"),
    "unordered":         (1, "gradients.csv", "gradient"),
    "never_zeroed":      (2, "gradients.csv", "gradient"),
    "called_twice":      (1, "gradients.csv", "gradient"),
    "slope_at_the_sum":  (1, "gradients.csv", "gradient"),
    "updated_too_early": (1, "gradients.csv", "gradient"),
    "bias_forgotten":    (1, "gradients.csv", "gradient"),
    "sum_for_mean":      (1, "metrics.csv", "loss"),
    "uncorrected":       (1, "optimizer.csv", "first_corrected"),
    "eps_inside":        (1, "optimizer.csv", "rate"),
}  # fmt: skip


def record(folder, bug, chain=(1, 2), epochs=3):
    with Tracer(folder / bug.name) as tracer:
        return list(tracer.follow(wrong_steps(bug, epochs, chain)))


@pytest.fixture(scope="module", params=[True, False], ids=["with edges", "without edges"])
def lab(request, tmp_path_factory):
    """A folder with the traces of all bugs and of both right engines, and what is to be found in it."""
    folder = tmp_path_factory.mktemp("lab")
    for bug in (RIGHT, RIGHT_ADAM, *BUGS.values()):
        record(folder, bug, (1, 2) if request.param else ())
    return folder, FOUND if request.param else FOUND_WITHOUT_EDGES


@pytest.mark.parametrize("name", BUGS)
def test_diff_finds_the_first_wrong_row(lab, name):
    """Of each bug: the step, the table and the column where it first shows, and no setting that gives it away."""
    folder, found = lab
    bug = BUGS[name]
    comparison = compare(folder / (RIGHT_ADAM if bug.terms else RIGHT).name, folder / name)
    assert (comparison.difference.step, comparison.difference.table, comparison.difference.column) == found[name]
    assert not comparison.settings and not comparison.equal


@pytest.mark.parametrize("optimizer, bug", [(SGD(lr=2.0), RIGHT), (Adam(lr=0.05), RIGHT_ADAM)], ids=["SGD", "Adam"])
def test_the_right_engine_of_the_lab_is_the_right_one(tmp_path, optimizer, bug):
    """Bit for bit the run of `train` itself, with every edge: what differs in the lab is the bug alone."""
    record(tmp_path, bug)
    net = MLP(2, [4, 2, 1], activation="sigmoid", output="sigmoid", seed=2)
    with Tracer(tmp_path / "train") as tracer:
        for step in train(net, xor(), loss=mse, optimizer=optimizer, epochs=3, chain_rule=(1, 2)):
            tracer.watch(step)
    assert compare(tmp_path / "train", tmp_path / bug.name).equal


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_the_edges_are_those_that_the_engine_walked(tmp_path, bug):
    """The last totals of a wrong sweep are the gradients of its step, also when they are wrong."""
    for step in record(tmp_path, bug, epochs=2):
        totals = {row.parent: row.total for row in step.chain}
        assert [totals.get(name, 0.0) for name in step.names] == step.gradients


def test_the_edges_of_a_wrong_slope_contradict_their_formula(tmp_path):
    """The sigmoid's row says z * (1 - z) of its output; the number beside it is that of the sum."""
    step = record(tmp_path, BUGS["slope_at_the_sum"], epochs=1)[0]
    edges = [row for row in step.chain if row.operation == "sigmoid"]
    assert edges and all(row.partial == row.parent_value * (1.0 - row.parent_value) for row in edges)
    assert all(row.partial != row.value * (1.0 - row.value) for row in edges)


def test_the_edges_of_an_early_update_hold_the_new_weights(tmp_path):
    """In the last layer: what goes back is what the weight will be after this step, to the bit."""
    step = record(tmp_path, BUGS["updated_too_early"], epochs=1)[0]
    after = dict(zip(step.names, step.after))
    edges = [row for row in step.chain if row.partial_formula.startswith("layer2")]
    assert len(edges) == 2 * 4 and all(row.partial == after[row.partial_formula] for row in edges)


def test_calling_backward_twice_is_what_the_bug_does(tmp_path):
    """Our own grads after a second backward() are twice the right ones, and so are those of the bug."""
    (right, *_), (twice, *_) = record(tmp_path, RIGHT, epochs=1), record(tmp_path, BUGS["called_twice"], epochs=1)
    x, w = Value(0.5), Value(-1.5)
    loss = (x * w).tanh()
    loss.backward()
    once = w.grad
    loss.backward()
    assert w.grad == 2.0 * once
    assert twice.gradients == pytest.approx([2.0 * gradient for gradient in right.gradients], rel=1e-12)


def test_the_first_gradients_of_never_zeroed_are_right(tmp_path):
    """There is nothing to forget yet; the second ones are the sum of both."""
    (right, second), wrong = record(tmp_path, RIGHT, epochs=2), record(tmp_path, BUGS["never_zeroed"], epochs=2)
    assert wrong[0].gradients == right.gradients
    assert wrong[1].gradients == pytest.approx([a + b for a, b in zip(right.gradients, second.gradients)], rel=1e-12)


@pytest.mark.parametrize("name, begins", [("overwritten", "equal shares, another total"), ("eps_inside", "the gradient and all")])
def test_the_meaning_is_a_sentence_about_the_mistake(lab, name, begins):
    """What is said of the first difference names what differs there."""
    folder, found = lab
    if found[name][1] == "gradients.csv":
        begins = "weights and loss agree, so the backward pass differs"
    right = (RIGHT_ADAM if BUGS[name].terms else RIGHT).name
    assert compare(folder / right, folder / name).difference.meaning.startswith(begins)


def test_an_old_gradient_is_recognised(lab):
    """In an edge's total and in a gradient: what is too much is the gradient of the step before."""
    folder, _ = lab
    words = compare(folder / "right", folder / "never_zeroed").difference.meaning
    assert words.endswith("They differ by the gradient of step 1: it was not zeroed")


def test_gradients_are_compared_in_the_order_of_the_sweep(tmp_path):
    """The last layer's are right when it is updated too early: the first wrong one is the last of the layer before."""
    for bug in (RIGHT, BUGS["updated_too_early"]):
        record(tmp_path, bug, ())
    assert compare(tmp_path / "right", tmp_path / "updated_too_early").difference.row == "layer1.neuron1.b"


@pytest.mark.parametrize("name", [name for name, bug in BUGS.items() if bug.terms is None])
def test_a_wrong_gradient_is_not_a_matter_of_rounding(name):
    """By the second step some gradient is off by more than a thousandth of itself."""
    *_, right = wrong_steps(RIGHT, 2, ())
    *_, wrong = wrong_steps(BUGS[name], 2, ())
    assert any(abs(a - b) > 1e-3 * abs(a) for a, b in zip(right.gradients, wrong.gradients))


def test_the_wrong_optimizers_by_hand():
    """Their rates from their own means: without the correction, and with eps inside the root."""
    *_, step = wrong_steps(BUGS["uncorrected"], 3, ())
    for terms in step.terms:
        assert terms.rate == pytest.approx(0.05 / (math.sqrt(terms.second) + 1e-8), rel=1e-12)
        assert terms.update == pytest.approx(-terms.rate * terms.first, rel=1e-12)
    *_, step = wrong_steps(BUGS["eps_inside"], 3, ())
    for terms in step.terms:
        assert terms.rate == pytest.approx(0.05 / math.sqrt(terms.second / (1.0 - 0.999**3) + 1e-8), rel=1e-9)
        assert terms.update == pytest.approx(-terms.rate * terms.first / (1.0 - 0.9**3), rel=1e-9)


def test_steps_that_were_not_chosen_show_no_edges():
    """As in `train`."""
    assert [bool(step.chain) for step in wrong_steps(RIGHT, 3, (2,))] == [False, True, False]


def test_most_bugs_still_learn(tmp_path):
    """In 100 steps the loss falls with all bugs but one: the loss alone does not tell."""
    rose = []
    for name, bug in BUGS.items():
        losses = [step.loss for step in wrong_steps(bug, 100, ())]
        rose += [name] if losses[-1] >= losses[0] else []
    assert rose == ["overwritten"]


def test_an_engine_of_ones_own_trains_and_is_compared(tmp_path):
    """train(engine=...) takes a function; only for scalar models."""
    net = MLP(2, [2, 1])
    engine = Engine(RIGHT)
    (step,) = train(net, xor(), loss=mse, optimizer=SGD(lr=0.1), epochs=1, engine=engine)
    assert step.gradients == [parameter.grad for parameter in net.parameters()]
    arrays = pytest.importorskip("micrograd_lite.arrays", reason="arrays need NumPy")
    with pytest.raises(ValueError, match=r"^unknown engine .*: choose one of eager, flat, c$"):
        next(train(arrays.MLP(2, [1]), xor(), loss=mse, optimizer=SGD(lr=0.1), epochs=1, engine=engine))


def test_an_overflow_is_an_error_and_leaves_a_trace(tmp_path):
    """z * (1 - z) grows without bound: the trace says failed, and holds all steps up to there."""
    with pytest.raises(FloatingPointError, match=r"^step \d+: .* would become nan") as error:
        record(tmp_path, BUGS["slope_at_the_sum"], epochs=1000)
    trace = Trace(tmp_path / "slope_at_the_sum")
    assert trace.status == "failed" and str(error.value).startswith(f"step {len(trace.metrics()) + 1}:")
