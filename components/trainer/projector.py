"""Customers and centroids for TensorBoard's embedding projector, beside the curves of the fit."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorboard.plugins import projector

from components.metrics.sampling import sample_rows
from components.trainer.reading import Customers
from components.trainer.serving_model import Prototypes, nearest_segments
from components.trainer.words import as_line

MOST = 5_000
"""So many customers are drawn at most: TensorBoard computes its projections in the browser."""

TENSOR_NAME = "customers"
_TENSOR_FILE, _METADATA_FILE = "projector_vectors.tsv", "projector_metadata.tsv"
_CENTRE = "centre of a segment"


def write_projection(
    directory: str, customers: Customers, prototypes: Prototypes, segments: Sequence[Mapping[str, Any]]
) -> None:
    """Writes vectors, metadata and the projector's configuration.

    A point per customer of a sample that does not depend on their order, then one per segment: its centroid, with the
    median or the most frequent category of its customers as values. The metadata's columns: the segment's name and id,
    whether the point is a customer or a centre, and the features' raw values; a missing one is empty.

    Args:
      directory: of the curves.
      customers: those who were clustered.
      prototypes: where the segments are.
      segments: those of segments.json, in the order of the prototypes.
    """
    rows = sample_rows(customers.vectors, MOST)
    vectors = customers.vectors[rows]
    labels, _ = nearest_segments(vectors, prototypes.centroids)
    owners = [segments[i] for i in labels.tolist()]
    columns: list[tuple[str, list[str]]] = [
        ("segment", [each["name"] for each in (*owners, *segments)]),
        ("segment_id", [str(each["id"]) for each in (*owners, *segments)]),
        ("point", ["customer"] * len(owners) + [_CENTRE] * len(segments)),
    ]
    for name, numbers in customers.numeric.items():
        medians = [each["profile"]["numeric"][name]["median"] for each in segments]
        columns.append((name, [_number(value) for value in (*numbers[rows].tolist(), *medians)]))
    for name, text in customers.categorical.items():
        usual = [next(iter(each["profile"]["categorical"][name]["values"]), "") for each in segments]
        columns.append((name, [*text.take(pa.array(rows)).to_pylist(), *usual]))
    tf.io.gfile.makedirs(directory)
    _write(os.path.join(directory, _TENSOR_FILE), _matrix(np.concatenate([vectors, prototypes.centroids])))
    _write(os.path.join(directory, _METADATA_FILE), _table(columns))
    config = projector.ProjectorConfig()
    config.embeddings.add(
        tensor_name=TENSOR_NAME,
        tensor_path=_TENSOR_FILE,
        metadata_path=_METADATA_FILE,
        tensor_shape=[len(vectors) + len(prototypes.centroids), vectors.shape[1]],
    )
    projector.visualize_embeddings(directory, config)


def _matrix(vectors: np.ndarray) -> str:
    # The shortest digits that give the same float32 again.
    return "".join("\t".join(map(str, row)) + "\n" for row in vectors.astype(np.float32))


def _table(columns: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Tab-separated lines under a header; the format knows no quotes, so a value has no tabs or line ends."""
    header = "\t".join(_distinct([as_line(name) for name, _ in columns]))
    lines = (
        "\t".join(map(as_line, values)) for values in zip(*(values for _, values in columns), strict=True)
    )
    return "\n".join([header, *lines]) + "\n"


def _distinct(names: Sequence[str]) -> list[str]:
    """Names with underscores added to those that were there before: the projector would show one of them only."""
    taken: list[str] = []
    for name in names:
        while name in taken:
            name += "_"
        taken.append(name)
    return taken


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return ""
    # Raw numbers that are not whole are float32.
    return str(int(value)) if value == int(value) else str(np.float32(value))


def _write(path: str, text: str) -> None:
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(text)
