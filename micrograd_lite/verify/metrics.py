"""The numbers of each whole step: lengths of gradient and update, loss, what the slope promised, what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from micrograd_lite.trace.folder import GRADIENTS, LAYERS, METRICS
from micrograd_lite.verify.evidence import NotChecked, NotHere, near, same, within, wrong
from micrograd_lite.verify.network import ROOM, Network, Reached, network, only
from micrograd_lite.verify.optimizers import steps
from micrograd_lite.verify.record import Record
from micrograd_lite.verify.samples import Samples

NARROW = 1e-4
"""How near to its border a decision of an array model may fall either way."""


def norms(record: Record) -> int:
    """Lengths of gradient and update are the square roots of the sums of squares of the rows below them."""
    parts = (record.layers, ("gradient_norm", "update_norm")) if record.in_arrays else (record.gradients, ("gradient", "update"))
    tables, columns = parts
    looked = 0
    for row in record.tables[METRICS]:
        rows = tables.get(row["step"], {})
        if len(rows) != len(record.names):
            continue
        looked += 1
        # Each square and each addition rounds once; the arrays add their squares in another order, in their own precision.
        units = 8.0 + len(rows) if not record.in_arrays else (64.0 + 4.0 * math.sqrt(weights(record))) * record.unit / 2.0**-52
        for name, column in zip(("gradient_norm", "update_norm"), columns):
            wanted = math.hypot(*(part[column] for part in rows.values()))
            if not near(row[name], wanted, units):
                raise wrong(METRICS, row, name, wanted, f"the rows of {LAYERS if record.in_arrays else GRADIENTS} give")
    missing = len(record.tables[METRICS]) - looked
    if missing and record.names:
        table = LAYERS if record.in_arrays else GRADIENTS
        record.gap(f"lengths of gradient and update of {steps(missing)}", f"their rows are not in {table}")
    return looked


def weights(record: Record) -> int:
    """How many numbers a model of arrays has."""
    widths = [record.run["model"]["inputs"], *record.run["model"]["outputs_per_layer"]]
    count = 0
    for inputs, neurons in pairwise(widths):
        count += (inputs + 2) * neurons
    return count


def loss(record: Record) -> int:
    """The loss of each step, by a forward pass of our own with the weights before it."""
    if record.by_hand:
        return record.told_by_edges("loss")  # it stands at the top of them
    known = network(record)
    return _each(record, "loss", lambda row: _loss(record, known, record.before(row["step"]), row["step"], row["loss"]))


def measured_change(record: Record) -> int:
    """How the loss of the same samples changed: to the next loss where a step takes them all, else by our forward pass."""
    if "measured_change" not in record.run["evaluation"]:
        raise NotHere("it was not asked for")
    try:
        known = network(record)
    except NotChecked as error:
        if not record.batches.whole or record.in_arrays:
            raise
        known = None
        record.gap("the last step's measured change", str(error))

    def change(row: dict[str, Any]) -> tuple[float, float] | None:
        following = record.metrics.get(row["step"] + 1)
        if record.batches.whole and following is not None and not record.in_arrays:
            return following["loss"] - row["loss"], 0.0
        state = record.after(row["step"]) if known else None
        found = _loss(record, known, state, row["step"], row["loss"] + row["measured_change"])
        return found and (found[0] - row["loss"], found[1])

    return _each(record, "measured_change", change)


def predicted_change(record: Record) -> int:
    """The slope's promise: gradient * update, added up over the parameters in their order, to the bit."""

    def change(row: dict[str, Any]) -> tuple[float, float] | None:
        rows, total = record.gradients.get(row["step"], {}), 0.0
        for part in rows.values():
            total += part["gradient"] * part["update"]
        return (total, 0.0) if len(rows) == len(record.names) else None

    if "predicted_change" not in record.run["evaluation"]:
        raise NotHere("it was not asked for")
    if record.in_arrays:
        raise NotHere("of arrays it is checked with their moves")
    return _each(record, "predicted_change", change)


