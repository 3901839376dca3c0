"""MNIST: 70,000 handwritten digits of 28 x 28 grey levels, the data set on which every network is tried once.

The data (LeCun, Cortes and Burges, CC BY-SA 3.0) is looked for in a folder of yours, then where $MICROGRAD_LITE_DATA points,
then in the user's cache, and downloaded when it is in none of them. Wherever the four files come from, plain or packed with
gzip, the checksums of their contents decide whether they are used.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd_lite.data.idx import Header, read_bytes

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

    Root = str | os.PathLike[str] | None


class File(NamedTuple):
    """One file: its name, its bytes and sha256 as the mirrors serve it (name + ".gz"), the sha256 of what is inside."""
    name: str
    packed_size: int
    packed_sha256: str
    sha256: str


FILES = (
    File("train-images-idx3-ubyte", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                                               "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    File("train-labels-idx1-ubyte",    28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                                               "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    File("t10k-images-idx3-ubyte",  1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                                               "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    File("t10k-labels-idx1-ubyte",      4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                                               "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)  # fmt: skip
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")


class Mnist(NamedTuple):
    """MNIST as NumPy arrays of uint8: images (60000 or 10000, 28, 28) with 0 for paper and 255 for ink, labels 0 to 9."""
    train_images: NDArray[uint8]
    train_labels: NDArray[uint8]
    test_images: NDArray[uint8]
    test_labels: NDArray[uint8]


def mnist(root: Root = None, mirrors: Sequence[str] = MIRRORS, files: Sequence[File] = FILES) -> Mnist:
    """Return MNIST as arrays, downloaded into `root` (else the user's cache) if it is nowhere yet.

    ValueError: a file is not the original. FileNotFoundError: a folder lacks some of the four. ConnectionError: no mirror has
    them; the sentence names the folder to fill by hand. Another data set of this kind needs its own `files` and `mirrors`.
    """
    import numpy as np

    contents = _contents(_found(root, files) or _filled(root, mirrors, files), files)
    return Mnist(*(np.frombuffer(content, np.uint8).reshape(header.dims) for header, content in contents))


def mnist_bytes(root: Root = None, mirrors: Sequence[str] = MIRRORS, files: Sequence[File] = FILES) -> list[memoryview]:
    """Return the four as for `mnist`, but as bytes and without NumPy: image k is `images[784 * k : 784 * (k + 1)]`."""
    return [content for _, content in _contents(_found(root, files) or _filled(root, mirrors, files), files)]


def mnist_files(root: Root = None, files: Sequence[File] = FILES) -> list[Path]:
    """Return the four verified paths, plain or .gz, without any download; errors as for `mnist`."""
    paths = _found(root, files)
    if not paths:
        raise FileNotFoundError(f"MNIST is not in {', nor in '.join(map(str, _folders(root)))}: {_command(root)} downloads it")
    _contents(paths, files)
    return paths


def is_original(part: str, images: NDArray[uint8], labels: NDArray[uint8]) -> bool:
    """Are these the images and labels of MNIST's `train` or `test` part, all of them as the files have them?"""
    for table, file in zip((images, labels), FILES[:2] if part == "train" else FILES[2:]):
        found = hashlib.sha256(Header(0x08, table.shape).encoded())
        found.update(table.data if table.flags.c_contiguous else table.tobytes())
        if found.hexdigest() != file.sha256:
            return False
    return True


def fetch(root: Root = None, mirrors: Sequence[str] = MIRRORS, files: Sequence[File] = FILES, timeout: float = 20) -> list[Path]:
    """Return the four verified paths in `root`, downloading what is missing there; errors as for `mnist`.

    Without `root`, any folder that has them will do, else the user's cache is filled. A mirror that is silent for `timeout`
    seconds is given up for the next. A file has its final name only when its checksum is right.
    """
    paths = (root is None and _found(None, files)) or _filled(root, mirrors, files, timeout)
    _contents(paths, files)
    return paths


def _command(root: Root) -> str:
    """What somebody types to download the four files."""
    return "`micrograd-lite data mnist" + (f" --root {shlex.quote(str(root))}`" if root is not None else "`")


def _folders(root: Root) -> Iterator[Path]:
    if root is not None:
        yield Path(root)
    if data := os.environ.get("MICROGRAD_LITE_DATA"):
        yield from (Path(data, "mnist"), Path(data))
    yield _cache()


def _cache() -> Path:
    try:
        from pooch import os_cache
    except ImportError:  # the same place, on Linux
        return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "micrograd-lite", "mnist")
    return Path(os_cache("micrograd-lite"), "mnist")


