"""The text of a program: names that are harmless and each its own, and lines that are not too long.

A label may be any text. It never reaches the program but through `claim`, which lets letters, digits and underscores
through, or through `quoted`, which makes a comment of it that cannot end early. Python's compiler walks down an
expression as deep as it is, and no deeper than some hundreds: long sums are several statements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from keyword import iskeyword

LONGEST = 60
"""Longer names make no program easier to read."""


class Names:
    """The names that one program uses; every name brings `d_name`, for the slope toward it."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)
        self.last: dict[str, int] = {}

    def claim(self, label: str, fallback: str) -> str:
        """A name of its own for what has this label: dots become underscores, `fallback` is used when too little is left."""
        wanted = re.sub(r"[^A-Za-z0-9_]+", "_", label[: 4 * LONGEST]).strip("_")[:LONGEST]
        if not wanted:
            wanted = fallback
        elif wanted[0].isdigit():
            wanted = f"{fallback}_{wanted}"
        name = wanted
        while name in self.taken or f"d_{name}" in self.taken or iskeyword(name):
            self.last[wanted] = self.last.get(wanted, 1) + 1
            name = f"{wanted}_{self.last[wanted]}"
        self.taken |= {name, f"d_{name}"}
        return name


def quoted(label: str) -> str:
    """A label for a comment: one line of printable ASCII, whatever is in it."""
    text = ascii(label)
    return text if len(text) <= 2 * LONGEST else f"{text[: 2 * LONGEST]}..."


IN = " " * 8
WIDTH = 116
TERMS = 50


def heading(path: str, what: str) -> list[str]:
    """A comment where a neuron begins, from its path; nothing else begins with one."""
    return ["", f"{IN}# {what}{re.sub(r'[^A-Za-z0-9_.]+', '_', path)[:60]}"] if path else []


def indented(lines: Sequence[str], levels: int) -> list[str]:
    """The lines, so many levels further to the right."""
    return [f"{'    ' * levels}{line}" if line else line for line in lines]


def total(name: str, start: str, terms: Sequence[str], opening: str, closing: str, comment: str) -> list[str]:
    """Statements for `name = start + term + term ...`, added from left to right, none of them too long a sum."""
    if terms:
        start, *terms = (f"({term})" if " if " in term else term for term in (start, *terms))
    lines, first = [], 0
    while len(terms) - first > TERMS:
        lines += folded(f"{name} = {' + '.join([start, *terms[first : first + TERMS]])}", comment)
        start, first = name, first + TERMS
    return lines + folded(f"{name} = {opening}{' + '.join([start, *terms[first:]])}{closing}", comment)


def folded(statement: str, comment: str) -> list[str]:
    """One line, or several in parentheses when it is long."""
    note = f"  # {comment}" if comment else ""
    if len(IN + statement + note) <= WIDTH + 8:
        return [f"{IN}{statement}{note}"]
    target, _, expression = statement.partition(" = ")
    inside = wrapped(expression)
    return [f"{IN}{target} = ({note}", *(f"{IN}    {line}" for line in inside), f"{IN})"]


def table(names: Sequence[str], indent: str) -> list[str]:
    """Names with commas, in lines."""
    return [f"{indent}{line}" for line in wrapped(", ".join(names) + ",")]


def unpacking(names: Sequence[str], whole: str) -> list[str]:
    """The statement that gives each number of a sequence its name; none for no names."""
    if len(names) > 8:
        return [f"{IN}(", *table(names, IN + "    "), f"{IN}) = {whole}"]
    return [f"{IN}({', '.join(names)}{',' * (len(names) == 1)}) = {whole}"] if names else []


def wrapped(text: str) -> list[str]:
    """Lines of at most WIDTH characters, broken at spaces."""  # textwrap does the same in 10 x the time
    lines, line = [], ""
    for word in text.split(" "):
        if line and (len(line) + len(word) >= WIDTH or word == "else"):  # a choice is read branch by branch
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def renaming(rows: Sequence[tuple[str, str]]) -> list[str]:
    """The table of labels that could not be kept, as comments."""
    width = max((len(name) for name, _ in rows), default=0)
    title = ["# Names that are not their labels:"] if rows else []
    return [*title, *(f"#     {name:<{width}}  {quoted(label)}" for name, label in rows)]
