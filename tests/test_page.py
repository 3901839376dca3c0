"""The page of a trace: one HTML file that holds every number of it, asks for nothing and keeps every name text."""

import csv
import gzip
import math
import re
import shutil
import struct
import subprocess
from base64 import b64decode, b64encode
from configparser import ConfigParser
from fnmatch import fnmatch
from hashlib import sha256
from html import unescape
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gallery
from micrograd_lite import MLP, SGD, Adam, Trace, Tracer, Value, cross_entropy, data, half_squared_error, hinge, mse, train
from micrograd_lite.cli import main
from micrograd_lite.page import notebook, page_of, write, write_page
from micrograd_lite.page.formulas import script as formulas
from micrograd_lite.page.packing import from_planes, packed, planes, unpacked
from micrograd_lite.rules import RULES
from test_log import looped

ROOM = Path(write.__file__).parent
HOSTILE = "</script><b>&{{data}} \u2028\u00e9"


# --- packing ---------------------------------------------------------------------------------------------------------


def floats_of(bits):
    """Numbers of these 64-bit patterns: NaN with any payload, infinities, -0.0."""
    return list(struct.unpack(f"<{len(bits)}d", struct.pack(f"<{len(bits)}Q", *bits)))


PATTERNS = st.integers(0, 4).flatmap(
    lambda rows: st.lists(st.lists(st.integers(0, 2**64 - 1), min_size=rows, max_size=rows), max_size=3)
)


@given(PATTERNS)
def test_every_bit_of_a_number_is_kept(table):
    """Packing and unpacking gives the same 64-bit patterns, whatever they mean."""
    columns = [floats_of(bits) for bits in table]
    rows = len(table[0]) if table else 0
    for column, back in zip(columns, from_planes(planes(columns), len(columns), rows), strict=True):
        assert struct.pack(f"<{rows}d", *column) == struct.pack(f"<{rows}d", *back)


def test_a_header_and_blocks_come_back():
    """Tables of different lengths and plain bytes, in their order; the text is ASCII and the gzip in it knows no time."""
    blocks = {"a": [[1.0, -0.0, math.inf]], "empty": [], "b": [[0.1], [0.2]], "bytes": bytes(range(256))}
    text = packed({"name": "caf\u00e9"}, blocks)
    header, found = unpacked(text)
    assert header["name"] == "caf\u00e9" and found == blocks and text.isascii()
    assert gzip.decompress(b64decode(text)) and b64decode(text)[4:8] == b"\0\0\0\0"


def test_columns_of_two_lengths_are_refused():
    """They are no table."""
    with pytest.raises(ValueError, match=r"have one length, got \[1, 2\]"):
        packed({}, {"a": [[1.0], [1.0, 2.0]]})


# --- formulas --------------------------------------------------------------------------------------------------------


def test_the_formulas_are_those_of_the_table():
    """Each row is spelled once, and no row's name but sums stands in the scripts that are written by hand."""
    made = formulas()
    assert [name for name in RULES if f"\n  {name}: {{value: (" not in made] == []
    own = "".join(path.read_text() for path in ROOM.glob("script/*.js"))
    assert "1.0 - z" not in own and "z * (" not in own and "slopes: [(x, z) => 1.0 - z * z]" in made
    assert "if n" not in made and "n != 0.0 ?" in made


