"""Training with a mistake: a small network learns XOR by a wrong engine, and its trace is what that engine really did.

    for step in wrong_steps(BUGS["never_zeroed"], epochs=1000):
        tracer.watch(step)

It is also the way to look at an engine of your own: give `train` a function that does the same as the Engine below, and
`micrograd-lite diff` says where it departs from ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from micrograd_lite.bugs import Bug
from micrograd_lite.chain import ChainRow, chain_rule
from micrograd_lite.data import xor
from micrograd_lite.detail import batch_graph
from micrograd_lite.optim import SGD, Adam
from micrograd_lite.plan import Plan
from micrograd_lite.training import Step, train


class Engine:
    """What `train(..., engine=...)` calls at each step: the batch as one graph, and its gradients by the sweep of a bug."""

    def __init__(self, bug: Bug) -> None:
        self.bug = bug
        self.chain: list[ChainRow] = []  # of the last step, where it was chosen

    def __call__(self, plan: Plan, batch: Sequence[tuple[Any, Any]], step: int) -> tuple[float, list[float]]:
        """The loss of a batch and its slope toward each parameter, which is left in its grad."""
        root = batch_graph(plan, batch)
        walked = list(self.bug.sweep(root, plan))
        self.chain = chain_rule(root, lambda _: walked) if step in plan.chain_rule else []
        totals = {edge.node.parents[edge.position]: edge.total for edge in walked}
        for parameter in plan.parameters:
            parameter.grad = totals.get(parameter, 0.0)
        return root.data, [parameter.grad for parameter in plan.parameters]


def wrong_steps(bug: Bug, epochs: int, chain: Sequence[int] = (1, 2)) -> Iterator[Step]:
    """Train 2-4-2-1 sigmoid units on XOR with a bug (or RIGHT); the steps in `chain` show every edge as it was walked.

    Two hidden layers, because in a smaller network every inner number is used once and any order is right.
    FloatingPointError when a bug makes the numbers overflow.
    """
    model, engine = bug.model(2, [4, 2, 1], activation="sigmoid", output="sigmoid", seed=2), Engine(bug)
    optimizer = type("Adam", (Adam,), {"terms": bug.terms})(lr=0.05) if bug.terms else SGD(lr=2.0)  # it believes to be Adam
    for step in train(model, xor(), loss=bug.loss, optimizer=optimizer, epochs=epochs, engine=engine, chain_rule=chain):
        yield step._replace(chain=engine.chain)
