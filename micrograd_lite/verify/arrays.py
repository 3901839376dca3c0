"""Models on arrays: gradients, updates and flat activations, derived again from the weights that are kept.

Nothing of an array's gradient or update is written down but its length. Where the weights before a step are kept and the
data are in the trace, our own derivative gives the gradient, and with it the optimizer's formula gives the update, number
by number; what an optimizer remembers is carried along from the first step, so there no step's weights may be missing.

Arrays add in another order, in 32 bits perhaps: beside each number goes how far it may be off at most.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from micrograd_lite.trace.folder import LAYERS, METRICS, WEIGHTS
from micrograd_lite.verify.derivative import SLOPES, Derived
from micrograd_lite.verify.evidence import NotChecked, NotHere, Wrong, plainly, shown, within, wrong
from micrograd_lite.verify.metrics import halves
from micrograd_lite.verify.network import ROOM, Network, network
from micrograd_lite.verify.optimizers import FORMULAS, decayed, divided, rate, steps
from micrograd_lite.verify.record import Record

FLAT = 0.01
"""A slope below this lets hardly anything through."""

ROUNDINGS = 64.0
"""Units by which an optimizer's arithmetic may differ from ours; it multiplies in another order."""

Numbers = dict[str, float]


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
    """The optimizer again, weight by weight, and beside each number that it remembers how far that may be off at most."""

    def __init__(self, record: Record) -> None:
        self.record, self.given = record, record.run["optimizer"]
        self.name = str(self.given.get("name"))
        self.remembers: list[str] = record.run["optimizer_memory"]
        self.memory: dict[str, tuple[Numbers, Numbers]] = {}
        self.skipped = 0
        narrow = record.unit > 2.0**-30
        self.tiny, self.huge = (1e-18, 1e18) if narrow else (1e-153, 1e153)  # squares vanish, overflow
        self.faded = 1e-30 if narrow else 0.0  # what has faded so far may be 0 in 32 bits
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
        unit, decay = self.record.unit, self.given["weight_decay"]
        for name, update in moved.items():
            nothing = dict.fromkeys(self.remembers, 0.0)
            memory, errors = self.memory.setdefault(name, (nothing, {**nothing}))
            row = {"gradient": parts.total[name], "before": parts.state[name], "step": step}
            slope = row["gradient"] if self.name == "AdamW" else decayed(self.given, row)
            doubt = parts.room[name] + unit * 8.0 * (abs(row["gradient"]) + decay * abs(row["before"])) + self.tiny
            terms: dict[str, Any] = {**{f"{column}_before": number for column, number in memory.items()}, **memory}
            for column, number, _ in FORMULAS[self.name](self.given, row, terms, lr):
                terms[column] = number
            memory.update({column: terms[column] for column in memory})
            self._drift(memory, errors, slope, doubt)
            room = self._room(memory, errors, slope, doubt, lr, step) + 2.0 * off[name]
            room += unit * ROUNDINGS * (abs(terms["update"]) + lr * decay * abs(row["before"]))
            if abs(row["gradient"]) > self.huge or not math.isfinite(room):
                self.skipped += 1
            elif abs(update - terms["update"]) > room:
                where = f"{WEIGHTS}/step_{step:06d}.npz"
                why = f"but by {self.name}'s formula and our own derivative it should by {shown(terms['update'])}"
                raise Wrong(f"{where}: {plainly(name)} has moved by {shown(update)}, {why}")

    def _drift(self, memory: Numbers, errors: Numbers, slope: float, doubt: float) -> None:
        """Each error fades as its number does, and has what the new slope's doubt and roundings add."""
        betas = self.given.get("betas", (0.0, 0.0))
        keep = {"velocity": self.given.get("momentum"), "square": self.given.get("alpha"), "first": betas[0], "second": betas[1]}
        for column, error in errors.items():
            new = doubt * (2.0 * abs(slope) + doubt) if column in ("square", "second") else doubt
            new *= 1.0 if column == "velocity" else 1.0 - keep[column]
            errors[column] = keep[column] * error + new + ROUNDINGS * self.record.unit * abs(memory[column]) + self.faded

    def _room(self, memory: Numbers, errors: Numbers, slope: float, doubt: float, lr: float, step: int) -> float:
        """How far the update may be off: the top of a quotient by its error, its bottom at both ends of what it may be."""
        if self.name == "SGD":
            off = errors.get("velocity", doubt)
            return float(lr * (doubt + self.given["momentum"] * off if self.given["nesterov"] else off))
        top, top_off, grown, squares = abs(slope), doubt, 1.0, "square"
        if self.name != "RMSprop":
            (beta1, beta2), squares = self.given["betas"], "second"
            corrects = self.given["bias_correction"]
            scale, grown = (1.0 / (1.0 - beta**step) if corrects else 1.0 for beta in (beta1, beta2))
            top, top_off = abs(memory["first"]) * scale, errors["first"] * scale
        low, high = (math.sqrt(max(memory[squares] + off, 0.0) * grown) for off in (-errors[squares], errors[squares]))
        fastest, slowest = divided(lr, low + self.given["eps"]), divided(lr, high + self.given["eps"])
        return fastest * top_off + (fastest - slowest) * top


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
