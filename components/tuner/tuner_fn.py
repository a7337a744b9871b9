"""The Tuner's `tuner_fn`, reached by import path: read the customers once, and set up the search."""

from __future__ import annotations

import dataclasses
import os
import time

import tensorflow as tf
from absl import logging
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from components.errors import DataError
from components.example_files import read_ingest
from components.trainer.kmeans import KMeansOptions
from components.trainer.reading import load_shard
from components.trainer.transformation import Transformation
from components.tuner.choice import Bounds
from components.tuner.judging import Judge
from components.tuner.segment_tuner import SegmentTuner
from configs.features import FeaturesConfig
from configs.model import ModelConfig
from configs.tuner import TunerConfig


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Makes the tuner that finds the number of segments.

    `custom_config` holds `model`, `tuner` and `features` (JSON of their config sections), `id_column`, and
    `min_share` (the smallest share of a segment that the evaluation lets through) and `min_stability` (likewise),
    each None where it sets no such bound, and `selected` (true where features were selected).

    Raises:
      components.errors.DataError: there are fewer customers than `tuner.min_k`.
    """
    config = fn_args.custom_config
    model = ModelConfig.model_validate_json(config["model"])
    tuner = TunerConfig.model_validate_json(config["tuner"])
    features = FeaturesConfig.model_validate_json(config["features"])
    transformation = Transformation.saved(
        fn_args.transform_graph_path,
        features,
        config.get("id_column"),
        model.metric,
        bool(config.get("selected")),
    )
    files = [path for pattern in fn_args.train_files for path in tf.io.gfile.glob(pattern)]
    # Files are <uri>/Split-train/<name>: FnArgs tells them, not the artifact.
    count = read_ingest(os.path.dirname(os.path.dirname(files[0]))).get("customers", {}).get("train", 0)
    began = time.perf_counter()
    rows = load_shard(files, transformation, 0, max(1, -(-count // tuner.max_customers)))
    logging.info("Read %d customers with %d coordinates in %.1f s.", *rows.shape, time.perf_counter() - began)
    if len(rows) < tuner.min_k:
        raise DataError(
            f"model.k is auto, but {len(rows)} customers cannot make tuner.min_k = {tuner.min_k} segments: "
            "give more customers"
        )
    bounds = Bounds(max(tuner.min_stability, config.get("min_stability") or -1.0), config.get("min_share"))
    # The section has the engine's own names, and more than the engine asks for. k is each candidate's.
    names = {field.name for field in dataclasses.fields(KMeansOptions)} - {"k"}
    options = KMeansOptions(k=tuner.min_k, **model.model_dump(include=names))
    return TunerFnResult(
        tuner=SegmentTuner(
            Judge(rows, options, tuner.judged_customers, bounds),
            fewest=tuner.min_k,
            most=min(tuner.max_k, len(rows)),
            bounds=bounds,
            tolerance=tuner.tolerance,
            rows=len(rows),
            directory=fn_args.working_dir,
        ),
        fit_kwargs={},
    )
