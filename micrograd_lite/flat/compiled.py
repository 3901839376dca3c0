"""A flat program compiled by the machine's C compiler: the same bits again, and faster once more.

    program = in_c(flatten(...))        # a Program still, where there is no compiler: in one sentence, once

A batch goes through it as bytes. Whatever is not as usual, numbers of other kinds, a domain, a mistake, is left to the
Python program, so that values and errors are its own.
"""

from __future__ import annotations

import ctypes
import struct
import warnings
from array import array
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from micrograd_lite import many
from micrograd_lite.flat.c import c_text
from micrograd_lite.flat.compiler import NotCompiled, library
from micrograd_lite.flat.program import FLOATS, Program, share_of_each
from micrograd_lite.scalar import Value

said: set[str] = set()
"""The sentences of this process: each is said once."""


class CProgram:
    """A Program whose numbers a library computes. `source` is the text in C; all that is unusual is left to the Program."""

    def __init__(self, program: Program) -> None:
        try:
            text = c_text(program.written)
        except ValueError as error:
            raise NotCompiled(str(error)) from error
        self.program, self.source, self.workspace = program, text.source, 8 * text.workspace
        self.parameters, self.operations = program.parameters, program.operations
        self.function = library(text).program
        pointer = ctypes.c_void_p
        self.function.argtypes = [*[pointer] * 4, ctypes.c_long, ctypes.c_double, ctypes.c_int, pointer, pointer]
        self.function.restype = ctypes.c_int

    def backward(self, samples: Sequence[Any] = (((), ()),), reduce: Callable[[Sequence[Value]], Value] = many.mean) -> float:
        """Program.backward: the same loss, gradients and errors. Rows of inputs may be array("d"), which is fastest."""
        samples = list(samples)
        done = self._run(samples, lambda: share_of_each(reduce, len(samples)))
        if done is None:
            return self.program.backward(samples, reduce)
        losses, gradients = done
        for parameter, gradient in zip(self.parameters, gradients):
            parameter.grad = gradient
        if reduce is not many.mean and reduce is not many.sum:
            return reduce([Value(loss) for loss in losses]).data
        total = 0.0
        for loss in losses:
            total += loss
        return total / len(losses) if reduce is many.mean else total

    def losses(self, samples: Sequence[Any]) -> list[float]:
        """The loss of each sample; no grad changes."""
        samples = list(samples)
        done = self._run(samples, lambda: 0.0)
        return self.program.losses(samples) if done is None else list(done[0])

    def _run(self, samples: list[Any], share: Callable[[], float]) -> tuple[Sequence[float], Sequence[float]] | None:
        """Losses and gradients; None for what the Python program must do or refuse."""
        numbers = [parameter.data for parameter in self.parameters]
        packed = self._packed(samples)
        if packed is None or set(map(type, numbers)) != FLOATS:
            return None
        inputs, targets = packed
        p = struct.pack(f"{len(numbers)}d", *numbers)
        g = array("d", struct.pack(f"{len(numbers)}d", *[parameter.grad + 0.0 for parameter in self.parameters]))
        losses = array("d", bytes(8 * len(samples)))
        workspace = array("d", bytes(self.workspace))
        places = [made.buffer_info()[0] for made in (g, losses, workspace)]
        failed = self.function(p, places[0], inputs, targets, len(samples), share(), self.program.written.calm, *places[1:])
        return None if failed else (losses, g.tolist())

    def _packed(self, samples: list[Any]) -> tuple[bytes, bytes] | None:
        """Inputs and targets of all samples as bytes; None where one is not what it must be."""
        if not samples:
            return None
        try:
            return self._columns(samples)
        except (TypeError, ValueError):  # other kinds of number than float, or a mistake
            pairs = [self.program.checked(position, sample) for position, sample in enumerate(samples)]
        try:
            return self._columns(pairs)
        except (TypeError, ValueError):
            return None

    def _columns(self, samples: list[Any]) -> tuple[bytes, bytes]:
        if not {tuple, list}.issuperset(map(type, samples)) or set(map(len, samples)) != {2}:
            raise ValueError("a sample is a pair")
        inputs, targets = zip(*samples)
        if not {tuple, list}.issuperset(map(type, targets)):
            targets = tuple(zip(targets))
        return rows(inputs, [False] * len(self.program.written.names[1])), rows(targets, self.program.written.labels)


def rows(table: Sequence[Any], labels: Sequence[bool]) -> bytes:
    """Rows of floats, and of ints where a column has labels, as doubles. TypeError or ValueError for all others."""
    if set(map(len, table)) != {len(labels)}:
        raise ValueError(f"a row has {len(labels)} numbers")
    if set(map(type, table)) == {array} and {row.typecode for row in table} == {"d"}:
        return b"".join(table)
    numbers = list(chain.from_iterable(table))
    kinds = {float, int} if any(labels) else FLOATS
    if not kinds.issuperset(map(type, numbers)) or (len(kinds) > 1 and not all_labels(table, labels)):
        raise TypeError("a row has floats, and ints for labels")
    try:
        return struct.pack(f"{len(numbers)}d", *numbers)
    except (OverflowError, struct.error) as error:
        raise ValueError("a label is too large") from error


def all_labels(table: Sequence[Any], labels: Sequence[bool]) -> bool:
    """Is each number an int in the columns of labels, and a float in all others?"""
    return all(set(map(type, column)) == {int if label else float} for column, label in zip(zip(*table), labels))


def in_c(program: Program, samples: Sequence[Any] = ()) -> Any:
    """The program compiled; itself, after a warning, where that cannot be done, or where `samples` have other bits in C."""
    try:
        made = CProgram(program)
        if samples and bits(made, samples) != bits(program, samples):
            raise NotCompiled("what the C compiler made computes other numbers than Python")
        return made
    except NotCompiled as reason:
        sentence = f"{reason}; the flat program runs in Python, with the same numbers"
        if sentence not in said:
            said.add(sentence)
            warnings.warn(sentence, RuntimeWarning, stacklevel=2)
        return program


def bits(program: Any, samples: Sequence[Any]) -> str:
    """Loss and gradients, or the error, as text that shows every bit; no grad changes."""
    before = [parameter.grad for parameter in program.parameters]
    try:
        return repr((program.backward(samples), [parameter.grad for parameter in program.parameters]))
    except (ValueError, ArithmeticError) as error:
        return repr(error)
    finally:
        for parameter, grad in zip(program.parameters, before):
            parameter.grad = grad
