"""Real models, real records and the executor's `Do` for Evaluator's tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.evaluation import EvaluationConfig

FEATURES = ("x", "y")


@dataclass
class Workbench:
    """Writes models and examples, runs the executor, hands back what it produced."""

    root: Path
    runs: int = 0
    blessing: Any = None
    evaluation: Any = None

    def model(
        self,
        centroids: Any,
        space: str | None = "plain",
        columns: tuple[str, ...] = FEATURES,
        radius: float | None = np.inf,
    ) -> Any:
        """A SavedModel that assigns the numeric `columns` to the nearest of `centroids` [k, d].

        Customers beyond `radius` are outliers; with None it has no such output, as models had none once.
        """
        import tensorflow as tf
        from tfx.types import standard_artifacts

        class Model(tf.Module):
            def __init__(self) -> None:
                super().__init__()
                self.centroids = tf.constant(centroids, tf.float32)
                self.names = tf.constant([f"segment {j + 1}" for j in range(len(centroids))])

            def answers(self, columns_: list[tf.Tensor]) -> dict[str, tf.Tensor]:
                rows = tf.stack(columns_, axis=1)
                distances = tf.norm(rows[:, None] - self.centroids, axis=-1)
                nearest = tf.argmin(distances, axis=1)
                answers = {
                    "segment_id": nearest + 1,
                    "segment_name": tf.gather(self.names, nearest),
                    "distance": tf.reduce_min(distances, axis=1),
                    "distances": distances,
                    "features": rows,
                }
                if radius is not None:
                    answers["is_outlier"] = answers["distance"] > radius
                return answers

            def parsed(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
                spec = {name: tf.io.FixedLenFeature([], tf.float32) for name in columns}
                parsed = tf.io.parse_example(examples, spec)
                return self.answers([parsed[name] for name in columns])

            @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
            def evaluate(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
                return self.parsed(examples)

            @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
            def serving_default(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
                return {name: t for name, t in self.parsed(examples).items() if name != "features"}

            @tf.function(input_signature=[[tf.TensorSpec([None], tf.float32, name=name) for name in columns]])
            def assign(self, columns_: list[tf.Tensor]) -> dict[str, tf.Tensor]:
                return {name: t for name, t in self.answers(columns_).items() if name != "features"}

        artifact = standard_artifacts.Model()
        artifact.uri = str(self._new("model"))
        path = Path(artifact.uri) / "Format-Serving"
        model = Model()
        signatures = {name: getattr(model, name) for name in ("serving_default", "assign", "evaluate")}
        tf.saved_model.save(model, str(path), signatures=signatures)
        if space is not None:
            (path / "assets.extra").mkdir()
            described = {"space": space, "segments": [{"id": j + 1} for j in range(len(centroids))]}
            (path / "assets.extra" / "segments.json").write_text(json.dumps(described))
        return artifact

    def serve(self, model: Any, version: str = "7") -> Any:
        """The model as ServedModel's output."""
        from tfx.types import standard_artifacts

        artifact = standard_artifacts.Model()
        artifact.uri = model.uri
        artifact.set_int_custom_property("served", 1)
        artifact.set_string_custom_property("version", version)
        return artifact

    def nothing_served(self) -> Any:
        from tfx.types import standard_artifacts

        artifact = standard_artifacts.Model()
        artifact.uri = str(self._new("none"))
        artifact.set_int_custom_property("served", 0)
        return artifact

    def examples(self, columns: dict[str, Any]) -> Any:
        """Examples with a split `eval`; a None or NaN is an absent feature."""
        import tensorflow as tf
        from tfx.types import standard_artifacts

        artifact = standard_artifacts.Examples()
        artifact.uri = str(self._new("examples"))
        artifact.split_names = '["train", "eval"]'
        folder = Path(artifact.uri) / "Split-eval"
        folder.mkdir()
        with tf.io.TFRecordWriter(str(folder / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
            for row in zip(*columns.values(), strict=True):
                present = {
                    name: _feature(value)
                    for name, value in zip(columns, row, strict=True)
                    if value is not None and value == value
                }
                writer.write(
                    tf.train.Example(features=tf.train.Features(feature=present)).SerializeToString()
                )
        return artifact

    def points(self, rows: Any, **more: Any) -> Any:
        """Examples of the rows [n, 2], with an id."""
        rows = np.asarray(rows, np.float32)
        ids = [f"c{i}" for i in range(len(rows))]
        return self.examples({"id": ids, "x": rows[:, 0], "y": rows[:, 1], **more})

    def evaluate(self, examples: Any, model: Any, served: Any = None, **evaluation: Any) -> Any:
        """Runs the executor as TFX would and returns the verdict read back from its files."""
        from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
        from tfx.types import standard_artifacts
        from tfx.utils import proto_utils

        from components.evaluator.eval_config import build_eval_config
        from components.evaluator.executor import Executor
        from components.evaluator.verdict import read_verdict

        self.evaluation = standard_artifacts.ModelEvaluation()
        self.blessing = standard_artifacts.ModelBlessing()
        self.evaluation.uri, self.blessing.uri = str(self._new("evaluation")), str(self._new("blessing"))
        context = BaseBeamExecutor.Context(
            # Naming an image keeps TFX from packing itself for remote workers (a second per run).
            beam_pipeline_args=[
                "--runner=DirectRunner",
                "--direct_running_mode=in_memory",
                "--sdk_container_image=none",
            ],
            tmp_dir=str(self._new("tmp")),
            unique_id="1",
        )
        Executor(context).Do(
            {
                "examples": [examples],
                "model": [model],
                "baseline_model": [served if served is not None else self.nothing_served()],
            },
            {"evaluation": [self.evaluation], "blessing": [self.blessing]},
            {
                "eval_config": proto_utils.proto_to_json(
                    build_eval_config(EvaluationConfig.model_validate(evaluation))
                ),
                "example_splits": '["eval"]',
                "code_version": "abc",
            },
        )
        return read_verdict(self.evaluation.uri)

    @property
    def blessed(self) -> int:
        """What the Pusher will see."""
        return self.blessing.get_int_custom_property("blessed")

    def _new(self, kind: str) -> Path:
        self.runs += 1
        path = self.root / f"{kind}-{self.runs}"
        path.mkdir()
        return path


def _feature(value: Any) -> Any:
    import tensorflow as tf

    if isinstance(value, str):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
    if isinstance(value, (int, np.integer)):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    return Workbench(tmp_path_factory.mktemp("evaluator"))
