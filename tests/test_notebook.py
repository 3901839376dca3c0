"""Notebooks: what a cell shows of our objects, and the notebooks of docs/, executed."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from micrograd_lite import MLP, SGD, Tracer, Value, binary_cross_entropy, data, train
from micrograd_lite.chain.drawing import MOST, notebook
from micrograd_lite.chain.rows import chain_rule
from micrograd_lite.chain.tables import chain_table
from micrograd_lite.lab.diagnose import diagnose
from micrograd_lite.pictures import notebook as cells
from micrograd_lite.pictures.notebook import of_trace
from micrograd_lite.text.progress import in_notebook
from micrograd_lite.trace import Trace
from micrograd_lite.trace.diff import compare
from micrograd_lite.trace.show import gradient_table
from micrograd_lite.verify import verify
from test_log import looped

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs").glob("*.ipynb"))


def trained(folder, hidden=3, steps=3):
    """A run of XOR in a folder; returns its last step."""
    net = MLP(2, [hidden, 1], "tanh", seed=1)
    with Tracer(folder) as tracer:
        steps = list(tracer.follow(train(net, data.xor(), loss=binary_cross_entropy, optimizer=SGD(0.5), epochs=steps)))
    return steps[-1]


def element(html):
    """The elements of a piece of HTML, which must be whole."""
    closed = re.sub(r"(<img [^>]*[^/])>", r"\1/>", html)
    return ElementTree.fromstring(f"<div>{closed}</div>")


def texts(html):
    """All its words."""
    return " ".join(element(html).itertext())


# --- what a cell shows -----------------------------------------------------------------------------------------------


def test_a_network_shows_its_summary():
    """The table that summary() prints, in both engines."""
    net = MLP(2, [16, 1])
    assert net.summary() in texts(net._repr_html_()) and "MLP" in texts(net._repr_html_())
    assert net.layers[0].summary() in texts(net.layers[0]._repr_html_())


def test_a_network_on_arrays_shows_its_summary():
    """The same."""
    pytest.importorskip("numpy", reason="arrays need numpy")
    from micrograd_lite import arrays

    net = arrays.MLP(2, [16, 1])
    assert net.summary() in texts(net._repr_html_())


def test_a_data_set_shows_what_it_is_and_its_first_rows():
    """Name, size, classes by their names; the rows that are left out are counted."""
    shown = data.iris()._repr_html_()
    assert "150 rows of 4 numbers, 3 classes" in texts(shown)
    assert "setosa" in texts(shown) and f"and {150 - cells.MOST} more rows" in texts(shown)
    assert len(element(shown).findall(".//tr")) == cells.MOST + 1
    assert "more rows" not in data.mazur()._repr_html_() and "0.01, 0.99" in data.mazur()._repr_html_()


def test_a_step_shows_what_it_did_to_each_parameter(tmp_path):
    """One row for each, with before, gradient, update and after."""
    step = trained(tmp_path / "run")
    rows = element(step._repr_html_()).findall(".//tr")
    assert [cell.text for cell in rows[0]] == ["parameter", "before", "gradient", "update", "after"]
    assert [cell.text for cell in rows[1]][:2] == ["layer0.neuron0.w0", f"{step.before[0]:.9g}"]
    assert len(rows) == 1 + len(step.names) and f"loss before the update {step.loss:.9g}" in texts(step._repr_html_())


@pytest.mark.parametrize("make, told", [
    (trained, "finished, 3 steps, 2-3-1, xor, binary_cross_entropy, SGD"),
    (looped, "finished, 5 steps, 2-1-1, by hand, by hand"),
], ids=["train", "a loop"])  # fmt: skip
def test_a_trace_shows_what_it_is_its_curves_and_its_last_step(tmp_path, make, told):
    """Where its page is too large for a cell. The picture stands in the text: nothing is fetched, and nothing is written."""
    pytest.importorskip("PIL", reason="pictures need pillow")
    make(tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    shown = of_trace(Trace(tmp_path / "run"))
    assert told in texts(shown) and "layer0.neuron0.w0" in texts(shown)
    (picture,) = element(shown).findall(".//img")
    assert base64.b64decode(picture.get("src").removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_a_trace_without_steps_shows_that(tmp_path):
    """No picture and no table."""
    Tracer(tmp_path / "run").close()
    assert texts(Trace(tmp_path / "run")._repr_html_()).strip().endswith("finished, 0 steps")


def test_reports_and_tables_are_shown_as_they_are_printed(tmp_path):
    """verify, diagnose and diff; a table of text is a table in the cell."""
    trained(tmp_path / "a")
    trained(tmp_path / "b", steps=2)
    report = verify(tmp_path / "a")
    assert report.text() in texts(report._repr_html_())
    assert str(compare(tmp_path / "a", tmp_path / "b")) in texts(compare(tmp_path / "a", tmp_path / "b")._repr_html_())
    assert diagnose(tmp_path / "a") in texts(diagnose(tmp_path / "a")._repr_html_())
    for form in ("text", "markdown", "csv", "html"):
        shown = gradient_table(Trace(tmp_path / "a"), 1, form)
        assert isinstance(shown, str) and len(element(shown._repr_html_()).findall(".//tr")) == 14
    assert len(element(chain_table(chain_rule(Value(2.0, "a") * 3.0))._repr_html_()).findall(".//tr")) == 4


def test_names_stay_text(tmp_path):
    """A data set, a network and a report may carry any names: none of them is markup."""
    odd = "<script>alert(1)</script>"
    made = data.xor()._replace(name=odd, feature_names=(odd, "b"), class_names=(odd, "no"), targets=[0, 1, 1, 0])
    assert "<script" not in made._repr_html_() and odd in texts(made._repr_html_())


# --- the drawing of a Value ------------------------------------------------------------------------------------------


def drawn(root):
    """The boxes' texts of what a cell shows of a Value, and the line below."""
    tree = ElementTree.fromstring(notebook(root))
    return [text.text for text in tree.iter("{http://www.w3.org/2000/svg}text")]


