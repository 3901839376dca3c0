"""What concerns whole graphs and no single rule: the order of the sweep, equal numbers, a second graph, another run.

These programs use only operations that are right alone, so what they find is found in backward() or in how nodes are
kept. After them hypothesis draws graphs of all operations that are right, for what nobody thought of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd_lite.classroom.adapter import IN_PLACE, Engine, said
from micrograd_lite.classroom.findings import Finding, Mismatch, said_value, shown
from micrograd_lite.classroom.lines import Line, sweep_line
from micrograd_lite.classroom.programs import Program, Step, strategy
from micrograd_lite.classroom.properties import Operation, compared, drawn_finding, examine, example, mismatch, smallest
from micrograd_lite.classroom.reference import dependable, derive

GRAPHS = 120
"""Graphs that hypothesis draws."""

TRIES = 16
"""How often the same program is built again to see whether its answer stays."""

DIAMONDS = (
    Program((2.0, 3.0), (Step("mul", (0, 1)), Step("add", (2, 2)))),
    Program((2.0, 3.0), (Step("mul", (0, 1)), Step("add", (2, 0)), Step("mul", (3, 2)))),
    Program((2.0, 3.0), (Step("mul", (0, 1)), Step("add", (2, 0)), Step("mul", (2, 3)))),
    Program((2.0, 3.0), (Step("mul", (0, 1)), Step("mul", (2, 0)), Step("mul", (3, 1)), Step("add", (2, 4)))),
    Program((2.0, 3.0), (Step("mul", (0, 1)), Step("mul", (2, 0)), Step("mul", (3, 1)), Step("add", (4, 2)))),
    Program((2.0,), (Step("mul", (0, 0)), Step("add", (1, 1)), Step("mul", (2, 1)), Step("add", (3, 2)))),
)
"""Graphs in which an inner number has two uses, one of them further down: the order of the sweep matters."""

EQUAL = (
    Program((2.0, 2.0), (Step("mul", (0, 1)),)),
    Program((2.0, 3.0, 3.0), (Step("mul", (0, 1)), Step("mul", (0, 2)), Step("mul", (3, 4)))),
    Program((1.5, 2.0, 2.0, 1.5), (Step("add", (0, 1)), Step("add", (2, 3)), Step("mul", (4, 5)))),
)
"""Graphs with different nodes that hold the same number."""


def possible(tried: dict[str, Operation], wrong: Sequence[str], program: Program) -> bool:
    """Are all operations of a program offered, and right?"""
    right = {name for name, found in tried.items() if not ({name} | found.calls) & set(wrong)}
    return all(step.name in right for step in program.steps)


def backward_line(engine: Engine) -> Line | None:
    """The line of backward() that walks the nodes."""
    code = getattr(getattr(engine.cls, engine.backward), "__code__", None)
    return sweep_line(code) if code else None


def found_in(engine: Engine, tried: dict[str, Operation]) -> list[Finding]:
    """All that is wrong: what would make every other answer doubtful first, then each operation, then whole graphs."""
    equal = equal_numbers(engine, tried)
    if equal:
        return equal
    findings = varying(engine, tried)
    doubtful = {name for finding in findings for name in (finding.about, *finding.makes_wrong)}
    steady = {name: found for name, found in tried.items() if name not in doubtful}
    findings += examine(engine, steady)
    wrong = [name for finding in findings for name in (finding.about, *finding.makes_wrong)]
    if {"accumulation", "upstream", "start", "order"} & set(wrong) or any(finding.kind == "differs" for finding in findings):
        return findings
    return findings + of_graphs(engine, tried, wrong)


def equal_numbers(engine: Engine, tried: dict[str, Operation]) -> list[Finding]:
    """Graphs that are right with different numbers, and wrong where two are equal."""
    for program in EQUAL:
        if all(step.name in tried for step in program.steps):
            others = program._replace(inputs=(2.0, 3.0, 5.0, 7.0)[: len(program.inputs)])
            off = mismatch(engine, program)
            if off and mismatch(engine, others) is None:
                return [graph_finding(engine, "equal numbers", program, off)]
    return []


def of_graphs(engine: Engine, tried: dict[str, Operation], wrong: Sequence[str]) -> list[Finding]:
    """What is wrong with whole graphs: the first thing of each kind, and of what hypothesis draws only what is new."""
    for program in DIAMONDS:
        off = mismatch(engine, program) if possible(tried, wrong, program) else None
        if off:
            return [graph_finding(engine, "order", program, off)]
    found = in_place(engine, tried, wrong) or second_graph(engine, tried, wrong)
    right = [name for name in tried if possible(tried, wrong, Program((2.0,), (Step(name, ()),)))]
    drawn = None if found else drawn_finding(engine, right, tried)
    found += [drawn] if drawn else []
    return found or drawn_graphs(engine, tried, right) or inner_numbers(engine, tried, wrong)


def graph_finding(engine: Engine, about: str, program: Program, off: Mismatch) -> Finding:
    """A wrong graph, in words."""
    line, came = str(backward_line(engine) or ""), said_value(program, off)
    if off.kind == "slope" and len(answers(engine, program)) > 1:  # what comes out is no fact to report: it is another each time
        words = "a node that is used twice is walked too early or too often, and chance decides which"
        came = f"the gradient of a should be {shown(derive_first(program))}; what comes out changes from build to build"
        return Finding("wrong", about, words, example(engine, program), came, line)
    too_much = off.got is not None and abs(off.got) > abs(off.wanted)
    if off.kind == "error":
        words = "this graph cannot be worked out"
    elif about == "equal numbers":
        words = "two nodes that hold the same number are taken for one: nodes are compared as objects, not by their number"
    elif off.kind == "value":
        words, line = "the value of this graph is wrong, though each operation alone is right", ""
    elif too_much:
        words = "a node that is used twice sends its gradient on more than once: each node is walked once, after all that use it"
    else:
        words = "a node that is used twice sends its gradient on before all its shares have arrived: the last node comes first"
    return Finding("wrong", about, words, example(engine, program), came, line)


def derive_first(program: Program) -> float:
    """The right gradient of a program's first input."""
    derived = derive(program)
    return derived.gradients[0] if derived else 0.0


