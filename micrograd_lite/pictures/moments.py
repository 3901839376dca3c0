"""Which moments of a run its animations show, and what the loss was there: frames are spent where something happens.

All pictures count a moment by the updates made so far: 0 is the state before any update. The loss written down at a step
is the one before its update, so it belongs to the moment before; that of the final state is computed again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd_lite.pictures.canvas import FIGURE_SPACE
from micrograd_lite.pictures.fields import loss_of
from micrograd_lite.pictures.palette import Numbers
from micrograd_lite.trace import Trace

FRAMES = 60
"""How many frames an animation has, unless somebody asks for another number."""
LEAST = 0.4
"""The share of the frames between the first and the last that shows 10 to 90 % of the loss's fall, if it has so many steps."""


class Moment(NamedTuple):
    """The state after `step` updates, the loss of these weights (NaN when it is not known), and that one update before."""

    step: int
    loss: float
    loss_before: float


def moments(
    trace: Trace, frames: int = FRAMES, states: Sequence[int] = (), steps: tuple[int, int | None] = (0, None)
) -> list[Moment]:
    """At most so many moments, from before the first update to the final state, or within `steps` (from, to).

    They lie at `states`; without these at steps whose parameters are recorded; in a trace without parameters, at any
    step. Between two of them the same share of all change has happened: of the way that the weights go, and of the way
    of log loss, half each; but at least 40 % show 10 to 90 % of the loss's fall, as far as it has so many recorded
    steps. ValueError when the trace has no step yet, none within `steps`, or `frames` is less than 2.
    """
    if isinstance(frames, bool) or not isinstance(frames, int) or frames < 2:
        raise ValueError(f"frames must be a whole number of at least 2, the first and the last state; got {frames!r}")
    if not trace.metrics():
        raise ValueError(f"{trace.folder} has no step in metrics.csv yet: nothing to draw; train and watch at least one step")
    first, last = steps
    all_states = states or [0, *(trace.steps() or [row["step"] for row in trace.metrics()])]
    shown = [step for step in all_states if first <= step and (last is None or step <= last)]
    if not shown:
        known_steps = f"{all_states[0]} to {all_states[-1]}"
        raise ValueError(f"{trace.folder} has no recorded step from {first} to {last}; it has {known_steps}")
    known = losses(trace)
    chosen = np.array(shown)[_chosen(np.array(shown), frames, _changes(trace, known), known)].tolist()
    return [Moment(step, known.get(step, math.nan), known.get(step - 1, math.nan)) for step in chosen]


def _changes(trace: Trace, known: Mapping[int, float]) -> tuple[Numbers, Numbers]:
    """Steps, and how much has changed up to each: half by the way of the weights, half by that of log loss; 1 at the end."""
    rows = trace.metrics()
    steps = np.array([0, *(row["step"] for row in rows)])
    moved = np.array([0.0, *(float(row["update_norm"] or 0.0) for row in rows)])
    with np.errstate(all="ignore"):
        heights = np.log(np.array([known.get(step, math.nan) for step in steps.tolist()]))
        fallen = np.abs(np.diff(heights, prepend=heights[:1]))
    ways = [np.cumsum(np.where(np.isfinite(way) & (way < 1e150), way, 0.0)) for way in (moved, fallen)]
    even = np.linspace(0.0, 1e-6, len(steps))  # where nothing changes, frames are evenly spaced
    return steps, even + 0.5 * ways[0] / (ways[0][-1] or 1.0) + 0.5 * ways[1] / (ways[1][-1] or 1.0)


def fall(known: Mapping[int, float], first: int = 0, last: float = math.inf) -> tuple[int, int] | None:
    """The steps by which the loss first made 10 % and 90 % of its fall, from the first loss to the lowest; None if it rose."""
    finite = {step: loss for step, loss in sorted(known.items()) if math.isfinite(loss) and first <= step <= last}
    start, lowest = next(iter(finite.values()), 0.0), min(finite.values(), default=0.0)
    if not lowest < start:
        return None
    tenth, most = (next(step for step, loss in finite.items() if loss <= start - part * (start - lowest)) for part in (0.1, 0.9))
    return tenth, most


def _chosen(shown: Numbers, frames: int, changes: tuple[Numbers, Numbers], known: Mapping[int, float]) -> list[int]:
    """Which of the states to show: numbers of their places."""
    count, ends = min(frames, len(shown)), [0, len(shown) - 1]
    places, between = np.interp(shown, *changes), np.arange(1, len(shown) - 1)
    if count == len(shown) or count == 2:
        return list(range(len(shown))) if count == len(shown) else ends
    chosen = spread(places, between, count - 2)
    span = fall(known, int(shown[0]), float(shown[-1]))
    if span:
        falling = (shown[between] >= span[0]) & (shown[between] <= span[1])
        wanted = min(math.ceil(LEAST * (count - 2)), int(falling.sum()))
        if sum(1 for place in chosen if falling[place - 1]) < wanted:
            chosen = spread(places, between[falling], wanted) + spread(places, between[~falling], count - 2 - wanted)
    return [ends[0], *sorted(chosen), ends[1]]


def spread(places: Numbers, candidates: Numbers, count: int) -> list[int]:
    """So many different ones of the candidates, as evenly in their places (which rise) as there are candidates."""
    if not count:
        return []
    along = places[candidates]
    wanted = np.linspace(along[0], along[-1], count + 2)[1:-1] if count < len(candidates) else along
    nearest = np.clip(np.searchsorted(along, wanted), 0, len(candidates) - 1)
    rank = np.arange(count)
    nearest = np.maximum.accumulate(nearest - rank) + rank  # no candidate twice,
    nearest = np.minimum(nearest, len(candidates) - count + rank)  # and none beyond the last
    return [int(one) for one in candidates[nearest]]


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
