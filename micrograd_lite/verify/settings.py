"""Does run.json agree with itself and with the tables? Sizes and names, announced columns, targets that a loss takes."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from micrograd_lite.trace import kinds
from micrograd_lite.trace.folder import BY_SAMPLE, CHAIN, GRADIENTS, LAYERS, METRICS, OPTIMIZER, RUN
from micrograd_lite.trace.kinds import BY_HAND
from micrograd_lite.verify.complete import free, kept, same_data
from micrograd_lite.verify.evidence import Wrong, place, plainly
from micrograd_lite.verify.network import COSTS, architecture, names, parameter_names
from micrograd_lite.verify.record import COLUMNS, Record
from micrograd_lite.verify.samples import Samples, check_recipe

SAMPLES = ("inputs", "targets")  # those of data.csv
KEYS, DATA = frozenset(("format", "status", *kinds.RUN, *kinds.RUN_MAY)), frozenset((*kinds.DATA, *kinds.DATA_MAY, *SAMPLES))
OPTIONAL = frozenset((*kinds.RUN_MAY, *kinds.DATA_MAY, *SAMPLES))
"""Entries that are not in every run.json: of the run itself, and of its data."""
MODEL = {
    "MLP": {*kinds.MLP},
    "Layer": {"type", "inputs", "output", "neurons"},
    "Neuron": {"type", "inputs", "output"},
}
INITS = (None, "explicit", "he", "glorot", "uniform", "normal", "zeros")
SCHEDULES = {"StepDecay": {"schedule", "lr", "factor", "every"}, "Cosine": {"schedule", "lr", "steps", "final"}}
OPTIMIZERS = {
    # settings beside name and lr; what is remembered; the columns of optimizer.csv
    "SGD": (("momentum", "nesterov", "weight_decay"), ("velocity",), ("velocity_before", "velocity", "update")),
    "RMSprop": (("alpha", "eps", "weight_decay"), ("square",), ("square_before", "square", "rate", "update")),
    "Adam": (("betas", "eps", "weight_decay", "bias_correction"), ("first", "second"),
             ("first_before", "first", "second_before", "second", "first_corrected", "second_corrected", "rate", "update")),
}  # fmt: skip
OPTIMIZERS["AdamW"] = OPTIMIZERS["Adam"]
BELOW = {"momentum": 1.0, "alpha": 1.0, "eps": math.inf, "weight_decay": math.inf}
CHANGES = ["predicted_change", "measured_change"]
NOT_TOLD: dict[str, Any] = {"loss": BY_HAND, "optimizer": {"name": BY_HAND}, "optimizer_memory": [], "data": None, "test": None,
            "epochs": None, "batch_size": None, "shuffle": False, "evaluation": [], "by_sample": [], "fixed": {}}  # fmt: skip
"""What run.json says of a loop of one's own."""
SMALL = 100_000
"""A data set of up to so many numbers stands in data.csv."""


def settings(record: Record) -> int:
    """All that run.json says more than once, or that the tables say too, is said alike."""
    _known(record, RUN, record.run, KEYS)
    _agree("status", record.run["status"] in ("running", "finished", "interrupted", "failed"), record.run["status"])
    _model(record)
    _optimizer(record)
    if record.by_hand:  # all that nobody but the loop itself knows
        for name, unknown in NOT_TOLD.items():
            _agree(name, record.run.get(name) == unknown, record.run.get(name), "the updates were made by hand")
    for name in ("data", "test"):
        if record.run.get(name):
            _data(record, name, record.run[name], record.data if name == "data" else record.testing)
    same_data(record)
    _evaluation(record)
    _headers(record)
    kept(record)
    epochs = record.run.get("epochs")
    if epochs is not None:
        _agree("epochs", type(epochs) is int and record.last <= epochs * record.batches.per_epoch, epochs)
    record.free += [name for name, is_free in free(record) if is_free]
    return len(record.run)


def _agree(name: str, right: bool, got: Any, why: str = "that does not fit the rest of the trace") -> None:
    if not right:
        raise Wrong(f"{RUN}: {name} is {got!a:.100}, and {why}")


def _known(record: Record, where: str, found: Mapping[str, Any], known: Collection[str]) -> None:
    unknown = sorted(set(found) - set(known))
    if unknown:
        record.gap(f"{plainly(', '.join(unknown))} of {where}", "no such setting is known here")
    missing = sorted(set(known) - set(found) - OPTIONAL)
    if missing:
        raise Wrong(f"{RUN}: {', '.join(missing)} of {where} {'is' if len(missing) == 1 else 'are'} missing")


