"""Where an engine ends: long chains, many paths, large numbers, a second backward(). Beyond a lecture's examples, so no mistake.

Each is tried last, and on its own clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from micrograd_lite.classroom.adapter import CannotCheck, Engine, said
from micrograd_lite.classroom.findings import Finding
from micrograd_lite.classroom.programs import Program, Step
from micrograd_lite.classroom.reference import ROOM

LONG, DOUBLED = 5_000, 30
"""Nodes of a chain; doublings, each of which doubles the number of paths."""

OVERFLOWING = {"exp": 1000.0, "tanh": 1000.0, "sigmoid": -1000.0, "softplus": 1000.0, "elu": 1000.0}
"""Numbers at which a formula that is not written for them overflows."""


def limits(engine: Engine, right: set[str], clock: Callable[[Callable[[], Any]], Any]) -> list[Finding]:
    """All limits that were met. clock: calls a function and raises TimeoutError when it takes too long."""
    single = "numbers are kept in single precision, so they are compared within 1e-4 of their terms"
    found = [Finding("beyond", "precision", single)] if engine.room > ROOM else []
    for name, what in TRIED:
        if not {"add", "mul"} & right:
            break
        try:
            words = clock(lambda what=what: what(engine, "add" if "add" in right else "mul"))  # type: ignore[misc]
        except (CannotCheck, MemoryError):
            raise
        except Exception as error:
            words = f"{SIZES.get(name, name)}: {said(error)}"
        found += [Finding("beyond", name, words)] if words else []
    numbers = {name: number for name, number in OVERFLOWING.items() if name in right}
    large = [f"{name}({number:g}) {words}" for name, number in numbers.items() if (words := overflow(engine, name, number))]
    return found + ([Finding("beyond", "large numbers", "; ".join(large))] if large else [])


def long_chain(engine: Engine, name: str) -> str:
    """A chain of some thousand operations, as a loop over rows of data makes it."""
    leaf = node = engine.leaf(1.0)
    for _ in range(LONG):
        node = engine.step(Step(name, (0, 1)), [node, engine.leaf(1.0)])
    engine.sweep(node)
    return "" if engine.gradient(leaf) == 1.0 else f"a chain of {LONG:,} operations: the gradient of its first number is wrong"


def many_paths(engine: Engine, name: str) -> str:
    """Each number is the sum of the one before with itself: few nodes, and more paths than can be walked."""
    leaf = node = engine.leaf(1.0)
    for _ in range(DOUBLED):
        node = engine.step(Step(name, (0, 0)), [node])
    engine.sweep(node)
    return "" if engine.gradient(leaf) == 2.0**DOUBLED else f"{DOUBLED} doublings: the gradient of the first number is wrong"


def twice(engine: Engine, name: str) -> str:
    """A second backward() on the same graph doubles the gradients of the leaves, or finds them again."""
    nodes = engine.build(Program((2.0, 3.0), (Step(name, (0, 1)), Step(name, (2, 0)), Step(name, (3, 2)))))
    engine.sweep(nodes[-1])
    once = engine.gradient(nodes[0]) or 0.0
    engine.sweep(nodes[-1])
    got = engine.gradient(nodes[0]) or 0.0
    fits = any(math.isclose(got, factor * once, rel_tol=1e-9) for factor in (1.0, 2.0))
    return "" if fits else f"a second backward() on one graph makes {once:g} into {got:g}: inner gradients are not set back to 0"


def two_losses(engine: Engine, name: str) -> str:
    """Two graphs over one leaf: their gradients add up in it."""
    leaf = engine.leaf(2.0)
    for _ in range(2):
        engine.sweep(engine.step(Step(name, (0, 1)), [leaf, engine.leaf(3.0)]))
    got, wanted = engine.gradient(leaf) or 0.0, 2.0 if name == "add" else 6.0
    return (
        ""
        if got == wanted
        else f"the gradients of two losses do not add up in their leaves: {got:g} where {wanted:g} is their sum"
    )


def overflow(engine: Engine, name: str, number: float) -> str:
    """What an operation says of a large number; "" where it is what IEEE arithmetic says."""
    value, slope = {"exp": (math.inf, math.inf), "tanh": (1.0, 0.0), "sigmoid": (0.0, 0.0)}.get(name, (number, 1.0))
    try:
        leaf = engine.leaf(number)
        node = engine.step(Step(name, (0,)), [leaf])
        engine.sweep(node)
        got = engine.number(node), engine.gradient(leaf) or 0.0
    except (CannotCheck, MemoryError):
        raise
    except Exception as error:
        return f"raises {said(error)}"
    return "" if got == (value, slope) else f"is {got[0]:g} with slope {got[1]:g}"


TRIED = (("long chains", long_chain), ("many paths", many_paths), ("second backward", twice), ("two losses", two_losses))
"""Each limit by its name."""

SIZES = {
    "long chains": f"a chain of {LONG:,} operations",
    "many paths": f"a graph of {DOUBLED} nodes, each used twice by the next",
}
