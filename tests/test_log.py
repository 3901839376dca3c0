"""A loop of one's own, traced by one added line: what it writes, that it keeps the Tracer's promises, and what it refuses."""

import errno
import math
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from faults import broken, fault_at, full, interrupt
from micrograd_lite import MLP, SGD, Tracer, Value, data, half_squared_error, mse, train
from micrograd_lite.cli import main
from micrograd_lite.module import Module
from micrograd_lite.trace import Trace, append, loop, tracer
from micrograd_lite.verify import verify
from test_trace_faults import interrupt_at
from traced import edited, moved, put, verdicts

ROWS = data.xor()

MICROGRAD = """
# loss function
def loss(batch_size=None):

    # inline DataLoader :)
    if batch_size is None:
        Xb, yb = X, y
    else:
        ri = np.random.permutation(X.shape[0])[:batch_size]
        Xb, yb = X[ri], y[ri]
    inputs = [list(map(Value, xrow)) for xrow in Xb]

    # forward the model to get scores
    scores = list(map(model, inputs))

    # svm "max-margin" loss
    losses = [(1 + -yi*scorei).relu() for yi, scorei in zip(yb, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    # L2 regularization
    alpha = 1e-4
    reg_loss = alpha * sum((p*p for p in model.parameters()))
    total_loss = data_loss + reg_loss

    # also get accuracy
    accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(yb, scores)]
    return total_loss, sum(accuracy) / len(accuracy)

# optimization
for k in range(100):

    # forward
    total_loss, acc = loss()

    # backward
    model.zero_grad()
    total_loss.backward()

    # update (sgd)
    learning_rate = 1.0 - 0.9*k/100
    for p in model.parameters():
        p.data -= learning_rate * p.grad

    if k % 1 == 0:
        print(f"step {k} loss {total_loss.data}, accuracy {acc*100}%")
"""
"""The cells of micrograd's demo.ipynb that train, as they stand there (github.com/karpathy/micrograd, MIT licence)."""

ADDED = "    tracer.log(total_loss, model)\n"


def network():
    return MLP(2, [1, 1], "tanh", seed=3)


def forward(net, reduce=sum):
    """Half the summed square error of the four rows of XOR, written out by hand."""
    return reduce((net(row) - target) ** 2 for row, target in zip(ROWS.inputs, ROWS.targets)) * 0.5


def looped(folder, net=None, steps=5, chains=(), lr=0.2, names=None, **options):
    """Train by hand and log each step; returns what each step saw: loss, before, gradients, after."""
    net, seen = net or network(), []
    with Tracer(folder, **options) as tracer:
        for number in range(1, steps + 1):
            cost = forward(net)
            net.zero_grad()
            cost.backward()
            tracer.log(cost, names or net, chain_rule=number in chains)
            seen.append([cost.data, [p.data for p in net.parameters()], [p.grad for p in net.parameters()]])
            for p in net.parameters():
                p.data -= lr * p.grad
            seen[-1].append([p.data for p in net.parameters()])
    return seen


def logged(steps=3):
    """A loop in the middle: its tracer's call, and what moves the weights."""
    net = network()

    def backward():
        cost = forward(net)
        net.zero_grad()
        cost.backward()
        return cost

    def update():
        for p in net.parameters():
            p.data -= 0.2 * p.grad

    return net, backward, update


# --- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False], ids=["a module", "pairs"])
def test_every_row_is_what_the_loop_did(tmp_path, named):
    """Loss, numbers before and after, gradients; update is their difference; the last `after` is the number at close()."""
    net = network()
    names = None if named else [(f"p{place}", p) for place, p in enumerate(net.parameters())]
    seen = looped(tmp_path / "run", net, names=names)
    trace = Trace(tmp_path / "run")
    assert trace.status == "finished" and [row["step"] for row in trace.metrics()] == [1, 2, 3, 4, 5] == trace.steps()
    for (loss, before, gradients, after), metrics in zip(seen, trace.metrics()):
        rows = trace.gradients(metrics["step"])
        assert (metrics["loss"], [row.before for row in rows]) == (loss, before)
        assert ([row.gradient for row in rows], [row.after for row in rows]) == (gradients, after)
        assert [row.update for row in rows] == [new - old for old, new in zip(before, after)]
        assert metrics["epoch"] == 1 and math.isnan(metrics["learning_rate"])


