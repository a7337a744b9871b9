"""Rows as a model sees them: what the metrics need, in arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from components.metrics.sampling import Keys, row_keys

MODEL_OUTPUTS = ("features", "segment_id", "distance", "distances")
"""What a model's `evaluate` signature must return."""

OPTIONAL_OUTPUTS = ("is_outlier",)
"""What a model may lack: one that was exported before there was such an output."""


@dataclass(frozen=True)
class Rows:
    """Some rows as one model sees them.

    Attributes:
      features: float32 [n, d], in transformed space.
      segments: int64 [n].
      distance: float32 [n], Euclidean, to the own centroid.
      is_outlier: bool [n], or None where the model does not say.
      keys: uint64 [n], a hash of who a customer is: samples are drawn by it.
      k: number of segments that the model has.
      whole: whether they are of all customers together, not of a slice.
    """

    features: npt.NDArray[np.float32]
    segments: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float32]
    is_outlier: npt.NDArray[np.bool_] | None
    keys: Keys
    k: int
    whole: bool

    @classmethod
    def of(cls, outputs: dict[str, Any], keys: Keys | None = None, whole: bool = True) -> Rows:
        """From the outputs of the `evaluate` signature, for a block of rows or (stock TFMA) a single row."""
        features = np.atleast_2d(outputs["features"])
        flags = outputs.get("is_outlier")
        return cls(
            features=features,
            segments=np.atleast_1d(outputs["segment_id"]),
            distance=np.atleast_1d(outputs["distance"]),
            is_outlier=None if flags is None else np.atleast_1d(flags),
            # Of the last bits of the features, where they stood in a batch decides: the record is steadier.
            keys=row_keys(features) if keys is None else np.atleast_1d(keys),
            k=outputs["distances"].shape[-1],
            whole=whole,
        )

    @classmethod
    def concatenate(cls, blocks: list[Rows]) -> Rows:
        """All rows of at least one block of the same model, in order."""
        if len(blocks) == 1:
            return blocks[0]
        flags = [block.is_outlier for block in blocks if block.is_outlier is not None]
        return cls(
            features=np.concatenate([block.features for block in blocks]),
            segments=np.concatenate([block.segments for block in blocks]),
            distance=np.concatenate([block.distance for block in blocks]),
            is_outlier=np.concatenate(flags) if len(flags) == len(blocks) else None,
            keys=np.concatenate([block.keys for block in blocks]),
            k=blocks[0].k,
            whole=blocks[0].whole,
        )
