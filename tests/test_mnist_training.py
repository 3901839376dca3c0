"""Real MNIST through the array engine: what the networks of the literature reach, and a run that survives kill -9."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

np = pytest.importorskip("numpy", reason="the array engine needs NumPy")

from micrograd_lite import (  # noqa: E402
    SGD,
    Adam,
    arrays,
    cross_entropy,
    data,
    half_squared_error,
    train,
)

FOLDER = os.environ.get("MICROGRAD_LITE_DATA")
needs_mnist = pytest.mark.skipif(not FOLDER, reason="MICROGRAD_LITE_DATA does not say where MNIST is")


@pytest.fixture(scope="module")
def images():
    """MNIST as uint8 arrays."""
    return data.mnist()


def last_evaluation(steps):
    """What the last step of a run measured."""
    for step in steps:
        evaluation = step.evaluation
    return evaluation


@needs_mnist
def test_one_epoch_of_he_weights_and_adam_reaches_95_percent(images):
    """S0 with He weights passes 95 % on the test images in its first epoch, from a loss near ln 10."""
    training, test = data.image_datasets(images)
    net = arrays.MLP(784, [256, 128, 10], dtype="float32", seed=0)
    steps = train(
        net, training, loss=cross_entropy, optimizer=Adam(lr=0.001), batch_size=128, epochs=1, test=test, evaluate_every=469
    )
    first = next(steps)
    assert first.loss == pytest.approx(np.log(10), abs=0.6)
    assert last_evaluation(steps)["test_accuracy"] > 0.95


@needs_mnist
def test_unscaled_weights_start_at_a_loss_above_a_thousand(images):
    """S0 as written, with weights N(0, 1), starts hundreds of times above ln 10."""
    training, _ = data.image_datasets(images)
    net = arrays.MLP(784, [256, 128, 10], init="normal", dtype="float32", seed=0)
    assert next(train(net, training, loss=cross_entropy, optimizer=Adam(), batch_size=128)).loss > 1000


@needs_mnist
def test_saturated_sigmoids_stay_below_60_percent_in_the_first_epoch(images):
    """S2a as written (NumPy's legacy seed 0) ends its first epoch at 57.01 %: its units are flat."""
    training, test = (data.one_hot(part) for part in data.image_datasets(images, "float64"))
    old = np.random.RandomState(0)
    weights = [old.randn(784, 128).tolist(), old.randn(128, 10).tolist()]
    net = arrays.MLP(784, [128, 10], activation="sigmoid", output="sigmoid", init=weights)
    steps = train(net, training, loss=half_squared_error, optimizer=SGD(lr=0.1), batch_size=64, shuffle=False, epochs=1,
                  test=test, evaluate_every=938)  # fmt: skip
    first = next(steps)
    flat = [float(np.mean(slopes[0] < 0.01)) for slopes in first.fused.slopes]
    assert flat[0] > 0.4
    assert last_evaluation(steps)["test_accuracy"] == pytest.approx(0.5701, abs=0.01)


PROGRAM = """
import sys
from micrograd_lite import Adam, Tracer, arrays, cross_entropy, data, train
training, test = data.split(data.digits(), seed=0)
with Tracer(sys.argv[1], every=10, weights_every=40, checkpoint_every=15, resume=sys.argv[2] == "resume") as tracer:
    net = arrays.MLP(64, [16, 10], seed=1)
    steps = train(net, training, loss=cross_entropy, optimizer=Adam(lr=0.01), batch_size=32, epochs=4, test=test,
                  evaluate_every=20, resume=tracer.checkpoint)
    for step in tracer.follow(steps):
        print(step.number, flush=True)
"""


def start(folder, how):
    """The training program in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), how], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("stop", [15, 47, 100])
def test_a_killed_run_goes_on_with_the_same_bytes(stop, tmp_path):
    """Kill -9 at any step after a checkpoint and resume: all files are those of a run never interrupted."""
    whole = start(tmp_path / "whole", "new")
    whole.communicate(timeout=120)
    killed = start(tmp_path / "killed", "new")
    for line in killed.stdout:
        if int(line) == stop:
            killed.send_signal(signal.SIGKILL)
    killed.stdout.close()
    killed.wait(timeout=60)
    resumed = start(tmp_path / "killed", "resume")
    resumed.communicate(timeout=120)
    assert whole.returncode == resumed.returncode == 0
    found = [path for path in (tmp_path / "whole").rglob("*.*") if path.name != "environment.json"]
    names = [path.relative_to(tmp_path / "whole") for path in found]
    assert {Path("metrics.csv"), Path("layers.csv"), Path("weights/step_000000.npz")} <= set(names)
    different = [name for name in names if (tmp_path / "whole" / name).read_bytes() != (tmp_path / "killed" / name).read_bytes()]
    assert different == []
