"""Distributed k-means on TensorFlow, usable without TFX.

from components.trainer.kmeans import KMeansOptions, fit_kmeans

result = fit_kmeans(rows, KMeansOptions(k=8, seed=7))
labels, squared_distance = assign(rows, result.centroids)
"""

from components.trainer.kmeans.checkpoint import Checkpoint
from components.trainer.kmeans.distances import assign
from components.trainer.kmeans.errors import KMeansError, WorkerLost
from components.trainer.kmeans.fit import fit_kmeans
from components.trainer.kmeans.local.fit import fit_on_local_workers
from components.trainer.kmeans.options import KMeansOptions
from components.trainer.kmeans.result import Iteration, KMeansResult

__all__ = [
    "Checkpoint",
    "Iteration",
    "KMeansError",
    "KMeansOptions",
    "KMeansResult",
    "WorkerLost",
    "assign",
    "fit_kmeans",
    "fit_on_local_workers",
]
