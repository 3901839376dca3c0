"""Loops: of many statements or terms that differ only in their places, one that is repeated.

The products of a neuron and the slopes toward its weights stand side by side in their arrays, so that in a text for a
compiler they are a loop: the same additions in the same order, in a hundredth of the lines.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

RUN = 6
"""So many equal statements or terms become a loop."""


class Line(NamedTuple):
    """A statement or a term: its text with %s for each place in an array, the names of these places, and a comment."""

    text: str
    places: tuple[str, ...]
    note: str = ""


class Run(NamedTuple):
    """Lines that differ only in their places: the first of them, how many they are, and the steps from one to the next."""

    line: Line
    times: int
    steps: Sequence[int]

    def moving(self) -> str:
        """The text of all of them, for k = 0, 1 ..."""
        shown = {0: "", 1: " + k", -1: " - k"}
        places = (name + shown.get(step, f" + {step} * k") for name, step in zip(self.line.places, self.steps))
        return self.line.text % tuple(places)


def runs(lines: Sequence[Line], place: Mapping[str, int]) -> Iterator[Run]:
    """The lines in order, those that can be a loop as one Run, all others alone. place: where each name stands."""
    first = 0
    while first < len(lines):
        end, steps = first + 1, _steps(lines, first, place)
        while steps is not None and _steps(lines, end - 1, place) == steps:
            end += 1
        count = end - first if end - first >= RUN else 1
        yield Run(lines[first], count, steps or ())
        first += count


def _steps(lines: Sequence[Line], k: int, place: Mapping[str, int]) -> Sequence[int] | None:
    """How far the places of the next line are from those of this one; None if it is another statement."""
    if k + 1 == len(lines) or lines[k].text != lines[k + 1].text:
        return None
    return [place[after] - place[before] for before, after in zip(lines[k].places, lines[k + 1].places)]


def joined(statements: Sequence[Any]) -> Iterator[tuple[Any, list[ast.expr]]]:
    """Each statement with the terms of its sum; `a = b + c; a = a + d` is one."""
    held: tuple[Any, list[ast.expr]] | None = None
    for statement in statements:
        terms = terms_of(statement.value) if isinstance(statement, ast.Assign) else []
        if held is not None:
            name = ast.unparse(held[0].targets[0])
            into = [ast.unparse(target) for target in statement.targets] if terms else []
            if into == [name] == [ast.unparse(terms[0])]:
                held[1].extend(terms[1:])
                continue
            yield held
        held = (statement, terms) if len(terms) > RUN else None
        if held is None:
            yield statement, terms
    if held is not None:
        yield held


def terms_of(tree: ast.expr) -> list[ast.expr]:
    """a, b, c of a + b + c."""
    terms = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
        terms.append(tree.right)
        tree = tree.left
    return [tree, *reversed(terms)]
