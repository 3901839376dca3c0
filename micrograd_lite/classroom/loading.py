"""Somebody's file, read without being run: definitions and imports alone, out of a Python file or a notebook.

A homework file often trains, plots or asks at the top level. Here only what defines something is run: imports,
functions, classes, methods given to a class afterwards (`Value.tanh = tanh`), and plain constants. The same holds for the modules
beside the file. Packages for plotting, and packages that are not there, are stood in for by something that says
so when it is used.
"""

from __future__ import annotations
import __future__

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import json
import linecache
import os
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from micrograd_lite.classroom.adapter import CannotCheck, said
from micrograd_lite.classroom.definitions import definitions

LARGEST = 2_000_000
"""Bytes of a file; a class is smaller."""

KEPT_AWAY = ("matplotlib", "graphviz", "seaborn", "IPython", "torch", "tensorflow", "jax", "sklearn", "pandas", "tqdm", "wandb")
"""Slow to load, and no part of an engine: loaded only when the class itself needs one, and then it is said that it is missing."""


class Source(NamedTuple):
    """A part of a file: where it is (`mine.py`, `mine.ipynb, cell 3`) and its text."""

    name: str
    text: str


class Loaded(NamedTuple):
    """What a file defines, and what of it was not run, in words."""

    names: dict[str, Any]
    left_out: list[str]
    module: str


class Absent:
    """Stands for what is not there, or kept away; whoever uses it gets the sentence."""

    def __init__(self, name: str, why: str) -> None:
        self._why = f"it needs the package {name!r}, which {why}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise CannotCheck(self._why)

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise CannotCheck(self._why)

    def __mro_entries__(self, _: Any) -> tuple[type, ...]:
        raise CannotCheck(self._why)


def sources(path: str) -> list[Source]:
    """The parts of a file; CannotCheck says why there are none."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise CannotCheck(f"it cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise CannotCheck(f"it is larger than {LARGEST:,} bytes")
    if b"\0" in content:
        raise CannotCheck("it has null bytes in it, so it is no text")
    name = os.path.basename(path)
    try:
        text = content.decode("utf-8-sig")
        return list(cells(name, json.loads(text))) if name.endswith(".ipynb") else [Source(name, text)]
    except UnicodeDecodeError as error:
        raise CannotCheck(f"it is not UTF-8: byte {error.start}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CannotCheck("it is no notebook: it is no JSON, or has no cells") from error


def cells(name: str, notebook: Any) -> Iterator[Source]:
    """The code cells of a notebook; lines for the shell and for IPython become comments."""
    for number, cell in enumerate(notebook["cells"], 1):
        text = "".join(cell["source"])
        if cell["cell_type"] == "code" and not text.lstrip().startswith("%%"):
            lines = [f"#{line}" if line.lstrip()[:1] in ("%", "!", "?") else line for line in text.splitlines()]
            yield Source(f"{name}, cell {number}", "\n".join(lines) + "\n")


def parsed(source: Source) -> ast.Module:
    """The tree of a part; CannotCheck names the line of a syntax error."""
    try:
        return ast.parse(source.text)
    except SyntaxError as error:
        line = (error.text or "").strip()[:80]
        what = f"{error.msg}: {line}" if line else error.msg
        raise CannotCheck(f"{source.name}, line {error.lineno}: syntax error: {what}") from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise CannotCheck(f"{source.name}: Python cannot read it: {said(error)}") from error


class OnlyDefinitions(importlib.machinery.SourceFileLoader):
    """Loads a module beside the file in the same way: what trains or prints when it is imported does not."""

    def get_code(self, fullname: str) -> Any:
        """The code of a module's definitions; no compiled file is read or written."""
        path = self.get_filename(fullname)
        source = Source(os.path.basename(path), self.get_data(path).decode("utf-8-sig", "replace"))
        tree = parsed(source)
        tree.body = definitions(tree.body)[0]
        return compile(tree, path, "exec", dont_inherit=True)


