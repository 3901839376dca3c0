"""The numbers of a sheet: forward pass and chain rule of one sample, one gradient over all samples, the optimizer's step.

Each number is a cell, and a cell that is computed knows its formula twice: as people read it, and in the names of the cells
that it is computed from (`c3 * c7`), so that anybody's numbers can be put in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from micrograd_lite.chain.formulas import formulas, in_formula
from micrograd_lite.chain.rows import Edge as Walked
from micrograd_lite.chain.rows import edges, gradients
from micrograd_lite.classroom.lesson import Lesson
from micrograd_lite.classroom.updates import terms, updates
from micrograd_lite.graph import Node, node_names, oldest_first
from micrograd_lite.scalar import Value
from micrograd_lite.trace.kinds import sizes

FORWARD, CHAIN, GRADIENT = "forward", "chain", "gradient"
MOST_NODES, MOST_TERMS, MOST_EDGES, MOST_SAMPLES = 12, 8, 16, 5
"""What a page holds: computed numbers of the forward pass, inputs of a neuron, edges, samples.

Beyond, the forward pass and the chain are those of one neuron: what lies on the way from its weights to the cost."""
MOST_ROWS = 46
"""Computed numbers, edges, nodes that they start from and terms of the optimizer together: two pages do not hold more."""


class Cell(NamedTuple):
    """A number of a sheet. rule: its formula in the names of cells, "" for a number that is always given."""

    name: str
    part: str
    row: str
    column: str
    formula: str
    rule: str
    exact: float

    @property
    def copied(self) -> bool:
        """Is it the number of another cell, as it stands?"""
        return re.fullmatch(r"c\d+", self.rule) is not None


class Edge(NamedTuple):
    """What the chain's table shows of an edge: the cells of its numbers, "" for a total that is the share itself."""

    parent: str
    partial: str
    share: str
    total: str


class Group(NamedTuple):
    """The edges of one node; upstream: the cell of its upstream, "" for the cost's, which is 1."""

    node: str
    upstream: str
    edges: list[Edge]


