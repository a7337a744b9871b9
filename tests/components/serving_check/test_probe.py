"""The probe lets a good model pass and names what is wrong with each broken one."""

from __future__ import annotations

import json

import pytest
import tensorflow as tf

from components.serving_check import probe

ROWS = 12


@pytest.fixture(scope="module")
def files(serving, tmp_path_factory):
    root = tmp_path_factory.mktemp("examples")
    rows = [{"customer_id": "c0", "age": 22.0, "visits": 1, "city": "Paris"}, *serving.table(30)]
    serving.write_examples(root, {"eval": rows})
    return [str(path) for path in sorted((root / "Split-eval").iterdir())]


@pytest.fixture
def failures(serving, files, tmp_path):
    def of(defect):
        return probe.probe(str(serving.export(tmp_path / "model", defect)), files, ROWS).failures

    return of


def test_a_good_model_passes_every_check(serving, files, tmp_path):
    checks = probe.probe(str(serving.export(tmp_path / "model")), files, ROWS)
    assert checks.failures == []
    # 5 cases, 2 signatures: 5 outputs of 3 checks each, and the values.
    assert checks.made > 5 * 2 * 15


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        ("unknown id", "serving_default, real rows: segment ids that segments.json does not have: [99]"),
        (
            "wrong name",
            "serving_default, real rows: segment names that are not those of segments.json: [(1, b'x')]",
        ),
        ("nan distance", "distance is negative or not finite in"),
        (
            "negative distance",
            "assign, real rows: distances is negative or not finite in 12 of 12 rows",
        ),
        ("farthest", "serving_default, real rows: the segment is not the nearest one in 12 of 12 rows"),
        ("refuses missing", "rows with every value missing: not answered: "),
        ("refuses unseen", "assign, rows with unseen categories: not answered: "),
        ("no assign", "there is no signature 'assign'"),
        ("no outlier flag", "assign, an empty batch: no output 'is_outlier'"),
        ("int32 id", "serving_default, one real row: segment_id is int32, not int64"),
        ("narrow", "serving_default, real rows: distances has shape [12, 2], not [12, 3]"),
        ("assign differs", "real rows: distances of serving_default and assign differ in"),
        ("no segments.json", "assets.extra/segments.json cannot be read: NotFoundError"),
    ],
)
def test_a_broken_model_fails(failures, defect, said):
    assert any(said in failure for failure in failures(defect)), failures(defect)


def test_what_only_missing_values_break_is_told_with_the_cause(serving, tmp_path):
    rows = [{"customer_id": f"c{i}", "age": 30.0 + i, "visits": i, "city": "Lyon"} for i in range(5)]
    serving.write_examples(tmp_path / "examples", {"eval": rows}, compressed=False)
    files = [str(path) for path in (tmp_path / "examples" / "Split-eval").iterdir()]
    assert probe.probe(str(serving.export(tmp_path / "model", "refuses missing")), files, ROWS).failures == [
        f"{signature}, rows with every value missing: not answered: age is missing : Tensor had NaN values"
        for signature in ("serving_default", "assign")
    ]


def test_a_folder_without_a_model(files, tmp_path):
    (failure,) = probe.probe(str(tmp_path), files, ROWS).failures
    assert failure.startswith("the model cannot be loaded with TensorFlow alone: ")


def test_no_real_row_is_a_failure(serving, tmp_path):
    serving.write_examples(tmp_path / "examples", {"eval": []})
    files = [str(path) for path in (tmp_path / "examples" / "Split-eval").iterdir()]
    checks = probe.probe(str(serving.export(tmp_path / "model")), files, ROWS)
    assert checks.failures == ["there is no real row to ask about: the eval split is empty"]


def test_segments_that_share_an_id(serving, files, tmp_path):
    folder = serving.export(tmp_path / "model")
    path = folder / "assets.extra" / "segments.json"
    content = json.loads(path.read_text())
    content["segments"][1]["id"] = 1
    path.write_text(json.dumps(content))
    assert (
        "assets.extra/segments.json gives an id twice: [1, 1, 5]"
        in probe.probe(str(folder), files, 4).failures
    )


def test_columns_are_found_under_the_names_that_segments_json_gives():
    description = {
        "features": [{"name": "Monthly Charges", "input": "column_Monthly_Charges"}, {"name": "age"}]
    }
    assert probe._raw_names(description) == {"column_Monthly_Charges": "Monthly Charges"}

    class Signature:
        structured_input_signature = (
            (),
            {
                "column_Monthly_Charges": tf.TensorSpec([None], tf.float32),
                "age": tf.TensorSpec([None], tf.float32),
            },
        )

    example = tf.train.Example()
    example.features.feature["Monthly Charges"].float_list.value.append(9.5)
    columns = probe._columns(Signature, probe._raw_names(description), [example])
    assert columns["column_Monthly_Charges"].numpy().tolist() == [9.5]
    assert probe.np.isnan(columns["age"].numpy()).all()


def test_a_tie_may_be_decided_either_way():
    distances = probe.np.array([[1.0, 1.0], [1.0, 2.0]], "float32")
    answer = {"segment_id": probe.np.array([1, 1]), "distances": distances, "distance": distances.min(axis=1)}
    for other, failed in (([2, 1], 0), ([1, 2], 1)):
        checks = probe.Checks()
        probe._check_agreement(answer, {**answer, "segment_id": probe.np.array(other)}, "ties", checks)
        assert len(checks.failures) == failed
