"""A drawn graph: nothing on top of anything else, nothing cut off, and text stays text."""

import re
import time
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite import MLP, Value
from micrograd_lite.chain.drawing import HEIGHT, LETTER, graphviz, notes, svg
from micrograd_lite.chain.layout import GAP, LABEL, MARGIN, ROUTE, SWEEPS, _apart, _crossings, drawn, layout, ordered
from micrograd_lite.chain.rows import edges
from micrograd_lite.many import mean
from micrograd_lite.many import sum as added
from strategies import programs

SVG = "{http://www.w3.org/2000/svg}"


def graphs():
    """Random programs, and a network with a neuron of many operands."""
    networks = st.integers(1, 4).map(lambda width: MLP(2, [width, 1], "tanh")([Value(1.0, "x0"), Value(2.0, "x1")]))
    return st.one_of(programs().map(lambda program: program.values()[-1]), networks)


def overlap(one, other):
    """Do two boxes (left, top, right, bottom) share more than an edge?"""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def chain(length):
    node = Value(0.5, "x")
    for _ in range(length):
        node = node.tanh()
    return node


# --- the layout ------------------------------------------------------------------------------------------------------


@given(root=graphs(), data=st.data())
def test_nothing_overlaps_and_nothing_is_cut_off(root, data):
    """Boxes keep apart and inside of the picture; lines keep out of all boxes; labels keep out of boxes and other labels."""
    widths = {node: data.draw(st.sampled_from([40.0, 90.0, 200.0])) for node in drawn(root)}
    plan = layout(root, widths, 50.0)
    boxes = {node: (x, y, x + widths[node], y + 50.0) for node, (x, y) in plan.boxes.items()}
    assert boxes.keys() == widths.keys()
    for one, other in combinations(boxes.values(), 2):
        assert not overlap(one, other)
    labels = [(wire.points[-1][0], wire.points[-1][1] - LABEL, wire.points[-1][0], wire.points[-1][1]) for wire in plan.wires]
    assert len(set(labels)) == len(labels)
    for left, top, right, bottom in boxes.values():
        assert left >= 0 and top >= 0 and right <= plan.width and bottom <= plan.height
        assert not any(overlap((left, top, right, bottom), (x - 1, up, x + 1, down)) for x, up, _, down in labels)
    for wire in plan.wires:
        parent = wire.node.parents[wire.position]
        left, _, right, bottom = boxes[parent]
        assert wire.points[0] == pytest.approx(((left + right) / 2, bottom))
        assert wire.points[-1][1] == boxes[wire.node][1]
        for (x, up), (to_x, down) in list(pairwise(wire.points))[1::2]:  # the straight pieces
            assert x == to_x and 0 <= x <= plan.width
            assert not any(overlap(box, (x - 1, up, x + 1, down)) for box in boxes.values())
        for (_, up), (_, down) in list(pairwise(wire.points))[0::2]:  # the bends, between the boxes above and the labels below
            assert not any(box[1] - LABEL < down - 1e-9 and up + 1e-9 < box[3] for box in boxes.values())


@given(root=graphs())
def test_there_is_one_arrow_for_each_edge_of_the_sweep(root):
    """In its order, from the parent above to the node below."""
    plan = layout(root, {node: 50.0 for node in drawn(root)}, 50.0)
    assert [(wire.node, wire.position) for wire in plan.wires] == [(edge.node, edge.position) for edge in edges(root)]
    for wire in plan.wires:
        assert plan.boxes[wire.node.parents[wire.position]][1] < plan.boxes[wire.node][1]


@given(root=graphs())
def test_a_node_stands_one_layer_above_the_highest_of_those_that_use_it(root):
    """So the shortest arrow from every box goes down by one layer, and the picture is as high as its longest chain."""
    plan = layout(root, {node: 50.0 for node in drawn(root)}, 50.0)
    layer = LABEL + 50.0 + ROUTE
    users = {}
    for edge in edges(root):
        users.setdefault(edge.node.parents[edge.position], []).append(plan.boxes[edge.node][1])
    for node, tops in users.items():
        assert min(tops) - plan.boxes[node][1] == pytest.approx(layer)
    tops = [top for _, top in plan.boxes.values()]
    assert (min(tops), plan.height) == pytest.approx((MARGIN, max(tops) + 50.0 + MARGIN))


