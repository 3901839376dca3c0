"""Going on loses nothing: a run that cannot go on is refused before a byte changes, and a checkpoint decides only numbers."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from micrograd_lite import MLP, SGD, Adam, Tracer, data, mse, train
from micrograd_lite.text import cells
from micrograd_lite.trace.fit import reach
from test_checkpoint import ENGINES, files, network, run


def everything(folder):
    """Name and bytes of every file of a folder, the one that tells the time too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def stopped(folder, engine="scalar", stop=12, **changes):
    """A run that was interrupted after that step; returns its folder."""
    with pytest.raises(KeyboardInterrupt):
        run(folder, engine, stop=stop, **changes)
    return folder


def die_before_close(folder, engine, epochs, **settings):
    """All steps of a run are written, and its process dies before close()."""
    from micrograd_lite import cross_entropy

    tracer = Tracer(folder, **settings)
    steps = train(network(engine), data.iris(), loss=cross_entropy, optimizer=Adam(lr=0.01), batch_size=30, epochs=epochs)
    for step in steps:
        tracer.watch(step)
    tracer._release()  # the lock goes with the process; nothing else happens at its death


# --- resume loses nothing ----------------------------------------------------------------------------------------------

def refused(folder, words, body=lambda tracer: None, kind=ValueError):
    """Resuming says these words and leaves every byte as it was."""
    before = everything(folder)
    with pytest.raises(kind, match=words) as caught, Tracer(folder, resume=True) as tracer:
        body(tracer)
    assert everything(folder) == before
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("checkpoint_every", [None, 5])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_finished_run_is_not_resumed(engine, checkpoint_every, tmp_path):
    """Nothing is left to do for it: one sentence, with or without a checkpoint."""
    run(tmp_path / "run", engine, checkpoint_every=checkpoint_every)
    refused(tmp_path / "run", "finished")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_without_a_checkpoint_is_not_resumed(engine, tmp_path):
    """Before the first checkpoint there is nowhere to go on; the sentence says how to begin again."""
    refused(stopped(tmp_path / "run", engine, stop=3), "has no checkpoint.*force=True")


def test_an_error_before_the_first_step_changes_nothing(tmp_path):
    """A program that fails between Tracer(resume=True) and its first step leaves the folder as it was."""

    def body(tracer):
        raise RuntimeError("before the first step")

    refused(stopped(tmp_path / "run"), "before the first step", body, RuntimeError)


@pytest.mark.parametrize("resumes", [True, False])
def test_another_model_does_not_overwrite_a_run(resumes, tmp_path):
    """Training another model in a resumed folder is refused, whether or not it was given the checkpoint."""
    folder = stopped(tmp_path / "run", stop=6)

    def body(tracer):
        given = {"resume": tracer.checkpoint} if resumes else {}
        steps = train(MLP(2, [2, 1], seed=1), data.xor(), loss=mse, optimizer=SGD(lr=0.1), epochs=3, **given)
        for step in steps:
            tracer.watch(step)

    refused(folder, "another (model|run)", body)


def test_force_and_resume_contradict_each_other(tmp_path):
    """To replace a run and to go on with it cannot both be meant."""
    folder = stopped(tmp_path / "run")
    before = everything(folder)
    with pytest.raises(ValueError, match="force and resume"):
        Tracer(folder, force=True, resume=True)
    assert everything(folder) == before


def test_a_folder_without_metrics_is_not_resumed(tmp_path):
    """The table that carries the lock is not made anew."""
    folder = stopped(tmp_path / "run")
    (folder / "metrics.csv").unlink()
    refused(folder, "metrics.csv")


@pytest.mark.parametrize("changes", [{"seed": 9}, {"optimizer": SGD(lr=0.1)}, {"weights_every": None}])
def test_a_refused_resume_rewrites_nothing(changes, tmp_path):
    """Other settings: not even environment.json changes."""
    folder = stopped(tmp_path / "run", "scalar")
    before = everything(folder)
    with pytest.raises(ValueError, match=r"differs|another"):
        run(folder, "scalar", resume=True, **changes)
    assert everything(folder) == before


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("every, checkpoint_every", [(1, 10), (4, 10), (3, 5), (1, 5)])
def test_a_run_that_died_between_its_last_step_and_close_is_finished(engine, every, checkpoint_every, tmp_path):
    """Nothing is left to train, only to say that it is whole: the same bytes as if close() had come."""
    settings = {"every": every, "weights_every": 4, "checkpoint_every": checkpoint_every}
    whole, dead = tmp_path / "whole", tmp_path / "dead"
    die_before_close(dead, engine, 2, **settings)
    with Tracer(whole, **settings) as tracer:
        go_on(tracer, engine, 2)
    with Tracer(dead, resume=True, **settings) as tracer:
        go_on(tracer, engine, 2)
    assert files(dead) == files(whole)


