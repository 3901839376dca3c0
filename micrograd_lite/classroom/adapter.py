"""Somebody's class, asked in its own words: where its number is, where its gradient, how each operation is called.

Engines differ in names (`data` or `value`, `grad` or `gradient`, `relu` or `ReLU`), in what a gradient is before
backward() (0, 0.0, None), in whether a leaf must ask for one, and in where an operation stands: a method, an operator, a
function beside the class. An operation that its class does not offer is no mistake.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from micrograd_lite.classroom.programs import Program, Step
from micrograd_lite.classroom.reference import KNOWN, ROOM, SINGLE, leaky
from micrograd_lite.rules import RULES
from micrograd_lite.verify.operations import Known

DATA = ("data", "value", "val", "_data", "_value", "x", "v", "scalar", "num")
GRAD = ("grad", "gradient", "_grad", "derivative", "adjoint", "g")
BACKWARD = ("backward", "backprop", "backpropagate", "back", "backward_pass")
CLASSES = ("Value", "Scalar", "Variable", "Var", "Node", "Number", "Tensor")

DUNDERS = {"add": "__add__", "sub": "__sub__", "mul": "__mul__", "div": "__truediv__", "neg": "__neg__", "power": "__pow__",
           "pow": "__pow__", "abs": "__abs__"}  # fmt: skip
BUILT_IN: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "neg", "pow", "abs")},
    "div": operator.truediv, "power": operator.pow,
}  # fmt: skip
IN_PLACE: dict[str, Callable[..., Any]] = {
    "add": operator.iadd, "sub": operator.isub, "mul": operator.imul, "div": operator.itruediv,
}  # fmt: skip
METHODS = {
    "add": ("add",), "sub": ("sub",), "mul": ("mul",), "div": ("div", "truediv"), "neg": ("neg",), "power": ("pow", "power"),
    "exp": ("exp",), "log": ("log", "ln"), "sqrt": ("sqrt",), "sin": ("sin",), "cos": ("cos",), "tanh": ("tanh", "Tanh"),
    "sigmoid": ("sigmoid", "Sigmoid", "sigm", "logistic"), "softplus": ("softplus", "Softplus"), "abs": ("abs",),
    "relu": ("relu", "ReLU", "Relu", "RELU"), "leaky_relu": ("leaky_relu", "LeakyReLU", "leakyrelu", "leaky_ReLU", "lrelu"),
    "prelu": ("prelu", "PReLU"), "elu": ("elu", "ELU"), "maximum": ("maximum", "max"), "minimum": ("minimum", "min"),
}  # fmt: skip
"""What an operation is called where it is no operator; our own name first."""

ARITY = {name: len(RULES[name].inputs.replace("n", "")) for name in KNOWN}
"""How many Values an operation takes, as its row says: n is a plain number."""


class CannotCheck(Exception):
    """Why somebody's class cannot be checked, in a sentence."""


class Ran(NamedTuple):
    """All numbers of a program as somebody's engine has them, and the gradients; None where it keeps none."""

    values: list[float]
    gradients: list[float | None]


