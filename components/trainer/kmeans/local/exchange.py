"""What a fit and its worker processes hand each other: arrays and the result, as files in a folder."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from components.trainer.kmeans.result import Iteration, KMeansResult

_RESULT = "result.npz"


def write_arrays(folder: str, arrays: Mapping[str, np.ndarray | None]) -> None:
    """Writes arrays under their names; None is written by not being there."""
    for name, array in arrays.items():
        if array is not None:
            np.save(_path(folder, name), np.ascontiguousarray(array), allow_pickle=False)


def read_array(folder: str, name: str, rows: slice = slice(None)) -> np.ndarray | None:
    """Maps the rows of an array into memory, read-only; None where there is no such array."""
    try:
        array: np.ndarray = np.load(_path(folder, name), mmap_mode="r")
    except FileNotFoundError:
        return None
    return array[rows]


def remove_arrays(folder: str, names: Mapping[str, Any]) -> None:
    """Removes arrays from the folder; whoever has mapped them keeps them."""
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            os.remove(_path(folder, name))


def write_result(folder: str, result: KMeansResult) -> None:
    """Writes a result, bit for bit."""
    values = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    others = {name: value for name, value in values.items() if name not in arrays}
    others["history"] = [dataclasses.asdict(iteration) for iteration in result.history]
    np.savez(os.path.join(folder, _RESULT), others=np.array(to_json(others)), **arrays)


def read_result(folder: str) -> KMeansResult:
    """The inverse of `write_result`."""
    with np.load(os.path.join(folder, _RESULT)) as file:
        arrays = {name: file[name] for name in file.files}
    others = json.loads(str(arrays.pop("others")))
    others["history"] = [read_iteration(content) for content in others["history"]]
    return KMeansResult(**arrays, **others)


def read_iteration(content: Mapping[str, Any]) -> Iteration:
    """An iteration from its JSON."""
    return Iteration(**{**content, "reseeded": tuple(content["reseeded"])})


def to_json(content: Any) -> str:
    """JSON in one line; numbers of NumPy's are numbers, and every float is read back as it was."""
    return json.dumps(content, default=lambda number: number.item())


def _path(folder: str, name: str) -> str:
    return os.path.join(folder, f"{name}.npy")
