"""The functions that formulas name, on floats: what overflows is inf, what has no value is NaN, and nothing raises."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def total(function: Callable[..., float]) -> Callable[..., float]:
    """A function of the math module that gives NaN where it would raise."""

    def everywhere(*numbers: float) -> float:
        try:
            return function(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            return math.nan

    return everywhere


def exp(x: float) -> float:
    """e to the x; inf when that is too large for a float."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def power(x: float, y: float) -> float:
    """x to the y; inf with its sign when that is too large, inf for 0 to a negative power, NaN for NaN."""
    try:
        return math.pow(x, y) if y == y else y
    except OverflowError:
        return -math.inf if x < 0.0 and y % 2.0 == 1.0 else math.inf
    except ValueError:
        return math.inf if x == 0.0 else math.nan


EXACT: dict[str, Callable[..., float]] = {"sqrt": total(math.sqrt), "abs": abs}
"""Rounded alike on every machine."""

LIBRARY: dict[str, Callable[..., float]] = {
    **{name: total(getattr(math, name)) for name in (
        "log", "log1p", "expm1", "sin", "cos", "tan", "tanh", "sinh", "cosh", "asin", "acos", "atan", "atan2", "asinh",
        "acosh", "atanh", "erf", "erfc", "gamma", "lgamma", "log2", "log10", "hypot",
    )},
    "exp": exp,
    "pow": power,
}  # fmt: skip
"""The last digits depend on the system. Rows of the table use some; the others are there for rows to come."""

FUNCTIONS: dict[str, Any] = {**EXACT, **LIBRARY}
"""Every function that a formula may name."""
