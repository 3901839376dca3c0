"""The C compiler of this machine, and the cache of what it made.

What is compiled is kept in the user's cache, under the hash of all that decides it: text, flags, compiler, processor. A
library runs as soon as it is loaded, so it is loaded only from a folder that nobody else can write, and only if it is whole.
MICROGRAD_LITE_CC=off compiles and loads nothing; CC names another compiler than cc.
"""

from __future__ import annotations

import ctypes
import os
import platform
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from micrograd_lite.flat.c import CText
from micrograd_lite.text.files import write_whole

FLAGS = ("-ffp-contract=off", "-fno-builtin", "-fPIC", "-shared")
"""No fused multiply-add, and no function worked out by the compiler: either would change last bits."""

MOST_LINES = 100_000
"""A longer text is not compiled: 50,000 lines took 18 s and 330 MB on two busy cores, 130,000 took 53 s and 820 MB. A network of
dense layers is short whatever its size, because its neurons are loops: 784-128-10 is 1,800 lines."""

PATIENCE = 300.0
"""Seconds after which a compiler is given up."""


class NotCompiled(Exception):
    """Why a program stays in Python, as half a sentence."""


def library(text: CText) -> ctypes.CDLL:
    """A compiled program. NotCompiled says why there is none."""
    if text.lines > MOST_LINES:
        raise NotCompiled(f"this program has {text.lines:,} lines in C, and {MOST_LINES:,} are the most that is compiled")
    return loaded(text.source, "-O1" if text.lines < 2_000 else "-O0", *FLAGS)


def loaded(source: str, *flags: str) -> ctypes.CDLL:
    """A text in C compiled with these flags, from the cache or from the compiler. NotCompiled says why there is none."""
    if os.environ.get("MICROGRAD_LITE_CC") == "off":
        raise NotCompiled("MICROGRAD_LITE_CC=off turns C off")
    compiler = tuple((os.environ.get("CC") or "cc").split()) or ("cc",)
    command = (*compiler, *flags)
    try:
        key = sha256("\0".join((source, *command, version(compiler), processor())).encode()).hexdigest()[:32]
        folder = cache()
        path = whole(folder, key) or compiled(folder, key, command, source)
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise NotCompiled(f"C cannot be compiled, cached or loaded: {error}") from error


def compiled(folder: Path, key: str, command: Sequence[str], source: str) -> Path:
    """Compile in a folder of its own, then put the library into the cache at once: two processes at work do not meet."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        Path(work, "program.c").write_text(source, encoding="utf-8")
        run([*command, "-o", "program.so", "program.c", "-lm"], work)
        made = Path(work, "program.so")
        if not made.exists():
            raise NotCompiled(f"the C compiler {command[0]!r} wrote no library")
        content = made.read_bytes()
    path = folder / f"{key}-{sha256(content).hexdigest()[:32]}.so"
    write_whole(path, content)
    return path


def whole(folder: Path, key: str) -> Path | None:
    """The library of this key, if it is in the cache and has the content that its name says."""
    for path in sorted(folder.glob(f"{key}-*.so")):
        if path.stem == f"{key}-{sha256(path.read_bytes()).hexdigest()[:32]}":
            return path
    return None


def run(command: Sequence[str], folder: str | None = None) -> str:
    """What a compiler prints. NotCompiled with the end of its complaint where it fails."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=PATIENCE)
    except FileNotFoundError as error:
        raise NotCompiled(f"there is no C compiler {command[0]!r}") from error
    except subprocess.TimeoutExpired as error:
        raise NotCompiled(f"the C compiler {command[0]!r} took more than {PATIENCE:.0f} s") from error
    if done.returncode:
        complaint = " ".join(done.stderr.split())[-200:]
        raise NotCompiled(f"the C compiler {command[0]!r} failed with exit code {done.returncode}: {complaint}")
    return done.stdout


@lru_cache
def version(compiler: tuple[str, ...]) -> str:
    """What the compiler says it is."""
    return run([*compiler, "--version"])


@lru_cache
def processor() -> str:
    """The kind of this processor."""
    try:
        models = [line for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines() if "model" in line.lower()]
    except OSError:
        models = [platform.processor()]
    return " ".join((platform.system(), platform.machine(), *models[:2]))


def cache() -> Path:
    """The folder of compiled programs in the user's cache, made if it is not there. NotCompiled where others can get at it."""
    wanted = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not os.path.isabs(wanted) or (os.environ.get("HOME") == "" and not os.environ.get("XDG_CACHE_HOME")):
        raise NotCompiled("there is no home folder for compiled programs")
    folder = Path(wanted, "micrograd-lite", "c")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = folder.resolve()
    if not hasattr(os, "geteuid"):
        raise NotCompiled("on this system nobody can tell who else may write into the cache")
    for place in (folder, *folder.parents):
        found = place.stat()
        shared = found.st_mode & 0o022 and not (found.st_mode & stat.S_ISVTX and place != folder)
        if shared or found.st_uid not in (0, os.geteuid()) or (place == folder and found.st_mode & 0o077):
            raise NotCompiled(f"others can write into {place}, so nothing there is loaded")
    return folder
