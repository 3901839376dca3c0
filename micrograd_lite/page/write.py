"""Write: the page of a trace as one HTML file, made of package data and the packed content. Same trace, same bytes.

The page asks the network for nothing: its policy allows the one script whose hash it names, and its own style. Names are text
wherever they stand, and all of it is ASCII, so that the script's hash does not depend on how a browser reads the file.
"""

from __future__ import annotations

import math
import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from micrograd_lite.page.content import Content, Source
from micrograd_lite.page.formulas import script as formulas
from micrograd_lite.page.packing import packed
from micrograd_lite.text.files import write_whole
from micrograd_lite.text.words import markup
from micrograd_lite.trace import Trace

BUDGET = 2_000_000
"""Bytes of a page; past them steps are left out."""
HERE = Path(__file__).parent
SCRIPTS = (
    "unpack", "numbers", "record", "network", "svg", "curve", "drawing", "field", "answers", "table", "weight", "backward",
    "graph", "arrays", "controls", "main",
)  # fmt: skip
"""The page's own script, in reading order."""
STATIC = 200
"""Rows of the table that stands without scripts."""


def write_page(trace: Trace | str | os.PathLike[str], path: str | os.PathLike[str], budget: int = BUDGET) -> int:
    """Write the page of a trace, or of its folder, to `path`; returns its bytes. The file is whole or untouched.

    budget: bytes; a longer page leaves out steps, evenly, and says so. OSError names the path; ValueError says why a folder
    is no trace.
    """
    html = page_of(trace if isinstance(trace, Trace) else Trace(trace), budget)
    write_whole(path, html)
    return len(html)


def page_of(trace: Trace, budget: int = BUDGET) -> str:
    """The page as text, in ASCII."""
    if budget < 1:
        raise ValueError(f"a page's budget is at least 1 byte, got {budget}")
    source, every = Source(trace), 1
    html = html_of(source.content())
    while len(html) > budget and every < source.recorded:
        every = min(max(every + 1, math.ceil(every * len(html) / budget)), source.recorded)
        html = html_of(source.content(every))
    return html


def html_of(content: Content) -> str:
    """The one file: template, style, story, table, data and script."""
    script = script_text()
    digest = b64encode(sha256(script.encode("ascii")).digest()).decode("ascii")
    last, rest = content.last[:STATIC], len(content.last) - STATIC
    more = f"This is step {content.step:,}, the last." if content.step else ""
    more += f" {rest:,} more rows are left out." if rest > 0 else ""
    return filled(_read("page.html"), {
        "policy": f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
                  "base-uri 'none'; form-action 'none'",
        "title": markup(content.title),
        "style": _read("page.css"),
        "story": "\n".join(f"<p>{markup(sentence)}</p>" for sentence in content.story),
        "head": "".join(f'<th scope="col">{markup(name)}</th>' for name in ("parameter", *content.columns)),
        "width": str(14 + 13 * len(content.columns)),
        "rows": "\n".join(_row(row) for row in last),
        "more": more,
        "data": packed(content.header, content.blocks),
        "script": script,
    })  # fmt: skip


def script_text() -> str:
    """The script: the formulas of the derivative table, then the page's own, in a scope of its own."""
    own = "\n".join(_read(f"script/{name}.js") for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{formulas()}\n{own}}})();\n'


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with its places, such as {{title}}, filled; what is filled in is not looked at again."""
    first, *others = template.split("{{")
    made = [first]
    for other in others:
        name, _, rest = other.partition("}}")
        made += [parts[name], rest]
    return "".join(made)


def _row(row: Sequence[str]) -> str:
    name, *numbers = map(markup, row)
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{number}</td>" for number in numbers)}</tr>'


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="ascii")