@given(wanted=st.lists(st.floats(-100, 100), min_size=1, max_size=8), width=st.floats(1, 50))
def test_items_move_apart_and_no_further(wanted, width):
    """In order, a gap between them; what is far enough apart stays; together they stay where they wanted to be."""
    places = _apart(wanted, [width] * len(wanted))
    assert all(right - left >= width + GAP - 1e-6 for left, right in pairwise(places))
    mean_place, mean_wanted = (sum(numbers) / len(numbers) for numbers in (places, wanted))
    assert mean_place == pytest.approx(mean_wanted, abs=1e-6)
    apart = [place * 200.0 for place in range(len(wanted))]
    assert _apart(apart, [width] * len(apart)) == pytest.approx(apart)


@given(root=graphs())
def test_sorting_makes_no_more_crossings(root):
    """Not more than the order in which the sweep finds the nodes, nor than any order that was tried on the way."""
    tried, found = [], []

    def crossings(*arguments):
        tried.append(_crossings(*arguments))
        return tried[-1]

    def sort(layers, links, size):
        order = ordered(layers, links, size)
        ranks = {item: float(rank) for layer in order for rank, item in enumerate(layer)}
        found.append(_crossings(ranks, links, size))
        assert [set(layer) for layer in order] == [set(layer) for layer in layers]
        return order

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("micrograd_lite.chain.layout._crossings", crossings)
        patch.setattr("micrograd_lite.chain.layout.ordered", sort)
        layout(root, {node: 50.0 for node in drawn(root)}, 50.0)
    assert found == [min(tried)] and len(tried) == SWEEPS + 1


def test_a_tree_is_drawn_without_crossings():
    """Arrows into one layer end in the order in which they start."""
    a, b, c, d = (Value(1.0, name) for name in "abcd")
    root = (a * b + c.tanh()) * d.exp()
    plan = layout(root, {node: 50.0 for node in drawn(root)}, 50.0)
    ends = {}
    for wire in plan.wires:
        for (x, up), (to_x, down) in list(pairwise(wire.points))[0::2]:
            ends.setdefault((up, down), []).append((x, to_x))
    for links in ends.values():
        assert [to for _, to in sorted(links)] == sorted(to for _, to in links)


# --- the picture -----------------------------------------------------------------------------------------------------


@given(root=graphs())
def test_a_picture_says_every_number(root):
    """Well-formed XML, ASCII; each node's name, value and gradient, each arrow's slope; as wide as what stands in it."""
    text = svg(root)
    assert text.isascii()
    tree = ElementTree.fromstring(text)
    said = [element.text for element in tree.iter(f"{SVG}text")]
    for note in notes(root).values():
        assert {note.title, note.value, note.gradient} <= set(said)
    slopes = [element.text for element in tree.iter(f"{SVG}text") if element.get("class") == "slope"]
    assert sorted(slopes) == sorted(f"{edge.node.partials[edge.position]:.4g}" for edge in edges(root))
    width, height = float(tree.get("width")), float(tree.get("height"))
    for element in tree.iter(f"{SVG}text"):
        x, y, length = float(element.get("x")), float(element.get("y")), LETTER * len(element.text)
        left = x - length / 2 if element.get("class") == "slope" else x
        assert left >= 0 and left + length <= width + 1 and 0 <= y <= height


@given(root=graphs())
def test_labels_of_one_box_stand_apart(root):
    """The slopes on the arrows into a node do not run into each other, and its text stays inside."""
    tree = ElementTree.fromstring(svg(root))
    slopes = [element for element in tree.iter(f"{SVG}text") if element.get("class") == "slope"]
    places = [(float(e.get("x")), float(e.get("y")), LETTER * len(e.text) / 2) for e in slopes]
    for (x, y, half), (to_x, to_y, to_half) in combinations(places, 2):
        assert y != to_y or abs(x - to_x) >= half + to_half
    for group in tree.iter(f"{SVG}g"):
        box = group.find(f"{SVG}rect")
        for line in group.iter(f"{SVG}text"):
            assert float(line.get("x")) + LETTER * len(line.text) <= float(box.get("x")) + float(box.get("width"))
            assert float(box.get("y")) < float(line.get("y")) < float(box.get("y")) + HEIGHT


EVIL = ["<script>alert(1)</script>", "a&b", '"]};', "\u00e9\u03b1", "a\0b", "\udc80", "\n", "x" * 100_000, "]]>", "\\", ""]


