"""DriftCheck on real records, real statistics and a real SavedModel."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from scipy import stats
from tfx.types import Channel, standard_artifacts

from components.artifacts import DriftReport
from components.drift.component import DriftCheck
from components.errors import DataError


def _drifted(content):
    return {(each["name"], each["measure"]) for each in content["features"] if each["drifted"]}


def _value(content, name, measure):
    (found,) = [e for e in content["features"] if (e["name"], e["measure"]) == (name, measure)]
    return found["value"]


def test_the_same_population_does_not_warn(drift):
    content = drift(drift.rows(2000, seed=2))
    assert content["reference_version"] == "3"
    assert (content["reason"], content["notes"], content["sentences"]) == ("", [], [])
    assert {each["name"] for each in content["features"]} == {"age", "visits", "city"}
    assert len(content["features"]) == 6, "values, and how many have one"
    for each in ("segments", "distance", "outliers"):
        assert not content[each]["drifted"]
        assert content[each]["value"] < content[each]["threshold"] / 2


def test_a_changed_unit_is_caught_for_what_it_is(drift):
    rows = drift.rows(2000, seed=2)
    for row in rows:
        if "age" in row:
            row["age"] *= 12
    content = drift(rows)
    assert _drifted(content) == {("age", "jensen_shannon_divergence")}
    assert _value(content, "age", "jensen_shannon_divergence") > 0.9
    sentence = content["sentences"][0]
    assert sentence.startswith("age: ")
    assert re.search(r"about 1[12](\.\d)? times what they were: has its unit changed\?", sentence)
    # The served model sees other customers, too.
    assert content["segments"]["drifted"]
    assert content["distance"]["drifted"]
    assert content["outliers"]["drifted"]
    assert len(content["sentences"]) == 4


def test_skewed_counts_in_another_unit(drift):
    rows = drift.rows(2000, seed=2)
    for row in rows:
        row["visits"] *= 100
    content = drift(rows)
    assert _drifted(content) == {("visits", "jensen_shannon_divergence")}
    assert re.search(r"about (8|9|10)\d(\.\d)? times what they were", content["sentences"][0])


def test_a_share_of_a_category_up_to_the_threshold_and_beyond(drift):
    def with_moved(count):
        rows = drift.rows(2000, seed=1)
        of_paris = [row for row in rows[400:] if row["city"] == "Paris"]
        for row in of_paris[:count]:
            row["city"] = "Rome"
        return drift(rows, outliers=None)

    # Of the 1,600 customers of the train split.
    assert _drifted(with_moved(140)) == set()
    content = with_moved(240)
    assert _drifted(content) == {("city", "infinity_norm")}
    assert _value(content, "city", "infinity_norm") == pytest.approx(0.15, abs=0.02)
    assert '"Rome" is new' in content["sentences"][0] or '"Paris" has' in content["sentences"][0]


def test_values_that_go_missing(drift):
    rows = drift.rows(2000, seed=2)
    for row in rows[::4]:
        row.pop("age", None)
    content = drift(rows, segments=None, distance=None, outliers=None)
    assert _drifted(content) == {("age", "missing_share")}
    assert content["sentences"][0].startswith("age: 31.7 % of the customers have no value, 9.7 % had none")
    assert content["segments"] is None
    assert drift(rows, features={"missing": 0.5}, segments=None, distance=None)["sentences"] == []


def test_a_column_that_is_gone(drift):
    rows = drift.rows(1000, seed=2)
    for row in rows:
        del row["city"]
    content = drift(rows)
    assert ("city", "missing_share") in _drifted(content)
    assert "city: 100.0 % of the customers have no value, 0.0 % had none" in content["sentences"][0]


def test_text_where_there_were_numbers(drift):
    rows = drift.rows(500, seed=2)
    for row in rows:
        row["visits"] = f"{row['visits']} times"
    content = drift(rows)
    assert _drifted(content) == {("visits", "type")}
    assert content["sentences"] == ["visits: text where there was numbers"]
    (note,) = content["notes"]
    assert note.startswith("version 3 cannot assign today's customers: ")
    assert content["segments"] is None


def test_stop_raises_with_every_sentence(drift):
    rows = drift.rows(1000, seed=2)
    for row in rows:
        row["visits"] += 1000
    warned = drift(rows)
    with pytest.raises(DataError) as raised:
        drift(rows, action="stop")
    assert str(raised.value).splitlines() == warned["sentences"]
    assert len(warned["sentences"]) > 1
    assert drift(drift.rows(1000, seed=3), action="stop")["sentences"] == []


def test_thresholds_of_a_column_come_before_those_of_the_schema(drift):
    rows = drift.rows(2000, seed=2)
    for row in rows:
        if "age" in row:
            row["age"] += 12.0
    only_features = {"segments": None, "distance": None, "outliers": None}
    value = _value(drift(rows, **only_features), "age", "jensen_shannon_divergence")
    assert 0.1 < value < 0.3
    schema = 'feature { name: "age" type: FLOAT drift_comparator { jensen_shannon_divergence { threshold: 0.5 } } }'
    assert drift(rows, schema=schema, **only_features)["sentences"] == []
    low = drift(rows, schema=schema, features={"columns": {"age": 0.1}}, **only_features)
    assert _drifted(low) == {("age", "jensen_shannon_divergence")}
    off = drift(rows, features={"columns": {"age": None}}, **only_features)
    assert "age" not in {each["name"] for each in off["features"]}
    assert drift(rows, features={"numeric": None}, **only_features)["sentences"] == []


def test_small_tables_are_not_blamed_for_chance(drift):
    content = drift(drift.rows(60, seed=5))
    assert content["sentences"] == []
    age = next(each for each in content["features"] if each["measure"] == "jensen_shannon_divergence")
    assert age["chance"] > age["threshold"]
    assert content["distance"]["chance"] > content["distance"]["threshold"]


def test_the_figures_are_those_of_scipy(drift, serving):
    then, now = drift.rows(2000, seed=1), drift.rows(1500, seed=7)
    for row in now[:300]:
        row["visits"] = 8
    content = drift(now)
    answers = {"then": serving.reference(then), "now": serving.reference(now)}
    exact = stats.ks_2samp(answers["then"]["distance"], answers["now"]["distance"]).statistic
    assert content["distance"]["value"] == pytest.approx(exact, abs=0.01)
    outliers = {when: float(answer["is_outlier"].mean()) for when, answer in answers.items()}
    assert content["outliers"]["value"] == pytest.approx(outliers["now"] - outliers["then"])
    shares = {s["id"]: (s["then"], s["now"]) for s in content["segments"]["shares"]}
    for i in serving.IDS:
        exact_shares = tuple(float((answers[w]["segment_id"] == i).mean()) for w in ("then", "now"))
        assert shares[i] == pytest.approx(exact_shares)
    p, q = np.array(list(shares.values())).T
    assert content["segments"]["value"] == pytest.approx(np.sum((q - p) * np.log(q / p)), rel=0.02)


def test_a_sample_is_the_same_in_any_order(drift):
    rows = drift.rows(3000, seed=2)
    first = drift(rows, max_customers=500)
    # Other files and another order; the same 600 are held out.
    again = drift([*rows[599::-1], *rows[:599:-1]], max_customers=500, shards=3)
    assert again["segments"] == first["segments"]
    assert again["distance"] == first["distance"]
    held_out = drift(rows, max_customers=2000)
    assert held_out["segments"]["chance"] < first["segments"]["chance"], "all 600, and not about 500 of them"
    assert drift(rows)["segments"]["chance"] < held_out["segments"]["chance"]


def test_without_a_served_model(drift):
    content = drift(drift.rows(50, seed=1), served=False)
    assert content["reference_version"] is None
    assert "no model is served yet" in content["reason"]
    assert (content["features"], content["segments"], content["sentences"]) == ([], None, [])


def test_a_version_that_was_pushed_without_its_statistics(drift):
    shutil.rmtree(drift.model_dir / "assets.extra" / "statistics")
    described = drift.described()
    del described["distances"]
    drift.describe(described)
    content = drift(drift.rows(300, seed=2))
    assert content["notes"] == [
        "version 3 was pushed without its statistics: its features are not compared",
        "version 3 was made without the distances of its customers: they are not compared",
    ]
    assert content["features"] == []
    assert content["segments"]["value"] < 0.25


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("statistics/FeatureStats.pb", "FeatureStats.pb does not hold statistics"),
        ("segments.json", "segments.json is not JSON"),
    ],
)
def test_a_damaged_reference_does_not_stop_its_successor(drift, damage, said):
    (drift.model_dir / "assets.extra" / damage).write_bytes(b"\xff\xfehalf")
    content = drift(drift.rows(50, seed=1), action="stop")
    assert said in content["reason"]
    assert content["sentences"] == []


def test_a_model_that_does_not_load(drift):
    (drift.model_dir / "saved_model.pb").write_bytes(b"nothing")
    content = drift(drift.rows(300, seed=2))
    assert "version 3 cannot assign today's customers: it does not load" in content["notes"][0]
    assert len(content["features"]) == 6, "features are compared all the same"


def test_columns_that_the_served_model_does_not_use_are_said(drift):
    content = drift(drift.rows(300, seed=2), features={"columns": {"income": 0.1}})
    assert content["notes"] == ["version 3 does not use income, as drift.features.columns expects"]


def test_the_component_has_its_parameters_in_the_cache_key():
    check = DriftCheck(
        served_model=Channel(standard_artifacts.Model),
        statistics=Channel(standard_artifacts.ExampleStatistics),
        schema=Channel(standard_artifacts.Schema),
        examples=Channel(standard_artifacts.Examples),
        drift_config="{}",
        config_hash="12ab",
        code_version="abc",
    )
    assert check.exec_properties == {"drift_config": "{}", "config_hash": "12ab", "code_version": "abc"}
    assert check.outputs["drift"].type is DriftReport


def test_only_drift_retrains(drift):
    def retrain(rows, config_hash="of version 3", **options):
        return drift(rows, config_hash=config_hash, **{"action": "retrain", **options})["retrain"]

    alike, other = drift.rows(2000, seed=2), drift.rows(2000, seed=2)
    for row in other:
        row["visits"] *= 100
    assert retrain(alike) == ""
    assert retrain(other) == "the customers have drifted"
    assert retrain(alike, config_hash="another") == "the configuration has changed"
    assert retrain(alike, config_hash="") == "it was asked for"
    assert retrain(alike, action="warn") == "new data always makes a new model"
    assert retrain(alike, served=False) == "no model is served yet"
    # What is said about the configuration leaves nothing open; a comparison that could not be made does.
    assert retrain(alike, features={"columns": {"plan": 0.2}}) == ""
    shutil.rmtree(drift.model_dir / "assets.extra" / "statistics")
    assert retrain(alike) == "version 3 was pushed without its statistics: its features are not compared"


def test_requests_that_are_not_what_the_model_was_made_for(drift):
    rows = drift.rows(2000, seed=2)
    assert drift(rows)["requests"] is None
    alike = drift(rows, requests=drift.rows(1000, seed=3))
    assert {each["name"] for each in alike["requests"]} == {"age", "visits", "city"}
    assert alike["skew"] == []

    # A client that sends ages in months and forgets the city.
    requests = drift.rows(1000, seed=3)
    for row in requests:
        row.pop("city")
        if "age" in row:
            row["age"] *= 12
    skewed = drift(rows, requests=requests, action="retrain", config_hash="of version 3")
    assert [line.split(":")[:2] for line in skewed["skew"]] == [["requests", " age"], ["requests", " city"]]
    # A new model of the same customers would not mend the client.
    assert (skewed["drifted"], skewed["sentences"], skewed["retrain"]) == (False, [], "")
    with pytest.raises(DataError, match="requests: age: "):
        drift(rows, requests=requests, action="stop")
