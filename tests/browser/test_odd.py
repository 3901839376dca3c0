"""The page where something is missing or hostile: no scripts, no way to unpack, a frame, names that are markup, odd traces."""

import json
import shutil

import pytest

from micrograd_lite import MLP, SGD, Tracer, Value, data, mse, train
from micrograd_lite.page import page_of, write_page
from micrograd_lite.trace import Trace
from test_numbers import recorded
from test_reading import shown_step

TABLE = ("return [...document.querySelectorAll('#step-table tbody tr')].map(row => [...row.cells].map(cell => "
         "cell.textContent.trim()))")  # fmt: skip
TEXT = "return [...document.body.children].map(part => part.nodeName === 'SCRIPT' ? '' : part.textContent).join(' ')"


def written_table(chrome):
    """The step's table as a driver reads it, which needs no script of the page."""
    rows = chrome.driver.find_elements("css selector", "#step-table tbody tr")
    return [[cell.text for cell in row.find_elements("css selector", "th, td")] for row in rows]


def test_without_scripts_the_last_table_stands(chrome, pages):
    """Every digit of the last step, the story, and a sentence that scripts are off; no control that does nothing."""
    chrome.open(pages.page("adam"), scripts=False)
    assert written_table(chrome) == recorded(pages.trace("adam"))[60]
    text = chrome.driver.find_element("css selector", "body").text
    assert "Scripts are off" in text and "The run finished after 60 steps" in text
    for name in ("input", "button", "select", "canvas", "svg"):
        assert [found for found in chrome.driver.find_elements("css selector", name) if found.is_displayed()] == [], name


@pytest.mark.parametrize("before, why", [
    ("delete window.DecompressionStream", "it has no DecompressionStream"),
    ("window.DecompressionStream = function () { throw new TypeError('gzip is unknown') }", "gzip is unknown"),
])  # fmt: skip
def test_a_browser_that_cannot_unpack_says_so(chrome, pages, before, why):
    """A sentence, and the last step's table; nothing else is promised, nothing complains."""
    chrome.open(pages.page("adam"), before=before)
    assert why in chrome.run("return document.getElementById('cannot').innerText")
    assert chrome.run(TABLE) == recorded(pages.trace("adam"))[60]
    assert chrome.run("return document.getElementById('bar').hidden") and chrome.axe()[1] == []


def test_damaged_data_are_a_sentence(chrome, pages, tmp_path):
    """Data that were cut off are said to be so; the table stands."""
    html = pages.page("adam").read_text(encoding="ascii")
    start = html.index('id="data">') + 400
    (tmp_path / "cut.html").write_text(html[:start] + html[start + 4000 :], encoding="ascii")
    chrome.open(tmp_path / "cut.html")
    assert "cannot be shown" in chrome.run("return document.getElementById('cannot').innerText")
    assert chrome.run(TABLE) == recorded(pages.trace("adam"))[60]


def test_it_works_in_the_frame_of_a_notebook(chrome, pages, tmp_path):
    """What a cell shows of a Trace: in its sandbox, where history throws, it gets ready and goes to other steps."""
    ready = "<script>document.documentElement.dataset.ready = 'yes'</script>"
    cell = Trace(pages.trace("adam"))._repr_html_()
    (tmp_path / "notebook.html").write_text(f"<!doctype html><html lang=en><title>A notebook</title>{cell}{ready}")
    chrome.open(tmp_path / "notebook.html")
    chrome.driver.switch_to.frame(chrome.driver.find_element("css selector", "iframe"))
    chrome.wait("return document.documentElement.dataset.ready === 'yes'")
    chrome.run("window.said = []; addEventListener('error', ({message}) => said.push(message))")  # its console is its own
    chrome.run("micrograd.goTo(7)")
    assert shown_step(chrome) == 7 and chrome.run(TABLE) == recorded(pages.trace("adam"))[7]
    assert chrome.run("return new Promise(done => setTimeout(() => done(said), 400))") == []  # the address waits 250
    chrome.driver.switch_to.default_content()


