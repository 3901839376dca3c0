"""The derivative table: what each operation computes and how steep it is.

Every row is text, and everything else reads the row: the engines compile it, a trace prints it, the README
shows it, the tests check it against independent mathematics. So a derivative is written down once. Adding an
operation is one row here and its name in the operator list of an engine.

In a row, `x` and `y` are the operands (`n` a plain number, `a` a learned slope) and `z` is the value just
computed. A row has one partial per differentiable operand; an operand beyond the partials is a constant.
Formulas are the textbook's, in the form that stays accurate for any finite input (source: any calculus book;
the stable forms of sigmoid and softplus: Machler, "Accurately computing log(1 - exp(-|a|))", 2012).
"""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Rule(NamedTuple):
    """One pointwise operation: its operands, its value and one slope per operand, as formulas."""

    name: str
    inputs: str
    value: str
    partials: tuple[str, ...]
    smooth: str = ""  # where the value has a derivative on both sides that agree; "" is everywhere in the domain
    needs: str = ""  # the domain; "" is every number
    error: type[ArithmeticError | ValueError] = ValueError  # raised outside the domain
    bounds: tuple[str, ...] = ()  # how large value and slopes can get for |x|, where their formulas do not show it
    textbook: tuple[str, ...] = ()  # the partials as a book has them, where that is shorter: what people are shown


class ManyRule(NamedTuple):
    """One operation over many operands: `value` and, for each group of operands, the slope toward one member."""

    name: str
    inputs: tuple[str, ...]
    value: str
    partials: tuple[str, ...]


# fmt: off
RULES = {rule.name: rule for rule in (
    #     name          in    z                                      dz/dx, dz/dy                              smooth where
    Rule("add",        "xy", "x + y",                               ("1.0", "1.0")),
    Rule("sub",        "xy", "x - y",                               ("1.0", "-1.0")),
    Rule("mul",        "xy", "x * y",                               ("y", "x")),
    Rule("div",        "xy", "x / y",                               ("1.0 / y", "-z / y"),
         needs="y != 0", error=ZeroDivisionError),
    Rule("neg",        "x",  "-x",                                  ("-1.0",)),
    Rule("power",      "xn", "pow(x, n)",                           ("n * pow(x, n - 1.0) if n else 0.0",),   "x != 0",
         needs="x > 0 or n == 0 or (x == 0 and n > 0) or (x < 0 and n % 1 == 0)"),
    Rule("pow",        "xy", "pow(x, y)",                           ("y * pow(x, y - 1.0) if y else 0.0", "z * log(x)"),
         needs="x > 0", textbook=("y * pow(x, y - 1.0)", "z * log(x)")),
    Rule("exp",        "x",  "exp(x)",                              ("z",)),
    Rule("log",        "x",  "log(x)",                              ("1.0 / x",),
         needs="x > 0"),
    Rule("sqrt",       "x",  "sqrt(x)",                             ("0.5 / z if z != 0 else inf",),          "x != 0",
         needs="x >= 0", textbook=("0.5 / z",)),
    Rule("sin",        "x",  "sin(x)",                              ("cos(x)",)),
    Rule("cos",        "x",  "cos(x)",                              ("-sin(x)",)),
    Rule("tanh",       "x",  "tanh(x)",                             ("1.0 - z * z",),
         bounds=("1.0", "1.0")),
    Rule("sigmoid",    "x",  "1.0 / (1.0 + exp(-x)) if x >= 0 else exp(x) / (1.0 + exp(x))",
                                                                    ("z * (1.0 - z)",),
         bounds=("1.0", "1.0")),
    Rule("softplus",   "x",  "x + log1p(exp(-x)) if x >= 0 else log1p(exp(x))",
                                                                    ("1.0 / (1.0 + exp(-x)) if x >= 0 else exp(x) / (1.0 + exp(x))",),
         bounds=("x + 1.0", "1.0"), textbook=("sigmoid(x)",)),
    # From here on the tests are written so that NaN in is NaN out. No comparison with NaN is true, so the last branch is
    # the one that gives NaN back; `x != x` is true of NaN alone and `a == a` of all but NaN. `|` is `or` and `&` is `and`,
    # as one writes them for arrays, whose elements decide one by one.
    Rule("relu",       "x",  "0.0 if x <= 0 else x",                ("0.0 if x <= 0 else 1.0",),              "x != 0"),
    Rule("leaky_relu", "x",  "0.01 * x if x <= 0 else x",           ("0.01 if x <= 0 else 1.0",),             "x != 0"),
    Rule("prelu",      "xa", "x if (x > 0) & (a == a) else a * x",  ("1.0 if x > 0 else a",
                                                                     "0.0 if x > 0 else x"),                  "x != 0"),
    Rule("elu",        "x",  "x if x > 0 else expm1(x)",            ("1.0 if x > 0 else exp(x)",),            "x != 0"),
    Rule("abs",        "x",  "abs(x)",                              ("1.0 if x > 0 else -1.0 if x < 0 else 0.0",), "x != 0"),
    Rule("maximum",    "xy", "x if (x > y) | (x != x) else y",      ("1.0 if x > y else 0.5 if x == y else 0.0",
                                                                     "1.0 if x < y else 0.5 if x == y else 0.0"), "x != y"),
    Rule("minimum",    "xy", "x if (x < y) | (x != x) else y",      ("1.0 if x < y else 0.5 if x == y else 0.0",
                                                                     "1.0 if x > y else 0.5 if x == y else 0.0"), "x != y"),
)}

