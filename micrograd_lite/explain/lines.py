"""The door of a formula: its size, its lines and its words, looked at before Python's parser sees any of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from difflib import get_close_matches
from keyword import iskeyword

CHARACTERS, NODES, DEPTH = 10_000, 1_000, 100
"""The largest formula: of so many characters, of so many numbers, names and operations, nested so deep."""

TOKEN = re.compile(
    r" *(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>\*\*|[+*^-]|/(?!/))|(?P<bracket>[(),])) *",
    re.ASCII,
)


def text_lines(text: str) -> list[tuple[str, str]]:
    """The lines of a formula, as (the name that is given before an equals sign or "", what it is given to).

        >>> text_lines("d = a*b + c; tanh(d)")
        [('d', 'a*b + c'), ('', 'tanh(d)')]

    A semicolon ends a line too. Only the last line may be without a name.
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula is text, got {type(text).__name__}")
    if len(text) > CHARACTERS:
        raise ValueError(f"a formula may have {CHARACTERS:,} characters, got {len(text):,}")
    lines = []
    for line in filter(str.strip, re.split("[;\n]", text)):
        name, equals, rest = line.partition("=")
        lines.append((name.strip(), rest.strip()) if equals else ("", line.strip()))
    for name, rest in lines[:-1]:
        if not name:
            raise ValueError(f"only the last line of a formula may be without a name; write {cited(f'd = {rest}')}")
    return lines or [("", "")]


def check_text(text: str, before: int = 0) -> int:
    """How many numbers, names and operations a line has, with those `before` it. ValueError unless it is made of these alone."""
    text, place, nodes, depth = text.rstrip(), 0, before, 0
    while place < len(text):
        token = TOKEN.match(text, place)
        if token is None:
            raise ValueError(
                f"a formula has numbers, names, + - * / ** or ^, brackets ( ) and functions such as tanh(x); "
                f"{cited(text[place:], 12)} at character {place + 1} is none of these"
            )
        if token["number"] and math.isinf(float(token["number"])):
            raise ValueError(f"the number {cited(token['number'], 24)} is too large for a float")
        if token["word"] and (iskeyword(token["word"]) or token["word"].startswith("__")):
            raise ValueError(f"{cited(token['word'])} is a word of Python's and cannot be a name in a formula")
        depth += {"(": 1, ")": -1}.get(token["bracket"], 0)
        nodes += not token["bracket"]
        if nodes > NODES or depth > DEPTH:
            most = f"{NODES:,} numbers, names and operations" if nodes > NODES else f"{DEPTH} brackets inside each other"
            raise ValueError(f"a formula may have {most}; this one has more")
        place = token.end()
    if nodes == before:
        raise ValueError("the formula has no number or name in it; write one such as 'tanh(w*x + b)'")
    return nodes


def hint(name: str, known: Iterable[str]) -> str:
    """` (did you mean tanh?)`, where a known name is close."""
    close = get_close_matches(name[:100], list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def cited(text: str, most: int = 40) -> str:
    """A user's text in an error: in quotes, ASCII, and not too long."""
    return ascii(text if len(text) <= most else text[:most] + "...")
