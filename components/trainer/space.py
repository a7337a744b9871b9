"""A name for the space that distances are measured in."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import tensorflow as tf

from components.trainer.transformation import Transformation
from transforms.inputs import sparse_column

# Enough to pin down what is done to a number: the value for missing, an affine map after an optional log, where it is
# clipped, and a few points of a map by quantiles.
_SIZES = (1.0, 0.01, 0.1, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 1e4, 1e5, 1e6)
_PROBES = (float("nan"), 0.0, *_SIZES, *(-size for size in _SIZES))
_TEXTS = ("", "1", "a", "unseen text")
_DIGITS = 6


def space_fingerprint(transformation: Transformation) -> str:
    """A hash that two models share only if they have the same features, scaled alike.

    Between two such models inertia and distances compare; otherwise they do not. The transform is compared by
    what it does to probe rows, to six significant digits, since saved graphs of equal meaning differ in bytes.
    """
    raw = {}
    for name, dtype in transformation.dtypes.items():
        if dtype == tf.string:
            texts = [_TEXTS[i % len(_TEXTS)] for i in range(len(_PROBES))]
            raw[name] = sparse_column(tf.constant(texts), dtype)
        else:
            raw[name] = sparse_column(tf.constant(_PROBES, tf.float32), dtype)
    vectors = transformation.vectors(raw).numpy()
    rounded = [
        [float(f"{value:.{_DIGITS - 1}e}") for value in row] for row in np.asarray(vectors, np.float64)
    ]
    content = json.dumps([transformation.layout.names, rounded])
    return hashlib.sha256(content.encode()).hexdigest()
