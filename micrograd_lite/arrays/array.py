"""Array: the scalar page again, on NumPy arrays, so that a whole batch is one node.

    >>> a, b = Array([[1.0, 2.0]], "a"), Array([[3.0], [4.0]], "b")
    >>> (a * b).data.tolist()
    [[3.0, 6.0], [4.0, 8.0]]

Same functions in the same order as scalar.py. Two things are new: arrays broadcast, so a share may be larger than its
parent and is summed back to the parent's shape; and operations over many operands pull shares by their own formula.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_lite.arrays.rules import APPLY
from micrograd_lite.graph import Node, births, youngest_first
from micrograd_lite.rules import RULES
from micrograd_lite.scalar import describe

new = object.__new__


def node(data: np.ndarray, parents: tuple[Array, ...], partials: tuple[Any, ...], rule: Any) -> Array:
    """A node made by `rule`, without the checks that a user's data needs."""
    made = new(Array)
    made.data = data
    made.grad = 0.0
    made.parents = parents
    made.partials = partials
    made.rule = rule
    made.birth = next(births)
    made.label = ""
    return made


def operand(data: Any, like: Array) -> Array:
    """The Array itself, or a number or ndarray wrapped as an unnamed leaf of the same dtype.

    TypeError when float32 meets float64: half of the digits, or of the speed, would be lost and nobody told.
    """
    if not isinstance(data, Array):
        data = Array(data if isinstance(data, np.ndarray) else to_array(data).astype(like.data.dtype))
    made: Array = data
    if made.data.dtype != like.data.dtype:
        raise TypeError(f"{like.data.dtype} and {made.data.dtype} do not mix; convert one of them with ndarray.astype")
    return made


quiet = np.errstate(all="ignore")  # overflow is inf, as in the scalar engine, and no warning


def unary(name: str) -> Callable[[Array], Array]:
    """The method of Array that applies rule `name` to one node."""
    rule = RULES[name]

    @quiet
    def method(x: Array) -> Array:
        value, partials = APPLY[x.data.dtype][name](x.data)
        return node(value, (x,), partials, rule)

    describe(method, rule)
    return method


def binary(name: str) -> Callable[[Array, Any], Array]:
    """The method of Array that applies rule `name` to a node and a second node, array or number."""
    rule = RULES[name]

    @quiet
    def method(x: Array, y: Any) -> Array:
        y = operand(y, like=x)
        value, partials = APPLY[x.data.dtype][name](x.data, y.data)
        return node(value, (x, y), partials, rule)

    describe(method, rule)
    return method


def reflected(operation: Callable[[Array, Any], Array]) -> Callable[[Array, Any], Array]:
    """The method that serves `number - node`: the same operation with the operands in the written order."""

    def method(y: Array, x: Any) -> Array:
        return operation(operand(x, like=y), y)

    return method


def unbroadcast(pulled: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A share summed over the axes along which its parent was repeated, back to the parent's shape."""
    share: np.ndarray = np.asarray(pulled)
    if share.shape == shape:
        return share
    leading = tuple(range(share.ndim - len(shape)))
    repeated = tuple(len(leading) + axis for axis, size in enumerate(shape) if size == 1 != share.shape[len(leading) + axis])
    summed: np.ndarray = share.sum(axis=leading + repeated, keepdims=True) if leading or repeated else share
    return np.broadcast_to(summed.reshape(summed.shape[len(leading) :]), shape)


def pointwise(made: Array) -> list[Any]:
    """The pull of every rule of the table: partial times upstream."""
    return [partial * made.grad for partial in made.partials]


PULLS: dict[str, Callable[[Array], list[Any]]] = {}  # for many operands: from a node to its shares (many.py)


class Array(Node):
    """An array that takes part in a graph. `Array(data, "w")` makes a leaf; arithmetic on Arrays makes inner nodes.

    data: real numbers, copied; float32 stays, all else becomes float64, TypeError for the rest. `==` and `hash` are identity.
    A graph keeps the arrays that it was made from: between an operation and backward(), `w.data = w.data - ...` (a new
    array) changes no gradient, but `w.data -= ...` and `w.data[0] = ...` (the same array) do. Values have no such trap.
    """

    __slots__ = ()
    __array_ufunc__ = None  # tells ndarrays on the left of an operator to let Array answer

    data: np.ndarray
    grad: Any

    def __init__(self, data: Any, label: str = "") -> None:
        self.data = to_array(data)
        self.grad = 0.0
        self.parents = ()
        self.partials = ()
        self.rule = None
        self.birth = next(births)
        self.label = label

    @quiet
    def backward(self) -> None:
        """Add d(sum of self)/d(leaf) to the grad of every leaf below this node; inner nodes start from zero."""
        order = youngest_first(self)
        for made in order:
            made.grad = 0.0
        self.grad = self.grad + np.ones_like(self.data)
        for made in order:
            for parent, share in zip(made.parents, PULLS.get(made.rule.name, pointwise)(made)):
                parent.grad = parent.grad + unbroadcast(share, parent.data.shape)  # the chain rule

    # The operator list: one name per row of the table.
    __add__, __neg__, __abs__ = binary("add"), unary("neg"), unary("abs")
    __sub__, __mul__, __truediv__ = binary("sub"), binary("mul"), binary("div")
    __radd__, __rsub__ = reflected(__add__), reflected(__sub__)
    __rmul__, __rtruediv__ = reflected(__mul__), reflected(__truediv__)
    exp, log, sqrt, sin, cos = unary("exp"), unary("log"), unary("sqrt"), unary("sin"), unary("cos")
    tanh, sigmoid, softplus = unary("tanh"), unary("sigmoid"), unary("softplus")
    relu, leaky_relu, elu, abs = unary("relu"), unary("leaky_relu"), unary("elu"), unary("abs")
    prelu, maximum, minimum = binary("prelu"), binary("maximum"), binary("minimum")
    _pow, _power = binary("pow"), binary("power")

    def __pow__(self, exponent: Any) -> Array:
        """x ** n for a number n, or x ** y for an Array y: the second also has a slope toward y and needs x > 0."""
        return self._pow(exponent) if isinstance(exponent, Array) else self._power(exponent)

    def __rpow__(self, base: Any) -> Array:
        """A number to the power of this node."""
        return operand(base, like=self)._pow(self)

    def __repr__(self) -> str:
        return f"Array(shape={self.data.shape}, dtype={self.data.dtype}, label={self.label!r})"


def to_array(data: Any) -> np.ndarray:
    """Real numbers as an ndarray of its own: float32 stays, every other real dtype becomes float64; TypeError for the rest."""
    refuse_masked(data)
    made = np.array(data)  # a copy: whoever fills a buffer anew for each batch must not change the graph of the last one
    if made.dtype.kind not in "biuf":
        raise TypeError(f"an Array holds real numbers, got {type(data).__name__} of dtype {made.dtype}")
    return made if made.dtype in (np.float32, np.float64) else made.astype(np.float64)


def refuse_masked(data: Any) -> None:
    """TypeError for a masked array, or a list of them: NumPy's arithmetic would go on with the numbers under the mask."""
    rows = data if isinstance(data, (list, tuple)) else (data,)
    if any(isinstance(row, np.ma.MaskedArray) for row in rows):
        raise TypeError("a masked array has entries that are no numbers; fill them, data.filled(0.0), or leave their rows out")
