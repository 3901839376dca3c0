"""A sweep does every run once, whoever does it: what has finished is kept, and the summary has the same bytes."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_lite
from micrograd_lite import cli
from micrograd_lite.sweep import Run, one, place_of, processes, runs, sweep
from micrograd_lite.text.shares import Share, interval, quantile, shares, shares_table
from micrograd_lite.trace import Trace

GRID = {"power": [1, 2, 3], "base": [2.0, -0.5], "kind": ["plain", "twice"]}
ROOT = Path(__file__).parent.parent
PLACES = [Path(micrograd_lite.__file__).parent.parent, Path(__file__).parent]
PACKAGE = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PLACES))}  # processes test the same package


# --- jobs: at the top of a module, as a sweep wants them -----------------------------------------------------------------


def power(settings):
    """A number, a list and a yes or no."""
    value = settings["base"] ** settings["power"] * (2 if settings["kind"] == "twice" else 1)
    return {"learned": value > 0, "final_loss": value, "both": [settings["base"], value]}


def odd_ones_fail(settings):
    """An error for every odd seed."""
    if settings["seed"] % 2:
        raise ValueError(f"{settings['seed']} is\nodd")
    return {"learned": True}


def logged(settings, log, seconds=0.0):
    """Says in a file who began and who ended."""
    with open(log, "a") as file:
        file.write(f"begin {settings['seed']} {os.getpid()}\n")
    time.sleep(seconds)
    with open(log, "a") as file:
        file.write(f"end {settings['seed']} {os.getpid()}\n")
    return {"learned": True, "final_loss": 1.0 / (1 + settings["seed"])}


def refused_once(settings, log):
    """The disk is full at seed 3, for the first time."""
    if settings["seed"] == 3 and not Path(log).exists():
        Path(log).write_text("")
        raise OSError(28, "No space left on device", "somewhere")
    return {}


def dies_once(settings, log):
    """The first process that comes to seed 3 is killed."""
    if settings["seed"] == 3 and not Path(log).exists():
        Path(log).write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return {"seen": settings["seed"] * 2}


def not_json(settings):
    """A result that no file can hold, another that takes a name, and one that is no number."""
    return [{"object": object()}, {"seed": 1}, {"far": math.inf, "not": math.nan}][settings["seed"]]


class Here(Executor):
    """An executor that does everything at once, in this process."""

    def submit(self, function, /, *arguments, **named):
        """What is asked."""
        future = Future()
        try:
            future.set_result(function(*arguments, **named))
        except BaseException as error:
            future.set_exception(error)
        return future


def swept(job, grid, folder, pool=None):
    """All runs, in grid order."""
    done = list(sweep(job, grid, folder, Here() if pool is None else pool))
    return sorted(done, key=lambda run: [run.settings for run in runs(folder)].index(run.settings))


def rows(folder):
    with open(folder / "summary.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def log_of(path):
    """(who began, who ended), by seed."""
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [int(seed) for word, seed, _ in lines if word == "begin"], [int(seed) for word, seed, _ in lines if word == "end"]


def leftovers(folder):
    """Files that no finished sweep has."""
    return [path for path in folder.rglob("*") if path.is_file() and (path.suffix == ".part" or path.name.startswith("."))]


# --- every run once, in grid order ---------------------------------------------------------------------------------------


def test_every_combination_is_done_and_the_summary_is_in_grid_order(tmp_path):
    """The last name changes first; a row has the settings, the result, and the name of its folder."""
    done = swept(power, GRID, tmp_path / "s")
    assert len(done) == 12 and all(run.result == power(run.settings) for run in done)
    wanted = [(p, b, k) for p in GRID["power"] for b in GRID["base"] for k in GRID["kind"]]
    assert [(int(row["power"]), float(row["base"]), row["kind"]) for row in rows(tmp_path / "s")] == wanted
    for row, run in zip(rows(tmp_path / "s"), runs(tmp_path / "s")):
        assert (tmp_path / "s" / "runs" / row["run"] / "result.json").is_file()
        assert float(row["final_loss"]) == run.result["final_loss"] and row["error"] == ""
        assert row["learned"] == ("yes" if run.result["learned"] else "no")


POOLS = {"one process": partial(processes, 1), "two processes": partial(processes, 2), "threads": partial(ThreadPoolExecutor, 3)}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_the_summary_has_the_same_bytes_from_any_executor(pool, tmp_path):
    """One process, two, threads: as from this process, one run after the other."""
    swept(power, GRID, tmp_path / "here")
    with pool() as workers:
        swept(power, GRID, tmp_path / "there", workers)
    assert (tmp_path / "here" / "summary.csv").read_bytes() == (tmp_path / "there" / "summary.csv").read_bytes()


def test_without_a_pool_there_are_processes(tmp_path):
    """The runs are not done by this process, and no process is left."""
    log = tmp_path / "log"
    assert len(list(sweep(partial(logged, log=str(log)), {"seed": range(6)}, tmp_path / "s"))) == 6
    pids = {int(line.split()[2]) for line in log.read_text().splitlines()}
    assert os.getpid() not in pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_second_start_does_only_what_is_missing(tmp_path):
    """A run whose result has gone is done again, no other; the summary is as it was."""
    log, folder = tmp_path / "log", tmp_path / "s"
    job = partial(logged, log=str(log))
    first = swept(job, {"seed": range(5)}, folder)
    before = (folder / "summary.csv").read_bytes()
    (place_of(folder, {"seed": 3}) / "result.json").unlink()
    again = swept(job, {"seed": range(5)}, folder)
    assert sorted(map(repr, first)) == sorted(map(repr, again)) and log_of(log)[0] == [0, 1, 2, 3, 4, 3]
    assert (folder / "summary.csv").read_bytes() == before


def test_a_run_that_is_done_is_read(tmp_path):
    """Whoever asks a worker for it again, as Dask does when another one has died: the job is not called."""
    log, folder = tmp_path / "log", tmp_path / "s"
    job = partial(logged, log=str(log))
    (first,) = swept(job, {"seed": [4]}, folder)
    assert one(job, {"seed": 4}, str(folder)) == first and log_of(log)[0] == [4]


def test_a_failing_run_is_recorded_with_its_sentence(tmp_path):
    """It ends nothing and is not tried again; its row says why, in one line."""
    for _ in range(2):
        done = swept(odd_ones_fail, {"seed": range(4)}, tmp_path / "s")
        assert [run.error for run in done] == [None, "ValueError: 1 is odd", None, "ValueError: 3 is odd"]
    assert [row["error"] for row in rows(tmp_path / "s")] == ["", "ValueError: 1 is odd", "", "ValueError: 3 is odd"]


def test_results_that_no_table_holds_are_errors(tmp_path):
    """An object, a name that a setting has; numbers that are not finite are words."""
    first, second, third = swept(not_json, {"seed": range(3)}, tmp_path / "s")
    assert "TypeError" in first.error and "has a 'seed'" in second.error and third.result == {"far": "inf", "not": "NaN"}
    assert [row["far"] for row in rows(tmp_path / "s")] == ["", "", "inf"]


# --- what goes wrong -----------------------------------------------------------------------------------------------------


def test_a_full_disk_ends_the_sweep_and_loses_nothing(tmp_path):
    """The system's sentence; what was done before is there, and the next start does the rest."""
    job = partial(refused_once, log=str(tmp_path / "log"))
    with pytest.raises(OSError, match="No space left"):
        swept(job, {"seed": range(6)}, tmp_path / "s")
    assert sum(1 for run in runs(tmp_path / "s") if run.done) >= 3 and not (tmp_path / "s" / "summary.csv").exists()
    assert all(run.result == {} for run in swept(job, {"seed": range(6)}, tmp_path / "s"))


