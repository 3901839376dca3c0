"""One network, twice: out of 243 scalar Values, and out of six arrays. Same names, same seed, same numbers.

You will see both engines take the same 20 steps side by side, and the largest difference between any two weights.

    python demos/10_mirror.py

Last line: the scalar engine is the definition, the array engine its mirror
"""

import time
from pathlib import Path

import numpy as np

from micrograd_lite import Adam, Tracer, arrays, cross_entropy, data, nn, train
from micrograd_lite.demo import demo


def main(out: Path, quick: bool, force: bool | str) -> None:
    """Train 4-16-8-3 on iris in both engines, from the same seed and on the same batches."""
    (flowers,) = data.scaled(data.iris())
    scalar, array = nn.MLP(4, [16, 8, 3], activation="tanh", seed=1), arrays.MLP(4, [16, 8, 3], activation="tanh", seed=1)
    print(f"scalar layer0.neuron1.w0 = {scalar.layers[0].neurons[1].w[0].data!r}")
    print(f"array  layer0.w[0, 1]    = {float(array.layers[0].w.data[0, 1])!r}   (row = input, column = neuron)\n")
    settings = {"loss": cross_entropy, "batch_size": 30, "epochs": 1 if quick else 4, "seed": 5}
    seconds = {"scalar": 0.0, "array": 0.0}
    with Tracer(out / "mirror" / "scalar", force=force) as first, Tracer(out / "mirror" / "array", force=force) as second:
        left = first.follow(train(scalar, flowers, optimizer=Adam(lr=0.01), **settings))
        right = second.follow(train(array, flowers, optimizer=Adam(lr=0.01), **settings))
        print("step        loss, scalar         loss, array   largest difference of a weight")
        while True:
            start = time.perf_counter()
            one = next(left, None)
            middle = time.perf_counter()
            other = next(right, None)
            seconds["scalar"] += middle - start
            seconds["array"] += time.perf_counter() - middle
            if one is None or other is None:
                break
            difference = np.abs(arrays.from_scalar(scalar).flat - array.flat).max()
            print(f"{one.number:4d}  {one.loss:18.16f}  {other.loss:18.16f}   {difference:.1e}")
    print("\nThe sums are the same, added in another order: that is all of the difference (1.1e-16 is one rounding at 1).")
    print(f"On {len(array.flat)} weights and 30 samples the arrays were {seconds['scalar'] / seconds['array']:.0f} times faster.")
    print(f"wrote {out / 'mirror' / 'scalar'} (a row for each weight) and {out / 'mirror' / 'array'} (a row for each array)")
    print("\nA classifier of ten numbers into ten classes, with 64 neurons between, is this many scalars:")
    print(f"{nn.MLP(10, [64, 10], 'relu').summary()}\n")
    print("the scalar engine is the definition, the array engine its mirror")


if __name__ == "__main__":
    demo(main, out="traces", description=__doc__)
