"""What `train` promises, whichever engine trains: one list of promises, kept by the scalar, the flat and the array engine.

What an engine alone can do, or does otherwise, stands on its own page: test_train, test_flat_train, test_array_training.
"""

import math
import warnings
from itertools import islice

import pytest

from micrograd_lite.data import Dataset, iris, split, xor
from micrograd_lite.losses import Loss, cross_entropy, half_squared_error, mse
from micrograd_lite.many import mean
from micrograd_lite.nn import MLP
from micrograd_lite.optim import SGD, Adam
from micrograd_lite.trace import Trace, Tracer
from micrograd_lite.training import train

FLOWERS, OTHERS = split(iris(), seed=3)
SCALAR, FLAT, ARRAYS = "scalar", "flat", "arrays"
every_engine = pytest.mark.parametrize("engine", [SCALAR, FLAT, ARRAYS])


def network(engine, *sizes, **options):
    """An MLP that the engine trains; its first numbers are the same for each."""
    if engine != ARRAYS:
        return MLP(*sizes, **options)
    pytest.importorskip("numpy", reason="array models are made of NumPy")
    from micrograd_lite import arrays

    return arrays.MLP(*sizes, **options)


def steps(engine, model=None, data=FLOWERS, **options):
    """The steps of a short training, of a network for iris if no other is named."""
    settings = {"loss": cross_entropy, "optimizer": SGD(lr=0.05), "epochs": 2, "batch_size": 30, **options}
    model = model or network(engine, 4, [5, 3], "tanh", seed=2)
    return train(model, data, engine="flat" if engine == FLAT else "eager", **settings)


def numbers(step):
    """What each engine says of a step: number, epoch, loss, norms and rate."""
    return [step.number, step.epoch, step.loss, step.gradient_norm, step.update_norm, step.learning_rate]


def state(model):
    """Every parameter of a network of either kind, under the scalar engine's names."""
    if isinstance(model, MLP):
        return model.state_dict()
    from micrograd_lite import arrays

    return arrays.to_scalar(model).state_dict()


@every_engine
@pytest.mark.parametrize("make", [lambda: SGD(lr=0.05, momentum=0.9), lambda: Adam(lr=0.01)], ids=["SGD", "Adam"])
@pytest.mark.parametrize("batch_size", [None, 20])
def test_the_steps_are_the_scalar_engines(engine, make, batch_size):
    """Numbers, losses, norms, rates and weights: within 1e-12 on arrays, which add in another order, and else to the bit."""
    rel = 1e-12 if engine == ARRAYS else 0.0
    options = {"optimizer": make, "batch_size": batch_size, "epochs": 3}
    made = []
    for each in (SCALAR, engine):
        model = network(each, 4, [5, 3], "tanh", seed=2)
        made.append([[*numbers(s), *state(model).values()] for s in steps(each, model, **{**options, "optimizer": make()})])
    assert len(made[0]) == len(made[1]) == 3 * (1 if batch_size is None else math.ceil(len(FLOWERS.inputs) / 20))
    for wanted, found in zip(*made):
        assert found == pytest.approx(wanted, rel=rel, abs=rel)


@every_engine
def test_a_run_repeats_to_the_bit(engine):
    """Same seeds, same numbers; another seed, other batches, so other losses."""
    first, second, other = ([repr(numbers(s)) for s in steps(engine, optimizer=Adam(lr=0.1), seed=seed)] for seed in (4, 4, 5))
    assert first == second != other


@every_engine
def test_without_shuffling_batches_come_in_file_order(engine):
    """shuffle=False: the loss of each batch is that of the rows as they stand, in every epoch, whatever the seed."""
    inputs, targets = [[float(row)] for row in range(5)], [0.0] * 5
    still = SGD(lr=1e-300)  # a weight of 1 stays 1, so that a batch's loss is the mean of its rows' squares
    run = steps(engine, network(engine, 1, [1], "linear", init=[[[1.0]]]), (inputs, targets), loss=mse, optimizer=still,
                batch_size=2, shuffle=False, seed=8)  # fmt: skip
    assert [step.loss for step in run] == [0.5, 6.5, 16.0] * 2


