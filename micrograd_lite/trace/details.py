"""What a step writes down beyond its gradients, where it was chosen: the chain rule edge by edge, the samples' shares."""

from __future__ import annotations

from typing import Any

from micrograd_lite.chain import ChainRow
from micrograd_lite.files import number
from micrograd_lite.trace import cells
from micrograd_lite.trace.folder import BY_SAMPLE, CHAIN

CHAIN_COLUMNS = ("step", *ChainRow._fields)


class DetailRows:
    """chain_rule.csv and gradients_by_sample.csv, where a run has steps chosen for them; made from its run.json."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.headers: dict[str, str] = {}
        if run.get("chain_rule"):
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
                cells.line([str(step.number), cells.text(name), *map(number, (gradient, *shares))])[:-1]
                + "," * (self.samples - len(shares)) + "\n"
                for name, gradient, shares in zip(step.names, step.gradients, step.by_sample)
            ]  # fmt: skip
            blocks[BY_SAMPLE] = ("".join(rows), len(rows))
        return blocks


def cell(entry: str | float) -> str:
    """Text made safe, a number as it reads back exactly; the order of a row is a whole number."""
    if isinstance(entry, str):
        return cells.text(entry)
    return number(entry) if isinstance(entry, float) else str(entry)
