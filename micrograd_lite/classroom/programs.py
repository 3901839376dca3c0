"""Programs: a few lines over the operations of our table, which any engine can run, and what they are when written out.

A program has inputs, which become somebody's Values, and steps. A step names an operation and its operands: a whole
number is the place of an earlier number (the inputs come first), a float is a plain number as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

LETTERS = "abcdefghijklmnopqrstuvwxyz"

OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "power": "**", "pow": "**"}
"""What is written between two operands."""

POINTS = (2.0, 3.0, 0.5, -2.0, -0.5, 1.5, -3.0, 0.25, 4.0, -1.25, 1.0, -1.0, 0.75, -0.125, 5.0, -4.5)
"""Numbers for the inputs, the simplest ones first: what is found is shrunk toward the front."""

EXPONENTS = (3.0, 2.0, -1.0, 0.5, -2.0, 1.0, 0.0)
"""Plain numbers after `**`."""


class Step(NamedTuple):
    """One operation of a program."""

    name: str
    operands: tuple[int | float, ...]
    in_place: bool = False  # written `a += b`

    @property
    def places(self) -> list[int]:
        """Which earlier numbers it reads."""
        return [operand for operand in self.operands if isinstance(operand, int)]


class Program(NamedTuple):
    """Inputs and steps; the last number is what backward() starts from."""

    inputs: tuple[float, ...]
    steps: tuple[Step, ...]

    @property
    def inside(self) -> set[int]:
        """The numbers that are used once, so that they stand inside the line that uses them; none where a step is in place."""
        uses = [place for step in self.steps for place in step.places]
        last = len(self.inputs) + len(self.steps) - 1
        inner = range(len(self.inputs), last)
        return set() if any(step.in_place for step in self.steps) else {place for place in inner if uses.count(place) == 1}

    @property
    def names(self) -> list[str]:
        """What each number is called: a letter, or how it is made where it has no line of its own."""
        return self.texts({})

    def texts(self, spelled: Mapping[str, str]) -> list[str]:
        """The same with the methods' own names."""
        names: list[str] = []
        inside, used = self.inside, 0
        for place in range(len(self.inputs) + len(self.steps)):
            if place in inside:
                step = self.steps[place - len(self.inputs)]
                text = typed(step, [names[x] if isinstance(x, int) else repr(x) for x in step.operands], spelled)
                names.append(f"({text})" if step.name in OPERATORS or step.name == "neg" else text)
            else:
                names.append(letter(used))
                used += 1
        return names

    def without_unused(self) -> Program:
        """The same program without the numbers that do not reach its last one; with one number at least."""
        size = len(self.inputs)
        wanted, waiting = set(), [size + len(self.steps) - 1]
        while waiting:
            place = waiting.pop()
            if place not in wanted:
                wanted.add(place)
                waiting += self.steps[place - size].places if place >= size else []
        new = {old: place for place, old in enumerate(sorted(wanted))}
        steps = [
            step._replace(operands=tuple(new[x] if isinstance(x, int) else x for x in step.operands))
            for place, step in enumerate(self.steps, size)
            if place in wanted
        ]
        return Program(tuple(x for place, x in enumerate(self.inputs) if place in wanted), tuple(steps))

    def lines(self, cls: str = "Value", backward: str = "backward", spelled: Mapping[str, str] | None = None) -> list[str]:
        """How somebody would type it: the inputs, the steps, the call of backward().

        An inner number that is used once stands inside the line that uses it. spelled: the methods' own names.
        """
        size, names, inside = len(self.inputs), self.texts(spelled or {}), self.inside
        left, right = ", ".join(names[:size]), ", ".join(f"{cls}({x!r})" for x in self.inputs)
        written = [f"{left} = {right}"]
        for place, step in enumerate(self.steps, size):
            text = typed(step, [names[x] if isinstance(x, int) else repr(x) for x in step.operands], spelled or {})
            if place not in inside:
                written.append(in_place(names[place], step, names) if step.in_place else f"{names[place]} = {text}")
        return [*written, f"{names[-1]}.{backward}()"]


def in_place(name: str, step: Step, names: Sequence[str]) -> str:
    """`c = a; c += b`."""
    first, second = (names[x] if isinstance(x, int) else repr(x) for x in step.operands)
    return f"{name} = {first}; {name} {OPERATORS[step.name]}= {second}"


def typed(step: Step, operands: Sequence[str], spelled: Mapping[str, str]) -> str:
    """One step: `a + b`, `-a`, `a.tanh()`."""
    first, name = operands[0], spelled.get(step.name, step.name)
    if step.name in OPERATORS and name == step.name:
        return f"{first} {OPERATORS[step.name]} {operands[1]}"
    if step.name == "neg" and name == step.name:
        return f"-{first}"
    if step.name == "abs" and name == step.name:
        return f"abs({first})"
    if name.endswith("("):  # a function beside the class
        return f"{name}{', '.join(operands)})"
    bare = first if first.isidentifier() or first.endswith(")") else f"({first})"
    return f"{bare}.{name}({', '.join(operands[1:])})"


def letter(place: int) -> str:
    """a, b, ..., z, a1, b1, ..."""
    turn, at = divmod(place, len(LETTERS))
    return LETTERS[at] + (str(turn) if turn else "")


def strategy(names: Mapping[str, int], most: int = 8) -> Any:
    """Programs of hypothesis over these operations (by name their number of operands), without unused lines.

    names: in the order in which a shrunk program prefers them.
    """
    from hypothesis import strategies as st

    @st.composite
    def programs(draw: Any) -> Program:
        inputs = tuple(draw(st.lists(st.sampled_from(POINTS), min_size=1, max_size=3)))
        steps: list[Step] = []
        for name in draw(st.lists(st.sampled_from(list(names)), min_size=1, max_size=most)):
            back = st.integers(1, len(inputs) + len(steps))  # counted back from the latest, so that shrinking makes chains
            picked = [len(inputs) + len(steps) - draw(back) for _ in range(names[name])]
            steps.append(Step(name, (picked[0], draw(st.sampled_from(EXPONENTS))) if name == "power" else tuple(picked)))
        return Program(inputs, tuple(steps)).without_unused()

    return programs()
