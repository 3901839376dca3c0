"""Flat programs: the graph of one sample's loss written out as a straight-line Python function.

    >>> from micrograd_lite.scalar import Value
    >>> w, x = Value(0.5, "w"), Value(2.0, "x")
    >>> program = flatten((w * x - 3.0) ** 2, parameters=[w], inputs=[x])
    >>> program.backward([([2.0], ()), ([1.0], ())])    # the mean of both samples' losses
    5.125
    >>> w.grad
    -6.5

Nothing is left of the graph but arithmetic on local variables: first the value of every operation, then, from the loss
back to the parameters, the chain rule, one line after the other. So a program is the most readable proof of what
backpropagation does (`print(program.source)`), a debugger can step through it, and nothing in pure Python is faster.
The numbers are those of the engine, bit for bit. What is decided in the graph (which side of a relu a number is on, the
domain of a logarithm) is decided in the program, sample by sample; but a graph whose *shape* depends on the data cannot
be written out: the program would repeat the shape of the sample that it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from micrograd_lite.flat.lines import Lines, lines_of, way_back
from micrograd_lite.flat.program import Program, Written
from micrograd_lite.flat.text import IN, renaming, table, unpacking
from micrograd_lite.graph import oldest_first
from micrograd_lite.rules import MANY, RULES
from micrograd_lite.scalar import Value

__all__ = ["MOST_OPERATIONS", "Program", "flatten", "write"]

MOST_OPERATIONS = 250_000
"""A program has at most so many operations, a product of a `dot` counting as two: 784-128-10 has 204,000. Compiling takes
about 4 KB of memory and 20 microseconds for each."""


NEAR = 240
"""So many names of a program are within the reach of an instruction's one byte, beside those that every program has."""


def flatten(root: Value, parameters: Iterable[Any], inputs: Iterable[Any] = (), targets: Iterable[Any] = ()) -> Program:
    """The Program of the loss `root` of one sample.

    parameters: the leaves toward which slopes are wanted; inputs and targets: the leaves that every sample replaces, the
    targets too (the label of a cross_entropy is its last parent). Each is a Value, which is named by its label, or
    a pair (name, Value). All other leaves are constants, and their numbers stand in the text.

    TypeError for what is no scalar graph. ValueError: the loss depends on no parameter, a leaf is named twice or is no
    leaf, the graph is not finished or has more than MOST_OPERATIONS.
    """
    return Program(write(root, parameters, inputs, targets))


def write(root: Value, parameters: Iterable[Any], inputs: Iterable[Any] = (), targets: Iterable[Any] = ()) -> Written:
    """The text of `flatten`'s program and what must be known to run it; not yet compiled."""
    if not isinstance(root, Value):
        raise TypeError(f"a flat program is made of a scalar graph: root must be a Value, got {type(root).__name__}")
    groups = [_named(leaves, what) for leaves, what in ((parameters, "parameters"), (inputs, "inputs"), (targets, "targets"))]
    _check_leaves(groups)
    order = _finished(root)
    learned = {leaf for leaf, _ in groups[0]}
    if not learned.intersection(parent for node in order for parent, _ in zip(node.parents, node.partials)):
        raise ValueError(f"this loss depends on none of the {len(learned)} parameters; name the leaves that it was computed from")
    lines = lines_of(order, *groups)
    labels = {node.parents[-1] for node in order if node.parents and node.rule.name == "cross_entropy"}
    are_labels = [leaf in labels for leaf, _ in groups[2]]
    trained = [leaf for leaf, _ in groups[0]]
    names = [[lines.name[leaf] for leaf, _ in leaves] for leaves in groups]
    forward = [line for node in order if node.parents for line in lines.forward(node)]
    backward = way_back(lines)
    source = _source(lines, groups, names, forward, backward)
    return Written(source, forward, backward, names, trained, are_labels, operations(order), lines.calm)


