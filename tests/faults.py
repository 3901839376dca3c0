"""Faults on purpose: a small training to trace, a fault injector for system calls, and scripts to be killed.

Standard library only. Run as `python tests/faults.py SCRIPT ARGUMENTS`, in a process of its own that may die or be limited.
"""

import errno
import io
import os
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from itertools import count, islice
from pathlib import Path

if __name__ == "__main__":  # a script has tests/ on its path, not the package
    sys.path.insert(1, os.environ["PACKAGE"])

import micrograd_lite
from micrograd_lite import MLP, Adam, mse, train
from micrograd_lite.text import files
from micrograd_lite.trace import Trace, Tracer

PACKAGE = Path(micrograd_lite.__file__).parents[1]
TABLES = ("metrics.csv", "gradients.csv", "optimizer.csv")
INPUTS, TARGETS = [[0.5, -1.0], [1.0, 2.0], [-0.3, 0.7]], [1.0, -1.0, 0.25]


# --- a training ------------------------------------------------------------------------------------------------------

def network():
    """Five parameters."""
    return MLP(2, [1, 1], activation="tanh", seed=3)


def steps(net=None, optimizer=None, epochs=None, **settings):
    """The steps of a training that is the same in every process; Adam, so that there are three tables."""
    settings = {"batch_size": 2, **settings}
    return train(net or network(), (INPUTS, TARGETS), loss=mse, optimizer=optimizer or Adam(lr=0.1), epochs=epochs, **settings)


def record(folder, number=4, every=1, **settings):
    """A whole trace of so many steps; returns its reader."""
    with Tracer(folder, every=every) as tracer:
        for step in steps(**settings):
            if step.number > number:
                break
            tracer.watch(step)
    return Trace(folder)


def contents(folder, without=("environment.json",)):
    """The bytes of every file, by name; without the one file that may differ between equal runs."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file() and path.name not in without}


def check_whole_steps(trace, reference):
    """Everything this reader shows is in the reference, bit for bit, step by whole step; returns the number of steps."""
    metrics = trace.metrics()
    assert metrics == reference.metrics()[: len(metrics)]
    assert set(trace.steps()) <= {row["step"] for row in metrics}
    for step in trace.steps():
        assert trace.gradients(step) == reference.gradients(step)
        assert list(trace.weights(step)) == trace.names
    for step in trace.steps()[-3:]:  # the older ones were the newest once
        assert trace.optimizer(step) in ([], optimizer_rows(reference.folder, step)), f"a part of the rows of step {step}"
    return len(metrics)


@cache
def optimizer_rows(folder, step):
    """What an undisturbed trace says of one step: each question reads the whole table."""
    return Trace(folder).optimizer(step)


# --- faults ----------------------------------------------------------------------------------------------------------

def full():
    """The disk is full."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def broken():
    """The disk does not answer."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def interrupt():
    """Ctrl-C."""
    raise KeyboardInterrupt


def die():
    """kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


CALLS = ("open", "write", "ftruncate", "fsync", "replace", "close")


