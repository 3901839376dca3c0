"""What the documentation prints is what it prints: its examples and its commands are run."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd_lite
from micrograd_lite.cli import main

ROOT = Path(__file__).parent.parent
PACKAGE = {**os.environ, "PYTHONPATH": str(Path(micrograd_lite.__file__).parent.parent)}  # processes test the same package
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [
    pytest.param(command, wanted, id=f"{page.name}: {command}")
    for page in PAGES
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for command, wanted in re.findall(r"^\$ micrograd-lite (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_are_true(page, monkeypatch):
    """Each prints what stands below it."""
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert tried and not failed


def test_the_programs_of_the_readme_are_whole_and_run_twice(tmp_path):
    """As somebody who pastes them into a file sees it: nothing is missing, and the second run is not refused."""
    programs = re.findall(r"```python\n((?!>>>).*?)```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)
    assert programs
    for program in programs:
        (tmp_path / "mine.py").write_text(program, encoding="utf-8")
        for _ in range(2):
            command = [sys.executable, "-W", "error", "mine.py"]
            done = subprocess.run(command, cwd=tmp_path, env=PACKAGE, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command, wanted", COMMANDS)
def test_the_commands_of_a_page_print_what_it_shows(command, wanted, monkeypatch, capsys):
    """Line by line; `...` stands for any number of lines."""
    monkeypatch.chdir(ROOT)
    assert main(shlex.split(command)) == 0
    pattern = "".join("(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in wanted.splitlines())
    assert re.fullmatch(pattern, capsys.readouterr().out)
