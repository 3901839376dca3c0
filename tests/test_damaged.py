"""No traceback: whatever lies in a trace folder, and wherever output goes, a user gets a sentence and an exit code."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import pytest

from micrograd_lite import cli
from micrograd_lite.text.files import from_json, opened, read_whole
from micrograd_lite.text.npz import Unreadable, read_arrays
from micrograd_lite.text.tables import table
from micrograd_lite.trace.folder import read_run
from micrograd_lite.trace.kinds import DATA, MLP, RUN
from traced import edited, write, write_arrays

SCALAR = ("run.json", "metrics.csv", "gradients.csv", "optimizer.csv", "chain_rule.csv", "gradients_by_sample.csv")


def commands(folder):
    """Every command that only reads a folder, as arguments."""
    return [["show", folder], ["show", folder, "--chain"], ["diff", folder, folder], ["diagnose", folder], ["verify", folder],
            ["flat", folder], ["predict", folder, "a=0", "b=1"]]  # fmt: skip


def run(capsys, *arguments):
    """Exit code, stdout and stderr of a command in this process; stderr has at most one line."""
    code = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert err.count("\n") == (code == 2) and "Traceback" not in err
    return code, out, err


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A trace with every table of a scalar run."""
    return write(tmp_path_factory.mktemp("whole") / "run", "xor, momentum", steps=3)


@pytest.fixture
def folder(whole, tmp_path):
    """A copy of it, to be damaged."""
    (tmp_path / "run").mkdir()
    for name in SCALAR:
        (tmp_path / "run" / name).write_bytes((whole / name).read_bytes())
    return tmp_path / "run"


# --- run.json --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUN)
def test_a_missing_entry_is_named_by_every_command(capsys, folder, name):
    """One reader checks run.json whole: which entry a command needs plays no part."""
    edited(folder, "run.json", lambda run: run.pop(name))
    for command in commands(folder):
        code, _, err = run(capsys, *command)
        assert code == 2 and err == f"error: {folder / 'run.json'}: {name} is missing\n"


@pytest.mark.parametrize("path", [f"{part}.{name}" for part, kinds in (("model", MLP), ("data", DATA)) for name in kinds])
def test_a_missing_entry_of_model_and_data_is_named(folder, path):
    """By its path."""
    part, name = path.split(".")
    edited(folder, "run.json", lambda run: run[part].pop(name))
    with pytest.raises(ValueError, match=f"{path} is missing"):
        read_run(folder)


@pytest.mark.parametrize("entry", ["x", 1.5, -1, True, [None], {"a": []}, [[["x"]]]], ids=repr)
@pytest.mark.parametrize("name", RUN)
def test_an_entry_of_another_kind_is_named(folder, name, entry):
    """What it must be and what it is, in one sentence; a kind that it may have is not refused."""
    edited(folder, "run.json", lambda run: run.update({name: entry}))
    if RUN[name].fits(entry) and not isinstance(entry, dict):
        read_run(folder)
        return
    with pytest.raises(ValueError) as refused:
        read_run(folder)
    assert name in str(refused.value) and (" must be " in str(refused.value) or " is missing" in str(refused.value))


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 50 + b"1" + b"}" * 50, b"\xff", b"", b"NaN", b"1" * 5000])
def test_what_is_no_json_of_ours_is_a_sentence(content):
    """Nested deep, not UTF-8, nothing, words that JSON does not know, numbers without end."""
    with pytest.raises(ValueError):
        from_json(content)


def test_a_changed_name_of_a_parameter_is_a_sentence(capsys, folder):
    """run.json names a parameter that the tables do not have."""
    edited(folder, "run.json", lambda run: run["parameters"].__setitem__(0, "layer0.neuron0.w9"))
    for command in commands(folder):
        run(capsys, *command)
    assert run(capsys, "verify", folder)[0] == 1


def test_sizes_without_their_weights_take_no_memory(capsys, folder):
    """A network of 10^12 weights in a run of nine."""
    edited(folder, "run.json", lambda run: run["model"].update(outputs_per_layer=[10**6, 10**6, 1], activation=["tanh"] * 2))
    for command in commands(folder):
        assert run(capsys, *command)[0] in (0, 1, 2)


# --- files that are no files -----------------------------------------------------------------------------------------


def put(kind, path):
    """Something in the place of a file that never ends, or never begins."""
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in the file system")
@pytest.mark.parametrize("name", SCALAR)
@pytest.mark.parametrize("kind", ["pipe", "link to /dev/zero", "folder"])
def test_what_is_no_regular_file_is_refused_at_once(capsys, folder, kind, name):
    """By every command that reads this file; none waits for it."""
    put(kind, folder / name)
    codes, start = [], time.monotonic()
    for command in commands(folder):
        code, _, err = run(capsys, *command)
        codes.append(code)
        assert code != 2 or "no regular file" in err
    assert 2 in codes and codes[4] == 2 and time.monotonic() - start < 5


