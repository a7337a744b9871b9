"""Distributed k-means on TensorFlow, usable without TFX.

from components.trainer.kmeans import KMeansOptions, fit_kmeans

result = fit_kmeans(rows, KMeansOptions(k=8, seed=7))
labels, squared_distance = assign(rows, result.centroids)
"""

from components.trainer.kmeans.distances import assign
from components.trainer.kmeans.errors import KMeansError
from components.trainer.kmeans.fit import fit_kmeans
from components.trainer.kmeans.options import KMeansOptions
from components.trainer.kmeans.result import Iteration, KMeansResult

__all__ = ["Iteration", "KMeansError", "KMeansOptions", "KMeansResult", "assign", "fit_kmeans"]