def test_a_worker_that_is_killed_costs_the_runs_in_flight(tmp_path):
    """One sentence; the next start does them, and the table is whole."""
    job = partial(dies_once, log=str(tmp_path / "log"))
    with pytest.raises(ChildProcessError, match="has died; what has finished is kept"), processes(2) as pool:
        swept(job, {"seed": range(8)}, tmp_path / "s", pool)
    with processes(2) as pool:
        assert sorted(run.result["seen"] for run in swept(job, {"seed": range(8)}, tmp_path / "s", pool)) == list(range(0, 16, 2))
    assert not leftovers(tmp_path / "s")


@pytest.mark.parametrize("grid, words", [
    ({}, "needs a name"), ({"seed": []}, "list of values"), ({"seed": "123"}, "list of values"), ({"": [1]}, "must be a name"),
    ({"run": [1]}, "none of run, error"), ({"seed": [1, 2, 1]}, "a value twice"), ({"seed": [object()]}, "finite numbers"),
    ({"lr": [math.nan]}, "finite numbers"), ({3: [1]}, "must be a name"),
])  # fmt: skip
def test_a_wrong_grid_is_refused_at_the_door(grid, words, tmp_path):
    """One sentence, before a folder is made."""
    with pytest.raises(ValueError, match=words):
        sweep(power, grid, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_job_that_other_processes_cannot_find_is_refused(tmp_path):
    """A lambda, a function inside of another."""
    for job in (lambda settings: {}, [partial(lambda a, b: {}, 1)][0]):
        with pytest.raises(ValueError, match="top of a module"):
            sweep(job, {"seed": [1]}, tmp_path / "s")


def test_a_folder_of_something_else_is_refused(tmp_path):
    """Another job, another grid, a trace, a file: nothing in it changes."""
    swept(power, GRID, tmp_path / "s")
    before = {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()}
    others = ((odd_ones_fail, GRID, "job"), (power, {**GRID, "base": [2.0]}, "base"), (power, {**GRID, "new": [1]}, "new"),
              (power, dict(reversed(GRID.items())), "order of names"))  # fmt: skip
    for job, grid, name in others:
        with pytest.raises(FileExistsError, match=f"another sweep, its ({name}) differs"):
            swept(job, grid, tmp_path / "s")
    assert before == {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()}
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(FileExistsError, match="not empty and holds no sweep"):
        swept(power, GRID, tmp_path / "full")


def test_two_sweeps_do_not_write_to_one_folder(tmp_path):
    """The second is refused while the first is at work, and goes on when it has been given up."""
    first = sweep(power, GRID, tmp_path / "s", Here())
    next(first)
    with pytest.raises(BlockingIOError, match="right now"):
        swept(power, GRID, tmp_path / "s")
    first.close()
    assert len(swept(power, GRID, tmp_path / "s")) == 12


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"settings": {"seed": 1}, "result": 3}', '{"settings": {"seed": 2}, "result": {}}']
)
def test_a_damaged_result_is_named(text, tmp_path):
    """Not corrected in silence: the sentence has the path."""
    swept(odd_ones_fail, {"seed": [0, 1]}, tmp_path / "s")
    path = place_of(tmp_path / "s", {"seed": 1}) / "result.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=path.parent.name):
        swept(odd_ones_fail, {"seed": [0, 1]}, tmp_path / "s")


