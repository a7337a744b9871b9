"""Between which values a feature may be changed: those that the data has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq


def column_ranges(files: Sequence[str]) -> dict[str, tuple[float, float]]:
    """The smallest and the largest value of each column of numbers, from the footers of local Parquet files."""
    found: dict[str, tuple[float, float]] = {}
    for path in files:
        metadata = pq.ParquetFile(path).metadata
        for group in range(metadata.num_row_groups):
            for index in range(metadata.num_columns):
                column = metadata.row_group(group).column(index)
                statistics = column.statistics
                if statistics is None or not statistics.has_min_max or not _is_number(statistics.min):
                    continue
                # Columns are lists of one value: `age.list.item`.
                name = column.path_in_schema.rsplit(".", 2)[0]
                low, high = found.get(name, (np.inf, -np.inf))
                found[name] = min(low, float(statistics.min)), max(high, float(statistics.max))
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))


def profile_range(column: str, profiles: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """From the lowest lower quartile to the highest upper one of some profiles: where the data is not at hand.

    None where no profile has a value of the column.
    """
    statistics = [profile["numeric"].get(column, {}) for profile in profiles]
    lows = [each["p25"] for each in statistics if each.get("p25") is not None]
    highs = [each["p75"] for each in statistics if each.get("p75") is not None]
    return (min(lows), max(highs)) if lows else None


def known_categories(
    column: str, coordinates: Sequence[str], profiles: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The categories of a column that the model tells apart, or that its profiles list, in alphabetical order.

    Args:
      column: its name.
      coordinates: names of the column's own coordinates.
      profiles: of all customers and of the segments.
    """
    prefix = f"{column}="
    found = {name.removeprefix(prefix) for name in coordinates if name.startswith(prefix)}
    found -= {"(other)", "(missing)"}
    for profile in profiles:
        found.update(profile["categorical"].get(column, {}).get("values", {}))
    return sorted(found)
