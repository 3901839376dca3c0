"""A checkpoint holds numbers that the tables have too: the weights after its step, what the optimizer remembers, and how
far each table reached. Whoever goes on from a forged one would train another network under this run's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from micrograd_lite.text.files import from_json, opened, read_whole
from micrograd_lite.text.npz import ROOM, ROOM_PER_NUMBER, entries, table
from micrograd_lite.trace.folder import GRADIENTS, LAYERS, OPTIMIZER
from micrograd_lite.trace.kinds import most_numbers
from micrograd_lite.verify.evidence import NotChecked, NotHere, Wrong, plainly, same, shown
from micrograd_lite.verify.reading import numeral
from micrograd_lite.verify.record import Record

JSON, NPZ, ABOUT = "checkpoint.json", "checkpoint.npz", "about.json"
RECORDED = (GRADIENTS, OPTIMIZER, LAYERS)
"""Tables that have the rows of some steps: of the first one, and of each multiple of `every`."""


def checkpoint(record: Record) -> int:
    """Its step, its numbers and its extents are those of the tables."""
    path = next((record.folder / name for name in (JSON, NPZ) if (record.folder / name).exists()), None)
    if path is None:
        raise NotHere("there is none")
    try:
        about, parameters, memory = (_text if path.name == JSON else _arrays)(record, path)
        step, extents = about["step"], {name: list(extent) for name, extent in about["extents"].items()}
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        raise Wrong(f"{path.name} is no checkpoint of this run: {error!a:.200}") from error
    if type(step) is not int or not 1 <= step <= record.last:
        raise Wrong(f"{path.name}: step is {step!a:.50}, but the tables have the steps 1 to {record.last}")
    _reach(record, path.name, step, extents)
    return _weights(record, path.name, step, parameters) + _memory(record, path.name, step, memory)


def _text(record: Record, path: Path) -> tuple[Any, list[float], list[list[float]] | None]:
    about = from_json(read_whole(path, ROOM + ROOM_PER_NUMBER * len(record.names) * (1 + len(record.run["optimizer_memory"]))))
    if set(about) != {"step", "extents", "parameters", "memory"}:
        raise ValueError(f"it has the entries {', '.join(about)}")
    memory = [[numeral(number) for number in terms] for terms in about["memory"]]
    return about, [numeral(number) for number in about["parameters"]], memory


def _arrays(record: Record, path: Path) -> tuple[Any, Sequence[float], None]:
    contents = entries(path, most_numbers(record.run["model"]) * (1 + len(record.run["optimizer_memory"])))
    if ABOUT not in contents:
        raise NotChecked(f"{NPZ} does not say its step in {ABOUT}")
    about, parameters = from_json(contents[ABOUT]), table("parameters", contents["parameters.npy"]).numbers
    remembered = [name for name in contents if name.startswith("memory.")]
    if set(about) != {"step", "extents"} or len(remembered) != len(record.run["optimizer_memory"]):
        raise ValueError(f"it has the entries {', '.join([*about, *remembered])}")
    return about, parameters, None


def _reach(record: Record, file: str, step: int, extents: Mapping[str, Any]) -> None:
    """Each table reached to the last row of that step, or of the last step before that it has rows of."""
    wanted = [name for name, header in record.headers.items() if header]
    if set(extents) != set(wanted):
        raise Wrong(f"{file}: it names the tables {plainly(', '.join(extents)) or 'none'}, but there are {', '.join(wanted)}")
    for name, extent in extents.items():
        steps = [row["step"] for row in record.tables[name] if row["step"] <= step]
        if name in RECORDED:
            ends = (record.run.get("epochs") or 0) * record.batches.per_epoch
            steps = [number for number in steps if number in (1, ends) or number % record.run["every"] == 0]
        size = 0
        with opened(record.folder / name) as lines:
            for number, line in enumerate(lines):
                size += len(line) if number <= len(steps) else 0
        if extent != [size, len(steps)]:
            raise Wrong(f"{file}: {name} is said to reach to {extent!a:.80} at step {step}, but it is {[size, len(steps)]}")


def _weights(record: Record, file: str, step: int, found: Sequence[float]) -> int:
    if record.in_arrays:
        kept = record.arrays(step)
        wanted: list[Any] | None = [number for name in record.names for number in kept[name].numbers] if kept else None
    else:
        state = record.after(step)
        wanted = None if state is None else [state[name] for name in record.names]
    if wanted is None:
        record.gap(f"the weights in {file}", f"those of step {step} are not written down elsewhere")
        return 0
    if len(found) != len(wanted):
        raise Wrong(f"{file}: it has {len(found)} weights, but there are {len(wanted)}")
    for place, (number, other) in enumerate(zip(found, wanted)):
        if not same(number, other):
            raise Wrong(f"{file}: weight {place} is {shown(number)}, but after step {step} it is {shown(other)}")
    return len(found)


def _memory(record: Record, file: str, step: int, found: list[list[float]] | None) -> int:
    remembers, rows = record.run["optimizer_memory"], record.optimizer.get(step, {})
    if not remembers or not record.names:
        if any(found or ()):
            raise Wrong(f"{file}: it has a memory, but the optimizer remembers nothing")
        return 0
    if found is None or len(rows) != len(record.names):
        record.gap(f"what the optimizer remembers in {file}", "it is not written down elsewhere")
        return 0
    for name, numbers in zip(record.names, found):
        wanted = [rows[name][column] for column in remembers]
        if len(numbers) != len(wanted) or not all(map(same, numbers, wanted)):
            told = ", ".join(map(shown, numbers)) or "nothing"
            raise Wrong(f"{file}: of {plainly(name)} it remembers {told}, but {OPTIMIZER} has {', '.join(map(shown, wanted))}")
    if len(found) != len(record.names):
        raise Wrong(f"{file}: it remembers {len(found)} weights, but there are {len(record.names)}")
    return len(found)
