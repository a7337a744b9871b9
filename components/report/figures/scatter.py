"""The customers on their principal plane, as the geometry of an SVG."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.report.figures.palette import segment_colours
from components.report.projection import Floats, locate_centroids, principal_plane
from components.report.sample import Sample
from components.trainer.words import as_line, in_words

WIDTH, MARGIN = 760, 30
LOWEST, HIGHEST = 300, 560
_LOADINGS = 3
_NOTABLE_LOADING = 0.3
_LABEL_GAP = 26
_LAYERS = 4


@dataclasses.dataclass(frozen=True)
class Group:
    """The customers of one segment in the picture.

    Attributes:
      id, name, colour: of the segment.
      dots: SVG path data, a dot per customer, in layers: drawn by turns, no segment hides the others.
      x, y: the centroid, in pixels; None where it is unknown.
      label_x, label_y: where its number stands, kept apart from the others'.
      points: [customers, 2], their coordinates on the plane.
      centroid: [2], the centroid's; None where it is unknown.
      neighbours: id -> the share of the segment's customers shown whose next nearest segment that is, the most
        frequent first.
    """

    id: int
    name: str
    colour: str
    dots: list[str]
    x: float | None
    y: float | None
    label_x: float | None
    label_y: float | None
    points: list[list[float]]
    centroid: list[float] | None
    neighbours: dict[int, float]


@dataclasses.dataclass(frozen=True)
class Scatter:
    """A scatter plot.

    Attributes:
      width, height: of the picture, in pixels.
      groups: one per segment.
      explained: the share of the variance along each axis.
      axes: what moves a customer along each axis, in words.
      customers: how many are shown.
      outliers: how many of them the model calls outliers.
      at_edge: how many of them lie outside the frame and are drawn on its edge.
      split: where the customers come from.
      exact: whether the centroids are the model's; else the means of the customers shown.
    """

    width: int
    height: int
    groups: list[Group]
    explained: tuple[float, float]
    axes: tuple[str, str]
    customers: int
    outliers: int
    at_edge: int
    split: str
    exact: bool


def draw_scatter(sample: Sample, segments: Sequence[tuple[int, str]], vector: Sequence[str]) -> Scatter:
    """Draws a sample.

    Args:
      sample: at least one customer.
      segments: id and name of each segment, in the order of the sample's distances.
      vector: the name of each transformed coordinate.
    """
    plane = principal_plane(sample.features)
    points = plane(sample.features)
    members = [sample.segment_ids == segment_id for segment_id, _ in segments]
    located = locate_centroids(sample.features, sample.distances)
    if located is not None:
        centroids = plane(located)
    else:
        means = [points[own].mean(axis=0) if own.any() else [np.nan, np.nan] for own in members]
        centroids = np.asarray(means, np.float64)
    frame = _Frame.around(points, centroids)
    pixels, centres = frame.pixels(points), frame.pixels(centroids)
    labels = _spread(centres, frame.height)
    colours = segment_colours(segment_id for segment_id, _ in segments)
    layers = [slice(start, None, _LAYERS) for start in range(_LAYERS)]
    return Scatter(
        width=WIDTH,
        height=frame.height,
        groups=[
            Group(
                id=segment_id,
                name=name,
                colour=colours[segment_id],
                dots=[_dots(pixels[layer][own[layer]]) for layer in layers],
                x=_rounded(centres[position, 0]),
                y=_rounded(centres[position, 1]),
                label_x=_rounded(labels[position, 0]),
                label_y=_rounded(labels[position, 1]),
                points=np.round(points[own], 4).tolist(),
                centroid=None
                if np.isnan(centroids[position]).any()
                else np.round(centroids[position], 4).tolist(),
                neighbours=_neighbours(sample.distances[own], position, [i for i, _ in segments]),
            )
            for position, ((segment_id, name), own) in enumerate(zip(segments, members, strict=True))
        ],
        explained=(float(plane.explained[0]), float(plane.explained[1])),
        axes=(_axis_in_words(plane.axes[0], vector), _axis_in_words(plane.axes[1], vector)),
        customers=len(points),
        outliers=int(sample.outliers.sum()),
        at_edge=frame.outside(points),
        split=sample.split,
        exact=located is not None,
    )


@dataclasses.dataclass(frozen=True)
class _Frame:
    """The part of the plane that is shown, [2] each."""

    low: Floats
    high: Floats

    @classmethod
    def around(cls, points: Floats, centroids: Floats) -> _Frame:
        """All points; where a few lie far out, the other 99 %, and always the centroids."""
        low, high = points.min(axis=0), points.max(axis=0)
        inner_low, inner_high = np.quantile(points, 0.005, axis=0), np.quantile(points, 0.995, axis=0)
        far = (high - low) > 1.5 * (inner_high - inner_low)
        margin = 0.1 * (inner_high - inner_low)
        low = np.where(far, np.maximum(inner_low - margin, low), low)
        high = np.where(far, np.minimum(inner_high + margin, high), high)
        shown = centroids[~np.isnan(centroids).any(axis=1)]
        return cls(np.vstack([low, shown]).min(axis=0), np.vstack([high, shown]).max(axis=0))

    @property
    def scale(self) -> float:
        """Pixels per unit, the same both ways: distances in the picture are those in the plane."""
        wide, high = self.high - self.low
        return float(min((WIDTH - 2 * MARGIN) / (wide or 1.0), (HIGHEST - 2 * MARGIN) / (high or 1.0)))

    @property
    def height(self) -> int:
        """Of the picture, in pixels."""
        return max(LOWEST, round(self.scale * (self.high - self.low)[1] + 2 * MARGIN))

    def pixels(self, points: Floats) -> Floats:
        """Points [n, 2] -> where they are drawn; those outside the frame on its edge."""
        offset = np.clip(points, self.low, self.high) - (self.low + self.high) / 2
        placed: Floats = np.array([WIDTH, self.height]) / 2 + offset * self.scale * np.array([1.0, -1.0])
        return placed

    def outside(self, points: Floats) -> int:
        tolerance = 1e-9 * (self.high - self.low)
        beyond = (points < self.low - tolerance) | (points > self.high + tolerance)
        return int(beyond.any(axis=1).sum())


def _dots(pixels: Floats) -> str:
    # A line of no length with round ends is a dot: a tenth of the size of circles.
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in pixels.tolist())


def _neighbours(distances: npt.NDArray[np.floating], own: int, ids: Sequence[int]) -> dict[int, float]:
    """Distances [n, k] of a segment's customers -> the segments they are next nearest to, with shares."""
    if not len(distances) or len(ids) < 2:
        return {}
    others = distances.copy()
    others[:, own] = np.inf
    shares = np.bincount(others.argmin(axis=1), minlength=len(ids)) / len(distances)
    return {ids[i]: float(shares[i]) for i in np.argsort(-shares, kind="stable").tolist() if shares[i] > 0}


