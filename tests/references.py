"""Independent mathematics to hold the engine against: nothing on this page reads a derivative of the table.

    dual numbers    a value and its slope, carried forward together through hand-written derivatives
    complex step    f(x + ih).imag / h: no derivative is written down at all, only Python's own complex functions
    50 digits       the dual numbers again, in decimal arithmetic that rounds after 60 digits
    fractions       the dual numbers again, without any rounding

The derivatives are written in another form than the engine's where there is one (tanh' = 1 / cosh**2). Beside its
slope a dual number carries S, the sum over all paths of the product of |partials|, in which a partial counts with the
absolute terms of the engine's formula (1 - z*z counts as 1 + z*z): rounding errors are proportional to S.

A row that has no entry here by hand gets one that is derived from its value's text, by the dual numbers of the others.
"""

import cmath
import math
import operator
from decimal import Context, Decimal, getcontext, localcontext
from fractions import Fraction
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

from derived import terms, worked_out
from micrograd_lite.rules import RULES

U = 2.0**-53
"""Half the distance from 1.0 to the next float: the relative error of one rounding."""

BOUND = 8192 * U
"""How far a gradient may be from its reference, in units of S: 13 of the 53 bits, for graphs of some dozen steps."""

TINY = 2.0**-1074
"""The smallest positive float: where a factor may have underflowed, its error is of this size."""


# Three kinds of numbers, one vocabulary.


def _float_power(x, n):
    return math.pow(x, n)


FLOATS = SimpleNamespace(
    number=float,
    power=_float_power,
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "expm1", "log1p")},
)

FRACTIONS = SimpleNamespace(number=Fraction, power=lambda x, n: x ** int(n))


def fifty_digits():
    """The decimal context of the references: 60 digits, so that 50 stay right; overflow is Infinity."""
    return localcontext(Context(prec=60, Emax=99999, Emin=-99999, traps=[]))


@lru_cache
def _pi():
    """Pi to 420 digits by Machin's formula: enough to reduce an angle of 1e308."""
    with localcontext() as context:
        context.prec = 430

        def arctan_of_inverse(n):
            total = term = Decimal(1) / n
            k = 1
            while abs(term) > Decimal(10) ** -429:
                term /= -n * n
                k += 2
                total += term / k
            return total

        return 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239)


def _series(first, ratio):
    """first + first*ratio(1) + first*ratio(1)*ratio(2) + ..., until a term no longer counts."""
    total, term, k = first, first, 0
    while term and abs(term) > abs(total) * Decimal(10) ** -(getcontext().prec + 25):
        k += 1
        term *= ratio(k)
        total += term
    return total


def _decimal_sin(x, quarter_turns=0):
    with localcontext() as context:
        context.prec = 420
        angle = (x + quarter_turns * _pi() / 2).remainder_near(2 * _pi())
        context.prec = 90
        return _series(+angle, lambda k: -angle * angle / ((2 * k) * (2 * k + 1)))


def _decimal_expm1(x):
    return x.exp() - 1 if abs(x) > 1 else _series(x, lambda k: x / (k + 1))


def _decimal_log1p(x):
    if abs(x) > Decimal("0.1"):
        return (1 + x).ln()
    t = x / (2 + x)  # log(1 + x) = 2 * artanh(t) = 2 * (t + t**3 / 3 + t**5 / 5 + ...)
    return 2 * _series(t, lambda k: t * t * (2 * k - 1) / (2 * k + 1))


def _decimal_tanh(x):
    shrunk = _decimal_expm1(-2 * abs(x))
    return (-shrunk / (2 + shrunk)).copy_sign(x)


DECIMALS = SimpleNamespace(
    number=Decimal,
    power=operator.pow,
    exp=Decimal.exp,
    log=Decimal.ln,
    sqrt=Decimal.sqrt,
    sin=_decimal_sin,
    cos=lambda x: _decimal_sin(x, 1),
    tanh=_decimal_tanh,
    expm1=_decimal_expm1,
    log1p=_decimal_log1p,
)


# What each operation computes, by hand: value, partials and, where they differ from |partials|, their sizes.


def _power(m, x, n):
    z = m.power(x, n) if n or x else m.number(1.0)
    if x:
        return z, (n * z / x,)
    return z, (m.number(1.0 if n == 1 else math.inf if 0 < n < 1 else 0.0),)


def _pow(m, x, y):
    z = m.power(x, y)
    return z, (y * z / x, z * m.log(x))


def _tanh(m, x):
    z, e = m.tanh(x), m.exp(-2 * abs(x))
    return z, (4 * e / ((1 + e) * (1 + e)),), (1 + z * z,)  # 1 / cosh(x)**2, without overflow


