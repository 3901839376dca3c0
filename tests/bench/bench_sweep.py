"""Sweeps: 1,000 runs of XOR, what a run costs beyond its training, ten kills, and the shares of 2-2-1, 2-3-1 and 2-4-1.

    python tests/bench/bench_sweep.py
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from micrograd_lite.sweep import processes, runs, sweep
from micrograd_lite.text.shares import shares, shares_table
from side_by_side import report

XOR = ("xor", "--output", "sigmoid", "--loss", "mse", "--optimizer", "SGD", "--lr", "2", "--epochs", "1000")


def nothing(settings):
    """A job that takes no time: what is left is the sweep's own."""
    return {"learned": True}


def overhead(folder, jobs, many):
    """Milliseconds of one run that does nothing, the start of the processes left out."""
    with processes(jobs) as pool:
        list(pool.map(abs, range(4 * jobs)))
        start = time.perf_counter()
        for _ in sweep(nothing, {"seed": range(many)}, folder, pool):
            pass
        return 1000 * (time.perf_counter() - start) / many


def command(folder, *options):
    """`micrograd-lite sweep` of XOR, as a list of words."""
    return [sys.executable, "-m", "micrograd_lite", "sweep", *XOR, *options, "--out", str(folder)]


def swept(folder, *options):
    """Seconds of a whole sweep, as a user waits for it."""
    start = time.perf_counter()
    subprocess.run(command(folder, *options), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def written(folder):
    """When each result was written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/result.json")}


def workers(folder):
    """Processes that still have to do with a folder: their environment names it."""
    alive = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"BENCH_SWEEP={folder}".encode() in (place / "environ").read_bytes():
                alive.append(int(place.name))
        except OSError:
            pass
    return alive


def kills(folder, times, seed=0):
    """(results written before a kill and again after it, half-written files at the end, processes that outlived a kill, runs)"""
    chance, twice, outlived = random.Random(seed), 0, 0
    line = command(folder, "--grid", "layers=2", "--grid", "seed=0:200", "--jobs", "2")
    environment = {**os.environ, "BENCH_SWEEP": str(folder)}
    for _ in range(times):
        before = written(folder)
        process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(written(folder)) == len(before) and process.poll() is None:  # until it has begun to write
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 1.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        until = time.monotonic() + 5.0
        while workers(folder) and time.monotonic() < until:
            time.sleep(0.05)
        outlived += len(workers(folder))
        after = written(folder)
        twice += sum(1 for path, moment in before.items() if after.get(path) != moment)
    before = written(folder)
    subprocess.run(line, check=True, env=environment, stdout=subprocess.DEVNULL)
    after = written(folder)
    twice += sum(1 for path, moment in before.items() if after.get(path) != moment)
    return twice, len(list(folder.rglob(".*.part"))), outlived, sum(1 for run in runs(folder) if run.done)


def main(many=1000, seeds=500, times=10):
    """Print the tables."""
    with tempfile.TemporaryDirectory() as room:
        place = Path(room)
        empty = [overhead(place / f"nothing{jobs}", jobs, many) for jobs in (1, 2)]
        twice, halves, outlived, done = kills(place / "killed", times)
        one, two = swept(place / "one", *_grid(2, 100), "--jobs", "1"), swept(place / "two", *_grid(2, 100), "--jobs", "2")
        same = (place / "one" / "summary.csv").read_bytes() == (place / "two" / "summary.csv").read_bytes()
        seconds = swept(place / "many", *_grid(2, many), "--jobs", "2")
        swept(place / "widths", "--grid", "layers=2", "--grid", "layers=3", "--grid", "layers=4", "--grid", f"seed=0:{seeds}")
        report("Sweeps", [
            (f"{many:,} runs of 2-2-1, 1,000 steps each, two processes", f"{seconds:.0f} s, {many / seconds:.1f} a second", "-"),
            ("a run beyond its training, one process; two", " ms; ".join(f"{each:.1f}" for each in empty) + " ms", "<= 5 ms"),
            ("100 runs, one process; two", f"{one:.1f} s; {two:.1f} s; summary.csv {'equal' if same else 'DIFFERS'}", "equal"),
            (f"kill -9 at {times} moments: done twice, half files, processes left, runs done",
             f"{twice}, {halves}, {outlived}, {done} of 200", "0, 0, 0, 200"),
        ])  # fmt: skip
        print("\n" + shares_table(shares(runs(place / "widths")), "markdown"))
        if len(sys.argv) > 1:  # a folder to keep the picture in
            Path(sys.argv[1], "sweep.png").write_bytes((place / "widths" / "sweep.png").read_bytes())


def _grid(width, seeds):
    return "--grid", f"layers={width}", "--grid", f"seed=0:{seeds}"


if __name__ == "__main__":
    main()
