"""Forms: in which small programs one operation is tried, whatever its numbers.

In a form, the inputs come first as in a program; EXTRA is one more input that only a later step reads, PREVIOUS the number
that the step before made.
"""

from __future__ import annotations

from collections.abc import Sequence

from micrograd_lite.classroom.programs import EXPONENTS, OPERATORS, Program, Step

Form = tuple[Step, ...]

EXTRA = -1
PREVIOUS = -2


def extra_inputs(form: Form) -> int:
    """How many inputs a form takes: those of its first step, and one more where a later step reads an extra one."""
    size = 1 + max(x for x in form[0].places)
    return size + (1 if any(x == EXTRA for step in form[1:] for x in step.places) else 0)


def shifted(form: Form, size: int, inputs: int) -> Form:
    """A form with its places counted from its inputs: EXTRA is the last input, -2 the step before."""
    steps = [form[0]]
    for at, step in enumerate(form[1:], 1):
        places = {EXTRA: inputs - 1, PREVIOUS: inputs + at - 1}
        steps.append(step._replace(operands=tuple(places.get(x, x) if isinstance(x, int) else x for x in step.operands)))
    return tuple(steps)


def program_of(form: Form, numbers: Sequence[float]) -> Program:
    """A form with these numbers as its inputs."""
    size, inputs = 1 + max(form[0].places), extra_inputs(form)
    return Program(tuple(numbers[:inputs]), shifted(form, size, inputs))


def single(name: str, arity: int) -> list[tuple[Step, ...]]:
    """An operation alone, in each way to write it: with Values, with a plain number on either side."""
    if name == "power":
        return [(Step(name, (0, n)),) for n in EXPONENTS]
    if arity == 1:
        return [(Step(name, (0,)),)]
    forms: list[tuple[Step, ...]] = [(Step(name, (0, 1)),)]
    if name in OPERATORS:
        forms += [(Step(name, (0, 3.0)),)] if name != "pow" else []
        forms += [(Step(name, (3.0, 0)),)]
    return forms


def stages(name: str, forms: Sequence[Form], right: Sequence[str]) -> list[list[Form]]:
    """The forms in which an operation is tried, one stage after the other; `right`: what may stand around it.

    Alone; below a product; above a product; with an operand that is used again, where that use comes first in the sweep.
    """
    result: list[list[Form]] = [list(forms)]
    if "mul" in right or name == "mul":
        result.append([(form[0], Step("mul", (PREVIOUS, EXTRA))) for form in forms])
    else:
        result.append([(form[0], Step("add", (PREVIOUS, PREVIOUS))) for form in forms] if "add" in right else [])
    inner = [other for other in ("mul", "add") if other in right and other != name][:1]
    above = []
    for (step,) in forms:
        if isinstance(step.operands[0], int):
            others = tuple(EXTRA if isinstance(x, int) else x for x in step.operands[1:])
            above.append(step._replace(operands=(PREVIOUS, *others)))
        if len(step.places) == 2:
            above.append(step._replace(operands=(EXTRA, PREVIOUS)))
    result.append([(Step(other, (0, 1)), step) for other in inner for step in above])
    again: list[Form] = [(Step(name, (0, 0)),)] if any(len(form[0].places) == 2 for form in forms) else []
    if "add" in right or name == "add":
        again += [(form[0], Step("add", (PREVIOUS, place))) for form in forms for place in form[0].places]
    return [*result, again]


BELOW, ABOVE, AGAIN = 1, 2, 3
"""The stages after the first, in which an operation is alone."""