@every_engine
def test_shuffled_batches_hold_every_row_once(engine):
    """With one row a batch, an epoch's losses are those of all rows; two epochs, and two seeds, have other orders."""
    data = [[float(row)] for row in range(10)], [0.0] * 10
    orders = []
    for seed in (1, 2):
        model = network(engine, 1, [1], "linear", init=[[[1.0]]])
        run = steps(engine, model, data, loss=mse, optimizer=SGD(lr=1e-300), batch_size=1, seed=seed)
        losses = [step.loss for step in run]
        orders += [losses[:10], losses[10:]]
    assert all(sorted(order) == [float(row * row) for row in range(10)] for order in orders)
    assert orders[0] != orders[1] and orders[0] != orders[2]


@every_engine
def test_without_epochs_training_goes_on_for_ever(engine):
    """The caller holds the loop: islice ends it, and the next step is still there."""
    running = steps(engine, epochs=None)
    assert [step.number for step in islice(running, 50)] == list(range(1, 51))
    assert next(running).number == 51


@every_engine
@pytest.mark.parametrize(
    "options, evaluated",
    [
        (dict(), []), (dict(test=OTHERS), [1, 2, 3, 4, 5, 6, 7]), (dict(evaluate_every=1), [1, 2, 3, 4, 5, 6, 7]),
        (dict(evaluate_every=3), [3, 6, 7]), (dict(evaluate_every=3, test=OTHERS), [3, 6, 7]), (dict(evaluate_every=100), [7]),
    ],
)  # fmt: skip
def test_evaluation_happens_when_asked_for(engine, options, evaluated):
    """Every so many steps and after the last; at each step when there is test data; never otherwise."""
    assert [step.number for step in steps(engine, epochs=7, batch_size=None, **options) if step.evaluation] == evaluated


@every_engine
def test_evaluation_columns_are_announced(engine):
    """test_loss with a test set, accuracies for classes, the change where it is measured; the run says so at once."""
    unsorted = Dataset("unsorted", FLOWERS.inputs, FLOWERS.targets)  # the same numbers, but no classes
    for data, test, change_every, columns in [
        (FLOWERS, None, None, ["train_accuracy"]),
        (FLOWERS, OTHERS, None, ["train_accuracy", "test_loss", "test_accuracy"]),
        (unsorted, OTHERS, None, ["test_loss", "test_accuracy"]),
        (unsorted, unsorted, 1, ["test_loss", "predicted_change", "measured_change"]),
    ]:
        step = next(steps(engine, data=data, test=test, evaluate_every=1, change_every=change_every))
        assert list(step.evaluation) == step.run["evaluation"] == columns
    assert next(steps(engine)).run["evaluation"] == []


@every_engine
def test_evaluation_is_of_the_weights_after_the_update(engine):
    """The test loss of a step is the training loss of the next one, on the same full batch."""
    losses = [(step.loss, step.evaluation["test_loss"]) for step in steps(engine, test=FLOWERS, batch_size=None, epochs=5)]
    assert [after for _, after in losses[:-1]] == pytest.approx([before for before, _ in losses[1:]], rel=1e-14)


@every_engine
def test_evaluation_changes_nothing(engine):
    """The same numbers with and without it."""
    plain, measured = (list(map(numbers, steps(engine, **options))) for options in ({}, {"test": OTHERS, "change_every": 1}))
    assert plain == measured


@every_engine
def test_the_border_of_the_test_data_is_the_middle_of_the_training_targets(engine):
    """Trained on 0 and 4: an answer of 3 is a yes, though the middle of these test targets (3 and 4) is 3.5."""
    data = Dataset("wide", [[1.0], [2.0]], [0.0, 4.0], classes=2)
    test = Dataset("narrow", [[3.0], [3.0]], [3.0, 4.0], classes=2)
    model = network(engine, 1, [1], init=[[[1.0]]])
    [step] = steps(engine, model, data, loss=mse, optimizer=SGD(lr=1e-9), epochs=1, test=test)
    assert step.evaluation["test_accuracy"] == 1.0  # with 3.5, the second one would be a no


