"""Marking: right, wrong, right from one's own number, missing; the first mistake named; files as spreadsheets save them."""

import csv
import json
import random
import re

import pytest

import sheets
from micrograd_lite import MLP, SGD, Tracer, data, mse, train
from micrograd_lite.classroom.answers import Answer, number_of, read_answers, read_key
from micrograd_lite.classroom.cells import Numbers
from micrograd_lite.classroom.lesson import from_sizes, from_trace
from micrograd_lite.classroom.mark import MISSING, OWN, RIGHT, WRONG, mark, most_wrong
from micrograd_lite.classroom.sheet import Sheet
from micrograd_lite.cli import main


@pytest.fixture
def made(tmp_path):
    """A sheet of 2-2-1 with everything blank, and its files: sheet.csv, key.csv."""
    sheet = Sheet(Numbers(from_sizes((2, 2, 1), seed=7)), level=3)
    (tmp_path / "sheet.csv").write_text(sheet.csv(), encoding="utf-8")
    (tmp_path / "key.csv").write_text(sheet.key(), encoding="utf-8")
    return sheet


def cell(sheet, row, column):
    """The name of a cell."""
    return next(name for name, printed in sheet.shown.items() if (printed.cell.row, printed.cell.column) == (row, column))


def marked(sheet, folder, **wrong):
    """The marks of somebody who goes on from these numbers of his own, and is right otherwise."""
    return mark(sheets.answers(sheets.filled(sheet, wrong)), read_key(folder / "key.csv"))


def write(path, numbers, separator=",", comma=".", encoding="utf-8", header=True, order=1):
    """A filled sheet as a spreadsheet saves it; numbers: texts by cell."""
    rows = [[name, text.replace(".", comma)] for name, text in numbers.items()][::order]
    rows = [["cell", "number"], *rows] if header else rows
    quoted = [[f'"{text}"' if separator in text else text for text in row] for row in rows]
    path.write_bytes("".join(separator.join(row) + "\r\n" for row in quoted).encode(encoding))
    return path


def texts(sheet, **other):
    """A sheet filled rightly, as texts."""
    return {name: other.get(name, printed.text) for name, printed in sheet.shown.items()}


# --- verdicts ---


def test_a_key_marks_itself_right(made, tmp_path):
    """Its rounded numbers are right, and so are its exact ones."""
    key = read_key(tmp_path / "key.csv")
    exact = {name: Answer(1, repr(found.exact), found.exact) for name, found in key.items()}
    for answers in (read_answers(tmp_path / "key.csv", key), exact):
        marks = mark(answers, key)
        assert set(marks.verdicts.values()) == {RIGHT} and marks.first is None and marks.notes == []


def test_an_empty_sheet_is_missing_not_wrong(made, tmp_path):
    """So is a row that was deleted."""
    key = read_key(tmp_path / "key.csv")
    for answers in (read_answers(tmp_path / "sheet.csv", key), {}):
        marks = mark(answers, key)
        assert set(marks.verdicts.values()) == {MISSING} and marks.first is None


def test_who_goes_on_from_a_wrong_number_is_right(made, tmp_path):
    """One wrong number is punished once; what follows from it is his own, what does not is right."""
    wrong = cell(made, "layer0.neuron0.sum", "value")
    marks = marked(made, tmp_path, **{wrong: 1.23})
    assert [name for name, verdict in marks.verdicts.items() if verdict == WRONG] == [wrong]
    assert marks.count(OWN) > 10 and marks.verdicts[cell(made, "layer0.neuron1", "value")] == RIGHT
    assert marks.verdicts[cell(made, "layer0.neuron0", "value")] == OWN


def test_two_mistakes_are_two(made, tmp_path):
    """A second mistake behind the first is wrong as well, though the right number would be wrong there."""
    first, second = cell(made, "error", "value"), cell(made, "cost -> error", "partial")
    marks = marked(made, tmp_path, **{first: 0.6424, second: 0.6424})
    assert marks.verdicts[first] == marks.verdicts[second] == WRONG and marks.count(WRONG) == 2
    assert marks.first.cell == first and marks.first.kind == "sign"


