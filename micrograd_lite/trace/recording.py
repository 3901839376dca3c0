"""What is written down for which kind of step: parameter by parameter for scalar models, array by array for the others."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

from micrograd_lite.trace.parameters import ParameterRows
from micrograd_lite.training import Step


def rows_of(step: Any) -> Any:
    """The writer of the rows of a run, made from its first step."""
    if isinstance(step, Step):
        return ParameterRows(step)
    from micrograd_lite.trace.layers import LayerRows  # NumPy loads only for a model that is made of it

    return LayerRows(step)


def write_weights(folder: Path, step: Any, first: bool = False, kept: bool = True) -> None:
    """Keep all weights before the first step, and after the others; a scalar model has them in gradients.csv."""
    if not isinstance(step, Step):
        from micrograd_lite.trace.layers import write_arrays

        if first:
            write_arrays(folder, step.number - 1, step.model, step.start)
        if kept:
            write_arrays(folder, step.number, step.model, step.model.flat)


def versions() -> dict[str, Any]:
    """What the numbers were made with."""
    from micrograd_lite import __version__

    versions = {"micrograd_lite": __version__, "python": platform.python_version(), "system": platform.system()}
    numpy = sys.modules.get("numpy")
    return {**versions, "numpy": numpy.__version__} if numpy else versions
