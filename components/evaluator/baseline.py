"""Whether, and in what, a candidate can be compared with the served model."""

from __future__ import annotations

from dataclasses import dataclass, field

import tensorflow as tf
from absl import logging
from tfx.types import Artifact
from tfx.utils import path_utils

from components.errors import ServingError
from components.evaluator.eval_config import SIGNATURE
from components.evaluator.tfma_metric import MODEL_OUTPUTS
from components.example_files import example_files, records
from components.segments_file import read_segments
from configs.evaluation import NEEDS_SAME_SPACE

_PROBE_ROWS = 16


@dataclass(frozen=True)
class Comparison:
    """What the candidate is compared with.

    Attributes:
      version: the served version it is compared with; None where there is no comparison.
      reason: why there is none, for people; empty where there is one.
      left_out: metrics that are not compared, because they mean something else for the two models.
    """

    version: str | None = None
    reason: str = ""
    left_out: frozenset[str] = field(default_factory=frozenset)


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
    version = served[0].get_string_custom_property("version") or "unknown"
    problem = _problem_with(_saved_model(served[0]), examples, split)
    if problem:
        logging.warning("Evaluating without the served model (version %s): %s", version, problem)
        return Comparison(reason=f"served version {version} cannot be evaluated on this data: {problem}")
    candidate_space, served_space = _space(candidate), _space(served[0])
    if candidate_space is not None and candidate_space == served_space:
        return Comparison(version)
    logging.info("Features or scaling differ from version %s; not compared: %s", version, NEEDS_SAME_SPACE)
    return Comparison(version, left_out=NEEDS_SAME_SPACE)


def _saved_model(model: Artifact) -> str:
    return path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))


def _space(model: Artifact) -> str | None:
    try:
        return read_segments(_saved_model(model)).get("space")
    except ServingError:
        return None


def _problem_with(path: str, examples: list[Artifact], split: str) -> str:
    """Why the model at `path` cannot be evaluated on the examples; empty where it can."""
    try:
        model = tf.saved_model.load(path)
    # A broken SavedModel breaks in as many ways as it has files (protobuf, checkpoint, op registry).
    except Exception as error:
        return f"it does not load ({_cause(error)})"
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
        return _cause(error)
    return ""


def _cause(error: Exception) -> str:
    """TensorFlow tells in many lines where in the graph it failed, then why, then the node."""
    lines = [line.strip() for line in str(error).splitlines()]
    causes = [line for line in lines if line and not line.startswith("[[")]
    return causes[-1].removeprefix("Name: <unknown>, ") if causes else type(error).__name__