def test_who_finds_back_is_right(made, tmp_path):
    """A right number after a wrong one is right, whether it was copied or the mistake was made in writing alone."""
    wrong = cell(made, "error", "value")
    numbers = sheets.filled(made) | {wrong: 9.0}
    marks = mark(sheets.answers(numbers), read_key(tmp_path / "key.csv"))
    assert [name for name, verdict in marks.verdicts.items() if verdict != RIGHT] == [wrong]


def test_missing_earlier_numbers_are_no_excuse_and_no_harm(made, tmp_path):
    """What is computed behind a hole is compared with the key."""
    hole, after = cell(made, "error", "value"), cell(made, "cost", "value")
    numbers = {name: value for name, value in sheets.filled(made).items() if name != hole}
    marks = mark(sheets.answers(numbers), read_key(tmp_path / "key.csv"))
    assert marks.verdicts[hole] == MISSING and marks.verdicts[after] == RIGHT and marks.count(WRONG) == 0


# --- the first mistake ---

SENTENCES = [
    # row, column, what is written instead of the number, kind, words
    ("layer0.neuron0.sum", "value", lambda n: 1.23, "sum", "layer0.neuron0.b is not added"),
    ("layer0.neuron0", "value", lambda n: n("layer0.neuron0.sum", "value"), "activation",
     "tanh is left out: that is layer0.neuron0.sum itself"),
    ("layer0.neuron0", "value", lambda n: 0.7558, "activation", "that is sigmoid of it, where tanh is asked"),
    ("error", "value", lambda n: -n("error", "value"), "sign", "the sign is wrong"),
    ("error", "value", lambda n: n("layer1.neuron0", "value") + 0.7, "sign", "y is added where it is subtracted"),
    ("cost", "value", lambda n: 2 * n("error", "value"), "power", "error is multiplied by 2, not squared"),
    ("cost -> error", "partial", lambda n: n("error", "value"), "factor", "the factor 2 is left out"),
    ("layer1.neuron0 -> layer0.neuron0", "share", lambda n: n("layer1.neuron0 -> layer0.neuron0", "partial"), "mixed",
     "that is the partial: the share is partial x upstream"),
    ("layer1.neuron0 -> layer0.neuron0", "share", lambda n: n("error -> layer1.neuron0", "share"), "mixed",
     "that is the upstream: the partial is left out"),
    ("layer1.neuron0 -> layer0.neuron0", "partial", lambda n: n("layer1.neuron0 -> layer0.neuron0", "share"), "mixed",
     "partial and share are mixed up"),
    ("layer0.neuron0 -> layer0.neuron0.sum", "share", lambda n: n("layer1.neuron0 -> layer0.neuron0", "share"), "slope",
     "the derivative of the activation, 1 - layer0.neuron0 * layer0.neuron0, is left out"),
    ("layer0.neuron0 -> layer0.neuron0.sum", "partial", lambda n: 1 - n("layer0.neuron0.sum", "value") ** 2, "slope",
     "the sum is put in where the neuron's output belongs"),
    ("layer0.neuron0 -> layer0.neuron0.sum", "partial", lambda n: 1 - n("layer0.neuron0", "value"), "slope",
     "the output is not multiplied by itself"),
    ("layer0.neuron0.w0", "gradient", lambda n: 4 * n("layer0.neuron0.w0", "gradient"), "mean", "it is not divided by 4"),
    ("layer0.neuron0.w0", "update", lambda n: -n("layer0.neuron0.w0", "gradient"), "lr", "the learning rate is left out"),
    ("layer0.neuron0.w0", "update", lambda n: n("layer0.neuron0.w0", "gradient"), "lr",
     "the learning rate and the minus are left out"),
    ("layer0.neuron0.w0", "after", lambda n: -1 - n("layer0.neuron0.w0", "update"), "sign",
     "update is subtracted where it is added"),
    ("layer1.neuron0", "value", lambda n: 0.5764, "decimal", "the decimal point is in the wrong place"),
    ("layer0.neuron1", "value", lambda n: 0.7587, "digits", "two digits are swapped"),
    ("layer0.neuron0", "value", lambda n: 0.8, "rounding", "close, but rounded too early"),
    ("error -> layer1.neuron0", "share", lambda n: 7.77, "unknown", "it is to be partial * upstream"),
]  # fmt: skip


