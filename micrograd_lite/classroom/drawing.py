"""The network of a sheet as a drawing: inputs, neurons and what each is called, without the numbers that are to be found.

On paper a drawing must not give the answers away, so it shows names, and the weights, which are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from micrograd_lite.text.words import markup

WIDE, HIGH, RADIUS = 140.0, 66.0, 19.0
"""Pixels from a layer to the next, from a neuron to the one below it, and of a circle."""
TALL = 260.0
"""Pixels that a layer of many neurons is pressed into."""
LABELLED = 6
"""So many lines between two layers can have their weights written on them."""


def drawing(widths: Sequence[int], activations: Sequence[str], loss: str, weights: Mapping[str, str]) -> str:
    """A network of these widths as SVG. weights: what is written on the line of each, such as `layer0.neuron1.w0`."""
    columns = [*widths, 1]
    tallest = min(TALL, HIGH * max(widths))
    radius = min(RADIUS, 0.45 * tallest / max(widths))
    places = [[(26.0 + WIDE * column, 8.0 + tallest * (row + 0.5) / width) for row in range(width)]
              for column, width in enumerate(columns)]  # fmt: skip
    wide, high = 84.0 + WIDE * len(widths), tallest + 36.0
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" role="img"><title>the network</title>'
    ]
    labels = []
    for layer, (left, right) in enumerate(pairwise(places)):
        last = layer == len(widths) - 1
        for to, (x1, y1) in enumerate(right):
            for of, (x0, y0) in enumerate(left):
                lines.append(f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="#777"/>')
                text = "" if last or len(left) * len(right) > LABELLED else weights.get(f"layer{layer}.neuron{to}.w{of}", "")
                if text:
                    labels.append(_label((x0, y0), (x1, y1), radius, text))
    lines += labels
    for column, spots in enumerate(places):
        for row, (x, y) in enumerate(spots):
            lines += _loss(x, y, loss) if column == len(widths) else _unit(f"{'neuron' if column else 'x'}{row}", x, y, radius)
    kinds = ["" if name == "linear" else f" {name}" for name in activations]
    names = ["inputs", *(f"layer{layer}{kind}" for layer, kind in enumerate(kinds)), "cost"]
    for column, name in enumerate(names):
        lines.append(f'<text class="layer" x="{places[column][0][0]:.1f}" y="{high - 8:.1f}">{markup(name)}</text>')
    return "\n".join([*lines, "</svg>\n"])


def _unit(name: str, x: float, y: float, radius: float) -> list[str]:
    """A circle with its name in it: an input or a neuron."""
    fill, size = ("#eef3f8", 0.55 * radius) if name.startswith("x") else ("#fff", 0.4 * radius)
    return [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{fill}" stroke="#222"/>',
            f'<text x="{x:.1f}" y="{y + 0.4 * size:.1f}" style="font-size:{size:.1f}px">{name}</text>']  # fmt: skip


def _loss(x: float, y: float, loss: str) -> list[str]:
    """The box of the cost."""
    size = 9 if len(loss) < 16 else 7.5
    return [f'<rect x="{x - 50:.1f}" y="{y - 13:.1f}" width="100" height="26" rx="6" fill="#fff" stroke="#222"/>',
            f'<text x="{x:.1f}" y="{y + 3.5:.1f}" style="font-size:{size}px">{markup(loss)}</text>']  # fmt: skip


def _label(start: tuple[float, float], end: tuple[float, float], radius: float, text: str) -> str:
    """What is written on a line, just behind the circle that it comes from."""
    wide = 5.2 * len(text) + 4
    x = start[0] + radius + 3 + wide / 2
    y = start[1] + (end[1] - start[1]) * (x - start[0]) / (end[0] - start[0])
    return (f'<rect x="{x - wide / 2:.1f}" y="{y - 6:.1f}" width="{wide:.1f}" height="11" fill="#fff"/>'
            f'<text x="{x:.1f}" y="{y + 3:.1f}" style="font-size:8.5px">{markup(text)}</text>')  # fmt: skip
