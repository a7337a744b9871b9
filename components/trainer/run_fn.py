"""The Trainer's `run_fn`, reached by import path: read, cluster, describe, export."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from tfx.components.trainer.fn_args_utils import FnArgs

from components.errors import DataError
from components.example_files import read_ingest
from components.identity.succession import Succession
from components.segments_file import SEGMENTS_FILE
from components.trainer import segments
from components.trainer.checkpoints import checkpoint_of, remove_checkpoints
from components.trainer.curves import told_passes
from components.trainer.hyperparameters import with_chosen_k
from components.trainer.kmeans import (
    Checkpoint,
    Iteration,
    KMeansError,
    KMeansOptions,
    KMeansResult,
    fit_kmeans,
)
from components.trainer.kmeans.local.fit import fit_on_local_workers
from components.trainer.parent import Opinion, ServedParent, ask, read_parent, sample_share, succession
from components.trainer.projector import write_projection
from components.trainer.reading import Customers, load_customers, load_shard, stream_vectors
from components.trainer.serving_model import SegmentModel
from components.trainer.strategy import Placement, place
from components.trainer.transformation import Transformation
from components.trainer.warm_start import Start, agreed, choose_start
from configs.features import FeaturesConfig
from configs.identity import IdentityConfig
from configs.model import ModelConfig
from configs.training import TrainingConfig
from transforms.plan import FeaturePlan

_EXPORT_WAIT_SECONDS = 600


def run_fn(fn_args: FnArgs) -> None:
    """Fits k-means to the train split and exports the model that assigns segments.

    `custom_config` holds `model`, `training`, `features` and `identity` (JSON of their config sections), `pipeline`
    (its name), `id_column`, `config_hash` and `checkpoint_dir` (where fits that are cut short are found again). Where
    `model.k` is `auto`, `hyperparameters` are the Tuner's. In a TF_CONFIG cluster each worker fits its share of the
    rows and only the chief describes and exports. `base_model` is the model in production, from which the fit starts
    and whose segments it continues.

    Raises:
      components.errors.DataError: the data cannot make k segments.
      configs.errors.ConfigError: `training` and TF_CONFIG do not fit each other.
      components.trainer.kmeans.WorkerLost: a worker ended before the fit did.
    """
    config = fn_args.custom_config
    model_config = with_chosen_k(ModelConfig.model_validate_json(config["model"]), fn_args.hyperparameters)
    training = TrainingConfig.model_validate_json(config["training"])
    placement = place(training)
    features = FeaturesConfig.model_validate_json(config["features"])
    transformation = Transformation.saved(
        fn_args.transform_output, features, config.get("id_column"), model_config.metric
    )
    plan = transformation.plan

    files = [path for pattern in fn_args.train_files for path in tf.io.gfile.glob(pattern)]
    checkpoint = checkpoint_of(
        {**config, "model": model_config.model_dump_json()},
        training,
        files,
        fn_args.transform_output,
        placement.workers * placement.local_workers,
        fn_args.base_model,
    )
    # Files are <uri>/Split-train/<name>: FnArgs tells them, not the artifact.
    ingest = read_ingest(os.path.dirname(os.path.dirname(files[0])))
    every = _read_every(ingest, training, placement)
    share = placement.worker, placement.workers
    parent = read_parent(fn_args.base_model)
    warm = parent.is_there and model_config.warm_start
    # No longer "auto".
    k = int(model_config.k)
    shape = k, len(transformation.layout.names)
    if not placement.is_chief:
        read = stream_vectors if every > 1 else load_shard
        start = agreed(None, *shape, placement.strategy) if warm else None
        with told_passes(None) as on_iteration:
            _fit(
                read(files, transformation, *share), model_config, placement, on_iteration, checkpoint, start
            )
        _wait_for_export(fn_args.serving_model_dir)
        return
    customers = load_customers(files, transformation, every, sample_share(parent, ingest, every))
    logging.info("Read %d customers with %d coordinates.", *customers.vectors.shape)
    _check_orders(customers, plan)
    opinion = ask(parent, customers.records, set(transformation.dtypes))
    start = None
    if warm:
        sample = customers.vectors[customers.sampled]
        start = agreed(lambda: _start(sample, opinion, parent, model_config), *shape, placement.strategy)
    # The chief's shard is every `workers`-th customer from the first, as `load_shard` takes them.
    rows = stream_vectors(files, transformation, *share) if every > 1 else customers.vectors[:: share[1]]
    with told_passes(fn_args.model_run_dir) as on_iteration:
        fit = _fit(rows, model_config, placement, on_iteration, checkpoint, start)
    remove_checkpoints(config.get("checkpoint_dir"))
    identity = IdentityConfig.model_validate_json(config.get("identity", "{}"))

    def identify(labels: np.ndarray) -> Succession:
        return succession(parent, opinion, labels[customers.sampled], k, identity.min_overlap)

    prototypes, described = segments.describe(
        customers, fit, model_config.outlier_quantile, identify, whole=every == 1
    )
    write_projection(fn_args.model_run_dir, customers, prototypes, described["segments"])
    SegmentModel(transformation, prototypes).export(fn_args.serving_model_dir)
    content = {
        **segments.model_facts(transformation, fit, start.origin if start else "fresh"),
        **described,
        "pipeline": config["pipeline"],
        "id_column": config.get("id_column") or ingest.get("id_column"),
        "config_hash": _config_hash(config, k),
        "data": {key: ingest.get(key) for key in ("files", "span", "as_of")},
    }
    segments.write(fn_args.serving_model_dir, content)


def _config_hash(config: Mapping[str, Any], k: int) -> str:
    """Of the configuration that made the model: with the k that was asked for in place of its own."""
    said = json.loads(config["model"])["k"]
    if said in ("auto", k):
        return str(config["config_hash"])
    return hashlib.sha256(f"{config['config_hash']} k={k}".encode()).hexdigest()[:16]


def _read_every(ingest: Mapping[str, Any], training: TrainingConfig, placement: Placement) -> int:
    """1 where the customers are held in memory; else n: they are streamed, and the first of every n is described."""
    count = ingest.get("customers", {}).get("train", 0)
    if placement.local_workers > 1 or count <= training.max_customers_in_memory:
        return 1
    every = -(-count // training.max_customers_in_memory)
    logging.info("%d customers are streamed; segments are described from every %dth.", count, every)
    return int(every)


def _check_orders(customers: Customers, plan: FeaturePlan) -> None:
    """An order that the data knows nothing of would silently make a feature constant."""
    for feature in plan.ordinal:
        found = {value for value in customers.categorical[feature.name].dictionary.to_pylist() if value}
        other = sorted(found - set(feature.options.order or ()))
        if found and len(other) == len(found):
            raise DataError(
                f"features.columns.{feature.name}.order names none of the values in the data, such as "
                f"{', '.join(map(repr, other[:5]))}"
            )
        if other:
            logging.warning(
                "Not in the order of %s, so the mean rank stands for them: %s", feature.name, other[:20]
            )


def _fit(
    vectors: np.ndarray | tf.data.Dataset,
    config: ModelConfig,
    placement: Placement,
    on_iteration: Callable[[Iteration], None],
    checkpoint: Checkpoint | None,
    start: Start | None,
) -> KMeansResult:
    options = _options(config)
    told: dict[str, Any] = {"on_iteration": on_iteration, "checkpoint": checkpoint}
    if start is not None:
        options, told["initial_centroids"] = start.options(options), start.centroids
    try:
        if placement.local_workers > 1:
            fit = fit_on_local_workers(vectors, options, placement.local_workers, **told)
        else:
            fit = fit_kmeans(vectors, options, placement.strategy, **told)
    except KMeansError as error:
        if str(error).startswith("checkpoint:"):
            raise  # of which the data know nothing
        raise DataError(str(error)) from error
    logging.info(
        "k-means: inertia %.6g after %d iterations, %.1f s.", fit.inertia, fit.iterations, fit.seconds
    )
    return fit


def _options(config: ModelConfig) -> KMeansOptions:
    # The section has the engine's own names, and more than the engine asks for.
    names = {field.name for field in dataclasses.fields(KMeansOptions)}
    return KMeansOptions(**config.model_dump(include=names))


def _start(vectors: np.ndarray, opinion: Opinion | None, parent: ServedParent, config: ModelConfig) -> Start:
    labels = None if opinion is None else opinion.segments
    try:
        return choose_start(vectors, labels, len(parent.parent.ids), _options(config), config.switch_gain)
    except KMeansError as error:
        raise DataError(str(error)) from error


def _wait_for_export(model_dir: str) -> None:
    # The Trainer's executor looks for the model in every worker, and fails where it is not there yet.
    deadline = time.monotonic() + _EXPORT_WAIT_SECONDS
    while not tf.io.gfile.exists(os.path.join(model_dir, SEGMENTS_FILE)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the chief has not exported to {model_dir} in {_EXPORT_WAIT_SECONDS} s")
        time.sleep(1)
