"""What `import micrograd_lite` costs on top of starting Python.

    python tests/bench/bench_import.py
"""

import statistics
import subprocess
import sys
import time

from side_by_side import report


def milliseconds(program):
    """The time of one `python -c program`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return 1000 * (time.perf_counter() - start)


def main(rounds=21):
    """Print the table."""
    added = [milliseconds("import micrograd_lite") - milliseconds("pass") for _ in range(rounds)]
    everything = "from micrograd_lite import Value, MLP, SGD, mse, train, Tracer"
    used = [milliseconds(everything) - milliseconds("pass") for _ in range(rounds)]
    report(
        "Import",
        [
            ("`import micrograd_lite`", f"{statistics.median(added):.0f} ms", "<= 25 ms"),
            ("`from micrograd_lite import Value, MLP, SGD, mse, train, Tracer`", f"{statistics.median(used):.0f} ms", "-"),
        ],
    )


if __name__ == "__main__":
    main()
