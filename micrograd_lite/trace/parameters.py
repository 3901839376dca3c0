"""What a step writes down for a scalar model: one row for each parameter, and every term of the optimizer's formula."""

from __future__ import annotations

from micrograd_lite.trace import cells
from micrograd_lite.trace.folder import GRADIENTS, OPTIMIZER
from micrograd_lite.training import Step

GRADIENT_COLUMNS = ("step", "parameter", "before", "gradient", "update", "after")


class ParameterRows:
    """gradients.csv and, where the optimizer remembers something, optimizer.csv; made from the first step of a run."""

    def __init__(self, step: Step) -> None:
        self.names = [cells.line([cells.text(name)])[:-1] for name in step.names]
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
