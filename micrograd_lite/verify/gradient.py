"""Is the gradient a gradient? Walk a little along it, both ways, and see how the loss goes.

Along its own direction the slope of the loss is the length of the gradient. This needs no backward pass at all, so it
also catches an engine that is wrong from the start. It sees one number for each step: an error across the gradient, or
one of less than a thousandth of it, is left to the steps whose chain rule is written down.

A walk cannot tell the slope everywhere: at a kink there are two, and where a function winds faster than the steps are
wide it seems to have any. So a claimed slope is refuted only where a walk half as wide says the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from micrograd_lite.trace.folder import GRADIENTS
from micrograd_lite.verify.evidence import NotHere, Wrong, shown
from micrograd_lite.verify.network import Network, network
from micrograd_lite.verify.record import Record

WIDTH = 2.0**-17
"""How far to walk: a balance of curvature (wide is worse) and rounding (narrow is worse)."""

SLACK = 1e-3
"""How far a slope may be from what the walk says, relative to it: wrong rules are off by more."""


def refuted(claimed: float, function: Callable[[float], float], middle: float, width: float, doubt: float) -> float | None:
    """The slope of `function` at 0 where that is not what is claimed; None where it is, or where no walk can tell.

    middle: the value at 0; doubt: by how much a value may be off, relative to its size.
    """
    slope, bend, noise = _walk(function, middle, width, doubt)
    if abs(slope - claimed) <= SLACK * abs(slope) + 0.1 * bend + noise:
        return None
    narrow, half_bend, _ = _walk(function, middle, width / 2.0, doubt)
    settled = abs(slope - narrow) <= 0.25 * SLACK * abs(narrow) + noise
    smooth = half_bend <= 0.55 * bend + noise  # a curve bends half as much on half the way, a kink as much as before
    return narrow if settled and smooth else None


def _walk(function: Callable[[float], float], middle: float, width: float, doubt: float) -> tuple[float, float, float]:
    """The slope, how much it differs between the two directions, and what rounding may make of both."""
    up, down = function(width), function(-width)
    noise = doubt * max(abs(middle), abs(up), abs(down)) / width
    return (up - down) / (2.0 * width), abs(up - 2.0 * middle + down) / width, noise


DOUBT = 64 * 2.0**-52
"""By how much our own loss may be off: many roundings stand between a weight and the loss."""

SHORT = 1e-9
"""A gradient that is no longer may be mostly rounding: it is what is left of shares that cancel."""


def gradient(record: Record) -> int:
    """The length of a step's gradient is the slope of our own loss along it, wherever that can be told."""
    known, looked = network(record), 0
    for step, rows in record.gradients.items():
        length = math.hypot(*(row["gradient"] for row in rows.values()))
        if len(rows) != len(record.names) or step not in record.metrics or not SHORT < length < math.inf:
            continue
        looked += 1
        loss, largest = record.metrics[step]["loss"], max(abs(row["before"]) for row in rows.values())
        width = max(WIDTH, 2.0**20 * math.ulp(largest))
        slope = refuted(length, _along(record, known, step, length), loss, width, DOUBT)
        if slope is not None:
            told = f"the gradient is {shown(length)} long, but along it the loss climbs by about {slope:.6g}"
            raise Wrong(f"{GRADIENTS}, step {step}: {told}")
    if not looked:
        raise NotHere("no step has a gradient that is long enough")
    return looked


def _along(record: Record, known: Network, step: int, length: float) -> Callable[[float], float]:
    """The loss of a step's batch as a function of how far the weights have walked along the gradient."""
    rows, batch, state = record.gradients[step], record.batches.rows(step), record.before(step) or {}

    def loss(distance: float) -> float:
        moved = {name: row["before"] + distance * (row["gradient"] / length) for name, row in rows.items()}
        return known.loss(record.tied({**state, **moved}), record.data, batch)

    return loss
