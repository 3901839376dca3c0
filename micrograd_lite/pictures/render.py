"""Every picture that fits a trace, drawn into its folder."""

from __future__ import annotations

import os
from pathlib import Path

from micrograd_lite.pictures import heatmap, layer_curves, tiles
from micrograd_lite.pictures.boundary import applies, decision_boundary
from micrograd_lite.pictures.curves import curves, training_loss
from micrograd_lite.pictures.moments import moments
from micrograd_lite.trace import Trace
from micrograd_lite.trace.kinds import by_hand


def render(folder: str | os.PathLike[str], frames: int = 100) -> list[Path]:
    """Draw every picture that applies to the trace in `folder`, with at most so many frames, and return their paths.

    FileNotFoundError or ValueError when there is no trace or nothing in it yet; OSError names the path that cannot be written.
    """
    trace = Trace(folder)
    moments(trace, frames)  # says what is missing before anything is written
    made = [trace.folder / "training_loss.gif", trace.folder / "curves.png"]
    training_loss(made[0], trace, frames)
    curves(made[1], trace)
    if trace.steps():
        made.insert(0, trace.folder / "weights_update.gif")
        heatmap.weights_update(made[0], trace, frames)
    elif trace.array_steps():  # a big network: whole arrays are kept at some steps, if at all
        made.insert(0, trace.folder / "weights_update.gif")
        tiles.weights_update(made[0], trace, min(frames, tiles.FRAMES))
    if layer_curves.applies(trace):
        made.append(trace.folder / "layers.png")
        layer_curves.layer_curves(made[-1], trace)
    if applies(trace):
        made.append(trace.folder / "decision_boundary.gif")
        decision_boundary(made[-1], trace, frames)
    return made


def left_out(folder: str | os.PathLike[str]) -> list[str]:
    """A sentence for each picture that the network would have, and for which something is not in the trace."""
    run = Trace(folder).run
    missing = by_hand(run) and run["model"].get("inputs") == 2
    return ["no decision_boundary.gif: a loop of one's own keeps its data to itself"] if missing else []
