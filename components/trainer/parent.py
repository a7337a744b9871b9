"""The model in production, as the Trainer sees it: what it says of a sample of today's customers."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from components.errors import ServingError
from components.identity.known import Known, Parent
from components.identity.matching import count_overlap
from components.identity.succession import Succession, succeed
from components.segments_file import read_segments
from components.served_model.known import read_known

SAMPLE = 131_072
"""So many customers, or about, decide where a fit begins and who is who."""

_BATCH = 16_384


@dataclasses.dataclass(frozen=True)
class ServedParent:
    """The parent and every id that was ever served.

    model_dir: its SavedModel; None where no model is served.
    """

    parent: Parent
    known: Known
    model_dir: str | None = None

    @property
    def is_there(self) -> bool:
        """Whether a model is served."""
        return self.model_dir is not None


def read_parent(base_model: str | None) -> ServedParent:
    """Reads what `ServedModel` published.

    Args:
      base_model: the Trainer's `base_model`: `<uri>/Format-Serving` of the artifact, which is there only if a model is
        served; None where there is no such artifact.
    """
    if not base_model:
        return ServedParent(Parent(), Known())
    version, known = read_known(os.path.dirname(base_model.rstrip("/")))
    if version is None:
        return ServedParent(Parent(), known)
    try:
        segments = read_segments(base_model)["segments"]
        ids, names = [int(s["id"]) for s in segments], [str(s["name"]) for s in segments]
    except (ServingError, KeyError, TypeError, ValueError) as error:
        logging.warning(
            "Version %s does not say who its segments are; all segments are new: %s", version, error
        )
        return ServedParent(Parent(version), known, base_model)
    return ServedParent(Parent(version, ids, names), known, base_model)


def sample_share(served: ServedParent, ingest: Mapping[str, Any], every: int) -> float:
    """The share of the customers that the parent is asked about, from 0 to 1.

    Args:
      served: the parent.
      ingest: what ExampleGen says about the table.
      every: one of so many customers is read at all.
    """
    if not served.is_there:
        return 0.0
    count = ingest.get("customers", {}).get("train", 0) // every
    return min(1.0, SAMPLE / count) if count else 1.0


@dataclasses.dataclass(frozen=True)
class Opinion:
    """What the parent says of customers: their segment, int64 [m], 0 to p - 1, and whether each is of no segment.

    outliers: bool [m]; all False where most customers would be, or a column that the parent knows is gone.
    """

    segments: np.ndarray
    outliers: np.ndarray


def ask(served: ServedParent, examples: np.ndarray, columns: set[str]) -> Opinion | None:
    """Asks the parent about customers as a server would be asked.

    A column that the parent knows and today's data lacks is missing to it, as it is to customers who are served
    today. None, with a warning, where it cannot be asked at all.

    Args:
      served: the parent.
      examples: serialized tf.Examples, bytes [m].
      columns: that today's data has.
    """
    if not served.is_there or not len(examples) or not served.parent.ids:
        return None
    gone = _features(served.model_dir) - columns
    if gone:
        logging.warning("The served model knows columns that the data lacks: %s", ", ".join(sorted(gone)))
    try:
        model = tf.saved_model.load(served.model_dir)
        assign = model.signatures["serving_default"]
        answers = [assign(examples=tf.constant(batch)) for batch in _batches(examples)]
        found = np.concatenate([answer["segment_id"].numpy() for answer in answers])
        outliers = np.concatenate([answer["is_outlier"].numpy() for answer in answers])
    # A broken SavedModel breaks in as many ways as it has files; its successor must not be stopped by that.
    except Exception as error:
        logging.warning("Version %s cannot be asked; all segments are new: %s", served.parent.version, error)
        return None
    ids = np.array(served.parent.ids, np.int64)
    order = np.argsort(ids)
    places = np.minimum(np.searchsorted(ids[order], found), len(ids) - 1)
    segments = order[places]
    if gone or outliers.mean() > 0.5:
        # Then it is the data that changed, for everybody: being far from all centroids makes no new kind of customer.
        logging.warning("%.0f %% of the customers are outliers to the served model.", 100 * outliers.mean())
        outliers = np.zeros_like(outliers)
    # An id that its segments.json does not list belongs to nobody.
    return Opinion(segments, outliers | (ids[segments] != found))


def succession(
    served: ServedParent, opinion: Opinion | None, labels: np.ndarray, k: int, min_overlap: float
) -> Succession:
    """Who the new segments are.

    Args:
      served: the parent.
      opinion: what it says of a sample of customers.
      labels: int64 [m], the new clusters of the same customers.
      k: number of clusters.
      min_overlap: see `IdentityConfig`.
    """
    overlap = None
    if opinion is not None:
        p = len(served.parent.ids)
        overlap = count_overlap(opinion.segments, labels, p, k, ~opinion.outliers)
    return succeed(overlap, k, served.parent, served.known, min_overlap)


def _features(model_dir: str | None) -> set[str]:
    try:
        return {str(feature["name"]) for feature in read_segments(model_dir or "").get("features", [])}
    except (ServingError, KeyError, TypeError):
        return set()


def _batches(examples: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(examples), _BATCH):
        yield examples[start : start + _BATCH]
