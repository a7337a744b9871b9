"""The two shapes of input: an array in memory, and a `tf.data.Dataset`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.errors import KMeansError
from components.trainer.kmeans.frame import Frame
from components.trainer.kmeans.rows import Resident, RowFile, Rows, Spooled, aligned_empty
from components.trainer.kmeans.threads import in_order

# The first passes are NumPy's, and quickest while a batch in float64 stays in the cache.
_BATCH_ROWS = 16_384


class Source(Protocol):
    """One worker's rows as they were given. `columns` is d."""

    columns: int

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Yields rows [b, d] and their weights [b], or None where all weigh 1. Called once, to the end."""

    def enter(self, frame: Frame) -> Rows:
        """All rows in the frame; called once, after `batches`."""

    def close(self) -> None:
        """Gives back what the source holds, the entered rows too."""


def open_source(data: Any, sample_weight: Any) -> Source:
    """Recognizes the input and checks its shape and type, not yet its values.

    Raises:
      KMeansError: the input is not numbers of shape [n, d], or the weights are not of shape [n].
    """
    if isinstance(data, tf.data.Dataset):
        return DatasetSource(data, sample_weight)
    return ArraySource(data, sample_weight)


class ArraySource:
    """Rows in memory. They are copied once, into float32, and never changed."""

    def __init__(self, data: Any, sample_weight: Any) -> None:
        self._rows = numbers("data", data, rank=2, shape="[n, d]")
        self.columns = self._rows.shape[1]
        _require_columns(self.columns)
        self._weights = None
        if sample_weight is not None:
            self._weights = numbers("sample_weight", sample_weight, rank=1, shape="[n]")
            if len(self._weights) != len(self._rows):
                raise KMeansError(
                    f"sample_weight: {len(self._weights)} weights for {len(self._rows)} rows; "
                    "give one per row"
                )

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        for part in self._parts():
            yield self._rows[part], None if self._weights is None else self._weights[part]

    def enter(self, frame: Frame) -> Rows:
        values = aligned_empty(self._rows.shape)
        weights = aligned_empty((len(values),)) if frame.weighs else None

        def copy(part: slice) -> None:
            values[part] = frame.centre(self._rows[part])
            if weights is not None:
                given = None if self._weights is None else self._weights[part]
                weights[part] = frame.enter_weights(self._rows[part], given)

        for _ in in_order(copy, self._parts()):
            pass
        return Resident(values, weights)

    def close(self) -> None:
        pass  # the rows are the caller's

    def _parts(self) -> Iterator[slice]:
        return (slice(i, i + _BATCH_ROWS) for i in range(0, len(self._rows), _BATCH_ROWS))


class DatasetSource:
    """Rows that stream from a dataset, which is read once, in memory of a few batches.

    Clustering takes many passes. The first keeps the rows in a temporary file of bare numbers, which later passes
    read many times faster than what a dataset parses, and always the same.
    """

    def __init__(self, data: tf.data.Dataset, sample_weight: Any) -> None:
        if sample_weight is not None:
            raise KMeansError(
                "sample_weight: a dataset carries its own weights; yield (rows, weights) instead"
            )
        spec = data.element_spec
        self._weighted = isinstance(spec, tuple) and len(spec) == 2
        parts = spec if self._weighted else (spec,)
        for part, rank, shape in zip(parts, (2, 1), ("[batch, d]", "[batch]"), strict=False):
            if not isinstance(part, tf.TensorSpec) or part.shape.rank != rank or not _is_real(part.dtype):
                raise KMeansError(
                    f"data: expected dataset elements of numbers {shape}, got {part}; elements are "
                    "rows [batch, d] or (rows, weights), with the shape known (tf.ensure_shape)"
                )
        if parts[0].shape[1] is None:
            raise KMeansError(
                "data: the dataset does not know its number of columns; say it with "
                "dataset.map(lambda rows: tf.ensure_shape(rows, [None, d]))"
            )
        self.columns = int(parts[0].shape[1])
        _require_columns(self.columns)
        if data.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise KMeansError("data: the dataset never ends; remove repeat(), it is read once")
        self._data = data
        self._dtype = np.float32 if parts[0].dtype == tf.float32 else np.float64
        self._files: list[RowFile] = []

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        self._values = self._file(self.columns, self._dtype)
        self._weights = self._file(1, np.float64) if self._weighted else None
        for element in self._elements():
            rows, weights = element if self._weighted else (element, None)
            self._values.append(rows)
            if self._weights is not None and weights is not None:
                self._weights.append(weights[:, None])
            yield rows, weights

    def _elements(self) -> Iterator[Any]:
        try:
            yield from self._data.rebatch(_BATCH_ROWS).prefetch(2).as_numpy_iterator()
        except tf.errors.InvalidArgumentError as error:
            if not self._weighted:
                raise
            raise KMeansError(
                "data: the dataset cannot be read; does every element hold as many weights as rows? "
                f"({error.message.splitlines()[0]})"
            ) from error

    def enter(self, frame: Frame) -> Rows:
        weights = None
        if frame.weighs:
            weights = self._file(1, np.float32)
            for start, rows in self._values.parts():
                given = self._weights.read(start, start + len(rows))[:, 0] if self._weights else None
                entered = frame.enter_weights(rows, given)
                assert entered is not None
                weights.append(entered[:, None])
        return Spooled(self._values.rewrite(frame.enter, np.float32), weights)

    def close(self) -> None:
        for file in self._files:
            file.close()

    def _file(self, columns: int, dtype: type) -> RowFile:
        self._files.append(RowFile(columns, dtype))
        return self._files[-1]


def numbers(name: str, values: Any, rank: int, shape: str) -> np.ndarray:
    """Views `values` as an array of float32 or float64, copying only what has another type."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise KMeansError(f"{name}: expected numbers of shape {shape}; {error}") from error
    if array.ndim != rank:
        raise KMeansError(f"{name}: expected shape {shape}, got {list(array.shape)}")
    if array.dtype.kind not in "fiub":
        raise KMeansError(f"{name}: expected numbers, got {array.dtype}; encode text and dates first")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _is_real(dtype: tf.DType) -> bool:
    return bool(dtype.is_floating or dtype.is_integer or dtype.is_bool)


def _require_columns(columns: int) -> None:
    if columns == 0:
        raise KMeansError("data: has no columns; there is nothing to cluster on")
