import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.trainer.naming import (
    describe_segment,
    name_new_segments,
    name_segments,
    numeric_difference,
    segment_traits,
    share_difference,
)
from components.trainer.profiles import profile_segments


def named(numeric, labels, categorical=None):
    labels = np.asarray(labels)
    k = int(labels.max()) + 1
    categorical = {name: np.asarray(values, object) for name, values in (categorical or {}).items()}
    numeric = {name: np.asarray(values, float) for name, values in numeric.items()}
    population, profiles = profile_segments(numeric, categorical, labels, k)
    return name_segments(population, profiles, np.bincount(labels, minlength=k).tolist())


def profile(mean=0.0, median=0.0, p25=-1.0, p75=1.0, missing=0.0):
    return {"mean": mean, "median": median, "p25": p25, "p75": p75, "missing": missing}


def stacked(columns):
    """A population and segments with the given numeric profiles: column -> [everyone, segment, ...]."""
    count = len(next(iter(columns.values())))
    profiles = [{"numeric": {c: v[i] for c, v in columns.items()}, "categorical": {}} for i in range(count)]
    return profiles[0], profiles[1:]


RFM = {
    "recency_days": ("recent", "lapsed"),
    "frequency": ("occasional", "frequent"),
    "monetary": ("low value", "high value"),
    "tenure_days": ("new", "long-standing"),
    "average_basket": ("small baskets", "large baskets"),
}


@pytest.mark.parametrize("column", RFM)
def test_rfm_columns_speak_the_fields_language(column):
    everyone = profile(100, 100, 50, 150)
    population, profiles = stacked({column: [everyone, profile(median=40), profile(median=160)]})
    assert name_segments(population, profiles, [10, 10]) == list(RFM[column])


def test_other_columns_are_high_or_low_in_words():
    everyone = profile(100, 100, 50, 150)
    population, profiles = stacked({"TotalCharges": [everyone, profile(median=40), profile(median=160)]})
    assert name_segments(population, profiles, [10, 10]) == ["low total charges", "high total charges"]


def test_traits_are_ordered_by_strength_and_three_at_most():
    everyone = profile(100, 100, 50, 150)
    moved = {"frequency": 200, "monetary": 300, "recency_days": 20, "tenure_days": 170}
    population, profiles = stacked({c: [everyone, profile(median=m)] for c, m in moved.items()})
    assert name_segments(population, profiles, [5]) == ["high value, frequent, recent"]
    strengths = [trait.strength for trait in segment_traits(population, profiles[0])]
    assert strengths == pytest.approx([4, 2, 1.6, 1.4])


def test_nothing_stands_out():
    everyone = profile(100, 100, 50, 150)
    population, profiles = stacked({"age": [everyone, profile(median=105)]})
    assert name_segments(population, profiles, [5]) == ["typical"]
    assert (
        describe_segment(population, profiles[0], 5, "households")
        == "Close to all households in every column."
    )


def test_ties_get_the_next_trait():
    everyone = profile(100, 100, 50, 150)
    population, profiles = stacked(
        {
            "monetary": [everyone, profile(median=300), profile(median=300)],
            # Too weak for a name of its own, strong enough to tell the two apart.
            "age": [everyone, profile(median=120), profile(median=80)],
        }
    )
    assert name_segments(population, profiles, [5, 5]) == ["high value, high age", "high value, low age"]


def test_a_trait_that_the_other_has_too_does_not_make_a_name_longer():
    everyone = profile(100, 100, 50, 150)
    population, profiles = stacked(
        {
            "monetary": [everyone, profile(median=300), profile(median=300)],
            "age": [everyone, profile(median=120), profile(median=119)],
        }
    )
    assert name_segments(population, profiles, [5, 5]) == ["high value", "high value (2)"]


def test_a_difference_in_degree_is_said_in_words():
    everyone = profile(100, 100, 50, 150)
    population, profiles = stacked(
        {"monetary": [everyone, profile(median=900), profile(median=300), profile(median=100)]}
    )
    assert name_segments(population, profiles, [5, 5, 5]) == ["very high value", "high value", "typical"]


def test_only_then_a_numeral():
    everyone = profile(100, 100, 50, 150)
    population, profiles = stacked({"monetary": [everyone, *[profile(median=300)] * 3, profile(median=100)]})
    names = name_segments(population, profiles, [5, 5, 5, 5])
    assert names == ["high value", "high value (2)", "high value (3)", "typical"]


