"""The data of a trace: those in data.csv, and large ones, which are loaded again by their recipe where that is asked for.

What is loaded has the SHA-256 that run.json has of the numbers that were trained, or the trace contradicts itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from micrograd_lite.trace.folder import RUN
from micrograd_lite.trace.samples import CONFIRMED, loaded, plain
from micrograd_lite.verify.evidence import Wrong
from micrograd_lite.verify.reading import numeral


class Samples(NamedTuple):
    """A data set of the trace; inputs and targets are None when they are not in it."""

    size: int
    classes: int
    inputs: list[list[float]] | None
    targets: list[Any] | None

    @classmethod
    def of(cls, described: Any, where: str) -> Samples:
        """The data set from its description. ValueError when it is not one."""
        try:
            inputs = described.get("inputs")
            if inputs is not None:
                inputs = [[numeral(number) for number in row] for row in inputs]
            made = cls(described["samples"], described["classes"], inputs, described.get("targets"))
            counted = type(made.size) is int and type(made.classes) is int and made.size > 0
            if not counted or (inputs is not None and not len(inputs) == len(described["targets"]) == made.size):
                raise ValueError(f"{made.size!a} samples, {made.classes!a} classes")
            return made
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError(f"{where} is no description of a data set: {error!r}") from error


class Again(NamedTuple):
    """What came of loading data again: the parts that could be, and how; else why not, or what contradicts what."""

    data: Samples | None = None
    testing: Samples | None = None
    notes: tuple[str, ...] = ()
    absent: str = ""
    contradiction: str = ""


def load_again(run: Mapping[str, Any], folder: Path) -> Again:
    """Load the large parts of a run's data by their recipes."""
    from micrograd_lite.data.origin import Contradiction, told

    made, notes = dict[str, Samples](), list[str]()
    for part, words in (("data", "training"), ("test", "test")):
        described = run.get(part) or {}
        if "recipe" not in described:
            continue
        if described["samples"] * described["features"] > CONFIRMED:
            return Again(absent=f"{described['samples']:,} samples of data are too many to compute with one by one")
        try:
            tables = loaded(run, part, folder)
        except Contradiction as error:
            return Again(contradiction=str(error))
        except ValueError as error:
            return Again(absent="the data cannot be loaded again", notes=(str(error),))
        tables = {**tables, "inputs": plain(tables["inputs"]), "targets": plain(tables["targets"])}
        made[part] = Samples.of(tables, f"{folder / RUN}: {part}")
        how = f"loaded again by their recipe, {told(described['recipe'])}, and have the SHA-256 in {RUN}"
        notes.append(f"the {words} data are not in the trace; they were {how}")
    return Again(made.get("data"), made.get("test"), tuple(notes))


def check_recipe(name: str, described: Mapping[str, Any], contradiction: str, gap: Callable[[str, str], None]) -> None:
    """Does the recipe of large data make as many rows, and, where they were loaded again, the numbers that were trained?"""
    if contradiction:
        raise Wrong(f"{RUN}: {contradiction}")
    if "recipe" not in described:
        return
    if "sha256" not in described:
        raise Wrong(f"{RUN}: {name} has a recipe, and no SHA-256 of the numbers that it makes")
    from micrograd_lite.data.origin import Contradiction, count_rows, told

    try:
        rows = count_rows(described["recipe"])
    except Contradiction as error:
        raise Wrong(f"{RUN}: {name}.recipe: {error}") from error
    except ValueError as error:
        gap(f"{name}.recipe", str(error))
        return
    if rows not in (None, described["samples"]):
        raise Wrong(f"{RUN}: {name}.recipe, {told(described['recipe'])}, makes {rows:,} rows of {described['samples']:,}")
