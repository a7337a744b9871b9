"""The most frequent categories of all columns from one analyzer, and one lookup for all of them.

`tft.vocabulary` takes an analyzer of a dozen Beam stages, a file and a table per column: with 40 text columns most of
the time of a run went there. Here the columns are counted together. The categories become constants of the graph,
found by binary search for their fingerprints and compared as text, so that no fingerprint decides alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
import tensorflow_transform as tft

UNSEEN = -1
MISSING = -2

_PREFIX = 5
_FINGERPRINTS = 2**63 - 1
_COMPACT_ROWS = 200_000


@dataclass(frozen=True)
class Vocabularies:
    """What was found.

    index: column -> the place of each of its values in its vocabulary, int64 [n]; `UNSEEN` where it has none, and
    `MISSING` for ''. shares: column -> float64 [size + 2], the share of the values in each place, then of others, then
    of missing ones. words: string [sum of sizes], the vocabularies one after the other; '' where one is smaller.
    """

    index: Mapping[str, tf.Tensor]
    shares: Mapping[str, tf.Tensor]
    words: tf.Tensor


def look_up(columns: Mapping[str, tuple[tf.Tensor, int]]) -> Vocabularies:
    """Learns and applies vocabularies.

    Args:
      columns: name -> its values, string [n], and how many of the most frequent get a place. Of equally frequent ones
        the alphabetically first do. There is at least one column.
    """
    sizes = [size for _, size in columns.values()]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    total = int(starts[-1])
    keys = tf.concat(
        [tf.strings.join([_prefix(i), values]) for i, (values, _) in enumerate(columns.values())], axis=0
    )
    words, fingerprints, places, shares, rest = tft.experimental.ptransform_analyzer(
        [keys],
        _Analysis(sizes),
        [tf.string, tf.int64, tf.int64, tf.float64, tf.float64],
        [[total], [total], [total], [total], [len(sizes), 2]],
        name="vocabularies",
    )
    lengths = [tf.shape(values)[0] for values, _ in columns.values()]
    values = tf.concat([each for each, _ in columns.values()], axis=0)
    position = tf.searchsorted(fingerprints, tf.strings.to_hash_bucket_fast(keys, _FINGERPRINTS))
    place = tf.gather(places, tf.minimum(position, total - 1))
    is_word = tf.equal(tf.gather(words, place), values)
    index: dict[str, tf.Tensor] = {}
    split = zip(*(tf.split(each, lengths) for each in (place, is_word, values)), strict=True)
    for i, (name, (own, found, text)) in enumerate(zip(columns, split, strict=True)):
        start = int(starts[i])
        found &= (own >= start) & (own < start + sizes[i])
        own = tf.where(found, own - start, tf.constant(UNSEEN, tf.int64))
        index[name] = tf.where(tf.equal(text, ""), tf.constant(MISSING, tf.int64), own)
    return Vocabularies(
        index,
        {
            name: tf.concat([shares[starts[i] : starts[i + 1]], rest[i]], axis=0)
            for i, name in enumerate(columns)
        },
        words,
    )


def _prefix(column: int) -> str:
    return f"{column:0{_PREFIX}d}"


class _Analysis(beam.PTransform):
    """Batches (keys [n],) -> the tables of `look_up`, each as the one element of a collection."""

    def __init__(self, sizes: Sequence[int]):
        super().__init__()
        self._sizes = list(sizes)

    def expand(self, batches: beam.PCollection) -> tuple[beam.PCollection, ...]:
        tables = batches | beam.CombineGlobally(_CountFn(self._sizes))
        return tuple(tables | f"Table{i}" >> beam.Map(lambda found, i=i: found[i]) for i in range(5))


class _CountFn(beam.CombineFn):
    """Accumulates (key, count) tables; memory follows the number of distinct keys."""

    def __init__(self, sizes: Sequence[int]):
        super().__init__()
        self._sizes = list(sizes)

    def create_accumulator(self) -> list[pa.Table]:
        return []

    def add_input(self, accumulator: list[pa.Table], batch: tuple[np.ndarray]) -> list[pa.Table]:
        counted = pc.value_counts(pa.array(batch[0].ravel(), pa.binary()))
        accumulator.append(pa.table({"key": counted.field(0), "count": counted.field(1)}))
        # The first is what was merged before: merging again pays once as much has come.
        fresh = sum(len(table) for table in accumulator[1:])
        return _merged(accumulator) if fresh > max(_COMPACT_ROWS, len(accumulator[0])) else accumulator

    def merge_accumulators(self, accumulators: Iterable[list[pa.Table]]) -> list[pa.Table]:
        return _merged([table for tables in accumulators for table in tables])

    def compact(self, accumulator: list[pa.Table]) -> list[pa.Table]:
        return _merged(accumulator)

    def extract_output(self, accumulator: list[pa.Table]) -> Any:
        keys: np.ndarray = np.zeros(0, object)
        counts = np.zeros(0)
        for table in _merged(accumulator):
            keys = table["key"].to_numpy()
            counts = table["count"].to_numpy().astype(np.float64)
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
        ends = [_prefix(i).encode() for i in range(len(self._sizes) + 1)]
        bounds = np.searchsorted(keys, np.array(ends, object))
        words, shares, rest, prefixed = [], [], [], []
        for i, size in enumerate(self._sizes):
            own = slice(bounds[i], bounds[i + 1])
            found = [key[_PREFIX:] for key in keys[own]]
            number = counts[own]
            total = max(number.sum(), 1.0)
            # In alphabetical order, so the missing value comes first, and ties stay in that order.
            missing = number[:1].sum() if found and not found[0] else 0.0
            top = [j for j in np.argsort(-number, kind="stable")[: size + 1].tolist() if found[j]][:size]
            padding = size - len(top)
            words += [found[j] for j in top] + [b""] * padding
            prefixed += [keys[own][j] for j in top] + [None] * padding
            shares += [number[j] / total for j in top] + [0.0] * padding
            rest.append([(number.sum() - missing - number[top].sum()) / total, missing / total])
        fingerprints = np.full(len(words), _FINGERPRINTS, np.int64)
        known = np.array([key is not None for key in prefixed], bool)
        real = [key for key in prefixed if key is not None]
        if real:
            fingerprints[known] = tf.strings.to_hash_bucket_fast(
                tf.constant(real, tf.string), _FINGERPRINTS
            ).numpy()
        places = np.argsort(fingerprints, kind="stable").astype(np.int64)
        return np.array(words, object), fingerprints[places], places, np.array(shares), np.array(rest)


def _merged(tables: list[pa.Table]) -> list[pa.Table]:
    if len(tables) < 2:
        return tables
    merged = pa.concat_tables(tables).group_by("key").aggregate([("count", "sum")])
    return [merged.rename_columns(["count", "key"]).select(["key", "count"]).combine_chunks()]
