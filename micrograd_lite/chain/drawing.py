"""A graph as a drawing: boxes with name, formula, value and gradient, arrows with the slope that backpropagation multiplies by.

Values flow down the arrows; gradients flow up, at each arrow times the number on it. `svg` draws by itself, `graphviz`
writes what Graphviz draws, and a notebook shows the picture of any Value. The graph is only read.
"""

from __future__ import annotations

from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from micrograd_lite.chain.formulas import formulas, in_formula
from micrograd_lite.chain.layout import drawn, layout
from micrograd_lite.chain.rows import edges, gradients
from micrograd_lite.graph import Node, node_names, oldest_first
from micrograd_lite.text.words import markup

MOST = 300
"""A drawing of more nodes could not be read."""
NEAR = 2_000
"""How many nodes are gone down to find a part of a large graph; a batch that was added up with + has one for each sample."""
LONGEST = 36  # letters of a name and its formula in a box; the tooltip has it all
LETTER, LINE = 7.3, 17.0  # of a fixed-width font of 12 pixels
HEIGHT = 3 * LINE + 10.0
STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1a1a1a}"
    ".box{fill:#fff;stroke:#555}.leaf{fill:#e8f1fa}.result{fill:#fdf0d5}.wire{fill:none;stroke:#888;stroke-width:1.3}"
    ".slope{text-anchor:middle}"
)


class Note(NamedTuple):
    """What stands in a node's box, and what it stands for in full."""

    title: str
    value: str
    gradient: str
    full: str


def notes(root: Node) -> dict[Node, Note]:
    """What the boxes of all drawn nodes say. ValueError for more nodes than can be read."""
    nodes, names = drawn(root), node_names(root)
    if len(nodes) > MOST:
        raise ValueError(f"this graph has {len(nodes):,} nodes; more than {MOST} cannot be read: draw a part of it")
    totals, made = gradients(root), {}
    for node in nodes:
        name = in_formula(names[node])
        formula = formulas(node, names)[0] if node.parents else ""
        full = f"{name}{formula and ' = '}{formula}\nvalue {node.data!r}\ngradient {totals[node]!r}"
        title = full.partition("\n")[0]
        title = title if len(title) <= LONGEST else title[: LONGEST - 2] + ".."
        made[node] = Note(title, f"value {node.data:.6g}", f"grad {totals[node]:.6g}", full)
    return made


def svg(root: Node, caption: str = "") -> str:
    """The graph below root as one self-contained SVG picture, ASCII only, no wider than its place. ValueError above 300 nodes.

    caption: a line below it.
    """
    said = notes(root)
    letters = {node: max(len(part) for part in note[:3]) for node, note in said.items()}
    slots = {node: max([0, *(len(f"{partial:.4g}") + 2 for partial in node.partials)]) * len(node.partials) for node in said}
    widths = {node: LETTER * max(letters[node] + 2, slots[node]) for node in said}
    plan = layout(root, widths, HEIGHT)
    wide, high = max(plan.width, LETTER * (len(caption) + 2)), plan.height + (LINE + 4.0 if caption else 0.0)
    hops = dict.fromkeys(
        _bend(*ends) if number % 2 == 0 else f"M{ends[1][0]:.1f} {ends[0][1]:.1f}V{ends[1][1]:.1f}"
        for wire in plan.wires
        for number, ends in enumerate(pairwise(wire.points))
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" style="max-width:100%;height:auto" role="img">',
        f"<title>{markup(said[root].title)}</title>",
        f"<style>{STYLE}</style>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        *(f'<path class="wire" d="{hop}"/>' for hop in hops),
    ]
    for node, position, points in plan.wires:
        (x, top), slope = points[-1], f"{node.partials[position]:.4g}"
        lines.append(f'<path d="M{x - 4:.1f} {top - 8:.1f}h8l-4 8z" fill="#555"/>')
        blank = LETTER * (len(slope) + 1)
        lines.append(f'<rect x="{x - blank / 2:.1f}" y="{top - 24:.1f}" width="{blank:.1f}" height="14" fill="#fff"/>')
        lines.append(f'<text class="slope" x="{x:.1f}" y="{top - 13:.1f}">{slope}</text>')
    for node, note in said.items():
        left, top = plan.boxes[node]
        kind = "result" if node is root else "box" if node.parents else "leaf"
        lines.append(f'<g><title>{markup(note.full)}</title><rect class="box {kind}" x="{left:.1f}" y="{top:.1f}" rx="5" '
                     f'width="{widths[node]:.1f}" height="{HEIGHT:.0f}"/>')  # fmt: skip
        for row, line in enumerate(note[:3]):
            lines.append(f'<text x="{left + LETTER:.1f}" y="{top + LINE * (row + 1):.1f}">{markup(line)}</text>')
        lines.append("</g>")
    lines += [f'<text x="{LETTER}" y="{plan.height + LINE - 4:.0f}">{markup(caption)}</text>'] if caption else []
    return "\n".join([*lines, "</svg>\n"])