def drawn_graphs(engine: Engine, tried: dict[str, Operation], right: Sequence[str]) -> list[Finding]:
    """The smallest graph that hypothesis finds, over the operations that are right alone."""
    names = {name: engine.arity[name] for name in sorted(right, key=lambda name: name not in ("add", "mul"))}
    names = {name: arity for name, arity in names.items() if tried[name].forms and len(tried[name].forms[0][0].places) == arity}
    if not names:
        return []
    program = smallest(strategy(names), lambda drawn: drawn.steps and mismatch(engine, drawn) is not None, GRAPHS)
    off = mismatch(engine, program) if program else None
    return [graph_finding(engine, "graphs", program, off)] if off else []


def inner_numbers(engine: Engine, tried: dict[str, Operation], wrong: Sequence[str]) -> list[Finding]:
    """The gradients of inner numbers, where the engine keeps them."""
    program = DIAMONDS[1]
    derived = dependable(program, engine.known, engine.room)
    if not possible(tried, wrong, program) or derived is None:
        return []
    inner = engine.run(program).gradients[len(program.inputs) :]
    if not any(inner):
        return [Finding("not offered", "inner numbers", "gradients of inner numbers are not kept")]
    off = mismatch(engine, program, inner=True)
    words = "the gradients of the inputs are right, that of an inner number is not"
    return [Finding("beyond", "inner numbers", words, example(engine, program), said_value(program, off))] if off else []


