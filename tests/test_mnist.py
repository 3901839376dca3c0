"""MNIST: where it is looked for, what is accepted, and what a download leaves behind, whatever the mirror does."""

import gc
import gzip
import hashlib
import io
import os
import random
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import loopback
from loopback import Mirror
from micrograd_lite.data.idx import read_header
from micrograd_lite.data.mnist import FILES, MIRRORS, File, fetch, mnist, mnist_bytes, mnist_files

DATA = os.environ.get("MICROGRAD_LITE_DATA")
QUICK = 1.0  # seconds of patience with a silent mirror: on the loopback an answer takes a thousandth of that
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def little(count, seed, shape=(28, 28)):
    """An IDX file of `count` random images, or labels when the shape is ()."""
    size = count * 28 * 28 if shape else count
    head = struct.pack(f">HBB{1 + len(shape)}I", 0, 0x08, 1 + len(shape), count, *shape)
    return head + random.Random(seed).randbytes(size)


# A data set of the same kind as MNIST but small, packed as its mirrors would.
CONTENTS = dict(zip((file.name for file in FILES), (little(30, 0), little(30, 1, ()), little(10, 2), little(10, 3, ()))))
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in CONTENTS.items()}
LITTLE = tuple(File(name, len(PACKED[f"{name}.gz"]), hashlib.sha256(PACKED[f"{name}.gz"]).hexdigest(),
                    hashlib.sha256(content).hexdigest()) for name, content in CONTENTS.items())  # fmt: skip
FIRST, SECOND, THIRD, FOURTH = CONTENTS


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home and a cache of its own for every test, no proxy, and no socket left open behind it."""
    monkeypatch.delenv("MICROGRAD_LITE_DATA", raising=False)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / ".cache"))
    yield tmp_path / "home"
    gc.collect()


@pytest.fixture
def pooch():
    """Downloads need these packages; without them the tests that download are skipped."""
    pytest.importorskip("requests")
    pytest.importorskip("tqdm")
    return pytest.importorskip("pooch")


def filled(folder, contents=CONTENTS, packed=False):
    """The folder, with these files in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / f"{name}.gz" if packed else folder / name).write_bytes(gzip.compress(content) if packed else content)
    return folder


def names(folder):
    """The names of the files in a folder, sorted; [] when there is no folder."""
    return sorted(path.name for path in folder.glob("*"))


