"""The rows that a step writes down: one for each parameter, one for each edge or sample where the step was chosen for it.

Parameter by parameter for scalar models; array by array, which is another page, for models on arrays.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

from micrograd_lite.chain.rows import ChainRow
from micrograd_lite.text import cells
from micrograd_lite.text.files import number
from micrograd_lite.trace.folder import BY_SAMPLE, CHAIN, GRADIENTS, METRIC_COLUMNS, OPTIMIZER
from micrograd_lite.trace.kinds import by_hand
from micrograd_lite.training import Step

GRADIENT_COLUMNS = ("step", "parameter", "before", "gradient", "update", "after")


class ParameterRows:
    """gradients.csv and, where the optimizer remembers something, optimizer.csv; made from the first step of a run."""

    def __init__(self, step: Step) -> None:
        self.names = [cells.line([cells.word(name)])[:-1] for name in step.names]
        self.headers = {GRADIENTS: cells.line(GRADIENT_COLUMNS)}
        if step.terms and step.run["optimizer_memory"]:
            self.headers[OPTIMIZER] = cells.line(("step", "parameter", "gradient", *step.terms[0]._fields))

    def blocks(self, step: Step) -> dict[str, tuple[str, int]]:
        """For each table, the rows of one step as text, and how many they are."""
        rows = list(zip(self.names, step.before, step.gradients, step.terms, step.after))
        gradients = [
            f"{step.number},{name},{cells.numbers((before, gradient, terms.update, after))}\n"
            for name, before, gradient, terms, after in rows
        ]
        blocks = {GRADIENTS: ("".join(gradients), len(rows))}
        if OPTIMIZER in self.headers:
            terms_rows = [f"{step.number},{name},{cells.numbers((gradient, *terms))}\n" for name, _, gradient, terms, _ in rows]
            blocks[OPTIMIZER] = ("".join(terms_rows), len(rows))
        return blocks


def metrics_header(run: dict[str, Any]) -> str:
    """The first line of metrics.csv."""
    return cells.line((*METRIC_COLUMNS, *run["evaluation"]))


def metrics_row(step: Any, first: bool) -> str:
    """The line of metrics.csv about a step. The first has NaN for what was not measured: programs take a column's type there."""
    scalars = cells.numbers([step.loss, step.gradient_norm, step.update_norm, step.learning_rate])
    empty = "NaN" if first else ""
    evaluated = [number(step.evaluation[name]) if name in step.evaluation else empty for name in step.run["evaluation"]]
    return f"{step.number},{step.epoch},{','.join([scalars, *evaluated])}\n"


CHAIN_COLUMNS = ("step", *ChainRow._fields)


class DetailRows:
    """chain_rule.csv and gradients_by_sample.csv, where a run has steps chosen for them; made from its run.json."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.headers: dict[str, str] = {}
        if run.get("chain_rule") or by_hand(run):  # of a loop, steps are chosen as they come
            self.headers[CHAIN] = cells.line(CHAIN_COLUMNS)
        if run.get("by_sample"):
            samples = run["data"]["samples"]
            self.samples = min(run["batch_size"] or samples, samples)
            columns = [f"sample{sample}" for sample in range(self.samples)]
            self.headers[BY_SAMPLE] = cells.line(("step", "parameter", "gradient", *columns))

    def blocks(self, step: Any) -> dict[str, tuple[str, int]]:
        """For each table, the rows of one step as text, and how many they are; no table when the step was not chosen."""
        blocks = {}
        if CHAIN in self.headers and step.chain:
            rows = [cells.line([str(step.number), *map(cell, row)]) for row in step.chain]
            blocks[CHAIN] = ("".join(rows), len(rows))
        if BY_SAMPLE in self.headers and step.by_sample:
            rows = [
                cells.line([str(step.number), cells.word(name), *map(number, (gradient, *shares))])[:-1]
                + ",NaN" * (self.samples - len(shares)) + "\n"
                for name, gradient, shares in zip(step.names, step.gradients, step.by_sample)
            ]  # fmt: skip
            blocks[BY_SAMPLE] = ("".join(rows), len(rows))
        return blocks


def cell(entry: str | float) -> str:
    """Text made safe, a number as it reads back exactly; the order of a row is a whole number."""
    if isinstance(entry, str):
        return cells.word(entry)
    return number(entry) if isinstance(entry, float) else str(entry)


def rows_of(step: Any) -> Any:
    """The writer of the rows of a run, made from its first step."""
    if isinstance(step, Step):
        return ParameterRows(step)
    from micrograd_lite.trace.layers import LayerRows  # NumPy loads only for a model that is made of it

    return LayerRows(step)


def write_weights(folder: Path, step: Any, first: bool = False, kept: bool = True) -> None:
    """Keep all weights before the first step, and after the others; a scalar model has them in gradients.csv."""
    if not isinstance(step, Step):
        from micrograd_lite.trace.layers import write_arrays

        if first:
            write_arrays(folder, step.number - 1, step.model, step.start)
        if kept:
            write_arrays(folder, step.number, step.model, step.model.flat)


def versions() -> dict[str, Any]:
    """What the numbers were made with."""
    from micrograd_lite import __version__

    versions = {"micrograd_lite": __version__, "python": platform.python_version(), "system": platform.system()}
    numpy = sys.modules.get("numpy")
    return {**versions, "numpy": numpy.__version__} if numpy else versions
