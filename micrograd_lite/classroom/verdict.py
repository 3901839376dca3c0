"""What a check found, as text, as JSON, or as the results.json of Gradescope.

Hidden, the counterexamples and the lines stay back: which operation is wrong is told, not how to write for the test.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from micrograd_lite.classroom.adapter import ARITY
from micrograd_lite.classroom.checking import Checked
from micrograd_lite.classroom.findings import Finding, as_json, formula

BOUNDARY = "the file ran in a process with limits on time and memory; that is no security boundary"

WHOLE = ("graphs", "networks")
"""What has points beside the operations: all findings about whole graphs, about networks and training."""

NETWORK_WORDS = ("Neuron", "Layer", "MLP", "training", "mse", "zero_grad", "SGD", "Adam")


def points(path: str) -> dict[str, float]:
    """The weights in a JSON file, by operation: `{"mul": 5, "graphs": 10}`; ValueError for a name or number that is none."""
    with open(path, encoding="utf-8") as file:
        try:
            found = json.load(file)
        except ValueError as error:
            raise ValueError(f'{path}: points are JSON, such as {{"mul": 5, "graphs": 10}}: {error}') from error
    if not isinstance(found, dict) or not found:
        raise ValueError(f'{path}: points are an object of names and numbers, such as {{"mul": 5, "graphs": 10}}')
    for name, number in found.items():
        if name not in (*ARITY, *WHOLE):
            raise ValueError(f"{path}: {name!r} gets no points; choose from {', '.join((*ARITY, *WHOLE))}")
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number < float("inf"):
            raise ValueError(f"{path}: the points of {name!r} are a number of at least 0, got {number!r}")
    return found


def group(finding: Finding) -> str:
    """What a finding costs the points of: its operation, or whole graphs, or networks."""
    about = finding.about.split(" ")[0]
    if about in ARITY and " in place" not in finding.about:
        return about
    return "networks" if about.split(".")[0] in NETWORK_WORDS else "graphs"


def text(checked: Checked, hidden: bool = False) -> str:
    """The report that a person reads."""
    name = os.path.basename(checked.path)
    if checked.cannot:
        return f"{name} cannot be checked: {checked.cannot}\n"
    lines = [f"{name}: class {checked.cls} ({', '.join(checked.attributes)})"]
    lines += [f"  left out: {words}" for words in checked.left_out]
    for kind, title in (("wrong", "WRONG"), ("differs", "DIFFERS between two runs")):
        for number, finding in enumerate(checked.of(kind), 1):
            lines += ["", f"{title} {number}: {finding.about}", *wrong(finding, hidden)]
    beyond, missing = checked.of("beyond"), checked.of("not offered")
    if beyond:
        lines += ["", "beyond the lecture (no mistake):", *(f"  {finding.about}: {finding.sentence}" for finding in beyond)]
    if missing:
        lines += ["", "not offered: " + ", ".join(finding.about for finding in missing)]
    right = fine(checked)
    lines += ["", "right: " + (", ".join(right) or "nothing"), f"({BOUNDARY})"]
    return "\n".join(lines) + "\n"


def wrong(finding: Finding, hidden: bool) -> list[str]:
    """One thing that is wrong, in lines."""
    lines = [f"  {finding.sentence}"]
    if not hidden:
        lines += [f"      {line}" for line in finding.counterexample]
        lines += [f"  {finding.got}"] if finding.got else []
        lines += [f"  likely {finding.line}"] if finding.line else []
    return lines + ([f"  wrong because of it: {', '.join(finding.makes_wrong)}"] if finding.makes_wrong else [])


def fine(checked: Checked) -> list[str]:
    """The offered operations of which nothing is wrong."""
    findings = [*checked.of("wrong"), *checked.of("differs")]
    bad = {group(finding) for finding in findings} | {name for finding in findings for name in finding.makes_wrong}
    return [name for name in checked.offered if name not in bad]


def as_dict(checked: Checked, hidden: bool = False) -> dict[str, Any]:
    """The report for programs."""
    shown = [finding._replace(counterexample=(), got="", line="") if hidden else finding for finding in checked.findings]
    about = {"file": os.path.basename(checked.path), "class": checked.cls, "exit_code": checked.code}
    found = {"left_out": checked.left_out, "right": fine(checked), "findings": as_json(shown)}
    return {**about, "cannot_be_checked": checked.cannot, **found, "note": BOUNDARY}


def gradescope(checked: Checked, hidden: bool = False, weights: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The results.json of Gradescope: a test for each operation that is offered or has points, one for whole graphs.

    weights: the points by name; without them one point each. What follows from another mistake loses its points too,
    and says from which.
    """
    if weights is None:
        weights = dict.fromkeys([*checked.offered, "graphs"], 1.0)
    tests = [one_test(checked, name, float(most), hidden) for name, most in weights.items()]
    total = 0.0
    for test in tests:
        total += test["score"]
    return {"score": total, "output": BOUNDARY if not checked.cannot else text(checked), "visibility": "visible", "tests": tests}


def one_test(checked: Checked, name: str, most: float, hidden: bool) -> dict[str, Any]:
    """One line of Gradescope's table."""
    found = [finding for finding in (*checked.of("wrong"), *checked.of("differs")) if name == group(finding)]
    because = [finding.about for finding in (*checked.of("wrong"), *checked.of("differs")) if name in finding.makes_wrong]
    output = "\n".join(line for finding in found for line in wrong(finding, hidden))
    if checked.cannot:
        output = "the file cannot be checked"
    elif because and not found:
        output = f"wrong because of {', '.join(because)}"
    elif name not in (*checked.offered, *WHOLE):
        output = "not offered"
    return {"name": f"{name}: {formula(name)}" if name in ARITY else name, "score": 0.0 if output else most, "max_score": most,
            "status": "failed" if output else "passed", "output": output or "right", "visibility": "visible"}  # fmt: skip
