"""TFX's Tuner with our executor and tuner_fn, on real records: `Do`, then what it wrote is read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import SegmentSweep
from components.tuner.executor import Executor
from configs.model import ModelConfig
from configs.tuner import TunerConfig
from tests.transforms.fitted import Fitted, serialized

Row = Mapping[str, Any]


def strict_json(path: Path) -> dict[str, Any]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{path.name} holds {word}, which is not JSON")

    content: dict[str, Any] = json.loads(path.read_text(), parse_constant=refuse)
    return content


class Tuned:
    """A Tuner run in a folder."""

    def __init__(
        self,
        folder: Path,
        rows: Sequence[Row],
        *,
        metric: str = "euclidean",
        algorithm: str = "lloyd",
        features: Mapping[str, Any] | None = None,
        bounds: Mapping[str, float] | None = None,
        **tuner: Any,
    ):
        fitted = Fitted(features or {}, rows, folder)
        path = folder / "examples" / "Split-train" / "data_tfrecord-00000-of-00001"
        path.parent.mkdir(parents=True)
        (folder / "examples" / "Split-eval").mkdir()
        with tf.io.TFRecordWriter(str(path)) as writer:
            for row in rows:
                writer.write(serialized(row, fitted.dtypes))
        ingest = {"customers": {"train": len(rows), "eval": 0}}
        (folder / "examples" / "ingest.json").write_text(json.dumps(ingest))
        examples, graph = standard_artifacts.Examples(), standard_artifacts.TransformGraph()
        examples.uri, graph.uri = str(folder / "examples"), str(fitted.graph)
        examples.split_names = artifact_utils.encode_split_names(["train", "eval"])
        outputs = {
            "best_hyperparameters": standard_artifacts.HyperParameters(),
            "tuner_results": standard_artifacts.TunerResults(),
            "sweep": SegmentSweep(),
        }
        for name, artifact in outputs.items():
            artifact.uri = str(folder / name)
        config = {
            "model": ModelConfig(k="auto", metric=metric, algorithm=algorithm).model_dump_json(),
            "tuner": TunerConfig(**tuner).model_dump_json(),
            "features": fitted.config.model_dump_json(by_alias=True),
            "id_column": None,
            **(bounds or {}),
        }
        Executor(BaseExecutor.Context(tmp_dir=str(folder / "tmp"), unique_id="1")).Do(
            {"examples": [examples], "transform_graph": [graph]},
            {name: [artifact] for name, artifact in outputs.items()},
            {
                "tuner_fn": "components.tuner.tuner_fn.tuner_fn",
                "train_args": "{}",
                "eval_args": "{}",
                "custom_config": json.dumps(config),
            },
        )
        self.sweep = strict_json(folder / "sweep" / "sweep.json")
        self.best = strict_json(folder / "best_hyperparameters" / "best_hyperparameters.txt")
        self.results = json.loads((folder / "tuner_results" / "tuner_results.json").read_text())

    def candidate(self, k: int) -> dict[str, Any]:
        (found,) = [candidate for candidate in self.sweep["candidates"] if candidate["k"] == k]
        return dict(found)


def groups(k: int, rows: int = 600, d: int = 4, seed: int = 0) -> list[Row]:
    """Customers of k kinds, whose centres are at least 10 standard deviations apart."""
    random = np.random.default_rng(seed)
    centres: list[np.ndarray] = []
    while len(centres) < k:
        centre = random.uniform(-20, 20, d)
        if all(np.linalg.norm(centre - other) >= 12 for other in centres):
            centres.append(centre)
    points = np.array(centres)[np.arange(rows) % k] + random.normal(0, 1, (rows, d))
    return [{f"f_{column}": float(value) for column, value in enumerate(point)} for point in points]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    return Tuned(tmp_path_factory.mktemp("tuned"), groups(4), max_k=7)


def test_the_whole_sweep_is_kept(tuned: Tuned) -> None:
    sweep = tuned.sweep
    assert list(sweep) == ["chosen", "reason", "tolerance", "rows", "judged_rows", "candidates"]
    assert (sweep["chosen"], sweep["tolerance"], sweep["rows"], sweep["judged_rows"]) == (4, 0.01, 600, 600)
