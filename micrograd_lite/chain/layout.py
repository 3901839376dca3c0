"""Where the boxes and arrows of a drawn graph stand: inputs above, the result below, nothing on top of anything else.

Layer by layer (Sugiyama, Tagawa and Toda 1981): a node stands one layer above the highest of those that use it, and its
arrows keep a lane of their own through every layer that they pass. A few sweeps sort the layers by where their
neighbours stand, for few crossings; then everything moves as near to its neighbours as the widths allow.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from micrograd_lite.graph import Node, youngest_first

GAP = 18.0  # between two items of a layer
SWEEPS = 8

Item = tuple[Node, int]
"""A node and a layer: its box in its own layer, the lane of its arrows in those below."""


class Link(NamedTuple):
    """A piece of an arrow between neighbouring layers: from an item to a place on an item below it."""

    upper: Item
    lower: Item
    offset: float  # from the middle of the lower one


_Links = Sequence[Iterable[Link]]  # by the layer of their upper end


def ordered(layers: Sequence[Iterable[Item]], links: _Links, size: Mapping[Item, float]) -> list[list[Item]]:
    """The layers, sorted by where their neighbours stand, upwards and downwards in turn; the order with the fewest crossings."""
    order = [list(layer) for layer in layers]
    ranks = {item: float(rank) for layer in order for rank, item in enumerate(layer)}
    best, fewest = [list(layer) for layer in order], _crossings(ranks, links, size)
    for sweep in range(SWEEPS):
        for row in range(len(order) - 2, -1, -1) if sweep % 2 == 0 else range(1, len(order)):
            towards: dict[Item, list[float]] = {}
            for link in links[row] if sweep % 2 == 0 else links[row - 1]:
                item, rank = (link.upper, _end(link, ranks, size)) if sweep % 2 == 0 else (link.lower, ranks[link.upper])
                towards.setdefault(item, []).append(rank)
            order[row].sort(key=lambda item: _mean(towards.get(item) or [ranks[item]]))
            ranks.update((item, float(rank)) for rank, item in enumerate(order[row]))
        crossings = _crossings(ranks, links, size)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in order], crossings
    return best


def _end(link: Link, ranks: Mapping[Item, float], size: Mapping[Item, float]) -> float:
    """Where on the layer below a link ends, counted in items."""
    return ranks[link.lower] + link.offset / size[link.lower]


def _crossings(ranks: Mapping[Item, float], links: _Links, size: Mapping[Item, float]) -> int:
    """How many pairs of links cross: between two layers, those whose ends are in opposite order."""
    crossings = 0
    for between in links:
        ends = sorted((ranks[link.upper], _end(link, ranks, size)) for link in between)
        passed: list[float] = []
        for _, lower in ends:
            crossings += len(passed) - bisect_right(passed, lower)
            insort(passed, lower)
    return crossings


def placed(layers: Sequence[Sequence[Item]], links: _Links, size: Mapping[Item, float]) -> dict[Item, float]:
    """The middle of each item: as near as can be to where its arrows would be straight, in order and apart."""
    wishes: dict[Item, list[tuple[Item, float]]] = {item: [] for layer in layers for item in layer}
    for between in links:
        for link in between:
            wishes[link.upper].append((link.lower, link.offset))
            wishes[link.lower].append((link.upper, -link.offset))
    places = {item: 0.0 for item in wishes}
    for sweep in range(2 * SWEEPS):
        for layer in layers[:: -1 if sweep % 2 == 0 else 1]:
            wanted = [_mean([places[other] + offset for other, offset in wishes[item]] or [0.0]) for item in layer]
            places.update(zip(layer, _apart(wanted, [size[item] for item in layer])))
    return places


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """The places nearest to the wanted ones (least squares) that keep their order and do not touch.

    Less the widths before each, such places only grow: so neighbours that are in each other's way move together, to the
    mean of what they want (pool adjacent violators: Ayer et al. 1955).
    """
    starts = [0.0]
    for left, right in pairwise(widths):
        starts.append(starts[-1] + (left + right) / 2 + GAP)
    pools: list[tuple[float, int]] = []  # of what neighbours that move together want: the sum, and how many they are
    for want, start in zip(wanted, starts):
        total, count = want - start, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            total, count = total + pools[-1][0], count + pools.pop()[1]
        pools.append((total, count))
    flat = [total / count for total, count in pools for _ in range(count)]
    return [place + start for place, start in zip(flat, starts)]


def _mean(numbers: Sequence[float]) -> float:
    total = 0.0
    for number in numbers:
        total += number
    return total / len(numbers)


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