def test_segments_without_customers():
    everyone = profile(100, 100, 50, 150)
    none = profile(None, None, None, None)
    population, profiles = stacked({"age": [everyone, none, none, profile(median=300)]})
    assert name_segments(population, profiles, [0, 0, 5]) == ["empty", "empty (2)", "high age"]
    assert describe_segment(population, profiles[0], 0) == "No customers at present."


def test_a_series_of_columns_speaks_once():
    everyone = profile(100, 100, 50, 150)
    columns = {f"bill_amt{i}": [everyone, profile(median=300 + i)] for i in range(1, 7)}
    population, profiles = stacked({**columns, "age": [everyone, profile(median=200)]})
    assert name_segments(population, profiles, [5]) == ["high bill amt6, high age"]


def test_a_trifle_is_no_news_where_all_are_nearly_alike():
    # A week more of a year is a quartile here, and still the same tenure.
    year = profile(360, 360, 355, 364)
    population, profiles = stacked({"tenure_days": [year, profile(median=365), profile(median=100)]})
    assert name_segments(population, profiles, [5, 5]) == ["typical", "new"]


def test_values_that_speak_for_themselves_and_those_that_do_not():
    contract = ["Month-to-month"] * 50 + ["Two year"] * 50
    paperless = ["Yes"] * 50 + ["No"] * 50
    names = named({}, [0] * 50 + [1] * 50, {"Contract": contract, "PaperlessBilling": paperless})
    assert names == [
        "mostly Month-to-month, paperless billing: Yes",
        "mostly Two year, paperless billing: No",
    ]


def test_a_value_of_several_columns_needs_its_column():
    size = ["large parcel"] * 50 + ["regular"] * 50
    plan = ["regular"] * 50 + ["premium"] * 50
    names = named({}, [0] * 50 + [1] * 50, {"size": size, "plan": plan})
    assert names == ["plan: regular, mostly large parcel", "mostly premium, size: regular"]


def test_over_represented_but_no_majority_is_no_trait():
    # 40 % instead of 20 %: a lift of two, but "mostly" would be untrue.
    city = ["Rome"] * 40 + ["Oslo"] * 60 + ["Oslo"] * 100
    assert named({}, [0] * 100 + [1] * 100, {"city": city}) == ["typical", "mostly Oslo"]


def test_a_majority_that_everyone_has_is_no_trait():
    city = (["Oslo"] * 19 + ["Rome"]) * 10
    assert named({}, [0] * 100 + [1] * 100, {"city": city}) == ["typical", "typical (2)"]


def test_mostly_missing():
    city = ["Oslo", "Rome"] * 50 + [""] * 100
    names = named({}, [0] * 100 + [1] * 100, {"home_city": city})
    assert names[1] == "home city unknown"


def test_mostly_zero_columns_are_compared_by_means():
    spent = [0.0] * 80 + [0, 0, 50, 60, 70, 80, 0, 90, 0, 0] * 2
    labels = [0] * 80 + [1] * 20
    assert named({"web_spend": spent}, labels)[1] == "high web spend"


def test_a_constant_column_names_nothing():
    assert named({"x": [0.1] * 30, "age": list(range(30))}, [0] * 15 + [1] * 15) == ["low age", "high age"]


def test_values_of_the_data_cannot_break_a_name():
    value = "a\n\tb " + "x" * 200 + "\x00\x1b[31m"
    (first, _) = named({}, [0] * 9 + [1] * 9, {"c": [value] * 9 + ["other thing"] * 9})
    assert first == "mostly a b xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    assert first.isprintable()


def test_difference_is_one_at_the_quartiles_of_a_skewed_column():
    everyone = profile(mean=400, median=100, p25=40, p75=500)
    assert numeric_difference(everyone, profile(median=500)) == pytest.approx(1)
    assert numeric_difference(everyone, profile(median=900)) == pytest.approx(2)
    # Below, the quartile is 60 away, but a side counts as a quarter of the interquartile range at least.
    assert numeric_difference(everyone, profile(median=40)) == pytest.approx(-60 / 115)
    assert numeric_difference(everyone, profile(None, None, None, None)) == 0


