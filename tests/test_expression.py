"""A typed formula: what it may hold, that it computes what it says, and that everything else is one sentence."""

import math
import operator
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hostile
import micrograd_lite
from micrograd_lite.check import path_sizes
from micrograd_lite.explain.formula import FUNCTIONS, Operation, parse
from micrograd_lite.explain.lines import CHARACTERS, DEPTH, NODES
from micrograd_lite.graph import oldest_first
from micrograd_lite.rules import RULES
from micrograd_lite.scalar import Value
from strategies import programs

UNIT = 2.0**-53
SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "power": "**"}
READABLE = {name for name, rule in RULES.items() if name in (*SIGNS, "neg", *FUNCTIONS)}


def written(program):
    """The formula of a program's last number: every operand put in, in brackets."""

    def operation(name):
        if name == "neg":
            return lambda x: f"(-{x})"
        if name in SIGNS:
            return lambda x, y: f"({x} {SIGNS[name]} {y})"
        return lambda *operands: f"{name}({', '.join(operands)})"

    return program.run([f"x{place}" for place in range(len(program.inputs))], operation)[-1] if program.steps else "x0"


# --- what a formula computes -----------------------------------------------------------------------------------------


@given(program=programs(most=6))
def test_a_formula_is_the_program_that_it_is_written_from(program):
    """The same value in bits, the same gradients within 64 u S: equal parts are one node, so shares may add in another order."""
    program = program._replace(steps=tuple(step._replace(constants=tuple(map(str, step.constants))) for step in program.steps))
    text = written(program)
    numbers = program._replace(steps=tuple(step._replace(constants=tuple(map(float, step.constants))) for step in program.steps))
    nodes = numbers.values()
    root = nodes[-1] if program.steps else nodes[0]
    formula = parse(text)
    inputs = {name: Value(program.inputs[int(name[1:])], name) for name in formula.names}
    made = formula(*inputs.values())
    assert repr(made.data) == repr(root.data)
    sizes = path_sizes(root)
    root.backward()
    made.backward()
    for name, value in inputs.items():
        leaf = nodes[int(name[1:])]
        assert value.grad == pytest.approx(leaf.grad, rel=0, abs=64 * UNIT * sizes.get(leaf, 0.0) + 1e-300)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_of_the_table_can_be_called(name):
    """With as many operands as its row has; the node is made by that row."""
    letters = ("x", "y")[: len(FUNCTIONS[name].inputs)]
    formula = parse(f"{name}({', '.join(letters)})")
    assert formula(*(Value(0.5 + place) for place, _ in enumerate(letters))).rule is RULES[name]


def test_every_row_of_the_table_can_be_written():
    """With an operator or as a function: none is forgotten when one is added."""
    assert set(RULES) == READABLE


@pytest.mark.parametrize(
    "text, value",
    [
        ("2", 2.0), ("-2", -2.0), ("--2", 2.0), ("+x", 3.0), ("-+-x", 3.0), (".5", 0.5), ("5.", 5.0), ("1e-3", 1e-3),
        ("2*3", 6.0), ("2+3*4", 14.0), ("(2+3)*4", 20.0), ("2**3**2", 512.0), ("-x**2", -9.0), ("x**-1", 1 / 3), ("2/4/2", 0.25),
        ("7-4-1", 2.0), ("  x  ", 3.0), ("x\n", 3.0), ("tanh(x,)", math.tanh(3.0)), ("x**(1/2)", math.sqrt(3.0)),
    ],
)  # fmt: skip
def test_precedence_is_pythons(text, value):
    """Signs, powers from the right, the rest from the left; a number may stand alone."""
    assert parse(text)(*([Value(3.0)] if "x" in text else [])).data == value


