"""Checkpoints: what it takes to go on with a run after its process has died, as if nothing had happened.

Weights, the optimizer's memory, the number of the step (the order of the batches follows from the seed), and how far
each table reached. Going on cuts the tables back to there. A scalar run keeps checkpoint.json, an array run
checkpoint.npz, whose arrays are plain numbers: nothing is ever unpickled. Whoever reads one trusts nothing in it: its
form is checked here against run.json, and whether it fits the tables in trace/fit.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from micrograd_lite.text.files import from_json, read_whole, to_json, write_whole
from micrograd_lite.text.npz import entries, table
from micrograd_lite.trace.append import Extent
from micrograd_lite.trace.folder import BY_SAMPLE, CHAIN, CHECKPOINTS, GRADIENTS, LAYERS, METRICS, OPTIMIZER
from micrograd_lite.training import Step

JSON, NPZ = CHECKPOINTS
ABOUT = "about.json"
"""The entry of checkpoint.npz with the step and the extents."""
ROOM, ROOM_PER_NUMBER = 10_000, 64
"""Bytes that a checkpoint of text may have beside its numbers, and for each of them; one takes up to 40 with its blanks."""
SQUARES = ("second", "square")
"""What an optimizer remembers of squared gradients."""


class Checkpoint(NamedTuple):
    """The state after one step. For arrays, parameters is a flat array and memory a dict of them; else lists."""

    step: int
    parameters: Any
    memory: Any
    extents: dict[str, Extent]


class Earlier(NamedTuple):
    """The step before the one that a resumed run goes on with; its rows were written by another process."""

    number: int
    run: dict[str, Any]


class Recent(NamedTuple):
    """The step before, and the one now being written: it is the last one once metrics.csv has more than so many rows.

    Both are kept whatever becomes of the second: refused by the disk or interrupted, it leaves the one before it as the last.
    """

    rows: int
    before: Any = None
    now: Any = None


def write_checkpoint(folder: Path, step: Any, extents: dict[str, Extent]) -> None:
    """Replace the folder's checkpoint by the state after `step`. OSError names the path."""
    about: dict[str, Any] = {"step": step.number, "extents": extents}
    if isinstance(step, Step):
        kept = [[getattr(terms, name) for name in step.run["optimizer_memory"]] for terms in step.terms]
        write_whole(folder / JSON, to_json({**about, "parameters": step.after, "memory": kept}))
        return
    import numpy as np

    buffer = io.BytesIO()
    memory = {f"memory.{name}": array for name, array in step.optimizer.memory.items()}
    np.savez(buffer, allow_pickle=False, parameters=step.model.flat, **memory)
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr(zipfile.ZipInfo(ABOUT), json.dumps(about))  # ZipInfo: of 1980, not of now
    write_whole(folder / NPZ, buffer.getvalue())


def read_checkpoint(folder: Path, run: dict[str, Any]) -> Checkpoint:
    """The checkpoint of a run; numbers only, as many as its run.json wants. ValueError names a file that is not one."""
    path = next((folder / name for name in CHECKPOINTS if os.path.lexists(folder / name)), None)
    if path is None:
        again = "make the trace again with force=True, or in another folder"
        raise ValueError(f"{folder} has no checkpoint, so its run cannot go on: {again}")
    try:
        size = array_numbers(run) if path.name == NPZ else len(run["parameters"])
        announced = size * (1 + len(run["optimizer_memory"]))
        if path.is_symlink():
            raise ValueError("it is a link, no regular file")
        record = _read_text(path, run, ROOM + ROOM_PER_NUMBER * announced) if path.name == JSON else _read_arrays(path, run, size)
        if set(record) != {"step", "extents", "parameters", "memory"}:
            raise ValueError(f"it has the entries {_named(record)}")
        if type(record["step"]) is not int or record["step"] < 1:
            raise ValueError(f"its step is {record['step']!r}"[:200])
        wanted = tables_of(run, path.name)
        if set(record["extents"]) != set(wanted):
            raise ValueError(f"it names the tables {_named(record['extents'])}; this run has {', '.join(wanted)}")
        extents = {name: _extent(name, record["extents"][name]) for name in wanted}
        _refuse_negative_squares(run, record["memory"])
        return Checkpoint(record["step"], record["parameters"], record["memory"], extents)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise ValueError(f"{path} is not a checkpoint of a trace: {' '.join(str(error).split())[:300]}") from error


