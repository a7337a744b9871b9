"""Sections `assignments` and `report`: what a run leaves for people."""

from __future__ import annotations

from pydantic import Field

from configs.section import Section


class AssignmentsConfig(Section):
    """The table of who is in which segment; Parquet always."""

    csv: bool = Field(False, description="also as CSV")


class ReportConfig(Section):
    """The page."""

    title: str | None = Field(None, description="heading; else the pipeline's name")
    customers: str = Field("customers", description="what a customer is called: households, subscribers, ...")
