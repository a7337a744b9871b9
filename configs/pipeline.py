"""The whole configuration of one pipeline."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from configs.data import DataConfig
from configs.deployment import DeploymentConfig
from configs.drift import DriftConfig
from configs.evaluation import EvaluationConfig
from configs.features import FeaturesConfig
from configs.identity import IdentityConfig
from configs.metadata import MetadataConfig
from configs.model import ModelConfig
from configs.outputs import AssignmentsConfig, ReportConfig
from configs.retention import RetentionConfig
from configs.schedule import ScheduleConfig
from configs.section import Section
from configs.selection import SelectionConfig
from configs.training import TrainingConfig
from configs.tuner import TunerConfig
from configs.validation import ValidationConfig


class PipelineConfig(Section):
    """One pipeline. Only `data.path` or `data.bigquery` is required; `name` defaults to the file's name."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
    data: DataConfig
    features: FeaturesConfig = Field(default_factory=FeaturesConfig)
    selection: SelectionConfig = Field(default_factory=SelectionConfig)
    validation: ValidationConfig = Field(default_factory=ValidationConfig)
    drift: DriftConfig = Field(default_factory=DriftConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    tuner: TunerConfig = Field(default_factory=TunerConfig)
    identity: IdentityConfig = Field(default_factory=IdentityConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    assignments: AssignmentsConfig = Field(default_factory=AssignmentsConfig)
    report: ReportConfig = Field(default_factory=ReportConfig)
    schedule: ScheduleConfig = Field(default_factory=ScheduleConfig)
    retention: RetentionConfig = Field(default_factory=RetentionConfig)
    metadata: MetadataConfig = Field(default_factory=MetadataConfig)
    deployment: DeploymentConfig = Field(default_factory=DeploymentConfig)
    beam_args: list[str] = Field(default_factory=list, description="arguments for Beam, such as a runner's")

    @model_validator(mode="after")
    def _selection_fits_features(self) -> PipelineConfig:
        self.selection.check_with(self.features)
        return self

    @property
    def fewest_segments(self) -> int:
        """The smallest number of segments that the model can have."""
        return self.tuner.min_k if self.model.k == "auto" else self.model.k

    @property
    def provisional_segments(self) -> int:
        """How many segments stand for a target where features are selected without one; else 0."""
        if not self.selection.is_scored_by_segments:
            return 0
        return min(8, self.tuner.max_k) if self.model.k == "auto" else self.model.k
