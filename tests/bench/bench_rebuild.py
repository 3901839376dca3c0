"""Asking a trace after the fact: opening 10,000 steps of XOR (2-2-1, 9 parameters), and one step built again.

    python tests/bench/bench_rebuild.py

Processor time, medians; the peer is `csv.DictReader`, which reads the same table into words and no more.
"""

import csv
import statistics
import tempfile
import time
from pathlib import Path

from micrograd_lite import MLP, SGD, Trace, Tracer, mse, train
from micrograd_lite.data import xor
from micrograd_lite.trace.rebuild import Rebuild
from side_by_side import report

STEPS, ASKED = 10_000, (1, 5_000, 7_777, 10_000)


def measured(folder):
    """Seconds of: the peer's reading, opening, one step with all its samples."""
    start = time.process_time()
    with (folder / "gradients.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    read = time.process_time()
    del rows
    opened = time.process_time()
    trace = Trace(folder)
    trace.steps()
    open_for = time.process_time() - opened
    rebuild, asked = Rebuild(folder), []
    rebuild.step(ASKED[1])
    for number in ASKED:
        begun = time.process_time()
        step = rebuild.step(number)
        for sample in range(4):
            step.sample(sample)
        asked.append(time.process_time() - begun)
    return read - start, open_for, statistics.median(asked)


def main(rounds=5):
    """Print the table."""
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room) / "xor"
        with Tracer(folder) as tracer:
            steps = train(MLP(2, [2, 1], "tanh"), xor(), loss=mse, optimizer=SGD(lr=0.5), epochs=STEPS, engine="flat")
            list(tracer.follow(steps))
        peer, opening, step = (statistics.median(column) for column in zip(*(measured(folder) for _ in range(rounds))))
    report(
        f"{STEPS:,} steps of XOR, {rounds} rounds",
        [
            ("csv.DictReader reads gradients.csv", f"{peer:.2f} s", ""),
            ("opening the trace, all steps read", f"{opening:.2f} s, {opening / peer:.1f} x", "<= 1 s"),
            ("one step built again, four samples", f"{step * 1e3:.1f} ms", "<= 50 ms"),
        ],
    )


if __name__ == "__main__":
    main()