def refused_port():
    """The address of a mirror that does not exist: a port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


# --- the table -------------------------------------------------------------------------------------------------------

def test_there_are_two_mirrors_and_four_files_with_their_checksums():
    """The mirrors are on different hosts and encrypted; each checksum is a sha256, and no two are the same."""
    assert len({mirror.split("/")[2] for mirror in MIRRORS}) == len(MIRRORS) >= 2
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in MIRRORS)
    sums = [checksum for file in FILES for checksum in (file.packed_sha256, file.sha256)]
    assert len(set(sums)) == 8 and all(len(bytes.fromhex(checksum)) == 32 for checksum in sums)


# --- files that are there --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_four_files_in_a_folder_are_found(tmp_path, packed):
    """Plain or packed (with another gzip than the mirrors'), as paths and as bytes; nothing is written."""
    folder = filled(tmp_path / "here", packed=packed)
    before = names(folder)
    paths = mnist_files(folder, LITTLE)
    assert paths == [folder / (f"{name}.gz" if packed else name) for name in CONTENTS]
    assert fetch(str(folder), (), LITTLE) == paths
    assert [bytes(part) for part in mnist_bytes(folder, files=LITTLE)] == [
        content[16 if "images" in name else 8 :] for name, content in CONTENTS.items()]
    assert names(folder) == before


def test_arrays_have_the_shapes_of_the_files(tmp_path):
    """uint8 images (n, 28, 28) and labels (n,), in the order train images, train labels, test images, test labels."""
    pytest.importorskip("numpy")
    data = mnist(filled(tmp_path / "here"), files=LITTLE)
    assert [part.shape for part in data] == [(30, 28, 28), (30,), (10, 28, 28), (10,)]
    assert {part.dtype.name for part in data} == {"uint8"} and all(part.flags.writeable for part in data)
    assert data.test_images.tobytes() == CONTENTS[THIRD][16:] and data.train_labels.tobytes() == CONTENTS[SECOND][8:]


def test_places_are_searched_in_order(tmp_path, monkeypatch, home):
    """root, $MICROGRAD_LITE_DATA/mnist, $MICROGRAD_LITE_DATA itself, the user's cache: the first with any file decides."""
    data, root = tmp_path / "data", tmp_path / "root"
    monkeypatch.setenv("MICROGRAD_LITE_DATA", str(data))
    with pytest.raises(FileNotFoundError) as caught:
        mnist_files(root, LITTLE)
    places = [root, data / "mnist", data, home / ".cache" / "micrograd-lite" / "mnist"]
    assert ", nor in ".join(map(str, places)) in str(caught.value) or sys.platform != "linux"
    for place in reversed(places[:3] if sys.platform != "linux" else places):
        filled(place)
        assert {path.parent for path in mnist_files(root, LITTLE)} == {place}


@pytest.mark.parametrize("read", [mnist_files, mnist_bytes, mnist])
@pytest.mark.parametrize("missing", CONTENTS)
def test_a_folder_with_a_missing_file_is_named(tmp_path, read, missing):
    """FileNotFoundError names folder, file and remedy, although another place has them all; nothing is written."""
    if read is mnist:
        pytest.importorskip("numpy")
    folder = filled(tmp_path / "part", {name: CONTENTS[name] for name in CONTENTS if name != missing})
    with pytest.raises(FileNotFoundError) as caught:
        read(folder, files=LITTLE)
    remedy = f"put it there, or download it with `micrograd-lite data mnist --root {folder}`"
    assert str(caught.value) == f"{folder} lacks {missing} (or its .gz): {remedy}"
    assert missing not in names(folder) and len(names(folder)) == 3


@pytest.mark.parametrize("read", [mnist_files, mnist_bytes, mnist, lambda root, files: fetch(root, (), files)])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_damaged_file_is_named_and_kept(tmp_path, read, packed):
    """One changed pixel is enough: ValueError with the path and both checksums; the file stays for its owner to judge."""
    if read is mnist:
        pytest.importorskip("numpy")
    spoilt = CONTENTS[THIRD][:-1] + bytes([CONTENTS[THIRD][-1] ^ 1])
    folder = filled(tmp_path / "spoilt", {**CONTENTS, THIRD: spoilt}, packed)
    path = folder / (f"{THIRD}.gz" if packed else THIRD)
    before = path.read_bytes()
    with pytest.raises(ValueError) as caught:
        read(folder, files=LITTLE)
    assert str(caught.value) == (
        f"{path} is not the original: the sha256 of its contents is {hashlib.sha256(spoilt).hexdigest()}, "
        f"expected {LITTLE[2].sha256}; delete it and download it again with `micrograd-lite data mnist --root {folder}`")
    assert path.read_bytes() == before


@pytest.mark.parametrize("name, content, words", [
    (FIRST,  b"",                    f"{FIRST} is no IDX file: it begins with nothing"),
    (SECOND, CONTENTS[SECOND][:-1],  f"{SECOND} is cut off: it declares 30 uint8, 38 bytes with the header, but holds 37"),
    (SECOND, little(29, 1, ()),      f"{FIRST} has 30 images but "),
    (SECOND, little(29, 1, ()),      f"{SECOND} has 29 labels; replace the wrong one"),
    (THIRD,  little(11, 2),          f"{THIRD} has 11 images but "),
    (FOURTH, CONTENTS[SECOND],       f"{FOURTH} has 30 labels; replace the wrong one"),
])  # fmt: skip
def test_files_that_do_not_fit_are_named(tmp_path, name, content, words):
    """Not an IDX file, cut off, images and labels of different counts: the sentence says so before any checksum."""
    with pytest.raises(ValueError) as caught:
        mnist_bytes(filled(tmp_path / "odd", {**CONTENTS, name: content}), files=LITTLE)
    assert words in str(caught.value)


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    """What is there under the name must be a file."""
    folder = filled(tmp_path / "odd", {name: CONTENTS[name] for name in CONTENTS if name != FIRST})
    (folder / FIRST).mkdir()
    with pytest.raises(ValueError, match=f"{FIRST} is not a regular file"):
        mnist_files(folder, LITTLE)


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("numpy", "pooch", "requests", "tqdm")))       # None: the import fails
from micrograd_lite.data.mnist import File, fetch, mnist_bytes, mnist_files
files = [File(*row) for row in FILES]
print(len(mnist_files(sys.argv[1], files)), len(mnist_bytes(sys.argv[1], files=files)[0]))
fetch(sys.argv[2], files=files)
"""


def test_the_standard_library_is_enough_for_what_is_there(tmp_path):
    """Paths and bytes need no package; a download without pooch is a sentence with the folder to fill by hand."""
    program = WITHOUT.replace("FILES", repr([tuple(file) for file in LITTLE]))
    done = run(program, filled(tmp_path / "here"), tmp_path / "nowhere")
    assert done.stdout.split() == ["4", str(30 * 784)]
    folder = tmp_path / "nowhere"
    assert done.stderr.strip().endswith(
        f"FileNotFoundError: {folder / FIRST}.gz is missing: install pooch, which can download it, "
        f"or put MNIST's four files into {folder} yourself, plain or .gz")


def run(program, *arguments):
    """A Python of its own, at most 30 s."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


