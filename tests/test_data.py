"""The data pages: what each toy contains, what the bundled files contain, and what preparing may and may not change."""

import math
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lite.data import (
    Dataset,
    Units,
    bundled,
    centred,
    check,
    digits,
    iris,
    line,
    mazur,
    moons,
    parts,
    scaled,
    scaled_target,
    spiral,
    split,
    xor,
)
from micrograd_lite.losses import mse
from micrograd_lite.nn import MLP
from micrograd_lite.optim import SGD
from micrograd_lite.training import train

FOLDER = Path(bundled.__file__).parent
EVERY = (xor, parts, line, mazur, moons, spiral, iris, digits)


def numbered(targets, classes=0):
    """A data set whose one feature is the row number, so that a row can be recognised after a split."""
    return Dataset("rows", [[float(row)] for row in range(len(targets))], targets, classes)


def mean(values):
    return math.fsum(values) / len(values)


# --- the data sets ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("make", EVERY)
def test_every_data_set_passes_its_own_check(make):
    """What the package hands out is sound, has features of float and one feature name per column."""
    dataset = make()
    check(dataset)
    assert dataset.name == make.__name__
    assert {type(value) for row in dataset.inputs for value in row} == {float}
    assert len(dataset.feature_names) == len(dataset.inputs[0])
    assert len(dataset.class_names) == dataset.classes


@pytest.mark.parametrize("make", EVERY)
def test_every_call_returns_fresh_lists(make):
    """Spoiling one copy leaves the next call untouched."""
    first = make()
    first.inputs[0][0] = 99.0
    first.targets.clear()
    assert make().inputs[0][0] != 99.0
    assert len(make().targets) == len(make().inputs)


