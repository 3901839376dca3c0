"""A formula explained: every number of micrograd's README expression as tables, as paths, as a picture and as an animation.

You will see each node's value, each share, the largest of the paths whose products are the gradient of `a`, and that all of
them add up to it. The same for a formula of your own: micrograd-lite explain "tanh(w*x + b)" w=2 x=0.5 b=0.1 --paths w

    python demos/16_explain.py

Last line: wrote traces/explain/explain.html and traces/explain/graph.svg and traces/explain/backward.gif
"""

from pathlib import Path

from micrograd_lite.chain.drawing import svg
from micrograd_lite.chain.paths import paths
from micrograd_lite.demo import demo, fresh
from micrograd_lite.explain.page import explain, explained
from micrograd_lite.pictures.backward import backward_gif
from micrograd_lite.text.files import write_whole


def formula() -> str:
    """micrograd's lines as one formula: where it writes c += c + 1, what stands in c is put in."""
    c, d = "(a + b)", "(a*b + b**3)"
    c = f"({c} + ({c} + 1))"
    c = f"({c} + (1 + {c} + (-a)))"
    d = f"({d} + ({d}*2 + relu(b + a)))"
    d = f"({d} + (3*{d} + relu(b - a)))"
    return f"({c} - {d})**2/2 + 10/({c} - {d})**2"


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Explain the expression at a = -4, b = 2, and draw it into `out`; there is nothing that `quick` could leave out."""
    files = [out / "explain" / name for name in ("explain.html", "graph.svg", "backward.gif")]
    at = explained(formula(), ["a=-4", "b=2"])
    fresh(files[1], force, svg(at.root))  # the drawing of this very formula is our own
    print(explain(at, toward="a", most=5))

    print(f"What is written twice is one node: {len(at.formula.text)} characters are {len(at.formula.steps)} operations.")
    for name, leaf in at.inputs.items():
        found = paths(at.root, leaf, most=1000)
        print(f"The shares of all {found.number} paths to {name} add up to its gradient, but for {abs(found.remainder):.0e}.")
    gradients = [paths(at.root, leaf).gradient for leaf in at.inputs.values()]
    print("g = {:.4f}, dg/da = {:.4f}, dg/db = {:.4f}, as micrograd's README says\n".format(at.root.data, *gradients))

    write_whole(files[0], explain(at, "html", toward="a"))
    write_whole(files[1], svg(at.root))
    backward_gif(files[2], at.root, "micrograd's README expression")
    print(f"wrote {files[0]} and {files[1]} and {files[2]}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
