"""What is right: value and gradients of a program by forward duals, with nothing of our engine and no backward sweep.

Each number of a program carries its slope toward every earlier number, and the size of that slope: the sum over all
paths of the product of the absolute slopes. An honest engine may round otherwise, and a set of children adds in another
order; so a gradient is right within 1e-9 of that size. A program in which a rounding matters (a kink, a logarithm near
1) proves nothing about an engine: it is worked out again with all its numbers moved a little, and left out where
that moves a slope.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from micrograd_lite.classroom.programs import Program
from micrograd_lite.verify.formulas import power
from micrograd_lite.verify.operations import OPERATIONS, Known

ROOM = 1e-9
"""How far a number may be off, relative to its terms."""

SINGLE = 1e-4
"""The same for engines that keep their numbers in single precision."""

MOVED = 1e-4
"""By how much of the room numbers are moved to see whether roundings matter; a slope may move a thousand times as far."""

LARGEST = 1e6
"""Everyday magnitudes: no program leaves them."""


class Derived(NamedTuple):
    """All numbers of a program, and of each the slope of the last toward it, with its size."""

    values: list[float]
    gradients: list[float]
    sizes: list[float]


def _number_power(x: float, n: float) -> tuple[float, tuple[float, ...]]:
    if x == 0.0 and n < 2.0:
        raise ValueError("the border of a domain, or a kink")
    return power(x, n), (n * power(x, n - 1.0) if n else 0.0,)


def _positive_power(x: float, y: float) -> tuple[float, tuple[float, ...]]:
    if not x > 0.0:
        raise ValueError("a Value in the exponent needs a positive base")
    return OPERATIONS["pow"](x, y)


KNOWN: dict[str, Known] = {**OPERATIONS, "power": _number_power, "pow": _positive_power}
"""Value and slopes of each operation; those of verify, which shares nothing with the engine."""

WIDER: dict[str, Callable[[float], float]] = {"tanh": lambda z: 1.0 + z * z, "sigmoid": lambda z: z + z * z}
"""Slopes whose formula subtracts: the size of their terms."""


def leaky(slope: float) -> Known:
    """A leaky relu with a slope of somebody's choice."""
    return lambda x: (max(x, slope * x), (1.0 if x > 0.0 else slope,))


def derive(program: Program, known: Mapping[str, Known] = KNOWN, moved: Sequence[float] = (0.0,)) -> Derived | None:
    """Value and gradients of a program; None outside a domain. moved: what is added to one number after the other."""
    values: list[float] = []
    slopes: list[list[float]] = []
    sizes: list[list[float]] = []
    for place in range(len(program.inputs) + len(program.steps)):
        row, size = [0.0] * place + [1.0], [0.0] * place + [1.0]
        if place < len(program.inputs):
            value = program.inputs[place]
        else:
            step = program.steps[place - len(program.inputs)]
            numbers = [values[x] if isinstance(x, int) else x for x in step.operands]
            try:
                value, partials = known[step.name](*numbers)
            except (ValueError, ArithmeticError):
                return None
            for partial, source in zip(partials, step.operands):
                wide = WIDER[step.name](value) if step.name in WIDER else abs(partial)
                for at in range(source + 1 if isinstance(source, int) else 0):
                    row[at] += partial * slopes[int(source)][at]
                    size[at] += wide * sizes[int(source)][at]
        values.append(value + moved[place % len(moved)] * (1.0 + abs(value)))
        slopes.append(row)
        sizes.append(size)
    return Derived(values, slopes[-1], sizes[-1])


def dependable(program: Program, known: Mapping[str, Known] = KNOWN, room: float = ROOM) -> Derived | None:
    """Its numbers, where they are of everyday size and no rounding matters; else None."""
    derived = derive(program, known)
    if derived is None or not all(abs(x) <= LARGEST for x in (*derived.values, *derived.sizes)):
        return None
    by = MOVED * room
    for pattern in ((by, by), (-by, -by), (by, -by, -by)):
        other = derive(program, known, pattern)
        if other is None:
            return None
        for one, two, size in zip(derived.gradients, other.gradients, derived.sizes):
            if not abs(one - two) <= 0.1 * room * size:
                return None
        for one, two in zip(derived.values, other.values):
            if not abs(one - two) <= 0.1 * room * max(1.0, abs(one)):
                return None
    return derived


class Dual:
    """A number and its slopes, for a formula in Python: `lambda x: x * x.sigmoid()` has the operations of the table."""

    def __init__(self, value: float, slopes: Sequence[float]) -> None:
        self.value, self.slopes = value, tuple(slopes)

    def apply(self, name: str, *others: Any) -> Dual:
        """An operation of the table on this number and others."""
        duals = [self, *(x if isinstance(x, Dual) else Dual(float(x), [0.0] * len(self.slopes)) for x in others)]
        value, partials = KNOWN[name](*(dual.value for dual in duals))
        slopes = [0.0] * len(self.slopes)
        for partial, dual in zip(partials, duals):
            slopes = [total + partial * slope for total, slope in zip(slopes, dual.slopes)]
        return Dual(value, slopes)

    def __getattr__(self, name: str) -> Callable[..., Dual]:
        if name not in KNOWN:
            raise AttributeError(f"a formula has the operations of the table, and {name!r} is none of them")
        return lambda *others: self.apply(name, *others)

    def __pow__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            return self.apply("pow", other)
        value, (slope,) = KNOWN["power"](self.value, float(other))
        return Dual(value, [slope * x for x in self.slopes])

    def __rpow__(self, other: float) -> Dual:
        return self._number(other).apply("pow", self)

    def _number(self, other: float) -> Dual:
        return Dual(float(other), [0.0] * len(self.slopes))

    def __add__(self, other: Any) -> Dual:
        return self.apply("add", other)

    def __sub__(self, other: Any) -> Dual:
        return self.apply("sub", other)

    def __mul__(self, other: Any) -> Dual:
        return self.apply("mul", other)

    def __truediv__(self, other: Any) -> Dual:
        return self.apply("div", other)

    def __rsub__(self, other: float) -> Dual:
        return self._number(other).apply("sub", self)

    def __rtruediv__(self, other: float) -> Dual:
        return self._number(other).apply("div", self)

    def __neg__(self) -> Dual:
        return self.apply("neg")

    def __abs__(self) -> Dual:
        return self.apply("abs")

    __radd__, __rmul__ = __add__, __mul__


def written(formula: Callable[..., Any], arity: int) -> Known:
    """An operation known by a formula over the operations of the table."""

    def known(*numbers: float) -> tuple[float, tuple[float, ...]]:
        units = [[1.0 if one == other else 0.0 for one in range(arity)] for other in range(arity)]
        result = formula(*(Dual(x, unit) for x, unit in zip(numbers, units)))
        if not isinstance(result, Dual) or not math.isfinite(result.value):
            raise ValueError("no number comes out of this formula here")
        return result.value, result.slopes

    return known
