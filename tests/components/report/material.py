"""What the runs under test are made of."""

import numpy as np

NASTY = "<script>alert(1)</script>"


def customers(n=300, seed=0):
    """Three kinds of customers; the last kind shops at NASTY. A number named NASTY tells nothing about them."""
    rng = np.random.default_rng(seed)
    kind = np.arange(n) % 3
    return {
        "recency_days": np.abs(rng.normal(np.array([5, 60, 300])[kind], 4)).astype(np.float32),
        "monetary": np.abs(rng.normal(np.array([2500, 900, 100])[kind], 40)).astype(np.float32),
        "shop": np.where(kind == 2, NASTY, np.where(rng.random(n) < 0.5, "north & south", "east")),
        NASTY: np.random.default_rng(seed + 1).integers(0, 50, n),
        "kind": kind,
    }


def fit(table):
    """Mean, standard deviation, centroids [3, 3] and label [n] of the known kinds."""
    numbers = np.stack([table["recency_days"], table["monetary"]], axis=1)
    mean, std = numbers.mean(axis=0), numbers.std(axis=0)
    features = np.column_stack([(numbers - mean) / std, table["shop"] == NASTY])
    centroids = np.stack([features[table["kind"] == j].mean(axis=0) for j in range(3)])
    return mean, std, centroids, table["kind"]


SWEEP = {
    "chosen": 3,
    "reason": "3 is the smallest number within 0.02 of the best score",
    "tolerance": 0.02,
    "rows": 240,
    "judged_rows": 200,
    "candidates": [
        {
            "k": k,
            "inertia": inertia,
            "silhouette": silhouette,
            "davies_bouldin": 1.0,
            "stability": 0.9,
            "smallest_segment_share": 0.25,
            "eligible": eligible,
            "reason": reason,
            "seconds": 0.5,
        }
        for k, inertia, silhouette, eligible, reason in (
            (4, 60.0, 0.5, False, f"a sliver {NASTY}"),
            (2, 300.0, 0.6, True, ""),
            (3, 90.0, 0.8, True, ""),
            (5, None, None, False, "the fit failed"),
        )
    ],
}

MIGRATION = {
    "parent_version": "6",
    "customers": 290,
    "segments": [
        {"id": 1, "name": "one", "kind": "kept", "from": []},
        {"id": 2, "name": "two", "kind": "merged", "from": []},
        {"id": 3, "name": "three", "kind": "split", "from": []},
    ],
    "retired": [{"id": 4, "name": f"four {NASTY}", "to": []}],
    "matrix": {"from": [1, 2, 4], "to": [1, 2, 3], "counts": [[90, 0, 60], [5, 45, 0], [0, 55, 35]]},
    "moved": {"customers": 155, "share": 155 / 290, "own_change": 5},
    "history": [
        {
            "version": version,
            "run_id": f"run-{version}",
            "segments": [
                {"id": 1, "name": "one", "share": share},
                {"id": 2, "name": "two", "share": 0.2},
                {"id": 4, "name": f"four {NASTY}", "share": 0.8 - share},
            ],
        }
        for version, share in (("5", 0.6), ("6", 0.5))
    ],
}
