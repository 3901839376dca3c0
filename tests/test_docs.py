"""What the documentation prints is what it prints: its examples and its commands are run."""

import csv
import doctest
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd_lite
import sheets
from micrograd_lite.cli import main

ROOT = Path(__file__).parent.parent
PACKAGE = {**os.environ, "PYTHONPATH": str(Path(micrograd_lite.__file__).parent.parent)}  # processes test the same package
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page):
    """The commands of a page, each with what it is said to print."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


SESSION, LESSON = ROOT / "docs" / "questions.md", ROOT / "docs" / "teaching.md"
"""Their commands build on each other, in a folder of the reader's own."""
COMMANDS = [
    pytest.param(command, wanted, id=f"{page.name}: {command}")
    for page in PAGES if page not in (SESSION, LESSON)
    for command, wanted in commands(page)
]  # fmt: skip


def execute(line, capsys):
    """Type a line at the prompt: its exit code, and what it prints; nothing where `> FILE` takes that."""
    (program, *words), file = shlex.split(line), None
    if ">" in words:
        *words, _, file = words
    if program == "python":
        runpy.run_path(*words)
    else:
        assert program == "micrograd-lite", line
    code, printed = main(words) if program == "micrograd-lite" else 0, capsys.readouterr().out
    if file:
        Path(file).write_text(printed, encoding="utf-8")
    return code, "" if file else printed


def matches(wanted, printed):
    """Line by line; `...` alone stands for any number of lines, inside a line for any letters of it."""
    pattern = ""
    for line in wanted.splitlines():
        pattern += "(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + "\n"
    return re.fullmatch(pattern, printed)


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
    """What stands below it."""
    monkeypatch.chdir(ROOT)
    code, printed = execute(command, capsys)
    assert code == 0
    assert matches(wanted, printed)


def test_twelve_questions_are_answered_by_one_network(tmp_path, monkeypatch, capsys):
    """docs/questions.md from top to bottom, as a reader types it: each of the twelve has a command, and prints what it shows."""
    pytest.importorskip("PIL", reason="lab draws with Pillow")
    page = SESSION.read_text(encoding="utf-8")
    parts = re.split(r"(?m)^## \d+\. ", page)
    assert len(parts) == 13 and all("$ micrograd-lite " in part for part in parts)
    monkeypatch.chdir(tmp_path)
    typed(SESSION, capsys)


def typed(page, capsys, before=lambda command: None):
    """Type the commands of a page one after the other; each prints what stands below it. before: called with each command."""
    for command, wanted in commands(page):
        before(command)
        code, printed = execute(command, capsys)
        assert code == 0 or (code == 1 and " check " in command), command  # 1: the check has found something
        assert matches(wanted, printed), f"{command}\n{printed}"


def test_a_lesson_can_be_held_as_it_is_told(tmp_path, monkeypatch, capsys):
    """docs/teaching.md from top to bottom: Ann and Ben hand in what it says of their sheets, Dora mends the lines it names."""
    pytest.importorskip("PIL", reason="lab draws with Pillow")
    monkeypatch.chdir(tmp_path)
    text = LESSON.read_text(encoding="utf-8")
    for name, content in re.findall(r"Save it as `([^`]*)`:\n\n```\w+\n(.*?)```", text, re.DOTALL):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(content, encoding="utf-8")
    dora = Path("class/dora.py").read_text(encoding="utf-8").splitlines()
    for number in map(int, re.search(r"in lines (\d+) and (\d+), and hands it in", text).groups()):
        dora[number - 1] = dora[number - 1].replace(" = ", " += ")
    Path("class/dora2.py").write_text("\n".join(dora), encoding="utf-8")

    def before(command):
        if "try.csv" in command:
            key = Path("sheets/key.csv").read_text(encoding="utf-8")
            Path("class/try.csv").write_text(re.sub(r"(?m)^(c35,.*,)[^,]+((,[^,]*){4})$", r"\1-0.1102\2", key), encoding="utf-8")
        if "--out marks.csv" in command:
            sheets.hand_in(Path("sheets/key.csv"), Path("class/ann.csv"))
            sheets.hand_in(Path("sheets/key.csv"), Path("class/ben.csv"), ("c35", "c27"))

    typed(LESSON, capsys, before)
    assert json.loads(Path("results.json").read_text(encoding="utf-8"))["score"] == 12.0
    assert f"From step {all_right('traces/mine')} on" in text
    assert f"at step {steepest('traces/mine', 'layer0.neuron0.w1')}.)" in text


def all_right(folder):
    """The step from which on a trace's network answers all samples rightly, where that was measured."""
    rows = [row for row in rows_of(Path(folder, "metrics.csv")) if row["train_accuracy"]]
    wrong = [number for number, row in enumerate(rows) if float(row["train_accuracy"]) != 1.0]
    return rows[wrong[-1] + 1]["step"]


def steepest(folder, parameter):
    """The step at which the gradient of a parameter is farthest from 0."""
    rows = [row for row in rows_of(Path(folder, "gradients.csv")) if row["parameter"] == parameter]
    return max(rows, key=lambda row: abs(float(row["gradient"])))["step"]


def rows_of(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
