"""The properties of one operation: its value, its slopes, what arrives from above, what is used twice.

Each is looked for on its own, in this order, over programs of one or two steps; hypothesis draws the numbers and shrinks what it
finds. The order is what makes a finding a root cause: a rule is tried below other operations only after it was right alone,
and an operation that is made of a wrong one is told as following from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from micrograd_lite.classroom.adapter import CannotCheck, Engine, said
from micrograd_lite.classroom.causes import in_common, root_causes
from micrograd_lite.classroom.findings import Finding, Mismatch, about_accumulation, formula, operation_sentence, said_value
from micrograd_lite.classroom.forms import ABOVE, AGAIN, BELOW, Form, program_of, single, stages
from micrograd_lite.classroom.lines import Line, functions_called, gradient_line, sweep_line, value_line
from micrograd_lite.classroom.programs import POINTS, Program, Step
from micrograd_lite.classroom.reference import Derived, dependable

EXAMPLES = 200
"""Programs that hypothesis draws."""

GRID = (
    (2.0, 3.0, 1.5), (3.0, 0.5, 2.0), (-2.0, 3.0, 0.5), (2.0, -3.0, 0.5), (-0.5, -2.0, 3.0), (0.5, 4.0, -2.0), (4.0, 0.25, 3.0),
    (-3.0, 0.75, -0.5), (1.5, 1.25, 2.0), (0.25, -0.125, 4.0), (-1.25, -4.5, 0.25), (5.0, 2.0, 0.5),
)  # fmt: skip
"""Numbers that each form is tried at, before hypothesis draws others: the simplest ones first."""


def mismatch(engine: Engine, program: Program, inner: bool = False) -> Mismatch | None:
    """The first number that is wrong; None where all are right, or where the program proves nothing.

    inner: the gradients of inner numbers count too.
    """
    derived = dependable(program, engine.known, engine.room)
    return None if derived is None else compared(engine, program, derived, inner)


def compared(engine: Engine, program: Program, derived: Derived, inner: bool = False) -> Mismatch | None:
    """The same with the numbers that are right."""
    last = len(program.inputs) + len(program.steps) - 1
    try:
        ran = engine.run(program)
    except (CannotCheck, MemoryError):
        raise
    except Exception as error:
        return Mismatch("error", last, None, derived.values[last], said(error))
    for place in range(len(program.inputs), last + 1):
        if not abs(ran.values[place] - derived.values[place]) <= engine.room * max(1.0, abs(derived.values[place])):
            return Mismatch("value", place, ran.values[place], derived.values[place])
    return wrong_gradient(ran.gradients[: last + 1 if inner else len(program.inputs)], derived, engine.room)


def wrong_gradient(gradients: Sequence[float | None], derived: Derived, room: float) -> Mismatch | None:
    """The first gradient that is off by more than its terms allow; None of an engine counts as 0."""
    for place, found in enumerate(gradients):
        wanted = derived.gradients[place]
        if not abs((found or 0.0) - wanted) <= room * derived.sizes[place]:
            return Mismatch("slope", place, found, wanted)
    return None


def smallest(strategy: Any, is_wrong: Callable[[Any], bool], examples: int) -> Any:
    """The smallest thing that hypothesis finds to be wrong, the same in every run; None when it finds nothing."""
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis.errors import NoSuchExample

    try:
        return find(strategy, is_wrong, settings=settings(
            max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ))  # fmt: skip
    except NoSuchExample:
        return None


def search(engine: Engine, forms: Sequence[Form]) -> Program | None:
    """The first program of these forms, the simplest numbers first, that comes out wrong."""
    for form in forms:
        for numbers in GRID:
            program = program_of(form, numbers)
            if mismatch(engine, program) is not None:
                return program
    return None


def drawn_search(engine: Engine, forms: Sequence[Form]) -> Program | None:
    """The same with numbers that hypothesis draws: what is wrong at few points only."""
    from hypothesis import strategies as st

    if not forms:
        return None
    numbers = st.one_of(st.sampled_from(POINTS), st.integers(-100, 100).map(lambda n: n / 16), st.integers(-30, 30).map(float))
    drawn = st.tuples(st.sampled_from(list(forms)), st.tuples(numbers, numbers, numbers))
    found = smallest(drawn, lambda pair: mismatch(engine, program_of(*pair)) is not None, EXAMPLES)
    return None if found is None else program_of(*found)


class Operation(NamedTuple):
    """One operation of an engine: the forms that it offers, why others are not, and which other operations it calls."""

    name: str
    forms: list[Form]
    missing: dict[Step, str]
    calls: set[str]


def operation(engine: Engine, name: str) -> Operation:
    """What an engine offers of one operation."""
    forms, missing = [], {}
    for form in single(name, engine.arity[name]):
        why = engine.offers(form[0])
        if why:
            missing[form[0]] = why
        else:
            forms.append(form)
    called: set[Any] = set()
    for form in forms:
        called |= set(functions_called(lambda form=form: engine.step(form[0], [engine.leaf(2.0), engine.leaf(3.0)])))  # type: ignore[misc]
    calls = {other for other in engine.ways if other != name and called & engine.own_codes(other) - engine.codes(name)}
    return Operation(name, forms, missing, calls)


def examine(engine: Engine, tried: dict[str, Operation]) -> list[Finding]:
    """What is wrong with each operation: the root causes alone."""
    wrong: dict[str, Finding] = {}
    if "add" in tried and (start := never_started(engine)):
        return [start]
    for stage in range(4):
        for name in sorted(tried, key=lambda name: name not in ("mul", "add")):  # these two stand around the others
            right = [other for other in tried if other not in wrong]
            program = search(engine, stages(name, tried[name].forms, right)[stage]) if name in right else None
            found = finding(engine, stage, program, name) if program is not None else None
            if found:
                wrong[name] = found
                if found.about == "order":
                    return root_causes([wrong[name] for name in tried if name in wrong], calls(tried))
    in_order = [wrong[name] for name in tried if name in wrong]
    return in_common(engine, root_causes(in_order, calls(tried)))


def calls(tried: dict[str, Operation]) -> dict[str, set[str]]:
    """What each operation is made of; whole graphs are made of nothing."""
    return {**{name: one.calls for name, one in tried.items()}, "order": set()}


def never_started(engine: Engine) -> Finding | None:
    """Does backward() give its own node the gradient 1?"""
    program = Program((2.0, 3.0), (Step("add", (0, 1)),))
    try:
        gradients = engine.run(program).gradients
    except (CannotCheck, MemoryError):
        raise
    except Exception:
        return None  # said where add is tried
    if any(gradients):
        return None
    code = getattr(getattr(engine.cls, engine.backward), "__code__", None)
    line = str(sweep_line(code) or "") if code else ""
    words = "no gradient arrives anywhere: backward() starts by giving its own number the gradient 1"
    return Finding("wrong", "start", words, example(engine, program), "the gradient of a is 0 and should be 1", line)


def drawn_finding(engine: Engine, names: Sequence[str], tried: dict[str, Operation]) -> Finding | None:
    """What hypothesis finds wrong with an operation that was right at the points of the grid."""
    staged = [stages(name, tried[name].forms, names) for name in names]
    program = drawn_search(engine, [form for stage in (0, AGAIN) for forms in staged for form in forms[stage]])
    return None if program is None else finding(engine, 0 if len(program.steps) == 1 else AGAIN, program, program.steps[0].name)


def finding(engine: Engine, stage: int, program: Program, name: str) -> Finding | None:
    """A wrong program of an operation, in words; None where it is right the next time that it is tried."""
    found, about = mismatch(engine, program), name
    derived = dependable(program, engine.known, engine.room)
    if found is None or derived is None:
        return None
    line = likely(engine, name, program, found, overwritten=stage == AGAIN)
    if stage == AGAIN:
        words = about_accumulation(name, found, str(line))
    elif stage == BELOW and found.kind == "slope" and not found.got:
        about, words = (
            "order",
            "nothing arrives two steps below: each node hands its gradient on after all that use it, the last one first",
        )
        code = getattr(getattr(engine.cls, engine.backward), "__code__", None)
        line = sweep_line(code) if code else None
    elif stage == BELOW and found.kind == "slope":
        words = f"{formula(name)} forgets the gradient that arrives at its result: each share is the slope times that gradient"
    elif stage == ABOVE:
        words = (
            f"what {formula(name)} is made of gets no gradient, or a wrong one: are its operands kept, for backward() to walk on?"
        )
    else:
        words = operation_sentence(name, program, found, derived)
    return Finding("wrong", about, words, example(engine, program), said_value(program, found), str(line or ""))


def example(engine: Engine, program: Program) -> tuple[str, ...]:
    """A program as somebody types it with this engine."""
    return tuple(program.lines(engine.cls.__name__, engine.backward, engine.spelled))


def likely(engine: Engine, name: str, program: Program, found: Mismatch, overwritten: bool) -> Line | None:
    """The line of their source where the mistake probably stands."""
    step = next(step for step in program.steps if step.name == name)
    ran = functions_called(lambda: engine.run(program))
    own = [code for code in ran if code in engine.codes(name)] or list(engine.codes(name))
    if not own:
        return None
    if found.kind != "slope":
        return value_line(own[0])
    places = list(step.operands)
    operand = places.index(found.place) if found.place in places else 0
    return gradient_line(own[0], operand, overwritten, ran)
