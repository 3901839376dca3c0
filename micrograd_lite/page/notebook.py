"""Notebook: what a cell shows of a trace: its page, in a frame of its own, or where that is too large its curves and table."""

from __future__ import annotations

from html import escape

from micrograd_lite.page.content import Source
from micrograd_lite.page.write import html_of
from micrograd_lite.pictures.notebook import of_trace as curves_and_table
from micrograd_lite.trace import Trace

MOST = 1_000_000
"""Bytes that a notebook's cell takes well."""


def of_trace(trace: Trace) -> str:
    """The page in a frame that may run its script and nothing else; above it the line that says what the trace is."""
    told = curves_and_table(trace)
    if not trace.metrics():
        return told
    page = html_of(Source(trace).content())
    if len(page) > MOST:
        return told
    first, end, _ = told.partition("</p>")
    style = "width:100%;height:45em;border:0"
    frame = f'<iframe title="every step of the run" sandbox="allow-scripts" style="{style}" srcdoc="{escape(page)}">'
    return f"{first}{end}{frame}</iframe>"
