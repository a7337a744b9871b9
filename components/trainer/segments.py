"""`assets.extra/segments.json`: who the segments are, for people and for the next run."""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from components.identity.succession import Succession
from components.segments_file import SEGMENTS_FILE
from components.trainer.kmeans import KMeansResult
from components.trainer.naming import name_new_segments
from components.trainer.profiles import profile_segments
from components.trainer.reading import Customers
from components.trainer.serving_model import Prototypes, input_names, nearest_segments
from components.trainer.space import space_fingerprint
from components.trainer.transformation import Transformation

FORMAT = 1
_LIBRARIES = ("tensorflow", "tfx", "tensorflow-transform")


def describe(
    customers: Customers,
    fit: KMeansResult,
    outlier_quantile: float | None,
    identify: Callable[[np.ndarray], Succession],
    whole: bool = True,
) -> tuple[Prototypes, dict[str, Any]]:
    """Orders, names and profiles the clusters of a fit.

    Args:
      customers: the rows that were clustered, or a part of them.
      fit: the clusters.
      outlier_quantile: see `ModelConfig`; None for no outliers.
      identify: the segments' ids and names, from the cluster of each customer, int64 [n]; clusters are numbered by
        size, the largest 0.
      whole: whether `customers` are all that were clustered; else sizes are those of the fit.

    Returns:
      The prototypes, largest segment first, and the parts of segments.json that describe them (`segments`,
      `population`, `identity`).
    """
    k = len(fit.centroids)
    order = np.argsort(-fit.cluster_weights, kind="stable")
    centroids, weights = fit.centroids[order], fit.cluster_weights[order]
    labels, distances = nearest_segments(customers.vectors, centroids)
    sizes = np.bincount(labels, minlength=k) if whole else weights.astype(np.int64)
    population, profiles = profile_segments(customers.numeric, customers.categorical, labels, k)
    succession = identify(labels)
    ids = succession.ids
    names = name_new_segments(population, profiles, sizes.tolist(), succession.names, succession.taken)
    radii = np.full(k, np.inf, np.float32)
    if outlier_quantile is not None:
        for position in range(k):
            own = distances[labels == position]
            if own.size:
                radii[position] = np.quantile(own, outlier_quantile)
    segments = [
        {
            "id": ids[position],
            "name": names[position],
            "size": int(sizes[position]),
            "share": float(sizes[position] / sizes.sum()),
            "profile": profiles[position],
        }
        for position in range(k)
    ]
    prototypes = Prototypes(centroids, ids, names, radii)
    return prototypes, {
        "k": k,
        "segments": segments,
        "population": {"size": int(sizes.sum()), "described": len(labels), "profile": population},
        "identity": succession.record,
        "distances": _distances(distances, radii[labels]),
    }


def _distances(distances: np.ndarray, radii: np.ndarray) -> dict[str, Any]:
    """How far the customers are from their centroids, for the drift of later ones.

    Args:
      distances: float32 [n].
      radii: float32 [n], beyond which each is an outlier.

    Returns:
      `percentiles`, 0 to 100, and `outliers`, a share.
    """
    percentiles = np.quantile(distances.astype(np.float64), np.linspace(0.0, 1.0, 101))
    return {
        "percentiles": [float(f"{value:.6g}") for value in percentiles],
        "outliers": float(np.mean(distances > radii)),
    }


def model_facts(transformation: Transformation, fit: KMeansResult, origin: str = "fresh") -> dict[str, Any]:
    """The parts of segments.json about the model: its features, its space, its fit, what made it."""
    plan = transformation.plan
    inputs = input_names(plan.names)
    return {
        "format": FORMAT,
        "features": [{"name": name, "kind": plan.kind(name), "input": inputs[name]} for name in plan.names],
        "vector": transformation.layout.names,
        "owners": transformation.layout.owners,
        "space": space_fingerprint(transformation),
        "fit": {
            "start": origin,
            "inertia": float(fit.inertia),
            "iterations": int(fit.iterations),
            "converged": bool(fit.converged) or origin == "parent",
        },
        "versions": {name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def write(model_dir: str, content: dict[str, Any]) -> None:
    """Writes segments.json into an exported model."""
    path = os.path.join(model_dir, SEGMENTS_FILE)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(content, indent=1, allow_nan=False))