@pytest.mark.parametrize("row, column, number, kind, words", SENTENCES)
def test_the_first_mistake_is_named(row, column, number, kind, words, made, tmp_path):
    """By the slip of which its number comes out, with the number that would be right."""
    right = sheets.filled(made)
    wrong = float(f"{number(lambda row, column: right[cell(made, row, column)]):.4g}")
    marks = marked(made, tmp_path, **{cell(made, row, column): wrong})
    assert marks.first.cell == cell(made, row, column)
    assert marks.first.kind == kind and words in marks.first.sentence
    told = float(re.search(r"where (\S+) is right", marks.first.sentence)[1])  # from his own roundings
    assert abs(told - made.shown[marks.first.cell].cell.exact) <= made.shown[marks.first.cell].tolerance


def test_a_forgotten_sum_of_shares_is_named(tmp_path):
    """Where a node has two uses: one share alone, and an upstream that is one share alone."""
    sheet = Sheet(Numbers(from_sizes((2, 2, 2), seed=3, loss="cross_entropy")), level=3)
    (tmp_path / "key.csv").write_text(sheet.key(), encoding="utf-8")
    total = next(printed for printed in sheet.blanks if printed.cell.column == "total")
    before, share = re.findall(r"c\d+", total.rule)
    numbers = sheets.filled(sheet)
    first = marked(sheet, tmp_path, **{total.cell.name: numbers[share]}).first
    assert (first.kind, first.cell) == ("sum", total.cell.name)
    assert "that is the last share alone: shares add up" in first.sentence
    below = next(printed for printed in sheet.blanks if printed.rule.endswith(f"* {total.cell.name}"))
    wrong = float(f"{numbers[re.findall(r'c[0-9]+', below.rule)[0]] * numbers[before]:.4g}")
    first = marked(sheet, tmp_path, **{below.cell.name: wrong}).first
    assert (first.kind, first.cell) == ("sum", below.cell.name) and "got several: they add up" in first.sentence


def test_what_is_no_number_is_said(made, tmp_path):
    """It is wrong, and the sentence names the line."""
    name = cell(made, "error", "value")
    key = read_key(tmp_path / "key.csv")
    marks = mark(read_answers(write(tmp_path / "a.csv", texts(made, **{name: "about a half"})), key), key)
    assert marks.verdicts[name] == WRONG and "'about a half' is no number (line 19)" in marks.first.sentence


def test_a_changed_given_number_is_noted(made, tmp_path):
    """The key's number is used; digits that a spreadsheet does not show are no change."""
    name, key = cell(made, "x0", "value"), read_key(tmp_path / "key.csv")
    path = write(tmp_path / "a.csv", texts(made, **{name: "7", cell(made, "sample1", "slope"): "0.177"}))
    marks = mark(read_answers(path, key), key)
    assert marks.notes == [f"line 11: {name}, value of x0 was given as -1.1; the key's number is used"]
    assert marks.count(RIGHT) == len(made.blanks)


# --- what spreadsheets do ---


