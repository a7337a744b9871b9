"""Models that TFX's Trainer made of a few customers, by both metrics."""

from __future__ import annotations

import shutil

import pytest

from components.served_model.loaded import LoadedModel
from configs.model import ModelConfig
from tests.components.trainer.training import Trained, customers


@pytest.fixture(scope="session", params=["euclidean", "cosine"])
def metric(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    folder = tmp_path_factory.mktemp("models")
    # A light text: a number alone can then do what its coordinates would prevent.
    trained = Trained(folder, customers(), features={"columns": {"s_plan": {"weight": 0.2}}})
    made = {}
    for name, choice in (("euclidean", {}), ("cosine", {"metric": "cosine"}), ("one", {"k": 1})):
        config = ModelConfig.model_validate({"k": 3, **choice})
        trained.custom_config["model"] = config.model_dump_json()
        trained.train()
        made[name] = LoadedModel(str(shutil.move(trained.model_dir, folder / name)))
    return made


@pytest.fixture(scope="session")
def model(models: dict[str, LoadedModel], metric: str) -> LoadedModel:
    return models[metric]


@pytest.fixture(scope="session")
def rotated_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    """Models of principal components, by both metrics."""
    folder = tmp_path_factory.mktemp("rotated")
    features = {"pca": {"components": 2, "whiten": True}, "columns": {"s_plan": {"weight": 0.2}}}
    rows = [{**row, "f_noise": float(i * 7919 % 101)} for i, row in enumerate(customers())]
    trained = Trained(folder, rows, features=features)
    made = {}
    for metric in ("euclidean", "cosine"):
        trained.custom_config["model"] = ModelConfig.model_validate(
            {"k": 3, "metric": metric}
        ).model_dump_json()
        trained.train()
        made[metric] = LoadedModel(str(shutil.move(trained.model_dir, folder / metric)))
    return made
