"""The backward sweep: every share is a partial times an upstream slope, and every total is the sum of its shares.

In a sweep a node gives its parents their shares (it pays them) only when all its own uses have given theirs. Then its
upstream slope is the last of its totals, and the last totals of the parameters are the gradient.
"""

from __future__ import annotations

import math
import re
from typing import Any

from micrograd_lite.trace.folder import BY_SAMPLE, CHAIN, GRADIENTS, METRICS
from micrograd_lite.verify.derivative import Derived, added, derived
from micrograd_lite.verify.evidence import NotChecked, NotHere, Wrong, place, same, within, wrong
from micrograd_lite.verify.network import network
from micrograd_lite.verify.record import Record, Row

UNKNOWN = 2.0**-26
"""How much of a step's largest number shares may lose that cancel inside a sample, where the model is not known."""


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
    looked, blind = 0, []
    for rows in _sweeps(record):
        step, top = rows[0]["step"], rows[0]
        metrics = record.metrics.get(step)
        if metrics is not None and not same(top["value"], metrics["loss"]):
            raise wrong(CHAIN, top, "value", metrics["loss"], f"the loss in {METRICS} is")
        blind += [] if record.before(step) else [step]
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
    if blind:
        record.gap(f"weights in {CHAIN} at step {', '.join(map(str, blind))}", f"they are not in {GRADIENTS}")
    if record.data.inputs is None:
        record.gap(f"samples in {CHAIN}", record.absent)
    return looked


def samples(record: Record) -> int:
    """gradients_by_sample.csv: a gradient is that of gradients.csv, and the sum of its shares, the last sample first.

    Each share is the slope of that sample's cost, by our own derivative.
    """
    table, known = BY_SAMPLE, None
    if not record.tables[table]:
        raise NotHere("no step was chosen for it")
    try:
        known = network(record)
    except NotChecked as error:
        record.gap("each sample's share", str(error))
    for step, rows in record.by_sample.items():
        parts = derived(record, known, step) if known else None
        if known and parts is None:
            record.gap(f"each sample's share at step {step}", "its weights are not written down")
        for row in rows.values():
            there = record.gradients.get(step, {}).get(row["parameter"])
            if there is not None and not same(row["gradient"], there["gradient"]):
                raise wrong(table, row, "gradient", there["gradient"], f"in {GRADIENTS} it is")
            paid = [row[column] for column in row if column.startswith("sample")]
            wanted = record.batches.count(step)
            if any(share != share for share in paid[:wanted]) or any(share == share for share in paid[wanted:]):
                raise Wrong(f"{place(table, row)}: here should be the shares of the {wanted} samples of this step, and no more")
            total = 0.0
            for share in reversed(paid[:wanted]):
                total += share
            lost = _lost(record, row, parts, wanted)
            if lost < math.inf and not within(row["gradient"], total, lost):
                raise wrong(table, row, "gradient", total, "the shares of the samples add up to")
            for sample, share in enumerate(paid[:wanted]):
                if parts and not parts.agrees_on(sample, row["parameter"], share):
                    ours = parts.shares[sample][row["parameter"]]
                    raise wrong(table, row, f"sample{sample}", ours, "by our own derivative it is")
    return len(record.tables[table])


def _lost(record: Record, row: Row, parts: Derived | None, count: int) -> float:
    """How far the sum of a row's shares may be from the gradient, which was added up in the order of the sweep.

    A weight with one place has one share in each sample, and the same order: to the last bit. Where a sample uses it more
    than once each addition may round, by the sizes of what is added; they are not known where the model is not.
    """
    tied = [name for name, first in record.run["tied"].items() if first == row["parameter"]]
    if "type" in record.run["model"] and record.run["model"]["type"] not in ("Layer", "Neuron"):
        largest = max(abs(number) for other in record.by_sample[row["step"]].values() for number in other.values()
                      if isinstance(number, float))  # fmt: skip
        return UNKNOWN * largest
    if not tied or parts is None:
        return 0.0 if not tied else math.inf
    size = added(parts.sizes)[row["parameter"]]
    return count * (1 + len(tied)) * 2.0**-52 * size


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


