"""What nodes cost: bytes per inner node, a chain of a million nodes, and the growth of a training run.

    python tests/bench/bench_memory.py
"""

import gc
import resource
import subprocess
import sys
import time
import tracemalloc

from side_by_side import report


def bytes_per_node():
    """Bytes per inner node after backward(), on the written-out moons step (tracemalloc)."""
    import bench_engine
    from micrograd_lite import Value
    from micrograd_lite.graph import oldest_first

    model = bench_engine.WrittenOut(Value)
    inputs = [list(map(Value, row)) for row in bench_engine.POINTS.inputs]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    loss = sum((model(row) for row in inputs), Value(0.0))
    loss.backward()
    grown = tracemalloc.get_traced_memory()[0] - before
    return grown / sum(1 for node in oldest_first(loss) if node.parents)


def chain():
    """Seconds and megabytes (peak resident) to build, sweep and free a chain of 1,000,000 nodes."""
    from micrograd_lite import Value

    start = time.perf_counter()
    leaf = y = Value(1.0)
    for _ in range(1_000_000):
        y = y * 1.0000001
    y.backward()
    del y
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, leaf.grad


def growth():
    """Megabytes that 200 training steps add with the collector off."""
    import bench_engine

    gc.disable()
    step = bench_engine.train_step()
    for _ in range(20):
        step()
    before = resident()
    for _ in range(200):
        step()
    return resident() - before


def resident():
    """Megabytes of this process in memory now (Linux)."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() / 1e6


def main():
    """Print the table; each figure from a process of its own."""
    figures = {}
    for name in ("bytes_per_node", "chain", "growth"):
        done = subprocess.run([sys.executable, __file__, name], check=True, capture_output=True, text=True)
        figures[name] = done.stdout.strip()
    seconds, megabytes, _ = figures["chain"].strip("()").split(", ")
    report(
        f"Memory, Python {'.'.join(map(str, sys.version_info[:2]))}",
        [
            ("an inner node after backward, one node per operation", f"{float(figures['bytes_per_node']):.0f} bytes", "<= 260"),
            (
                "1,000,000-node chain: build, backward, free",
                f"{float(seconds):.1f} s, {float(megabytes):.0f} MB",
                "<= 20 s, 600 MB",
            ),
            ("200 training steps, collector off, grow by", f"{float(figures['growth']):.2f} MB", "<= 1 MB"),
        ],
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(globals()[sys.argv[1]]())
    else:
        main()
