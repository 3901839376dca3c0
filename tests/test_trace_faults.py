"""The promises of the trace, each with its fault injected: death, cuts, failing system calls, full and read-only disks, Ctrl-C.

Who writes, who waits and what --force removes is in test_trace_folder.py; what a row says is in test_trace.py.
"""

import os
import random
import signal
import subprocess
import sys
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults import (
    TABLES,
    broken,
    check_names_a_path,
    check_whole_steps,
    contents,
    fault_at,
    finish,
    full,
    interrupt,
    mount,
    network,
    read_only,
    record,
    start,
    steps,
)
from micrograd_lite.trace import Trace, Tracer, append, tracer

FAULTS = [full, broken, interrupt]
LONG = 1500
"""More steps than anyone waits for."""


def recorded(number, every):
    """The steps of 1 to number whose parameters are recorded while the run goes on."""
    return [step for step in range(1, number + 1) if step == 1 or step % every == 0]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A long undisturbed run, to compare with."""
    return record(tmp_path_factory.mktemp("reference") / "run", LONG)


def listen(writer, generator):
    """A random number of announcements; the writer meanwhile is anywhere in a later step."""
    return "".join(writer.stdout.readline() for _ in range(generator.randrange(1, 60)))


def last_whole_line(announced):
    """The last step that was announced."""
    return int(announced.rpartition("\n")[0].split("\n")[-1])


# --- promise 1: a row whose flush returned survives the death of the process --------------------------------------------

@pytest.mark.parametrize("seed", range(10))
def test_announced_steps_survive_kill_9(tmp_path, reference, seed):
    """Killed at a random moment: every step that was announced is there, whole and right, and the trace reads as killed."""
    generator = random.Random(seed)
    every = generator.choice((1, 1, 3))
    with start("write", tmp_path / "run", every, LONG, "wait") as writer:
        announced = listen(writer, generator)
        writer.kill()
        announced += writer.stdout.read()
    trace = Trace(tmp_path / "run")
    assert trace.status == "killed" and not trace.damage
    written = check_whole_steps(trace, reference)
    assert written >= last_whole_line(announced)
    assert trace.steps() == recorded(written, every)


# --- promise 2: a reader gets whole steps or nothing, never an exception -------------------------------------------------

@pytest.mark.parametrize("every", [1, 4])
def test_a_reader_beside_a_writer_sees_whole_steps_only(tmp_path, reference, every):
    """Read again and again while it grows: never an exception, never half a step, never fewer steps than before."""
    seen, number = 0, 160
    with start("write", tmp_path / "run", every, number, "paced", stdin=subprocess.PIPE) as writer:
        writer.stdout.readline()
        for _ in range(number // 20):
            writer.stdin.write(".")  # 20 more steps, while we read
            writer.stdin.flush()
            for _ in range(2):
                trace = Trace(tmp_path / "run")
                assert trace.status in ("running", "finished")
                found = check_whole_steps(trace, reference)
                assert found >= seen
                assert set(recorded(found, every)) <= set(trace.steps()) <= {*recorded(found, every), number}
                seen = found
        writer.communicate()  # to the end of what it says: closing a pipe that it writes to would kill it
    assert writer.returncode == 0
    assert check_whole_steps(Trace(tmp_path / "run"), reference) == number


def test_a_reader_beside_restarts_never_fails(tmp_path):
    """While --force replaces a finished run again and again, each reading finds a trace: old, new or growing."""
    record(tmp_path / "run", 2)
    with start("restart", tmp_path / "run", 25) as writer:
        while writer.poll() is None:
            trace = Trace(tmp_path / "run")
            assert trace.status in ("running", "finished", "killed", "damaged")
            for step in trace.steps():
                assert [row.parameter for row in trace.gradients(step)] == trace.names
        assert writer.returncode == 0


def cut_copies(source, folder, run, name, sizes):
    """The files of a trace, one table of them cut to each size in turn."""
    folder.mkdir()
    whole = contents(source)
    for other, data in whole.items():
        (folder / other).write_bytes(data)
    (folder / "run.json").write_bytes(run)
    for size in sizes(len(whole[name])):
        (folder / name).write_bytes(whole[name][:size])
        yield size, Trace(folder)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A finished run of seven steps, parameters recorded at 1, 3, 6 and 7; run.json at its start, in its course, at its end."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    with Tracer(folder, every=3) as writing:
        phases = {"claimed": (folder / "run.json").read_bytes()}
        for step in islice(steps(evaluate_every=2), 7):
            writing.watch(step)
        phases["running"] = (folder / "run.json").read_bytes()
    phases["finished"] = (folder / "run.json").read_bytes()
    return folder, phases


@pytest.mark.parametrize("phase", ["claimed", "running"])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_cut_anywhere_reads_as_whole_steps(tmp_path, runs, name, phase):
    """At every byte of the last 300, with run.json from the start of the run or its course: no exception, no part of a step."""
    folder, phases = runs
    whole = Trace(folder)
    for size, trace in cut_copies(folder, tmp_path / "cut", phases[phase], name, lambda size: range(size, size - 300, -1)):
        assert trace.status == "killed" and not trace.damage
        assert check_whole_steps(trace, whole) <= 7, size


@pytest.mark.parametrize("name", TABLES)
def test_a_cut_table_of_a_finished_run_reads_as_damaged(tmp_path, runs, name):
    """However little is missing: the status is damaged and the sentence names the file; what is whole can be read."""
    folder, phases = runs
    whole = Trace(folder)
    cuts = cut_copies(folder, tmp_path / "cut", phases["finished"], name, lambda size: range(size - 1, size - 300, -1))
    for size, trace in cuts:
        assert trace.status == "damaged", size
        assert trace.damage.startswith(f"{tmp_path / 'cut' / name} has ") and "\n" not in trace.damage
        check_whole_steps(trace, whole)


@pytest.mark.parametrize("name", TABLES)
def test_a_missing_table_of_a_finished_run_reads_as_damaged(tmp_path, runs, name):
    """A deleted file is named as one without rows."""
    folder, phases = runs
    for _, trace in cut_copies(folder, tmp_path / "cut", phases["finished"], name, lambda size: [size]):
        (trace.folder / name).unlink()
        assert trace.status == "damaged"
        assert trace.damage.startswith(f"{trace.folder / name} has 0 whole rows, but run.json counted ")


@given(cuts=st.tuples(*(st.integers(0, 10_000) for _ in TABLES)))
def test_tables_cut_independently_read_as_whole_steps(tmp_path_factory, runs, cuts):
    """After a power cut each file may end anywhere, or be empty."""
    folder, phases = runs
    here = tmp_path_factory.mktemp("cuts")
    (here / "run.json").write_bytes(phases["running"])
    for name, cut in zip(TABLES, cuts):
        (here / name).write_bytes((folder / name).read_bytes()[:cut])
    check_whole_steps(Trace(here), Trace(folder))


def test_a_reader_that_opened_a_running_trace_does_not_call_it_killed_when_it_finishes(tmp_path):
    """run.json was read while it said running, the lock is asked for after close(): running or finished, nothing else."""
    with Tracer(tmp_path / "run") as writing:
        writing.watch(next(steps()))
        trace = Trace(tmp_path / "run")
    assert trace.status in ("running", "finished")


# --- promise 3: no trace reads as complete unless close() returned -------------------------------------------------------

@pytest.mark.parametrize("fault", FAULTS)
def test_a_trace_whose_close_failed_does_not_read_as_finished(tmp_path, fault):
    """Whichever system call of close() goes wrong; every step that was watched is still there, and the folder is free again."""
    for call in count(1):
        folder = tmp_path / str(call)
        writing = Tracer(folder, every=5)
        for step in islice(steps(), 4):
            writing.watch(step)
        with fault_at(call, fault) as seen:
            try:
                writing.close()
                returned = True
            except (OSError, KeyboardInterrupt) as error:
                returned = False
                if isinstance(error, OSError) and seen[-1] != "close":
                    check_names_a_path(error, folder)
        trace = Trace(folder)
        if fault is interrupt and seen[: call - 1].count("replace") == 2:  # a Ctrl-C may come after the last moment
            returned = True
        assert trace.status == ("finished" if returned else "killed"), f"call {call} of {seen}"
        assert len(trace.metrics()) == 4 and trace.steps() == [1, 4][: len(trace.steps())]
        Tracer(folder, force=True).close()
        if len(seen) < call:
            assert {"write", "fsync", "replace"} <= set(seen)
            return


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_system_call_of_a_run_leaves_a_trace_of_whole_steps(tmp_path, fault, reference):
    """From the first call of Tracer() to the last of close(): OSErrors name a path, and nothing half done can be read."""
    for call in count(1):
        folder = tmp_path / str(call)
        error = None
        with fault_at(call, fault, ("open", "write", "ftruncate", "fsync", "replace")) as seen:
            try:
                with Tracer(folder) as writing:
                    for step in islice(steps(), 2):
                        writing.watch(step)
            except (OSError, KeyboardInterrupt) as caught:
                error = caught
        if isinstance(error, OSError):
            check_names_a_path(error, folder)
        if (folder / "run.json").exists():
            trace = Trace(folder)
            assert trace.status == ("finished" if error is None else trace.status)
            assert error is None or trace.status in ("killed", "failed", "interrupted"), seen
            check_whole_steps(trace, reference)
        with Tracer(folder, force=True) as again:
            again.watch(next(steps()))
        assert Trace(folder).status == "finished"
        if len(seen) < call:
            return


def test_a_fault_while_cutting_back_is_undone_by_the_next_step(tmp_path, reference):
    """The disk is full and then even truncating fails: a later step that succeeds does not stand behind half a row."""
    run = list(islice(steps(), 3))
    writing = Tracer(tmp_path / "run")
    writing.watch(run[0])
    truncate = os.ftruncate
    try:
        os.ftruncate = lambda *arguments: broken()
        with fault_at(2, full, ("write",)), pytest.raises(OSError):
            writing.watch(run[1])
    finally:
        os.ftruncate = truncate
    writing.watch(run[1])
    writing.close()
    trace = Trace(tmp_path / "run")
    assert trace.status == "finished"
    assert check_whole_steps(trace, reference) == 2 and trace.steps() == [1, 2]


# --- promise 5: a full or read-only disk -----------------------------------------------------------------------------

def test_limits_of_file_size_are_survived(tmp_path):
    """At many limits, each step is refused with its path, then accepted: the training never notices, the bytes are the same."""
    finish("limits", tmp_path)


@pytest.mark.parametrize("every", [1, 10])
@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_the_last_step_is_recorded_also_after_refused_steps(tmp_path, attempts, every):
    """A step that the disk refused several times and that was then given up: the one before it is the last, and recorded."""
    run = list(islice(steps(), 6))
    with Tracer(tmp_path / "run", every=every) as writing:
        for step in run[:5]:
            writing.watch(step)
        for _ in range(attempts):
            with fault_at(1, full, ("write",)), pytest.raises(OSError):
                writing.watch(run[5])
    assert Trace(tmp_path / "run").steps()[-1] == 5


def test_a_run_goes_on_after_a_step_was_given_up(tmp_path):
    """Step 3 was refused and left out: later steps are written under their own numbers, once, and the last is recorded."""
    run = list(islice(steps(), 6))
    with Tracer(tmp_path / "run", every=10) as writing:
        for step in run:
            with fault_at(1 if step.number == 3 else 0, full, ("write",)):
                if step.number == 3:
                    with pytest.raises(OSError):
                        writing.watch(step)
                else:
                    writing.watch(step)
        with pytest.raises(ValueError, match="step 6 comes after step 6"):
            writing.watch(run[5])
    trace = Trace(tmp_path / "run")
    assert [row["step"] for row in trace.metrics()] == [1, 2, 4, 5, 6]
    assert trace.steps() == [1, 6]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=64k", "none", disk)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_full_disk_refuses_a_step_and_a_freed_one_takes_it(small_disk, reference):
    """A real disk that runs full: OSError with the path, model and trace as before that step; with space again, all goes on."""
    net, refused = network(), []
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(32 * 1024))
    with Tracer(small_disk / "run") as writing:
        for step in islice(steps(net), 26):
            state = net.state_dict()
            try:
                writing.watch(step)
            except OSError as error:
                check_names_a_path(error, small_disk / "run")
                assert "No space left on device" in str(error)
                assert net.state_dict() == state
                trace = Trace(small_disk / "run")
                assert trace.status == "running"
                assert check_whole_steps(trace, reference) == step.number - 1
                refused.append(step.number)
                ballast.unlink()
                writing.watch(step)
    assert len(refused) == 1
    trace = Trace(small_disk / "run")
    assert trace.status == "finished" and trace.steps() == list(range(1, 27))
    assert check_whole_steps(trace, reference) == 26


def test_a_run_that_ends_because_the_disk_is_full_keeps_its_steps(small_disk, reference):
    """Left by the exception, with no room for a last run.json: the first error is the one reported, never finished."""
    with pytest.raises(OSError, match="No space left on device") as caught, Tracer(small_disk / "run") as writing:
        for step in steps():
            writing.watch(step)
    check_names_a_path(caught.value, small_disk / "run")
    trace = Trace(small_disk / "run")
    assert trace.status in ("failed", "killed") and not trace.damage
    assert check_whole_steps(trace, reference) == step.number - 1 > 20


def test_a_read_only_disk_refuses_a_tracer_and_serves_a_reader(tmp_path):
    """OSError with the path for a new folder, an empty one and, with force, an old run; that one still reads, whole."""
    disk = tmp_path / "disk"
    whole = record(disk / "run", 3)
    (disk / "empty").mkdir()
    before = contents(disk / "run", without=())
    with read_only(disk):
        for name, force in (("new", False), ("empty", False), ("run", True)):
            with pytest.raises(OSError) as caught:
                Tracer(disk / name, force=force)
            check_names_a_path(caught.value, disk / name)
        assert contents(disk / "run", without=()) == before
        assert Trace(disk / "run").status == "finished"
        assert check_whole_steps(Trace(disk / "run"), whole) == 3


# --- Ctrl-C and other ends -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("seed", range(5))
def test_ctrl_c_closes_the_trace_as_interrupted(tmp_path, reference, seed):
    """At a random moment of the training: every announced step is there, counted in run.json, and the last one recorded."""
    generator = random.Random(seed)
    with start("write", tmp_path / "run", 4, LONG, "wait", stderr=subprocess.PIPE) as writer:
        announced = listen(writer, generator)
        writer.send_signal(signal.SIGINT)
        announced += writer.stdout.read()
        assert "KeyboardInterrupt" in writer.stderr.read()
    assert writer.returncode == -signal.SIGINT
    trace = Trace(tmp_path / "run")
    assert trace.status == "interrupted" and "error" not in trace.run
    written = check_whole_steps(trace, reference)
    assert written == trace.run["steps"] >= last_whole_line(announced)
    assert trace.steps() == sorted({*recorded(written, 4), written})


def interrupt_at(line, pages):
    """A trace function that presses Ctrl-C before the line-th line executed in these pages; counts what it has seen."""
    files, seen = {page.__file__ for page in pages}, []

    def follow(frame, event, argument):
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            seen.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
            if len(seen) == line:
                raise KeyboardInterrupt
        return follow

    return follow, seen


@pytest.mark.parametrize("number", [1, 3, 4], ids=["first step", "recorded step", "other step"])
def test_ctrl_c_before_any_line_of_watch_leaves_the_step_whole_or_out(tmp_path, reference, number):
    """Line by line through the pages that write: the trace closes as interrupted, whole, with its last step recorded."""
    run = list(islice(steps(), 4))
    for line in count(1):
        folder = tmp_path / str(line)
        follow, seen = interrupt_at(line, (append, tracer))
        with pytest.raises(KeyboardInterrupt), Tracer(folder, every=3) as writing:
            for step in run[: number - 1]:
                writing.watch(step)
            before = sys.gettrace()
            sys.settrace(follow)
            try:
                writing.watch(run[number - 1])
            finally:
                sys.settrace(before)
            raise KeyboardInterrupt
        trace = Trace(folder)
        written = check_whole_steps(trace, reference)
        assert trace.status == "interrupted", f"{seen[-1]}: {trace.damage}"
        assert written in (number - 1, number) and written == trace.run["steps"], seen[-1]
        assert trace.steps() == sorted({*recorded(written, 3), *([written] if written else [])}), seen[-1]
        if len(seen) < line:
            assert written == number
            return


@pytest.mark.parametrize("error, text", [
    (ValueError("the data is wrong"), "ValueError: the data is wrong"),
    (FloatingPointError("step 2: the loss is nan"), "FloatingPointError: step 2: the loss is nan"),
    (RuntimeError(""), "RuntimeError: "),
    (RuntimeError("two\nlines, \"quoted\""), "RuntimeError: two\nlines, \"quoted\""),
    (FileNotFoundError("file \udcff is missing"), "FileNotFoundError: file \udcff is missing"),
], ids=["ValueError", "FloatingPointError", "empty", "lines", "surrogate"])  # fmt: skip
def test_an_exception_closes_the_trace_as_failed_with_its_text(tmp_path, error, text):
    """The exception passes through as it was; run.json holds its type and its sentence."""
    with pytest.raises(type(error)) as caught, Tracer(tmp_path / "run") as writing:
        writing.watch(next(steps()))
        raise error
    assert caught.value is error
    trace = Trace(tmp_path / "run")
    assert (trace.status, trace.run["error"]) == ("failed", text)
    assert len(trace.metrics()) == 1


@pytest.mark.parametrize("fault", [full, broken])
def test_the_first_error_is_the_one_reported(tmp_path, fault):
    """When closing fails too, the exception that ended the run is not replaced by a second one."""
    for call in count(1):
        with pytest.raises(RuntimeError, match="the first"), Tracer(tmp_path / str(call)) as writing:
            writing.watch(next(steps()))
            faults = fault_at(call, fault)
            seen = faults.__enter__()
            raise_at_exit = RuntimeError("the first")
            try:
                writing.__exit__(RuntimeError, raise_at_exit, None)
            finally:
                faults.__exit__(None, None, None)
            raise raise_at_exit
        assert Trace(tmp_path / str(call)).status in ("failed", "killed")
        if len(seen) < call:
            return


def test_a_loss_that_is_not_finite_closes_the_trace_as_failed(tmp_path):
    """The steps before it are kept, the weights stay, the error names the step."""
    from micrograd_lite import SGD

    net = network()
    with pytest.raises(FloatingPointError), Tracer(tmp_path / "run") as writing:
        for step in steps(net, SGD(lr=1e200)):
            state = net.state_dict()
            writing.watch(step)
    trace = Trace(tmp_path / "run")
    assert trace.status == "failed" and f"step {len(trace.metrics()) + 1}: the " in trace.run["error"]
    assert trace.metrics() and net.state_dict() == state


def test_a_closed_generator_reads_as_interrupted(tmp_path):
    """A run inside a generator that nobody asks for more (GeneratorExit) was not finished."""
    def session():
        with Tracer(tmp_path / "run") as writing:
            for step in steps():
                writing.watch(step)
                yield step

    running = session()
    next(running)
    next(running)
    running.close()
    assert Trace(tmp_path / "run").status == "interrupted"
    assert len(Trace(tmp_path / "run").metrics()) == 2


def test_a_break_reads_as_finished(tmp_path):
    """The caller holds the loop: leaving it is how an endless training ends."""
    with Tracer(tmp_path / "run", every=10) as writing:
        for step in steps():
            writing.watch(step)
            if step.number == 3:
                break
    trace = Trace(tmp_path / "run")
    assert trace.status == "finished" and trace.steps() == [1, 3]


def test_no_steps_is_a_trace_without_rows(tmp_path):
    """Nothing watched: finished, empty, readable in every way."""
    with Tracer(tmp_path / "run"):
        pass
    trace = Trace(tmp_path / "run")
    assert (trace.status, trace.run["steps"], trace.metrics(), trace.steps(), trace.damage) == ("finished", 0, [], [], "")
    with pytest.raises(ValueError, match="recorded steps: none"):
        trace.gradients(1)
