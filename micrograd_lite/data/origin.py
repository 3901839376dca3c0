"""Where a data set came from: what loaded it, with its arguments, and what was then done to it, so that it can be loaded again.

    whole = moons(60000)
    train, test = split(whole, seed=3)
    load_again(train.origin, rows=48000)

An origin is plain data, as a trace keeps it (its `recipe`). What a recipe names is looked up in two fixed tables; nothing in it
is code, nothing is downloaded, and how many rows it makes is known before one is made.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from sys import byteorder
from typing import Any, NamedTuple

from micrograd_lite.data import prepare, toys
from micrograd_lite.data.bundled import digits, iris
from micrograd_lite.data.dataset import Dataset, Made
from micrograd_lite.data.images import image_part
from micrograd_lite.data.mnist import Mnist, mnist, mnist_files
from micrograd_lite.data.table import same_file, table_of

MOST = 2_000_000
"""Rows of a made-up data set that are made again."""
CHUNK = 4096
"""Rows whose numbers are packed at once."""

NUMBER, WHOLE, NUMBERS = (int, float), (int,), (list,)


class Known(NamedTuple):
    """A loader or a preparation, the kinds of its arguments, and how many rows it makes of so many (None: not known)."""

    do: Callable[..., Dataset]
    takes: Mapping[str, tuple[type, ...]]
    rows: Callable[..., int | None] = lambda rows, **arguments: rows


class Contradiction(ValueError):
    """A recipe, or what it makes, contradicts what is said beside it."""


def _table(content: bytes, path: str, bytes: int, sha256: str, target: str, regression: bool) -> Dataset:
    return table_of(content, path, target, regression).data


def _split(dataset: Dataset, test: float, seed: int, part: str) -> Dataset:
    return dict(zip(("train", "test"), prepare.split(dataset, test, seed)))[part]


def _split_rows(rows: int | None, test: float, seed: int, part: str) -> int | None:
    taken = None if rows is None else round(test * rows)
    return taken if rows is None or taken is None or part == "test" else rows - taken


_CHANCE = {"samples": WHOLE, "noise": NUMBER, "seed": WHOLE}

LOADERS = {
    "xor":      Known(toys.xor,    {},      lambda: 4),
    "parts":    Known(toys.parts,  {},      lambda: 4),
    "line":     Known(toys.line,   {},      lambda: 5),
    "mazur":    Known(toys.mazur,  {},      lambda: 1),
    "moons":    Known(toys.moons,  _CHANCE, lambda samples, noise, seed: samples),
    "spiral":   Known(toys.spiral, _CHANCE, lambda samples, noise, seed: samples),
    "iris":     Known(iris,        {},      lambda: 150),
    "digits":   Known(digits,      {},      lambda: 1797),
    "mnist":    Known(image_part,  {"part": (str,), "dtype": (str,)}, lambda part, dtype: 60_000 if part == "train" else 10_000),
    "read_csv": Known(_table,      {"path": (str,), "bytes": WHOLE, "sha256": (str,), "target": (str,), "regression": (bool,)},
                      lambda **arguments: None),
}  # fmt: skip
"""What a recipe begins with."""

PREPARATIONS = {
    "split":        Known(_split,               {"test": NUMBER, "seed": WHOLE, "part": (str,)}, _split_rows),
    "first":        Known(prepare.first,        {"rows": WHOLE},
                          lambda before, rows: None if before is None else min(before, rows)),
    "moved":        Known(prepare.moved,        {"centre": NUMBERS, "scale": NUMBERS}),
    "moved_target": Known(prepare.moved_target, {"centre": NUMBER, "scale": NUMBER}),
    "labelled":     Known(prepare.labelled,     {}),
    "two_classes":  Known(prepare.two_classes,  {"low": NUMBER}),
    "one_hot":      Known(prepare.one_hot,      {}),
}  # fmt: skip
"""What it may go on with."""

CHOICES = {"part": ("train", "test"), "dtype": ("float32", "float64")}

def _original_mnist(step: Made) -> tuple[Mnist]:
    try:
        mnist_files()  # says which command downloads them: nothing is downloaded unasked
        return (mnist(),)
    except ModuleNotFoundError as error:
        raise ValueError(f"MNIST cannot be loaded without {error.name}: install it") from error


OUTSIDE: dict[str, Callable[[Made], tuple[Any]]] = {
    "read_csv": lambda step: (same_file(step["path"], step["bytes"], step["sha256"]),),
    "mnist": _original_mnist,
}
"""How to get what lies outside of the package, with an OSError or ValueError where it is not there, or not the same."""

BY_THE_SYSTEM = ("moons", "spiral")
"""Loaders that call sin and cos: another machine's may differ in the last digit."""


