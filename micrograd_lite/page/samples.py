"""Samples: the graph of one sample's cost, and what each sample puts into it, so that a page can go forward and back by itself.

All samples of a network go through one and the same graph; they differ in their constants: inputs, target and what is made of
it. So the graph stands in the page once, as rules and places of parents, and the constants as a table. Its formulas are those
that `show --chain` prints, without the name of the sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from micrograd_lite.chain.formulas import formulas
from micrograd_lite.chain.layout import drawn, layout
from micrograd_lite.chain.places import name_places
from micrograd_lite.graph import births, node_names, oldest_first
from micrograd_lite.measure import middle
from micrograd_lite.plan import Plan
from micrograd_lite.scalar import Value
from micrograd_lite.trace.rebuild import Rebuild
from micrograd_lite.training import batch_rows, named

MOST_EDGES = 20_000
"""A graph of more could be drawn by no page, and gone through by nobody."""
MOST_NUMBERS = 300_000
"""Constants of all samples together."""
MOST_DRAWN = 64
"""Boxes of a drawing that can be read."""
WIDE, HIGH = 132, 52
"""Pixels of a box: a name of eighteen letters, and three lines."""
PREFIX = "sample."


class Samples(NamedTuple):
    """header: what is told as JSON; constants: a column for each constant of the graph, a row for each sample."""

    header: dict[str, Any]
    constants: list[list[float]]


def samples_of(rebuild: Rebuild) -> Samples:
    """The graph of a trace's samples. ValueError says why a page cannot hold it."""
    plan, data = rebuild.plan, rebuild.plan.training
    rebuild.step()  # says so when what it computes is not what was recorded
    outputs, cost = _graph(plan, data.inputs[0], data.targets[0])
    order = oldest_first(cost)
    place = {node: number for number, node in enumerate(order)}
    edges = [parent for node in order for parent in node.parents]
    trained = {parameter: number for number, parameter in enumerate(plan.parameters)}
    constants = [node for node in order if not node.parents and node not in trained]
    if len(edges) > MOST_EDGES:
        raise ValueError(f"the graph of one sample has {len(edges):,} edges; a page holds graphs of up to {MOST_EDGES:,}")
    if len(constants) * len(data.inputs) > MOST_NUMBERS:
        raise ValueError(f"{len(data.inputs):,} samples of {len(constants)} numbers are more than a page holds")
    header = {
        "nodes": [_told(node, place, trained, constants) for node in order],
        "names": _names(cost, order),
        "texts": _texts(cost, order),
        "drawing": _drawing(cost, place),
        "inputs": [constants.index(leaf) for leaf in order if leaf.label.startswith(f"{PREFIX}x")],
        "outputs": [place[output] for output in outputs],
        "reduce": plan.loss.reduce([Value(0.0)]).rule.name,
        "labels": _labels(plan, order),
        "threshold": middle(data.targets) if plan.loss.threshold is None and len(outputs) == 1 else plan.loss.threshold,
    }
    return Samples(header, _constants(plan, constants))


def _graph(plan: Plan, inputs: Any, target: Any) -> tuple[list[Any], Any]:
    """One sample's outputs and its cost; its nodes are named as in `training.batch_graph`."""
    for name, parameter in plan.model.all_names():
        parameter.label = name
    since, sample = next(births), PREFIX.removesuffix(".")
    made = plan.model(named(inputs, f"{PREFIX}x"))
    outputs = made if isinstance(made, list) else [made]
    cost = plan.loss.sample(made, named(target, f"{PREFIX}y"))
    name_places(cost, since, sample, plan.model.places())
    return outputs, cost


def _told(node: Any, place: Mapping[Any, int], trained: Mapping[Any, int], constants: list[Any]) -> list[Any]:
    """A node as data: `["tanh", 3]`, the places of its parents after its rule; a parameter is ["p", 0], a constant ["c", 0]."""
    if node.parents:
        return [node.rule.name, *(place[parent] for parent in node.parents)]
    return ["p", trained[node]] if node in trained else ["c", constants.index(node)]


def _names(cost: Any, order: list[Any]) -> list[str]:
    names = node_names(cost)
    return [names[node].removeprefix(PREFIX) for node in order]


def _texts(cost: Any, order: list[Any]) -> list[list[str]]:
    """For each node its formula, then one for its slope toward each parent; nothing for a leaf."""
    names = dict(zip(order, _names(cost, order)))
    made = (formulas(node, names) if node.parents else None for node in order)
    return [[text[0], *text[1]] if text else [] for text in made]


def _drawing(cost: Any, place: Mapping[Any, int]) -> dict[str, Any] | None:
    """Where boxes and arrows of the graph stand, in pixels; the arrows in the order of the sweep. None for a large graph."""
    nodes = drawn(cost)
    if len(nodes) > MOST_DRAWN:
        return None
    plan = layout(cost, dict.fromkeys(nodes, WIDE), HIGH)
    return {
        "size": [round(plan.width), round(plan.height)], "box": [WIDE, HIGH],
        "boxes": [[place[node], *map(round, corner)] for node, corner in plan.boxes.items()],
        "wires": [[round(number) for point in wire.points for number in point] for wire in plan.wires],
    }  # fmt: skip


def _labels(plan: Plan, order: list[Any]) -> dict[str, dict[int, list[str]]]:
    """For each class label but the first sample's the texts that differ: of the node that the label chooses a slope for."""
    targets = plan.training.targets
    if not isinstance(targets[0], int):
        return {}
    found: dict[str, dict[int, list[str]]] = {}
    asked = {target: row for row, target in reversed(list(enumerate(targets)))}
    fused = [number for number, node in enumerate(order) if node.parents and node.rule.name == "cross_entropy"]
    if not fused:
        return {}
    for target, row in sorted(asked.items()):
        _, cost = _graph(plan, plan.training.inputs[row], target)
        texts = _texts(cost, oldest_first(cost))
        found[str(target)] = {number: texts[number] for number in fused}
    return found


def _constants(plan: Plan, constants: list[Any]) -> list[list[float]]:
    """What each sample puts into the graph. Those of the loss are found on a graph of the loss alone, which costs little."""
    data, own = plan.training, {parameter for _, parameter in plan.model.all_names()}
    held = [leaf for leaf in constants if leaf in own]
    rows = []
    for inputs, target in zip(data.inputs, data.targets):
        outputs = [Value(0.0) for _ in range(plan.model.architecture.widths[-1])]
        cost = plan.loss.sample(outputs[0] if len(outputs) == 1 else outputs, named(target, ""))
        after = [leaf for leaf in oldest_first(cost) if not leaf.parents and leaf not in outputs]
        numbers = iter([*inputs, *(leaf.data for leaf in after)])
        rows.append([leaf.data if leaf in held else next(numbers) for leaf in constants])
    return [[float(number) for number in column] for column in zip(*rows)]


def batches_of(plan: Plan, steps: Iterable[int]) -> list[list[int]]:
    """The rows of the data in each step's batch, in their order; nothing where every step sees all data as they stand."""
    if plan.batch_size is None or (plan.batch_size >= len(plan.training.inputs) and not plan.shuffle):
        return []
    found: list[list[int]] = []
    epochs: dict[int, list[int]] = {}
    for number in steps:
        epochs.setdefault((number - 1) // plan.batches_per_epoch, []).append(number)
    last = max(epochs, default=-1)
    for epoch, keys in enumerate(islice(plan.shuffles(), last + 1)):
        batches = list(batch_rows(plan, keys)) if epoch in epochs else []
        found += [batches[(number - 1) % plan.batches_per_epoch] for number in epochs.get(epoch, [])]
    return found