def test_a_loop_by_hand_and_train_write_the_same_numbers(tmp_path):
    """The same loss and plain SGD: each loss, number and gradient agrees with the trace of train(), to a rounding."""
    looped(tmp_path / "hand", network())
    with Tracer(tmp_path / "train") as tracer:
        list(tracer.follow(train(network(), ROWS, loss=half_squared_error, optimizer=SGD(0.2), epochs=5)))
    hand, trained = Trace(tmp_path / "hand"), Trace(tmp_path / "train")
    assert hand.names == trained.names
    for step in range(1, 6):
        for one, other in zip(hand.gradients(step), trained.gradients(step)):
            assert one[2:] == pytest.approx(other[2:], rel=1e-12, abs=1e-15)


def test_logging_changes_no_number_of_the_loop(tmp_path):
    """With every edge written or nothing logged at all, the weights end at the same bits."""
    net, backward, update = logged()
    for _ in range(3):
        backward()
        update()
    other = network()
    looped(tmp_path / "run", other, steps=3, chains=(1, 2, 3))
    assert other.state_dict() == net.state_dict()


@pytest.mark.parametrize("steps, every", [(1, 1), (1, 3), (5, 3), (6, 3), (7, 100)])
def test_every_records_the_first_each_multiple_and_the_last(tmp_path, steps, every):
    """As for train(): metrics.csv has each step."""
    looped(tmp_path / "run", steps=steps, every=every)
    trace = Trace(tmp_path / "run")
    assert len(trace.metrics()) == steps
    assert trace.steps() == [step for step in range(1, steps + 1) if step in (1, steps) or step % every == 0]
    assert not verify(tmp_path / "run").wrong


def test_chosen_steps_have_every_edge(tmp_path):
    """chain_rule=True writes the edges of the live graph as they were before the update; run.json names the steps."""
    seen = looped(tmp_path / "run", chains=(2, 5))
    trace = Trace(tmp_path / "run")
    assert trace.run["chain_rule"] == [2, 5]
    for step in (2, 5):
        rows = trace.chain_rule(step)
        totals = {row.parent: row.total for row in rows}
        assert rows[0].value == seen[step - 1][0]
        assert [totals[name] for name in trace.names] == seen[step - 1][2]
    with pytest.raises(ValueError, match=r"step 3 is not in .*steps chosen for it: 2, 5$"):
        trace.chain_rule(3)


def test_a_number_labelled_like_a_parameter_goes_by_its_rank(tmp_path):
    """The pairs' names are the parameters' own, whatever labels say; a name such as v1 stays a rank."""
    x, w, b = Value(3.0, "w"), Value(2.0, "other"), Value(0.5)
    with Tracer(tmp_path / "run") as tracer:
        for _ in range(2):
            for p in (w, b):
                p.grad = 0.0
            cost = (w * x + b) ** 2
            cost.backward()
            tracer.log(cost, [("w", w), ("v1", b)], chain_rule=True)
            w.data -= 0.01 * w.grad
            b.data -= 0.01 * b.grad
    rows = Trace(tmp_path / "run").chain_rule(1)
    assert [(row.parent, row.parent_value) for row in rows if row.operation == "mul"] == [("w", 2.0), ("v0", 3.0)]
    report = verify(tmp_path / "run")
    assert not report.wrong
    assert "the gradient of v1 at step 1, its name reads like that of an unnamed number" in report.unchecked


