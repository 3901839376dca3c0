"""Tables for people: aligned text, Markdown and CSV of the same rows, and the gradient table of a recorded step."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite.data import xor
from micrograd_lite.losses import mse
from micrograd_lite.module import Module
from micrograd_lite.nn import MLP
from micrograd_lite.optim import SGD, Adam
from micrograd_lite.rules import MANY, RULES
from micrograd_lite.scalar import Value
from micrograd_lite.text.tables import rules_table, table
from micrograd_lite.trace import Trace, Tracer
from micrograd_lite.trace.show import gradient_table
from micrograd_lite.training import train

HEADER, ROWS = ("name", "ten", "longer", "note"), [("a", "1", "2.5", "first"), ("bcdef", "-10", "nan", "")]
CELLS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8)


def test_text_is_aligned():
    """Words to the left, numbers to the right, a rule as long as the longest line, no blanks at the end of a line."""
    assert table(HEADER, ROWS) == (
        "name   ten  longer  note\n"
        "-------------------------\n"
        "a        1     2.5  first\n"
        "bcdef  -10     nan\n"
    )  # fmt: skip


def test_markdown_is_aligned():
    """The same with Markdown's rule; a bar inside a cell is escaped and does not end it."""
    assert table(HEADER, [*ROWS, ("a|b", "3", "4", "5")], "markdown") == (
        "| name  | ten | longer | note  |\n"
        "| ----- | --: | -----: | ----- |\n"
        "| a     |   1 |    2.5 | first |\n"
        "| bcdef | -10 |    nan |       |\n"
        "| a\\|b  |   3 |      4 | 5     |\n"
    )


@pytest.mark.parametrize("header, row", [(("n", "name"), ("1", "a")), (("name", "n"), ("a", "1"))])
def test_markdown_rules_have_a_dash(header, row):
    """Under a column of one digit too: without a dash GitHub shows no table at all."""
    rule = table(header, [row], "markdown").splitlines()[1]
    assert all(re.fullmatch(":?-+:?", cell.strip()) for cell in rule.strip("|").split("|"))


def test_csv_is_csv():
    """Commas and quotes are quoted."""
    assert table(("a", "b"), [("x,y", 'say "z"')], "csv") == 'a,b\n"x,y","say ""z"""\n'


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_csv_reads_back(rows):
    """Whatever the cells hold, the reader finds the same rows."""
    assert list(csv.reader(io.StringIO(table(("h", "i"), rows, "csv")))) == [["h", "i"], *map(list, rows)]


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_markdown_lines_are_equally_wide(rows):
    """So that the source reads as a table too: every bar of a column stands in the same place."""
    lines = table(("h", "i"), rows, "markdown").splitlines()
    assert len(lines) == len(rows) + 2 and len(set(map(len, lines))) == 1


def test_a_table_without_rows_is_its_header():
    """In all three forms."""
    assert table(HEADER, []) == "name  ten  longer  note\n-----------------------\n"
    assert [len(table(HEADER, [], form).splitlines()) for form in ("text", "markdown", "csv")] == [2, 2, 1]


# --- the gradient table ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trace") / "xor"
    with Tracer(folder, every=2) as tracer:
        for step in train(MLP(2, [1, 1], "tanh"), xor(), loss=mse, optimizer=Adam(lr=0.1), epochs=5):
            tracer.watch(step)
    return Trace(folder)


@pytest.mark.parametrize("step", [1, 2, 4, 5])
def test_csv_is_exact(trace, step):
    """Every number reads back to the bit of the trace's own row."""
    header, *rows = csv.reader(io.StringIO(gradient_table(trace, step, "csv")))
    assert header == ["parameter", "before", "gradient", "update", "after"]
    assert [(row[0], *map(float, row[1:])) for row in rows] == [tuple(row[1:]) for row in trace.gradients(step)]


@pytest.mark.parametrize("form, skipped", [("text", 2), ("markdown", 2)])
def test_people_get_nine_digits(trace, form, skipped):
    """Every parameter in order, numbers rounded to nine significant digits."""
    lines = gradient_table(trace, 2, form).splitlines()[skipped:]
    for line, row in zip(lines, trace.gradients(2), strict=True):
        name, *numbers = line.replace("|", " ").split()
        assert name == row.parameter
        assert numbers == [f"{number:.9g}" for number in (row.before, row.gradient, row.update, row.after)]


def test_the_last_recorded_step_is_the_default(trace):
    """Step 5, the last of the run, in each form."""
    for form in ("text", "markdown", "csv"):
        assert gradient_table(trace, form=form) == gradient_table(trace, 5, form)


@pytest.mark.parametrize("step", [0, 3, 6, -1])
def test_a_step_that_is_not_recorded_is_refused(trace, step):
    """The sentence says which are."""
    with pytest.raises(ValueError, match=rf"step {step} is not in .*gradients\.csv; recorded steps: 1, 2, 4, 5"):
        gradient_table(trace, step)


def test_a_trace_without_steps_has_no_table(tmp_path):
    """ValueError that names the folder."""
    with Tracer(tmp_path / "empty"):
        pass
    with pytest.raises(ValueError, match="empty has no recorded step"):
        gradient_table(Trace(tmp_path / "empty"))


class Named(Module):
    """y = v*a + w*b, with parameters named by someone who did not think of spreadsheets."""

    def __init__(self):
        self.v, self.w = Value(1.0), Value(2.0)

    def __call__(self, inputs):
        return self.v * inputs[0] + self.w * inputs[1]

    def predict(self, inputs):
        return self.v.data * inputs[0] + self.w.data * inputs[1]

    def parts(self):
        return [("=1+1", self.v), ("a|b,c", self.w)]


def test_names_cannot_become_formulas(tmp_path):
    """A parameter called =1+1 or a|b is shown with an apostrophe or an escaped bar, and reads back in CSV as one cell."""
    with Tracer(tmp_path / "names") as tracer:
        for step in train(Named(), xor(), loss=mse, optimizer=SGD(lr=0.1), epochs=1):
            tracer.watch(step)
    trace = Trace(tmp_path / "names")
    rows = list(csv.reader(io.StringIO(gradient_table(trace, form="csv"))))
    assert [row[0] for row in rows] == ["parameter", "'=1+1", "a|b,c"]
    assert "a\\|b,c" in gradient_table(trace, form="markdown")


# --- the derivative table --------------------------------------------------------------------------------------------


def test_the_derivative_table_has_every_row():
    """Every operation once, in the order of the page, with its own formulas; exact in CSV."""
    header, *rows = csv.reader(io.StringIO(rules_table("csv")))
    assert [row[0] for row in rows] == [*RULES, *MANY]
    for row in rows[: len(RULES)]:
        rule = RULES[row[0]]
        assert row[1:] == [rule.value, ", ".join(rule.partials), rule.needs, rule.smooth]
    assert {len(row) for row in rows} == {len(header)} == {5}


def test_the_derivative_table_in_markdown_shows_code():
    """Formulas stand between backticks, with their bars escaped; every line has five cells."""
    lines = rules_table("markdown").splitlines()
    assert len(lines) == 2 + len(RULES) + len(MANY)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {6}
    assert "| `x * y`" in rules_table("markdown")
