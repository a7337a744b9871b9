"""Section `retention`: what is kept of runs that are over."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from configs.section import Section


class RetentionConfig(Section):
    """After a run, what is beyond these numbers and older than `days` is removed.

    Never removed: the served model and the run it came from, what the next run starts from, and the history.
    """

    runs: Annotated[int, Field(ge=1)] | None = Field(
        50, description="newest runs whose artifacts, log and report are kept; null: of all runs"
    )
    models: Annotated[int, Field(ge=2)] | None = Field(
        20,
        description="newest versions that are kept with their assignments: the served one and those to roll back "
        "to; null: all",
    )
    days: Annotated[float, Field(ge=0)] = Field(90, description="what is younger is kept whatever its number")
