"""Commands that show a trace folder: its pictures, and its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from micrograd_lite.cli import say
from micrograd_lite.cli.traces import reading


def add_commands(commands: Any) -> None:
    """Add the commands of this page to the subparsers of argparse; each sets `run`, which returns the exit code."""
    drawing = commands.add_parser("render", help="draw the pictures of a trace folder")
    drawing.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    drawing.add_argument("--what", default="", help="names with commas, such as learning,weights (default: all that apply); "
                         "weights, loss, curves, network, learning, boundary, fit, layers, gradients, updates")
    drawing.add_argument("--frames", type=int, default=60, help="at most so many frames in an animation (default: 60)")
    drawing.add_argument("--steps", default=":", help="from and to, such as 0:500; one may be left out (default: all)")
    drawing.add_argument("--size", help="width and height in pixels, such as 1280x720; text and lines grow with it")
    drawing.add_argument("--theme", choices=("light", "dark"), default="light")
    drawing.add_argument("--speed", type=float, default=1.0, help="2 is twice as fast (default: 1)")
    drawing.add_argument("--format", choices=("gif", "mp4"), default="gif", help="of animations (mp4 needs the extra 'video')")
    drawing.add_argument("--out", help="a folder for the pictures (default: the trace's own)")
    drawing.add_argument("--title", default="", help="instead of data, network and optimizer")
    drawing.set_defaults(run=reading(_render))

    paging = commands.add_parser("page", help="write one HTML file in which every step of a trace can be visited")
    paging.add_argument("folder", help="a folder that a Tracer wrote, such as traces/xor")
    paging.add_argument("--out", metavar="FILE", help="the page (default: page.html in the trace's own folder)")
    paging.add_argument("--budget", default="2MB", help="bytes, past which steps are left out, such as 500kB (default: 2MB)")
    paging.set_defaults(run=reading(_page))


def _render(options: Any) -> int:
    import sys
    import warnings

    from micrograd_lite.pictures.palette import THEMES
    from micrograd_lite.pictures.render import left_out, render

    look: dict[str, Any] = {"steps": _range(options.steps), "theme": THEMES[options.theme], "speed": options.speed}
    look |= {"title": options.title, "video": options.format == "mp4", "size": _size(options.size) if options.size else None}
    what = [name.strip() for name in options.what.split(",") if name.strip()]
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: print(message, file=sys.stderr)
        for path in render(options.folder, options.frames, what, options.out, **look):
            say(path)
    for sentence in [] if what else left_out(options.folder):
        say(sentence)
    return 0


def _range(text: str) -> tuple[int, int | None]:
    """`0:500` as its two steps."""
    first, colon, last = text.partition(":")
    if not colon or not all(part.isdecimal() or not part for part in (first, last)):
        raise ValueError(f"--steps needs two steps with a colon between them, such as 0:500; got {text!r}")
    return int(first or 0), int(last) if last else None


def _size(text: str) -> tuple[int, int]:
    """`1280x720` as width and height."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise ValueError(f"--size needs width and height, such as 1280x720; got {text!r}")
    return int(width), int(height)


def _page(options: Any) -> int:
    from micrograd_lite.page import write_page
    from micrograd_lite.text.files import replaces_only

    path = Path(options.out) if options.out else Path(options.folder, "page.html")
    replaces_only(path, b"<!doctype html>", "page")
    budget = _bytes(options.budget)
    size = write_page(options.folder, path, budget)
    over = f", more than the {budget:,} asked for: no page of this run is smaller" if size > budget else ""
    say(f"{path}  {size:,} bytes{over}; open it in a browser")
    return 0


def _bytes(text: str) -> int:
    """`2MB`, `500kB` or plain bytes."""
    number, times = text.lower().removesuffix("b"), 1
    for letter, factor in (("k", 1_000), ("m", 1_000_000)):
        if number.endswith(letter):
            number, times = number[:-1], factor
    if not number.isdecimal() or not int(number):
        raise ValueError(f"--budget needs bytes, such as 2MB, 500kB or 2000000; got {text!r}")
    return int(number) * times
