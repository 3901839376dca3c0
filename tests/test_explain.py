"""`micrograd-lite explain`: every number of a formula, in each form; and the chain rule of a recorded step."""

import csv
import io
import math
import re
from html.parser import HTMLParser
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite import MLP, SGD, Trace, Tracer, cli, mse, train
from micrograd_lite.chain.drawing import graphviz, svg
from micrograd_lite.chain.layout import drawn
from micrograd_lite.chain.rows import ChainRow, chain_rule, edges
from micrograd_lite.chain.tables import chain_table, forward_table
from micrograd_lite.data import xor
from micrograd_lite.explain.formula import parse
from micrograd_lite.explain.page import explain, explained, gradient_table
from micrograd_lite.many import mean
from micrograd_lite.scalar import Value
from micrograd_lite.text.cells import plain
from micrograd_lite.text.tables import table

CLASSIC = ("tanh(w*x + b)", "w=2", "x=0.5", "b=0.1")


def printed(capsys, *arguments):
    """What a command prints when all is well."""
    assert cli.main([*map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    assert err == "" and out.isascii()
    return out


def refused(capsys, *arguments):
    """The one line of a command that fails."""
    try:
        code = cli.main([*map(str, arguments)])
    except SystemExit as error:
        code = error.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "") and err.count("\n") == 1 and err.startswith("error: ")
    return err.removeprefix("error: ").strip()


def micrograd():
    """The expression of micrograd's README as one formula: what stands in c, d and f is put in."""
    c, d = "(a + b)", "(a*b + b**3)"
    c = f"({c} + ({c} + 1))"
    c = f"({c} + (1 + {c} + (-a)))"
    d = f"({d} + ({d}*2 + relu(b + a)))"
    d = f"({d} + (3*{d} + relu(b - a)))"
    return f"({c} - {d})**2/2 + 10/({c} - {d})**2"


class Page(HTMLParser):
    """The elements of a page, in order, with their texts; and whatever it would load."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells, self.loads = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href", "data", "action")]
        if tag not in ("meta", "rect", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("rect", "path"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.append(data)


# --- the numbers -----------------------------------------------------------------------------------------------------


def test_microgradss_readme_expression(capsys):
    """24.7041, 138.8338 and 645.5773, with the central differences beside them."""
    out = printed(capsys, "explain", micrograd(), "a=-4", "b=2")
    assert out.splitlines()[0].endswith("= 24.7040816 at a = -4, b = 2")
    assert re.search(r"^a +-4 +138\.833819 +138\.8338\d+$", out, re.MULTILINE)
    assert re.search(r"^b +2 +645\.577259 +645\.577\d+$", out, re.MULTILINE)


def test_the_classic_example(capsys):
    """Heading, forward table, backward table and gradients, as a reader sees them."""
    assert printed(capsys, "explain", *CLASSIC) == (
        "tanh(w*x + b) = 0.800499022 at w = 2, x = 0.5, b = 0.1\n"
        "\n"
        "forward: each node from those that it is made of\n"
        "\n"
        "node        value  formula\n"
        "---------------------------\n"
        "w               2  an input\n"
        "x             0.5  an input\n"
        "b             0.1  an input\n"
        "v3              1  w * x\n"
        "v4            1.1  v3 + b\n"
        "v5    0.800499022  tanh(v4)\n"
        "\n"
        "backward: share = partial x upstream; a gradient is the total of all shares\n"
        "\n"
        "order  parent  partial formula      partial        share        total\n"
        "---------------------------------------------------------------------\n"
        "z = v5 = tanh(v4) = 0.800499022; its upstream is 1\n"
        "    1  v4      1 - z * z        0.359201316  0.359201316  0.359201316\n"
        "v4 = v3 + b = 1.1; its upstream is 0.359201316\n"
        "    2  v3      1                          1  0.359201316  0.359201316\n"
        "    3  b       1                          1  0.359201316  0.359201316\n"
        "v3 = w * x = 1; its upstream is 0.359201316\n"
        "    4  w       x                        0.5  0.179600658  0.179600658\n"
        "    5  x       w                          2  0.718402632  0.718402632\n"
        "\n"
        "gradients, and what nudging the input a little says\n"
        "\n"
        "input  value     gradient  central difference\n"
        "---------------------------------------------\n"
        "w          2  0.179600658         0.179600658\n"
        "x        0.5  0.718402632         0.718402632\n"
        "b        0.1  0.359201316         0.359201316\n"
    )


def test_csv_holds_every_number_exactly(capsys):
    """Three tables with an empty line between them; the second has every column of the chain rule, in bits."""
    at = explained(CLASSIC[0], CLASSIC[1:])
    blocks = printed(capsys, "explain", *CLASSIC, "--format", "csv").split("\n\n")
    forward, backward, gradients = (list(csv.reader(io.StringIO(block))) for block in blocks)
    assert [float(row[1]) for row in forward[1:]] == [node.data for node in drawn(at.root)]
    assert tuple(backward[0]) == ChainRow._fields
    for cells, row in zip(backward[1:], chain_rule(at.root), strict=True):
        assert tuple(plain(cell) if isinstance(entry, str) else type(entry)(cell) for cell, entry in zip(cells, row)) == row
    totals = {edge.node.parents[edge.position]: edge.total for edge in edges(at.root)}
    assert [float(row[2]) for row in gradients[1:]] == [totals[leaf] for leaf in at.inputs.values()]


def test_paths_are_listed_and_the_rest_is_stated(capsys):
    """Largest first, at most so many, how many there are, and what the others add up to."""
    out = printed(capsys, "explain", "x*x + 10*x", "x=3", "--paths", "x", "--most", "2")
    section = out[out.index("paths to x:") :].splitlines()
    assert section == [
        "paths to x: 3 in all, adding up to 16; the largest 2, and all others together 3",
        "",
        "share  product of the partials",
        "------------------------------",
        "v4 -> v3 -> x",
        "   10  1 * 10",
        "v4 -> v1 -> x",
        "    3  1 * 3",
    ]
    assert "the largest 3\n" in printed(capsys, "explain", "x*x + 10*x", "x=3", "--paths", "x")


def test_a_negative_product_is_no_command_for_a_spreadsheet():
    """It stands in parentheses."""
    at = explained("-x * 2", ["x=1"])
    for form in ("text", "csv"):
        assert "(-1" in explain(at, form, toward="x") or "2 * -1" in explain(at, form, toward="x")
        assert ",-1 *" not in explain(at, form, toward="x")


def test_where_nudging_leaves_the_domain_the_table_says_so():
    """The gradient of log at 0.0001 is fine, its central difference is not."""
    assert gradient_table(explained("log(x)", ["x=0.0001"])).splitlines()[-1].split("  ")[-1] == "a nudge leaves the domain"


def test_numbers_that_are_not_finite_are_shown():
    """An input may be inf or nan; nothing is hidden."""
    assert "nan" in gradient_table(explained("x * 2", ["x=nan"])) and "inf" in forward_table(explained("exp(x)", ["x=1000"]).root)
    for form in ("text", "markdown", "csv", "html"):
        explain(explained("exp(x) - exp(x)*y", ["x=1000", "y=nan"]), form, toward="x")


def test_a_formula_of_a_name_or_a_number_is_explained_too(capsys):
    """A result that is an input has gradient 1; a number alone has no input."""
    assert "x          2         1                   1" in printed(capsys, "explain", "x", "x=2")
    assert printed(capsys, "explain", "1 + 2").startswith("1 + 2 = 3\n")


# --- the forms -------------------------------------------------------------------------------------------------------


def test_html_is_a_whole_page_that_needs_nothing_else(capsys):
    """One document, well nested, with the picture inside, all tables, and nothing to load."""
    out = printed(capsys, "explain", *CLASSIC, "--format", "html", "--paths", "w")
    page = Page(out)
    assert out.startswith("<!DOCTYPE html>") and page.open == []
    assert page.tags.count("table") == 4 and page.tags.count("svg") == 1
    assert page.loads == [] and "url(" not in out and "@import" not in out
    assert svg(explained(CLASSIC[0], CLASSIC[1:]).root) in out
    assert "0.359201316" in page.cells and "1 - z * z" in page.cells


def test_a_long_formula_is_cut_in_headings_only():
    """A page of 300 nodes and more goes without the picture and says so."""
    formula = "(" * 50 + "x" + ")*2.125" * 50
    assert ".. = " in explain(explained(formula, ["x=1"]))

    def tree(first, last):
        middle = (first + last) // 2
        return f"n{first}" if last - first == 1 else f"({tree(first, middle)} + {tree(middle, last)})"

    large = explain(explained(tree(0, 200), [f"n{place}={place}" for place in range(200)]), "html")
    assert "a part of 399 nodes" in large and Page(large).open == []


def test_markdown_has_headings_and_tables(capsys):
    """The formula as code, so that its stars stay stars."""
    out = printed(capsys, "explain", *CLASSIC, "--format", "markdown")
    assert out.startswith("# `tanh(w*x + b) = 0.800499022 at w = 2, x = 0.5, b = 0.1`\n\n## forward: ")
    assert "| v5   | 0.800499022 | tanh(v4) |" in out


def test_the_graph_alone(capsys):
    """As SVG and for Graphviz."""
    root = explained(CLASSIC[0], CLASSIC[1:]).root
    assert printed(capsys, "explain", *CLASSIC, "--graph", "svg") == svg(root)
    assert printed(capsys, "explain", *CLASSIC, "--graph", "dot") == graphviz(root)
    ElementTree.fromstring(svg(root))


@given(rows=st.lists(st.tuples(st.text(max_size=8), st.floats().map(repr)), max_size=4))
def test_html_tables_hold_any_text(rows):
    """ASCII, one row each, cells read back; markup in a cell stays text."""
    rows = [(cell.replace("\r", "").replace("\0", "").encode("ascii", "replace").decode(), number) for cell, number in rows]
    text = table(("name", "<b>"), rows, "html")
    page = Page(text)
    assert text.isascii() and set(page.tags) <= {"table", "tr", "th", "td"} and page.tags.count("tr") == len(rows) + 1
    assert page.cells == [cell for row in (("name", "<b>"), *rows) for cell in row if cell]


@pytest.mark.parametrize("command", [("rules",), ("show",), ("show", "--chain")])
def test_other_tables_come_as_html_too(command, capsys, tmp_path):
    """rules and show, with --format html."""
    folder = [recorded(tmp_path / "run")] if command[0] == "show" else []
    out = printed(capsys, command[0], *folder, *command[1:], "--format", "html")
    assert Page(out).open == [] and out.startswith("<table>\n<tr><th") and out.endswith("</table>\n")


# --- the chain rule of a trace ---------------------------------------------------------------------------------------


def recorded(folder, chosen=(1, 3)):
    with Tracer(folder) as tracer:
        net = MLP(2, [2, 1], activation="tanh", output="sigmoid")
        for step in train(net, xor(), loss=mse, optimizer=SGD(lr=0.1), epochs=4, chain_rule=chosen):
            tracer.watch(step)
    return folder


@pytest.mark.parametrize("form", ["text", "markdown", "csv", "html"])
def test_show_prints_the_chain_rule_of_a_step(form, tmp_path, capsys):
    """Of a chosen step as it was recorded, of any other as it is built again: the same rows, by default the last step's."""
    trace, chosen = Trace(recorded(tmp_path / "run")), Trace(recorded(tmp_path / "all", (1, 2, 3, 4)))
    for options, step in ((("--step", 1), 1), (("--step", 2), 2), ((), 4)):
        out = printed(capsys, "show", trace.folder, "--chain", "--format", form, *options)
        assert out == chain_table(chosen.chain_rule(step), form)
        assert out.count("\n") >= len(chosen.chain_rule(step)) + 1


def test_a_step_that_is_not_recorded_is_refused(tmp_path, capsys):
    """The line names those that are."""
    folder = recorded(tmp_path / "run")
    assert "recorded steps: 1, 2, 3, 4" in refused(capsys, "show", folder, "--chain", "--step", 9)


def test_chain_tables_shield_names():
    """A name that a spreadsheet would take for a command does not start a cell."""
    row = chain_rule(Value(1.0, "=cmd") * 2.0)[0]
    assert ",'=cmd," in chain_table([row], "csv") and "'=cmd" in chain_table([row])


def test_a_formula_may_begin_with_a_minus_and_values_may_follow_options(capsys):
    """However they are ordered, the same page; what stands after `--` is never an option."""
    expected = printed(capsys, "explain", "--format", "csv", "--paths", "a", "--", "-a*b", "a=2", "b=3")
    for arguments in (
        ("-a*b", "a=2", "b=3", "--paths", "a", "--format", "csv"),
        ("-a*b", "--paths", "a", "a=2", "--format=csv", "b=3"),
        ("--form", "csv", "-a*b", "--paths", "a", "--", "a=2", "b=3"),
    ):
        assert printed(capsys, "explain", *arguments) == expected


# --- a user's mistakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("w*x",), "no value for w, x; add w=... x=..."),
        (("w*x", "w=1"), "no value for x; add x=..."),
        (("w*x", "w=1", "x=2", "w=3"), "'w' is given two values; give it one"),
        (("w*x", "w=1", "X=2"), "'X' is not in the formula; its inputs: w, x"),
        (("width*x", "with=1"), "'with' is not in the formula (did you mean width?); its inputs: width, x"),
        (("x", "3"), "'3' is no value for an input; write it as name=number"),
        (("x", "x="), "'x=' gives no number; write it as x=0.5"),
        (("x", "x=two"), "'x=two' gives no number; write it as x=0.5"),
        (("x", "x=1\n"), None),
        (("log(x)", "x=-1"), "log: needs x > 0, got -1.0"),
        (("1/x", "x=0"), "div: needs y != 0, got x = 1.0, y = 0.0"),
        (("x", "x=1", "--paths", "y"), "'y' is not in the formula; its inputs: x"),
        (("x", "x=1", "--paths", "x", "--most", "0"), "most must be a whole number from 1, got 0"),
        (("2", "--paths", "x"), "'x' is not in the formula; its inputs: none"),
        (("x", "x=1", "--graph", "svg", "--gif", "x.gif"), "argument --gif: not allowed with argument --graph"),
        (("-" * 100_000 + "x", "x=1"), "a formula may have 10,000 characters, got 100,001"),
        (("x", "x=1", "--format", "pdf"), "argument --format: invalid choice: 'pdf'"),
        (("x", "x=1", "--gif", "x.gif"), "an animation shows one frame for each edge of a graph, from 1 to 60 of them, got 0"),
        (("n" * 9000, "x=1"), "'x' is not in the formula; its inputs: nnnn"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(arguments, words, capsys):
    """Exit code 2 and what is wrong; a blank around a number is no mistake."""
    if words is None:
        printed(capsys, "explain", *arguments)
        return
    pytest.importorskip("PIL")
    line = refused(capsys, "explain", *arguments)
    assert line.startswith(words) and len(line) < 400


def test_a_picture_of_too_many_nodes_is_refused(capsys):
    """By name and number; the tables are printed all the same."""

    terms = [" + ".join(f"{number}*x" for number in range(first, first + 12)) for first in range(0, 120, 12)]
    formula = " + ".join(f"({term})" for term in terms)
    line = refused(capsys, "explain", formula, "x=1", "--graph", "svg")
    assert re.fullmatch(r"this graph has \d+ nodes; more than 300 cannot be read: draw a part of it", line)
    printed(capsys, "explain", formula, "x=1")


# --- backward.gif ----------------------------------------------------------------------------------------------------


@pytest.fixture
def backward():
    pytest.importorskip("PIL", reason="the animation is drawn with Pillow")
    from micrograd_lite.pictures import backward

    return backward


def test_the_animation_has_a_frame_for_each_edge(backward, tmp_path, capsys):
    """One before the sweep and one after it besides; read back from the file, all of one size and no two alike in a row."""
    iio = pytest.importorskip("imageio.v3")
    path = tmp_path / "backward.gif"
    assert printed(capsys, "explain", *CLASSIC, "--gif", path) == f"{path}\n"
    read = iio.imread(path)
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    assert "holds no GIF; choose another name" in refused(capsys, "explain", *CLASSIC, "--gif", tmp_path / "mine.txt")
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "kept"
    assert len(read) == 5 + 2
    assert all((one != other).any() for one, other in pairwise(read))


def test_an_edge_marks_its_two_nodes(backward):
    """In the frame of an edge the payer is blue and the paid one orange, at their places; before and after nothing is marked."""
    root = explained(CLASSIC[0], CLASSIC[1:]).root
    scene = backward.Scene(root)
    pays, paid = backward.ink(backward.PAYS, 2), backward.ink(backward.PAID, 2)
    pictures = list(backward.frames(root))
    for frame, edge in zip(pictures[1:-1], edges(root), strict=True):
        for node, colour in ((edge.node, pays), (edge.node.parents[edge.position], paid)):
            left, top = scene.plan.boxes[node]
            x, y = round(left + scene.left) + 3, round(top) + backward.HEAD + 3
            assert frame[y, x] == colour
    for frame in (pictures[0], pictures[-1]):
        places = [(round(top) + backward.HEAD + 3, round(left + scene.left) + 3) for left, top in scene.plan.boxes.values()]
        assert not {int(frame[place]) for place in places} & {pays, paid}


def test_totals_fill_in(backward):
    """A node's gradient is not shown before its first share; after the last edge all are there, as in the engine."""
    root = explained("x*x + x", ["x=3"]).root
    scene = backward.Scene(root)
    assert set(scene.totals) == {root}
    for count, edge in enumerate(edges(root), start=1):
        scene.step(f"edge {count}", edge)
        assert scene.totals[edge.node.parents[edge.position]] == edge.total
    root.backward()
    assert {node: node.grad for node in drawn(root)} == scene.totals


@pytest.mark.parametrize("formula", ["tanh(w*x + b)", "maximum(a1, b1)*c1**2 - exp(a1)/(c1 + 1e9)"])
def test_every_word_of_the_animation_has_room(backward, formula, monkeypatch):
    """No line of text ends in two dots, none leaves the picture, and none stands on another."""
    written = []

    def text(self, x, y, text, colour=0, size=13, at="left top"):
        height, width = backward.letters(text, size).shape
        left, top = (x - width / 2, y - height / 2) if at == "middle centre" else (x, y)
        assert left >= 0 and left + width <= self.size[0] and top >= 0 and top + height <= self.size[1]
        assert top + height <= backward.HEAD or top >= backward.HEAD
        written.append((text, left, top, left + width, top + height))

    monkeypatch.setattr(backward.Canvas, "text", text)
    root = explained(formula, [f"{name}=-1.23456789e-5" for name in parse(formula).names]).root
    backward.Scene(root, formula)
    for (_, *one), (_, *other) in combinations(written, 2):
        assert one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] - 1 or other[1] >= one[3] - 1
    list(backward.frames(root, formula))
    assert not [line for line, *_ in written if line.endswith("..")]
    assert sum(line.startswith("share = partial x upstream = ") for line, *_ in written) == len(list(edges(root)))


def test_a_long_sweep_is_watched_in_fifteen_seconds(backward, tmp_path):
    """The 45 edges of the expression in micrograd's README take at most 15 s, on 1280 x 720 pixels at most, of even sides."""
    pytest.importorskip("imageio")
    from PIL import Image

    a, b = Value(-4.0, "a"), Value(2.0, "b")
    c, d = a + b, a * b + b**3
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = d + (d * 2 + (b + a).relu())
    d = d + (3 * d + (b - a).relu())
    f = (c - d) ** 2
    backward.backward_gif(tmp_path / "b.gif", f / 2.0 + 10.0 / f)
    with Image.open(tmp_path / "b.gif") as image:
        width, height = image.size
        times = []
        for index in range(image.n_frames):
            image.seek(index)
            times.append(image.info["duration"])
    assert len(times) == 45 + 2 and 10_000 < math.fsum(times) <= 15_000
    assert width <= 1280 and height <= 720 and width % 2 == height % 2 == 0


def test_a_known_gradient_colours_its_node(backward):
    """After the sweep a box is red where its gradient is positive, blue where it is negative; before it, leaves are pale blue."""
    root = explained("a*b - b", ["a=3", "b=2"]).root
    scene = backward.Scene(root)
    middle = int(backward.DIVERGING_RAMP[64])
    assert scene._fill(scene.inputs[0]) == backward.LEAF
    for count, edge in enumerate(edges(root), start=1):
        scene.step(f"edge {count}", edge)
    for node, total in scene.totals.items():
        assert (scene._fill(node) > middle) == (total > 0)


def test_an_animation_nobody_would_watch_is_refused(backward, tmp_path):
    """More than 60 edges, or none: ValueError, and no file."""
    path = tmp_path / "backward.gif"
    for root in (mean([Value(1.0) for _ in range(61)]), Value(1.0)):
        with pytest.raises(ValueError, match=r"from 1 to 60 of them, got (61|0)$"):
            backward.backward_gif(path, root)
    assert not path.exists()
    backward.backward_gif(path, mean([Value(1.0) for _ in range(60)]))


def test_a_folder_that_is_not_there_is_named(backward, tmp_path, capsys):
    """OSError with the path."""
    assert refused(capsys, "explain", *CLASSIC, "--gif", tmp_path / "none" / "x.gif").endswith("none/x.gif")
