"""C: the text of a flat program in a third spelling, for a compiler.

The statements are those of the Python text, in its order; Python's own parser reads them. So a formula still stands in the
derivative table alone, and this page knows how C spells an addition. What a number is called says what it is:

    p[w], g[w]      a parameter, and the slope toward it, which grows from sample to sample
    x[x0], t[y]     an input and a target of the sample
    a, d_a          a number on the way, and the slope toward it; v[a], v[d_a] where the program is long

A compiler's time grows faster than a function. So a long program keeps its numbers in a workspace, v; statements and terms
that differ only in their places, as the products of a neuron do, become a loop, which computes the same in the same order;
and what is still long becomes several functions. All functions are those of the C library, which Python calls too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from micrograd_lite.flat.functions import FUNCTIONS, HEAD, PARAMETERS, TAIL, TAKEN
from micrograd_lite.flat.loops import RUN, Line, Run, joined, runs
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


def c_text(source: str) -> CText:
    """The program in C whose Python text this is."""
    return _Writer(source).text()


class _Writer:
    def __init__(self, source: str) -> None:
        (function,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
        (loop,) = (node for node in function.body if isinstance(node, ast.For))
        self.notes = [line.partition("  # ")[2] for line in source.splitlines()]
        self.spelled = {"inf": Line("INFINITY", ()), "nan": Line("NAN", ()), "share": Line("share", ()), "calm": Line("calm", ())}
        self.taken = set(TAKEN)
        self.place: dict[str, int] = {}
        self.sizes = dict.fromkeys("pxtv", 0)
        self.used: dict[str, None] = {}  # places that the text names
        self.local: list[str] = []
        self.parts: list[list[str]] = []
        self.body: list[ast.stmt] = []
        for statement in (*function.body[: function.body.index(loop)], *loop.body):
            match statement:
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Name(id="gradients")):
                    for slope, parameter in zip(names, list(self.place)):
                        self.spelled[slope.id] = Line("g[%s]", (parameter,))  # type: ignore[attr-defined]
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Name(id=whole)) if whole in ARRAYS:
                    for name in names:
                        self.claim(name.id, ARRAYS[whole])  # type: ignore[attr-defined]
                case _ if statement.lineno > loop.lineno:
                    self.body.append(statement)
        self.long = _count(self.body) > SHORT

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
        body = self.block(self.body, 1)
        local = _folded(f"    double {', '.join(self.local)};") if self.local else []
        functions = [*self.parts, self.function("sample", [*local, *body])]
        places = _folded(f"    {', '.join(f'{name} = {self.place[name]}' for name in self.used)}")
        lines = [
            "/* The loss of one sample and its slope toward each parameter, written out by micrograd_lite. */", HEAD,
            "enum {  /* where the numbers stand */", *places, "};", *(line for function in functions for line in function),
        ]  # fmt: skip
        return CText("\n".join(lines) + "\n" + TAIL % self.sizes, len(lines) - len(places), self.sizes["v"])

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
                    lines = [self.line(self.formula, term, 4 + (k > 0)) for k, term in enumerate(terms)]
                    made = self.sum(self.made(target), lines, indent)
                case _:
                    simple.append(self.line(self.simple, statement)._replace(note=self.notes[statement.lineno - 1]))
                    continue
            yield from self.loops(simple, indent)
            simple = []
            yield made
        yield from self.loops(simple, indent)

    def line(self, spell: Callable[..., str], *arguments: Any) -> Line:
        """What `spell` makes, with the places that it meets."""
        places: list[str] = []
        return Line(spell(*arguments, places), tuple(places))

    def simple(self, statement: Any, places: list[str]) -> str:
        """One statement on one number, or several that get the same."""
        match statement:
            case ast.AugAssign(target=target, value=value):
                return f"{self.put(self.made(target), places)} += {self.formula(value, 0, places)};"
            case ast.Assign(targets=targets, value=value):
                names = " = ".join(self.put(self.made(target), places) for target in targets)
                return f"{names} = {self.formula(value, 0, places)};"
            case ast.Expr():  # losses.append(loss)
                return f"*losses = {self.put(self.spelled['loss'], places)};"
        raise ValueError(f"a flat program has no such statement: {ast.unparse(statement)[:80]}")

    def structure(self, statement: Any, level: int) -> list[str]:
        """A choice between statements, or several numbers made at once."""
        indent = "    " * level
        match statement:
            case ast.If(test=test, body=body, orelse=orelse):
                lines = [f"{indent}if ({self.written(self.line(self.formula, test, 0))}) {{", *self.block(body, level + 1)]
                return [*lines, *([f"{indent}}} else {{", *self.block(orelse, level + 1)] if orelse else []), f"{indent}}}"]
            case ast.Assign(targets=[ast.Tuple(elts=made)], value=ast.Call(func=ast.Name(id="outside"), args=[_, *operands])):
                texts = [self.written(self.line(self.formula, operand, 5)) for operand in operands]
                names = " = ".join(self.written(self.made(name)) for name in made)
                return [f"{indent}if ({' && '.join(f'{x} == {x}' for x in texts)}) return 1;", f"{indent}{names} = NAN;"]
            case ast.Assign(
                targets=[ast.Tuple(elts=[value, ast.Tuple(elts=slopes)])], value=ast.Call(args=[ast.Tuple(elts=logits), label])
            ):
                count, chosen = len(logits), self.written(self.line(self.formula, label, 0))
                texts = [self.written(self.line(self.formula, logit, 0)) for logit in logits]
                cost = self.written(self.made(value))
                lines = [
                    f"{indent}{{", *_folded(f"{indent}    double logits[{count}] = {{{', '.join(texts)}}}, slopes[{count}];"),
                    f"{indent}    if (cross_entropy(logits, {count}, {chosen}, &{cost}, slopes)) return 1;",
                ]  # fmt: skip
                copies = [self.written(self.made(slope)) for slope in slopes]
                return [*lines, *(f"{indent}    {slope} = slopes[{k}];" for k, slope in enumerate(copies)), f"{indent}}}"]
        raise ValueError(f"a flat program has no such statement: {ast.unparse(statement)[:80]}")

    def made(self, target: Any) -> Line:
        """The number that is assigned to; a new one is a number on the way."""
        if target.id not in self.spelled:
            if self.long:
                self.claim(target.id, "v")
            else:
                self.local.append(self.own(target.id))
                self.spelled[target.id] = Line(self.local[-1], ())
        return self.spelled[target.id]

    def put(self, number: Line, places: list[str]) -> str:
        """The text of a number, with its place beside the others."""
        places.extend(number.places)
        return number.text

    def formula(self, tree: ast.expr, above: int, places: list[str]) -> str:
        """An expression, in parentheses where it binds weaker than what is above it."""
        match tree:
            case ast.Name(id=name):
                return self.put(self.spelled[name], places)
            case ast.Constant(value=number):
                return repr(float(number))  # type: ignore[arg-type]
            case ast.Call(func=ast.Name(id=name), args=operands):
                if name not in FUNCTIONS:
                    raise ValueError(f"C has no spelling for {name}(...)")
                return f"{FUNCTIONS[name]}({', '.join(self.formula(operand, 0, places) for operand in operands)})"
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return f"modulo({self.formula(left, 0, places)}, {self.formula(right, 0, places)})"
            case ast.BinOp(left=left, op=op, right=right):
                sign, binds = OPERATORS[type(op)]
                text = f"{self.formula(left, binds, places)} {sign} {self.formula(right, binds + 1, places)}"
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                sign, binds = OPERATORS[type(op)]
                text = f"{self.formula(left, binds + 1, places)} {sign} {self.formula(right, binds + 1, places)}"
            case ast.BoolOp(op=op, values=values):
                sign, binds = OPERATORS[type(op)]
                text = f" {sign} ".join(self.formula(value, binds + 1, places) for value in values)
            case ast.UnaryOp(op=op, operand=operand):
                sign, binds = OPERATORS[type(op)]
                text = f"{sign}{self.formula(operand, binds + 1, places)}"
            case ast.IfExp(test=test, body=body, orelse=orelse):  # C asks first, and Python's parts stand in another order
                asked, binds = self.formula(test, 1, places), 0
                text = f"{asked} ? {self.formula(body, 1, places)} : {self.formula(orelse, 0, places)}"
            case _:
                raise ValueError(f"a flat program has no such formula: {ast.unparse(tree)[:80]}")
        return f"({text})" if binds < above else text

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


ARRAYS = {"parameters": "p", "inputs": "x", "targets": "t"}
OPERATORS: dict[type[ast.AST], tuple[str, int]] = {  # what C writes, and how strongly it binds
    ast.Or: ("||", 1), ast.BitOr: ("||", 1), ast.And: ("&&", 2), ast.BitAnd: ("&&", 2), ast.Eq: ("==", 3), ast.NotEq: ("!=", 3),
    ast.Lt: ("<", 3), ast.LtE: ("<=", 3), ast.Gt: (">", 3), ast.GtE: (">=", 3), ast.Add: ("+", 4), ast.Sub: ("-", 4),
    ast.Mult: ("*", 5), ast.Div: ("/", 5), ast.USub: ("-", 6), ast.Not: ("!", 6),
}  # fmt: skip


def _count(statements: Sequence[Any]) -> int:
    """How many statements there are, with those inside of others."""
    total = 0
    for statement in statements:
        total += 1 + (_count(statement.body) + _count(statement.orelse) if isinstance(statement, ast.If) else 0)
    return total


def _lines(chunks: Sequence[Sequence[str]]) -> int:
    total = 0
    for chunk in chunks:
        total += len(chunk)
    return total


def _folded(line: str) -> list[str]:
    """A line as it is, or in several with the same indentation."""
    indent = line[: len(line) - len(line.lstrip())]
    first, *rest = wrapped(line.strip())
    return [f"{indent}{first}", *(f"{indent}    {more}" for more in rest)]