@every_engine
def test_the_change_of_the_loss_is_predicted_and_measured(engine):
    """Every second step: minus rate times squared gradient is promised, and what came is the next loss less this one."""
    made = list(steps(engine, batch_size=None, epochs=5, change_every=2))
    assert [step.number for step in made if step.evaluation] == [2, 4]
    for step, following in zip(made[1::2], made[2::2]):
        assert step.evaluation["predicted_change"] == pytest.approx(-0.05 * step.gradient_norm**2, rel=1e-12)
        assert step.evaluation["measured_change"] == pytest.approx(following.loss - step.loss, rel=1e-9)


@every_engine
def test_a_loss_that_is_not_finite_stops_with_everything_as_it_was(engine):
    """The sentence names the step and what is not finite; no parameter has moved, the optimizer has not counted."""
    model, optimizer = network(engine, 1, [1], init=[[[1.0]]]), SGD(lr=1e155)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = steps(engine, model, ([[1.0]], [0.0]), loss=half_squared_error, optimizer=optimizer, epochs=9)
        next(run)
        before = state(model)
        with pytest.raises(FloatingPointError, match=r"^step 2: the loss is inf; the first .* is v\d+ = .* learning rate$"):
            next(run)
    assert (state(model), optimizer.steps) == (before, 1)


@every_engine
def test_a_gradient_that_is_not_finite_stops_with_everything_as_it_was(engine):
    """A finite loss with an infinite slope: the sentence names the step and the parameter."""
    model, optimizer = network(engine, 1, [1, 1], "linear", init=[[[0.0]], [[1e200]]]), Adam(lr=0.1)
    run = steps(engine, model, ([[1e10]], [1e150]), loss=mse, optimizer=optimizer)
    before = state(model)
    with pytest.raises(FloatingPointError, match=r"^step 1: the gradient of layer0\.(neuron0\.)?w0? is (not finite|-?inf)"):
        next(run)
    assert (state(model), optimizer.steps) == (before, 0)


@every_engine
def test_a_weight_that_would_not_be_finite_stops_with_everything_as_it_was(engine):
    """There may be no next step that would notice, so the update itself is refused."""
    model = network(engine, 4, [5, 3], "tanh", seed=2)
    before = state(model)
    with pytest.raises(FloatingPointError, match=r"^step 1: .* would become .*; try a smaller learning rate$"):
        next(steps(engine, model, optimizer=SGD(lr=1.7e308, weight_decay=1e10)))
    assert state(model) == before


@every_engine
@pytest.mark.parametrize("stop", [3, 5, 6])
def test_a_run_that_went_on_has_the_same_numbers(engine, stop, tmp_path):
    """Interrupted between two checkpoints, or at one, and taken up again by a new model and optimizer: the same table."""
    for name, ends in (("whole", [None]), ("stopped", [stop, None])):
        for end in ends:
            with Tracer(tmp_path / name, checkpoint_every=2, resume=end is None and name == "stopped") as tracer:
                run = steps(engine, optimizer=Adam(lr=0.01), evaluate_every=2, resume=tracer.checkpoint)
                for step in islice(run, end):
                    tracer.watch(step)
                if end:
                    tracer.close("interrupted")
    whole, stopped = (Trace(tmp_path / name) for name in ("whole", "stopped"))
    assert len(whole.metrics()) == 8 and whole.metrics() == stopped.metrics()


OWN = Loss("mine", lambda output, target: abs(output - target) * 3.0, mean, wants="less than 3",
           fits=lambda target, outputs: target < 3, correct=lambda outputs, target, middle: outputs[0] < middle)  # fmt: skip


@every_engine
def test_a_loss_of_ones_own_is_asked_for_everything(engine):
    """Its sample, correct and fits: the mean of 3 * |1 - y| for y of 0 and 2.5; an answer under the middle is right."""
    data = Dataset("mine", [[1.0], [1.0]], [0.0, 2.5], classes=2)
    model = network(engine, 1, [1], init=[[[1.0]]])
    [step] = steps(engine, model, data, loss=OWN, optimizer=SGD(lr=0.0125), epochs=1, evaluate_every=1)
    assert (step.loss, step.evaluation) == ((3.0 + 4.5) / 2.0, {"train_accuracy": 1.0})
    with pytest.raises(ValueError, match=r"^row 1 of mine: mine needs less than 3; .* 1 output and the target is 4\.0$"):
        steps(engine, model, data._replace(targets=[0.0, 4.0]), loss=OWN)
    with pytest.raises(ValueError, match=r"row 1.* nan; every number must be finite"):
        steps(engine, model, data._replace(targets=[0.0, math.nan]), loss=OWN)


