"""Colours that must be told apart are, by people without red or green cones too: simulated after Machado et al. 2009."""

from itertools import combinations

import pytest

# ruff: noqa: E402 - without the packages that draw or simulate, this page is skipped before it imports them
pytest.importorskip("numpy", reason="pictures need NumPy")
pytest.importorskip("PIL", reason="pictures need Pillow")
spaces = pytest.importorskip("colorspacious", reason="colour blindness is simulated by colorspacious, as in tox -e once")

import numpy as np

from micrograd_lite.pictures import network, palette

PAIRS = {
    #                            colours                                                       smallest distance (CAM02-UCS)
    "optimizers and outputs": ([palette.ink(number) for number in range(5)], 10.0),
    "training and test": ([palette.ink(0), palette.ink(1)], 45.0),
    "edges of either sign": ([network.RED, network.BLUE], 30.0),
    "edges and paper": ([network.RED, palette.PAPER], 40.0),
    "weights of half the scale": ([palette.DIVERGING + 32, palette.DIVERGING + 96], 30.0),
    "ends of the scale": ([palette.DIVERGING, palette.DIVERGING + 128], 15.0),
    "who pays and who is paid": ([palette.ink(0, 2), palette.ink(1, 2)], 20.0),
}


@pytest.mark.parametrize("theme", palette.THEMES.values(), ids=palette.THEMES)
@pytest.mark.parametrize("kind", ["deuteranomaly", "protanomaly"])
@pytest.mark.parametrize("name", PAIRS)
def test_colours_are_told_apart(theme, kind, name):
    """With the cones of one kind missing altogether, each pair keeps its distance; 1 is just noticeable."""
    colours, least = PAIRS[name]
    seen = spaces.cspace_convert(theme.palette[colours] / 255, {"name": "sRGB1+CVD", "cvd_type": kind, "severity": 100}, "sRGB1")
    distances = [spaces.deltaE(one, other, input_space="sRGB1") for one, other in combinations(np.clip(seen, 0, 1), 2)]
    assert min(distances) >= least
