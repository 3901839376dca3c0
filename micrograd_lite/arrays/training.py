"""The training loop again, on arrays: the same steps, batches and numbers as training.py, at the speed of NumPy.

A step here holds no copies: its arrays are the live buffers of the model, valid until the next step is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from micrograd_lite.arrays.array import Array
from micrograd_lite.arrays.fused import FusedStep
from micrograd_lite.arrays.losses import array_loss, decisions
from micrograd_lite.arrays.nn import MLP
from micrograd_lite.arrays.optim import ArrayOptimizer
from micrograd_lite.data import Dataset
from micrograd_lite.graph import node_names, oldest_first
from micrograd_lite.plan import CHANGE_COLUMNS, Plan


class ArrayStep:
    """One step of training on arrays: the scalars of training.Step, and views of what moved.

    fused: the forward and backward pass, with its activations and slopes; optimizer: with the update of this step;
    start: a copy of all parameters before the first step.
    """

    def __init__(self, *, number: int, epoch: int, loss: float, learning_rate: float, fused: FusedStep, optimizer: ArrayOptimizer,
                 evaluation: dict[str, float], run: dict[str, Any], start: np.ndarray) -> None:  # fmt: skip
        self.number, self.epoch, self.loss = number, epoch, loss
        self.gradient_norm, self.update_norm, self.learning_rate = fused.gradient_norm, optimizer.update_norm, learning_rate
        self.fused, self.optimizer, self.evaluation, self.run, self.start = fused, optimizer, evaluation, run, start
        self.model, self._calls = fused.model, fused.calls

    @property
    def is_live(self) -> bool:
        """Do the arrays still hold this step? Not once the next one has begun, even if that one then failed."""
        return self.fused.calls == self._calls

    def _repr_html_(self) -> str:
        from micrograd_lite.pictures.notebook import of_array_step
        return of_array_step(self)


def array_steps(plan: Plan, resume: Any = None, engine: str = "eager") -> Iterator[ArrayStep]:
    """Yield one step after another, as training.train does for scalar models; engine: "eager", which is NumPy, or "c"."""
    run = plan.describe()
    model: MLP = plan.model
    inputs, targets = tables(plan.training)
    samples = min(plan.batch_size or len(inputs), len(inputs))
    if engine == "c":
        from micrograd_lite.arrays.compiled import in_c  # loads what runs a compiler

        fused, optimizer = in_c(model, samples, plan.optimizer)
    else:
        fused, optimizer = FusedStep(model, samples), ArrayOptimizer(plan.optimizer, model.flat)
    done = restore(model, optimizer, resume) if resume is not None else 0
    start = model.flat.copy()
    for index, rows in islice(enumerate(_batches(plan)), done, None):
        number, epoch = index + 1, index // plan.batches_per_epoch + 1
        batch, wanted = fused.gather(inputs, rows), targets if rows is None else targets[rows]
        loss = fused(batch, wanted, plan.loss)
        if not math.isfinite(loss):
            raise FloatingPointError(f"step {number}: the loss is {loss!r}; {first_non_finite(model, batch, wanted, plan.loss)}")
        if not math.isfinite(fused.gradient_norm) and not np.isfinite(model.flat_grad).all():
            name = next(name for name, array in model.arrays.items() if not np.isfinite(array.grad).all())
            raise FloatingPointError(f"step {number}: the gradient of {name} is not finite; try a smaller learning rate")
        rate = optimizer.step(model.flat, model.flat_grad)
        evaluated = array_evaluation(model, plan) if plan.is_evaluated(number) else {}
        if plan.measures_change(number):
            with np.errstate(over="ignore", invalid="ignore"):
                predicted = float(np.dot(model.flat_grad, optimizer.update))
                change = float(array_loss(plan.loss, Array(model.predict(batch)), wanted).data) - loss
            evaluated |= dict(zip(CHANGE_COLUMNS, (predicted, change)))
        yield ArrayStep(number=number, epoch=epoch, loss=loss, learning_rate=rate, fused=fused, optimizer=optimizer,
                        evaluation=evaluated, run=run, start=start)  # fmt: skip


def restore(model: MLP, optimizer: ArrayOptimizer, checkpoint: Any) -> int:
    """Put model and optimizer into the state of a checkpoint; returns its step. ValueError when it is of another model."""
    same = isinstance(checkpoint.memory, dict) and set(checkpoint.memory) == set(optimizer.memory)
    if not same or checkpoint.parameters.shape != model.flat.shape or checkpoint.parameters.dtype != model.dtype:
        raise ValueError("the checkpoint is of another model or optimizer: sizes, dtype or memory differ")
    model.flat[:] = checkpoint.parameters
    for name, array in optimizer.memory.items():
        array[:] = checkpoint.memory[name]
    optimizer.optimizer.steps = checkpoint.step
    return int(checkpoint.step)


def tables(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of a data set that array_plan has made into arrays."""
    return np.asarray(data.inputs), np.asarray(data.targets)


def array_evaluation(model: MLP, plan: Plan) -> dict[str, float]:
    """Loss on the test data and, for classes, accuracy on both, as measure.evaluation has them."""
    results: dict[str, float] = {}
    _, trained = tables(plan.training)
    border = float(trained.min() + trained.max()) / 2.0
    for part, data in (("train", plan.training), ("test", plan.testing)):
        if data is None:
            continue
        inputs, targets = tables(data)
        outputs = model.predict(inputs)
        if part == "test":
            results["test_loss"] = float(array_loss(plan.loss, Array(outputs), targets).data)
        if data.classes:
            results[f"{part}_accuracy"] = float(np.mean(decisions(plan.loss, outputs, targets, border)))
    return results


def first_non_finite(model: MLP, inputs: np.ndarray, targets: np.ndarray, loss: Any) -> str:
    """Run the same step as a graph and name the first array in it that is not finite, and its operation."""
    root = array_loss(loss, model(inputs), targets)
    names = node_names(root)
    for node in oldest_first(root):
        if not np.isfinite(node.data).all():
            made = f"{node.rule.name}({', '.join(names[parent] for parent in node.parents)})" if node.rule else "a leaf"
            return f"the first array with a number that is not finite is {names[node]} = {made}; try a smaller learning rate"
    return "every number in it is finite"


def _batches(plan: Plan) -> Iterator[np.ndarray | None]:
    for keys in plan.shuffles():
        rows = np.arange(len(plan.training.inputs))
        if keys is not None:
            rows = np.argsort(np.frombuffer(keys, dtype=np.uint64), kind="stable")
        for start in range(0, len(rows), plan.batch_size or len(rows)):
            yield rows[start : start + plan.batch_size] if plan.batch_size else None
