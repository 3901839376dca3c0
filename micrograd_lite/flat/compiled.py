"""A flat program compiled by the machine's C compiler: the same bits again, and faster once more.

    program = in_c(flatten(...))        # a Program still, where there is no compiler: in one sentence, once

A batch goes through it as bytes, which `pack` makes once for many steps. Whatever is not as usual, numbers of other kinds, a
domain, a mistake, is left to the Python program, so that values and errors are its own.
"""

from __future__ import annotations

import ctypes
import struct
import warnings
from array import array
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from micrograd_lite import many
from micrograd_lite.flat.c import c_text
from micrograd_lite.flat.compiler import NotCompiled, library
from micrograd_lite.flat.program import FLOATS, Program, share_of_each
from micrograd_lite.scalar import Value

said: set[str] = set()
"""The sentences of this process: each is said once."""


class Packed(NamedTuple):
    """Samples as a library reads them, double by double, made once for all steps that use them; and as they were."""

    samples: list[Any]
    inputs: bytes
    targets: bytes


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

    def backward(self, samples: Any = (((), ()),), reduce: Callable[[Sequence[Value]], Value] = many.mean) -> float:
        """Program.backward: the same loss, gradients and errors. samples may be Packed; rows array("d"), which is faster."""
        packed = self.pack(samples)
        gradients = doubles([parameter.grad for parameter in self.parameters])
        losses = self._run(packed, gradients, lambda: share_of_each(reduce, len(packed.samples)))
        if losses is None:
            return self.program.backward(packed.samples if isinstance(packed, Packed) else packed, reduce)
        for parameter, gradient in zip(self.parameters, gradients.tolist()):
            parameter.grad = gradient
        if reduce is not many.mean and reduce is not many.sum:
            return reduce([Value(loss) for loss in losses]).data
        total = 0.0
        for loss in losses:
            total += loss
        return total / len(losses) if reduce is many.mean else total

    def losses(self, samples: Any) -> list[float]:
        """The loss of each sample; no grad changes."""
        packed = self.pack(samples)
        losses = self._run(packed, array("d", bytes(8 * len(self.parameters))), lambda: 0.0)
        if losses is None:
            return self.program.losses(packed.samples if isinstance(packed, Packed) else packed)
        return losses.tolist()

    def run(self, numbers: array[float], gradients: array[float], samples: Packed, share: float) -> array[float] | None:
        """The loss of each sample, with no Value on the way: the parameters are `numbers`, their slopes are added to `gradients`.

        share: the slope of the batch's loss toward a sample's, as 1 / their number for a mean. None outside an operation's
        domain; then `gradients` are of no use, and Program.backward says what is wrong.
        """
        if not isinstance(samples, Packed):
            raise TypeError(f"samples must be what pack made of floats, got {type(samples).__name__}")
        for given in (numbers, gradients):
            if not isinstance(given, array) or given.typecode != "d" or len(given) != len(self.parameters):
                raise ValueError(f"numbers and gradients are each an array('d') of {len(self.parameters)}")
        losses, workspace = array("d", bytes(8 * len(samples.samples))), array("d", bytes(self.workspace))
        p, g, made, v = (numbers.buffer_info()[0] for numbers in (numbers, gradients, losses, workspace))
        inputs, targets, calm = samples.inputs, samples.targets, self.program.written.calm
        return None if self.function(p, g, inputs, targets, len(losses), share, calm, made, v) else losses

    def _run(self, samples: Any, gradients: array[float], share: Callable[[], float]) -> array[float] | None:
        """The losses; None for what the Python program must do or refuse."""
        numbers = [parameter.data for parameter in self.parameters]
        if not isinstance(samples, Packed) or set(map(type, numbers)) != FLOATS:
            return None
        return self.run(doubles(numbers), gradients, samples, share())

    def pack(self, samples: Any) -> Any:
        """Samples as Packed; as a list, for the Python program, where a number is no double. Errors are Program's."""
        if isinstance(samples, Packed):
            return samples
        samples = list(samples)
        if not samples:
            return samples
        try:
            return Packed(samples, *self._columns(samples))
        except (TypeError, ValueError):  # other kinds of number than float, or a mistake
            pairs = [self.program.checked(position, sample) for position, sample in enumerate(samples)]
        try:
            return Packed(samples, *self._columns(pairs))
        except (TypeError, ValueError):
            return samples

    def _columns(self, samples: list[Any]) -> tuple[bytes, bytes]:
        if not {tuple, list}.issuperset(map(type, samples)) or set(map(len, samples)) != {2}:
            raise ValueError("a sample is a pair")
        inputs, targets = zip(*samples)
        if not {tuple, list}.issuperset(map(type, targets)):
            targets = tuple(zip(targets))
        return rows(inputs, [False] * len(self.program.written.names[1])), rows(targets, self.program.written.labels)


def doubles(numbers: Sequence[float]) -> array[float]:
    """Numbers as an array."""
    return array("d", struct.pack(f"{len(numbers)}d", *numbers))  # half the time of array("d", numbers)


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
        say_once(f"{reason}; the flat program runs in Python, with the same numbers")
        return program


def say_once(sentence: str) -> None:
    """Warn, unless this process has said so before."""
    if sentence not in said:
        said.add(sentence)
        warnings.warn(sentence, RuntimeWarning, stacklevel=3)


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
