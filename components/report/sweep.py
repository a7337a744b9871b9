"""The sweep over numbers of segments, as SegmentSweep's `sweep.json` tells it."""

from __future__ import annotations

import dataclasses
from typing import Any

from components.trainer.words import format_number

SWEEP_FILE = "sweep.json"


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A number of segments and how the model with so many did. None where a metric is undefined.

    Attributes:
      k: the number of segments.
      inertia: sum of squared distances to the centres.
      silhouette, davies_bouldin, stability, smallest_segment_share: metrics, as `metrics.MEANINGS` explains them.
      eligible: whether it could be chosen.
      reason: why not, where it could not.
      seconds: what it took.
      chosen: whether it is the one.
    """

    k: int
    inertia: float | None
    silhouette: float | None
    davies_bouldin: float | None
    stability: float | None
    smallest_segment_share: float | None
    eligible: bool
    reason: str
    seconds: float | None
    chosen: bool


@dataclasses.dataclass(frozen=True)
class Sweep:
    """The search for the number of segments.

    Attributes:
      chosen: the number taken.
      reason: why.
      tolerance: how far below the best a smaller number may be.
      rows, judged_rows: customers that candidates were fitted and judged on; None where it is not said.
      candidates: by rising k.
    """

    chosen: int
    reason: str
    tolerance: float | None
    rows: int | None
    judged_rows: int | None
    candidates: list[Candidate]

    @property
    def tolerance_text(self) -> str:
        return format_number(self.tolerance)


def sweep_of(content: dict[str, Any]) -> Sweep:
    """Reads the object in `sweep.json`.

    Raises:
      KeyError: it lacks a key.
    """
    chosen = content["chosen"]
    numbers = ("inertia", "silhouette", "davies_bouldin", "stability", "smallest_segment_share", "seconds")
    candidates = [
        Candidate(
            k=item["k"],
            eligible=bool(item.get("eligible", True)),
            reason=item.get("reason") or "",
            chosen=item["k"] == chosen,
            **{name: item.get(name) for name in numbers},
        )
        for item in content["candidates"]
    ]
    return Sweep(
        chosen=chosen,
        reason=content.get("reason") or "",
        tolerance=content.get("tolerance"),
        rows=content.get("rows"),
        judged_rows=content.get("judged_rows"),
        candidates=sorted(candidates, key=lambda candidate: candidate.k),
    )
