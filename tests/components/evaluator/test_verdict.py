"""The verdict's file: what is written is what is read, without TensorFlow."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from components.evaluator.verdict import SliceMetrics, ThresholdResult, Verdict, read_verdict, write_verdict


def _verdict(**more) -> Verdict:
    sentence = "silhouette 0.5 is at least 0"
    values = {
        "blessed": True,
        "customers": 12,
        "metrics": {"silhouette": 0.5, "calinski_harabasz": math.inf},
        "baseline_version": "3",
        "baseline_metrics": {"silhouette": 0.25},
        "no_baseline": "",
        "slices": [SliceMetrics("region", "Köln", 4, {"silhouette": 0.125})],
        "thresholds": [ThresholdResult("silhouette", "min", 0.0, 0.5, True, True, sentence, 12)],
        "rows": {"silhouette": 12, "dunn": 5},
    }
    return Verdict(**{**values, **more})


def test_what_is_written_is_what_is_read(tmp_path):
    write_verdict(str(tmp_path), _verdict())
    assert read_verdict(str(tmp_path)) == _verdict()


def test_undefined_stays_undefined(tmp_path):
    write_verdict(str(tmp_path), _verdict(metrics={"silhouette": math.nan, "davies_bouldin": -math.inf}))
    metrics = read_verdict(str(tmp_path)).metrics
    assert math.isnan(metrics["silhouette"])
    assert metrics["davies_bouldin"] == -math.inf


def test_an_evaluation_that_did_not_finish_has_no_verdict(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"verdict\.json"):
        read_verdict(str(tmp_path))


def test_reading_imports_neither_tensorflow_nor_tfx(tmp_path):
    write_verdict(str(tmp_path), _verdict())
    code = (
        "import sys; from components.evaluator.verdict import read_verdict; "
        f"assert read_verdict({str(tmp_path)!r}).blessed; "
        "assert not {'tensorflow', 'tfx', 'apache_beam'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
