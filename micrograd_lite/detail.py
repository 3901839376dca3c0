"""A chosen step in detail: every edge of its backward pass, and what each sample of its batch contributes.

The batch is built once more as a graph whose inputs carry names, and the graph is only read: whichever engine trains,
its numbers stay what they are, and a step that nobody chose costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from micrograd_lite.chain import ChainRow, chain_rule, edges
from micrograd_lite.plan import Plan
from micrograd_lite.scalar import Value


class Detail(NamedTuple):
    """Rows of the chain rule; for each parameter one share per sample. Empty where not asked for."""

    chain: Sequence[ChainRow]
    by_sample: Sequence[Sequence[float]]


NOTHING = Detail((), ())


def detail(plan: Plan, batch: Sequence[tuple[Any, Any]], step: int) -> Detail:
    """What the plan asks to be shown of a step, before its update."""
    if step not in plan.chain_rule and step not in plan.by_sample:
        return NOTHING
    root = batch_graph(plan, batch)
    chain = chain_rule(root) if step in plan.chain_rule else ()
    return Detail(chain, by_sample(root, plan.parameters) if step in plan.by_sample else ())


def batch_graph(plan: Plan, batch: Sequence[tuple[Any, Any]]) -> Value:
    """The loss of a batch as one graph, whose inputs and targets are called sample0.x0, sample0.y and so on."""
    costs = [
        plan.loss.sample(plan.model(named(inputs, f"sample{row}.x")), named(target, f"sample{row}.y"))
        for row, (inputs, target) in enumerate(batch)
    ]
    return plan.loss.reduce(costs)


def named(numbers: Any, label: str) -> Any:
    """Numbers as leaves called x0, x1 ..., one number as a leaf; a class label, which is no number, as it is."""
    if isinstance(numbers, (list, tuple)):
        return [Value(number, f"{label}{position}") for position, number in enumerate(numbers)]
    return Value(numbers, label) if isinstance(numbers, float) else numbers


def by_sample(root: Value, parameters: Sequence[Value]) -> list[list[float]]:
    """For each parameter, its gradient's share of each sample; root is the mean or sum of the samples' costs.

    The shares of a parameter add up to its gradient, from the last sample to the first: that is the sweep's order.
    """
    columns = []
    for cost, partial in zip(root.parents, root.partials):
        paid = {edge.node.parents[edge.position]: edge.total for edge in edges(cost, partial)}
        columns.append([paid.get(parameter, 0.0) for parameter in parameters])
    return [list(shares) for shares in zip(*columns)]
