"""Small rules for words: names as text inside HTML and SVG."""

from __future__ import annotations

from html import escape


def markup(text: str) -> str:
    """A text inside of HTML or SVG: it stays text, in ASCII."""
    return escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")
