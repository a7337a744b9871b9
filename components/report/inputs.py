"""Everything that the page says, read from the artifacts of a run."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils
from tfx.utils import path_utils

from components.evaluator.verdict import Verdict, read_verdict
from components.example_files import read_ingest
from components.migration.content import MIGRATION_FILE
from components.paths import is_local
from components.report.columns import ColumnFacts, read_columns
from components.segments_file import read_segments
from components.tuner.sweep import SWEEP_FILE

GATE_FILE = "verdict.json"
CHECK_FILE = "check.json"
DRIFT_FILE = "drift.json"


@dataclasses.dataclass(frozen=True)
class RunFacts:
    """A run's results as plain values.

    Attributes:
      segments: the model's `segments.json`.
      ingest: ExampleGen's `ingest.json`; empty where there is none.
      gate: the gate's `verdict.json`.
      evaluation: metrics and thresholds.
      kept: whether the model is the one in production, which was not trained anew.
      blessed, infra_blessed: whether the evaluation and the serving check let the model pass.
      infra_problems: what the serving check found wrong, one line each.
      pushed_version, pushed_destination: where the model is served; None when it was not pushed.
      served_before: the version served when the run began; None for none.
      assignments: the Parquet file of the table of customers; None when none was written.
      sizes: segment id -> customers, counted in that table; else those the model was fitted on.
      columns: the columns of the customer table.
      model_uri: the trained model's artifact.
      sweep, migration, drift: `sweep.json`, `migration.json`, `drift.json`; empty where the run has none.
    """

    segments: dict[str, Any]
    ingest: dict[str, Any]
    gate: dict[str, Any]
    evaluation: Verdict
    kept: bool
    blessed: bool
    infra_blessed: bool
    infra_problems: list[str]
    pushed_version: str | None
    pushed_destination: str | None
    served_before: str | None
    assignments: str | None
    sizes: dict[int, int]
    columns: list[ColumnFacts]
    model_uri: str
    sweep: dict[str, Any]
    migration: dict[str, Any]
    drift: dict[str, Any]

    @property
    def customers(self) -> int:
        """Customers in the data; where ExampleGen does not say, those in the segments."""
        return sum(self.ingest.get("customers", {}).values()) or self.counted

    @property
    def counted(self) -> int:
        """Customers in the segments of `sizes`."""
        return sum(self.sizes.values())

    def share(self, segment_id: int) -> float:
        """A segment's share of those counted."""
        return self.sizes[segment_id] / self.counted if self.counted else 0.0


def read_run(artifacts: dict[str, list[Artifact]]) -> RunFacts:
    """Reads the inputs of `Report` (see `component.ReportSpec`).

    Raises:
      ValueError: an input is not one artifact.
      FileNotFoundError: the model, the verdict or the evaluation lacks its JSON file.
    """
    one = {name: artifact_utils.get_single_instance(found) for name, found in artifacts.items() if found}
    model, pushed, infra = one["model"], one["pushed_model"], one.get("infra_blessing")
    segments = read_segments(path_utils.serving_model_path(model.uri))
    was_pushed = pushed.get_int_custom_property("pushed") == 1
    served = one["served_model"]
    is_served = served.get_int_custom_property("served") == 1
    table = one["assignments"]
    written = table.get_int_custom_property("written") == 1
    assignments = table.get_string_custom_property("path") if written else None
    return RunFacts(
        segments=segments,
        ingest=read_ingest(one["examples"].uri),
        gate=read_json(os.path.join(one["verdict"].uri, GATE_FILE)),
        evaluation=read_verdict(one["evaluation"].uri),
        kept=model.uri == served.uri,
        blessed=one["model_blessing"].get_int_custom_property("blessed") == 1,
        infra_blessed=infra is not None and infra.get_int_custom_property("blessed") == 1,
        infra_problems=_problems(infra) if infra else [],
        pushed_version=pushed.get_string_custom_property("pushed_version") if was_pushed else None,
        pushed_destination=pushed.get_string_custom_property("pushed_destination") if was_pushed else None,
        served_before=(served.get_string_custom_property("version") or None) if is_served else None,
        assignments=assignments,
        sizes=_sizes(segments, assignments),
        columns=read_columns(one["statistics"], one["schema"]),
        model_uri=model.uri,
        sweep=_optional(one.get("sweep"), SWEEP_FILE),
        migration=_optional(one.get("migration"), MIGRATION_FILE),
        drift=_optional(one.get("drift"), DRIFT_FILE),
    )


def _optional(artifact: Artifact | None, name: str) -> dict[str, Any]:
    return read_json(os.path.join(artifact.uri, name)) if artifact else {}


def read_json(path: str) -> dict[str, Any]:
    """A JSON object from a file, local or remote."""
    if not fileio.exists(path):
        raise FileNotFoundError(f"{path} is missing")
    with fileio.open(path, "r") as file:
        content: dict[str, Any] = json.loads(file.read())
    return content


def _problems(infra: Artifact) -> list[str]:
    path = os.path.join(infra.uri, CHECK_FILE)
    return [str(line) for line in read_json(path).get("failures", [])] if fileio.exists(path) else []


def _sizes(segments: dict[str, Any], assignments: str | None) -> dict[int, int]:
    sizes = {segment["id"]: segment["size"] for segment in segments["segments"]}
    if assignments is None:
        return sizes
    sizes = dict.fromkeys(sizes, 0)
    for entry in pc.value_counts(_segment_ids(assignments)).to_pylist():
        sizes[entry["values"]] = sizes.get(entry["values"], 0) + entry["counts"]
    return sizes


def _segment_ids(table: str) -> pa.ChunkedArray:
    if is_local(table):
        return pq.read_table(table, columns=["segment_id"])["segment_id"]
    # TFX's remote files are not the file objects that Arrow asks for.
    with fileio.open(table, "rb") as file:
        return pq.read_table(pa.BufferReader(file.read()), columns=["segment_id"])["segment_id"]
