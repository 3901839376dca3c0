"""What many runs came to: for each setting how many learned, how sure that share is, and how their losses are spread."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from micrograd_lite.text.cells import spelled, text
from micrograd_lite.text.tables import table

SEED = "seed"
"""Runs that differ in nothing else are counted together."""
TAKEN = ("run", "error", "job")
"""Names that are no setting's and no result's."""
QUANTILES = (0.1, 0.5, 0.9)
NORMAL = 1.959963984540054
"""Of a normal distribution, 95 % is within so many standard deviations."""


class Share(NamedTuple):
    """The runs of one setting that are done. learned: None where no run says so; losses: sorted, of those that have one."""

    settings: dict[str, Any]
    runs: int
    learned: int | None
    errors: int
    losses: list[float]

    @property
    def name(self) -> str:
        """The settings in words: `layers 4, lr 0.1`; `all` where nothing but the seed varies."""
        return ", ".join(f"{name} {spelled(value) or 'none'}" for name, value in self.settings.items()) or "all"

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares the true one is, with 95 % confidence (Wilson 1927)."""
        return interval(self.learned or 0, self.runs)


def shares(runs: Iterable[Any]) -> list[Share]:
    """One Share for each combination of what varies, but for the seed, in the order of the runs; only those done are counted."""
    runs = list(runs)
    varying = [
        name for name in (runs[0].settings if runs else ())
        if name != SEED and any(run.settings[name] != runs[0].settings[name] for run in runs)
    ]  # fmt: skip
    groups: dict[str, list[Any]] = {}
    for run in runs:
        groups.setdefault(repr([run.settings[name] for name in varying]), []).append(run)
    tells = any(isinstance((run.result or {}).get("learned"), bool) for run in runs)
    return [_share(group, varying, tells) for group in groups.values()]


def _share(group: Sequence[Any], varying: Sequence[str], tells: bool) -> Share:
    done = [run for run in group if run.done]
    results = [run.result or {} for run in done]
    learned = sum(1 for result in results if result.get("learned") is True) if tells else None
    losses = sorted(float(result["final_loss"]) for result in results if isinstance(result.get("final_loss"), (int, float)))
    settings = {name: group[0].settings[name] for name in varying}
    return Share(settings, len(done), learned, sum(1 for run in done if run.error), losses)


def interval(hits: int, tries: int) -> tuple[float, float]:
    """Wilson's interval of 95 % around hits / tries; 0 to 1 without a try.

    >>> [round(end, 3) for end in interval(300, 500)]
    [0.556, 0.642]
    """
    if not tries:
        return 0.0, 1.0
    square = NORMAL * NORMAL / tries
    middle = (hits / tries + square / 2.0) / (1.0 + square)
    spread = math.sqrt(hits / tries * (1.0 - hits / tries) * square + square * square / 4.0) / (1.0 + square)
    return max(0.0, middle - spread), min(1.0, middle + spread)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The number below which that share of the sorted numbers is; between two of them, on the line from one to the other.

    >>> quantile([1.0, 2.0, 4.0], 0.75)
    3.0
    """
    place = share * (len(ordered) - 1)
    below = int(place)
    if place == below:
        return ordered[below]
    return ordered[below] + (place - below) * (ordered[below + 1] - ordered[below])


def shares_table(found: Sequence[Share], form: str = "text") -> str:
    """A row for each setting, in form text, markdown, csv or html."""
    tells, measured = any(one.learned is not None for one in found), any(one.losses for one in found)
    names = [*found[0].settings] if found else []
    header = [*names, "runs", *(["learned", "share", "95 % from", "to"] if tells else []), "errors"]
    header += [f"loss at {share:.0%}" for share in QUANTILES] if measured else []
    rows = []
    for one in found:
        row = [*map(spelled, one.settings.values()), str(one.runs)]
        if tells:
            share = f"{(one.learned or 0) / one.runs:.3f}" if one.runs else ""
            row += [str(one.learned or 0), share, *(f"{end:.3f}" for end in one.interval)]
        row.append(str(one.errors))
        if measured:
            row += [f"{quantile(one.losses, share):.3g}" if one.losses else "" for share in QUANTILES]
        rows.append(row)
    return table(header, rows, form)


def summary(runs: Sequence[Any]) -> str:
    """A CSV file of a row a run: the name of its folder in runs/, its settings, what came of it, the error that it ended with."""
    columns = [*dict.fromkeys(name for run in runs for name in (*run.settings, *(run.result or {})))]
    rows = []
    for run in runs:
        known = {**run.settings, **(run.result or {})}
        rows.append([run.name, *(spelled(known.get(name)) for name in columns), spelled(run.error)])
    return table(["run", *map(text, columns), "error"], rows, "csv")