# --- downloads -------------------------------------------------------------------------------------------------------

def test_a_download_fills_the_folder(tmp_path, pooch):
    """Four right files under their names, readable for all, nothing beside them; a second time none is asked for."""
    folder = tmp_path / "new" / "folder"
    with Mirror(PACKED) as mirror:
        paths = fetch(folder, [mirror.url], LITTLE)
        assert paths == [folder / name for name in PACKED]
        assert {path.name: path.read_bytes() for path in paths} == PACKED and names(folder) == sorted(PACKED)
        assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o644}
        assert fetch(folder, [mirror.url], LITTLE) == mnist_files(folder, LITTLE) == paths
    assert mirror.asked == list(PACKED)


def test_mnist_downloads_what_is_nowhere(tmp_path, pooch):
    """Into the given root, or into the user's cache; from there the next call needs no mirror."""
    pytest.importorskip("numpy")
    with Mirror(PACKED) as mirror:
        assert mnist(tmp_path / "mine", [mirror.url.rstrip("/")], LITTLE).train_labels.shape == (30,)
        assert [len(part) for part in mnist_bytes(None, [mirror.url], LITTLE)] == [30 * 784, 30, 10 * 784, 10]
    assert names(tmp_path / "mine") == sorted(PACKED)
    cache = Path(pooch.os_cache("micrograd-lite"), "mnist")
    assert {path.parent for path in mnist_files(files=LITTLE)} == {cache} and names(cache) == sorted(PACKED)


def test_only_what_is_missing_is_downloaded(tmp_path, pooch):
    """An interrupted download goes on; files that are there are not asked for, nor touched."""
    folder = filled(tmp_path / "part", {name: CONTENTS[name] for name in (FIRST, FOURTH)})
    with Mirror(PACKED) as mirror:
        fetch(folder, [mirror.url], LITTLE)
    assert mirror.asked == [f"{SECOND}.gz", f"{THIRD}.gz"]
    assert names(folder) == sorted([FIRST, FOURTH, f"{SECOND}.gz", f"{THIRD}.gz"])


def test_a_half_filled_cache_is_filled(pooch):
    """In the cache, unlike in a folder of the user's, missing files are an interrupted download and no mistake."""
    cache = filled(Path(pooch.os_cache("micrograd-lite"), "mnist"), {FIRST: CONTENTS[FIRST]}, packed=True)
    with pytest.raises(FileNotFoundError, match=r"`micrograd-lite data mnist.*` downloads it"):
        mnist_files(files=LITTLE)
    with Mirror(PACKED) as mirror:
        mnist_bytes(None, [mirror.url], LITTLE)
    assert names(cache) == sorted(PACKED) and mirror.asked == list(PACKED)[1:]


@pytest.mark.parametrize("fault", loopback.FAULTS, ids=lambda fault: fault.__name__)
def test_a_bad_mirror_is_left_for_the_next(tmp_path, pooch, fault):
    """Whatever the first mirror does, the second one's file gets the name, and nothing else is left in the folder."""
    with Mirror(PACKED, fault) as bad, Mirror(PACKED) as good:
        fetch(tmp_path / "new", [bad.url, good.url], LITTLE[1:2] * 2, timeout=QUICK)
    assert not bad.server.overdue and set(bad.asked) == {f"{SECOND}.gz"} and good.asked == [f"{SECOND}.gz"]
    assert names(tmp_path / "new") == [f"{SECOND}.gz"]
    assert (tmp_path / "new" / f"{SECOND}.gz").read_bytes() == PACKED[f"{SECOND}.gz"]