@pytest.mark.parametrize("options", [
    {}, {"separator": ";", "comma": ","}, {"separator": "\t"}, {"comma": ","}, {"encoding": "utf-8-sig"},
    {"encoding": "utf-16", "separator": "\t"}, {"order": -1}, {"separator": ";", "comma": ",", "encoding": "cp1252", "order": -1},
], ids=str)  # fmt: skip
def test_a_sheet_is_read_however_it_was_saved(options, made, tmp_path):
    """Commas, semicolons, tabs, a decimal comma, a byte order mark, rows in another order."""
    key = read_key(tmp_path / "key.csv")
    path = write(tmp_path / "a.csv", texts(made), **options)
    assert set(mark(read_answers(path, key), key).verdicts.values()) == {RIGHT}


def test_other_columns_empty_lines_and_spaces_do_no_harm(made, tmp_path):
    """Columns that somebody added, `sep=;` of Excel, empty rows, spaces and quotes around what is in a cell."""
    filled = [f'" {name} ";hm;" {text}\u00a0"' for name, text in texts(made).items()]
    rows = ["sep=;", "Cell ; Remarks;NUMBER", ";;", *filled, ";;", ""]
    (tmp_path / "a.csv").write_text("\n".join(rows), encoding="utf-8")
    key = read_key(tmp_path / "key.csv")
    assert set(mark(read_answers(tmp_path / "a.csv", key), key).verdicts.values()) == {RIGHT}


@pytest.mark.parametrize("text, number", [
    ("0.5", 0.5), (" -0,5 ", -0.5), ("1/3", 1 / 3), ("-1/4", -0.25), ("\u22120.25", -0.25), ("+2", 2.0), (".5", 0.5), ("5.", 5.0),
    ("2.5E-3", 0.0025), ("2,5e-3", 0.0025), ("2.5*10^-3", 0.0025), ("2,5 \u00d7 10^-3", 0.0025), ("12 %", 0.12), ("'-1", -1.0),
    ("=0.5", 0.5), ("~ 0.5", 0.5), ("", None), ("?", None), ("1/0", None), ("1,234.5", None), ("0x10", None), ("1e9999", None),
    ("nan", None), ("inf", None), ("1_0", None), ("--1", None), ("\u0663", None), ("01.Mrz", None), ("#NAME?", None),
])  # fmt: skip
def test_numbers_as_people_type_them(text, number):
    """Points and commas, fractions, powers of ten, percents; what is no number is none."""
    assert number_of(text) == number


def test_digits_of_other_alphabets_do_not_crash():
    """They are numbers to a regular expression and perhaps not to float: read or refused, never an exception."""
    for text in ("\u0661\u0662", "\u00b2", "\u2460", "\uff11"):
        assert number_of(text) is None or isinstance(number_of(text), float)


@pytest.mark.parametrize("content, sentence", [
    (b"", "is empty"), (b"cell,number\n", "is empty"),
    (b"cell,value\nc1,2\n", "line 1: the first row should name the columns cell, number"),
    (b"cell,number\nc1,-1\nc999,2\n", "line 3: the key has no cell 'c999'"),
    (b"cell,number\nc1,-1\nc1,-1\n", "line 3: c1 is there twice"),
    (b"cell,number\nc1,-1,5\n", "line 2: 3 cells where the first row has 2; a decimal comma needs quotes"),
    (b"cell,number\nc1,5\n", "is another sheet than the key's: 0 of its"),
    (b"PK\x03\x04\0\0", "is a workbook: save the sheet as CSV"),
    (b"a\0b", "is no text"), (b"cell,number\nc1,\xff\xfe\n", "another sheet"), (b"cell,number\nc1," + b"9" * 200_000, "line 2"),
    (b"x" * 5_000_000, "bytes"), (b'cell,number\nc1,"5\n', "another sheet"), (b"cell,number\nc1,one\n", "another sheet"),
])  # fmt: skip
def test_what_is_no_sheet_is_a_sentence(content, sentence, made, tmp_path):
    """With the file and, where there is one, the line."""
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(sentence)) as raised:
        read_answers(tmp_path / "a.csv", read_key(tmp_path / "key.csv"))
    assert "a.csv" in str(raised.value)


