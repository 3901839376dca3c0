"""data.csv: the data of a run as they were trained, one row for each sample, the training part first, then the test part.

Its columns are `part` (train or test), the inputs under the data's own names and the targets. Data of more than 100,000
numbers are not kept; run.json has their name and size, the SHA-256 of their numbers, and where it is known the recipe by
which they are loaded again, when somebody asks for them.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from micrograd_lite.text import cells
from micrograd_lite.text.files import read_whole
from micrograd_lite.trace.folder import DATA

PARTS = {"train": "data", "test": "test"}
"""What data.csv calls a part, and what run.json calls it."""

SMALL = 100_000
"""A data set of up to so many input numbers is kept in its trace."""

CONFIRMED = 5_000_000
"""Of a data set of up to so many input numbers the recipe is followed once before it is written down."""

MOST = 1 << 24
"""Bytes of data.csv: two parts of 100,000 numbers take a third of it."""

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?")


def taken_apart(run: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """A run as run.json tells it, and the text of its data.csv ("" when its data are too large to be kept)."""
    told, lines, rows = dict(run), list[str](), list[list[Any]]()
    for part, name in PARTS.items():
        described = dict(run.get(name) or {})
        inputs, targets, recipe = (described.pop(entry, None) for entry in ("inputs", "targets", "recipe"))
        told[name] = described or None
        if inputs is not None and len(inputs) * described["features"] > SMALL:
            described |= _large(described, inputs, targets, recipe or (), run["model"].get("dtype") == "float32")
        elif inputs is not None:
            inputs, targets = plain(inputs), plain(targets)
            lines = lines or [cells.line(["part", *_columns(described, _listed(targets[0]))])]
            rows += [[part, *row, *_listed(target)] for row, target in zip(inputs, targets)]
    columns = [[_cell(number, _all_whole(column)) for number in column] for column in list(zip(*rows))[1:]]
    text = "".join([*lines, *(cells.line([row[0], *row_cells]) for row, row_cells in zip(rows, zip(*columns)))])
    return {**told, "data_sha256": digest(text.encode("utf-8")) if text else None}, text


def plain(table: Any) -> list[Any]:
    """Lists of numbers, whether they were lists or an array."""
    made: list[Any] = table.tolist() if hasattr(table, "tolist") else table
    return made


def _large(
    described: Mapping[str, Any], inputs: Any, targets: Any, recipe: Sequence[dict[str, Any]], narrow: bool
) -> dict[str, Any]:
    """What run.json has of a large data set: the digest of its numbers, and its recipe where that makes these very numbers.

    Tables that were changed after they were loaded have another origin than they say, so the recipe is followed once; where it
    takes no longer than a second or two.
    """
    from micrograd_lite.data import origin

    wanted = origin.digest(inputs, targets, narrow)
    try:
        if recipe and len(inputs) * described["features"] <= CONFIRMED:
            again = origin.load_again(recipe, len(inputs))
            same = origin.digest(again.inputs, again.targets, narrow) == wanted
            recipe = recipe if same and _units(again.units) == _units(described["units"]) else ()
        elif recipe and origin.count_rows(recipe) not in (None, len(inputs)):
            recipe = ()
    except (OSError, ValueError):
        recipe = ()
    return {**({"recipe": list(recipe)} if recipe else {}), "sha256": wanted}


def _units(units: Any) -> dict[str, Any] | None:
    """Units as they stand in run.json."""
    entries = units._asdict() if hasattr(units, "_asdict") else units
    return entries and {name: list(entry) if isinstance(entry, tuple) else entry for name, entry in entries.items()}


def loaded(run: Mapping[str, Any], name: str, folder: Path) -> dict[str, Any]:
    """The description of a part (`data` or `test`) with its inputs and targets: from data.csv, or loaded again by its recipe.

    ValueError or OSError says in a sentence why they cannot be had. Contradiction, a ValueError: by the recipe they would be
    others than the SHA-256 of run.json says. Nothing is downloaded.
    """
    described = run.get(name) or {}
    if "inputs" in described:
        return dict(described)
    what = f"its data ({described.get('name')!r}, {described.get('samples')} samples)"
    if not {"recipe", "sha256"} <= described.keys():
        raise ValueError(f"{folder} does not hold {what}")
    from micrograd_lite.data import origin

    cannot = f"{folder} does not hold {what}, and they cannot be loaded again"
    recipe, narrow = described["recipe"], run["model"].get("dtype") == "float32"
    try:
        made = origin.load_again(recipe, described["samples"])
    except origin.Contradiction as error:
        raise origin.Contradiction(f"{cannot}: {error}") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{cannot}: {error}") from error
    got = origin.digest(made.inputs, made.targets, narrow)
    if len(made.inputs[0]) != described["features"] or got != described["sha256"]:
        other = " on this machine, whose sin and cos may differ," if recipe[0]["name"] in origin.BY_THE_SYSTEM else ""
        numbers = f"{origin.told(recipe)} makes{other} other numbers than were trained: their SHA-256 is {got}"
        kind = ValueError if other else origin.Contradiction
        raise kind(f"{cannot}: {numbers}; expected {described['sha256']}")
    if _units(made.units) != described.get("units"):
        raise origin.Contradiction(f"{cannot}: by {origin.told(recipe)} they have the units {made.units!a:.200}")
    made = origin.as_trained(made, narrow)
    return {**described, "inputs": made.inputs, "targets": made.targets}


def digest(content: bytes) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal digits."""
    from hashlib import sha256  # only a trace needs it

    return sha256(content).hexdigest()


