"""Lines over the number of segments: the elbow and the silhouette."""

from __future__ import annotations

import dataclasses

from components.report.figures.axis import Axis, Tick
from components.trainer.words import format_number
from components.tuner.sweep import Candidate, Sweep

WIDTH, HEIGHT = 340, 210
LEFT, RIGHT, TOP, FOOT = 52, 14, 14, 26


@dataclasses.dataclass(frozen=True)
class Mark:
    """A candidate in the picture: where it is, in pixels, and its value as shown."""

    candidate: Candidate
    x: float
    y: float
    text: str


@dataclasses.dataclass(frozen=True)
class Line:
    """One metric over k.

    Attributes:
      metric, label: its name and what the picture is called.
      note: how to read it, in a sentence.
      path: SVG path data through the marks; it breaks where the metric is undefined.
      marks: the candidates that have the metric.
      x_ticks, y_ticks: of the axes.
      width, height: in pixels.
    """

    metric: str
    label: str
    note: str
    path: str
    marks: list[Mark]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT


_PICTURES = (
    ("silhouette", "Silhouette", "Higher is better: the segments are further apart."),
    (
        "inertia",
        "Inertia",
        "It always falls as segments are added; past the bend, another segment explains little more.",
    ),
)


def draw_sweep(sweep: Sweep) -> list[Line]:
    """A picture per metric that at least one candidate has."""
    drawn = (_line(sweep, metric, label, note) for metric, label, note in _PICTURES)
    return [line for line in drawn if line.marks]


def _line(sweep: Sweep, metric: str, label: str, note: str) -> Line:
    values = {item.k: getattr(item, metric) for item in sweep.candidates}
    known = [value for value in values.values() if value is not None]
    if not known:
        return Line(metric, label, note, "", [], [], [])
    across = _padded(min(values), max(values), LEFT, WIDTH - RIGHT, 0.04)
    # Inertia is a sum of squares and its axis begins at nothing: the bend is as deep as it looks.
    lowest = 0.0 if metric == "inertia" else min(known)
    upwards = _padded(lowest, max(known), HEIGHT - FOOT, TOP, 0.0 if metric == "inertia" else 0.08)
    marks, path, pen = [], "", "M"
    for item in sweep.candidates:
        value = values[item.k]
        if value is None:
            pen = "M"
            continue
        x, y = round(float(across(item.k)), 1), round(float(upwards(value)), 1)
        marks.append(Mark(item, x, y, format_number(value)))
        path += f"{pen}{x} {y}"
        pen = "L"
    step = max(len(values) // 9, 1)
    ks = [Tick(round(float(across(k)), 1), str(k)) for k in sorted(values)[::step]]
    return Line(metric, label, note, path, marks, ks, upwards.ticks(4))


def _padded(low: float, high: float, first: float, last: float, part: float) -> Axis:
    room = part * (high - low) or (0.5 if low == high else 0.0)
    return Axis(low - room, high + room, first, last)
