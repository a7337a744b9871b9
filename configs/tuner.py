"""Section `tuner`: how the number of segments is chosen where `model.k` is `auto`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from configs.section import Section


class TunerConfig(Section):
    """The candidates, and what makes one of them the choice. Unused where `model.k` is a number."""

    # One segment has nothing to be compared with: no metric here is defined for it.
    min_k: Annotated[int, Field(ge=2, le=1_000)] = Field(2, description="fewest segments to try")
    max_k: Annotated[int, Field(ge=2, le=1_000)] = Field(12, description="most segments to try")
    tolerance: Annotated[float, Field(ge=0, le=1)] = Field(
        0.01, description="the smallest k whose score is at most this much below the best is chosen"
    )
    min_stability: Annotated[float, Field(ge=-1, le=1)] = Field(
        0.5,
        description="less stable candidates are not eligible; a higher minimum of the evaluation's counts",
    )
    max_customers: Annotated[int, Field(ge=1)] = Field(
        50_000, description="of more customers than this, every n-th is read and fitted"
    )
    judged_customers: Annotated[int, Field(ge=100)] = Field(
        8_000, description="of the fitted customers, so many are drawn to judge the candidates on"
    )

    @model_validator(mode="after")
    def _range(self) -> TunerConfig:
        if self.min_k > self.max_k:
            raise ValueError(f"min_k {self.min_k} is above max_k {self.max_k}")
        return self
