"""Checking a file from outside: two processes, one that tries everything and one that tries the same programs once more.

What differs between the two is told as such: a set of nodes has another order when hashes or addresses are others. A
process that leaves no result is a file that cannot be checked, whatever it printed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import micrograd_lite
from micrograd_lite.classroom.child import SECONDS as CHILD_SECONDS
from micrograd_lite.classroom.findings import Finding

SECONDS = 9.0
"""Of the clock, for both processes together; the start and the end of them make it 10."""


class Checked(NamedTuple):
    """What is known of a file: why it cannot be checked, or what was found."""

    path: str
    cannot: str
    cls: str
    attributes: list[str]
    left_out: list[str]
    offered: list[str]
    findings: list[Finding]

    def of(self, kind: str) -> list[Finding]:
        """The findings of one class."""
        return [finding for finding in self.findings if finding.kind == kind]

    @property
    def code(self) -> int:
        """The exit code: 0 all right, 1 something wrong, 2 it cannot be checked."""
        return 2 if self.cannot else 1 if self.of("wrong") or self.of("differs") else 0


def check_engine(path: str, cls: str = "", seconds: float = SECONDS) -> Checked:
    """Check the class in a Python file or notebook; cls: its name, where the file has several.

    ModuleNotFoundError without hypothesis; ValueError for a file of another kind.
    """
    if importlib.util.find_spec("hypothesis") is None:
        raise ModuleNotFoundError("checking an engine needs the package hypothesis", name="hypothesis")
    if not path.endswith((".py", ".ipynb")):
        raise ValueError(f"{path}: a Python file (.py) or a notebook (.ipynb) is checked")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: there is no such file")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ends = time.monotonic() + seconds
        first, second = (started(task, path, cls, folder, hashes) for task, hashes in (("check", "0"), ("again", "1")))
        found, again = (result(process, folder, task, ends) for process, task in ((first, "check"), (second, "again")))
    return checked(path, found, again)


def started(task: str, path: str, cls: str, folder: str, hashes: str) -> subprocess.Popen[bytes]:
    """A process with one task, in a folder of its own, with nothing to read and nobody who listens."""
    inside = Path(folder) / task
    inside.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}
    environment |= {"PYTHONHASHSEED": hashes, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg", "HOME": str(inside)}
    environment["PYTHONPATH"] = str(Path(micrograd_lite.__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, "-m", "micrograd_lite.classroom.child", task, os.path.abspath(path), f"{inside}.json", cls],
        cwd=inside, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def result(process: subprocess.Popen[bytes], folder: str, task: str, ends: float) -> dict[str, Any]:
    """What a process wrote down, when it is over or its time is; its own children end with it."""
    while process.poll() is None and (time.monotonic() < ends or starved(process, ends)):
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    late = process.poll() is None
    if late and hasattr(signal, "SIGPROF"):
        process.send_signal(signal.SIGPROF)  # its own alarm: it says where it is
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
    with suppress(OSError):  # it is over, and so is everything that it started
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
    code = process.wait()
    try:
        with open(os.path.join(folder, f"{task}.json"), encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        found = {"stage": "starting"}
    if not found.get("done") and not found.get("cannot"):
        during = found.get("stage") or "at its end"
        ended = (
            "it does not come to an end" if late else f"its process ended with code {code} and no result (os._exit, or a crash)"
        )
        found["cannot"] = f"{ended}, while {during}"
    return found


def starved(process: subprocess.Popen[bytes], ends: float) -> bool:
    """Is it a busy machine, and not the file, that takes so long? Then it gets as long again, twice; only Linux tells."""
    if time.monotonic() > ends + 2 * SECONDS:
        return False
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return False
    used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return fields[0] == "R" and used < CHILD_SECONDS


def checked(path: str, found: dict[str, Any], again: dict[str, Any]) -> Checked:
    """Both results as one."""
    cannot = str(found.get("cannot", ""))
    findings = [Finding(**{**one, "counterexample": tuple(one["counterexample"]), "makes_wrong": tuple(one["makes_wrong"])})
                for one in found.get("findings", ())]  # fmt: skip
    if cannot and found.get("stage") == "trying its limits":
        findings.append(Finding("beyond", "limits", f"no further limit was tried: {cannot}"))
        cannot = ""
    one, two = found.get("numbers", {}), again.get("numbers", {})
    differing = [program for program in one if program in two and one[program] != two[program]]
    if differing and not any(finding.kind == "differs" for finding in findings):
        words = "the same program is right in one run and wrong in another, where hashes and addresses are others"
        findings.append(Finding("differs", "two runs", words, tuple(differing[0].split("; "))))
    return Checked(path, cannot, found.get("cls", ""), found.get("attributes", []), found.get("left_out", []),
                   found.get("offered", []), findings)  # fmt: skip
