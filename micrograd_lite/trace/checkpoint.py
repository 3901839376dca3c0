"""Checkpoints: what it takes to go on with a run after its process has died, as if nothing had happened.

Weights, the optimizer's memory, the number of the step (the order of the batches follows from the seed), and how far
each table reached. Going on cuts the tables back to there. A scalar run keeps checkpoint.json, an array run
checkpoint.npz, whose arrays are plain numbers: nothing is ever unpickled.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, NamedTuple

from micrograd_lite.text.files import to_json, write_whole
from micrograd_lite.trace.append import Extent
from micrograd_lite.training import Step

JSON, NPZ = "checkpoint.json", "checkpoint.npz"


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
    np.savez(buffer, allow_pickle=False, about=np.array(json.dumps(about)), parameters=step.model.flat, **memory)
    write_whole(folder / NPZ, buffer.getvalue())


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The folder's checkpoint; None when it has none yet. ValueError names a file that is not one."""
    path = next((folder / name for name in (JSON, NPZ) if (folder / name).exists()), None)
    if path is None:
        return None
    try:
        memory: Any
        if path.name == JSON:
            about = json.loads(path.read_text(encoding="utf-8"))
            parameters, memory = about["parameters"], [tuple(terms) for terms in about["memory"]]
        else:
            about, parameters, memory = _read_arrays(path)
        extents = {name: Extent(*extent) for name, extent in about["extents"].items()}
        return Checkpoint(int(about["step"]), parameters, memory, extents)
    except (ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise ValueError(f"{path} is not a checkpoint of a trace: {error}") from error


def _read_arrays(path: Path) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    import zipfile

    import numpy as np

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            memory = {name.removeprefix("memory."): arrays[name] for name in arrays.files if name.startswith("memory.")}
            return json.loads(str(arrays["about"])), arrays["parameters"], memory
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from error
