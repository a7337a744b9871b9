"""The largest page that is likely: 12 segments, 20 numbers and 10 categories."""

import dataclasses
import json

import numpy as np
import pytest

from components.report.as_json import as_json
from components.report.content import build_content
from components.report.figures.distributions import draw_distributions
from components.report.figures.scatter import draw_scatter
from components.report.figures.silhouette import draw_silhouettes
from components.report.inputs import read_run
from components.report.page import render
from components.report.pictures import Pictures
from components.report.sample import MOST, MOST_VALUES, Sample
from components.report.silhouettes import silhouettes
from components.trainer.naming import name_segments
from components.trainer.profiles import profile_segments

K = 12


@pytest.fixture(scope="module")
def content(full_run):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, K, MOST_VALUES)
    numbers = {
        f"amount_in_period_{i}": np.exp(rng.normal(rng.normal(size=K)[labels] + 3, 1)) for i in range(20)
    }
    words = np.array([f"value number {i} of the column" for i in range(12)], object)
    texts = {
        f"attribute_number_{i}": words[np.where(rng.random(MOST_VALUES) < 0.4, labels, labels // 2)]
        for i in range(10)
    }
    population, profiles = profile_segments(numbers, texts, labels, K)
    sizes = np.bincount(labels).tolist()
    names = name_segments(population, profiles, sizes)
    segments = [
        {
            "id": j + 1,
            "name": names[j],
            "size": sizes[j],
            "share": sizes[j] / MOST_VALUES,
            "profile": profiles[j],
        }
        for j in range(K)
    ]
    facts = read_run({name: [artifact] for name, artifact in full_run.inputs.items()})
    facts = dataclasses.replace(
        facts,
        segments={
            **facts.segments,
            "segments": segments,
            "population": {"size": MOST_VALUES, "profile": population},
        },
        sizes={j + 1: size for j, size in enumerate(sizes)},
    )
    named = [(segment["id"], segment["name"]) for segment in segments]
    features = np.log(np.stack(list(numbers.values()), axis=1)).astype(np.float32)[:MOST]
    distances = np.linalg.norm(features[:, None] - features[:K], axis=2)
    ids = labels[:MOST] + 1
    sample = Sample("eval", features, ids, distances, np.zeros(MOST, bool))
    pictures = Pictures(
        scatter=draw_scatter(sample, named, list(numbers)),
        silhouette=draw_silhouettes(silhouettes(features, ids), ids, named, "eval"),
        distributions=draw_distributions(numbers, labels + 1, named),
        sampled=MOST_VALUES,
    )
    return build_content(
        facts,
        title="Large",
        customers_word="customers",
        run_id="run",
        made_at="2026-05-03T10:00:00+00:00",
        pictures=pictures,
    )


def test_a_large_page_is_a_megabyte_and_a_half_at_most(content):
    page = render(content)
    assert page.count("<figure") > 30
    assert len(page.encode()) < 1_500_000
    assert len(json.dumps(as_json(content, "report.html"), allow_nan=False)) < 1_000_000


def test_the_most_telling_columns_come_first(content):
    order = [row.name for row in content.numeric]
    assert [figure.name for figure in content.distributions] == order
    assert len(order) == 20
    strengths = [row.strength for row in content.numeric]
    assert strengths == sorted(strengths, reverse=True)