def in_place(engine: Engine, tried: dict[str, Operation], wrong: Sequence[str]) -> list[Finding]:
    """`c += b` makes a new number: whoever holds the old one keeps it."""
    found = []
    for name in IN_PLACE:
        program = Program((2.0, 3.0), (Step(name, (0, 1), in_place=True), Step("mul", (2, 0))))
        if possible(tried, wrong, program) and (off := mismatch(engine, program)):
            dunder = {"add": "__iadd__", "sub": "__isub__", "mul": "__imul__", "div": "__itruediv__"}[name]
            words = f"{dunder} changes the number itself, where others still use it: without {dunder} Python makes a new one"
            found.append(Finding("wrong", f"{name} in place", words, example(engine, program), said_value(program, off)))
    return found


def second_graph(engine: Engine, tried: dict[str, Operation], wrong: Sequence[str]) -> list[Finding]:
    """The next step of training: the same leaves with a moved number and a zeroed gradient, and a new graph."""
    first, second = (Program((x, 3.0), (Step("mul", (0, 1)), Step("add", (2, 0)))) for x in (2.0, 4.0))
    if not possible(tried, wrong, first) or mismatch(engine, first) or mismatch(engine, second):
        return []
    derived = dependable(second, engine.known, engine.room)
    nodes = engine.build(first)
    engine.sweep(nodes[-1])
    leaves = nodes[:2]
    try:
        setattr(leaves[0], engine.data, getattr(leaves[0], engine.data) * 0.0 + 4.0)
        for leaf in leaves:
            engine.zero(leaf)
        nodes = engine.build(second, leaves)
        engine.sweep(nodes[-1])
        got = [engine.gradient(leaf) or 0.0 for leaf in leaves]
    except (AttributeError, TypeError, ValueError) as error:
        return [Finding("beyond", "second graph", f"a leaf's number and gradient cannot be set for the next step: {said(error)}")]
    wanted = derived.gradients[:2] if derived else got
    if all(abs(one - two) <= engine.room * max(1.0, abs(two)) for one, two in zip(got, wanted)):
        return []
    words = "a second graph over the same leaves, their gradients set back to 0: something of the first graph is left"
    cls, data, grad, again = engine.cls.__name__, engine.data, engine.grad, f"(a * b + a).{engine.backward}()"
    lines = (f"a, b = {cls}(2.0), {cls}(3.0); {again}", f"a.{data}, a.{grad}, b.{grad} = 4.0, 0.0, 0.0", again)
    said_numbers = f"the gradients of a and b are {got[0]:g} and {got[1]:g} and should be {wanted[0]:g} and {wanted[1]:g}"
    return [Finding("wrong", "second graph", words, lines, said_numbers, str(backward_line(engine) or ""))]


def varying(engine: Engine, tried: dict[str, Operation]) -> list[Finding]:
    """Programs whose answer is right in some builds and wrong in others: their memory lies elsewhere each time."""
    alone = [Program((2.0, 3.0, 1.5), form).without_unused() for found in tried.values() for form in found.forms[:1]]
    whole = [program for program in DIAMONDS if all(step.name in tried for step in program.steps)]
    for programs in (alone, whole):
        found = [program for program in programs if len(seen := answers(engine, program)) > 1 and None in seen]
        if found:
            words = "the same program has different answers from build to build: chance decides in which order a set is walked"
            names = [program.steps[0].name for program in found] if found[0] in alone else ["order"]
            line = str(backward_line(engine) or "")
            return [Finding("differs", names[0], words, example(engine, found[0]), "", line, tuple(names[1:]))]
    return []


def answers(engine: Engine, program: Program, tries: int = TRIES) -> set[Mismatch | None]:
    """What is wrong with it, or None, in builds between which memory is taken and kept."""
    kept: list[Any] = []
    seen: set[Mismatch | None] = set()
    derived = dependable(program, engine.known, engine.room)
    if derived is None:
        return seen
    for number in range(tries):
        kept.append([object() for _ in range(1 + number * 7 % 11)])
        nodes = [engine.leaf(1.0) for _ in range(number % 5)]
        off = compared(engine, program, derived)
        seen.add(off and off._replace(got=None if off.got is None else float(f"{off.got:.9g}")))
        kept.append(nodes)
    return seen
