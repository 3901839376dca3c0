"""Somebody's Neuron, Layer and MLP beside ours: the same weights, the same rows, the same steps.

Their activations are found by trying: whichever of ours gives their outputs is theirs. Then each gradient, and each weight of a
few steps of training on XOR, is compared with ours, and the first that differs is named as a trace would name it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from micrograd_lite import MLP
from micrograd_lite.classroom.adapter import CannotCheck, Engine, said
from micrograd_lite.classroom.findings import Finding, shown
from micrograd_lite.classroom.lines import defined
from micrograd_lite.classroom.optimizers import of_losses, of_optimizers
from micrograd_lite.data import xor

ACTIVATIONS = ("tanh", "relu", "sigmoid", "linear", "leaky_relu", "elu", "softplus")
WEIGHTS = (0.5, -0.3, 0.8, 0.2, -0.6, 0.9, -0.4, 0.7, 0.1, -0.8, 0.35, -0.15, 0.65)
LR, STEPS = 0.5, 5

Named = list[tuple[str, Any]]


class Theirs(NamedTuple):
    """A network of theirs: how it is called, its neurons layer by layer, and the names of its weights."""

    model: Any
    name: str
    sizes: list[int]
    named: Named


def of_networks(engine: Engine, names: Mapping[str, Any]) -> list[Finding]:
    """The first thing that is wrong with their networks, and what is wrong with losses and optimizers."""
    found: list[Finding] = []
    for check in (of_models, of_losses, of_optimizers):
        try:
            found += check(engine, names)
        except (CannotCheck, MemoryError):
            raise
        except Exception as error:
            found.append(Finding("beyond", "networks", f"not compared: {said(error)}"))
    return found


def of_models(engine: Engine, names: Mapping[str, Any]) -> list[Finding]:
    """Forward pass, gradients, zero_grad, and training."""
    theirs = network(engine, names)
    if theirs is None:
        return []
    listed = {id(parameter) for parameter in theirs.model.parameters()} if hasattr(theirs.model, "parameters") else None
    missing = [name for name, value in theirs.named if listed is not None and id(value) not in listed]
    if missing:
        words = (
            f"parameters() leaves out {len(missing)} of {len(theirs.named)} numbers, {missing[0]} first: they are never trained"
        )
        return [Finding("wrong", f"{theirs.name}.parameters", words, line=defined(theirs.model.parameters))]
    for (_, value), number in zip(theirs.named, WEIGHTS):
        put(engine, value, number)
    ours = alike(engine, theirs)
    if isinstance(ours, Finding):
        return [ours]
    return first_difference(engine, theirs, ours) or of_zeroing(engine, theirs) or of_steps(engine, theirs, ours, names)


def network(engine: Engine, names: Mapping[str, Any]) -> Theirs | None:
    """Their MLP of 2-3-1, or their Neuron of two inputs; None where neither is there, or is built otherwise."""
    for name, arguments, sizes in (("MLP", (2, [3, 1]), [3, 1]), ("Neuron", (2,), [1])):
        if isinstance(names.get(name), type):
            model = names[name](*arguments)
            layers = [layer.neurons for layer in model.layers] if name == "MLP" else [[model]]
            named: Named = []
            for at, layer in enumerate(layers):
                for number, neuron in enumerate(layer):
                    weights, bias = attribute(neuron, ("w", "weights")), attribute(neuron, ("b", "bias"))
                    named += [(f"layer{at}.neuron{number}.w{index}", weight) for index, weight in enumerate(weights)]
                    named += [(f"layer{at}.neuron{number}.b", bias)] if isinstance(bias, engine.cls) else []
            return Theirs(model, name, sizes, named) if all(isinstance(value, engine.cls) for _, value in named) else None
    return None


def attribute(thing: Any, names: Sequence[str]) -> Any:
    """The first of these attributes that is there; None for none of them."""
    return next((getattr(thing, name) for name in names if hasattr(thing, name)), None)


def put(engine: Engine, value: Any, number: float) -> None:
    """Give a Value another number, of the kind that it has."""
    setattr(value, engine.data, getattr(value, engine.data) * 0.0 + number)


def outputs(engine: Engine, theirs: Theirs) -> list[Any]:
    """Their outputs for the rows of XOR."""
    found = [theirs.model([engine.leaf(x) for x in row]) for row in xor().inputs]
    return [out[0] if isinstance(out, (list, tuple)) else out for out in found]


def build(theirs: Theirs, hidden: str, output: str, biased: bool = True) -> MLP:
    """Our network with their weights."""
    ours = MLP(2, theirs.sizes, activation=hidden, output=output)
    known = dict(zip((name for name, _ in theirs.named), WEIGHTS))
    for name, parameter in ours.named_parameters():
        parameter.data = known.get(name, 0.0) if biased or not name.endswith(".b") else 0.0
    return ours


def alike(engine: Engine, theirs: Theirs) -> MLP | Finding:
    """Our network with their activations, or what is wrong with their forward pass."""
    got = [engine.number(out) for out in outputs(engine, theirs)]
    neuron = theirs.model.layers[0].neurons[0] if theirs.name == "MLP" else theirs.model
    call = defined(type(neuron).__call__)
    nearest, least = "", float("inf")
    for biased in (True, False):
        for hidden in ACTIVATIONS if len(theirs.sizes) > 1 else ("linear",):
            for output in ("linear", *ACTIVATIONS):
                ours = build(theirs, hidden, output, biased)
                off = max(abs(one - ours.predict(row)) for one, row in zip(got, xor().inputs))
                if off <= 10 * engine.room and biased:
                    return ours
                if off <= 10 * engine.room:
                    words = "its outputs are those of a network without biases: a neuron's sum begins with its b"
                    return Finding("wrong", theirs.name, words, line=call)
                if biased and off < least:
                    nearest, least = f"{hidden}, then {output}", off
    words = f"not compared: its outputs are those of no activation here; nearest is {nearest}, off by {least:.3g}"
    return Finding("beyond", theirs.name, words)


def squares(outs: Sequence[Any], rows: Sequence[float]) -> Any:
    """The sum of squares, of their Values or of ours."""
    total: Any = None
    for out, target in zip(outs, rows):
        off = out + -target
        total = off * off if total is None else total + off * off
    return total


def sweep(engine: Engine, theirs: Theirs, ours: MLP) -> None:
    """Both losses, and their backward pass."""
    engine.sweep(squares(outputs(engine, theirs), xor().targets))
    squares([ours(row) for row in xor().inputs], xor().targets).backward()


def first_difference(engine: Engine, theirs: Theirs, ours: MLP, step: int = 1) -> list[Finding]:
    """The first gradient that is not ours, by name."""
    for _, value in theirs.named:
        engine.zero(value)
    ours.zero_grad()
    sweep(engine, theirs, ours)
    known = dict(ours.named_parameters())
    for name, value in theirs.named:
        got, wanted = engine.gradient(value) or 0.0, known[name].grad
        if not abs(got - wanted) <= 1e3 * engine.room * max(1.0, abs(wanted)):
            words = f"the outputs are ours, the gradient of {name} is not, of the sum of squares over the rows of XOR"
            return [Finding("wrong", theirs.name, words, (), f"step {step}, {name}: {shown(got)} and should be {shown(wanted)}")]
    return []


def of_zeroing(engine: Engine, theirs: Theirs) -> list[Finding]:
    """After zero_grad() every gradient is 0; those of the step before are still there."""
    if not hasattr(theirs.model, "zero_grad"):
        return []
    theirs.model.zero_grad()
    left = [name for name, value in theirs.named if engine.gradient(value)]
    if not left:
        return []
    words = f"zero_grad() leaves {len(left)} of {len(theirs.named)} gradients as they are: each step adds to all before it"
    return [Finding("wrong", f"{theirs.name}.zero_grad", words, line=defined(theirs.model.zero_grad))]


def of_steps(engine: Engine, theirs: Theirs, ours: MLP, names: Mapping[str, Any]) -> list[Finding]:
    """A few steps of training on XOR: their train_step(model, inputs, targets, lr), or a loop of ours over their network."""
    own = next((names[name] for name in ("train_step", "training_step") if callable(names.get(name))), None)
    if own is None:
        return trained(engine, theirs, ours, lambda: by_hand(engine, theirs), 1.0, "training")
    data, starts = xor(), [(value, number) for (_, value), number in zip(theirs.named, WEIGHTS)]
    found: list[Finding] = []
    for factor in (0.25, 1.0, 0.5, 0.125):  # the mean or the sum of the four squares, or half of it
        for value, number in starts:
            put(engine, value, number)
            engine.zero(value)
        again = build(theirs, ours.architecture.activations[0], ours.architecture.activations[-1])
        step = partial(own, theirs.model, data.inputs, data.targets, LR)
        result = [one._replace(line=defined(own)) for one in trained(engine, theirs, again, step, factor, own.__name__)]
        if not result:
            return []
        found = found or result
    return found


def by_hand(engine: Engine, theirs: Theirs) -> None:
    """One step of gradient descent on their network."""
    for _, value in theirs.named:
        engine.zero(value)
    engine.sweep(squares(outputs(engine, theirs), xor().targets))
    for _, value in theirs.named:
        put(engine, value, engine.number(value) - LR * (engine.gradient(value) or 0.0))


def trained(engine: Engine, theirs: Theirs, ours: MLP, step: Callable[[], Any], factor: float, about: str) -> list[Finding]:
    """Steps side by side; the first weight that differs, by step and name."""
    for number in range(1, STEPS + 1):
        step()
        ours.zero_grad()
        squares([ours(row) for row in xor().inputs], xor().targets).backward()
        known = dict(ours.named_parameters())
        for parameter in known.values():
            parameter.data -= LR * factor * parameter.grad
        for name, value in theirs.named:
            got, wanted = engine.number(value), known[name].data
            if not abs(got - wanted) <= 1e3 * engine.room * max(1.0, abs(wanted)):
                said_numbers = f"XOR, step {number}, {name}: {shown(got)} and should be {shown(wanted)}"
                words = f"all weights agree up to here; after step {number} of training on XOR, {name} differs"
                if number == 1:
                    words += ": every gradient belongs to the weights before the step"
                else:
                    words += ": are all gradients set to 0 between two steps?"
                return [Finding("wrong", about, words, (), said_numbers)]
    return []
