"""Spark MLlib's KMeans with its defaults, on a cached DataFrame in one process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import SparkSession

from benchmarks.kmeans.contenders.fitting import Fitted, run

_ROW_GROUP = 65_536


def load(path: Path) -> Any:
    """Starts Spark and holds the rows in its memory, so that neither is timed."""
    rows = np.load(path)
    columns = [f"x{number}" for number in range(rows.shape[1])]
    # As Parquet: a table handed over from Python comes in many small partitions that are sent in every pass.
    parquet = path.with_suffix(".parquet")
    pq.write_table(pa.table(dict(zip(columns, rows.T, strict=True))), parquet, row_group_size=_ROW_GROUP)
    session = SparkSession.builder.master(f"local[{os.environ['OMP_NUM_THREADS']}]")
    table = session.config("spark.ui.enabled", "false").getOrCreate().read.parquet(str(parquet))
    table = (
        VectorAssembler(inputCols=columns, outputCol="features").transform(table).select("features").cache()
    )
    table.count()
    return table


def fit(data: Any, k: int, seed: int) -> Fitted:
    model = KMeans(k=k, seed=seed).fit(data)
    return Fitted(np.array(model.clusterCenters()), model.summary.numIter)


if __name__ == "__main__":
    run("pyspark", fit, load)