def test_share_difference_has_the_scale_of_a_normal_quartile():
    assert share_difference(0.5, 0.5 + 0.5 * 0.6745) == pytest.approx(1)
    assert share_difference(0.0, 0.0) == share_difference(1.0, 1.0) == 0


def test_description():
    numbers = [profile(100, 100, 50, 150), profile(median=1), profile(median=1234)]
    population, profiles = stacked(
        {"recency_days": numbers, "frequency": [numbers[0], numbers[1], numbers[0]]}
    )
    first, second = (describe_segment(population, p, 9, "households") for p in profiles)
    assert first == "Typically bought once (all households: 100) and last bought 1 day ago (100)."
    assert second == "Typically last bought 1,234 days ago (all households: 100)."


def test_description_of_values():
    contract = np.array(["Two year"] * 40 + ["Monthly"] * 60, object)
    population, profiles = profile_segments({}, {"Contract": contract}, np.array([0] * 40 + [1] * 60), 2)
    assert (
        describe_segment(population, profiles[0], 40)
        == 'Typically contract "Two year" for 100% (all customers: 40%).'
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 200))
def test_names_are_unique_printable_and_deterministic(seed, k, n):
    rng = np.random.default_rng(seed)
    numeric = {c: np.round(rng.lognormal(size=n), 1) for c in ("monetary", "frequency", "b_1", "b_2")}
    categorical = {c: rng.choice(np.array(["Yes", "No", "", "Some thing"], object), n) for c in ("p", "q")}
    labels = rng.integers(0, k, n)
    sizes = np.bincount(labels, minlength=k).tolist()
    population, profiles = profile_segments(numeric, categorical, labels, k)
    names = name_segments(population, profiles, sizes)
    assert len(set(names)) == len(names) == k
    assert all(name and name.isprintable() for name in names)
    assert [name.startswith("empty") for name in names] == [size == 0 for size in sizes]
    # What segments.json gives back after a round trip through JSON reads the same.
    again = json.loads(json.dumps([population, profiles]))
    assert name_segments(*again, sizes) == names
    assert all(
        describe_segment(population, p, size).endswith(".") for p, size in zip(profiles, sizes, strict=True)
    )


def renamed(columns, sizes, kept, taken=()):
    population, profiles = stacked(columns)
    return name_new_segments(population, profiles, sizes, kept, taken)


def test_a_kept_name_stays_whatever_describes_the_segment_now():
    columns = {"monetary": [profile(100, 100, 50, 150), profile(median=200), profile(median=20)]}
    assert renamed(columns, [5, 5], [None, None]) == ["high value", "low value"]
    assert renamed(columns, [5, 5], ["savers", None]) == ["savers", "low value"]


def test_a_new_segment_takes_no_name_of_a_living_or_retired_one():
    everyone, high = profile(100, 100, 50, 150), profile(median=200)
    columns = {
        "monetary": [everyone, high, high],
        "frequency": [everyone, profile(median=130), profile(median=100)],
    }
    # A further trait where there is one, else a numeral; also beside names with numerals.
    assert renamed(columns, [5, 5], [None, "high value"]) == ["high value, frequent", "high value"]
    only = {"monetary": [everyone, high]}
    assert renamed(only, [5], [None], {"high value"}) == ["high value (2)"]
    assert renamed(only, [5], [None], {"high value", "high value (2)"}) == ["high value (3)"]
    nothing = {"monetary": [everyone, everyone]}
    assert renamed(nothing, [5], [None], {"typical"}) == ["typical (2)"]


@given(
    st.lists(st.lists(st.floats(0, 300), min_size=2, max_size=2), min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_all_names_differ_and_kept_ones_stay(medians, keeps):
    everyone = profile(100, 100, 50, 150)
    columns = {
        name: [everyone, *(profile(median=median[i]) for median in medians)]
        for i, name in enumerate(("monetary", "frequency"))
    }
    sizes = [5] * len(medians)
    before = renamed(columns, sizes, [None] * len(medians))
    kept = [name if keep else None for name, keep in zip(before, keeps, strict=False)]
    after = renamed(columns, sizes, kept, {"high value", "typical"} - set(before))
    assert len(set(after)) == len(after)
    assert all(new == old for new, old in zip(after, kept, strict=True) if old is not None)
    assert not {"high value", "typical"} - set(before) & set(after)