def evaluation(record: Record) -> int:
    """Loss on the test data and shares of right decisions, with the weights after the step."""
    columns = (("test_loss", record.testing), ("train_accuracy", record.data), ("test_accuracy", record.testing))
    asked = [(column, data) for column, data in columns if column in record.run["evaluation"]]
    if not asked:
        raise NotHere("nothing was evaluated")
    known, looked = network(record), 0
    for column, data in asked:
        if data is None or data.inputs is None:
            record.gap(column, "the test data are not in the trace" if data is None else record.absent)
            continue
        looked += _each(record, column, lambda row: _evaluated(record, known, row, column, data))  # noqa: B023
    return looked


def _evaluated(record: Record, known: Network, row: dict[str, Any], column: str, data: Samples) -> tuple[float, float] | None:
    state = record.after(row["step"])
    if state is None:
        return None
    if column == "test_loss":
        return _room(record, known, state, data, range(data.size), row[column])
    decisions = []
    for inputs, target in zip(data.inputs or [], data.targets or []):
        outputs = known.reached(state, inputs, record.floats, ROOM * record.unit)[-1]
        decisions.append(_decision(record.run["loss"], outputs, target, record.data.targets or []))
    right, close = ([told[part] for told in decisions].count(True) for part in range(2))
    # Arrays add in another order, in 32 bits perhaps: a narrow decision may fall otherwise there.
    return right / len(decisions), halves(close, len(decisions)) if record.in_arrays else 0.0


def halves(close: int, count: int) -> float:
    """How far a share of `count` may be off where so many may be either way: half a one more, because a share is rounded."""
    return (close + 0.5) / count if close else 0.0


def _decision(loss: str, reached: Sequence[Reached], target: Any, trained: Sequence[Any]) -> tuple[bool, bool]:
    """Is the decision right, and is it a narrow one? trained: the targets of the training data, whose middle is the border."""
    outputs, off = [output.value for output in reached], max(output.off for output in reached)
    if len(outputs) > 1:
        wanted = target if loss == "cross_entropy" else target.index(max(target))
        top = max(range(len(outputs)), key=outputs.__getitem__)  # the first of equals; NaN is above nothing
        second, first = sorted(outputs)[-2:]
        return top == wanted, not first - second > max(NARROW * max(1.0, abs(first)), 2.0 * off)
    if loss in ("binary_cross_entropy", "hinge"):
        border, middle = 0.0, 0.5 if loss == "binary_cross_entropy" else 0.0
    else:
        numbers = [only(other) for other in trained]
        border = middle = (min(numbers) + max(numbers)) / 2.0
    close = not abs(outputs[0] - border) > max(NARROW * max(1.0, abs(outputs[0])), off)
    return (outputs[0] > border) == (only(target) > middle), close


def _loss(record: Record, known: Network | None, state: Any, step: int, written: float) -> tuple[float, float] | None:
    if state is None or known is None:
        return None
    return _room(record, known, state, record.data, record.batches.rows(step), written)


def _room(record: Record, known: Network, state: Any, data: Samples, rows: Sequence[int], written: float) -> tuple[float, float]:
    """Our own loss, and, where it is not what is written, how far roundings may move it."""
    found = known.loss(state, data, rows)
    if same(found, written):
        return found, 0.0
    off = known.loss_off(state, data, rows, record.floats)
    if record.in_arrays and not math.isfinite(written) and not off + abs(found) * len(rows) < record.floats.most:
        return written, 0.0  # 32 bits, or a sum in another order, overflow where ours do not
    return found, off


def _each(record: Record, column: str, wanted: Callable[[dict[str, Any]], tuple[float, float] | None]) -> int:
    """Compare a column of metrics.csv, where it is filled, with what it should be and how far it may be from that."""
    looked = blind = blurred = 0
    for row in record.tables[METRICS]:
        if row.get(column) is None:
            continue
        found = wanted(row)
        if found is None:
            blind += 1
            continue
        if not same(row[column], found[0]) and not found[1] < math.inf:
            blurred += 1
            continue
        looked += 1
        if not within(row[column], *found):
            raise wrong(METRICS, row, column, found[0], "by our own arithmetic it is")
    if blind:
        record.gap(f"{column} of {steps(blind)}", "the weights are not written down there")
    if blurred:
        record.gap(f"{column} of {steps(blurred)}", "its numbers are so large that roundings may make it anything")
    return looked
