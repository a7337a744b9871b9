"""Whether, and in what, a candidate can be compared with the served model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf
from absl import logging
from tfx.types import Artifact
from tfx.utils import path_utils

from components.errors import ServingError, graph_cause
from components.evaluator.eval_config import SIGNATURE
from components.evaluator.rows import MODEL_OUTPUTS
from components.example_files import example_files, records
from components.segments_file import read_segments
from configs.evaluation import NEEDS_SAME_K, NEEDS_SAME_SPACE

_PROBE_ROWS = 16


@dataclass(frozen=True)
class Comparison:
    """What the candidate is compared with.

    Attributes:
      version: the served version it is compared with; None where there is no comparison.
      reason: why there is none, for people; empty where there is one.
      left_out: metrics that are not compared, since they mean something else for the two models; and why.
    """

    version: str | None = None
    reason: str = ""
    left_out: dict[str, str] = field(default_factory=dict)


def compare_with(
    candidate: Artifact, served: list[Artifact], examples: list[Artifact], split: str = "eval"
) -> Comparison:
    """Decides what a candidate is compared with.

    A served model that cannot be evaluated any more (its files are gone, or it needs a column that the data
    no longer has) does not stop its successor: there is then no comparison, with a warning in the log.

    Args:
      candidate: the new model.
      served: ServedModel's artifact, whose property `served` says whether there is a model; or nothing.
      examples: the data; the served model is tried on a few rows of it.
      split: the split that the models are evaluated on.
    """
    if not served or not served[0].get_int_custom_property("served"):
        return Comparison(reason="no model is served yet")
    if candidate.get_int_custom_property("served") and candidate.uri == served[0].uri:
        return Comparison(reason="it is the served model itself")
    version = served[0].get_string_custom_property("version") or "unknown"
    problem = _problem_with(_saved_model(served[0]), examples, split)
    if problem:
        logging.warning("Evaluating without the served model (version %s): %s", version, problem)
        return Comparison(reason=f"served version {version} cannot be evaluated on this data: {problem}")
    left_out = _left_out(_description(candidate), _description(served[0]))
    for metric, why in left_out.items():
        logging.info("%s is not compared with version %s: %s", metric, version, why)
    return Comparison(version, left_out=left_out)


def _left_out(candidate: dict[str, Any], served: dict[str, Any]) -> dict[str, str]:
    """Metrics that mean something else for the two models, by their descriptions, and why."""
    left_out = {}
    ours, theirs = (len(model.get("segments") or []) for model in (candidate, served))
    # What a model does not say is not taken to be the same.
    if not ours or ours != theirs:
        why = f"the served model has another number of segments ({theirs or 'unknown'}, not {ours})"
        left_out.update(dict.fromkeys(sorted(NEEDS_SAME_K), why))
    if candidate.get("space") is None or candidate.get("space") != served.get("space"):
        why = "features or scaling differ from the served model's"
        left_out.update(dict.fromkeys(sorted(NEEDS_SAME_SPACE), why))
    return left_out


def _saved_model(model: Artifact) -> str:
    return path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))


def _description(model: Artifact) -> dict[str, Any]:
    """The model's `segments.json`; empty where it has none."""
    try:
        return read_segments(_saved_model(model))
    except ServingError:
        return {}


def _problem_with(path: str, examples: list[Artifact], split: str) -> str:
    """Why the model at `path` cannot be evaluated on the examples; empty where it can."""
    try:
        model = tf.saved_model.load(path)
    # A broken SavedModel breaks in as many ways as it has files (protobuf, checkpoint, op registry).
    except Exception as error:
        return f"it does not load ({graph_cause(error)})"
    signature = model.signatures.get(SIGNATURE)
    if signature is None:
        return f"it has no signature '{SIGNATURE}'"
    missing = sorted(set(MODEL_OUTPUTS) - set(signature.structured_outputs))
    if missing:
        return f"its signature '{SIGNATURE}' does not return {', '.join(missing)}"
    files = [file for artifact in examples for file in example_files(artifact, [split])]
    rows = list(records(files).take(_PROBE_ROWS).as_numpy_iterator())
    try:
        if rows:
            signature(tf.constant(rows))
    except (tf.errors.OpError, ValueError, TypeError) as error:
        return graph_cause(error)
    return ""
