"""Weights move by their updates and by nothing else, and updates follow the optimizers' formulas, written again here:
each term from the terms before it in its row.

Sources: Polyak 1964 and Sutskever et al. 2013 (momentum, Nesterov), Tieleman and Hinton 2012 (RMSprop), Kingma and Ba
2015 (Adam), Loshchilov and Hutter 2019 (AdamW, which shrinks the weight itself instead of bending its gradient).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from micrograd_lite.trace.folder import GRADIENTS, LAYERS, METRICS, OPTIMIZER
from micrograd_lite.verify.evidence import NotChecked, NotHere, Wrong, near, place, plainly, same, shown, within, wrong
from micrograd_lite.verify.reading import numeral
from micrograd_lite.verify.record import Record, Row

Term = tuple[str, float, float]
"""A column, what it should be, and how far it may be from that because a power takes part."""


def steps(count: int) -> str:
    """`1 step`, `2 steps`."""
    return f"{count} step{'s' if count > 1 else ''}"


def rate(settings: Mapping[str, Any], step: int) -> float:
    """The learning rate of a step, by the schedule in run.json. NotHere for a schedule of the user's own."""
    lr = settings["lr"]
    if not isinstance(lr, dict):
        return numeral(lr)
    if lr["schedule"] == "StepDecay":
        return float(lr["lr"] * lr["factor"] ** ((step - 1) // lr["every"]))
    if lr["schedule"] == "Cosine":
        turned = math.pi * (min(step - 1, lr["steps"]) / lr["steps"])
        return float(lr["final"] + (lr["lr"] - lr["final"]) * (1.0 + math.cos(turned)) / 2.0)
    raise NotChecked(f"no formula is known for the schedule {plainly(str(lr['schedule']))}")


def sgd(given: Mapping[str, Any], row: Row, terms: Row, lr: float) -> Iterator[Term]:
    """velocity = momentum * velocity_before + slope; update = -lr * velocity, or of the next velocity (Nesterov)."""
    slope = decayed(given, row)
    velocity = given["momentum"] * terms.get("velocity_before", 0.0) + slope
    if "velocity" in terms:
        yield "velocity", velocity, 0.0
    yield "update", -lr * (slope + given["momentum"] * velocity if given["nesterov"] else velocity), 0.0


def rmsprop(given: Mapping[str, Any], row: Row, terms: Row, lr: float) -> Iterator[Term]:
    """square = alpha * square_before + (1 - alpha) * slope**2; rate = lr / (sqrt(square) + eps); update = -rate * slope."""
    slope = decayed(given, row)
    yield "square", given["alpha"] * terms["square_before"] + (1.0 - given["alpha"]) * slope * slope, 0.0
    yield "rate", divided(lr, root(terms["square"]) + given["eps"]), 0.0
    yield "update", -terms["rate"] * slope, 0.0


def adam(given: Mapping[str, Any], row: Row, terms: Row, lr: float, decoupled: bool = False) -> Iterator[Term]:
    """Running means of the slope and its square, corrected for their start at 0; update = -rate * first_corrected."""
    slope = row["gradient"] if decoupled else decayed(given, row)
    beta1, beta2 = given["betas"]
    yield "first", beta1 * terms["first_before"] + (1.0 - beta1) * slope, 0.0
    yield "second", beta2 * terms["second_before"] + (1.0 - beta2) * slope * slope, 0.0
    for name, beta in (("first", beta1), ("second", beta2)):
        kept = beta ** row["step"] if given["bias_correction"] else 0.0
        corrected = terms[name] / (1.0 - kept)
        nudged = terms[name] / (1.0 - math.nextafter(kept, 0.0))  # what another library's power may make of it
        yield f"{name}_corrected", corrected, 2.0 * abs(corrected - nudged)
    yield "rate", divided(lr, root(terms["second_corrected"]) + given["eps"]), 0.0
    update = -terms["rate"] * terms["first_corrected"]
    if decoupled and given["weight_decay"]:
        update -= lr * given["weight_decay"] * row["before"]
    yield "update", update, 0.0


def adamw(given: Mapping[str, Any], row: Row, terms: Row, lr: float) -> Iterator[Term]:
    """Adam, whose update also has -lr * weight_decay * before."""
    return adam(given, row, terms, lr, decoupled=True)


def decayed(given: Mapping[str, Any], row: Row) -> float:
    """The gradient plus weight_decay * before."""
    gradient: float = row["gradient"]
    return gradient + given["weight_decay"] * row["before"] if given["weight_decay"] else gradient


def divided(lr: float, size: float) -> float:
    """lr / size, inf for size 0: with eps = 0, where the gradient has always been 0."""
    return lr / size if size else math.inf


def root(number: float) -> float:
    """The square root; NaN below 0."""
    return math.sqrt(number) if number >= 0.0 else math.nan


FORMULAS: dict[str, Callable[..., Iterator[Term]]] = {"SGD": sgd, "RMSprop": rmsprop, "Adam": adam, "AdamW": adamw}


def update(record: Record) -> int:
    """The update, and every term on the way to it, is the optimizer's arithmetic with the settings of run.json."""
    settings, looked, lr, last = record.run["optimizer"], 0, 0.0, 0
    name, remembers = settings.get("name"), bool(record.run["optimizer_memory"])
    if record.in_arrays or not record.names:
        raise NotHere("updates are not written down one by one")
    if record.by_hand:
        raise NotChecked("the updates were made by hand")
    if name not in FORMULAS:
        raise NotChecked(f"no formula is known for {plainly(str(name))}")
    for row in record.tables[GRADIENTS]:
        step = row["step"]
        terms = record.optimizer.get(step, {}).get(row["parameter"]) if remembers else {}
        if terms is None:
            continue  # a missing row is the business of complete.py
        if step != last:
            lr, last = rate(settings, step), step
            written = record.metrics.get(step, {}).get("learning_rate", lr)
            lr = written if near(written, lr) else lr  # the last digits of a schedule's cosine are the system's
        for column in ("gradient", "update"):
            if terms and not same(terms[column], row[column]):
                raise wrong(OPTIMIZER, terms, column, row[column], f"in {GRADIENTS} it is")
        table, there = (OPTIMIZER, terms) if terms else (GRADIENTS, row)
        for column, wanted, off in FORMULAS[name](settings, row, terms, lr):
            if not within(there[column], wanted, off):
                raise wrong(table, there, column, wanted, f"by {name}'s formula it should be")
        looked += 1
    return looked


def memory(record: Record) -> int:
    """What an optimizer remembers at the start of a step is what it knew at the end of the step before; at first, 0."""
    remembered = [column for column in next(iter(record.tables[OPTIMIZER]), {}) if column.endswith("_before")]
    if record.in_arrays:
        raise NotHere("an array's memory is not written down")
    if not remembered:
        raise NotHere("this optimizer remembers nothing, or nothing of it is written down")
    looked, jumps = 0, set()
    for row in record.tables[OPTIMIZER]:
        last = record.optimizer.get(row["step"] - 1, {}).get(row["parameter"])
        for column in remembered if last is not None or row["step"] == 1 else ():
            wanted = 0.0 if last is None else last[column.removesuffix("_before")]
            looked += 1
            if not same(row[column], wanted):
                why = "a new optimizer starts at" if last is None else f"after step {row['step'] - 1} it was"
                raise wrong(OPTIMIZER, row, column, wanted, why)
        if last is None and row["step"] > 1:
            jumps.add(row["step"])
    if jumps:
        record.gap(f"what the optimizer remembers before {steps(len(jumps))}", "the step before is not recorded")
    return looked


def learning_rate(record: Record) -> int:
    """The learning rate of each step is that of the schedule in run.json; a cosine or a power to a few units."""
    for row in record.tables[METRICS] if record.by_hand else ():
        if not math.isnan(row["learning_rate"]):
            raise wrong(METRICS, row, "learning_rate", math.nan, "a loop of one's own does not tell it, so it should be")
    if record.by_hand:
        raise NotHere("a loop of one's own does not tell it")
    for row in record.tables[METRICS]:
        wanted = rate(record.run["optimizer"], row["step"])
        if not near(row["learning_rate"], wanted):
            raise wrong(METRICS, row, "learning_rate", wanted, "by the schedule it should be")
    return len(record.tables[METRICS])


def after(record: Record) -> int:
    """after = before + update, to the bit, in finite numbers: training stops before there are others.

    By hand it is the other way round, update = after - before, and the last step may end anywhere.
    """
    for row in _rows(record):
        if record.by_hand:
            if not same(row["update"], row["after"] - row["before"]):
                raise wrong(GRADIENTS, row, "update", row["after"] - row["before"], "after - before is")
            if math.isfinite(row["before"]) and math.isfinite(row["gradient"]):
                continue
            raise Wrong(f"{place(GRADIENTS, row)}: before is {shown(row['before'])} and gradient {shown(row['gradient'])}, "
                        "but a step is refused where either is not finite")  # fmt: skip
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
    jumps = [step for step in record.gradients if step > 1 and step - 1 not in record.gradients]
    if jumps:
        record.gap(f"how the weights came to be before {steps(len(jumps))}", "the step before is not recorded")
    return looked


def _rows(record: Record) -> list[Row]:
    if not record.tables[GRADIENTS]:
        raise NotHere(f"a model of arrays has {LAYERS} instead" if record.in_arrays else "no parameter is trained")
    return record.tables[GRADIENTS]
