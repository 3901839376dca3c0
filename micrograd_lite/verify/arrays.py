"""Models on arrays: gradients, updates and flat activations, derived again from the weights that are kept.

Nothing of an array's gradient or update is written down but its length. Where the weights before a step are kept and the
data are in the trace, our own derivative gives the gradient, and with it the optimizer's formula gives the update, number
by number; what an optimizer remembers is carried along from the first step, so there no step's weights may be missing.

Arrays add in another order, in 32 bits perhaps: beside each number goes how far it may be off, and the formulas are worked
out for a gradient that is so much larger and so much smaller too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from micrograd_lite.trace.folder import LAYERS, METRICS, WEIGHTS
from micrograd_lite.verify.derivative import SLOPES, Derived
from micrograd_lite.verify.evidence import NotChecked, NotHere, Wrong, plainly, shown, within, wrong
from micrograd_lite.verify.metrics import halves
from micrograd_lite.verify.network import ROOM, Network, network
from micrograd_lite.verify.optimizers import FORMULAS, rate, steps
from micrograd_lite.verify.record import Record

FLAT = 0.01
"""A slope below this lets hardly anything through."""

ROUNDINGS = 64.0
"""Units by which an optimizer's arithmetic may differ from ours; it multiplies in another order."""

Numbers = dict[str, float]
Memory = list[dict[str, float]]


def moves(record: Record) -> int:
    """Lengths of gradients and updates, and every update, are those that follow from the kept weights."""
    if not record.in_arrays:
        raise NotHere("the model is not made of arrays")
    kept, known, blind, bare = set(record.kept()), _network(record), 0, 0
    replay = Replay(record) if known else None
    for step, row in record.metrics.items():
        if not {step - 1, step} <= kept:
            bare += 1
            replay = replay if replay and not replay.remembers else None
        before = record.before(step) if step - 1 in kept else None
        after = record.after(step) if step in kept else None
        parts = Derived(known, record, before, step) if known and before else None
        blind += parts is None
        if parts:
            _lengths(record, step, "gradient_norm", parts.total, parts.room)
        if before and after:
            moved = {name: after[name] - before[name] for name in after}
            off = {name: record.unit * (abs(after[name]) + abs(before[name])) for name in after}
            _lengths(record, step, "update_norm", moved, off)
            if parts and replay:
                replay.step(step, parts, moved, off)
            if parts and row.get("predicted_change") is not None:
                _predicted(row, parts, moved, off)
    _gaps(record, blind, bare, replay)
    return len(record.metrics) - min(blind, bare)


def _network(record: Record) -> Network | None:
    try:
        return network(record)
    except NotChecked as error:
        record.gap("gradients and updates of arrays", str(error))
        return None


def _gaps(record: Record, blind: int, bare: int, replay: Replay | None) -> None:
    """Say which steps nothing could be told of."""
    if record.data.inputs is None or not record.kept():
        return
    if blind:
        record.gap(f"gradients of {steps(blind)}", "the weights before are not kept")
    if bare:
        record.gap(f"updates of {steps(bare)}", "the weights before and after are not both kept")
    if (replay is None and bare < len(record.metrics)) or (replay and replay.skipped):
        why = "what it remembers is not written down" if replay is None else "they overflow, or are no numbers"
        record.gap("the optimizer's arithmetic on some weights", why)


def _lengths(record: Record, step: int, column: str, numbers: Numbers, room: Numbers) -> None:
    """The lengths in layers.csv and in metrics.csv."""
    tables = [(LAYERS, row, [name for name in numbers if array_of(name) == array])
              for array, row in record.layers.get(step, {}).items()]  # fmt: skip
    for table, row, names in [*tables, (METRICS, record.metrics[step], list(numbers))]:
        ours, off = math.hypot(*(numbers[name] for name in names)), math.hypot(*(room[name] for name in names))
        off += ROUNDINGS * record.unit * ours + math.sqrt(record.floats.least * len(names))  # smaller squares vanish
        if math.isfinite(row[column]) and abs(row[column] - ours) > off:
            raise wrong(table, row, column, ours, "by the kept weights and our own derivative it is")


def _predicted(row: dict[str, Any], parts: Derived, moved: Numbers, off: Numbers) -> None:
    """The slope's promise: gradient * update, added up."""
    ours = math.fsum(parts.total[name] * moved[name] for name in moved)
    room = parts.floats.least * len(moved)
    for name, update in moved.items():
        gradient, doubt = abs(parts.total[name]), parts.room[name]
        room += doubt * abs(update) + (gradient + doubt) * off[name] + ROUNDINGS * parts.unit * gradient * abs(update)
    if math.isfinite(row["predicted_change"]) and abs(row["predicted_change"] - ours) > room:
        raise wrong(METRICS, row, "predicted_change", ours, "by the kept weights and our own derivative it is")