def _spread(centres: Floats, height: int) -> Floats:
    """Moves the numbers of centroids that lie on top of each other apart, up and down."""
    labels = centres.copy()
    shown = [i for i in range(len(labels)) if not np.isnan(labels[i]).any()]
    for _ in range(60):
        moved = False
        for a in shown:
            for b in shown:
                gap = labels[b] - labels[a]
                if a < b and np.abs(gap).max() < _LABEL_GAP:
                    push = (_LABEL_GAP - abs(gap[1])) / 2 + 0.5
                    direction = 1.0 if gap[1] >= 0 else -1.0
                    labels[a, 1] -= direction * push
                    labels[b, 1] += direction * push
                    moved = True
        labels[:, 1] = np.clip(labels[:, 1], MARGIN / 2, height - MARGIN / 2)
        if not moved:
            break
    return labels


def _axis_in_words(axis: npt.NDArray[np.float64], vector: Sequence[str]) -> str:
    """Such as "more frequency and monetary, less recency days": the coordinates that weigh most."""
    strongest = np.argsort(-np.abs(axis), kind="stable")[:_LOADINGS]
    notable = [i for i in strongest.tolist() if abs(axis[i]) >= _NOTABLE_LOADING and i < len(vector)]
    said = {
        word: " and ".join(as_line(in_words(vector[i])) for i in notable if (axis[i] > 0) == (word == "more"))
        for word in ("more", "less")
    }
    return ", ".join(f"{word} {columns}" for word, columns in said.items() if columns)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 1)
