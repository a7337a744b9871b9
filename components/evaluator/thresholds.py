"""Which threshold held and which did not, with a sentence for people."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import tensorflow_model_analysis as tfma

from components.evaluator.baseline import Comparison
from components.evaluator.tfma_metric import CUSTOMERS, SEGMENTS, rows_of
from components.evaluator.verdict import Bound, ThresholdResult
from configs.evaluation import HIGHER_IS_BETTER


@dataclass
class Measured:
    """The metrics of one slice: of the candidate, of the served model, and the change between them."""

    candidate: dict[str, float] = field(default_factory=dict)
    served: dict[str, float] = field(default_factory=dict)
    change: dict[str, float] = field(default_factory=dict)

    @property
    def customers(self) -> int:
        """How many customers were evaluated."""
        return int(self.candidate.get(CUSTOMERS, 0))

    def rows(self, metric: str) -> int:
        """How many of them the metric comes from."""
        return int(self.candidate.get(rows_of(metric), self.customers))

    def sample_note(self, metric: str) -> str:
        """Says so where the metric comes from a sample; else empty."""
        rows = self.rows(metric)
        return f", from {rows:,} of {self.customers:,} customers" if rows < self.customers else ""


def threshold_results(
    asked: tfma.EvalConfig, whole: Measured, comparison: Comparison
) -> Iterator[ThresholdResult]:
    """Every bound that was asked for, and whether it held.

    Args:
      asked: the EvalConfig with every threshold that was asked for, also those that could not be applied.
      whole: what was measured on all customers together.
      comparison: what the candidate was compared with.
    """
    for spec in asked.metrics_specs:
        for name in (*HIGHER_IS_BETTER, CUSTOMERS):
            per_slice = (
                spec.per_slice_thresholds[name].thresholds if name in spec.per_slice_thresholds else ()
            )
            for threshold in (item.threshold for item in per_slice):
                yield from _value_results(name, threshold.value_threshold, whole)
                if threshold.HasField("change_threshold"):
                    yield _change_result(name, threshold.change_threshold, whole, comparison)


def _value_results(
    name: str, threshold: tfma.GenericValueThreshold, whole: Measured
) -> Iterator[ThresholdResult]:
    value = whole.candidate.get(name, 0.0 if name == CUSTOMERS else math.nan)
    bounds: tuple[tuple[Bound, str, str], ...] = (("min", "at least", "below"), ("max", "at most", "above"))
    for kind, good, bad in bounds:
        field_name = "lower_bound" if kind == "min" else "upper_bound"
        if not threshold.HasField(field_name):
            continue
        bound = getattr(threshold, field_name).value
        held = value >= bound if kind == "min" else value <= bound
        if math.isnan(value):
            sentence = f"{why_undefined(name, whole)}; it must be {good} {bound:.4g}"
        else:
            sentence = f"{name} {value:.4g} is {good if held else bad} {bound:.4g}{whole.sample_note(name)}"
        # That there are customers goes without saying, unless there are none.
        if name != CUSTOMERS or not held:
            yield ThresholdResult(name, kind, bound, value, held, True, sentence, whole.rows(name))


def _change_result(
    name: str, threshold: tfma.GenericChangeThreshold, whole: Measured, comparison: Comparison
) -> ThresholdResult:
    value, served = whole.candidate.get(name, math.nan), whole.served.get(name, math.nan)
    bound = abs(threshold.absolute.value)
    why_not = comparison.reason or comparison.left_out.get(name, "")
    change = whole.change.get(name, math.nan)
    worse = -change if HIGHER_IS_BETTER[name] else change
    than = f"the served model's {'undefined value' if math.isnan(served) else format(served, '.4g')}"
    if why_not:
        sentence = f"{name} is not compared: {why_not}"
    elif math.isnan(worse):
        sentence = f"{why_undefined(name, whole)}; it cannot be compared with {than}"
    elif worse <= 0:
        sentence = f"{name} {value:.4g} is no worse than {than}{whole.sample_note(name)}"
    else:
        allowed = f" ({bound:.4g} is allowed)"
        sentence = f"{name} {value:.4g} is {worse:.4g} worse than {than}{allowed}{whole.sample_note(name)}"
    held = bool(why_not) or worse <= bound
    return ThresholdResult(
        name, "max_regression", bound, value, held, not why_not, sentence, whole.rows(name)
    )


def why_undefined(metric: str, whole: Measured) -> str:
    """Why a metric has no value, and what to do, for people."""
    segments = whole.candidate.get(SEGMENTS, 0)
    occupied = whole.candidate.get("effective_segments", math.nan)
    if not whole.customers:
        return f"{metric} is undefined without customers to evaluate on"
    if segments == 1:
        return (
            f"{metric} is undefined for a single segment: set model.k to 2 or more, "
            f"or drop this threshold (evaluation.thresholds.{metric}: null)"
        )
    # exp(entropy) is 1 up to rounding when one segment has everybody.
    if occupied < 1 + 1e-9:
        return f"{metric} is undefined: all customers are in one of the {segments:.0f} segments"
    if metric in ("stability", "inertia_ratio"):
        return (
            f"{metric} is undefined: half of {whole.rows(metric):,} customers cannot be clustered into "
            f"{segments:.0f} segments"
        )
    return f"{metric} is undefined (it takes at least two segments, apart from each other, with customers)"