def _model(record: Record) -> None:
    model, named = record.run["model"], names(record)
    _agree("parameters", len(set(named)) == len(named), named, "a parameter is named twice")
    firsts = list(record.run["tied"].values())
    _agree("tied", all(isinstance(first, str) and first in (*record.names, *record.run["fixed"]) for first in firsts), firsts)
    layers = architecture(model, named)
    if layers is None:
        return
    kind = model.get("type", "MLP")
    _known(record, "the model", model, MODEL[kind] | ({"dtype"} if record.in_arrays else set()))
    if kind == "MLP":
        _agree("init", model.get("init") in INITS, model.get("init"), "no such distribution is known here")
        _agree("bias", type(model.get("bias")) is bool, model.get("bias"))
    if record.in_arrays:
        _agree("dtype", model["dtype"] in ("float32", "float64"), model["dtype"])
        units = [(f"layer{index}", unit[0]) for index, (_, unit) in enumerate(layers)]
        wanted = [f"{layer}.{kind}" for layer, unit in units
                  for kind, part in zip(("w", "b", "slope"), unit) if part is not None]  # fmt: skip
        found = record.names
    else:
        order = {name: position for position, name in enumerate(parameter_names(layers))}
        wanted = list(order)
        found = sorted(named, key=lambda name: order.get(name, -1))
        _agree("parameters", record.names == [name for name in found if name in record.names], record.names)
    if found != wanted:
        odd = sorted(set(found) ^ set(wanted))[:1] or found[:1]
        counts = f"its model has {len(wanted)} parameters and it names {len(found)}"
        raise Wrong(f"{RUN}: {counts}; {plainly(odd[0])} stands on one side only")
    loss, outputs, output = record.run["loss"], len(layers[-1][1]), layers[-1][0]
    if loss in ("binary_cross_entropy", "cross_entropy"):
        _agree("output", output == "linear", output, f"{loss} squashes by itself")
    if loss in COSTS:
        for data in (record.data, record.testing):
            for row, target in enumerate((data.targets if data else None) or ()):
                _agree(f"target {row}", _fits(loss, target, outputs), target, f"{loss} of {outputs} outputs does not take it")


def _fits(loss: str, target: Any, outputs: int) -> bool:
    if loss == "cross_entropy":
        return type(target) is int and outputs > 1 and 0 <= target < outputs
    numbers = target if isinstance(target, list) else [target]
    if len(numbers) != outputs or not all(type(number) in (int, float) for number in numbers):
        return False
    if loss == "hinge":
        return outputs == 1 and numbers[0] in (-1, 1)
    return loss != "binary_cross_entropy" or (outputs == 1 and 0 <= numbers[0] <= 1)


def _optimizer(record: Record) -> None:
    given, memory = record.run["optimizer"], record.run["optimizer_memory"]
    name = given.get("name")
    if name not in OPTIMIZERS:
        return
    own, remembered, _ = OPTIMIZERS[name]
    own = own[:3] if name == "AdamW" and "bias_correction" not in given else own
    _agree("optimizer", set(given) == {"name", "lr", *own}, given)
    for setting in own:
        number = given[setting]
        if setting in ("nesterov", "bias_correction"):
            _agree(setting, type(number) is bool, number)
        elif setting == "betas":
            _agree(setting, isinstance(number, list) and len(number) == 2 and all(_within(beta, 1.0) for beta in number), number)
        else:
            _agree(setting, _within(number, BELOW[setting]), number)
    lr = given["lr"]
    if isinstance(lr, dict):
        _agree("lr", set(lr) == SCHEDULES.get(lr.get("schedule", ""), set(lr)), lr)
    else:
        _agree("lr", _within(lr, math.inf) and lr > 0.0, lr)
    _agree("nesterov", not given.get("nesterov") or bool(given["momentum"]), given.get("nesterov"))
    wanted = list(remembered) if name != "SGD" or given["momentum"] else []
    _agree("optimizer_memory", memory == wanted, memory)


def _within(number: Any, below: float) -> bool:
    return type(number) in (int, float) and 0.0 <= number < below


