"""Honest runs, drawn at random: whatever is trained and however, verify must find nothing wrong.

    python tests/honest.py --runs 10000 --seed 0            the seed is that of the first run, the next has the next one
    python tests/honest.py --runs 10000 --jobs 2

Drawn are: models (networks of both engines, a layer, a neuron, tied weights), data and losses, optimizers, schedules, batches,
steps that are recorded, evaluated or shown in detail, an interruption and going on from a checkpoint, engines and float types.
A run that overflows stops by itself: its trace is honest too. Prints a line for each alarm; exit code 1 when there was one.
"""

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent))

from micrograd_lite import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Cosine,
    Layer,
    Neuron,
    RMSprop,
    StepDecay,
    Tracer,
    binary_cross_entropy,
    cross_entropy,
    half_squared_error,
    hinge,
    mse,
    train,
)
from micrograd_lite.architecture import ACTIVATIONS, INITS
from micrograd_lite.data import Dataset
from micrograd_lite.verify import verify

LOSSES = (mse, half_squared_error, binary_cross_entropy, cross_entropy, hinge)


def data(draw, loss, features, outputs, samples, size):
    """A data set that the loss takes."""
    inputs = [[draw.choice((draw.gauss(0.0, size), 0.0, 1.0)) for _ in range(features)] for _ in range(samples)]
    classes = outputs if loss is cross_entropy else draw.choice((0, 2)) if outputs == 1 else 0
    if loss is cross_entropy:
        targets = [draw.randrange(outputs) for _ in inputs]
    elif loss is hinge:
        targets = [draw.choice((-1.0, 1.0)) for _ in inputs]
    elif loss is binary_cross_entropy:
        targets = [draw.choice((0.0, 1.0, draw.random())) for _ in inputs]
    elif outputs == 1 and draw.random() < 0.5:
        targets = [draw.gauss(0.0, size) for _ in inputs]
    else:
        targets = [[draw.gauss(0.0, size) for _ in range(outputs)] for _ in inputs]
        targets = [target[0] for target in targets] if outputs == 1 else targets
    return Dataset("drawn", inputs, targets, classes=classes)


def optimizer(draw):
    """Any optimizer with any settings, and any schedule."""
    lr = 10.0 ** draw.uniform(-4.0, 0.5)
    lr = draw.choice((lr, lr, StepDecay(lr, draw.random() + 0.01, draw.randint(1, 4)), Cosine(lr, draw.randint(1, 9), lr / 10)))
    decay = draw.choice((0.0, 0.0, 0.01, 0.3))
    eps = draw.choice((1e-8, 1e-8, 0.0, 1e-3))
    betas = draw.choice(((0.9, 0.999), (0.0, 0.5), (0.5, 0.0)))
    momentum = draw.choice((0.0, 0.5, 0.9))
    yes, alpha = draw.random() < 0.5, draw.choice((0.0, 0.9, 0.99))
    return draw.choice((
        lambda: SGD(lr, momentum, yes and momentum > 0.0, decay),
        lambda: RMSprop(lr, alpha, eps, decay),
        lambda: Adam(lr, betas, eps, decay, yes),
        lambda: AdamW(lr, betas, eps, decay),
    ))  # fmt: skip


def model(draw, engine, features, outputs, output, seed):
    """A function that builds the model, the same each time."""
    hidden = [draw.randint(1, 5) for _ in range(draw.randint(0, 3))]
    names = [draw.choice(ACTIVATIONS) for _ in hidden]
    init = draw.choice((None, None, None, *INITS))
    bias, kind = draw.random() < 0.8, draw.random()
    if engine == "arrays":
        from micrograd_lite import arrays

        dtype = draw.choice(("float32", "float64"))
        return lambda: arrays.MLP(features, [*hidden, outputs], names, output, init, bias, seed, dtype)
    weights = [[draw.gauss(0.0, 1.0) for _ in range(outputs)] for _ in range(features)]
    if engine == "eager" and kind < 0.08 and outputs > 1:
        return lambda: Layer(weights, output, bias)
    if engine == "eager" and kind < 0.14 and outputs == 1:
        return lambda: Neuron([row[0] for row in weights], output, bias)

    def build():
        net = MLP(features, [*hidden, outputs], names, output, init, bias, seed)
        if kind > 0.85:  # one weight of a layer is that of its neighbour; with it, shares cancel inside a sample
            for layer in net.layers:
                for one, other in zip(layer.neurons, layer.neurons[1:]):
                    other.w[0] = one.w[0]
                    other.b = one.b
        return net

    return build


