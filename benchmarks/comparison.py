"""Two runs, component by component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Seconds of one component in both pipelines; None where a pipeline has no such component."""

    component: str
    stock: float | None
    ours: float | None

    @property
    def ratio(self) -> float | None:
        """Ours by stock: below 1 is faster. None where there is nothing to divide by."""
        return self.ours / self.stock if self.stock and self.ours is not None else None


def canonical(component: str) -> str:
    """The role of a component: whatever kind of ExampleGen or SchemaGen it is."""
    for role in ("ExampleGen", "SchemaGen"):
        if component.endswith(role):
            return role
    return component


def compare(stock: Mapping[str, float], ours: Mapping[str, float]) -> list[Row]:
    """Puts the seconds of both pipelines side by side, by role.

    Args:
        stock: Component -> seconds of the stock DAG.
        ours: The same of this project's pipeline. Either may be empty: it has not run.

    Returns:
        One row per component, those of `ours` first, in its order, then what only `stock` has; last, `total`,
        the sum of each side.
    """
    by_role = [_by_role(stock), _by_role(ours)]
    names = dict.fromkeys([*by_role[1], *by_role[0]])
    rows = [Row(name, by_role[0].get(name), by_role[1].get(name)) for name in names]
    totals = [sum(side.values()) if side else None for side in by_role]
    return [*rows, Row("total", totals[0], totals[1])]


def _by_role(seconds: Mapping[str, float]) -> dict[str, float]:
    roles: dict[str, float] = {}
    for component, value in seconds.items():
        roles[canonical(component)] = roles.get(canonical(component), 0.0) + value
    return roles
