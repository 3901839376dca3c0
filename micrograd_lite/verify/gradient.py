"""Is the gradient a gradient? Walk a little along it, both ways, and see how the loss goes.

Along its own direction the slope of the loss is the length of the gradient. This needs no backward pass at all, so it
also catches an engine that is wrong from the start. It sees one number for each step: an error across the gradient, or
one of less than a thousandth of it, is left to the steps whose chain rule is written down.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from micrograd_lite.trace.folder import GRADIENTS
from micrograd_lite.verify.evidence import NotHere, Wrong, shown
from micrograd_lite.verify.network import Network, network
from micrograd_lite.verify.record import Record
from micrograd_lite.verify.walk import WIDTH, refuted

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
