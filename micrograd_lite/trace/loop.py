"""A loop of one's own, traced by one added line: `tracer.log(loss, net)`, after `loss.backward()` and before the update.

    for k in range(100):
        total_loss, accuracy = loss()
        model.zero_grad()
        total_loss.backward()
        tracer.log(total_loss, model)      # the added line
        for p in model.parameters():
            p.data -= learning_rate * p.grad

What an update did is known when it is over: a step's `after` is the next call's `before`, or the number at `close()`, and
its update is `after - before`. So the step logged last waits in memory; those before it are with the operating system.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from micrograd_lite.chain.rows import ChainRow, chain_rule
from micrograd_lite.graph import is_rank
from micrograd_lite.measure import first_non_finite, norm
from micrograd_lite.module import Module
from micrograd_lite.scalar import Value, to_float
from micrograd_lite.trace.kinds import BY_HAND
from micrograd_lite.training import Step


class ByHand(NamedTuple):
    """The terms of an update of which nothing is known but what it did."""

    update: float


class Noted(NamedTuple):
    """A step before its update; lists have one entry for each parameter."""

    number: int
    loss: float
    before: list[float]
    gradients: list[float]
    chain: Sequence[ChainRow]


class Loop:
    """The steps of one loop. net: as for `Tracer.log`; waiting: the step that was logged last, until its update is over."""

    def __init__(self, net: Any) -> None:
        self.net = net if isinstance(net, Module) else _pairs(net)
        self.names = [name for name, _ in self.parameters()]
        self.waiting: Noted | None = None
        self.run = {
            "model": net.config() if isinstance(net, Module) else {"type": "pairs of name and Value"},
            "parameters": self.names, "fixed": {}, "tied": net.tied() if isinstance(net, Module) else {},
            "loss": BY_HAND, "optimizer": {"name": BY_HAND}, "optimizer_memory": [], "data": None, "test": None,
            "epochs": None, "batch_size": None, "shuffle": False, "seed": 0, "evaluation": [], "chain_rule": [], "by_sample": [],
        }  # fmt: skip

    def parameters(self) -> list[tuple[str, Value]]:
        """Every parameter by name, as it stands now."""
        return self.net.named_parameters() if isinstance(self.net, Module) else self.net

    def noted(self, loss: Any, net: Any, chain: bool) -> Noted:
        """A step as it stands between backward() and the update. Errors as for `Tracer.log`; then nothing has changed."""
        number = self.waiting.number + 1 if self.waiting else 1
        if not isinstance(loss, Value):
            raise TypeError(f"loss must be the Value that backward() was called on, got {type(loss).__name__}")
        parameters = self._the_same(net)
        if not math.isfinite(loss.data):
            raise FloatingPointError(f"step {number}: the loss is {loss.data!r}; {first_non_finite(loss)}")
        if not loss.grad:
            raise ValueError(f"step {number}: this loss has no gradient yet: call its backward() before log()")
        before = [to_float(parameter.data) for _, parameter in parameters]
        gradients = [to_float(parameter.grad) for _, parameter in parameters]
        for what, numbers in (("", before), ("the gradient of ", gradients)):
            for name, value in zip(self.names, numbers):
                if not math.isfinite(value):
                    raise FloatingPointError(f"step {number}: {what}{name} is {value!r}; try a smaller learning rate")
        rows = chain_rule(loss, names={parameter: name for name, parameter in parameters}) if chain else []
        _refuse_other_gradients(number, rows, dict(zip(self.names, gradients)))
        return Noted(number, to_float(loss.data), before, gradients, rows)

    def whole(self, noted: Noted) -> Step:
        """The same step with the parameters as they are now: its update is over."""
        after = [to_float(parameter.data) for _, parameter in self.parameters()]
        terms = [ByHand(new - old) for old, new in zip(noted.before, after)]
        return Step(
            number=noted.number, epoch=1, loss=noted.loss, gradient_norm=norm(noted.gradients),
            update_norm=norm([term.update for term in terms]), learning_rate=math.nan, names=self.names, before=noted.before,
            gradients=noted.gradients, terms=terms, after=after, evaluation={}, chain=noted.chain, by_sample=(), run=self.run,
        )  # fmt: skip

    def _the_same(self, net: Any) -> list[tuple[str, Value]]:
        """The parameters of this net. ValueError when it is not the one that was logged before."""
        if isinstance(self.net, Module):
            same = net is self.net
        else:
            pairs = net if net is self.net else _pairs(net)
            same = len(pairs) == len(self.net) and all(
                name == known and value is parameter for (name, value), (known, parameter) in zip(pairs, self.net)
            )
        parameters = self.parameters()
        if not same or [name for name, _ in parameters] != self.names:
            change = "a loop changes the numbers of its parameters (p.data), and a Tracer logs one loop"
            raise ValueError(f"these are not the parameters that were logged before: {change}; make another one")
        return parameters


def _pairs(net: Any) -> list[tuple[str, Value]]:
    """Pairs of name and Value, checked."""
    wanted = 'net must be a Module such as nn.MLP, or pairs of name and Value such as [("w", w)]'
    if not isinstance(net, Iterable) or isinstance(net, (str, dict)):
        raise TypeError(f"{wanted}, got {type(net).__name__}")
    pairs = list(net)
    for pair in pairs:
        named = isinstance(pair, (tuple, list)) and len(pair) == 2
        if not named or not isinstance(pair[0], str) or not isinstance(pair[1], Value):
            raise TypeError(f"{wanted}, got one of {pair!r}"[:300])
    counted = Counter([name for name, _ in pairs])
    for name, count in counted.items():
        if count > 1:
            raise ValueError(f"two parameters are named {name!r}: give each a name of its own")
    return [(name, value) for name, value in pairs]


def _refuse_other_gradients(number: int, rows: Sequence[ChainRow], gradients: dict[str, float]) -> None:
    """ValueError when the parameters' gradients are not those of this one backward pass, which its edges would tell."""
    totals = {row.parent: row.total for row in rows}
    for name, gradient in gradients.items() if rows else ():
        if totals.get(name, 0.0) != gradient and not is_rank(name):
            raise ValueError(
                f"step {number}: the gradient of {name} is {gradient!r}, but backward() from this loss alone gives "
                f"{totals.get(name, 0.0)!r}: call zero_grad() before it, or log without chain_rule"
            )