def _found(root: Root, files: Sequence[File]) -> list[Path]:
    """The paths in the first folder that has any of them; [] when there is none, or a download in the cache to finish."""
    for folder in _folders(root):
        paths = [path for file in files if (path := _present(folder, file))]
        if len(paths) == len(files):
            return paths
        if paths and folder != _cache():
            missing = next(file.name for file in files if not _present(folder, file))
            remedy = f"put it there, or download it with {_command(folder)}"
            raise FileNotFoundError(f"{folder} lacks {missing} (or its .gz): {remedy}")
    return []


def _present(folder: Path, file: File) -> Path | None:
    return next((path for path in (folder / file.name, folder / f"{file.name}.gz") if path.exists()), None)


def _contents(paths: Sequence[Path], files: Sequence[File]) -> list[tuple[Header, memoryview]]:
    contents = [read_bytes(path) for path in paths]
    for k in range(0, len(paths), 2):
        if (images := contents[k][0].dims[0]) != (labels := contents[k + 1][0].dims[0]):
            raise ValueError(f"{paths[k]} has {images:,} images but {paths[k + 1]} has {labels:,} labels; replace the wrong one")
    for path, file, (header, content) in zip(paths, files, contents):
        if (digest := hashlib.sha256(header.encoded() + content).hexdigest()) != file.sha256:
            raise ValueError(f"{path} is not the original: the sha256 of its contents is {digest}, expected {file.sha256}; "
                             f"delete it and download it again with {_command(path.parent)}")
    return contents


def _filled(root: Root, mirrors: Sequence[str], files: Sequence[File], timeout: float = 20.0) -> list[Path]:
    folder = _cache() if root is None else Path(root)
    return [_present(folder, file) or _downloaded(file, folder, mirrors, timeout) for file in files]


def _downloaded(file: File, folder: Path, mirrors: Sequence[str], timeout: float) -> Path:
    path, by_hand = folder / f"{file.name}.gz", f"put MNIST's four files into {folder} yourself, plain or .gz"
    try:
        import pooch
        import requests
        from tqdm import tqdm
    except ImportError as error:
        raise FileNotFoundError(f"{path} is missing: install {error.name}, which can download it, or {by_hand}") from error

    def receive(url: str, part: str, _: Any) -> None:
        bar = tqdm(total=file.packed_size, desc=path.name, unit="B", unit_scale=True, disable=None)  # None: no terminal, no bar
        with bar, requests.get(url, stream=True, timeout=timeout) as response, open(part, "wb") as stream:
            response.raise_for_status()
            for chunk in response.iter_content(1 << 14):
                bar.update(stream.write(chunk))
                if stream.tell() > file.packed_size:  # a mirror must not fill the disk
                    raise ValueError("more bytes than expected")
        os.chmod(part, 0o644)  # pooch makes private files

    pooch.get_logger().setLevel("WARNING")  # it would announce each download, on a terminal or not
    reasons = []
    for mirror in mirrors:
        try:
            pooch.retrieve(f"{mirror.rstrip('/')}/{path.name}", f"sha256:{file.packed_sha256}", path.name, folder, None, receive)
            return path
        except (requests.RequestException, ValueError) as error:
            telling = isinstance(error, (ValueError, requests.HTTPError))  # the others' texts are for programmers
            reasons.append(f"{mirror}: {str(error).partition('. ')[0] if telling else type(error).__name__}")
        except OSError as error:
            raise type(error)(f"cannot download {path}: {error.strerror or error}") from error
    raise ConnectionError(f"no mirror gives {path.name} ({'; '.join(reasons)}): {by_hand}")
