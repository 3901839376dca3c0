"""Who may write into a trace folder, and what a new run may remove there."""

import errno
import os
import signal
from contextlib import contextmanager, nullcontext, suppress
from itertools import count, islice

import pytest

from faults import broken, check_whole_steps, contents, fault_at, finish, full, record, start, steps
from micrograd_lite.trace import Trace, Tracer
from micrograd_lite.trace import folder as folder_page

fcntl = pytest.importorskip("fcntl")
CALLS = ("open", "write", "ftruncate", "fsync", "replace")


@pytest.fixture(params=["flock", "no fcntl"])
def locking(request, monkeypatch):
    """Both ways to lock: the system's, and the fallback for platforms that have none."""
    if request.param == "no fcntl":
        monkeypatch.setattr(folder_page, "fcntl", None)


# --- promise 6: a second writer is told so ---------------------------------------------------------------------------

def check_refused(folder):
    """Neither a plain nor a forced second Tracer is let in; the sentence names the folder and says why."""
    with pytest.raises((BlockingIOError, FileExistsError), match=r"running|being written") as caught:
        Tracer(folder)
    assert str(folder) in str(caught.value)
    with pytest.raises(BlockingIOError) as caught:
        Tracer(folder, force=True)
    assert str(caught.value) == (
        f"another run is being written to {folder} right now; wait for it or choose another folder"
    )


def test_a_second_tracer_in_one_process_is_refused(tmp_path, locking):
    """Forced or not, at its start and in its course; the first one goes on undisturbed and its trace is whole."""
    folder = tmp_path / "run"
    with Tracer(folder) as first:
        check_refused(folder)
        for step in islice(steps(), 3):
            first.watch(step)
            check_refused(folder)
    assert Trace(folder).status == "finished"
    assert check_whole_steps(Trace(folder), record(tmp_path / "other", 3)) == 3


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path):
    """The system gives the lock back at kill -9: then the run reads as killed, and can be replaced with force only."""
    folder = tmp_path / "run"
    with start("write", folder, 1, 30, "wait") as writer:
        writer.stdout.readline()
        check_refused(folder)
        assert Trace(folder).status == "running"
        writer.kill()
    assert Trace(folder).status == "killed"
    with pytest.raises(FileExistsError, match=r"killed|running"):
        Tracer(folder)
    Tracer(folder, force=True).close()
    assert Trace(folder).status == "finished"


