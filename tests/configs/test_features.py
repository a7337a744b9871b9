"""Section `features`: what goes with what, and the sentence where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.errors import ConfigError
from configs.features import FeaturesConfig
from configs.loader import load_config
from configs.preparation import CategoricalOptions, ClipOptions, NumericOptions


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ({"normalize": "minmax", "range": [1, 1]}, "must be two numbers, the lower first, such as [-1, 1]"),
        ({"normalize": "minmax", "range": [2, 1]}, "must be two numbers, the lower first, such as [-1, 1]"),
        ({"normalize": "minmax", "range": [0, 1, 2]}, "must be two numbers, the lower first"),
        ({"normalize": "robust", "range": [0, 1]}, "'range' needs normalize: minmax"),
        ({"range": [0, 1]}, "'range' needs normalize: minmax"),
        ({"clip": {}}, "needs 'quantiles', such as [0.01, 0.99], or 'min' or 'max'"),
        ({"clip": {"quantiles": [0.9, 0.1]}}, "two shares from 0 to 1, the lower first"),
        ({"clip": {"quantiles": [1, 99]}}, "two shares from 0 to 1, the lower first"),
        ({"clip": {"quantiles": [0.1]}}, "two shares from 0 to 1, the lower first"),
        ({"clip": {"quantiles": [0.1, 0.9], "min": 0}}, "is at quantiles or at min and max, not both"),
        ({"clip": {"min": 3, "max": 3}}, "'min' must be below 'max', found 3 and 3"),
        ({"clip": {"min": 3}, "encode": "one_hot"}, "'clip' is for numeric features, this one is categorical"),
        ({"encode": "hashed"}, "encode: hashed needs 'buckets', the number of coordinates"),
        ({"encode": "cyclic"}, "encode: cyclic needs 'period', after how much the values begin again"),
        ({"encode": "embedding"}, "encode: embedding needs 'model', the folder of a SavedModel"),
        ({"encode": "ordinal"}, "encode: ordinal needs 'order'"),
        ({"encode": "one_hot", "buckets": 8}, "'buckets' needs encode: hashed"),
        ({"encode": "frequency", "order": ["a"]}, "'order' needs encode: ordinal"),
        ({"encode": "hashed", "buckets": 8, "max_categories": 3},
         "'max_categories' needs encode: one_hot or frequency or multi_hot"),
        ({"separator": ";"}, "'separator' needs encode: multi_hot"),
        ({"encode": "ordinal", "order": ["a"], "period": 7}, "'period' needs encode: cyclic"),
        ({"encode": "cyclic", "period": 7, "model": "m"}, "'model' needs encode: embedding"),
        ({"start": 1}, "'start' needs encode: cyclic"),
        ({"encode": "hashed", "buckets": 1}, "greater than or equal to 2"),
        ({"encode": "cyclic", "period": 0}, "greater than 0"),
        ({"normalize": "quantile"}, "'quantile_uniform'"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(tmp_path: Path, column: dict[str, Any], sentence: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump({"data": {"path": "x.csv"}, "features": {"columns": {"age": column}}}))
    with pytest.raises(ConfigError) as refusal:
        load_config(str(path))
    assert sentence in str(refusal.value)
    assert "columns" in str(refusal.value)
    assert "age" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("components", [0, 1.0, -1, "all", True])
def test_components_are_a_number_or_a_share(components: Any) -> None:
    with pytest.raises(ValueError, match="components"):
        FeaturesConfig.model_validate({"pca": {"components": components}})


def test_components_may_be_said_in_three_ways() -> None:
    for components in (5, 0.9, None):
        pca = FeaturesConfig.model_validate({"pca": {"components": components}}).pca
        assert pca is not None
        assert pca.components == components


def test_a_columns_method_leaves_the_defaults_of_another_behind() -> None:
    config = FeaturesConfig.model_validate(
        {
            "numeric": {"normalize": "minmax", "range": [-1, 1], "clip": {"min": 0}, "weight": 2},
            "categorical": {"encode": "hashed", "buckets": 8},
            "columns": {
                "a": {"normalize": "robust", "clip": "none"},
                "b": {"range": [0, 5]},
                "c": {"encode": "one_hot"},
                "d": {"buckets": 4},
            },
        }
    )
    # Configs travel to the components as JSON.
    config = FeaturesConfig.model_validate_json(config.model_dump_json(by_alias=True))
    numeric = {name: config.columns[name].numeric(config.numeric) for name in "ab"}
    assert numeric["a"] == NumericOptions(normalize="robust", weight=2)
    assert numeric["b"] == NumericOptions(normalize="minmax", range=[0, 5], clip=ClipOptions(min=0), weight=2)
    categorical = {name: config.columns[name].categorical(config.categorical) for name in "cd"}
    assert categorical["c"] == CategoricalOptions()
    assert categorical["d"] == CategoricalOptions(encode="hashed", buckets=4)


def test_how_many_categories_are_told_apart() -> None:
    assert CategoricalOptions().most_categories == 32
    assert CategoricalOptions(encode="frequency").most_categories == 10_000
    assert CategoricalOptions(encode="multi_hot", max_categories=3).most_categories == 3


def test_a_models_path_is_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    features = {"columns": {"note": {"encode": "embedding", "model": "models/text"}, "age": {"weight": 2}}}
    path.write_text(yaml.safe_dump({"data": {"path": "x.csv"}, "features": features}))
    config = load_config(str(path))
    assert config.features.text_models == {str(tmp_path / "models/text"): "features.columns.note.model"}
