"""The network of a trace folder or of a model file, built again, with its loss."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from micrograd_lite.architecture import choose
from micrograd_lite.losses import LOSSES, Loss
from micrograd_lite.nn import MLP
from micrograd_lite.trace.folder import read_run
from micrograd_lite.trace.kinds import check_sizes


def read_network(path: str | os.PathLike[str], loss: str | None = None) -> tuple[MLP, Loss]:
    """The MLP of scalars in a trace folder, or in a file that `save` wrote, and the loss of that name.

    By default the loss is the one that the trace was trained with; for a model file, cross_entropy when the network has
    several linear outputs, else mse. ValueError or FileNotFoundError says what cannot be read.
    """
    folder = Path(path)
    if folder.is_dir():
        run = read_run(folder)
        return network(run, folder), LOSSES[choose("loss", loss or run.get("loss"), LOSSES)]
    model = MLP.load(folder)
    several = model.architecture.widths[-1] > 1 and model.architecture.activations[-1] == "linear"
    return model, LOSSES[choose("loss", loss or ("cross_entropy" if several else "mse"), LOSSES)]


def network(run: dict[str, Any], folder: Path, kind: type[MLP] = MLP) -> MLP:
    """The network that run.json describes, tied weights tied, all weights small: no weight stands in a program.

    kind: MLP, or a class of one's own that is built like it. ValueError when run.json describes none.
    """
    try:
        check_sizes(run)
        model = kind.of(run["model"])
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