def test_a_books_functions_are_parts_of_the_table():
    """ln, max, min, mean and softmax have the values that a book gives them, and pi is a number that nobody need give."""
    x, y, z = (Value(number) for number in (0.5, 2.0, -1.0))
    exponentials = [math.exp(value.data) for value in (x, y, z)]
    expected = {
        "ln(x) + 0*y*z": math.log(0.5), "max(x, y, z)": 2.0, "min(x, y, z)": -1.0, "mean(x, y, z)": 0.5,
        "softmax(x, y, z)": exponentials[0] / math.fsum(exponentials), "pi*x + 0*y*z": math.pi / 2,
        "0*x + y^x^2 + 0*z": 2.0**0.25,
    }  # fmt: skip
    for text, value in expected.items():
        assert parse(text)(x, y, z).data == pytest.approx(value, rel=1e-15), text


def test_lines_name_numbers_and_steps():
    """`a = 2` is an input with its number, `d = a*b` a node called d, used by its name; the last line is the formula."""
    formula = parse("a = 2\nb = -3; d = a*b + c\n\ntanh(d)*d")
    assert (formula.names, formula.given) == (("a", "b", "c"), {"a": 2.0, "b": -3.0})
    root = formula(Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c"))
    nodes = {node.label: node for node in oldest_first(root) if node.label}
    assert root.data == math.tanh(4.0) * 4.0 and nodes["d"].data == 4.0 and root.parents[1] is nodes["d"]


def test_a_name_for_a_name_is_the_same_node():
    """`d = a` makes no node; both names mean the input."""
    assert parse("d = a; d*a").names == ("a",) and parse("d = a; d*a")(Value(3.0)).data == 9.0


def test_what_is_written_twice_is_one_node():
    """Operations are shared, numbers are not: each is a leaf of its own."""
    x = Value(3.0, "x")
    root = parse("(x + 1)*(x + 1) + 1")(x)
    assert [node.rule.name for node in oldest_first(root) if node.parents] == ["add", "mul", "add"]
    assert sum(node.data == 1.0 and not node.parents for node in oldest_first(root)) == 2


def test_numbers_that_are_equal_but_not_alike_stay_apart():
    """-0.0 is not 0.0, and the number 1.0 is not the second step."""
    assert parse("x*0 + 1/(x*-0 - 1)")(Value(3.0)).data == -1.0
    assert math.copysign(1.0, parse("x * -0.0")(Value(3.0)).data) == -1.0
    steps = parse("tanh(x) + (exp(x)*1 + exp(x)*exp(x))").steps
    assert Operation("mul", (1, 1.0)) in steps and Operation("mul", (1, 1)) in steps
    assert len({repr(step) for step in steps}) == len(steps) == 6


def test_a_number_as_exponent_has_no_slope():
    """x**3 works for a negative x; a formula as exponent needs a positive base."""
    assert parse("x**3")(Value(-2.0)).data == -8.0
    assert parse("x**-3")(Value(-2.0)).rule is RULES["power"]
    with pytest.raises(ValueError, match=r"^pow: needs x > 0, got x = -2.0, y = 3.0$"):
        parse("x**y")(Value(-2.0), Value(3.0))


def test_names_stand_in_the_order_in_which_they_are_written():
    """Each once; words that only Python knows are fine."""
    assert parse("tanh(w*x + b) * x - print").names == ("w", "x", "b", "print")


# --- what is refused -------------------------------------------------------------------------------------------------


def nest(depth):
    return "tanh(" * depth + "x" + ")" * depth


@pytest.mark.parametrize(
    "largest, larger",
    [
        (nest(DEPTH - 1), nest(DEPTH)),
        (f"{'x' * CHARACTERS}", f"{'x' * (CHARACTERS + 1)}"),
        ("(" * DEPTH + "x" + ")" * DEPTH, "(" * (DEPTH + 1) + "x" + ")" * (DEPTH + 1)),
    ],
)
def test_the_limits_are_what_the_page_says(largest, larger):
    """At the limit all is well, one more is refused."""
    parse(largest)
    with pytest.raises(ValueError, match=r"^a formula may "):
        parse(larger)


def test_a_thousand_nodes_are_fine_and_one_more_is_not():
    """Numbers, names and operations count; brackets do not."""

    def tree(leaves):
        return "x" if leaves == 1 else f"({tree(leaves // 2)} + {tree(leaves - leaves // 2)})"

    assert len(re.findall(r"[-x+]", f"-{tree(500)}")) == NODES
    parse(f"-{tree(500)}")
    with pytest.raises(ValueError, match=r"^a formula may have 1,000 numbers, names and operations; this one has more$"):
        parse(f"-{tree(500)}*x")


def test_hostile_formulas_are_one_line_each():
    """Exit code 2, one line, under a second and 200 MB: attributes, calls, towers of powers, 100,000 minus signs ..."""
    environment = {**os.environ, "PYTHONPATH": str(Path(micrograd_lite.__file__).parent.parent)}
    command = [sys.executable, "-W", "error", hostile.__file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert len(hostile.HOSTILE) >= 30 and done.stdout.count("exit 2") == len(hostile.HOSTILE)


@given(text=st.text(st.sampled_from("x1.e+-*/^;() ,tanh_v0\u00e9\0'[=:"), max_size=30))
def test_any_text_is_a_formula_or_one_sentence(text):
    """Never anything but ValueError or ZeroDivisionError, and its message is short, ASCII and one line."""
    try:
        parse(text)
    except (ValueError, ZeroDivisionError) as error:
        assert len(str(error)) < 400 and str(error).isascii() and "\n" not in str(error)


@pytest.mark.parametrize(
    "text, words",
    [
        ("tanhh(x)", r"^'tanhh' is no function of the table \(did you mean tanh\?\); known: exp, log, "),
        ("f(x)", r"^'f' is no function of the table; known: exp, log, sqrt, .*minimum, ln, max, min, mean, softmax$"),
        ("tanh + 1", r"^tanh is a function: write tanh\(x\), or choose another name$"),
        ("v3 + 1", r"^'v3' reads like the name of an unnamed node, v0, v1, \.\.\.; choose another name$"),
        ("maximum(x)", r"^maximum takes 2 operands: write maximum\(x, y\)$"),
        ("9**9**9", r"^the numbers of this formula are too large: a pow of them is inf$"),
        ("x&2", r"'&2' at character 2 is none of these$"),
        ("mean()", r"^mean takes at least 1 operand: write mean\(x, \.\.\.\)$"),
        ("softmax(x)", r"^softmax takes at least 2 operands: write softmax\(x, y, \.\.\.\)$"),
        ("a*b; c", r"^only the last line of a formula may be without a name; write 'd = a\*b'$"),
        ("d = a*b; d = 2; d", r"^'d' stands in an earlier line already; choose another name$"),
        ("d = a*b; a = 2; d", r"^'a' stands in an earlier line already; choose another name$"),
        ("2 = a; a", r"^'2' is no name; a line of a formula begins with one name, as in 'd = a\*b \+ c'$"),
        ("pi = 3; pi", r"^pi is the number 3\.14"),
    ],
)
def test_a_mistake_is_named(text, words):
    """What was written, and what can be written instead."""
    with pytest.raises(ValueError, match=words):
        parse(text)


@pytest.mark.parametrize("text", [None, 3, b"x", ["x"]])
def test_a_formula_is_text(text):
    """Anything else is a TypeError."""
    with pytest.raises(TypeError, match=r"^a formula is text, got "):
        parse(text)


def test_operators_are_those_of_values():
    """What a formula does with its signs is what a program does with them."""
    for name, sign in SIGNS.items():
        by_hand = {"div": operator.truediv, "power": operator.pow}.get(name) or getattr(operator, name)
        assert parse(f"x {sign} y")(Value(3.0), Value(2.0)).data == by_hand(Value(3.0), Value(2.0)).data
