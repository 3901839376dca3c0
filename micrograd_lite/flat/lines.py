"""Lines: the statements of a flat program, from a scalar graph.

Forward, one statement for each operation, oldest first. Backward, youngest first, as `backward()` walks: the slope
toward an inner node is one line, the sum of the shares that come from its uses, in the order in which they come; the slope
toward a parameter grows by `+=`, from sample to sample.

Two additions to 0.0 are not written. An inner slope does not start from 0.0, and so may be -0.0 where the engine has 0.0:
slopes are only multiplied and added, so that difference can at most change the sign of another zero, and a parameter's
slope, which does start from 0.0, is never -0.0 (x + y is -0.0 only when both are), so what is added to it may be either.

Where the slope of an operation is 0.0 on one side, as relu's is, what is reached through that operation alone is skipped
there, if the batch is calm: no number can overflow on the way. When all numbers that go in are moderate, none can become
infinite or NaN (sizes.py), so 0.0 times any of them is 0.0 or -0.0, and adding that changes no slope. For relu networks
this halves the way back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from micrograd_lite.chain.spelling import Spelling, many_slope, series, spelled
from micrograd_lite.flat.sizes import stays_finite
from micrograd_lite.flat.text import IN, Names, folded, heading, indented, total
from micrograd_lite.rules import RULES, dot_terms

WORDS = ("parameters", "gradients", "samples", "share", "calm", "losses", "inputs", "targets", "program", "loss", "d_loss")
FUNCTIONS = ("exp", "pow", "log", "sqrt", "sin", "cos", "tanh", "expm1", "log1p", "abs", "inf", "nan",
             "reversed", "cross_entropy", "outside")  # fmt: skip


class Lines(NamedTuple):
    """What the statements of one program are written from, once its graph has names."""

    order: Sequence[Any]  # all nodes below the root, oldest first
    name: Mapping[Any, str]  # of every inner node, and of every leaf that is no constant
    begins: Mapping[Any, str]  # the path of a neuron, where it begins: at its dot
    ends: Mapping[Any, str]  # where it ends: at its activation, if it has one
    stored: Mapping[Any, list[str]]  # the names of slopes that are computed beside the value
    learned: set[Any]  # the parameters
    moving: set[Any]  # the nodes that some parameter moves: only they have a slope
    calm: bool  # does no number overflow as long as those that go in are moderate?

    def spell(self, operand: Any) -> str:
        """An operand in the program: its name, or the number that an unnamed leaf holds."""
        return self.name[operand] if operand in self.name else repr(float(operand.data))  # float(): no code

    def spelled(self, node: Any) -> tuple[Spelling, dict[str, str]]:
        """The row of a node's operation, and what its letters stand for."""
        letters = {letter: self.spell(operand) for letter, operand in zip(node.rule.inputs, node.parents)}
        return _row(node, self.name), {**letters, "z": self.name[node], "u": f"d_{self.name[node]}"}

    def flat(self, node: Any) -> str:
        """The condition under which the slope of a node is 0.0; "" if there is none, or 0.0 times it may not be 0.0."""
        if not self.calm or node.rule.name not in RULES or len(node.parents) != 1 or node in self.stored:
            return ""
        made, letters = self.spelled(node)
        return made.flat.format(**letters)

    def forward(self, node: Any) -> list[str]:
        """The statements that compute a node."""
        name, parents, head = self.name[node], node.parents, heading(self.begins.get(node, ""), "")
        if node.rule.name in RULES:
            return head + self._pointwise(node, name)
        if node.rule.name == "cross_entropy":
            logits, label = ", ".join(map(self.spell, parents[:-1])), parents[-1]
            made = self.name[label] if label in self.name else str(int(label.data))
            return head + folded(f"{name}, ({', '.join(self.stored[node])}) = cross_entropy(({logits}), {made})", "cross_entropy")
        bias, pairs = dot_terms(parents) if node.rule.name == "dot" else (None, [(None, parent) for parent in parents])
        before, term, after = series(node.rule.name, len(pairs))
        terms = [term.format(w=w and self.spell(w), x=self.spell(x)) for w, x in pairs]
        start = self.spell(bias) if bias is not None else "0.0"  # where the engine starts to add
        return head + total(name, start, terms, before.removeprefix("b + "), after, node.rule.name)

    def _pointwise(self, node: Any, name: str) -> list[str]:
        made, letters = self.spelled(node)
        value = made.value.format(**letters)
        if not made.guard:
            return folded(f"{name} = {value}", node.rule.name)
        slopes = self.stored[node]
        texts = [(slope, text.format(**letters)) for slope, text in zip(slopes, made.slopes)]
        arguments = ", ".join(map(self.spell, node.parents))
        return [
            f"{IN}if {made.guard.format(**letters)}:  # {node.rule.name}",
            f"{IN}    {name} = {value}",
            *(f"{IN}    {slope} = {text}" for slope, text in texts),
            f"{IN}else:",
            f'{IN}    {name}, {", ".join(slopes)} = outside("{node.rule.name}", {arguments})',
        ]

    def shares(self, node: Any) -> Iterator[tuple[Any, str]]:
        """Each operand that has a slope, with its share in it as text, in the order of the sweep."""
        texts = self._shares(node)
        return ((operand, text) for operand, text in zip(node.parents, texts) if operand in self.moving)

    def _shares(self, node: Any) -> list[str]:
        upstream = f"d_{self.name[node]}"
        if node in self.stored:
            return [f"{slope} * {upstream}" for slope in self.stored[node]]
        if node.rule.name in RULES:
            made, letters = self.spelled(node)
            return [text.format(**letters) for text in made.shares]
        if node.rule.name != "dot":
            return [many_slope(node.rule.name, "x", len(node.parents)).format(u=upstream)] * len(node.parents)
        to_w, to_x, to_b = (many_slope("dot", group, 0) for group in "wxb")
        texts = [to_b.format(u=upstream)] * len(node.parents)
        for w, x in dot_terms(range(len(texts)))[1]:
            letters = {"w": self.spell(node.parents[w]), "x": self.spell(node.parents[x]), "u": upstream}
            texts[w] = to_w.format(**letters)
            if node.parents[x] in self.moving:  # the inputs of a first layer are not
                texts[x] = to_x.format(**letters)
        return texts


