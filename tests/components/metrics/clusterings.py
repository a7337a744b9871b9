"""Rows and their segments, to measure."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st


@st.composite
def clusterings(draw):
    """Rows in 2 to 6 segments of uneven sizes, single rows and repeated rows among them; any sort of ids."""
    d = draw(st.integers(1, 5))
    sizes = draw(st.lists(st.integers(1, 12), min_size=2, max_size=6).filter(lambda s: sum(s) > len(s)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.floats(0.01, 10))
    ids = np.repeat(draw(st.permutations(range(len(sizes)))), sizes)
    rows = rng.normal(size=(len(sizes), d))[ids] * 3 + rng.normal(size=(len(ids), d)) * spread
    if draw(st.booleans()):
        # The last row of a segment twice: never in two segments, whose means might then coincide.
        rows, ids = np.vstack([rows, rows[-1:]]), np.append(ids, ids[-1])
    order = rng.permutation(len(ids))
    return rows[order].astype(np.float32), ids[order] * 10 + 1


def three_blobs(offset: float) -> tuple[np.ndarray, np.ndarray]:
    """97 rows float64 [97, 3] in three segments, `offset` away from the origin."""
    rng = np.random.default_rng(1)
    ids = np.repeat([1, 2, 3], [50, 40, 7])
    return rng.normal(size=(97, 3)) + ids[:, None] * 4 + offset, ids
