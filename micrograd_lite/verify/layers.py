"""Models of arrays: what layers.csv says of the numbers of each array, against the kept weights and against itself."""

from __future__ import annotations

import math

from micrograd_lite.trace.folder import LAYERS, RUN, WEIGHTS
from micrograd_lite.verify.evidence import NotHere, Wrong, plainly, same, within, wrong
from micrograd_lite.verify.optimizers import steps
from micrograd_lite.verify.record import Record


def ratios(record: Record) -> int:
    """update_ratio = update_norm / norm, to the bit."""
    if not record.tables[LAYERS]:
        raise NotHere("the model is not made of arrays")
    for row in record.tables[LAYERS]:
        wanted = row["update_norm"] / row["norm"] if row["norm"] else math.inf
        if not same(row["update_ratio"], wanted):
            raise wrong(LAYERS, row, "update_ratio", wanted, "update_norm / norm is")
    return len(record.tables[LAYERS])


def statistics(record: Record) -> int:
    """Norm, mean, deviation, smallest and largest of each array are those of the weights kept after the same step.

    A sum of n numbers in the precision of the arrays may be off by some units times the root of n, in whatever order.
    """
    if not record.in_arrays:
        raise NotHere("the model is not made of arrays")
    looked = 0
    for step in record.kept():
        kept, rows = record.arrays(step), record.layers.get(step, {})
        if list(kept) != record.names:
            where = f"{WEIGHTS}/step_{step:06d}.npz"
            raise Wrong(f"{where} holds {plainly(', '.join(kept))}, but {RUN} names {plainly(', '.join(record.names))}")
        for name, row in rows.items() if len(rows) == len(kept) else ():
            numbers = kept[name].numbers if name in kept else ()
            if not len(numbers):
                raise Wrong(f"{WEIGHTS}/step_{step:06d}.npz: {plainly(name)} has no numbers, but it has a row in {LAYERS}")
            looked += 1
            count, norm = len(numbers), math.hypot(*numbers)
            mean = math.fsum(number / count for number in numbers)
            deviation = math.hypot(*(number - mean for number in numbers)) / math.sqrt(count)
            size = norm / math.sqrt(count)
            off = record.unit * (16.0 + 4.0 * math.sqrt(count)) * size + record.floats.least
            overflows = norm * math.sqrt(count) >= record.floats.most  # as their sum may, where the numbers do not
            roots = {"norm": (norm, off * math.sqrt(count)), "mean": (mean, off)}
            lost = off * (size / deviation) if deviation else math.inf
            roots["std"] = deviation, max(off, min(lost, math.sqrt(off) * math.sqrt(size)))
            exact = {"min": (min(numbers), 0.0), "max": (max(numbers), 0.0)}
            for column, (wanted, room) in {**roots, **exact}.items():
                fits = overflows and column in roots and not math.isfinite(row[column])
                if not fits and not within(row[column], wanted, room):
                    raise wrong(LAYERS, row, column, wanted, f"the weights kept after step {step} have")
    bare = [step for step in record.layers if step not in record.kept()]
    if bare:
        record.gap(f"statistics of the arrays at {steps(len(bare))}", "their weights are not kept")
    return looked
