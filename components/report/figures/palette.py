"""Colours as class names; `style.css` gives them their values in light and in dark mode."""

from __future__ import annotations

COLOURS = 8
"""So many segment colours (Okabe and Ito's, told apart by colour-blind people) before they repeat."""

_STEPS = (0.25, 0.6, 1.2, 2.5)
LEGEND = (
    ("lo4", "far below"),
    ("lo2", "below"),
    ("", "about the same"),
    ("hi2", "above"),
    ("hi4", "far above"),
)


def segment_colour(position: int) -> str:
    """The class of the segment at a position of the page, from 0."""
    return f"c{position % COLOURS + 1}"


def difference_colour(difference: float) -> str:
    """The class of a difference from all customers, in their quartiles: "lo4" to "hi4", "" for about none."""
    level = sum(abs(difference) >= step for step in _STEPS)
    return f"{'hi' if difference > 0 else 'lo'}{level}" if level else ""
