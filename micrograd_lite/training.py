"""Training as a loop that you hold: `for step in train(...)`. It prints nothing and calls nothing back.

    for step in islice(train(net, data, loss=mse, optimizer=SGD(lr=0.1)), 200):
        print(step.number, step.loss)

Every step does four things: forward, zero the gradients, backward, update. What happened is in the Step. A step that
was chosen to be shown in detail builds its batch once more as a graph whose inputs carry names, and only reads it:
whichever engine trains, its numbers stay what they are, and a step that nobody chose costs nothing.
"""

from __future__ import annotations

import gc
import math
from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from micrograd_lite.architecture import choose
from micrograd_lite.chain.places import name_places
from micrograd_lite.chain.rows import ChainRow, chain_rule, edges
from micrograd_lite.data import Dataset
from micrograd_lite.graph import births
from micrograd_lite.losses import Loss
from micrograd_lite.measure import batch_loss, evaluation, first_non_finite, norm, predicted_change
from micrograd_lite.module import Module
from micrograd_lite.optim import Optimizer
from micrograd_lite.plan import CHANGE_COLUMNS, Plan, make_plan
from micrograd_lite.scalar import Value


class Step(NamedTuple):
    """One step of training. Lists have one entry for each parameter, in the order of `names`."""

    number: int  # from 1
    epoch: int  # from 1
    loss: float  # before this step's update
    gradient_norm: float
    update_norm: float
    learning_rate: float
    names: Sequence[str]
    before: Sequence[float]
    gradients: Sequence[float]
    terms: Sequence[Any]  # the optimizer's terms; the last one is the update
    after: Sequence[float]
    evaluation: dict[str, float]  # of the weights after the update; empty where not asked for
    chain: Sequence[ChainRow]  # at the steps chosen by `chain_rule`, every edge of the backward pass
    by_sample: Sequence[Sequence[float]]  # at those chosen by `by_sample`, for each parameter each sample's share
    run: dict[str, Any]  # what is trained and how, as plain data: the same in every step

    def _repr_html_(self) -> str:
        from micrograd_lite.pictures.notebook import of_step
        return of_step(self)


def train(
    model: Any,
    data: Dataset | tuple[Any, Any],
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int | None = None,
    batch_size: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    test: Dataset | tuple[Any, Any] | None = None,
    evaluate_every: int | None = None,
    parameters: Sequence[str] | None = None,
    resume: Any = None,
    engine: Any = "eager",
    change_every: int | None = None,
    chain_rule: Collection[int] = (),
    by_sample: Collection[int] = (),
) -> Iterator[Any]:
    """Yield one Step after another: `epochs` times over the data, or for ever (ArraySteps for a arrays.MLP).

    data, test: a Dataset or a pair (inputs, targets). batch_size: samples per step, reshuffled each epoch by `seed`
    unless shuffle=False; None takes all samples in file order. evaluate_every: steps between evaluations on the training
    and test data (each step when there is a test set, never when there is none; the last step of the last epoch always).
    parameters: names of the parameters to train; the others stay as they are. resume: a Tracer's checkpoint; the run
    goes on after its step, with a new model and optimizer of the same settings. engine: "eager" builds each batch's
    graph; "flat" writes a scalar model's graph out once, as a faster program of the same bits, which "c" compiles; on arrays "c"
    compiles what is not a product, to 4 ulp (no C compiler: a warning, and the path in Python); or your own (lab/bugs.py).

    change_every: steps between those whose evaluation has the change of the loss, predicted and measured. chain_rule,
    by_sample: steps that show every edge of their backward pass, and each sample's share of each gradient (scalar only).

    ValueError or TypeError before the first step for anything that cannot be trained; FloatingPointError when the loss
    or a gradient is not finite, with every parameter still as it was before that step.
    """
    if resume is not None and not all(hasattr(resume, part) for part in ("step", "parameters", "memory", "extents")):
        kind = resume.__name__ if isinstance(resume, type) else type(resume).__name__
        raise TypeError(f"resume must be a Tracer's checkpoint (resume=tracer.checkpoint), got {kind}")
    plan = make_plan(
        model=model, data=data, loss=loss, optimizer=optimizer, epochs=epochs, batch_size=batch_size, shuffle=shuffle,
        seed=seed, test=test, evaluate_every=evaluate_every, parameters=parameters, change_every=change_every,
        chain_rule=chain_rule, by_sample=by_sample,
    )  # fmt: skip
    if not isinstance(plan.model, Module):
        if choose("engine", engine, ("eager", "flat", "c")) == "flat":
            raise ValueError("engine: 'flat' is for scalar models; a model on arrays has 'eager', by NumPy, or 'c'")
        steps: Iterator[Any] = plan.model.steps(plan, resume, engine)  # a model on arrays trains whole batches at once
        return steps
    compute = engine if callable(engine) else loss_and_gradients
    if not callable(engine) and choose("engine", engine, ("eager", "flat", "c")) != "eager":
        from micrograd_lite.flat.model import flat_engine  # loads only where it is asked for
        compute = flat_engine(engine, plan.model, plan.loss, plan.training, plan.parameters, loss_and_gradients)
    return _steps(plan, resume, compute)