class Numbers:
    """All cells of a lesson, in the order in which they are computed. ValueError for a network that no page can hold."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson, self.cells = lesson, list[Cell]()
        self.cost = lesson.cost
        self.names = readable(self.cost, f"sample{lesson.sample}.")
        self.weight = self._weight()
        inner = [node for node in oldest_first(self.cost) if node.parents]
        widest = max(len(node.parents) // 2 if node.rule.name == "dot" else len(node.parents) for node in inner)
        own = own_path(self.weight)
        weights = {node for node in oldest_first(self.cost) if node in lesson.step.parameters.values() or is_fixed(node)}
        all_of_them = self._leading(weights)
        uses = Counter(parent for node in inner for parent in node.parents)
        near = {node for node in weights if node.label.startswith(own) and uses[node] == 1}
        one = self._leading(near | {lesson.step.parameters[self.weight]})
        computed = inner if len(inner) <= MOST_NODES else [node for node in inner if node in one or node not in all_of_them]
        walked = [edge for edge in edges(self.cost) if edge.node.parents[edge.position] in all_of_them]
        if len(walked) > MOST_EDGES:
            walked = [edge for edge in walked if edge.node.parents[edge.position] in one]
        rows = len(computed) + len(walked) + len({edge.node for edge in walked})
        rows += len(terms(lesson.run["optimizer"], 1)) + len(lesson.run["optimizer_memory"])
        if rows > MOST_ROWS or widest > MOST_TERMS:
            raise ValueError(f"no two pages hold a {sizes(lesson.run['model'])} network: take fewer and narrower layers, of at "
                             f"most {MOST_TERMS} inputs a neuron, such as 2-4-1")  # fmt: skip
        self.value: dict[Node, str] = {}
        needed = {*computed, *(parent for node in computed for parent in node.parents)}
        for node in oldest_first(self.cost):
            if node in needed:
                self._forward(node, node in computed)
        self.groups, self.totals = list[Group](), dict[Node, str]()
        self._chain(walked)
        self.gradient = self._gradient()
        self.moved = updates(self)

    def add(self, part: str, row: str, column: str, formula: str, rule: str, exact: float) -> str:
        """One more cell; its name. A rule without a cell in it is a number that is given."""
        name = f"c{len(self.cells) + 1}"
        self.cells.append(Cell(name, part, row, column, formula, rule if re.search(r"\bc\d", rule) else "", exact + 0.0))
        return name

    def _forward(self, node: Value, computed: bool) -> None:
        """A number of the forward pass: computed, given, or, where it has no name, written in the formulas that use it."""
        if computed:
            shown, rule = self.formula(node)
            self.value[node] = self.add(FORWARD, self.names[node], "value", shown[0], rule[0], node.data)
        elif node.label or node.parents:
            self.value[node] = self.add(FORWARD, self.names[node], "value", "", "", node.data)
        else:
            self.value[node] = f"{node.data:.12g}"

    def formula(self, node: Node) -> tuple[list[str], list[str]]:
        """Of a node's value and of each slope: as people read it, and in cells. A neuron's own numbers go by short names."""
        own = own_path(self.names[node])
        near = {other: name.removeprefix(own) if name != own else name for other, name in self.names.items()}
        if node.rule.name == "cross_entropy":
            return self._cross_entropy(node, near)
        rows = []
        for names in (near, {node: f"c{len(self.cells) + 1}", **self.value}):
            plain = [other for other in node.parents if not other.label and not other.parents]
            literal = {other: f"literal{place}" for place, other in enumerate(plain)}
            value, slopes = formulas(node, {**names, **literal})
            made = [value, *slopes]
            for other, name in literal.items():
                number = f"{other.data:.12g}"
                made = [re.sub(rf"\b{name}\b", number if other.data >= 0 else f"({number})", text) for text in made]
            rows.append(made)
        shown, rule = rows
        if node.rule.name == "mean":
            rule[0] = f"({rule[0].removeprefix('mean(').removesuffix(')').replace(', ', ' + ')}) / {len(node.parents)}"
        return shown, rule

    def _cross_entropy(self, node: Node, near: Mapping[Node, str]) -> tuple[list[str], list[str]]:
        """Softmax written out in cells: it is a function of all logits, whatever one it is asked of."""
        value, slopes = formulas(node, near)
        logits, label = node.parents[:-1], int(node.parents[-1].data)
        powers = [f"exp({self.value[logit]})" for logit in logits]
        shares = [f"{power} / ({' + '.join(powers)})" for power in powers]
        minus = [f"{share} - 1" if place == label else share for place, share in enumerate(shares)]
        return [value, *slopes], [f"-log({shares[label]})", *minus]

    def _weight(self) -> str:
        """The parameter whose gradient is followed to the end: the first that this sample moves."""
        slopes = gradients(self.cost)
        moved = [name for name, leaf in self.lesson.step.parameters.items() if slopes.get(leaf, 0.0) != 0.0]
        return [*[name for name in moved if not name.endswith(".b")], *moved, *self.lesson.names][0]

    def _chain(self, walked: list[Walked]) -> None:
        """The sweep edge by edge."""
        uses = Counter(edge.node.parents[edge.position] for edge in walked)
        for edge in walked:
            node, parent = edge.node, edge.node.parents[edge.position]
            shown, rule = self.formula(node)
            row, upstream = f"{self.names[node]} -> {self.names[parent]}", self.totals.get(node, "")
            slope = rule[1 + edge.position]
            partial = self.add(CHAIN, row, "partial", shown[1 + edge.position], slope, node.partials[edge.position])
            product = f"{partial} * {upstream}" if upstream else partial
            share = self.add(CHAIN, row, "share", "partial * upstream", product, edge.share)
            total, before = "", self.totals.get(parent)
            if uses[parent] > 1 and before:
                total = self.add(CHAIN, row, "total", "total before + share", f"{before} + {share}", edge.total)
            self.totals[parent] = total or share
            if not self.groups or self.groups[-1].node != self.names[node]:
                self.groups.append(Group(self.names[node], upstream, []))
            self.groups[-1].edges.append(Edge(self.names[parent], partial, share, total))

    def _leading(self, leaves: set[Node]) -> set[Node]:
        """The nodes that a gradient passes on its way to these leaves, and the leaves."""
        found = set(leaves)
        for node in oldest_first(self.cost):
            if any(parent in found for parent, _ in zip(node.parents, node.partials)):
                found.add(node)
        return found

    def _gradient(self) -> str:
        """The slopes of all samples toward the weight, and their mean or sum: the gradient. Its cell."""
        step, weight = self.lesson.step, self.lesson.step.parameters[self.weight]
        slopes = [gradients(step.sample(place)).get(weight, 0.0) for place in range(len(step.rows))]
        listed = sorted({self.lesson.sample, *range(min(len(slopes), MOST_SAMPLES))})
        made = []
        for place in listed:
            own = self.totals.get(weight, "") if place == self.lesson.sample else ""
            formula = "what the chain rule gave" if own else ""
            made.append(self.add(GRADIENT, f"sample{place}", "slope", formula, own, slopes[place]))
        others = 0.0
        for place, slope in enumerate(slopes):
            others += 0.0 if place in listed else slope
        rows = [f"sample{place}" for place in listed]
        if len(listed) < len(slopes):
            made.append(self.add(GRADIENT, f"the other {len(slopes) - len(listed)} samples", "slope", "added up", "", others))
            rows.append("the others")
        total, rule = " + ".join(rows), " + ".join(made)
        if step.root.rule.name == "mean":
            total, rule = f"({total}) / {len(slopes)}", f"({rule}) / {len(slopes)}"
        return self.add(GRADIENT, self.weight, "gradient", total, rule, step.recorded[self.weight].gradient)

    def at(self, name: str) -> Cell:
        """The cell of a name."""
        return self.cells[int(name[1:]) - 1]

    def of(self, part: str) -> list[Cell]:
        """The cells of a part."""
        return [cell for cell in self.cells if cell.part == part]


def is_fixed(node: Node) -> bool:
    """Is it a weight that is not trained?"""
    return bool(node.label) and not node.parents and not node.label.startswith("sample")


def own_path(name: str) -> str:
    """The neuron that a number belongs to, with its dot: `layer0.neuron1.` of `layer0.neuron1.sum`."""
    found = re.match(r"layer\d+\.neuron\d+", name)
    return f"{found.group()}." if found else " "


CALLED = {"power": "square", "mul": "product", "neg": "negative", "add": "sum"}
"""What an unnamed node is called by its operation; any other is called as its operation."""


def readable(cost: Value, sample: str) -> dict[Node, str]:
    """Names for a sheet of one sample: without the sample, and a word for each node that has none."""
    names = {node: name.removeprefix(sample) for node, name in node_names(cost).items()}
    words: dict[Node, str] = {}
    for node in names:
        if node.parents and not node.label:
            target = getattr(node.parents[-1], "label", "").startswith(f"{sample}y")
            error = "error" if target and not node.parents[0].label.endswith("y") and node.parents[0].label else "rest"
            words[node] = error if node.rule.name == "sub" else CALLED.get(node.rule.name, node.rule.name)
    several = {word for word, count in Counter(words.values()).items() if count > 1 or word in names.values()}
    counts: Counter[str] = Counter()
    for node, word in words.items():
        names[node] = f"{word}{counts[word]}" if word in several else word
        counts[word] += 1
    return {node: in_formula(name) if node.label else name for node, name in names.items()}
