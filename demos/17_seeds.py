"""One run says little: which seeds learn XOR with two, three and four hidden neurons, and what the others have in common.

You will see how the share that learns grows with each neuron, and where a 2-2-1 network gets stuck: two rows that want
different answers become one point in the hidden layer, and from there on no weight behind it can tell them apart.

    python demos/17_seeds.py

Last line: look at traces/seeds/sweep.png
"""

import shutil
from functools import partial
from pathlib import Path

from micrograd_lite import MLP, Trace, data
from micrograd_lite.cli.job import drawn, report, training
from micrograd_lite.demo import demo, progress
from micrograd_lite.pictures.render import render
from micrograd_lite.sweep import SWEEP, place_of, sweep
from micrograd_lite.trace.network import read_network

SAME = 0.2  # hidden neurons run from -1 to 1: two rows nearer than this in each of them are one point for what comes after


def trained(folder: Path) -> MLP:
    """The network of a trace as its last step left it."""
    trace, (net, _) = Trace(folder), read_network(folder)
    net.load_state_dict({row.parameter: row.after for row in trace.gradients(trace.steps()[-1])})
    return net


def confused(net: MLP) -> list[str]:
    """Pairs of rows that want different answers and that the hidden layer does not tell apart."""
    rows = list(zip(data.xor().inputs, data.xor().targets))
    hidden = [[neuron(inputs).data for neuron in net.layers[0].neurons] for inputs, _ in rows]
    pairs = [(a, b) for a in range(4) for b in range(a) if rows[a][1] != rows[b][1]]
    near = [(a, b) for a, b in pairs if max(abs(one - other) for one, other in zip(hidden[a], hidden[b])) < SAME]
    return [f"{rows[b][0]} and {rows[a][0]} are one point, with the answer {net.predict(rows[b][0]):.2f}" for a, b in near]


def main(out: Path, quick: bool, force: bool) -> None:
    """Train every width from every seed; then look at those that did not learn."""
    folder = out / "seeds"
    if force and (folder / SWEEP).exists():
        shutil.rmtree(folder)
    grid = {"data": ["xor"], "output": ["sigmoid"], "loss": ["mse"], "optimizer": ["SGD"], "lr": [2.0], "trace": ["failed"],
            "epochs": [100 if quick else 1000], "layers": [[2], [3], [4]], "seed": range(2 if quick else 40)}  # fmt: skip
    runs = sweep(partial(training, folder=str(folder.absolute())), grid, folder)
    failed = [run for run in progress(runs, 3 * len(grid["seed"]), "xor", "run") if not run.result["learned"]]
    print(report(folder))
    for run in sorted(failed, key=lambda run: (run.settings["layers"], run.settings["seed"])):
        said = confused(trained(place_of(folder, run.settings) / "trace")) or ["no two rows are one point: it was on its way"]
        print(f"2-{run.settings['layers'][0]}-1, seed {run.settings['seed']}, loss {run.result['final_loss']:.4f}:", *said)
    if failed:
        print("\nhow one of them got stuck:", *render(place_of(folder, failed[0].settings) / "trace"), sep="\n  ", end="\n\n")
    print("look at", *(folder / name for name in drawn(folder)))


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
