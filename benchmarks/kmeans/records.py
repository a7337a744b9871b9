"""TFRecords of rows for the streamed case.

A record holds a block of rows as raw float32 bytes. One tf.train.Example per row, the usual way, would make the
case measure the parser and nothing else: parsing ten million of them takes longer than clustering them.

    python -m benchmarks.kmeans.records ROWS.npy FOLDER
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

BLOCK_ROWS = 4_096
_FILES = 8
_READ_BYTES = 4 << 20
_AHEAD = 8


def write_records(rows: np.ndarray, folder: Path) -> None:
    """Writes rows [n, d] as eight TFRecord files into `folder`, and their number of columns beside them.

    Only a block of rows is in memory at a time if `rows` is a memory map.
    """
    import tensorflow as tf

    folder.mkdir(parents=True, exist_ok=True)
    bounds = np.linspace(0, len(rows), _FILES + 1).astype(int)
    for number, (first, last) in enumerate(itertools.pairwise(bounds)):
        with tf.io.TFRecordWriter(str(folder / f"rows-{number:02d}.tfrecord")) as writer:
            for start in range(first, last, BLOCK_ROWS):
                block = rows[start : min(start + BLOCK_ROWS, last)]
                writer.write(np.ascontiguousarray(block, "<f4").tobytes())
    (folder / "shape.json").write_text(json.dumps({"rows": len(rows), "columns": rows.shape[1]}))


def open_records(folder: Path) -> tf.data.Dataset:
    """Opens what `write_records` wrote: float32 [at most 4,096, d] per element, in the order of the rows.

    Memory is bounded by the few blocks that are read ahead.
    """
    import tensorflow as tf

    columns = json.loads((folder / "shape.json").read_text())["columns"]
    files = sorted(str(path) for path in folder.glob("rows-*.tfrecord"))

    def decode(record: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tf.io.decode_raw(record, tf.float32), [-1, columns])

    return tf.data.TFRecordDataset(files, buffer_size=_READ_BYTES).map(decode).prefetch(_AHEAD)


if __name__ == "__main__":
    write_records(np.load(sys.argv[1], mmap_mode="r"), Path(sys.argv[2]))
