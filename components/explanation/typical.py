"""How typical a customer is: its distance among those of the segment's customers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Rank:
    """A distance among those of a segment.

    customers: how many are in the segment. farther: the share of them that are farther from its centre.
    """

    customers: int
    farther: float


def rank_in_segment(assignments: str, segment_id: int, distance: float) -> Rank | None:
    """Ranks a distance in the table of assignments of the version that gave it.

    Args:
      assignments: the Parquet file.
      segment_id: the segment.
      distance: to its centre.

    Returns:
      None where the table or the segment's customers are not there.
    """
    try:
        table = pq.read_table(assignments, columns=["segment_id", "distance"])
    except OSError:
        return None
    distances = table["distance"].filter(pc.equal(table["segment_id"], segment_id)).to_numpy()
    if not len(distances):
        return None
    # The table's distances are float32, and so must this one be, or the customer itself would be farther.
    return Rank(len(distances), float(np.mean(distances > np.float32(distance))))
