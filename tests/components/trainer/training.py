"""TFX's Trainer with our run_fn on real records in a folder, for the tests of what comes of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tfx.components.trainer.executor import GenericExecutor
from tfx.types import artifact_utils, standard_artifacts

from components.identity.known import Known
from components.served_model.executor import Executor as ServedModelExecutor
from components.served_model.known import known_to_json
from components.served_model.ledger import known_segments
from configs.model import ModelConfig
from configs.training import TrainingConfig
from tests.transforms.fitted import Fitted, serialized

PROJECT = Path(__file__).parents[3]

Row = Mapping[str, Any]


def customers(rows: int = 240, seed: int = 0) -> list[Row]:
    random = np.random.default_rng(seed)
    kinds = random.choice(3, rows, p=[0.5, 0.3, 0.2])
    return [
        {
            "f_spend": float(random.normal(10 + 100 * kind, 3)),
            "i_visits": int(random.poisson(3 + 20 * kind)),
            "s_plan": ["basic", "plus", "pro"][kind],
        }
        for kind in kinds
    ]


def run_trainer(
    folder: str, graph_uri: str, custom_config: Mapping[str, Any], base_model_uri: str | None = None
) -> None:
    """TFX's Trainer on `folder/examples`, into `folder/model`."""
    examples = standard_artifacts.Examples()
    examples.uri = f"{folder}/examples"
    examples.split_names = artifact_utils.encode_split_names(["train", "eval"])
    graph, model, run = (
        standard_artifacts.TransformGraph(), standard_artifacts.Model(), standard_artifacts.ModelRun()
    )  # fmt: skip
    graph.uri, model.uri, run.uri = graph_uri, f"{folder}/model", f"{folder}/run"
    inputs = {"examples": [examples], "transform_graph": [graph]}
    if base_model_uri:
        inputs["base_model"] = [standard_artifacts.Model()]
        inputs["base_model"][0].uri = base_model_uri
    GenericExecutor().Do(
        inputs,
        {"model": [model], "model_run": [run]},
        {
            "run_fn": "components.trainer.run_fn.run_fn",
            "train_args": "{}",
            "eval_args": "{}",
            "custom_config": json.dumps(custom_config),
        },
    )


class Trained:
    """A Trainer run in a folder."""

    def __init__(
        self,
        folder: Path,
        rows: Sequence[Row],
        features: Mapping[str, Any] | None = None,
        base_model: standard_artifacts.Model | None = None,
        counted: bool = False,
        **model: Any,
    ):
        self.base_model = base_model
        self.fitted = Fitted(features or {}, rows, folder)
        self.examples = folder / "examples"
        for split in ("train", "eval"):
            path = self.examples / f"Split-{split}" / "data_tfrecord-00000-of-00001"
            path.parent.mkdir(parents=True)
            with tf.io.TFRecordWriter(str(path)) as writer:
                for row in rows:
                    writer.write(serialized(row, self.fitted.dtypes))
        ingest: dict[str, Any] = {"files": ["c.csv"], "span": 3, "as_of": None}
        if counted:
            ingest["customers"] = {"train": len(rows), "eval": len(rows)}
        (self.examples / "ingest.json").write_text(json.dumps(ingest))
        config = ModelConfig.model_validate({"k": 3, **model})
        self.custom_config = {
            "model": config.model_dump_json(),
            "training": TrainingConfig().model_dump_json(),
            "checkpoint_dir": str(folder / "checkpoints"),
            "features": self.fitted.config.model_dump_json(by_alias=True),
            "pipeline": "test",
            "id_column": None,
            "config_hash": "abc",
        }
        self.folder = folder
        self.train()

    def train(self, **training: Any) -> None:
        config = {**self.custom_config, "training": TrainingConfig(**training).model_dump_json()}
        base = None if self.base_model is None else self.base_model.uri
        run_trainer(str(self.folder), str(self.fitted.graph), config, base)
        self.load()

    def curve(self, name: str) -> list[float]:
        """The values of a curve that TensorBoard would show."""
        return [
            float(tf.make_ndarray(value.tensor))
            for path in sorted((self.folder / "run").glob("events.out.*"))
            for event in tf.compat.v1.train.summary_iterator(str(path))
            for value in event.summary.value
            if value.tag == name
        ]

    def load(self) -> None:
        self.model_dir = self.folder / "model" / "Format-Serving"
        self.model = tf.saved_model.load(str(self.model_dir))
        self.segments = json.loads((self.model_dir / "assets.extra" / "segments.json").read_text())

    def ask(self, rows: Sequence[Row], signature: str = "evaluate") -> dict[str, np.ndarray]:
        examples = tf.constant([serialized(row, self.fitted.dtypes) for row in rows])
        return {n: t.numpy() for n, t in self.model.signatures[signature](examples=examples).items()}


def serve(
    model: Trained, folder: Path, version: str = "1", known: Known | None = None
) -> standard_artifacts.Model:
    """What ServedModel publishes of a trained model; of none where the version is ''."""
    if version:
        shutil.copytree(model.model_dir, folder / "serving" / version)
    artifact = standard_artifacts.Model()
    artifact.uri = str(folder / f"served-{version}")
    properties = {"serving_dir": str(folder / "serving"), "version": version}
    properties["known"] = known_to_json(known or known_segments(str(folder / "serving")))
    outputs = {"model": [artifact], "pushed_model": [standard_artifacts.PushedModel()]}
    ServedModelExecutor().Do({}, outputs, properties)
    return artifact


def retrained(folder: Path, rows: Sequence[Row], base: standard_artifacts.Model, **options: Any) -> Trained:
    return Trained(folder, rows, base_model=base, **options)
