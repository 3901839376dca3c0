"""Operations over many operands, each as one node: dot, sum, mean and softmax cross-entropy.

Written out with + and * they would be long chains of nodes with the same numbers; as one node they cost a fraction.
Everything is added from left to right, by hand: the builtin sum() rounds differently from Python 3.12 on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

from micrograd_lite.rules import MANY
from micrograd_lite.scalar import Value, node


def dot(weights: Sequence[Value], inputs: Sequence[Value], bias: Value | None = None) -> Value:
    """bias + w0*x0 + w1*x1 + ... as one node: what a neuron computes.

    Bit for bit the sum of products that it stands for, value and gradients, at a fraction of the nodes. So the
    parents stand in the order in which the shares of that sum arrive: last product first, and the bias just
    before the first product, because the sum starts with it (`rules.dot_terms` takes them apart again). ValueError
    when the counts differ. Numbers among the inputs must have been wrapped: doing that here would cost every neuron
    of a layer the same work again.
    """
    if len(weights) != len(inputs):
        raise ValueError(f"dot needs as many inputs as weights: got {len(weights)} weights and {len(inputs)} inputs")
    w_data, x_data = [w.data for w in weights], [x.data for x in inputs]
    if not weights and bias is None:
        raise ValueError("dot needs at least one weight and one input, or a bias, got none")
    total = bias.data if bias is not None else 0.0
    for w, x in zip(w_data, x_data):
        total += w * x
    parents: list[Any] = [None] * (2 * len(inputs))
    partials: list[Any] = [None] * (2 * len(inputs))
    parents[0::2], parents[1::2] = weights[::-1], inputs[::-1]  # slices: 2x faster than a loop that appends
    partials[0::2], partials[1::2] = x_data[::-1], w_data[::-1]
    if bias is not None:
        parents.insert(-2, bias)
        partials.insert(-2, 1.0)
    return node(total, tuple(parents), tuple(partials), MANY["dot"])


def sum(values: Sequence[Value]) -> Value:
    """x0 + x1 + ... as one node, added from left to right. ValueError when there is nothing to add."""
    return node(_total(values), tuple(values), (1.0,) * len(values), MANY["sum"])


def mean(values: Sequence[Value]) -> Value:
    """(x0 + x1 + ...) / n as one node. ValueError when there is nothing to average."""
    return node(_total(values) / len(values), tuple(values), (1.0 / len(values),) * len(values), MANY["mean"])


def _total(values: Sequence[Value]) -> float:
    if not values:
        raise ValueError("a sum or mean needs at least one value, got none")
    total = 0.0
    for value in values:
        total += value.data
    return total


def cross_entropy(logits: Sequence[Value], label: int) -> Value:
    """-log softmax(logits)[label] as one node: softmax and logarithm fused, so nothing overflows.

    The slope toward each logit is its softmax probability, less 1 at the label. ValueError for a label that is not
    one of 0 ... len(logits) - 1, TypeError for one that is no whole number.
    """
    label = index(label)
    if label not in range(len(logits)):
        raise ValueError(f"cross_entropy: the label must be one of 0 ... {len(logits) - 1}, got {label!r}")
    numbers = [logit.data for logit in logits]
    highest = max(numbers)
    exponentials = [math.exp(number - highest) for number in numbers]
    top, rest = numbers.index(highest), 0.0  # all but the highest, whose exponential is 1: log1p keeps the digits of a small cost
    for position, exponential in enumerate(exponentials):
        if position != top:
            rest += exponential
    partials = [exponential / (1.0 + rest) for exponential in exponentials]
    partials[label] -= 1.0
    value = math.log1p(rest) + (highest - numbers[label])
    return node(value, (*logits, Value(label)), tuple(partials), MANY["cross_entropy"])
