"""Tiles: the kept weights of a network on arrays, as small pictures in 255 levels."""

from __future__ import annotations

import math
from typing import Any

from micrograd_lite.page.packing import Columns
from micrograd_lite.trace import Trace

MOST = 400_000
"""Bytes of all tiles: one for each weight of each kept step."""
LEVELS = 127
"""Of each sign; 0 is white."""


def tiles(trace: Trace, blocks: dict[str, Columns | bytes]) -> dict[str, Any]:
    """For each two-dimensional array and kept step its weights as bytes, on one scale for the whole run.

    Where that is too much, fewer steps, the first and the last among them; nothing where even two are.
    """
    steps = trace.array_steps()
    if not steps:
        return {"no_tiles": "The trace keeps no weights (Tracer(..., weights_every=N) does), so they cannot be shown."}
    sizes = {name: array.shape for name, array in trace.arrays(steps[0]).items() if len(array.shape) == 2}
    size = int(math.fsum(math.prod(shape) for shape in sizes.values()))
    room = MOST // max(size, 1)
    if room < 1:
        return {"no_tiles": f"{size:,} weights are more than a page holds, so they are not shown one by one."}
    apart = max(1, math.ceil(len(steps) / room))
    kept = [*steps[:-1:apart], steps[-1]][-room:]
    states = {step: trace.arrays(step) for step in kept}
    told, parts = [], []
    for name, shape in sizes.items():
        numbers = [[float(number) for number in states[step][name].reshape(-1).tolist()] for step in kept]
        limit = max((abs(number) for state in numbers for number in state if math.isfinite(number)), default=0.0) or 1.0
        told.append({"name": name, "shape": list(shape), "limit": limit})
        parts += [bytes(_level(number / limit) for number in state) for state in numbers]
    blocks["tiles"] = b"".join(parts)
    return {"tiles": {"steps": kept, "arrays": told, "of": len(steps)}}


def _level(share: float) -> int:
    """0 to 254 for -1 to 1; 255 for a number that is not finite."""
    return round(share * LEVELS) + LEVELS if math.isfinite(share) else 255