def run(folder, seed):
    """Write one honest trace; returns a few words about it, empty when this draw can not be trained."""
    draw = Random(seed)
    engine, loss = draw.choice(("eager", "flat", "arrays")), draw.choice(LOSSES)
    features, samples = draw.randint(1, 4), draw.randint(1, 9)
    outputs = 1 if loss in (binary_cross_entropy, hinge) else draw.randint(2 if loss is cross_entropy else 1, 3)
    output = "linear" if loss in (binary_cross_entropy, cross_entropy) else draw.choice(ACTIVATIONS)
    size = draw.choice((1.0, 1.0, 1.0, 100.0, 1e-3, 1e8, 1e60 if engine != "arrays" else 1e12))
    training = data(draw, loss, features, outputs, samples, size)
    testing = data(draw, loss, features, outputs, draw.randint(1, 5), size)._replace(classes=training.classes)
    build, make = model(draw, engine, features, outputs, output, draw.randrange(1000)), optimizer(draw)
    steps, scalar = draw.randint(1, 9), engine != "arrays"
    settings = {
        "loss": loss, "batch_size": draw.choice((None, None, draw.randint(1, 9))), "shuffle": draw.random() < 0.7,
        "seed": draw.randrange(1000), "test": draw.choice((None, testing)), "change_every": draw.choice((None, 1, 2)),
        "evaluate_every": draw.choice((None, 1, 3)), "chain_rule": draw.choice(((), (1,), (2, 5))) if scalar else (),
        "by_sample": draw.choice(((), (1, 2), (3,))) if scalar else (),
    }  # fmt: skip
    if engine == "flat":
        settings["engine"] = "flat"
    if scalar and draw.random() < 0.1:
        names = [name for name, _ in build().named_parameters()]
        settings["parameters"] = names[:: draw.randint(1, 3)]
    batch = min(settings["batch_size"] or samples, samples)
    settings["epochs"] = draw.choice((None, -(-steps // -(-samples // batch))))
    options = {"every": draw.choice((1, 1, 2, 4))} | ({} if scalar else {"weights_every": draw.choice((1, 1, 2, None))})
    stop = draw.choice((None, None, draw.randint(1, steps)))
    options["checkpoint_every"] = draw.randint(1, stop) if stop else draw.choice((None, 2))
    status = "whole"
    try:
        with Tracer(folder, **options) as tracer:
            for step in islice(train(build(), training, optimizer=make(), **settings), steps):
                tracer.watch(step)
                if step.number == stop:
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        status = "resumed"
        try:
            with Tracer(folder, resume=True, **options) as tracer:
                again = train(build(), training, optimizer=make(), resume=tracer.checkpoint, **settings)
                for step in islice(again, steps - tracer.checkpoint.step):
                    tracer.watch(step)
        except FloatingPointError:
            status = "overflowed"
    except FloatingPointError:
        status = "overflowed"
    return f"{engine}, {status}"


def one(seed):
    """The kind of one run, verified, and what verify accuses it of: nothing, when all is right."""
    with tempfile.TemporaryDirectory() as folder:
        kind = run(Path(folder) / "run", seed)
        try:
            report = verify(Path(folder) / "run")
        except ValueError as error:
            return ("no whole step", "") if "no whole step yet" in str(error) else (kind, str(error))
    return kind + (", all rows agree" if report.proved else ""), report.wrong


def honest(runs, seed=0, jobs=1):
    """Train and verify; returns how many runs of each kind there were, and the alarms by the run's own seed."""
    seeds = range(seed, seed + runs)
    if jobs == 1:
        return counted(zip(seeds, map(one, seeds)))
    with ProcessPoolExecutor(jobs) as pool:
        return counted(zip(seeds, pool.map(one, seeds, chunksize=50)))


def counted(found):
    """Runs by their kind, alarms by seed."""
    kinds, alarms = Counter(), {}
    for seed, (kind, wrong) in found:
        kinds[kind] += 1
        if kinds.total() % 1000 == 0:
            print(f"{kinds.total()} runs, {len(alarms)} alarms", file=sys.stderr)
        if wrong:
            alarms[seed] = wrong
            print(f"alarm in run {seed} ({kind}): {wrong}", flush=True)
    return kinds, alarms


def main():
    """Run as many as asked, and print how many of each kind there were."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: %(default)s)")
    options = parser.parse_args()
    kinds, alarms = honest(options.runs, options.seed, options.jobs)
    for kind, count in sorted(kinds.items()):
        print(f"{count:6d}  {kind}")
    print(f"{options.runs} honest runs from seed {options.seed}: {len(alarms)} alarms")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
