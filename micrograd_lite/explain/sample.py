"""One sample of a recorded step explained: its forward pass and its rows of the backward pass.

    micrograd-lite explain traces/mine --step 50 --sample 3
"""

from __future__ import annotations

from micrograd_lite.explain.page import written
from micrograd_lite.trace import ask
from micrograd_lite.trace.rebuild import RebuiltStep


def explain_sample(step: RebuiltStep, place: int, form: str = "text") -> str:
    """All tables of one sample, as text, markdown, csv or html; HTML is a whole page with the picture in it."""
    cost = step.sample(place)
    sections = [
        ("forward: each node from those that it is made of", ask.forward(step, form, place)),
        ("backward: share = partial x upstream; totals are those of the whole batch, from its last sample on",
         ask.backward(step, form, place)),
    ]  # fmt: skip
    if step.note:
        sections.append((step.note, ""))
    title = f"sample{place} of step {step.number}, row {step.rows[place]} of the data: it costs {cost.data:.9g}"
    return written(title, cost, sections, form)
