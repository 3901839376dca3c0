"""The gallery: a small set of traces and pictures that is committed, so that a reader sees them before running anything.

    python tests/gallery.py        makes traces/gallery/ again
"""

import shutil
import sys
from pathlib import Path

from micrograd_lite import MLP, Adam, Tracer, mse, train
from micrograd_lite.data import xor

GALLERY = Path(__file__).parent.parent / "traces" / "gallery"


def make(folder: Path) -> None:
    """Train XOR on a 2-4-1 network for 100 steps of Adam and keep every tenth, without the file that tells the time."""
    net = MLP(2, [4, 1], activation="tanh", output="sigmoid", seed=3)
    with Tracer(folder / "xor", every=10) as tracer:
        chosen = {"evaluate_every": 1, "change_every": 1, "chain_rule": [1, 100], "by_sample": [1, 100]}
        for step in train(net, xor(), loss=mse, optimizer=Adam(lr=0.1), epochs=100, **chosen):
            tracer.watch(step)
    (folder / "xor" / "environment.json").unlink()


if __name__ == "__main__":
    from micrograd_lite.pictures.render import render

    shutil.rmtree(GALLERY / "xor", ignore_errors=True)
    make(GALLERY)
    sys.stdout.writelines(f"{path}\n" for path in render(GALLERY / "xor", frames=11))