def array_of(name: str) -> str:
    """`layer0.neuron1.w0` stands in the array `layer0.w`."""
    layer, _, kind = name.split(".")
    return f"{layer}.{kind.rstrip('0123456789')}"


class Replay:
    """The optimizer again, weight by weight: in the middle, and for gradients at both ends of what may be."""

    def __init__(self, record: Record) -> None:
        self.record, self.given = record, record.run["optimizer"]
        self.name = str(self.given.get("name"))
        self.remembers: list[str] = record.run["optimizer_memory"]
        self.memory: dict[str, Memory] = {}
        self.skipped = 0
        self.tiny, self.huge = (1e-18, 1e18) if record.unit > 2.0**-30 else (1e-153, 1e153)  # squares vanish, overflow
        if self.name not in FORMULAS:
            record.gap("updates of arrays", f"no formula is known for {plainly(self.name)}")

    def step(self, step: int, parts: Derived, moved: Numbers, off: Numbers) -> None:
        """Every update of a step. Wrong names the first that the optimizer's formula does not give."""
        if self.name not in FORMULAS:
            return
        try:
            lr = rate(self.given, step)
        except NotChecked as error:
            self.record.gap("updates of arrays", str(error))
            self.name = ""
            return
        decay = self.given["weight_decay"]
        for name, update in moved.items():
            memory = self.memory.setdefault(name, [dict.fromkeys(self.remembers, 0.0) for _ in range(3)])
            before, gradient = parts.state[name], parts.total[name]
            rounded = 8.0 * (abs(gradient) + decay * abs(before)) + ROUNDINGS * math.fsum(map(abs, memory[0].values()))
            doubt = parts.room[name] + self.record.unit * rounded + self.tiny
            ours = []
            for place, number in enumerate((gradient, gradient + doubt, gradient - doubt)):
                made, memory[place] = self._advance({"gradient": number, "before": before, "step": step}, memory[place], lr)
                ours.append(made)
            room = 2.0 * max(abs(other - ours[0]) for other in ours) + 2.0 * off[name]
            room += self.record.unit * ROUNDINGS * (abs(ours[0]) + lr * decay * abs(before))
            if abs(gradient) > self.huge or not math.isfinite(room):
                self.skipped += 1
            elif abs(update - ours[0]) > room:
                where = f"{WEIGHTS}/step_{step:06d}.npz"
                raise Wrong(f"{where}: {plainly(name)} has moved by {shown(update)}, "
                            f"but by {self.name}'s formula and our own derivative it should by {shown(ours[0])}")  # fmt: skip

    def _advance(self, row: Mapping[str, Any], memory: dict[str, float], lr: float) -> tuple[float, dict[str, float]]:
        terms: dict[str, Any] = {**{f"{name}_before": number for name, number in memory.items()}, **memory}
        for column, number, _ in FORMULAS[self.name](self.given, row, terms, lr):
            terms[column] = number
        return terms["update"], {name: terms[name] for name in memory}


def flat(record: Record) -> int:
    """activations_flat: the share of a layer's outputs, over samples and neurons, whose slope is under FLAT."""
    if not record.in_arrays:
        raise NotHere("the model is not made of arrays")
    known, kept, looked, blind = network(record), set(record.kept()), 0, 0
    for step, rows in record.layers.items():
        if step - 1 not in kept:
            blind += 1
            continue
        shares = list(_flat(record, known, step))
        for array, row in rows.items():
            looked += 1
            if not within(row["activations_flat"], *shares[int(array.partition(".")[0].removeprefix("layer"))]):
                wanted = shares[int(array.partition(".")[0].removeprefix("layer"))][0]
                raise wrong(LAYERS, row, "activations_flat", wanted, "by our own forward pass it is")
    if blind:
        record.gap(f"flat activations of {steps(blind)}", "the weights before are not kept")
    return looked


def _flat(record: Record, known: Network, step: int) -> Iterator[tuple[float, float]]:
    """For each layer the share of flat outputs, and of those that roundings could make flat or not."""
    state, inputs = record.before(step) or {}, record.data.inputs or []
    samples = [known.reached(state, inputs[row], record.floats, ROOM * record.unit) for row in record.batches.rows(step)]
    for layer, (activation, units) in enumerate(known.layers):
        count = close = 0
        for made in samples:
            for (_, _, slope), unit in zip(units, made[layer]):
                learned = () if slope is None else (state[slope],)
                steep = abs(SLOPES[activation](unit.total, unit.value, *learned)[0])
                count += steep < FLAT
                # no slope of the table changes faster than its operand, but for the kinks
                kinked = activation in ("relu", "prelu") and not abs(unit.total) > unit.total_off
                close += kinked or (activation != "leaky_relu" and not abs(steep - FLAT) > unit.total_off)
        total = len(samples) * len(units)
        yield (0.0, 0.0) if activation == "linear" else (count / total, halves(close, total))
