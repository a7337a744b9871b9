"""The served model, asked about columns of raw values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.errors import ServingError
from components.segments_file import read_segments

Value: TypeAlias = float | int | str | None
Row: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True)
class Feature:
    """A raw column of the model.

    kind: `numeric` or `categorical`, as it is described. input: of the signature `assign`. is_text: strings; else
    numbers, `whole` ones or not.
    """

    name: str
    kind: str
    input: str
    is_text: bool
    whole: bool


@dataclass(frozen=True)
class Answers:
    """What the model says of n rows.

    segment_ids: int64 [n]. segment_names: bytes objects [n]. distances: float32 [n, segments]. distance: float32 [n],
    to the own segment. outliers: bool [n].
    """

    segment_ids: npt.NDArray[np.int64]
    segment_names: npt.NDArray[np.object_]
    distances: npt.NDArray[np.float32]
    distance: npt.NDArray[np.float32]
    outliers: npt.NDArray[np.bool_]


class LoadedModel:
    """A served version: its answers, its centroids and what it says about its segments.

    Attributes:
      content: its `segments.json`.
      features: its raw columns.
      segment_ids: int64 [segments], in the order of the columns of `distances`.

    Raises:
      ServingError: it cannot be loaded, or was not exported by this pipeline.
    """

    def __init__(self, model_dir: str):
        self.content = read_segments(model_dir)
        try:
            self._model: Any = tf.saved_model.load(model_dir)
            self._assign, self._evaluate = (self._model.signatures[name] for name in ("assign", "evaluate"))
        except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
            raise ServingError(f"the model {model_dir} cannot be loaded: {error}") from error
        self._model_dir = model_dir
        specs = self._assign.structured_input_signature[1]
        self.features = [self._feature(each, specs[each["input"]].dtype) for each in self.content["features"]]
        self.segment_ids = np.array([each["id"] for each in self.content["segments"]], np.int64)

    @staticmethod
    def _feature(described: Mapping[str, Any], dtype: tf.DType) -> Feature:
        # Whole numbers are asked for as doubles, others as floats.
        return Feature(
            described["name"], described["kind"], described["input"], dtype == tf.string, dtype == tf.float64
        )

    def ask(self, columns: Mapping[str, npt.NDArray[Any]]) -> Answers:
        """Assigns rows.

        Args:
          columns: feature -> [n]: numbers, NaN where missing; or str or bytes objects, '' where missing.
        """
        specs = self._assign.structured_input_signature[1]
        answer = self._assign(
            **{f.input: tf.constant(columns[f.name], specs[f.input].dtype) for f in self.features}
        )
        names = ("segment_id", "segment_name", "distances", "distance", "is_outlier")
        return Answers(*(answer[name].numpy() for name in names))

    def ask_rows(self, rows: list[Row]) -> Answers:
        """Assigns a few rows; a column that a row does not have is missing there."""
        return self.ask({f.name: as_column(f, [row.get(f.name) for row in rows]) for f in self.features})

    def unrotated(self, rows: list[Row]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Of a model with principal components: what is rotated [n, m], of few rows, and the rotation [m, c].

        The m columns are the features of one coordinate, in the order of `features`, where those come first.
        """
        examples = [_example(self.features, row) for row in rows]
        centered = self._model.unrotated(tf.constant(examples, tf.string)).numpy()
        return centered.astype(np.float64), self._model.rotation().numpy()

    def vectors(self, rows: list[Row]) -> npt.NDArray[np.float32]:
        """The transformed rows, float32 [n, d]; for few rows, since each becomes a tf.Example."""
        examples = [_example(self.features, row) for row in rows]
        vectors: npt.NDArray[np.float32] = self._evaluate(examples=tf.constant(examples, tf.string))[
            "features"
        ].numpy()
        return vectors

    def prototypes(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Centroids [p, d], and the ids of their segments [p].

        Raises:
          ServingError: the model does not have them.
        """
        try:
            told = self._model.prototypes()
            return told["centroids"].numpy(), told["segment_id"].numpy()
        except AttributeError as error:
            raise ServingError(
                f"the model {self._model_dir} does not say where its segments' centres are: an older version of"
                " this software exported it; 'segments run --force' makes one that does"
            ) from error


def as_column(feature: Feature, values: list[Value]) -> npt.NDArray[Any]:
    """Values of a feature as a column for `LoadedModel.ask`."""
    if feature.is_text:
        return np.array(["" if value is None else str(value) for value in values], object)
    return np.array([np.nan if value is None else value for value in values], np.float64)


def read_example(serialized: bytes) -> dict[str, Value]:
    """The raw values of a tf.Example; a feature without a value is None."""
    return {
        name: _first(feature)
        for name, feature in sorted(tf.train.Example.FromString(serialized).features.feature.items())
    }


def _first(feature: Any) -> Value:
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else []
    if not len(values):
        return None
    if kind == "bytes_list":
        return str(values[0].decode("utf-8", "replace"))
    # The shortest number that is the same float: 34.1, not 34.099998474121094.
    return float(str(np.float32(values[0]))) if kind == "float_list" else int(values[0])


def _example(features: list[Feature], row: Row) -> bytes:
    found: dict[str, tf.train.Feature] = {}
    for feature in features:
        value = row.get(feature.name)
        if value is None or value == "":
            continue
        if feature.is_text:
            found[feature.name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[str(value).encode()]))
        elif feature.whole:
            found[feature.name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[int(value)]))
        else:
            found[feature.name] = tf.train.Feature(float_list=tf.train.FloatList(value=[float(value)]))
    serialized: bytes = tf.train.Example(features=tf.train.Features(feature=found)).SerializeToString()
    return serialized
