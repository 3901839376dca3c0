"""Is everything there? Steps without gaps, the rows that run.json counted, every parameter at every step to be recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from micrograd_lite.text.files import read_whole
from micrograd_lite.trace.folder import BY_SAMPLE, CHAIN, DATA, GRADIENTS, LAYERS, METRICS, OPTIMIZER, RUN, WEIGHTS
from micrograd_lite.trace.samples import MOST, digest
from micrograd_lite.verify.evidence import NotChecked, NotHere, Wrong, plainly, wrong
from micrograd_lite.verify.record import Record


def steps(record: Record) -> int:
    """metrics.csv has the steps 1, 2, 3, ..., each in its epoch."""
    for number, row in enumerate(record.tables[METRICS], start=1):
        if row["step"] != number:
            raise Wrong(f"{METRICS}, row {number}: step is {row['step']}, but steps have no gaps: it should be {number}")
        epoch = 1 if record.by_hand else record.batches.epoch(number)
        if row["epoch"] != epoch:
            known = "in a loop of one's own" if record.by_hand else f"with {record.batches.per_epoch} steps in an epoch"
            raise wrong(METRICS, row, "epoch", epoch, f"{known} it should be")
    return len(record.tables[METRICS])


def rows(record: Record) -> int:
    """Every table has as many rows as run.json counted when the run ended."""
    if not record.ended:
        raise NotChecked(f"the run is {record.status}: its rows are counted when it ends")
    counted = record.run.get("rows")
    if not isinstance(counted, dict) or not set(counted) <= set(record.tables):
        raise Wrong(f"{RUN}: rows should count the rows of each table, and is {counted!a:.100}")
    for name, table in record.tables.items():
        if len(table) != counted.get(name, 0):
            raise Wrong(f"{name} has {len(table)} whole rows, but {RUN} counted {counted.get(name, 0)}")
    if record.run.get("steps") != len(record.tables[METRICS]):
        raise Wrong(f"{RUN}: steps is {record.run.get('steps')!a:.100}, but {METRICS} has {len(record.tables[METRICS])}")
    return sum(1 for table in record.tables.values() for _ in table)


def parameters(record: Record) -> int:
    """Each parameter has its row at the first step, at every multiple of `every`, and at the last step; in order."""
    looked = 0
    if not record.names:
        raise NotHere("no parameter is trained")
    if record.in_arrays:
        tables, column = [LAYERS], "array"
    else:
        tables, column = [GRADIENTS, *([OPTIMIZER] if record.run["optimizer_memory"] else [])], "parameter"
    for table in tables:
        found = [(row["step"], row[column]) for row in record.tables[table]]
        # killed while it wrote the last rows, or the arrays of the last step were lost to one that failed
        lost = not record.ended or (record.in_arrays and record.status == "failed")
        ends_here = not lost or (bool(found) and found[-1][0] == record.last)
        recorded = (step for step in range(1, record.last + 1)
                    if step == 1 or step % record.run["every"] == 0 or (ends_here and step == record.last))  # fmt: skip
        _compare(table, found, ((step, name) for step in recorded for name in record.names))
        looked += len(found)
    return looked


def chosen(record: Record) -> int:
    """chain_rule.csv and gradients_by_sample.csv have the steps that were chosen for them, and no others."""
    if not record.run["chain_rule"] and not record.run["by_sample"] and not record.tables[CHAIN]:
        raise NotHere("no steps were chosen to be shown in detail")
    for table, option in ((CHAIN, "chain_rule"), (BY_SAMPLE, "by_sample")):
        wanted = [step for step in record.run[option] if isinstance(step, int) and step <= record.last]
        wanted = wanted if table == CHAIN or record.names else []
        found = list(dict.fromkeys(row["step"] for row in record.tables[table]))
        if found != wanted:
            here, there = (", ".join(map(str, steps[:20])) or "none" for steps in (found, wanted))
            raise Wrong(f"{table} has the steps {here}, but {RUN} chose the steps {there}")
        if table == BY_SAMPLE:
            named = [(row["step"], row["parameter"]) for row in record.tables[table]]
            _compare(table, named, ((step, name) for step in wanted for name in record.names))
    return len(record.tables[CHAIN]) + len(record.tables[BY_SAMPLE])


def free(record: Record) -> Iterator[tuple[str, bool]]:
    """Entries of run.json on which no number of the tables depends, so that nothing could prove them."""
    run, batches, model = record.run, record.batches, record.run["model"]
    yield "seed", not batches.shuffled
    yield "batch_size", run.get("batch_size") is not None and batches.size >= record.data.size
    yield "epochs", (run.get("epochs") or math.inf) * batches.per_epoch > record.last
    yield "every", run["every"] >= record.last
    yield "weights_every", run.get("weights_every") is not None and (not record.kept() or run["weights_every"] >= record.last)
    yield "model.seed", "type" not in model and model["init"] in ("explicit", "zeros")


def kept(record: Record) -> None:
    """Weights of arrays are kept at the start, at every so many steps, and at the end."""
    steps, every = record.kept(), record.run.get("weights_every")
    if not record.in_arrays or not steps:
        return
    if every is None:
        raise Wrong(f"{WEIGHTS}/step_{steps[0]:06d}.npz is there, but by {RUN} none are kept")
    for step in steps:
        if step % every and step != record.last:
            raise Wrong(f"{WEIGHTS}/step_{step:06d}.npz is there, but weights are kept every {every} steps")
    gone = [step for step in range(0, record.last + 1, every) if step not in set(steps)]
    if gone:
        record.gap(f"weights after step {gone[0]}", f"{RUN} says that they are kept")


def _compare(table: str, found: Sequence[tuple[int, str]], wanted: Iterator[tuple[int, str]]) -> None:
    for number, (got, should) in enumerate(zip_longest(found, wanted), start=1):
        if got != should:
            raise Wrong(f"{table}, row {number}: here is {_named(got)}, and here should be {_named(should)}")


def _named(row: Any) -> str:
    return f"step {row[0]}, {plainly(row[1])}" if row else "no row"


def same_data(record: Record) -> None:
    """Is data.csv the file that was written before the first step? Rows on which no number depends would be free otherwise."""
    path, told = record.folder / DATA, record.run.get("data_sha256")
    if not path.is_file():
        return  # what that leaves unchecked, each check says
    if told is None:
        record.gap(DATA, f"{RUN} has no SHA-256 of it")
    elif told != digest(read_whole(path, MOST)):
        raise Wrong(f"{DATA} is not the file that was trained: {RUN} has another SHA-256 of it")
