"""Places: what the inner nodes of a network are called in a graph that is to be shown.

A node of a graph does not know what it is for. But a weight is at one place in a network, and a dot that multiplies by it
is that place's weighted sum: so the names are found in the graph, after it was built, and training pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Mapping

from micrograd_lite.graph import Node, oldest_first
from micrograd_lite.rules import dot_terms


def name_places(cost: Node, since: int, sample: str, places: Mapping[Node, tuple[str, str]]) -> None:
    """Label the nodes that one sample made on its way to its cost: those below it that were born after `since`.

    A neuron's weighted sum is `sample3.layer0.neuron1.sum` and what its activation makes of it `sample3.layer0.neuron1`,
    which without an activation is the sum itself; the cost is `sample3.cost`. A label that the model gave stays, behind
    the sample: `sample3.hidden`. places: the path and the activation of every neuron, by its first weight.
    """
    sums: dict[Node, tuple[str, str]] = {}
    for node in oldest_first(cost):
        if node.birth <= since or not node.parents:
            continue
        place = ""
        if node.rule.name == "dot":
            place = _begun(node, sums, places)
        elif node.parents[0] in sums and sums[node.parents[0]][1] == node.rule.name:
            place = sums[node.parents[0]][0]
        name = node.label or place or ("cost" if node is cost else "")
        node.label = name and f"{sample}.{name}"


def _begun(node: Node, sums: dict[Node, tuple[str, str]], places: Mapping[Node, tuple[str, str]]) -> str:
    """What a dot is called: the sum of a neuron, or the neuron; "" where its first weight is none of a network's."""
    _, pairs = dot_terms(node.parents)
    if not pairs or pairs[0][0] not in places:
        return ""
    path, activation = places[pairs[0][0]]
    path = path or "neuron"
    if activation == "linear":
        return path
    sums[node] = path, activation
    return f"{path}.sum"
