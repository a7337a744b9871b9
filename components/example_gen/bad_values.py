"""A value that is not what its column is said to hold."""

from __future__ import annotations

import dataclasses
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


@dataclasses.dataclass
class BadValueError(Exception):
    """A value that is not what its column is said to hold; `index` is its place in the batch."""

    index: int
    value: Any
    reason: str


def refuse(bad: pa.Array, column: pa.Array, reason: str) -> None:
    """Raises a `BadValueError` for the first value of a column [n] where `bad`, bool [n], holds."""
    index = pc.index(bad, True).as_py()
    if index >= 0:
        raise BadValueError(index, column[index].as_py(), reason)


def count_true(flags: pa.Array) -> int:
    """How many of bool [n] hold. Not Arrow's own `true_count`: version 10 crashes in it where `and_` made the array."""
    return int(pc.sum(flags).as_py() or 0)
