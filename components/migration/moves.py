"""Who moved, and whether the customer changed or the model did. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Segments = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Moves:
    """Customers and their segments before and after.

    rows: int64 [m], who was in a segment before, as positions in what was compared. before, after: int64 [m]. own:
    bool [m], who would have moved without a new model, or None where nothing tells.
    """

    rows: Segments
    before: Segments
    after: Segments
    own: npt.NDArray[np.bool_] | None

    @property
    def moved(self) -> npt.NDArray[np.bool_]:
        """bool [m]: whose segment is another one."""
        return self.before != self.after

    @property
    def own_change(self) -> int | None:
        """Of those who moved, how many changed themselves."""
        return None if self.own is None else int((self.moved & self.own).sum())

    def counts(self, before_ids: Segments, after_ids: Segments) -> Segments:
        """The matrix int64 [p, c] of customers by the segments that they were in and are in.

        Args:
          before_ids, after_ids: int64 [p] and [c], ascending; others are left out.
        """
        rows, columns = np.searchsorted(before_ids, self.before), np.searchsorted(after_ids, self.after)
        listed = np.isin(self.before, before_ids) & np.isin(self.after, after_ids)
        cells = rows[listed] * len(after_ids) + columns[listed]
        counts = np.bincount(cells, minlength=len(before_ids) * len(after_ids))
        return counts.reshape(len(before_ids), len(after_ids)).astype(np.int64)


def find_moves(
    after: Segments, parent_now: Segments | None, published: Segments | None, nowhere: int = -1
) -> Moves:
    """Tells where n customers of today were, and are.

    A customer was where the parent's table says. The parent, asked about the same customer as of today, says whether
    the customer's own change would have been a move anyway; the other moves are the new model's doing. Without such a
    table, or with one of other customers, all were where the parent puts them today.

    Args:
      after: int64 [n], by the new model.
      parent_now: int64 [n], by the parent, as of today; None where it cannot be asked.
      published: int64 [n], by the parent's table; `nowhere` for customers it does not have; None for no table.
      nowhere: stands for no segment.
    """
    if published is not None and (published != nowhere).any():
        rows = np.flatnonzero((published != nowhere) & (after != nowhere))
        own = None if parent_now is None else parent_now[rows] != published[rows]
        return Moves(rows, published[rows], after[rows], own)
    if parent_now is None:
        none = np.zeros(0, np.int64)
        return Moves(none, none, none, None)
    rows = np.flatnonzero(after != nowhere)
    return Moves(rows, parent_now[rows], after[rows], None)
