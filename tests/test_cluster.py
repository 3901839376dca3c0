"""A sweep on a Dask cluster: docs/cluster.md is executed, with a real scheduler and real workers on this machine."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from micrograd_lite.sweep import runs, sweep
from test_sweep import PACKAGE, leftovers, logged, rows

distributed = pytest.importorskip("distributed", reason="a cluster needs the package distributed (extra: cluster)")
PAGE = (Path(__file__).parent.parent / "docs" / "cluster.md").read_text(encoding="utf-8")
LOCAL, SCHEDULER, WORKERS, SWEEP = re.findall(r"```sh\n(.*)\n```", PAGE)
PATIENCE = 60.0
HIDDEN = "import sys\nsys.modules['micrograd_lite'] = None\n"


def line(command, *more):
    """A command of the page as this Python runs it."""
    name, *words = shlex.split(command)
    return [sys.executable, "-W", "ignore", "-m", name.replace("-", "_"), *words, *more]


def run(command, place, *more):
    return subprocess.run(line(command, *more), cwd=place, env=PACKAGE, capture_output=True, text=True, timeout=4 * PATIENCE)


def begun(place, command, *more, env=PACKAGE):
    """A process of its own group, so that nobody outlives the test."""
    with open(place / "dask.log", "a") as log:
        return subprocess.Popen(line(command, *more), cwd=place, env=env, stdout=log, stderr=log, start_new_session=True)


def until(true, what):
    """Wait for something to come true."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@contextmanager
def cluster(place, workers=PACKAGE):
    """The page's scheduler and workers on 127.0.0.1; yields the scheduler's process."""
    begins = [begun(place, SCHEDULER, "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    try:
        until((place / "scheduler.json").exists, "the scheduler did not begin")
        begins.append(begun(place, WORKERS, "--no-dashboard", env=workers))
        yield begins[0]
    finally:
        for process in reversed(begins):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def pool(place):
    """The cluster as an executor."""
    with distributed.Client(scheduler_file=str(place / "scheduler.json"), set_as_default=False) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        yield client.get_executor()


def test_the_page_from_laptop_to_cluster(tmp_path):
    """Its four commands, as they stand: the summaries of laptop and cluster have the same bytes."""
    local = run(LOCAL, tmp_path)
    assert (local.returncode, local.stderr) == (0, "")
    with cluster(tmp_path):
        far = run(SWEEP, tmp_path)
    assert (far.returncode, far.stderr) == (0, ""), (tmp_path / "dask.log").read_text()
    assert "40 of 40 runs are done" in far.stdout
    assert (tmp_path / "seeds" / "summary.csv").read_bytes() == (tmp_path / "seeds_cluster" / "summary.csv").read_bytes()


def test_a_worker_killed_half_way_loses_nothing(tmp_path):
    """Dask gives its run to another: all runs are there, and none that had finished was done again."""
    log, folder, many = tmp_path / "log", tmp_path / "s", 60
    with cluster(tmp_path), pool(tmp_path) as workers:
        job = partial(logged, log=str(log), seconds=0.05)
        for done, _ in enumerate(sweep(job, {"seed": range(many)}, folder, workers)):
            if done == 10:
                os.kill(int(log.read_text().split()[2]), signal.SIGKILL)
    assert len(rows(folder)) == many and all(run.result for run in runs(folder)) and not leftovers(folder)
    ended = [text.split()[1] for text in log.read_text().splitlines() if text.startswith("end")]
    assert len(set(ended)) == many and len(ended) <= many + 1


def test_a_scheduler_that_dies_half_way_is_one_sentence(tmp_path):
    """Exit code 2; what has finished is kept, and a new cluster does the rest."""
    with cluster(tmp_path) as scheduler:
        going = subprocess.Popen(line(SWEEP, "--epochs", "1000"), cwd=tmp_path, env=PACKAGE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)  # fmt: skip
        folder = tmp_path / "seeds_cluster"
        until(lambda: len(list(folder.glob("runs/*/result.json"))) >= 3 or going.poll() is not None, "no run ended")
        os.killpg(scheduler.pid, signal.SIGKILL)
        out, errors = going.communicate(timeout=4 * PATIENCE)
    assert (going.returncode, out) == (2, "") and errors.startswith("error: ") and errors.count("\n") == 1, errors
    assert "what has finished is kept" in errors
    kept = sum(1 for run in runs(folder) if run.done)
    assert 3 <= kept < 40
    (tmp_path / "scheduler.json").unlink()
    with cluster(tmp_path):
        again = run(SWEEP, tmp_path, "--epochs", "1000")
    assert (again.returncode, again.stderr) == (0, "") and "40 of 40 runs are done" in again.stdout


def test_a_worker_without_the_package_is_one_sentence(tmp_path):
    """It names the package; nothing is left waiting."""
    (tmp_path / "sitecustomize.py").write_text(HIDDEN)  # loaded by every Python that finds it
    with cluster(tmp_path, {**PACKAGE, "PYTHONPATH": str(tmp_path)}), pool(tmp_path):  # with two workers
        refused = run(SWEEP, tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "") and refused.stderr.count("\n") == 1, refused.stderr
    assert refused.stderr.startswith("error: a worker cannot load the package: ") and "micrograd_lite" in refused.stderr


@pytest.mark.parametrize("text, words", [
    (None, "No such file"), ("{", "was not written by `dask scheduler"), ('{"id": 1}', "was not written by"),
    ('{"address": "tcp://127.0.0.1:9"}', "does not answer"),
    ('{"address": "nowhere"}', "was not written by"), ('{"address": 7}', "was not written by"),
])  # fmt: skip
def test_a_scheduler_that_does_not_answer_is_one_sentence(text, words, tmp_path):
    """No file, a file of something else, an address where nobody listens."""
    if text is not None:
        (tmp_path / "scheduler.json").write_text(text)
    refused = run(SWEEP, tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "") and refused.stderr.count("\n") == 1, refused.stderr
    assert words in refused.stderr
    assert not (tmp_path / "seeds_cluster" / "sweep.json").exists()
