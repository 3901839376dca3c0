"""Tables of a graph, for people: forward node by node, backward edge by edge, a gradient path by path.

In text and HTML a node's formula stands once, above its edges; CSV and JSON are plain tables with every digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from micrograd_lite.chain.formulas import formulas, shielded
from micrograd_lite.chain.layout import drawn
from micrograd_lite.chain.paths import paths
from micrograd_lite.chain.rows import ChainRow
from micrograd_lite.graph import Node, node_names
from micrograd_lite.text import cells
from micrograd_lite.text.tables import EXACT, cell, digits, sections, table

PENCIL = ("order", "parent", "partial_formula", "partial", "share", "total")
"""What stands in the row of an edge, below its node's formula."""


def chain_table(rows: Sequence[ChainRow], form: str = "text") -> str:
    """The chain rule edge by edge: every column in CSV and JSON; else each node's formula once, its edges below it."""
    if form in EXACT:
        return table(ChainRow._fields, [[cell(entry, form) for entry in row] for row in rows], form)
    header = [name.replace("_", " ") for name in PENCIL]
    groups = []
    for _, edges in groupby(rows, key=lambda row: row.node):
        node, below = _with_letter(list(edges))
        title = f"{node} = {below[0].formula} = {digits(below[0].value, form)}; its upstream is {digits(below[0].upstream, form)}"
        groups.append((cells.text(title), [[cell(getattr(row, name), form) for name in PENCIL] for row in below]))
    return sections(header, groups, form)


def _with_letter(edges: list[ChainRow]) -> tuple[str, list[ChainRow]]:
    """The edges of one node, its name in their partials shortened to z; and that name, with the letter when there is one."""
    name = edges[0].node
    whole_name = rf"(?<![\w.]){re.escape(name)}(?![\w.])"
    short = [row._replace(partial_formula=re.sub(whole_name, "z", row.partial_formula)) for row in edges]
    return (f"z = {name}" if short != edges and len(name) > 1 else name), short


def forward_table(root: Node, form: str = "text", within: Iterable[Node] | None = None) -> str:
    """Every node that a gradient reaches, oldest first: its name, its value, its formula in the names of its operands.

    within: these nodes alone.
    """
    names, chosen = node_names(root), None if within is None else set(within)
    rows = []
    for node in drawn(root):
        if chosen is not None and node not in chosen:
            continue
        formula = formulas(node, names)[0] if node.parents else "an input" if node.label == names[node] else "a number"
        rows.append((cells.text(names[node]), digits(node.data, form), cells.text(formula)))
    return table(("node", "value", "formula"), rows, form)


def paths_section(root: Node, leaf: Node, form: str = "text", most: int = 10) -> tuple[str, str]:
    """A heading that counts the paths from root to leaf, and the table of the largest."""
    found, names = paths(root, leaf, most), node_names(root)
    rows = []
    for path in found.largest:
        way = " -> ".join(names[node] for node in path.nodes)
        product = " * ".join(digits(partial, form) for partial in path.partials)
        rows.append((digits(path.share, form), shielded(product), cells.text(way)))
    listed = len(found.largest)
    rest = f", and all others together {found.remainder:.9g}" if listed < found.number else ""
    heading = f"paths to {names[leaf]}: {found.number:,} in all, adding up to {found.gradient:.9g}; the largest {listed}{rest}"
    if form in EXACT:
        return heading, table(("share", "product", "path"), rows, form)
    return heading, sections(("share", "product of the partials"), [(way, [row]) for *row, way in rows], form)