def _all_whole(column: Sequence[Any]) -> bool:
    """Are all numbers of a column whole ones? One column holds one kind: programs take it from the first rows."""
    return all(isinstance(number, int) for number in column)


def with_samples(run: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The run with inputs and targets in its descriptions of the data, where data.csv holds them and is as wide as they say.

    ValueError names the first line of data.csv that is no row of it.
    """
    if not isinstance(run.get("data"), dict):
        return run
    rows: dict[str, list[list[Any]]] = {part: [] for part in PARTS}
    for part, numbers in _rows(folder / DATA):
        rows[part].append(numbers)
    made = dict(run)
    for part, name in PARTS.items():
        features = run[name].get("features") if isinstance(run.get(name), dict) else None
        if rows[part] and isinstance(features, int) and 0 < features < len(rows[part][0]):
            targets = [row[features] if len(row) == features + 1 else row[features:] for row in rows[part]]
            made[name] = {**run[name], "inputs": [row[:features] for row in rows[part]], "targets": targets}
    return made


def _rows(path: Path) -> Iterator[tuple[str, list[Any]]]:
    place = f"{path}, line 1"
    try:
        lines = csv.reader(read_whole(path, MOST).decode("utf-8").splitlines(keepends=True), strict=True)
        width = len(next(lines, []))
        for row in lines:
            place = f"{path}, line {lines.line_num}"
            if len(row) != width or row[0] not in PARTS:
                raise ValueError(f"{len(row)} cells from {row[:1]} on; the header has {width}, the parts are train and test")
            yield row[0], [_number(cell) for cell in row[1:]]
    except FileNotFoundError:
        return
    except (ValueError, csv.Error) as error:  # a UnicodeDecodeError is a ValueError
        raise ValueError(f"{place} is not a row of the data: {error}") from error


def _number(cell: str) -> Any:
    if not NUMBER.fullmatch(cell):
        raise ValueError(f"{cell[:50]!a} is no number")
    number = float(cell)
    if not math.isfinite(number):
        raise ValueError(f"{cell[:50]!a} is too large for a float")
    return int(cell) if cell.lstrip("-").isdecimal() else number


def _cell(number: Any, whole: bool) -> str:
    return str(int(number)) if whole else cells.number(number)


def _listed(target: Any) -> Sequence[Any]:
    return target if isinstance(target, (list, tuple)) else [target]


def _columns(described: Mapping[str, Any], target: Sequence[Any]) -> list[str]:
    """The names of inputs and targets, as one knows them; x0, y0 and so on where there are none."""
    inputs = described["feature_names"] or [f"x{column}" for column in range(described["features"])]
    name = described["target_name"]
    targets = [name or "y"] if len(target) == 1 else [f"{name or 'y'}{column}" for column in range(len(target))]
    return [cells.text(name) for name in (*inputs, *targets)]
