"""What the property tests draw: points for a row of the table, and whole programs.

A program is a small piece of pure data, so that the same one runs on Values, dual numbers, complex numbers, fractions
and decimals, and prints when it fails.
"""

import math
import operator
from functools import lru_cache
from typing import NamedTuple

from hypothesis import strategies as st

from micrograd_lite.rules import RULES, SCALAR
from micrograd_lite.scalar import Value
from references import FLOATS, ROWS, row

# Points for one row.

GRID = st.one_of(st.integers(-8, 8).map(float), st.integers(-96, 96).map(lambda k: k / 12))
"""Numbers of everyday size, twelfths so that they round; two of them are equal or at least 1/12 apart."""

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@lru_cache
def condition_code(text):
    """The condition, compiled once: it is asked for every candidate."""
    return compile(text or "True", f"<condition {text}>", "eval")


def holds(text, rule, point):
    """Whether a condition of a row (`needs`, `smooth`) is true at a point; the empty text always is."""
    return bool(eval(condition_code(text), dict(SCALAR), dict(zip(rule.inputs, point))))


def points(rule):
    """Points of everyday size in the row's domain where it is smooth, with no kink nearer than 1/12."""
    candidates = st.tuples(*(GRID for _ in rule.inputs))
    return candidates.filter(lambda point: holds(rule.needs, rule, point) and holds(rule.smooth, rule, point))


def wide_points(rule):
    """Any finite point of the row's domain, kinks included."""
    return st.tuples(*(FINITE for _ in rule.inputs)).filter(lambda point: holds(rule.needs, rule, point))


def points_outside(rule):
    """Finite points that the row's domain excludes."""
    numbers = st.one_of(st.sampled_from((0.0, -0.0, -1.0, -0.5)), FINITE)
    return st.tuples(*(numbers for _ in rule.inputs)).filter(lambda point: not holds(rule.needs, rule, point))


# Programs.


class Step(NamedTuple):
    """One operation: rule name, which earlier numbers it takes, and the plain numbers that follow them."""

    name: str
    operands: tuple
    constants: tuple = ()


class Program(NamedTuple):
    """Inputs, then steps. Each step adds a number to the list that it may take operands from; the last is the result."""

    inputs: tuple
    steps: tuple

    def run(self, inputs, operation):
        """All numbers of the program, inputs first. operation: from a rule's name to a function of its operands."""
        numbers = list(inputs)
        for name, operands, constants in self.steps:
            numbers.append(operation(name)(*(numbers[position] for position in operands), *constants))
        return numbers

    def values(self):
        """The program run on Values: all nodes, inputs first."""
        return self.run([Value(number, f"x{position}") for position, number in enumerate(self.inputs)], on_values)


OPERATORS = {
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "neg", "abs", "pow")},
    "div": operator.truediv,
    "power": operator.pow,
}
"""How a user writes the rows that have an operator; all others are methods of Value of the same name."""


def on_values(name):
    """The operation on Values that a user would write for rule `name`."""
    return OPERATORS.get(name) or getattr(Value, name)


def arity(name):
    """How many numbers of the program a step takes."""
    return len(RULES[name].inputs.replace("n", ""))  # n is a plain number


INPUTS = st.one_of(GRID, st.floats(-4, 4, allow_subnormal=False))
EXPONENTS = st.sampled_from((2.0, 3.0, 1.0, 0.0, -1.0, -2.0, 0.5, 1.5, -0.5))
SMALL, LARGE = 1e-25, 1e25
NUDGE = 1e-6


def drawn_steps(names, exponents, most):
    """Rule names with picks of operands, counted back from the latest number, so that shrinking makes chains."""
    picks = st.tuples(st.integers(0, 7), st.integers(0, 7))
    return st.lists(st.tuples(st.sampled_from(names), picks, exponents), min_size=min(4, most), max_size=most)


def resolve(name, picks, exponent, available):
    """The Step that a draw stands for when that many numbers are available."""
    operands = tuple(available - 1 - pick % available for pick in picks[: arity(name)])
    return Step(name, operands, (exponent,) if name == "power" else ())


