"""`moved.parquet`: the customers whose segment is another one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tfx.dsl.io import fileio

from components.migration.moves import Moves
from components.paths import is_local

MOVED_FILE = "moved.parquet"


def moved_table(
    ids: pa.StringArray, id_column: str, moves: Moves, before: Mapping[int, str], after: Mapping[int, str]
) -> pa.Table:
    """Id and name of the segment that each customer who moved was in, and is in.

    Args:
      ids: of the customers compared.
      id_column: names them.
      moves: of them.
      before, after: id -> name of the segments.
    """
    moved = moves.moved

    def side(name: str, segments: np.ndarray, names: Mapping[int, str]) -> dict[str, pa.Array]:
        found, places = np.unique(segments, return_inverse=True)
        words = pa.array([names.get(int(i)) for i in found], pa.string())
        return {
            f"{name}_segment_id": pa.array(segments, pa.int64()),
            f"{name}_segment_name": words.take(pa.array(places.astype(np.int64))),
        }

    return pa.table(
        {
            id_column: ids.take(pa.array(moves.rows[moved])),
            **side("from", moves.before[moved], before),
            **side("to", moves.after[moved], after),
        }
    )


def write_whole(table: pa.Table, path: str) -> None:
    """Writes a Parquet file, whole or not at all; one of that name gives way."""
    if is_local(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        partial = f"{path}.partial"
        pq.write_table(table, partial)
        os.replace(partial, path)
        return
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        pq.write_table(table, file.name)
        fileio.copy(file.name, path, overwrite=True)
