"""The same properties as pytest tests, for an engine of your own or an operation that you add.

    from micrograd_lite.classroom import gradient_properties
    from mine import Value

    TestGradients = gradient_properties(Value, swish=lambda x: x * x.sigmoid())

One test for each operation that the class offers, and one for whole graphs. An operation beyond our table is given as a
formula over it: forward duals make its slopes from that, so nothing of the tested engine decides what is right.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any

from micrograd_lite.classroom.adapter import Engine
from micrograd_lite.classroom.findings import Finding
from micrograd_lite.classroom.probes import found_in
from micrograd_lite.classroom.properties import Operation, operation
from micrograd_lite.classroom.reference import written


class Properties:
    """An engine and everything that is wrong with it, found when the first test asks."""

    def __init__(self, cls: type, formulas: dict[str, Callable[..., Any]]) -> None:
        more = {name: (arity(formula), written(formula, arity(formula))) for name, formula in formulas.items()}
        self.engine = Engine(cls, more=more)
        tried = {name: operation(self.engine, name) for name in self.engine.known}
        self.tried: dict[str, Operation] = {name: found for name, found in tried.items() if found.forms or name in formulas}

    @cached_property
    def findings(self) -> list[Finding]:
        """What is wrong, root causes first."""
        found = found_in(self.engine, {name: one for name, one in self.tried.items() if one.forms})
        return [finding for finding in found if finding.kind in ("wrong", "differs")]

    def hold_for(self, name: str) -> None:
        """AssertionError with the sentence and the counterexample when an operation is wrong, or follows from a wrong one."""
        if not self.tried[name].forms:
            raise AssertionError(f"{self.engine.cls.__name__} offers no {name}: {next(iter(self.tried[name].missing.values()))}")
        self._fail([finding for finding in self.findings if name in (finding.about, *finding.makes_wrong)])

    def hold_for_graphs(self) -> None:
        """The same for what concerns no single operation."""
        self._fail([finding for finding in self.findings if finding.about not in self.tried])

    def _fail(self, findings: list[Finding]) -> None:
        for finding in findings:
            lines = [
                f"{finding.about}: {finding.sentence}",
                *(f"    {line}" for line in finding.counterexample),
                finding.got,
                finding.line,
            ]
            raise AssertionError("\n".join(line for line in lines if line))


def arity(formula: Callable[..., Any]) -> int:
    """How many Values an operation takes: the parameters of its formula."""
    return len(inspect.signature(formula).parameters)


def gradient_properties(cls: type, **formulas: Callable[..., Any]) -> type:
    """A class of tests for pytest, to be assigned to a name that starts with `Test`.

    cls: a class that holds a number and has backward(). formulas: operations beyond our table, by the name of the method:
    `swish=lambda x: x * x.sigmoid()`. CannotCheck for a class that holds no number; ModuleNotFoundError without hypothesis.
    """
    import hypothesis  # noqa: F401  # said now, and not in the middle of a test

    properties = Properties(cls, formulas)

    class Gradients:
        """A test for each operation, and one for whole graphs."""

        def test_graphs(self) -> None:
            """Nodes that are used twice, equal numbers, a second graph, whatever hypothesis draws."""
            properties.hold_for_graphs()

    for name in properties.tried:
        setattr(Gradients, f"test_{name}", tested(properties, name))
    return Gradients


def tested(properties: Properties, name: str) -> Callable[[Any], None]:
    """The test of one operation."""

    def test(_: Any) -> None:
        properties.hold_for(name)

    test.__doc__ = f"Value and slopes of {name}: alone, below and above another operation, with an operand that is used twice."
    return test
