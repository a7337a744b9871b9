"""All about one customer and the served model, as one plain object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from components.explanation.decomposition import (
    coordinate_parts,
    feature_of_coordinates,
    feature_parts,
    is_directional,
    nearest_prototypes,
    rotated_parts,
    share_of_the_way,
)
from components.explanation.moves import Change, Mover, typical_values
from components.explanation.ranges import known_categories, profile_range
from components.explanation.typical import rank_in_segment
from components.served_model.loaded import LoadedModel, Row, Value


def explain(
    model: LoadedModel,
    row: Row,
    ranges: Mapping[str, tuple[float, float]],
    assignments: str,
) -> dict[str, Any]:
    """Explains one customer.

    Args:
      model: the served version.
      row: the customer's raw values.
      ranges: column of numbers -> its smallest and largest value in the data; where a column is not among them, the
        quartiles of the segments' profiles stand in.
      assignments: the table of the version's assignments; it need not be there.

    Returns:
      `segment` (id, name, distance, is_outlier, customers, farther: the share of them farther from the centre), `row`
      (feature -> value), `distances` (id, name, distance of every segment, the nearest first), and, unless there is
      only one segment, `second`, `difference` of the squared distances, `metric`, `features` (their parts of the
      difference), `changes` (one feature at a time), `together` and `share_of_the_way`.
    """
    answers = model.ask_rows([row])
    own, distances = int(answers.segment_ids[0]), answers.distances[0]
    described = {each["id"]: each for each in model.content["segments"]}
    order = np.argsort(distances, kind="stable").tolist()
    ranked = [
        {
            "id": int(model.segment_ids[i]),
            "name": described[int(model.segment_ids[i])]["name"],
            "distance": float(distances[i]),
        }
        for i in order
    ]
    nearest = next(each for each in ranked if each["id"] == own)
    rank = rank_in_segment(assignments, own, nearest["distance"])
    content: dict[str, Any] = {
        "segment": {
            **nearest,
            "is_outlier": bool(answers.outliers[0]),
            "customers": rank.customers if rank else None,
            "farther": rank.farther if rank else None,
        },
        "row": {feature.name: row.get(feature.name) for feature in model.features},
        "distances": ranked,
        "second": None,
    }
    if len(ranked) > 1:
        second = next(each for each in ranked if each["id"] != own)
        content["second"] = second
        content.update(_decomposed(model, row, own, second["id"]))
        content.update(_moves(model, row, second["id"], ranges))
    return content


def _decomposed(model: LoadedModel, row: Row, own: int, other: int) -> dict[str, Any]:
    vector = model.vectors([row])[0]
    centroids, owners = model.prototypes()
    nearest = nearest_prototypes(vector, centroids, owners)
    by_feature = _parts(model, row, vector, nearest[own], nearest[other])
    profiles = {each["id"]: each["profile"] for each in model.content["segments"]}
    typical = {each: typical_values(profiles[each], model.features) for each in (own, other)}
    features = [
        {
            "feature": name,
            "value": row.get(name),
            "part": part,
            "typical": typical[own][name],
            "typical_of_second": typical[other][name],
        }
        for name, part in sorted(by_feature.items(), key=lambda item: -abs(item[1]))
    ]
    others = [centroid for segment, centroid in nearest.items() if segment != other]
    return {
        "metric": "cosine" if is_directional(centroids) else "euclidean",
        "difference": math.fsum(by_feature.values()),
        "features": features,
        "share_of_the_way": share_of_the_way(vector, nearest[other], others),
    }


def _parts(
    model: LoadedModel, row: Row, vector: npt.ArrayLike, own: npt.ArrayLike, other: npt.ArrayLike
) -> dict[str, float]:
    """The part of each feature; those of principal components are turned back to the features they are made of."""
    owners = _owners(model)
    parts = coordinate_parts(vector, own, other)
    components = [i for i, owner in enumerate(owners) if owner is None]
    if not components:
        return feature_parts(parts, [owner for owner in owners if owner is not None])
    centered, rotation = model.unrotated([row])
    a, b = (np.asarray(each)[components] for each in (own, other))
    turned_back = rotated_parts(centered[0], rotation, a, b)
    kept = [(owner, part) for owner, part in zip(owners, parts, strict=True) if owner is not None]
    rotated = [feature.name for feature in model.features[: len(turned_back)]]
    return feature_parts(
        np.concatenate([turned_back, [part for _, part in kept]]), [*rotated, *(owner for owner, _ in kept)]
    )


def _owners(model: LoadedModel) -> list[str | None]:
    told: list[str | None] | None = model.content.get("owners")
    if told is not None:
        return told
    # A model from before the file said so.
    return list(feature_of_coordinates(model.content["vector"], [feature.name for feature in model.features]))


def _moves(
    model: LoadedModel, row: Row, target: int, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    mover = Mover(model, row, target)
    everyone = model.content["population"]["profile"]
    described = {each["id"]: each["profile"] for each in model.content["segments"]}
    profiles = [everyone, *described.values()]
    owners, names = _owners(model), model.content["vector"]
    found: list[Change | None] = []
    for feature in model.features:
        if feature.kind == "categorical":
            own = [name for name, owner in zip(names, owners, strict=True) if owner == feature.name]
            found.append(mover.categorical(feature, known_categories(feature.name, own, profiles)))
            continue
        limits = ranges.get(feature.name) or profile_range(feature.name, profiles)
        if limits:
            middle = everyone["numeric"][feature.name]["median"]
            start = sum(limits) / 2 if middle is None else middle
            found.append(mover.numeric(feature, limits, round(start) if feature.whole else start))
    changes = _by_distance(model, row, [change for change in found if change])
    joint = None if changes else mover.together(typical_values(described[target], model.features))
    return {"changes": changes, "together": [_content(change) for change in joint] if joint else None}


def _by_distance(model: LoadedModel, row: Row, changes: list[Change]) -> list[dict[str, Any]]:
    """The changes that move the customer least first, by the distance they move it."""
    if not changes:
        return []
    rows: list[Row] = [row, *({**row, change.feature: change.value} for change in changes)]
    vectors = model.vectors(rows).astype(np.float64)
    moved = np.linalg.norm(vectors[1:] - vectors[0], axis=1).tolist()
    contents = [
        {**_content(change), "moved": distance} for change, distance in zip(changes, moved, strict=True)
    ]
    return sorted(contents, key=lambda content: content["moved"])


def _content(change: Change) -> dict[str, Any]:
    by: Value = None
    if isinstance(change.value, (int, float)) and isinstance(change.before, (int, float)):
        by = change.value - change.before
    return {
        "feature": change.feature,
        "from": change.before,
        "to": change.value,
        "by": by,
        "or": list(change.others),
    }
