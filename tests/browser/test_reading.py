"""The page as it is read: by keyboard alone, light and dark, on a telephone, on paper, at any step of the address."""

import json
import re
import zlib
from random import Random

import pytest

from chrome import Keys
from micrograd_lite.trace.rebuild import Rebuild
from test_numbers import recorded

ALL = ("xor", "moons", "iris", "adam", "line", "batches", "hostile", "one")
FOCUSED = "return document.activeElement.id"
TEXT = "return document.getElementById(arguments[0]).textContent"
STEP = "return [micrograd.state.index, document.getElementById('number').value, document.getElementById('moment').innerText]"


def tab_to(chrome, name):
    """Press the tabulator until the element of this id has the focus; it must be within reach of the keyboard."""
    for _ in range(200):
        if chrome.run(FOCUSED) == name:
            return
        chrome.keys(Keys.TAB)
    raise AssertionError(f"the tabulator never came to #{name}")


def shown_step(chrome):
    """The step that the page shows, once it has drawn it: the number field, the sentence and the state agree."""
    chrome.run("return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    index, number, moment = chrome.run(STEP)
    step = chrome.run("return micrograd.steps[arguments[0]]", index)
    assert int(number) == step and moment.startswith(f"step {step:,} of "), (number, moment)
    return step


@pytest.mark.parametrize("name", ALL)
def test_axe_finds_nothing(chrome, pages, name):
    """No rule of axe-core is violated, in light and in dark, on a wide page and on a telephone's."""
    for dark, width in ((False, 1280), (True, 360)):
        chrome.open(pages.page(name), dark=dark, width=width)
        passes, violations = chrome.axe()
        assert violations == [] and passes > 20


@pytest.mark.parametrize("name", ALL)
def test_a_telephone_is_wide_enough(chrome, pages, name):
    """At 360 and at 320 pixels nothing makes the page wider than its window."""
    for width in (360, 320):
        chrome.open(pages.page(name), at="#step=2", width=width)
        assert chrome.overflow()[0] == 0


@pytest.mark.parametrize("name", ALL)
def test_no_label_of_a_drawing_is_cut_off(chrome, pages, name):
    """Names of features, layers and axes, and the numbers at the axes, stand within their drawing, narrow and wide."""
    for width in (360, 1280):
        chrome.open(pages.page(name), width=width)
        assert chrome.run(CUT_OFF) == []


CUT_OFF = """
return [...document.querySelectorAll("svg:not(.graph) text")].filter((text) => {
  const {x, width} = text.getBBox();
  return x < 0 || x + width > text.ownerSVGElement.viewBox.baseVal.width;
}).map((text) => text.textContent)"""


def test_the_slider_goes_by_keyboard(chrome, pages):
    """Arrows one step, Home and End the first and the last; each move is told as the slider's value, and in words."""
    chrome.open(pages.page("adam"))
    tab_to(chrome, "slider")
    told = []
    for key in (Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_UP, Keys.ARROW_LEFT, Keys.END, Keys.ARROW_DOWN):
        chrome.keys(key)
        told.append(shown_step(chrome))
        assert chrome.run("return document.getElementById('slider').ariaValueText || "
                          "document.getElementById('slider').getAttribute('aria-valuetext')").startswith(f"step {told[-1]} of 60")
    assert told == [1, 2, 3, 2, 60, 59]


def test_play_and_pause_by_keyboard(chrome, pages):
    """Enter on the button plays from the first step on, Enter again stops it there, and it says which of the two it does."""
    chrome.open(pages.page("xor"))
    tab_to(chrome, "play")
    assert chrome.run(TEXT, "play") == "Play"
    chrome.keys(Keys.ENTER)
    chrome.wait("return document.getElementById('play').innerText === 'Pause' && micrograd.state.index > 20 "
                "&& micrograd.state.index < 9999")
    chrome.keys(Keys.ENTER)
    stopped = shown_step(chrome)
    assert chrome.run(TEXT, "play") == "Play" and stopped < 10_000
    chrome.run("return new Promise(done => setTimeout(done, 150))")
    assert shown_step(chrome) == stopped


def test_a_step_is_typed(chrome, pages):
    """In the number field; a step that the trace has not is the last one before it, and none is out of bounds."""
    chrome.open(pages.page("batches"))
    recorded_steps = list(recorded(pages.trace("batches")))
    for typed in (8, 9, 22, 1, 0, 100_000):
        tab_to(chrome, "number")
        chrome.overwrite(str(typed))
        assert shown_step(chrome) == max((step for step in recorded_steps if step <= typed), default=recorded_steps[0])


def test_the_address_names_a_step(chrome, pages):
    """#step=777 opens there; going to another step changes the address; another address without loading goes there."""
    chrome.open(pages.page("xor"), at="#step=777")
    assert shown_step(chrome) == 777
    chrome.run("micrograd.goTo(778)")
    chrome.wait("return location.hash === '#step=778'")
    chrome.run("location.hash = '#step=12'")
    chrome.wait("return micrograd.state.index === 11")
    assert shown_step(chrome) == 12
    chrome.open(pages.page("xor"), at="#step=<b>")
    assert shown_step(chrome) == 10_000


def test_which_sample_pulls_hardest_is_found_by_keyboard_alone(chrome, pages):
    """A reader tabs to the step, types 50, tabs to the first weight, presses Enter, and reads what Python finds, too."""
    step = Rebuild(pages.trace("adam")).step(50)
    shares = step.by_sample["layer0.neuron0.w0"]
    hardest = max(range(4), key=lambda sample: abs(shares[sample]))
    chrome.open(pages.page("adam"))
    tab_to(chrome, "number")
    chrome.overwrite("50")
    while chrome.run("return document.activeElement.innerText") != "layer0.neuron0.w0":
        chrome.keys(Keys.TAB)
    chrome.keys(Keys.ENTER)
    assert shown_step(chrome) == 50
    said = chrome.run(TEXT, "pulls-said")
    assert f"sample {hardest} " in said and "pulls hardest at layer0.neuron0.w0" in said
    assert chrome.run("return document.querySelector('#pulls tbody th').innerText") == f"sample {hardest}"


def test_the_samples_are_listed_hardest_first(chrome, pages):
    """For each parameter, whichever way it is pulled: the shares that Python finds, the largest first, with nine digits."""
    shares = Rebuild(pages.trace("adam")).step(50).by_sample
    assert any(min(row) < -max(row) for row in shares.values())
    chrome.open(pages.page("adam"), at="#step=50")
    found = json.loads(chrome.run(LISTED))
    for name, row in shares.items():
        assert found[name] == [f"{share + 0.0:.9g}" for share in sorted(row, key=abs, reverse=True)], name


LISTED = """
const found = {};
for (const button of document.querySelectorAll("#step-table button")) {
  button.click();
  micrograd.goTo(50);
  found[button.textContent] = [...document.querySelectorAll("#pulls tbody tr")].map((row) => row.cells[2].textContent);
}
return JSON.stringify(found)"""


def test_the_backward_pass_is_walked_by_keyboard(chrome, pages):
    """From no edge to the last and back: shares appear one by one, and the totals of the last end at the recorded gradient."""
    chrome.open(pages.page("one"))
    tab_to(chrome, "edge")
    edges = int(chrome.run("return document.getElementById('edge').max"))
    seen = []
    for key in (Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.END):
        chrome.keys(key)
        shown_step(chrome)
        seen.append((chrome.run("return Number(document.getElementById('edge').value)"), chrome.run(TEXT, "edge-sentence")))
    assert [walked for walked, _ in seen] == [0, 1, 2, 1, edges]
    assert seen[1] == seen[3] and len({sentence for _, sentence in seen}) == 4
    assert "share = partial × upstream" in seen[1][1] and "cost" in seen[1][1]


def test_another_step_leaves_no_old_number_standing(chrome, pages):
    """Whatever way leads to a step, all that the page says of it is the same: nothing of the step before stays."""
    whole = "return document.querySelector('main').textContent"
    for name in ("adam", "iris", "batches"):
        chrome.open(pages.page(name), at="#step=8")
        fresh = chrome.run(whole)
        for step in Random(2).sample(range(1, 30), 5):
            chrome.run("micrograd.goTo(arguments[0])", step)
        chrome.run("micrograd.goTo(8)")
        shown_step(chrome)
        assert chrome.run(whole) == fresh, name


@pytest.mark.parametrize("width", [1280, 360])
def test_each_term_is_explained_on_focus(chrome, pages, width):
    """A sentence appears, whole, inside of the window and above all else; on hover it is the same rule of the style."""
    chrome.open(pages.page("one"), width=width, height=700)
    found = chrome.run(EXPLAINED)
    assert len(found) > 8
    assert [term for term in found if not term[1].endswith(".") or term[2:] != ["none", "block", True, True]] == []


EXPLAINED = """
const display = (tip) => getComputedStyle(tip).display;
return [...document.querySelectorAll(".term")].filter((term) => term.checkVisibility()).map((term) => {
  const tip = term.querySelector("[role=tooltip]"), before = display(tip);
  term.scrollIntoView({block: "center"});
  term.focus();
  const {left, right, top, bottom} = tip.getBoundingClientRect();
  const isInside = left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
  const corners = [[left + 3, top + 3], [right - 3, top + 3], [left + 3, bottom - 3], [right - 3, bottom - 3]];
  const isAbove = corners.every(([x, y]) => tip.contains(document.elementFromPoint(x, y)));
  return [term.firstChild.textContent, tip.textContent, before, display(tip), isInside, isAbove];
});"""


def test_paper_is_white(chrome, pages):
    """In print the dark setting is light: the same colours are in force, and the same fill the printed file, on white."""
    styles, fills = [], []
    for dark in (False, True):
        chrome.open(pages.page("adam"), dark=dark)
        fills.append(filled_with(chrome.pdf()))
        chrome.media(dark, "print")
        styles.append(chrome.run("const style = getComputedStyle(document.body); return [style.backgroundColor, style.color]"))
    assert styles[0] == styles[1] and styles[0][0] == "rgb(255, 255, 255)"
    assert fills[0] == fills[1] and (1.0, 1.0, 1.0) in fills[0] and len(fills[0]) > 4


def filled_with(pdf):
    """The colours that a printed file fills with."""
    found = set()
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            text = zlib.decompress(packed)
        except zlib.error:  # a picture, a font
            continue
        found |= {tuple(map(float, three)) for three in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg\b", text)}
    return found
