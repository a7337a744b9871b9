"""The shares of segments over past versions: a bar per version."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from components.report.migration import Version

MOST_VERSIONS = 12
_ROOM_FOR_NUMBER = 0.035


@dataclasses.dataclass(frozen=True)
class Part:
    """A segment's part of a version's bar: `start` and `share` of the bar's length, and whether its number fits."""

    id: int
    name: str
    colour: str
    start: float
    share: float
    numbered: bool


@dataclasses.dataclass(frozen=True)
class Bar:
    """A version: its segments by rising id. `label` is its name; `current` for the model of this run."""

    label: str
    run_id: str
    current: bool
    parts: list[Part]

    def share(self, segment_id: int) -> float | None:
        """A segment's share; None where the version had no such segment."""
        return next((part.share for part in self.parts if part.id == segment_id), None)


@dataclasses.dataclass(frozen=True)
class Growth:
    """The picture.

    Attributes:
      bars: oldest first, this run's model last.
      segments: id and name of every segment in it, by id; the newest name of each.
      left_out: versions before the first bar.
    """

    bars: list[Bar]
    segments: list[tuple[int, str]]
    left_out: int


def draw_growth(
    history: Sequence[Version], current: Version, label: str, colours: Mapping[int, str]
) -> Growth | None:
    """Draws past versions and the current one.

    Args:
      history: past versions, oldest first; one with the version of `current` is left out.
      current: this run's model.
      label: what its bar is called.
      colours: the class of each segment's id.

    Returns:
      None without a past version.
    """
    past = [version for version in history if version.version != current.version]
    if not past:
        return None
    shown = past[-(MOST_VERSIONS - 1) :]
    bars = [_bar(version, f"version {version.version}", False, colours) for version in shown]
    bars.append(_bar(current, label, True, colours))
    names = {segment_id: name for version in (*shown, current) for segment_id, name, _ in version.segments}
    return Growth(bars, sorted(names.items()), len(past) - len(shown))


def _bar(version: Version, label: str, current: bool, colours: Mapping[int, str]) -> Bar:
    parts, start = [], 0.0
    for segment_id, name, share in sorted(version.segments):
        parts.append(Part(segment_id, name, colours[segment_id], start, share, share >= _ROOM_FOR_NUMBER))
        start += share
    return Bar(label, version.run_id, current, parts)