def test_tied_and_unused_parameters_and_modules_of_ones_own(tmp_path):
    """A tied weight has one row; a parameter that the loss does not use has gradient 0; verify agrees with all of it."""

    class Own(Module):
        def __init__(self):
            self.a, self.b, self.unused = Value(0.5), Value(-1.0), Value(3.0)

        def parts(self):
            return [("a", self.a), ("b", self.b), ("unused", self.unused), ("again", self.a)]

        def __call__(self, row):
            return (self.a * row[0] + self.b * row[1]).tanh() * self.a

    looped(tmp_path / "run", Own(), chains=(1, 2, 3, 4, 5))
    trace = Trace(tmp_path / "run")
    assert trace.names == ["a", "b", "unused"] and trace.run["tied"] == {"again": "a"}
    assert {row.gradient for row in trace.gradients(2) if row.parameter == "unused"} == {0.0}
    assert not verify(tmp_path / "run").wrong


# --- micrograd's demo ------------------------------------------------------------------------------------------------


def micrograds_demo(folder, steps=3):
    """Run it with one line added (and fewer steps) in a namespace of our names; returns its network."""
    np = pytest.importorskip("numpy", reason="micrograd's demo needs numpy")
    theirs, before = MICROGRAD.replace("range(100)", f"range({steps})"), "    total_loss.backward()\n"
    text = theirs.replace(before, before + ADDED)
    assert text.replace(ADDED, "") == theirs != text
    moons = data.moons()
    X, y = np.array(moons.inputs), np.array(moons.targets).astype(int)
    model = MLP(2, [16, 16, 1])
    with Tracer(folder) as tracer:
        exec(text, {"np": np, "Value": Value, "X": X, "y": y, "model": model, "tracer": tracer})
    return model


