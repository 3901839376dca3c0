"""The progress bar: the same items, counted on stderr where somebody watches, and silence elsewhere."""

import os
import struct
import subprocess
import sys

import pytest

from micrograd_lite.demo import progress

PROGRAM = """
import sys
{before}
from micrograd_lite.demo import progress
print(list(progress(range(3), 3, "training")))
"""
WITHOUT_TQDM = "sys.modules['tqdm'] = None"


def run(before="", stderr=subprocess.PIPE):
    return subprocess.run([sys.executable, "-c", PROGRAM.format(before=before)], stdout=subprocess.PIPE, stderr=stderr, text=True)


def run_on_a_terminal(before=""):
    """(stdout, what a person at the terminal sees on stderr)"""
    pty, fcntl, termios = (pytest.importorskip(name, reason="needs a POSIX terminal") for name in ("pty", "fcntl", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))  # a new terminal is 0 columns wide
    try:
        finished = run(before, stderr=theirs)
    finally:
        os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:  # Linux says so when the other side is closed
        pass
    os.close(ours)
    return finished.stdout, seen.decode()


@pytest.mark.parametrize("before", ["", WITHOUT_TQDM])
def test_nobody_watches_nobody_is_told(before):
    """With stderr in a pipe there is not one byte on it, with or without tqdm."""
    finished = run(before)
    assert (finished.stdout, finished.stderr, finished.returncode) == ("[0, 1, 2]\n", "", 0)


def test_a_terminal_gets_a_bar():
    """tqdm's, with the title, the count and the unit; stdout keeps to itself."""
    pytest.importorskip("tqdm")
    stdout, seen = run_on_a_terminal()
    assert stdout == "[0, 1, 2]\n"
    assert "training" in seen and "3/3" in seen and "step" in seen


def test_without_tqdm_a_terminal_gets_one_plain_line():
    """With the number of steps and how to get a bar."""
    stdout, seen = run_on_a_terminal(WITHOUT_TQDM)
    assert stdout == "[0, 1, 2]\n"
    assert seen == "training: 3 steps (install tqdm to see a bar)\r\n"


def test_items_are_not_fetched_ahead():
    """One item is taken for each that is asked for: training may not run ahead of its trace."""
    taken = []
    items = progress((taken.append(item) or item for item in range(5)), 5)
    assert (next(items), taken) == (0, [0])
    assert (next(items), taken) == (1, [0, 1])
