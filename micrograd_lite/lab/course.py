"""How the loss went, from metrics.csv: did the run fail, did the loss rise, swing to and fro, or stand still?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, NamedTuple

from micrograd_lite.lab.changes import Rate, argument
from micrograd_lite.measure import evaluation
from micrograd_lite.trace import Trace
from micrograd_lite.trace.rebuild import Rebuild

WELL = 0.95
"""So large a share of right answers, or so small a share (1 - WELL) of the first loss that is left, needs no remedy."""
STILL = 0.01
"""A loss that changes by less than this share stands still."""
SWING = 0.05
"""A loss that goes up and down by more than this share of itself, step for step, swings."""
EXPLODED = 1e3
"""As many times the first loss is no climb any more."""
LARGE = 10.0
"""Inputs beyond this are worth scaling."""


class Course(NamedTuple):
    """The loss of a run: each step's, or the mean of each epoch's where an epoch has several steps."""

    steps: list[int]
    losses: list[float]
    accuracy: float | None  # share of the training rows that are right at the end; None where there are no classes

    @property
    def is_well(self) -> bool:
        """Has it learned what there is? Then no rate is too big."""
        if self.accuracy is not None:
            return self.accuracy >= WELL
        return self.losses[-1] <= (1.0 - WELL) * self.losses[0]


def course(trace: Trace) -> Course:
    """The course of a trace that has a step."""
    epochs: dict[int, list[dict[str, Any]]] = {}
    for row in trace.metrics():
        epochs.setdefault(row["epoch"], []).append(row)
    rows = list(epochs.values())
    if all(len(epoch) == 1 for epoch in rows) or len(rows) < 3:
        metrics = trace.metrics()
        return Course([row["step"] for row in metrics], [row["loss"] for row in metrics], accuracy(trace))
    means = [math.fsum(row["loss"] for row in epoch) / len(epoch) for epoch in rows]
    return Course([epoch[-1]["step"] for epoch in rows], means, accuracy(trace))


def accuracy(trace: Trace) -> float | None:
    """The share of right answers on the training data: the last that was measured, else of the last recorded weights."""
    measured = [row["train_accuracy"] for row in trace.metrics() if row.get("train_accuracy") is not None]
    if measured:
        return float(measured[-1])
    with suppress(ValueError, ArithmeticError):
        rebuild = Rebuild(trace.folder)
        if rebuild.plan.training.classes:
            state = trace.weights(trace.last_recorded())
            for name, parameter in rebuild.model.all_names():
                parameter.data = state[name]
            return evaluation(rebuild.model, rebuild.plan.loss, rebuild.plan.training, None)["train_accuracy"]
    return None


def told(trace: Trace, went: Course, rate: Rate | None) -> list[str]:
    """Sentences about the course of the loss, and the argument that helps, if it needs help."""
    right = [] if went.accuracy is None else [f"{went.accuracy:.1%} of the training rows are right at the end."]
    if trace.run.get("status") == "failed":
        return [f"The run failed after {len(trace.metrics()):,} steps: {trace.run.get('error', 'no reason is recorded')}.",
                *_loss_says(trace, went, rate), *right]  # fmt: skip
    return [*_loss_says(trace, went, rate), *right]


def _loss_says(trace: Trace, went: Course, rate: Rate | None) -> list[str]:
    first, last, low = went.losses[0], went.losses[-1], min(went.losses)
    fall = f"from {first:.4g} to {last:.4g}"
    failed = trace.run.get("status") == "failed"
    if not last <= EXPLODED * abs(first):
        return [f"The loss exploded, {fall}: {_lower(trace, rate)}."]
    if len(went.losses) < 2:
        return ["There is one step only: nothing is known about how the loss goes."]
    if last > (1.0 + STILL) * first and not went.is_well:
        return [f"The loss rose, {fall}: {_lower(trace, rate)}."]
    if failed:
        return [f"The loss went {fall} before that: {_lower(trace, rate)}."]
    if _swings(went.losses[len(went.losses) // 2 :]):
        swing = f"The loss went {fall}, and swings to and fro in the second half of the run"
        return [f"{swing}; it has learned all the same." if went.is_well else f"{swing}: {_lower(trace, rate)}."]
    if last > 1.5 * low and last - low > 0.1 * (first - low) and not went.is_well:
        lowest = went.steps[went.losses.index(low)]
        return [f"The loss fell to {low:.4g} at step {lowest:,} and rose again to {last:.4g}: {_lower(trace, rate)}."]
    if last >= (1.0 - STILL) * first:
        return [f"The loss stands still, {fall}.", *([] if went.is_well else [_livelier(rate)])]
    middle = went.losses[len(went.losses) // 2]
    if not went.is_well and len(went.losses) >= 10 and last >= (1.0 - STILL) * middle:
        since = f"The loss went {fall} and has stood still since step {went.steps[len(went.losses) // 2]:,}"
        return [f"{since}; if that is not good enough: {WIDER}."]
    later = went.losses[len(went.losses) * 3 // 4]
    more = ", and still falls: train longer (--epochs; epochs= in Python)" if not went.is_well and last < 0.9 * later else ""
    return [f"The loss fell {fall}{more}."]


def _swings(losses: Sequence[float]) -> bool:
    """Does it go up about as often as down, by more than a little of itself?"""
    changes = [after - before for before, after in pairwise(losses)]
    if len(changes) < 5:
        return False
    ups = [change > 0.0 for change in changes].count(True) / len(changes)
    size = math.fsum(map(abs, changes)) / len(changes)
    return 0.2 <= ups <= 0.8 and size > SWING * math.fsum(losses) / len(losses)


WIDER = "more neurons (--layers 16,16; MLP(..., [16, 16, ...]) in Python) or another start (--seed 1; MLP(..., seed=1))"


def _lower(trace: Trace, rate: Rate | None) -> str:
    """What to do about steps that are too big."""
    scaled = ""
    largest = max((abs(number) for row in (trace.run.get("data") or {}).get("inputs", []) for number in row), default=0.0)
    if largest > LARGE:
        scaled = f"; the inputs reach {largest:.4g}: scale them (micrograd-lite train without --raw; data.scaled in Python)"
    now = trace.metrics()[-1]["learning_rate"]
    if rate is None or rate.best >= now:
        return f"the steps are too big; lower the learning rate from {now:g}, {argument(now / 4.0)}{scaled}"
    limit = f"along its steps the loss falls only below a learning rate of about {rate.limit:.3g}, and it is {now:g}"
    return f"{limit}; take half of the limit, {argument(rate.best)}{scaled}"


def _livelier(rate: Rate | None) -> str:
    """What to do about a loss that does not move."""
    if rate is not None and rate.best > 3.0 * rate.now:
        longer = min(rate.best / 2.0, 10.0 * rate.now)
        return f"Its slope allows longer steps: raise the learning rate from {rate.now:g}, {argument(longer)}."
    return f"The learning rate is not to blame: {WIDER}."
