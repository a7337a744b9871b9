"""Chains of models, each fitted to another sample of one population, in several ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.identity.populations import Population
from components.identity.known import Known, Parent, Used
from components.identity.matching import count_overlap
from components.identity.succession import succeed
from components.trainer.kmeans import KMeansOptions, fit_kmeans
from components.trainer.serving_model import nearest_segments
from components.trainer.warm_start import choose_start
from configs.model import ModelConfig


@dataclass(frozen=True)
class Model:
    """A model of raw rows: how they are standardized, and where the segments are; ids [k] and names [k]."""

    mean: np.ndarray
    scale: np.ndarray
    centroids: np.ndarray
    ids: list[int]
    names: list[str]
    radii: np.ndarray
    inertia: float
    origin: str
    next_id: int

    def place(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The position [n] of each row's segment, and whether it is an outlier of it."""
        labels, distances = nearest_segments(self.vectors(rows), self.centroids)
        return labels, distances > self.radii[labels]

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Rows in the model's space, float32 [n, d]."""
        return ((rows - self.mean) * self.scale).astype(np.float32)

    def segment_ids(self, rows: np.ndarray) -> np.ndarray:
        """The id of each row's segment."""
        return np.array(self.ids)[self.place(rows)[0]]


@dataclass(frozen=True)
class Way:
    """How a chain is made. warm: fits start at the model before; matched: ids are given by customers, else by rank."""

    name: str
    warm: bool
    matched: bool
    switch_gain: float = ModelConfig.model_fields["switch_gain"].default


WAYS = (
    Way("plain refits", warm=False, matched=False),
    Way("refits, matched", warm=False, matched=True),
    Way("warm start, matched", warm=True, matched=True),
)


@dataclass(frozen=True)
class Step:
    """From one model to the next.

    moved: share of the common customers with another id. inertia: per customer of the sample. origin: where the
    fit began. renamed: ids whose name changed; reused: ids that came back after they had been retired.
    """

    moved: float
    inertia: float
    origin: str
    renamed: int
    reused: int
    new: int


def chain(population: Population, k: int, retrains: int, way: Way, told: Callable[[str], None]) -> list[Step]:
    """Fits one model after the other, `retrains` after the first; each has a sample and a seed of its own."""
    steps: list[Step] = []
    model: Model | None = None
    used: dict[int, Used] = {}
    common: np.ndarray | None = None
    for number, sample in enumerate(population.samples(retrains + 1)):
        rows = population.rows[sample]
        common = rows[: population.common]
        after = _retrain(model, rows, population.weights, k, number, way, used)
        if model is not None:
            moved = float((model.segment_ids(common) != after.segment_ids(common)).mean())
            names = {i: each.name for i, each in used.items()}
            names_after = dict(zip(after.ids, after.names, strict=True))
            born = set(after.ids) - set(model.ids)
            steps.append(
                Step(
                    moved,
                    after.inertia,
                    after.origin,
                    sum(names.get(i, name) != name for i, name in names_after.items()),
                    len(born & set(used)) if way.matched else 0,
                    len(born) if way.matched else 0,
                )
            )
            told(f"{population.name}, k = {k}, {way.name}: {number} of {retrains}, {moved:.2%} moved")
        used |= {i: Used(name) for i, name in zip(after.ids, after.names, strict=True)}
        model = after
    return steps


def _retrain(
    before: Model | None,
    rows: np.ndarray,
    weights: np.ndarray,
    k: int,
    seed: int,
    way: Way,
    used: dict[int, Used],
) -> Model:
    mean, scale = rows.mean(axis=0), weights / np.maximum(rows.std(axis=0), 1e-12)
    vectors = ((rows - mean) * scale).astype(np.float32)
    options = KMeansOptions(k=k, n_init=10, seed=seed)
    origin, start = "fresh", None
    if before is not None and way.warm:
        old, _ = before.place(rows)
        chosen = choose_start(vectors, old, len(before.ids), options, way.switch_gain)
        options, start, origin = chosen.options(options), chosen.centroids, chosen.origin
    fit = fit_kmeans(vectors, options, initial_centroids=start)
    order = np.argsort(-fit.cluster_weights, kind="stable")
    centroids = fit.centroids[order]
    labels, distances = nearest_segments(vectors, centroids)
    overlap, parent, known = None, Parent(), Known()
    if before is not None and way.matched:
        old, outliers = before.place(rows)
        overlap = count_overlap(old, labels, len(before.ids), k, ~outliers)
        parent, known = Parent("1", before.ids, before.names), Known(before.next_id, used)
    succession = succeed(overlap, k, parent, known, 0.5)
    # A name stands for what a segment was called when it was new.
    names = [name or f"segment {i}" for i, name in zip(succession.ids, succession.names, strict=True)]
    radii = np.array([np.quantile(distances[labels == j], 0.99) for j in range(k)])
    return Model(
        mean, scale, centroids, list(succession.ids), names, radii,
        fit.inertia / len(rows), origin, succession.record["next_id"],
    )  # fmt: skip