def test_names_are_text(chrome, pages):
    """Markup, quotes, the end of a script and other alphabets in names stand as they are; nothing of them runs."""
    chrome.open(pages.page("hostile"))
    text = chrome.run(TEXT)
    assert "<b>fat</b>" in text and "</script><img src=x onerror=alert(1)>" in text and "日本" in text
    assert "taken" not in chrome.driver.title
    assert chrome.run("return ['img', 'script'].map(name => document.querySelectorAll(name).length)") == [0, 2]


def cut(folder, rows):
    """Let a finished trace be one that was killed after so many rows."""
    for name in ("gradients.csv", "metrics.csv"):
        lines = (folder / name).read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / name).write_text("".join(lines[: 1 + rows]), encoding="utf-8")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    run["status"] = "running"
    del run["rows"], run["steps"]
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")


def killed_at_once(folder, pages):
    """A run that was killed before its first step was written."""
    shutil.copytree(pages.trace("one"), folder)
    cut(folder, 0)


def of_ones_own(folder, pages):
    """A loop of somebody's own, with a chain of two of its steps."""
    w = Value(2.0, "w")
    with Tracer(folder) as tracer:
        for number in range(1, 6):
            cost = (w * 3.0 - 1.0) ** 2
            w.grad = 0.0
            cost.backward()
            tracer.log(cost, [("w", w)], chain_rule=number in (1, 3))
            w.data -= 0.01 * w.grad


def on_arrays(folder, pages):
    """A network of arrays, whose weights are kept now and then."""
    from micrograd_lite import arrays  # where NumPy is missing these pages are collected, too

    with Tracer(folder, weights_every=2) as tracer:
        for step in train(arrays.MLP(2, [5, 1], seed=1), data.moons(samples=20), loss=mse, optimizer=SGD(lr=0.1), epochs=6):
            tracer.watch(step)


def that_blows_up(folder, pages):
    """A learning rate so large that numbers become infinite."""
    try:
        with Tracer(folder) as tracer:
            for step in train(MLP(1, [1], init="zeros"), data.line(), loss=mse, optimizer=SGD(lr=1e60), epochs=9):
                tracer.watch(step)
    except ArithmeticError:
        pass


def of_a_thousand(folder, pages):
    """A thousand parameters and more."""
    with Tracer(folder) as tracer:
        for step in train(MLP(2, [30, 30, 1], seed=1), data.moons(samples=20), loss=mse, optimizer=SGD(lr=0.1), epochs=4):
            tracer.watch(step)


@pytest.mark.parametrize("make", [killed_at_once, of_ones_own, on_arrays, that_blows_up, of_a_thousand])
def test_odd_traces_have_pages(chrome, pages, tmp_path, make):
    """Whatever a trace holds, its page gets ready, says something, shows what a slider leads to, and has no violation."""
    make(tmp_path / "trace", pages)
    write_page(tmp_path / "trace", tmp_path / "page.html")
    chrome.open(tmp_path / "page.html")
    assert chrome.run("return document.documentElement.dataset.ready") == "yes" and len(chrome.run(TEXT)) > 200
    for step in chrome.run("return micrograd.steps")[:3]:
        chrome.run("micrograd.goTo(arguments[0])", step)
        assert shown_step(chrome) == step
        assert "undefined" not in chrome.run(TEXT) and "[object" not in chrome.run(TEXT)
    assert chrome.axe()[1] == []
    chrome.open(tmp_path / "page.html", width=360)
    assert chrome.overflow()[0] == 0


def test_a_thinned_page_goes_to_the_steps_that_it_has(chrome, pages, tmp_path):
    """Past its budget a page has fewer steps and says which; the last is among them, and each has the digits of the file."""
    whole = pages.page("adam").stat().st_size
    (tmp_path / "small.html").write_text(page_of(Trace(pages.trace("adam")), whole - 4000), encoding="ascii")
    written = recorded(pages.trace("adam"))
    chrome.open(tmp_path / "small.html")
    steps = chrome.run("return micrograd.steps")
    assert 1 < len(steps) < 60 and steps[-1] == 60 and "this page has every" in chrome.run(TEXT)
    assert all(chrome.run("return micrograd.rows(arguments[0])", step) == written[step] for step in steps)
