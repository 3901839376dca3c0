"""What keeps a network from learning, in words: a loss that rises or stands still, stuck units, an error that gets lost.

`micrograd-lite diagnose traces/xor` prints it; every sentence rests on numbers of the trace.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from micrograd_lite.lab.changes import Change, Changes, argument, changes, rate
from micrograd_lite.lab.course import course, told
from micrograd_lite.lab.slopes import LayerSlopes, Slopes, Unmeasured, slopes
from micrograd_lite.losses import LOSSES
from micrograd_lite.measure import FLAT
from micrograd_lite.text.tables import table
from micrograd_lite.text.words import Prose
from micrograd_lite.trace import Trace

FLAT_LAYER = 0.5
"""A layer with this share of flat slopes has something to tell."""
LITTLE = 0.01
"""An error of which less than this share gets through the slopes is as good as lost."""
SLOWER, HE = "lower the learning rate (--lr; lr= in Python)", "start with init='he' (MLP(..., init='he'))"
SCALED = "micrograd-lite train without --raw; data.scaled in Python"
LOGITS = "--output linear --loss binary_cross_entropy; loss=binary_cross_entropy in Python"
"""The arguments that do what is advised."""
RARE = 0.05
"""So small a share of units or steps is no harm."""


def diagnose(folder: str | os.PathLike[str]) -> Prose:
    """How the loss went, a table of the slopes of each layer at three moments, and what it means and asks for.

    ValueError when the trace has no step yet or is damaged. Where no slopes can be measured, that is said.
    """
    trace = Trace(folder)
    if not trace.metrics():
        raise ValueError(f"{trace.folder} has no step yet: train and watch at least one")
    found, went = changes(trace), course(trace)
    lead = "".join(f"{line}\n" for line in [*told(trace, went, rate(found)), *first_loss(trace)])
    steps = "".join(f"{line}\n" for line in promised(found, went.is_well))
    try:
        measured = slopes(trace)
    except Unmeasured as error:
        return Prose(f"{lead}{steps}\nno slopes: {error}\n")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"{trace.folder} does not hold the slopes of a network: {error}") from error
    said = [*stuck(measured, trace.run["model"].get("init"), went.is_well), *lost(measured, went.is_well)]
    units = "".join(f"{line}\n" for line in said)
    return Prose(f"{lead}{steps}\nslopes on {measured.on}\n\n{slopes_table(measured)}{MEANINGS}\n{units}")


MEANINGS = f"""flat: a slope under {FLAT}; a unit passes an error on times its slope, so hardly anything of it goes through.
error let through: the mean slopes from the outputs down to this layer, multiplied: what they leave of an error, weights aside.
"""


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


def stuck(measured: Slopes, init: str | None, is_well: bool) -> list[str]:
    """A sentence for each layer whose units are dead or mostly flat at the end, and what to do about it."""
    said, outputs = [], len(measured.layers[-1]) - 1
    for start, end in zip(measured.layers[0], measured.layers[-1]):
        if end.activation == "relu" and end.dead:
            said.append(dead(start, end, init, is_well))
        elif end.activation in ("sigmoid", "tanh") and end.flat >= FLAT_LAYER:
            said.append(saturated(start, end, init, end.layer == outputs, is_well))
    return said or ["No relu is dead, and no layer of sigmoids or tanhs is mostly flat."]


def dead(start: LayerSlopes, end: LayerSlopes, init: str | None, is_well: bool) -> str:
    """About relus that never fire."""
    units = len(end.units_flat)
    remedy = f"make the layer wider (--layers {2 * units}; MLP(..., [{2 * units}, ...]) in Python)"
    if is_well or end.dead <= RARE * units:
        remedy = "the network has learned without them" if is_well else "so few are no harm"
    elif start.dead < end.dead:
        remedy = SLOWER if init in ("he", None) else f"{SLOWER}, or {HE}"
    elif init not in ("he", None):
        remedy = HE
    never = f"{end.dead} of {units} units never fire (at the start {start.dead})"
    return f"layer{end.layer}: {never}: nothing moves them any more; {remedy}."


def saturated(start: LayerSlopes, end: LayerSlopes, init: str | None, outputs: bool, is_well: bool) -> str:
    """About sigmoids and tanhs so far out that their slope is nearly 0."""
    if is_well:
        remedy = "it is sure of its answers, and they are right"
    elif outputs:
        remedy = f"an answer that is sure and wrong stays wrong; use output='linear' and a cross-entropy ({LOGITS})"
    elif start.flat < FLAT_LAYER:
        remedy = f"it went flat while it learned; if the loss is not small yet, {SLOWER}"
    else:
        smaller = "" if init in ("glorot", None) else "start with init='glorot' (MLP(..., init='glorot')) or "
        remedy = f"its sums are too large from the start; {smaller}scale the inputs ({SCALED})"
    many = f"{end.mostly_flat} of {len(end.units_flat)} units are mostly flat and " if end.units_flat else ""
    flat = f"{many}{end.flat:.0%} of all slopes are under {FLAT} ({start.flat:.0%} at first)"
    return f"layer{end.layer}: saturated; {flat}: {remedy}."


def lost(measured: Slopes, is_well: bool) -> list[str]:
    """A sentence when the slopes let hardly anything of an error through to the first layer."""
    said = []
    for layers, when, then in (
        (measured.layers[0], "At the start", "the first layers will hardly learn: --activation relu, or smaller weights"),
        (measured.layers[-1], "At the end", "the first layers hardly learn any more, which is right only when the loss is small"),
    ):
        if is_well:
            continue
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
    smaller = f"use smaller starting weights, or {HE}"
    return [f"{guessing}: the outputs are sure and wrong before anything is learned; {smaller}."]


def predicted_and_measured(trace: Trace) -> list[str]:
    """What became of the loss beside what its slope promised: as metrics.csv has it, else of recorded steps built again."""
    return promised(changes(trace), course(trace).is_well)


def promised(found: Changes, is_well: bool) -> list[str]:
    """Sentences about steps that did not keep what the slope promised; no remedy where the network has learned."""
    rose = [row for row in found.rows if row.measured > 0.0]
    short = [row for row in found.rows if 0.0 >= row.measured > 0.5 * row.predicted]
    said = []
    if rose:
        what = "the loss rose where its slope promised a fall"
        why = "the step ends higher on the other side of the valley: this diverges"
        said.append(_parting(rose, found, what, why, is_well))
    if short:
        what = "the loss fell by less than half of what its slope promised"
        said.append(_parting(short, found, what, "the step goes past the bottom of the valley", is_well))
    if found.rows and not said:
        steps = f"{len(found.rows)} {_kind(found)} steps"
        said.append(f"At all {steps} the loss fell by at least half of what its slope promised.")
    return said


def _kind(found: Changes) -> str:
    return "rebuilt" if found.rebuilt else "measured"


def _parting(chosen: Sequence[Change], found: Changes, what: str, why: str, is_well: bool) -> str:
    all_steps = f"{len(found.rows)} rebuilt steps" if found.rebuilt else f"{len(found.rows)} steps"
    steps = f"At {len(chosen)} of {all_steps}, first at step {chosen[0].step}, {what} ({_example(chosen[0])})"
    if len(chosen) <= RARE * len(found.rows):
        return f"{steps}: so few are no harm."
    if is_well:
        return f"{steps}; it has learned all the same."
    allowed = rate(found)
    if allowed is None or allowed.best >= allowed.now:
        return f"{steps}; most steps end before the bottom of the valley, so the learning rate is not too big."
    remedy = f"; {argument(allowed.best)} ends near its bottom" if allowed and allowed.best < allowed.now else ""
    return f"{steps}: {why}; the learning rate is too big{remedy}."


def _example(row: Change) -> str:
    return f"at step {row.step} {row.measured:+.3g} for {row.predicted:+.3g}"
