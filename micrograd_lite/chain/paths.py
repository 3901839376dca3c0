"""A gradient as the sum over all paths: walk from the result to an input in every possible way, multiply the slopes on the way.

    >>> from micrograd_lite import Value
    >>> x = Value(3.0, "x")
    >>> found = paths(x * x + x, x)  # to x over either factor of the product, or directly
    >>> found.number, found.gradient, [path.share for path in found.largest]
    (3, 7.0, [3.0, 3.0, 1.0])

Backpropagation never walks them one by one: their number doubles with every node that is used twice. It is counted here
as slopes are computed, once per edge, and the largest paths are found the same way.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from micrograd_lite.chain.rows import gradients
from micrograd_lite.graph import Node, youngest_first


class Path(NamedTuple):
    """One way from the result to the input: the nodes that it passes, the slopes that it multiplies, and their product."""

    nodes: tuple[Node, ...]
    partials: tuple[float, ...]  # one for each arrow, from the result on
    share: float


class Paths(NamedTuple):
    """How many paths there are, what they add up to, the largest of them, and the sum of all others."""

    number: int
    gradient: float
    largest: list[Path]
    remainder: float


class _Way(NamedTuple):
    """The beginning of a path, as its last arrow and the way before it: beginnings are shared, not copied."""

    share: float
    node: Node
    partial: float
    before: _Way | None


def paths(loss: Node, leaf: Node, most: int = 10) -> Paths:
    """The gradient of `loss` toward `leaf`, taken apart: the paths with the largest shares (in size), at most so many.

    Fast however many paths there are, and the graph stays as it is. remainder: gradient less the listed shares, added in
    their order; when all are listed it is rounding. NaN counts as the largest share. ValueError unless `most` is at least 1.
    """
    for node in (loss, leaf):
        if not isinstance(node, Node) or not isinstance(node.data, float):
            raise TypeError(f"paths lead from a Value to a Value, got {type(node).__name__}")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ValueError(f"most must be a whole number from 1, got {most!r}")
    largest = [_unrolled(way) for way in _largest(loss, leaf, most)]
    gradient = gradients(loss).get(leaf, 0.0)
    remainder = gradient
    for path in largest:
        remainder -= path.share
    return Paths(count_paths(loss, leaf), gradient, largest, remainder)


def count_paths(loss: Node, leaf: Node) -> int:
    """In how many ways one can walk from `loss` to `leaf`: exactly, with every digit. 0 when there is none."""
    counts = {loss: 1}
    for node, parent, _ in _arrows(loss, leaf):
        counts[parent] = counts.get(parent, 0) + counts[node]
    return counts.get(leaf, 0)


def _largest(loss: Node, leaf: Node, most: int) -> list[_Way]:
    """The best beginnings of each node continue the best beginnings of the nodes that use it: |a| <= |b| makes |a*p| <= |b*p|."""
    best = {loss: [_Way(1.0, loss, 1.0, None)]}
    for node, parent, partial in _arrows(loss, leaf):
        longer = [_Way(way.share * partial, parent, partial, way) for way in best[node]]
        best[parent] = heapq.nlargest(most, [*best.get(parent, []), *longer], key=_size)
    return best.get(leaf, [])


def _arrows(loss: Node, leaf: Node) -> Iterator[tuple[Node, Node, float]]:
    """Node, parent and slope of every arrow that lies on a path from loss to leaf, in the order of the sweep."""
    order = youngest_first(loss)
    leads = {leaf}
    for node in reversed(order):
        if any(parent in leads for parent, _ in zip(node.parents, node.partials)):
            leads.add(node)
    for node in order:
        for parent, partial in zip(node.parents, node.partials):
            if parent in leads:
                yield node, parent, partial


def _size(way: _Way) -> float:
    """How large a share is; NaN above all, because it decides the sum."""
    return abs(way.share) if way.share == way.share else float("inf")


def _unrolled(way: _Way | None) -> Path:
    share, nodes, partials = way.share if way else 1.0, [], []
    while way is not None:
        nodes.append(way.node)
        partials.append(way.partial)
        way = way.before
    return Path(tuple(reversed(nodes)), tuple(reversed(partials[:-1])), share)
