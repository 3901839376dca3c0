"""Is the gradient a gradient? Each of its numbers against our own derivative; and a slope that is claimed, by walking.

A walk cannot tell the slope everywhere: at a kink there are two, and where a function winds faster than the steps are
wide it seems to have any. So a claimed slope is refuted only where a walk half as wide says the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from micrograd_lite.trace.folder import CHAIN, GRADIENTS
from micrograd_lite.verify.derivative import derived
from micrograd_lite.verify.evidence import NotHere, wrong
from micrograd_lite.verify.network import network
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


def gradient(record: Record) -> int:
    """Each number of each recorded gradient is the slope of our own loss toward that parameter."""
    if not record.names:
        raise NotHere("no parameter is trained")
    if record.by_hand:
        return _edges(record)
    known, looked = network(record), 0
    for step, rows in record.gradients.items():
        ours = derived(record, known, step)
        if ours is None:
            continue
        for name, row in rows.items():
            looked += 1
            if not ours.agrees(name, row["gradient"]):
                raise wrong(GRADIENTS, row, "gradient", ours.total[name], "by our own derivative it is")
    if not looked:
        raise NotHere("a model of arrays has no rows of single gradients" if record.in_arrays else "no step is recorded")
    return looked


def _edges(record: Record) -> int:
    """Of a loop of one's own, gradients are what the edges pay; a parameter that none of them pays has gradient 0."""
    for step, rows in record.chain.items():
        paid = {row["parent"] for row in rows}
        for name, row in record.gradients.get(step, {}).items():
            if re.fullmatch(r"v\d+", name):
                record.gap(f"the gradient of {name} at step {step}", "its name reads like that of an unnamed number")
            elif name not in paid and row["gradient"]:
                raise wrong(GRADIENTS, row, "gradient", 0.0, f"no edge in {CHAIN} pays it, so it should be")
    return record.told_by_edges("gradients")
