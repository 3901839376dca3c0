"""Marking: each cell of a filled sheet is right, wrong, right from one's own earlier number, or missing.

    marks = mark(read_answers("anna.csv", key), key)

One mistake is not punished twice: who goes on rightly from a wrong number of his own is right. The first wrong number is
explained, by the slip of which it comes out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from micrograd_lite.classroom.answers import Answer, Key, KeyCell
from micrograd_lite.classroom.ranges import Range, cells_of, reach
from micrograd_lite.classroom.sheet import half_digit, rounded
from micrograd_lite.classroom.slips import slips

RIGHT, OWN, WRONG, MISSING = "right", "own number", "wrong", "missing"
VERDICTS = (RIGHT, OWN, WRONG, MISSING)
CLOSE = 0.05
"""Of a number: who is nearer than this, and yet wrong, has rounded too early."""
EMPTY = ("", "-", "?", "_", "...")
"""What stands in a cell that nobody filled."""


class Mistake(NamedTuple):
    """The first wrong number of a sheet: its cell, what kind of slip it is, and that in a sentence."""

    cell: str
    kind: str
    sentence: str


class Marks(NamedTuple):
    """A verdict for each blank; the first mistake, None without one; sentences about given numbers that were changed."""

    verdicts: dict[str, str]
    first: Mistake | None
    notes: list[str]

    def count(self, verdict: str) -> int:
        """How many cells have it."""
        return Counter(self.verdicts.values())[verdict]


def mark(answers: Mapping[str, Answer], key: Key) -> Marks:
    """The marks of one sheet. A cell that the sheet has not got is missing."""
    verdicts: dict[str, str] = {}
    own: dict[str, Range] = {}
    first, notes = None, []
    for name, cell in key.items():
        answer = answers.get(name)
        if cell.rule is None or cell.tolerance is None:
            own[name] = (min(cell.printed, cell.exact), max(cell.printed, cell.exact))
            if answer and answer.value is not None and abs(answer.value - cell.printed) > 0.01 * abs(cell.printed):
                notes.append(f"line {answer.line}: {cell.place} was given as {cell.printed:g}; the key's number is used")
            continue
        verdicts[name] = verdict = _verdict(answer, cell, own, verdicts)
        if answer is not None and answer.value is not None:
            half = half_digit(answer.value, cell.digits)
            own[name] = (answer.value - half, answer.value + half)
        else:
            own[name] = (cell.exact - cell.tolerance, cell.exact + cell.tolerance)
        if verdict == WRONG and first is None and answer is not None:
            first = explained(answer, cell, key, answers, own)
    return Marks(verdicts, first, notes)


def _verdict(answer: Answer | None, cell: KeyCell, own: Mapping[str, Range], verdicts: Mapping[str, str]) -> str:
    if answer is None or answer.text in EMPTY:
        return MISSING
    if answer.value is None or cell.tolerance is None:
        return WRONG
    if abs(answer.value - cell.exact) <= cell.tolerance:
        return RIGHT
    follows = any(verdicts.get(name) in (WRONG, OWN) for name in cells_of(cell.rule))
    return OWN if follows and _comes_out(answer.value, reach(cell.rule, own), cell.digits) else WRONG


def _comes_out(value: float, found: Range, digits: int) -> bool:
    """Is this what a formula comes to, rounded? Never where the formula could be anything."""
    half = half_digit(value, digits) + 1e-12 * abs(value)
    low, high = found
    return low - half <= value <= high + half and high - low <= CLOSE * max(abs(low), abs(high), 1e-300)


def explained(answer: Answer, cell: KeyCell, key: Key, answers: Mapping[str, Answer], own: Mapping[str, Range]) -> Mistake:
    """What went wrong in a cell, by the first slip of which its number comes out."""
    if answer.value is None:
        return Mistake(cell.name, "no number", f"{cell.place}: {answer.text[:40]!r} is no number (line {answer.line})")
    found = low, high = reach(cell.rule, own)
    if high - low > abs(cell.exact):
        found = (cell.exact - (cell.tolerance or 0.0), cell.exact + (cell.tolerance or 0.0))
    wanted = (found[0] + found[1]) / 2.0
    kind, words = next(_explanations(answer.value, cell, key, own, found))
    sentence = f"{cell.place}: {answer.text} where {rounded(wanted, cell.digits)} is right; {words}"
    return Mistake(cell.name, kind, sentence)


def _explanations(value: float, cell: KeyCell, key: Key, own: Mapping[str, Range], found: Range) -> Iterator[tuple[str, str]]:
    wanted = (found[0] + found[1]) / 2.0
    beside = [other for other in key.values() if other.row == cell.row and other.part == cell.part and other is not cell]
    for other in beside:
        another = other.column in ("partial", "share", "total") and other.name not in cells_of(cell.rule)
        if another and _is(value, other, own, cell.digits):
            yield "mixed", f"that is the {other.column}: {cell.column} and {other.column} are mixed up"
    for slip in slips(cell, key):
        if _comes_out(value, reach(slip.rule, own), cell.digits):
            yield slip.kind, slip.words
    for place in (1, -1, 2, -2, 3, -3):
        if _comes_out(value, (found[0] * 10.0**place, found[1] * 10.0**place), cell.digits):
            yield "decimal", "the decimal point is in the wrong place"
    if _swapped(value, wanted, cell.digits) or _swapped(value, cell.exact, cell.digits):
        yield "digits", "two digits are swapped"
    if abs(value - wanted) <= CLOSE * abs(wanted):
        yield "rounding", "close, but rounded too early, or a slip on the calculator"
    for other in key.values():
        if other is not cell and other.exact not in (0.0, 1.0, -1.0) and _is(value, other, own, cell.digits):
            yield "row", f"that is the {other.column} of {other.row}"
    if abs(value + wanted) <= CLOSE * abs(wanted):
        yield "sign", "the sign is wrong, and the digits are not quite right"
    yield "unknown", f"it is to be {cell.formula}" if cell.formula else "the rule at the head of the table gives another number"


def _is(value: float, other: KeyCell, own: Mapping[str, Range], digits: int) -> bool:
    """Is this the number of another cell, the key's or one's own?"""
    beyond = other.tolerance or 0.0
    known = (other.exact - beyond, other.exact + beyond)
    return any(_comes_out(value, found, digits) for found in (known, own.get(other.name, known)))


def _swapped(value: float, wanted: float, digits: int) -> bool:
    """Are two neighbouring digits swapped?"""
    typed, right = (f"{number:.{digits - 1}e}" for number in (value, wanted))
    return any(
        typed == right[:place] + right[place + 1] + right[place] + right[place + 2 :]
        for place in range(len(right) - 1)
        if right[place].isdigit() and right[place + 1].isdigit() and right[place] != right[place + 1]
    ) or any(
        typed == right[:place] + right[place + 2] + right[place + 1] + right[place] + right[place + 3 :]
        for place in range(len(right) - 2) if right[place + 1] == "." and right[place] != right[place + 2]
    )  # fmt: skip


def most_wrong(marks: Sequence[Marks], key: Key) -> tuple[KeyCell, int] | None:
    """The cell that most sheets have wrong, the first of equals, and how many; None where nothing is wrong."""
    wrong = Counter(name for one in marks for name, verdict in one.verdicts.items() if verdict == WRONG)
    if not wrong:
        return None
    name = max(key, key=lambda cell: wrong[cell])
    return key[name], wrong[name]
