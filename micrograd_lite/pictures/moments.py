"""Which moments of a run an animation shows, and what the loss was there.

All pictures count a moment by the updates made so far: 0 is the state before any update. The loss written down at a step
is the one before its update, so it belongs to the moment before; that of the final state is computed again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from micrograd_lite.pictures.canvas import FIGURE_SPACE
from micrograd_lite.pictures.fields import loss_of
from micrograd_lite.trace import Trace


class Moment(NamedTuple):
    """The state after `step` updates, the loss of these weights (NaN when it is not known), and that one update before."""

    step: int
    loss: float
    loss_before: float


def moments(trace: Trace, frames: int = 100, states: Sequence[int] = ()) -> list[Moment]:
    """At most so many moments, evenly spaced, from before the first update to the final state.

    They lie at `states`; without these at steps whose parameters are recorded; in a trace without parameters, at any
    step. ValueError when the trace has no step yet or `frames` is less than 2.
    """
    if isinstance(frames, bool) or not isinstance(frames, int) or frames < 2:
        raise ValueError(f"frames must be a whole number of at least 2, the first and the last state; got {frames!r}")
    steps, metrics = trace.steps(), trace.metrics()
    if not metrics:
        raise ValueError(f"{trace.folder} has no step in metrics.csv yet: nothing to draw; train and watch at least one step")
    states = states or [0, *(steps or [row["step"] for row in metrics])]
    last = len(states) - 1
    count = min(frames, len(states))
    chosen = [states[round(index * last / max(count - 1, 1))] for index in range(count)]
    known = losses(trace)
    return [Moment(step, known.get(step, math.nan), known.get(step - 1, math.nan)) for step in chosen]


def losses(trace: Trace) -> dict[int, float]:
    """The loss after so many updates. With mini-batches it is that of the next batch; the final one is of all the data."""
    known: dict[int, float] = {}
    for row in trace.metrics():
        known[row["step"] - 1] = math.nan if row["loss"] is None else float(row["loss"])
    steps = trace.steps()
    if steps and steps[-1] not in known:
        known[steps[-1]] = _final_loss(trace, steps[-1])
    return known


def _final_loss(trace: Trace, step: int) -> float:
    """The loss of the final state on the training data; NaN when the trace does not hold what that takes."""
    try:
        return float(loss_of(trace.run, trace.weights(step)))
    except (KeyError, ValueError, TypeError):
        return math.nan


def caption(moment: Moment, last: int) -> str:
    """`step 20 of 100   loss 0.0123`; where the loss of the final weights is not known, it says that of the step before."""
    text = f"{counted(moment.step, last)}   loss "
    if math.isnan(moment.loss) and not math.isnan(moment.loss_before):
        return f"{text}{short(moment.loss_before)} before the last update"
    return text + short(moment.loss)


def counted(step: int, last: int) -> str:
    """`step 20 of 100`, always equally wide."""
    return f"step {str(step).rjust(len(str(last)), FIGURE_SPACE)} of {last}"


def short(value: Any) -> str:
    """A number in four digits, at most ten letters: 0.01234, 12.35, 1.2e-05, 0, inf."""
    value = float(value)
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}".replace("-0", "0")
    return f"{value:#.4g}".rstrip(".") if 1e-4 <= abs(value) < 1e5 else f"{value:.1e}"
