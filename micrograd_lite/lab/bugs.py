"""Well-known mistakes in backpropagation, each in the few wrong lines that it takes, for `micrograd-lite diff` to find.

A network with a wrong gradient often learns all the same, only worse, so the loss alone does not tell. Each sweep below
is that of chain/rows.py with a line changed. A small network learns XOR with it, and the trace is what the wrong engine
really did:

    for step in wrong_steps(BUGS["never_zeroed"], epochs=1000): tracer.watch(step)

It is also the way to look at an engine of your own: give `train` a function that does the same as the Engine below, and
`micrograd-lite diff` says where it departs from ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from micrograd_lite import many
from micrograd_lite.chain.rows import ChainRow, Edge, chain_rule, edges
from micrograd_lite.data import xor
from micrograd_lite.graph import youngest_first
from micrograd_lite.losses import Loss, mse
from micrograd_lite.many import dot
from micrograd_lite.nn import MLP
from micrograd_lite.optim import SGD, Adam, AdamTerms, Optimizer
from micrograd_lite.plan import Plan
from micrograd_lite.rules import dot_terms
from micrograd_lite.scalar import Value, operand
from micrograd_lite.training import Step, batch_graph, train

# --- wrong sweeps: chain.edges with one line changed ---


def overwritten(root: Value, plan: Plan) -> Iterator[Edge]:
    """A node that is used twice keeps the share of its last use, and forgets the rest."""
    totals = {root: 1.0}
    for node in youngest_first(root):
        for position, (parent, partial) in enumerate(zip(node.parents, node.partials)):
            share = partial * totals[node]
            totals[parent] = share  # = for +=
            yield Edge(node, position, totals[node], share, totals[parent])


def unordered(root: Value, plan: Plan) -> Iterator[Edge]:
    """Depth first, as the nodes are found: a node used twice sends its total on before the second use has added its share."""
    totals, found, waiting = {root: 1.0}, {root}, [root]
    while waiting:
        node = waiting.pop()  # youngest_first would take the youngest
        for position, (parent, partial) in enumerate(zip(node.parents, node.partials)):
            share = partial * totals[node]
            totals[parent] = totals.get(parent, 0.0) + share
            yield Edge(node, position, totals[node], share, totals[parent])
            if parent.parents and parent not in found:
                found.add(parent)
                waiting.append(parent)


def never_zeroed(root: Value, plan: Plan) -> Iterator[Edge]:
    """Each step's gradient is added to those of all steps before it."""
    totals = {root: 1.0}
    for node in youngest_first(root):
        for position, (parent, partial) in enumerate(zip(node.parents, node.partials)):
            share = partial * totals[node]
            totals[parent] = totals.get(parent, parent.grad) + share  # a parameter's grad is that of the step before
            yield Edge(node, position, totals[node], share, totals[parent])


def called_twice(root: Value, plan: Plan) -> Iterator[Edge]:
    """backward() once more before the update: the leaves get every share again, the nodes between start from zero."""
    totals: dict[Value, float] = {}
    for _ in range(2):
        totals = {root: 1.0} | {node: total for node, total in totals.items() if not node.parents}
        for node in youngest_first(root):
            for position, (parent, partial) in enumerate(zip(node.parents, node.partials)):
                share = partial * totals[node]
                totals[parent] = totals.get(parent, 0.0) + share
                yield Edge(node, position, totals[node], share, totals[parent])


# --- wrong slopes: the sweep is right, but what a node has as its partials is not ---


def slope_at_the_sum(root: Value, plan: Plan) -> Iterable[Edge]:
    """A sigmoid's slope is a * (1 - a), a tanh's 1 - a * a, with its output a; here the neuron's sum z is put in."""
    for node in youngest_first(root):
        if node.rule.name in ("sigmoid", "tanh"):
            z = node.parents[0].data
            node.partials = (z * (1.0 - z) if node.rule.name == "sigmoid" else 1.0 - z * z,)
    return edges(root)


def updated_too_early(root: Value, plan: Plan) -> Iterable[Edge]:
    """Each layer's weights are moved before the error goes back through them: it goes through the new ones."""
    optimizer, step = plan.optimizer, plan.optimizer.steps + 1
    kept = optimizer.memory or [(0.0,) * len(optimizer.REMEMBERS)] * len(plan.parameters)
    memory = dict(zip(plan.parameters, kept))
    for layer in plan.model.layers[:0:-1]:
        gradients = {edge.node.parents[edge.position]: edge.total for edge in edges(root)}
        weights = [weight for neuron in layer.neurons for weight in neuron.w if weight in memory]
        moved = {
            weight: weight.data
            + optimizer.terms(weight.data, gradients[weight], memory[weight], optimizer.lr(step), step).update
            for weight in weights
        }
        for node in youngest_first(root):
            if node.rule.name == "dot":
                slopes = list(node.partials)
                for w, x in dot_terms(range(len(slopes)))[1]:
                    slopes[x] = moved.get(node.parents[w], slopes[x])
                node.partials = tuple(slopes)
    return edges(root)


def right(root: Value, plan: Plan) -> Iterable[Edge]:
    """The sweep of backward()."""
    return edges(root)


# --- a wrong forward pass, and wrong optimizers ---


class Biasless(MLP):
    """An MLP that has biases and forgets to add them."""

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """The outputs for one sample, each sum without its bias."""
        values = [operand(x) for x in inputs]
        for layer in self.layers:
            sums = [dot(neuron.w, values) for neuron in layer.neurons]
            values = [z.prelu(neuron.slope) if neuron.slope else neuron.activate(z) if neuron.activate else z
                      for neuron, z in zip(layer.neurons, sums)]  # fmt: skip
        return values[0] if len(values) == 1 else values