@pytest.mark.parametrize("text", ["{", "[]", '{"job": 1, "grid": {}}', '{"format": "other/1", "job": "", "grid": {}}'])
def test_a_damaged_sweep_is_named(text, tmp_path):
    """As above, of the page that says which sweep it is."""
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(ValueError, match=r"sweep\.json"):
        swept(power, GRID, tmp_path)


# --- killed and interrupted ----------------------------------------------------------------------------------------------

PROGRAM = """
import sys
from functools import partial
from test_sweep import logged
from micrograd_lite.sweep import processes, sweep
if __name__ == "__main__":
    folder, log, many = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with processes(2) as pool:
        for run in sweep(partial(logged, log=log, seconds=0.01), {"seed": range(many)}, folder, pool):
            print(run.settings["seed"], flush=True)
"""


def begun(tmp_path, many, **options):
    """A sweep in a process of its own, from its first finished run on."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    line = [sys.executable, str(script), str(tmp_path / "s"), str(tmp_path / "log"), str(many)]
    process = subprocess.Popen(line, env=PACKAGE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    process.stdout.readline()
    return process


def gone(log, patience=20.0):
    """Have all processes that wrote the log ended?"""
    pids = {int(line.split()[2]) for line in log.read_text().splitlines()}
    until = time.monotonic() + patience
    while time.monotonic() < until:
        alive = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        if not alive:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see who lives")
def test_kill_9_costs_the_runs_in_flight_and_leaves_nothing(tmp_path):
    """Killed three times, started again: no worker lives on, no run that had finished is done twice, no half file is left."""
    for _ in range(3):
        process = begun(tmp_path, 60)
        process.kill()
        process.communicate()
        assert gone(tmp_path / "log")
        finished = {run.settings["seed"] for run in runs(tmp_path / "s") if run.done}
        before = len(log_of(tmp_path / "log")[0])
        (tmp_path / "mark").write_text(json.dumps([before, sorted(finished)]))
        process = begun(tmp_path, 60)
        process.kill()
        process.communicate()
        assert gone(tmp_path / "log")
        assert not finished & set(log_of(tmp_path / "log")[0][before:])
    process = begun(tmp_path, 60)
    assert process.communicate()[1] == "" and process.returncode == 0
    assert len(rows(tmp_path / "s")) == 60 and not leftovers(tmp_path / "s")
    assert len(log_of(tmp_path / "log")[0]) <= 60 + 6 * 2


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see who lives")
def test_ctrl_c_leaves_a_sweep_that_goes_on(tmp_path, capsys):
    """A terminal's Ctrl-C goes to the workers too: one word, exit code 130, no process left, and the same command goes on."""
    line = [sys.executable, "-m", "micrograd_lite", "sweep", "xor", "--grid", "seed=0:24", "--epochs", "300", "--jobs", "2",
            "--out", str(tmp_path / "s")]  # fmt: skip
    piped = {"env": PACKAGE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(line, **piped, start_new_session=True)
    until = time.monotonic() + 60
    while not any((tmp_path / "s").glob("runs/*/result.json")) and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors, out) == (130, "interrupted\n", "")
    done = sum(1 for run in runs(tmp_path / "s") if run.done)
    assert 1 <= done < 24
    assert cli.main(["show", str(tmp_path / "s")]) == 0
    assert f"{done} of 24 runs are done" in capsys.readouterr().out
    finished = subprocess.run(line, **piped)
    assert (finished.returncode, finished.stderr) == (0, "") and "24 of 24 runs are done" in finished.stdout


