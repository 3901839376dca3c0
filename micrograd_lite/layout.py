"""Where the boxes and arrows of a drawn graph stand: inputs above, the result below, nothing on top of anything else.

Layer by layer (Sugiyama, Tagawa and Toda 1981): a node stands one layer above the highest of those that use it, and its
arrows keep a lane of their own through every layer that they pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from micrograd_lite.arrange import Item, Link, ordered, placed
from micrograd_lite.graph import Node, youngest_first

MARGIN = 16.0  # around the picture
LANE = 6.0  # the width of an arrow that passes a layer
LABEL, ROUTE = 30.0, 34.0  # above a box, for the numbers on its arrows; between layers, for arrows that change lanes


class Wire(NamedTuple):
    """The arrow from a parent to `node`; position: the parent's place among the node's parents.

    points: from the parent's box to the node's; a bend, then straight down, then a bend, and so on.
    """

    node: Node
    position: int
    points: tuple[tuple[float, float], ...]


class Layout(NamedTuple):
    """The size of the picture, the upper left corner of each box, and the arrows in the order of the backward sweep."""

    width: float
    height: float
    boxes: dict[Node, tuple[float, float]]
    wires: list[Wire]


def drawn(root: Node) -> list[Node]:
    """What a drawing shows: root and all that a gradient reaches, oldest first; constants stand in the formulas."""
    found = {root: None}
    for node in youngest_first(root):
        if node in found:
            found.update(dict.fromkeys(parent for parent, _ in zip(node.parents, node.partials)))
    return sorted(found, key=lambda node: node.birth)


def layout(root: Node, widths: Mapping[Node, float], height: float) -> Layout:
    """Place every drawn node's box, all of one height. The arrows into a box end at equal distances along its upper edge."""
    sweep = [node for node in youngest_first(root) if node in widths]
    above = {root: 0}  # how many layers a node stands above the result
    for node in sweep:
        for parent, _ in zip(node.parents, node.partials):
            above[parent] = max(above.get(parent, 0), above[node] + 1)
    last = max(above.values())
    layers: list[dict[Item, None]] = [{} for _ in range(last + 1)]
    layers[last][root, last] = None
    routes: dict[tuple[Node, int], list[Item]] = {}
    links: list[dict[Link, None]] = [{} for _ in range(last)]
    for node in sweep:
        for position, (parent, _) in enumerate(zip(node.parents, node.partials)):
            end = last - above[node]
            route = [(parent, layer) for layer in range(last - above[parent], end)]
            for item in route:
                layers[item[1]][item] = None
            hops = [Link(upper, lower, 0.0) for upper, lower in pairwise(route)]
            for link in (*hops, Link(route[-1], (node, end), widths[node] * (at(node, position) - 0.5))):
                links[link.upper[1]][link] = None
            routes[node, position] = route
    size = {item: widths[item[0]] if last - above[item[0]] == item[1] else LANE for layer in layers for item in layer}
    places = placed(ordered(layers, links, size), links, size)

    shift = MARGIN - min(places[item] - size[item] / 2 for item in places)
    width = shift + max(places[item] + size[item] / 2 for item in places) + MARGIN
    step = LABEL + height + ROUTE
    boxes = {}
    for node, up in above.items():
        boxes[node] = (places[node, last - up] - widths[node] / 2 + shift, MARGIN + (last - up) * step)
    wires = []
    for (node, position), route in routes.items():
        points = []
        for item in route:  # out of this layer at the bottom, into the next above its label
            x = places[item] + shift
            points += [(x, MARGIN + item[1] * step - LABEL), (x, MARGIN + item[1] * step + height)]
        left, top = boxes[node]
        x = left + widths[node] * at(node, position)
        wires.append(Wire(node, position, (*points[1:], (x, top - LABEL), (x, top))))
    return Layout(width, 2 * MARGIN + last * step + height, boxes, wires)


def at(node: Node, position: int) -> float:
    """Where along the upper edge of a node's box an arrow ends, from 0 to 1."""
    return (position + 0.5) / len(node.partials)