def test_every_row_gives_python_s_numbers():
    """Value and slopes at some points, within the last digits that two libraries of functions may differ by."""
    node = shutil.which("node") or pytest.skip("node is not installed")
    prelude = (ROOM / "script" / "network.js").read_text()
    points = [-2.5, -1.0, -0.0, 0.0, 0.3, 1.0, 7.0]
    asked, wanted = [], []
    from micrograd_lite.scalar import APPLY

    for name, rule in RULES.items():
        for x in points:
            operands = [x, 2.0][: len(rule.inputs)]
            try:
                value, slopes = APPLY[name](*operands)
            except (ValueError, ZeroDivisionError):
                continue
            asked.append(f"[RULES.{name}.value({', '.join(map(repr, operands))}), "
                         f"...RULES.{name}.slopes.map(s => s({', '.join(map(repr, [*operands, value]))}))]")  # fmt: skip
            wanted.append([value, *slopes])
    printed = f"console.log([{','.join(asked)}].map(r => r.join(' ')).join('\\n'))".replace("inf)", "Infinity)")
    done = subprocess.run([node, "-e", f"{formulas()}{prelude}{printed}"], capture_output=True, text=True, check=True)
    found = [[float(word.replace("Infinity", "inf")) for word in line.split()] for line in done.stdout.splitlines()]
    for row, other in zip(found, wanted, strict=True):
        assert all(math.isclose(one, two, rel_tol=1e-14, abs_tol=0.0) for one, two in zip(row, other, strict=True)), (row, other)


# --- the pages of all kinds of traces --------------------------------------------------------------------------------


def trained(folder, net, rows, steps=None, every=1, **settings):
    """A run in a folder, ended after some steps."""
    with Tracer(folder, every=every) as tracer:
        run = train(net, rows, **{"loss": mse, "optimizer": SGD(lr=0.5), "epochs": 20, **settings})
        for step in islice(run, steps):
            tracer.watch(step)


def failed(folder):
    """A run whose loss became infinite."""
    with pytest.raises(FloatingPointError):
        trained(folder, MLP(2, [4, 1]), data.xor(), optimizer=SGD(lr=1e150))


def interrupted(folder):
    """A run that somebody stopped."""
    with pytest.raises(KeyboardInterrupt), Tracer(folder) as tracer:
        for step in train(MLP(2, [3, 1], "tanh"), data.xor(), loss=mse, optimizer=SGD(lr=0.5), epochs=9):
            tracer.watch(step)
            if step.number == 5:
                raise KeyboardInterrupt


def hostile(folder):
    """A loop whose parameters have names that are markup, a formula and no ASCII."""
    names = (HOSTILE, "=cmd|'/c calc'!A0")
    numbers = [Value(2.0, names[0]), Value(-1.0, names[1])]
    with Tracer(folder) as tracer:
        for _ in range(3):
            loss = (numbers[0] * 3.0 + numbers[1]) ** 2
            for number in numbers:
                number.grad = 0.0
            loss.backward()
            tracer.log(loss, list(zip(names, numbers)), chain_rule=True)
            for number in numbers:
                number.data -= 0.01 * number.grad


def shape(inputs, *layers, **settings):
    """A maker of runs: a network of this shape on some data, trained as `trained` does it."""
    network = {name: settings.pop(name) for name in ("activation",) if name in settings}
    rows, ended = settings.pop("rows", data.xor), {name: settings.pop(name) for name in ("steps", "every") if name in settings}
    return lambda folder: trained(folder, MLP(inputs, list(layers), **network), rows(), **ended, **settings)


