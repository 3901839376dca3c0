"""Weights move by their updates and by nothing else."""

from __future__ import annotations

import math

from micrograd_lite.trace.folder import GRADIENTS, LAYERS
from micrograd_lite.verify.evidence import NotHere, Wrong, place, same, shown, wrong
from micrograd_lite.verify.record import Record, Row


def after(record: Record) -> int:
    """after = before + update, to the bit, in finite numbers: training stops before there are others."""
    for row in _rows(record):
        if not same(row["after"], row["before"] + row["update"]):
            raise wrong(GRADIENTS, row, "after", row["before"] + row["update"], "before + update is")
        if not (math.isfinite(row["after"]) and math.isfinite(row["gradient"])):
            raise Wrong(f"{place(GRADIENTS, row)}: after is {shown(row['after'])} and gradient {shown(row['gradient'])}, "
                        "but a run stops before either is not finite")  # fmt: skip
    return len(record.tables[GRADIENTS])


def before(record: Record) -> int:
    """before is the last step's after, to the bit, wherever both steps are recorded."""
    looked = 0
    for row in _rows(record):
        last = record.gradients.get(row["step"] - 1, {}).get(row["parameter"])
        if last is not None:
            looked += 1
            if not same(row["before"], last["after"]):
                raise wrong(GRADIENTS, row, "before", last["after"], f"after step {row['step'] - 1} it was")
    if not looked:
        raise NotHere("no two steps in a row are recorded")
    return looked


def _rows(record: Record) -> list[Row]:
    if not record.tables[GRADIENTS]:
        raise NotHere(f"a model of arrays has {LAYERS} instead" if record.in_arrays else "no parameter is trained")
    return record.tables[GRADIENTS]
