"""The Laplacian score: whether customers who are alike in everything else are alike in a feature, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.selection.encoding import Encoded, blocks
from components.selection.judged import Scores

Block = npt.NDArray[np.float32]
Edges = npt.NDArray[np.int64]

# Graphs have an edge for each of so many neighbours of a customer, and cost the square of the customers.
_CUSTOMERS, _NEIGHBOURS = 1_200, 10
_SHUFFLES = 60
_DEVIATIONS = 4.0


def laplacian_scores(features: Sequence[Encoded], seed: int) -> Scores:
    """Laplacian scores (He, Cai & Niyogi 2005), each on a graph of all other features.

    The score is f' L f / f' D f with f centred by D: the squared differences of a feature between neighbours, relative
    to those between any two customers (D holds the degrees of the graph and L = D - S, where S has 1 for neighbours).
    About 1: neighbours are as different as anybody; near 0: they are the same. A category's coordinates count as one
    feature: numerators and denominators are added up.

    The authors build one graph of all features, in which every feature is a little alike among neighbours because it
    helped to choose them. Here neighbours are chosen without it, so that a feature that has nothing to do with the
    others scores 1 but for chance, which is measured by shuffling the feature: four standard deviations below the
    shuffled ones' mean is the threshold.

    Args:
      features: at least two; the first `_CUSTOMERS` customers are taken, whose order follows from a hash.
      seed: of the shuffles.
    """
    rng = np.random.default_rng(seed)
    coordinates = [blocks(feature)[:_CUSTOMERS].astype(np.float32) for feature in features]
    whole = np.zeros((len(coordinates[0]), len(coordinates[0])), np.float32)
    for block in coordinates:
        whole += _squared_distances(block)
    values: dict[str, float] = {}
    thresholds: dict[str, float] = {}
    for feature, block in zip(features, coordinates, strict=True):
        graph = _neighbours(whole - _squared_distances(block))
        values[feature.name] = _score(block, graph)
        shuffled = [_score(block[rng.permutation(len(block))], graph) for _ in range(_SHUFFLES)]
        thresholds[feature.name] = float(np.mean(shuffled) - _DEVIATIONS * np.std(shuffled))
    return Scores(
        name="Laplacian score",
        meaning="how different customers are in the feature who are alike in all others; by chance 1",
        against=None,
        higher_is_better=False,
        values=values,
        thresholds=thresholds,
        extreme=1.0,
    )


def _squared_distances(block: Block) -> Block:
    squares = (block**2).sum(axis=1)
    return np.asarray(squares[:, np.newaxis] + squares - 2 * block @ block.T, np.float32)


def _neighbours(distances: Block) -> Edges:
    """The edges of the graph, int64 [2, edges]; each customer is joined to its nearest, and so are they to it."""
    n = len(distances)
    count = min(_NEIGHBOURS, n - 1)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
    joined = np.zeros((n, n), bool)
    joined[np.arange(n)[:, np.newaxis], nearest] = True
    return np.stack(np.nonzero(joined | joined.T))


def _score(block: Block, edges: Edges) -> float:
    degrees = np.bincount(edges[0], minlength=len(block)).astype(np.float64)
    centred = block - (degrees @ block) / degrees.sum()
    total = float(degrees @ (centred.astype(np.float64) ** 2).sum(axis=1))
    between = 0.5 * float(((block[edges[0]] - block[edges[1]]).astype(np.float64) ** 2).sum())
    return between / total if total > 0 else 1.0
