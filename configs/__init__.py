"""Typed pipeline configuration: YAML in, one frozen `PipelineConfig` out. Never imports TensorFlow."""
