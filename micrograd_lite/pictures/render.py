"""Every picture that fits a trace, drawn into its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import NamedTuple

from micrograd_lite.architecture import choose
from micrograd_lite.pictures import boundary, fit, heatmap, layer_curves, learning, network, tiles
from micrograd_lite.pictures.curves import curves, training_loss
from micrograd_lite.pictures.film import Film, Look
from micrograd_lite.trace import Trace
from micrograd_lite.trace.kinds import by_hand

Draw = Callable[[Path, Film], None]


class Picture(NamedTuple):
    """One kind of picture: its file, what draws it, which traces it applies to, and whether it waits to be asked for."""

    file: str
    draw: Draw
    applies: Callable[[Trace], bool]
    on_request: bool = False


def _has_weights(trace: Trace) -> bool:
    return bool(trace.steps() or trace.array_steps())


def _has_rows(trace: Trace) -> bool:
    return bool(trace.steps())


def _weights(path: Path, film: Film) -> None:
    if film.trace.steps() or not film.trace.array_steps():
        heatmap.weights_update(path, film)
    else:  # a big network: whole arrays are kept at some steps, if at all
        tiles.weights_update(path, tiles.film_of(film.trace, film.look))


def _layers(path: Path, film: Film) -> None:
    layer_curves.layer_curves(path, film.trace, film.look)


PICTURES = {
    "weights": Picture("weights_update.gif", _weights, _has_weights),
    "loss": Picture("training_loss.gif", training_loss, lambda trace: True),
    "curves": Picture("curves.png", curves, lambda trace: True),
    "network": Picture("network.gif", network.network, network.applies),
    "learning": Picture("learning.gif", learning.learning, learning.applies),
    "boundary": Picture("decision_boundary.gif", boundary.decision_boundary, boundary.applies),
    "fit": Picture("fit.gif", fit.fit, fit.applies),
    "layers": Picture("layers.png", _layers, layer_curves.applies),
    "gradients": Picture("gradients.gif", partial(heatmap.weights_update, kind="gradients"), _has_rows, on_request=True),
    "updates": Picture("updates.gif", partial(heatmap.weights_update, kind="updates"), _has_rows, on_request=True),
}
"""By the names that `what` knows."""


def render(
    folder: str | os.PathLike[str], frames: int | None = None, what: Collection[str] = (),
    out: str | os.PathLike[str] | None = None, **look: object,
) -> list[Path]:  # fmt: skip
    """Draw pictures of the trace in `folder` into it, or into `out`, and return their paths.

    what: names of PICTURES; without it, every picture that applies. frames and look: see film.Look (frames, steps, size,
    theme, speed, title, video). FileNotFoundError or ValueError when there is no trace, nothing in it yet, or what was
    asked for does not apply; OSError names the path that cannot be written.
    """
    trace = Trace(folder)
    settings = Look(**({"frames": frames} if frames is not None else {}), **look)  # type: ignore[arg-type]
    film = Film(trace, settings)  # says what is missing before anything is written; one choice of frames for all
    asked = [what] if isinstance(what, str) else list(what)
    chosen = [choose("picture", name, PICTURES) for name in asked]
    names = chosen or [name for name, one in PICTURES.items() if not one.on_request and one.applies(trace)]
    place = Path(out) if out is not None else trace.folder
    place.mkdir(parents=True, exist_ok=True)
    made = []
    for name in names:
        picture = PICTURES[name]
        path = place / picture.file
        if settings.video and path.suffix == ".gif":
            path = path.with_suffix(".mp4")
        picture.draw(path, film)
        made.append(path)
    return made


def left_out(folder: str | os.PathLike[str]) -> list[str]:
    """A sentence for each picture that the network would have, and for which something is not in the trace."""
    run = Trace(folder).run
    missing = by_hand(run) and run["model"].get("inputs") == 2
    return ["no decision_boundary.gif: a loop of one's own keeps its data to itself"] if missing else []