@pytest.mark.parametrize("fault", loopback.FAULTS, ids=lambda fault: fault.__name__)
def test_when_no_mirror_helps_nothing_is_left(tmp_path, pooch, fault):
    """ConnectionError in one line that names file, mirror and folder; the folder is empty; one file is tried, not four."""
    with Mirror(PACKED, fault) as bad, pytest.raises(ConnectionError) as caught:
        fetch(tmp_path / "new", [bad.url], LITTLE, timeout=QUICK)
    assert str(caught.value).startswith(f"no mirror gives {FIRST}.gz ({bad.url}: ")
    assert str(caught.value).endswith(f"): put MNIST's four files into {tmp_path / 'new'} yourself, plain or .gz")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    assert names(tmp_path / "new") == [] and set(bad.asked) == {f"{FIRST}.gz"} and not bad.server.overdue


@pytest.mark.parametrize("read", [mnist, mnist_bytes, fetch])
def test_offline_is_one_sentence_that_names_the_folder(read, pooch):
    """Nobody listens: which file, which mirrors, and the folder of the user's cache where the files can be put by hand."""
    pytest.importorskip("numpy")
    mirrors = [refused_port(), refused_port()]
    with pytest.raises(ConnectionError) as caught:
        read(None, mirrors, LITTLE)
    folder = Path(pooch.os_cache("micrograd-lite"), "mnist")
    assert str(caught.value) == (f"no mirror gives {FIRST}.gz ({mirrors[0]}: ConnectionError; {mirrors[1]}: ConnectionError): "
                                 f"put MNIST's four files into {folder} yourself, plain or .gz")


def test_the_reasons_can_be_acted_on(tmp_path, pooch):
    """A wrong checksum shows both, a missing file its status."""
    with Mirror(PACKED, loopback.wrong_bytes) as wrong, Mirror({}) as lacking, pytest.raises(ConnectionError) as caught:
        fetch(tmp_path, [wrong.url, lacking.url], LITTLE)
    assert f"expected sha256:{LITTLE[0].packed_sha256} but got " in str(caught.value)
    assert "404 Client Error: Not Found" in str(caught.value)


def test_an_endless_answer_is_cut_short(tmp_path, pooch):
    """A mirror cannot fill the disk: the connection is closed long before the 64 MB that it would send."""
    sent = []

    def endless(handler, content):
        loopback.start(handler, None)
        for number in range(1000):
            handler.wfile.write(bytes(1 << 16))
            sent.append(number)

    with Mirror(PACKED, endless) as mirror, pytest.raises(ConnectionError, match="more bytes than expected"):
        fetch(tmp_path, [mirror.url], LITTLE)
    assert len(sent) < 500  # the system's socket buffers hold a few MB


def test_a_right_archive_of_wrong_contents_is_refused(tmp_path, pooch):
    """The archive's checksum fits but its contents' does not: a ValueError that names the file."""
    files = [LITTLE[0]._replace(sha256="0" * 64), *LITTLE[1:]]
    with Mirror(PACKED) as mirror, pytest.raises(ValueError, match=f"{FIRST}.gz is not the original: .* expected {'0' * 64};"):
        fetch(tmp_path, [mirror.url], files)


def test_a_folder_that_cannot_be_written_is_named(tmp_path, pooch):
    """A file where the folder should be: an OSError with the path, no matter how many mirrors there are."""
    (tmp_path / "file").write_bytes(b"mine")
    with Mirror(PACKED) as mirror, pytest.raises(NotADirectoryError) as caught:
        fetch(tmp_path / "file", [mirror.url, mirror.url], LITTLE)
    assert str(caught.value) == f"cannot download {tmp_path / 'file' / FIRST}.gz: Not a directory"
    assert (tmp_path / "file").read_bytes() == b"mine" and mirror.asked == []


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
from micrograd_lite.data.mnist import File, fetch
fetch(sys.argv[1], sys.argv[2:], [File(*row) for row in FILES])
"""


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path, pooch):
    """No file may grow beyond 4 kB: an OSError with the path, only the first mirror is asked, nothing is left behind."""
    pytest.importorskip("resource")
    program = FULL.replace("FILES", repr([tuple(file) for file in LITTLE]))
    with Mirror(PACKED) as mirror:
        done = run(program, tmp_path / "new", mirror.url, mirror.url)
    assert done.stderr.strip().endswith(f"OSError: cannot download {tmp_path / 'new' / FIRST}.gz: File too large")
    assert names(tmp_path / "new") == [] and len(mirror.asked) == 1


FETCH = """
import sys
from micrograd_lite.data.mnist import File, fetch
fetch(sys.argv[1], sys.argv[2:], [File(*row) for row in FILES])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
@pytest.mark.parametrize("sent", [0, 1, 10_000, -1], ids=["head", "one byte", "half", "all but one byte"])
def test_kill_half_way_leaves_no_file_under_its_name(tmp_path, pooch, sent):
    """After kill -9 in the middle of an answer the name is free, and the next download completes the folder."""
    under_way = threading.Event()

    def part(handler, content):
        loopback.start(handler, len(content))
        handler.wfile.write(content[:sent])
        under_way.set()
        loopback.wait(handler)

    folder = tmp_path / "new"
    program = FETCH.replace("FILES", repr([tuple(file) for file in LITTLE]))
    with Mirror(PACKED, part) as mirror, subprocess.Popen([sys.executable, "-c", program, folder, mirror.url]) as child:
        assert under_way.wait(loopback.PATIENCE)
        child.kill()
        assert child.wait(loopback.PATIENCE) == -signal.SIGKILL
    assert not set(names(folder)) & (set(PACKED) | set(CONTENTS))
    with Mirror(PACKED) as mirror:
        fetch(folder, [mirror.url], LITTLE)
    assert {name: (folder / name).read_bytes() for name in PACKED} == PACKED


