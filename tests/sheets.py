"""Sheets drawn and filled at random: is every blank reached with a pencil, is every planted mistake named?

    python tests/sheets.py --sheets 200 --seed 1

A sheet is filled by somebody who knows the printed numbers and a pocket calculator alone: each blank is computed by its
formula from what is printed and from his own numbers, and rounded. Then one slip is planted, and he goes on from it. The
calculator is Python's eval with the functions of math: it shares no line with the package.
"""

import argparse
import csv
import io
import math
import random
import re
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from micrograd_lite.classroom.answers import Answer, read_key
from micrograd_lite.classroom.cells import Numbers
from micrograd_lite.classroom.lesson import from_sizes
from micrograd_lite.classroom.mark import MISSING, OWN, RIGHT, WRONG, mark
from micrograd_lite.classroom.paper import page
from micrograd_lite.classroom.sheet import Sheet

CALCULATOR = {
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "tanh": math.tanh, "sin": math.sin, "cos": math.cos,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)), "softplus": lambda x: math.log(1 + math.exp(x)), "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x, "prelu": lambda x, a: x if x > 0 else a * x,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
}  # fmt: skip
SIZES = ((2, 2, 1), (1, 1), (2, 1), (1, 2, 1), (2, 3, 1), (2, 1, 1), (2, 2, 2), (3, 2, 1), (2, 2, 2, 1), (2, 4, 1), (1, 3, 2))
ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky_relu", "prelu", "elu", "softplus", "sin", "linear")
LOSSES = {1: ("mse", "half_squared_error", "binary_cross_entropy", "hinge"), 2: ("mse", "half_squared_error", "cross_entropy")}
OPTIMIZERS = {"SGD": 0.05, "RMSprop": 0.01, "Adam": 0.05, "AdamW": 0.05}


def drawn(number, seed):
    """The sheet of a number, all its settings drawn; a network that no two pages hold is drawn again."""
    draw = random.Random(f"{seed} {number}")
    while True:
        with suppress(ValueError):
            return some_sheet(draw)


def some_sheet(draw):
    sizes = draw.choice(SIZES)
    optimizer = draw.choice(list(OPTIMIZERS))
    lesson = from_sizes(
        sizes, seed=draw.randrange(10**6), activation=draw.choice(ACTIVATIONS), loss=draw.choice(LOSSES[sizes[-1]]),
        optimizer=optimizer, lr=OPTIMIZERS[optimizer], step=draw.choice((1, 1, 1, 2, 7)),
    )  # fmt: skip
    return Sheet(Numbers(lesson), level=draw.choice((1, 2, 3)), digits=draw.choice((4, 4, 4, 5, 6)))


def calculated(rule, numbers, digits):
    """What a calculator shows for a formula, rounded as somebody writes it down."""
    value = eval(rule, {"__builtins__": {}}, {**CALCULATOR, **numbers})
    return float(f"{value:.{digits}g}")


def filled(sheet, planted=None, digits=None):
    """Every number of a sheet as a careful person fills it in; planted: numbers that he writes instead, by cell.

    digits: to which he rounds, by default those of the sheet; 15 is somebody who leaves all in the calculator's memory.
    """
    numbers = {}
    for name, printed in sheet.shown.items():
        if name in (planted or {}):
            numbers[name] = planted[name]
        elif printed.blank:
            with suppress(ArithmeticError, ValueError, NameError):  # a root of a wrong number below 0, and what needs it: missing
                numbers[name] = calculated(printed.rule, numbers, digits or sheet.digits)
        else:
            numbers[name] = float(printed.text)
    return numbers


def answers(numbers):
    """Numbers as they are read out of a file."""
    return {name: Answer(line, repr(value), value) for line, (name, value) in enumerate(numbers.items(), start=2)}


def hand_in(key, path, planted=None):
    """Write a filled sheet for a key.csv: all right but for a planted mistake (cell, its wrong formula), he goes on from it."""
    numbers, rows = {}, [["cell", "number"]]
    for row in csv.DictReader(key.read_text(encoding="utf-8").splitlines()):
        name, rule = row["cell"], row["rule"]
        rule = planted[1] if planted and name == planted[0] else rule
        numbers[name] = calculated(rule, numbers, int(row["digits"])) if rule else float(row["number"])
        rows.append([name, repr(numbers[name])])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{','.join(row)}\n" for row in rows), encoding="utf-8")


def key_of(sheet, folder):
    """The key as a file tells it."""
    (folder / "key.csv").write_text(sheet.key(), encoding="utf-8")
    return read_key(folder / "key.csv")


def unreachable(sheet, key):
    """The blanks that a careful person does not get right, rounding or not; cells that are blank and have no box on the page."""
    hands = [mark(answers(filled(sheet, digits=digits)), key).verdicts for digits in (None, 15)]
    wrong = [name for verdicts in hands for name, verdict in verdicts.items() if verdict != RIGHT]
    text = page(sheet)
    return wrong + [name for name in hands[0] if f"<small>{name}</small></td>" not in text]


