"""Going on after a crash: a run that stopped anywhere and went on has the files of a run that never stopped."""

import pytest

from micrograd_lite import MLP, SGD, Adam, Tracer, cross_entropy, data, train
from micrograd_lite.trace.checkpoint import read_checkpoint
from micrograd_lite.trace.folder import read_run

ENGINES = ("scalar", "array")


def network(engine, widths=(4, 3)):
    """A small network for iris, out of Values or of arrays."""
    if engine == "scalar":
        return MLP(4, list(widths), seed=2)
    pytest.importorskip("numpy", reason="the array engine needs NumPy")
    from micrograd_lite import arrays

    return arrays.MLP(4, list(widths), seed=2)


def run(folder, engine, stop=None, resume=False, **changes):
    """Train 20 steps, with a checkpoint at every fifth; `stop` interrupts after that step, as Ctrl-C would."""
    settings = {"optimizer": Adam(lr=0.01), "batch_size": 30, "epochs": 4, "evaluate_every": 7, **changes}
    net = settings.pop("net", None) or network(engine)
    kept = {name: settings.pop(name, usual) for name, usual in (("every", 4), ("weights_every", 10), ("checkpoint_every", 5))}
    with Tracer(folder, **kept, resume=resume) as tracer:
        for step in tracer.follow(train(net, data.iris(), loss=cross_entropy, resume=tracer.checkpoint, **settings)):
            if step.number == stop:
                raise KeyboardInterrupt
    return net


def files(folder):
    """Name and bytes of every file but the one that tells the time."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "environment.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("stop", [5, 7, 12, 20])
def test_an_interrupted_run_goes_on_with_the_same_bytes(engine, stop, tmp_path):
    """Stopped at a checkpoint, between two or at the end: every file is the same afterwards, and there is not one more."""
    run(tmp_path / "whole", engine)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", engine, stop=stop)
    run(tmp_path / "stopped", engine, resume=True)
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "changes, words",
    [({"batch_size": 25}, "its batch_size differs"), ({"seed": 9}, "its seed differs"), ({"shuffle": False}, "its shuffle")],
)
def test_other_settings_are_refused_and_nothing_is_overwritten(engine, changes, words, tmp_path):
    """Going on with other settings is one sentence, and the tables stay as they were."""
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", engine, stop=12)
    before = files(tmp_path / "run")
    with pytest.raises(ValueError, match=words):
        run(tmp_path / "run", engine, resume=True, **changes)
    assert files(tmp_path / "run") == before


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("change", ["net", "optimizer"])
def test_a_checkpoint_of_another_model_is_refused(engine, change, tmp_path):
    """A network of other widths, or an optimizer with another memory, is refused before the first step."""
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", engine, stop=6)
    other = {"net": network(engine, (5, 3))} if change == "net" else {"optimizer": SGD(lr=0.1)}
    with pytest.raises(ValueError, match="the checkpoint is of another model"):
        run(tmp_path / "run", engine, resume=True, **other)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half of a zip"])
def test_a_damaged_checkpoint_is_named(engine, content, tmp_path):
    """A file that is no checkpoint is a ValueError with its path."""
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", engine, stop=6)
    path = next((tmp_path / "run").glob("checkpoint.*"))
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a checkpoint of a trace") as caught:
        read_checkpoint(tmp_path / "run", read_run(tmp_path / "run"))
    assert str(path) in str(caught.value)


def test_an_array_file_that_wants_to_be_unpickled_is_refused(tmp_path):
    """Pickled objects in an .npz are a ValueError with the path; nothing of them runs."""
    np = pytest.importorskip("numpy", reason="the array engine needs NumPy")
    from micrograd_lite import Trace

    run(tmp_path / "run", "array")
    path = tmp_path / "run" / "weights" / "step_000010.npz"
    np.savez(path, bad=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match="does not hold plain arrays"):
        Trace(tmp_path / "run").arrays(10)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_shorter_than_at_the_checkpoint_is_refused(engine, tmp_path):
    """A table that lost rows since the checkpoint cannot go on: the sentence names it."""
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", engine, stop=12)
    (tmp_path / "run" / "metrics.csv").write_text("step\n")
    with pytest.raises(ValueError, match=r"metrics\.csv is shorter than it was at the checkpoint"):
        run(tmp_path / "run", engine, resume=True)