def settle(name, operands):
    """Value, partials and sizes of a step in plain floats; None outside the domain or beyond everyday magnitudes."""
    try:
        value, partials, sizes = row(FLOATS, name, operands)
    except (ValueError, ArithmeticError):
        return None
    in_range = all(number == 0 or SMALL < abs(number) < LARGE for number in (value, *partials))
    return (value, partials, sizes) if in_range else None


def condition(name, operands, position):
    """By how much a step multiplies a relative error in one operand: in its value, or in a partial against its size.

    Found by nudging the operand both ways, so it is enormous next to a kink and at the edge of the domain.
    """
    centre = settle(name, operands)
    worst = 0.0
    for sign in (1, -1):
        nudged = list(operands)
        nudged[position] += sign * NUDGE * (abs(operands[position]) or 1e-3)
        found = settle(name, nudged)
        if found is None:
            return math.inf
        changes = [(found[0] - centre[0], centre[0]), *((b - a, s) for a, b, s in zip(centre[1], found[1], centre[2]))]
        for change, size in changes:
            if change:
                worst = max(worst, abs(change / size) / NUDGE if size else math.inf)
    return worst


@st.composite
def programs(draw, lost=math.inf, names=tuple(ROWS), most=12):
    """Random expression graphs over all rules, with finite numbers of everyday magnitude.

    lost: the most units of rounding (u) by which a forward value, or a partial against its size, may be wrong: each
    step adds 1 to what its operands bring, times its condition. Infinity admits everything, cancellation and kinks too.
    """
    inputs = draw(st.lists(INPUTS.filter(lambda x: x == 0 or abs(x) > 1e-3), min_size=1, max_size=4))
    numbers, errors, steps = list(inputs), [0.0] * len(inputs), []
    for name, picks, exponent in draw(drawn_steps(names, EXPONENTS, most)):
        step = resolve(name, picks, exponent, len(numbers))
        operands = [numbers[position] for position in step.operands] + list(step.constants)
        settled = settle(name, operands)
        if settled is None:
            continue
        wrong = 1.0
        if lost < math.inf:
            for position, source in enumerate(step.operands):
                factor = condition(name, operands, position)
                wrong += factor * max(errors[source], 1.0)
        if wrong <= lost:
            numbers.append(settled[0])
            errors.append(wrong)
            steps.append(step)
    return Program(tuple(inputs), tuple(steps))


def without_forward_cancellation(most=12):
    """Programs whose every forward value and partial keeps all but 6 bits (64 u), so that 50-digit arithmetic agrees.

    That leaves out sums of nearly opposite numbers, logarithms near 1, sines near multiples of pi, near ties, and
    chains that multiply small errors up to large ones.
    """
    return programs(lost=64.0, most=most)


def clear_of_kinks(most=12):
    """Programs for the complex step, whose forward values may differ in the last bits: all but 9 bits (512 u) kept."""
    return programs(lost=512.0, most=most)


WHOLE = ("add", "sub", "mul", "neg", "power", "relu", "prelu", "abs", "maximum", "minimum")


@st.composite
def integer_programs(draw, most=12):
    """Programs on small whole numbers in which every value and gradient fits a float exactly.

    The product of all steps' slopes bounds every gradient; it is kept under 2**40, which leaves bits for halves at ties.
    """
    inputs = draw(st.lists(st.integers(-9, 9), min_size=1, max_size=4))
    numbers, steps, growth = list(inputs), [], 1
    for name, picks, exponent in draw(drawn_steps(WHOLE, st.integers(0, 4), most)):
        step = resolve(name, picks, exponent, len(numbers))
        operands = [numbers[position] for position in step.operands] + list(step.constants)
        value, _, sizes = row(FLOATS, name, [float(number) for number in operands])
        slopes = 1
        for size in sizes:
            slopes += math.ceil(size)
        if abs(value) < 2**40 and growth * slopes < 2**40:
            numbers.append(value)
            steps.append(step)
            growth *= slopes
    return Program(tuple(inputs), tuple(steps))
