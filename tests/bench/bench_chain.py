"""What the chain rule's rows cost on XOR, 10,000 steps, and how long it takes to verify that trace.

    python tests/bench/bench_chain.py

One process a round: runs with chain_rule.csv for 10 of the steps and runs with gradients.csv alone take turns, then the
trace with both is verified.
"""

import statistics
import sys
import tempfile
import time

from side_by_side import in_turns, report

STEPS = 10_000
CHOSEN = range(1, STEPS + 1, STEPS // 10)


def trace(folder, chosen):
    """Seconds for the traced run of demos/04_xor.py, as written."""
    from micrograd_lite import MLP, SGD, Tracer, mse, train
    from micrograd_lite.data import xor

    w1 = [[0.5488135039273248, 0.7151893663724195], [0.6027633760716439, 0.5448831829968969]]
    w2 = [[0.4236547993389047], [0.6458941130666561]]
    net = MLP(2, [2, 1], activation="sigmoid", output="sigmoid", init=[w1, w2], bias=False)
    start = time.perf_counter()
    with Tracer(folder, force=True) as tracer:
        for step in train(net, xor(), loss=mse, optimizer=SGD(lr=1.0), epochs=STEPS, chain_rule=chosen):
            tracer.watch(step)
    return time.perf_counter() - start


def overhead(_):
    """Extra time as a share: the median over pairs of runs that stood next to each other."""
    with tempfile.TemporaryDirectory() as folder:
        shares = []
        for turn in range(6):
            order = (CHOSEN, ()) if turn % 2 else ((), CHOSEN)
            times = {bool(chosen): trace(f"{folder}/run", chosen) for chosen in order}
            shares.append(times[True] / times[False] - 1.0)
        return statistics.median(shares)


def verifying(_):
    """Seconds for `micrograd-lite verify` on the whole trace, in its own process, start of Python included."""
    import subprocess

    with tempfile.TemporaryDirectory() as folder:
        trace(f"{folder}/run", CHOSEN)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "micrograd_lite", "verify", f"{folder}/run"], check=True, capture_output=True)
        return time.perf_counter() - start


def main(rounds=3):
    """Print the table."""
    results = in_turns(__file__, ("overhead", "verifying"), rounds)
    middle = {name: statistics.median(values) for name, values in results.items()}
    report("XOR, 10,000 steps, every step recorded", [
        ("chain_rule.csv for 10 of them, above gradients.csv alone", f"{middle['overhead']:+.1%} time", "<= 5 %"),
        ("verifying the whole trace", f"{middle['verifying']:.1f} s", "<= 10 s"),
    ])  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print({"overhead": overhead, "verifying": verifying}[sys.argv[1]](None))
    else:
        main()
