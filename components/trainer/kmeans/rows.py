"""One worker's rows in the frame of a fit: in memory, or in a file on disk."""

from __future__ import annotations

import dataclasses
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from components.trainer.kmeans.errors import KMeansError

_ALIGNMENT = 64  # TensorFlow reads NumPy's memory without a copy where it starts at a multiple of this


class Rows(Protocol):
    """Rows float32 [n, d] and their weights. `columns` is d, `resident` whether they are in memory."""

    @property
    def columns(self) -> int: ...

    @property
    def resident(self) -> bool: ...

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows [start, stop) and their weights float32, None where all weigh 1. Must not be changed."""

    def take(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Copies of the rows of these increasing indices, and their weights."""

    def weighted(self) -> np.ndarray | None:
        """Indices of the rows of positive weight; None where all have one."""


@dataclasses.dataclass(frozen=True)
class Resident:
    """Rows in memory: `values` float32 [n, d], `weights` float32 [n] or None."""

    values: np.ndarray
    weights: np.ndarray | None = None
    resident = True

    @property
    def columns(self) -> int:
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return len(self.values)

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray | None]:
        return self.values[start:stop], None if self.weights is None else self.weights[start:stop]

    def take(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        return self.values[indices], None if self.weights is None else self.weights[indices]

    def weighted(self) -> np.ndarray | None:
        return None if self.weights is None else np.flatnonzero(self.weights)


class Spooled:
    """Rows in a file, read chunk by chunk."""

    resident = False

    def __init__(self, values: RowFile, weights: RowFile | None) -> None:
        self._values, self._weights = values, weights
        self.columns = values.columns

    def __len__(self) -> int:
        return len(self._values)

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray | None]:
        weights = None if self._weights is None else self._weights.read(start, stop)[:, 0]
        return self._values.read(start, stop), weights

    def take(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        weights = None if self._weights is None else self._weights.take(indices)[:, 0]
        return self._values.take(indices), weights

    def weighted(self) -> np.ndarray | None:
        if self._weights is None:
            return None
        found = [start + np.flatnonzero(part[:, 0]) for start, part in self._weights.parts()]
        return np.concatenate([np.zeros(0, np.int64), *found])


class RowFile:
    """A table of numbers in a temporary file, which vanishes when it is closed or its process ends, however it ends.

    Where it is follows the environment's TMPDIR; that should not be a file system in memory.
    """

    _PART = 65_536  # rows read at once

    def __init__(self, columns: int, dtype: np.dtype | type) -> None:
        self.columns = columns
        self._dtype = np.dtype(dtype)
        self._count = 0
        self._file = tempfile.TemporaryFile(prefix="kmeans-rows-")  # noqa: SIM115 - lives as long as the fit

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """Gives the space on disk back."""
        self._file.close()

    def append(self, rows: np.ndarray) -> None:
        """Adds rows [b, columns].

        Raises:
          KMeansError: the disk is full.
        """
        self._write(np.ascontiguousarray(rows, self._dtype), self._count)
        self._count += len(rows)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows [start, stop), a new array."""
        rows = aligned_empty((min(stop, self._count) - start, self.columns), self._dtype)
        view, offset = rows.reshape(-1).view(np.uint8).data, self._offset(start)
        while len(view):
            got = os.preadv(self._file.fileno(), [view], offset)
            if got == 0:
                raise OSError("the temporary file of the rows is shorter than it was written")
            view, offset = view[got:], offset + got
        return rows

    def parts(self) -> Iterator[tuple[int, np.ndarray]]:
        """Everything, in order: (index of the first row, rows)."""
        for start in range(0, self._count, self._PART):
            yield start, self.read(start, start + self._PART)

    def take(self, indices: np.ndarray) -> np.ndarray:
        """The rows of these increasing indices; reads only the parts that hold some."""
        taken = np.empty((len(indices), self.columns), self._dtype)
        bounds = np.searchsorted(indices, np.arange(0, self._count + self._PART, self._PART))
        for part, (low, high) in enumerate(itertools.pairwise(bounds)):
            if low < high:
                start = part * self._PART
                taken[low:high] = self.read(start, start + self._PART)[indices[low:high] - start]
        return taken

    def rewrite(self, change: Callable[[np.ndarray], np.ndarray], dtype: np.dtype | type) -> RowFile:
        """Replaces all rows by what `change` makes of them, in place; numbers may become smaller, not larger."""
        changed = RowFile.__new__(RowFile)
        changed.columns, changed._dtype, changed._count = self.columns, np.dtype(dtype), self._count
        changed._file = self._file
        for start, part in self.parts():
            changed._write(np.ascontiguousarray(change(part), dtype), start)
        return changed

    def _write(self, rows: np.ndarray, at: int) -> None:
        view, offset = rows.reshape(-1).view(np.uint8).data, self._offset(at)
        try:
            while len(view):
                written = os.pwrite(self._file.fileno(), view, offset)
                view, offset = view[written:], offset + written
        except OSError as error:
            raise KMeansError(
                f"data: cannot keep the rows in {tempfile.gettempdir()} ({error.strerror}); "
                "set TMPDIR to a folder with room for all of them"
            ) from error

    def _offset(self, row: int) -> int:
        return row * self.columns * self._dtype.itemsize


def aligned_empty(shape: tuple[int, ...], dtype: np.dtype | type = np.float32) -> np.ndarray:
    """An array that TensorFlow can read in place, and in slices of whole multiples of 16 rows too."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def is_aligned(values: np.ndarray) -> bool:
    """Whether TensorFlow can read an array in place; it ends the process over one that it cannot."""
    return values.size > 0 and values.flags.c_contiguous and values.ctypes.data % _ALIGNMENT == 0