def test_a_folder_locked_before_its_first_file_is_refused(tmp_path):
    """A writer that has the lock and has written nothing yet is there already."""
    (tmp_path / "run").mkdir()
    with open(tmp_path / "run" / "metrics.csv", "ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError, match="right now"):
            Tracer(tmp_path / "run")


@pytest.mark.parametrize("end", ["close", "exception", "ctrl-c", "refused start"])
def test_every_end_releases_the_folder(tmp_path, locking, end):
    """After it the folder is not being written, no lock file is left without a holder, and a new run may start."""
    folder = tmp_path / "run"
    if end == "refused start":
        for call in count(1):
            with fault_at(call, full, CALLS) as seen, suppress(OSError):
                Tracer(folder, force=True).close()
            if len(seen) < call:
                break
            check_released(folder)
    errors = {"exception": RuntimeError, "ctrl-c": KeyboardInterrupt}
    try:
        with Tracer(folder, force=True) as writing:
            writing.watch(next(steps()))
            raise errors.get(end, StopIteration)
    except (RuntimeError, KeyboardInterrupt, StopIteration):
        pass
    check_released(folder)
    with Tracer(folder, force=True):
        assert Trace(folder).status == "running"
    check_released(folder)


def check_released(folder):
    assert not folder_page.is_being_written(folder)
    if folder_page.fcntl is None:
        assert not (folder / "run.lock").exists()


def test_a_lock_that_the_disk_cannot_give_is_not_called_a_second_writer(tmp_path, monkeypatch):
    """Some network disks have no locks (ENOLCK): the error says that, not that another run is there."""
    def unlockable(descriptor, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unlockable)
    try:
        Tracer(tmp_path / "run").close()  # to write without a lock would do as well
    except BlockingIOError as error:
        raise AssertionError("there is no other run") from error
    except OSError as error:
        assert str(tmp_path / "run") in str(error)


@pytest.mark.parametrize("busy, starts", [(0, True), (4, True), (5, False)])
def test_a_writer_asks_five_times_for_the_lock(tmp_path, monkeypatch, busy, starts):
    """Four times it may be held by somebody who only looks; whoever holds it the fifth time is a writer."""
    asked, flock = [], fcntl.flock

    def held(descriptor, operation):
        asked.append(operation)
        if len(asked) <= busy:
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", held)
    with suppress(BlockingIOError) if not starts else nullcontext():
        Tracer(tmp_path / "run").close()
    assert (tmp_path / "run" / "run.json").exists() == starts
    assert asked[: busy + 1] == [fcntl.LOCK_EX | fcntl.LOCK_NB] * min(busy + 1, 5)


def test_readers_do_not_keep_a_writer_out(tmp_path):
    """Asking for the status takes the lock for a moment; a writer that starts just then waits instead of giving up."""
    record(tmp_path / "run", 1)
    with start("restart", tmp_path / "run", 20) as writer:
        while writer.poll() is None:
            with suppress(FileNotFoundError):  # another test asks for that
                assert Trace(tmp_path / "run").status
    assert writer.returncode == 0


# --- an existing run -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("status", ["finished", "failed", "killed"])
def test_a_run_is_not_overwritten_without_force(tmp_path, status):
    """FileExistsError that says what is there and what to do; not a byte changes."""
    folder = tmp_path / "run"
    if status == "killed":
        finish_by_death(folder)
    else:
        try:
            with Tracer(folder) as writing:
                writing.watch(next(steps()))
                if status == "failed":
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    before = contents(folder, without=())
    assert Trace(folder).status == status
    with pytest.raises(FileExistsError, match=f"^{folder} already holds a trace .*; choose another folder, or .*"):
        Tracer(folder)
    assert contents(folder, without=()) == before


def finish_by_death(folder):
    with start("write", folder, 1, 3, "wait") as writer:
        for _ in range(3):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)


def test_the_refusal_counts_the_steps(tmp_path):
    """The whole sentence."""
    record(tmp_path / "run", 2)
    with pytest.raises(FileExistsError) as caught:
        Tracer(tmp_path / "run")
    assert str(caught.value) == (
        f"{tmp_path / 'run'} already holds a trace (2 steps, finished); choose another folder, or replace it: "
        "--force for a command, Tracer(..., force=True) in a script"
    )


@pytest.mark.parametrize("ended", ["finished", "failed", "killed", "before its first step"])
def test_the_same_run_is_written_again(tmp_path, ended):
    """force="same": equal settings, data and first step lose nothing, however the earlier run ended."""
    folder = tmp_path / "run"
    if ended == "killed":
        finish_by_death(folder)
    else:
        with suppress(ZeroDivisionError), Tracer(folder) as writing:
            for step in islice(steps(), 0 if ended.startswith("before") else 3):
                writing.watch(step)
            if ended == "failed":
                raise ZeroDivisionError
    with Tracer(folder, force="same") as writing:
        for step in islice(steps(), 5):
            writing.watch(step)
    record(tmp_path / "new", 5)
    assert contents(folder) == contents(tmp_path / "new")


@pytest.mark.parametrize("what", ["its batch_size differs", "its first step differs", "its data differs"])
def test_another_run_is_not_taken_for_the_same(tmp_path, what):
    """Other settings, other weights at the start, other data: refused at the first step, and not a byte changes."""
    folder = tmp_path / "run"
    record(folder, 3)
    before, (step, *_) = contents(folder, without=()), islice(steps(), 1)
    batch, data = step.run["batch_size"], step.run["data"]
    other = {
        "its batch_size differs": step._replace(run={**step.run, "batch_size": (batch or 0) + 1}),
        "its first step differs": step._replace(loss=step.loss + 1.0),
        "its data differs": step._replace(run={**step.run, "data": {**data, "inputs": [[9.0, 9.0], *data["inputs"][1:]]}}),
    }[what]
    refused = pytest.raises(FileExistsError, match=f"already holds a trace of another run, {what}; choose .*--force")
    with refused, Tracer(folder, force="same") as writing:
        writing.watch(other)
    assert contents(folder, without=()) == before


