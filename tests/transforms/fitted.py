"""A transform analyzed on a few rows, as TFX's Transform leaves it on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils

from components.trainer.transformation import Transformation
from configs.features import FeaturesConfig
from transforms.preprocessing import plan_from_dtypes, preprocessing_fn

DTYPES = {"f": tf.float32, "i": tf.int64, "s": tf.string}


def serialized(row: Mapping[str, Any], dtypes: Mapping[str, tf.DType]) -> bytes:
    """A tf.Example; None is a missing feature."""
    features = {}
    for name, value in row.items():
        if value is None:
            continue
        if dtypes[name] == tf.string:
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        elif dtypes[name] == tf.int64:
            feature = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        else:
            feature = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        features[name] = feature
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


class Fitted:
    """A transform analyzed on rows. Column names start with f, i or s for their dtype."""

    def __init__(self, config: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], folder: Path):
        self.config = FeaturesConfig.model_validate(config)
        names = sorted({name for row in rows for name in row})
        self.dtypes = {name: DTYPES[name[0]] for name in names}
        spec = {name: tf.io.VarLenFeature(dtype) for name, dtype in self.dtypes.items()}
        metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
        data = [{name: [v for v in [row.get(name)] if v is not None] for name in names} for row in rows]
        data = [
            {n: [v.encode() if isinstance(v, str) else v for v in vs] for n, vs in row.items()}
            for row in data
        ]
        custom = {"features": self.config.model_dump_json(by_alias=True), "id_column": None}
        # The copies are TFX's choice, too. Without them every phase reads one collection, and where there are three of
        # them Beam's local runner waits for ever.
        with (
            beam.Pipeline(runner="DirectRunner", argv=[]) as pipeline,
            tft_beam.Context(temp_dir=str(folder / "tmp"), use_deep_copy_optimization=True),
        ):
            source = pipeline | beam.Create(data)
            analyzed = (source, metadata) | tft_beam.AnalyzeDataset(
                lambda inputs: preprocessing_fn(inputs, custom)
            )
            _ = analyzed | tft_beam.WriteTransformFn(str(folder / "graph"))
        # TFX's Transform writes the raw schema beside the graph.
        metadata_io.write_metadata(metadata, str(folder / "graph" / "metadata"))
        self.graph = folder / "graph"
        output = tft.TFTransformOutput(str(self.graph))
        self.transformation = Transformation(output, plan_from_dtypes(self.config, self.dtypes, None))

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
        """Coordinate -> values [rows]."""
        examples = tf.constant([serialized(row, self.dtypes) for row in rows])
        vectors = self.transformation.vectors(self.transformation.parse(examples)).numpy()
        assert vectors.dtype == np.float32
        return dict(zip(self.transformation.layout.names, vectors.T, strict=True))
