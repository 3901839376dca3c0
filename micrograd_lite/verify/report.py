"""The report of a verification: each check by name, what it looked at, and the first wrong row in one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from micrograd_lite.text.npz import Unreadable
from micrograd_lite.trace.folder import RUN
from micrograd_lite.verify import arrays, chain, complete, edges, gradient, layers, metrics, operations, optimizers, settings
from micrograd_lite.verify.checkpoints import checkpoint
from micrograd_lite.verify.evidence import NotChecked, NotHere, Wrong
from micrograd_lite.verify.record import Record
from micrograd_lite.verify.start import start

Check = Callable[[Record], int]

STEPS = "steps without gaps"
CHECKS: dict[str, Check] = {
    STEPS: complete.steps,
    "run.json and tables": settings.settings,
    "first weights": start,
    "rows as counted": complete.rows,
    "all parameters": complete.parameters,
    "chosen steps": complete.chosen,
    "after = before + update": optimizers.after,
    "before = last after": optimizers.before,
    "memory carried on": optimizers.memory,
    "update by the formula": optimizers.update,
    "learning rate": optimizers.learning_rate,
    "norms": metrics.norms,
    "loss": metrics.loss,
    "gradients are slopes": gradient.gradient,
    "predicted change": metrics.predicted_change,
    "measured change": metrics.measured_change,
    "evaluation": metrics.evaluation,
    "order of the sweep": chain.order,
    "shares and totals": chain.shares,
    "loss, leaves, gradients": chain.leaves,
    "values by formula": edges.values,
    "partials by formula": edges.partials,
    "partials are slopes": edges.slopes,
    "operations": operations.operations,
    "shares of samples": chain.samples,
    "update ratios": layers.ratios,
    "kept weights": layers.statistics,
    "moves of arrays": arrays.moves,
    "flat activations": arrays.flat,
    "checkpoint": checkpoint,
}
"""Every check by name, in the order in which they are made. Each returns how many rows it looked at."""


class Finding(NamedTuple):
    """What one check found: verdict is ok, wrong, not checked or not here.

    sentence: the wrong row, or why the check could not run or has nothing to look at; gaps: what it left unproved, and why.
    """

    check: str
    rows: int
    verdict: str
    sentence: str
    gaps: tuple[str, ...] = ()


class Report(NamedTuple):
    """All findings about one folder. rows: how many its tables have; notes: what a reader should know beside."""

    folder: Path
    rows: int
    findings: list[Finding]
    notes: list[str]

    @property
    def wrong(self) -> str:
        """The first wrong row, in one sentence; empty when all rows agree."""
        return next((finding.sentence for finding in self.findings if finding.verdict == "wrong"), "")

    @property
    def unchecked(self) -> list[str]:
        """What could not be checked, each with its reason."""
        return [gap for finding in self.findings for gap in finding.gaps]

    @property
    def proved(self) -> bool:
        """Did every check that has something to look at run over all of it, and agree?"""
        return not self.wrong and not self.unchecked

    @property
    def verdict(self) -> str:
        """The last line: the first wrong row, or that all rows agree, or what of them nothing in the folder can prove."""
        if self.wrong or self.proved:
            return self.wrong or f"{self.folder}: {self.rows} rows agree"
        return f"{self.folder}: no wrong row in {self.rows}; not checked: {'; '.join(self.unchecked)}"

    def _repr_html_(self) -> str:
        from micrograd_lite.text.words import Prose

        return Prose(self.text())._repr_html_()

    def text(self) -> str:
        """A table with one line for each check; its last line is the verdict."""
        lines = [f"{'check':24} {'rows':>9}  verdict"]
        for check, rows, verdict, sentence, gaps in self.findings:
            told = f"{verdict}: {sentence}" if sentence else f"{verdict}, but not all" if gaps else verdict
            lines.append(f"{check:24} {rows if verdict == 'ok' else '':>9}  {told}")
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join([*lines, self.verdict]) + "\n"


def verify(folder: str | os.PathLike[str], checks: Mapping[str, Check] = CHECKS, long: bool = False) -> Report:
    """Derive every row of a trace again, with the standard library alone, and report the first that is wrong.

    long: also what is computed from data of more than 20,000 numbers, however long it takes.

    FileNotFoundError or ValueError says in a sentence why the folder holds no trace that can be read.
    """
    record = Record(folder, long)
    findings: list[Finding] = []
    for name, check in checks.items():
        findings.append(_finding(name, check, record))
        if name == STEPS and findings[-1].verdict == "wrong":
            break  # whoever believes in step 1,000,000,000 looks for the others all day
    notes = [*record.notes]
    if record.free:
        notes.append(f"not checked, because no number here depends on it: {', '.join(record.free)} of {RUN}")
    if not record.ended:
        notes.append(f"the run is {record.status}: verified as far as it goes, up to step {record.last}")
    rows = sum(1 for table in record.tables.values() for _ in table)
    return Report(record.folder, rows, findings, notes)


def _finding(name: str, check: Check, record: Record) -> Finding:
    record.gaps = []
    try:
        rows = check(record)
        return Finding(name, rows, "ok", "", tuple(record.gaps))
    except NotChecked as error:
        return Finding(name, 0, "not checked", str(error), (f"{name}, {error}",))
    except Wrong as error:
        return Finding(name, 0, "wrong", str(error))
    except NotHere as error:
        return Finding(name, 0, "not here", str(error))
    except Unreadable:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError) as error:
        return Finding(name, 0, "wrong", f"{RUN}: its settings do not fit the tables beside it: {error!a:.200}")
