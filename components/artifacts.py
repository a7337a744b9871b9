"""The artifact types that TFX has no standard type for."""

from tfx.types.artifact import Artifact


class DataVerdict(Artifact):
    """What the gate found: `verdict.json` with the anomalies that stop a run and those that only warn."""

    TYPE_NAME = "components.DataVerdict"


class DriftReport(Artifact):
    """What has changed since the served model was made: `drift.json`.

    Custom properties: `drifted`, 1 where anything is above its threshold; `retrain`, 0 where the served model is kept.
    """

    TYPE_NAME = "components.DriftReport"


class SegmentAssignments(Artifact):
    """Where the table of customers and their segments is.

    Custom properties: `written` (1 or 0) and, when written, `path` (the Parquet file).
    """

    TYPE_NAME = "components.SegmentAssignments"


class SegmentReport(Artifact):
    """The page about the segments: `report.html`, and `report.json` with all that it shows."""

    TYPE_NAME = "components.SegmentReport"


class SegmentSweep(Artifact):
    """The search for the number of segments: `sweep.json` (see `components.tuner.sweep`)."""

    TYPE_NAME = "components.SegmentSweep"


class SegmentMigration(Artifact):
    """What became of the segments of the model in production: `migration.json`.

    Custom properties: `served` (1 or 0, whether there was such a model) and, when customers who moved were written
    down, `table` (the Parquet file).
    """

    TYPE_NAME = "components.SegmentMigration"