def test_micrograds_demo_with_one_added_line_is_taken_by_every_command(tmp_path, capsys):
    """Moons, max-margin loss, L2, a falling rate: show, render, verify, diagnose and predict take its trace."""
    folder = str(tmp_path / "run")
    model = micrograds_demo(folder)
    assert "step 2 loss" in capsys.readouterr().out
    trace = Trace(folder)
    assert trace.weights(3) == model.state_dict()
    learning_rate = 1.0 - 0.9 * 1 / 100
    assert all(row.after == row.before - learning_rate * row.gradient for row in trace.gradients(2))

    assert main(["verify", folder]) == 0
    said = capsys.readouterr().out
    assert "first weights                  304  ok" in said and "no wrong row" in said
    assert "not checked: update by the formula, the updates were made by hand; loss of 3 steps" in said
    assert main(["verify", folder, "--strict"]) == 1
    assert main(["show", folder, "--step", "2"]) == 0
    assert "\nlayer0.neuron0.w0 " in capsys.readouterr().out
    assert main(["diagnose", folder]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The loss fell from ") and "no slopes: a loop of one's own keeps its data to itself" in said
    assert main(["predict", folder, "x0=0", "x1=1"]) == 0
    assert f"{model.predict([0.0, 1.0]):.6g}"[:6] in capsys.readouterr().out
    assert main(["show", folder, "--chain"]) == 2
    assert capsys.readouterr().err.endswith("chosen for it: log(..., chain_rule=True) chooses a step\n")


def test_render_draws_what_a_loop_has_and_says_what_it_has_not(tmp_path, capsys):
    """Weights, loss, curves; a boundary needs the data, which the loop keeps to itself."""
    pytest.importorskip("PIL", reason="pictures need pillow")
    looped(tmp_path / "run")
    assert main(["render", str(tmp_path / "run"), "--frames", "3"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [Path(line).name for line in said[:-1]] == [
        "weights_update.gif", "training_loss.gif", "curves.png", "network.gif", "learning.gif",
    ]  # fmt: skip
    assert all(Path(line).is_file() for line in said[:-1])
    assert said[-1] == "no decision_boundary.gif: a loop of one's own keeps its data to itself"


# --- verify ----------------------------------------------------------------------------------------------------------


def test_where_every_step_has_its_edges_only_the_updates_arithmetic_and_the_samples_stay_open(tmp_path):
    """Loss and gradients follow from the edges, which are checked one by one."""
    looped(tmp_path / "run", chains=range(1, 6))
    report = verify(tmp_path / "run")
    assert report.unchecked == [
        "update by the formula, the updates were made by hand",
        "samples in chain_rule.csv, the data are not in the trace",
    ]
    found = verdicts(report)
    assert {found[name] for name in ("loss", "gradients are slopes", "after = before + update", "before = last after")} == {"ok"}


FORGERIES = {
    # what is changed in the tables of a loop whose steps all have their edges
    "after": ("gradients.csv", lambda rows: moved(rows[3], "after", 0.5), "but after - before is"),
    "update": ("gradients.csv", lambda rows: moved(rows[3], "update", 0.5), "but after - before is"),
    "before and update": ("gradients.csv", lambda rows: (moved(rows[-1], "before", 0.5), moved(rows[-1], "update", -0.5)), ""),
    "gradient": ("gradients.csv", lambda rows: moved(rows[3], "gradient", 0.5), ""),
    "gradient without an edge": ("gradients.csv", lambda rows: put(rows[0], parameter=0.0), ""),
    "loss": ("metrics.csv", lambda rows: moved(rows[1], "loss", 0.5), "the loss in metrics.csv is"),
    "norm": ("metrics.csv", lambda rows: moved(rows[1], "update_norm", 0.5), "the rows of gradients.csv give"),
    "epoch": ("metrics.csv", lambda rows: rows[1].update(epoch="2"), "in a loop of one's own it should be 1"),
    "learning rate": ("metrics.csv", lambda rows: rows[1].update(learning_rate="0.2"), "does not tell it, so it should be NaN"),
    "share": ("chain_rule.csv", lambda rows: moved(rows[7], "share", 0.5), "partial * upstream is"),
    "data": ("run.json", lambda run: run.update(batch_size=3), "the updates were made by hand"),
    "chosen": ("run.json", lambda run: run.update(chain_rule=[]), ""),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_is_changed_in_the_trace_of_a_loop_is_found(tmp_path, name):
    """Made by hand does not mean unchecked: each of these is wrong."""
    looped(tmp_path / "run", steps=3, chains=(1, 2, 3))
    table, change, why = FORGERIES[name]
    edited(tmp_path / "run", table, change)
    assert verify(tmp_path / "run").wrong and why in verify(tmp_path / "run").wrong


# --- the Tracer's promises -------------------------------------------------------------------------------------------

SCRIPT = """
import os, sys
sys.path[:0] = [{tests!r}, {root!r}]
from test_log import *
net, backward, update = logged()
with Tracer(sys.argv[1]) as tracer:
    for k in range(4):
        tracer.log(backward(), net, chain_rule=k == 1)
        update()
    os.kill(os.getpid(), 9)
"""


def whole(folder, reference):
    """A trace has the first steps of the reference, bit for bit, its last one aside, and verify finds nothing wrong."""
    trace = Trace(folder)
    steps = len(trace.metrics())
    for step in trace.steps():
        assert [row[:4] for row in trace.gradients(step)] == [row[:4] for row in reference.gradients(step)]
        assert step == steps or trace.gradients(step) == reference.gradients(step)
    for step in [step for step in trace.run.get("chain_rule", []) if step <= steps]:
        assert trace.chain_rule(step) == reference.chain_rule(step)
    assert not steps or not verify(folder).wrong, verify(folder).wrong
    return steps


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The same loop undisturbed, with all edges."""
    folder = tmp_path_factory.mktemp("reference") / "run"
    looped(folder, steps=6, chains=range(1, 7))
    return Trace(folder)


def test_killed_after_a_call_every_step_before_it_is_there(tmp_path, reference):
    """kill -9: the step that was logged last waits for its update and is lost; the trace reads as killed."""
    script = SCRIPT.format(tests=str(Path(__file__).parent), root=str(Path(__file__).parents[1]))
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "run"], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert Trace(tmp_path / "run").status == "killed"
    assert whole(tmp_path / "run", reference) == 3
    with pytest.raises(ValueError, match="has no checkpoint, so its run cannot go on"):
        Tracer(tmp_path / "run", resume=True)


@pytest.mark.parametrize("fault", [full, broken, interrupt])
def test_a_fault_at_any_system_call_leaves_whole_steps(tmp_path, reference, fault):
    """Each call in turn goes wrong once: a refused log() may be called again, and verify finds nothing wrong."""
    for call in count(1):
        folder = tmp_path / str(call)
        net, backward, update = logged()
        failed, died = [], False
        with fault_at(call, fault) as seen:
            try:
                with Tracer(folder) as tracer:
                    for number in (1, 2, 3):
                        cost = backward()
                        try:
                            tracer.log(cost, net, chain_rule=number == 2)
                        except OSError as error:
                            failed.append(error)
                            tracer.log(cost, net, chain_rule=number == 2)  # the disk has room again
                        update()
            except (OSError, KeyboardInterrupt) as error:
                died = error
        assert all(str(folder) in str(error) for error in failed)
        if (folder / "run.json").exists():
            steps = whole(folder, reference)
            assert steps == 3 or died
            assert died or Trace(folder).status == "finished"
        if len(seen) < call:
            return


def test_ctrl_c_before_any_line_of_log_leaves_the_step_before_whole_or_out(tmp_path, reference):
    """Line by line through the pages that write; the trace closes as interrupted and its last `after` is the number then."""
    for line in count(1):
        folder = tmp_path / str(line)
        net, backward, update = logged()
        follow, seen = interrupt_at(line, (append, tracer, loop))
        with pytest.raises(KeyboardInterrupt), Tracer(folder) as writing:
            for number in (1, 2):
                writing.log(backward(), net, chain_rule=number == 2)
                update()
            cost = backward()
            before = sys.gettrace()
            sys.settrace(follow)
            try:
                writing.log(cost, net)
            finally:
                sys.settrace(before)
            raise KeyboardInterrupt
        assert Trace(folder).status == "interrupted", seen[-1]
        steps = whole(folder, reference)
        assert steps in (2, 3), seen[-1]
        if len(seen) < line:
            assert steps == 3
            return


def test_a_step_that_was_given_up_leaves_no_gap(tmp_path):
    """After a refused call the loop may go on without it: `after` is then the next call's `before`, over both updates."""
    net, backward, update = logged()
    with Tracer(tmp_path / "run") as tracer:
        tracer.log(backward(), net)
        update()
        with fault_at(1, full), pytest.raises(OSError):
            tracer.log(backward(), net)
        update()
        tracer.log(backward(), net)
        update()
    trace = Trace(tmp_path / "run")
    assert [row["step"] for row in trace.metrics()] == [1, 2]
    assert [row.after for row in trace.gradients(1)] == [row.before for row in trace.gradients(2)]
    assert not verify(tmp_path / "run").wrong


def test_a_loop_that_fails_keeps_its_steps_and_the_reason(tmp_path):
    """An exception between two calls closes the trace as failed; the last step's update is what came of it until then."""
    net, backward, update = logged()
    with pytest.raises(RuntimeError), Tracer(tmp_path / "run") as tracer:
        tracer.log(backward(), net)
        update()
        tracer.log(backward(), net)
        raise RuntimeError("the loop is wrong")
    trace = Trace(tmp_path / "run")
    assert (trace.status, trace.run["error"], len(trace.metrics())) == ("failed", "RuntimeError: the loop is wrong", 2)
    assert {row.update for row in trace.gradients(2)} == {0.0}
    assert not verify(tmp_path / "run").wrong


def test_a_full_disk_that_stays_full_closes_what_there_is(tmp_path):
    """The waiting step cannot be written at close() either: the first error is reported, and the steps before are there."""
    net, backward, update = logged()
    folder, error = tmp_path / "run", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"), Tracer(folder) as tracer:
        for _ in range(2):
            tracer.log(backward(), net)
            update()
        tracer.tables._write = lambda name, block: (_ for _ in ()).throw(error)
        tracer.log(backward(), net)
    assert len(Trace(folder).metrics()) == 1
    assert not verify(folder).wrong


def test_no_call_is_a_trace_without_rows(tmp_path):
    """A loop that never logs leaves what a training without steps leaves."""
    with Tracer(tmp_path / "run"):
        pass
    assert Trace(tmp_path / "run").status == "finished" and Trace(tmp_path / "run").metrics() == []


# --- what is refused -------------------------------------------------------------------------------------------------


def refusal(kind, call):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_what_cannot_be_logged_is_refused_in_a_sentence_and_was_no_call(tmp_path):
    """Kinds, order, other parameters, numbers that are not finite: the trace goes on as if nothing had happened."""
    net, backward, update = logged()
    folder = tmp_path / "run"
    with Tracer(folder) as tracer:
        cost = forward(net)
        said = refusal(ValueError, lambda: tracer.log(cost, net))
        assert said == "step 1: this loss has no gradient yet: call its backward() before log()"
        cost = backward()
        said = refusal(TypeError, lambda: tracer.log(1.5, net))
        assert said == "loss must be the Value that backward() was called on, got float"
        pair = [("w", 1.0)]
        for wrong, got in ((net.predict, "method"), ("w", "str"), (pair, "one of ('w', 1.0)"), ({"w": Value(1.0)}, "dict")):
            assert refusal(TypeError, lambda: tracer.log(cost, wrong)).endswith(f"got {got}")  # noqa: B023
        twice = [("w", Value(1.0)), ("w", Value(2.0))]
        assert refusal(ValueError, lambda: tracer.log(cost, twice)) == "two parameters are named 'w': give each a name of its own"
        assert "chain_rule must be True or False" in refusal(TypeError, lambda: tracer.log(cost, net, chain_rule=[1]))
        tracer.log(cost, net)
        update()
        cost = backward()
        for other in (network(), net.named_parameters()):
            said = refusal(ValueError, lambda: tracer.log(cost, other))  # noqa: B023
            assert "not the parameters that were logged before" in said
        bad = backward() * Value(math.inf)
        bad.grad = 1.0
        assert refusal(FloatingPointError, lambda: tracer.log(bad, net)).startswith("step 2: the loss is inf; ")
        cost = backward()
        net.parameters()[0].grad = math.nan
        said = refusal(FloatingPointError, lambda: tracer.log(cost, net))
        assert said.startswith("step 2: the gradient of layer0.neuron0.w0 is nan;")
        tracer.log(backward(), net)
    assert len(Trace(folder).metrics()) == 2 and not verify(folder).wrong


def test_edges_of_another_gradient_are_refused(tmp_path):
    """Where zero_grad() was forgotten, the edges of one backward pass do not tell the gradient: the sentence says so."""
    net, backward, update = logged()
    with Tracer(tmp_path / "run") as tracer:
        tracer.log(backward(), net, chain_rule=True)
        update()
        cost = forward(net)
        cost.backward()
        said = refusal(ValueError, lambda: tracer.log(cost, net, chain_rule=True))
        assert said.startswith("step 2: the gradient of layer0.neuron0.w0 is ") and "call zero_grad() before it" in said
        tracer.log(cost, net)  # without its edges it can be written


def test_one_tracer_logs_one_loop(tmp_path):
    """train() and a loop of one's own do not mix, a loop cannot be resumed, and a closed Tracer logs nothing."""
    net, backward, _ = logged()
    steps = train(network(), ROWS, loss=mse, optimizer=SGD(0.1))
    with Tracer(tmp_path / "one") as tracer:
        tracer.log(backward(), net)
        assert refusal(ValueError, lambda: tracer.watch(next(steps))).startswith("this Tracer logs a loop of one's own")
    assert "is closed" in refusal(ValueError, lambda: tracer.log(backward(), net))
    with Tracer(tmp_path / "two") as tracer:
        tracer.watch(next(steps))
        assert refusal(ValueError, lambda: tracer.log(backward(), net)).startswith("this Tracer watches the steps of train()")
    with Tracer(tmp_path / "three", checkpoint_every=1) as tracer:
        said = refusal(ValueError, lambda: tracer.log(backward(), net))
        assert said == "a loop of one's own cannot be resumed, nobody but itself knows its state: only train() can"
