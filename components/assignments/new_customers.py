"""Scores a table of raw customers in memory: for customers that no run has read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.assignments.table import BATCH, table_schema
from components.served_model.loaded import Feature, LoadedModel


def score_customers(model: LoadedModel, customers: pa.Table, id_column: str) -> Iterator[pa.RecordBatch]:
    """Assigns every customer of a table, in its order.

    Args:
      model: the served version.
      customers: the id as text, and the model's features: text, int64 or double; null where missing.
      id_column: the id's column.

    Yields:
      Batches of at most `BATCH` rows with `table_schema(id_column)`.
    """
    schema = table_schema(id_column)
    for start in range(0, len(customers), BATCH):
        rows = customers.slice(start, BATCH).combine_chunks()
        answers = model.ask({f.name: _column(f, rows[f.name]) for f in model.features})
        columns = [
            rows[id_column].combine_chunks(),
            pa.array(answers.segment_ids),
            pa.array(answers.segment_names, pa.binary()).cast(pa.string()),
            pa.array(answers.distance),
            pa.array(answers.outliers),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _column(feature: Feature, column: pa.ChunkedArray) -> npt.NDArray[Any]:
    if feature.is_text:
        return column.cast(pa.string()).fill_null("").to_numpy()
    return column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy()
