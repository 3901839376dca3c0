"""What keeps a network from learning, in words: units that are stuck, an error that does not get through, too big a step.

`micrograd-lite diagnose traces/xor` prints it; every sentence rests on numbers of the trace.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from micrograd_lite.lab.slopes import LayerSlopes, Slopes, slopes
from micrograd_lite.losses import LOSSES
from micrograd_lite.measure import FLAT
from micrograd_lite.text.tables import table
from micrograd_lite.text.words import Prose
from micrograd_lite.trace import Trace
from micrograd_lite.trace.kinds import by_hand

FLAT_LAYER = 0.5
"""A layer with this share of flat slopes has something to tell."""
LITTLE = 0.01
"""An error of which less than this share gets through the slopes is as good as lost."""
RARE = 0.05
"""So small a share of units or steps is no harm."""


def diagnose(folder: str | os.PathLike[str]) -> Prose:
    """A table of the slopes of each layer at three moments, and what it means. ValueError when they cannot be measured."""
    trace = Trace(folder)
    if by_hand(trace.run):
        return Prose(losses(trace))
    try:
        measured = slopes(trace)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"{trace.folder} does not hold the slopes of a network: {error}") from error
    said = [*first_loss(trace), *stuck(measured, trace.run["model"].get("init")), *lost(measured), *predicted_and_measured(trace)]
    return Prose(f"slopes on {measured.on}\n\n{slopes_table(measured)}\n" + "".join(f"{line}\n" for line in said))


def losses(trace: Trace) -> str:
    """What the losses tell where nothing else is known: of a loop of one's own. ValueError before its first step is whole."""
    known = [row["loss"] for row in trace.metrics()]
    if not known:
        raise ValueError(f"{trace.folder} has no step yet: log at least one")
    lowest = min(known)
    course = f"the lowest {lowest:.6g} (step {known.index(lowest) + 1}), the last {known[-1]:.6g}"
    unknown = "The slopes of the layers are not measured: a loop of one's own keeps its data to itself."
    return f"The first loss is {known[0]:.6g}, {course}.\n{unknown}\n"


def slopes_table(measured: Slopes) -> str:
    """One row for each layer at each moment; the last column is the share of an error at the outputs that comes through."""
    rows = []
    for layers in measured.layers:
        for layer, through in zip(layers, passed(layers)):
            known, share = bool(layer.units_flat), "?" if math.isnan(through) else f"{through:.2%}"
            units = (f"{layer.mostly_flat} of {len(layer.units_flat)}", str(layer.dead)) if known else ("?", "?")
            mean = "?" if math.isnan(layer.mean) else f"{layer.mean:.4f}"
            rows.append([str(layer.step), f"layer{layer.layer} {layer.activation}", f"{layer.flat:.1%}", *units, mean, share])
    return table(("step", "layer", "flat slopes", "units mostly flat", "dead", "mean slope", "error let through"), rows)


def passed(layers: Sequence[LayerSlopes]) -> list[float]:
    """For each layer, the product of the mean slopes from the outputs down to it: what they leave of an error, weights aside."""
    through, products = 1.0, []
    for layer in reversed(layers):
        through *= layer.mean
        products.append(through)
    return products[::-1]


def stuck(measured: Slopes, init: str | None) -> list[str]:
    """A sentence for each layer whose units are dead or mostly flat at the end, and what to do about it."""
    said, outputs = [], len(measured.layers[-1]) - 1
    for start, end in zip(measured.layers[0], measured.layers[-1]):
        if end.activation == "relu" and end.dead:
            said.append(dead(start, end, init))
        elif end.activation in ("sigmoid", "tanh") and end.flat >= FLAT_LAYER:
            said.append(saturated(start, end, init, end.layer == outputs))
    return said or ["No relu is dead, and no layer of sigmoids or tanhs is mostly flat."]