# --- the command ---------------------------------------------------------------------------------------------------------

XOR = ["xor", "--output", "sigmoid", "--loss", "mse", "--optimizer", "SGD", "--lr", "2", "--epochs", "1000"]


def command(*arguments):
    return cli.main(["sweep", *map(str, arguments)])


def refused(capsys, *arguments):
    try:
        code = command(*arguments)
    except SystemExit as error:
        code = error.code
    stderr = capsys.readouterr().err
    assert code == 2 and stderr.count("\n") == 1 and stderr.startswith("error: "), stderr
    return stderr


def test_the_command_counts_who_learned(tmp_path, capsys):
    """2-2-1 and 2-4-1 from six seeds: the table, the summary, and `show` prints the table again, in each form."""
    widths = ("--grid", "layers=2", "--grid", "layers=4")
    assert command(*XOR, *widths, "--grid", "seed=0:6", "--jobs", 2, "--out", tmp_path / "s") == 0
    printed = capsys.readouterr().out
    assert "12 of 12 runs are done" in printed and "learned: an accuracy of at least 0.95" in printed
    assert [row["layers"] for row in rows(tmp_path / "s")] == ["2"] * 6 + ["4"] * 6
    assert cli.main(["show", str(tmp_path / "s")]) == 0
    assert printed.startswith(capsys.readouterr().out.rstrip("\n"))
    for form in ("markdown", "csv", "html", "json"):
        assert cli.main(["show", str(tmp_path / "s"), "--format", form]) == 0
        assert capsys.readouterr().out == shares_table(shares(runs(tmp_path / "s")), form)
    assert cli.main(["show", str(tmp_path / "s"), "--step", "1"]) == 2
    assert "holds a sweep" in capsys.readouterr().err