def test_a_run_without_a_step_replaces_nothing(tmp_path):
    """force="same": until the first step it is not known whether it is the same run."""
    record(tmp_path / "run", 3)
    before = contents(tmp_path / "run", without=())
    Tracer(tmp_path / "run", force="same").close()
    assert contents(tmp_path / "run", without=()) == before
    Tracer(tmp_path / "run", force=True).close()


def test_a_folder_without_a_trace_is_no_obstacle(tmp_path):
    """force="same" in a new folder is a new run; what is no trace is refused as ever."""
    with Tracer(tmp_path / "run", force="same") as writing:
        writing.watch(next(steps()))
    assert Trace(tmp_path / "run").status == "finished"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("my own")
    with pytest.raises(FileExistsError, match="is not a trace"):
        Tracer(tmp_path / "mine", force="same")


def test_force_replaces_everything_of_the_old_run(tmp_path):
    """Files of the format are gone, leftovers of a killed writer too; the new run is what a new folder would hold."""
    folder = tmp_path / "run"
    record(folder, 5)
    (folder / "weights").mkdir()
    for name in ("weights/step_000010.npz", "curves.png", "weights_update.gif", "checkpoint.json", "chain_rule.csv",
                 ".run.json.0a1b2c3d.part"):  # fmt: skip
        (folder / name).write_text("old")
    with Tracer(folder, force=True) as writing:
        for step in islice(steps(), 2):
            writing.watch(step)
    record(tmp_path / "new", 2)
    assert contents(folder) == contents(tmp_path / "new")
    assert not (folder / "weights" / "step_000010.npz").exists()


def test_force_keeps_whatever_the_format_does_not_name(tmp_path):
    """Notes, sub-folders, files that only look similar, and what symbolic links point to, stay as they are."""
    folder, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    record(folder, 2)
    elsewhere.mkdir()
    (folder / "weights").mkdir()
    (folder / "notes").mkdir()
    foreign = ("notes.txt", "notes/run.json", "metrics.csv.bak", "gradients_old.csv", "weights/mine.npz", "weights/step_best.npz",
               "Run.json", "run.json.part", "weights/readme.txt", ".run.json.my thoughts.part")  # fmt: skip
    for name in foreign:
        (folder / name).write_text("mine")
    (elsewhere / "picture.png").write_text("mine")
    (folder / "curves.png").symlink_to(elsewhere / "picture.png")
    (folder / "link").symlink_to(elsewhere)
    (folder / "layers.csv").mkdir()
    Tracer(folder, force=True).close()
    lost = [name for name in (*foreign, "../elsewhere/picture.png") if not (folder / name).exists()]
    assert lost == []
    assert {(folder / name).read_text() for name in foreign} == {"mine"}
    assert (elsewhere / "picture.png").read_text() == "mine"
    assert (folder / "link").is_symlink() and (folder / "layers.csv").is_dir()


@pytest.mark.parametrize("name", ["metrics.csv", "gradients.csv", "run.json", "environment.json", "weights"])
def test_force_does_not_reach_through_a_symbolic_link(tmp_path, name):
    """A link under a name of the format: what it points to is not of this folder, and keeps its content."""
    folder, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    record(folder, 2)
    elsewhere.mkdir()
    if name == "weights":
        (elsewhere / "step_000001.npz").write_text("mine")
        (folder / name).symlink_to(elsewhere)
    else:
        (folder / name).replace(elsewhere / name)
        (folder / name).symlink_to(elsewhere / name)
    before = contents(elsewhere, without=())
    try:
        with Tracer(folder, force=True) as writing:
            writing.watch(next(steps()))
    except OSError as error:
        assert str(folder) in str(error)  # to refuse is as good
    assert contents(elsewhere, without=()) == before


