"""TFX's Tuner with our executor and tuner_fn, on real records: `Do`, then what it wrote is read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras_tuner.errors import FatalError
from sklearn.cluster import KMeans
from sklearn.metrics import davies_bouldin_score, silhouette_score
from tfx.components.tuner import executor as tfx_tuner
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import SegmentSweep
from components.errors import DataError
from components.trainer.hyperparameters import with_chosen_k
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
    return Tuned(tmp_path_factory.mktemp("tuned"), groups(4), max_k=6, bounds={"min_share": 0.01})


def test_the_whole_sweep_is_kept(tuned: Tuned) -> None:
    sweep = tuned.sweep
    assert list(sweep) == ["chosen", "reason", "tolerance", "rows", "judged_rows", "candidates"]
    assert (sweep["chosen"], sweep["tolerance"], sweep["rows"], sweep["judged_rows"]) == (4, 0.01, 600, 600)
    assert sweep["reason"].startswith("k = 4 scores best, ")
    assert "continuum" not in sweep["reason"]
    assert [candidate["k"] for candidate in sweep["candidates"]] == [2, 3, 4, 5, 6]
    for candidate in sweep["candidates"]:
        assert list(candidate) == [
            "k", "inertia", "silhouette", "davies_bouldin", "stability", "smallest_segment_share", "eligible",
            "reason", "seconds",
        ]  # fmt: skip
        assert candidate["seconds"] > 0
        assert candidate["eligible"] == (candidate["reason"] == "")
    inertias = [candidate["inertia"] for candidate in sweep["candidates"]]
    assert inertias == sorted(inertias, reverse=True)


def test_the_figures_are_scikit_learns(tuned: Tuned, tmp_path: Path) -> None:
    rows = np.stack(list(Fitted({}, groups(4), tmp_path)(groups(4)).values()), axis=1)
    reference = KMeans(4, n_init=10, random_state=0).fit(rows)
    ours = tuned.candidate(4)
    assert ours["inertia"] == pytest.approx(reference.inertia_, rel=1e-5)
    labels = reference.labels_
    assert ours["silhouette"] == pytest.approx(silhouette_score(rows, labels, metric="sqeuclidean"), abs=1e-5)
    assert ours["davies_bouldin"] == pytest.approx(davies_bouldin_score(rows, labels), rel=1e-5)
    assert ours["smallest_segment_share"] == np.bincount(labels).min() / 600
    assert ours["stability"] == pytest.approx(1.0)


def test_the_trainer_and_tfx_read_the_chosen_k(tuned: Tuned) -> None:
    assert with_chosen_k(ModelConfig(k="auto", seed=3), tuned.best) == ModelConfig(k=4, seed=3)
    assert with_chosen_k(ModelConfig(k=7), None).k == 7
    assert with_chosen_k(ModelConfig(k=7), tuned.best).k == 4, "as asked for at submission"
    with pytest.raises(ValueError, match="needs a Tuner before it"):
        with_chosen_k(ModelConfig(k="auto"), None)
    by_k = {result["k"]: result["score"] for result in tuned.results}
    assert set(by_k) == {2, 3, 4, 5, 6}
    assert max(by_k, key=lambda k: by_k[k]) == 4


def test_too_few_customers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"3 customers cannot make tuner\.min_k = 4 segments"):
        Tuned(tmp_path, groups(3, rows=3), min_k=4)


def test_of_many_customers_a_part_is_fitted_and_a_part_of_that_judged(tmp_path: Path) -> None:
    # Of 600, every second one: every third would be of one group.
    sweep = Tuned(tmp_path, groups(3), max_k=4, max_customers=350, judged_customers=100).sweep
    assert (sweep["rows"], sweep["judged_rows"], sweep["chosen"]) == (300, 100, 3)


def test_the_metric_and_the_algorithm_are_those_of_the_model(tmp_path: Path) -> None:
    """Customers who spend alike in proportion are one group, however much they spend."""
    random = np.random.default_rng(0)
    rows = []
    for n in range(450):
        amounts = (np.eye(3)[n % 3] + 0.05 * random.random(3)) * random.choice([1.0, 8.0, 60.0])
        rows.append({f"f_{name}": float(amount) for name, amount in zip("abc", amounts, strict=True)})
    features = {"numeric": {"normalize": "none"}}
    cosine = Tuned(tmp_path, rows, metric="cosine", algorithm="minibatch", features=features, max_k=5)
    assert cosine.sweep["chosen"] == 3
    assert cosine.candidate(3)["inertia"] < 20, "of directions, whose squared distances are at most 4"


def test_an_error_is_said_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """KerasTuner lets only its own kind through: what happened is the cause of that."""

    def search(*_: Any, **__: Any) -> None:
        try:
            raise MemoryError("no room")
        except MemoryError as error:
            raise FatalError("no room") from error

    monkeypatch.setattr(tfx_tuner, "search", search)
    executor = Executor(BaseExecutor.Context(tmp_dir=str(tmp_path), unique_id="1"))
    with pytest.raises(MemoryError, match="no room"):
        executor.Do({}, {}, {})