def _refuse_negative_squares(run: dict[str, Any], memory: Any) -> None:
    """ValueError for a sum of squares below zero, whose root the optimizer takes."""
    if run["optimizer"].get("name") not in ("RMSprop", "Adam", "AdamW"):
        return  # another one may call something else so
    columns = memory.values() if isinstance(memory, dict) else zip(*memory)
    for name, numbers in zip(run["optimizer_memory"], columns):
        if name in SQUARES and any(number < 0.0 for number in numbers):
            raise ValueError(f"its memory has a number below zero among the squares, {name}")


def last_step(run: dict[str, Any]) -> int | None:
    """The number of a run's last step, from its epochs and its data; None when it has no end."""
    epochs, samples = run.get("epochs"), (run.get("data") or {}).get("samples")
    return epochs * math.ceil(samples / (run.get("batch_size") or samples)) if epochs and samples else None


def tables_of(run: dict[str, Any], checkpoint: str) -> list[str]:
    """The names of a run's tables, in the order in which they are written."""
    remembers = checkpoint == JSON and run["optimizer_memory"] and run["parameters"]
    there = {
        GRADIENTS: checkpoint == JSON, OPTIMIZER: remembers, LAYERS: checkpoint == NPZ,
        CHAIN: run.get("chain_rule"), BY_SAMPLE: run.get("by_sample"), METRICS: True,
    }  # fmt: skip
    return [name for name, is_there in there.items() if is_there]


def array_numbers(run: dict[str, Any]) -> int:
    """How many numbers the arrays of an array model have, all parameters together."""
    widths = [run["model"]["inputs"], *run["model"]["outputs_per_layer"]]
    numbers = 0
    for name in run["parameters"]:
        layer, _, kind = name.partition(".")
        position = int(layer.removeprefix("layer"))
        numbers += widths[position + 1] * (widths[position] if kind == "w" else 1)
    return numbers


def _named(names: Iterable[Any]) -> str:
    """Names that somebody may have forged, in ASCII: none of them moves a terminal's cursor."""
    return ", ".join(map(ascii, names))[:200] or "none"


def _extent(name: str, extent: Any) -> Extent:
    if not isinstance(extent, list) or [type(number) for number in extent] != [int, int] or min(extent) < 0:
        raise ValueError(f"{name} reaches to {extent!r}, which is not a number of bytes and one of rows"[:200])
    return Extent(*extent)


def _read_text(path: Path, run: dict[str, Any], most: int) -> dict[str, Any]:
    record = from_json(read_whole(path, most))
    if not isinstance(record, dict):
        raise ValueError(f"it holds a {type(record).__name__}")
    parameters, remembers = record["parameters"], len(run["optimizer_memory"])
    if len(parameters) != len(run["parameters"]) or not all(type(x) is float and math.isfinite(x) for x in parameters):
        raise ValueError(f"its parameters are not {len(run['parameters'])} finite numbers")
    lists = isinstance(record["memory"], list) and all(isinstance(terms, list) for terms in record["memory"])
    memory = [tuple(map(_number, terms)) for terms in record["memory"]] if lists else []
    if not lists or len(memory) != len(parameters) or any(len(terms) != remembers for terms in memory):
        raise ValueError(f"its memory is not {remembers} numbers for each of {len(parameters)} parameters")
    return {**record, "memory": memory}


def _number(entry: Any) -> float:
    if type(entry) is float or entry in ("NaN", "inf", "-inf"):  # a square may overflow in an honest run
        return float(entry)
    raise ValueError(f"its memory holds {entry!r}"[:200])


def _read_arrays(path: Path, run: dict[str, Any], size: int) -> dict[str, Any]:
    import numpy as np

    from micrograd_lite.arrays.optim import FADING_SUMS

    kind = {"float32": "f", "float64": "d"}[run["model"]["dtype"]]
    remembered = [FADING_SUMS.get(name, name) for name in run["optimizer_memory"]]
    wanted = [ABOUT, "parameters.npy", *(f"memory.{name}.npy" for name in remembered)]
    contents = entries(path, size * (1 + len(remembered)))
    if sorted(contents) != sorted(wanted):
        raise ValueError(f"it has the entries {_named(contents)}")
    arrays = {}
    for name in wanted[1:]:
        found = table(name, contents[name])
        if found.numbers.typecode != kind or found.shape != (size,):
            raise ValueError(f"{name} does not hold {size} numbers of {run['model']['dtype']}")
        arrays[name] = np.array(found.numbers)
    parameters = arrays.pop("parameters.npy")
    if not np.isfinite(parameters).all():
        raise ValueError("its parameters are not finite")
    about = from_json(contents[ABOUT])
    memory = dict(zip(remembered, arrays.values()))
    return {**about, "parameters": parameters, "memory": memory}
