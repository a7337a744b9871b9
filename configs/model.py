"""Section `model`: the clustering and how it is fitted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from configs.section import Section


class ModelConfig(Section):
    """k-means and its fit (where that runs is in `training`). Names as scikit-learn has them, where it has them."""

    k: Annotated[int, Field(ge=1, le=10_000)] | Literal["auto"] = Field(
        5, description="number of segments; auto: chosen from the data, see section `tuner`"
    )
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="cosine compares the directions of customers, whatever their length"
    )
    algorithm: Literal["lloyd", "minibatch"] = Field(
        "lloyd", description="minibatch moves the centroids after every batch_size customers"
    )
    batch_size: Annotated[int, Field(ge=1)] = Field(16_384, description="customers in a batch of minibatch")
    init: Literal["k-means++", "k-means||", "random"] = "k-means++"
    n_init: Annotated[int, Field(ge=1)] = Field(
        10, description="restarts; the one with the lowest inertia is kept"
    )
    max_iterations: Annotated[int, Field(ge=1)] = 300
    tolerance: Annotated[float, Field(ge=0)] = Field(
        1e-4, description="relative, on the movement of the centroids"
    )
    seed: Annotated[int, Field(ge=0)] = 0
    outlier_quantile: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        0.99,
        description="customers farther from their centroid than this quantile of it are outliers; null: none",
    )
    warm_start: bool = Field(True, description="begin where the model in production is")
    switch_gain: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.02,
        description="a fit from scratch must lower the inertia by more than this share to take its place",
    )
