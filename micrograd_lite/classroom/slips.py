"""Slips: the ways in which a formula is computed wrong, each as another formula and the words for it.

A forgotten factor, a turned sign, one share instead of their sum: each is the right formula with one place of its tree
changed. So whose number comes out of a changed formula, from his own earlier numbers, has most likely made that slip.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from micrograd_lite.classroom.answers import Key, KeyCell
from micrograd_lite.classroom.ranges import read_rule


class Slip(NamedTuple):
    """What went wrong, in one word for counting and in words for the one who did it; and the formula that it makes."""

    kind: str
    words: str
    rule: ast.expr


SQUASHING = ("tanh", "sigmoid", "relu")
"""Activations that are taken for each other."""


def slips(cell: KeyCell, key: Key) -> Iterator[Slip]:
    """The slips of a blank, the likely ones first; of a sheet's own numbers first, then of any formula."""
    say = _names(cell, key)
    yield from _of_column(cell, key, say)
    yield Slip("sign", "the sign is wrong", ast.UnaryOp(ast.USub(), cell.rule))
    yield from _slope_at_the_sum(cell, key)
    yield from _changed(cell.rule, say)


def _of_column(cell: KeyCell, key: Key, say: Callable[[ast.expr], str]) -> Iterator[Slip]:
    match cell.column, cell.rule:
        case "share", ast.BinOp(left=ast.Name(id=slope) as partial, op=ast.Mult(), right=upstream):
            if is_activation(key[slope]):
                yield Slip("slope", f"the derivative of the activation, {key[slope].formula}, is left out", upstream)
            else:
                yield Slip("mixed", "that is the upstream: the partial is left out", upstream)
            yield Slip("mixed", "that is the partial: the share is partial x upstream", partial)
            for part in _parts(upstream, key):
                words = f"the upstream is one share only, and {cell.row.partition(' -> ')[0]} got several: they add up"
                yield Slip("sum", words, ast.BinOp(partial, ast.Mult(), part))
        case "total", ast.BinOp(left=before, op=ast.Add(), right=share):
            yield Slip("sum", "that is the last share alone: shares add up", share)
            yield Slip("sum", "the last share is not added", before)
        case "gradient", ast.BinOp(left=total, op=sign, right=count):
            is_mean = isinstance(sign, ast.Div)
            if is_mean:
                yield Slip("mean", f"that is the sum over the samples: it is not divided by {say(count)}", total)
            for term in _terms(total if is_mean else cell.rule):
                words = f"only {say(term)} is counted: the gradient is made of all samples"
                yield Slip("sum", words, term)
                yield Slip("sum", words, ast.BinOp(term, ast.Div(), count))
        case "update", ast.UnaryOp(operand=ast.BinOp(left=rate, op=ast.Mult(), right=pull)) if say(rate) == "lr":
            yield Slip("lr", "the learning rate is left out", ast.UnaryOp(ast.USub(), pull))
            yield Slip("lr", "the learning rate and the minus are left out", pull)
        case "update", ast.BinOp(left=ast.UnaryOp(operand=rate), op=ast.Mult(), right=pull) if say(rate) == "lr":
            yield Slip("lr", "the learning rate is left out", ast.UnaryOp(ast.USub(), pull))
            yield Slip("lr", "the learning rate and the minus are left out", pull)


def is_activation(cell: KeyCell) -> bool:
    """Is this partial the slope of a neuron's activation?"""
    node, arrow, parent = cell.row.partition(" -> ")
    return cell.column == "partial" and bool(arrow) and parent == f"{node}.sum"


def _parts(upstream: ast.expr, key: Key) -> list[ast.expr]:
    """The shares that an upstream was added up from, if it was."""
    if isinstance(upstream, ast.Name) and key[upstream.id].column == "total" and key[upstream.id].rule is not None:
        return _terms(key[upstream.id].rule)
    return []


def _terms(total: ast.expr) -> list[ast.expr]:
    if isinstance(total, ast.BinOp) and isinstance(total.op, ast.Add):
        return [*_terms(total.left), total.right]
    return [total]


