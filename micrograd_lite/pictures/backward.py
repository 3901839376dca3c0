"""backward.gif: the backward sweep over a small graph, one frame for each edge.

Each frame marks one arrow and its two nodes and says which numbers are multiplied; the totals of the nodes fill in. Arrows
point where the share travels, from a result to what it was made from. Once a node's gradient is known its box is red where
that is positive, blue where it is negative. Of a graph larger than 1280 x 720 the part around the edge is shown.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from itertools import pairwise

from micrograd_lite.chain.drawing import Note, notes
from micrograd_lite.chain.formulas import in_formula
from micrograd_lite.chain.layout import MARGIN, Layout, Wire, layout
from micrograd_lite.chain.rows import Edge, edges
from micrograd_lite.graph import Node, node_names
from micrograd_lite.pictures.canvas import Canvas, fitted, letters
from micrograd_lite.pictures.gif import LAST, write_gif
from micrograd_lite.pictures.palette import DIM, DIVERGING_RAMP, FAINT, PAPER, PEN, Indices, diverging, ink

MOST = 60
"""An animation of more edges would not be watched to its end."""
LINE, TITLE, PAD = 18, 17, 8  # height of a line of text, size of the title, blank inside of a box
HEAD, HEIGHT, WIDTH = 100, 3 * LINE + 10, 560  # of the text above, of a box, of the narrowest picture
WIDEST = 1000  # to hold a title
SEEN = (1280, 720)  # pixels of the largest picture
LONGEST, SLOWEST = 15_000, 1500  # milliseconds of the whole animation at most, and of a frame
BENDS = 12  # straight pieces of a bend
LEAF, RESULT = int(DIVERGING_RAMP[57]), ink(4, 2)  # near the colours of the drawing in SVG: pale blue, pale yellow
PAYS, PAID = 0, 1  # inks of the node that gives a share (pays) and of the parent that gets it


def backward_gif(path: str | os.PathLike[str], root: Node, title: str = "") -> None:
    """Write the sweep from root, in at most 15 seconds; title: its formula, if it has one.

    ValueError for a leaf and for more edges than one can watch; OSError names the path.
    """
    count = sum(1 for _ in edges(root))
    if not 1 <= count <= MOST:
        raise ValueError(f"an animation shows one frame for each edge of a graph, from 1 to {MOST} of them, got {count}")
    write_gif(path, frames(root, title), min(SLOWEST, (LONGEST - LAST - SLOWEST) // count))


def frames(root: Node, title: str = "") -> Iterator[Indices]:
    """The graph before the sweep, each edge of it, and the graph with all gradients."""
    scene = Scene(root, title)
    sweep = list(edges(root))
    result = scene.names[root]
    yield scene.frame("before the sweep: every value is known, no gradient is", f"it starts with d({result})/d({result}) = 1")
    for number, edge in enumerate(sweep, start=1):
        yield scene.step(f"edge {number} of {len(sweep)}", edge)
    gradients = ", ".join(f"{scene.names[node]} {scene.totals[node]:.6g}" for node in scene.inputs)
    yield scene.frame(f"all {len(sweep)} edges are done: every gradient is known", gradients and f"grad of {gradients}")


class Scene:
    """The drawn graph, as far as the sweep has come."""

    def __init__(self, root: Node, title: str = "") -> None:
        self.names = {node: in_formula(name) for node, name in node_names(root).items()}
        self.title = f"Backpropagation of {title or self.names[root]}, edge by edge"
        self.said: dict[Node, Note] = notes(root)
        self.inputs = [node for node in self.said if node.label and not node.parents]
        self.totals = {root: 1.0}
        self.unpaid: dict[Node, int] = {}
        finals: dict[Node, float] = {root: 1.0}
        for edge in edges(root):
            parent = edge.node.parents[edge.position]
            self.unpaid[parent] = self.unpaid.get(parent, 0) + 1
            finals[parent] = edge.total
        self.limit = max((abs(total) for total in finals.values() if math.isfinite(total)), default=0.0) or 1.0
        self.root = root
        self.widths = {node: self._width(node) for node in self.said}
        self.plan: Layout = layout(root, self.widths, HEIGHT)
        self.wires = {(wire.node, wire.position): wire for wire in self.plan.wires}
        titled = min(WIDEST, letters(self.title, TITLE).shape[1] + round(2 * MARGIN))
        width = max(WIDTH, round(self.plan.width), titled)
        self.left = (width - self.plan.width) / 2
        height = round(self.plan.height) + HEAD
        self.canvas = Canvas((width + width % 2, height + height % 2))
        for wire in self.plan.wires:
            self._wire(self.canvas, wire, FAINT)
        for node in self.said:
            self._box(self.canvas, node, self._fill(node))

    def _fill(self, node: Node) -> int:
        """Pale blue for a leaf and yellow for the result; once the gradient is known, its sign and size."""
        if node in self.totals and not self.unpaid.get(node):
            return int(diverging(self.totals[node], 2.0 * self.limit))  # half of the ramp: black words stay readable
        return RESULT if node is self.root else LEAF if not node.parents else PAPER

    def _width(self, node: Node) -> float:
        """Of a box with room for its text, whatever its gradient will be, and for the slopes on its arrows."""
        note = self.said[node]
        texts = max(letters(line).shape[1] for line in (note.title, note.value, note.gradient, "grad -1.234e-56"))
        slopes = [letters(f"{partial:.4g}").shape[1] + 14 for partial in node.partials]
        return float(max(texts + 2 * PAD, max(slopes, default=0) * len(slopes)))

    def step(self, title: str, edge: Edge) -> Indices:
        """One edge: marked in this frame, dark in all that follow."""
        parent, partial = edge.node.parents[edge.position], edge.node.partials[edge.position]
        before = self.totals.get(parent)
        self.totals[parent] = edge.total
        self.unpaid[parent] -= 1
        wire = self.wires[edge.node, edge.position]
        self._wire(self.canvas, wire, DIM)
        self._box(self.canvas, parent, self._fill(parent))
        name = self.names[parent]
        added = "" if before is None else f"{before:.6g} + {edge.share:.6g} = "
        return self.frame(
            f"{title}: {self.names[edge.node]} (blue) pays {name} (orange)",
            f"share = partial x upstream = {partial:.6g} x {edge.upstream:.6g} = {edge.share:.6g}",
            f"grad of {name} so far = {added}{edge.total:.6g}",
            (wire, parent),
        )

    def frame(self, title: str, first: str, second: str = "", active: tuple[Wire, Node] | None = None) -> Indices:
        """The picture with its lines of text, and with one edge and its two nodes marked."""
        shown = Canvas(self.canvas.size)
        shown.pixels[...] = self.canvas.pixels
        if active is not None:
            wire, parent = active
            self._wire(shown, wire, ink(PAID), 3.0)
            self._box(shown, wire.node, ink(PAYS, 2))
            self._box(shown, parent, ink(PAID, 2))
        shown = self._part(shown, active)
        room = shown.size[0] - 2 * MARGIN
        shown.text(MARGIN, 10, fitted(self.title, room, TITLE), PEN, TITLE)
        for row, line in enumerate((title, first, second)):
            shown.text(MARGIN, 36 + row * LINE, fitted(line, room), PEN if row else DIM)
        return shown.pixels

    def _part(self, whole: Canvas, active: tuple[Wire, Node] | None) -> Canvas:
        """As much as 1280 x 720 pixels hold, around the two nodes, the result before the sweep, the first input after it."""
        if all(length <= most for length, most in zip(whole.size, SEEN)):
            return whole
        end = self.root if len(self.totals) == 1 else next(iter(self.inputs), self.root)
        nodes = [active[0].node, active[1]] if active else [end]
        part = Canvas((min(whole.size[0], SEEN[0]), min(whole.size[1], SEEN[1])))
        corner = []
        for side, blank, start in ((0, self.left, 0), (1, HEAD, HEAD)):
            lows = [self.plan.boxes[node][side] + blank for node in nodes]
            length, seen = whole.size[side] - start, part.size[side] - start
            size = HEIGHT if side else max(self.widths[node] for node in nodes)
            middle = (min(lows) + max(lows) + size) / 2 if max(lows) + size - min(lows) < seen else lows[-1] + size / 2
            corner.append(round(min(max(middle - start - seen / 2, 0), length - seen)))
        x, y = corner
        width, height = part.size
        part.pixels[HEAD:] = whole.pixels[HEAD + y : y + height, x : x + width]
        if whole.size[1] > height:  # where this part is, at the right edge
            top, room = HEAD + 4, height - HEAD - 8
            part.box(width - 6, top, width - 2, top + room, FAINT)
            scale = room / (whole.size[1] - HEAD)
            part.box(width - 6, round(top + y * scale), width - 2, round(top + (y + height - HEAD) * scale), DIM)
        return part

    def _wire(self, canvas: Canvas, wire: Wire, colour: int, width: float = 1.6) -> None:
        """An arrow with its slope: bends and straight pieces in turn, a head where the share arrives, above."""
        points = [(x + self.left, y + HEAD) for x, y in wire.points]
        for number, (start, end) in enumerate(pairwise(points)):
            canvas.line(_bend(start, end) if number % 2 == 0 else [start, end], colour, width)
        x, top = points[0]
        for half in range(5):
            canvas.box(round(x) - half, round(top) + 2 * half, round(x) + half + 1, round(top) + 2 + 2 * half, colour)
        x, top = points[-1]
        slope = f"{wire.node.partials[wire.position]:.4g}"
        half = letters(slope).shape[1] // 2 + 3
        canvas.box(round(x) - half, round(top) - 27, round(x) + half, round(top) - 10, PAPER)
        canvas.text(x, top - 18, slope, colour if width > 2 else DIM, at="middle centre")

    def _box(self, canvas: Canvas, node: Node, fill: int) -> None:
        """A node: what it is, its value, and its gradient as far as it has been paid."""
        left, top = (round(place) for place in self.plan.boxes[node])
        left, top = left + round(self.left), top + HEAD
        right, bottom = left + round(self.widths[node]), top + HEIGHT
        canvas.box(left, top, right, bottom, fill)
        canvas.frame(left, top, right, bottom, DIM)
        total = f"grad {self.totals[node]:.6g}" if node in self.totals else "grad"
        for row, line in enumerate((self.said[node].title, self.said[node].value, total)):
            canvas.text(left + PAD, top + 6 + row * LINE, line, PEN)


def _bend(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    """The same curve as in the SVG picture, as a line through a few points."""
    (x, y), (to_x, to_y) = start, end
    middle, points = (y + to_y) / 2, []
    for number in range(BENDS + 1):
        t = number / BENDS
        across = t * t * (3.0 - 2.0 * t)
        points.append((x + (to_x - x) * across, y * (1 - t) ** 3 + 3 * middle * t * (1 - t) + to_y * t**3))
    return points
