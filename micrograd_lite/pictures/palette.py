"""The 256 colours that every picture is made of, so that a GIF needs one palette and loses nothing.

A picture is a table of colour numbers. Greys run from white to black, viridis (Smith and van der Walt 2015) shows amounts,
the diverging ramp (ColorBrewer's RdBu: blue below, white at, red above the centre) shows signed numbers, and ten
colours (the first six from Okabe and Ito 2008, safe for the colour-blind) tell lines and classes apart.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Indices = NDArray[np.uint8]
Numbers = NDArray[Any]

WHITE, BLACK = 0, 15
GREYS, VIRIDIS_COLOURS, DIVERGING_COLOURS, INKS = 16, 64, 129, 10
VIRIDIS = GREYS
DIVERGING = VIRIDIS + VIRIDIS_COLOURS
INK = DIVERGING + DIVERGING_COLOURS
USED = INK + 3 * INKS  # each ink, then each at 60 %, then each at 30 % over white
PALE, FAINT, MISSING = 2, 4, 3  # greys for grid lines, for quiet lines, for a number that is not there
DARK = 12  # the grey of axes and of quiet text

_VIRIDIS = "440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725"
_DIVERGING = "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f"
_INKS = "0072b2 d55e00 009e73 cc79a7 e69f00 56b4e9 6a3d9a 8c564b 5f5f1f 2b1b3a"
_LEVELS = 15  # of mixing one colour over another; text has soft edges


def _colours(text: str) -> NDArray[Any]:
    return np.array([list(bytes.fromhex(code)) for code in text.split()], dtype=float)


def _ramp(text: str, count: int) -> NDArray[Any]:
    anchors = _colours(text)
    places = np.linspace(0.0, len(anchors) - 1.0, count)
    return np.stack([np.interp(places, np.arange(len(anchors)), channel) for channel in anchors.T], axis=1)


def _palette() -> Indices:
    greys = np.repeat(np.linspace(255.0, 0.0, GREYS)[:, None], 3, axis=1)
    inks = _colours(_INKS)
    tints = [255.0 + strength * (inks - 255.0) for strength in (1.0, 0.6, 0.3)]
    unused = np.zeros((256 - USED, 3))
    ramps = [_ramp(_VIRIDIS, VIRIDIS_COLOURS), _ramp(_DIVERGING, DIVERGING_COLOURS)]
    whole: Indices = np.rint(np.concatenate([greys, *ramps, *tints, unused])).astype(np.uint8)
    return whole


PALETTE = _palette()
"""Shape (256, 3): red, green and blue of each colour number."""


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


@lru_cache(maxsize=64)
def mixed(colour: int) -> Indices:
    """Which colour is nearest to `colour` laid over each colour: 16 rows of 256, from not at all to fully, in one list."""
    colours = PALETTE.astype(float)
    strengths = np.linspace(0.0, 1.0, _LEVELS + 1)[1:-1, None, None]
    blends = (colours + strengths * (colours[colour] - colours)).reshape(-1, 3)
    known = colours[:USED]
    distances = (known**2).sum(axis=1) - 2.0 * blends @ known.T  # less the blend's own square, equal for all
    between = distances.argmin(axis=1).astype(np.uint8)
    unmixed, full = np.arange(256, dtype=np.uint8), np.full(256, colour, dtype=np.uint8)
    return np.concatenate([unmixed, between, full])