def test_a_drawing_is_no_wider_than_its_cell():
    """It shrinks with the place it gets, and keeps its shape."""
    assert 'style="max-width:100%;height:auto"' in notebook(Value(2.0, "w") * 3.0)
    assert "viewBox" in notebook(Value(2.0, "w") * 3.0)


def batch(samples):
    """The loss of micrograd's demo, or one like it."""
    net = MLP(2, [4, 1])
    costs = [(1 + -1.0 * net([0.1 * k, 0.5])).relu() for k in range(samples)]
    return sum(costs) * (1.0 / samples) + 1e-4 * sum(p * p for p in net.parameters())


def test_of_a_large_graph_one_sample_is_drawn_and_the_rest_is_named():
    """Of a batch's loss: a picture with relus, and a line that says which part it is and what stands beside it."""
    root = batch(40)
    shown = drawn(root)
    assert any("relu(" in text for text in shown)
    part = r"v\d+, a part of [\d,]+ nodes, with gradients of this part alone; it goes into v\d+, which also takes v\d+"
    assert re.fullmatch(part, shown[-1])
    assert len(shown) <= 5 * MOST


def test_a_graph_without_a_part_that_can_be_read_says_so():
    """A chain of a million nodes: two lines, at once."""
    node = Value(0.5, "x")
    for _ in range(20_000):
        node = node.tanh()
    assert "more than 300 cannot be read" in " ".join(drawn(node))


# --- in a kernel -----------------------------------------------------------------------------------------------------


def test_outside_of_a_notebook_there_is_none():
    """The tests run in no cell."""
    assert not in_notebook()


def test_every_notebook_is_small_and_holds_no_old_outputs():
    """What a notebook shows is made by who runs it."""
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        found = json.loads(path.read_text(encoding="utf-8"))
        assert path.stat().st_size < 20_000
        made = [cell for cell in found["cells"] if cell["cell_type"] == "code"]
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in made)


def executed(found, folder):
    """The outputs of a notebook's cells, run in a process of its own: its kernel's warnings are none of ours."""
    pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    pytest.importorskip("numpy", reason="the notebook needs numpy")
    pytest.importorskip("PIL", reason="the notebook draws with pillow")
    (folder / "in.ipynb").write_text(json.dumps(found))
    program = (
        "import nbformat, nbclient; made = nbformat.read('in.ipynb', 4); "
        "nbclient.NotebookClient(made, timeout=300, kernel_name='python3').execute(); nbformat.write(made, 'out.ipynb')"
    )
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    around = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, env=around, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return [cell["outputs"] for cell in json.loads((folder / "out.ipynb").read_text())["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_notebooks_run_from_their_first_cell_to_their_last(path, tmp_path):
    """Executed by nbclient; each last line that is one of our objects is shown as HTML or as a picture."""
    outputs = executed(json.loads(path.read_text(encoding="utf-8")), tmp_path)
    kinds = {kind for cell in outputs for output in cell for kind in output.get("data", {})}
    assert {"text/html", "image/svg+xml"} <= kinds
    html = "".join("".join(output.get("data", {}).get("text/html", "")) for cell in outputs for output in cell)
    assert "no wrong row" in html and '<iframe title="every step' in html and "two moons" not in html


def test_progress_shows_a_bar_in_a_notebook(tmp_path):
    """tqdm's, on the cell's stderr, where there is no terminal."""
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    source = "from micrograd_lite.text.progress import progress\nprint(list(progress(range(3), 3, 'training')))"
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": source}
    (outputs,) = executed({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, tmp_path)
    said = "".join("".join(output.get("text", "")) for output in outputs)
    assert "[0, 1, 2]" in said and "training" in said and "3/3" in said
