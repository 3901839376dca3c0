"""Which statements of somebody's file define something, and which do something.

Only the first are run when an engine is checked: imports, functions, classes, methods given to a class afterwards, plain
constants, and whatever a class reads by name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

HARMLESS = frozenset((
    "set", "list", "dict", "tuple", "float", "int", "frozenset", "str", "bool", "object", "TypeVar", "namedtuple", "NewType",
    "Random", "count", "defaultdict", "ContextVar", "WeakSet", "WeakKeyDictionary", "local", "default_rng", "sqrt", "log", "exp",
))  # fmt: skip
"""What a constant at the top level may call."""


def definitions(body: Sequence[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements that define something, and the others."""
    kept: list[ast.stmt] = []
    left: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, (ast.If, ast.Try)) and not guards_main(statement):
            inside = [part for part in ast.walk(statement) if isinstance(part, ast.stmt) and part is not statement]
            outer = [part for part in inside if not nested(part, inside)]
            harmless = all(defines(part) or isinstance(part, (ast.Pass, ast.If, ast.Try)) for part in outer)
            (kept if harmless else left).append(statement)
        else:
            (kept if defines(statement) else left).append(statement)
    wanted = needed_by_classes(body)
    kept = [part for part in body if part in kept or (isinstance(part, (ast.Assign, ast.AnnAssign)) and wanted & assigned(part))]
    return kept, [part for part in left if not (part in kept or isinstance(part, ast.Pass) or docstring(part))]


def needed_by_classes(body: Sequence[ast.stmt]) -> set[str]:
    """The names that classes read, and what those are made of: a table of slopes runs, whatever it calls."""
    wanted: set[str] = set()
    waiting: list[ast.stmt] = [part for part in body if isinstance(part, ast.ClassDef)]
    done: list[ast.stmt] = []
    while waiting:
        done.append(waiting.pop())
        wanted |= {node.id for node in ast.walk(done[-1]) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        waiting += [part for part in body if part not in done and part not in waiting and wanted & assigned(part)]
    return wanted


def assigned(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top level gives something to."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return set()
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    parts = [node for target in targets for node in ast.walk(target)]
    return {node.id for node in parts if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def nested(part: ast.stmt, inside: Sequence[ast.stmt]) -> bool:
    """Does it stand in a function or class of these statements?"""
    scopes = [scope for scope in inside if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    return any(part is below for scope in scopes for below in ast.walk(scope) if below is not scope)


def defines(statement: ast.stmt) -> bool:
    """Is it an import, a function, a class, or a constant?"""
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return True
    if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if any(isinstance(target, ast.Attribute) for target in targets):  # Value.tanh = tanh, but not x.requires_grad = True
            return isinstance(statement.value, (ast.Name, ast.Attribute, ast.Lambda))
        if all(isinstance(target, (ast.Name, ast.Tuple)) for target in targets):
            return all(called(call) in HARMLESS for call in unhidden(statement.value) if isinstance(call, ast.Call))
    return False


def unhidden(expression: ast.expr) -> Iterator[ast.AST]:
    """The parts of an expression that run when it does: nothing inside a lambda; a comprehension counts as a call."""
    waiting: list[ast.AST] = [expression]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.Lambda):
            yield node
            waiting += ast.iter_child_nodes(node)


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""


def guards_main(statement: ast.stmt) -> bool:
    """`if __name__ == "__main__":`"""
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def docstring(statement: ast.stmt) -> bool:
    """A text or a number that stands alone."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
