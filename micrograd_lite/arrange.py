"""Order and places within the layers of a drawing: few crossings, short arrows, and nothing on top of anything else.

An item is a box or the lane of an arrow that passes a layer. A few sweeps sort the layers by where their neighbours stand
(Sugiyama, Tagawa and Toda 1981); then everything moves as near to its neighbours as the widths allow.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from micrograd_lite.graph import Node

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
