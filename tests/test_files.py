"""Whole files or nothing: after any fault a path holds the old content or the new one, and nothing lies beside it."""

import json
import math
import os
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults import broken, contents, fault_at, finish, full, interrupt, limited, network, other_network, read_only
from micrograd_lite import MLP
from micrograd_lite.text.files import number, to_json, write_whole

OLD, NEW = b"old " * 50, b"new content " * 50


# --- old or new ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("fault, after", [(full, False), (broken, False), (interrupt, False), (interrupt, True)])
@pytest.mark.parametrize("old", [None, OLD], ids=["new file", "replaced file"])
def test_a_fault_at_any_system_call_leaves_the_old_file_or_the_new_one(tmp_path, old, fault, after):
    """And no temporary file beside it; an OSError names the path that was asked for."""
    for call in count(1):
        path = tmp_path / str(call) / "file.gif"
        path.parent.mkdir()
        if old is not None:
            path.write_bytes(old)
        with fault_at(call, fault, after=after) as seen:
            try:
                write_whole(path, NEW)
                error = None
            except (OSError, KeyboardInterrupt) as caught:
                error = caught
        found = path.read_bytes() if path.exists() else None
        assert found in ((NEW,) if error is None else (old, NEW)), seen
        assert [file.name for file in path.parent.iterdir()] == [path.name] * (found is not None), seen
        if isinstance(error, OSError):
            assert error.filename == str(path) and str(path) in str(error)
        if len(seen) < call:
            assert error is None and {"write", "fsync", "replace", "close"} <= set(seen)
            return


def test_kill_9_at_any_system_call_leaves_the_old_model_or_the_new_one(tmp_path):
    """A model file that was being replaced loads, and is one of the two."""
    finish("deaths", "save", tmp_path)
    states = [MLP.load(folder / "model.json").state_dict() for folder in tmp_path.iterdir()]
    assert len(states) >= 4
    assert all(state in (network().state_dict(), other_network().state_dict()) for state in states)


def test_a_write_is_synced_before_its_name_is_given(tmp_path):
    """Else a power cut could leave the new name with no content: fsync comes before replace."""
    with fault_at(0, full) as seen:
        write_whole(tmp_path / "file", NEW)
    assert seen.index("write") < seen.index("fsync") < seen.index("replace")


@pytest.mark.parametrize("limit", [0, 1, 599])
def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path, limit):
    """The limit of file size stands for a full disk: OSError with the path, the old content, nothing beside it."""
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with limited(limit), pytest.raises(OSError, match=r"^\[Errno 27\] cannot write: File too large: '.*file'$") as caught:
        write_whole(path, NEW)
    assert caught.value.filename == str(path)
    assert contents(tmp_path) == {"file": OLD}


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: None], ids=["a folder", "a missing folder"])
def test_what_cannot_be_replaced_is_named(tmp_path, make):
    """A folder in the place of the file, or no folder to put it in: OSError names the path, nothing appears."""
    path = tmp_path / "file"
    make(path)
    target = path if path.exists() else path / "deeper"
    with pytest.raises(OSError, match="cannot write") as caught:
        write_whole(target, NEW)
    assert caught.value.filename == str(target)
    assert [file.name for file in tmp_path.rglob("*")] == ["file"] * path.exists()


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002, 0o000])
def test_permissions_follow_the_umask(tmp_path, umask):
    """As those of any file that a program makes; a temporary file made by tempfile would be readable by its owner only."""
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "file", NEW)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask


def test_text_is_utf_8_with_plain_newlines(tmp_path):
    """On every platform and in every locale."""
    write_whole(tmp_path / "file", "Größe\n")
    assert (tmp_path / "file").read_bytes() == "Größe\n".encode()


# --- models ----------------------------------------------------------------------------------------------------------

def test_a_model_that_cannot_be_saved_is_unchanged(tmp_path):
    """save() on a full disk: OSError with the path; the model and the older file are as they were."""
    net, path = network(), tmp_path / "model.json"
    net.save(path)
    before, state = path.read_bytes(), other_network().state_dict()
    net.load_state_dict(state)
    with limited(10), pytest.raises(OSError) as caught:
        net.save(path)
    assert caught.value.filename == str(path)
    assert net.state_dict() == state
    assert contents(tmp_path) == {"model.json": before}


def test_a_cut_model_file_is_refused_with_its_path(tmp_path):
    """At every length: ValueError that names the file, never half a model."""
    path = tmp_path / "model.json"
    network().save(path)
    whole = path.read_bytes()
    for length in range(len(whole) - 1):  # the last byte is the newline after the JSON
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"model\.json is not a model saved by micrograd_lite: "):
            MLP.load(path)


# --- JSON ------------------------------------------------------------------------------------------------------------

def bits(value):
    return repr(float(value))


@given(st.floats())
def test_a_number_reads_back_to_the_same_bits(value):
    """In JSON and in text; NaN, inf and -inf are the words that float() reads."""
    assert bits(float(number(value))) == bits(value)
    read = json.loads(to_json({"x": value}))["x"]
    assert isinstance(read, float) == math.isfinite(value) and bits(read) == bits(value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner)
                    | st.dictionaries(st.text(), inner), max_leaves=8))
def test_json_is_strict_and_keeps_its_order(record):
    """No NaN token anywhere: a strict parser reads it; every key stands where it was put."""
    def refuse(token):
        raise AssertionError(token)

    text = to_json(record)
    read = json.loads(text, parse_constant=refuse)
    assert text.endswith("\n") and to_json(read) == text


@pytest.mark.parametrize("text", ["\udcff", "file \udc80 not found"])
def test_text_that_is_not_unicode_is_written_readably(tmp_path, text):
    r"""File names may hold bytes that are no text (Python's surrogates); JSON has \udcff for them, and reads it back."""
    write_whole(tmp_path / "file.json", to_json({"error": text}))
    assert json.loads((tmp_path / "file.json").read_text("utf-8")) == {"error": text}


# --- a read-only disk ------------------------------------------------------------------------------------------------

def test_a_model_on_a_read_only_disk_is_an_oserror_with_the_path(tmp_path):
    """The model is unchanged, and the file that is there still loads."""
    folder = tmp_path / "disk"
    folder.mkdir()
    net, path = network(), folder / "model.json"
    net.save(path)
    state = other_network().state_dict()
    net.load_state_dict(state)
    with read_only(folder):
        with pytest.raises(OSError) as caught:
            net.save(path)
        assert caught.value.filename == str(path)
        assert net.state_dict() == state
        assert MLP.load(path).state_dict() == network().state_dict()
