"""Finds one customer among all of them, and says what was near when there is none."""

from __future__ import annotations

import difflib
import functools
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from components.example_files import compression_of
from configs.errors import ConfigError

_BATCH = 16_384
_READ_BYTES = 8 << 20
_CANDIDATES = 2_000
_LEAST_INSIDE = 3


@dataclass(frozen=True)
class Search:
    """What a search came to.

    found: the customer's serialized tf.Example. searched: how many customers were looked at. near: ids that look
    like the one that was not found.
    """

    found: bytes | None
    searched: int
    near: list[str]


def find_customer(files: Sequence[str], id_column: str, wanted: str) -> Search:
    """Looks for a customer's id in local TFRecord files of tf.Examples, plain or gzip (`.gz`).

    Only files that hold its bytes are parsed, and of those only the ids, up to the customer. Of an id that is not
    there all others are read, to find what is near.
    """
    key, searched = wanted.encode("utf-8", "surrogateescape"), 0
    for batch in _batches([file for file in files if _may_hold(file, key)], id_column, key):
        searched += len(batch[0])
        if len(batch[1]):
            return Search(bytes(batch[1][0]), searched, [])
    ids = [pa.array(batch[0], pa.binary()) for batch in _batches(files, id_column, key)]
    everyone = pa.concat_arrays(ids) if ids else pa.array([], pa.binary())
    return Search(None, len(everyone), similar_ids(everyone, wanted))


def _batches(
    files: Sequence[str], id_column: str, key: bytes
) -> Iterator[tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]]:
    """The ids of a batch [n], and the serialized tf.Examples among them that have this one."""

    @tf.autograph.experimental.do_not_convert
    def look(examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parsed = tf.io.parse_example(examples, {id_column: tf.io.FixedLenFeature([], tf.string, "")})
        ids = parsed[id_column]
        return ids, tf.boolean_mask(examples, tf.equal(ids, key))

    # A file after the other: to interleave them, as for training, costs three times as much as to read them.
    for file in files:
        examples = tf.data.TFRecordDataset(file, compression_of(file), buffer_size=_READ_BYTES)
        yield from examples.batch(_BATCH).map(look, tf.data.AUTOTUNE).prefetch(2).as_numpy_iterator()


def _may_hold(file: str, key: bytes) -> bool:
    """Whether the bytes are in a file at all: 1,000,000 customers take a tenth of a second."""
    if compression_of(file) or not os.path.getsize(file):
        return True
    with open(file, "rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(key) >= 0


def similar_ids(ids: pa.Array, wanted: str, most: int = 3) -> list[str]:
    """Ids that may have been meant: written differently, else those that begin alike and are most like it.

    Args:
      ids: binary or string [n].
      wanted: what was looked for.
      most: how many at most.
    """
    text = _decoded(ids)
    bare = _bare(pa.array([wanted]))[0]
    same = text.filter(pc.equal(_bare(text), bare)).unique().to_pylist()
    if same:
        return same[:most]
    for alike in _looser(wanted):
        found = text.filter(alike(text)).slice(0, _CANDIDATES).unique().to_pylist()
        if found:
            return difflib.get_close_matches(wanted, found, n=most, cutoff=0.0)
    return []


def _looser(wanted: str) -> Iterator[Callable[[pa.Array], pa.Array]]:
    """Ever weaker ways to be like an id."""
    for length in range(len(wanted), max(len(wanted) // 2, 2) - 1, -1):
        yield functools.partial(pc.starts_with, pattern=wanted[:length])
    if len(wanted) >= _LEAST_INSIDE:
        yield functools.partial(pc.match_substring, pattern=wanted)


def not_found(wanted: str, search: Search) -> ConfigError:
    """The error for people."""
    near = f"; did you mean {' or '.join(map(repr, search.near))}?" if search.near else ""
    return ConfigError(
        f"there is no customer '{wanted}' among the {search.searched:,} of the last run's data{near}"
    )


def _decoded(ids: pa.Array) -> pa.Array:
    try:
        return pc.cast(ids, pa.string())
    except pa.ArrowInvalid:
        return pa.array([value.decode("utf-8", "replace") for value in ids.to_pylist()], pa.string())


def _bare(ids: pa.Array) -> pa.Array:
    """Without what differs between two writings of an id: case, spaces, leading zeros, a fraction that is 0."""
    folded = pc.replace_substring_regex(pc.utf8_lower(pc.utf8_trim_whitespace(ids)), r"\.0+$", "")
    return pc.replace_substring_regex(folded, r"^([^0-9]*)0+([0-9])", r"\1\2")
