"""What run.json must hold: the kind of each entry, once, for all who read a trace.

Whether the entries agree with each other and with the tables is another question, and verify's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

WORDS = ("NaN", "inf", "-inf")
"""Numbers that JSON has no digits for."""


BY_HAND = "by hand"
"""What run.json calls the optimizer and the loss of a loop of one's own: nothing is known of them but what they did."""


class Kind(NamedTuple):
    """What an entry may be, in words and as a test."""

    words: str
    fits: Callable[[Any], bool]


def whole(least: int) -> Kind:
    """A whole number that is not below `least`."""
    return Kind(f"a whole number of at least {least}", lambda entry: type(entry) is int and least <= entry < 2**63)


def listed(inner: Kind) -> Kind:
    """A list of entries of one kind."""
    return Kind(f"a list, each {inner.words}", lambda entry: isinstance(entry, list) and all(map(inner.fits, entry)))


def named(inner: Kind) -> Kind:
    """Entries of one kind, each with its name."""
    return Kind(f"names, each with {inner.words}", lambda entry: isinstance(entry, dict) and all(map(inner.fits, entry.values())))


def either(one: Kind, other: Kind) -> Kind:
    """An entry of one of two kinds."""
    return Kind(f"{one.words} or {other.words}", lambda entry: one.fits(entry) or other.fits(entry))


def is_finite(entry: Any) -> bool:
    """Is it a number that a float can hold?"""
    return (type(entry) is float and math.isfinite(entry)) or (type(entry) is int and abs(entry) < 2**1023)


NULL = Kind("null", lambda entry: entry is None)
ANYTHING = Kind("anything", lambda entry: True)
TEXT = Kind("a text", lambda entry: isinstance(entry, str))
YES_OR_NO = Kind("true or false", lambda entry: isinstance(entry, bool))
SEED = Kind("a whole number", lambda entry: type(entry) is int)
FINITE = Kind("a finite number", is_finite)
NUMBER = Kind("a number", lambda entry: is_finite(entry) or entry in WORDS)
NAMES, NUMBERS = listed(TEXT), listed(FINITE)
RECORD = named(ANYTHING)

RUN: dict[str, Kind] = {
    "model": RECORD, "parameters": NAMES, "fixed": named(NUMBER), "tied": named(TEXT), "loss": TEXT, "optimizer": RECORD,
    "optimizer_memory": NAMES, "data": either(NULL, RECORD), "test": either(NULL, RECORD), "batch_size": either(NULL, whole(1)),
    "shuffle": YES_OR_NO, "seed": SEED, "evaluation": NAMES, "chain_rule": listed(whole(1)), "by_sample": listed(whole(1)),
    "every": whole(1),
}  # fmt: skip
"""Entries of a run that has begun: it has all of them."""
RUN_MAY: dict[str, Kind] = {
    "data_sha256": either(NULL, TEXT), "error": TEXT, "steps": whole(0), "rows": named(whole(0)),
    **dict.fromkeys(("epochs", "evaluate_every", "change_every", "weights_every", "checkpoint_every"), either(NULL, whole(1))),
}  # fmt: skip
"""Entries that it may have."""
DATA: dict[str, Kind] = {
    "name": TEXT, "samples": whole(1), "features": whole(1), "classes": whole(0), "feature_names": NAMES, "class_names": NAMES,
}  # fmt: skip
STEP = either(either(TEXT, YES_OR_NO), either(FINITE, NUMBERS))
RECIPE = Kind("1 to 20 steps, each with a name, its arguments texts and numbers", lambda entry: (
    isinstance(entry, list) and 1 <= len(entry) <= 20 and all(map(named(STEP).fits, entry))
    and all(isinstance(step.get("name"), str) for step in entry)))  # fmt: skip
SHA = Kind("64 hexadecimal digits", lambda entry: isinstance(entry, str) and bool(re.fullmatch("[0-9a-f]{64}", entry)))
DATA_MAY: dict[str, Kind] = {
    "target_name": TEXT, "units": either(NULL, named(either(FINITE, NUMBERS))), "recipe": RECIPE, "sha256": SHA,
}  # fmt: skip
MLP: dict[str, Kind] = {
    "inputs": whole(1), "outputs_per_layer": listed(whole(1)), "activation": NAMES, "output": TEXT, "init": either(NULL, TEXT),
    "bias": YES_OR_NO, "seed": SEED,
}  # fmt: skip
MLP_MAY: dict[str, Kind] = {"dtype": TEXT}
OPTIMIZER, OPTIMIZER_MAY = {"name": TEXT}, {"lr": either(FINITE, RECORD)}


def by_hand(run: Mapping[str, Any]) -> bool:
    """Is this the run.json of a loop of one's own, whose updates were made by hand?"""
    return bool((run.get("optimizer") or {}).get("name") == BY_HAND)


def check_run(run: Mapping[str, Any]) -> None:
    """ValueError names the first entry that is missing or of another kind."""
    _check("", run, {"status": TEXT}, RUN_MAY)
    if not run.keys() & RUN.keys():
        return  # no step was ever watched
    _check("", run, RUN)
    _check("optimizer.", run["optimizer"], OPTIMIZER, OPTIMIZER_MAY)
    if "type" not in run["model"]:
        _check("model.", run["model"], MLP, MLP_MAY)
    if run["data"] is None and not by_hand(run):
        raise ValueError("data must be told of a run that train() made, got None")
    for name in ("data", "test"):
        if run[name] is not None:
            _check(f"{name}.", run[name], DATA, DATA_MAY)


def _check(where: str, found: Mapping[str, Any], needed: Mapping[str, Kind], may: Mapping[str, Kind] | None = None) -> None:
    for name, kind in {**needed, **(may or {})}.items():
        if name not in found and name in needed:
            raise ValueError(f"{where}{name} is missing")
        if name in found and not kind.fits(found[name]):
            raise ValueError(f"{where}{name} must be {kind.words}, got {found[name]!a:.100}")


def sizes(model: Mapping[str, Any]) -> str:
    """An MLP's inputs and the neurons of its layers, as one says them: `2-4-1`."""
    return "-".join(map(str, [model.get("inputs", "?"), *model["outputs_per_layer"]]))


def weights_of(model: Mapping[str, Any]) -> int:
    """How many weights an MLP of these sizes has, beside biases and slopes."""
    widths = [model["inputs"], *model["outputs_per_layer"]]
    count = 0
    for inputs, neurons in pairwise(widths):
        count += inputs * neurons
    return count


def check_sizes(run: Mapping[str, Any]) -> None:
    """ValueError when an MLP of scalars has more weights than the run names: building it could take all memory."""
    model = run.get("model", {"type": ""})
    if "type" not in model and "dtype" not in model:
        found = len(run["parameters"]) + len(run["fixed"]) + len(run["tied"])
        if weights_of(model) > found:
            raise ValueError(f"its model has {weights_of(model):,} weights, but it names {found:,} parameters")


def most_numbers(model: Mapping[str, Any]) -> int:
    """How many numbers an MLP has at most: a bias and a slope for each neuron. 0 where the sizes are not known."""
    return 0 if "type" in model else weights_of(model) + 2 * math.ceil(math.fsum(model["outputs_per_layer"]))
