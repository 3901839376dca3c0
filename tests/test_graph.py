"""Nodes and their order: every walk goes from parents to children or back, whatever the shape of the graph."""

from hypothesis import given

from micrograd_lite.graph import node_names, oldest_first, youngest_first
from micrograd_lite.scalar import Value
from strategies import programs


def reachable(root):
    """All nodes below root, found without any order."""
    found, todo = {root}, [root]
    while todo:
        new = set(todo.pop().parents) - found
        found |= new
        todo.extend(new)
    return found


@given(program=programs())
def test_parents_are_older(program):
    """A node's birth is later than that of each of its parents."""
    for node in program.values():
        assert all(parent.birth < node.birth for parent in node.parents)


@given(program=programs())
def test_youngest_first_lists_every_inner_node_once(program):
    """Exactly the nodes below root that have parents, root included, each once."""
    root = program.values()[-1]
    order = youngest_first(root)
    assert len(order) == len(set(order))
    assert set(order) == {node for node in reachable(root) if node.parents}


@given(program=programs())
def test_youngest_first_puts_a_node_before_its_parents(program):
    """When a node's turn comes, every node that uses it has had its turn."""
    place = {node: turn for turn, node in enumerate(youngest_first(program.values()[-1]))}
    for node, turn in place.items():
        assert all(place.get(parent, len(place)) > turn for parent in node.parents)


@given(program=programs())
def test_oldest_first_lists_every_node_once_after_its_parents(program):
    """Leaves included, each node stands after all nodes that it was made from."""
    root = program.values()[-1]
    order = oldest_first(root)
    assert len(order) == len(set(order)) and set(order) == reachable(root)
    place = {node: turn for turn, node in enumerate(order)}
    assert all(place[parent] < place[node] for node in order for parent in node.parents)


@given(program=programs())
def test_the_inner_nodes_of_both_orders_are_mirrored(program):
    """oldest_first without its leaves, read backwards, is youngest_first."""
    root = program.values()[-1]
    assert [node for node in reversed(oldest_first(root)) if node.parents] == youngest_first(root)


@given(program=programs())
def test_names_are_the_same_in_every_run(program):
    """The same program gives the same names and the same numbers under them, however many nodes were born before."""
    first = program.values()[-1]
    Value(0.0) + Value(1.0)
    second = program.values()[-1]
    assert [(name, node.data) for node, name in node_names(first).items()] == [
        (name, node.data) for node, name in node_names(second).items()
    ] or any(node.data != node.data for node in oldest_first(first))


@given(program=programs())
def test_names_are_labels_and_ranks_for_the_rest(program):
    """A node with a label is called by it, leaf or not, any other node v and its rank by birth in this graph."""
    root = program.values()[-1]
    root.label = "root" if root.parents else root.label
    for rank, node in enumerate(oldest_first(root)):
        assert node_names(root)[node] == (node.label or f"v{rank}")


def test_no_two_nodes_share_a_name():
    """A label that two nodes share, or that reads like a rank, gives way to the rank."""
    z = Value(1.0, "w") * Value(2.0, "w") + Value(3.0, "v0") * Value(4.0, "b")
    assert list(node_names(z).values()) == ["v0", "v1", "v2", "v3", "b", "v5", "v6"]
    z.label = "b"
    assert list(node_names(z).values()) == ["v0", "v1", "v2", "v3", "v4", "v5", "v6"]


def test_a_label_on_an_inner_node_is_its_name():
    """As in a lecture: e = a * b; e.label = "e"."""
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    e = a * b
    e.label = "e"
    assert list(node_names(e + 1.0).values()) == ["a", "b", "e", "v3", "v4"]


def test_a_lone_leaf_is_its_own_graph():
    """A leaf has no inner nodes below it, is listed alone, and is named by its label or v0."""
    leaf = Value(1.0)
    assert youngest_first(leaf) == []
    assert oldest_first(leaf) == [leaf]
    assert node_names(leaf) == {leaf: "v0"}
    assert node_names(named := Value(1.0, "w")) == {named: "w"}


def test_names_by_example():
    """In z = (a * b) + 3 with a labelled, the unlabelled leaves and the inner nodes are numbered together."""
    a, b = Value(1.0, "a"), Value(2.0)
    z = a * b + 3.0
    assert list(node_names(z).values()) == ["a", "v1", "v2", "v3", "v4"]
    assert [node.data for node in oldest_first(z)] == [1.0, 2.0, 2.0, 3.0, 5.0]