def _steps(plan: Plan, resume: Any, compute: Any) -> Iterator[Step]:
    run = plan.describe()
    done = restore(plan, resume) if resume is not None else 0
    for index, batch in islice(enumerate(_batches(plan)), done, None):
        number, epoch = index + 1, index // plan.batches_per_epoch + 1
        with collector_paused():
            loss, gradients = compute(plan, batch, number)
            shown = detail(plan, batch, number)
            before = [float(parameter.data) for parameter in plan.parameters]
            terms = plan.optimizer.step(plan.parameters)
            after = [parameter.data for parameter in plan.parameters]
            evaluated = evaluation(plan.model, plan.loss, plan.training, plan.testing) if plan.is_evaluated(number) else {}
            if plan.measures_change(number):
                change = batch_loss(plan.model, plan.loss, batch) - loss
                evaluated |= dict(zip(CHANGE_COLUMNS, (predicted_change(gradients, terms), change)))
        yield Step(
            number=number, epoch=epoch, loss=loss, gradient_norm=norm(gradients),
            update_norm=norm([term.update for term in terms]), learning_rate=plan.optimizer.lr(plan.optimizer.steps),
            names=plan.names, before=before, gradients=gradients, terms=terms, after=after, evaluation=evaluated,
            chain=shown.chain, by_sample=shown.by_sample, run=run,
        )  # fmt: skip


def restore(plan: Plan, checkpoint: Any) -> int:
    """Put model and optimizer into the state of a checkpoint; returns its step. ValueError when it is of another model."""
    if len(checkpoint.parameters) != len(plan.parameters):
        size = f"{len(checkpoint.parameters)} parameters, this one has {len(plan.parameters)}"
        raise ValueError(f"the checkpoint is of another model: it has {size}")
    terms = len(plan.optimizer.REMEMBERS)
    if not isinstance(checkpoint.memory, list) or any(len(memory) != terms for memory in checkpoint.memory):
        raise ValueError(f"the checkpoint is of another model or optimizer: this one remembers {terms} numbers of a parameter")
    for parameter, number in zip(plan.parameters, checkpoint.parameters):
        parameter.data = number
    plan.optimizer.memory, plan.optimizer.steps = checkpoint.memory, checkpoint.step
    return int(checkpoint.step)


