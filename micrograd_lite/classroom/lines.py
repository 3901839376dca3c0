"""The likely line: where in somebody's source a mistake probably stands.

What was called is known (Python tells which of their functions ran), where their gradients are written is a line whose target is
called grad. That is a guess, and is called one.
"""

from __future__ import annotations

import ast
import linecache
import sys
import textwrap
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import Any, NamedTuple


class Line(NamedTuple):
    """A line of somebody's file."""

    source: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.source}, line {self.number}: {self.text}" if self.number else ""


def functions_called(action: Callable[[], Any]) -> list[CodeType]:
    """The code of every Python function that ran, in the order of the calls; what it raises is not our concern here."""
    found: dict[CodeType, None] = {}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            found.setdefault(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        action()
    except Exception:
        return list(found)
    finally:
        sys.setprofile(before)
    return list(found)


def tree_of(code: CodeType) -> ast.FunctionDef | None:
    """The definition of a function, with the line numbers of its file."""
    text = "".join(linecache.getlines(code.co_filename))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    here = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == code.co_name]
    starts = {node: min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) for node in here}
    return next((node for node in here if starts[node] <= code.co_firstlineno <= node.lineno), None)


def at(code: CodeType, node: ast.AST) -> Line:
    """The line on which a piece of a tree begins."""
    number = int(getattr(node, "lineno", code.co_firstlineno))
    text = linecache.getline(code.co_filename, number)
    return Line(code.co_filename.rpartition("/")[2], number, textwrap.shorten(text, 120))


def writes_gradient(node: ast.AST) -> bool:
    """Is it `self.grad += ...`, or the same with `=`?"""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
    return any(isinstance(target, ast.Attribute) and "grad" in target.attr.lower() for target in targets)


def owner(node: Any) -> str:
    """`other` of `other.grad += ...`."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return ast.unparse(target.value) if isinstance(target, ast.Attribute) else ""


def gradient_line(code: CodeType, operand: int = 0, overwritten: bool = False, ran: Sequence[CodeType] = ()) -> Line | None:
    """The line of a function that adds to the gradient of its first or second operand.

    overwritten: the line is one with `=` where there is one. ran: of functions inside of it, those that ran count.
    """
    tree = tree_of(code)
    if tree is None:
        return at(code, ast.Pass())
    names = [argument.arg for argument in tree.args.args]
    found: list[ast.Assign | ast.AugAssign] = [
        node for node in ast.walk(tree) if isinstance(node, (ast.Assign, ast.AugAssign)) and writes_gradient(node)
    ]
    inside = [tree_of(other) for other in ran if other.co_filename == code.co_filename and other is not code]
    inner = {node for below in inside if below for node in ast.walk(below)}
    found = [
        node
        for node in found
        if ast.dump(node, include_attributes=True) in {ast.dump(other, include_attributes=True) for other in inner}
    ] or found
    if overwritten:
        found = [node for node in found if isinstance(node, ast.Assign)] or found
    toward = [node for node in found if operand < len(names) and owner(node) == names[operand]] or found[operand:] or found
    returned = [node for node in tree.body if isinstance(node, ast.Return)]
    return at(code, (toward or returned or [tree])[0])


def value_line(code: CodeType) -> Line | None:
    """The line of a function that works out its value: the first that is no check of its operands."""
    tree = tree_of(code)
    if tree is None:
        return None
    makes: list[ast.stmt] = [node for node in tree.body if isinstance(node, (ast.Assign, ast.Return)) and computes(node)]
    return at(code, (makes or [tree])[0])


def computes(node: ast.Assign | ast.Return) -> bool:
    """Is it more than a name, and no `other = other if isinstance(other, Value) else Value(other)`?"""
    converts = isinstance(node.value, ast.IfExp) and "isinstance" in ast.unparse(node.value)
    return not converts and not isinstance(node.value, (ast.Name, ast.Attribute, ast.Constant))


def sweep_line(code: CodeType) -> Line | None:
    """The line of backward() that walks the nodes: its last loop that does not stand in a function of its own."""
    tree = tree_of(code)
    if tree is None:
        return None
    loops = [node for node in tree.body if isinstance(node, (ast.For, ast.While))]
    return at(code, loops[-1] if loops else tree)


def defined(function: Any) -> str:
    """Where a function or method is defined; "" where that is not known."""
    code = getattr(function, "__code__", None)
    tree = tree_of(code) if code else None
    return str(at(code, tree)) if code and tree else ""
