"""Lines: the statements of a flat program, from a scalar graph.

Forward, one statement for each operation, oldest first. Backward, youngest first, as `backward()` walks: the slope
toward an inner node is one line, the sum of what its uses pay in, in the order in which they do; the slope toward a
parameter grows by `+=`, from sample to sample.

Two additions to 0.0 are not written. An inner slope does not start from 0.0, and so may be -0.0 where the engine has 0.0:
slopes are only multiplied and added, so that difference can at most change the sign of another zero, and a parameter's
slope, which does start from 0.0, is never -0.0 (x + y is -0.0 only when both are), so what is added to it may be either.

Where the slope of an operation is 0.0 on one side, as relu's is, what is reached through that operation alone is skipped
there, if no number can overflow on the way: when all numbers that go in are moderate, none can become infinite or NaN
(sizes.py), so 0.0 times any of them is 0.0 or -0.0, and adding that changes no slope. For relu networks this halves the
way back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from micrograd_lite.chain.spelling import many_slope, series, spelled
from micrograd_lite.flat.sizes import stays_finite
from micrograd_lite.flat.text import IN, Names, folded, heading, indented, total
from micrograd_lite.rules import RULES, dot_terms

WORDS = ("parameters", "gradients", "samples", "share", "calm", "losses", "inputs", "targets", "program", "loss", "d_loss")
FUNCTIONS = ("exp", "pow", "log", "sqrt", "sin", "cos", "tanh", "expm1", "log1p", "abs", "inf", "nan",
             "reversed", "cross_entropy", "outside")  # fmt: skip


class Lines:
    """Writes one program. `order`: all nodes below the root, oldest first; leaves: (node, label) in the order of the calls."""

    def __init__(self, order: Sequence[Any], parameters: Sequence[Any], inputs: Sequence[Any], targets: Sequence[Any]) -> None:
        self.names = Names((*WORDS, *FUNCTIONS))
        self.order, self.root = order, order[-1]
        self.name: dict[Any, str] = {self.root: "loss"}
        self.renamed: list[tuple[str, str]] = []  # (name, label) where a name is not its label with underscores for dots
        for leaves, fallback in ((parameters, "p"), (inputs, "x"), (targets, "target")):
            for position, (leaf, label) in enumerate(leaves):
                name = self.names.claim(label, fallback if len(leaves) == 1 else f"{fallback}{position}")
                self.name[leaf] = name
                if label and name != label.replace(".", "_"):
                    self.renamed.append((name, label))
        groups = (parameters, inputs, targets)
        self.parameters, self.inputs, self.targets = ([self.name[leaf] for leaf, _ in group] for group in groups)
        self.learned = {leaf for leaf, _ in parameters}
        self.neurons: dict[Any, str] = {}  # where a neuron begins: its dot
        self.leaving: dict[Any, str] = {}  # where it ends: its activation, if it has one
        self.users: dict[Any, list[Any]] = {}
        for node in order:
            for parent in set(node.parents):
                self.users.setdefault(parent, []).append(node)
        self._name_neurons({leaf: label for leaf, label in parameters})
        self._name_the_rest()
        self.moving = self._moving()
        self.calm = stays_finite(order, set(self.name), self.moving)  # for moderate numbers
        self.owed: dict[Any, list[str]] = {}  # what an inner node's uses pay it, in order
        self.stored: dict[Any, list[str]] = {}  # slopes of an operation with a domain, computed beside its value
        self.operations = 0

    def _name_neurons(self, labels: Mapping[Any, str]) -> None:
        """layer0.neuron1 is the result of the neuron whose weight is layer0.neuron1.w0; before its activation, ..._sum."""
        for node in self.order:
            _, pairs = dot_terms(node.parents) if node.parents and node.rule.name == "dot" else (None, [])
            path = labels.get(pairs[0][0], "").rpartition(".")[0] if pairs else ""
            if not path:
                continue
            self.neurons[node] = self.leaving[node] = path
            after = self.users.get(node, [])
            owned = len(after) == 1 and after[0].parents[0] is node and len(after[0].parents) <= 2
            if owned and all(labels.get(other, "").startswith(f"{path}.") for other in after[0].parents[1:]):
                self.name.setdefault(after[0], self.names.claim(path, "neuron"))
                self.leaving[after[0]] = self.leaving.pop(node)
                path += ".sum"
            self.name.setdefault(node, self.names.claim(path, "neuron"))

    def _name_the_rest(self) -> None:
        for rank, node in enumerate(node for node in self.order if node.parents):
            if node not in self.name:
                self.name[node] = self.names.claim(f"v{rank}", "v")

    def _moving(self) -> set[Any]:
        """The nodes that some parameter moves: only they have a slope."""
        moving = set(self.learned)
        for node in self.order:
            if any(parent in moving for parent, _ in zip(node.parents, node.partials)):
                moving.add(node)
        return moving

    def spell(self, operand: Any) -> str:
        """An operand in the program: its name, or the number that an unnamed leaf holds."""
        return self.name[operand] if operand in self.name else repr(float(operand.data))  # float(): no code

    def forward(self, node: Any) -> list[str]:
        """The statements that compute a node."""
        name, head = self.name[node], heading(self.neurons.get(node, ""), "")
        if node.rule.name in RULES:
            return head + self._pointwise(node, name)
        parents = node.parents
        self.operations += len(parents)
        if node.rule.name == "cross_entropy":
            slopes = self.stored[node] = [self.names.claim(f"slope{k}", "slope") for k in range(len(parents) - 1)]
            logits, label = ", ".join(map(self.spell, parents[:-1])), parents[-1]
            made = self.name[label] if label in self.name else str(int(label.data))
            return head + folded(f"{name}, ({', '.join(slopes)}) = cross_entropy(({logits}), {made})", "cross_entropy")
        if node.rule.name == "dot":
            bias, pairs = dot_terms(parents)
        else:
            bias, pairs = None, [(None, parent) for parent in parents]
        before, term, after = series(node.rule.name, len(pairs))
        terms = [term.format(w=w and self.spell(w), x=self.spell(x)) for w, x in pairs]
        start = self.spell(bias) if bias is not None else "0.0"  # where the engine starts to add
        return head + total(name, start, terms, before.removeprefix("b + "), after, node.rule.name)

    def _pointwise(self, node: Any, name: str) -> list[str]:
        self.operations += 1
        made, letters = self.spelled(node)
        value = made.value.format(**letters)
        if not made.guard:
            return folded(f"{name} = {value}", node.rule.name)
        slopes = self.stored[node] = [self.names.claim(f"{name}_slope", "slope") for _ in made.slopes]
        texts = [(slope, text.format(**letters)) for slope, text in zip(slopes, made.slopes)]
        arguments = ", ".join(map(self.spell, node.parents))
        return [
            f"{IN}if {made.guard.format(**letters)}:  # {node.rule.name}",
            f"{IN}    {name} = {value}",
            *(f"{IN}    {slope} = {text}" for slope, text in texts),
            f"{IN}else:",
            f'{IN}    {name}, {", ".join(slopes)} = outside("{node.rule.name}", {arguments})',
        ]

    def spelled(self, node: Any) -> tuple[Any, dict[str, str]]:
        """The row of a node's operation, and what its letters stand for."""
        operands = list(zip(node.rule.inputs, node.parents))
        constants = tuple((letter, repr(float(operand.data))) for letter, operand in operands if operand not in self.name)
        letters = {letter: self.spell(operand) for letter, operand in operands}
        return spelled(node.rule.name, constants), {**letters, "z": self.name[node], "u": f"d_{self.name[node]}"}

    def backward(self, node: Any) -> list[str]:
        """The statements that compute the slope toward a node and pay the parameters among its operands."""
        name, paid = self.name[node], []
        if node is not self.root:
            first, *rest = self.owed.pop(node)  # all its uses are younger, and have paid
            paid = total(f"d_{name}", first, rest, "", "", "")
        for operand, text in self._shares(node):
            if operand in self.learned:
                paid.append(f"{IN}d_{self.name[operand]} += {text}")
            elif operand in self.moving:
                self.owed.setdefault(operand, []).append(text)
        return paid

    def _shares(self, node: Any) -> list[tuple[Any, str]]:
        upstream = f"d_{self.name[node]}"
        if node in self.stored:
            return [(operand, f"{slope} * {upstream}") for operand, slope in zip(node.parents, self.stored[node])]
        if node.rule.name in RULES:
            made, letters = self.spelled(node)
            return [(operand, text.format(**letters)) for operand, text in zip(node.parents, made.shares)]
        if node.rule.name != "dot":
            text = many_slope(node.rule.name, "x", len(node.parents)).format(u=upstream)
            return [(operand, text) for operand in node.parents]
        to_w, to_x, to_b = (many_slope("dot", group, 0) for group in "wxb")
        texts = [to_b.format(u=upstream)] * len(node.parents)
        for w, x in dot_terms(range(len(texts)))[1]:
            letters = {"w": self.spell(node.parents[w]), "x": self.spell(node.parents[x]), "u": upstream}
            for place, slope in ((w, to_w), (x, to_x)):
                if node.parents[place] in self.moving:
                    texts[place] = slope.format(**letters)
        return list(zip(node.parents, texts))


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