def _sigmoid(m, x):
    e = m.exp(-abs(x))
    z = e / (1 + e) if x < 0 else 1 / (1 + e)
    return z, (e / ((1 + e) * (1 + e)),), (z + z * z,)


def _softplus(m, x):
    e = m.exp(-abs(x))
    return max(x, m.number(0)) + m.log1p(e), (e / (1 + e) if x < 0 else 1 / (1 + e),)


def _sqrt(m, x):
    z = m.sqrt(x)
    return z, (m.number(1) / (2 * z) if z else m.number(math.inf),)


def _pair(m, z, x_wins, y_wins):
    if x_wins == y_wins:
        return z, (m.number(0.5), m.number(0.5))
    return z, (m.number(x_wins), m.number(y_wins))


ROWS = {
    "add": lambda m, x, y: (x + y, (m.number(1), m.number(1))),
    "sub": lambda m, x, y: (x - y, (m.number(1), m.number(-1))),
    "mul": lambda m, x, y: (x * y, (y, x)),
    "div": lambda m, x, y: (x / y, (1 / y, -x / (y * y))),
    "neg": lambda m, x: (-x, (m.number(-1),)),
    "power": _power,
    "pow": _pow,
    "exp": lambda m, x: (m.exp(x), (m.exp(x),)),
    "log": lambda m, x: (m.log(x), (1 / x,)),
    "sqrt": _sqrt,
    "sin": lambda m, x: (m.sin(x), (m.cos(x),)),
    "cos": lambda m, x: (m.cos(x), (-m.sin(x),)),
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "relu": lambda m, x: (max(x, m.number(0)), (m.number(x > 0),)),
    "leaky_relu": lambda m, x: (x, (m.number(1),)) if x > 0 else (m.number(0.01) * x, (m.number(0.01),)),
    "prelu": lambda m, x, a: (x, (m.number(1), m.number(0))) if x > 0 else (a * x, (a, x)),
    "elu": lambda m, x: (x, (m.number(1),)) if x > 0 else (m.expm1(x), (m.exp(x),)),
    "softplus": _softplus,
    "abs": lambda m, x: (abs(x), (m.number((x > 0) - (x < 0)),)),
    "maximum": lambda m, x, y: _pair(m, max(x, y), x > y, y > x),
    "minimum": lambda m, x, y: _pair(m, min(x, y), x < y, y < x),
}

BESIDE_ROWS = {
    "expm1": lambda m, x: (m.expm1(x), (m.exp(x),)),
    "log1p": lambda m, x: (m.log1p(x), (1 / (1 + x),)),
}
"""Functions that formulas call and that are no operation themselves."""


def row(m, name, operands):
    """Value, partials and sizes of the partials of one operation on plain numbers of kind `m`."""
    value, partials, *sizes = (ROWS.get(name) or BESIDE_ROWS[name])(m, *operands)
    return value, partials, sizes[0] if sizes else tuple(abs(partial) for partial in partials)


def exact_row(name, operands):
    """The same to 50 digits, for float operands."""
    with fifty_digits():
        return row(DECIMALS, name, [Decimal(operand) for operand in operands])


class Dual(NamedTuple):
    """A number, its slope in the chosen direction, and S: how large the numbers are whose sum the slope is."""

    value: Any
    slope: Any
    size: Any


def dual_operation(m, name):
    """Operation `name` on dual numbers of kind `m`; plain operands are constants."""

    def operation(*operands):
        duals = [x if isinstance(x, Dual) else Dual(m.number(x), m.number(0), m.number(0)) for x in operands]
        value, partials, sizes = row(m, name, [x.value for x in duals])
        slope = size = m.number(0)
        for x, partial, partial_size in zip(duals, partials, sizes):
            slope, size = slope + partial * x.slope, size + partial_size * x.size
        return Dual(value, slope, size)

    return operation


def dual_gradients(m, program):
    """The last number of a program as a Dual, once for every input: forward mode, one direction at a time."""
    results = []
    for direction in range(len(program.inputs)):
        start = [Dual(m.number(x), m.number(i == direction), m.number(i == direction)) for i, x in enumerate(program.inputs)]
        results.append(program.run(start, lambda name: dual_operation(m, name))[-1])
    return results


def exact_gradients(program):
    """The same to 50 digits."""
    with fifty_digits():
        return dual_gradients(DECIMALS, program)


# The complex step: no derivatives, only values, on numbers with a tiny imaginary part.

STEP = 1e-150
"""The imaginary step: its square vanishes beside any number met here, so the real parts stay plain arithmetic."""


def _complex_power(x, n):
    if x.real < 0:  # an angle near pi would swallow the step
        return (-1.0 if n % 2 else 1.0) * (-x) ** n
    return x**n


def _complex_elu(x):
    return x if x.real > 0 else complex(math.expm1(x.real), cmath.exp(x).imag)