def foreign(folder, name, content):
    folder.mkdir()
    (folder / name).write_text(content)


@pytest.mark.parametrize("name, content", [
    ("run.json", "{}"),
    ("run.json", '{"format": "someone-elses/1"}'),
    ("run.json", '{"format": "micrograd-lite-trace/3", "status": "finished"}'),
    ("run.json", "[]"),
    ("run.json", "not JSON"),
    ("metrics.csv", "my,metrics\n1,2\n"),
    ("thesis.txt", "three years of work"),
    (".hidden", ""),
], ids=["empty", "foreign", "newer", "list", "text", "metrics", "thesis", "hidden"])  # fmt: skip
@pytest.mark.parametrize("force", [False, True])
def test_a_foreign_folder_is_refused_even_with_force(tmp_path, name, content, force, locking):
    """No run.json that this version recognises: FileExistsError, not a byte changes, no file appears."""
    folder = tmp_path / "mine"
    foreign(folder, name, content)
    with pytest.raises(FileExistsError) as caught:
        Tracer(folder, force=force)
    assert str(caught.value) == f"{folder} is not empty and is not a trace of micrograd-lite-trace/2; choose another folder"
    assert contents(folder, without=()) == {name: content.encode()}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    """FileExistsError that names it; the file stays."""
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(OSError, match="file"):
            Tracer(folder, force=True)
    assert (tmp_path / "file").read_text() == "mine"


# --- death at any moment ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("scenario", ["new", "replace"])
def test_a_folder_whose_writer_died_at_any_system_call_can_be_taken_again(tmp_path, scenario):
    """Killed between any two calls, in a new folder or while force replaced a run: force takes it again, foreign files stay."""
    (tmp_path / "deaths").mkdir()
    finish("deaths", scenario, tmp_path / "deaths")
    stuck, calls = [], sorted((tmp_path / "deaths").iterdir(), key=lambda path: int(path.name))
    assert len(calls) > 10
    for folder in calls:
        if (folder / "run.json").exists():
            assert Trace(folder).status in ("killed", "finished", "damaged")
        try:
            with Tracer(folder, force=True) as writing:
                writing.watch(next(steps()))
        except FileExistsError as error:
            stuck.append(f"call {folder.name}: {error}; it holds {sorted(path.name for path in folder.iterdir())}")
        else:
            assert not list(folder.glob(".*.part"))
        assert scenario == "new" or (folder / "notes.txt").read_text() == "mine"
    assert stuck == []


def test_a_start_that_the_disk_refused_can_be_repeated(tmp_path):
    """In a new folder, without force: nothing was written down, so there is no run to protect."""
    stuck = []
    for call in count(1):
        folder = tmp_path / str(call)
        with fault_at(call, broken, CALLS) as seen, suppress(OSError):
            Tracer(folder).close()
        if len(seen) < call or seen.count("replace") >= 3:  # it was already closing
            break
        if not (folder / "run.json").exists():
            try:
                Tracer(folder).close()
            except OSError as error:
                stuck.append(f"call {call}: {error}")
    assert stuck == []


# --- no descriptors are left -----------------------------------------------------------------------------------------

@contextmanager
def no_descriptor_left():
    before = set(os.listdir("/proc/self/fd"))
    yield
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc/self/fd to count descriptors")
def test_no_end_leaves_a_descriptor_open(tmp_path, locking):
    """Closed, failed, refused by a second writer or by the disk: as many open files as before."""
    folder = tmp_path / "run"
    with no_descriptor_left():
        record(folder, 2)
        with Tracer(folder, force=True) as writing:
            writing.watch(next(steps()))
            for force in (False, True):
                with pytest.raises(OSError):
                    Tracer(folder, force=force)
        for call in range(1, 40):
            with fault_at(call, full, CALLS):
                try:
                    with Tracer(folder, force=True) as writing:
                        writing.watch(next(steps()))
                except OSError:
                    pass
            if folder_page.fcntl is None:
                (folder / "run.lock").unlink(missing_ok=True)
