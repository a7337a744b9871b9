"""A SavedModel that the config names is part of what a run depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from pipeline.text_models import text_model_digests


def config(model: Path) -> PipelineConfig:
    features = {"columns": {"note": {"encode": "embedding", "model": str(model)}}}
    return PipelineConfig.model_validate({"name": "t", "data": {"path": "x.csv"}, "features": features})


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "variables").mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"graph")
    (model / "variables" / "variables.index").write_bytes(b"a")
    first = text_model_digests(config(model))
    assert list(first) == [str(model)]
    assert text_model_digests(config(model)) == first
    (model / "variables" / "variables.index").write_bytes(b"b")
    second = text_model_digests(config(model))
    assert second != first
    (model / "variables" / "variables.index").rename(model / "variables" / "moved.index")
    assert text_model_digests(config(model)) not in (first, second)
    plain = PipelineConfig.model_validate({"name": "t", "data": {"path": "x.csv"}})
    assert text_model_digests(plain) == {}


def test_what_is_no_saved_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"features.columns.note.model: .*nowhere is no local folder with a"
    ):
        text_model_digests(config(tmp_path / "nowhere"))
