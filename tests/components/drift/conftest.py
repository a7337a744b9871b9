"""A served model with its statistics, and today's customers, on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components.artifacts import DriftReport
from components.drift.executor import Executor
from components.reference_statistics import write_reference_statistics
from configs.drift import DriftConfig

FEATURES = ("age", "visits", "city")


class Drift:
    """The component, on a model made from one table and on another table of today."""

    def __init__(self, serving: Any, root: Path):
        self.serving, self.root = serving, root
        self.model_dir = root / "served" / "Format-Serving"

    def rows(self, n: int, seed: int) -> list[dict[str, Any]]:
        """Customers of one population: a tenth has no age, visits are skewed, Paris is common."""
        rng = np.random.default_rng(seed)
        ages, visits = rng.normal(45, 12, n), rng.negative_binomial(1, 0.2, n)
        cities = rng.choice(["Paris", "Lyon", "Nice"], n, p=[0.5, 0.3, 0.2])
        missing = rng.uniform(size=n) < 0.1
        return [
            {
                "customer_id": f"c{i}",
                **({} if missing[i] else {"age": float(ages[i])}),
                "visits": int(visits[i]),
                "city": str(cities[i]),
            }
            for i in range(n)
        ]

    def statistics(self, rows: list[dict[str, Any]]) -> statistics_pb2.DatasetFeatureStatisticsList:
        batch = ExamplesToRecordBatchDecoder().DecodeBatch([self.serving.example(row) for row in rows])
        columns = sorted({name for row in rows for name in row} - {"customer_id"})
        options = tfdv.StatsOptions(feature_allowlist=columns, num_quantiles_histogram_buckets=100)
        return generate_statistics_in_memory(batch, options)

    def serve(self, rows: list[dict[str, Any]]) -> None:
        """Makes version 3 from these customers."""
        self.serving.export(self.model_dir)
        answers = self.serving.reference(rows)
        sizes = {i: int((answers["segment_id"] == i).sum()) for i in self.serving.IDS}
        content = {
            "format": 1,
            "config_hash": "of version 3",
            "features": [{"name": name} for name in FEATURES],
            "segments": [
                {"id": i, "name": name, "size": sizes[i]}
                for i, name in zip(self.serving.IDS, self.serving.NAMES, strict=True)
            ],
            "population": {"size": len(rows), "described": len(rows)},
            "distances": {
                "percentiles": np.percentile(answers["distance"], range(101)).tolist(),
                "outliers": float(answers["is_outlier"].mean()),
            },
        }
        self.describe(content)
        write_reference_statistics(str(self.model_dir), self.statistics(rows), FEATURES)

    def describe(self, content: dict[str, Any]) -> None:
        (self.model_dir / "assets.extra" / "segments.json").write_text(json.dumps(content))

    def described(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.model_dir / "assets.extra" / "segments.json").read_text())
        return content

    def __call__(
        self,
        rows: list[dict[str, Any]],
        served: bool = True,
        schema: str = "",
        shards: int = 1,
        config_hash: str = "",
        requests: list[dict[str, Any]] | None = None,
        **config: Any,
    ) -> dict[str, Any]:
        """Runs `Do` on today's customers; returns `drift.json`."""
        today = self.root / f"today-{len(list(self.root.iterdir()))}"
        splits = {"train": rows[len(rows) // 5 :], "eval": rows[: len(rows) // 5]}
        examples = self.serving.write_examples(today / "examples", splits, shards=shards)
        statistics = self._artifact(standard_artifacts.ExampleStatistics, today / "statistics")
        statistics.split_names = artifact_utils.encode_split_names(list(splits))
        for split, part in splits.items():
            path = f"{statistics.uri}/Split-{split}/FeatureStats.pb"
            io_utils.write_bytes_file(path, self.statistics(part).SerializeToString())
        model = standard_artifacts.Model()
        model.uri = str(self.model_dir.parent)
        model.set_int_custom_property("served", int(served))
        model.set_string_custom_property("version", "3" if served else "")
        expected = self._artifact(standard_artifacts.Schema, today / "schema")
        io_utils.write_string_file(f"{expected.uri}/schema.pbtxt", schema)
        report = self._artifact(DriftReport, today / "drift")
        asked = self._artifact(standard_artifacts.ExampleStatistics, today / "asked")
        if requests is not None:
            asked.split_names = artifact_utils.encode_split_names(["train"])
            path = f"{asked.uri}/Split-train/FeatureStats.pb"
            io_utils.write_bytes_file(path, self.statistics(requests).SerializeToString())
        Executor().Do(
            {
                "served_model": [model],
                "statistics": [statistics],
                "schema": [expected],
                "examples": [examples],
                "request_statistics": [] if requests is None else [asked],
            },
            {"drift": [report]},
            {
                "drift_config": DriftConfig.model_validate(config).model_dump_json(),
                "config_hash": config_hash,
                "code_version": "",
            },
        )
        content: dict[str, Any] = json.loads((today / "drift" / "drift.json").read_text())
        assert content["drifted"] == bool(report.get_int_custom_property("drifted"))
        assert bool(content["retrain"]) == bool(report.get_int_custom_property("retrain"))
        return content

    @staticmethod
    def _artifact(kind: Any, path: Path) -> Any:
        artifact = kind()
        artifact.uri = str(path)
        fileio.makedirs(artifact.uri)
        return artifact


@pytest.fixture(scope="module")
def served(serving: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Drift(serving, tmp_path_factory.mktemp("drift"))
    made.serve(made.rows(2000, seed=1))
    return made.model_dir


@pytest.fixture
def drift(serving: Any, served: Path, tmp_path: Path) -> Drift:
    """With version 3 served, made from 2,000 customers."""
    made = Drift(serving, tmp_path)
    shutil.copytree(served, made.model_dir)
    return made