class Engine:
    """A class, and how to use it. functions: what stands beside it in its file; more: operations beyond the table."""

    def __init__(
        self, cls: type, functions: Mapping[str, Any] | None = None, more: Mapping[str, tuple[int, Known]] | None = None
    ) -> None:
        self.cls, self.beside = cls, dict(functions or {})
        self.options = {"requires_grad": True} if "requires_grad" in parameters_of(cls) else {}
        self.backward = first(cls, BACKWARD) or ""
        probe = self._probe()
        self.data, self.grad = attribute(probe, DATA, 2.0), attribute(probe, GRAD, None)
        self.room = ROOM if self.number(self.leaf(0.1)) == 0.1 else SINGLE
        self.known: dict[str, Known] = {**KNOWN, **{name: rule for name, (_, rule) in (more or {}).items()}}
        self.arity = {**ARITY, **{name: arity for name, (arity, _) in (more or {}).items()}}
        self.spelled: dict[str, str] = {}
        self.ways = {name: way for name in self.known if (way := self._way(name)) is not None}
        if "leaky_relu" in self.ways:
            self._measure_leak()

    def _probe(self) -> Any:
        try:
            return self.cls(2.0, **self.options)
        except CannotCheck:
            raise
        except Exception as error:
            raise CannotCheck(f"{self.cls.__name__}(2.0) raises {said(error)}") from error

    def _way(self, name: str) -> Callable[..., Any] | None:
        method = first(self.cls, METHODS.get(name, (name,)))
        if hasattr(self.cls, DUNDERS.get(name, "")):
            return BUILT_IN[name]
        if method:
            self.spelled[name] = method
            return lambda x, *others: getattr(x, method)(*others)
        beside = next((known for known in METHODS.get(name, (name,)) if inspect.isfunction(self.beside.get(known))), None)
        if beside and name not in DUNDERS and needed(self.beside[beside]) == self.arity[name]:
            self.spelled[name] = f"{beside}("
            return self.beside[beside]  # type: ignore[no-any-return]
        return None

    def _measure_leak(self) -> None:
        """A leak is everybody's own choice, as long as value and slope have the same one."""
        try:
            leak = -self.number(self.ways["leaky_relu"](self.leaf(-1.0)))
        except Exception:
            return
        if 0.0 < leak < 1.0:
            self.known["leaky_relu"] = leaky(leak)

    def leaf(self, number: float) -> Any:
        """A fresh Value."""
        return self.cls(number, **self.options)

    def number(self, value: Any) -> float:
        """The number that a Value holds; TypeError when it holds none."""
        return plain(getattr(value, self.data))

    def gradient(self, value: Any) -> float | None:
        """Its gradient; None where the engine keeps none."""
        found = getattr(value, self.grad)
        return None if found is None else plain(getattr(found, self.data, found) if isinstance(found, self.cls) else found)

    def zero(self, value: Any) -> None:
        """Back to what a fresh Value has: an object of its own, where gradients are objects."""
        setattr(value, self.grad, getattr(self.leaf(0.0), self.grad))

    def sweep(self, root: Any) -> None:
        """Call its backward()."""
        getattr(root, self.backward)()

    def step(self, step: Step, nodes: Sequence[Any]) -> Any:
        """Apply one operation."""
        operands = [nodes[x] if isinstance(x, int) else x for x in step.operands]
        way = IN_PLACE[step.name] if step.in_place else self.ways[step.name]
        return way(*operands)

    def build(self, program: Program, leaves: Sequence[Any] = ()) -> list[Any]:
        """All nodes of a program, its inputs first; leaves: used instead of fresh ones."""
        nodes = list(leaves) or [self.leaf(x) for x in program.inputs]
        for step in program.steps:
            nodes.append(self.step(step, nodes))
        return nodes

    def run(self, program: Program) -> Ran:
        """Build a program, go backward once, and read everything."""
        nodes = self.build(program)
        values = [self.number(node) for node in nodes]
        self.sweep(nodes[-1])
        return Ran(values, [self.gradient(node) for node in nodes])

    def offers(self, step: Step) -> str:
        """Why an operation is not offered in this form, or "" when it is."""
        if step.name not in self.ways:
            return "there is no such method"
        try:
            self.number(self.step(step, [self.leaf(2.0), self.leaf(3.0)]))
        except NotImplementedError as error:
            return said(error)
        except (AssertionError, TypeError, AttributeError, ValueError) as error:
            plain_number = any(isinstance(x, float) for x in step.operands)
            if plain_number or step.name in ("pow", "prelu", "maximum", "minimum") or "positional argument" in str(error):
                return said(error)
        except Exception:
            return ""  # it is there, and fails: that is said when it is tried
        return ""

    def codes(self, name: str) -> set[Any]:
        """The code of the functions that stand for an operation."""
        found = [getattr(self.cls, dunder, None) for dunder in dunders(name)] if name not in self.spelled else []
        method = self.spelled.get(name, "")
        found += [self.beside.get(method[:-1]) if method.endswith("(") else getattr(self.cls, method, None)]
        return {function.__code__ for function in map(inspect.unwrap, filter(callable, found)) if hasattr(function, "__code__")}

    def own_codes(self, name: str) -> set[Any]:
        """Of these the code that stands for no other operation: where one function makes all methods, none tells which it is."""
        same = ("power", "pow")
        others = [self.codes(other) for other in self.ways if other != name and not {name, other} <= set(same)]
        return self.codes(name).difference(*others)


def dunders(name: str) -> list[str]:
    """`__add__` and `__radd__` for add."""
    plain_name = DUNDERS.get(name, "")
    return [plain_name, plain_name.replace("__", "__r", 1)] if plain_name else []


def parameters_of(function: Any) -> Mapping[str, inspect.Parameter]:
    """The parameters of a function or class; none where Python cannot tell."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def needed(function: Any) -> int:
    """How many arguments a function cannot do without."""
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(1 for p in parameters_of(function).values() if p.default is p.empty and p.kind in by_place)


def first(cls: type, names: Sequence[str]) -> str | None:
    """The first of these names that is a method of a class."""
    return next((name for name in names if callable(getattr(cls, name, None))), None)


def attribute(probe: Any, names: Sequence[str], number: float | None) -> str:
    """The first of these names that a fresh Value has, and that holds this number; None: any, or nothing."""
    for name in names:
        try:
            found = getattr(probe, name)
            if not callable(found) and (number is None or plain(found) == number):
                return name
        except Exception:
            continue
    wanted = f"the number {number}" if number is not None else "a gradient"
    raise CannotCheck(f"a fresh {type(probe).__name__} has {wanted} under none of these names: {', '.join(names)}")


def plain(number: Any) -> float:
    """A float, out of a number of any kind or an array with one element."""
    return float(number.item() if hasattr(number, "item") else number)


def said(error: BaseException) -> str:
    """An error in one line: `TypeError: must be real number, not Value`."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def engine_in(names: Mapping[str, Any], wanted: str = "", own: str = "") -> type:
    """The class that is to be checked: the one of that name, or the likeliest that has a number and backward().

    own: the name of the module that was read; its own classes come before those it imports. CannotCheck says what is missing.
    """
    classes = {name: thing for name, thing in names.items() if inspect.isclass(thing)}
    if wanted:
        if wanted not in classes:
            raise CannotCheck(f"there is no class {wanted!r}; classes here: {', '.join(classes) or 'none'}")
        if not first(classes[wanted], BACKWARD):
            raise CannotCheck(f"the class {wanted!r} has no method backward()")
        return classes[wanted]
    found = {name: cls for name, cls in classes.items() if first(cls, BACKWARD)}
    for name in (*CLASSES, *sorted(found, key=lambda name: found[name].__module__ != own)):
        if name in found and (name in CLASSES or {"data", "_data"} & parameters_of(found[name]).keys() or len(found) == 1):
            return found[name]
    if found:
        return list(found.values())[-1]
    there = f"; classes here: {', '.join(classes)}" if classes else ""
    raise CannotCheck(f"there is no class with a method backward(){there}")
