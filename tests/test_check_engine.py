"""Checking somebody's engine: planted mistakes are found and named, right engines pass, and no file hangs or breaks the check.

`python tests/engines.py` has every mistake, through the command; here each kind has one, most of them in this process.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import closures
from micrograd_lite import Value, classroom
from micrograd_lite.classroom import gradient_properties, loading, networks, probes, properties, verdict
from micrograd_lite.classroom.adapter import CannotCheck, Engine, engine_in
from micrograd_lite.classroom.checking import check_engine
from micrograd_lite.classroom.programs import Program, Step
from micrograd_lite.classroom.reference import dependable, derive
from micrograd_lite.cli import main

MISTAKES = {mistake.name: mistake for mistake in (*closures.signs(), *closures.LAB, *closures.OWN)}
HERE = (
    "sign of sub y", "overwritten", "unordered", "never_zeroed", "updated_too_early", "bias_forgotten", "sum_for_mean",
    "uncorrected", "eps_inside", "upstream forgotten in mul", "power not lowered", "rsub turned round", "not reversed",
    "no visited", "equal by number", "iadd moves the number", "exp keeps no operand", "root gradient forgotten",
)  # fmt: skip


def found(text, name="mine.py"):
    """What is wrong with an engine, without the limits on time and memory of a process of its own."""
    module, left_out = ModuleType("mine"), []
    loading.run(loading.Source(name, text), module, left_out)
    engine = Engine(engine_in(vars(module)), vars(module))
    tried = {name: properties.operation(engine, name) for name in engine.known}
    offered = {name: operation for name, operation in tried.items() if operation.forms}
    findings = probes.found_in(engine, offered)
    findings += [] if findings else networks.of_networks(engine, vars(module))
    return [finding for finding in findings if finding.kind in ("wrong", "differs")]


@pytest.fixture
def mine(tmp_path):
    """A function that writes a file and returns its path."""

    def write(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize("name", HERE)
def test_a_planted_mistake_is_the_only_thing_found(name):
    """It is named by what it is about, and nothing that follows from it is told beside it."""
    findings = found(MISTAKES[name].planted())
    assert [finding.about for finding in findings] == [MISTAKES[name].about]
    about_a_rule = findings[0].about in closures.TWO or findings[0].about in closures.ONE
    assert not about_a_rule or 2 <= len(findings[0].counterexample) <= 3


def test_the_plain_engine_is_right():
    """Without a mistake there is nothing to find: the mistakes are what is found."""
    assert found(closures.RIGHT) == []


@pytest.mark.parametrize("name, line", [
    ("overwritten", "self.grad = (other.data) * out.grad  # mul x"),
    ("power not lowered", "self.grad += (other * self.data ** other) * out.grad  # power x"),
    ("whole division", "z = self.data // other.data"),
    ("not reversed", "for v in topo:"),
])  # fmt: skip
def test_the_likely_line_is_the_line_that_was_changed(name, line):
    """With its number in their file."""
    text = MISTAKES[name].planted()
    (finding,) = found(text)
    number = max(at for at, one in enumerate(text.splitlines(), 1) if " ".join(one.split()) == " ".join(line.split()))
    assert finding.line == f"mine.py, line {number}: {' '.join(line.split())}"


def test_what_follows_from_a_wrong_operation_is_not_told_as_wrong_itself():
    """Where a - b is a + (-b), and -b is b * -1, a wrong mul is one finding that names sub and neg."""
    made = {"__sub__": "self + (-other)", "__neg__": "self * -1"}
    text = closures.RIGHT
    for method, expression in made.items():
        start = text.index(f"    def {method}(self")
        end = text.index("\n    def ", start + 1)
        head = text[start : text.index("\n", start)]
        text = f"{text[:start]}{head}\n        return {expression}\n{text[end:]}"
    assert found(text) == []
    (finding,) = found(text.replace("self.grad += (other.data)", "self.grad -= (other.data)"))
    assert finding.about == "mul" and {"sub", "neg"} <= set(finding.makes_wrong)


def test_a_mistake_in_every_operation_is_told_once():
    """`=` for `+=` everywhere is one thing to learn."""
    (finding,) = found(closures.RIGHT.replace(".grad += (", ".grad = ("))
    assert finding.about == "accumulation" and "mul" in finding.makes_wrong


def test_an_engine_whose_answers_change_is_told_so():
    """Slopes zipped with a set of parents go to one or the other, as chance has it: no counterexample with numbers."""
    text = closures.RIGHT.replace("            self.grad += (other.data) * out.grad  # mul x\n", '''\
            for parent, slope in zip(out._prev, (other.data, self.data)):
                parent.grad += slope * out.grad
''').replace("            other.grad += (self.data) * out.grad  # mul y\n", "")  # fmt: skip
    (finding,) = found(text)
    assert (finding.kind, finding.about, finding.got) == ("differs", "mul", "")


BOX = """
class Box:
    def __init__(self):
        self.cell = [0.0]

    def item(self):
        return self.cell[0]