def graphviz(root: Node) -> str:
    """The graph below root in the language of Graphviz. ValueError above 300 nodes."""
    said = notes(root)
    numbers = {node: number for number, node in enumerate(said)}
    lines = ["digraph {", "  node [shape=box, fontname=monospace]", "  edge [fontname=monospace]"]
    lines += [f"  n{numbers[node]} [label={_quoted(note[:3])}]" for node, note in said.items()]
    for edge in edges(root):
        parent, partial = edge.node.parents[edge.position], edge.node.partials[edge.position]
        lines.append(f'  n{numbers[parent]} -> n{numbers[edge.node]} [label="{partial:.4g}"]')
    return "\n".join([*lines, "}\n"])


def notebook(root: Node) -> str:
    """The picture that a notebook shows: of a graph that is too large one part, such as a sample's cost; the rest is named."""
    try:
        whole, part = root, _part(root)
        return svg(root) if part is root else svg(part, _beside(whole, part))
    except ValueError as error:
        lines = [markup(repr(root)), markup(str(error))]
        width = LETTER * (max(map(len, lines)) + 2)
        texts = [f'<text x="{LETTER}" y="{LINE * (row + 1)}">{line}</text>' for row, line in enumerate(lines)]
        start = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{3 * LINE:.0f}">'
        return "\n".join([start, f"<style>{STYLE}</style>", *texts, "</svg>\n"])


def _part(root: Node) -> Node:
    """The graph itself, or of a large one the cost of a sample: the oldest part of the first node whose parts are all small.

    The graph itself too where no such node is near.
    """
    node = root
    for _ in range(NEAR):
        inner = [parent for parent in node.parents if parent.parents]
        if not _is_large(node) or not inner:
            return root
        large = [parent for parent in inner if _is_large(parent)]
        if not large:
            oldest: Node = min(inner, key=attrgetter("birth"))
            return oldest
        node = large[0]
    return root


def _is_large(root: Node) -> bool:
    """Has it more nodes than can be read? Counted no further."""
    found = [root]
    seen = {root}
    for node in found:
        new = [parent for parent in dict.fromkeys(node.parents) if parent not in seen]
        seen.update(new)
        found += new
        if len(found) > MOST:
            return True
    return False


def _beside(root: Node, part: Node) -> str:
    names, nodes = node_names(root), oldest_first(root)
    user = next(node for node in nodes if part in node.parents)
    others = [names[node] for node in dict.fromkeys(user.parents) if node is not part]
    named = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
    beside = f", which also takes {named}" if others else ""
    return f"{names[part]}, a part of {len(nodes):,} nodes, with gradients of this part alone; it goes into {names[user]}{beside}"


def _bend(start: tuple[float, float], end: tuple[float, float]) -> str:
    """An arrow that leaves straight down and arrives straight down."""
    (x, y), (to_x, to_y) = start, end
    middle = (y + to_y) / 2
    return f"M{x:.1f} {y:.1f}C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"


def _quoted(lines: tuple[str, ...]) -> str:
    """Lines to the left, in quotes."""
    return '"' + "".join(line.replace("\\", "\\\\").replace('"', '\\"') + "\\l" for line in lines) + '"'