def _source(lines: Lines, groups: Any, names: Any, forward: Sequence[str], backward: Sequence[str]) -> str:
    parameters, inputs, targets = names
    called = [(lines.name[leaf], label) for leaves in groups for leaf, label in leaves if label]
    renamed = [(name, label) for name, label in called if name != label.replace(".", "_")]
    inner = [node for node in lines.order if node.parents]
    skips = any(lines.flat(node) for node in inner if node in lines.moving)
    calm = (
        "", "Where an operation is flat nothing flows back; if the batch is calm (its numbers are moderate, so that none made",
        "from them can be infinite, and 0.0 times any is 0.0) nothing is computed there.",
    )  # fmt: skip
    title = (
        f'"""The loss of one sample, and its slope toward {len(parameters):,} parameters, written out.',
        "", "Made by micrograd_lite from a graph. d_w is the slope of the loss toward w. Every line of the way back is the",
        "chain rule: the slope toward an operand is the slope of the operation toward it, times the slope toward its",
        "result; an operand that is used several times is paid by each use.", *(calm if skips else ()), '"""', "",
    )  # fmt: skip
    slopes = [f"d_{name}" for name in parameters]
    unpacked = unpacking(inputs, "inputs") + unpacking(targets, "targets")
    return "\n".join([
        *title, *renaming(renamed), *([""] if renamed else []),
        "def program(parameters, gradients, samples, share, calm):", *_busiest(lines, parameters, inputs),
        "    (", *table(parameters, "        "), "    ) = parameters",
        "    (", *table(slopes, "        "), "    ) = gradients",
        "    losses = []",
        "    for inputs, targets in reversed(samples):  # the last sample pays first, as in one graph of all samples",
        *unpacked, *forward, f"{IN}losses.append(loss)", "",
        f"{IN}# The way back: share is the slope of the batch's loss toward this sample's.",
        f"{IN}d_loss = share", *backward, "",
        "    losses.reverse()",
        "    return losses, [", *table(slopes, "        "), "    ]", "",
    ])  # fmt: skip


def _busiest(lines: Lines, parameters: Sequence[str], inputs: Sequence[str]) -> list[str]:
    """In a large program, a first mention of what each weight meets. Python numbers names in the order of their mention."""
    inner = [lines.name[node] for node in reversed(lines.order) if node.parents]
    names = [*inner, *(f"d_{lines.name[node]}" for node in lines.order if node.parents and node in lines.moving), *inputs]
    if len(names) + 2 * len(parameters) < NEAR:
        return []
    note = "    (  # mentioned first, because a function's first 256 names are reached fastest"
    return [note, *table(names[:NEAR], "        "), f"    ) = [0.0] * {len(names[:NEAR])}"]


def _named(leaves: Iterable[Any], what: str) -> list[tuple[Value, str]]:
    found = []
    for item in leaves:
        name, leaf = item if isinstance(item, tuple) and len(item) == 2 else (None, item)
        if not isinstance(leaf, Value):
            raise TypeError(f"{what}: a leaf is a Value, or a pair (name, Value), got {type(leaf).__name__}")
        found.append((leaf, str(leaf.label if name is None else name)))
    return found


def _check_leaves(groups: Sequence[Sequence[tuple[Value, str]]]) -> None:
    seen: set[Value] = set()
    for what, leaves in zip(("parameters", "inputs", "targets"), groups):
        for leaf, label in leaves:
            if leaf in seen:
                raise ValueError(f"{what}: {label[:60]!r} is named twice; each leaf is one parameter, input or target")
            if getattr(leaf, "parents", ()):
                raise ValueError(f"{what}: {label[:60]!r} was computed by {leaf.rule.name}; only leaves can be named")
            seen.add(leaf)


def _finished(root: Value) -> list[Any]:
    """All nodes, oldest first, after a look at each: is it whole, is it scalar, are there not too many?"""
    try:
        order = oldest_first(root)
        for node in order:
            if node.parents and (RULES.get(node.rule.name) or MANY.get(node.rule.name)) is not node.rule:
                raise ValueError(f"{node.rule.name!r} is no operation of the derivative table")
            if any(parent.birth >= node.birth for parent in node.parents):
                raise ValueError("a node of this graph is older than what it was computed from; build the graph anew")
    except AttributeError as error:
        raise ValueError(f"this graph is not finished ({error}): wait for whoever builds it, another thread perhaps") from error
    if not root.parents:
        raise ValueError("this loss was not computed from anything: there is nothing to write out")
    if operations(order) > MOST_OPERATIONS:
        raise ValueError(f"this graph has {operations(order):,} operations; a flat program has at most {MOST_OPERATIONS:,}")
    return order


def operations(order: Sequence[Any]) -> int:
    """How many operations these nodes are: one over many operands counts as often as it has operands, a leaf is none."""
    counted = 0
    for node in order:
        if node.parents:
            counted += len(node.parents) if node.rule.name in MANY else 1
    return counted
