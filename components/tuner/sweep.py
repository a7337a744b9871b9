"""The sweep over the numbers of segments, as the Report and people read it."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from typing import Any

from tfx.utils import io_utils

SWEEP_FILE = "sweep.json"


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One number of segments and what was measured of it.

    Attributes:
      k: number of segments.
      inertia: sum of squared distances of the fitted customers to their centroids; 0 where there are fewer
        different customers than k.
      silhouette, davies_bouldin, stability: see `components.metrics`; None where undefined.
      smallest_segment_share: of the fitted customers, in [0, 1].
      eligible: whether it may be chosen.
      reason: why not; empty otherwise.
      seconds: wall time of fitting and judging it.
    """

    k: int
    inertia: float
    silhouette: float | None
    davies_bouldin: float | None
    stability: float | None
    smallest_segment_share: float
    eligible: bool
    reason: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class Sweep:
    """All candidates by k, and the choice.

    Attributes:
      chosen: the number of segments.
      reason: why, in a sentence or two.
      tolerance: see `TunerConfig`.
      rows: customers that the candidates were fitted to: `inertia` and `smallest_segment_share` are of these.
      judged_rows: customers that the other figures are of.
      candidates: ascending k.
    """

    chosen: int
    reason: str
    tolerance: float
    rows: int
    judged_rows: int
    candidates: tuple[Candidate, ...]


def sweep_of(content: dict[str, Any]) -> Sweep:
    """Reads the object in `sweep.json`; candidates by ascending k.

    Raises:
      TypeError: a key is missing, or not known.
    """
    candidates = sorted((Candidate(**item) for item in content["candidates"]), key=lambda item: item.k)
    return Sweep(**{**content, "candidates": tuple(candidates)})


def defined(value: float) -> float | None:
    """The value, or None for NaN and infinity, which JSON does not know."""
    return float(value) if math.isfinite(value) else None


def write_sweep(uri: str, sweep: Sweep) -> None:
    """Writes `sweep.json` into an artifact: strict JSON, the attributes as keys."""
    text = json.dumps(dataclasses.asdict(sweep), indent=1, ensure_ascii=False, allow_nan=False)
    io_utils.write_string_file(os.path.join(uri, SWEEP_FILE), text + "\n")
