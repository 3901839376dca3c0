"""Nodes: numbers that remember how they were made, and the order in which to walk back through them.

A computation leaves a graph behind: each node knows its parents, the nodes it was computed from. Nodes hold
data, never behaviour, so everything that the engine knows can be printed, checked and drawn.
"""

from __future__ import annotations

from collections import Counter
from itertools import count
from operator import attrgetter
from typing import Any

births = count()
"""The birth number of the next node: a node is always younger than its parents."""


class Node:
    """What every node of a graph holds; `Value` puts numbers into it.

    data      the number (or array) computed
    grad      d(root)/d(this node), filled in by `backward()`
    parents   the nodes it was computed from, in order; a leaf has none
    partials  d(this node)/d(parent), one for each parent; parents beyond the partials are constants
    rule      the table row of the operation that made it; None for a leaf
    birth     its place in the order in which all nodes were made
    label     a leaf's name, or the name that a user gives any node; tables and drawings use it
    """

    __slots__ = ("data", "grad", "parents", "partials", "rule", "birth", "label")

    data: Any
    grad: Any
    parents: tuple[Any, ...]
    partials: tuple[Any, ...]
    rule: Any
    birth: int
    label: str

    def __reduce__(self) -> Any:
        if self.parents:
            raise TypeError(
                "an inner node of a graph cannot be copied or pickled, because its parents would have to come along; "
                f"copy what it holds with {type(self).__name__}(node.data), or copy the leaves"
            )
        return type(self), (self.data, self.label), (None, {"grad": self.grad})


def youngest_first(root: Node) -> list[Any]:
    """Inner nodes below root (and root), each before the nodes it was made from.

    Why an order? In y = a*b, z = y + y the share of `a` is right only after both uses of `y` have paid in.
    A node is born after its parents, so sorting by birth is enough, and no chain is too deep for it: there
    is no recursion here.
    """
    found = [root] if root.parents else []
    seen = set(found)
    for node in found:  # the list grows while it is walked
        for parent in node.parents:
            if parent.parents and parent not in seen:
                seen.add(parent)
                found.append(parent)
    found.sort(key=attrgetter("birth"), reverse=True)
    return found


def oldest_first(root: Node) -> list[Any]:
    """All nodes below root (and root), leaves included, each after the nodes it was made from."""
    nodes = {root}
    for node in youngest_first(root):
        nodes.update(node.parents)
    return sorted(nodes, key=attrgetter("birth"))


def node_names(root: Node) -> dict[Node, str]:
    """A name of its own for every node below root: its label, else `v` and its rank by birth within this graph.

    Ranks, unlike births, are the same in every run of the same program. A label that two nodes share, or that reads
    like a rank, would name the wrong node: such nodes go by their ranks.
    """
    nodes = oldest_first(root)
    labels = Counter(node.label for node in nodes)
    own = {node: node.label for node in nodes if labels[node.label] == 1 and not is_rank(node.label)}
    return {node: own.get(node) or f"v{rank}" for rank, node in enumerate(nodes)}


def is_rank(label: str) -> bool:
    """Does a label read like the name of an unnamed node, v0, v1, ...?"""
    return label[:1] == "v" and label[1:].isdecimal()
