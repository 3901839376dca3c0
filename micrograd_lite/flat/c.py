"""C: a flat program in a third spelling, for a compiler.

It is spelled from the record that the Python text is written from, statement by statement, in the same order. So a formula
still stands in the derivative table alone. What a number is called says what it is:

    p[w], g[w]      a parameter, and the slope toward it, which grows from sample to sample
    x[x0], t[y]     an input and a target of the sample
    a, d_a          a number on the way, and the slope toward it; v[a], v[d_a] where the program is long

A compiler's time grows faster than a function. So a long program keeps its numbers in a workspace, v; statements and terms
that differ only in their places, as the products of a neuron do, become a loop, which computes the same in the same order;
and what is still long becomes several functions. All functions are those of the C library, which Python calls too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from micrograd_lite.flat.formulas import formula
from micrograd_lite.flat.functions import CROSS_ENTROPY, HEAD, PARAMETERS, TAIL, TAKEN
from micrograd_lite.flat.loops import RUN, Line, Run, joined, runs
from micrograd_lite.flat.program import Written
from micrograd_lite.flat.sizes import MODERATE
from micrograd_lite.flat.text import TERMS, wrapped

SHORT = 1_500
"""A program of at most so many statements is one function with local numbers."""

PART = 400
"""Of a longer one, so many lines are a function."""


class CText(NamedTuple):
    """The text of a program in C, how many of its lines compute, and how many numbers its workspace has."""

    source: str
    lines: int
    workspace: int


def c_text(written: Written) -> CText:
    """The program in C. ValueError for a statement that C has no spelling for."""
    return _Writer(written).text()


class _Writer:
    def __init__(self, written: Written) -> None:
        self.notes = ["", *(line.partition("  # ")[2] for line in (*written.forward, *written.backward))]
        (sample,) = ast.parse("\n".join(("while loss:", *written.forward, *written.backward))).body
        self.body: list[ast.stmt] = sample.body  # type: ignore[attr-defined]
        self.back = 1 + len(written.forward)  # the last line of the way forward
        self.long = _count(self.body) > SHORT
        self.spelled = {"inf": Line("INFINITY", ()), "nan": Line("NAN", ()), "share": Line("share", ()), "calm": Line("calm", ())}
        self.taken = set(TAKEN)
        self.place: dict[str, int] = {}
        self.sizes = dict.fromkeys("pxtv", 0)
        self.used: dict[str, None] = {}  # places that the text names
        self.local: list[str] = []
        self.parts: list[list[str]] = []
        for array, names in zip("pxt", written.names):
            for name in names:
                self.claim(name, array)
        for name in written.names[0]:
            self.spelled[f"d_{name}"] = Line("g[%s]", self.spelled[name].places)

    def own(self, name: str) -> str:
        """A name that C does not have yet."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def claim(self, name: str, array: str) -> None:
        """The next place in an array for a number of the Python text."""
        own = self.own(name)
        self.place[own] = self.sizes[array]
        self.sizes[array] += 1
        self.spelled[name] = Line(f"{array}[%s]", (own,))

    def text(self) -> CText:
        """All of it."""
        forward = self.block([statement for statement in self.body if statement.lineno <= self.back], 1)
        loss, slope = self.written(self.spelled["loss"]), self.written(self.made("d_loss"))
        note = "    /* The way back: share is the slope of the batch's loss toward this sample's. */"
        turn = [f"    *losses = {loss};", "", note, f"    {slope} = share;"]
        body = [*forward, *turn, *self.block([statement for statement in self.body if statement.lineno > self.back], 1)]
        local = _folded(f"    double {', '.join(self.local)};") if self.local else []
        functions = [*self.parts, self.function("sample", [*local, *body])]
        places = _folded(f"    {', '.join(f'{name} = {self.place[name]}' for name in self.used)}")
        lines = [
            "/* The loss of one sample and its slope toward each parameter, written out by micrograd_lite. */",
            HEAD, CROSS_ENTROPY, "enum {  /* where the numbers stand */", *places, "};",
            *(line for function in functions for line in function),
        ]  # fmt: skip
        tail = TAIL % {**self.sizes, "moderate": MODERATE}
        return CText("\n".join([*lines, tail]), len(lines) - len(places), self.sizes["v"])

    def function(self, name: str, lines: Sequence[str]) -> list[str]:
        """A function of such lines."""
        return ["", f"static int {name}({PARAMETERS})", "{", "    long k;", "    double s;", *lines, "    return 0;", "}"]

    def block(self, statements: Sequence[ast.stmt], level: int) -> list[str]:
        """The lines of some statements; calls of functions made of them, where they are many."""
        chunks = list(self.chunks(statements, level))
        if not self.long or _lines(chunks) <= PART:
            return [line for chunk in chunks for line in chunk]
        calls: list[str] = []
        part: list[list[str]] = []
        for chunk in [*chunks, []]:
            if part and (not chunk or _lines(part) + len(chunk) > PART):
                name = self.own(f"part{len(self.parts)}")
                self.parts.append(self.function(name, [line for lines in part for line in lines]))
                calls.append(f"{'    ' * level}if ({name}(p, g, x, t, share, calm, losses, v)) return 1;")
                part = []
            part.append(chunk)
        return calls

    def chunks(self, statements: Sequence[ast.stmt], level: int) -> Iterator[list[str]]:
        """The lines of the statements, in pieces that no function divides."""
        indent = "    " * level
        simple: list[Line] = []
        for statement, terms in joined(statements) if self.long else ((each, []) for each in statements):
            match statement:
                case ast.Assign(targets=[ast.Tuple()]) | ast.If():
                    yield from self.loops(simple, indent)  # before the places of what follows are met
                    made, simple = self.structure(statement, level), []
                case ast.Assign(targets=[target]) if len(terms) > RUN:
                    lines = [self.line(term, 4 + (k > 0)) for k, term in enumerate(terms)]
                    made = self.sum(self.made(_name(target)), lines, indent)
                case _:
                    simple.append(self.simple(statement))
                    continue
            yield from self.loops(simple, indent)
            simple = []
            yield made
        yield from self.loops(simple, indent)

    def line(self, tree: ast.expr, above: int = 0) -> Line:
        """A formula, with the places that it meets."""
        places: list[str] = []

        def number(name: str) -> str:
            places.extend(self.spelled[name].places)
            return self.spelled[name].text

        return Line(formula(tree, number, above), tuple(places))

    def simple(self, statement: Any) -> Line:
        """One statement on one number, or on several that get the same."""
        match statement:
            case ast.AugAssign(target=target, op=ast.Add()):
                targets, sign = [target], "+="
            case ast.Assign(targets=targets):
                sign = "="
            case _:
                raise ValueError(f"C has no spelling for {ast.unparse(statement)[:80]}")
        made, value = [self.made(_name(target)) for target in targets], self.line(statement.value)
        text = f"{' = '.join(number.text for number in made)} {sign} {value.text};"
        places = [place for number in (*made, value) for place in number.places]
        return Line(text, tuple(places), self.notes[statement.lineno - 1])

    def structure(self, statement: Any, level: int) -> list[str]:
        """A choice between statements, or several numbers made at once."""
        indent = "    " * level
        match statement:
            case ast.If(test=test, body=body, orelse=orelse):
                lines = [f"{indent}if ({self.written(self.line(test))}) {{", *self.block(body, level + 1)]
                return [*lines, *([f"{indent}}} else {{", *self.block(orelse, level + 1)] if orelse else []), f"{indent}}}"]
            case ast.Assign(targets=[ast.Tuple(elts=made)], value=ast.Call(func=ast.Name(id="outside"), args=[_, *operands])):
                texts = [self.written(self.line(operand, 5)) for operand in operands]
                names = " = ".join(self.written(self.made(_name(name))) for name in made)
                return [f"{indent}if ({' && '.join(f'{x} == {x}' for x in texts)}) return 1;", f"{indent}{names} = NAN;"]
            case ast.Assign(
                targets=[ast.Tuple(elts=[value, ast.Tuple(elts=slopes)])], value=ast.Call(args=[ast.Tuple(elts=logits), label])
            ):
                count, chosen = len(logits), self.written(self.line(label))
                texts = [self.written(self.line(logit)) for logit in logits]
                cost = self.written(self.made(_name(value)))
                lines = [
                    f"{indent}{{", *_folded(f"{indent}    double logits[{count}] = {{{', '.join(texts)}}}, slopes[{count}];"),
                    f"{indent}    if (cross_entropy(logits, {count}, {chosen}, &{cost}, slopes)) return 1;",
                ]  # fmt: skip
                copies = [self.written(self.made(_name(slope))) for slope in slopes]
                return [*lines, *(f"{indent}    {slope} = slopes[{k}];" for k, slope in enumerate(copies)), f"{indent}}}"]
        raise ValueError(f"C has no spelling for {ast.unparse(statement)[:80]}")

    def made(self, name: str) -> Line:
        """The number that is assigned to; a new one is a number on the way."""
        if name not in self.spelled:
            if self.long:
                self.claim(name, "v")
            else:
                self.local.append(self.own(name))
                self.spelled[name] = Line(self.local[-1], ())
        return self.spelled[name]

    def written(self, line: Line) -> str:
        """A line outside of any loop."""
        self.used.update(dict.fromkeys(line.places))
        return line.text % line.places

    def loops(self, lines: Sequence[Line], indent: str) -> Iterator[list[str]]:
        """Statements, those that differ in their places alone as loops."""
        for run in runs(lines, self.place) if self.long else (Run(line, 1, ()) for line in lines):
            written = self.written(run.line)
            if run.times > 1:
                yield _folded(f"{indent}for (k = 0; k < {run.times}; k++) {run.moving()}")
            else:
                yield _folded(f"{indent}{written}{f'  /* {run.line.note} */' if run.line.note.isidentifier() else ''}")

    def sum(self, name: Line, terms: Sequence[Line], indent: str) -> list[str]:
        """The statements for a sum of many terms, from left to right."""
        lines, single = [], [self.written(terms[0])]
        for run in runs(terms[1:], self.place):
            written = self.written(run.line)
            if single != ["s"] and (run.times > 1 or len(single) > TERMS):
                lines += _folded(f"{indent}s = {' + '.join(single)};")
                single = ["s"]
            if run.times > 1:
                lines += _folded(f"{indent}for (k = 0; k < {run.times}; k++) s += {run.moving()};")
            else:
                single.append(written)
        return lines + _folded(f"{indent}{self.written(name)} = {' + '.join(single)};")


def _name(target: Any) -> str:
    name: str = target.id
    return name


def _count(statements: Sequence[Any]) -> int:
    """How many statements there are, with those inside of others."""
    total = 0
    for statement in statements:
        total += 1 + (_count(statement.body) + _count(statement.orelse) if isinstance(statement, ast.If) else 0)
    return total


def _lines(chunks: Sequence[Sequence[str]]) -> int:
    return len([line for chunk in chunks for line in chunk])


def _folded(line: str) -> list[str]:
    """A line as it is, or in several with the same indentation."""
    indent = line[: len(line) - len(line.lstrip())]
    first, *rest = wrapped(line.strip())
    return [f"{indent}{first}", *(f"{indent}    {more}" for more in rest)]
