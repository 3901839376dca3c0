"""Same seed, same bytes: in two processes, on every Python, whatever the environment; and nothing of the machine in a file."""

import getpass
import os
import platform
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import micrograd_lite
from interpreters import VERSIONS, interpreter

SCRIPT = """
import sys
from itertools import islice
from pathlib import Path
from micrograd_lite import train
from micrograd_lite import MLP, SGD, Adam, Cosine, RMSprop, Tracer, binary_cross_entropy, cross_entropy, data, hinge, mse
from micrograd_lite.training import train

out = Path(sys.argv[1])
flowers, held = data.split(data.iris(), 0.2, seed=4)
runs = {
    "xor": (MLP(2, [2, 1], activation="sigmoid", output="sigmoid", seed=1), data.xor(), mse, SGD(lr=1.0), {}),
    "moons": (MLP(2, [4, 4, 1], seed=2), data.moons(20, seed=3), hinge, Adam(lr=0.01), {"batch_size": 6, "seed": 5}),
    "prelu": (MLP(2, [3, 1], activation="prelu", seed=3), data.xor(), binary_cross_entropy, RMSprop(lr=Cosine(0.1, 9)), {}),
    "parts": (MLP(2, [3, 1], activation="tanh"), data.parts()._replace(name="Gr\\u00f6\\u00dfe \\u6570"), mse,
              SGD(lr=0.1, momentum=0.9), {"batch_size": 3}),
    "iris": (MLP(4, [5, 3], seed=6), flowers, cross_entropy, Adam(lr=0.1), {"batch_size": 60, "test": held, "evaluate_every": 2}),
}
for name, (net, dataset, loss, optimizer, settings) in runs.items():
    with Tracer(out / name, every=2) as tracer:
        for step in islice(train(net, dataset, loss=loss, optimizer=optimizer, **settings), 7):
            tracer.watch(step)
    net.save(out / name / "model.json")
try:
    with Tracer(out / "failed") as tracer:
        for step in train(MLP(2, [1, 1], seed=1), data.parts(), loss=mse, optimizer=SGD(lr=1e100)):
            tracer.watch(step)
except FloatingPointError:
    pass
"""

PACKAGE = Path(micrograd_lite.__file__).parent


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A function that runs the script and returns its files: bytes by path."""
    site = tmp_path_factory.mktemp("site")  # the package and nothing else, for any Python
    (site / "micrograd_lite").symlink_to(PACKAGE)

    def run(command, cwd=None, **environment):
        out = tmp_path_factory.mktemp("out") / "traces"
        settings = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", **environment}
        done = subprocess.run([*command, "-c", SCRIPT, out], env=settings, cwd=cwd, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return out, {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}

    return run


@pytest.fixture(scope="module")
def first(run):
    """The files that all others must equal."""
    return run([sys.executable])


def check_equal(files, others):
    """The same files, with the same bytes but for environment.json."""
    assert files.keys() == others.keys()
    assert [name for name in files if files[name] != others[name] and not name.endswith("environment.json")] == []


def test_every_file_of_the_format_is_compared(first):
    """So that equality is no accident of missing files: six runs, with and without optimizer.csv, one of them failed."""
    _, files = first
    tables = {"run.json", "data.csv", "environment.json", "metrics.csv", "gradients.csv", "optimizer.csv", "model.json"}
    assert {name for name in files if name.startswith("moons/")} == {f"moons/{table}" for table in tables}
    assert "xor/optimizer.csv" not in files and b'"failed"' in files["failed/run.json"]
    assert {name.partition("/")[0] for name in files} == {"xor", "moons", "prelu", "parts", "iris", "failed"}
    assert all(files.values())


@pytest.mark.parametrize("environment", [
    {},
    {"PYTHONHASHSEED": "0"},
    {"PYTHONHASHSEED": "1"},
    {"PYTHONHASHSEED": "random"},
    {"TZ": "Asia/Kathmandu"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C.UTF-8", "LANG": "de_DE"},
    {"PYTHONUTF8": "1", "PYTHONIOENCODING": "latin-1", "COLUMNS": "20", "HOME": "/nowhere"},
], ids=lambda settings: ",".join(f"{name}={value}" for name, value in settings.items()) or "again")  # fmt: skip
def test_the_environment_does_not_matter(run, first, environment):
    """Another process, hash seed, time zone, locale or encoding: the same bytes."""
    check_equal(first[1], run([sys.executable], **environment)[1])


@pytest.mark.parametrize("option", ["-O", "-OO", "-Werror", "-Xdev"])
def test_the_mode_of_python_does_not_matter(run, first, option):
    """Without asserts, without docstrings, with warnings as errors: the same bytes."""
    check_equal(first[1], run([sys.executable, option])[1])


def test_the_working_directory_does_not_matter(run, first, tmp_path):
    """Nothing is read from or written to where the program happens to be started."""
    check_equal(first[1], run([sys.executable], cwd=tmp_path)[1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_version_of_python_does_not_matter(run, first, version):
    """3.10 to 3.13 on one machine: the same bytes."""
    python = interpreter(version)
    if python is None:
        message = f"python{version} is not on PATH"
        if os.environ.get("CI"):
            pytest.fail(f"{message}; CI needs all of {', '.join(VERSIONS)}")
        pytest.skip(message)
    check_equal(first[1], run([python])[1])


def machine(out):
    """Words that tell where and by whom a run was made."""
    names = {platform.node(), platform.node().partition(".")[0]} - {"", "localhost", platform.system()}
    with suppress(KeyError, OSError):  # a user without a name
        names |= {getpass.getuser()} - {"root"}
    return [str(out), str(PACKAGE), os.getcwd(), str(Path.home()), *names]


def test_no_file_says_where_it_was_made(first):
    """No absolute path, no name of the machine or the user, in any file."""
    out, files = first
    for name, content in files.items():
        text = content.decode("utf-8")
        assert not [word for word in machine(out) if len(word) > 3 and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)], name
        assert not re.search(r"\"/|[ '](/tmp|/home|/usr|/root|/var)/", text), name


def test_no_file_but_the_environment_has_a_clock(first):
    """No date and no time of day."""
    for name, content in first[1].items():
        found = re.search(rb"\b20\d\d-[01]\d-[0-3]\d|\b\d\d:\d\d:\d\d\b", content)
        assert bool(found) == name.endswith("environment.json"), name


def test_an_error_of_the_disk_does_not_put_its_path_into_run_json(tmp_path):
    """A run that failed because a table could not be written: the sentence is kept, the folder's path is not."""
    from faults import fault_at, full, steps
    from micrograd_lite import Trace, Tracer

    with pytest.raises(OSError) as caught, Tracer(tmp_path / "run") as tracer:
        training = steps()
        tracer.watch(next(training))
        with fault_at(1, full, ("write",)):
            tracer.watch(next(training))
    assert str(tmp_path) in str(caught.value)
    assert Trace(tmp_path / "run").status == "failed" and "No space left" in Trace(tmp_path / "run").run["error"]
    assert str(tmp_path) not in (tmp_path / "run" / "run.json").read_text()
