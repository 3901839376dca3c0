"""A hundred random networks: every activation, every loss, and Python's own answers and gradients for the page to agree with."""

import json
from random import Random
from typing import NamedTuple

from micrograd_lite import MLP, SGD, Tracer, train
from micrograd_lite.architecture import ACTIVATIONS
from micrograd_lite.data import Dataset
from micrograd_lite.graph import oldest_first
from micrograd_lite.losses import LOSSES
from micrograd_lite.page.samples import samples_of
from micrograd_lite.trace.rebuild import Rebuild

COUNT = 100
CLOSE = 1e-12
"""How far a number of the page may lie from Python's, as a part of the size of its terms: about 4500 roundings."""


def random_run(number, folder):
    """One traced step of a random network on two random samples; activations and losses go round, so that each meets each."""
    draw = Random(number)
    loss = list(LOSSES.values())[number % len(LOSSES)]
    hidden, most = draw.randint(1, 3), 4 if loss.name == "cross_entropy" else 3
    outputs = 1 if loss.name in ("binary_cross_entropy", "hinge") else draw.randint(1 + (loss.name == "cross_entropy"), most)
    widths = [draw.randint(1, 4) for _ in range(hidden)] + [outputs]
    activations = [ACTIVATIONS[(number + place) % len(ACTIVATIONS)] for place in range(hidden)]
    output = "linear" if loss.takes_logits else ACTIVATIONS[number // len(LOSSES) % len(ACTIVATIONS)]
    inputs = draw.randint(1, 4)
    network = MLP(inputs, widths, activations, output, init="normal", bias=number % 7 != 0, seed=number)
    for weight in network.parameters():
        weight.data = draw.gauss(0.0, 1.0)
    rows = [[draw.gauss(0.0, 1.5) for _ in range(inputs)] for _ in range(2)]
    classes = outputs if loss.name == "cross_entropy" else 0
    data = Dataset(f"random {number}", rows, [_target(draw, loss, outputs) for _ in rows], classes)
    with Tracer(folder) as tracer:
        for step in train(network, data, loss=loss, optimizer=SGD(lr=1e-6), epochs=1):
            tracer.watch(step)
    return folder


def _target(draw, loss, outputs):
    if loss.name == "cross_entropy":
        return draw.randrange(outputs)
    if loss.name == "binary_cross_entropy":
        return draw.random()
    if loss.name == "hinge":
        return draw.choice((-1.0, 1.0))
    numbers = [draw.gauss(0.0, 1.0) for _ in range(outputs)]
    return numbers[0] if outputs == 1 else numbers


def sizes(root):
    """For every node below a root the sum over its paths of the sizes of their slopes, absolute terms of formulas counted."""
    found = {root: 1.0}
    for node in reversed(oldest_first(root)):
        for parent, partial in zip(node.parents, node.partials):
            found[parent] = found.get(parent, 0.0) + _terms(node, partial) * found.get(node, 0.0)
    return found


def _terms(node, partial):
    z = node.data
    name = node.rule.name
    if name == "cross_entropy":
        return abs(partial) + 2.0 * (partial < 0)  # of the label: softmax - 1
    return {"tanh": 1.0 + z * z, "sigmoid": z + z * z}.get(name, abs(partial))


def rounding(root):
    """What the rounding errors of a root's value are proportional to: each node's own, times what it does to the root."""
    total = 0.0
    for node, size in sizes(root).items():
        total += abs(node.data) * size
    return total


class Compared(NamedTuple):
    """How many numbers were compared, the farthest of them as a part of the size of its terms, and the rules that were met."""

    numbers: int
    worst: float
    rules: set


def compared(chrome, folder):
    """All hundred networks in the page that is open: each value and gradient of two samples, and each parameter's gradient."""
    rules, apart = set(), []
    for number in range(COUNT):
        rebuild = Rebuild(random_run(number, folder / str(number)))
        step, (header, constants) = rebuild.step(1), samples_of(rebuild)
        values, totals = json.loads(chrome.run(SOLVED, header, list(rebuild.trace.weights_before(1).values()), constants))
        step.root.backward()
        size, parameters = sizes(step.root), list(step.parameters.values())
        for sample in range(2):
            for place, node in enumerate(oldest_first(step.sample(sample))):
                if node.parents:
                    rules.add(node.rule.name)
                    apart.append(far(values[place][sample], node.data, rounding(node)))
                    apart.append(far(totals[place][sample], node.grad, size[node]))
        for (kind, *which), (first, second) in zip(header["nodes"], totals):
            if kind == "p":
                parameter = parameters[which[0]]
                apart.append(far(second + first, parameter.grad, size[parameter]))
    return Compared(len(apart), max(apart), rules)


def far(found, wanted, size):
    """How far a number lies from the wanted one, as a part of the size of its terms."""
    return 0.0 if found == wanted else abs(found - wanted) / size


SOLVED = """
const {graphOf, forward, backward, countsFor} = micrograd, [told, weights, constants] = arguments, graph = graphOf(told);
const values = forward(graph, weights.map((weight) => [weight]), constants, 2);
const totals = backward(graph, values, countsFor(graph, 2), 2);
return JSON.stringify([values, totals].map((columns) => columns.map((column) => Array.from(column))))"""
