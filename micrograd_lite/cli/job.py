"""What `micrograd-lite sweep` does with each combination of settings, and what it says of all of them."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import Any

from micrograd_lite.recipe import Recipe, Run, prepare
from micrograd_lite.sweep import Settings, place_of, read_sweep, runs
from micrograd_lite.text.cells import spelled
from micrograd_lite.text.shares import SEED, shares, shares_table
from micrograd_lite.trace import Tracer

ENOUGH = 0.95
"""Accuracy from which on a network has learned, where no loss is the goal."""


def check(grid: dict[str, list[Any]]) -> None:
    """Prepare one run with each value but a seed. ValueError, TypeError or OSError for one with which nothing can be trained."""
    first = {name: values[0] for name, values in grid.items()}
    for name, values in grid.items():
        for value in values[:1] if name == SEED else values:
            run = prepare(recipe_of({**first, name: value}))
            run.steps()  # not one is taken, but they are checked
            if not run.training.classes and "goal" not in grid:
                raise ValueError(f"{grid['data'][0]} is learned as numbers; say with --goal at which loss they are learned")


def training(settings: Settings, folder: str) -> dict[str, Any]:
    """One run of a sweep in `folder`, with the settings of a Recipe and perhaps `goal`, a loss, and `trace`, failed or all.

    A run that did not learn is trained again to write its trace: the numbers are the same, and those that learn lose no time.
    """
    recipe, place, kept = recipe_of(settings), place_of(folder, settings) / "trace", settings.get("trace")
    if kept == "all":
        return _outcome(*_traced(recipe, place), settings.get("goal"))
    run = prepare(recipe)
    try:
        (last,) = deque(run.steps(), 1)
    except FloatingPointError:
        if kept == "failed":
            _traced(recipe, place)
        raise
    result = _outcome(run, last, settings.get("goal"))
    if kept == "failed" and not result["learned"]:
        _traced(recipe, place)
    return result


def recipe_of(settings: Settings) -> Recipe:
    """The recipe among the settings of a run."""
    chosen = {name: value for name, value in settings.items() if name in Recipe._fields}
    if "layers" in chosen:
        chosen["layers"] = tuple(chosen["layers"])
    return Recipe(settings["data"], **chosen)


def _traced(recipe: Recipe, place: Path) -> tuple[Run, Any]:
    run = prepare(recipe)
    with Tracer(place, every=run.every, force=True, weights_every=run.every if run.on_arrays else None) as tracer:
        (last,) = deque(tracer.follow(run.steps()), 1)
    return run, last


def _outcome(run: Run, last: Any, goal: float | None) -> dict[str, Any]:
    evaluated = last.evaluation
    if goal is None:
        learned = evaluated["test_accuracy" if run.testing else "train_accuracy"] >= ENOUGH
    else:
        learned = evaluated.get("test_loss", last.loss) <= goal
    return {"learned": learned, "steps": last.number, "final_loss": last.loss, **evaluated}


def title(grid: dict[str, list[Any]]) -> str:
    """What all runs have in common: `xor, lr 2.0, epochs 1000`."""
    fixed = {name: values[0] for name, values in grid.items() if len(values) == 1 and name not in ("goal", "trace", SEED)}
    words = [spelled(value) if name == "data" else f"{name} {spelled(value)}" for name, value in fixed.items()]
    return ", ".join(words) or "a sweep"


def meaning(grid: dict[str, list[Any]]) -> str:
    """What `learned` means in a sweep of this page's job."""
    if "data" not in grid:
        return "learned: what the job says"
    wanted = f"a loss of at most {grid['goal'][0]:g}" if "goal" in grid else f"an accuracy of at least {ENOUGH}"
    return f"learned: {wanted}, on the rows kept for testing where there are some"


def report(folder: str | os.PathLike[str], form: str = "text") -> str:
    """The table of a sweep; as text, with what learned means, how far it is, and where to look at those that failed."""
    every, grid = runs(folder), read_sweep(folder)["grid"]
    lines = shares_table(shares(every), form)
    if form != "text":
        return lines
    done = [run for run in every if run.done]
    said = [title(grid), meaning(grid), f"{len(done):,} of {len(every):,} runs are done"]
    wrong = [run for run in done if run.error]
    if wrong:
        said.append(f"{len(wrong):,} ended with an error, the first {wrong[0].settings}: {wrong[0].error}")
    for run in done:
        place = place_of(folder, run.settings) / "trace"
        if not (run.result or {}).get("learned") and place.is_dir():
            said.append(f"why not? micrograd-lite diagnose {place}")
            break
    return lines + "\n" + "".join(f"{line}\n" for line in said)


def drawn(folder: Path) -> list[str]:
    """Draw sweep.png; its name, or nothing where there is no Pillow to draw it with."""
    try:
        from micrograd_lite.pictures.sweeps import sweep_png
    except ModuleNotFoundError:
        return []
    grid = read_sweep(folder)["grid"]
    sweep_png(folder / "sweep.png", shares(runs(folder)), title(grid), meaning(grid))
    return ["sweep.png"]
