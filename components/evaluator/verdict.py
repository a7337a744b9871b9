"""The outcome of an evaluation, for the report and the command line. Reads and writes without TensorFlow."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from components.paths import is_local

VERDICT_FILE = "verdict.json"

Bound = Literal["min", "max", "max_regression"]


@dataclass(frozen=True)
class ThresholdResult:
    """One bound of a metric and whether it held.

    Attributes:
      metric: the metric's name.
      kind: which bound of the configuration.
      bound: its value.
      value: the candidate's value of the metric; NaN where undefined.
      held: whether the model passes this bound; a comparison that could not be made passes.
      compared: False for a `max_regression` that had nothing to compare with.
      sentence: all of it for people, such as "silhouette 0.31 is at least 0.00".
      rows: how many customers the value comes from: all that were evaluated, or a sample.
    """

    metric: str
    kind: Bound
    bound: float
    value: float
    held: bool
    compared: bool
    sentence: str
    rows: int = 0


@dataclass(frozen=True)
class SliceMetrics:
    """The candidate's metrics on the customers with one value of a column; those that take a sample are left out."""

    column: str
    value: str
    customers: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class Verdict:
    """What was measured and what came of it. Metrics may be NaN (undefined) or infinite.

    Attributes:
      blessed: whether the model may be served.
      customers: how many customers it was evaluated on.
      metrics: metric -> the candidate's value over all of them.
      baseline_version: the served version it was compared with; None without one.
      baseline_metrics: metric -> the served model's value on the same customers; empty without one.
      no_baseline: why there was nothing to compare with; empty where there was.
      slices: metrics per value of each sliced column, largest slice first.
      thresholds: every bound that the configuration sets.
      rows: metric -> how many of the customers it comes from: all, or a sample that does not depend on their order.
    """

    blessed: bool
    customers: int
    metrics: dict[str, float]
    baseline_version: str | None
    baseline_metrics: dict[str, float]
    no_baseline: str
    slices: list[SliceMetrics]
    thresholds: list[ThresholdResult]
    rows: dict[str, int] = field(default_factory=dict)


def write_verdict(evaluation_uri: str, verdict: Verdict) -> None:
    """Writes `verdict.json` into an evaluation's folder (local or remote), as strict JSON."""
    # Only Evaluator's executor gets here; readers must not wait for TFX's import.
    from tfx.utils import io_utils

    text = json.dumps(_encoded(asdict(verdict)), indent=1, allow_nan=False)
    io_utils.write_string_file(f"{evaluation_uri}/{VERDICT_FILE}", text)


def read_verdict(evaluation_uri: str) -> Verdict:
    """Reads what `write_verdict` wrote.

    Args:
      evaluation_uri: the folder of Evaluator's ModelEvaluation artifact.

    Raises:
      FileNotFoundError: the folder holds no verdict: the evaluation did not finish.
    """
    raw = json.loads(_read_text(f"{evaluation_uri}/{VERDICT_FILE}"))
    return Verdict(
        blessed=raw["blessed"],
        customers=raw["customers"],
        metrics=_floats(raw["metrics"]),
        baseline_version=raw["baseline_version"],
        baseline_metrics=_floats(raw["baseline_metrics"]),
        no_baseline=raw["no_baseline"],
        slices=[SliceMetrics(**{**s, "metrics": _floats(s["metrics"])}) for s in raw["slices"]],
        thresholds=[ThresholdResult(**{**t, "value": float(t["value"])}) for t in raw["thresholds"]],
        rows=raw.get("rows", {}),
    )


def _read_text(path: str) -> str:
    if is_local(path):
        return Path(path).read_text(encoding="utf-8")
    from tfx.dsl.io import fileio

    if not fileio.exists(path):
        raise FileNotFoundError(path)
    with fileio.open(path, "rb") as file:
        return bytes(file.read()).decode("utf-8")


def _encoded(value: Any) -> Any:
    """JSON has no NaN and no infinities: they become text that `float` reads."""
    if isinstance(value, dict):
        return {key: _encoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _floats(values: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}
