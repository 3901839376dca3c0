"""The command line: a mistake is one line on stderr and exit code 2, Ctrl-C is 130, and nobody sees a traceback."""

import os
import signal
import subprocess
import sys
import time

import pytest

import micrograd_lite
from micrograd_lite import cli
from micrograd_lite.data import xor
from micrograd_lite.losses import mse
from micrograd_lite.nn import MLP
from micrograd_lite.optim import SGD
from micrograd_lite.text.tables import rules_table
from micrograd_lite.trace import Trace, Tracer
from micrograd_lite.trace.show import gradient_table
from micrograd_lite.training import train


def write_trace(folder, model=None, epochs=3):
    with Tracer(folder) as tracer:
        for step in train(model or MLP(2, [1, 1], "tanh"), xor(), loss=mse, optimizer=SGD(lr=0.1), epochs=epochs):
            tracer.watch(step)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_trace(tmp_path / "xor")


def command(*arguments, **options):
    """The command as a user runs it, in a process of its own."""
    line = [sys.executable, "-m", "micrograd_lite", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, **options)


def refused(capsys, *arguments):
    """Run a command that must fail: exit code 2, nothing on stdout, one line on stderr, which is returned."""
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as error:
        code = error.code
    stdout, stderr = capsys.readouterr()
    assert (code, stdout) == (2, "")
    assert stderr.endswith("\n") and stderr.count("\n") == 1, stderr
    return stderr


# --- what works ------------------------------------------------------------------------------------------------------


def test_version():
    """`python -m micrograd_lite --version` prints name and version."""
    finished = command("--version")
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, f"micrograd-lite {micrograd_lite.__version__}\n", "")


@pytest.mark.parametrize("form", ["text", "markdown", "csv"])
def test_show_prints_the_gradient_table(folder, capsys, form):
    """Of the last step, or of the one asked for, in each form."""
    assert cli.main(["show", str(folder), "--format", form]) == 0
    assert capsys.readouterr().out == gradient_table(Trace(folder), 3, form)
    assert cli.main(["show", str(folder), "--format", form, "--step", "2"]) == 0
    assert capsys.readouterr().out == gradient_table(Trace(folder), 2, form)
    assert cli.main(["show", str(folder)]) == 0
    assert capsys.readouterr().out == gradient_table(Trace(folder), 3, "text")


def test_show_works_as_a_command(folder):
    """In a process of its own, with nothing on stderr, and without loading NumPy."""
    finished = command("show", folder, "--format", "csv")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == gradient_table(Trace(folder), form="csv")


@pytest.mark.parametrize("form", ["text", "markdown", "csv"])
def test_rules_prints_the_derivative_table(capsys, form):
    """The table of the README, in each form."""
    assert cli.main(["rules", "--format", form]) == 0
    assert capsys.readouterr().out == rules_table(form)


def test_show_survives_a_closed_pipe(tmp_path):
    """`micrograd-lite show ... | head -1`: no traceback, however short or long the table; one line at most."""
    for hidden in (1, 3000):
        folder = write_trace(tmp_path / f"wide{hidden}", MLP(2, [hidden, 1]), epochs=1)
        read, write = os.pipe()
        os.close(read)
        line = [sys.executable, "-m", "micrograd_lite", "show", str(folder)]
        buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        finished = subprocess.run(line, stdout=write, stderr=subprocess.PIPE, text=True, env=buffered)
        os.close(write)
        assert finished.returncode == 141  # 128 + SIGPIPE, as a program that the system ends has it
        assert "Traceback" not in finished.stderr and "Exception ignored" not in finished.stderr
        assert finished.stderr.count("\n") <= 1


