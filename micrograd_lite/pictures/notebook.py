"""What a notebook shows of a trace, a step of training and a data set: a line that says what it is, and its first rows.

    Trace("traces/mine")      # as the last line of a cell
"""

from __future__ import annotations

import csv
import io
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from micrograd_lite.text.tables import digits, table
from micrograd_lite.text.words import markup
from micrograd_lite.trace import Trace
from micrograd_lite.trace.folder import LAYERS
from micrograd_lite.trace.kinds import sizes

MOST = 20
"""Rows of a table in a cell; the others are counted."""


def of_trace(trace: Trace) -> str:
    """What was trained and how it went: its curves as a picture inside of the page, and the table of the last step."""
    shown = [what_it_is(trace)]
    if not trace.metrics():
        return shown[0]
    shown.append(_curves(trace))
    if trace.steps():
        last = trace.last_recorded()
        names = ("parameter", "before", "gradient", "update", "after")
        shown += [_line(f"step {last}", ""), _rows(names, [row[1:] for row in trace.gradients(last)])]
    elif trace.layers():
        rows = [row for row in trace.layers() if row["step"] == trace.layers()[-1]["step"]]
        shown += [_line(f"step {rows[0]['step']}", ""), _rows(list(rows[0])[1:], [list(row.values())[1:] for row in rows])]
    return "".join(shown)


def what_it_is(trace: Trace) -> str:
    """A line: folder, status, steps, network, data, loss and optimizer."""
    told = [trace.status, f"{len(trace.metrics()):,} steps", *_told(trace.run)]
    return _line(str(trace.folder), ", ".join(told))


def of_step(step: Any) -> str:
    """Its number and loss, and what it did to each parameter."""
    updates = [terms.update for terms in step.terms]
    rows = list(zip(step.names, step.before, step.gradients, updates, step.after))
    return _measured(step) + _rows(("parameter", "before", "gradient", "update", "after"), rows)


def of_array_step(step: Any) -> str:
    """The same of a step on arrays: a row for each array, as long as they hold this step."""
    from micrograd_lite.trace.layers import COLUMNS, LayerRows  # NumPy loads only where a model is made of it

    if not step.is_live:
        return _measured(step) + _line("", "the arrays hold a later step by now")
    text, _ = LayerRows(step).blocks(step)[LAYERS]
    rows = [[name, *map(float, numbers)] for _, name, *numbers in csv.reader(text.splitlines())]
    return _measured(step) + _rows(COLUMNS[1:], rows)


def _measured(step: Any) -> str:
    numbers = {"loss before the update": step.loss, "gradient length": step.gradient_norm, "learning rate": step.learning_rate}
    numbers |= step.evaluation
    return _line(f"step {step.number}", ", ".join(f"{name.replace('_', ' ')} {number:.9g}" for name, number in numbers.items()))


def of_dataset(data: Any) -> str:
    """Its name and size, and its first rows under their names."""
    wide = len(data.inputs[0]) if len(data.inputs) else 0
    kind = f"{data.classes} classes" if data.classes else "numbers to learn"
    names = [*(data.feature_names or [f"x{column}" for column in range(wide)]), data.target_name or "target"]
    first = zip(data.inputs[:MOST], data.targets[:MOST])  # of a big one not all rows are made
    rows = [[*(float(number) for number in row), _target(data, target)] for row, target in first]
    told = f"{len(data.inputs):,} rows of {wide} numbers, {kind}"
    return _line(data.name, told) + _rows(names, rows, len(data.inputs))


def _told(run: dict[str, Any]) -> list[str]:
    """Network, data, loss and optimizer, as far as run.json tells them."""
    model = run.get("model") or {}
    network = sizes(model) if model.get("outputs_per_layer") else str(model.get("type", ""))
    names = [str((run.get(part) or {}).get("name", "")) for part in ("data", "optimizer")]
    return [word for word in (network, names[0], str(run.get("loss", "")), names[1]) if word]


def _curves(trace: Trace) -> str:
    try:
        from micrograd_lite.pictures.curves import drawn_curves  # NumPy and Pillow, where there are any
        from micrograd_lite.pictures.film import filmed
    except ModuleNotFoundError as error:
        return f"<p>no curves: they need the package {markup(str(error.name))}</p>"
    buffer = io.BytesIO()
    drawn_curves(filmed(trace)).image().save(buffer, "PNG")
    picture = b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="loss of each step" style="max-width:100%" src="data:image/png;base64,{picture}">'


def _line(title: str, told: str) -> str:
    return f"<p><b>{markup(title)}</b>{': ' if told else ''}{markup(told)}</p>\n"


def _rows(header: Sequence[str], rows: Sequence[Sequence[Any]], count: int | None = None) -> str:
    """The first rows as a table, and how many more there are."""
    more = (len(rows) if count is None else count) - MOST
    shown = [[cell if isinstance(cell, str) else digits(cell, "html") for cell in row] for row in rows[:MOST]]
    return table(header, shown, "html") + (f"<p>and {more:,} more rows</p>\n" if more > 0 else "")


def _target(data: Any, target: Any) -> str:
    """A class by its name, several numbers beside each other."""
    if data.class_names and isinstance(target, int) and 0 <= target < len(data.class_names):
        return str(data.class_names[target])
    numbers = target if isinstance(target, (list, tuple)) else [target]
    return ", ".join(f"{number:.9g}" for number in numbers)
