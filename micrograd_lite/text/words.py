"""Small rules for words: names as text inside HTML and SVG, texts that a notebook shows as they are printed."""

from __future__ import annotations

from html import escape


def markup(text: str) -> str:
    """A text inside of HTML or SVG: it stays text, in ASCII."""
    return escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")


class Prose(str):
    """A text of several lines, which a notebook shows as it would be printed."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<pre>{markup(self)}</pre>"
