"""Losses: how wrong an answer is, as one number to push down.

A loss says what one sample costs (`sample`) and how a batch adds up (`reduce`: mean or sum). Sums over outputs and
samples go from left to right. Sources: Goodfellow, Bengio, Courville, "Deep Learning", 2016, chapters 5 and 6;
hinge: Cortes and Vapnik 1995.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple

from micrograd_lite import many
from micrograd_lite.scalar import Value


class Loss(NamedTuple):
    """A loss function. Call it with predictions and targets of a batch, or `sample` with those of one sample."""

    name: str
    sample: Callable[[Any, Any], Value]  # (outputs, target) -> the cost of one sample
    reduce: Callable[[Sequence[Value]], Value]  # costs of a batch -> one number
    wants: str  # what a target must be, in words
    fits: Callable[[Any, int], bool]  # (target, number of outputs) -> is it that?
    correct: Callable[..., bool]  # (outputs, target, middle of all targets) -> right decision?
    takes_logits: bool = False  # it applies softmax or sigmoid itself: the last layer must be linear
    threshold: float | None = None  # where one output parts a yes from a no; None: in the middle of all targets

    def __call__(self, predictions: Sequence[Any], targets: Sequence[Any]) -> Value:
        """The loss of a batch as one node of the graph. ValueError when the two counts differ."""
        if len(predictions) != len(targets):
            raise ValueError(f"{self.name}: got {len(predictions)} predictions for {len(targets)} targets")
        return self.reduce([self.sample(*pair) for pair in zip(predictions, targets)])


def as_list(outputs: Any) -> list[Any]:
    """One output or a list of them, as a list."""
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _squares(outputs: Any, target: Any) -> list[Value]:
    made, wanted = as_list(outputs), as_list(target)
    if len(made) != len(wanted):
        raise ValueError(f"a square error needs one target for each output, got {len(made)} outputs and {len(wanted)} targets")
    return [(output - number) ** 2 for output, number in zip(made, wanted)]


def _mean_square(outputs: Any, target: Any) -> Value:
    squares = _squares(outputs, target)
    return squares[0] if len(squares) == 1 else many.mean(squares)


def _half_square(outputs: Any, target: Any) -> Value:
    squares = _squares(outputs, target)
    return 0.5 * (squares[0] if len(squares) == 1 else many.sum(squares))


def _binary_cross_entropy(logit: Any, target: Any) -> Value:
    cost: Value = target * (-logit).softplus() + (1.0 - target) * logit.softplus()
    return cost


def _hinge(score: Any, target: Any) -> Value:
    cost: Value = (1.0 - target * score).relu()
    return cost


def _is_numbers(target: Any, outputs: int) -> bool:
    targets = as_list(target)
    return len(targets) == outputs and all(isinstance(number, Real) for number in targets)


def _is_label(target: Any, outputs: int) -> bool:
    return isinstance(target, Integral) and not isinstance(target, bool) and outputs > 1 and 0 <= int(target) < outputs


def _is_share(target: Any, outputs: int) -> bool:
    return outputs == 1 and isinstance(target, Real) and 0 <= float(target) <= 1


def _same_side(outputs: Sequence[float], target: Any, middle: float = 0.5) -> bool:
    wanted = as_list(target)
    return (outputs[0] > middle) == (wanted[0] > middle) if len(outputs) == 1 else _top(outputs) == _top(wanted)


def _highest(outputs: Sequence[float], label: int, middle: float = 0.0) -> bool:
    return _top(outputs) == label


def _top(numbers: Sequence[float]) -> int:
    return max(range(len(numbers)), key=numbers.__getitem__)


mse = Loss(
    "mse", _mean_square, many.mean,
    wants="one number for each output", fits=_is_numbers, correct=_same_side,
)  # fmt: skip
"""Mean square error: the mean of (output - target)**2 over outputs and samples."""

half_squared_error = Loss(
    "half_squared_error", _half_square, many.sum,
    wants="one number for each output", fits=_is_numbers, correct=_same_side,
)  # fmt: skip
"""Half the summed square error over outputs and samples: its slope is plainly output - target."""

binary_cross_entropy = Loss(
    "binary_cross_entropy", _binary_cross_entropy, many.mean,
    wants="a number from 0 to 1, for one output", fits=_is_share,
    correct=lambda outputs, target, middle=0.0: (outputs[0] > 0) == (target > 0.5), takes_logits=True, threshold=0.0,
)  # fmt: skip
"""-log of the probability of a yes (1) or no (0), mean over samples; from the logit, so that nothing overflows."""

cross_entropy = Loss(
    "cross_entropy", many.cross_entropy, many.mean,
    wants="a label from 0 to the number of outputs - 1", fits=_is_label, correct=_highest, takes_logits=True,
)  # fmt: skip
"""-log softmax probability of the right label, mean over samples; from logits (softmax inside)."""

hinge = Loss(
    "hinge", _hinge, many.mean,
    wants="-1 or +1, for one output", fits=lambda target, outputs: outputs == 1 and target in (-1, 1),
    correct=lambda outputs, target, middle=0.0: (outputs[0] > 0) == (target > 0), threshold=0.0,
)  # fmt: skip
"""max(0, 1 - target * score), the max-margin loss of a support vector machine, mean over samples."""

LOSSES = {loss.name: loss for loss in (mse, half_squared_error, binary_cross_entropy, cross_entropy, hinge)}
"""Every loss by name."""
