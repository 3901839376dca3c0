"""The process in which somebody's file runs: limits on time and memory, nothing to read from, results through a file.

It keeps accidents away, an endless loop, a full disk, `os._exit`. It is no security boundary: a file that wants to harm can
read and write what its user can, and can forge its result. Check files of strangers in a machine of their own.

    python -m micrograd_lite.classroom.child FILE RESULTS [CLASS]
"""

from __future__ import annotations

import builtins
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from micrograd_lite.classroom.adapter import CannotCheck, Engine, engine_in, said
from micrograd_lite.classroom.findings import Finding, as_json

SECONDS = 5.0
"""Processor time for everything; the clock ends the process from outside."""

LIMIT_SECONDS = 1.0
"""Processor time for each limit that is tried."""

MEMORY = 3 << 30
"""Bytes of address space."""


class Endless(BaseException):
    """The time is over; not to be caught by `except Exception`."""


class Report:
    """What is known so far, in a file that is written whole each time: whoever ends this process does not end that."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.known: dict[str, Any] = {"stage": "reading the file", "done": False}

    def say(self, **facts: Any) -> None:
        """Add facts and write them down."""
        self.known.update(facts)
        with open(f"{self.path}.new", "w", encoding="utf-8") as file:
            json.dump(self.known, file)
        os.replace(f"{self.path}.new", self.path)


def limit_resources() -> None:
    """Limits of the system, where it has them; the alarms of this process alone."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 26, 1 << 26))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def ring(_: int, frame: Any) -> None:
    """The time is over: say where, in their file if it is on the way."""
    frames = traceback.extract_stack(frame)
    here = ([one for one in frames if not os.path.isabs(one.filename) and not one.filename.startswith("<")] or frames)[-1]
    raise Endless(f"{os.path.basename(here.filename)}, line {here.lineno}, in {here.name}: {here.line}")


def on_the_clock(action: Callable[[], Any]) -> Any:
    """Call a function; TimeoutError when it takes more than a second of processor time."""
    if not hasattr(signal, "setitimer"):
        return action()
    left = signal.setitimer(signal.ITIMER_PROF, LIMIT_SECONDS)[0]
    try:
        return action()
    except Endless as error:
        raise TimeoutError(f"it takes more than {LIMIT_SECONDS:g} s") from error
    finally:
        signal.setitimer(signal.ITIMER_PROF, max(left - LIMIT_SECONDS, LIMIT_SECONDS))


def nobody_answers(*_: Any) -> str:
    """What input() is in this process."""
    raise CannotCheck("it asks with input(), and nobody answers")


def check(path: str, wanted: str, report: Report) -> None:
    """Everything, one stage after the other, each written down as soon as it is known."""
    from micrograd_lite.classroom import limits, networks, probes, properties
    from micrograd_lite.classroom.loading import load

    report.say(stage="running its definitions")
    loaded = load(path)
    report.say(left_out=loaded.left_out)
    engine = Engine(engine_in(loaded.names, wanted, loaded.module), loaded.names)
    report.say(stage="trying its operations", cls=engine.cls.__name__, attributes=[engine.data, engine.grad, engine.backward])
    tried = {name: properties.operation(engine, name) for name in engine.known}
    offered = {name: found for name, found in tried.items() if found.forms}
    findings = probes.found_in(engine, offered)
    wrong = [name for finding in findings for name in (finding.about, *finding.makes_wrong)]
    report.say(findings=as_json(findings + not_offered(tried)), stage="training a network", offered=list(offered))
    if not any(finding.kind in ("wrong", "differs") for finding in findings):
        findings += networks.of_networks(engine, loaded.names)
    report.say(findings=as_json(findings + not_offered(tried)), stage="trying its limits")
    right = {name for name in offered if name not in wrong}
    findings += limits.limits(engine, right, on_the_clock)
    report.say(findings=as_json(findings + not_offered(tried)), numbers=numbers(engine, offered), stage="", done=True)


def not_offered(tried: dict[str, Any]) -> list[Finding]:
    """The operations and forms that a class does not have."""
    from micrograd_lite.classroom.findings import spelled

    found = []
    for name, operation in tried.items():
        if not operation.forms:
            found.append(Finding("not offered", name, ""))
        for step, why in operation.missing.items() if operation.forms else ():
            found.append(Finding("not offered", f"{name} as {spelled(step)}", why))
    return found


def numbers(engine: Engine, offered: dict[str, Any]) -> dict[str, bool]:
    """Fixed programs, and whether they come out right: for the comparison of two runs."""
    from micrograd_lite.classroom import probes
    from micrograd_lite.classroom.programs import Program
    from micrograd_lite.classroom.properties import mismatch

    programs = [Program((2.0, 3.0, 1.5), found.forms[0]).without_unused() for found in offered.values()]
    programs += [program for program in (*probes.DIAMONDS, *probes.EQUAL) if all(step.name in offered for step in program.steps)]
    return {"; ".join(program.lines(engine.cls.__name__)): mismatch(engine, program) is None for program in programs}


def again(path: str, wanted: str, report: Report) -> None:
    """The fixed programs alone: the second run, with other hashes and its memory elsewhere."""
    from micrograd_lite.classroom import properties
    from micrograd_lite.classroom.loading import load

    kept = [[object() for _ in range(7)] for _ in range(1_000)]
    loaded = load(path)
    engine = Engine(engine_in(loaded.names, wanted, loaded.module), loaded.names)
    tried = {name: properties.operation(engine, name) for name in engine.known}
    report.say(numbers=numbers(engine, {name: found for name, found in tried.items() if found.forms}), done=bool(kept))


def main(arguments: list[str]) -> None:
    """Check a file and write down what was found; what stops it is a fact, too."""
    task, path, results, wanted = arguments
    report, tasks = Report(results), {"check": check, "again": again}
    sys.dont_write_bytecode = True
    builtins.input = nobody_answers
    if task == "check":  # before anything of theirs: a page of theirs may be called as one that hypothesis needs
        import hypothesis
        import hypothesis.strategies  # noqa: F401
    limit_resources()
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, ring)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        tasks[task](path, wanted, report)
    except CannotCheck as why:
        failed = [words for words in report.known.get("left_out", ()) if "not run" not in words and not report.known.get("cls")]
        report.say(cannot="; ".join([str(why), *failed[:1]]))
    except Endless as where:
        report.say(cannot=f"it does not come to an end, while {report.known['stage']}: {where}")
    except MemoryError:
        report.say(cannot=f"it needs more than {MEMORY >> 30} GB of memory, while {report.known['stage']}")
    except SystemExit:
        report.say(cannot=f"it calls exit(), while {report.known['stage']}")
    except Exception as error:
        report.say(cannot=f"{said(error)}, while {report.known['stage']}")


if __name__ == "__main__":
    main(sys.argv[1:])
