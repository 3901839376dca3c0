"""A canvas: a picture as a table of colour numbers, with boxes, lines, discs and text on it.

Places are pixels from the upper left corner, x to the right and y down. Lines and letters have soft edges: each edge
pixel becomes the palette's nearest colour to the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from micrograd_lite.pictures.palette import LIGHT, PAPER, PEN, Indices, Theme, mixed

Mask = NDArray[np.uint16]  # how strongly to colour each pixel: 0, 256, 512 ... 15 * 256

Line = tuple[tuple[float, float], tuple[float, float], float]

TEXT, LINE, LEAST = 13, 2.0, 9
"""The usual size of text and the usual width of a line, in units; the smallest text, in pixels."""
FIGURE_SPACE = "\u2007"
"""A blank as wide as a digit: it keeps a growing number in its place."""
_FINE = 4  # lines and discs are drawn four times as large and shrunk


class Canvas:
    """A picture of `pixels` (width, height) in the colours of a theme; `pixels[y, x]` is a colour number of its palette.

    Places are told in units of `scale` pixels, so that text and lines grow with a picture: `size` is in units.
    """

    def __init__(self, pixels: tuple[int, int], theme: Theme = LIGHT, scale: float = 1.0) -> None:
        self.pixels: Indices = np.full((pixels[1], pixels[0]), PAPER, dtype=np.uint8)
        self.theme, self.scale = theme, scale

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in units."""
        height, width = self.pixels.shape
        return int(width / self.scale), int(height / self.scale)

    def px(self, units: float) -> int:
        """The pixel at so many units from the edge."""
        return round(units * self.scale)

    def view(self, box: tuple[int, int, int, int]) -> Indices:
        """The pixels of a box (left, top, right, bottom), to be written to."""
        left, top, right, bottom = (self.px(place) for place in box)
        return self.pixels[top:bottom, left:right]

    def box(self, left: float, top: float, right: float, bottom: float, colour: int) -> None:
        """Fill columns left to right - 1 of rows top to bottom - 1; what has a width in units has at least one pixel."""
        if self.scale != 1.0:
            x, y = self.px(left), self.px(top)
            left, top, right, bottom = x, y, max(self.px(right), x + (right > left)), max(self.px(bottom), y + (bottom > top))
        self.pixels[max(round(top), 0) : max(round(bottom), 0), max(round(left), 0) : max(round(right), 0)] = colour

    def frame(self, left: float, top: float, right: float, bottom: float, colour: int) -> None:
        """A line one unit wide around the same box, outside of it."""
        self.box(left - 1, top - 1, right + 1, top, colour)
        self.box(left - 1, bottom, right + 1, bottom + 1, colour)
        self.box(left - 1, top, left, bottom, colour)
        self.box(right, top, right + 1, bottom, colour)

    def blend(self, x: int, y: int, mask: Mask, colour: int) -> None:
        """Lay `colour` over the pixels from (x, y) on, as strongly as the mask says. What sticks out is cut off."""
        height, width = self.pixels.shape
        if x < 0 or y < 0 or x + mask.shape[1] > width or y + mask.shape[0] > height:
            mask = mask[max(-y, 0) : max(height - y, 0), max(-x, 0) : max(width - x, 0)]
            x, y = max(x, 0), max(y, 0)
        under = self.pixels[y : y + mask.shape[0], x : x + mask.shape[1]]
        mixed(colour, self.theme).take(mask + under, out=under, mode="clip")  # 3 x faster than [mask, under]

    def letters(self, text: str, size: int = TEXT) -> Mask:
        """The mask of a line of text, in pixels. `size` is in units of a theme with the usual text; 9 pixels at least."""
        return letters(text, max(round(size * self.scale * self.theme.text / TEXT), LEAST))

    def width(self, text: str, size: int = TEXT) -> int:
        """How wide a line of text is, in units."""
        return math.ceil(int(self.letters(text, size).shape[1]) / self.scale)

    def fitted(self, text: str, width: float, size: int = TEXT) -> str:
        """The text, cut with two dots where it would be wider than so many units."""
        text = text[:200]
        if self.width(text, size) <= width:
            return text
        while text and self.width(text + "..", size) > width:
            text = text[:-1]
        return text + ".." if text else ""

    def text(self, x: float, y: float, text: str, colour: int = PEN, size: int = TEXT, at: str = "left top") -> None:
        """Write one line; `at` says which point of it (left middle right, top centre bottom) stands at (x, y)."""
        across, down = at.split()
        mask = self.letters(text, size)
        left = x * self.scale - mask.shape[1] * {"left": 0.0, "middle": 0.5, "right": 1.0}[across]
        top = y * self.scale - mask.shape[0] * {"top": 0.0, "centre": 0.5, "bottom": 1.0}[down]
        self.blend(round(left), round(top), mask, colour)

    def text_up(self, x: float, y: float, text: str, colour: int = PEN, size: int = TEXT) -> None:
        """Write one line turned to read upwards, its middle at (x, y)."""
        mask = np.rot90(self.letters(text, size))
        left, top = x * self.scale - mask.shape[1] / 2, y * self.scale - mask.shape[0] / 2
        self.blend(round(left), round(top), mask, colour)

    def line(self, points: Sequence[tuple[float, float]], colour: int, width: float = 2.0) -> None:
        """A line through the points; a single point is a dot of that width."""
        if len(points) == 1:
            self.disc(*points[0], width / 2, colour)
            return
        width *= self.scale * self.theme.line / LINE
        points = [(px * self.scale, py * self.scale) for px, py in points] if self.scale != 1.0 else points
        x, y, drawing, image = self._fine(points, width)
        moved = [((px - x + 0.5) * _FINE, (py - y + 0.5) * _FINE) for px, py in points]
        drawing.line(moved, fill=255, width=max(round(width * _FINE), 1), joint="curve")
        self.blend(x, y, _shrunk(image), colour)

    def disc(self, x: float, y: float, radius: float, colour: int) -> None:
        """A filled circle around (x, y)."""
        x, y, radius = x * self.scale, y * self.scale, radius * self.scale
        left, top, drawing, image = self._fine([(x, y)], 2 * radius)
        cx, cy, r = (x - left + 0.5) * _FINE, (y - top + 0.5) * _FINE, radius * _FINE
        drawing.ellipse((cx - r, cy - r, cx + r, cy + r), fill=255)
        self.blend(left, top, _shrunk(image), colour)

    def lines(self, box: tuple[int, int, int, int], lines: Sequence[Line], colour: int) -> None:
        """Many straight lines (from, to, width) of one colour inside a box, drawn on one sheet twice as large."""
        if not lines:
            return
        left, top, right, bottom = (self.px(place) for place in box)
        image = Image.new("L", (2 * (right - left), 2 * (bottom - top)))
        drawing, by = ImageDraw.Draw(image), 2 * self.scale
        for start, end, width in lines:
            ends = [(x * by - 2 * left, y * by - 2 * top) for x, y in (start, end)]
            drawing.line(ends, fill=255, width=max(round(width * by * self.theme.line / LINE), 1))
        self.blend(left, top, _levels(np.asarray(image.reduce(2))), colour)

    def shape(self, points: Sequence[tuple[float, float]], colour: int) -> None:
        """A filled polygon."""
        points = [(x * self.scale, y * self.scale) for x, y in points]
        left, top, drawing, image = self._fine(points, 2.0)
        drawing.polygon([((x - left + 0.5) * _FINE, (y - top + 0.5) * _FINE) for x, y in points], fill=255)
        self.blend(left, top, _shrunk(image), colour)

    def _fine(self, points: Sequence[tuple[float, float]], width: float) -> tuple[int, int, ImageDraw.ImageDraw, Image.Image]:
        """A large black sheet around the points, and where its corner stands on the canvas."""
        margin = int(width) + 2
        xs, ys = [x for x, _ in points], [y for _, y in points]
        height, across = self.pixels.shape
        left, right = max(int(min(xs)) - margin, 0), min(int(max(xs)) + margin, across)
        top, bottom = max(int(min(ys)) - margin, 0), min(int(max(ys)) + margin, height)
        image = Image.new("L", (max(right - left, 1) * _FINE, max(bottom - top, 1) * _FINE))
        return left, top, ImageDraw.Draw(image), image

    def image(self) -> Image.Image:
        """The picture for Pillow, in palette mode."""
        height, width = self.pixels.shape
        image = Image.frombytes("P", (width, height), self.pixels.tobytes())
        image.putpalette(self.theme.palette.tobytes())
        return image


