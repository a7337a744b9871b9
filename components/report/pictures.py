"""The figures that are drawn from customers and not from what a component has written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import logging
from tfx.types import standard_artifacts

from components.report.figures.distributions import Distribution, draw_distributions
from components.report.figures.scatter import Scatter, draw_scatter
from components.report.figures.silhouette import SilhouettePlot, draw_silhouettes
from components.report.sample import open_model, sample_customers, sample_values
from components.report.silhouettes import silhouettes


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Figures of sampled customers.

    Attributes:
      scatter: on the principal plane; None where the model did not answer.
      silhouette: None there too, and where silhouettes are undefined.
      distributions: of the numeric columns, in their order; empty where the model did not answer.
      sampled: customers in the distributions.
      missing: why there are no pictures; "" where there are.
    """

    scatter: Scatter | None = None
    silhouette: SilhouettePlot | None = None
    distributions: list[Distribution] = dataclasses.field(default_factory=list)
    sampled: int = 0
    missing: str = ""


def draw_pictures(
    model: standard_artifacts.Model,
    examples: standard_artifacts.Examples,
    segments: dict[str, Any],
    columns: Sequence[str],
) -> Pictures:
    """Draws the figures, or says why there are none: a model that cannot answer still gets its page.

    Args:
      model: the model to ask.
      examples: the customers.
      segments: the model's `segments.json`.
      columns: the numeric columns to draw.
    """
    named = [(segment["id"], segment["name"]) for segment in segments["segments"]]
    try:
        answer = open_model(model)
        sample = sample_customers(answer, examples)
        values = sample_values(answer, examples, columns)
    except Exception as error:
        # Whatever a broken model raises; the serving check has refused it and said why.
        logging.exception("The model at %s did not answer; the page has no pictures.", model.uri)
        return Pictures(
            missing=f"The model did not answer about a sample of customers ({type(error).__name__})."
        )
    finite = np.isfinite(sample.features).all(axis=1)
    scores = silhouettes(sample.features[finite], sample.segment_ids[finite])
    return Pictures(
        scatter=draw_scatter(sample, named, segments["vector"]),
        silhouette=draw_silhouettes(scores, sample.segment_ids[finite], named, sample.split),
        distributions=draw_distributions(values.numbers, values.segment_ids, named),
        sampled=len(values.segment_ids),
    )
