"""The chain rule, written down: one row for each edge that a backward sweep walks, in its order.

    >>> from micrograd_lite import Value
    >>> w, x = Value(2.0, "w"), Value(0.5, "x")
    >>> for row in chain_rule((w * x).tanh()):
    ...     print(f"{row.node} = {row.formula}: {row.parent} gets {row.partial_formula} times {row.upstream:.3f}")
    v3 = tanh(v2): v2 gets 1 - v3 * v3 times 1.000
    v2 = w * x: w gets x times 0.420
    v2 = w * x: x gets w times 0.420

A row can be checked with a pencil: the partial follows from its formula, share = partial * upstream, and a node's
upstream is its last total: the sum of the shares that all its uses gave it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from micrograd_lite.chain.formulas import formulas
from micrograd_lite.graph import Node, is_rank, node_names, youngest_first


class ChainRow(NamedTuple):
    """One edge: `node` gives (pays) its `parent` the share partial * upstream, and the parent's total grows by it."""

    order: int  # from 1
    node: str
    operation: str
    formula: str  # of the node's value, in the names of its operands
    value: float
    upstream: float  # d(root)/d(node)
    parent: str
    parent_value: float
    partial_formula: str
    partial: float  # d(node)/d(parent)
    share: float
    total: float  # of all shares that the parent got so far


class Edge(NamedTuple):
    """The same edge in numbers and nodes; position: the parent's place among the node's parents."""

    node: Node
    position: int
    upstream: float
    share: float
    total: float


def edges(root: Node, upstream: float = 1.0) -> Iterator[Edge]:
    """The sweep of `root.backward()`, edge by edge, without touching any grad; root starts with `upstream`."""
    totals = {root: upstream}
    for node in youngest_first(root):
        for position, (parent, partial) in enumerate(zip(node.parents, node.partials)):
            share = partial * totals[node]
            totals[parent] = totals.get(parent, 0.0) + share
            yield Edge(node, position, totals[node], share, totals[parent])


def gradients(root: Node) -> dict[Node, float]:
    """d(root)/d(node) for root and every node that the sweep reaches: the last total of each, bit for bit backward()'s."""
    return {root: 1.0, **{edge.node.parents[edge.position]: edge.total for edge in edges(root)}}


def chain_rule(
    root: Node, sweep: Callable[[Any], Iterable[Edge]] = edges, names: Mapping[Any, str] | None = None
) -> list[ChainRow]:
    """One row for each edge of the backward sweep from `root`, in its order; no row for a leaf.

    Values, partials and totals are those of the engine, bit for bit; the graph stays as it is. sweep: another engine's
    sweep, to see what that one does (lab/bugs.py). names: what some nodes are called whatever their labels say.
    """
    names = _renamed(node_names(root), names or {})
    written: dict[Node, tuple[str, list[str]]] = {}
    rows = []
    for order, edge in enumerate(sweep(root), start=1):
        node, parent = edge.node, edge.node.parents[edge.position]
        if node not in written:
            written[node] = formulas(node, names)
        formula, slopes = written[node]
        rows.append(ChainRow(
            order, names[node], node.rule.name, formula, node.data, edge.upstream,
            names[parent], parent.data, slopes[edge.position], node.partials[edge.position], edge.share, edge.total,
        ))  # fmt: skip
    return rows


def _renamed(names: Mapping[Node, str], given: Mapping[Any, str]) -> dict[Node, str]:
    """Names with the given ones put in; another node of such a name goes by its rank, and ranks stay ranks."""
    taken = {name for name in given.values() if not is_rank(name)}
    made = {}
    for rank, (node, name) in enumerate(names.items()):  # oldest first, as ranks count
        made[node] = given[node] if given.get(node) in taken else f"v{rank}" if name in taken or node in given else name
    return made
