"""The 256 colours that every picture is made of, so that a GIF needs one palette and loses nothing.

A picture is a table of colour numbers; a Theme says which colours these are. Greys run from the paper to the pen, one ramp
shows amounts (viridis, Smith and van der Walt 2015), one shows signed numbers (blue below, pale at, red above zero, in the
light theme ColorBrewer's RdBu), and ten inks (in the light theme the first six from Okabe and Ito 2008) tell lines and
classes apart.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Indices = NDArray[np.uint8]
Numbers = NDArray[Any]

PAPER, PEN = 0, 15
GREYS, VIRIDIS_COLOURS, DIVERGING_COLOURS, INKS = 16, 64, 129, 10
VIRIDIS = GREYS
DIVERGING = VIRIDIS + VIRIDIS_COLOURS
INK = DIVERGING + DIVERGING_COLOURS
USED = INK + 3 * INKS  # each ink, then each at 60 %, then each at 30 % over the paper
PALE, FAINT, MISSING = 2, 4, 3  # greys for grid lines, for quiet lines, for a number that is not there
DIM = 12  # the grey of axes and of quiet text

_LEVELS = 15  # of mixing one colour over another; text has soft edges


class Theme(NamedTuple):
    """Colours, each as six hexadecimal digits, and the sizes of text and lines in pixels at a picture's usual size.

    A theme of one's own: `LIGHT._replace(paper="fffdf5", text=15)`. inks: ten colours that tell lines and classes apart.
    """

    paper: str = "ffffff"
    pen: str = "000000"
    amounts: str = "440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725"  # from low to high
    signed: str = "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f"  # negative, zero, positive
    inks: str = "0072b2 d55e00 009e73 cc79a7 e69f00 56b4e9 6a3d9a 8c564b 5f5f1f 2b1b3a"
    text: int = 13
    line: float = 2.0

    @property
    def palette(self) -> Indices:
        """Shape (256, 3): red, green and blue of each colour number. ValueError for what is no colour."""
        return _palette(self)


LIGHT = Theme()
DARK = Theme(
    paper="15181d",
    pen="f4f4f4",
    signed="c6e2ff 8cc2f7 549fe6 2f74b8 234a70 272c34 6b3328 a8412f e0664f f79c86 ffd0c4",
    inks="56b4ff ff8f3f 2fd0a0 e79fcb fff0a0 a5dcff b794f0 cf9a8c c6c65c e0d0f0",
)
THEMES = {"light": LIGHT, "dark": DARK}
"""By the names that the command line knows."""


def _colours(text: str) -> NDArray[Any]:
    try:
        return np.array([list(bytes.fromhex(code)) for code in text.split()], dtype=float).reshape(-1, 3)
    except ValueError as error:
        raise ValueError(f"a theme's colours are six hexadecimal digits each, separated by blanks; got {text!r}") from error


def _ramp(text: str, count: int) -> NDArray[Any]:
    anchors = _colours(text)
    places = np.linspace(0.0, len(anchors) - 1.0, count)
    return np.stack([np.interp(places, np.arange(len(anchors)), channel) for channel in anchors.T], axis=1)


@lru_cache(maxsize=8)
def _palette(theme: Theme) -> Indices:
    greys = _ramp(f"{theme.paper} {theme.pen}", GREYS)
    inks = _colours(theme.inks)
    if len(inks) != INKS:
        raise ValueError(f"a theme has {INKS} inks, got {len(inks)}")
    tints = [greys[0] + strength * (inks - greys[0]) for strength in (1.0, 0.6, 0.3)]
    unused = np.zeros((256 - USED, 3))
    ramps = [_ramp(theme.amounts, VIRIDIS_COLOURS), _ramp(theme.signed, DIVERGING_COLOURS)]
    whole: Indices = np.rint(np.concatenate([greys, *ramps, *tints, unused])).astype(np.uint8)
    return whole


PALETTE = LIGHT.palette
"""That of the light theme."""


DIVERGING_RAMP = np.arange(DIVERGING, DIVERGING + DIVERGING_COLOURS, dtype=np.uint8)
"""The colours from the lowest number to the highest, for a colour bar."""


def ink(number: int, tint: int = 0) -> int:
    """The colour of line or class `number`; tint 1 and 2 are paler. From the eleventh on colours come again."""
    return INK + tint * INKS + number % INKS


def viridis(shares: ArrayLike) -> Indices:
    """Colour numbers for shares from 0 to 1; beyond is as the end, NaN is grey."""
    return _on_ramp(np.asarray(shares, dtype=float), VIRIDIS, VIRIDIS_COLOURS)


def diverging(values: ArrayLike, limit: float, apart: int = 1) -> Indices:
    """Colour numbers for numbers from -limit (blue) over 0 (white) to +limit (red); NaN is grey.

    apart: 2, 4, 8 ... take only every second, fourth, eighth ... colour of the ramp.
    """
    return _on_ramp((np.asarray(values, dtype=float) / limit + 1.0) / 2.0, DIVERGING, DIVERGING_COLOURS, apart)


def _on_ramp(shares: NDArray[Any], start: int, count: int, apart: int = 1) -> Indices:
    missing = np.isnan(shares)
    places = np.rint(np.clip(np.where(missing, 0.0, shares), 0.0, 1.0) * ((count - 1) // apart)) * apart
    return np.where(missing, MISSING, places + start).astype(np.uint8)


@lru_cache(maxsize=128)
def mixed(colour: int, theme: Theme = LIGHT) -> Indices:
    """Which colour is nearest to `colour` laid over each colour: 16 rows of 256, from not at all to fully, in one list."""
    colours = theme.palette.astype(float)
    strengths = np.linspace(0.0, 1.0, _LEVELS + 1)[1:-1, None, None]
    blends = (colours + strengths * (colours[colour] - colours)).reshape(-1, 3)
    known = colours[:USED]
    distances = (known**2).sum(axis=1) - 2.0 * blends @ known.T  # less the blend's own square, equal for all
    between = distances.argmin(axis=1).astype(np.uint8)
    unmixed, full = np.arange(256, dtype=np.uint8), np.full(256, colour, dtype=np.uint8)
    return np.concatenate([unmixed, between, full])
