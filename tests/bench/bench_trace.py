"""What tracing costs on S0: rows per layer at every 10th step and at every step, against the same training untraced.

    MICROGRAD_LITE_DATA=... python tests/bench/bench_trace.py

One process a measurement; in it, blocks of 100 steps with and without the tracer take turns.
"""

import resource
import statistics
import sys
import tempfile
import time

from micrograd_lite.data import image_datasets, mnist
from side_by_side import in_turns, report


def overhead(every):
    """Extra time of tracing as a share: the median over blocks that stood next to each other."""
    from micrograd_lite import Adam, Tracer, arrays, cross_entropy, train

    training, _ = image_datasets(mnist())
    net = arrays.MLP(784, [256, 128, 10], dtype="float32")
    steps = train(net, training, loss=cross_entropy, optimizer=Adam(lr=0.001), batch_size=128)
    shares = []
    with tempfile.TemporaryDirectory() as folder, Tracer(f"{folder}/run", every=every) as tracer:
        for block in range(25):
            times = {}
            for traced in (True, False) if block % 2 else (False, True):
                start = time.perf_counter()
                for _ in range(100):
                    step = next(steps)
                    if traced:
                        tracer.watch(step)
                times[traced] = time.perf_counter() - start
            shares.append(times[True] / times[False] - 1.0)
    return statistics.median(shares)


def memory(_):
    """Megabytes of peak memory of the whole process with a traced epoch, above the loaded data."""
    from micrograd_lite import Adam, Tracer, arrays, cross_entropy, train

    training, test = image_datasets(mnist())
    loaded = sum(table.nbytes for part in (training, test) for table in (part.inputs, part.targets))
    net = arrays.MLP(784, [256, 128, 10], dtype="float32")
    settings = {"loss": cross_entropy, "optimizer": Adam(lr=0.001), "batch_size": 128, "epochs": 1}
    steps = train(net, training, test=test, evaluate_every=100, **settings)
    with tempfile.TemporaryDirectory() as folder, Tracer(f"{folder}/run", weights_every=100, checkpoint_every=100) as tracer:
        for _ in tracer.follow(steps):
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - loaded / 2**20


def main(rounds=3):
    """Print the table."""
    results = in_turns(__file__, ("10", "1", "memory"), rounds)
    middle = {name: statistics.median(values) for name, values in results.items()}
    report(
        "Tracing S0 on MNIST",
        [
            ("rows per layer at every 10th step", f"{middle['10']:+.1%} time", "<= 5 %"),
            ("rows per layer at every step", f"{middle['1']:+.1%} time", "<= 20 %"),
            ("peak memory above the loaded data", f"{middle['memory']:.0f} MB", "<= 300 MB"),
        ],
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(memory(None) if sys.argv[1] == "memory" else overhead(int(sys.argv[1])))
    else:
        main()