@contextmanager
def fault_at(call, fault, calls=CALLS, after=False):
    """Let the `call`-th system call go wrong, counted from 1; yields the list of calls made, which grows.

    A failing write has written half, a failing close has closed (as on Linux). after: the call succeeds, then comes the fault.
    """
    seen = []

    def watched(name, original, half):
        def wrapped(*arguments, **settings):
            seen.append(name)
            if len(seen) != call:
                return original(*arguments, **settings)
            if after or name == "close":
                original(*arguments, **settings)
            elif half:
                original(*half(*arguments))
            try:
                return fault()
            except OSError as error:
                if isinstance(arguments[0], (str, os.PathLike)):  # the system's own errors name the path they were given
                    error.filename = os.fspath(arguments[0])
                raise

        return wrapped

    class File(io.FileIO):
        """What the package opens with open(): its calls count too."""

        write = watched("write", io.FileIO.write, lambda file, data: (file, data[: len(data) // 2]))
        close = watched("close", io.FileIO.close, None)

        def __exit__(self, *error):
            self.close()

        def __del__(self):
            io.FileIO.close(self)

    halves = {"write": lambda descriptor, data: (descriptor, data[: len(data) // 2])}
    originals = {name: getattr(os, name) for name in calls}
    for name, original in originals.items():
        setattr(os, name, watched(name, original, halves.get(name)))
    if {"open", "write", "close"} <= set(calls):
        files.open = watched("open", File, None)
    try:
        yield seen
    finally:
        for name, original in originals.items():
            setattr(os, name, original)
        vars(files).pop("open", None)


@contextmanager
def limited(size):
    """No file of this process may grow beyond so many bytes: what a full disk does, without needing one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def mount(*arguments):
    """Mount, or skip the test where that is not permitted."""
    import pytest  # here: scripts need no mounts

    mounted = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
    if mounted.returncode:
        denied = any(word in mounted.stderr for word in ("superuser", "permission denied", "not permitted"))
        if os.environ.get("CI") and not denied:
            pytest.fail(mounted.stderr)
        pytest.skip(f"needs the permission to mount: {mounted.stderr.strip()}")


@contextmanager
def read_only(folder):
    """A folder on a read-only disk: by a mount for root, whom permissions do not stop; by permissions for anyone else."""
    if os.geteuid():
        paths = [folder, *folder.rglob("*")]
        modes = [path.stat().st_mode for path in paths]
        for path, mode in zip(paths, modes):
            path.chmod(mode & ~0o222)
        try:
            yield
        finally:
            for path, mode in zip(paths, modes):
                path.chmod(mode)
        return
    mount("--bind", folder, folder)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


# --- scripts ---------------------------------------------------------------------------------------------------------

def write(folder, every, number, then="close"):
    """Train so many steps, announcing each once `watch` has returned; then close, or wait for a signal.

    then="paced": after every 20 steps wait for a byte on stdin.
    """
    with Tracer(folder, every=int(every)) as tracer:
        for step in islice(steps(), int(number)):
            tracer.watch(step)
            print(step.number, flush=True)
            if then == "paced" and step.number % 20 == 0:
                sys.stdin.read(1)
        if then == "wait":
            signal.pause()


def restart(folder, times):
    """Replace a run again and again."""
    for _ in range(int(times)):
        with Tracer(folder, force=True) as tracer:
            for step in steps(epochs=2):
                tracer.watch(step)
        print(".", flush=True)


def deaths(scenario, folder):
    """Die at each system call of a scenario in turn; leaves one folder for each death, named by its call."""
    for call in count(1):
        here = Path(folder, str(call))
        if scenario == "replace":
            record(here, 3)
            (here / "notes.txt").write_text("mine")
        if scenario == "save":
            here.mkdir()
            network().save(here / "model.json")
        child = os.fork()
        if not child:
            with fault_at(call, die):
                if scenario == "save":
                    other_network().save(here / "model.json")
                else:
                    with Tracer(here, force=scenario == "replace", every=3) as tracer:
                        for step in steps(epochs=2):
                            tracer.watch(step)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:  # it made fewer calls and lived
            shutil.rmtree(here)
            return


def other_network():
    """Of the same shape, with other weights."""
    return MLP(2, [1, 1], activation="tanh", seed=4)


def limits(folder):
    """At each of many limits of file size: who is refused is told where, loses nothing, and can go on with space again."""
    reference = record(Path(folder, "whole"))
    expected = contents(reference.folder)
    for limit in range(0, max(map(len, expected.values())), 97):
        here = Path(folder, str(limit))
        try:
            with limited(limit):
                tracer = Tracer(here)
        except OSError as error:
            check_names_a_path(error, here)
            tracer = Tracer(here, force=True)
        net, refused = network(), 0
        for step in steps(net):
            if step.number > 4:
                break
            state, memory, files_before = net.state_dict(), tuple(step.terms), contents(here)
            try:
                with limited(limit):
                    tracer.watch(step)
            except OSError as error:
                refused += 1
                check_names_a_path(error, here)
                assert (net.state_dict(), tuple(step.terms)) == (state, memory)
                assert step.number == 1 or contents(here) == files_before  # cut back at once, not later
                trace = Trace(here)
                assert trace.status == "running"
                assert check_whole_steps(trace, reference) == step.number - 1, f"limit {limit}"
                tracer.watch(step)
            assert check_whole_steps(Trace(here), reference) == step.number, f"limit {limit}"
        tracer.close()
        assert contents(here) == expected, f"limit {limit}, refused {refused} times"
        assert refused, f"limit {limit} was never reached"


def check_names_a_path(error, folder):
    """The sentence of an OSError says where."""
    assert error.filename and str(folder) in str(error.filename) and str(folder) in str(error), repr(error)


def start(*command, **settings):
    """One of the scripts above in a process of its own, with its output as text."""
    environment = {**os.environ, "PACKAGE": str(PACKAGE), **settings.pop("env", {})}
    command = [sys.executable, __file__, *map(str, command)]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, **settings)


def finish(*command):
    """Run a script to its end; an AssertionError shows what it said."""
    process = start(*command, stderr=subprocess.PIPE)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output


SCRIPTS = {script.__name__: script for script in (write, restart, deaths, limits)}
if __name__ == "__main__":
    SCRIPTS[sys.argv[1]](*sys.argv[2:])
