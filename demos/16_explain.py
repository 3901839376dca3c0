"""A formula explained: micrograd's README expression as tables, as paths, as a picture, and as an animation of its backward pass.

You will see the largest of the paths whose shares are the gradient of `a`, and that all of them add up to it. The same for a
formula of your own: micrograd-lite explain "tanh(w*x + b)" w=2 x=0.5 b=0.1 --paths w

    python demos/16_explain.py

Last line: wrote traces/explain/graph.svg and traces/explain/backward.gif
"""

from pathlib import Path

from micrograd_lite.cli import demo
from micrograd_lite.explain import explain, explained, paths_section
from micrograd_lite.export.backward import backward_gif
from micrograd_lite.drawing import svg
from micrograd_lite.files import write_whole
from micrograd_lite.paths import paths

C = "(a + b)"  # micrograd writes c += c + 1; in a formula, what stands there is put in
C = f"({C} + ({C} + 1))"
C = f"({C} + (1 + {C} + (-a)))"
D = "(a*b + b**3)"
D = f"({D} + ({D}*2 + relu(b + a)))"
D = f"({D} + (3*{D} + relu(b - a)))"
F = f"({C} - {D})**2"
FORMULA = f"{F}/2 + 10/{F}"


def main(out: Path, quick: bool, force: bool) -> None:
    """Explain the expression at a = -4, b = 2, and draw it into `out`; `quick` changes nothing, `force` replaces."""
    folder = out / "explain"
    files = [folder / name for name in ("explain.html", "graph.svg", "backward.gif")]
    if not force and any(path.exists() for path in files):
        raise FileExistsError(f"{folder} already holds an explanation; choose another folder, or replace it with --force")
    at = explained(FORMULA, ["a=-4", "b=2"])
    folder.mkdir(parents=True, exist_ok=True)

    print(f"What is written twice in the formula is one node, so its {len(FORMULA)} characters are {len(at.formula.steps)} operations:\n")
    print(explain(at, toward="a", most=5))
    for name, node in at.inputs.items():
        found = paths(at.root, node, most=1000)
        print(f"{name}: {found.number} paths, and their shares add up to {found.gradient:.4f} within {abs(found.remainder):.1g}")
    print(f"g = {at.root.data:.4f}, as micrograd's README says\n")

    write_whole(files[0], explain(at, "html", toward="a"))
    write_whole(files[1], svg(at.root))
    backward_gif(files[2], at.root, "micrograd's README expression")
    print(f"wrote {files[1]} and {files[2]}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
