"""Backpropagation without an engine: the graph of XOR written out as one Python function that you can read from top to bottom.

You will see the program and how much faster it is than the engine, in Python and in C. Step through it with `python -m pdb`.

    python demos/12_flat_program.py

Last line: look at traces/xor_flat_program.py
"""

import math
from functools import partial
from pathlib import Path
from time import perf_counter

from micrograd_lite import MLP, Loss, data, hinge, mse
from micrograd_lite.demo import demo, fresh
from micrograd_lite.flat.compiled import in_c
from micrograd_lite.flat.model import flatten_model
from micrograd_lite.text.tables import table


def race(net: MLP, points: data.Dataset, loss: Loss, rounds: int) -> list[str]:
    """The time of loss and gradients by the engine, by the program and by the same in C; and whether all their bits agree."""
    program, samples = flatten_model(net, loss, points), list(zip(points.inputs, points.targets))
    times, numbers = [], set()

    def engine() -> float:
        total = loss([*map(net, points.inputs)], points.targets)
        total.backward()
        return total.data

    ways = [engine]
    for each in dict.fromkeys((program, in_c(program))):  # without a C compiler in_c warns, and both are the same
        ways.append(partial(each.backward, each.pack(samples), loss.reduce))
    for compute in ways:
        times.append(math.inf)
        for _ in range(rounds):
            net.zero_grad()
            start = perf_counter()
            number = compute()
            times[-1] = min(times[-1], perf_counter() - start)
        numbers.add(repr((number, [parameter.grad for parameter in net.parameters()])))
    shown = [f"{1e6 * seconds:.0f} us ({times[0] / seconds:.0f} x)" for seconds in times]
    return [*shown, *["-"] * (3 - len(shown)), str(len(numbers) == 1)]


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Print and write the program of XOR, then time it, and a larger one, against the engine."""
    xor = MLP(2, [2, 1], activation="sigmoid", output="sigmoid")
    print(source := flatten_model(xor, mse, data.xor()).source)
    path = fresh(out / "xor_flat_program.py", force, source)
    problems = ("xor 2-2-1", xor, data.xor(), mse), ("moons 2-16-16-1", MLP(2, [16, 16, 1]), data.moons(), hinge)
    rows = [[name, *race(*problem, 2 if quick else 20)] for name, *problem in problems]
    print(table(("loss and gradients", "engine", "program", "in C", "bits agree"), rows))
    path.write_text(source, encoding="utf-8")
    print(f"look at {path}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