@pytest.mark.parametrize("second", [loopback.right, loopback.wrong_bytes, loopback.short_body, loopback.hang_up],
                         ids=lambda answer: answer.__name__)  # fmt: skip
def test_two_downloads_at_once_leave_the_right_file(tmp_path, pooch, second):
    """Two fill one folder; both are answered only when both have asked. The one with a good answer leaves the right file."""
    both = threading.Barrier(2)
    errors = []

    def together(handler, content):
        (loopback.right, second)[both.wait(loopback.PATIENCE)](handler, content)

    def download():
        try:
            fetch(tmp_path / "new", [mirror.url], LITTLE[1:2] * 2)
        except ConnectionError as error:
            errors.append(error)

    with Mirror(PACKED, together) as mirror:
        threads = [threading.Thread(target=download) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * loopback.PATIENCE)
    assert len(mirror.asked) == 2 and len(errors) == (second is not loopback.right)
    assert names(tmp_path / "new") == [f"{SECOND}.gz"]
    assert (tmp_path / "new" / f"{SECOND}.gz").read_bytes() == PACKED[f"{SECOND}.gz"]


def test_where_nobody_watches_a_download_is_silent(tmp_path, pooch):
    """Not a word on stdout or stderr when they are no terminal, neither from us nor from pooch."""
    with Mirror(PACKED) as mirror:
        done = run(FETCH.replace("FILES", repr([tuple(file) for file in LITTLE])), tmp_path, mirror.url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "") and names(tmp_path) == sorted(PACKED)


class Terminal(io.StringIO):
    """A stderr that somebody watches."""

    def isatty(self):
        return True


def test_a_terminal_sees_a_bar(tmp_path, pooch, monkeypatch):
    """One bar per file with its name, full at the end."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Mirror(PACKED) as mirror:
        fetch(tmp_path, [mirror.url], LITTLE)
    assert all(f"{name}: 100%" in sys.stderr.getvalue() for name in PACKED)


# --- the real thing --------------------------------------------------------------------------------------------------

@pytest.fixture
def real(monkeypatch):
    """The real MNIST, where $MICROGRAD_LITE_DATA says."""
    if not DATA:
        pytest.skip("MICROGRAD_LITE_DATA does not say where MNIST is")
    monkeypatch.setenv("MICROGRAD_LITE_DATA", DATA)


def test_real_mnist_is_what_everybody_knows(real):
    """70,000 images, the first labels 5 0 4 1 9 and 7 2 1 0 4, and the mean grey level .1307 that is quoted everywhere."""
    np = pytest.importorskip("numpy")
    data = mnist()
    assert [part.shape for part in data] == [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]
    assert list(data.train_labels[:5]) == [5, 0, 4, 1, 9] and list(data.test_labels[:5]) == [7, 2, 1, 0, 4]
    assert round(float(data.train_images.mean(dtype=np.float64)) / 255, 4) == 0.1307
    assert np.bincount(data.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_real_mnist_without_numpy(real):
    """The same bytes by the standard library."""
    parts = mnist_bytes()
    assert [len(part) for part in parts] == [47_040_000, 60_000, 7_840_000, 10_000]
    assert sorted(set(parts[3])) == list(range(10))
    assert [read_header(path).dims for path in mnist_files()] == [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]
