"""What a trained network answers: a trace's last weights, asked new rows in the data's own units, answering in them.

    network = Answering("traces/mine")
    print(network.answer([0.0, 1.0]).text())
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

from micrograd_lite.data import Units
from micrograd_lite.losses import LOSSES, as_list
from micrograd_lite.measure import middle
from micrograd_lite.nn import MLP
from micrograd_lite.scalar import APPLY
from micrograd_lite.trace.reader import Trace
from micrograd_lite.trace.samples import loaded


class Answer(NamedTuple):
    """The answer to one row. outputs: in the data's own units; name: of the class, "" for a regression.

    shares: each class and its probability; of a loss that knows none (a square error, hinge) nothing.
    """

    target: str
    outputs: list[float]
    name: str
    shares: dict[str, float]

    def text(self) -> str:
        """`good = yes`, and the probabilities below; for a regression `price = 2.93`."""
        if not self.name:
            places = range(len(self.outputs)) if len(self.outputs) > 1 else [""]
            return "".join(f"{self.target}{place} = {number:.9g}\n" for place, number in zip(places, self.outputs))
        width = max(map(len, self.shares), default=0)
        below = [f"  {name:<{width}}  {share:.6f}\n" for name, share in self.shares.items()]
        scores = [] if below else [f"  output {number:.9g}\n" for number in self.outputs]
        return "".join([f"{self.target} = {self.name}\n", *below, *scores])


class Answering:
    """The network of a trace folder after its last recorded step. ValueError when its weights are not recorded."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        trace = Trace(folder)
        self.run, self.model, self.folder = trace.run, _trained(trace), trace.folder
        data = self.data = self.run["data"] or unknown(self.model)
        self.features = data["feature_names"] or [f"x{column}" for column in range(data["features"])]
        self.target = data["target_name"] or ("class" if data["classes"] else "y")
        self.units = Units(**data["units"]) if data["units"] else None
        self.loss = LOSSES.get(self.run["loss"])

    def answer(self, row: Sequence[float]) -> Answer:
        """The answer to one row of numbers, one for each feature, in the data's own units."""
        if self.units:
            row = [(number - centre) / scale for number, centre, scale in zip(row, self.units.centre, self.units.scale)]
        outputs = [float(number) for number in as_list(self.model.predict(row))]
        label, shares = self._decision(outputs)
        if self.units:
            outputs = [self.units.target_centre + self.units.target_scale * number for number in outputs]
        names = self.data["class_names"] or [f"class {one}" for one in range(self.data["classes"])]
        return Answer(self.target, outputs, "" if label is None else names[label], dict(zip(names, shares)))

    def row(self, cells: Mapping[str, str]) -> list[float]:
        """Named cells of text as one number for each feature; cells of other names are left. ValueError names what is wrong."""
        for name in self.features:
            if name not in cells:
                raise ValueError(f"{name} is missing; this network wants {', '.join(self.features)}")
        return [_number(name, cells[name]) for name in self.features]

    def _decision(self, outputs: Sequence[float]) -> tuple[int | None, list[float]]:
        """The class that an output stands for, and each class's probability where the loss has one."""
        if not self.data["classes"] or self.loss is None:
            return None, []
        name = self.loss.name
        if name == "cross_entropy":
            exponentials = [math.exp(number - max(outputs)) for number in outputs]
            total = math.fsum(exponentials)
            return outputs.index(max(outputs)), [number / total for number in exponentials]
        if len(outputs) > 1:
            return outputs.index(max(outputs)), []
        if name == "binary_cross_entropy":
            yes, no = APPLY["sigmoid"](outputs[0])[0], APPLY["sigmoid"](-outputs[0])[0]
            return int(outputs[0] > 0.0), [no, yes]
        if self.loss.threshold is None and self._middle is None:
            return None, []
        border = self._middle if self.loss.threshold is None else self.loss.threshold
        return int(outputs[0] > (border or 0.0)), []


    @cached_property
    def _middle(self) -> float | None:
        """Where a yes parts from a no is told by the targets; None where they cannot be had."""
        with suppress(OSError, ValueError):
            return middle(loaded(self.run, "data", self.folder)["targets"])
        return None


def unknown(model: Any) -> dict[str, Any]:
    """What is known of the data of a loop of one's own: how many numbers its network takes."""
    names = [f"x{column}" for column in range(model.config()["inputs"])]
    return {"feature_names": names, "target_name": "", "classes": 0, "class_names": [], "units": None}


def predict(folder: str | os.PathLike[str], asked: Sequence[str]) -> str:
    """The answers to `a=0 b=1`, or to each row of one CSV file: as sentences, or as the file with the answers beside it."""
    network = Answering(folder)
    if len(asked) == 1 and "=" not in asked[0]:
        return _file(network, asked[0])
    cells = {}
    for one in asked:
        name, sign, cell = one.partition("=")
        if not sign or name not in network.features:
            raise ValueError(f"{one!r} is no NAME=NUMBER; this network wants {', '.join(network.features)}")
        if name in cells:
            raise ValueError(f"{name} is given twice")
        cells[name] = cell
    return network.answer(network.row(cells)).text()


def _file(network: Answering, path: str) -> str:
    from micrograd_lite.data.table import read_rows
    from micrograd_lite.text import cells

    with open(path, "rb") as file:
        read = read_rows(file.read(), path)
    if len(read) < 2:
        raise ValueError(f"{path} has no rows under its header")
    (header, _), *rows = read
    lines: list[tuple[Answer, Any]] = []
    for row, line in rows:
        if len(row) != len(header):
            raise ValueError(f"{path}, line {line}: the row is not as wide as the header")
        try:
            answer = network.answer(network.row(dict(zip(header, row))))
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from error
        lines.append((answer, answer.name or answer.outputs[0]))
    shares = list(lines[0][0].shares)
    top = cells.line((network.target, *(f"probability of {name}" for name in shares)))
    return top + "".join(cells.line((str(first), *(repr(answer.shares[name]) for name in shares))) for answer, first in lines)


def _number(name: str, cell: str) -> float:
    try:
        number = float(cell)
    except ValueError as error:
        raise ValueError(f"{name} must be a number, got {cell!r}") from error
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {cell!r}")
    return number


def _trained(trace: Trace) -> Any:
    model = trace.run["model"]
    if "dtype" in model:
        from micrograd_lite.arrays import MLP as ArrayMLP

        if not trace.array_steps():
            raise ValueError(f"{trace.folder} keeps no weights; train with Tracer(..., weights_every=N)")
        network: Any = ArrayMLP.of(model, trace.arrays(trace.array_steps()[-1]))
        return _OneRow(network)
    if not trace.steps():
        raise ValueError(f"{trace.folder} has no recorded step yet")
    if model.get("type", "MLP") != "MLP" or "outputs_per_layer" not in model:
        raise ValueError(f"{trace.folder} is not the trace of an MLP, so its answers cannot be computed again")
    return MLP.of(model, trace.weights(trace.steps()[-1]))


class _OneRow:
    """A network on arrays that answers one row."""

    def __init__(self, network: Any) -> None:
        self.network = network

    def predict(self, row: Sequence[float]) -> list[float]:
        """The outputs of one row."""
        answers: list[float] = self.network.predict([row])[0].tolist()
        return answers
