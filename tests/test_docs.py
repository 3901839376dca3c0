"""What the documentation prints is what it prints: its examples and its commands are run."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

from micrograd_lite.cli import main

ROOT = Path(__file__).parent.parent
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


@pytest.mark.parametrize("command, wanted", COMMANDS)
def test_the_commands_of_a_page_print_what_it_shows(command, wanted, monkeypatch, capsys):
    """Line by line; `...` stands for any number of lines."""
    monkeypatch.chdir(ROOT)
    assert main(shlex.split(command)) == 0
    pattern = "".join("(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in wanted.splitlines())
    assert re.fullmatch(pattern, capsys.readouterr().out)
