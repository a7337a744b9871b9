"""The two shapes of input: an array in memory, and a `tf.data.Dataset` that is read once per pass."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.errors import KMeansError
from components.trainer.kmeans.frame import Frame
from components.trainer.kmeans.replicas import Chunk, Round

# The first pass is NumPy's, and quickest while a batch in float64 stays in the cache.
_SURVEY_ROWS = 16_384


class Source(Protocol):
    """One worker's rows. `columns` is d."""

    columns: int

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Yields rows [b, d] as they were given and their weights [b], or None where all weigh 1."""

    def rounds(self, frame: Frame, devices: Sequence[str | None], rows: int) -> Callable[[], Iterable[Round]]:
        """Returns what starts a pass: chunks of at most `rows` rows in the frame, one per device."""


def open_source(data: Any, sample_weight: Any) -> Source:
    """Recognizes the input and checks its shape and type, not yet its values.

    Raises:
      KMeansError: the input is not numbers of shape [n, d], or the weights are not of shape [n].
    """
    if isinstance(data, tf.data.Dataset):
        return DatasetSource(data, sample_weight)
    return ArraySource(data, sample_weight)


class ArraySource:
    """Rows in memory. They are copied once, into float32 chunks on the devices, and never changed."""

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
        for start in range(0, len(self._rows), _SURVEY_ROWS):
            part = slice(start, start + _SURVEY_ROWS)
            yield self._rows[part], None if self._weights is None else self._weights[part]

    def rounds(self, frame: Frame, devices: Sequence[str | None], rows: int) -> Callable[[], Iterable[Round]]:
        bounds = np.linspace(0, len(self._rows), len(devices) + 1).astype(int)
        shards = [
            self._chunks(frame, device, range(start, stop, rows), stop)
            for device, start, stop in zip(devices, bounds[:-1], bounds[1:], strict=True)
        ]
        longest = max(len(shard) for shard in shards)
        padding = (tf.zeros([0, self.columns]), tf.zeros([0]))
        padded = [shard + [padding] * (longest - len(shard)) for shard in shards]
        resident = list(zip(*padded, strict=True))
        return lambda: resident

    def _chunks(self, frame: Frame, device: str | None, starts: range, end: int) -> list[Chunk]:
        chunks = []
        with tf.device(device):
            for start in starts:
                part = slice(start, min(start + starts.step, end))
                entered = tf.constant(frame.enter(self._rows[part]))
                if self._weights is None:
                    weights = tf.ones([len(entered)])
                else:
                    weights = tf.constant(frame.enter_weights(self._weights[part]))
                chunks.append((entered, weights))
        return chunks


class DatasetSource:
    """Rows that stream from a dataset, whose memory is that of a few chunks.

    The dataset is read once to look at it and once per pass, and must yield the same rows each time.
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
            raise KMeansError("data: the dataset never ends; remove repeat(), each pass reads it once")
        self._data = data

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        for element in self._data.rebatch(_SURVEY_ROWS).prefetch(2).as_numpy_iterator():
            yield element if self._weighted else (element, None)

    def rounds(self, frame: Frame, devices: Sequence[str | None], rows: int) -> Callable[[], Iterable[Round]]:
        def enter(values: tf.Tensor, weights: tf.Tensor | None = None) -> Chunk:
            if weights is None:
                return frame.enter_tensor(values), tf.ones(tf.shape(values)[:1])
            return frame.enter_tensor(values), frame.enter_weights_tensor(weights)

        # Rebatching makes the chunks those of an array, whatever the batches: same sums, bounded memory.
        chunks = self._data.rebatch(rows).map(enter, num_parallel_calls=1).prefetch(2)
        if len(devices) == 1:
            return lambda: ((chunk,) for chunk in chunks)
        return lambda: (_split(chunk, len(devices)) for chunk in chunks)


def _split(chunk: Chunk, parts: int) -> list[Chunk]:
    bounds = np.linspace(0, len(chunk[1]), parts + 1).astype(int)
    return [(chunk[0][i:j], chunk[1][i:j]) for i, j in itertools.pairwise(bounds)]


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
