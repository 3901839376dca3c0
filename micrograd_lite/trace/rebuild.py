"""A recorded step again, from its trace: the weights before it, the batch that it saw, and their graph with every number.

    step = Rebuild("traces/mine").step(50)
    print(step.by_sample["layer0.neuron1.w0"])

So nothing has to be chosen before training. What is rebuilt is compared with what was recorded before it is shown: each
gradient must be the same in bits, or, on another machine whose exp rounds otherwise, within 1e-9 of the terms of its sum.
"""

from __future__ import annotations

import os
from functools import cached_property
from itertools import islice
from typing import Any

from micrograd_lite.chain.rows import edges
from micrograd_lite.data import Dataset, Units
from micrograd_lite.losses import LOSSES
from micrograd_lite.optim import SGD
from micrograd_lite.plan import make_plan
from micrograd_lite.scalar import Value
from micrograd_lite.trace.network import network
from micrograd_lite.trace.reader import GradientRow, Trace
from micrograd_lite.trace.show import refuse_arrays
from micrograd_lite.training import batch_graph, batch_rows, by_sample

ROUNDING = 1e-9
"""Of the sum of its shares' sizes: so far a gradient that another machine recorded may lie from ours."""


class RebuiltStep:
    """One step again. root: the batch's loss as a graph; rows: of the data, in the order of the samples.

    recorded: its row of gradients.csv for each parameter; parameters: the same in the graph. note: empty, or a sentence
    that last digits differ on this machine.
    """

    def __init__(self, number: int, root: Value, rows: list[int], recorded: dict[str, GradientRow], parameters: dict[str, Value]):
        self.number, self.root, self.rows = number, root, rows
        self.recorded, self.parameters = recorded, parameters
        self.note = self._compared()

    @cached_property
    def by_sample(self) -> dict[str, list[float]]:
        """For each parameter the share of each sample in its gradient; from the last sample to the first they add up to it."""
        return dict(zip(self.parameters, by_sample(self.root, list(self.parameters.values()))))

    def sample(self, place: int) -> Value:
        """The cost of one sample as a node of the graph. ValueError when the step has no such sample."""
        if not 0 <= place < len(self.rows):
            raise ValueError(f"step {self.number} has samples 0 to {len(self.rows) - 1}, got {place}")
        cost: Value = self.root.parents[place]
        return cost

    def _compared(self) -> str:
        """Are these the recorded gradients? ValueError names the first that is not."""
        totals: dict[Any, float] = {}
        sizes: dict[Any, float] = {}
        for edge in edges(self.root):
            parent = edge.node.parents[edge.position]
            totals[parent], sizes[parent] = edge.total, sizes.get(parent, 0.0) + abs(edge.share)
        differs = ""
        for name, parameter in self.parameters.items():
            recorded, rebuilt = self.recorded[name].gradient, totals.get(parameter, 0.0)
            if recorded == rebuilt:
                continue
            if not abs(recorded - rebuilt) <= ROUNDING * sizes.get(parameter, 0.0):
                raise ValueError(
                    f"step {self.number} cannot be built again: the gradient of {name} comes out as {rebuilt!r}, and the trace "
                    f"recorded {recorded!r}; an engine, a loss or a network of one's own trained it, or its folder was changed"
                )
            differs = "Last digits differ from the recorded ones: this machine rounds some functions in another way."
        return differs


class Rebuild:
    """A trace whose recorded steps can be built again. ValueError says in a sentence why those of this one cannot."""

    def __init__(self, folder: Trace | str | os.PathLike[str]) -> None:
        self.trace = trace = folder if isinstance(folder, Trace) else Trace(folder)
        run, data = trace.run, trace.run.get("data") or {}
        refuse_arrays(trace, "no edges of single numbers")
        if run.get("loss") not in LOSSES:
            what = f"with {run.get('loss')!r}, a loss of one's own"
            raise ValueError(f"{trace.folder} was trained {what}: no step can be built again")
        if "inputs" not in data:
            what = f"{data.get('name')!r}, {data.get('samples')} samples"
            raise ValueError(f"{trace.folder} does not hold its data ({what}), so no step can be built again")
        self.model = network(run, trace.folder)
        known = {name: data[name] for name in Dataset._fields if name in data}
        known["units"] = Units(**data["units"]) if data.get("units") else None
        self.plan = make_plan(
            model=self.model, data=Dataset(**known), loss=LOSSES[run["loss"]], optimizer=SGD(lr=1.0), epochs=None,
            batch_size=run["batch_size"], shuffle=run["shuffle"], seed=run["seed"], parameters=run["parameters"],
            test=None, evaluate_every=None, change_every=None, chain_rule=(), by_sample=(),
        )  # fmt: skip

    def step(self, number: int | None = None) -> RebuiltStep:
        """A recorded step, by default the last. ValueError when it is not recorded, or does not come out as it was recorded."""
        number = self.trace.last_recorded() if number is None else number
        state = self.trace.weights_before(number)
        for name, parameter in self.model.all_names():
            parameter.data = state[name]
        rows = self.rows(number)
        data = self.plan.training
        root = batch_graph(self.plan, [(data.inputs[row], data.targets[row]) for row in rows])
        recorded = {row.parameter: row for row in self.trace.gradients(number)}
        return RebuiltStep(number, root, rows, recorded, dict(zip(self.plan.names, self.plan.parameters)))

    def rows(self, number: int) -> list[int]:
        """The rows of the data that a step was trained on, in the order of its samples."""
        epoch, place = divmod(number - 1, self.plan.batches_per_epoch)
        keys = next(islice(self.plan.shuffles(), epoch, None))
        return next(islice(batch_rows(self.plan, keys), place, None))