def load_again(recipe: Sequence[Made], rows: int) -> Dataset:
    """The data set of an origin, of which it is known how many rows it has.

    Contradiction, a ValueError: it makes another number of rows. ValueError or OSError: a name that is not known here, a file
    that is not there or not the same, MNIST that is not at hand.
    """
    made = count_rows(recipe)
    if made is not None and made != rows:
        raise Contradiction(f"{told(recipe)} makes {made:,} rows, and there were {rows:,}")
    first, *others = recipe
    source = OUTSIDE[first["name"]](first) if first["name"] in OUTSIDE else ()
    try:
        dataset = LOADERS[first["name"]].do(*source, **_arguments(first))
        for step in others:
            dataset = PREPARATIONS[step["name"]].do(dataset, **_arguments(step))
    except (ValueError, TypeError, ArithmeticError, IndexError) as error:
        raise Contradiction(f"{told(recipe)} cannot be followed: {error}") from error
    if len(dataset.inputs) != rows:
        raise Contradiction(f"{told(recipe)} makes {len(dataset.inputs):,} rows, and there were {rows:,}")
    return dataset


def count_rows(recipe: Sequence[Made]) -> int | None:
    """How many rows a recipe makes, counted before anything is made; None where only its file tells. ValueError as above."""
    rows = _known(recipe[0], LOADERS, "loader").rows(**_arguments(recipe[0]))
    for place, step in enumerate(recipe):
        if rows is not None and not 0 < rows <= MOST:
            raise Contradiction(f"{told(recipe[: place + 1])} makes {rows:,} rows, and 1 to {MOST:,} are made again")
        if place:
            rows = _known(step, PREPARATIONS, "preparation").rows(rows, **_arguments(step))
    return rows


def _known(step: Made, table: dict[str, Known], what: str) -> Known:
    """The row of a table. ValueError when it has none of this name, Contradiction when the arguments are others."""
    name = step["name"]
    if name not in table:
        raise ValueError(f"the {what} {name!a:.50} is not known here; known are {', '.join(table)}")
    given, takes = _arguments(step), table[name].takes
    fits = given.keys() == takes.keys() and all(type(given[key]) in kinds for key, kinds in takes.items())
    if not fits or any(key in CHOICES and given[key] not in CHOICES[key] for key in given):
        raise Contradiction(f"{told([step])} is no {what}: {name} takes {', '.join(takes) or 'nothing'}")
    return table[name]


def _arguments(step: Made) -> dict[str, Any]:
    return {name: argument for name, argument in step.items() if name != "name"}


def told(recipe: Sequence[Made]) -> str:
    """A recipe in one line: `moons(samples=60000, noise=0.1, seed=0), labelled()`; long lists are left out."""
    def spelled(name: str, argument: Any) -> str:
        return f"{name}=..." if isinstance(argument, (list, tuple)) else f"{name}={argument!a:.120}"

    steps = []
    for step in recipe:
        steps.append(f"{step['name']!s:.50}({', '.join(spelled(*pair) for pair in _arguments(step).items())})")
    return ", ".join(steps)


def digest(inputs: Any, targets: Any, narrow: bool) -> str:
    """The SHA-256 of the numbers of a data set: all inputs row by row, then all targets, each a binary64, its lowest byte first.

    narrow: binary32, as a network of 32 bits is trained on. Lists and arrays of the same numbers have the same.
    """
    from hashlib import sha256

    found = sha256()
    for table in (inputs, targets):
        for start in range(0, len(table), CHUNK):
            found.update(_packed(table[start : start + CHUNK], narrow))
    return found.hexdigest()


def _packed(rows: Any, narrow: bool) -> bytes:
    if hasattr(rows, "astype"):
        made: bytes = rows.astype("<f4" if narrow else "<f8").tobytes()
        return made
    lists = isinstance(rows[0], (list, tuple))
    numbers = array("f" if narrow else "d", chain.from_iterable(rows) if lists else rows)
    if byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def as_trained(dataset: Dataset, narrow: bool) -> Dataset:
    """The data set with its numbers as they were trained: rounded to 32 bits for a network of these; labels stay whole."""
    if not narrow or hasattr(dataset.inputs, "dtype"):
        return dataset
    rounded = [array("f", row).tolist() for row in dataset.inputs]
    return dataset._replace(inputs=rounded, targets=[_narrow(target) for target in dataset.targets])


def _narrow(target: Any) -> Any:
    if isinstance(target, int):
        return target
    return array("f", target).tolist() if isinstance(target, (list, tuple)) else array("f", [target])[0]