@pytest.mark.parametrize("old, new, sentence", [
    ("tanh(c12)", "tanh(c99)", "c99 does not stand before it"), ("tanh(c12)", "open(c12)", "is no formula of a sheet"),
    ("tanh(c12)", "", "a blank has a tolerance and a rule"), ("c13,forward", "c12,forward", "there twice"),
    ("c13,forward", "13,forward", "no cell of a key"), (",-1,-1.0,", ",x,-1.0,", "a row of a key has a number"),
    ("cell,part,row", "cell,part,place", "the first row should name the columns"),
])  # fmt: skip
def test_a_damaged_key_is_a_sentence(old, new, sentence, made, tmp_path):
    """It names the line; nothing in a key is run."""
    text = made.key()
    assert old in text
    (tmp_path / "key.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(sentence)):
        read_key(tmp_path / "key.csv")


def test_another_students_sheet_is_noticed(tmp_path):
    """Sheets of one network from two seeds have the inputs and some zeros in common, and are not marked by each other's key."""
    for seed in (1, 2):
        with Tracer(tmp_path / f"t{seed}") as tracer:
            for _ in tracer.follow(train(MLP(2, [2, 1], "tanh", seed=seed), data.xor(), loss=mse, optimizer=SGD(0.5), epochs=1)):
                pass
        sheet = Sheet(Numbers(from_trace(tmp_path / f"t{seed}")), level=3)
        (tmp_path / f"key{seed}.csv").write_text(sheet.key(), encoding="utf-8")
    with pytest.raises(ValueError, match=r"is another sheet than the key's: \d+ of its \d+ given numbers agree"):
        read_answers(tmp_path / "key1.csv", read_key(tmp_path / "key2.csv"))


def test_the_blanks_alone_are_a_sheet(made, tmp_path):
    """Who hands in what he computed, and nothing else, is marked."""
    key = read_key(tmp_path / "key.csv")
    path = write(tmp_path / "a.csv", {printed.cell.name: printed.text for printed in made.blanks})
    assert set(mark(read_answers(path, key), key).verdicts.values()) == {RIGHT}


def test_a_key_that_went_through_a_spreadsheet_still_marks(made, tmp_path):
    """Semicolons and decimal commas in the key too."""
    rows = list(csv.reader(made.key().splitlines()))
    number = re.compile(r"-?\d+\.\d+(e-?\d+)?")
    with open(tmp_path / "other.csv", "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows([[cell.replace(".", ",") if number.fullmatch(cell) else cell for cell in row] for row in rows])
    assert read_key(tmp_path / "other.csv").keys() == read_key(tmp_path / "key.csv").keys()


def test_a_sheet_without_blanks_is_no_key(made, tmp_path):
    """Marking needs a key; the sheet in its place is a sentence."""
    with pytest.raises(ValueError, match="exact, tolerance, rule, digits is not there"):
        read_key(tmp_path / "sheet.csv")


def damaged(content, draw):
    """Bytes with a few of them changed, cut out or put in."""
    content = bytearray(content)
    for _ in range(draw.choice((1, 1, 3, 10))):
        place = draw.randrange(len(content))
        again = bytes(content[place : place + 30])
        part = draw.choice((b",", b";", b"\n", b'"', b"\0", b"c1", b"e99", b"(", b"**", b"\xff", again))
        content[place : place + draw.choice((0, 1, 20))] = part
    return bytes(content)


def test_damaged_files_are_read_or_refused(made, tmp_path):
    """Whatever stands in a sheet or a key: marks, or a ValueError."""
    key, draw, refused = read_key(tmp_path / "key.csv"), random.Random(1), 0
    sheets.hand_in(tmp_path / "key.csv", tmp_path / "a.csv")
    for name in ("a.csv", "key.csv") * 60:
        (tmp_path / "x.csv").write_bytes(damaged((tmp_path / name).read_bytes(), draw))
        try:
            used = read_key(tmp_path / "x.csv") if name == "key.csv" else key
            mark(read_answers(tmp_path / ("a.csv" if name == "key.csv" else "x.csv"), used), used)
        except ValueError:
            refused += 1
    assert 0 < refused < 120


# --- a class ---


def test_a_class_is_a_row_a_sheet(made, tmp_path, capsys):
    """Text, MARKS.csv and JSON agree; the cell that most got wrong is named; a bad file is a line, and the others are marked."""
    error = cell(made, "error", "value")
    files = [write(tmp_path / f"{name}.csv", texts(made, **wrong)) for name, wrong in
             (("anna", {}), ("ben", {error: "0.6424"}), ("carla", {error: "1", cell(made, "cost", "value"): ""}))]  # fmt: skip
    (tmp_path / "dora.csv").write_text("nothing\n", encoding="utf-8")
    command = ["mark", *map(str, files), str(tmp_path / "dora.csv"), "--key", str(tmp_path / "key.csv")]
    assert main([*command, "--out", str(tmp_path / "marks.csv")]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ") and said.err.count("\n") == 1 and "dora.csv" in said.err
    assert "ben.csv, first mistake: c18, value of error: 0.6424 where -0.6424 is right; the sign is wrong\n" in said.out
    assert said.out.endswith("most often wrong: c18, value of error, on 2 of 3 sheets\n")
    rows = list(csv.DictReader((tmp_path / "marks.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["sheet"] for row in rows] == ["anna.csv", "ben.csv", "carla.csv"] and rows[2]["missing"] == "1"
    assert [row[error] for row in rows] == ["right", "wrong", "wrong"] and rows[0]["first_mistake"] == ""
    for other in (files[0], tmp_path / "key.csv"):
        before = other.read_bytes()
        assert main([*command, "--out", str(other)]) == 2 and other.read_bytes() == before
        assert f"{other} stands there and holds no marks; choose another name" in capsys.readouterr().err
    assert main([*command, "--out", str(tmp_path / "marks.csv")]) == 2 and capsys.readouterr().out == said.out
    assert main([*command, "--format", "json"]) == 2
    record = json.loads(capsys.readouterr().out)
    assert record["most_wrong"] == {"cell": error, "place": "c18, value of error", "sheets": 2}
    assert [one["right"] for one in record["sheets"]] == [int(row["right"]) for row in rows]
    assert record["sheets"][1]["first_mistake"]["kind"] == "sign"


def test_sheets_of_the_same_name_keep_their_folders(made, tmp_path, capsys):
    """As a class hands them in: anna/sheet.csv, ben/sheet.csv."""
    paths = []
    for name in ("anna", "ben"):
        (tmp_path / name).mkdir()
        paths.append(str(write(tmp_path / name / "sheet.csv", texts(made))))
    assert main(["mark", *paths, "--key", str(tmp_path / "key.csv")]) == 0
    out = capsys.readouterr().out
    assert all(path in out for path in paths) and "most often wrong" not in out


@pytest.mark.parametrize("sheet, key, sentence", [
    ("nowhere.csv", "key.csv", "No such file"), ("sheet.csv", "nowhere.csv", "No such file"), (".", "key.csv", "is a directory"),
])  # fmt: skip
def test_a_missing_file_is_a_line(sheet, key, sentence, made, tmp_path, capsys):
    """Exit code 2, and the path."""
    assert main(["mark", str(tmp_path / sheet), "--key", str(tmp_path / key)]) == 2
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and said.out == ""


def test_nobody_wrong_is_nothing_to_say(made, tmp_path):
    """most_wrong is None for a class without a mistake."""
    key = read_key(tmp_path / "key.csv")
    assert most_wrong([mark({}, key)], key) is None
