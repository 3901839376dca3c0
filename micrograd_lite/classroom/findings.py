"""Findings: what was found, in sentences that teach. What the rule says, what came out, and what it looks like.

    wrong            another number than mathematics says, or none
    differs          another number in another run of the same program
    beyond           right in the lecture's examples, at its limit beyond them
    not offered      the class has no such operation

Only the first two are mistakes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from micrograd_lite.classroom.programs import OPERATORS, Program, Step
from micrograd_lite.classroom.reference import KNOWN, Derived
from micrograd_lite.rules import RULES

KINDS = ("wrong", "differs", "beyond", "not offered")

CLOSE = 1e-9


class Mismatch(NamedTuple):
    """The first number of a program that is not what it should be; `error` where there is none."""

    kind: str  # value, slope, error
    place: int
    got: float | None
    wanted: float
    error: str = ""


class Finding(NamedTuple):
    """One thing found: its class, what it is about, and the words."""

    kind: str
    about: str
    sentence: str
    counterexample: tuple[str, ...] = ()
    got: str = ""
    line: str = ""
    makes_wrong: tuple[str, ...] = ()


def shown(number: float | None) -> str:
    """A number in a sentence."""
    return "None" if number is None else f"{number:.10g}" if math.isfinite(number) else str(number)


def close(one: float | None, other: float) -> bool:
    """The same, for what a mistake looks like."""
    return one is not None and abs(one - other) <= CLOSE * max(1.0, abs(other))


def formula(name: str) -> str:
    """`x * y`, as the table has it, or a function by its name."""
    if name in RULES and len(RULES[name].value) < 16:
        return RULES[name].value.replace("pow(x, n)", "x ** n").replace("pow(x, y)", "x ** y")
    return f"{name}({', '.join(RULES[name].inputs)})" if name in RULES else f"{name}(...)"


def slope_in_words(name: str, operand: int) -> str:
    """`the slope of x * y toward x is y`."""
    if name not in RULES or operand >= len(RULES[name].partials):
        return f"its slope toward operand {operand + 1} is not that of its formula"
    rule = RULES[name]
    if name == "leaky_relu":
        return "the slope of leaky_relu(x) toward x is 1 where x > 0, and the leak elsewhere"
    slope = (rule.textbook or rule.partials)[operand].replace(" if n else 0.0", "")
    z = ", z being the result" if "z" in slope else ""
    return f"the slope of {formula(name)} toward {rule.inputs[operand]} is {slope}{z}"


def said_value(program: Program, found: Mismatch) -> str:
    """What came out, and what should have."""
    name = program.names[found.place]
    if found.kind == "error":
        return f"it raises {found.error}"
    attribute = "" if found.kind == "value" else " gradient"
    return f"the{attribute or ' value'} of {name} is {shown(found.got)} and should be {shown(found.wanted)}"


def looks_like(step: Step, numbers: Sequence[float], operand: int, got: float | None, upstream: float = 1.0) -> str:
    """What a wrong slope of one operation looks like; "" when like nothing known."""
    value, slopes = KNOWN[step.name](*numbers) if step.name in KNOWN else (math.nan, ())
    if got is None or operand >= len(slopes):
        return ""
    right = slopes[operand] * upstream
    x = numbers[operand]
    guesses: list[tuple[float, str]] = [
        (0.0, "its share is missing"),
        (-right, "the sign is turned"),
        *((other * upstream, "it is the other operand's slope") for at, other in enumerate(slopes) if at != operand),
        (upstream, "the gradient of the result is handed on without the slope"),
    ]
    if step.name in ("tanh", "sigmoid"):
        at_input = 1.0 - x * x if step.name == "tanh" else x * (1.0 - x)
        at_result = 1.0 - value if step.name == "tanh" else value
        guesses += [(at_input * upstream, "the slope is taken at the input, where it is meant at the result"),
                    (at_result * upstream, "a part of the formula is missing")]  # fmt: skip
    if step.name == "power":
        n = numbers[1]
        guesses += [(x ** (n - 1.0) * upstream if x else math.nan, "the factor n is missing"),
                    (n * x**n * upstream if x else math.nan, "the exponent is not lowered by 1")]  # fmt: skip
    guesses += [(2.0 * right, "it is twice as large"), (0.5 * right, "it is half as large")]
    guesses += [(value * upstream, "it is the result itself"), (x * upstream, "it is the operand itself")]
    return next((words for number, words in guesses if close(got, number) and not close(right, number)), "")


def operation_sentence(name: str, program: Program, found: Mismatch, derived: Derived) -> str:
    """What the rule says, and what the wrong number looks like, of a program in which one operation stands alone."""
    step = program.steps[0]
    if found.kind == "error":
        return f"{formula(name)} cannot be worked out"
    if found.kind == "value":
        written = "" if isinstance(step.operands[0], int) else " with a plain number on the left"
        return f"the value of {formula(name)}{written} is wrong"
    operand = next((at for at, place in enumerate(step.operands) if place == found.place), 0)
    numbers = [derived.values[x] if isinstance(x, int) else x for x in step.operands]
    upstream = derived.gradients[len(program.inputs)]
    guess = looks_like(step, numbers, operand, found.got, upstream)
    return slope_in_words(name, operand) + (f"; {guess}" if guess else "")


def about_accumulation(name: str, found: Mismatch, line: str) -> str:
    """A node that is used twice gets two shares."""
    if found.got is not None and abs(found.got) > abs(found.wanted):
        return f"a number that is used twice gets too much through {name}: each use adds its share once"
    equals = "`=` stands where `+=` is meant" if " += " not in line else "the shares of all uses are added"
    return f"a number that is used twice keeps only one share through {name}: {equals}"


def spelled(step: Step) -> str:
    """An operation and its form, for what is not offered: `pow (2.0 ** a)`."""
    sides = ["number" if isinstance(x, float) else "Value" for x in step.operands]
    sign = OPERATORS.get(step.name)
    return f"{sides[0]} {sign} {sides[1]}" if sign and len(sides) > 1 else step.name


def as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """The same as JSON's kinds of things."""
    return [
        {**one._asdict(), "counterexample": list(one.counterexample), "makes_wrong": list(one.makes_wrong)} for one in findings
    ]
