"""Small multiples: how the values of a number spread within each segment, beside all customers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from components.report.figures.axis import Axis, Floats, Tick
from components.report.figures.palette import segment_colours
from components.trainer.words import as_line, in_words

WIDTH, GUTTER, MARGIN = 340, 30, 12
PITCH, RIDGE, FOOT = 36, 27, 28
BINS = 30
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEW = 20
"""Below so many values a histogram shows chance more than the segment: only its quartiles are drawn."""

_ENDS = (0.005, 0.995)
_LONG_TAIL = 4.0


@dataclasses.dataclass(frozen=True)
class Strip:
    """The values of one segment, or of all customers.

    Attributes:
      id: of the segment; None for all customers.
      name, colour: of the segment.
      count: customers with a value.
      shares: [bins], the part of them in each bin; what lies beyond the axis is in none.
      quantiles: at `QUANTILES`; empty without values.
      base: the line that the strip stands on, in pixels.
      area: SVG path data of the histogram, scaled to its own peak; "" for too few values.
      quartiles: where the lower quartile, the median and the upper one lie, in pixels; empty without values.
    """

    id: int | None
    name: str
    colour: str
    count: int
    shares: list[float]
    quantiles: list[float]
    base: float
    area: str
    quartiles: list[float]


@dataclasses.dataclass(frozen=True)
class Distribution:
    """A numeric column.

    Attributes:
      name, label: the column, as in the data and for people.
      log: whether the axis is logarithmic.
      edges: [bins + 1], the limits of the bins.
      outside: the share of all values that lie beyond the axis.
      everyone: all customers.
      outline: the same as SVG path data on base 0, to stand behind every segment.
      strips: one per segment.
      ticks: of the axis.
      width, height: in pixels.
    """

    name: str
    label: str
    log: bool
    edges: list[float]
    outside: float
    everyone: Strip
    outline: str
    strips: list[Strip]
    ticks: list[Tick]
    width: int
    height: int


def draw_distributions(
    numbers: Mapping[str, npt.NDArray[np.floating]],
    segment_ids: npt.NDArray[np.int64],
    segments: Sequence[tuple[int, str]],
) -> list[Distribution]:
    """Draws columns.

    Args:
      numbers: column -> [n] values, NaN where missing.
      segment_ids: [n], the segment of each row.
      segments: id and name of each segment.

    Returns:
      In the order of `numbers`; a column whose values are all the same, but for rounding, is left out.
    """
    drawn = []
    for name, values in numbers.items():
        column = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
        present = column[~np.isnan(column)]
        if _differ(present):
            drawn.append(_draw(name, column, present, segment_ids, segments))
    return drawn


def _differ(values: Floats) -> bool:
    if not values.size:
        return False
    with np.errstate(over="ignore"):
        span = np.ptp(values)
    # What rounding leaves of a constant has no axis, nor has what float64 cannot hold.
    return bool(np.isfinite(span) and span > max(1e-9 * np.abs(values).max(), 1e-200))


def _draw(
    name: str,
    column: Floats,
    present: Floats,
    segment_ids: npt.NDArray[np.int64],
    segments: Sequence[tuple[int, str]],
) -> Distribution:
    axis = _axis(present)
    edges = _edges(axis, present)
    colours = segment_colours(segment_id for segment_id, _ in segments)
    everyone = _strip(None, "", "", present, axis, edges, PITCH)
    strips = []
    for position, (segment_id, segment) in enumerate(segments):
        own = column[segment_ids == segment_id]
        base = (position + 2) * PITCH
        own = own[~np.isnan(own)]
        strips.append(_strip(segment_id, segment, colours[segment_id], own, axis, edges, base))
    return Distribution(
        name=name,
        label=as_line(in_words(name)),
        log=axis.log,
        edges=edges.tolist(),
        outside=max(1 - sum(everyone.shares), 0.0) if sum(everyone.shares) < 1 - 1e-9 else 0.0,
        everyone=everyone,
        outline=_area(np.array(everyone.shares), axis(edges), 0.0),
        strips=strips,
        ticks=axis.ticks(),
        width=WIDTH,
        height=(len(segments) + 1) * PITCH + FOOT,
    )


def _axis(present: Floats) -> Axis:
    """All values; where a few lie far out, the other 99 %. Amounts with a long tail get logarithmic steps."""
    low, high = float(present.min()), float(present.max())
    first, middle, last = np.quantile(present, (0.02, 0.5, 0.98)).tolist()
    log = low >= 0 and middle >= 1 and last - middle > _LONG_TAIL * (middle - first)
    inner_low, inner_high = np.quantile(present, _ENDS).tolist()
    if inner_high > inner_low and not log:
        spread = inner_high - inner_low
        low, high = max(low, inner_low - 0.25 * spread), min(high, inner_high + 0.25 * spread)
    if _whole(present):
        low, high = (low if log else np.floor(low) - 0.5), np.ceil(high) + 0.5
    return Axis(float(low), float(high), GUTTER, WIDTH - MARGIN, log)


def _whole(values: Floats) -> bool:
    return bool(np.array_equal(values, np.round(values)))


def _edges(axis: Axis, present: Floats) -> Floats:
    """Bins of equal length in the picture; those of whole numbers end halfway between two, so none is combed."""
    edges = axis.values(BINS)
    if not _whole(present):
        return edges
    if not axis.log:
        step = np.ceil((axis.high - axis.low) / BINS)
        steps = np.arange(axis.low, axis.high, step)
        # Of huge numbers the last step may come out beyond the end.
        return np.append(steps[steps < axis.high], axis.high)
    halves = np.unique(np.concatenate([[axis.low], np.floor(edges[1:-1]) + 0.5, [axis.high]]))
    return halves[halves >= axis.low]


def _strip(
    segment_id: int | None,
    name: str,
    colour: str,
    values: Floats,
    axis: Axis,
    edges: Floats,
    base: float,
) -> Strip:
    counts = np.histogram(values, edges)[0]
    shares = counts / max(values.size, 1)
    quantiles = np.quantile(values, QUANTILES).tolist() if values.size else []
    return Strip(
        id=segment_id,
        name=name,
        colour=colour,
        count=int(values.size),
        shares=np.round(shares, 6).tolist(),
        quantiles=quantiles,
        base=base,
        area=_area(shares, axis(edges), base) if values.size >= FEW else "",
        quartiles=np.round(axis(quantiles[1:4]), 1).tolist() if quantiles else [],
    )


def _area(shares: Floats, at: Floats, base: float) -> str:
    """A histogram as a path: steps whose area is the share, scaled so that the highest is `RIDGE` high."""
    widths = np.diff(at)
    density = np.divide(shares, widths, out=np.zeros_like(shares), where=widths > 0)
    peak = density.max(initial=0.0)
    if not peak > 0:
        return ""
    tops = base - density / peak * RIDGE
    # Equal neighbours, mostly empty ones, are one step.
    changes = np.flatnonzero(np.r_[True, np.abs(np.diff(tops)) >= 0.05])
    steps = "".join(f"H{at[i]:.1f}V{tops[i]:.1f}" for i in changes.tolist())
    return f"M{at[0]:.1f} {base:g}{steps}H{at[-1]:.1f}V{base:g}Z"