# --- eight kinds of mistakes, each by the wrong formula that it is ---


def sign(cell, rule, cells):
    return f"-({rule})" if cell.column != "total" else None


def slope_left_out(cell, rule, cells):
    """The share of an activation's edge without the activation's slope."""
    factors = re.fullmatch(r"(c\d+) \* (c\d+)", rule)
    node, _, parent = cell.row.partition(" -> ")
    return factors[2] if cell.column == "share" and factors and parent == f"{node}.sum" else None


def mixed(cell, rule, cells):
    """The partial where the share belongs."""
    factors = re.fullmatch(r"(c\d+) \* (c\d+)", rule)
    return factors[1] if cell.column == "share" and factors else None


def forgotten_sum(cell, rule, cells):
    """One share for their total, one sample's slope for all."""
    if cell.column == "total":
        return rule.rpartition(" + ")[2]
    if cell.column == "gradient" and " + " in rule:
        return re.findall(r"c\d+", rule)[0]
    return None


def forgotten_lr(cell, rule, cells):
    factors = re.fullmatch(r"\(-(c\d+) \* (.*)\)", rule)
    return f"-{factors[2]}" if cell.column == "update" and factors and cells[factors[1]].row == "lr" else None


def forgotten_bias(cell, rule, cells):
    terms = rule.split(" + ")
    return " + ".join(terms[1:]) if cell.part == "forward" and len(terms) > 1 and re.fullmatch(r"c\d+", terms[0]) else None


def activation_left_out(cell, rule, cells):
    inside = re.fullmatch(r"(?:tanh|sigmoid|relu|leaky_relu|elu|sin|softplus)\((c\d+)\)", rule)
    return inside[1] if inside and cell.column == "value" else None


def sum_for_mean(cell, rule, cells):
    return rule.rpartition(" / ")[0] if cell.column == "gradient" and " / " in rule else None


KINDS = {
    # what is planted: the formula, and the kinds by which it may be called
    "sign": (sign, {"sign"}), "slope left out": (slope_left_out, {"slope"}), "partial for share": (mixed, {"mixed"}),
    "forgotten sum": (forgotten_sum, {"sum"}), "forgotten lr": (forgotten_lr, {"lr"}),
    "forgotten bias": (forgotten_bias, {"sum"}), "activation left out": (activation_left_out, {"activation"}),
    "sum for mean": (sum_for_mean, {"mean"}),
}  # fmt: skip


def plantable(sheet, kind):
    """Cells in which this mistake makes another number than the right one, with that number."""
    numbers, cells = filled(sheet), {name: printed.cell for name, printed in sheet.shown.items()}
    for name, printed in sheet.shown.items():
        rule = KINDS[kind][0](printed.cell, printed.rule, cells) if printed.blank else None
        if rule:
            value = calculated(rule, numbers, sheet.digits)
            if abs(value - printed.cell.exact) > printed.tolerance:
                yield name, value


def planted(sheet, key, kind, draw):
    """Plant one mistake of a kind: None where there is no place; else what was said of it, and how many were punished."""
    places = list(plantable(sheet, kind))
    if not places:
        return None
    name, value = draw.choice(places)
    marks = mark(answers(filled(sheet, {name: value})), key)
    return name, marks


def run(count, seed, folder, say=print):
    """Draw and fill so many sheets. Returns blanks, unreachable ones, planted, found at their place, named, punished twice."""
    totals, by_kind, named_as = Counter(), Counter(), Counter()
    for number in range(count):
        sheet = drawn(number, seed)
        key = key_of(sheet, folder)
        table = list(csv.DictReader(io.StringIO(sheet.csv())))
        totals["blanks"] += len(sheet.blanks)
        totals["of cells"] += len(table)
        totals["unreachable"] += len(unreachable(sheet, key))
        totals["missing in an empty sheet"] += list(mark({}, key).verdicts.values()).count(MISSING)
        for kind in sorted(KINDS, key=lambda kind: by_kind[kind]):  # the rarest so far that has a place on this sheet
            found = planted(sheet, key, kind, random.Random(f"{seed} {number} {kind}"))
            if found is None:
                continue
            name, marks = found
            verdicts = Counter(marks.verdicts.values())
            totals["planted"] += 1
            totals["found"] += marks.first is not None and marks.first.cell == name
            right = marks.first is not None and marks.first.kind in KINDS[kind][1]
            totals["named"] += right
            totals["punished twice"] += verdicts[WRONG] - 1
            totals["from own number"] += verdicts[OWN]
            by_kind[kind] += 1
            named_as[kind, marks.first.kind if marks.first else None] += 1
            break  # one mistake a sheet
    say(dict(totals))
    for (kind, said), times in sorted(named_as.items(), key=str):
        say(f"{kind}: {times} of {by_kind[kind]} called {said}")
    return totals


def main():
    """The whole table, for people."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        totals = run(options.sheets, options.seed, Path(folder))
    return 1 if totals["unreachable"] or totals["punished twice"] else 0


if __name__ == "__main__":
    sys.exit(main())
