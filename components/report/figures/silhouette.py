"""The silhouette plot: every sampled customer's silhouette, sorted within the segments."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.report.figures.axis import Axis, Floats, Tick
from components.report.figures.palette import segment_colours

WIDTH, GUTTER, MARGIN, FOOT = 700, 34, 16, 26
HEIGHT, GAP, LEAST = 340, 9, 15
_STEPS = 160


@dataclasses.dataclass(frozen=True)
class Blade:
    """The silhouettes of one segment.

    Attributes:
      id, name, colour: of the segment.
      count: its customers in the sample.
      mean: of their silhouettes; None without customers.
      below: the share of them below 0: closer to another segment.
      top, middle: where it begins and where its number stands, in pixels.
      area: SVG path data.
      values: the silhouettes, the highest first, thinned to at most 160 of equal spacing in rank.
    """

    id: int
    name: str
    colour: str
    count: int
    mean: float | None
    below: float
    top: float
    middle: float
    area: str
    values: list[float]


@dataclasses.dataclass(frozen=True)
class SilhouettePlot:
    """The picture.

    Attributes:
      blades: one per segment.
      rows: customers in it.
      mean: of all their silhouettes, and where that is, in pixels.
      below: the share of them below 0.
      zero: where 0 is, in pixels.
      ticks: of the axis.
      width, height: in pixels.
      split: where the customers come from.
    """

    blades: list[Blade]
    rows: int
    mean: float
    mean_at: float
    below: float
    zero: float
    ticks: list[Tick]
    width: int
    height: int
    split: str


def draw_silhouettes(
    values: Floats,
    segment_ids: npt.NDArray[np.int64],
    segments: Sequence[tuple[int, str]],
    split: str,
) -> SilhouettePlot | None:
    """Draws silhouettes [n] of customers in `segment_ids` [n]; None where they are undefined (one segment)."""
    if not values.size or np.isnan(values).any():
        return None
    # From 0, or from a round number below the lowest.
    low = min(np.floor(float(values.min()) * 10) / 10, 0.0)
    axis = Axis(low, max(1.0, low + 1), GUTTER, WIDTH - MARGIN)
    colours = segment_colours(segment_id for segment_id, _ in segments)
    top, blades = 6.0, []
    for segment_id, name in segments:
        own = np.sort(values[segment_ids == segment_id])[::-1]
        height = max(HEIGHT * own.size / values.size, 1.0) if own.size else 0.0
        thinned = own[np.linspace(0, max(own.size - 1, 0), min(own.size, _STEPS)).round().astype(int)]
        blades.append(
            Blade(
                id=segment_id,
                name=name,
                colour=colours[segment_id],
                count=int(own.size),
                mean=float(own.mean()) if own.size else None,
                below=float((own < 0).mean()) if own.size else 0.0,
                top=round(top, 1),
                middle=round(top + height / 2, 1),
                area=_blade(thinned, axis, top, height),
                values=np.round(thinned, 3).tolist(),
            )
        )
        # A sliver still leaves room for its number.
        top += max(height, LEAST) + GAP
    return SilhouettePlot(
        blades=blades,
        rows=int(values.size),
        mean=float(values.mean()),
        mean_at=round(float(axis(values.mean())), 1),
        below=float((values < 0).mean()),
        zero=round(float(axis(0.0)), 1),
        ticks=axis.ticks(6),
        width=WIDTH,
        height=round(top - GAP + 6 + FOOT),
        split=split,
    )


def _blade(values: Floats, axis: Axis, top: float, height: float) -> str:
    if not values.size:
        return ""
    at = axis(values)
    edges = top + height * np.arange(values.size + 1) / values.size
    steps = "".join(f"H{x:.1f}V{y:.1f}" for x, y in zip(at.tolist(), edges[1:].tolist(), strict=True))
    zero = float(axis(0.0))
    return f"M{zero:.1f} {top:.1f}{steps}H{zero:.1f}Z"
