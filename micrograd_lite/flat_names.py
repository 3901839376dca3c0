"""Names: from labels, which may be any text, to the names of a program, which are harmless and each its own.

A label never reaches the program but through `claim`, which lets letters, digits and underscores through, or through
`quoted`, which makes a comment of it that cannot end early.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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
