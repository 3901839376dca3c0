"""Recorded rows: the edges of backward passes that a trace holds, for a page that cannot compute them again."""

from __future__ import annotations

from typing import Any

from micrograd_lite.chain.rows import ChainRow
from micrograd_lite.page.packing import Columns
from micrograd_lite.text import cells
from micrograd_lite.trace import Trace

MOST = 20_000
"""Rows of all steps together."""

TEXTS = ("node", "operation", "formula", "parent", "partial_formula")
NUMBERS = ("value", "upstream", "parent_value", "partial", "share", "total")


def recorded_rows(trace: Trace, blocks: dict[str, Columns | bytes]) -> dict[str, Any]:
    """The rows of chain_rule.csv, step by step, as many as a page holds: texts once each, numbers as columns of a block."""
    known: dict[str, int] = {}
    steps: list[list[int]] = []
    rows: list[ChainRow] = []
    last = trace.metrics()[-1]["step"] if trace.metrics() else 0
    for step in trace.run.get("chain_rule") or []:
        found = trace.chain_rule(step) if step <= last else []
        if not found or len(rows) + len(found) > MOST:
            continue
        steps.append([step, len(found)])
        rows += found
    if not rows:
        return {}
    texts = [[known.setdefault(cells.text(getattr(row, name)), len(known)) for row in rows] for name in TEXTS]
    blocks["chain"] = [[float(getattr(row, name)) for row in rows] for name in NUMBERS]
    return {"chain": {"steps": steps, "texts": list(known), "places": texts, "columns": [*TEXTS, *NUMBERS]}}
