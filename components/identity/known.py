"""The ids that are given away. Nothing is imported here that a command would wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Used:
    """An id that was served: the segment's last name, and the last version that it was alive in."""

    name: str
    last_version: str | None = None


@dataclass(frozen=True)
class Known:
    """All ids that were ever served. `next_id`: the lowest that no segment, alive or retired, has had."""

    next_id: int = 1
    used: Mapping[int, Used] = field(default_factory=dict)


@dataclass(frozen=True)
class Parent:
    """The segments that are continued. version: None before the first model. ids, names: of its segments."""

    version: str | None = None
    ids: Sequence[int] = ()
    names: Sequence[str] = ()
