"""Is a run the very one that a folder holds already? Then it may be written there again, because nothing is lost.

The same settings, the same data and the same first row of metrics.csv: equal seeds give equal bytes, so the rest is equal too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from micrograd_lite.text.files import to_json
from micrograd_lite.trace.folder import DATA, METRICS, REPLACE, RUN, read_run, settings

SAME = "same"
"""Of a Tracer's `force`: only a run that is the very one which is going to be written."""


def holds_a_run(folder: Path) -> bool:
    """Has the folder the files that a run begins with?"""
    return all((folder / name).is_file() for name in (RUN, METRICS))


def held(folder: Path) -> dict[str, Any]:
    """The settings of the run that the folder holds."""
    return settings(read_run(folder))


def changed(folder: Path, run: dict[str, Any], samples: str) -> list[str]:
    """The names of the settings in which a run is not the one that the folder holds; samples: the text of its data.csv."""
    earlier, wanted = held(folder), json.loads(to_json(settings(run)))
    for told in (earlier, wanted):
        for part in ("data", "test"):
            (told.get(part) or {}).pop("recipe", None)  # the same numbers from elsewhere are the same
    names = [name for name in {**wanted, **earlier} if wanted.get(name) != earlier.get(name) and name != "data_sha256"]
    if samples and (not (folder / DATA).is_file() or (folder / DATA).read_text(encoding="utf-8") != samples):
        names.append("data")
    return names


def refuse_another(folder: Path, run: dict[str, Any], samples: str, row: str) -> None:
    """FileExistsError when the folder holds another run than the one that starts with this row of metrics.csv."""
    if "model" not in read_run(folder):
        return  # it was stopped before its first step
    names = changed(folder, run, samples)
    with open(folder / METRICS, encoding="utf-8", newline="") as file:
        _, first = file.readline(), file.readline()
    if names or first not in ("", row):
        what = f"its {names[0]} differs" if names else "its first step differs"
        raise FileExistsError(f"{folder} already holds a trace of another run, {what}; {REPLACE}")