MANY = {rule.name: rule for rule in (
    #         name             operands          value                                     slope for one w, x, b ...
    ManyRule("dot",           ("w", "x", "b"),  "b + w0 * x0 + w1 * x1 + ...",            ("x", "w", "1.0")),
    ManyRule("sum",           ("x",),           "x0 + x1 + ...",                          ("1.0",)),
    ManyRule("mean",          ("x",),           "(x0 + x1 + ...) / n",                    ("1.0 / n",)),
    ManyRule("matmul",        ("x", "w"),       "x @ w",                                  ("u @ w.T", "x.T @ u")),
    ManyRule("pick",          ("x",),           "x[i, column_i]",                         ("u at the picked places, 0.0 elsewhere",)),
    ManyRule("reshape",       ("x",),           "x in another shape",                     ("u in the old shape",)),
    ManyRule("cross_entropy", ("x", "label"),   "log(exp(x0) + exp(x1) + ...) - x_label", ("softmax(x) - (1.0 if x is x_label else 0.0)",)),
)}
# fmt: on


def dot_terms(parents: Sequence[Any]) -> tuple[Any, list[tuple[Any, Any]]]:
    """A dot taken apart: its bias, or None, and its pairs (weight, input) in the order in which they are added.

        >>> dot_terms(["w1", "x1", "b", "w0", "x0"])
        ('b', [('w0', 'x0'), ('w1', 'x1')])

    A dot's parents stand in the order in which their shares are added to their gradients: the last product first, the
    bias just before the first product. Whatever has one entry for each parent comes apart in the same way: their
    names, their sizes, their places.
    """
    rest = list(parents)
    bias = rest.pop(-3 if len(rest) > 1 else 0) if len(rest) % 2 else None
    return bias, list(zip(rest[0::2], rest[1::2]))[::-1]


def scalar_guard(rule: Rule) -> str:
    """Outside the domain: NaN in, NaN out; anything else is an error."""
    is_nan = " or ".join(f"{operand} != {operand}" for operand in rule.inputs)
    nothing = f"nan, ({'nan, ' * len(rule.partials)})"
    return (
        f"    if not ({rule.needs}):\n"
        f"        if {is_nan}:\n            return {nothing}\n"
        f"        raise outside_domain({rule.name!r}, {', '.join(rule.inputs)})\n"
    )


def compile_rule(
    rule: Rule,
    namespace: Mapping[str, Any],
    spell: Callable[[str], str] = str,
    guard: Callable[[Rule], str] = scalar_guard,
) -> Callable[..., Any]:
    """The row as a Python function of its operands that returns `(value, (partial, ...))`.

    `namespace` says what exp, where ... mean, `spell` how a formula is written for it and `guard` what comes before
    the formula when the row has a domain. The text is this page's own, never a user's. The source is registered
    with `linecache`, so a traceback or a debugger shows the very line that ran.
    """
    source = f"def {rule.name}({', '.join(rule.inputs)}):\n"
    source += guard(rule) if rule.needs else ""
    source += f"    z = {spell(rule.value)}\n    return z, ({', '.join(map(spell, rule.partials))},)\n"
    filename = f"<micrograd_lite rule {rule.name}, {namespace['numbers']}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    functions: dict[str, Callable[..., Any]] = {}
    exec(compile(source, filename, "exec"), {**namespace, "outside_domain": outside_domain}, functions)
    return functions[rule.name]


def outside_domain(name: str, *operands: object) -> Exception:
    """The error for operands outside the domain of rule `name`: `log: needs x > 0, got 0.0`."""
    rule = RULES[name]
    if len(operands) == 1:
        return rule.error(f"{name}: needs {rule.needs}, got {operands[0]!r}")
    got = ", ".join(f"{letter} = {operand!r}" for letter, operand in zip(rule.inputs, operands))
    return rule.error(f"{name}: needs {rule.needs}, got {got}")


# Python's own functions raise on overflow where IEEE arithmetic (and NumPy) say inf: these do not.


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _pow(x: float, y: float) -> float:
    if y != y:
        return y  # C says 1 ** nan is 1; here NaN in is NaN out
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:  # 0 to a negative power, met only as a slope: n * x ** (n - 1) at 0
        return math.inf


def _sin(x: float) -> float:
    return math.nan if math.isinf(x) else math.sin(x)


def _cos(x: float) -> float:
    return math.nan if math.isinf(x) else math.cos(x)


SCALAR: dict[str, Any] = {
    **{name: getattr(math, name) for name in ("log", "sqrt", "tanh", "expm1", "log1p", "inf", "nan")},
    **{"exp": _exp, "pow": _pow, "sin": _sin, "cos": _cos, "numbers": "floats"},
}
"""The namespace in which the rows mean arithmetic on Python floats."""
