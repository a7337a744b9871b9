"""The most frequent categories of several columns: counted in batches, against a Counter."""

from __future__ import annotations

import pickle
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.vocabulary import _CountFn


def keys(column: int, values: list[str]) -> list[bytes]:
    return [f"{column:05d}{value}".encode() for value in values]


def analyzed(sizes: list[int], batches: list[list[bytes]]) -> tuple[list[bytes], np.ndarray, np.ndarray]:
    fn = _CountFn(sizes)
    accumulators = [fn.create_accumulator(), fn.create_accumulator()]
    for i, batch in enumerate(batches):
        accumulators[i % 2] = fn.add_input(accumulators[i % 2], (np.array(batch, object),))
    sent = pickle.loads(pickle.dumps(fn.compact(accumulators[0])))
    merged = fn.merge_accumulators([sent, accumulators[1], fn.create_accumulator()])
    words, fingerprints, places, shares, rest = fn.extract_output(merged)
    assert np.all(np.diff(fingerprints) >= 0)
    assert sorted(places.tolist()) == list(range(sum(sizes)))
    return words.tolist(), shares, rest


TEXTS = st.lists(st.sampled_from(["", "a", "b", "c", "Ü", "a b", "0", "longer"]), max_size=40)


@settings(max_examples=40, deadline=None)
@given(TEXTS, TEXTS, st.integers(1, 9))
def test_counts_are_those_of_a_counter(first: list[str], second: list[str], size: int) -> None:
    # Another column holds the same words: they are not mixed up.
    whole = keys(0, first) + keys(1, second)
    words, shares, rest = analyzed([size, 2], [whole[i : i + 7] for i in range(0, len(whole), 7)] or [[]])
    for start, end, values, (other, missing) in (
        (0, size, first, rest[0]),
        (size, size + 2, second, rest[1]),
    ):
        counts = Counter(value.encode() for value in values if value)
        expected = sorted(counts, key=lambda word: (-counts[word], word))[: end - start]
        found = [word for word in words[start:end] if word]
        assert found == expected
        n = max(len(values), 1)
        np.testing.assert_allclose(shares[start : start + len(found)], [counts[w] / n for w in found])
        np.testing.assert_array_equal(shares[start + len(found) : end], 0)
        assert missing == values.count("") / n
        np.testing.assert_allclose(other, sum(counts[w] for w in counts if w not in found) / n, atol=1e-12)


def test_a_column_of_100_000_distinct_values() -> None:
    random = np.random.default_rng(0)
    rare = [f"city{i}" for i in random.permutation(100_000)]
    values = rare + ["common"] * 5 + ["second"] * 3
    batches = [keys(0, values[i : i + 1000]) for i in range(0, len(values), 1000)]
    words, shares, rest = analyzed([4], batches)
    assert words == [b"common", b"second", b"city0", b"city1"]
    assert shares[0] == 5 / len(values)
    assert rest[0, 0] == (len(values) - 10) / len(values)


def test_values_that_are_not_utf8_are_categories_too() -> None:
    words, shares, _ = analyzed([2], [[b"00000\xff\xfe", b"00000\xff\xfe", b"00000x\ny"]])
    assert words == [b"\xff\xfe", b"x\ny"]
    np.testing.assert_allclose(shares, [2 / 3, 1 / 3])
