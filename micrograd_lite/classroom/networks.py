"""Somebody's Neuron, Layer and MLP beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from micrograd_lite.classroom.adapter import Engine
from micrograd_lite.classroom.findings import Finding


def of_networks(engine: Engine, names: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with their networks."""
    return []
