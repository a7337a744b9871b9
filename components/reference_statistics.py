"""The statistics of the customers that a served model was made from. They travel with it, as `segments.json` does."""

from __future__ import annotations

from collections.abc import Collection

from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.io import fileio
from tfx.utils import io_utils

from components.errors import ServingError

# Under TFX's own name: `tfdv.load_stats_binary` reads it.
STATISTICS_FILE = "assets.extra/statistics/FeatureStats.pb"
SPLIT = "train"


def write_reference_statistics(
    model_dir: str, statistics: statistics_pb2.DatasetFeatureStatisticsList, features: Collection[str]
) -> None:
    """Writes the statistics of `features` into a SavedModel's folder.

    Statistics hold a text column's commonest values: of columns that are no features, such as names or
    addresses, nothing is written.
    """
    kept = statistics_pb2.DatasetFeatureStatisticsList()
    for dataset in statistics.datasets:
        copy = kept.datasets.add(name=dataset.name, num_examples=dataset.num_examples)
        copy.features.extend(each for each in dataset.features if feature_name(each) in features)
    path = f"{model_dir.rstrip('/')}/{STATISTICS_FILE}"
    fileio.makedirs(path.rpartition("/")[0])
    io_utils.write_bytes_file(path, kept.SerializeToString(deterministic=True))


def read_reference_statistics(model_dir: str) -> statistics_pb2.DatasetFeatureStatistics | None:
    """The statistics that a SavedModel's folder holds; None where it has none.

    Raises:
      ServingError: The file is damaged.
    """
    path = f"{model_dir.rstrip('/')}/{STATISTICS_FILE}"
    if not fileio.exists(path):
        return None
    try:
        found = statistics_pb2.DatasetFeatureStatisticsList.FromString(io_utils.read_bytes_file(path))
    except DecodeError as error:
        raise ServingError(f"{path} does not hold statistics: {error}") from error
    if len(found.datasets) != 1:
        raise ServingError(f"{path} holds the statistics of {len(found.datasets)} tables, not of one")
    return found.datasets[0]


def feature_name(feature: statistics_pb2.FeatureNameStatistics) -> str:
    """The column that statistics are of."""
    return str(feature.name or ".".join(feature.path.step))
