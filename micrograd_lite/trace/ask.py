"""Questions to a recorded step, each answered by one table: nothing had to be chosen before training.

    step = Rebuild("traces/mine").step(50)
    print(toward(step, "layer0.neuron1.w0"))

forward, backward and paths of a sample; which edges, and which samples, pull at a weight; what the optimizer made of it;
where the transpose in a layer's gradient comes from. Text, Markdown and HTML round to nine digits; CSV and JSON do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd_lite.chain.layout import drawn
from micrograd_lite.chain.rows import ChainRow, chain_rule, gradients
from micrograd_lite.chain.tables import chain_table, forward_table, paths_section
from micrograd_lite.graph import node_names, youngest_first
from micrograd_lite.rules import dot_terms
from micrograd_lite.text import cells
from micrograd_lite.text.tables import EXACT, cell, digits, sections, table
from micrograd_lite.trace.reader import Trace
from micrograd_lite.trace.rebuild import RebuiltStep

STRONGEST = 3
"""Of so many samples the shares are printed; CSV and JSON have those of all."""


def forward(step: RebuiltStep, form: str = "text", sample: int | None = None) -> str:
    """Every node of the step's graph, or of one sample's, with its formula and value."""
    return forward_table(step.root, form, None if sample is None else drawn(step.sample(sample)))


def backward(step: RebuiltStep, form: str = "text", sample: int | None = None) -> str:
    """The chain rule edge by edge: the whole sweep, or its rows of one sample; totals are those of the whole sweep."""
    rows = chain_rule(step.root)
    if sample is not None:
        cost, names = step.sample(sample), node_names(step.root)
        inner = {names[node] for node in youngest_first(cost)}
        rows = [row for row in rows if row.node in inner or row.parent == names[cost]]
    return chain_table(rows, form)


def toward(step: RebuiltStep, parameter: str, form: str = "text") -> str:
    """Each edge that adds to a parameter's gradient, in the order of the sweep; then what the optimizer made of the gradient."""
    leaf, names = _parameter(step, parameter), node_names(step.root)
    name, samples = names[leaf], _samples(step)
    rows = [row for row in chain_rule(step.root) if row.parent == name]
    header = ("upstream", "partial_formula", "partial", "share", "total")
    wanted = ChainRow._fields if form in EXACT else header
    shown = [[samples[row.node], *(cell(getattr(row, column), form) for column in wanted)] for row in rows]
    if form in EXACT:
        return table(("sample", *wanted), shown, form)
    moved = step.recorded[parameter]
    ends = [
        f"the gradient of {parameter} is the last total, {digits(moved.gradient, form)}",
        f"the optimizer makes of it the update {digits(moved.update, form)}: "
        f"{digits(moved.before, form)} becomes {digits(moved.after, form)}",
    ]  # fmt: skip
    first = f"what reaches {parameter} at step {step.number}, from the last sample to the first; share = partial x upstream"
    titles = [(first, shown), *((cells.text(end), []) for end in ends)]
    return sections(["sample", *(name.replace("_", " ") for name in header)], titles, form)


def by_sample(step: RebuiltStep, form: str = "text") -> str:
    """Each parameter's gradient taken apart into the samples' shares; for people the strongest few."""
    shares = step.by_sample
    if form in EXACT:
        header = ("parameter", "gradient", *(f"sample{place}" for place in range(len(step.rows))))
        rows = [[cells.text(name), digits(step.recorded[name].gradient, form), *(digits(share, form) for share in shares[name])]
                for name in step.parameters]  # fmt: skip
        return table(header, rows, form)
    shown = []
    for name in step.parameters:
        strongest = sorted(range(len(step.rows)), key=lambda place: -abs(shares[name][place]))[:STRONGEST]
        pulls = [f"{digits(shares[name][place], form)} by sample{place}" for place in strongest]
        shown.append([cells.text(name), digits(step.recorded[name].gradient, form), *pulls, *[""] * (STRONGEST - len(pulls))])
    return table(("parameter", "gradient", "strongest share", "second", "third"), shown, form)


def optimizer(trace: Trace, number: int, form: str = "text") -> str:
    """Every term of the optimizer's formula at a recorded step, parameter by parameter."""
    rows = trace.optimizer(number)
    if not rows:
        plain = "update = -lr * gradient" if trace.run["optimizer"]["name"] == "SGD" else "it has no terms to show"
        raise ValueError(f"{trace.folder}: {trace.run['optimizer']['name']} remembers nothing between steps here: {plain}")
    terms = [name for name in rows[0] if name not in ("step", "parameter")]
    if form in EXACT:
        made = [[cells.text(row["parameter"]), *(digits(row[name], form) for name in terms)] for row in rows]
        return table(("parameter", *terms), made, form)
    groups = [(cells.text(row["parameter"]), [[name, digits(row[name], form)] for name in terms]) for row in rows]
    return sections(("term", "number"), groups, form)


