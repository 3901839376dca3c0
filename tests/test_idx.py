"""The IDX reader: good files of every type and shape come back exactly; a bad one is a sentence, soon and in little memory."""

import gzip
import math
import os
import random
import struct
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from micrograd_lite.data import idx
from micrograd_lite.data.idx import Header, read_bytes, read_header, read_idx

CODES = {0x08: "B", 0x09: "b", 0x0B: "h", 0x0C: "i", 0x0D: "f", 0x0E: "d"}  # struct's letters for IDX's types
PACKINGS = {
    "plain": lambda content: content,
    "gzip": gzip.compress,
    "gzip in two members": lambda content: gzip.compress(content[:5]) + gzip.compress(content[5:]),
    "gzip with an empty member": lambda content: gzip.compress(content) + gzip.compress(b""),
}


def header(code, *dims):
    """The first bytes of an IDX file, written independently of the package."""
    return struct.pack(f">HBB{len(dims)}I", 0, code, len(dims), *dims)


def gzipped(content, level=9):
    return gzip.compress(content, level, mtime=0)


@st.composite
def idx_files(draw):
    """(type code, dims, numbers): small files of every type and rank, with every bit pattern among the numbers."""
    code = draw(st.sampled_from(list(CODES)))
    rank = draw(st.one_of(st.integers(1, 5), st.just(idx.MOST_DIMENSIONS)))
    dims, left = [], 60
    for _ in range(rank):
        dims.append(draw(st.integers(1, max(1, min(left, 8)))))
        left //= dims[-1]
    size = math.prod(dims) * struct.calcsize("=" + CODES[code])
    raw = draw(st.binary(min_size=size, max_size=size))
    return code, tuple(draw(st.permutations(dims))), raw


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all examples of a property."""
    return tmp_path_factory.mktemp("idx")


# --- good files ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("packing", PACKINGS)
@given(file=idx_files())
@example(file=(0x08, (1,), b"\xff"))
@example(file=(0x08, (70_000,), bytes(range(250)) * 280))  # longer than one piece
def test_bytes_come_back_exactly(folder, packing, file):
    """Header and content of every type and rank are what was written, plain or packed, with the standard library alone."""
    code, dims, raw = file
    path = folder / "good"
    path.write_bytes(PACKINGS[packing](header(code, *dims) + raw))
    assert read_header(path) == Header(code, dims)
    found, content = read_bytes(path)
    assert (found, bytes(content)) == (Header(code, dims), raw)
    assert found.encoded() == header(code, *dims) and found.size == len(raw)


@pytest.mark.parametrize("packing", ["plain", "gzip"])
@given(file=idx_files())
@example(file=(0x0D, (2,), b"\x7f\xa0\x00\x01\xff\x80\x00\x00"))  # a signalling nan keeps its bits
def test_arrays_come_back_in_native_order(folder, packing, file):
    """Arrays have the file's shape, its type in native byte order, and its numbers bit for bit; they can be written to."""
    pytest.importorskip("numpy")
    code, dims, raw = file
    path = folder / "array"
    path.write_bytes(PACKINGS[packing](header(code, *dims) + raw))
    array = read_idx(path)
    assert array.shape == dims and array.dtype.isnative and array.dtype.name == idx.TYPES[code][0]
    letter = CODES[code].upper() if code in (0x0D, 0x0E) else CODES[code]
    bits = {"F": "I", "D": "Q"}.get(letter, letter)  # floats are compared as bit patterns: nan is not nan
    count = len(raw) // struct.calcsize(bits)
    assert array.tobytes() == struct.pack(f"={count}{bits}", *struct.unpack(f">{count}{bits}", raw))
    assert array.flags.writeable and array.flags.aligned and array.flags.c_contiguous


def test_images_can_be_cut_out_without_numpy(tmp_path):
    """As the docstring says: image k of height x width bytes is a slice, and its items are integers."""
    (tmp_path / "images").write_bytes(header(0x08, 3, 2, 2) + bytes(range(12)))
    _, content = read_bytes(str(tmp_path / "images"))
    assert list(content[4 * 1 : 4 * 2]) == [4, 5, 6, 7]


