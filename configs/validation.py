"""Section `validation`: what data must look like before anything is trained on it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from configs.section import Section


class ValidationConfig(Section):
    """What the gate lets through."""

    schema_path: str | None = Field(
        None, alias="schema", description="curated schema (.pbtxt); else one is inferred from the data"
    )
    warn_only: list[str] = Field(
        default_factory=list, description="features whose anomalies are reported but do not stop the run"
    )
    min_customers: Annotated[int, Field(ge=1)] | None = Field(
        None, description="fewer customers than this stop the run; at least model.k is always needed"
    )