def _shrunk(image: Image.Image) -> Mask:
    return _levels(np.asarray(image.reduce(_FINE)))


def _levels(mask: Indices) -> Mask:
    """Grey levels 0 to 255 as 16 strengths, each times 256: where its row starts in the table of mixtures."""
    return (mask.astype(np.uint16) * 15 + 127) // 255 * np.uint16(256)


_ALSO = "«°±´·»‘’“”…‹›"
"""What the font has beyond ASCII."""

_SPELLED = {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "²": "2", "³": "3", "€": "EUR", "µ": "u",
            "μ": "u", "–": "-", "—": "-", "\u00a0": " "}  # fmt: skip
"""What is written with other letters."""

_MARKS = {
    "\u0300": [[(-0.12, -0.15), (0.06, -0.05)]], "\u0301": [[(0.12, -0.15), (-0.06, -0.05)]],
    "\u0302": [[(-0.13, -0.05), (0.0, -0.15), (0.13, -0.05)]], "\u030c": [[(-0.13, -0.15), (0.0, -0.05), (0.13, -0.15)]],
    "\u0303": [[(-0.16, -0.06), (-0.07, -0.12), (0.07, -0.07), (0.16, -0.13)]], "\u0304": [[(-0.14, -0.1), (0.14, -0.1)]],
    "\u0308": [[(-0.12, -0.1)], [(0.12, -0.1)]], "\u0307": [[(0.0, -0.1)]], "\u030b": [
        [(-0.02, -0.15), (-0.12, -0.05)], [(0.16, -0.15), (0.06, -0.05)]],
    "\u030a": [[(0.0, -0.17), (0.07, -0.1), (0.0, -0.03), (-0.07, -0.1), (0.0, -0.17)]],
    "\u0327": [[(0.0, 0.0), (0.05, 0.08), (-0.06, 0.15)]],
}  # fmt: skip
"""Accents as lines, each a few points beside the letter's middle and over its top, in letter sizes; one point is a dot."""


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@lru_cache(maxsize=2048)
def _glyph(character: str, size: int) -> Mask:
    """The mask of one letter. Digits are all equally wide, so that a changing number stands still."""
    font = _font(size)
    if character == FIGURE_SPACE:
        return np.zeros_like(_glyph("0", size))
    plain, mark = normalize("NFD", character)[:1], normalize("NFD", character)[1:]
    if "A" <= plain <= "z" and mark in _MARKS:
        return np.maximum(_glyph(plain, size), _mark(mark, _glyph(plain, size).shape, plain, size))
    character = character if " " <= character <= "~" or character in _ALSO else "?"
    alike = "0123456789" if character.isdigit() else character
    width = max(1, round(max(font.getlength(one) for one in alike)))
    width = max(width, size // 3) if character == " " else width
    image = Image.new("L", (width, round(size * 1.25)))
    shift = (width - font.getlength(character)) / 2
    ImageDraw.Draw(image).text((shift, size * 0.95), character, fill=255, font=font, anchor="ls")
    return _levels(np.asarray(image))


def _mark(mark: str, shape: tuple[int, ...], plain: str, size: int) -> Mask:
    """The mask of what stands over (or under) a letter, drawn by hand: the font has no such letters."""
    fine = Image.new("L", (shape[1] * _FINE, shape[0] * _FINE))
    top, drawing = (0.95 if mark == "\u0327" else 0.23 if plain.isupper() or plain in "bdfhklt" else 0.4), ImageDraw.Draw(fine)
    for points in _MARKS[mark]:
        places = [(shape[1] * _FINE / 2 + x * size * _FINE, (top + y) * size * _FINE) for x, y in points]
        thick = size * _FINE * 0.08
        if len(places) > 1:
            drawing.line(places, fill=255, width=round(thick), joint="curve")
        for x, y in places if len(places) == 1 else ():
            drawing.ellipse((x - thick * 0.75, y - thick * 0.75, x + thick * 0.75, y + thick * 0.75), fill=255)
    return _shrunk(fine)


def letters(text: str, size: int = TEXT) -> Mask:
    """The mask of a line of text. The font knows ASCII; accents are drawn over its letters, what is left is a question mark."""
    text = normalize("NFC", text)
    for character, words in _SPELLED.items():
        text = text.replace(character, words)
    if not text:
        return np.zeros((round(size * 1.25), 0), dtype=np.uint16)
    return np.concatenate([_glyph(character, size) for character in text], axis=1)


def fitted(text: str, width: float, size: int = TEXT) -> str:
    """The text, cut with two dots where it would be wider than so many pixels."""
    return Canvas((1, 1)).fitted(text, width, size)
