"""The flat program of a network that is on disk: `micrograd-lite flat traces/xor`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from micrograd_lite.flat_model import flatten_model
from micrograd_lite.flat_program import Program
from micrograd_lite.inits import choose
from micrograd_lite.losses import LOSSES
from micrograd_lite.nn import MLP
from micrograd_lite.trace.folder import read_run


def read_program(path: str | os.PathLike[str], loss: str | None = None) -> Program:
    """The program of the MLP in a trace folder, or in a file that `save` wrote, with the loss of that name.

    By default the loss is the one that the trace was trained with; for a model file, cross_entropy when the network has
    several linear outputs, else mse. ValueError or FileNotFoundError says what cannot be read.
    """
    folder = Path(path)
    if not folder.is_dir():
        model = MLP.load(folder)
        several = model.architecture.widths[-1] > 1 and model.architecture.activations[-1] == "linear"
        chosen = LOSSES[choose("loss", loss or ("cross_entropy" if several else "mse"), LOSSES)]
    else:
        run = read_run(folder)
        model = _model(run, folder)
        chosen = LOSSES[choose("loss", loss or run.get("loss"), LOSSES)]
    outputs = model.architecture.widths[-1]
    target: Any = 1.0 if outputs == 1 else 0 if chosen.takes_logits else [0.0] * outputs
    if not chosen.fits(target, outputs):
        raise ValueError(f"{chosen.name} needs {chosen.wants}, and this model has {outputs} outputs; choose another --loss")
    return flatten_model(model, chosen, [([0.5] * model.architecture.widths[0], target)])


def _model(run: dict[str, Any], folder: Path) -> MLP:
    """The network that run.json describes, tied weights tied, all weights small: no weight stands in a program."""
    try:
        model = MLP(**{**run["model"], "init": "zeros"})
        named = dict(model.all_names())
        for name, first in run.get("tied", {}).items():
            layer, neuron, part = name.split(".")
            unit = model.layers[int(layer.removeprefix("layer"))].neurons[int(neuron.removeprefix("neuron"))]
            if part.startswith("w"):
                unit.w[int(part[1:])] = named[first]
            else:
                setattr(unit, {"b": "b", "slope": "slope"}[part], named[first])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ValueError(f"{folder} is not the trace of an MLP of scalars: {error}") from error
    return model
