"""The whole configuration of one pipeline."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from configs.data import DataConfig
from configs.drift import DriftConfig
from configs.evaluation import EvaluationConfig
from configs.features import FeaturesConfig
from configs.model import ModelConfig
from configs.outputs import AssignmentsConfig, ReportConfig
from configs.section import Section
from configs.training import TrainingConfig
from configs.validation import ValidationConfig


class PipelineConfig(Section):
    """One pipeline. Only `data.path` is required; `name` defaults to the file's name."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
    data: DataConfig
    features: FeaturesConfig = Field(default_factory=FeaturesConfig)
    validation: ValidationConfig = Field(default_factory=ValidationConfig)
    drift: DriftConfig = Field(default_factory=DriftConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    assignments: AssignmentsConfig = Field(default_factory=AssignmentsConfig)
    report: ReportConfig = Field(default_factory=ReportConfig)
    beam_args: list[str] = Field(default_factory=list, description="arguments for Beam, such as a runner's")