def dead(start: LayerSlopes, end: LayerSlopes, init: str | None) -> str:
    """About relus that never fire."""
    units, remedy = len(end.units_flat), "make the layer wider"
    if end.dead <= RARE * units:
        remedy = "so few are no harm"
    elif start.dead < end.dead:
        remedy = "lower the learning rate" if init in ("he", None) else "lower the learning rate, or start with init='he'"
    elif init not in ("he", None):
        remedy = "start with init='he'"
    never = f"{end.dead} of {units} units never fire (at the start {start.dead})"
    return f"layer{end.layer}: {never}: nothing moves them any more; {remedy}."


def saturated(start: LayerSlopes, end: LayerSlopes, init: str | None, outputs: bool) -> str:
    """About sigmoids and tanhs so far out that their slope is nearly 0."""
    if outputs:
        remedy = "an answer that is sure and wrong stays wrong; use output='linear' and a cross-entropy"
    elif start.flat < FLAT_LAYER:
        remedy = "it went flat while it learned; if the loss is not small yet, lower the learning rate"
    else:
        smaller = "" if init in ("glorot", None) else "start with init='glorot' or "
        remedy = f"its sums are too large from the start; {smaller}scale the inputs"
    many = f"{end.mostly_flat} of {len(end.units_flat)} units are mostly flat and " if end.units_flat else ""
    flat = f"{many}{end.flat:.0%} of all slopes are under {FLAT} ({start.flat:.0%} at first)"
    return f"layer{end.layer}: saturated; {flat}: {remedy}."


def lost(measured: Slopes) -> list[str]:
    """A sentence when the slopes let hardly anything of an error through to the first layer."""
    said = []
    for layers, when, then in (
        (measured.layers[0], "At the start", "the first layers will hardly learn: use relu, or smaller starting weights"),
        (measured.layers[-1], "At the end", "the first layers hardly learn any more, which is right only when the loss is small"),
    ):
        through = passed(layers)[0]
        if through < LITTLE:
            factors = " x ".join(f"{layer.mean:.3g}" for layer in reversed(layers))
            said.append(f"{when} the slopes let {through:.2g} of an error through to layer0 ({factors}): {then}.")
    return said


def first_loss(trace: Trace) -> list[str]:
    """A sentence when a classifier starts much worse than by guessing."""
    loss = LOSSES.get(trace.run["loss"])
    classes = max(2, trace.run["model"]["outputs_per_layer"][-1]) if loss and loss.takes_logits else 0  # one logit: yes or no
    first = trace.metrics()[0]["loss"]
    if not classes or first <= 2.0 * math.log(classes):
        return []
    guessing = f"The first loss is {first:.4g}, where guessing costs ln {classes} = {math.log(classes):.3f}"
    return [f"{guessing}: the outputs are sure and wrong before anything is learned; use smaller starting weights, init='he'."]


def predicted_and_measured(trace: Trace) -> list[str]:
    """What became of the loss beside what its slope promised, where train(..., change_every=1) measured it."""
    noise = 1e-4 if trace.run.get("model", {}).get("dtype") == "float32" else 1e-11  # changes of mostly rounding tell nothing
    rows = [row for row in trace.metrics() if (row.get("predicted_change") or 0.0) < -noise * abs(row["loss"])]
    rose = [row for row in rows if row["measured_change"] > 0.0]
    short = [row for row in rows if 0.0 >= row["measured_change"] > 0.5 * row["predicted_change"]]
    said = []
    if rose:
        what = "the loss rose where its slope promised a fall"
        said.append(_parting(rose, rows, what, "the step ends higher on the other side of the valley: this diverges"))
    if short:
        what = "the loss fell by less than half of what its slope promised"
        said.append(_parting(short, rows, what, "the step goes past the bottom of the valley"))
    if rows and not said:
        said.append(f"At all {len(rows)} measured steps the loss fell by at least half of what its slope promised.")
    return said


def _parting(chosen: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], what: str, why: str) -> str:
    steps = f"From step {chosen[0]['step']} on, at {len(chosen)} of {len(rows)} steps, {what} ({_example(chosen[0])})"
    rare = len(chosen) <= RARE * len(rows)
    return f"{steps}: so few are no harm." if rare else f"{steps}: {why}; the learning rate is too big."


def _example(row: dict[str, Any]) -> str:
    return f"at step {row['step']} {row['measured_change']:+.3g} for {row['predicted_change']:+.3g}"