def test_xor_is_one_where_its_inputs_differ():
    """Four rows in counting order, float targets."""
    assert xor().inputs == [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    assert xor().targets == [float(a != b) for a, b in xor().inputs]
    assert {type(target) for target in xor().targets} == {float}


def test_parts_cost_two_per_volume_and_three_per_weight():
    """The inputs are those of the literature; prices are the documented formula within rounding."""
    assert parts().inputs == [[0.7, 0.5], [0.2, 0.3], [0.3, 0.4], [0.4, 0.5]]
    assert parts().targets == pytest.approx([2 * volume + 3 * weight for volume, weight in parts().inputs], rel=1e-15)


def test_line_is_two_x_plus_three():
    """x = 1 to 5."""
    assert line().inputs == [[1.0], [2.0], [3.0], [4.0], [5.0]]
    assert line().targets == [2 * x + 3 for [x] in line().inputs]


def test_mazur_is_one_row_with_two_targets():
    """As in the article."""
    assert (mazur().inputs, mazur().targets) == ([[0.05, 0.10]], [[0.01, 0.99]])


@given(samples=st.integers(2, 60), seed=st.integers(0, 18))
def test_moons_without_noise_lie_on_two_half_circles(samples, seed):
    """Upper: the unit circle above 0; lower: the unit circle around (1, 0.5), below 0.5. 1e-15: a few roundings."""
    dataset = moons(samples, noise=0.0, seed=seed)
    assert Counter(dataset.targets) == Counter({-1.0: samples // 2, 1.0: samples - samples // 2})
    for (x, y), target in zip(dataset.inputs, dataset.targets):
        centre_x, centre_y = (0.0, 0.0) if target == -1.0 else (1.0, 0.5)
        assert math.hypot(x - centre_x, y - centre_y) == pytest.approx(1.0, abs=1e-15)
        assert -target * (y - centre_y) >= 0.0


def test_moons_are_evenly_spaced_from_end_to_end():
    """Five points of a moon stand at 0, 45, 90, 135 and 180 degrees."""
    upper = [row for row, target in zip(*moons(10, noise=0.0)[1:3]) if target == -1.0]
    assert sorted(round(math.degrees(math.atan2(y, x))) for x, y in upper) == [0, 45, 90, 135, 180]


@given(samples=st.integers(3, 60), seed=st.integers(0, 18))
def test_spiral_without_noise_lies_on_three_arms(samples, seed):
    """The angle of a point is its arm's angle plus four times its radius; arms differ by one point at most."""
    dataset = spiral(samples, noise=0.0, seed=seed)
    counts = [dataset.targets.count(arm) for arm in range(3)]
    assert sum(counts) == samples and max(counts) - min(counts) <= 1 and counts == sorted(counts, reverse=True)
    for (x, y), arm in zip(dataset.inputs, dataset.targets):
        radius = math.hypot(x, y)
        angle = 2 * math.pi * arm / 3 + 4 * radius
        assert 0 < radius <= 1 + 1e-15
        # 1e-14: angles up to 9 radians, a few roundings each
        assert (x, y) == pytest.approx((radius * math.cos(angle), radius * math.sin(angle)), abs=1e-14)


@pytest.mark.parametrize("make", (moons, spiral))
def test_the_seed_decides_the_points(make):
    """Same seed, same bits; another seed, other points and another order."""
    assert make(seed=3) == make(seed=3)
    assert make(seed=3).inputs != make(seed=4).inputs
    assert make(seed=3).targets != make(seed=4).targets


@pytest.mark.parametrize("make", (moons, spiral))
def test_noise_moves_points_and_not_their_order(make):
    """The rows are shuffled before the noise is drawn: targets are the same with and without it."""
    assert make(noise=0.0).targets == make(noise=0.5).targets
    assert make(noise=0.0).inputs != make(noise=0.5).inputs


def test_noise_of_moons_has_the_stated_spread():
    """The standard deviation of 4,000 displacements is within 5 % of `noise` (its standard error is 1.1 %)."""
    pairs = zip(moons(2000, noise=0.0).inputs, moons(2000, noise=0.3).inputs)
    moves = [b - a for clean, noisy in pairs for a, b in zip(clean, noisy)]
    assert math.sqrt(mean([move * move for move in moves])) == pytest.approx(0.3, rel=0.05)


def test_seeded_points_are_the_same_on_every_python():
    """Pinned numbers; 1e-12 leaves room for another machine's sine and cosine."""
    assert moons(4).targets == [1.0, -1.0, -1.0, 1.0]
    assert moons(4).inputs[0] == pytest.approx([-0.006700651572905798, 0.6194746678749998], abs=1e-12)
    assert spiral(5).targets == [1, 0, 0, 2, 1]
    assert spiral(5).inputs[1] == pytest.approx([-0.6904137874186745, -0.7234146820062483], abs=1e-12)


@pytest.mark.parametrize("make, smallest", ((moons, 2), (spiral, 3)))
@pytest.mark.parametrize("arguments, error, words", (
    ({"samples": 1},        ValueError, "at least one sample for each, got samples=1"),
    ({"samples": -5},       ValueError, "got samples=-5"),
    ({"samples": 10.0},     TypeError,  "samples is the number of points, an integer, got float"),
    ({"samples": "10"},     TypeError,  "got str"),
    ({"noise": -0.1},       ValueError, "from 0 up, got -0.1"),
    ({"noise": math.nan},   ValueError, "got nan"),
    ({"noise": math.inf},   ValueError, "got inf"),
    ({"noise": "much"},     TypeError,  "noise is a number, got str"),
    ({"seed": None},        TypeError,  "seed is an integer, got NoneType"),
    ({"seed": 0.5},         TypeError,  "seed is an integer, got float"),
))
def test_bad_arguments_of_a_toy_are_sentences(make, smallest, arguments, error, words):
    """A wrong argument is named with what was got; the smallest allowed size works."""
    with pytest.raises(error, match=words):
        make(**arguments)
    assert len(make(smallest).inputs) == smallest


# --- the bundled files -----------------------------------------------------------------------------------------------

def test_iris_has_fifty_plants_of_each_species():
    """150 rows, four features in centimetres, three species, ordered by species."""
    dataset = iris()
    assert dataset.targets == [0] * 50 + [1] * 50 + [2] * 50
    assert dataset.class_names == ("setosa", "versicolor", "virginica")
    assert dataset.feature_names == ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")


def test_iris_has_the_known_means():
    """Column means as published with scikit-learn, to the six decimals given."""
    means = [mean(column) for column in zip(*iris().inputs)]
    assert means == pytest.approx([5.843333, 3.057333, 3.758, 1.199333], abs=5e-7)


def test_iris_follows_fishers_paper_where_the_uci_file_does_not():
    """Plants 35 and 38 (counted from 1) are the ones that UCI has wrong."""
    assert iris().inputs[34] == [4.9, 3.1, 1.5, 0.2]
    assert iris().inputs[37] == [4.9, 3.6, 1.4, 0.1]


def test_digits_has_the_known_counts():
    """1,797 images; the count of each digit is the one UCI publishes for its test set."""
    counts = Counter(digits().targets)
    assert [counts[digit] for digit in range(10)] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert {type(target) for target in digits().targets} == {int}


def test_digits_are_sixteenths_between_zero_and_one():
    """Times 16 they are the integers of the file, exactly, and add up to scikit-learn's sum of pixels."""
    levels = [pixel * 16 for row in digits().inputs for pixel in row]
    assert set(levels) == set(range(17))
    assert math.fsum(levels) == 561718
    assert {len(row) for row in digits().inputs} == {64}


def test_the_first_digit_looks_like_a_zero():
    """The first two pixel rows of the file, so rows and columns are not swapped."""
    assert [pixel * 16 for pixel in digits().inputs[0][:16]] == [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
    assert digits().targets[0] == 0
    assert digits().feature_names[1] == "pixel_0_1"


def test_the_packed_file_is_small_and_carries_no_clock_and_no_name():
    """The gzip header has no flags (so no file name) and time 0: the same bytes whenever it is packed."""
    packed = (FOLDER / "digits.csv.gz").read_bytes()
    assert packed[3:8] == bytes(5)
    assert len(packed) < 150_000


def test_every_bundled_file_has_its_source_stated():
    """SOURCES.md names each data file, a DOI for each and the licence."""
    text = (FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    for path in FOLDER.glob("*.csv*"):
        assert f"## {path.name}" in text
    assert text.count("https://doi.org/") == len(list(FOLDER.glob("*.csv*"))) == 2
    assert "CC BY 4.0" in text


def test_importing_the_package_reads_nothing():
    """gzip, importlib.resources, NumPy and pooch are loaded by nobody before a data set is asked for."""
    code = ("import sys; sys.path.insert(0, sys.argv[1]); before = set(sys.modules); import micrograd_lite.data; "
            "print(sorted({'gzip', 'csv', 'importlib.resources', 'numpy', 'pooch'} & (set(sys.modules) - before)))")
    command = [sys.executable, "-c", code, str(FOLDER.parents[1])]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


# --- check -----------------------------------------------------------------------------------------------------------

SOUND = Dataset("mine", [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0, 1, 1], 2, ("a", "b"), ("no", "yes"))
FAULTS = (
    # what is replaced                                              error       words
    ({"inputs": [], "targets": []},                                 ValueError, "mine has no rows"),
    ({"targets": [0, 1]},                                           ValueError, "3 rows of inputs but 2 targets"),
    ({"inputs": [[1.0, 2.0], [3.0, 4.0], [5.0]]},                   ValueError, "row 2 has 1 numbers but row 0 has 2"),
    ({"inputs": [[], [], []]},                                      ValueError, "inputs: row 0 is empty"),
    ({"inputs": [[1.0, 2.0], [3.0, math.nan], [5.0, 6.0]]},         ValueError, "row 1, column 1 is nan"),
    ({"inputs": [[1.0, 2.0], [3.0, 4.0], [-math.inf, 6.0]]},        ValueError, "row 2, column 0 is -inf"),
    ({"inputs": [[1.0, 2.0], [10**400, 4.0], [5.0, 6.0]]},          ValueError, "row 1, column 0 is too large"),
    ({"inputs": [[1.0, 2.0], [3.0, "4"], [5.0, 6.0]]},              TypeError,  "row 1, column 1 is not a number"),
    ({"inputs": [[1.0, 2.0], [3.0, None], [5.0, 6.0]]},             TypeError,  "not a number but a NoneType"),
    ({"inputs": [[1.0, 2.0], 3.0, [5.0, 6.0]]},                     TypeError,  "row 1 is a list.*got float"),
    ({"inputs": [[1.0, 2.0], "34", [5.0, 6.0]]},                    TypeError,  "row 1 is a list.*got str"),
    ({"targets": [0, 1, 2]},                                        ValueError, "row 2 has label 2, but with 2"),
    ({"targets": [0, -1, 1]},                                       ValueError, "row 1 has label -1.*hinge"),
    ({"targets": [0, math.nan, 1]},                                 ValueError, "target of row 1 is nan"),
    ({"targets": [0, "yes", 1]},                                    TypeError,  "target of row 1 is not a number"),
    ({"targets": [0, [1.0], 1]},                                    TypeError,  "target of row 1 is not a number"),
    ({"targets": [[1.0], 0.0, [1.0]]},                              TypeError,  "targets: row 1 is a list of numbers"),
    ({"targets": [[1.0], [0.0, 1.0], [1.0]]},                       ValueError, "targets: row 1 has 2 numbers"),
    ({"targets": [[1.0], [math.inf], [1.0]]},                       ValueError, "targets: row 1, column 0 is inf"),
    ({"feature_names": ("a",)},                                     ValueError, "names 1 features but has 2"),
    ({"class_names": ("no", "yes", "perhaps")},                     ValueError, "names 3 classes but has 2"),
)


@pytest.mark.parametrize("change, error, words", FAULTS, ids=[words for _, _, words in FAULTS])
def test_check_names_each_fault(change, error, words):
    """One planted fault in a sound data set is found, with its place."""
    check(SOUND)
    with pytest.raises(error, match=words):
        check(SOUND._replace(**change))


@pytest.mark.parametrize("prepare", (split, centred, scaled))
def test_preparing_starts_with_the_check(prepare):
    """A faulty data set is refused by every function that computes from it."""
    with pytest.raises(ValueError, match="row 1, column 0 is nan"):
        prepare(SOUND._replace(inputs=[[1.0], [math.nan], [3.0]], feature_names=()))


def test_check_takes_every_kind_of_number_that_a_value_takes():
    """Integers, bools and Fractions are numbers; hinge targets and several targets are fine with classes."""
    check(Dataset("kinds", [[1, True, Fraction(1, 3)]], [1.5]))
    check(Dataset("hinge", [[1.0], [2.0]], [-1.0, 1.0], classes=2))
    check(Dataset("one-hot", [[1.0], [2.0]], [[0.0, 1.0], [1.0, 0.0]], classes=2))


# --- split -----------------------------------------------------------------------------------------------------------

labels = st.lists(st.integers(0, 3), min_size=2, max_size=60)
shares = st.floats(0.01, 0.99)
seeds = st.integers(0, 10**6)


def sound_split(targets, share, seed, classes=4):
    """The row numbers of both parts, or None where the share would leave a part empty."""
    if not 0 < round(share * len(targets)) < len(targets):
        return None
    parted = split(numbered(targets, classes), share, seed)
    return [[int(row[0]) for row in part.inputs] for part in parted]


@given(targets=labels, share=shares, seed=seeds)
def test_split_is_a_partition_in_file_order(targets, share, seed):
    """Each row lands in exactly one part, with its own target, and both parts keep the order of the file."""
    rows = sound_split(targets, share, seed)
    if rows is None:
        with pytest.raises(ValueError, match="leaves one part empty"):
            split(numbered(targets, 4), share, seed)
        return
    train, test = rows
    assert sorted(train + test) == list(range(len(targets)))
    assert train == sorted(train) and test == sorted(test)
    assert [part.targets for part in split(numbered(targets, 4), share, seed)] == [
        [targets[row] for row in part] for part in rows]


@given(targets=labels, share=shares, seed=seeds)
def test_split_takes_the_same_share_of_every_class(targets, share, seed):
    """The test part has round(share * rows) rows and each class is within one row of its share (1e-9: rounding)."""
    rows = sound_split(targets, share, seed)
    if rows is None:
        return
    taken = Counter(targets[row] for row in rows[1])
    assert len(rows[1]) == round(share * len(targets))
    for label, count in Counter(targets).items():
        assert abs(taken[label] - share * count) <= 1 + 1e-9


@given(targets=labels, share=shares, seed=seeds)
def test_split_is_decided_by_the_seed(targets, share, seed):
    """Same arguments, same parts."""
    assert sound_split(targets, share, seed) == sound_split(targets, share, seed)


def test_another_seed_splits_otherwise():
    """Seeds 0 to 9 give ten different test parts of iris, ten plants of each species in all of them."""
    tests = [split(iris(), seed=seed)[1] for seed in range(10)]
    assert len({str(test.inputs) for test in tests}) == 10
    assert all(Counter(test.targets) == {0: 10, 1: 10, 2: 10} for test in tests)


def test_split_is_the_same_on_every_python():
    """Pinned row numbers."""
    test = split(numbered([0, 1] * 10, 2), test=0.3, seed=1)[1]
    assert [row for [row] in test.inputs] == [2, 3, 4, 8, 15, 17]


def test_split_of_small_classes_still_fills_the_test_part():
    """Ten classes of two rows, a fifth aside: no class owes a whole row, yet four rows are taken, from four classes."""
    test = split(numbered([row % 10 for row in range(20)], 10), test=0.2)[1]
    assert len(test.targets) == len(set(test.targets)) == 4


def test_split_gives_the_odd_row_to_the_class_that_it_is_owed_to():
    """A quarter of 5 and of 7 rows is 1.25 and 1.75: together three rows, one and two."""
    assert split(numbered([0] * 5 + [1] * 7, 2), test=0.25)[1].targets == [0, 1, 1]


def test_split_of_a_regression_draws_from_all_rows():
    """Without classes targets are not grouped: over 50 seeds each row is drawn at least once."""
    tests = [split(numbered([0.1 * row for row in range(10)]), test=0.3, seed=seed)[1] for seed in range(50)]
    assert {row for test in tests for [row] in test.inputs} == set(range(10))
    assert {len(test.inputs) for test in tests} == {3}


def test_split_groups_float_and_list_targets_by_value():
    """Hinge and one-hot targets are classes too."""
    for targets in ([-1.0] * 8 + [1.0] * 4, [[1.0, 0.0]] * 8 + [[0.0, 1.0]] * 4):
        test = split(numbered(targets, 2), test=0.25)[1]
        assert test.targets == [targets[0]] * 2 + [targets[-1]]


def test_split_names_its_parts_and_keeps_the_rest():
    """Only name, inputs, targets and the last step of the origin differ from the whole."""
    train, test = split(iris())
    assert (train.name, test.name) == ("iris/train", "iris/test")
    assert train[3:-1] == test[3:-1] == iris()[3:-1]
    assert [part.origin[-1]["part"] for part in (train, test)] == ["train", "test"]


@pytest.mark.parametrize("arguments, error, words", (
    ({"test": 0.0},     ValueError, "between 0 and 1, got 0.0"),
    ({"test": 1.0},     ValueError, "between 0 and 1, got 1.0"),
    ({"test": 30},      ValueError, "between 0 and 1, got 30"),
    ({"test": math.nan}, ValueError, "between 0 and 1, got nan"),
    ({"test": 0.001},   ValueError, "test=0.001 of the 150 rows of iris leaves one part empty"),
    ({"test": "half"},  TypeError,  "such as 0.2, got str"),
    ({"seed": None},    TypeError,  "seed is an integer, got NoneType"),
))
def test_bad_arguments_of_split_are_sentences(arguments, error, words):
    """A wrong share or seed is named with what was got."""
    with pytest.raises(error, match=words):
        split(iris(), **arguments)


# --- centred and scaled ----------------------------------------------------------------------------------------------

numbers = st.floats(-1e6, 1e6)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=1, max_size=30))


@given(table=tables)
def test_centring_makes_training_means_vanish(table):
    """Each mean is 0 within 1e-14 of the largest entry: 30 additions of half an ulp each."""
    (train,) = centred(Dataset("t", table, [0.0] * len(table)))
    for before, after in zip(zip(*table), zip(*train.inputs)):
        assert abs(mean(after)) <= 1e-14 * max(map(abs, before))


def test_other_sets_are_moved_by_the_training_mean():
    """The test set's own mean plays no part, and targets and names stay; the units tell the way back."""
    train, test = Dataset("a", [[1.0], [3.0]], [0, 1]), Dataset("b", [[5.0], [9.0]], [1, 1])
    units = Units((2.0,), (1.0,))
    moved = (train._replace(inputs=[[-1.0], [1.0]], units=units), test._replace(inputs=[[3.0], [7.0]], units=units))
    assert centred(train, test) == moved
    assert scaled(train, test) == centred(train, test)      # the deviation of 1 and 3 is 1


def test_units_tell_the_way_back_through_every_move():
    """Moved twice, inputs and targets: centre + scale * number is the file's number again."""
    whole = Dataset("a", [[1.0, 40.0], [3.0, 80.0], [8.0, -3.0]], [7.0, 9.0, 20.0])
    (moved,) = scaled_target(*scaled(*scaled_target(*scaled(*centred(whole)))))
    back = [[centre + scale * x for x, centre, scale in zip(row, moved.units.centre, moved.units.scale)] for row in moved.inputs]
    assert [x for row in back for x in row] == pytest.approx([x for row in whole.inputs for x in row], rel=1e-14)
    targets = [moved.units.target_centre + moved.units.target_scale * target for target in moved.targets]
    assert targets == pytest.approx(whole.targets, rel=1e-14) and mean(moved.targets) == pytest.approx(0.0, abs=1e-15)
    with pytest.raises(ValueError, match="only a regression with one number a row has a target to scale"):
        scaled_target(Dataset("a", [[1.0], [3.0]], [0, 1], 2))


@given(table=tables)
def test_scaling_makes_training_spreads_one(table):
    """Mean 0 and mean square 1 for each feature that varies by more than rounding (here: 1e-6 of its size)."""
    (train,) = scaled(Dataset("t", table, [0.0] * len(table)))
    for before, after in zip(zip(*table), zip(*train.inputs)):
        if max(before) - min(before) > 1e-6 * max(map(abs, before)):
            assert mean(after) == pytest.approx(0.0, abs=1e-7)      # 1e-14 / 1e-6, and room
            assert mean([value * value for value in after]) == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("size", (1e-200, 1.0, 1e200))
def test_scaling_does_not_depend_on_the_unit(size):
    """Squares that would vanish or overflow do neither."""
    (train,) = scaled(Dataset("t", [[1.0 * size], [2.0 * size], [4.0 * size]], [0.0] * 3))
    expected = [(x - 7 / 3) / math.sqrt(14 / 9) for x in (1.0, 2.0, 4.0)]
    assert [x for [x] in train.inputs] == pytest.approx(expected, rel=1e-14)


def test_a_constant_feature_is_only_centred():
    """Three times 0.1, whose computed mean is not 0.1: the rounding error must not be blown up to 1."""
    (train,) = scaled(Dataset("t", [[0.1, 1.0], [0.1, 2.0], [0.1, 3.0]], [0.0] * 3))
    assert all(abs(row[0]) < 1e-16 for row in train.inputs)


@pytest.mark.parametrize("move", (centred, scaled))
def test_moving_leaves_the_original_alone(move):
    """The rows are new; the given data set keeps its numbers."""
    dataset = iris()
    move(dataset)
    assert dataset == iris()


@pytest.mark.parametrize("move", (centred, scaled))
def test_moving_needs_the_same_features(move):
    """Another width is a ValueError that names both."""
    with pytest.raises(ValueError, match="line has 1 features but iris has 4"):
        move(iris(), line())


@pytest.mark.parametrize("move", (centred, scaled))
def test_moving_refuses_what_overflows(move):
    """A sum beyond the largest float is said, not passed on as inf."""
    with pytest.raises(ValueError, match="the numbers of huge overflow"):
        move(Dataset("huge", [[1.5e308], [1.6e308]], [0.0, 1.0]))


class Foreign(float):
    """A float whose arithmetic stays in its own type, as NumPy's float64 does."""

    def __add__(self, other):
        return Foreign(float(self) + float(other))

    def __sub__(self, other):
        return Foreign(float(self) - float(other))

    def __rsub__(self, other):
        return Foreign(float(other) - float(self))

    def __mul__(self, other):
        return Foreign(float(self) * float(other))

    def __truediv__(self, other):
        return Foreign(float(self) / float(other))

    __radd__, __rmul__ = __add__, __mul__


@pytest.mark.parametrize("move", (centred, scaled))
def test_moving_gives_floats_whatever_the_numbers_were(move):
    """Integers, Fractions and NumPy's kind of float come out as plain floats."""
    (train,) = move(Dataset("t", [[1, Fraction(1, 2), Foreign(1)], [3, Fraction(3, 2), Foreign(2)]], [0.0, 1.0]))
    assert {type(value) for row in train.inputs for value in row} == {float}


@pytest.mark.parametrize("make", (moons, spiral))
def test_toys_give_floats_whatever_the_noise_was(make):
    """A noise of NumPy's kind does not leak its type into the points."""
    assert {type(value) for row in make(noise=Foreign(0.1)).inputs for value in row} == {float}


@pytest.mark.parametrize("draw", [
    lambda seed: moons(seed=seed), lambda seed: spiral(seed=seed), lambda seed: split(xor(), 0.5, seed=seed),
    lambda seed: MLP(2, [1], seed=seed),
    lambda seed: train(MLP(2, [1]), xor(), loss=mse, optimizer=SGD(), seed=seed),
], ids=["moons", "spiral", "split", "MLP", "train"])  # fmt: skip
@pytest.mark.parametrize("seed, error, told", [
    (-1, ValueError, "seed is a whole number from 0 up, got -1; it would draw the same numbers as 1"),
    (True, TypeError, "seed is an integer, got bool"), (1.0, TypeError, "seed is an integer, got float"),
    ("1", TypeError, "seed is an integer, got str"), (None, TypeError, "seed is an integer, got NoneType"),
], ids=str)  # fmt: skip
def test_a_seed_is_a_whole_number_from_0_up(draw, seed, error, told):
    """Python's generator drops the sign, so that -1 and 1 would be one seed under two names; at every door."""
    with pytest.raises(error, match=f"^{told}$"):
        draw(seed)