def test_the_runs_train_as_train_does(tmp_path, capsys):
    """Loss and accuracy are those of `micrograd-lite train` with the same settings."""
    command(*XOR, "--grid", "seed=3:4", "--grid", "layers=2", "--out", tmp_path / "s", "--jobs", 1)
    assert cli.main(["train", *XOR, "--layers", "2", "--seed", "3", "--out", str(tmp_path / "t")]) == 0
    last, result = Trace(tmp_path / "t").metrics()[-1], runs(tmp_path / "s")[0].result
    assert (result["steps"], result["final_loss"]) == (last["step"], last["loss"])
    assert result["train_accuracy"] == last["train_accuracy"]


def test_traces_of_those_that_failed(tmp_path, capsys):
    """Of the first eleven seeds of 2-2-1 one does not learn; its trace alone is kept, and diagnose reads it."""
    command(*XOR, "--grid", "layers=2", "--grid", "seed=0:10", "--trace", "failed", "--out", tmp_path / "s")
    out = capsys.readouterr().out
    failed = [run for run in runs(tmp_path / "s") if not run.result["learned"]]
    traces = sorted(path.parent for path in (tmp_path / "s").rglob("run.json"))
    assert traces == sorted(place_of(tmp_path / "s", run.settings) / "trace" for run in failed) and len(failed) == 1
    assert Trace(traces[0]).metrics()[-1]["loss"] == failed[0].result["final_loss"]
    assert f"micrograd-lite diagnose {traces[0]}" in out
    assert cli.main(["diagnose", str(traces[0])]) == 0


def test_traces_of_all_and_of_a_run_that_overflows(tmp_path, capsys):
    """With --trace all each run has one; a run that overflows is an error in its row, and its trace ends as failed."""
    for kept in ("all", "failed"):
        command("line", "--goal", "1", "--grid", "lr=1e200", "--optimizer", "SGD", "--epochs", "5", "--trace", kept, "--out",
                tmp_path / kept)  # fmt: skip
        (run,) = runs(tmp_path / kept)
        assert run.error.startswith("FloatingPointError: step ")
        assert Trace(place_of(tmp_path / kept, run.settings) / "trace").status == "failed"
        assert "1 ended with an error" in capsys.readouterr().out


