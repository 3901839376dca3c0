"""The way back: the statements of the backward sweep, and what of it can be left out.

Where the slope of an operation is 0.0 on one side, as relu's is, what is reached through that operation alone is skipped
there, if the program is calm: when all numbers that go in are moderate, none can become infinite or NaN (flat_sizes),
so 0.0 times any of them is 0.0 or -0.0, and adding that changes no slope. For relu networks this halves the way back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from micrograd_lite.flat_lines import Lines
from micrograd_lite.flat_text import IN, heading, indented
from micrograd_lite.rules import RULES

DEEPEST = 8  # blocks inside blocks; Python allows 100


def way_back(lines: Lines) -> list[str]:
    """All statements of the backward sweep, youngest node first.

    Where the slope of an operation is 0.0 on one side, what can only be reached through it is skipped there, if the
    program is calm: then 0.0 times anything is 0.0 (or -0.0), and adding that changes no slope.
    """
    nodes = [node for node in reversed(lines.order) if node.parents and node in lines.moving]
    text: list[str] = []
    ends: list[int] = []  # where the blocks that are open end
    for place, node in enumerate(nodes):
        while ends and ends[-1] == place:
            ends.pop()
        text += indented(heading(lines.leaving.get(node, ""), "back through "), len(ends))
        test = flat_side(lines, node) if len(ends) < DEEPEST else ""
        if test:
            block = reached_through(lines, nodes, place)
            text += indented(skipping(lines, test, block), len(ends))
            ends.append(place + len(block))
        text += indented(lines.backward(node), len(ends))
    return text


def flat_side(lines: Lines, node: Any) -> str:
    """The condition under which the slope of a node is 0.0; "" if there is none, or 0.0 times it may not be 0.0."""
    if not lines.calm or node.rule.name not in RULES or len(node.parents) != 1 or node in lines.stored:
        return ""
    made, letters = lines.spelled(node)
    found = re.fullmatch(r"0\.0 if (.*?) else .*", made.slopes[0])
    return found.group(1).format(**letters) if found else ""


def reached_through(lines: Lines, nodes: Sequence[Any], place: int) -> list[Any]:
    """The node at a place and those after it whose every use is among them."""
    block = {nodes[place]: None}
    for node in nodes[place + 1 :]:
        if not all(user in block for user in lines.users[node] if user in lines.moving):
            break
        block[node] = None
    return list(block)


def skipping(lines: Lines, test: str, block: Sequence[Any]) -> list[str]:
    """The head of a block that is skipped under a condition, with 0.0 for the slopes that are needed outside."""
    members = set(block)
    outside = [
        node for node in block
        if any(parent in lines.moving and parent.parents and parent not in members for parent in node.parents)
    ]  # fmt: skip
    if not outside:
        return [f"{IN}if not (calm and {test}):"]
    nothing = " = ".join(f"d_{lines.name[node]}" for node in outside)
    return [f"{IN}if calm and {test}:", f"{IN}    {nothing} = 0.0", f"{IN}else:"]
