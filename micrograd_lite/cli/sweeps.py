"""`micrograd-lite sweep`: train as `train` does for every combination of settings, and say from how many starts it learns."""

from __future__ import annotations

import json
import os
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from micrograd_lite.cli import say
from micrograd_lite.cli.networks import OPTIONS, add_recipe

PATIENCE = 10
"""Seconds that a scheduler may take to answer."""

MOST_RUNS = 1_000_000

YES_OR_NO = {"yes": True, "no": False}


def add_commands(commands: Any) -> None:
    """Add the command of this page to the subparsers of argparse; it sets `run`, which returns the exit code."""
    sweeping = commands.add_parser("sweep", help="train for every combination of settings, and count from how many it learns")
    sweeping.add_argument("data", metavar="DATA", help="a CSV file, or xor parts line moons spiral iris digits mnist")
    sweeping.add_argument("--grid", action="append", required=True, metavar="NAME=VALUE",
                          help="a setting of train with a value, or FROM:TO for whole numbers from FROM up to TO, without TO; "
                               "the same name again adds a value")  # fmt: skip
    add_recipe(sweeping)
    sweeping.add_argument("--goal", type=float, metavar="X", help="learned is a loss of at most X, on the test rows where "
                          "there are some (default: an accuracy of at least 0.95, on the same rows)")  # fmt: skip
    sweeping.add_argument("--trace", choices=("none", "failed", "all"), default="none", help="of which runs to keep the trace "
                          "(default: none); failed: those that did not learn")  # fmt: skip
    sweeping.add_argument("--out", required=True, metavar="FOLDER", help="the sweep's folder; the same sweep again goes on")
    where = sweeping.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=int, metavar="N", help="so many processes (default: one a core)")
    where.add_argument("--scheduler-file", metavar="FILE", help="the workers of a Dask cluster, whose scheduler wrote this file")
    sweeping.set_defaults(run=_sweep)


def _sweep(options: Any) -> int:
    from micrograd_lite.cli.job import check, drawn, report, training
    from micrograd_lite.sweep import sweep
    from micrograd_lite.text.progress import progress

    grid = grid_of(options)
    folder = Path(options.out).absolute()
    total, learned, count = 1, 0, 0
    for values in grid.values():
        total *= len(values)
    if total > MOST_RUNS:
        raise ValueError(f"this grid has {total:,} runs; {MOST_RUNS:,} are the most")
    check(grid)

    def tell(run: Any) -> str:
        nonlocal learned, count
        count, learned = count + 1, learned + bool((run.result or {}).get("learned"))
        return f"{learned:,} of {count:,} learned"

    with pool_of(options.jobs, options.scheduler_file) as pool:
        for _ in progress(sweep(partial(training, folder=str(folder)), grid, folder, pool), total, options.data, "run", tell):
            pass
    say(report(folder), end="")
    made = ["summary.csv", *drawn(folder)]
    say(f"\n{' and '.join(made)} {'are' if len(made) > 1 else 'is'} in {options.out}")
    return 0


@contextmanager
def pool_of(jobs: int | None, scheduler_file: str | None) -> Iterator[Any]:
    """Processes here, or the workers of a Dask cluster. OSError when its scheduler does not answer."""
    if scheduler_file is None:
        if jobs is not None and jobs < 1:
            raise ValueError(f"--jobs must be at least 1, got {jobs}")
        from micrograd_lite.sweep import processes

        with processes(jobs or os.cpu_count() or 1) as pool:
            yield pool
        return
    import logging

    from distributed import Client
    from distributed.comm import get_address_host_port

    try:
        address = json.loads(Path(scheduler_file).read_text(encoding="utf-8"))["address"]
        get_address_host_port(address, strict=True)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{scheduler_file} was not written by `dask scheduler --scheduler-file`: {error}") from error
    logging.disable(logging.CRITICAL)  # what goes wrong is said in one sentence, by us
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except OSError as error:
        raise TimeoutError(f"the scheduler at {address} ({scheduler_file}) does not answer; start it again") from error
    with client:
        try:
            client.run(exec, "import micrograd_lite.cli.job")  # a worker that cannot read its task would end, and not say why
        except ImportError as error:
            raise ChildProcessError(f"a worker cannot load the package: {error}; every worker needs the same packages") from error
        yield client.get_executor()


def grid_of(options: Any) -> dict[str, list[Any]]:
    """The settings of every run as a grid: the data, the options of train with one value each, what --grid varies."""
    kinds = {name: kind for name, kind, _ in OPTIONS}
    varied: dict[str, list[Any]] = {}
    for given in options.grid:
        name, sign, value = given.partition("=")
        if not sign or name not in kinds:
            raise ValueError(f"--grid {given}: it is NAME=VALUE, where NAME is one of {', '.join(kinds)}"[:400])
        if name in options:
            raise ValueError(f"{name} is given by --grid and by --{name}; keep one of them")
        varied.setdefault(name, []).extend(values_of(name, kinds[name], value))
    grid = {"data": [options.data], **{name: [getattr(options, name)] for name in kinds if name in options}}
    if options.goal is not None:
        grid["goal"] = [options.goal]
    if options.trace != "none":
        grid["trace"] = [options.trace]
    return {**grid, **varied}


def values_of(name: str, kind: Any, text: str) -> Sequence[Any]:
    """The values that a text means. ValueError when they are of the wrong kind."""
    known = {int: "a whole number, or FROM:TO", float: "a number", bool: "yes or no", str: "a name"}.get(kind, "widths as 4,4")
    try:
        if kind is int and ":" in text:
            start, stop = map(int, text.split(":"))
            if not 0 < stop - start <= MOST_RUNS:
                raise ValueError("an empty range, or one without end")
            return range(start, stop)
        return [YES_OR_NO[text] if kind is bool else kind(text)]
    except (ValueError, KeyError, ArgumentTypeError) as error:
        several = "; of several values each has its own --grid" if "," in text else ""
        raise ValueError(f"--grid {name}={text}"[:200] + f": {name} is {known}{several}") from error
