"""Where the transpose comes from: entry (i, j) of dW = X^T delta is the sum of the scalar engine's rows for that one weight.

You will see both engines train the same network, and the matrix product of one taken apart into the rows of the other.

    python demos/14_bridge.py

Last line: look at traces/bridge/scalar/chain_rule.csv
"""

from pathlib import Path

import numpy as np

from micrograd_lite import MLP, SGD, Tracer, arrays, data, mse, train
from micrograd_lite.demo import demo
from micrograd_lite.text.tables import table
from micrograd_lite.trace import Trace

LAYER, INPUT, NEURON = 1, 2, 0  # the weight that is looked at: from input 2 of layer 1 to its neuron 0


def matrix(title: str, numbers: np.ndarray, row: str, column: str) -> str:
    """A small matrix with named rows and columns."""
    header = (title, *(f"{column}{place}" for place in range(numbers.shape[1])))
    return table(header, [[f"{row}{place}", *(f"{number:.6f}" for number in line)] for place, line in enumerate(numbers)])


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Train 2-3-2-1 on XOR in both engines and look at the last step of each."""
    epochs, folder = 5 if quick else 50, out / "bridge" / "scalar"
    scalar = MLP(2, [3, 2, 1], activation="tanh", output="sigmoid", seed=4)
    array = arrays.from_scalar(scalar)
    with Tracer(folder, force=force) as tracer:
        (*_, one) = tracer.follow(train(scalar, data.xor(), loss=mse, optimizer=SGD(lr=1.0), epochs=epochs, chain_rule=[epochs]))
    (*_, other) = train(array, data.xor(), loss=mse, optimizer=SGD(lr=1.0), epochs=epochs)
    x, delta, dw = other.fused.activations[LAYER], other.fused.deltas[LAYER + 1], array.layers[LAYER].w.grad
    print(f"Arrays, layer {LAYER}: X is what goes in, delta what comes back to the sums; a row for each sample.\n")
    print(matrix("X^T", x.T, "input", "sample"), matrix("delta", delta, "sample", "neuron"), sep="\n")
    print(matrix("dW = X^T delta", dw, "input", "neuron"))

    name = arrays.scalar_name(f"layer{LAYER}.w", (INPUT, NEURON))
    rows = [row for row in Trace(folder).chain_rule(epochs) if row.parent == name]
    print(f"Scalars: every row of chain_rule.csv that pays {name}; the sweep starts with the last sample.\n")
    header = ("node", f"partial = X[sample, {INPUT}]", f"upstream = delta[sample, {NEURON}]", "share = product", "total")
    print(table(header, [[row.node, *(f"{n:.6f}" for n in (row.partial, row.upstream, row.share, row.total))] for row in rows]))
    print(f"Their sum is {rows[-1].total!r}. Row {INPUT} of X^T times column {NEURON} of delta, dW[{INPUT}, {NEURON}],")
    print(f"is {float(dw[INPUT, NEURON])!r}.\n")
    print("A weight's gradient adds up over samples, and samples are the rows of X. A matrix product adds up along the")
    print("columns of its left factor: so X is turned on its side. (In dX = delta W^T it is W: inputs add up over neurons.)\n")
    found = dict(zip(one.names, one.gradients))
    entries = [(name, at, grad) for name, table in array.named_parameters() for at, grad in np.ndenumerate(table.grad)]
    largest = max(abs(grad - found[arrays.scalar_name(name, at)]) for name, at, grad in entries)
    print(f"Of all {len(entries)} entries, in all layers, the largest difference is {largest:.1e}: sums in another order.")
    print(f"look at {folder / 'chain_rule.csv'}")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