@pytest.mark.parametrize("kind", ["pipe", "link to /dev/zero", "folder"])
def test_kept_weights_and_checkpoints_are_opened_in_the_same_way(tmp_path, capsys, kind):
    """verify reads them, too."""
    pytest.importorskip("numpy")
    folder = write_arrays(tmp_path / "run")
    put(kind, folder / "weights" / "step_000003.npz")
    assert "no regular file" in run(capsys, "verify", folder)[2]
    (tmp_path / "json").write_text("{}")
    put(kind, tmp_path / "json")
    with pytest.raises((ValueError, OSError), match="no regular file"):
        opened(tmp_path / "json")


def test_more_than_is_announced_is_not_read(tmp_path):
    """The size is asked before a byte is read: a hole of a terabyte takes no memory."""
    with (tmp_path / "big").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match=r"has 1,099,511,627,776 bytes, and what it is said to hold takes at most 100"):
        read_whole(tmp_path / "big", 100)


def test_a_table_that_never_ends_its_line_is_refused(capsys, folder):
    """A hole of a terabyte behind the header."""
    with (folder / "gradients.csv").open("r+b") as file:
        file.truncate(1 << 40)
    code, _, err = run(capsys, "show", folder)
    assert code == 2 and "a line is longer than" in err


def bomb(path):
    """Ten million zeros in ten kilobytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("layer0.w.npy", bytes(10_000_000))


def encrypted(path):
    """The flag of encryption in both headers."""
    content = bytearray(path.read_bytes())
    for start, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(start) + place] |= 1
    path.write_bytes(content)


def unknown_method(path):
    """A way of packing that nobody knows."""
    content = bytearray(path.read_bytes())
    for start, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(start) + place] = 77
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [bomb, encrypted, unknown_method, lambda path: path.write_bytes(path.read_bytes()[:200])])
def test_a_damaged_npz_is_a_sentence(tmp_path, capsys, damage):
    """A zip bomb, an encrypted entry, an unknown method, half a file: nothing is unpacked."""
    pytest.importorskip("numpy")
    folder = write_arrays(tmp_path / "run")
    for kept in sorted((folder / "weights").iterdir())[::23]:  # the first and the last
        damage(kept)
    with pytest.raises(Unreadable):
        read_arrays(kept, 100)
    for command in (["verify", folder], ["diagnose", folder], ["render", folder, "--frames", "3"]):
        code, _, err = run(capsys, *command)
        assert code == 2 and "does not hold plain arrays" in err


# --- names and numbers -----------------------------------------------------------------------------------------------


def test_names_move_no_cursor(capsys, folder):
    """Escapes of a terminal in a name out of the folder are shown as escapes, in tables and in sentences."""
    strange = "layer0.neuron0.w0\x1b[2J\u202e\x9b"
    content = (folder / "gradients.csv").read_text().replace("layer0.neuron0.w0", strange)
    (folder / "gradients.csv").write_text(content)
    edited(folder, "run.json", lambda run: run["parameters"].__setitem__(0, strange))
    code, out, _ = run(capsys, "show", folder)
    assert code == 0 and r"layer0.neuron0.w0\x1b[2J\u202e\x9b" in out
    edited(folder, "run.json", lambda run: run["data"].update(feature_names=["\x1b[31mred", "b"]))
    shown = [run(capsys, *command)[1:] for command in commands(folder)]
    assert "\x1b[31m" not in str(shown).replace(r"\\x1b", "") and "\x1b" not in "".join(out + err for out, err in shown)


def test_html_in_a_name_stays_text_in_markdown():
    """`<script>` in a cell is shown, and a formula with `<` in it is as it was."""
    made = table(("parameter", "when"), [["<script>alert(1)</script>", "x < 0"]], "markdown")
    assert "<script" not in made and "</script" not in made and "&lt;script>" in made and "x < 0" in made


def test_a_gif_without_a_name_is_a_sentence(capsys):
    """`--gif ""` names no file."""
    pytest.importorskip("PIL")
    code, out, err = run(capsys, "explain", "x*y", "x=1", "y=2", "--gif", "")
    assert (code, out) == (2, "") and err.startswith("error: ")


@pytest.mark.parametrize("size", ["1e308", "-1.7976931348623157e+308", "5e-324", "inf", "NaN"])
def test_weights_of_any_size_are_drawn_or_refused(capsys, folder, size):
    """What a picture cannot show is a sentence, or left out; the range of the axes must not overflow."""
    pytest.importorskip("PIL")

    def change(rows):
        for row in rows[::2]:
            row["after"] = size

    edited(folder, "gradients.csv", change)
    run(capsys, "render", folder, "--frames", "3")


def test_numbers_on_which_nothing_depends_are_named(capsys, folder):
    """All samples in each step: the seed of the shuffling decides nothing, and verify says so."""
    edited(folder, "run.json", lambda run: run.update(seed=77))
    told = "note: not checked, because no number here depends on it: seed, epochs of run.json\n"
    assert told in run(capsys, "verify", folder)[1]


def test_weights_are_kept_at_the_announced_steps(tmp_path, capsys):
    """Those of other steps are wrong, those that are gone are named."""
    pytest.importorskip("numpy")
    folder = write_arrays(tmp_path / "run", epochs=1)
    (folder / "weights" / "step_000001.npz").unlink()
    assert "weights after step 1, run.json says that they are kept" in run(capsys, "verify", folder)[1]
    edited(folder, "run.json", lambda run: run.update(weights_every=3))
    code, out, _ = run(capsys, "verify", folder)
    assert code == 1 and "weights/step_000002.npz is there, but weights are kept every 3 steps" in out


def test_one_number_in_a_list_tells_no_classes(tmp_path, capsys):
    """A model of arrays has [0.0] and [1.0] as targets: that is no code of one class."""
    pytest.importorskip("numpy")
    from micrograd_lite import SGD, arrays, binary_cross_entropy, data, train
    from micrograd_lite.trace import Tracer

    with Tracer(tmp_path / "run", weights_every=1) as tracer:
        list(tracer.follow(train(arrays.MLP(2, [1]), data.xor(), loss=binary_cross_entropy, optimizer=SGD(0.1), epochs=1)))
    edited(tmp_path / "run", "run.json", lambda run: run["data"].update(classes=1, class_names=[]))
    assert "data.classes, neither names nor targets tell" in run(capsys, "verify", tmp_path / "run")[1]


# --- where output goes ------------------------------------------------------------------------------------------------

MODULE = [sys.executable, "-m", "micrograd_lite"]


def in_shell(words, folder):
    """A command with its output sent somewhere."""
    return subprocess.run(["sh", "-c", f'"$@" {words}', "sh", *MODULE, *folder], capture_output=True, text=True)


@pytest.mark.parametrize("command", ["show", "verify", "diagnose"])
def test_a_closed_standard_output_is_a_sentence(folder, command):
    """Exit code 2: 1 would say that verify found something."""
    done = in_shell(">&-", [command, str(folder)])
    assert done.returncode == 2 and done.stderr == "error: standard output is closed, so there is nowhere to print to\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full")
def test_a_full_disk_behind_the_output_is_a_sentence(folder):
    """Once, and not again when the process ends."""
    done = in_shell(">/dev/full", ["verify", str(folder)])
    assert done.returncode == 2 and done.stderr == "error: No space left on device\n"


def test_ctrl_c_while_modules_load_is_one_line(tmp_path):
    """In the first moments of our own code: 130 and one line, wherever it strikes."""
    program = (
        "import sys, os, signal, builtins, runpy\n"
        "real, left = builtins.__import__, [int(sys.argv[1])]\n"
        "def counted(*arguments, **options):\n"
        "    left[0] -= 1\n"
        "    if left[0] == 0: os.kill(os.getpid(), signal.SIGINT)\n"
        "    return real(*arguments, **options)\n"
        "import micrograd_lite.__main__ as entry\n"
        "builtins.__import__ = counted\n"
        "sys.argv = ['micrograd-lite', 'rules']\n"
        "entry.run()\n"
    )
    for moment in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144):
        done = subprocess.run([sys.executable, "-c", program, str(moment)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_the_entry_point_loads_nothing_before_its_guard():
    """Of the standard library only what Python itself has loaded."""
    program = "import sys; before = set(sys.modules); import micrograd_lite.__main__; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"micrograd_lite", "micrograd_lite.__main__", "importlib", "importlib._bootstrap",
                                        "importlib._bootstrap_external", "warnings", "_warnings"}  # fmt: skip


def test_the_process_can_be_interrupted_from_outside(tmp_path):
    """A SIGINT to the running command ends it with 130, or comes too late, or before Python hears it."""
    for wait in (0.03, 0.05, 0.08):
        process = subprocess.Popen([*MODULE, "rules"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        assert "micrograd_lite" not in process.communicate()[1]


def test_json_that_was_written_is_read(tmp_path, whole):
    """What a Tracer writes passes its own reader."""
    assert read_run(whole) == json.loads((whole / "run.json").read_text())
