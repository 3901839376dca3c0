"""Value: a number that remembers where it came from, so that its slope can be found.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> y = a * b + a.tanh()
    >>> y.backward()
    >>> round(a.grad, 6), b.grad
    (-2.929349, 2.0)

Each operation makes a node that holds its value, its parents and its slope toward each parent: all that the
chain rule needs. The slopes are computed in the forward pass, so changing `a.data` later cannot spoil a gradient.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from numbers import Real
from typing import Any

from micrograd_lite.graph import Node, births, youngest_first
from micrograd_lite.rules import RULES, SCALAR, Rule, compile_rule

APPLY = {name: compile_rule(rule, SCALAR) for name, rule in RULES.items()}
"""Each rule row as a function of floats that returns `(value, partials)`."""

new = object.__new__


def node(data: float, parents: tuple[Value, ...], partials: tuple[float, ...], rule: Any) -> Value:
    """A node made by `rule`: the fast way to a Value, without the checks that a user's number needs."""
    made = new(Value)
    made.data = data
    made.grad = 0.0
    made.parents = parents
    made.partials = partials
    made.rule = rule
    made.birth = next(births)
    made.label = ""
    return made


def operand(number: Any) -> Value:
    """The Value itself, or a number wrapped as an unnamed leaf."""
    return number if isinstance(number, Value) else Value(number)


def unary(name: str) -> Callable[[Value], Value]:
    """The method of Value that applies rule `name` to one node."""
    rule, apply = RULES[name], APPLY[name]

    def method(x: Value) -> Value:
        value, partials = apply(x.data)
        return node(value, (x,), partials, rule)

    describe(method, rule)
    return method


def binary(name: str) -> Callable[[Value, Any], Value]:
    """The method of Value that applies rule `name` to a node and a second node or number."""
    rule, apply = RULES[name], APPLY[name]

    def method(x: Value, y: Any) -> Value:
        if type(y) is not Value:  # asked first: nearly always it is one, and a call costs more
            y = operand(y)
        value, partials = apply(x.data, y.data)
        return node(value, (x, y), partials, rule)

    describe(method, rule)
    return method


def reflected(operation: Callable[[Value, Any], Value]) -> Callable[[Value, Any], Value]:
    """The method that serves `number - node`: the same operation with the operands in the written order."""

    def method(y: Value, x: Any) -> Value:
        return operation(Value(x), y)

    return method


def describe(method: Any, rule: Rule) -> None:
    """Give a method made from a rule the name and docstring that help() shows."""
    slopes = ", ".join(f"dz/d{letter} = {partial}" for letter, partial in zip(rule.inputs, rule.partials))
    method.__name__, method.__qualname__ = rule.name, f"Value.{rule.name}"
    method.__doc__ = f"z = {rule.value}; {slopes}." + (f" Needs {rule.needs}." if rule.needs else "")


class Value(Node):
    """A float that takes part in a graph. `Value(2.0, "w")` makes a leaf; arithmetic on Values makes inner nodes.

    data: any real number, kept as a Python float; label: a name that traces use. TypeError for anything else.
    `==` and `hash` are identity, because a graph holds nodes, not numbers: compare `a.data == b.data`.
    """

    __slots__ = ()
    __array_ufunc__ = None  # tells NumPy scalars on the left of an operator to let Value answer

    data: float
    grad: float

    def __init__(self, data: Any, label: str = "") -> None:
        self.data = data if type(data) is float else to_float(data)
        self.grad = 0.0
        self.parents = ()
        self.partials = ()
        self.rule = None
        self.birth = next(births)
        self.label = label

    def backward(self) -> None:
        """Add d(self)/d(leaf) to the grad of every leaf below this node; inner nodes start from zero.

        Accumulating is what lets several losses share their leaves; call `zero_grad()` between steps.
        """
        order = youngest_first(self)
        for node in order:
            node.grad = 0.0
        self.grad += 1.0  # an inner node stands at 0 here; a leaf accumulates, as leaves do
        for node in order:
            upstream = node.grad
            for parent, partial in zip(node.parents, node.partials):
                parent.grad += partial * upstream  # the chain rule

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

    def __pow__(self, exponent: Any) -> Value:
        """x ** n for a number n, or x ** y for a Value y: the second also has a slope toward y and needs x > 0."""
        return self._pow(exponent) if isinstance(exponent, Value) else self._power(exponent)

    def __rpow__(self, base: Any) -> Value:
        """A number to the power of this node; needs a positive number."""
        return Value(base)._pow(self)

    def __float__(self) -> float:
        return self.data

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={self.grad}{label})"

    def _repr_svg_(self) -> str:
        """What a notebook shows: the graph below this node as a picture."""
        from micrograd_lite.chain.drawing import notebook  # loaded when asked for: it reads graphs and knows no Value

        return notebook(self)


def to_float(number: Any) -> float:
    """A real number of any kind (int, bool, Fraction, NumPy scalar) as a Python float; TypeError for the rest."""
    numpy = sys.modules.get("numpy")  # a NumPy scalar can only arrive when NumPy is loaded
    is_numpy_bool = numpy is not None and isinstance(number, numpy.bool_)
    if not (isinstance(number, Real) or is_numpy_bool):
        raise TypeError(f"a Value holds one real number, got {type(number).__name__}")
    try:
        return float(number)
    except OverflowError as error:
        raise ValueError(f"a Value holds a float, and this {type(number).__name__} is too large for one") from error
