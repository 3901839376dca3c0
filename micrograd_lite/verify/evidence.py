"""Evidence: when two numbers are the same, and the sentence that says which row is wrong.

`+ - * /` and the square root are rounded alike on every machine, so what they make is compared bit by bit. exp, tanh,
pow and their like come from a library of the system, and two libraries may differ in the last digits: what they take
part in may differ by a few units, one unit being the distance to the next float.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from micrograd_lite.text.files import number

UNITS = 8
"""A formula of the table calls at most three such functions; each errs by a unit or two on the systems that we know."""


class Wrong(Exception):
    """The first wrong row, in one sentence."""


class NotHere(Exception):
    """Why a trace has nothing of the kind that a check looks at: no row of it is left unproved."""


class NotChecked(Exception):
    """Why a check could not run although the trace has what it looks at."""


def same(one: Any, other: Any) -> bool:
    """The same bits; 0.0 and -0.0 are two numbers, and every NaN is like any other."""
    if one == other:
        return bool(one != 0.0) or math.copysign(1.0, one) == math.copysign(1.0, other)
    return bool(one != one and other != other)


def within(one: float, other: float, room: float) -> bool:
    """The same bits, or no further apart than some room that is there for a reason."""
    return same(one, other) or (0.0 < room < math.inf and abs(one - other) <= room)


def near(one: float, other: float, units: float = UNITS) -> bool:
    """The same, but for so many units of rounding."""
    return within(one, other, units * math.ulp(max(abs(one), abs(other))))


def wrong(table: str, row: Mapping[str, Any], column: str, wanted: Any, why: str) -> Wrong:
    """`gradients.csv, step 3, layer0.neuron0.w0: after is 0.5, but before + update is 0.25`."""
    return Wrong(f"{place(table, row)}: {column} is {shown(row[column])}, but {why} {shown(wanted)}")


def place(table: str, row: Mapping[str, Any]) -> str:
    """Where a row stands: its table, its step and what it is about."""
    about = row.get("parameter", row.get("array"))
    if "node" in row:
        about = f"row {row['order']}, {row['node']} to {row['parent']}"
    return f"{table}, step {row['step']}" + (f", {plainly(about)}" if about is not None else "")


def shown(cell: Any) -> str:
    """A cell as it stands in a sentence: an exact number, a text in quotes, `empty`."""
    if isinstance(cell, float):
        return number(cell)
    return "empty" if cell is None else f"{cell!a:.200}"


def plainly(name: str) -> str:
    """A name in ASCII and on one line, whatever is in it."""
    return ascii(name)[1:-1]
