"""A histogram the size of a word, for tables."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 80, 18


def spark_path(shares: Sequence[float]) -> str:
    """Bars of equal width as SVG path data, the highest `HEIGHT` high; "" without any."""
    peak = max(shares, default=0.0)
    if not peak > 0:
        return ""
    step = WIDTH / len(shares)
    bars = []
    for place, share in enumerate(shares):
        height = share / peak * HEIGHT
        if height > 0:
            # A bar that is there is seen.
            bars.append(f"M{place * step:.1f} {HEIGHT}v-{max(height, 1):.1f}h{step - 1:.1f}V{HEIGHT}z")
    return "".join(bars)
