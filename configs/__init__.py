"""Typed pipeline configuration: YAML in, one frozen `PipelineConfig` out. Never imports TensorFlow."""

from configs.errors import ConfigError
from configs.loader import load_config
from configs.pipeline import PipelineConfig

__all__ = ["ConfigError", "PipelineConfig", "load_config"]
