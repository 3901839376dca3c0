"""Root causes first: an operation that is made of a wrong one is told as following from it, a mistake made everywhere once.

`a - b` as `a + (-b)`, with `-b` as `b * -1`, is wrong when mul is; whoever corrects mul has corrected sub.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from micrograd_lite.classroom.adapter import Engine
from micrograd_lite.classroom.findings import Finding
from micrograd_lite.classroom.lines import gradient_line

COMMON = {"accumulation": "a number that is used twice", "upstream": "forgets the gradient"}
"""Mistakes that an engine makes in all its operations, or in backward() itself, by the words of their sentences."""


def in_common(engine: Engine, findings: Sequence[Finding]) -> list[Finding]:
    """The same mistake in three operations or more is one finding."""
    result = list(findings)
    for about, words in COMMON.items():
        same = [finding for finding in result if words in finding.sentence]
        if len(same) > 2:
            names = ", ".join(finding.about for finding in same)
            code = getattr(getattr(engine.cls, engine.backward), "__code__", None)
            line = same[0].line if len({finding.line for finding in same}) > 1 or not code else str(gradient_line(code))
            following = tuple(name for finding in same for name in finding.makes_wrong)
            sentence = f"{same[0].sentence}; so it is in {names}"
            common = same[0]._replace(
                about=about, sentence=sentence, line=line, makes_wrong=tuple(f.about for f in same) + following
            )
            result = [common, *(finding for finding in result if finding not in same)]
    return result


def root_causes(findings: Sequence[Finding], calls: Mapping[str, set[str]]) -> list[Finding]:
    """Findings about operations without those that follow from another one; each root names what follows from it."""
    wrong = {finding.about: finding for finding in findings}
    follows: dict[str, set[str]] = {name: set() for name in wrong}
    for name in wrong:
        follows[name] = {other for other in calls[name] if other in wrong and name not in calls[other]}
    if "pow" in wrong and "power" in wrong and wrong["pow"].line == wrong["power"].line:
        follows["pow"].add("power")  # one line for both
    roots = [finding for finding in findings if not follows[finding.about]]
    return [root._replace(makes_wrong=tuple(name for name in wrong if root.about in follows[name])) for root in roots]