def lines_of(order: Sequence[Any], parameters: Sequence[Any], inputs: Sequence[Any], targets: Sequence[Any]) -> Lines:
    """Names for all that a program computes. order: all nodes below the root, oldest first; the rest: pairs (leaf, label)."""
    names = Names((*WORDS, *FUNCTIONS))
    name = {order[-1]: "loss"}
    for leaves, fallback in ((parameters, "p"), (inputs, "x"), (targets, "target")):
        for position, (leaf, label) in enumerate(leaves):
            name[leaf] = names.claim(label, fallback if len(leaves) == 1 else f"{fallback}{position}")
    labels = dict(parameters)
    begins, ends = _name_neurons(order, labels, name, names)
    for rank, node in enumerate(node for node in order if node.parents):
        if node not in name:
            name[node] = names.claim(f"v{rank}", "v")
    moving = set(labels)
    for node in order:
        if any(parent in moving for parent, _ in zip(node.parents, node.partials)):
            moving.add(node)
    stored = {}
    for node in order:
        if node.parents and node.rule.name == "cross_entropy":
            stored[node] = [names.claim(f"slope{place}", "slope") for place in range(len(node.parents) - 1)]
        elif node.parents and node.rule.name in RULES and (made := _row(node, name)).guard:
            stored[node] = [names.claim(f"{name[node]}_slope", "slope") for _ in made.slopes]
    return Lines(order, name, begins, ends, stored, set(labels), moving, stays_finite(order, set(name), moving))


