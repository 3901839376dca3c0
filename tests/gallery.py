"""The gallery: a small set of traces and pictures that is committed, so that a reader sees them before running anything.

    python tests/gallery.py        makes traces/gallery/ and docs/gallery/ again
"""

import shutil
import sys
import tempfile
from pathlib import Path

from micrograd_lite import MLP, SGD, Adam, Trace, Tracer, cross_entropy, mse, train
from micrograd_lite.data import digits, line, xor

GALLERY = Path(__file__).parent.parent / "traces" / "gallery"
SMALL = (480, 330)
PAGE = Path(__file__).parent.parent / "docs" / "gallery" / "xor.html"
HERO = {"size": (640, 360), "frames": 60}


def make(folder: Path, every: int = 10) -> None:
    """Train XOR on a 2-4-1 network for 100 steps of Adam and keep every tenth, without the file that tells the time."""
    net = MLP(2, [4, 1], activation="tanh", output="sigmoid", seed=3)
    with Tracer(folder / "xor", every=every) as tracer:
        chosen = {"evaluate_every": 1, "change_every": 1, "chain_rule": [1, 100], "by_sample": [1, 100]}
        for step in train(net, xor(), loss=mse, optimizer=Adam(lr=0.1), epochs=100, **chosen):
            tracer.watch(step)
    (folder / "xor" / "environment.json").unlink()


def draw(out: Path, work: Path) -> list[Path]:
    """Each kind of picture once, into `out`; the runs that they show are made in `work`, with every step kept."""
    from micrograd_lite.explain.page import explained
    from micrograd_lite.pictures.answers import confusion, predictions
    from micrograd_lite.pictures.backward import backward_gif
    from micrograd_lite.pictures.film import Look
    from micrograd_lite.pictures.optimizer_paths import optimizer_paths
    from micrograd_lite.pictures.render import render

    out.mkdir(parents=True, exist_ok=True)
    make(work, every=1)
    small = {"size": SMALL, "frames": 24}
    kinds = ["weights", "loss", "curves", "network", "boundary", "gradients", "updates"]
    made = [*render(work / "xor", what="learning", out=out, **HERO), *render(work / "xor", what=kinds, out=out, **small)]
    optimizers = {"sgd": SGD(lr=0.05), "momentum": SGD(lr=0.01, momentum=0.9), "adam": Adam(lr=0.1)}
    for name, optimizer in optimizers.items():
        with Tracer(work / name) as tracer:
            for step in train(MLP(1, [1], init="zeros"), line(), loss=mse, optimizer=optimizer, epochs=120):
                tracer.watch(step)
    made += render(work / "sgd", what="fit", out=out, **small)
    paths = {name: Trace(work / name) for name in optimizers}
    look = Look(frames=24, size=(640, 506))
    optimizer_paths(out / "optimizer_paths.gif", paths, x="layer0.neuron0.w0", y="layer0.neuron0.b", look=look)
    backward_gif(out / "backward.gif", explained("tanh(w*x + b)", ["w=2", "x=0.5", "b=-0.3"]).root, "tanh(w*x + b)")
    made += [out / "optimizer_paths.gif", out / "backward.gif"]
    return made + _big(out, work, confusion, predictions, render)


def page(path: Path, work: Path) -> None:
    """The page of the same run, with every step kept; the run is made in `work`."""
    from micrograd_lite.page import write_page

    make(work, every=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_page(work / "xor", path)


def _big(out: Path, work: Path, confusion, predictions, render) -> list[Path]:
    """The pictures of a network of arrays: tiles, layers, its answers."""
    from micrograd_lite import arrays  # NumPy loads only where a picture needs it

    data = digits()
    network = arrays.MLP(64, [16, 10], seed=0)
    with Tracer(work / "digits", every=5, weights_every=20) as tracer:
        for step in train(network, data, loss=cross_entropy, optimizer=Adam(lr=0.003), epochs=10, batch_size=64):
            tracer.watch(step)
    made = render(work / "digits", what=["weights", "layers"], out=out / "big", frames=12)
    outputs = network.predict(data.inputs)
    names = ("predictions.png", "confusion.png")
    predictions(out / names[0], data.inputs, data.targets, outputs)
    confusion(out / names[1], data.targets, outputs.argmax(axis=1))
    return made + [out / name for name in names]


if __name__ == "__main__":
    for kept in ("xor", "pictures"):
        shutil.rmtree(GALLERY / kept, ignore_errors=True)
    make(GALLERY)
    with tempfile.TemporaryDirectory() as runs:
        page(PAGE, Path(runs) / "page")
        sys.stdout.writelines(f"{path}\n" for path in draw(GALLERY / "pictures", Path(runs)))
