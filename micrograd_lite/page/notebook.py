"""Notebook: what a cell shows of a trace: its page, in a frame of its own, or where that is too large its curves and table."""

from __future__ import annotations

from html import escape

from micrograd_lite.page.content import Source
from micrograd_lite.page.write import html_of
from micrograd_lite.pictures.notebook import of_trace as curves_and_table
from micrograd_lite.pictures.notebook import what_it_is
from micrograd_lite.trace import Trace
from micrograd_lite.trace.folder import GRADIENTS

MOST = 1_000_000
"""Bytes that a notebook's cell takes well."""
LONGEST = 20_000_000
"""Bytes of a gradients.csv: the page of a longer one would not fit, so it is not tried."""


def of_trace(trace: Trace) -> str:
    """The page in a frame that may run its script and nothing else; above it the line that says what the trace is."""
    table = trace.folder / GRADIENTS
    fits = bool(trace.metrics()) and (not table.exists() or table.stat().st_size <= LONGEST)
    page = html_of(Source(trace).content()) if fits else ""
    if not 0 < len(page) <= MOST:
        return curves_and_table(trace)
    style = "width:100%;height:45em;border:0"
    frame = f'<iframe title="every step of the run" sandbox="allow-scripts" style="{style}" srcdoc="{escape(page)}"></iframe>'
    return what_it_is(trace) + frame
