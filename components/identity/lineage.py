"""What became of old segments: kept, split, merged, or new ones beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from components.identity.matching import Overlap

KEPT, NEW, SPLIT, MERGED = "kept", "new", "split", "merged"

MAJORITY = 0.5
SUBSTANTIAL = 0.2
"""A part of a split is at least so much of the old segment; a part of a merger, of the new one."""
_WORTH_TELLING = 0.01


def kinds(overlap: Overlap, heirs: npt.NDArray[np.int64]) -> list[str]:
    """Says for every cluster what happened.

    `merged`: two old segments or more each gave most of their customers to it, and make up a substantial part of it.
    `split`: most of its customers are from one old segment, of which it and at least one more such cluster are
    substantial parts. Either may have inherited an id: the old one's that it continues. Otherwise `kept` where it
    has, and `new` where it has not.

    Args:
      overlap: of p old segments and c clusters.
      heirs: [c], of `find_heirs`.
    """
    of_old, of_new = overlap.of_old, overlap.of_new
    sources = ((of_old > MAJORITY) & (of_new >= SUBSTANTIAL)).sum(axis=0)
    parts = (of_new > MAJORITY) & (of_old >= SUBSTANTIAL)
    of_a_split = (parts & (parts.sum(axis=1, keepdims=True) >= 2)).any(axis=0)
    return [
        MERGED if sources[j] >= 2 else SPLIT if of_a_split[j] else KEPT if heirs[j] >= 0 else NEW
        for j in range(len(heirs))
    ]


def flows(
    counts: npt.NDArray[np.int64], total: int, ids: npt.NDArray[np.int64], always: int | None = None
) -> list[dict[str, Any]]:
    """Where the customers of one segment are from, or went to, the most of them first.

    Args:
      counts: int64 [m], customers per segment on the other side.
      total: of which the shares are.
      ids: int64 [m], of the segments on the other side.
      always: the id of a segment that is listed whatever its share; others from 1 % on.

    Returns:
      `id`, `customers` and `share` of each.
    """
    listed = np.flatnonzero((counts > 0) & ((counts >= _WORTH_TELLING * total) | (ids == always)))
    ranked = listed[np.lexsort((ids[listed], -counts[listed]))]
    return [
        {"id": int(ids[i]), "customers": int(counts[i]), "share": float(counts[i] / total)} for i in ranked
    ]
