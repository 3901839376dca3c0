"""A CSV file of one's own: what its target is taken for, and each fault with its line."""

import pytest

from micrograd_lite import data
from micrograd_lite.data.table import read_table


def written(folder, text, name="plants.csv", encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding=encoding, newline="")
    return path


def test_words_are_classes(tmp_path):
    """A target of words: labels in the order of the words, whose names are kept; the other columns are inputs."""
    made, why = read_table(written(tmp_path, "height,leaf,kind\n1,2,oak\n1.5,2,oak\n3,.5,fir\n4,.25,fir\n"))
    assert made.inputs == [[1.0, 2.0], [1.5, 2.0], [3.0, 0.5], [4.0, 0.25]] and made.targets == [1, 1, 0, 0]
    assert (made.name, made.classes, made.class_names, made.feature_names, made.target_name) == (
        "plants", 2, ("fir", "oak"), ("height", "leaf"), "kind")  # fmt: skip
    assert why == "target 'kind': words, so classes: fir, oak"


@pytest.mark.parametrize("targets, classes", [
    ("0 1 1 0", 2), ("10 9 10 9", 2), ("1 2 3 4", 0), ("1 1.5 1 1.5", 0), ("-1 1 -1 1", 2), ("1.0 2.0 2.0 1.0", 2),
    (" ".join(str(one % 10) for one in range(20)), 10), (" ".join(str(one % 11) for one in range(22)), 0),
])  # fmt: skip
def test_few_whole_numbers_are_classes(tmp_path, targets, classes):
    """Up to ten kinds of whole numbers, each twice or more on average, are classes; all other numbers are a regression."""
    rows = [f"{row},{target}" for row, target in enumerate(targets.split())]
    made, why = read_table(written(tmp_path, "\n".join(["x,y", *rows])))
    assert made.classes == classes and ("so classes" in why) == bool(classes) and ("so a regression" in why) != bool(classes)
    if classes:
        assert list(made.class_names) == sorted(set(targets.split()), key=float)
        assert [made.class_names[label] for label in made.targets] == targets.split()
    else:
        assert made.targets == [float(target) for target in targets.split()]


def test_a_regression_can_be_asked_for(tmp_path):
    """regression=True takes whole numbers as numbers; of words it is refused."""
    path = written(tmp_path, "x,y\n1,0\n2,1\n3,0\n4,1\n")
    assert data.read_csv(path, regression=True).targets == [0.0, 1.0, 0.0, 1.0]
    with pytest.raises(ValueError, match="a regression needs numbers, and the target has 'fir'"):
        data.read_csv(written(tmp_path, "x,y\n1,oak\n2,fir\n3,oak\n4,fir\n"), regression=True)


def test_any_column_may_be_the_target(tmp_path):
    """target names a column; the others stay in their order. Semicolons, tabs, a byte order mark and spaces are read."""
    semicolons, tabs = "\ufeffa;b;c\r\n1;2;3.5\r\n4;5;6\r\n", "a\tb\tc\n1\t2\t3.5\n\n4\t5\t6\n"
    for text in ("a,b,c\n1,2,3.5\n4,5,6\n", semicolons, tabs, "a, b, c\n1 ,2, 3.5\n4, 5,6\n"):
        made = data.read_csv(written(tmp_path, text), target="b")
        assert (made.feature_names, made.inputs, made.targets) == (("a", "c"), [[1.0, 3.5], [4.0, 6.0]], [2.0, 5.0])


@pytest.mark.parametrize("text, sentence", [
    ("x,y\n1,2\n,3\n", "line 3: column 'x' is missing ('')"),
    ("x,y\n1,2\n\n3,NA\n", "line 4: column 'y' is missing ('NA')"),
    ("x,y\n1,2\n3\n", "line 3: 1 cells, the header names 2 columns"),
    ("x,y\n1,2\n3,4,5\n", "line 3: 3 cells, the header names 2 columns"),
    ("x,y\n1,2\n1,3\n", "line 2: column 'x' is 1 here and in every row below; nothing can be learned from it: leave it out"),
    ("x,y\n1,2\n3,2\n", "column 'y' is 2 here and in every row below"),
    ("x,y\n1,2\nred,3\n", "line 3: column 'x' must be a number, got 'red'; a word is no input: leave the column out"),
    ("x;y\n1;2\n67,9;3\n", "line 3: column 'x' must be a number, got '67,9'; a number is written with a point"),
    ("x;y\n1;1,5\n2;1,5\n3;2,5\n4;2,5\n", "a number is written with a point, and the target has '1,5'"),
    ("x,y\n1,2\ninf,3\n", "line 3: column 'x' must be finite, got 'inf'"),
    ("x,y\n1,2\n1_0,3\n", "line 3: column 'x' must be a number, got '1_0'"),
    ("x,y\n1,a\n2,b\n3,c\n", "3 different words in 3 rows: too many to learn as classes"),
    ("x,x\n1,2\n2,3\n", "line 1: each column needs a name of its own"),
    ("1,2\n3,4\n5,6\n", "line 1: the first line names the columns, got the numbers 1, 2"),
    ("x\n1\n2\n", "has one column, 'x'"),
    ("x,y\n1,2\n", "needs a line of names and at least two rows"),
    ("", "needs a line of names and at least two rows"),
    ('x,y\n"1,2\n2,3\n', "is not a CSV file in UTF-8"),
])  # fmt: skip
def test_a_fault_is_one_sentence_with_its_line(tmp_path, text, sentence):
    """What no network can learn from is refused, with path and line."""
    path = written(tmp_path, text)
    with pytest.raises(ValueError) as refusal:
        data.read_csv(path)
    assert sentence in str(refusal.value) and "\n" not in str(refusal.value)


def test_what_is_no_text_is_refused(tmp_path):
    """A file in another encoding, an unknown column: a sentence."""
    with pytest.raises(ValueError, match="is not a CSV file in UTF-8"):
        data.read_csv(written(tmp_path, "größe,y\n1,2\n3,4\n", encoding="latin-1"))
    with pytest.raises(ValueError, match="has no column 'z'; its columns are x, y"):
        data.read_csv(written(tmp_path, "x,y\n1,2\n3,4\n"), target="z")