KINDS = {
    "xor": (shape(2, 4, 1, activation="tanh"), "4 tanh neurons and 1 linear output. It has 17 parameters"),
    "line": (shape(1, 1, rows=data.line, optimizer=SGD(0.01)), "The run finished after 20 steps; the loss fell"),
    "iris": (shape(4, 6, 3, rows=data.iris, loss=cross_entropy, optimizer=SGD(0.01, momentum=0.9)), "the 150 samples"),
    "batches": (shape(2, 3, 1, rows=lambda: data.moons(20), loss=hinge, batch_size=8, optimizer=Adam(0.01)), "moons"),
    "two outputs": (shape(2, 2, 2, activation="sigmoid", rows=data.mazur, loss=half_squared_error), "2 linear outputs"),
    "every tenth": (shape(2, 2, 1, every=10), "The trace recorded 3 of them, every 10th."),
    "too few": (shape(2, 2, 1, every=10, epochs=3), "The run finished after 3 steps"),
    "one step": (shape(2, 2, 1, steps=1), "after 1 step; the loss was "),
    "no step": (lambda folder: Tracer(folder).close(), "No step of it is recorded yet; the run is finished."),
    "failed": (failed, "The run failed after 1 step (FloatingPointError: step 2: the loss is inf; "),
    "interrupted": (interrupted, "Somebody stopped the run after 5 steps"),
    "a loop": (looped, "A loop of one's own trained it"),
    "hostile": (hostile, "A model of one's own with 2 parameters."),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_each_kind_says_what_it_has(kind, tmp_path):
    """One whole file in ASCII, the same each time, that asks for nothing, and whose script is the one that its policy names."""
    make, told = KINDS[kind]
    make(tmp_path / "run")
    html = page_of(Trace(tmp_path / "run"))
    assert html.isascii() and html.startswith("<!doctype html>") and html.endswith("</html>\n")
    assert told in unescape(html) and page_of(Trace(tmp_path / "run")) == html and str(tmp_path) not in html
    without = html.replace("http://www.w3.org/2000/svg", "").replace(text_of_data(html), "")
    assert not re.search(r"https?:|//www|src=|@import|url\(|<link", without)
    digest = b64encode(sha256(re.findall(r"<script>(.*?)</script>", html, re.DOTALL)[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html and html.index('charset="utf-8"') < html.index("sha256-")
    assert html.count("<script") == 2 and "{{" not in re.sub(r"(?s)<script>.*?</script>", "", unescaped_names(html))


def test_a_run_that_goes_on_and_one_that_was_killed_have_pages(tmp_path):
    """They say so, and hold the steps that stand; the page of a run that goes on is written again when it is over."""
    with Tracer(tmp_path / "run") as tracer:
        for step in train(MLP(2, [2, 1]), data.xor(), loss=mse, optimizer=SGD(lr=0.5), epochs=4):
            tracer.watch(step)
            if step.number == 3:
                assert "it stands after 3 steps" in page_of(Trace(tmp_path / "run"))
                shutil.copytree(tmp_path / "run", tmp_path / "killed")
    assert "The run was killed, so it ended after 3 steps" in page_of(Trace(tmp_path / "killed"))
    assert "The run finished after 4 steps" in page_of(Trace(tmp_path / "run"))


def text_of_data(html):
    """The packed data of a page."""
    return re.findall(r'<script type="text/plain" id="data">([^<]*)</script>', html)[0]


def unescaped_names(html):
    """A page without the name that looks like a place of the template."""
    return html.replace("{{data}}", "")


def test_names_stay_text(tmp_path):
    """Markup in a name is text in the table, in the title and in the data."""
    hostile(tmp_path / "run")
    html = page_of(Trace(tmp_path / "run"))
    assert "<b>&" not in html and "&lt;/script&gt;&lt;b&gt;&amp;{{data}} &#8232;&#233;" in html
    header, _ = unpacked(text_of_data(html))
    assert header["rows"] == [HOSTILE, "'=cmd|'/c calc'!A0"]


# --- the numbers -----------------------------------------------------------------------------------------------------


def table_of(header, blocks):
    """The step's table as script/record.js makes it: for each step and row the numbers of each column."""
    steps, measured = blocks["steps"][0], dict(zip(header["measured"], blocks["metrics"]))
    rates = dict(zip(measured["step"], measured["learning_rate"]))
    for row, _ in enumerate(header["rows"]):
        before = None
        for place, step in enumerate(steps):
            gradient, given = blocks["gradient"][row][place], header["given"]
            start = blocks["before"][row][0 if "before" in given else place]
            before = before if "before" in given and place else start
            update = -rates[step] * gradient if "update" in given else blocks["update"][row][place]
            after = before + update if "after" in given else blocks["after"][row][place]
            yield int(step), header["rows"][row], [before, gradient, update, after]
            before = after


@pytest.mark.parametrize("optimizer, columns", [
    (SGD(lr=0.5), {"before", "gradient"}), (Adam(lr=0.1), {"before", "gradient", "update"}),
    (SGD(lr=0.1, momentum=0.9), {"before", "gradient", "update"}),
], ids=["SGD", "Adam", "momentum"])  # fmt: skip
def test_the_page_holds_every_digit_of_the_csv(optimizer, columns, tmp_path):
    """No cell of gradients.csv is another one on the page; what follows from other columns exactly is not sent."""
    trained(tmp_path / "run", MLP(2, [4, 1], "tanh"), data.xor(), optimizer=optimizer, epochs=60)
    header, blocks = unpacked(text_of_data(page_of(Trace(tmp_path / "run"))))
    assert set(blocks) - {"steps", "metrics", "constants", "targets"} == columns
    with open(tmp_path / "run" / "gradients.csv", newline="") as file:
        wanted = {(int(step), name): cells for step, name, *cells in islice(csv.reader(file), 1, None)}
    found = {(step, name): list(map(repr, numbers)) for step, name, numbers in table_of(header, blocks)}
    assert found == wanted and len(found) == 60 * 17


def test_the_last_table_stands_without_scripts(tmp_path):
    """Every cell of the last step, as in the CSV, in the page's own HTML."""
    trained(tmp_path / "run", MLP(2, [2, 1], "tanh"), data.xor())
    html = page_of(Trace(tmp_path / "run"))
    for row in Trace(tmp_path / "run").gradients(20):
        cells = "".join(f"<td>{number!r}</td>" for number in row[2:])
        assert f'<th scope="row">{row.parameter}</th>{cells}</tr>' in html
    assert "This is step 20, the last." in html


def test_numbers_that_are_none_are_kept_as_they_are(tmp_path):
    """NaN, inf and -0.0 in a trace: the page holds them, and says in a sentence that nothing can be computed again."""
    trained(tmp_path / "run", MLP(2, [2, 1], "tanh"), data.xor(), epochs=3)
    path = tmp_path / "run" / "gradients.csv"
    lines = path.read_text().split("\n")
    lines[-3:-1] = [f"3,{name},inf,NaN,-0.0,-inf" for name in ("layer1.neuron0.w1", "layer1.neuron0.b")]
    path.write_text("\n".join(lines))
    html = page_of(Trace(tmp_path / "run"))
    header, blocks = unpacked(text_of_data(html))
    found = [repr(blocks[name][-1][-1]) for name in ("before", "gradient", "update", "after")]
    assert found == ["inf", "nan", "-0.0", "-inf"] and header["given"] == {}
    assert "cannot be built again" in header["no_backward"] and "<td>NaN</td><td>-0.0</td><td>-inf</td>" in html


def test_what_cannot_be_computed_again_is_told_without_a_path(tmp_path):
    """Of a loss of one's own no backward pass can be computed: a sentence, which does not say where the folder stood."""
    trained(tmp_path / "run", MLP(2, [2, 1], "tanh"), data.xor(), loss=mse._replace(name="mine"), epochs=3)
    header, blocks = unpacked(text_of_data(page_of(Trace(tmp_path / "run"))))
    assert header["no_backward"] == "this trace was trained with 'mine', a loss of one's own: no step can be built again"
    assert "constants" not in blocks and "graph" not in header


def test_each_sample_is_in_the_page(tmp_path):
    """The graph's constants: inputs and targets of each row of the data, the batches' rows in their order."""
    rows = data.moons(20)
    trained(tmp_path / "run", MLP(2, [3, 1]), rows, loss=hinge, batch_size=8, epochs=2, optimizer=SGD(0.01))
    header, blocks = unpacked(text_of_data(page_of(Trace(tmp_path / "run"))))
    graph = header["graph"]
    inputs = zip(*(blocks["constants"][place] for place in graph["inputs"]))
    assert [list(row) for row in inputs] == [list(map(float, row)) for row in rows.inputs]
    assert blocks["targets"] == [[float(target) for target in rows.targets]] and header["batch"] == 8
    batches = struct.unpack(f"<{6 * 8}I", blocks["batches"])
    assert sorted(batches[:24]) == [0] * 4 + list(range(1, 21)) == sorted(batches[24:]) and batches[:24] != batches[24:]


# --- the budget ------------------------------------------------------------------------------------------------------


def test_a_page_keeps_to_its_budget(tmp_path):
    """Steps are left out evenly, the first and the last stay, and the page says so; the loss curve keeps every step."""
    trained(tmp_path / "run", MLP(2, [40, 22, 1], "tanh"), data.moons(10), optimizer=Adam(0.01), epochs=11)
    whole = page_of(Trace(tmp_path / "run"))
    budget = len(whole) * 4 // 5
    html = page_of(Trace(tmp_path / "run"), budget)
    assert len(html) <= budget
    header, blocks = unpacked(text_of_data(html))
    steps = blocks["steps"][0]
    assert steps[0] == 1.0 and steps[-1] == 11.0 and len({two - one for one, two in pairwise(steps[:-1])}) == 1
    assert f"this page has every {int(steps[1] - steps[0])}" in html and len(blocks["metrics"][0]) == 11 == header["recorded"]


def test_a_budget_that_nothing_fits_gives_the_smallest_page(tmp_path, capsys):
    """Two steps are left."""
    trained(tmp_path / "run", MLP(2, [2, 1]), data.xor())
    assert unpacked(text_of_data(page_of(Trace(tmp_path / "run"), budget=1)))[1]["steps"] == [[1.0, 20.0]]
    with pytest.raises(ValueError, match="budget is at least 1 byte, got 0"):
        page_of(Trace(tmp_path / "run"), budget=0)
    assert main(["page", str(tmp_path / "run"), "--budget", "1kB"]) == 0
    assert "bytes, more than the 1,000 asked for: no page of this run is smaller" in capsys.readouterr().out


# --- array models ----------------------------------------------------------------------------------------------------


def test_an_array_trace_shows_its_layers_and_tiles(tmp_path):
    """The rows of layers.csv, and the kept weights in 255 levels."""
    pytest.importorskip("numpy", reason="arrays need numpy")
    from micrograd_lite import arrays

    with Tracer(tmp_path / "run", weights_every=5) as tracer:
        steps = train(arrays.MLP(2, [3, 1], seed=0), data.moons(20), loss=hinge, optimizer=SGD(0.1), epochs=12)
        for step in steps:
            tracer.watch(step)
    html = page_of(Trace(tmp_path / "run"))
    header, blocks = unpacked(text_of_data(html))
    assert header["rows"] == ["layer0.w", "layer0.b", "layer1.w", "layer1.b"] and "4 arrays of parameters" in html
    last = [row for row in Trace(tmp_path / "run").layers() if row["step"] == 12]
    assert [blocks["norm"][place][-1] for place in range(4)] == [row["norm"] for row in last]
    assert header["tiles"]["steps"] == [0, 5, 10, 12] and len(blocks["tiles"]) == 4 * (6 + 3)


# --- the command, the notebook, the package --------------------------------------------------------------------------


def test_the_command_writes_the_page(tmp_path, capsys):
    """Into the trace's folder, or where --out says; --force may replace the run with its page."""
    trained(tmp_path / "run", MLP(2, [2, 1]), data.xor())
    assert main(["page", str(tmp_path / "run")]) == 0
    size = (tmp_path / "run" / "page.html").stat().st_size
    assert capsys.readouterr().out == f"{tmp_path}/run/page.html  {size:,} bytes; open it in a browser\n"
    assert main(["page", str(tmp_path / "run")]) == 0, "a page replaces a page"
    assert capsys.readouterr().out == f"{tmp_path}/run/page.html  {size:,} bytes; open it in a browser\n"
    assert main(["page", str(tmp_path / "run"), "--out", str(tmp_path / "p.html"), "--budget", "100kB"]) == 0
    assert write_page(tmp_path / "run", tmp_path / "q.html", 100_000) == (tmp_path / "p.html").stat().st_size <= 100_000
    Tracer(tmp_path / "run", force=True).close()
    assert not (tmp_path / "run" / "page.html").exists()


@pytest.mark.parametrize("arguments, complaint", [
    (["page", "nowhere"], "nowhere does not exist"), (["page", "{run}", "--budget", "much"], "--budget needs bytes, such as 2MB"),
    (["page", "{run}", "--out", "{run}/run.json"], "run.json stands there and holds no page; choose another name"),
    (["page", "{run}", "--out", "nowhere/p.html"], "cannot write: No such file or directory: nowhere/p.html"),
])  # fmt: skip
def test_a_mistake_is_one_line(arguments, complaint, tmp_path, capsys):
    """And exit code 2."""
    trained(tmp_path / "run", MLP(2, [2, 1]), data.xor(), steps=1)
    assert main([argument.format(run=tmp_path / "run") for argument in arguments]) == 2
    printed = capsys.readouterr().err
    assert complaint in printed and printed.count("\n") == 1


def test_a_notebook_shows_the_page_in_a_frame(tmp_path, monkeypatch):
    """It may run its script and nothing else; a page that is too large for a cell gives way to curves and table."""
    trained(tmp_path / "run", MLP(2, [2, 1]), data.xor())
    trace = Trace(tmp_path / "run")
    shown = trace._repr_html_()
    assert 'sandbox="allow-scripts"' in shown
    assert unescape(re.findall(r'srcdoc="([^"]*)"', shown)[0]) == page_of(trace)
    monkeypatch.setattr(notebook, "MOST", 50_000)
    assert "<iframe" not in trace._repr_html_() and "step 20" in trace._repr_html_()


def test_a_wheel_holds_every_file_of_the_page():
    """Each file of the room that is no module is named by the package data of setup.cfg."""
    config = ConfigParser()
    config.read(ROOM.parent.parent / "setup.cfg")
    globs = config["options.package_data"]["micrograd_lite.page"].split(", ")
    found = [path for path in ROOM.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    files = [path.relative_to(ROOM).as_posix() for path in found]
    assert len(files) >= 16 and [name for name in files if not any(fnmatch(name, glob) for glob in globs)] == []
    assert sorted(f"script/{name}.js" for name in write.SCRIPTS) == sorted(name for name in files if name.endswith(".js"))


NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]\d+)?|-?\d+e[-+]\d+")


def test_the_gallery_s_page_can_be_made_again(tmp_path):
    """The committed page of the XOR run agrees with a fresh one, number by number to 1e-9, and has at most 400 KB."""
    gallery.page(tmp_path / "xor.html", tmp_path)
    made, kept = ((path.read_text("ascii")) for path in (tmp_path / "xor.html", gallery.PAGE))
    assert gallery.PAGE.stat().st_size <= 400_000
    plain = [html.replace(text_of_data(html), "") for html in (made, kept)]
    assert NUMBER.sub("", plain[0]) == NUMBER.sub("", plain[1]), "make it again: python tests/gallery.py"
    for one, two in zip(*(NUMBER.findall(html) for html in plain), strict=True):
        assert math.isclose(float(one), float(two), rel_tol=1e-9, abs_tol=1e-9)
    (header, blocks), (kept_header, kept_blocks) = (unpacked(text_of_data(html)) for html in (made, kept))
    assert header == kept_header and blocks.keys() == kept_blocks.keys()
    for name, block in blocks.items():
        for column, kept_column in zip(block, kept_blocks[name], strict=True):
            assert all(one == two or (one != one and two != two) or math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-9)
                       for one, two in zip(column, kept_column, strict=True))  # fmt: skip
