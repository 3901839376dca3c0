"""What one does to a data set before training: split it, centre it, scale it.

The part to be tested on must not help: means and spreads are computed from the training part alone, because a test set
that is moved by its own mean has told the network something about itself.
"""

import math
import operator
import random
from collections.abc import Sequence
from numbers import Real
from typing import Any

from micrograd_lite.data.dataset import Dataset, Units, check


def split(dataset: Dataset, test: float = 0.2, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Return (train, test): `test` is the share of rows to set aside, drawn by `seed`, the same share of every class.

    The test part has round(test * rows) rows, and each class is within one row of its exact share. Both parts keep the
    order of the file and share their rows with `dataset`. ValueError when a part would be empty.
    """
    check(dataset)
    if not isinstance(test, Real):
        raise TypeError(f"test is the share of rows to set aside, such as 0.2, got {type(test).__name__}")
    if not 0 < test < 1:
        raise ValueError(f"test is the share of rows to set aside, between 0 and 1, got {test}")
    count = len(dataset.inputs)
    wanted = round(test * count)
    if not 0 < wanted < count:
        raise ValueError(f"test={test} of the {count} rows of {dataset.name} leaves one part empty; "
                         f"choose a share that puts at least one row in each part")
    generator = seeded(seed)
    rows_of: dict[Any, list[int]] = {}
    for row, target in enumerate(dataset.targets):
        key = tuple(target) if isinstance(target, (list, tuple)) else target
        rows_of.setdefault(key if dataset.classes else None, []).append(row)
    shares = [test * len(rows) for rows in rows_of.values()]
    takes = [math.floor(share) for share in shares]
    # Rounding each class by itself can miss the total (or take nothing): the largest remainders get the missing rows.
    by_remainder = sorted(range(len(takes)), key=lambda group: takes[group] - shares[group])
    missing = wanted
    for take in takes:
        missing -= take
    for group in by_remainder[:missing]:
        takes[group] += 1
    chosen = set()
    for rows, take in zip(rows_of.values(), takes):
        chosen.update(generator.sample(rows, take))
    parts = {"train": [row for row in range(count) if row not in chosen], "test": sorted(chosen)}
    made = [_part(dataset, part, rows).noted("split", test=float(test), seed=whole_seed(seed), part=part)
            for part, rows in parts.items()]
    return made[0], made[1]


def centred(train: Dataset, *others: Dataset) -> tuple[Dataset, ...]:
    """Return all the data sets, in order, with the mean of each feature *in train* subtracted.

    >>> centred(Dataset("a", [[1.0], [3.0]], [0, 1]), Dataset("b", [[5.0]], [0]))[1].inputs
    [[3.0]]
    """
    check(train)
    return _moved((train, *others), [(_mean(column), 1.0) for column in zip(*train.inputs)])


def scaled(train: Dataset, *others: Dataset) -> tuple[Dataset, ...]:
    """Return all the data sets, in order, with train's mean subtracted and divided by train's standard deviation.

    The deviation is the population's (squares divided by the count). A feature that is constant in train has none: it
    is only centred.
    """
    check(train)
    return _moved((train, *others), [(_mean(column), _deviation(column)) for column in zip(*train.inputs)])


def scaled_target(train: Dataset, *others: Dataset) -> tuple[Dataset, ...]:
    """Return all the data sets, in order, with their targets moved as `scaled` moves a feature: by train's mean and deviation.

    For a regression with one number a row. A loss is then in scaled units; `units` tells the way back.
    """
    check(train)
    if train.classes or isinstance(train.targets[0], (list, tuple)):
        raise ValueError(f"{train.name}: only a regression with one number a row has a target to scale")
    column = tuple(train.targets)
    mean, deviation = _mean(column), _deviation(column)
    return tuple(moved_target(dataset, mean, deviation) for dataset in (train, *others))


def moved_target(dataset: Dataset, centre: float, scale: float) -> Dataset:
    """The data set with `centre` subtracted from each target, and divided by `scale`."""
    earlier = dataset.units or Units((0.0,) * len(dataset.inputs[0]), (1.0,) * len(dataset.inputs[0]))
    units = earlier._replace(target_centre=earlier.target_centre + earlier.target_scale * centre,
                             target_scale=earlier.target_scale * scale)
    made = dataset._replace(targets=[(float(target) - centre) / scale for target in dataset.targets], units=units)
    check(made)
    return made.noted("moved_target", centre=centre, scale=scale)


def moved(dataset: Dataset, centre: Sequence[float], scale: Sequence[float]) -> Dataset:
    """The data set with its centre subtracted from each feature, and divided by its scale; ValueError when that overflows."""
    inputs = [[(float(value) - middle) / wide for value, middle, wide in zip(row, centre, scale)] for row in dataset.inputs]
    earlier = dataset.units or Units((0.0,) * len(centre), (1.0,) * len(centre))
    units = earlier._replace(
        centre=tuple(before + unit * middle for before, unit, middle in zip(earlier.centre, earlier.scale, centre)),
        scale=tuple(unit * wide for unit, wide in zip(earlier.scale, scale)))
    made = dataset._replace(inputs=inputs, units=units)
    try:
        check(made)
    except ValueError as error:
        raise ValueError(f"the numbers of {dataset.name} overflow when they are moved; "
                         f"choose a larger unit for them") from error
    return made.noted("moved", centre=[*centre], scale=[*scale])


def first(dataset: Dataset, rows: int) -> Dataset:
    """The first so many rows of a data set."""
    return dataset._replace(inputs=dataset.inputs[:rows], targets=dataset.targets[:rows]).noted("first", rows=rows)


def one_hot(data: Dataset) -> Dataset:
    """Labels as rows with a 1.0 at the label: what a square error wants of a classifier."""
    targets = [[float(label == one) for one in range(data.classes)] for label in data.targets]
    return data._replace(targets=targets).noted("one_hot")


def labelled(dataset: Dataset) -> Dataset:
    """Two classes told by two floats become the labels 0 and 1; labels stay what they are."""
    if not isinstance(dataset.targets[0], float):
        return dataset
    lowest = min(dataset.targets)
    return dataset._replace(targets=[int(target > lowest) for target in dataset.targets]).noted("labelled")


def two_classes(dataset: Dataset, low: float) -> Dataset:
    """Two classes as 1.0 and a lower number, 0.0 or -1.0."""
    made = dataset._replace(targets=[1.0 if label else low for label in labelled(dataset).targets])
    return made.noted("two_classes", low=low)


def seeded(seed: int) -> random.Random:
    """Return a generator for this seed; TypeError or ValueError as for `whole_seed`."""
    return random.Random(whole_seed(seed))


def whole_seed(seed: Any) -> int:
    """The seed as a Python int. TypeError unless it is an integer: None would mean the clock.

    ValueError for a negative one: Python's generator drops the sign, so -1 would draw the numbers of 1.
    """
    if isinstance(seed, bool):
        raise TypeError("seed is an integer, got bool")
    try:
        number = operator.index(seed)
    except TypeError as error:
        raise TypeError(f"seed is an integer, got {type(seed).__name__}") from error
    if number < 0:
        raise ValueError(f"seed is a whole number from 0 up, got {number}; it would draw the same numbers as {-number}")
    return number


def _part(dataset: Dataset, name: str, rows: list[int]) -> Dataset:
    return dataset._replace(name=f"{dataset.name}/{name}", inputs=[dataset.inputs[row] for row in rows],
                            targets=[dataset.targets[row] for row in rows])


def _mean(column: tuple[float, ...]) -> float:
    total = 0.0
    for value in column:
        total += float(value)
    return total / len(column)


def _deviation(column: tuple[float, ...]) -> float:
    if min(column) == max(column):      # not "deviation == 0": the mean of three 0.1 is not 0.1
        return 1.0
    mean = _mean(column)
    largest = max(abs(value - mean) for value in column)
    # Squares of shares of the largest: they neither overflow nor vanish.
    return float(largest * math.sqrt(_mean(tuple(((value - mean) / largest) ** 2 for value in column))))


def _moved(datasets: tuple[Dataset, ...], moves: list[tuple[float, float]]) -> tuple[Dataset, ...]:
    results = []
    for dataset in datasets:
        check(dataset)
        if len(dataset.inputs[0]) != len(moves):
            raise ValueError(f"{dataset.name} has {len(dataset.inputs[0])} features but {datasets[0].name} has "
                             f"{len(moves)}; a feature is moved by its own training mean")
        results.append(moved(dataset, [mean for mean, _ in moves], [deviation for _, deviation in moves]))
    return tuple(results)
