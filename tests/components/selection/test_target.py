"""What a target is, and which features tell too much of it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.errors import DataError
from components.selection.encoding import encode
from components.selection.target import Target, find_leaks, read_target, tells
from tests.components.selection.planted import category, number

N = 2000


def binary(seed: int = 0, share: float = 0.3) -> Target:
    values = (np.random.default_rng(seed).random(N) < share).astype(int)
    return Target("churn", "classification", values, np.arange(N), 2)


def test_text_flags_and_codes_are_classes_and_other_numbers_are_amounts() -> None:
    rng = np.random.default_rng(0)
    words = read_target("y", pa.array(rng.choice([b"yes", b"no"], 300), mask=np.arange(300) < 50))
    assert (words.task, words.classes, len(words.values)) == ("classification", 2, 250)
    assert words.rows.tolist() == list(range(50, 300))
    assert read_target("y", pa.array(rng.integers(0, 2, 300))).classes == 2
    assert read_target("y", pa.array(rng.choice([0.5, 1.5], 300))).classes == 2
    assert read_target("y", pa.array(rng.integers(0, 10, 300))).task == "classification"
    assert read_target("y", pa.array(rng.integers(0, 11, 3000))).task == "regression"
    amounts = read_target("y", pa.array(rng.lognormal(size=300)))
    assert amounts.task == "regression" and amounts.classes is None
    assert amounts.values.min() > 0 and amounts.values.max() < 1, "ranks"


def test_small_classes_are_one_and_what_is_left_is_left_out() -> None:
    column = ["a"] * 100 + ["b"] * 50 + [f"rare{n}" for n in range(12)]
    assert read_target("y", pa.array(column)).classes == 3
    few = read_target("y", pa.array(column[:155]))
    assert few.classes == 2 and len(few.rows) == 150


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.nulls(200, pa.string()), "has no value for any"),
        (pa.array(["yes"] * 200), "nothing to tell"),
        (pa.array(["yes"] * 195 + ["no"] * 5), "nothing to tell"),
        (pa.array([7] * 200), "nothing to tell"),
        (pa.array([f"name{n % 150}" for n in range(300)]), "too many different values"),
        (pa.array([f"name{n % 60}" for n in range(3000)]), "too many different values"),
    ],
)
def test_what_cannot_be_told_is_refused(column: pa.Array, words: str) -> None:
    with pytest.raises(DataError, match=words) as raised:
        read_target("churn", column)
    assert "'churn'" in str(raised.value)


def test_a_copy_leaks_and_a_good_feature_does_not() -> None:
    target, rng = binary(), np.random.default_rng(1)
    copy = category("status", 1 - target.values)
    nearly = category("nearly", np.where(rng.random(N) < 0.005, 1 - target.values, target.values))
    good = number("good", target.values + rng.normal(size=N) * 0.7)
    also = number("also", target.values + rng.normal(size=N))
    found = find_leaks([copy, nearly, good, also], target, 0.98, 0)
    assert [(leak.feature, leak.kind) for leak in found] == [("status", "copy"), ("nearly", "copy")]
    assert found[0].value == pytest.approx(1.0)
    words = found[0].sentence("churn")
    assert "'status'" in words and "1.000" in words and "0.98" in words and "features.exclude" in words
    assert find_leaks([good, also], target, 0.98, 0) == []
    assert find_leaks([good, also], target, 0.8, 0)[0].feature == "good"


def test_a_date_that_only_the_lost_have_leaks() -> None:
    target, rng = binary(), np.random.default_rng(1)
    date = number("cancelled_on", np.where(target.values == 1, rng.normal(size=N), np.nan))
    reason = encode(
        "reason", "categorical", pa.array([f"r{rng.integers(0, 200)}" if v else None for v in target.values])
    )
    assert {leak.feature for leak in find_leaks([date, reason], target, 0.98, 0)} == {
        "cancelled_on",
        "reason",
    }


def test_a_feature_that_says_yes_in_the_middle_is_found() -> None:
    rng = np.random.default_rng(2)
    values = rng.uniform(-1, 1, N)
    target = Target("churn", "classification", (np.abs(values) < 0.3).astype(int), np.arange(N), 2)
    assert tells(number("x", values), target, 0) > 0.98


def test_an_amount_with_its_tax_leaks() -> None:
    rng = np.random.default_rng(3)
    value = rng.lognormal(sigma=2, size=N)
    target = read_target("value", pa.array(value))
    found = find_leaks(
        [number("gross", value * 1.2), number("other", value**0.5 * rng.lognormal(size=N))], target, 0.98, 0
    )
    assert [(leak.feature, leak.measure) for leak in found] == [("gross", "r2")]


def test_noise_is_a_guess_and_several_classes_are_told() -> None:
    rng = np.random.default_rng(4)
    target = Target("kind", "classification", rng.integers(0, 4, N), np.arange(N), 4)
    assert tells(number("x", rng.normal(size=N)), target, 0) == pytest.approx(0.5, abs=0.05)
    assert tells(number("x", target.values + 0.01 * rng.normal(size=N)), target, 0) > 0.99
    assert find_leaks([category("x", target.values)], target, 0.98, 0)[0].value > 0.99


def test_one_feature_that_stands_out_is_warned_of() -> None:
    target, rng = binary(), np.random.default_rng(5)
    known_later = number("known_later", target.values + rng.normal(size=N) * 0.6)
    weak = [number(f"weak{n}", target.values * 0.4 + rng.normal(size=N)) for n in range(3)]
    (found,) = find_leaks([known_later, *weak], target, 0.98, 0)
    assert (found.feature, found.kind) == ("known_later", "stands_out")
    assert found.value > 0.8 > 0.65 > found.threshold
    assert "far better than any other" in found.sentence("churn")
    second = number("second", target.values + rng.normal(size=N) * 0.8)
    assert find_leaks([known_later, second, *weak], target, 0.98, 0) == []
    assert find_leaks(weak, target, 0.98, 0) == []
