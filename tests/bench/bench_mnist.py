"""One epoch of S0 on real MNIST: 784-256-128-10, relu, softmax cross-entropy, Adam, batch 128, float32, shuffled.

    MICROGRAD_LITE_DATA=... python tests/bench/bench_mnist.py

Each peer trains 60,000 images twice in a process of its own, taking turns, and the second epoch counts; the table shows
how many times longer each takes than the array engine, which is here twice: by NumPy alone, and with its kernels in C.
`products` is the floor: nothing but the matrix products of these steps, into ready buffers. Peers that are not installed
are left out, and named.
"""

import importlib.util
import statistics
import sys
import time
from itertools import pairwise

import numpy as np

from micrograd_lite.data import image_datasets, mnist
from side_by_side import in_turns, ratio, report

OURS = ("by_numpy", "in_c")
PEERS = {"products": "numpy", "torch_fused": "torch", "torch_default": "torch", "jax": "jax", "scikit_learn": "sklearn"}
BATCH, WIDTHS, RATE = 128, (784, 256, 128, 10), 0.001


def by_numpy(inputs, labels, engine="eager"):
    """Our own training loop."""
    from micrograd_lite import Adam, arrays, cross_entropy, train
    from micrograd_lite.data import Dataset

    net = arrays.MLP(784, list(WIDTHS[1:]), dtype="float32")
    made = Dataset("mnist", inputs, labels)
    steps = train(net, made, loss=cross_entropy, optimizer=Adam(lr=RATE), batch_size=BATCH, engine=engine)

    def epoch():
        for _ in range(-(-len(inputs) // BATCH)):
            next(steps)

    return epoch


def in_c(inputs, labels):
    """The same with engine="c"."""
    return by_numpy(inputs, labels, engine="c")


def products(inputs, labels):
    """The matrix products of forward and backward alone, out= given."""
    rng = np.random.default_rng(0)
    weights = [(0.05 * rng.standard_normal(shape)).astype(np.float32) for shape in pairwise(WIDTHS)]
    gradients = [np.empty_like(w) for w in weights]
    layers = [rng.random((BATCH, width), dtype=np.float32) for width in WIDTHS]
    deltas = [rng.random((BATCH, width), dtype=np.float32) for width in WIDTHS]
    scratch = [np.empty_like(layer) for layer in layers]

    def epoch():
        for _ in range(-(-len(inputs) // BATCH)):
            for index, w in enumerate(weights):
                np.matmul(layers[index], w, out=scratch[index + 1])
            for index in (2, 1, 0):
                np.matmul(layers[index].T, deltas[index + 1], out=gradients[index])
                if index:
                    np.matmul(deltas[index + 1], weights[index].T, out=scratch[index])

    return epoch


def torch_epoch(inputs, labels, fused):
    """PyTorch, eager, as its tutorials write it: a random permutation, index, forward, backward, step."""
    import torch

    torch.manual_seed(0)
    layers = [torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)]
    net = torch.nn.Sequential(*layers)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, **({"fused": True} if fused else {}))
    x, y, loss = torch.from_numpy(inputs), torch.from_numpy(labels), torch.nn.CrossEntropyLoss()

    def epoch():
        order = torch.randperm(len(x))
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            loss(net(x[rows]), y[rows]).backward()
            optimizer.step()

    return epoch


def torch_fused(inputs, labels):
    """Adam(fused=True)."""
    return torch_epoch(inputs, labels, fused=True)


def torch_default(inputs, labels):
    """Adam as it comes."""
    return torch_epoch(inputs, labels, fused=False)


def jax(inputs, labels):
    """JAX: one jitted step with buffers donated; the batch is gathered by NumPy."""
    import jax
    import jax.numpy as jnp

    def start(key):
        keys = jax.random.split(key, 3)
        pairs = zip(keys, pairwise(WIDTHS))
        return [(jax.random.normal(k, s) * np.sqrt(2 / s[0]), jnp.zeros(s[1])) for k, s in pairs]

    def loss(parameters, x, y):
        for index, (w, b) in enumerate(parameters):
            x = x @ w + b
            x = jax.nn.relu(x) if index < 2 else x
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1))

    def step(parameters, first, second, count, x, y):
        g = jax.grad(loss)(parameters, x, y)
        first = jax.tree.map(lambda m, d: 0.9 * m + 0.1 * d, first, g)
        second = jax.tree.map(lambda v, d: 0.999 * v + 0.001 * d * d, second, g)
        one, two = 1 - 0.9**count, 1 - 0.999**count
        move = lambda p, m, v: p - RATE * (m / one) / (jnp.sqrt(v / two) + 1e-8)  # noqa: E731
        return jax.tree.map(move, parameters, first, second), first, second

    step = jax.jit(step, donate_argnums=(0, 1, 2))
    parameters = start(jax.random.key(0))
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = {"p": parameters, "m": zeros, "v": jax.tree.map(jnp.zeros_like, parameters), "t": 0}
    rng = np.random.default_rng(0)

    def epoch():
        order = rng.permutation(len(inputs))
        for begin in range(0, len(inputs), BATCH):
            rows = order[begin : begin + BATCH]
            state["t"] += 1
            state["p"], state["m"], state["v"] = step(
                state["p"], state["m"], state["v"], float(state["t"]), inputs[rows], labels[rows]
            )
        jax.block_until_ready(state["p"])

    return epoch


def scikit_learn(inputs, labels):
    """MLPClassifier(batch_size=128), one epoch a call."""
    from sklearn.neural_network import MLPClassifier

    net = MLPClassifier((256, 128), batch_size=BATCH, learning_rate_init=RATE, alpha=0.0, random_state=0)
    return lambda: net.partial_fit(inputs, labels, classes=range(10))


def main(rounds=5):
    """Print the tables."""
    there = [peer for peer, module in PEERS.items() if importlib.util.find_spec(module)]
    results = in_turns(__file__, (*OURS, *there), rounds)
    reach = {"torch_fused": "at least 0.77 x by_numpy, more than 1 x in_c"}
    rows = [(f"{peer} takes", " and ".join(f"{ratio(results, peer, ours):.2f} x {ours}" for ours in OURS),
             reach.get(peer, "more than 1 x in_c")) for peer in there if peer != "products"]  # fmt: skip
    rows += [(peer, "is not installed", "") for peer in PEERS if peer not in there]
    rows += [(f"{ours} against the bare products", f"{ratio(results, ours, 'products'):.2f} x", bound)
             for ours, bound in zip(OURS, ("", "<= 1.9 x"))]  # fmt: skip
    rows.append(("by_numpy against in_c", f"{ratio(results, 'by_numpy', 'in_c'):.2f} x", ""))
    for ours in OURS:
        spread = f"{min(results[ours]):.2f} to {max(results[ours]):.2f} s"
        rows.append((f"{ours}: seconds", f"{statistics.median(results[ours]):.2f} ({spread})", ""))
    report(f"S0, one epoch of MNIST, medians of {rounds} rounds", rows)
    slopes = in_turns(__file__, [f"{ours} {epoch}" for ours in OURS for epoch in (1, 3)], rounds)
    report("the third epoch against the first: no denormal numbers", [
        (ours, f"{ratio(slopes, f'{ours} 3', f'{ours} 1'):.2f} x", "<= 1.1 x") for ours in OURS
    ])  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 1:
        peer, _, number = sys.argv[1].partition(" ")
        train, _ = image_datasets(mnist())
        epoch = globals()[peer](train.inputs, train.targets)
        for _ in range(int(number or 2)):
            start = time.perf_counter()
            epoch()
            seconds = time.perf_counter() - start
        print(seconds)
    else:
        main()
