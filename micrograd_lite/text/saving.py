"""A model as a JSON file: its architecture and every parameter, readable by a person and exact to the bit."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from micrograd_lite.text.files import from_json, read_whole, to_json, write_whole

FORMAT = "micrograd-lite-model/1"

MOST = 1 << 28
"""Bytes of a model file: it has room for some million weights."""

Model = TypeVar("Model")


def write_model(path: str | os.PathLike[str], config: Mapping[str, Any], state: Mapping[str, float]) -> None:
    """Write a model's config() and state_dict(); the path holds the whole new file or stays as it was."""
    write_whole(path, to_json({"format": FORMAT, "model": config, "parameters": state}))


def read_model(path: str | os.PathLike[str], build: Callable[[dict[str, Any], dict[str, float]], Model]) -> Model:
    """What `build` makes of the config and state in a model file. ValueError names the path and what is wrong with it."""
    try:
        record = from_json(read_whole(path, MOST))
        if record["format"] != FORMAT:
            raise ValueError(f"its format is {record['format']!r}, this version reads {FORMAT!r}")
        return build(dict(record["model"]), {name: float(number) for name, number in record["parameters"].items()})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is not a model saved by micrograd_lite: {error}") from error