"""


def test_gradients_may_be_objects_that_are_changed():
    """Where a gradient holds its number in an array, each leaf gets one of its own between two graphs."""
    engine = closures.RIGHT[: closures.RIGHT.index("class Neuron")].replace("self.grad = 0.0", "self.grad = Box()", 1)
    engine = re.sub(r"\.grad (\+?=) (?!Box)", r".grad.cell[0] \1 ", engine).replace("* out.grad", "* out.grad.item()")
    assert found(BOX + engine) == []


@pytest.mark.parametrize("old, new", [
    ("return z.tanh()", "return z.tanh() * 0.5 + z"),
    ("def __init__(self, parameters, lr):", "def __init__(self, parameters, lr, momentum=0.9):"),
    ("sum(losses) / len(losses)", "sum(losses) / len(losses) / 2"),
    ("else 0.1 * self.data", "else 0.2 * self.data"),
    ("lr=0.001, beta1=0.9", "lr=0.01, beta1=0.5"),
], ids=["an activation of one's own", "momentum", "half the mean", "another leak", "other settings"])  # fmt: skip
def test_what_is_a_matter_of_choice_is_not_wrong(old, new):
    """Activations that we do not know, defaults of an optimizer, the factor of a loss, the size of a leak."""
    text = closures.RIGHT.replace(old, new).replace("else 0.1)", "else 0.2)" if "0.2" in new else "else 0.1)")
    assert text != closures.RIGHT and found(text) == []


def test_other_names_are_understood():
    """value, gradient, backprop, ReLU, a flag that asks for gradients, functions beside the class."""
    text = closures.RIGHT.replace(".data", ".value").replace(".grad", ".gradient").replace("backward(self)", "backprop(self)")
    text = text.replace("def relu(", "def ReLU(")
    text = text.replace("self, data, children=()", "self, value, children=(), requires_grad=False")
    text = text.replace("self.value = data", "self.value = value").replace("def exp(self)", "def _exp(self)")
    text += "\n\ndef exp(x):\n    return x._exp()\n"
    module = ModuleType("mine")
    loading.run(loading.Source("mine.py", text), module, [])
    engine = Engine(engine_in(vars(module)), vars(module))
    assert (engine.data, engine.grad, engine.backward) == ("value", "gradient", "backprop")
    assert engine.options == {"requires_grad": True}
    assert engine.spelled["relu"] == "ReLU" and engine.spelled["exp"] == "exp("
    assert found(text.replace(".backward()", ".backprop()")) == []


def test_our_own_value_passes():
    """The engine of this package, by the test kit: every operation of the table, and whole graphs."""
    tests = gradient_properties(Value)()
    names = [name for name in dir(tests) if name.startswith("test_")]
    assert len(names) > 22
    for name in names:
        getattr(tests, name)()


def test_the_kit_takes_an_operation_beyond_the_table():
    """It is held against a formula over the table: a method with a wrong slope fails with the counterexample."""
    module = ModuleType("mine")
    method = '''
    def swish(self):
        s = 1.0 / (1.0 + math.exp(-self.data))
        out = Value(self.data * s, (self,), "swish")

        def _backward():
            self.grad += (s + SIGN * self.data * s * (1.0 - s)) * out.grad

        out._backward = _backward
        return out

    def exp(self)'''
    formula = {"swish": lambda x: x * x.sigmoid()}
    for sign, right in (("1.0", True), ("-1.0", False)):
        text = closures.RIGHT.replace("\n    def exp(self)", method.replace("SIGN", sign))
        loading.run(loading.Source("mine.py", text), module, [])
        test = gradient_properties(module.Value, **formula)().test_swish
        if right:
            test()
        else:
            with pytest.raises(AssertionError, match=r"(?s)^swish: .*b = a\.swish\(\)"):
                test()
    with pytest.raises(AssertionError, match="offers no swish"):
        gradient_properties(Value, **formula)().test_swish()
    with pytest.raises(AttributeError, match="it has gradient_properties"):
        classroom.properties_of_gradients  # noqa: B018


@pytest.mark.parametrize("inputs, steps", [
    ((0.0,), (Step("relu", (0,)),)),
    ((2.0, 2.0), (Step("maximum", (0, 1)),)),
    ((-1.0,), (Step("log", (0,)),)),
    ((1.0,), (Step("sub", (0, 0)), Step("power", (1, 0.5)))),
    ((5.0,), (Step("exp", (0,)), Step("exp", (1,)))),
], ids=["kink", "tie", "domain", "border", "large"])  # fmt: skip
def test_a_program_in_which_a_rounding_matters_proves_nothing(inputs, steps):
    """Kinks, ties, borders of a domain and numbers beyond everyday size are no counterexamples."""
    assert dependable(Program(inputs, steps)) is None


def test_the_reference_is_forward_duals():
    """Values, gradients of all numbers, and the size of their terms: (a*b + a) * a*b at 2 and 3."""
    program = Program((2.0, 3.0), (Step("mul", (0, 1)), Step("add", (2, 0)), Step("mul", (3, 2))))
    derived = derive(program)
    assert derived.values == [2.0, 3.0, 6.0, 8.0, 48.0] and derived.gradients == [48.0, 28.0, 14.0, 6.0, 1.0]
    assert derived.sizes == derived.gradients  # nothing is subtracted
    assert program.lines() == ["a, b = Value(2.0), Value(3.0)", "c = a * b", "d = (c + a) * c", "d.backward()"]


def test_unused_lines_are_removed():
    """What does not reach the last number, inputs too; at least one number stays."""
    program = Program((2.0, 3.0, 0.5), (Step("exp", (0,)), Step("mul", (1, 1)), Step("neg", (4,)), Step("add", (4, 2))))
    assert program.without_unused() == Program((3.0, 0.5), (Step("mul", (0, 0)), Step("add", (2, 1))))


# --- files ---


NOTEBOOK = {"cells": [
    {"cell_type": "markdown", "source": ["# my engine"]},
    {"cell_type": "code", "source": "%matplotlib inline\nimport matplotlib.pyplot as plt\n!pip list"},
    {"cell_type": "code", "source": "class Value:\n    def backward(self):\n        raise TypeError('an early try')\n"},
    {"cell_type": "code", "source": [line + "\n" for line in closures.RIGHT.splitlines()]},
    {"cell_type": "code", "source": "def cube(self):\n    return self * self * self\nValue.cube = cube\nplt.plot([1])\n1 / 0"},
    {"cell_type": "code", "source": "this is no Python("},
]}  # fmt: skip


def test_a_notebook_is_checked_as_it_stands(mine):
    """Magic lines, a class that is written again, a method given to it later; what was not run is said, by cell and line."""
    path = mine(json.dumps(NOTEBOOK), "mine.ipynb")
    checked = check_engine(path)
    assert (checked.code, checked.cls, checked.cannot) == (0, "Value", "")
    assert checked.left_out[0] == "mine.ipynb, cell 5, lines 4, 5: not run, no definition"
    assert checked.left_out[1].startswith("mine.ipynb, cell 6, line 1: syntax error: ")


def test_a_neighbour_is_read_in_the_same_way(mine):
    """A module beside the file is imported without what it does; a module of the standard library keeps its name."""
    mine(closures.RIGHT + "\nwhile True:\n    pass\n", "engine.py")
    checked = check_engine(mine("from engine import Value\nprint(1 / 0)\n", "homework.py"))
    assert (checked.code, checked.cls, checked.left_out) == (0, "Value", ["homework.py, line 2: not run, no definition"])


BROKEN = "        z = self.data * other.data\n"
VALUE = "class Value:\n    def __init__(self, {}): self.q = [2.0]\n    def backward(self): pass\n"
HOSTILE = [
    ("syntax", "class Value:\n    def backward(self)\n", r"mine\.py, line 2: syntax error: expected ':': def backward\(self\)"),
    ("no class", "class Dog:\n    pass\n", r"there is no class with a method backward\(\); classes here: Dog"),
    ("null bytes", closures.RIGHT + "\0", "it has null bytes in it, so it is no text"),
    ("endless", ("        while True: pass\n", ), r"it does not come to an end, while trying .*mine\.py, line 44, in __mul__"),
    ("endless definition", "class Value:\n    while True: pass\n", "it does not come to an end, while running its definitions"),
    ("os._exit", ("        import os; os._exit(0)\n", ), r"its process ended with code 0 and no result \(os\._exit"),
    ("exit", ("        raise SystemExit\n", ), r"it calls exit\(\), while trying its operations"),
    ("input", ("        input('go? ')\n", ), r"it asks with input\(\), and nobody answers"),
    ("memory", ("        x = bytearray(10 ** 11)\n", ), "it needs more than 3 GB of memory"),
    ("missing", "import nowhere_to_be_found as np\n" + closures.RIGHT.replace(BROKEN, "        z = np.multiply(1, 2)\n"),
     "it needs the package 'nowhere_to_be_found', which is not installed here"),
    ("missing base", "from nowhere_to_be_found import B\nclass Value(B):\n    pass\n", "there is no class .*No module named"),
    ("other arguments", VALUE.format("a, b"), r"Value\(2\.0\) raises TypeError: "),
    ("no number", VALUE.format("a"), "a fresh Value has the number 2.0 under none of these names: data, value"),
]  # fmt: skip


@pytest.mark.parametrize("text, sentence", [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_file_that_cannot_be_checked_has_a_sentence(mine, capsys, text, sentence):
    """Exit code 2, one sentence, nothing on stderr."""
    text = closures.RIGHT.replace(BROKEN, text[0] + BROKEN) if isinstance(text, tuple) else text
    assert main(["check", mine(text)]) == 2
    printed = capsys.readouterr()
    assert printed.err == ""
    assert re.search(f"^mine.py cannot be checked: {sentence}", printed.out), printed.out


def test_what_a_file_prints_is_not_part_of_the_report(mine, capfd):
    """Ten million letters at each product, on both streams."""
    noise = "        import sys; print('x' * 100_000); sys.stderr.write('y' * 100_000)\n"
    assert main(["check", mine(closures.RIGHT.replace(BROKEN, noise + BROKEN))]) == 0
    printed = capfd.readouterr()
    assert printed.err == "" and len(printed.out) < 2_000


def test_the_report_is_the_same_in_every_run(mine, capsys):
    """Word for word: hypothesis draws the same programs, hashes are fixed."""
    path, said = mine(MISTAKES["no visited"].planted()), set()
    for _ in range(2):
        assert main(["check", path]) == 1
        said.add(capsys.readouterr().out)
    assert len(said) == 1


# --- the formats ---


@pytest.fixture(scope="module")
def wrong_sub(tmp_path_factory):
    """An engine with a wrong sub, checked once."""
    path = tmp_path_factory.mktemp("check") / "mine.py"
    path.write_text(MISTAKES["sign of sub y"].planted(), encoding="utf-8")
    return check_engine(str(path))


def test_the_report_in_words(wrong_sub):
    """What is wrong, the counterexample, the likely line; limits beyond the lecture; that it is no security boundary."""
    text = verdict.text(wrong_sub)
    assert "WRONG 1: sub\n  the slope of x - y toward y is -1.0; the sign is turned\n      a, b = Value(2.0)" in text
    assert "the gradient of b is 1 and should be -1\n  likely mine.py, line " in text
    assert "long chains: a chain of 5,000 operations: RecursionError" in text and "no security boundary" in text
    assert "likely" not in verdict.text(wrong_sub, hidden=True) and "Value(2.0)" not in verdict.text(wrong_sub, hidden=True)


def test_the_report_for_programs(wrong_sub):
    """JSON with the same facts, and hidden without the counterexample."""
    told = json.loads(json.dumps(verdict.as_dict(wrong_sub)))
    assert told["exit_code"] == 1 and told["findings"][0]["about"] == "sub" and told["findings"][0]["counterexample"]
    assert "sub" not in told["right"] and "mul" in told["right"]
    assert verdict.as_dict(wrong_sub, hidden=True)["findings"][0]["counterexample"] == []


def test_the_results_of_gradescope(wrong_sub):
    """A test for each operation with its points: score, max_score, output; the sum is the score."""
    told = verdict.gradescope(wrong_sub, weights={"sub": 2, "mul": 3, "graphs": 5})
    assert [(test["score"], test["max_score"], test["status"]) for test in told["tests"]] == [
        (0.0, 2.0, "failed"), (3.0, 3.0, "passed"), (5.0, 5.0, "passed"),
    ]  # fmt: skip
    assert told["score"] == 8.0 and "the sign is turned" in told["tests"][0]["output"]


@pytest.mark.parametrize("text, sentence", [
    ("[]", "points are an object"), ("{", "points are JSON"), ('{"mull": 1}', "'mull' gets no points; choose from add, sub"),
    ('{"mul": -1}', "at least 0, got -1"), ('{"mul": "x"}', "at least 0, got 'x'"),
])  # fmt: skip
def test_points_that_are_none_are_refused(tmp_path, text, sentence):
    """In a sentence that names the file and the name."""
    (tmp_path / "points.json").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        verdict.points(str(tmp_path / "points.json"))


def test_the_command_says_what_it_cannot_do(mine, capsys, tmp_path):
    """No such file, another kind of file, points without a place for them: one line, exit code 2."""
    for arguments, sentence in (
        (["nowhere.py"], "error: nowhere.py: there is no such file\n"),
        (["README.md"], "error: README.md: a Python file (.py) or a notebook (.ipynb) is checked\n"),
        ([mine(""), "--points", "x.json"], "error: --points are for --format gradescope\n"),
    ):
        assert main(["check", *arguments]) == 2
        assert capsys.readouterr().err == sentence


def test_without_hypothesis_there_is_one_sentence(mine):
    """Exit code 2, and how to get it."""
    program = "import sys; sys.modules['hypothesis'] = None\n"
    program += "from micrograd_lite.cli import main; sys.exit(main(['check', sys.argv[1]]))"
    done = subprocess.run([sys.executable, "-c", program, mine(closures.RIGHT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: this needs the package 'hypothesis': pip install hypothesis\n"


def test_a_class_can_be_chosen(mine):
    """By its name; an unknown one is a sentence with those that are there."""
    module = ModuleType("mine")
    loading.run(loading.Source("mine.py", closures.RIGHT), module, [])
    assert engine_in(vars(module), "Value") is module.Value
    for name, sentence in (("Number", "there is no class 'Number'; classes here: Value,"), ("MLP", "has no method backward")):
        with pytest.raises(CannotCheck, match=sentence):
            engine_in(vars(module), name)


# --- the documentation ---


DOCS = Path(__file__).parent.parent / "docs"


def blocks(page, kind):
    """The blocks of a page that are marked so."""
    return re.findall(rf"```{kind}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def test_the_report_in_the_documentation_is_what_is_printed(mine, capsys):
    """docs/checking-an-engine.md: the file as it stands there, and what is said of it."""
    (program,), (report,) = blocks("checking-an-engine.md", "python"), blocks("checking-an-engine.md", "text")
    assert main(["check", mine(program)]) == 1
    assert capsys.readouterr().out.startswith(report.removesuffix("...\n"))


def test_the_operation_of_the_documentation_is_tested_by_pytest(tmp_path):
    """docs/adding-an-operation.md: the file passes, and with the sign turned it fails with the words that stand there."""
    (program,), (report,) = blocks("adding-an-operation.md", "python"), blocks("adding-an-operation.md", "text")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_swish.py"]
    package = {**os.environ, "PYTHONPATH": str(DOCS.parent)}
    for text, code in ((program, 0), (program.replace("+ z * (1.0", "- z * (1.0"), 1)):
        (tmp_path / "test_swish.py").write_text(text, encoding="utf-8")
        done = subprocess.run(command, cwd=tmp_path, env=package, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout
    printed = "\n".join(line.removeprefix("E").removeprefix("  ") for line in done.stdout.splitlines())
    for line in report.replace("...", "").splitlines():
        assert line.strip() in printed