def _slope_at_the_sum(cell: KeyCell, key: Key) -> Iterator[Slip]:
    """An activation's slope with the sum put in where its output belongs, or taken for the output itself."""
    if not is_activation(cell):
        return
    outputs = {part.id for part in ast.walk(cell.rule) if isinstance(part, ast.Name) and part.id in key}
    for name in outputs:
        made = key[name].rule
        if isinstance(made, ast.Call) and isinstance(made.args[0], ast.Name):
            text = re.sub(rf"\b{name}\b", made.args[0].id, ast.unparse(cell.rule))
            yield Slip("slope", "the sum is put in where the neuron's output belongs", read_rule(text))
        yield Slip("slope", "that is the neuron's value, not its slope", ast.Name(name))
        yield Slip("slope", "the output is not multiplied by itself", ast.BinOp(ast.Constant(1), ast.Sub(), ast.Name(name)))


def _changed(tree: ast.expr, say: Callable[[ast.expr], str]) -> Iterator[Slip]:
    """The tree with one place changed, from the outside to the inside."""
    yield from _here(tree, say)
    for field, part in ast.iter_fields(tree):
        if isinstance(part, ast.expr) and field != "func":
            for slip in _changed(part, say):
                yield slip._replace(rule=_with(tree, field, slip.rule))
    if isinstance(tree, ast.Call):
        for slip in _changed(tree.args[0], say):
            yield slip._replace(rule=ast.Call(tree.func, [slip.rule, *tree.args[1:]], []))


def _with(tree: ast.expr, field: str, part: ast.expr) -> ast.expr:
    made = {name: value for name, value in ast.iter_fields(tree)}
    return type(tree)(**{**made, field: part})


def _here(tree: ast.expr, say: Callable[[ast.expr], str]) -> Iterator[Slip]:
    match tree:
        case ast.BinOp(left=one, op=ast.Mult(), right=other):
            for left_out, kept in ((one, other), (other, one)):
                kind, word = ("lr", "the learning rate") if say(left_out) == "lr" else ("factor", f"the factor {say(left_out)}")
                yield Slip(kind, f"{word} is left out", kept)
            yield Slip("operation", f"divided by {say(other)} where it is multiplied", ast.BinOp(one, ast.Div(), other))
        case ast.BinOp(left=one, op=ast.Div(), right=other):
            yield Slip("factor", f"not divided by {say(other)}", one)
            yield Slip("operation", f"multiplied by {say(other)} where it is divided", ast.BinOp(one, ast.Mult(), other))
        case ast.BinOp(left=one, op=ast.Add(), right=other):
            for left_out, kept in ((other, one), (one, other)):
                yield Slip("sum", f"{say(left_out)} is not added", kept)
            yield Slip("sign", f"{say(other)} is subtracted where it is added", ast.BinOp(one, ast.Sub(), other))
        case ast.BinOp(left=one, op=ast.Sub(), right=other):
            yield Slip("sum", f"{say(other)} is not subtracted", one)
            yield Slip("sign", f"{say(other)} is added where it is subtracted", ast.BinOp(one, ast.Add(), other))
        case ast.BinOp(left=base, op=ast.Pow(), right=times):
            squared = "squared" if say(times) == "2" else f"raised to {say(times)}"
            yield Slip("power", f"{say(base)} is not {squared}", base)
            yield Slip("power", f"{say(base)} is multiplied by {say(times)}, not {squared}", ast.BinOp(base, ast.Mult(), times))
        case ast.UnaryOp(operand=part):
            yield Slip("sign", "the minus is left out", part)
        case ast.Call(func=ast.Name(id=name), args=[part, *_]):
            yield Slip("activation", f"{name} is left out: that is {say(part)} itself", part)
            for other_name in SQUASHING if name in SQUASHING else ():
                if other_name != name:
                    words = f"that is {other_name} of it, where {name} is asked"
                    yield Slip("activation", words, ast.Call(ast.Name(other_name), [part], []))
        case ast.IfExp(body=body, orelse=orelse):
            for branch in (body, orelse):
                yield Slip("slope", "the slope of the other side is taken", branch)


def _names(cell: KeyCell, key: Key) -> Callable[[ast.expr], str]:
    """How the parts of a cell's formula are called in a sentence to somebody who has the sheet before him."""

    def name(found: re.Match[str]) -> str:
        operand = key[found.group()]
        if operand.row == "lr":
            return "lr"
        if operand.part == "optimizer":
            return operand.column
        if operand.column in ("value", "slope", "gradient"):
            return operand.row
        return f"the {operand.column} of {operand.row}"

    return lambda tree: re.sub(r"\bc\d+\b", name, ast.unparse(tree))
