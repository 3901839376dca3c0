"""Backpropagation without an engine: the graph of XOR written out as one Python function that you can read from top to bottom.

You will see the program, its numbers beside the engine's, and how much faster it is. Step through it with `python -m pdb`.

    python demos/12_flat_program.py

Last line: look at traces/xor_flat_program.py
"""

from pathlib import Path
from time import perf_counter

from micrograd_lite import MLP, Loss, data, hinge, mse
from micrograd_lite.demo import demo
from micrograd_lite.flat.model import flatten_model
from micrograd_lite.text.tables import table


def race(net: MLP, points: data.Dataset, loss: Loss, rounds: int) -> tuple[float, float, bool]:
    """Seconds for loss and gradients by the engine and by the program, and whether all their bits are the same."""
    program, samples = flatten_model(net, loss, points), list(zip(points.inputs, points.targets))

    def engine() -> float:
        total = loss([net(inputs) for inputs, _ in samples], [target for _, target in samples])
        total.backward()
        return total.data

    results = []
    for compute in (engine, lambda: program.backward(samples, loss.reduce)):
        best = float("inf")
        for _ in range(rounds):
            net.zero_grad()
            start = perf_counter()
            number = compute()
            best = min(best, perf_counter() - start)
        results.append((best, repr((number, [parameter.grad for parameter in net.parameters()]))))
    return results[0][0], results[1][0], results[0][1] == results[1][1]


def main(out: Path, quick: bool, force: bool) -> None:
    """Print and write the program of XOR, then time it, and a larger one, against the engine."""
    xor = MLP(2, [2, 1], activation="sigmoid", output="sigmoid")
    path = out / "xor_flat_program.py"
    if path.exists() and not force:
        raise FileExistsError(f"{path} is there already; choose another --out, or replace it with --force")
    source = flatten_model(xor, mse, data.xor()).source
    print(source)
    rows = []
    problems = ("xor 2-2-1", xor, data.xor(), mse), ("moons 2-16-16-1", MLP(2, [16, 16, 1]), data.moons(), hinge)
    for name, net, points, loss in problems:
        engine, flat, same = race(net, points, loss, 2 if quick else 20)
        rows.append([name, f"{1e6 * engine:.0f} us", f"{1e6 * flat:.0f} us", f"{engine / flat:.1f} x", str(same)])
    print(table(("loss and gradients", "engine", "program", "faster", "bits agree"), rows))
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    print(f"look at {path}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
