"""What a trace shows of one step: the table of its gradients, and its chain rule edge by edge."""

from __future__ import annotations

from micrograd_lite.chain.tables import chain_table
from micrograd_lite.text import cells
from micrograd_lite.text.tables import digits, table
from micrograd_lite.trace.folder import LAYERS, METRICS, WEIGHTS
from micrograd_lite.trace.reader import Trace, chooses


def gradient_table(trace: Trace, step: int | None = None, form: str = "text") -> str:
    """What one recorded step (the last by default) did to each parameter. ValueError when it is not recorded.

    The numbers are rounded to nine digits, exact in CSV.
    """
    refuse_arrays(trace, "no table of single weights")
    if step is None:
        if not trace.steps():
            raise ValueError(f"{trace.folder} has no recorded step yet")
        step = trace.steps()[-1]
    header = ("parameter", "before", "gradient", "update", "after")
    rows = []
    for row in trace.gradients(step):
        numbers = (row.before, row.gradient, row.update, row.after)
        name = cells.text(row.parameter)
        rows.append([name, *(digits(value, form) for value in numbers)])
    return table(header, rows, form)


def recorded_chain(trace: Trace, step: int | None = None, form: str = "text") -> str:
    """The chain rule of one step of a trace (the last that was chosen, by default). ValueError when none was."""
    refuse_arrays(trace, "no edges of single numbers")
    if step is None:
        last = trace.metrics()[-1]["step"] if trace.metrics() else 0
        chosen = [number for number in trace.run.get("chain_rule") or [] if number <= last]
        if not chosen:
            raise ValueError(f"{trace.folder} has no step that was chosen for it: {chooses(trace.run, 'chain_rule')}")
        step = chosen[-1]
    return chain_table(trace.chain_rule(step), form)


def refuse_arrays(trace: Trace, lacks: str) -> None:
    """ValueError that says what the trace of a model on arrays holds instead."""
    if not (trace.folder / LAYERS).exists():
        return
    kept = f" and {len(trace.array_steps())} files of whole arrays in {WEIGHTS}/" if trace.array_steps() else ""
    holds = f"{LAYERS} (norms and ranges of each array){kept}"
    raise ValueError(f"{trace.folder} is the trace of a network on arrays, which has {lacks}: it holds {METRICS}, {holds}")