def _row(node: Any, name: Mapping[Any, str]) -> Spelling:
    """The row of a node's operation; the operands without a name are constants."""
    operands = zip(node.rule.inputs, node.parents)
    return spelled(node.rule.name, tuple((letter, repr(float(leaf.data))) for letter, leaf in operands if leaf not in name))


def _name_neurons(
    order: Sequence[Any], labels: Mapping[Any, str], name: dict[Any, str], names: Names
) -> tuple[dict[Any, str], dict[Any, str]]:
    """layer0.neuron1 is the result of the neuron whose weight is layer0.neuron1.w0; before its activation, ..._sum.

    Returned: the paths of the neurons, at the nodes where they begin and at those where they end.
    """
    begins: dict[Any, str] = {}
    ends: dict[Any, str] = {}
    uses = users(order)
    for node in order:
        _, pairs = dot_terms(node.parents) if node.parents and node.rule.name == "dot" else (None, [])
        path = labels.get(pairs[0][0], "").rpartition(".")[0] if pairs else ""
        if not path:
            continue
        begins[node] = ends[node] = path
        after = uses.get(node, [])
        owned = len(after) == 1 and after[0].parents[0] is node and len(after[0].parents) <= 2
        if owned and all(labels.get(other, "").startswith(f"{path}.") for other in after[0].parents[1:]):
            name.setdefault(after[0], names.claim(path, "neuron"))
            ends[after[0]] = ends.pop(node)
            path += ".sum"
        name.setdefault(node, names.claim(path, "neuron"))
    return begins, ends


def users(order: Sequence[Any]) -> dict[Any, list[Any]]:
    """For each node those that were made from it, oldest first."""
    found: dict[Any, list[Any]] = {}
    for node in order:
        for parent in set(node.parents):
            found.setdefault(parent, []).append(node)
    return found


DEEPEST = 8  # blocks inside blocks; Python allows 100


def way_back(lines: Lines) -> list[str]:
    """All statements of the backward sweep, youngest node first.

    Where the slope of an operation is 0.0 on one side, what can only be reached through it is skipped there, if the
    batch is calm: then 0.0 times anything is 0.0 (or -0.0), and adding that changes no slope.
    """
    nodes = [node for node in reversed(lines.order) if node.parents and node in lines.moving]
    uses = users(lines.order)
    arrived: dict[Any, list[str]] = {}  # the shares of an inner node, as its uses add them
    text: list[str] = []
    ends: list[int] = []  # where the blocks that are open end
    for place, node in enumerate(nodes):
        while ends and ends[-1] == place:
            ends.pop()
        text += indented(heading(lines.ends.get(node, ""), "back through "), len(ends))
        test = lines.flat(node) if len(ends) < DEEPEST else ""
        if test:
            block = reached_through(lines, uses, nodes, place)
            text += indented(skipping(lines, test, block), len(ends))
            ends.append(place + len(block))
        text += indented(backward(lines, node, arrived), len(ends))
    return text


def backward(lines: Lines, node: Any, arrived: dict[Any, list[str]]) -> list[str]:
    """The statements that add up the slope toward a node and then give its operands their shares.

    A parameter's slope grows at once; the shares of an inner node wait in `arrived` until its own turn, when all its uses,
    which are younger, have given theirs.
    """
    made: list[str] = []
    if node is not lines.order[-1]:
        first, *rest = arrived.pop(node)
        made = total(f"d_{lines.name[node]}", first, rest, "", "", "")
    for operand, text in lines.shares(node):
        if operand in lines.learned:
            made.append(f"{IN}d_{lines.name[operand]} += {text}")
        else:
            arrived.setdefault(operand, []).append(text)
    return made


def reached_through(lines: Lines, uses: Mapping[Any, list[Any]], nodes: Sequence[Any], place: int) -> list[Any]:
    """The node at a place and those after it whose every use is among them."""
    block = {nodes[place]: None}
    for node in nodes[place + 1 :]:
        if not all(user in block for user in uses[node] if user in lines.moving):
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
