"""Colours as class names; `style.css` gives them their values in light and in dark mode."""

from __future__ import annotations

from collections.abc import Iterable

COLOURS = 12
"""So many segment colours before they repeat; a segment's number stands wherever its colour does."""

_STEPS = (0.25, 0.6, 1.2, 2.5)
LEGEND = (
    ("lo4", "far below"),
    ("lo2", "below"),
    ("", "about the same"),
    ("hi2", "above"),
    ("hi4", "far above"),
)


def segment_colours(ids: Iterable[int]) -> dict[int, str]:
    """The class of each segment, by its id: a segment keeps its colour from page to page.

    Where two ids would share a colour, the later one takes the next that is free. Ids that come first are
    served first; beyond `COLOURS` of them, colours repeat.
    """
    chosen: dict[int, str] = {}
    free = set(range(COLOURS))
    for segment_id in ids:
        wanted = (segment_id - 1) % COLOURS
        if free and wanted not in free:
            wanted = min(free, key=lambda colour: (colour - wanted) % COLOURS)
        free.discard(wanted)
        chosen[segment_id] = f"c{wanted + 1}"
    return chosen


def difference_colour(difference: float) -> str:
    """The class of a difference from all customers, in their quartiles: "lo4" to "hi4", "" for about none."""
    level = sum(abs(difference) >= step for step in _STEPS)
    return f"{'hi' if difference > 0 else 'lo'}{level}" if level else ""
