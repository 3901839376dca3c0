"""The page's numbers: those of the CSV files, digit by digit, and its own forward and backward pass against Python's."""

import csv
import json
import math
from itertools import product
from operator import attrgetter
from random import Random

import pytest

import networks
from chrome import Keys
from micrograd_lite.architecture import ACTIVATIONS
from micrograd_lite.chain.rows import edges
from micrograd_lite.rules import RULES, SCALAR, compile_rule
from micrograd_lite.trace.rebuild import Rebuild
from strategies import holds

HARD = (
    0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 0.5, -0.3, 3.7, 1e-4, 1e-5, 1e15, 1e16, 1e-320, -1e-20, 1e200, -1e200, 709.0, -745.5, 1000.0,
    math.inf, -math.inf, math.nan,
)  # fmt: skip
"""Numbers at which formulas or their texts go wrong: kinks, the ends of exp, exponents, subnormal, infinite, no number."""


def recorded(folder):
    """gradients.csv of a trace: for each step its rows, as text."""
    found = {}
    with open(folder / "gradients.csv", newline="", encoding="utf-8") as file:
        for step, *cells in list(csv.reader(file))[1:]:
            found.setdefault(int(step), []).append(cells)
    return found


def test_every_cell_is_the_one_of_the_csv_file(chrome, pages):
    """XOR, 10,000 steps, 9 parameters: name, before, gradient, update and after, 450,000 cells, none differs."""
    chrome.open(pages.page("xor"))
    shown = chrome.run(CSV).splitlines()
    _, *written = (pages.trace("xor") / "gradients.csv").read_text(encoding="utf-8").splitlines()
    assert len(shown) == len(written) == 90_000 and {line.count(",") for line in written} == {5}
    assert [lines for lines in zip(shown, written) if lines[0] != lines[1]] == []


@pytest.mark.parametrize("name", ["xor", "adam", "iris", "batches"])
def test_the_table_of_the_document_is_the_one_of_the_file(chrome, pages, name):
    """First step, last step and forty in between, to and fro: what a reader sees, or its first part, is the CSV's."""
    written = recorded(pages.trace(name))
    chrome.open(pages.page(name))
    steps = [min(written), max(written), *Random(1).choices(list(written), k=40)]
    shown = json.loads(chrome.run(TABLES, steps))
    assert all(rows for rows in shown)
    assert [step for step, rows in zip(steps, shown) if rows != written[step][: len(rows)]] == []


def test_a_long_table_is_read_part_by_part(chrome, pages):
    """The rows of iris's 131 parameters, turned to the end with Enter, are those of the file, each once."""
    chrome.open(pages.page("iris"))
    found = []
    chrome.run("document.querySelectorAll('#pager button')[1].focus()")
    while len(found) < 131:
        (rows,) = json.loads(chrome.run(TABLES, [60]))
        assert rows and rows[0] not in found
        found += rows
        chrome.keys(Keys.ENTER)
    assert found == recorded(pages.trace("iris"))[60]


@pytest.mark.parametrize("rule", RULES.values(), ids=attrgetter("name"))
def test_a_row_means_in_the_page_what_it_means_in_python(chrome, pages, rule):
    """Value and slopes have the same bits at every hard point of the row's domain: no formula is lost in translation."""
    chrome.open(pages.page("one"))
    points = [point for point in product(HARD, repeat=len(rule.inputs)) if holds(rule.needs, rule, point)]
    found = chrome.run(AT_POINTS, rule.name, [[javascript(number) for number in point] for point in points])
    wanted = []
    for point in points:
        value, slopes = compile_rule(rule, SCALAR)(*point)
        wanted.append([python(number) for number in (value, *slopes)])
    assert [case for case in zip(points, wanted, found) if case[1] != case[2]] == []


CSV = """
return micrograd.steps.map((step) => micrograd.rows(step).map((row) => [step, ...row].join(",")).join("\\n")).join("\\n")"""
TABLES = """
return JSON.stringify(arguments[0].map((step) => {
  micrograd.goTo(step);
  const rows = [...document.querySelectorAll("#step-table tbody tr")];
  return rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
}))"""
AT_POINTS = """
const {RULES, exact} = micrograd, [name, points] = arguments, {value, slopes} = RULES[name];
return points.map((texts) => {
  const point = texts.map(Number), z = value(...point);
  return [exact(z), ...slopes.map((slope) => exact(slope(...point, z)))];
})"""


def python(number):
    """A number as the CSV files have it."""
    return "NaN" if number != number else repr(float(number))


def javascript(number):
    """A number in the words of JavaScript, which knows no -0.0 in JSON either."""
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(number), repr(number))


@pytest.mark.parametrize("name, at, sample", [("adam", 50, 3), ("one", 1, 1), ("batches", 14, 2), ("iris", 30, 120)])
def test_each_edge_of_a_backward_pass_is_the_one_of_the_chain_rule(chrome, pages, name, at, sample):
    """Edge by edge, of any sample at any recorded step: partial, upstream, share and total, with nine digits, in their order."""
    step = Rebuild(pages.trace(name)).step(at)
    chrome.open(pages.page(name), at=f"#step={at}")
    found = json.loads(chrome.run(WALKED, at, sample))
    wanted = [[edge.node.partials[edge.position], edge.upstream, edge.share, edge.total]
              for edge in edges(step.sample(sample), 1.0 / len(step.rows))]  # fmt: skip
    assert found == [[f"{number + 0.0:.9g}" for number in row] for row in wanted]


WALKED = """
const [step, sample] = arguments, [choice, slider] = ["sample", "edge"].map((id) => document.getElementById(id));
choice.value = sample;
choice.dispatchEvent(new Event("change"));
micrograd.goTo(step);
const found = [];
for (let walked = 1; walked <= Number(slider.max); walked++) {
  slider.value = walked;
  slider.dispatchEvent(new Event("input"));
  micrograd.goTo(step);
  found.push([...document.querySelectorAll("#edges tbody tr.chosen td")].slice(3).map((cell) => cell.textContent));
}
return JSON.stringify(found)"""


def test_answers_and_gradients_of_a_hundred_random_networks(chrome, pages, tmp_path):
    """Every activation, every loss: each value and each gradient of two samples, at most 1e-12 of its terms from Python's."""
    chrome.open(pages.page("one"))
    found = networks.compared(chrome, tmp_path)
    assert found.rules >= {*ACTIVATIONS, "dot", "cross_entropy", "power", "mean", "sum"} - {"linear"}
    assert found.numbers > 8_000 and found.worst <= networks.CLOSE