def go_on(tracer, engine, epochs):
    """Train on from the tracer's checkpoint."""
    from micrograd_lite import cross_entropy

    settings = {"loss": cross_entropy, "optimizer": Adam(lr=0.01), "batch_size": 30, "epochs": epochs}
    for step in train(network(engine), data.iris(), resume=tracer.checkpoint, **settings):
        tracer.watch(step)


@pytest.mark.parametrize("engine", ENGINES)
def test_more_epochs_may_go_on_after_the_last_step(engine, tmp_path):
    """A run that died after its last step goes on with more epochs, and then says so in run.json."""
    settings = {"every": 1, "weights_every": 4, "checkpoint_every": 5}
    whole, dead = tmp_path / "whole", tmp_path / "dead"
    die_before_close(dead, engine, 2, **settings)
    for folder, resume in ((whole, False), (dead, True)):
        with Tracer(folder, resume=resume, **settings) as tracer:
            go_on(tracer, engine, 3)
    assert files(dead) == files(whole)


@pytest.mark.parametrize("stop", [7, 11, 13, 15])
def test_an_interrupted_array_run_keeps_no_extra_weights(stop, tmp_path):
    """The weights that Ctrl-C kept are not among those of a run that went on: not one file more."""
    run(tmp_path / "whole", "array", weights_every=4)
    stopped(tmp_path / "run", "array", stop=stop, weights_every=4)
    run(tmp_path / "run", "array", resume=True, weights_every=4)
    assert files(tmp_path / "run") == files(tmp_path / "whole")


def test_half_written_files_of_a_dead_process_are_cleared(tmp_path):
    """What kill -9 left of a file being replaced goes when the run goes on, in weights/ too."""
    folder = stopped(tmp_path / "run", "array")
    parts = [folder / ".checkpoint.npz.0123abcd.part", folder / "weights" / ".step_000010.npz.0123abcd.part"]
    for part in parts:
        part.write_bytes(b"half")
    run(folder, "array", resume=True)
    assert not any(part.exists() for part in parts)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("given", ["path", 3, {}, True, Tracer])
def test_resume_takes_a_checkpoint_and_nothing_else(engine, given):
    """Another kind is a TypeError that says where a checkpoint comes from."""
    steps = {"loss": mse, "optimizer": SGD(lr=0.1), "epochs": 1, "resume": given}
    with pytest.raises(TypeError, match=r"resume must be a Tracer's checkpoint .*tracer\.checkpoint"):
        next(train(network(engine, (4, 1)), data.Dataset("d", [[1.0, 2.0, 3.0, 4.0]], [[1.0]]), **steps))


def test_a_checkpoint_of_another_optimizer_is_refused_before_the_first_step(tmp_path):
    """The memory of one optimizer does not fit another, with a sentence; the model is as it was."""
    folder = stopped(tmp_path / "run", optimizer=SGD(lr=0.1))
    net = network("scalar")
    before = net.state_dict()
    with pytest.raises(ValueError, match="the checkpoint is of another"):
        run(folder, "scalar", resume=True, net=net)
    assert net.state_dict() == before


# --- a checkpoint decides nothing but numbers ------------------------------------------------------------------------

def edited(folder, change):
    """Replace the checkpoint by one whose step and extents, parameters and memory (lists) went through `change`."""
    json_path, npz_path = folder / "checkpoint.json", folder / "checkpoint.npz"
    if json_path.exists():
        record = json.loads(json_path.read_text())
        json_path.write_text(json.dumps(change(record) or record))
        return
    import numpy as np

    with zipfile.ZipFile(npz_path) as file:
        record = json.loads(file.read("about.json"))
    with np.load(npz_path) as arrays:
        kept = {name: arrays[name] for name in arrays.files if name != "about.json"}
    memory = {name: array.tolist() for name, array in kept.items() if name != "parameters"}
    record |= {"parameters": kept["parameters"].tolist(), "memory": list(zip(*memory.values()))}
    record = change(record) or record
    columns = dict(zip(memory, zip(*record.pop("memory"))))
    arrays = {"parameters": np.array(record.pop("parameters")), **{name: np.array(c) for name, c in columns.items()}}
    np.savez(npz_path, **arrays)
    with zipfile.ZipFile(npz_path, "a") as file:
        file.writestr("about.json", json.dumps(record))