def uncorrected(adam: Adam, value: float, gradient: float, memory: tuple[float, ...], lr: float, step: int) -> AdamTerms:
    """Adam's means as they are: they start at 0, so the first ones are far too small, the squares' more than the others."""
    terms = adam.terms(value, gradient, memory, lr, step)
    rate = lr / (math.sqrt(terms.second) + adam.eps)
    update = -rate * terms.first - decay(adam, value, lr)
    return terms._replace(first_corrected=terms.first, second_corrected=terms.second, rate=rate, update=update)


def eps_inside(adam: Adam, value: float, gradient: float, memory: tuple[float, ...], lr: float, step: int) -> AdamTerms:
    """Adam's eps under the root, where its 1e-8 acts as 1e-4: weights with smaller gradients than that slow down."""
    terms = adam.terms(value, gradient, memory, lr, step)
    rate = lr / math.sqrt(terms.second_corrected + adam.eps)
    return terms._replace(rate=rate, update=-rate * terms.first_corrected - decay(adam, value, lr))


def decay(adam: Adam, value: float, lr: float) -> float:
    """What AdamW takes off the weight itself."""
    return lr * adam.weight_decay * value if adam.DECOUPLED else 0.0


class Mistaken(Optimizer):
    """An optimizer with another formula for its terms. run.json has its name: who makes a mistake does not know it."""

    def __init__(self, right: Optimizer, formula: Callable[..., Any]) -> None:
        super().__init__(lr=right.lr)
        self.right, self.formula = right, formula
        self.REMEMBERS = right.REMEMBERS  # type: ignore[misc]

    def terms(self, value: float, gradient: float, memory: tuple[float, ...], lr: float, step: int) -> Any:
        """What the formula makes of one parameter's gradient."""
        return self.formula(self.right, value, gradient, memory, lr, step)

    def config(self) -> dict[str, Any]:
        """Name and settings of the optimizer that it is taken for."""
        return self.right.config()


# --- each mistake by name ---


class Bug(NamedTuple):
    """A mistake: what becomes of it, and the part of training that it replaces."""

    name: str
    effect: str
    sweep: Callable[[Value, Plan], Iterable[Edge]] = right
    model: type[MLP] = MLP
    reduce: Callable[[Sequence[Value]], Value] | None = None  # of the loss
    terms: Callable[..., AdamTerms] | None = None  # of Adam; in this page's own run, None trains by SGD


RIGHT = Bug("right", "nothing is wrong")
RIGHT_ADAM = Bug("right_adam", "nothing is wrong", terms=Adam.terms)

BUGS = {bug.name: bug for bug in (
    Bug("overwritten", "only the last use of a weight counts, so it learns one sample: the last of the sweep", overwritten),
    Bug("unordered", "a unit with two uses sends on the share of the first; below it gradients are too small", unordered),
    Bug("never_zeroed", "old gradients never leave: momentum without any friction, it swings to and fro", never_zeroed),
    Bug("called_twice", "as if the learning rate were twice as large, for every leaf gets its shares two times", called_twice),
    Bug("slope_at_the_sum", "z * (1 - z) may be negative and has no bound: errors grow from layer to layer", slope_at_the_sum),
    Bug("updated_too_early", "the error goes back through weights that it did not come through; nearly right", updated_too_early),
    Bug("bias_forgotten", "each unit's border must go through the origin, and the biases get no gradient", model=Biasless),
    Bug("sum_for_mean", "as if the learning rate were as many times as large as there are samples", reduce=many.sum),
    Bug("uncorrected", "the first steps are 3 to 6 times as long as they should be, so it lands elsewhere", terms=uncorrected),
    Bug("eps_inside", "weights with gradients near 1e-4 or below move more slowly than they should", terms=eps_inside),
)}  # fmt: skip
"""Every mistake by name."""


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


def mistaken_steps(
    bug: Bug, make: Callable[[type[MLP]], MLP], data: Any, loss: Loss, optimizer: Optimizer, chain: Sequence[int], **settings: Any
) -> Iterator[Step]:
    """The steps of `train` with a bug; the steps in `chain` show every edge as it was walked.

    make: the model of a class, which is MLP or Biasless. FloatingPointError when a bug makes the numbers overflow.
    """
    engine = Engine(bug)
    steps = train(
        make(bug.model), data, loss=loss._replace(reduce=bug.reduce) if bug.reduce else loss,
        optimizer=Mistaken(optimizer, bug.terms) if bug.terms else optimizer,
        engine="flat" if bug.sweep is right else engine, chain_rule=chain, **settings,
    )  # fmt: skip
    for step in steps:
        yield step if bug.sweep is right else step._replace(chain=engine.chain)


def wrong_steps(bug: Bug, epochs: int, chain: Sequence[int] = (1, 2)) -> Iterator[Step]:
    """Train 2-4-2-1 sigmoid units on XOR with a bug (or RIGHT), by SGD, or by Adam where the bug is one of Adam's.

    Two hidden layers, because in a smaller network every inner number is used once and any order is right.
    """

    def make(kind: type[MLP]) -> MLP:
        return kind(2, [4, 2, 1], activation="sigmoid", output="sigmoid", seed=2)

    return mistaken_steps(bug, make, xor(), mse, Adam(lr=0.05) if bug.terms else SGD(lr=2.0), chain, epochs=epochs)
