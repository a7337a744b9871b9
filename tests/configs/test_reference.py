"""docs/configuration.md names every key there is, and the default it has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from configs.identity import IdentityConfig
from configs.model import ModelConfig
from configs.pipeline import PipelineConfig
from configs.training import TrainingConfig
from configs.tuner import TunerConfig

DOCUMENT = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()


def sections(model: Any) -> list[type[BaseModel]]:
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [model, *(s for field in model.model_fields.values() for s in sections(field.annotation))]
    return [section for argument in get_args(model) for section in sections(argument)]


def test_every_key_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_0-9]+(?:\.[a-z_0-9]+)*)", DOCUMENT))
    documented |= {name.split(".")[-1] for name in documented}
    keys = {field.alias or name for s in sections(PipelineConfig) for name, field in s.model_fields.items()}
    assert len(keys) > 50
    assert keys - documented - {"column", "type"} == set()


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("model", ModelConfig),
        ("tuner", TunerConfig),
        ("identity", IdentityConfig),
        ("training", TrainingConfig),
    ],
)
def test_the_documented_defaults_are_true(name: str, section: type[BaseModel]) -> None:
    text = DOCUMENT.split(f"\n## `{name}`")[1].split("\n## ")[0]
    for key, field in section.model_fields.items():
        row = re.search(rf"^\| `{key}` \| `([^`]+)` \|", text, re.MULTILINE)
        assert row is not None, key
        assert yaml.safe_load(row[1]) == field.default or float(row[1]) == field.default
