"""One worker's rows, cut into chunks on its devices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.rows import Rows, is_aligned

# Every chunk costs calls between Python and TensorFlow: a million rows in 31 chunks take twice the time of 4.
_MAX_CHUNK_ROWS = 1 << 18
_MAX_CHUNK_NUMBERS = 1 << 23
# Fewer rows are not worth a thread of their own.
_WORTH_SHARING = 1 << 15
_MIN_CHUNKS = 8

# (rows float32 [b, d], weights float32 [b]), on the device of one replica.
Chunk = tuple[tf.Tensor, tf.Tensor]


def chunk_rows(rows: int, columns: int) -> int:
    """Rows of a chunk: few enough that several threads or devices have work, and that some chunks fit into memory.

    Args:
      rows: number of rows of all workers together, so that workers with different shards cut them alike.
      columns: numbers in a row.

    Returns:
      A multiple of 16, so that every chunk of an aligned table is aligned.
    """
    most = min(_MAX_CHUNK_ROWS, _MAX_CHUNK_NUMBERS // columns)
    return max(16, min(most, max(_WORTH_SHARING, rows // _MIN_CHUNKS)) // 16 * 16)


class Rounds:
    """A worker's rows cut into rounds: one chunk for each of its replicas. Chunks may have no rows.

    Rows in memory are put on the devices once; others are read whenever they are asked for.
    """

    def __init__(self, rows: Rows, devices: Sequence[str | None], chunk: int) -> None:
        self._rows, self._devices, self._chunk = rows, devices, chunk
        self._ones = tf.ones([chunk])
        count = -(-len(rows) // (chunk * len(devices)))
        self._held = [self._read(i) for i in range(count)] if rows.resident else [None] * count

    @property
    def rows(self) -> int:
        """n, of this worker."""
        return len(self._rows)

    @property
    def columns(self) -> int:
        """d."""
        return self._rows.columns

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, index: int) -> list[Chunk]:
        held = self._held[index]
        return self._read(index) if held is None else held

    def starts(self, index: int) -> list[int]:
        """The index of the first row of each chunk of a round."""
        first = index * len(self._devices)
        return [min((first + i) * self._chunk, len(self._rows)) for i in range(len(self._devices))]

    def sizes(self, index: int) -> list[int]:
        """The number of rows of each chunk of a round."""
        return [min(self._chunk, len(self._rows) - start) for start in self.starts(index)]

    def _read(self, index: int) -> list[Chunk]:
        return [
            self._place(start, device)
            for start, device in zip(self.starts(index), self._devices, strict=True)
        ]

    def _place(self, start: int, device: str | None) -> Chunk:
        rows, weights = self._rows.read(start, start + self._chunk)
        with tf.device(device):
            return _tensor(rows, device), (
                self._ones[: len(rows)] if weights is None else _tensor(weights, device)
            )


def _tensor(values: np.ndarray, device: str | None) -> tf.Tensor:
    if device is None and is_aligned(values) and not tf.config.list_logical_devices("GPU"):
        # Shares the memory, where a constant would be a copy.
        return tf.experimental.dlpack.from_dlpack(values.__dlpack__())
    return tf.constant(values)
