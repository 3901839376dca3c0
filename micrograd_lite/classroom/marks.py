"""The marks of a class: a row a sheet, as text, JSON or CSV, and the cell that most got wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from micrograd_lite.classroom.answers import Key
from micrograd_lite.classroom.mark import VERDICTS, Marks, most_wrong
from micrograd_lite.text import cells
from micrograd_lite.text.files import to_json
from micrograd_lite.text.tables import table


def marks_text(marked: Mapping[str, Marks], key: Key) -> str:
    """A table of all sheets, below it each sheet's first mistake and what most got wrong."""
    rows = [[cells.text(name), *(str(marks.count(verdict)) for verdict in VERDICTS)] for name, marks in marked.items()]
    lines: list[str] = [table(("sheet", *VERDICTS), rows)]
    for name, marks in marked.items():
        lines += [f"{name}, first mistake: {marks.first.sentence}\n"] if marks.first else []
        lines += [f"{name}, {note}\n" for note in marks.notes]
    lines += [f"{sentence}\n" for sentence in summary(marked, key)]
    return "".join([lines[0], "\n" if len(lines) > 1 else "", *lines[1:]])


def summary(marked: Mapping[str, Marks], key: Key) -> list[str]:
    """What most sheets have wrong, in a sentence, if anything."""
    found = most_wrong(list(marked.values()), key)
    if found is None:
        return []
    cell, count = found
    return [f"most often wrong: {cell.place}, on {count} of {len(marked)} sheets"]


def marks_csv(marked: Mapping[str, Marks], key: Key) -> str:
    """A row a sheet: counts, the first mistake, and the verdict of each blank."""
    blanks = [cell.name for cell in key.values() if cell.rule is not None]
    rows = [["sheet", *(verdict.replace(" ", "_") for verdict in VERDICTS), "first_mistake", *blanks]]
    for name, marks in marked.items():
        counts = (str(marks.count(verdict)) for verdict in VERDICTS)
        sentence = cells.text(marks.first.sentence) if marks.first else ""
        rows.append([cells.word(name), *counts, sentence, *(marks.verdicts[blank] for blank in blanks)])
    return "".join(map(cells.line, rows))


def marks_json(marked: Mapping[str, Marks], key: Key) -> str:
    """The same for programs, with the kind of each first mistake."""
    found = most_wrong(list(marked.values()), key)
    record: dict[str, Any] = {
        "sheets": [
            {
                "sheet": name,
                **{verdict.replace(" ", "_"): marks.count(verdict) for verdict in VERDICTS},
                "first_mistake": marks.first._asdict() if marks.first else None,
                "verdicts": marks.verdicts,
                "notes": marks.notes,
            }
            for name, marks in marked.items()
        ],
        "most_wrong": {"cell": found[0].name, "place": found[0].place, "sheets": found[1]} if found else None,
    }
    return to_json(record)