def _data(record: Record, name: str, described: Mapping[str, Any], samples: Samples | None) -> None:
    _known(record, name, described, DATA)
    features, classes, inputs = described.get("features"), described.get("classes"), described.get("inputs")
    wide = record.run["model"].get("inputs", features)
    _agree(f"{name}.features", type(features) is int and features == wide and features > 0, features)
    if described.get("units") and name not in record.again:
        record.gap(f"{name}.units", "only the data that were scaled could tell")
    if inputs is None:
        small = described["samples"] * described["features"] <= SMALL
        _agree(f"{name}.samples", not small, described["samples"], "so small a data set stands in data.csv")
        check_recipe(name, described, record.contradiction, record.gap)
    else:
        for entry in ("recipe", "sha256"):
            _agree(f"{name}.{entry}", entry not in described, described.get(entry), "these data stand in data.csv")
    for row in inputs or ():
        _agree(f"{name}.features", len(row) == features, features)
    for what, count in (("feature_names", features), ("class_names", classes)):
        given = described.get(what) or []
        _agree(f"{name}.{what}", isinstance(given, list) and len(given) in (0, count), given)
    targets = (samples.targets if samples else None) or []
    labels = [target for target in targets if type(target) is int]
    _agree(f"{name}.classes", not classes or all(0 <= label < classes for label in labels), classes)
    distinct = {str(target) for target in targets}
    one_hot = {len(target) for target in targets if isinstance(target, list) and len(target) > 1}
    if not classes and (labels or len(distinct) == 2):
        record.free.append(f"{name}.classes")  # numbers, or labels that no accuracy was measured by
    told = bool(described.get("class_names")) or classes in (0, *(one_hot or (len(distinct), max(labels, default=-1) + 1)))
    if targets and not told:
        record.gap(f"{name}.classes", "neither names nor targets tell how many there are")


def _evaluation(record: Record) -> None:
    announced, testing = record.run["evaluation"], record.run.get("test")
    measured = ["train_accuracy"] if record.data.classes else []
    measured += (["test_loss", *(["test_accuracy"] if testing["classes"] else [])]) if testing else []
    allowed = [[*some, *more] for some in ([measured] if testing else [measured, []]) for more in ([], CHANGES)]
    _agree("evaluation", announced in allowed, announced, f"with these data it can be {' or '.join(map(str, allowed))}")
    for columns, option, closing in ((measured, "evaluate_every", True), (CHANGES, "change_every", False)):
        asked = [column for column in columns if column in announced]
        if asked:
            _agree(option, option in record.run, None, "evaluation names columns that it belongs to")
            _filled(record, asked, record.run[option], closing)


def _filled(record: Record, columns: Sequence[str], every: Any, closing: bool) -> None:
    """Cells are filled at every so many steps, and at the end of the last epoch perhaps; all columns at once."""
    for row in record.tables[METRICS]:
        empty = [column for column in columns if row.get(column) is None]
        if empty and len(empty) < len(columns):
            raise Wrong(f"{place(METRICS, row)}: {empty[0]} is empty, and other columns of the same measurement are not")
    filled = [row["step"] for row in record.tables[METRICS] if row.get(columns[0]) is not None]
    if not filled:
        record.gap(", ".join(columns), "no cell of it is filled")
        return
    every = every if type(every) is int else filled[0]
    wanted = list(range(every, record.last + 1, every))
    ends = closing and record.last % record.batches.per_epoch == 0
    if filled != wanted and not (ends and filled == [*wanted, record.last]):
        odd = min(set(filled) ^ set(wanted))
        state = "filled" if odd in filled else "empty"
        raise Wrong(f"{METRICS}, step {odd}: {columns[0]} is {state}, but it is measured every {every} steps")


def _headers(record: Record) -> None:
    run, wanted = record.run, {name: list(columns) for name, columns in COLUMNS.items()}
    wanted[METRICS] += run["evaluation"]
    count = min(record.batches.size, record.data.size)
    wanted[BY_SAMPLE] += [f"sample{sample}" for sample in range(count)]
    name = run["optimizer"].get("name")
    if name in OPTIMIZERS:
        wanted[OPTIMIZER] += OPTIMIZERS[name][2]
    there = {METRICS: True, GRADIENTS: not record.in_arrays, LAYERS: record.in_arrays,
             CHAIN: bool(run["chain_rule"]) or record.by_hand, BY_SAMPLE: bool(run["by_sample"])}  # fmt: skip
    there[OPTIMIZER] = not record.in_arrays and bool(run["optimizer_memory"]) and bool(record.names)
    for table, columns in wanted.items():
        got = record.headers.get(table, [])
        if bool(got) != there[table]:
            raise Wrong(f"{table} is {'there' if got else 'missing'}, but by {RUN} it should {'not ' if got else ''}be")
        if got and got != columns and (table != OPTIMIZER or name in OPTIMIZERS or _twice(got)):
            odd = next((one or other for one, other in _pairs(got, columns) if one != other), "")
            raise Wrong(f"{table}: its columns are not those that {RUN} announces: {plainly(odd)}")


def _twice(entries: Sequence[str]) -> bool:
    return len(set(entries)) != len(entries)


def _pairs(got: Sequence[str], wanted: Sequence[str]) -> Iterable[tuple[str, str]]:
    return zip_longest(got, wanted, fillvalue="")