def paths(step: RebuiltStep, parameter: str, form: str = "text", most: int = 10) -> str:
    """A parameter's gradient as the sum over all paths from the loss to it, the largest of them."""
    heading, made = paths_section(step.root, _parameter(step, parameter), form, most)
    return made if form in EXACT else f"{cells.text(heading)}\n\n{made}"


def matrix(step: RebuiltStep, layer: str, form: str = "text") -> str:
    """A layer's gradient as a product of matrices: the transposed inputs times delta, what arrives at the weighted sums.

    For people X, delta and the product, and its first entry taken apart: the sum over samples of one input times one
    delta, which is why X is transposed. CSV and JSON have each term of each entry.
    """
    totals, neurons = gradients(step.root), _sums(step, layer)
    if not neurons:
        known = sorted({name.partition(".")[0] for name in step.parameters if name.startswith("layer")})
        raise ValueError(f"step {step.number} has no {layer!r}; its layers are {', '.join(known) or 'none'}")
    count = len(step.rows)
    inputs = [[x.data for _, x in dot_terms(neurons[0][sample].parents)[1]] for sample in range(count)]
    delta = [[totals[sums[sample]] for sums in neurons] for sample in range(count)]
    entries = []
    for row, _ in enumerate(inputs[0]):
        for column, sums in enumerate(neurons):
            weight, total = dot_terms(sums[0].parents)[1][row][0], 0.0
            for sample in reversed(range(count)):
                share = inputs[sample][row] * delta[sample][column]
                total += share
                entries.append((weight.label, sample, inputs[sample][row], delta[sample][column], share, total))
    header = ("weight", "sample", "input", "delta", "product", "total")
    if form in EXACT:
        made = [[cells.text(entry[0]), str(entry[1]), *(digits(number, form) for number in entry[2:])] for entry in entries]
        return table(header, made, form)
    ends = [entry[-1] for entry in entries if entry[1] == 0]  # the total after the last term, weight by weight
    product = [ends[start : start + len(neurons)] for start in range(0, len(ends), len(neurons))]
    first = [[f"sample{entry[1]}", *(digits(n, form) for n in entry[2:])] for entry in entries[:count]]
    parts = (
        (f"X, the inputs of {layer}, a row for each sample:", _numbers("sample", "x", inputs, form)),
        (f"delta, the loss's slope toward each weighted sum of {layer}, a row for each sample:",
         _numbers("sample", "neuron", delta, form)),
        (f"X^T delta, the gradient of {layer}'s weights, a row for each input:", _numbers("x", "neuron", product, form)),
        (f"Its entry x0, neuron0 is {entries[0][0]}'s: a sum over samples, so X's column x0 becomes a row: the transpose.",
         table(("", "input x0", "delta 0", "product", "total"), first, form)),
    )  # fmt: skip
    return "\n".join(f"{heading}\n\n{made}" for heading, made in parts)


def _numbers(row_name: str, column_name: str, numbers: Sequence[Sequence[float]], form: str) -> str:
    """A matrix with names at its rows and columns; of a large one the first and last rows, the first columns."""
    columns = range(min(len(numbers[0]), WIDE))
    more = [f"... {len(numbers[0]) - WIDE} more"] if len(numbers[0]) > WIDE else []
    rows = [[f"{row_name}{place}", *(digits(line[column], form) for column in columns), *([""] * len(more))]
            for place, line in enumerate(numbers)]  # fmt: skip
    if len(rows) > TALL:
        rows = [*rows[: TALL - 1], ["...", *[""] * (len(rows[0]) - 1)], rows[-1]]
    return table(("", *(f"{column_name}{column}" for column in columns), *more), rows, form)


WIDE, TALL = 6, 12
"""Columns and rows of a matrix that are printed."""


def _sums(step: RebuiltStep, layer: str) -> list[list[Any]]:
    """For each neuron of a layer its weighted sum at each sample."""
    found: dict[str, dict[str, Any]] = {}
    for node in youngest_first(step.root):
        sample, _, place = node.label.partition(".")
        if node.rule.name == "dot" and place.startswith(f"{layer}.") and sample.startswith("sample"):
            found.setdefault(place, {})[sample] = node
    neurons = sorted(found, key=lambda place: int(place.split(".")[1].removeprefix("neuron")))
    return [[found[place][f"sample{sample}"] for sample in range(len(step.rows))] for place in neurons]


def _samples(step: RebuiltStep) -> dict[str, str]:
    """For the name of each inner node the sample that it belongs to."""
    names, found = node_names(step.root), dict[str, str]()
    for place, _ in enumerate(step.rows):
        for node in youngest_first(step.sample(place)):
            found.setdefault(names[node], str(place))
    return found


def _parameter(step: RebuiltStep, name: str) -> Any:
    if name not in step.parameters:
        some = ", ".join(list(step.parameters)[:8]) + (", ..." if len(step.parameters) > 8 else "")
        raise ValueError(f"step {step.number} trains no {name!r}; its parameters are {some}")
    return step.parameters[name]
