"""Section `identity`: when a segment is still the same one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from configs.section import Section


class IdentityConfig(Section):
    """How the segments of a new model are told from those of the model in production."""

    min_overlap: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.5,
        description="a segment keeps its id where more than this share of its customers stay, and are of the new one",
    )