# --- bad files -------------------------------------------------------------------------------------------------------

GOOD = header(0x08, 300, 28, 28) + random.Random(0).randbytes(300 * 784)
PACKED = gzipped(GOOD)
BIG = 2**32 - 1
ZEROS = gzipped(bytes(10_000_000))


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]


BAD = {
    # what                             content                                          words
    "empty":                          (b"",                                             "it begins with nothing"),
    "two bytes":                      (b"\0\0",                                         "it begins with 00 00"),
    "three bytes":                    (b"\0\0\x08",                                     "it begins with 00 00 08"),
    "text":                           (b"<html>Not found</html>",                       "it begins with 3c 68 74 6d"),
    "first magic byte":               (b"\x01" + GOOD[1:],                              "begins with 01 00 08 03"),
    "second magic byte":              (b"\0\x01" + GOOD[2:],                            "begins with 00 01 08 03"),
    "type 0":                         (b"\0\0\0\x03" + GOOD[4:],                        "0x00; IDX knows 0x08, 0x09, 0x0B"),
    "type 0x0A":                      (b"\0\0\x0a\x03" + GOOD[4:],                      "unknown type code 0x0A"),
    "type 0xFF":                      (b"\0\0\xff\x03" + GOOD[4:],                      "unknown type code 0xFF"),
    "another type":                   (b"\0\0\x0b\x03" + GOOD[4:],                      "300 x 28 x 28 int16, 470,416 bytes"),
    "no dimensions":                  (b"\0\0\x08\0",                                   "0 dimensions; 1 to 32 can be read"),
    "no dimensions, one number":      (b"\0\0\x08\0\x07",                               "declares 0 dimensions"),
    "33 dimensions":                  (header(0x08, *[1] * 33) + b"\0",                 "declares 33 dimensions"),
    "255 dimensions":                 (header(0x08, *[1] * 255) + b"\0",                "declares 255 dimensions"),
    "header cut after the magic":     (GOOD[:4],                                        "dimensions has 16 bytes, not 4"),
    "header cut inside a dimension":  (GOOD[:15],                                       "dimensions has 16 bytes, not 15"),
    "a dimension of 0":               (header(0x08, 5, 0, 28),                          "5 x 0 x 28 numbers; every dimension"),
    "0 beside a huge one":            (header(0x08, BIG, 0),                            "every dimension must be at least 1"),
    "no content":                     (GOOD[:16],                                       "300 x 28 x 28 uint8, 235,216 bytes"),
    "one byte short":                 (GOOD[:-1],                                       "but holds 235,215; get it again"),
    "one byte more":                  (GOOD + b"\0",                                    "it declares 300 x 28 x 28 uint8"),
    "one image more":                 (GOOD + bytes(784),                               "is too long"),
    "a huge dimension":               (header(0x08, BIG) + bytes(100),                  "it declares 4294967295 uint8"),
    "dimensions that wrap 64 bits":   (header(0x08, 2**31, 2**31, 4) + bytes(100),      "is cut off"),
    "a product that wraps to fit":    (header(0x0E, 2**31, 2**31) + bytes(100),         "is cut off"),
    "32 huge dimensions":             (header(0x0E, *[BIG] * 32) + bytes(100),          "is cut off"),
    "gzip of nothing":                (gzipped(b""),                                    "it begins with nothing"),
    "gzip of text":                   (gzipped(b"<html>"),                              "it begins with 3c 68 74 6d"),
    "gzip of gzip":                   (gzipped(PACKED),                                 "it begins with 1f 8b"),
    "gzip of a header":               (gzipped(GOOD[:16]),                              "is cut off"),
    "gzip of half a header":          (gzipped(GOOD[:7]),                               "dimensions has 16 bytes, not 7"),
    "gzip of one byte short":         (gzipped(GOOD[:-1]),                              "but holds 235,215"),
    "gzip of one byte more":          (gzipped(GOOD + b"\0"),                           "is too long"),
    "gzip magic alone":               (PACKED[:2],                                      "its gzip data ends early"),
    "gzip header alone":              (PACKED[:10],                                     "its gzip data ends early"),
    "gzip cut in the middle":         (PACKED[: len(PACKED) // 2],                      "its gzip data ends early"),
    "gzip without its trailer":       (PACKED[:-8],                                     "its gzip data ends early"),
    "gzip cut before the last byte":  (PACKED[:-1],                                     "its gzip data ends early"),
    "gzip with another method":       (flipped(PACKED, 2),                              "gzip says unknown compression method"),
    "gzip with a reserved flag":      (PACKED[:3] + b"\xe0" + PACKED[4:],               "gzip says unknown header flags set"),
    "gzip with a broken block":       (PACKED[:10] + b"\xff" + PACKED[11:],             "gzip says invalid block type"),
    "gzip with a flipped bit":        (flipped(PACKED, len(PACKED) // 2),               "gzip says"),
    "gzip with a wrong checksum":     (flipped(PACKED, len(PACKED) - 8),                "gzip says incorrect data check"),
    "gzip with a wrong length":       (flipped(PACKED, len(PACKED) - 4),                "gzip says incorrect length check"),
    "gzip with garbage behind it":    (PACKED + b"garbage",                             "gzip says incorrect header check"),
    "gzip with zeros behind it":      (PACKED + bytes(512),                             "gzip says incorrect header check"),
    "gzip with a byte behind it":     (PACKED + b"\x1f",                                "its gzip data ends early"),
    "gzip of a huge dimension":       (gzipped(header(0x08, BIG) + bytes(100)),         "declares 4294967295 uint8"),
    "gzip of 32 huge dimensions":     (gzipped(header(0x0E, *[BIG] * 32) + bytes(100)), "if you trust it, unpack it"),
    "a bomb behind a small header":   (gzipped(header(0x08, 1000)) + ZEROS * 100,       "is too long: it declares 1000"),
    "a bomb as it declares":          (gzipped(header(0x08, 10**9)) + ZEROS * 100,      "if you trust it, unpack it"),
    "64 MB declared, a little there": (gzipped(header(0x08, 64_000_000) + bytes(100)),  "but holds 108"),
    "60 MB declared, 50 MB there":    (gzipped(header(0x08, 60_000_000)) + ZEROS * 5,   "but holds 50,000,008"),
    "half a million empty members":   (gzipped(b"") * 500_000,                          "it begins with nothing"),
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Every bad file in a folder, named by its number."""
    folder = tmp_path_factory.mktemp("corpus")
    paths = {}
    for number, (name, (content, _)) in enumerate(BAD.items()):
        paths[name] = folder / f"{number:02d}"
        paths[name].write_bytes(content)
    return paths


@pytest.mark.parametrize("read", [read_header, read_bytes, read_idx])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_a_sentence(corpus, name, read):
    """ValueError with the path and the reason, whatever one asks for; nothing else, and in one line."""
    if read is read_idx:
        pytest.importorskip("numpy")
    with pytest.raises(ValueError) as caught:
        read(corpus[name])
    assert str(caught.value).startswith(str(corpus[name])) and BAD[name][1] in str(caught.value)
    assert "\n" not in str(caught.value)


MEASURE = """
import sys, time, resource
from micrograd_lite.data.idx import read_bytes
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))      # so that a fault fails here, and not the machine
for path in sys.argv[1:]:
    start = time.process_time()
    try:
        read_bytes(path)
    except ValueError:
        pass
    else:
        sys.exit(f"{path} was read")
    if time.process_time() - start > 2.0:
        sys.exit(f"{path} took {time.process_time() - start:.1f} s")
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024)
print(grown, sorted({"numpy", "pooch"} & set(sys.modules)))
"""


def test_bad_files_cost_little(corpus):
    """Each of them is refused within 2 s, all of them within 50 MB, and without NumPy."""
    pytest.importorskip("resource")
    command = [sys.executable, "-c", MEASURE, *map(str, corpus.values())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    grown, _, modules = done.stdout.strip().partition(" ")
    assert int(grown) < 50e6 and modules == "[]"


@given(at=st.integers(0, 8 * 400 - 1))
def test_a_flipped_bit_never_passes_unnoticed_in_gzip(folder, at):
    """Any single flipped bit of a packed file is a ValueError, or touches only what gzip does not use (time, system, flags)."""
    content = header(0x08, 300) + random.Random(1).randbytes(300)
    packed = bytearray(gzipped(content))
    packed[at // 8 % len(packed)] ^= 1 << at % 8
    path = folder / "flipped"
    path.write_bytes(packed)
    with suppress(ValueError):
        found, data = read_bytes(path)
        assert found.encoded() + data == content and at // 8 % len(packed) < 10


@given(content=st.binary(max_size=60), packed=st.booleans())
def test_any_bytes_are_a_sentence_or_a_file(folder, content, packed):
    """Arbitrary bytes behind a plausible beginning: a ValueError, or exactly what the header declares."""
    path = folder / "any"
    path.write_bytes(gzipped(b"\0\0\x08" + content) if packed else b"\0\0\x08" + content)
    with suppress(ValueError):
        found, data = read_bytes(path)
        assert found.encoded() + data == b"\0\0\x08" + content


# --- what is not a file ----------------------------------------------------------------------------------------------

def test_a_folder_is_refused(tmp_path):
    """A ValueError that names it."""
    with pytest.raises(ValueError, match="is not a regular file; give the path of an IDX file") as caught:
        read_header(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    """In a process of its own, so that a reader that waits fails here after 10 s."""
    os.mkfifo(tmp_path / "pipe")
    program = f"from micrograd_lite.data.idx import read_bytes; read_bytes({str(tmp_path / 'pipe')!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=10)
    assert done.stderr.strip().endswith("pipe is not a regular file; give the path of an IDX file, plain or packed with gzip")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="this system has no /dev/zero")
def test_an_endless_device_is_refused():
    """/dev/zero begins with two zero bytes and never ends."""
    with pytest.raises(ValueError, match="/dev/zero is not a regular file"):
        read_header("/dev/zero")


def test_what_is_not_there_is_named(tmp_path):
    """FileNotFoundError as it comes, with the path; a dangling link likewise."""
    with pytest.raises(FileNotFoundError) as caught:
        read_bytes(tmp_path / "none")
    assert str(caught.value.filename) == str(tmp_path / "none")
    (tmp_path / "link").symlink_to(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "link")


def test_a_path_is_a_path():
    """An integer is no file descriptor here."""
    with pytest.raises(TypeError):
        read_header(0)


SPARSE = """
import resource, sys
from micrograd_lite.data.idx import read_bytes, read_header
resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))      # a system that promises any memory would take it all
print(read_header(sys.argv[1]).size)
read_bytes(sys.argv[1])
"""


def test_a_sparse_file_that_fits_no_memory_is_refused(tmp_path):
    """The disk says that 2^42 bytes are there, as the header does: the header is sound, but the content is a ValueError."""
    pytest.importorskip("resource")
    path = tmp_path / "sparse"
    path.write_bytes(header(0x08, 2**21, 2**21))
    try:
        os.truncate(path, 12 + 2**42)
    except OSError as error:
        pytest.skip(f"no sparse files of 4 TB here: {error}")
    done = subprocess.run([sys.executable, "-c", SPARSE, str(path)], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == str(2**42)
    assert done.stderr.strip().endswith("ValueError: " + str(path) + ": its 4,398,046,511,104 bytes do not fit into memory")


@pytest.mark.parametrize("change", [lambda file: file.truncate(100), lambda file: (file.seek(0, 2), file.write(b"more"))],
                         ids=["shorter", "longer"])  # fmt: skip
def test_a_file_that_changes_between_check_and_reading_is_refused(tmp_path, monkeypatch, change):
    """Another program may write to the file after its check: a sentence, and no array with a wrong end."""
    path, check = tmp_path / "changing", idx._checked
    path.write_bytes(GOOD)

    def check_and_be_overtaken(file):
        found = check(file)
        with open(path, "r+b") as other:
            change(other)
        return found

    monkeypatch.setattr(idx, "_checked", check_and_be_overtaken)
    with pytest.raises(ValueError, match="changing changed while it was read; read it again"):
        read_bytes(path)
