import pytest

from components.evaluator.verdict import ThresholdResult, Verdict
from components.report.decision import decide

UNMET = ThresholdResult("silhouette", "min", 0.5, 0.1, False, True, "silhouette 0.10 is below 0.50")


def outcome(pushed=None, before=None, blessed=True, infra=True, problems=(), thresholds=()):
    verdict = Verdict(blessed, 10, {}, before, {}, "", [], list(thresholds))
    return decide(
        pushed_version=pushed,
        served_before=before,
        verdict=verdict,
        blessed=blessed,
        infra_blessed=infra,
        infra_problems=list(problems),
    )


@pytest.mark.parametrize(
    ("before", "consequence"),
    [(None, "It is the first version served."), ("3", "It replaces version 3."), ("4", "It was already in")],
)
def test_pushed(before, consequence):
    decision = outcome(pushed="4", before=before)
    assert decision.status == "pushed"
    assert decision.headline == "Now serving: version 4"
    assert decision.consequence.startswith(consequence)
    assert decision.reasons == []


def test_not_blessed_gives_the_thresholds_that_did_not_hold():
    decision = outcome(before="3", blessed=False, thresholds=[UNMET])
    assert decision.status == "not_blessed"
    assert decision.reasons == ["silhouette 0.10 is below 0.50"]
    assert decision.consequence == "Version 3 stays in service."


def test_the_serving_check_comes_first_and_hides_nothing():
    decision = outcome(blessed=False, infra=False, problems=["assign fails"], thresholds=[UNMET])
    assert decision.status == "failed_serving_check"
    assert decision.reasons == ["assign fails", "silhouette 0.10 is below 0.50"]
    assert decision.consequence == "No model is in service yet."


def test_a_refusal_always_has_a_reason():
    assert outcome(blessed=False).reasons
    assert outcome(infra=False).reasons


def test_blessed_but_not_pushed_is_a_failure():
    assert outcome(before="3").status == "failed"
