"""A gradient as the sum over paths: the same as walking them all, however many there are."""

import math

import pytest
from hypothesis import given

from micrograd_lite.chain.paths import paths
from micrograd_lite.check import path_sizes
from micrograd_lite.scalar import Value
from strategies import programs

UNIT = 2.0**-53


def walked(node, leaf):
    """All paths from node to leaf by brute force: lists of (partial, parent), from the node on."""
    found = [[]] if node is leaf else []
    for parent, partial in zip(node.parents, node.partials) if node is not leaf else ():
        found += [[(partial, parent), *rest] for rest in walked(parent, leaf)]
    return found


def product(path):
    share = 1.0
    for partial, _ in path:
        share *= partial
    return share


def doubled(number, times):
    """x, added to itself again and again: 2 ** times paths."""
    leaf = node = Value(number, "x")
    for _ in range(times):
        node = node + node
    return node, leaf


@given(program=programs(most=8))
def test_counts_and_shares_are_those_of_walking_every_path(program):
    """To each input: the exact number, the same shares in bits, largest first; a shorter list is the start of the whole one."""
    values = program.values()
    root = values[-1]
    for leaf in values[: len(program.inputs)]:
        brute = walked(root, leaf)
        found = paths(root, leaf, most=max(1, len(brute)))
        assert found.number == len(brute) == len(found.largest)
        assert sorted(path.share for path in found.largest) == sorted(map(product, brute))
        sizes = [abs(path.share) for path in found.largest]
        assert sizes == sorted(sizes, reverse=True)
        assert [abs(path.share) for path in paths(root, leaf, most=2).largest] == sizes[:2]


@given(program=programs(most=8))
def test_a_path_is_a_walk_through_the_graph(program):
    """From root to leaf, each arrow an edge with that partial, and the share their product."""
    values = program.values()
    for path in paths(values[-1], values[0]).largest:
        assert path.nodes[0] is values[-1] and path.nodes[-1] is values[0]
        share = 1.0
        for node, parent, partial in zip(path.nodes[:-1], path.nodes[1:], path.partials, strict=True):
            assert (parent, partial) in list(zip(node.parents, node.partials))
            share *= partial
        assert share == path.share


@given(program=programs(most=8))
def test_the_sum_of_the_paths_is_the_gradient(program):
    """Within 64 u S; and the remainder is what the listed ones leave of the gradient, which is that of backward()."""
    values = program.values()
    root = values[-1]
    sizes = path_sizes(root)
    root.backward()
    for leaf in dict.fromkeys(values[: len(program.inputs)]):
        found = paths(root, leaf, most=100_000)
        assert found.gradient == leaf.grad
        assert abs(found.remainder) <= 64 * UNIT * sizes.get(leaf, 0.0)
        some = paths(root, leaf, most=1)
        listed = some.largest[0].share if some.largest else 0.0
        assert some.remainder == some.gradient - listed


def test_astronomically_many_paths_are_counted_to_the_last_digit():
    """10 ** 100 and more, in no time; each listed path has a thousand arrows."""
    root, leaf = doubled(1.0, 1000)
    found = paths(root, leaf, most=5)
    assert found.number == 2**1000
    assert [path.share for path in found.largest] == [1.0] * 5
    assert len({path.nodes for path in found.largest}) == 1 and len(found.largest[0].partials) == 1000
    assert found.remainder == found.gradient == 2.0**1000


def test_the_largest_are_found_among_very_many():
    """In a product of 100 sums of 3 x and 0.5 x the best paths take the steep side everywhere, or everywhere but once."""
    leaf = node = Value(1.0, "x")
    for _ in range(100):
        node = node * 3.0 + node * 0.5
    found = paths(node, leaf, most=102)
    assert found.number == 2**100
    best = 3.0**100
    assert found.largest[0].share == pytest.approx(best)
    assert [path.share for path in found.largest[1:101]] == pytest.approx([best / 6.0] * 100)
    assert found.largest[101].share == pytest.approx(best / 36.0)


def test_negative_shares_count_by_their_size():
    """A large negative path comes before a small positive one."""
    x = Value(2.0, "x")
    assert [path.share for path in paths(x * 3.0 - x * 5.0 + x, x).largest] == [-5.0, 3.0, 1.0]


def test_an_input_that_takes_no_part_has_no_path():
    """Nor has a plain exponent; the result itself has one, of no arrow."""
    x = Value(2.0, "x")
    power = x**3
    assert paths(power, Value(1.0)) == paths(power, power.parents[1]) == (0, 0.0, [], 0.0)
    assert paths(power, power) == (1, 1.0, [((power,), (), 1.0)], 0.0)


def test_an_inner_node_can_be_asked_for():
    """The gradient toward it, over the paths that end there."""
    x = Value(2.0, "x")
    y = x * x
    assert [path.share for path in paths(y * y + y, y).largest] == [4.0, 4.0, 1.0]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_do_no_harm(number):
    """They are listed first, because they decide the sum."""
    x, w = Value(number, "x"), Value(1.0, "w")
    found = paths(w * x + (w * 0.0) * x + w * 2.0, w, most=2)
    assert found.number == 3
    assert not any(math.isfinite(path.share) for path in found.largest)


def test_the_graph_stays_as_it_is():
    """No grad is touched."""
    root, leaf = doubled(1.0, 3)
    leaf.grad = root.grad = 7.0
    paths(root, leaf)
    assert leaf.grad == root.grad == 7.0


@pytest.mark.parametrize("most", [0, -1, 1.5, "3", True, None])
def test_most_is_a_whole_number_from_one(most):
    """Anything else is a ValueError."""
    with pytest.raises(ValueError, match=r"^most must be a whole number from 1, got "):
        paths(Value(1.0), Value(1.0), most)


def test_paths_lead_between_values():
    """A number is a TypeError."""
    with pytest.raises(TypeError, match=r"^paths lead from a Value to a Value, got float$"):
        paths(Value(1.0), 1.0)
