"""The optimizer's arithmetic as a sheet writes it: a row for each term, from the gradient to the parameter after the step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from micrograd_lite.classroom.cells import Numbers

OPTIMIZER, MOST_MOVED = "optimizer", 3
"""The part's name; how many parameters it moves at most."""


def terms(settings: Mapping[str, Any], number: int) -> list[tuple[str, str]]:
    """Each computed term of one step and its formula, in the names of terms before it; the last is what is added.

    >>> terms({"name": "SGD", "weight_decay": 0.0, "momentum": 0.0}, 1)
    [('update', '(-lr * gradient)'), ('after', 'before + update')]
    """
    name, decay = settings["name"], settings.get("weight_decay") or 0.0
    rows, pull = [], "gradient"
    if decay and name != "AdamW":
        rows, pull = [("decayed", f"gradient + {decay:.12g} * before")], "decayed"
    if name == "SGD":
        rows += _sgd(settings, pull)
    elif name == "RMSprop":
        alpha, eps = settings["alpha"], settings["eps"]
        rows += [
            ("square", f"{alpha:.12g} * square_before + (1 - {alpha:.12g}) * {pull} ** 2"),
            ("rate", f"lr / (sqrt(square) + {eps:.12g})"),
            ("update", f"(-rate * {pull})"),
        ]
    elif name in ("Adam", "AdamW"):
        rows += _adam(settings, pull, number, decay if name == "AdamW" else 0.0)
    else:
        raise ValueError(f"a sheet knows the steps of SGD, RMSprop, Adam and AdamW, and this run was trained by {name!r}")
    return [*rows, ("after", "before + update")]


def _sgd(settings: Mapping[str, Any], pull: str) -> list[tuple[str, str]]:
    momentum = settings.get("momentum") or 0.0
    if not momentum:
        return [("update", f"(-lr * {pull})")]
    ahead = f"({pull} + {momentum:.12g} * velocity)" if settings.get("nesterov") else "velocity"
    return [("velocity", f"{momentum:.12g} * velocity_before + {pull}"), ("update", f"(-lr * {ahead})")]


def _adam(settings: Mapping[str, Any], pull: str, number: int, decay: float) -> list[tuple[str, str]]:
    (one, two), corrects = settings["betas"], settings.get("bias_correction", True)
    moved = "(-rate * first_corrected)" + (f" - lr * {decay:.12g} * before" if decay else "")
    return [
        ("first", f"{one:.12g} * first_before + (1 - {one:.12g}) * {pull}"),
        ("second", f"{two:.12g} * second_before + (1 - {two:.12g}) * {pull} ** 2"),
        ("first_corrected", f"first / (1 - {one:.12g} ** {number})" if corrects else "first"),
        ("second_corrected", f"second / (1 - {two:.12g} ** {number})" if corrects else "second"),
        ("rate", f"lr / (sqrt(second_corrected) + {settings['eps']:.12g})"),
        ("update", moved),
    ]


def updates(numbers: Numbers) -> dict[str, dict[str, str]]:
    """The cells of the optimizer's part, parameter by parameter, term by term; that of the learning rate is under "lr"."""
    lesson, weight = numbers.lesson, numbers.weight
    settings, number = lesson.run["optimizer"], lesson.step.number
    formulas = terms(settings, number)
    rate = numbers.add(OPTIMIZER, "lr", "value", "", "", lesson.lr)
    biases = [name for name in lesson.names[::-1] if name.endswith(".b")]
    chosen = list(dict.fromkeys([weight, *biases[:1], *lesson.names]))[: MOST_MOVED if len(formulas) < 4 else 2]
    made = {"lr": {"value": rate}}
    for name in chosen:
        recorded, known = lesson.step.recorded[name], lesson.terms.get(name, {})
        made[name] = row = {"lr": rate}
        row["before"] = numbers.add(OPTIMIZER, name, "before", "", "", recorded.before)
        own = (numbers.gradient, "from above") if name == weight else ("", "")
        row["gradient"] = numbers.add(OPTIMIZER, name, "gradient", own[1], own[0], recorded.gradient)
        for term in known:
            if term.endswith("_before"):
                row[term] = numbers.add(OPTIMIZER, name, term, "", "", known[term])
        for term, formula in formulas:
            rule = re.sub(r"[a-z][a-z_]*", lambda word, row=row: row.get(word.group(), word.group()), formula)  # type: ignore[misc]
            exact = {**known, "update": recorded.update, "after": recorded.after}.get(term)
            exact = recorded.gradient + settings["weight_decay"] * recorded.before if exact is None else exact
            row[term] = numbers.add(OPTIMIZER, name, term, formula, rule, exact)
    return made