def loss_and_gradients(plan: Plan, batch: Sequence[tuple[Any, Any]], step: int) -> tuple[float, list[float]]:
    """The loss of one batch, built sample by sample as one graph, and its slope toward each parameter.

    FloatingPointError when the loss or a slope is not finite: the sentence names where it went wrong first.
    """
    total = plan.loss.reduce([plan.loss.sample(plan.model(inputs), target) for inputs, target in batch])
    if not math.isfinite(total.data):
        shown = batch_graph(plan, batch)  # the same with names, unless the model is of another mind each time
        where = first_non_finite(total if math.isfinite(shown.data) else shown)
        raise FloatingPointError(f"step {step}: the loss is {total.data!r}; {where}")
    plan.model.zero_grad()
    total.backward()
    gradients = [float(parameter.grad) for parameter in plan.parameters]
    for name, gradient in zip(plan.names, gradients):
        if not math.isfinite(gradient):
            raise FloatingPointError(f"step {step}: the gradient of {name} is {gradient!r}; try a smaller learning rate")
    return total.data, gradients


@contextmanager
def collector_paused() -> Iterator[None]:
    """Graphs have no cycles, so Python's garbage collector would walk them and find nothing: let it wait."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _batches(plan: Plan) -> Iterator[list[tuple[Any, Any]]]:
    samples = list(zip(plan.training.inputs, plan.training.targets))
    for keys in plan.shuffles():
        for rows in batch_rows(plan, keys):
            yield [samples[row] for row in rows]


def batch_rows(plan: Plan, keys: bytes | None) -> Iterator[list[int]]:
    """The rows of the data in each batch of one epoch; keys: that epoch's shuffle, from `plan.shuffles()`."""
    order = list(range(len(plan.training.inputs)))
    if keys is not None:
        order.sort(key=array("Q", keys).__getitem__)
    for start in range(0, len(order), plan.batch_size or len(order)):
        yield order[start : start + (plan.batch_size or len(order))]


class Detail(NamedTuple):
    """Rows of the chain rule; for each parameter one share per sample. Empty where not asked for."""

    chain: Sequence[ChainRow]
    by_sample: Sequence[Sequence[float]]


NOTHING = Detail((), ())


def detail(plan: Plan, batch: Sequence[tuple[Any, Any]], step: int) -> Detail:
    """What the plan asks to be shown of a step, before its update."""
    if step not in plan.chain_rule and step not in plan.by_sample:
        return NOTHING
    root = batch_graph(plan, batch)
    chain = chain_rule(root) if step in plan.chain_rule else ()
    return Detail(chain, by_sample(root, plan.parameters) if step in plan.by_sample else ())


def batch_graph(plan: Plan, batch: Sequence[tuple[Any, Any]]) -> Value:
    """The loss of a batch as one graph to be shown, whose nodes have names.

    Inputs and targets are sample0.x0, sample0.y and so on, neurons and costs sample0.layer0.neuron1 and sample0.cost
    (chain/places.py), parameters without a label are called as in the model, and the root is the loss.
    """
    for name, parameter in plan.model.named_parameters():
        parameter.label = parameter.label or name
    costs, places = [], plan.model.places()
    for row, (inputs, target) in enumerate(batch):
        since = next(births)
        costs.append(plan.loss.sample(plan.model(named(inputs, f"sample{row}.x")), named(target, f"sample{row}.y")))
        name_places(costs[-1], since, f"sample{row}", places)
    total = plan.loss.reduce(costs)
    total.label = total.label or "loss"
    return total


def named(numbers: Any, label: str) -> Any:
    """Numbers as leaves called x0, x1 ..., one number as a leaf; a class label, which is no number, as it is."""
    if isinstance(numbers, (list, tuple)):
        return [Value(number, f"{label}{position}") for position, number in enumerate(numbers)]
    return Value(numbers, label) if isinstance(numbers, float) else numbers


def by_sample(root: Value, parameters: Sequence[Value]) -> list[list[float]]:
    """For each parameter, its gradient's share of each sample; root is the mean or sum of the samples' costs.

    The shares of a parameter add up to its gradient, from the last sample to the first: that is the sweep's order.
    """
    columns = []
    for cost, partial in zip(root.parents, root.partials):
        paid = {edge.node.parents[edge.position]: edge.total for edge in edges(cost, partial)}
        columns.append([paid.get(parameter, 0.0) for parameter in parameters])
    return [list(shares) for shares in zip(*columns)]
