"""How fast weights_update.gif is drawn and written, beside the same heat maps through matplotlib and imageio.

    python tests/bench/bench_gif.py

Both draw the 100 frames of one 2-2-1 network's trace at 400 x 300 pixels: two heat maps with biases and numbers in the
cells, a colour bar, step and loss. matplotlib is used as its manual advises: one figure, changed for each frame.
"""

import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

from micrograd_lite import MLP, SGD, Trace, Tracer, mse, train
from micrograd_lite.data import xor
from side_by_side import in_turns, ratio, report

SIZE, FRAMES = (400, 300), 100


def trace(folder):
    """A trace with enough recorded steps, read and ready to be drawn."""
    net = MLP(2, [2, 1], activation="sigmoid", output="sigmoid", seed=1)
    with Tracer(folder, every=10) as tracer:
        for step in train(net, xor(), loss=mse, optimizer=SGD(lr=1.0), epochs=2000):
            tracer.watch(step)
    made = Trace(folder)
    made.steps()  # read now: both peers start from numbers in memory
    made.metrics()
    return made


def ours(made, path):
    """The package's own animation."""
    from micrograd_lite.pictures.film import filmed
    from micrograd_lite.pictures.heatmap import weights_update

    def draw():
        weights_update(path, filmed(made, frames=FRAMES, size=SIZE))

    return draw


def matplotlib(made, path):
    """The same through savefig and imageio."""
    import matplotlib

    matplotlib.use("Agg")
    import imageio.v3 as imageio
    import numpy as np
    from matplotlib import pyplot

    from micrograd_lite.pictures.moments import moments

    def draw():
        chosen = moments(made, FRAMES)
        states = [made.weights(moment.step) for moment in chosen]
        rows = ("w0", "w1", "b")
        tables = [
            [np.array([[state[f"layer{layer}.neuron{n}.{row}"] for n in range(2 - layer)] for row in rows]) for layer in (0, 1)]
            for state in states
        ]
        limit = max(abs(number) for state in states for number in state.values())
        figure, axes = pyplot.subplots(1, 2, figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100)
        maps = [axis.imshow(table, cmap="RdBu_r", vmin=-limit, vmax=limit) for axis, table in zip(axes, tables[0])]
        middle = {"ha": "center", "va": "center"}
        texts = [[axis.text(c, r, "", **middle) for r, c in np.ndindex(3, 2 - layer)] for layer, axis in enumerate(axes)]
        for axis in axes:
            axis.set_yticks(range(3), ("0", "1", "bias"))
        figure.colorbar(maps[1], ax=axes)
        frames = []
        for moment, pair in zip(chosen, tables):
            for shown, written, table in zip(maps, texts, pair):
                shown.set_data(table)
                for text, number in zip(written, table.ravel()):
                    text.set_text(f"{number:.3f}")
            figure.suptitle(f"step {moment.step}  loss {moment.loss:.4g}")
            buffer = BytesIO()
            figure.savefig(buffer, format="png")
            frames.append(imageio.imread(buffer.getvalue()))
        imageio.imwrite(path, frames, duration=80, loop=0)
        pyplot.close(figure)

    return draw


PEERS = {"ours": ours, "matplotlib": matplotlib}


def measure(peer):
    """Seconds for one animation, without imports and without the first run's warming up for ours and the peer alike."""
    with tempfile.TemporaryDirectory() as folder:
        draw = PEERS[peer](trace(Path(folder) / "trace"), Path(folder) / "weights.gif")
        times = []
        for _ in range(6 if peer == "ours" else 2):
            start = time.perf_counter()
            draw()
            times.append(time.perf_counter() - start)
        return sorted(times[1:])[len(times[1:]) // 2]


def main(rounds=5):
    """Print the table."""
    results = in_turns(__file__, list(PEERS), rounds)
    medians = {peer: sorted(times)[len(times) // 2] for peer, times in results.items()}
    report(
        f"GIF: {FRAMES} frames of two heat maps, {SIZE[0]} x {SIZE[1]} pixels",
        [
            ("drawn and written by this package", f"{medians['ours'] * 1000:.0f} ms", "-"),
            ("matplotlib savefig + imageio", f"{medians['matplotlib'] * 1000:,.0f} ms", "-"),
            ("how many times faster", f"{ratio(results, 'matplotlib', 'ours'):.0f} x", ">= 60 x"),
        ],
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(measure(sys.argv[1]))
    else:
        main()
