"""Doubt a gradient: nudge each input a little and see whether the output moves as backward() says.

Finite differences know nothing of derivative rules, so they make an honest witness; they are only as exact as
rounding allows (about 1e-9 of the size of the sums), so this is a smoke alarm, not a proof.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from micrograd_lite.graph import youngest_first
from micrograd_lite.scalar import Value, operand


class Comparison(NamedTuple):
    """One input's slope, found twice: by the chain rule and by central differences."""

    name: str
    point: float
    gradient: float
    difference: float
    agrees: bool


def central_difference(function: Callable[..., Value], point: Sequence[float], position: int, step: float = 1e-3) -> float:
    """(f(x + h) - f(x - h)) / 2h in one coordinate, Richardson-extrapolated from h and h/2: error of order h**4.

    h: `step` times max(1, |x|). Where the slope has a bend, as elu's has at 0, the error is of order h.
    """

    def slope(h: float) -> float:
        above, below = list(point), list(point)
        above[position] += h
        below[position] -= h
        width = above[position] - below[position]  # what was really added, after rounding
        return (_output(function, map(Value, above)).data - _output(function, map(Value, below)).data) / width

    h = step * max(1.0, abs(point[position]))
    return (4.0 * slope(h / 2.0) - slope(h)) / 3.0


def compare_gradients(function: Callable[..., Value], *point: float, tolerance: float = 1e-5) -> list[Comparison]:
    """Both slopes of `function(*Values) -> Value` at a point, one row per input.

    A row agrees when the two differ by at most `tolerance` times max(1, S), with S the sum over all paths of the
    product of |partials|: the size of the numbers that were added up. Rows that are not finite never agree.
    A plain number that the function returns is a constant: its slopes are 0. TypeError for anything else.
    """
    inputs = [Value(number, label=f"x{position}") for position, number in enumerate(point)]
    root = _output(function, inputs)
    root.backward()
    sizes = path_sizes(root)
    rows = []
    for position, leaf in enumerate(inputs):
        bound = tolerance * max(1.0, sizes.get(leaf, 0.0))
        for step in (1e-3, 1e-6):  # the shorter one for a slope with a bend, where it is off by some 1e-6
            difference = central_difference(function, point, position, step)
            error = abs(leaf.grad - difference)
            agrees = math.isfinite(error) and error <= bound
            if agrees:
                break
        rows.append(Comparison(leaf.label, leaf.data, leaf.grad, difference, agrees))
    return rows


def check_gradients(function: Callable[..., Value], *point: float, tolerance: float = 1e-5) -> None:
    """Raise ValueError naming the first input whose gradient a central difference contradicts, or where no point is given.

    >>> check_gradients(lambda x, y: x * y.tanh(), 2.0, 0.5)
    """
    if not point:
        raise ValueError("check_gradients needs a point: a number for each input of the function")
    for row in compare_gradients(function, *point, tolerance=tolerance):
        if not row.agrees:
            raise ValueError(
                f"the gradient of {row.name} at {row.point!r} is {row.gradient!r} by backward() but "
                f"{row.difference!r} by central differences; check the partial of the operation that uses it"
            )


def _output(function: Callable[..., Any], inputs: Iterable[Value]) -> Value:
    output = function(*inputs)
    try:
        return operand(output)
    except TypeError as error:
        raise TypeError(f"the function must return a Value or a number, got {type(output).__name__}") from error


def path_sizes(root: Value) -> dict[Value, float]:
    """S of every node below root: the sum over all paths to it of the product of |partials|.

    Rounding errors in a gradient are proportional to this sum, not to the gradient, which may cancel.
    """
    sizes = {root: 1.0}
    for node in youngest_first(root):
        upstream = sizes[node]
        for parent, partial in zip(node.parents, node.partials):
            sizes[parent] = sizes.get(parent, 0.0) + abs(partial) * upstream
    return sizes
