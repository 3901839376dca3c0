"""The chain rule with a pencil: each arrow of a graph carries share = upstream x partial; a slope is the sum of its shares.

You will see the expression of micrograd's README, the last four operations of its graph, and every share that reaches `a`.

    python demos/01_chain_rule.py

Last line: g = 24.7041, dg/da = 138.8338, dg/db = 645.5773, as micrograd's README says
"""

from pathlib import Path

from micrograd_lite import Value
from micrograd_lite.chain.formulas import formulas
from micrograd_lite.demo import demo
from micrograd_lite.graph import node_names, youngest_first
from micrograd_lite.text.tables import table


def expression() -> tuple[Value, Value, Value]:
    """The nodes a, b and g of the expression in micrograd's README."""
    a, b = Value(-4.0, "a"), Value(2.0, "b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    e.label, f.label, g.label = "e", "f", "g"  # any node can have a name
    return a, b, g


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Print the expression and its shares; nothing is trained yet, so `out`, `quick` and `force` change nothing."""
    a, b, g = expression()
    g.backward()
    names = node_names(g)
    arrows = []
    for node in youngest_first(g):  # the order in which backward() walks: from the result to the inputs
        made = f"{names[node]} = {formulas(node, names)[0]}"
        for parent, partial in zip(node.parents, node.partials):
            value, upstream, slope, share = (f"{number:.6g}" for number in (node.data, node.grad, partial, partial * node.grad))
            arrows.append((parent, [made, value, upstream, slope, names[parent], share]))
    header = ("operation", "value", "upstream", "partial", "toward", "share = upstream x partial")

    print(f"g is the youngest of {len(names)} nodes. Those without a name are v0, v1, ... by birth, numbers and results alike.\n")
    print(table(header, [row for _, row in arrows[:7]]))
    print("f was used twice, and its upstream in the last row is the sum of the two shares above that go")
    print("toward f. That is why backward() takes the youngest node first: by then all who used a node have paid in.\n")
    print(table(header, [row for parent, row in arrows if parent is a]))
    print(f"So the slope of `a` is the sum of these {sum(parent is a for parent, _ in arrows)} shares. One is 0: v17 = b + a")
    print("went into a relu, and a relu passes nothing back when its input is negative.\n")
    print(f"g = {g.data:.4f}, dg/da = {a.grad:.4f}, dg/db = {b.grad:.4f}, as micrograd's README says")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