# --- a user's mistakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["show", "render"])
def test_a_folder_that_is_no_trace_is_refused(tmp_path, capsys, name):
    """Missing, empty, or holding something else: the line names the folder."""
    if name == "render":
        pytest.importorskip("numpy")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("hello")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "run.json").write_text('{"format": "something-else/1"}')
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "run.json").write_text("[]")
    (tmp_path / "binary").mkdir()
    (tmp_path / "binary" / "run.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "run.json").mkdir()
    for folder, words in (
        ("missing", "does not exist"), ("empty", "is not a trace folder"), ("file", "is not a trace folder"),
        ("foreign", "something-else/1"), ("broken", "is not JSON"), ("odd", "format None"), ("binary", "not JSON"),
        ("folder", "no regular file"),
    ):  # fmt: skip
        line = refused(capsys, name, tmp_path / folder)
        assert line.startswith("error: ") and str(tmp_path / folder) in line and words in line


@pytest.mark.parametrize(
    "arguments", [(), ("show",), ("draw",), ("show", "x", "--step", "two"), ("show", "x", "--format", "pdf"), ("--nope",)]
)
def test_a_wrong_command_line_is_one_line(capsys, arguments):
    """As every other mistake: what is wrong, in one line, exit code 2."""
    assert "error" in refused(capsys, *arguments)


@pytest.mark.parametrize("step", ["0", "4", "-1", "999999999999999999999"])
def test_a_step_that_is_not_recorded_is_refused(folder, capsys, step):
    """With the steps that are."""
    assert "recorded steps: 1, 2, 3" in refused(capsys, "show", folder, "--step", step)


DAMAGE = {
    "a word for a number": ("gradients.csv", lambda text: text.replace("1,layer0", "one,layer0", 1)),
    "a word for a gradient": ("gradients.csv", lambda text: text.rsplit(",", 1)[0] + ",word\n"),
    "a cell too few": ("gradients.csv", lambda text: text.replace("1,layer0", "layer0", 1)),
    "a column too few": ("gradients.csv", lambda text: "\n".join(line.rpartition(",")[0] for line in text.splitlines()) + "\n"),
    "a carriage return inside": ("gradients.csv", lambda text: text.replace("layer0", "lay\rer0", 1)),
    "a null byte inside": ("gradients.csv", lambda text: text.replace("layer0", "lay\0er0", 1)),
    "an endless quote": ("gradients.csv", lambda text: text.replace("layer0", '"layer0', 1)),
    "an endless cell": ("gradients.csv", lambda text: text.replace("layer0", "layer0" * 50_000, 1)),
    "not text": ("gradients.csv", lambda text: text.replace("layer0", "\udcff", 1)),
    "no rows": ("gradients.csv", lambda text: text.splitlines()[0] + "\n"),
    "metrics without steps": ("metrics.csv", lambda text: text.replace("step,", "stop,", 1)),
    "metrics of words": ("metrics.csv", lambda text: text.replace("\n3,", "\nthree,")),
    "a carriage return in metrics": ("metrics.csv", lambda text: text.replace("\n3,", "\n\r3,")),
    "parameters are a number": ("run.json", lambda text: '{"format": "micrograd-lite-trace/2", "parameters": 5}'),
    "nothing but a format": ("run.json", lambda text: '{"format": "micrograd-lite-trace/2"}'),
    "deep": ("run.json", lambda text: "[" * 100_000),
}


@pytest.mark.parametrize("name, damaged", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_trace_is_one_line(folder, capsys, name, damaged):
    """Whatever a file holds, showing it is exit code 0 or one line and 2: never a traceback."""
    path = folder / name
    text = path.read_bytes().decode("utf-8")
    path.write_bytes(damaged(text).encode("utf-8", "surrogateescape"))
    code = cli.main(["show", str(folder)])
    stderr = capsys.readouterr().err
    assert code in (0, 2) and stderr.count("\n") == (1 if code else 0)
    if code:
        assert stderr.startswith("error: ") and str(folder) in stderr


# --- what every command shares ---------------------------------------------------------------------------------------


def raising(error):
    def run(options):
        raise error

    return run


@pytest.mark.parametrize(
    "error, code, line",
    [
        (ValueError("too\n  many lines"), 2, "error: too many lines"),
        (TypeError("a kind"), 2, "error: a kind"),
        (ZeroDivisionError("div: needs y != 0"), 2, "error: div: needs y != 0"),
        (FloatingPointError("step 3: the loss is nan"), 2, "error: step 3: the loss is nan"),
        (FileNotFoundError(2, "No such file", "traces/x"), 2, "error: No such file: traces/x"),
        (OSError(28, "No space left", "two\nlines"), 2, None),
        (OSError("no number"), 2, "error: no number"),
        (ValueError(), 2, "error: ValueError"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_a_user_can_cause_is_one_line(capsys, error, code, line):
    """The sentence of the error, on one line of stderr, with its exit code."""
    assert cli.guarded(raising(error), None) == code
    stdout, stderr = capsys.readouterr()
    assert stdout == "" and stderr.count("\n") == 1
    if line:
        assert stderr == f"{line}\n"


def test_a_mistake_of_ours_is_not_hidden():
    """An AttributeError is no user's fault: it comes through."""
    with pytest.raises(AttributeError):
        cli.guarded(raising(AttributeError("bug")), None)


@pytest.mark.parametrize("module, package", [("numpy", "numpy"), ("PIL", "pillow"), ("imageio", "imageio")])
def test_a_missing_package_says_what_to_install(capsys, monkeypatch, module, package):
    """The name that pip knows, which for PIL is pillow; exit code 2."""
    monkeypatch.setitem(sys.modules, module, None)
    assert cli.guarded(lambda options: __import__(module), None) == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == "" and stderr.count("\n") == 1 and stderr.endswith(f"pip install {package}\n")


def test_a_missing_page_of_ours_is_not_a_package_to_install():
    """pip cannot help when a page of this package is missing."""
    with pytest.raises(ModuleNotFoundError):
        cli.guarded(lambda options: __import__("micrograd_lite.no_such_page"), None)


# --- demos -----------------------------------------------------------------------------------------------------------

DEMO = """
import sys, time
from micrograd_lite.demo import demo

def main(out, quick, force):
    print(out, quick, force, flush=True)
    {body}

demo(main, "traces/demo", "One new idea.\\n\\n    python demo.py")
"""


def run_demo(body, *arguments):
    line = [sys.executable, "-c", DEMO.format(body=body), *arguments]
    return subprocess.run(line, capture_output=True, text=True)


@pytest.mark.parametrize(
    "arguments, received",
    [
        ((), "traces/demo False same"),
        (("--quick",), "traces/demo True same"),
        (("--out", "elsewhere", "--force"), "elsewhere False True"),
    ],
)
def test_a_demo_has_the_same_options_as_every_other(arguments, received):
    """--out, --quick and --force, then exit code 0."""
    finished = run_demo("pass", *arguments)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, received + "\n", "")


def test_a_demo_explains_itself():
    """--help shows the docstring as it is written."""
    finished = run_demo("pass", "--help")
    assert finished.returncode == 0 and "One new idea.\n\n    python demo.py" in finished.stdout


def test_a_demo_that_fails_is_one_line():
    """A folder that is taken, a full disk: exit code 2 and a sentence."""
    finished = run_demo("raise FileExistsError('traces/xor already holds a trace')")
    assert (finished.returncode, finished.stderr) == (2, "error: traces/xor already holds a trace\n")


def test_ctrl_c_is_130_and_one_line(tmp_path):
    """Interrupted in the middle of a traced run: the trace is closed as interrupted, and no traceback appears."""
    body = f"""pass
    from micrograd_lite import MLP, SGD, Tracer, mse
    from micrograd_lite.training import train
    from micrograd_lite.data import xor
    with Tracer({str(tmp_path / "run")!r}) as tracer:
        for step in train(MLP(2, [1]), xor(), loss=mse, optimizer=SGD(lr=0.01)):
            tracer.watch(step)
            if step.number == 3:
                print("three", flush=True)
"""
    line = [sys.executable, "-c", DEMO.format(body=body)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert [process.stdout.readline() for _ in range(2)] == ["traces/demo False same\n", "three\n"]
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) == (130, "interrupted\n")
    assert time.monotonic() - started < 10
    trace = Trace(tmp_path / "run")
    assert trace.status == "interrupted" and trace.damage == "" and len(trace.metrics()) >= 3
