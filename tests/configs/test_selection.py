"""Section `selection`: what is refused, and what it leaves of the section `features`."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import ConfigError
from configs.features import FeaturesConfig
from configs.loader import load_config
from configs.pipeline import PipelineConfig
from configs.selection import SelectionConfig, features_left


def load(folder: Path, text: str) -> PipelineConfig:
    (folder / "c.yaml").write_text(f"data: {{path: x.csv}}\n{text}")
    return load_config(str(folder / "c.yaml"))


def test_it_is_off_by_default_and_off_is_a_word(tmp_path: Path) -> None:
    assert not load(tmp_path, "").selection.is_on
    assert load(tmp_path, "selection: {method: off, target: churn}").selection.named_columns == {}
    assert load(tmp_path, "selection: {method: rfe}").selection.is_on


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("selection: {method: yes}", "'selection.method' is True"),
        ("selection: {method: auto, target: a, keep: [a]}", "a target is never a feature"),
        ("selection: {method: auto, keep: [a, a]}", "names a column twice"),
        ("selection: {method: filters, max_features: 3}", "method filters has none"),
        (
            "selection: {method: rfe, max_features: 3, min_features: 4}",
            "min_features 4 is above max_features 3",
        ),
        ("selection: {method: rfe, max_features: 1, keep: [a, b]}", "names 2 columns, max_features is 1"),
        ("selection: {method: auto, sample: 99}", "selection.sample"),
        (
            "selection: {method: auto, target: a}\nfeatures: {include: [a, b]}",
            "take it out of features.include",
        ),
        ("selection: {method: auto, target: a}\nfeatures: {columns: {a: {weight: 2.0}}}", "features.columns"),
        (
            "selection: {method: auto, keep: [a]}\nfeatures: {exclude: [a]}",
            "selection.keep: 'a' is no feature",
        ),
        ("selection: {methods: auto}", "did you mean 'method'?"),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, text)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_off_contradicts_nothing(tmp_path: Path) -> None:
    load(tmp_path, "selection: {target: a, keep: [b]}\nfeatures: {include: [a]}")


def test_few_features_are_asked_for_where_few_are_allowed() -> None:
    assert SelectionConfig(method="rfe", max_features=1).fewest == 1
    assert SelectionConfig(method="rfe").fewest == 2


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("selection: {method: importances}", 5),
        ("selection: {method: importances, target: a}", 0),
        ("selection: {method: auto}", 0),
        ("selection: {method: rfe}\nmodel: {k: auto}", 8),
        ("selection: {method: rfe}\nmodel: {k: auto}\ntuner: {max_k: 4}", 4),
    ],
)
def test_provisional_segments_are_asked_for_where_they_are_used(
    tmp_path: Path, text: str, segments: int
) -> None:
    assert load(tmp_path, text).provisional_segments == segments


def test_what_is_said_of_dropped_columns_is_left_out() -> None:
    config = FeaturesConfig.model_validate(
        {"include": ["a", "b"], "columns": {"a": {"log1p": True}, "b": {"weight": 2.0}}}
    )
    left = features_left(config, ["b"])
    assert left.include == ["b"] and list(left.columns) == ["b"]
    assert left.numeric == config.numeric
    assert features_left(FeaturesConfig(exclude=["c"]), ["b"]) == FeaturesConfig(exclude=["c"])