def test_a_goal_says_what_learned_means(tmp_path, capsys):
    """A loss of at most the goal."""
    for goal, learned in (("1000", "yes"), ("1e-9", "no")):
        command("line", "--goal", goal, "--grid", "seed=0:1", "--epochs", "3", "--out", tmp_path / goal)
        assert rows(tmp_path / goal)[0]["learned"] == learned
        assert f"a loss of at most {float(goal):g}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments, words", [
    (["--grid", "sed=1"], "NAME is one of target, regression, layers"), (["--grid", "seed"], "it is NAME=VALUE"),
    (["--grid", "=1"], "NAME is one of"), (["--grid", "seed=x"], "seed is a whole number"),
    (["--grid", "lr=fast"], "lr is a number"), (["--grid", "layers=two"], "layers is widths"),
    (["--grid", "lr=1,2"], "lr is a number; of several values each has its own --grid"),
    (["--grid", "raw=maybe"], "raw is yes or no"),
    (["--grid", "seed=5:5"], "seed is a whole number"), (["--grid", "seed=0:9999999999"], "seed is a whole number"),
    (["--grid", "optimizer=SGD", "--grid", "optimizer=Best"], "SGD, "), (["--grid", "activation=cosh"], "tanh"),
    (["--grid", "output=linear", "--grid", "output=sigmoid"], "needs output='linear'"),
    (["--grid", "lr=1", "--lr", "2"], "keep one"), (["--grid", "seed=1", "--grid", "seed=1"], "twice"), ([], "--grid"),
    (["--grid", "seed=1", "--jobs", "0"], "--jobs"), (["--grid", "seed=1", "--goal", "low"], "--goal"),
    (["--grid", "seed=1", "--jobs", "1", "--scheduler-file", "x"], "not allowed with"),
    (["--grid", "seed=0:10000", "--grid", "epochs=1:1000"], "are the most"),
])  # fmt: skip
def test_a_mistake_is_one_sentence_and_writes_nothing(arguments, words, tmp_path, capsys):
    """With the known names, or the kind that is wanted."""
    assert words in refused(capsys, "xor", *arguments, "--out", tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_numbers_need_a_goal(tmp_path, capsys):
    """Accuracy is of classes."""
    assert "--goal" in refused(capsys, "line", "--grid", "seed=0:2", "--out", tmp_path / "s")


# --- how many learned ----------------------------------------------------------------------------------------------------


def test_the_interval_is_wilsons():
    """Two values worked out by hand elsewhere: 0 of 10 and 5 of 10; none of none is everything."""
    assert interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert interval(0, 0) == (0.0, 1.0)


@given(tries=st.integers(1, 10**6), data=st.data())
def test_the_interval_holds_the_share_and_mirrors(tries, data):
    """It is around hits / tries, inside of 0 to 1, and that of the misses is its mirror."""
    hits = data.draw(st.integers(0, tries))
    low, high = interval(hits, tries)
    assert 0.0 <= low <= hits / tries + 1e-12 and hits / tries - 1e-12 <= high <= 1.0
    assert interval(tries - hits, tries) == pytest.approx((1.0 - high, 1.0 - low), abs=1e-9)


@given(numbers=st.lists(st.floats(-1e6, 1e6), min_size=1), share=st.floats(0.0, 1.0))
def test_a_quantile_is_between_the_ends(numbers, share):
    """And is the smallest at 0, the largest at 1."""
    ordered = sorted(numbers)
    assert ordered[0] - 1e-6 <= quantile(ordered, share) <= ordered[-1] + 1e-6
    assert (quantile(ordered, 0.0), quantile(ordered, 1.0)) == (ordered[0], ordered[-1])


def test_runs_that_differ_in_the_seed_alone_are_counted_together():
    """Learned, errors and losses by setting; what is the same in all runs is no column; runs to be done do not count."""
    pairs = [(b, seed) for b in (0, 1) for seed in (0, 1, 2)]
    done = [Run({"a": 1, "seed": seed, "b": b}, {"learned": seed > b, "final_loss": float(seed)}) for b, seed in pairs]
    found = shares([*done, Run({"a": 1, "seed": 3, "b": 1}, error="no"), Run({"a": 1, "seed": 4, "b": 1})])
    assert found == [Share({"b": 0}, 3, 2, 0, [0.0, 1.0, 2.0]), Share({"b": 1}, 4, 1, 1, [0.0, 1.0, 2.0])]
    assert [one.name for one in found] == ["b 0", "b 1"]
    text = shares_table(found).splitlines()
    assert text[0].split()[:4] == ["b", "runs", "learned", "share"] and text[2].split()[:4] == ["0", "3", "2", "0.667"]


def test_a_job_that_measures_nothing_has_a_plain_table(tmp_path, capsys):
    """Neither learned nor final_loss: runs and errors."""
    swept(dies_once_not, {"seed": range(3)}, tmp_path / "s")
    assert cli.main(["show", str(tmp_path / "s"), "--format", "csv"]) == 0
    assert capsys.readouterr().out == "runs,errors\n3,0\n"


def dies_once_not(settings):
    """Nothing to be counted."""
    return {"seen": settings["seed"]}


def test_the_picture_shows_shares_and_losses(tmp_path):
    """sweep.png opens, grows with the settings, and has the colours of both panels; nothing done is nothing to draw."""
    Image = pytest.importorskip("PIL.Image", reason="pictures are drawn with Pillow")
    from micrograd_lite.pictures.palette import ink
    from micrograd_lite.pictures.sweeps import HIGH, WIDTH, sweep_png

    found = [Share({"layers": [width]}, 10, width, 0, [0.1 * width, 0.2 * width, 3.0]) for width in (1, 2, 5)]
    for many in (1, 3):
        sweep_png(tmp_path / "sweep.png", found[:many], "xor", "learned: all")
        with Image.open(tmp_path / "sweep.png") as image:
            assert image.size == (WIDTH, HIGH * many + 116) and {ink(0), ink(1)} <= set(image.tobytes())
    with pytest.raises(ValueError, match="nothing to draw"):
        sweep_png(tmp_path / "none.png", [Share({}, 0, 0, 0, [])], "", "")