class KeptAway(importlib.abc.Loader):
    """Makes a module in which every name is a stand-in."""

    def create_module(self, spec: Any) -> ModuleType:
        """An empty module whose names are found when they are asked for."""
        module = ModuleType(spec.name)
        vars(module)["__getattr__"] = lambda name: absent(spec.name, name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


def absent(package: str, name: str) -> Absent:
    """A name of a package that is kept away."""
    if name.startswith("__"):
        raise AttributeError(name)
    return Absent(package.partition(".")[0], "is kept away here: an engine does without")


class Beside(importlib.abc.MetaPathFinder):
    """Finds modules in the folder of the file; puts a stand-in in the place of what is kept away or not there."""

    def __init__(self, folder: str, package: str) -> None:
        self.folder, self.package = folder, package.partition(".")[0]  # of a package only its own modules

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """Where a module is, if it is ours to find."""
        if name.partition(".")[0] in KEPT_AWAY:
            return importlib.machinery.ModuleSpec(name, KeptAway(), is_package=True)
        for entry in path or [self.folder]:
            if self.package not in ("", name.partition(".")[0]):
                continue
            if os.path.abspath(entry).startswith(self.folder):
                spec = importlib.machinery.FileFinder(entry, (OnlyDefinitions, [".py"])).find_spec(name)
                if spec and spec.loader:
                    return spec
        return None


def load(path: str) -> Loaded:
    """Run the definitions of a file; CannotCheck says why that is not possible."""
    parts = sources(path)
    folder, package = home(path)
    sys.path.insert(0, folder)
    sys.meta_path.insert(0, Beside(folder, package))
    name = os.path.splitext(os.path.basename(path))[0]
    module = ModuleType(f"{package}.{name}" if package else name)
    module.__file__, module.__package__ = path, package
    if package:
        import_quietly(package, folder)
        module = sys.modules.get(module.__name__, module)
    sys.modules[module.__name__] = module
    left_out: list[str] = []
    for source in parts:
        run(source, module, left_out)
    return Loaded(vars(module), left_out, module.__name__)


def home(path: str) -> tuple[str, str]:
    """The folder from which a file is imported, and the package that it belongs to."""
    folder, package = os.path.dirname(os.path.abspath(path)), ""
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, name = os.path.split(folder)
        package = f"{name}.{package}" if package else name
    return folder, package


def import_quietly(package: str, folder: str) -> None:
    """Import a package whose own file may fail: relative imports need it, be it empty."""
    try:
        importlib.import_module(package)
    except Exception:
        parts = package.split(".")
        for depth in range(1, len(parts) + 1):
            empty = ModuleType(".".join(parts[:depth]))
            empty.__path__ = [os.path.join(folder, *parts[:depth])]
            sys.modules.setdefault(empty.__name__, empty)


def run(source: Source, module: ModuleType, left_out: list[str]) -> None:
    """Run the definitions of one part in a module; what is not run, or fails, is added to `left_out`."""
    try:
        kept, left = definitions(parsed(source).body)
    except CannotCheck as why:
        if ", cell " not in source.name:
            raise
        left_out.append(str(why))
        return
    linecache.cache[source.name] = (len(source.text), None, source.text.splitlines(keepends=True), source.name)
    if left:
        numbers = list(dict.fromkeys(str(part.lineno) for part in left))
        lines = ", ".join(numbers[:5]) + (", ..." if len(numbers) > 5 else "")
        left_out.append(f"{source.name}, line{'s' if len(numbers) > 1 else ''} {lines}: not run, no definition")
    flags = 0
    for statement in kept:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                flags |= getattr(getattr(__future__, alias.name, None), "compiler_flag", 0)
        try:
            exec(compile(ast.Module([statement], []), source.name, "exec", flags, dont_inherit=True), vars(module))
        except ImportError as error:
            left_out.append(f"{source.name}, line {statement.lineno}: {said(error)}")
            stand_in(statement, module, error.name or "", "is not installed here")
        except CannotCheck as why:
            left_out.append(f"{source.name}, line {statement.lineno}: {why}")
        except Exception as error:
            left_out.append(f"{source.name}, line {statement.lineno}: it fails: {said(error)}")


def stand_in(statement: ast.stmt, module: ModuleType, package: str, why: str) -> None:
    """Give the names of an import that failed a meaning: the sentence that it failed."""
    for part in ast.walk(statement):
        if isinstance(part, (ast.Import, ast.ImportFrom)):
            for alias in part.names:
                vars(module).setdefault((alias.asname or alias.name).partition(".")[0], Absent(package, why))