@pytest.mark.parametrize("label", EVIL)
def test_a_label_stays_text(label):
    """In SVG and in Graphviz's language, whatever it holds: no element and no attribute comes out of it; long ones are cut."""
    root = Value(1.0, label) * 2.0
    tree = ElementTree.fromstring(svg(root))
    plain = ElementTree.fromstring(svg(Value(1.0, "w") * 2.0))
    assert [element.tag for element in tree.iter()] == [element.tag for element in plain.iter()]
    assert float(tree.get("width")) < 1000
    written = re.sub(r'"(\\.|[^"\\])*"', "TEXT", graphviz(root))
    assert written == re.sub(r'"(\\.|[^"\\])*"', "TEXT", graphviz(Value(1.0, "w") * 2.0))


def test_a_backslash_and_a_quote_are_doubled_for_graphviz():
    """The name as Python writes it, then each of its backslashes and double quotes behind another backslash."""
    assert r"""[label="'\\\\\"'\lvalue""" in graphviz(Value(1.0, '\\"') * 2.0)


def test_functions_are_called_by_their_names():
    """relu(x) is what a reader knows, in the box and in the tooltip."""
    root = Value(1.0, "x").relu()
    assert notes(root)[root].title == "v1 = relu(x)"
    assert notes(root)[root].full == "v1 = relu(x)\nvalue 1.0\ngradient 1.0"


def test_what_no_gradient_reaches_is_not_drawn():
    """A plain exponent stands in its formula."""
    x = Value(2.0, "x")
    assert len(drawn(x**3)) == 2 and drawn(x) == [x]
    assert "x ** 3" in svg(x**3)


@pytest.mark.parametrize("draw", [svg, graphviz])
def test_a_graph_too_large_to_read_is_refused(draw):
    """300 nodes are drawn, 301 are a ValueError that says so."""
    draw(chain(299))
    with pytest.raises(ValueError, match=r"^this graph has 301 nodes; more than 300 cannot be read: draw a part of it$"):
        draw(chain(300))


def test_a_notebook_shows_the_picture():
    """_repr_svg_ is the picture; of a far too large graph, a note with its value and the reason."""
    root = chain(3)
    assert root._repr_svg_() == svg(root)
    note = ElementTree.fromstring(chain(5_000)._repr_svg_())
    said = [element.text for element in note.iter(f"{SVG}text")]
    assert said[0].startswith("Value(data=") and said[1].startswith("this graph has 5,001 nodes; ")


def test_drawing_reads_the_graph_only():
    """No grad changes; the same graph gives the same bytes."""
    root = chain(3)
    root.grad = 7.0
    assert svg(root) == svg(root) and graphviz(root) == graphviz(root)
    assert root.grad == 7.0


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e-300, -1.2345678e300])
def test_odd_numbers_are_drawn(number):
    """As Python writes them."""
    assert f">value {number:.6g}<" in svg(Value(number, "x") * 1.0)


def test_many_lanes_are_drawn_in_time():
    """The worst graph of 300 nodes, every node of a chain used again at its end: some seconds at most."""
    node, uses = Value(0.5, "x"), []
    for _ in range(150):
        node = node.tanh()
        uses.append(node)
    start = time.perf_counter()
    svg(mean(uses) + added(uses))
    assert time.perf_counter() - start < 10


def test_dot_has_a_line_for_each_node_and_each_arrow():
    """With the same texts as the picture."""
    w, x = Value(2.0, "w"), Value(0.5, "x")
    assert graphviz((w * x).tanh()).splitlines() == [
        "digraph {",
        "  node [shape=box, fontname=monospace]",
        "  edge [fontname=monospace]",
        '  n0 [label="w\\lvalue 2\\lgrad 0.209987\\l"]',
        '  n1 [label="x\\lvalue 0.5\\lgrad 0.839949\\l"]',
        '  n2 [label="v2 = w * x\\lvalue 1\\lgrad 0.419974\\l"]',
        '  n3 [label="v3 = tanh(v2)\\lvalue 0.761594\\lgrad 1\\l"]',
        '  n2 -> n3 [label="0.42"]',
        '  n0 -> n2 [label="0.5"]',
        '  n1 -> n2 [label="2"]',
        "}",
    ]
