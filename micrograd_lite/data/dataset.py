"""A data set is a table of inputs beside a list of targets, one target to a row.

Every page of this package hands out this one record, and `check` says in a sentence what is wrong with one that a user
made. Rows and columns count from 0.
"""

import math
from numbers import Integral, Real
from typing import Any, NamedTuple

Made = dict[str, Any]
"""A loader or a preparation by its name, with its arguments: one entry of an origin."""


class Units(NamedTuple):
    """How numbers were moved before training: one in the data's own unit is centre + scale * number.

    A centre and a scale for each feature; those of the target are 0.0 and 1.0 where it was not moved.
    """

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    target_centre: float = 0.0
    target_scale: float = 1.0


class Dataset(NamedTuple):
    """Rows of inputs with one target each; `len(dataset.inputs)` is the number of rows.

    A target is a float (regression), an int label from 0 to classes - 1, +1.0 or -1.0 (two classes for a hinge loss),
    or a list of floats (several outputs).

    >>> Dataset("and", [[0.0, 1.0], [1.0, 1.0]], [0, 1], classes=2).targets
    [0, 1]
    """

    name: str
    inputs: list[list[float]]
    targets: list[Any]
    classes: int = 0                        # 0: regression
    feature_names: tuple[str, ...] = ()     # one per column, or none
    class_names: tuple[str, ...] = ()       # one per class, or none
    target_name: str = ""
    units: Units | None = None              # None: the numbers are in the data's own units
    origin: tuple[Made, ...] = ()           # loaded by the first, then prepared by each; none: nobody knows (data/origin)

    def noted(self, name: str, **arguments: Any) -> "Dataset":
        """The same, with one more preparation in its origin; of unknown origin it stays."""
        return self._replace(origin=(*self.origin, {"name": name, **arguments})) if self.origin else self

    def _repr_html_(self) -> str:
        from micrograd_lite.pictures.notebook import of_dataset

        return of_dataset(self)


def check(dataset: Dataset) -> None:
    """Raise for the first fault that would spoil a training; a sound data set passes in silence.

    ValueError: no rows, rows of different widths, unequal counts, NaN or infinity, a label outside its classes.
    TypeError: something that is not a number, a row that is not a list.
    """
    name, inputs, targets, classes, feature_names, class_names, *_ = dataset
    if not len(inputs):
        raise ValueError(f"{name} has no rows; a data set needs at least one")
    if len(inputs) != len(targets):
        raise ValueError(f"{name} has {len(inputs)} rows of inputs but {len(targets)} targets; "
                         f"give each row one target")
    _check_table(f"{name}: inputs", inputs)
    _check_targets(name, targets, classes)
    for names, count, what in ((feature_names, len(inputs[0]), "features"), (class_names, classes, "classes")):
        if names and len(names) != count:
            raise ValueError(f"{name} names {len(names)} {what} but has {count}; name all of them or none")


def _check_table(what: str, rows: list[Any]) -> None:
    for row, values in enumerate(rows):
        if not isinstance(values, (list, tuple)):
            raise TypeError(f"{what}: row {row} is a list of numbers, got {type(values).__name__}")
        if not values:
            raise ValueError(f"{what}: row {row} is empty; a row needs at least one number")
        if len(values) != len(rows[0]):
            raise ValueError(f"{what}: row {row} has {len(values)} numbers but row 0 has {len(rows[0])}; "
                             f"all rows need the same width")
        for column, value in enumerate(values):
            if type(value) is not float or not math.isfinite(value):    # nearly always a finite float: no call
                _check_number(value, f"{what}: row {row}, column {column}")


def _check_targets(name: str, targets: list[Any], classes: int) -> None:
    if isinstance(targets[0], (list, tuple)):
        _check_table(f"{name}: targets", targets)
        return
    for row, target in enumerate(targets):
        _check_number(target, f"{name}: the target of row {row}")
        if classes and isinstance(target, Integral) and not 0 <= int(target) < classes:
            raise ValueError(f"{name}: row {row} has label {target}, but with {classes} classes labels go from 0 to "
                             f"{classes - 1} (targets of a hinge loss are floats, -1.0 and 1.0)")


def _check_number(value: Any, where: str) -> None:
    if not isinstance(value, Real):
        raise TypeError(f"{where} is not a number but a {type(value).__name__}")
    try:
        finite = math.isfinite(value)
    except OverflowError as error:
        raise ValueError(f"{where} is too large for a float") from error
    if not finite:
        raise ValueError(f"{where} is {value}; every number must be finite")
