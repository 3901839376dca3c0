"""The backward sweep: every share is a partial times an upstream slope, and every total is the sum of its shares.

In a sweep a node gives its parents their shares (it pays them) only when all its own uses have given theirs. Then its
upstream slope is the last of its totals, and the last totals of the parameters are the gradient.
"""

from __future__ import annotations

import re
from typing import Any

from micrograd_lite.trace.folder import BY_SAMPLE, CHAIN, GRADIENTS, METRICS
from micrograd_lite.verify.evidence import NotHere, Wrong, place, same, within, wrong
from micrograd_lite.verify.record import Record, Row


def order(record: Record) -> int:
    """Rows are numbered; a node's rows stand together, agree, and come after all rows that pay it; a node has one value."""
    for rows in _sweeps(record):
        last_paid = {row["parent"]: number for number, row in enumerate(rows, start=1)}
        heads: dict[str, Row] = {}
        values: dict[str, float] = {}
        previous = None
        for number, row in enumerate(rows, start=1):
            node, head = row["node"], heads.setdefault(row["node"], row)
            if row["order"] != number:
                raise wrong(CHAIN, row, "order", number, "rows are counted without gaps, so it should be")
            if head is not row and node != previous:
                raise Wrong(f"{place(CHAIN, row)}: the rows of a node stand together, but others came since row {head['order']}")
            if last_paid.get(node, 0) >= number:
                raise Wrong(f"{place(CHAIN, row)}: this node pays before it is paid in full, in row {last_paid[node]}")
            for column in ("operation", "formula"):
                if row[column] != head[column]:
                    raise wrong(CHAIN, row, column, head[column], f"in row {head['order']} of the same node it is")
            for column, name in (("value", node), ("parent_value", row["parent"])):
                if not same(row[column], values.setdefault(name, row[column])):
                    raise wrong(CHAIN, row, column, values[name], "in an earlier row that number is")
            previous = node
    return len(record.tables[CHAIN])


def shares(record: Record) -> int:
    """share = partial * upstream, total = the total before + share, upstream = the node's last total (1.0 at the top)."""
    for rows in _sweeps(record):
        totals = {rows[0]["node"]: 1.0}
        for row in rows:
            if not same(row["upstream"], totals.get(row["node"])):
                raise wrong(CHAIN, row, "upstream", totals.get(row["node"]), "the last total that this node was paid is")
            if not same(row["share"], row["partial"] * row["upstream"]):
                raise wrong(CHAIN, row, "share", row["partial"] * row["upstream"], "partial * upstream is")
            total = totals.get(row["parent"], 0.0) + row["share"]
            if not same(row["total"], total):
                raise wrong(CHAIN, row, "total", total, "the shares so far add up to")
            totals[row["parent"]] = total
    return len(record.tables[CHAIN])


def leaves(record: Record) -> int:
    """The sweep starts at the loss of its step, from the step's weights and samples, and ends at its gradients."""
    looked = 0
    for rows in _sweeps(record):
        step, top = rows[0]["step"], rows[0]
        metrics = record.metrics.get(step)
        if metrics is not None and not same(top["value"], metrics["loss"]):
            raise wrong(CHAIN, top, "value", metrics["loss"], f"the loss in {METRICS} is")
        made, known, paid = {row["node"] for row in rows}, _numbers(record, step), {}
        for row in rows:
            name = row["parent"]
            if name in known and name not in made:
                looked += 1
                paid[name] = row
                if not same(row["parent_value"], known[name]):
                    raise wrong(CHAIN, row, "parent_value", known[name], "the step's weights and data say")
        for name, row in paid.items():
            there = record.gradients.get(step, {}).get(name)
            if there is not None and not same(row["total"], there["gradient"]):
                raise wrong(CHAIN, row, "total", there["gradient"], f"this is its last one, and its gradient in {GRADIENTS} is")
    if not looked:
        raise NotHere("no leaf is a parameter or an input that is written down elsewhere")
    return looked


def samples(record: Record) -> int:
    """gradients_by_sample.csv: a gradient is that of gradients.csv, and the sum of its shares, the last sample first."""
    table = BY_SAMPLE
    if not record.tables[table]:
        raise NotHere("no step was chosen for it")
    for row in record.tables[table]:
        there = record.gradients.get(row["step"], {}).get(row["parameter"])
        if there is not None and not same(row["gradient"], there["gradient"]):
            raise wrong(table, row, "gradient", there["gradient"], f"in {GRADIENTS} it is")
        paid = [row[column] for column in row if column.startswith("sample")]
        wanted = record.batches.count(row["step"])
        if None in paid[:wanted] or paid[wanted:].count(None) != len(paid) - wanted:
            raise Wrong(f"{place(table, row)}: here should be the shares of the {wanted} samples of this step, and no more")
        total, size = 0.0, 0.0
        for share in reversed(paid[:wanted]):
            total += share
            size += abs(share)
        # A weight that a sample uses more than once is paid in another order there: then each addition may round.
        off = 0.0 if record.run["model"].get("type", "MLP") == "MLP" and not record.run["tied"] else wanted * 2.0**-52 * size
        if not within(row["gradient"], total, off):
            raise wrong(table, row, "gradient", total, "the shares of the samples add up to")
    return len(record.tables[table])


def _numbers(record: Record, step: int) -> dict[str, float]:
    """The leaves of a step that other files know: parameters by name, and its samples' inputs and targets."""
    known: dict[str, Any] = dict(record.before(step) or {})
    if record.data.inputs is not None and record.data.targets is not None:
        for position, row in enumerate(record.batches.rows(step)):
            target = record.data.targets[row]
            known |= {f"sample{position}.x{column}": x for column, x in enumerate(record.data.inputs[row])}
            known |= {f"sample{position}.y": target} if isinstance(target, float) else {}
            known |= {f"sample{position}.y{column}": y for column, y in enumerate(target)} if isinstance(target, list) else {}
    return {name: number for name, number in known.items() if not re.fullmatch(r"v\d+", name)}  # v7 names any node


def _sweeps(record: Record) -> list[list[Row]]:
    if not record.chain:
        raise NotHere("no step was chosen for it")
    return list(record.chain.values())


