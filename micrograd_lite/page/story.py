"""Story: what a trace's network is, what it learns and how that went, in a few sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from micrograd_lite.text import cells
from micrograd_lite.trace import Trace
from micrograd_lite.trace.kinds import by_hand, sizes

SOME = 6
"""Names that are listed."""

ENDED = {
    "finished": "The run finished",
    "interrupted": "Somebody stopped the run",
    "failed": "The run failed",
    "running": "The run goes on while this page is written: it stands",
    "killed": "The run was killed, so it ended",
    "damaged": "Rows of this trace are missing; what is there ends",
}


def title(run: Mapping[str, Any]) -> str:
    """`xor: 2-8-1, Adam`: data, network, optimizer, as far as run.json says them."""
    data, model, optimizer = (run.get(part) or {} for part in ("data", "model", "optimizer"))
    network = sizes(model) if "outputs_per_layer" in model else ""
    by = "a loop of one's own" if by_hand(run) else str(optimizer.get("name", ""))
    how = ", ".join(filter(None, (network, by)))
    return cells.text(": ".join(filter(None, (str(data.get("name") or ""), how))) or "a training run")


def story(trace: Trace, status: str, recorded: int, every: int) -> list[str]:
    """The sentences that a page begins with; `every`: so many of the recorded steps are one of the page's."""
    told = [_network(trace.run, len(trace.names)), _task(trace.run), _end(trace, status), _held(trace, recorded, every)]
    return [sentence for sentence in told if sentence]


def _network(run: Mapping[str, Any], parameters: int) -> str:
    model, data = run.get("model") or {}, run.get("data") or {}
    count = f"{parameters:,} {'arrays of ' if 'dtype' in model else ''}parameter{'s' if parameters != 1 else ''}"
    if "outputs_per_layer" not in model:
        return f"A model of one's own with {count}." if parameters else ""
    hidden, outputs = model["outputs_per_layer"][:-1], model["outputs_per_layer"][-1]
    names = data.get("feature_names") or []
    inputs = f"{model['inputs']} input{'s' if model['inputs'] != 1 else ''}"
    parts = [f"{inputs} ({_some(names)})" if names else inputs]
    for (width, activation), same in groupby(zip(hidden, model["activation"])):
        layers = len(list(same))
        neurons = f"{width} {activation} neuron{'s' if width != 1 else ''}"
        parts.append(f"a hidden layer of {neurons}" if layers == 1 else f"{layers} hidden layers of {neurons} each")
    parts.append(f"{outputs} {model['output']} output{'s' if outputs != 1 else ''}")
    scalars = f" It has {count}: its weights and biases, the numbers that training changes." if parameters else ""
    return f"A network of {', '.join(parts[:-1])} and {parts[-1]}.{scalars}"


def _task(run: Mapping[str, Any]) -> str:
    data, optimizer = run.get("data") or {}, run.get("optimizer") or {}
    if by_hand(run):
        return "A loop of one's own trained it; the trace holds what that loop did to each parameter."
    if not data:
        return ""
    names = data.get("class_names") or []
    outputs = (run["model"].get("outputs_per_layer") or [1])[-1]
    unnamed = "a class" if data.get("classes") else "a number" if outputs == 1 else f"{outputs} numbers"
    wanted = f'"{cells.text(data["target_name"])}"' if data.get("target_name") else unnamed
    among = f" ({_some(names, ' or ')})" if names else ""
    rate = optimizer.get("lr")
    by = optimizer["name"] + (f" (learning rate {rate:g})" if isinstance(rate, (int, float)) else "")
    rows = f"the {data['samples']:,} samples" if data["samples"] != 1 else "the one sample"
    what = f'It learns to answer {wanted}{among} from {rows} of "{cells.text(data["name"])}".'
    loss = f"The loss, {run.get('loss', '')}, says how wrong it is; "
    return f"{what} {loss}step by step, {by} changes each parameter a little, to make it smaller."


def _end(trace: Trace, status: str) -> str:
    steps = trace.metrics()
    if not steps:
        return f"No step of it is recorded yet; the run is {status}."
    losses = [row["loss"] for row in steps]
    first, last = losses[0], losses[-1]
    went = "fell" if last < first else "rose" if last > first else "went"
    if not math.isfinite(last):
        went = "went"
    count = f"{len(steps):,} step{'s' if len(steps) != 1 else ''}"
    why = f" ({cells.text(str(trace.run['error']))})" if trace.run.get("error") else ""
    fell = f"; the loss {went} from {first:.6g} to {last:.6g}" if len(steps) > 1 else f"; the loss was {first:.6g}"
    return f"{ENDED.get(status, status)} after {count}{why}{fell}."


def _held(trace: Trace, recorded: int, every: int) -> str:
    """Which steps the page has, where it has not all."""
    steps = len(trace.metrics())
    told = []
    if recorded < steps:
        asked = trace.run.get("every", 1)
        told.append(f"The trace recorded {recorded:,} of them" + (f", every {_th(asked)}." if asked > 1 else "."))
    if every > 1 and recorded:
        told.append(f"To stay small, this page has every {_th(every)} recorded step and the last.")
    return " ".join(told)


def _th(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"


def _some(names: list[str], last: str = ", ") -> str:
    """The first names, with a word before the last of them."""
    shown = [cells.text(name) for name in names[:SOME]]
    if len(names) > SOME:
        return ", ".join(shown) + f" and {len(names) - SOME} more"
    return last.join(filter(None, (", ".join(shown[:-1]), shown[-1])))
