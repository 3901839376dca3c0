"""Measure peers side by side: each in a process of its own, taking turns, compared by the median of ratios.

Machines are noisy and drift; a ratio of two runs that stood next to each other in time does not.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

Row = tuple[str, str, str]


def seconds_per_call(work: Callable[[], object], calls: int, warm_up: int = 1) -> float:
    """The median time of one call, after some that do not count."""
    times = []
    for call in range(warm_up + calls):
        start = time.perf_counter()
        work()
        if call >= warm_up:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def in_turns(script: str, peers: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """What `python script PEER` prints as its last line, a number of seconds, for each peer in each round."""
    results: dict[str, list[float]] = {peer: [] for peer in peers}
    for _ in range(rounds):
        for peer in peers:
            done = subprocess.run([sys.executable, script, peer], check=True, capture_output=True, text=True)
            results[peer].append(float(done.stdout.split()[-1]))
    return results


def ratio(results: dict[str, list[float]], slow: str, fast: str) -> float:
    """How many times `fast` fits into `slow`: the median over the rounds."""
    return statistics.median(a / b for a, b in zip(results[slow], results[fast]))


def report(title: str, rows: Sequence[Row]) -> None:
    """Print one Markdown table."""
    print(f"\n{title}\n\n| what | measured | to reach |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()
