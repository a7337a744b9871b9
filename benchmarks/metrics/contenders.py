"""What is timed, each in a process of its own: prints one JSON object with `seconds` and `metrics`.

    python -m benchmarks.metrics.contenders arrays|evaluator|sliced|compared|silhouette_score FOLDER

Imports are not timed. Memory is measured from outside, imports and all.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.metrics.case import CENTROIDS_FILE, EXAMPLES, MODEL, ROWS_FILE

SILHOUETTE_ROWS = 20_000


class Watch:
    """Wall and processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """`seconds`, and `cpu_seconds` of all threads: steadier on a machine that is busy with other things."""
        return {
            "seconds": time.perf_counter() - self._wall,
            "cpu_seconds": time.process_time() - self._cpu,
        }


def arrays(folder: Path) -> dict[str, Any]:
    """All metrics of rows in memory, already assigned."""
    from components.metrics.clustering import clustering_metrics, sampled_metrics
    from components.trainer.kmeans import assign

    rows, centroids = np.load(folder / ROWS_FILE), np.load(folder / CENTROIDS_FILE)
    labels, squared = (tensor.numpy() for tensor in assign(rows, centroids))
    distance = np.sqrt(squared)
    watch = Watch()
    outliers = distance > np.sqrt(2 * rows.shape[1])
    metrics = clustering_metrics(rows, labels, distance, len(centroids), outliers)
    exact = watch.read()
    metrics |= sampled_metrics(rows, labels, distance, len(centroids))[0]
    both = watch.read()
    parts = {"all rows": exact, "samples": {name: both[name] - exact[name] for name in both}}
    return {**both, "metrics": metrics, "parts": parts}


def silhouette_score(folder: Path) -> dict[str, Any]:
    """scikit-learn's ordinary silhouette, which looks at all pairs, of the first 20,000 rows."""
    from sklearn.metrics import silhouette_score

    from components.trainer.kmeans import assign

    rows = np.load(folder / ROWS_FILE, mmap_mode="r")[:SILHOUETTE_ROWS].astype(np.float64)
    labels = assign(rows, np.load(folder / CENTROIDS_FILE))[0].numpy()
    watch = Watch()
    value = silhouette_score(rows, labels)
    return {**watch.read(), "metrics": {"silhouette_score": float(value)}}


def evaluator(folder: Path) -> dict[str, Any]:
    """The Evaluator's executor, from tf.Examples to the blessing."""
    return _evaluate(folder)


def sliced(folder: Path) -> dict[str, Any]:
    """The same with a slice per value of a column of four values."""
    return _evaluate(folder, slices=["region"])


def compared(folder: Path) -> dict[str, Any]:
    """The same with a served model beside the candidate: two models measured."""
    return _evaluate(folder, served=True)


def _evaluate(folder: Path, served: bool = False, **evaluation: Any) -> dict[str, Any]:
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types import standard_artifacts
    from tfx.utils import proto_utils

    from components.evaluator.eval_config import build_eval_config
    from components.evaluator.executor import Executor
    from components.evaluator.verdict import read_verdict
    from configs.evaluation import EvaluationConfig
    from pipeline.dag import LOCAL_BEAM_ARGS

    examples, model, baseline = (
        standard_artifacts.Examples(), standard_artifacts.Model(), standard_artifacts.Model(),
    )  # fmt: skip
    examples.uri, examples.split_names = str(folder / EXAMPLES), '["eval"]'
    model.uri = baseline.uri = str(folder / MODEL)
    baseline.set_int_custom_property("served", int(served))
    outputs = {
        "evaluation": [standard_artifacts.ModelEvaluation()],
        "blessing": [standard_artifacts.ModelBlessing()],
    }
    config = build_eval_config(EvaluationConfig.model_validate(evaluation))
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for name, (artifact,) in outputs.items():
            artifact.uri = f"{scratch}/{name}"
        context = BaseBeamExecutor.Context(
            beam_pipeline_args=LOCAL_BEAM_ARGS, tmp_dir=f"{scratch}/tmp", unique_id="1"
        )
        watch = Watch()
        Executor(context).Do(
            {"examples": [examples], "model": [model], "baseline_model": [baseline]},
            outputs,
            {"eval_config": proto_utils.proto_to_json(config), "example_splits": '["eval"]'},
        )
        taken = watch.read()
        verdict = read_verdict(outputs["evaluation"][0].uri)
    return {**taken, "metrics": verdict.metrics, "rows": verdict.rows}


CONTENDERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    function.__name__: function for function in (arrays, evaluator, sliced, compared, silhouette_score)
}

if __name__ == "__main__":
    print(json.dumps(CONTENDERS[sys.argv[1]](Path(sys.argv[2]))))
