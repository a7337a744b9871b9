"""Of the configuration that makes a model what it is."""

from __future__ import annotations

import hashlib

from configs.pipeline import PipelineConfig
from configs.section import Section
from pipeline.text_models import text_model_digests


def model_config_hash(config: PipelineConfig) -> str:
    """Of the sections that make the model what it is, but which span of the data it is made from.

    Where it is fitted (`training`) is not among them.
    """
    sections: list[Section] = [config.features, config.model, config.identity]
    if config.model.k == "auto":
        sections.append(config.tuner)
    if config.selection.is_on:
        sections.append(config.selection)
    content = [
        config.data.model_dump_json(exclude={"span"}),
        *(s.model_dump_json() for s in sections),
        *text_model_digests(config).values(),
    ]
    return hashlib.sha256("".join(content).encode()).hexdigest()[:16]
