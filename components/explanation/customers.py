"""Finds one customer among all of them, and says what was near when there is none."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from components.example_files import records
from configs.errors import ConfigError

_BATCH = 16_384
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
    """Looks for a customer's id in TFRecord files of tf.Examples.

    Only the id is parsed, a batch at a time: 1,000,000 customers take about two seconds.
    """
    key = wanted.encode()

    def look(examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parsed = tf.io.parse_example(examples, {id_column: tf.io.FixedLenFeature([], tf.string, "")})
        ids = parsed[id_column]
        return ids, tf.boolean_mask(examples, tf.equal(ids, key))

    seen: list[pa.Array] = []
    searched = 0
    batches = records(files).batch(_BATCH).map(look, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)
    for ids, found in batches.as_numpy_iterator():
        searched += len(ids)
        if len(found):
            return Search(bytes(found[0]), searched, [])
        seen.append(pa.array(ids, pa.binary()))
    everyone = pa.concat_arrays(seen) if seen else pa.array([], pa.binary())
    return Search(None, searched, similar_ids(everyone, wanted))


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
