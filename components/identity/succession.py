"""Ids and names for the segments of a new model: those of the old ones that they continue, or ones never used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.identity import lineage
from components.identity.known import Known, Parent, Used
from components.identity.matching import Overlap, find_heirs


@dataclass(frozen=True)
class Succession:
    """Who the new segments are.

    ids: one per segment, all different. names: the name of a segment that keeps its id, None for one that needs a
    name. taken: names that a new one must not have. record: the part `identity` of segments.json.
    """

    ids: Sequence[int]
    names: Sequence[str | None]
    taken: frozenset[str]
    record: dict[str, Any]


def succeed(
    overlap: Overlap | None, k: int, parent: Parent, known: Known, min_overlap: float = 0.5
) -> Succession:
    """Gives each of k clusters an id for life.

    Args:
      overlap: of the parent's segments, in their order, and the clusters; None where the parent cannot be asked.
      k: number of clusters.
      parent: the model in production.
      known: every id that was ever served, by the parent or by versions that are served no more.
      min_overlap: see `find_heirs`.

    Returns:
      Their ids and names. Clusters that continue no segment get new ids in their order.
    """
    if overlap is None:
        overlap = Overlap(np.zeros([len(parent.ids), k], np.int64), np.zeros(k, np.int64))
    heirs = find_heirs(overlap, min_overlap)
    next_id = max([known.next_id, *(i + 1 for i in known.used), *(i + 1 for i in parent.ids)])
    ids: list[int] = []
    for heir in heirs.tolist():
        ids.append(parent.ids[heir] if heir >= 0 else next_id)
        next_id += heir < 0
    alive = {i: Used(name, parent.version) for i, name in zip(parent.ids, parent.names, strict=True)}
    retired = {i: used for i, used in sorted({**known.used, **alive}.items()) if i not in ids}
    names = [parent.names[heir] if heir >= 0 else None for heir in heirs.tolist()]
    record = {
        "parent": parent.version,
        "next_id": next_id,
        "retired": [
            {"id": i, "name": used.name, "last_version": used.last_version} for i, used in retired.items()
        ],
        "segments": _segments(overlap, heirs, ids, parent),
        "customers": int(overlap.sizes.sum()),
    }
    taken = frozenset(used.name for used in retired.values()) | {name for name in names if name is not None}
    return Succession(ids, names, taken, record)


def _segments(
    overlap: Overlap, heirs: np.ndarray, ids: Sequence[int], parent: Parent
) -> list[dict[str, Any]]:
    old_ids = np.array(parent.ids, np.int64)
    strength = np.minimum(overlap.of_old, overlap.of_new)
    return [
        {
            "id": ids[j],
            "kind": kind,
            "from": lineage.flows(overlap.counts[:, j], int(overlap.sizes[j]), old_ids, ids[j]),
            "overlap": float(strength[:, j].max(initial=0.0)),
        }
        for j, kind in enumerate(lineage.kinds(overlap, heirs))
    ]