def _complex_softplus(x):
    return x + cmath.log(1 + cmath.exp(-x)) if x.real > 0 else cmath.log(1 + cmath.exp(x))


COMPLEX = {
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "neg", "pow")},
    **{name: getattr(cmath, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh")},
    "div": operator.truediv,
    "power": _complex_power,
    "sigmoid": lambda x: 1 / (1 + cmath.exp(-x)),
    "relu": lambda x: x if x.real > 0 else 0j,
    "leaky_relu": lambda x: x if x.real > 0 else 0.01 * x,
    "prelu": lambda x, a: x if x.real > 0 else a * x,
    "elu": _complex_elu,
    "softplus": _complex_softplus,
    "abs": lambda x: x if x.real > 0 else -x,
    "maximum": lambda x, y: x if x.real > y.real else y,
    "minimum": lambda x, y: x if x.real < y.real else y,
}


def complex_gradients(program):
    """d(last number)/d(input) for every input, away from kinks."""
    results = []
    for direction in range(len(program.inputs)):
        start = [complex(x, STEP * (i == direction)) for i, x in enumerate(program.inputs)]
        results.append(complex(program.run(start, COMPLEX.__getitem__)[-1]).imag / STEP)
    return results


# Rows without a reference by hand.

COMPLEX_BESIDE = {
    "expm1": lambda x: complex(math.expm1(x.real), cmath.exp(x).imag),
    "log1p": lambda x: complex(math.log1p(x.real), x.imag / (1 + x.real)),
}
"""BESIDE_ROWS for complex numbers with a tiny imaginary part."""


def _dual_step(name):
    """Operation or function `name` on dual decimals; a power with a plain exponent is smooth below 0 too."""

    def step(*operands):
        plain_power = name == "pow" and not isinstance(operands[1], Dual)
        return dual_operation(DECIMALS, "power" if plain_power else name)(*operands)

    return step


def _complex_step(name):
    """The same on complex numbers."""

    def step(*operands):
        if name == "pow" and not isinstance(operands[1], complex):
            return _complex_power(*operands)
        return (COMPLEX.get(name) or COMPLEX_BESIDE[name])(*map(complex, operands))

    return step


def _decimal_function(name):
    """A function that a formula calls, on decimals."""
    return lambda *operands: row(DECIMALS, "power" if name == "pow" else name, operands)[0]


def derived_row(rule):
    """The entry of ROWS for a rule: value and partials by dual numbers over the value's text.

    With 700 digits, because 1/x - (x - 1)/x**2 is 1/x**2 and x may be 1e308.
    """

    def entry(m, *operands):
        with localcontext(Context(prec=700, Emax=99999, Emin=-99999, traps=[])):
            numbers = dict(zip(rule.inputs, map(Decimal, operands)))
            zero, slopes = Decimal(0), []
            for direction in rule.inputs[: len(rule.partials)]:
                start = {letter: Dual(numbers[letter], Decimal(letter == direction), zero) for letter in rule.inputs}
                start |= {letter: numbers[letter] for letter in rule.inputs[len(rule.partials) :]}
                made = worked_out(rule.value, start, _dual_step, lambda x: getattr(x, "value", x))
                made = made if isinstance(made, Dual) else Dual(Decimal(made), zero, zero)
                slopes.append(made.slope)
            numbers["z"] = made.value
            sizes = [terms(partial, numbers, Decimal, _decimal_function) for partial in rule.partials]
            found = [m.number(number) for number in (made.value, *slopes, *sizes)]
        return found[0], tuple(found[1 : 1 + len(slopes)]), tuple(found[1 + len(slopes) :])

    return entry


def derived_complex(rule):
    """The entry of COMPLEX for a rule: its value's text on complex numbers."""
    return lambda *operands: worked_out(rule.value, dict(zip(rule.inputs, operands)), _complex_step, lambda x: x.real)


ROWS |= {name: derived_row(rule) for name, rule in RULES.items() if name not in ROWS}
COMPLEX |= {name: derived_complex(rule) for name, rule in RULES.items() if name not in COMPLEX}


def exact_cross_entropy(logits, label):
    """-log softmax(logits)[label] to 50 digits, and its slope toward every logit."""
    with fifty_digits():
        numbers = [Decimal(logit) for logit in logits]
        highest = max(numbers)
        exponentials = [(number - highest).exp() for number in numbers]
        rest = Decimal(0)
        for number in sorted(exponentials)[:-1]:
            rest += number
        slopes = [number / (1 + rest) - (position == label) for position, number in enumerate(exponentials)]
        return _decimal_log1p(rest) + (highest - numbers[label]), slopes


def error(found, exact):
    """|found - exact| for a finite float and a Decimal, computed without a further rounding."""
    with fifty_digits():
        return abs(Decimal(found) - exact)
