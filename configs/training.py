"""Section `training`: where a fit runs. Nothing here makes another model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from configs.section import Section


class TrainingConfig(Section):
    """The processes and devices that share a fit, and how much of it a kill can cost."""

    strategy: Literal["auto", "one_device", "mirrored", "multi_worker"] = Field(
        "auto",
        description="tf.distribute strategy; auto: multi_worker with TF_CONFIG, mirrored on several GPUs",
    )
    workers: Annotated[int, Field(ge=1)] = Field(
        1, description="processes on this machine that share the customers of a fit"
    )
    max_customers_in_memory: Annotated[int, Field(ge=1)] = Field(
        5_000_000,
        description="more are streamed through a temporary file, and segments described from a part of them",
    )
    checkpoint_seconds: Annotated[float, Field(ge=0)] | None = Field(
        30.0,
        description="seconds between checkpoints of a fit; a killed run goes on from the last one; null: none",
    )

    @model_validator(mode="after")
    def _workers_have_a_strategy(self) -> TrainingConfig:
        if self.workers > 1 and self.strategy not in ("auto", "multi_worker"):
            raise ValueError(
                f"workers: {self.workers} needs strategy auto or multi_worker; strategy {self.strategy} "
                "is for one process"
            )
        return self
