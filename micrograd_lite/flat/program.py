"""Program: the text of a flat program, compiled, and how a batch of samples goes through it."""

from __future__ import annotations

import linecache
import math
import weakref
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import count
from operator import index
from typing import Any, NamedTuple

from micrograd_lite import many
from micrograd_lite.flat.sizes import MODERATE
from micrograd_lite.rules import MANY, RULES, SCALAR, outside_domain
from micrograd_lite.scalar import Value, to_float

serial = count(1)
FLOATS = {float}


class Written(NamedTuple):
    """The text of a program, and what must be known to run it, or to write it in another language (c.py)."""

    source: str
    forward: list[str]  # the statements that compute the loss of one sample, as they stand in the source
    backward: list[str]  # those of the way back, where d_loss is known
    names: Sequence[list[str]]  # of the parameters, the inputs and the targets
    parameters: list[Value]
    labels: list[bool]  # for each target: is it a label, and no float?
    operations: int
    calm: bool  # do moderate numbers stay finite?


class Program:
    """A graph as Python text, compiled. `source` is the text, `parameters` the leaves toward which it has slopes."""

    def __init__(self, written: Written) -> None:
        self.written = written
        self.source, self.parameters, self.operations = written.source, written.parameters, written.operations
        self.filename = f"<micrograd_lite flat program {next(serial)}>"
        linecache.cache[self.filename] = (len(self.source), None, self.source.splitlines(keepends=True), self.filename)
        weakref.finalize(self, linecache.cache.pop, self.filename, None)
        code = compile(self.source, self.filename, "exec", dont_inherit=True)
        self._quick, self._sure = self._function(code, QUICK), self._function(code, SURE)

    def _function(self, code: Any, namespace: dict[str, Any]) -> Callable[..., Any]:
        functions: dict[str, Any] = {}
        exec(code, {**namespace, "__builtins__": {}}, functions)
        made: Callable[..., Any] = functions["program"]
        return made

    def backward(self, samples: Sequence[Any] = (((), ()),), reduce: Callable[[Sequence[Value]], Value] = many.mean) -> float:
        """The loss of a batch; its slope toward each parameter is added to the parameter's grad.

        samples: pairs (inputs, target), each with one number for each input, and one target or a list of them.
        reduce: many.mean or many.sum, as a Loss has it. Loss and slopes are, bit for bit, those of the graph that the
        engine would build from all the samples. Errors are the engine's; then no grad has changed.
        """
        pairs = self.pack(samples)
        losses, gradients = self._run(pairs, share_of_each(reduce, len(pairs)))
        for parameter, gradient in zip(self.parameters, gradients):
            parameter.grad = gradient
        return reduce([Value(loss) for loss in losses]).data

    def losses(self, samples: Sequence[Any]) -> list[float]:
        """The loss of each sample; no grad changes."""
        return self._run(self.pack(samples), 0.0)[0]

    def run(self, numbers: Sequence[float], gradients: array[float], samples: Sequence[Any], share: float) -> Sequence[float]:
        """The loss of each sample, with no Value on the way: the parameters are `numbers`, their slopes are added to `gradients`.

        gradients: an array("d"). samples: those of `pack`. share: the slope of the batch's loss toward a sample's, as 1 / their
        number for a mean.
        """
        losses, after = self._compute(numbers, gradients, samples, share)
        gradients[:] = array("d", after)
        return losses

    def _run(self, pairs: Sequence[Any], share: float) -> tuple[list[float], list[float]]:
        numbers, gradients = zip(*[(parameter.data, parameter.grad) for parameter in self.parameters])
        return self._compute(numbers, gradients, pairs, share)

    def _compute(
        self, numbers: Sequence[float], gradients: Iterable[float], pairs: Sequence[Any], share: float
    ) -> tuple[list[float], list[float]]:
        calm = self.written.calm and abs(share) <= 1.0 and _moderate(numbers, pairs)
        before = [gradient + 0.0 for gradient in gradients]  # -0.0 + 0.0 is 0.0: see lines.py
        try:
            result: tuple[list[float], list[float]] = self._quick(numbers, before, pairs, share, calm)
        except (ValueError, ArithmeticError):  # overflow, or out of a domain: the engine's functions know which
            for pair in pairs:  # in the engine's order, so that the first sample at fault is the one reported
                self._sure(numbers, before, [pair], share, calm)
            result = self._sure(numbers, before, pairs, share, calm)
        return result

    def pack(self, samples: Iterable[Any]) -> list[Any]:
        """Samples as `run` takes them, for any number of runs. ValueError or TypeError for any that is not what it must be."""
        return [self.checked(position, sample) for position, sample in enumerate(samples)]

    def checked(self, position: int, sample: Any) -> tuple[Sequence[float], Any]:
        """A sample as (inputs, targets): floats, and whole numbers for labels. ValueError or TypeError for any other."""
        if not isinstance(sample, (tuple, list)) or len(sample) != 2:
            raise ValueError(f"sample {position} must be a pair (inputs, target), got {sample!r}")
        inputs, targets = sample
        if not isinstance(targets, (tuple, list)):
            targets = (targets,)
        wanted, labels = len(self.written.names[1]), self.written.labels
        if len(inputs) != wanted or len(targets) != len(labels):
            raise ValueError(
                f"sample {position} has {len(inputs)} inputs and {len(targets)} targets; "
                f"this program was made for {wanted} and {len(labels)}"
            )
        if set(map(type, inputs)) != FLOATS:  # 15 us for 784 numbers; converting them would cost twice that
            inputs = [to_float(number) for number in inputs]
        if any(labels) or set(map(type, targets)) != FLOATS:
            targets = [index(target) if label else to_float(target) for target, label in zip(targets, labels)]
        return inputs, targets