@every_engine
def test_samples_are_put_together_in_ones_own_way_or_it_is_refused(engine):
    """Half the mean; a flat program knows a mean and a sum only, and says so."""
    data, halved = ([[1.0], [1.0]], [0.0, 2.5]), OWN._replace(reduce=lambda costs: 0.5 * mean(costs))
    run = steps(engine, network(engine, 1, [1], init=[[[1.0]]]), data, loss=halved)
    if engine == FLAT:
        with pytest.raises(ValueError, match=r"^a flat program adds samples up by many\.mean or many\.sum; train with the eager"):
            next(run)
        return
    assert next(run).loss == 0.5 * (3.0 + 4.5) / 2.0


class Halved(SGD):
    """An optimizer of one's own: half the update of SGD."""

    def terms(self, value, gradient, memory, lr, step):
        """SGD's terms with half the update."""
        made = super().terms(value, gradient, memory, lr, step)
        return made._replace(update=made.update / 2.0)


@every_engine
def test_an_optimizer_of_ones_own_moves_the_weights_or_is_refused(engine):
    """Its own formula where parameters are single numbers; on arrays a sentence, never SGD's numbers in its name."""
    if engine == ARRAYS:
        with pytest.raises(TypeError, match=r"^Halved has no arithmetic for arrays; use SGD, RMSprop, Adam or AdamW"):
            next(steps(engine, optimizer=Halved(lr=0.1)))
        return
    halved, plain = (list(map(numbers, steps(engine, optimizer=made))) for made in (Halved(lr=0.1), SGD(lr=0.05)))
    assert [row[:-1] for row in halved] == [row[:-1] for row in plain]  # all but the rate


@every_engine
def test_parameters_may_be_held_fixed_or_are_refused(engine):
    """Only those named move, where parameters are single numbers; an array model says who can."""
    model, chosen = network(engine, 2, [3, 1], "tanh"), ["layer0.neuron1.w0", "layer1.neuron0.b"]
    before = state(model)
    if engine == ARRAYS:
        with pytest.raises(ValueError, match=r"^parameters: an array model trains all its parameters; use a scalar model"):
            steps(engine, model, xor(), loss=mse, parameters=["layer0.w"])
        return
    *_, last = steps(engine, model, xor(), loss=mse, parameters=chosen[::-1])
    after = state(model)
    assert [name for name in before if before[name] != after[name]] == list(last.names) == chosen
    assert last.run["fixed"] == {name: number for name, number in before.items() if name not in chosen}


@every_engine
@pytest.mark.parametrize("kind", ["int64", "uint8", "a list of int64"])
def test_labels_and_numbers_of_numpys_kind_train_alike(engine, kind, tmp_path):
    """Labels, a number of classes and seeds that NumPy made: the steps of Python's own, and a trace that can be written."""
    numpy = pytest.importorskip("numpy")
    labels = numpy.array(FLOWERS.targets, kind.split()[-1])
    labels = list(labels) if kind.startswith("a list") else labels
    data = FLOWERS._replace(targets=labels, classes=numpy.int64(3))
    with Tracer(tmp_path / "run") as tracer:
        model = network(engine, 4, [5, 3], "tanh", seed=numpy.int64(2))
        found = list(map(numbers, tracer.follow(steps(engine, model, data, seed=numpy.uint8(1)))))
    assert found == list(map(numbers, steps(engine, seed=1)))
    run = Trace(tmp_path / "run").run
    assert (run["data"]["classes"], run["seed"], run["model"]["seed"]) == (3, 1, 2)


@every_engine
@pytest.mark.parametrize("shuffle", ["no", 0, None])
def test_shuffle_is_true_or_false(engine, shuffle):
    """shuffle="no" would have shuffled, as every text is true."""
    with pytest.raises(TypeError, match=f"^shuffle must be True or False, got {shuffle!r}$"):
        steps(engine, shuffle=shuffle)
