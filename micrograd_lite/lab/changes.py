"""What the slope of the loss promised of a step, and what became of it: from this follows how long steps may be.

Where train(..., change_every=) measured it, metrics.csv has both; else recorded steps are built again and measured now.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import NamedTuple

from micrograd_lite.measure import batch_loss
from micrograd_lite.trace import Trace
from micrograd_lite.trace.rebuild import Rebuild

MOST = 20
"""Recorded steps that are built again."""
NOISE, NOISE_32 = 1e-11, 1e-4
"""Changes of less than this share of the loss are mostly rounding, in 64 and in 32 bits: they tell nothing."""


class Change(NamedTuple):
    """Of one step: the change of its loss that the slope promised (sum of gradient * update), and the one that came of it."""

    step: int
    predicted: float
    measured: float
    learning_rate: float

    @property
    def best(self) -> float:
        """The share of this step that ends at the bottom of the parabola through both; inf where the loss is not curved so."""
        curved = self.measured - self.predicted
        return -self.predicted / (2.0 * curved) if curved > 0.0 else math.inf


class Changes(NamedTuple):
    """The changes of some steps. rebuilt: they were measured now, and not while training."""

    rows: list[Change]
    rebuilt: bool


class Rate(NamedTuple):
    """Learning rates, as the middle one of the changes has them: now, at the bottom of its parabola, and twice as far."""

    now: float
    best: float

    @property
    def limit(self) -> float:
        """Beyond it the loss rises."""
        return 2.0 * self.best


def changes(trace: Trace) -> Changes:
    """The changes of a trace, those that are mostly rounding left out; none where they can neither be read nor measured."""
    noise = NOISE_32 if (trace.run.get("model") or {}).get("dtype") == "float32" else NOISE
    found = [
        (Change(row["step"], row["predicted_change"], row["measured_change"], row["learning_rate"]), row["loss"])
        for row in trace.metrics()
        if row.get("predicted_change") is not None
    ]
    rebuilt = not found
    if rebuilt:
        with suppress(ValueError, ArithmeticError, KeyError, TypeError):
            found = rebuilt_changes(trace)
    rows = [change for change, loss in found if change.predicted < -noise * abs(loss) and math.isfinite(change.measured)]
    return Changes(rows, rebuilt)


def rebuilt_changes(trace: Trace) -> list[tuple[Change, float]]:
    """The changes of up to MOST recorded steps, each with its loss. ValueError when they cannot be built again."""
    rebuild, steps, found = Rebuild(trace.folder), trace.steps(), []
    rates = {row["step"]: row["learning_rate"] for row in trace.metrics()}
    data, loss = rebuild.plan.training, rebuild.plan.loss
    count, weights = min(MOST, len(steps)), dict(rebuild.model.all_names())
    for place in range(count):
        step = rebuild.step(steps[place * (len(steps) - 1) // max(1, count - 1)])
        predicted = 0.0
        for row in step.recorded.values():
            predicted += row.gradient * row.update
        for name, number in trace.weights(step.number).items():
            weights[name].data = number
        batch = [(data.inputs[row], data.targets[row]) for row in step.rows]
        measured = batch_loss(rebuild.model, loss, batch) - step.root.data
        found.append((Change(step.number, predicted, measured, rates[step.number]), step.root.data))
    return found


def rate(found: Changes) -> Rate | None:
    """How long steps may be, from the middle one of these; None where nothing is known."""
    shares = sorted(change.best for change in found.rows)
    if not shares or not math.isfinite(share := shares[(len(shares) - 1) // 2]):
        return None
    now = found.rows[-1].learning_rate
    return Rate(now, share * now)


def argument(learning_rate: float) -> str:
    """A learning rate as a command and a program take it, in two digits, rounded down."""
    power = 10.0 ** (math.floor(math.log10(learning_rate)) - 1)
    short = f"{math.floor(learning_rate / power * (1.0 + 1e-12)) * power:.2g}"
    return f"--lr {short} (lr={short} in Python)"
