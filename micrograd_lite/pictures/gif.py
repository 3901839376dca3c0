"""Frames into an animation, or a single one into a PNG: one palette for all frames, nothing lost, every frame kept.

Pillow compresses; this page puts the blocks together (GIF89a specification, CompuServe 1990), because `Image.save` merges equal
frames, writes a palette again with each frame, and searches each frame twice for what has changed.
"""

from __future__ import annotations

import io
import math
import os
import struct
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from micrograd_lite.pictures.canvas import Canvas
from micrograd_lite.pictures.palette import LIGHT, PALETTE, Indices, Theme
from micrograd_lite.text.files import write_whole

CLEAR = np.uint8(255)  # a number that the palette leaves unused
FIRST, LAST = 1000, 2000
"""How long the first and the last frame are shown, in milliseconds."""
LARGE = 5_000_000
"""Bytes from which on a file is said to be large before it is written."""


def write_gif(
    path: str | os.PathLike[str], frames: Iterable[Indices], milliseconds: int = 80, theme: Theme = LIGHT
) -> None:
    """Write tables of colour numbers, all of one shape, as an animation that repeats for ever.

    milliseconds: for each frame, rounded to 10 and at least 20 (players slow faster ones down); the first frame stays for
    one second, the last for two. The same array may be handed over again, changed. A file of more than 5 MB is a warning
    before it is written. ValueError without a frame; OSError names the path.
    """
    hundredths = _hundredths(milliseconds)
    blocks: list[bytes] = []
    shown: Indices | None = None
    for frame in frames:
        if shown is None:
            shown = frame.copy()
            blocks += [_header(frame, theme), b"", _picture(frame, 0, 0)]
            continue
        left, top, right, bottom = _changed(shown, frame)
        changed, under = frame[top:bottom, left:right], shown[top:bottom, left:right]
        # what stays as it was is left clear: where much noise stands still, a third of the bytes
        blocks += [_timing(hundredths), _picture(np.where(changed == under, CLEAR, changed), left, top)]
        under[...] = changed
    if shown is None:
        raise ValueError("an animation needs at least one frame")
    blocks[1] = _timing(max(hundredths, FIRST // 10))
    blocks[-2] = _timing(max(hundredths, LAST // 10))
    whole = b"".join(blocks) + b";"
    if len(whole) > LARGE:
        warnings.warn(f"{path} will have {len(whole) / 1e6:.1f} MB; fewer frames or a smaller size make it smaller", stacklevel=2)
    write_whole(path, whole)


def _hundredths(milliseconds: int) -> int:
    return max(2, round(milliseconds / 10))


def write_video(
    path: str | os.PathLike[str], frames: Iterable[Indices], milliseconds: int = 80, theme: Theme = LIGHT
) -> None:
    """Write the same as an MP4 file (H.264), exactly as long; an odd width or height gets one row of paper more.

    ValueError without a frame, or when the extra "video" is not installed; OSError names the path.
    """
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401 - imageio finds it by itself, but says so in a paragraph
    except ImportError as error:
        raise ValueError("MP4 files need imageio's ffmpeg plugin: pip install 'imageio[ffmpeg]'") from error
    each, first, last = (max(_hundredths(milliseconds), hold // 10) for hold in (0, FIRST, LAST))
    unit = math.gcd(each, first, last)  # the frame rate at which every time is a whole number of frames
    buffer, shown, count = io.BytesIO(), None, 0
    with imageio.get_writer(buffer, format="mp4", fps=100 / unit, macro_block_size=2, quality=8) as film:
        for frame in frames:
            if shown is not None:
                _append(film, shown, (first if count == 1 else each) // unit)
            shown, count = theme.palette[np.pad(frame, [(0, length % 2) for length in frame.shape])], count + 1
        if shown is not None:
            _append(film, shown, last // unit)
    if shown is None:
        raise ValueError("an animation needs at least one frame")
    write_whole(path, buffer.getvalue())


def _append(film: Any, picture: Indices, times: int) -> None:
    for _ in range(times):
        film.append_data(picture)


def write_png(path: str | os.PathLike[str], canvas: Canvas) -> None:
    """Write one picture. OSError names the path."""
    buffer = io.BytesIO()
    canvas.image().save(buffer, "PNG")
    write_whole(path, buffer.getvalue())


def _changed(shown: Indices, frame: Indices) -> tuple[int, int, int, int]:
    """The smallest box (left, top, right, bottom) around every change; one pixel where nothing has changed."""
    different = shown != frame
    rows = np.flatnonzero(different.any(axis=1))
    if not len(rows):
        return 0, 0, 1, 1
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(different[top:bottom].any(axis=0))
    return int(columns[0]), top, int(columns[-1]) + 1, bottom


def _header(frame: Indices, theme: Theme) -> bytes:
    """Signature, size, the palette of all frames, and the word that it repeats for ever."""
    height, width = frame.shape
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0b1111_0111, 0, 0) + theme.palette.tobytes()
        + b"!\xff\x0bNETSCAPE2.0" + struct.pack("<BBHB", 3, 1, 0, 0)
    )  # fmt: skip


def _timing(hundredths: int) -> bytes:
    """How long the next picture is shown; it is then left standing, and the one before shows where it is clear."""
    return b"!\xf9" + struct.pack("<BBHBB", 4, 0b0000_0101, hundredths, CLEAR, 0)


def _picture(pixels: Indices, left: int, top: int) -> bytes:
    """One picture block: where it stands, and its pixels as Pillow compresses them."""
    height, width = pixels.shape
    image = Image.frombytes("P", (width, height), pixels.tobytes())
    image.putpalette(PALETTE.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "GIF", optimize=False, interlace=0)  # colour numbers stay as they are, rows in order
    data = buffer.getvalue()
    start = 13 + 3 * 2 ** ((data[10] & 0b111) + 1)  # behind Pillow's own header and palette
    start = data.index(b",", start)  # and behind whatever it says before the picture
    return b"," + struct.pack("<HHHHB", left, top, width, height, 0) + data[start + 10 : -1]
