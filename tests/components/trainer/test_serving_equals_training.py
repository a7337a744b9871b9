"""Serving equals training: an exported model gives a row the segment that the batch table gives it."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.trainer.reading import load_customers
from components.trainer.serving_model import Prototypes, SegmentModel, nearest_segments
from tests.transforms.fitted import Fitted, serialized
from tests.transforms.test_encoding import column_options, customers
from tests.transforms.text_models import save_text_model

NUMBERS: dict[str, dict[str, Any]] = {
    "f_minmax": {"normalize": "minmax", "range": [-1, 1], "impute": -3.0},
    "f_robust": {"normalize": "robust", "impute": "median"},
    "f_uniform": {"normalize": "quantile_uniform", "clip": {"min": 0.2}},
    "f_normal": {"normalize": "quantile_normal", "log1p": True},
    "f_clipped": {"clip": {"quantiles": [0.05, 0.95]}, "weight": 0.7},
    "i_count": {"log1p": True},
}
SEGMENTS = 7
PER_EXAMPLE = 150


class Exported:
    """A model with every transform, and the transform that its customers were read with."""

    def __init__(self, folder: Path, pca: dict[str, Any] | None, metric: str):
        model, signature = save_text_model(folder / "one"), save_text_model(folder / "two", 3.0, True)
        random = np.random.default_rng(1)
        self.rows = customers(900, seed=4)
        for row in self.rows:
            for name in NUMBERS:
                value = random.lognormal(1, 1)
                missing = random.random() < 0.1
                row[name] = None if missing else int(value) if name.startswith("i_") else float(value)
        config = {"columns": {**column_options(model, signature), **NUMBERS}, "pca": pca}
        self.fitted = Fitted(config, self.rows, folder)
        transformation = type(self.fitted.transformation).saved(
            str(self.fitted.graph), self.fitted.config, None, metric
        )
        self.transformation = transformation
        self.folder = folder
        vectors = self.batch(self.rows)
        self.centroids = vectors[random.choice(len(vectors), SEGMENTS, replace=False)]
        prototypes = Prototypes(
            self.centroids, range(1, SEGMENTS + 1), ["x"] * SEGMENTS, np.full(SEGMENTS, np.inf, np.float32)
        )
        SegmentModel(transformation, prototypes).export(str(folder / "exported"))
        # Servers have the exported folder only.
        shutil.rmtree(folder / "one")
        shutil.rmtree(folder / "two")
        shutil.copytree(folder / "exported", folder / "served")
        shutil.rmtree(folder / "exported")
        self.served = tf.saved_model.load(str(folder / "served"))

    def batch(self, rows: list[dict[str, Any]]) -> np.ndarray:
        """The rows as training and the table of assignments read them, from files."""
        path = self.folder / "rows.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for row in rows:
                writer.write(serialized(row, self.fitted.dtypes))
        return load_customers([str(path)], self.transformation).vectors

    def check(self, rows: list[dict[str, Any]]) -> np.ndarray:
        """Asserts that all signatures agree with the batch; returns the segments."""
        vectors = self.batch(rows)
        labels, distances = nearest_segments(vectors, self.centroids)
        dtypes = self.fitted.dtypes
        examples = tf.constant([serialized(row, dtypes) for row in rows])
        columns = {}
        for name, dtype in dtypes.items():
            values = [row.get(name) for row in rows]
            if dtype == tf.string:
                columns[name] = tf.constant(["" if v is None else v for v in values])
            else:
                numbers = [math.nan if v is None else v for v in values]
                columns[name] = tf.constant(numbers, tf.float64 if dtype == tf.int64 else dtype)
        answers = {
            "serving_default": self.served.signatures["serving_default"](examples=examples),
            "assign": self.served.signatures["assign"](**columns),
            "evaluate": self.served.signatures["evaluate"](examples=examples),
        }
        for signature, answer in answers.items():
            np.testing.assert_array_equal(answer["segment_id"], labels + 1, signature)
            np.testing.assert_array_equal(answer["distance"], distances, signature)
        np.testing.assert_array_equal(answers["evaluate"]["features"], vectors)
        assert np.isfinite(vectors).all()
        return labels


@pytest.fixture(
    scope="module",
    params=[(None, "euclidean"), ({"components": 0.9, "whiten": True}, "cosine")],
    ids=["coordinates", "components"],
)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(tmp_path_factory.mktemp("exported"), *request.param)


def values(name: str) -> st.SearchStrategy[Any]:
    if name.startswith("f_"):
        # What a file may hold: float32, and what stands for missing.
        numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
        return st.none() | numbers | st.floats(-10, 50, width=32)
    if name.startswith("i_"):
        return st.none() | st.integers(-3, 40) | st.integers(-(2**53), 2**53)
    seen = ["a", "b", "c", "low", "city3", "x;y", "new;x", " ; ", "3", "Monday", "red", "never seen", "7.5"]
    return st.none() | st.sampled_from(seen) | st.text(st.characters(codec="utf-8"), max_size=8)


@pytest.mark.slow
def test_the_training_customers(exported: Exported) -> None:
    assert len(np.unique(exported.check(exported.rows))) == SEGMENTS


@pytest.mark.slow
def test_missing_and_unseen_rows(exported: Exported) -> None:
    empty: list[dict[str, Any]] = [{}] * 2
    exported.check([*empty, {name: "unseen" for name in exported.fitted.dtypes if name[0] == "s"}])


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), st.integers(0, 2**32 - 1))
def test_generated_rows(exported: Exported, data: st.DataObject, seed: int) -> None:
    """Values that hypothesis finds, crossed into rows: 20 times 150 of them."""
    random = np.random.default_rng(seed)
    pools = {
        name: data.draw(st.lists(values(name), min_size=1, max_size=4), name)
        for name in exported.fitted.dtypes
    }
    real = random.integers(0, len(exported.rows), PER_EXAMPLE)
    rows = []
    for i in real:
        row = dict(exported.rows[i])
        for name, pool in pools.items():
            if random.random() < 0.4:
                row[name] = pool[random.integers(len(pool))]
        rows.append(row)
    exported.check(rows)