def extent(name, table=None, size=0, rows=0):
    """A change of one table's extent: another name, or so many bytes and rows more."""

    def change(record):
        old = record["extents"].pop(table or "metrics.csv")
        record["extents"][name] = [old[0] + size, old[1] + rows]

    return change


def entry(key, value):
    """A change of one entry of a checkpoint."""
    return lambda record: record.__setitem__(key, value(record[key]) if callable(value) else value)


FORGERIES = {
    "a path above the folder": extent("../victim.txt"),
    "another table's place": extent("../victim.txt", size=-10_000),
    "run.json": extent("run.json"),
    "a table too few": lambda record: record["extents"].pop("metrics.csv") and None,
    "a table too many": lambda record: record["extents"].__setitem__("chain_rule.csv", [0, 0]),
    "in mid-row": extent("metrics.csv", size=-3),
    "a byte too many": extent("metrics.csv", size=1),
    "beyond the end": extent("metrics.csv", size=10**15),
    "a row too many": extent("metrics.csv", rows=1),
    "negative": extent("metrics.csv", size=-(10**9)),
    "size is text": lambda record: record["extents"].__setitem__("metrics.csv", ["1", 1]),
    "size is true": lambda record: record["extents"].__setitem__("metrics.csv", [True, 0]),
    "three numbers": lambda record: record["extents"].__setitem__("metrics.csv", [1, 1, 1]),
    "extents is a list": entry("extents", []),
    "extents is empty": entry("extents", {}),
    "step 2": entry("step", 2),
    "step 0": entry("step", 0),
    "step -1": entry("step", -1),
    "step 10.5": entry("step", 10.5),
    "step is text": entry("step", "10"),
    "step is true": entry("step", True),
    "step is huge": entry("step", 10**30),
    "no step": lambda record: record.pop("step") and None,
    "one parameter short": entry("parameters", lambda numbers: numbers[:-1]),
    "no parameters": entry("parameters", []),
    "a parameter that is not finite": entry("parameters", lambda numbers: [float("nan"), *numbers[1:]]),
    "short memory": entry("memory", lambda rows: rows[:-1]),
    "memory of one term": entry("memory", lambda rows: [row[:1] for row in rows]),
    "a square below zero": entry("memory", lambda rows: [*rows[:3], [rows[3][0], -1e-300], *rows[4:]]),
    "something else in it": entry("surprise", 1),
    "an escape of the terminal": entry("\x1b[2J", 1),
    "a table of escapes": extent("\x1b[2J\u202e"),
}
"""What somebody may write into a checkpoint of either kind."""
SCALAR_FORGERIES = {
    "a parameter turned": entry("parameters", lambda numbers: [numbers[0] + 1e-9, *numbers[1:]]),
    "memory turned": entry("memory", lambda rows: [[rows[0][0], rows[0][1] * 2], *rows[1:]]),
    "empty memory": entry("memory", []),
    "memory is a number": entry("memory", 3),
    "memory of text": entry("memory", lambda rows: [["a", "b"] for _ in rows]),
    "parameters of text": entry("parameters", lambda numbers: ["1.0" for _ in numbers]),
    "parameters of lists": entry("parameters", lambda numbers: [[1.0] for _ in numbers]),
    "a list": lambda record: [record],
}
"""What a list of numbers cannot be in an array."""


def forged(tmp_path, engine, change, every=1):
    """A stopped run with such a checkpoint is refused in a sentence, and nothing changes in or beside the folder."""
    stopped(tmp_path / "inner" / "run", engine, **({"every": every} if engine == "scalar" else {}))
    (tmp_path / "inner" / "victim.txt").write_text("mine\n" * 10_000)
    edited(tmp_path / "inner" / "run", change)
    before = everything(tmp_path)
    with pytest.raises(ValueError, match="checkpoint") as caught:
        Tracer(tmp_path / "inner" / "run", resume=True)
    assert everything(tmp_path) == before
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_checkpoint_is_refused(engine, name, tmp_path):
    """It names only this format's tables, with whole rows inside them, and numbers that fit; else nothing is cut."""
    forged(tmp_path, engine, FORGERIES[name])