def _moderate(numbers: Sequence[float], pairs: Sequence[Any], hypot: Callable[..., float] = math.hypot) -> bool:
    """Is every number at most MODERATE, and none NaN? hypot says both, at 5 ns a number."""
    try:
        for inputs, targets in pairs:
            if not hypot(*inputs, *targets) <= MODERATE:
                return False
        return hypot(*numbers) <= MODERATE
    except OverflowError:  # a label beyond all floats: cross_entropy will say what is wrong with it
        return False


@lru_cache(maxsize=64)
def share_of_each(reduce: Callable[[Sequence[Value]], Value], samples: int) -> float:
    """The slope of a batch's loss toward one sample's. ValueError unless `reduce` is a mean or a sum."""
    leaves = [Value(0.0)] * samples
    made = reduce(leaves)
    if made.rule not in (MANY["mean"], MANY["sum"]) or list(made.parents) != leaves:
        raise ValueError("a flat program adds samples up by many.mean or many.sum; train with the eager engine")
    share: float = made.partials[0] * 1.0
    return share


def cross_entropy(logits: Sequence[float], label: int) -> tuple[float, tuple[float, ...]]:
    """Value and slopes of many.cross_entropy on numbers."""
    made = many.cross_entropy([Value(logit) for logit in logits], label)
    return made.data, made.partials


def outside(name: str, *operands: float) -> tuple[float, ...]:
    """A result outside the domain of rule `name`: NaN, with slopes NaN, for NaN; an error for anything else."""
    if any(operand != operand for operand in operands):
        return (math.nan,) * (1 + len(RULES[name].partials))
    raise outside_domain(name, *operands)


SURE: dict[str, Any] = {**SCALAR, "abs": abs, "reversed": reversed, "cross_entropy": cross_entropy, "outside": outside}
"""What a program may call: the functions of the rows, as the engine has them. There are no builtins."""

QUICK: dict[str, Any] = {**SURE, "exp": math.exp, "sin": math.sin, "cos": math.cos}
"""The same, but overflow is an exception. One call less; where they return a number it is the same one."""