@pytest.mark.parametrize("name", SCALAR_FORGERIES)
def test_a_forged_scalar_checkpoint_is_refused(name, tmp_path):
    """Numbers that are in the tables too must be those of the tables; what is no number is refused."""
    forged(tmp_path, "scalar", SCALAR_FORGERIES[name])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_square_below_zero_is_refused_between_recorded_steps_too(engine, tmp_path):
    """No table holds that step's memory, but the root of it would be taken at the next."""
    forged(tmp_path, engine, FORGERIES["a square below zero"], every=4)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_checkpoint_names_no_absolute_path(engine, tmp_path):
    """Not even the path of a file that is long enough."""
    forged(tmp_path, engine, extent(str(tmp_path / "inner" / "victim.txt")))


def test_the_weights_kept_at_the_checkpoint_are_those_of_the_checkpoint(tmp_path):
    """An array run's parameters are compared with the file of that step, where it was kept."""
    forged(tmp_path, "array", entry("parameters", lambda numbers: [numbers[0] + 1e-9, *numbers[1:]]))


def npz(path):
    """Entries of a .npz file by name."""
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def rezip(path, entries, method=zipfile.ZIP_STORED):
    """Write a .npz file with these entries."""
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in entries.items():
            file.writestr(name, content)


def corrupt_deflate(path):
    """Compress the entries and then spoil the compressed bytes."""
    rezip(path, npz(path), zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    content[60:120] = os.urandom(60)
    path.write_bytes(content)


def with_header(path, **changes):
    """Replace the header of the parameters."""
    header = {"descr": "<f8", "fortran_order": False, "shape": (35,), **changes}
    text = f"{header!r}".ljust(117) + "\n"
    numpy_file = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(280)
    rezip(path, {**npz(path), "parameters.npy": numpy_file})


DAMAGES = {
    "checkpoint.json": {
        "empty": lambda path: path.write_bytes(b""),
        "nested deep": lambda path: path.write_text("[" * 100_000),
        "nested deep in a field": lambda path: path.write_text('{"step": ' + "[" * 3_000 + "]" * 3_000 + "}"),
        "5,000 digits": lambda path: path.write_text('{"step": ' + "9" * 5_000 + "}"),
        "no text": lambda path: path.write_bytes(os.urandom(500)),
        "half": lambda path: path.write_bytes(path.read_bytes()[:300]),
        "huge": lambda path: path.write_text(" " * 10_000_000 + path.read_text()),
        "a number": lambda path: path.write_text("3"),
        "a link to itself": lambda path: path.unlink() or path.symlink_to(path),
        "a link to a device": lambda path: path.unlink() or path.symlink_to("/dev/zero"),
        "a pipe": lambda path: path.unlink() or os.mkfifo(path),
        "a folder": lambda path: path.unlink() or path.mkdir(),
    },
    "checkpoint.npz": {
        "empty": lambda path: path.write_bytes(b""),
        "half": lambda path: path.write_bytes(path.read_bytes()[:400]),
        "corrupt deflate": corrupt_deflate,
        "deflated": lambda path: rezip(path, npz(path), zipfile.ZIP_DEFLATED),
        "lzma": lambda path: rezip(path, npz(path), zipfile.ZIP_LZMA),
        "a bomb": lambda path: rezip(path, {**npz(path), "parameters.npy": bytes(50_000_000)}, zipfile.ZIP_DEFLATED),
        "nested deep": lambda path: rezip(path, {**npz(path), "about.json": b"[" * 2_000}),
        "no about": lambda path: rezip(path, {name: kept for name, kept in npz(path).items() if name != "about.json"}),
        "an entry too many": lambda path: rezip(path, {**npz(path), "memory.third.npy": npz(path)["parameters.npy"]}),
        "an entry too few": lambda path: rezip(path, dict(list(npz(path).items())[1:])),
        "float32": lambda path: with_header(path, descr="<f4"),
        "objects": lambda path: with_header(path, descr="|O"),
        "a huge shape": lambda path: with_header(path, shape=(10**12,)),
        "two dimensions": lambda path: with_header(path, shape=(5, 7)),
        "a flat zero": lambda path: with_header(path),  # the right form, other numbers than those of weights/
        "a header of calls": lambda path: with_header(path, shape="__import__('os')"),
        "a link to a device": lambda path: path.unlink() or path.symlink_to("/dev/zero"),
        "a pipe": lambda path: path.unlink() or os.mkfifo(path),
    },
}  # fmt: skip


@pytest.mark.parametrize("kind, name", [(kind, name) for kind, damages in DAMAGES.items() for name in damages])
def test_a_damaged_checkpoint_is_a_sentence(kind, name, tmp_path):
    """Whatever its bytes are: one line that names the file, soon, and no table is touched."""
    stopped(tmp_path / "run", "scalar" if kind == "checkpoint.json" else "array")
    DAMAGES[kind][name](tmp_path / "run" / kind)
    tables = {path: path.read_bytes() for path in tmp_path.rglob("*.csv")}
    with pytest.raises((ValueError, IsADirectoryError), match="checkpoint") as caught:
        Tracer(tmp_path / "run", resume=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.csv")} == tables
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


@pytest.mark.parametrize("name", ["gradients.csv", "metrics.csv", "optimizer.csv"])
def test_a_table_that_is_a_link_is_not_cut(name, tmp_path):
    """A table that leads out of the folder is refused; what it leads to stays as it is."""
    folder = stopped(tmp_path / "run")
    shutil.move(folder / name, tmp_path / "victim.csv")
    (folder / name).symlink_to(tmp_path / "victim.csv")
    before = everything(tmp_path)
    with pytest.raises((ValueError, OSError), match=name):
        Tracer(folder, resume=True)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", ["gradients.csv", "metrics.csv"])
def test_a_table_that_is_a_pipe_does_not_hang(name, tmp_path):
    """Nobody writes into it: refused at once."""
    folder = stopped(tmp_path / "run")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ValueError, match=name):
        Tracer(folder, resume=True)


NO_FILES = {"pipe": os.mkfifo, "folder": os.mkdir, "device": lambda path: os.symlink("/dev/zero", path)}


@pytest.mark.parametrize("made", NO_FILES.values(), ids=NO_FILES)
def test_a_run_json_that_is_no_file_is_refused_at_once(made, tmp_path):
    """Neither a pipe that nobody writes into nor a device without an end is read."""
    folder = stopped(tmp_path / "run")
    (folder / "run.json").unlink()
    made(folder / "run.json")
    with pytest.raises((ValueError, IsADirectoryError), match=r"no regular file"):
        Tracer(folder, resume=True)


@pytest.mark.parametrize("change", [{"every": 0}, {"rows": 3}, {"data": 3}, {"optimizer": 3}, {"optimizer_memory": None}])
def test_a_run_json_of_other_kinds_is_refused(change, tmp_path):
    """Fields that are no numbers or no records: a sentence, and no byte changes."""
    folder = stopped(tmp_path / "run")
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    before = everything(folder)
    with pytest.raises(ValueError, match=r"^[^\n]*$"):
        run(folder, "scalar", resume=True)
    assert everything(folder) == before


def test_weights_that_are_a_link_are_not_written(tmp_path):
    """A weights/ that leads out of the folder is refused."""
    folder = stopped(tmp_path / "run", "array")
    shutil.move(folder / "weights", tmp_path / "elsewhere")
    (folder / "weights").symlink_to(tmp_path / "elsewhere")
    refused(folder, "weights")


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_long_table_is_checked_without_reading_its_rows_one_by_one(cut, tmp_path):
    """Names with commas, quotes and newlines: a row is still a line, and its step the text before the first comma."""
    strange = ['a,"b"\nc', "=1+1", "x" * 3_000]
    header = cells.line(["step", *map(cells.text, strange)])
    rows = [cells.line([str(step), *map(cells.text, strange)]) for step in range(1, cut + 1)]
    (tmp_path / "t.csv").write_text(header + "".join(rows))
    size = (tmp_path / "t.csv").stat().st_size
    assert reach(tmp_path / "t.csv", size) == (cut, cut, None)


# --- tried at random ---------------------------------------------------------------------------------------------------

SCRIPTS = {
    "kills.py": ["--rounds", "6", "--seed", "11"],
    "fuzz.py": ["--rounds", "120", "--seed", "13"],
    "hostile_checkpoints.py": ["--rounds", "120", "--seed", "12"],
}
"""The shortened forms of what is run by hand for minutes."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are killed that os.fork made")
@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_find_nothing(script):
    """Killed at random moments, hurt at random places: a line for each kind, and no finding."""
    command = [sys.executable, str(Path(__file__).parent / script), *SCRIPTS[script]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert " 0 findings" in done.stdout and done.stdout.count("\n") >= (script != "fuzz.py") + 1
