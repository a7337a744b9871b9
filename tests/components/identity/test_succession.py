"""Ids for life: what happened to segments is reported for what it is, and no id is ever used again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.identity.known import Known, Parent, Used
from components.identity.matching import Overlap, count_overlap
from components.identity.succession import succeed

PARENT = Parent("7", (1, 2, 5), ("small", "large", "lapsed"))


class Story:
    """Customers on a line; the parent's segments are at 0, 10 and 20, with a radius of 4."""

    CENTRES = np.array([0.0, 10.0, 20.0])

    def __init__(self, customers, centres):
        """customers: (place, number) pairs; centres: of the new clusters."""
        random = np.random.default_rng(0)
        where = np.concatenate([random.normal(place, 0.5, number) for place, number in customers])
        distances = np.abs(where[:, None] - self.CENTRES)
        new = np.abs(where[:, None] - np.array(centres)).argmin(axis=1)
        overlap = count_overlap(distances.argmin(axis=1), new, 3, len(centres), distances.min(axis=1) < 4)
        self.succession = succeed(overlap, len(centres), PARENT, Known(6, {4: Used("gone before", "3")}))
        self.record = self.succession.record
        self.kinds = {each["id"]: each["kind"] for each in self.record["segments"]}
        self.sources = {
            each["id"]: {source["id"]: source["share"] for source in each["from"]}
            for each in self.record["segments"]
        }
        self.retired = [each["id"] for each in self.record["retired"]]


def test_nothing_happens():
    story = Story([(0, 100), (10, 100), (20, 100)], [20, 0, 10])
    assert story.succession.ids == [5, 1, 2]
    assert story.succession.names == ["lapsed", "small", "large"]
    assert set(story.kinds.values()) == {"kept"}
    assert story.retired == [4]
    assert story.record["next_id"] == 6
    assert story.record["parent"] == "7"
    assert story.record["customers"] == 300


def test_a_segment_grows():
    story = Story([(0, 100), (10, 1000), (20, 100)], [0, 10, 20])
    assert story.succession.ids == [1, 2, 5]
    assert set(story.kinds.values()) == {"kept"}


def test_a_segment_dies():
    story = Story([(0, 100), (10, 100)], [0, 10])
    assert story.kinds == {1: "kept", 2: "kept"}
    assert story.record["retired"][1] == {"id": 5, "name": "lapsed", "last_version": "7"}
    assert story.record["next_id"] == 6, "an id that dies is not free"


def test_a_segment_is_born_far_from_all():
    """The parent puts them into its last segment, as outliers: they are nobody's."""
    story = Story([(0, 100), (10, 100), (20, 100), (40, 150)], [0, 10, 20, 40])
    assert story.succession.ids == [1, 2, 5, 6]
    assert story.kinds == {1: "kept", 2: "kept", 5: "kept", 6: "new"}
    assert story.sources[6] == {}
    assert story.record["next_id"] == 7


def test_one_dies_and_another_is_born():
    story = Story([(0, 100), (10, 100), (40, 100)], [0, 10, 40])
    assert story.kinds == {1: "kept", 2: "kept", 6: "new"}
    assert story.retired == [4, 5]


def test_a_segment_splits():
    story = Story([(0, 100), (8.5, 120), (11.5, 80), (20, 100)], [0, 8.5, 11.5, 20])
    assert story.succession.ids == [1, 2, 6, 5], "the larger part keeps the id"
    assert story.kinds == {1: "kept", 2: "split", 6: "split", 5: "kept"}
    assert story.sources[6] == {2: 1.0}
    assert story.retired == [4]


def test_a_small_part_that_leaves_is_no_split():
    story = Story([(0, 100), (9.5, 180), (12.5, 20), (20, 100)], [0, 9.5, 12.5, 20])
    assert story.kinds[2] == "kept"
    assert story.kinds[6] == "new"
    assert story.sources[6] == {2: 1.0}, "where it came from is told all the same"


def test_two_segments_merge():
    story = Story([(0, 100), (10, 60), (20, 100)], [0, 16])
    assert story.succession.ids == [1, 5], "the larger one is continued"
    assert story.kinds == {1: "kept", 5: "merged"}
    assert story.sources[5] == pytest.approx({5: 100 / 160, 2: 60 / 160})
    assert story.retired == [2, 4]


def test_a_merger_of_equals_is_a_new_segment():
    story = Story([(0, 100), (10, 100), (20, 100)], [0, 15])
    assert story.succession.ids == [1, 6]
    assert story.kinds == {1: "kept", 6: "merged"}
    assert story.retired == [2, 4, 5]
    assert story.succession.taken == {"gone before", "small", "large", "lapsed"}


def test_the_first_model():
    first = succeed(None, 3, Parent(), Known())
    assert list(first.ids) == [1, 2, 3]
    assert list(first.names) == [None] * 3
    assert first.record == {
        "parent": None,
        "next_id": 4,
        "retired": [],
        "segments": [{"id": i, "kind": "new", "from": [], "overlap": 0.0} for i in (1, 2, 3)],
        "customers": 0,
    }


def test_a_parent_that_cannot_be_asked_leaves_its_ids_to_nobody():
    found = succeed(None, 2, PARENT, Known())
    assert list(found.ids) == [6, 7]
    assert [each["id"] for each in found.record["retired"]] == [1, 2, 5]


def test_after_a_rollback_the_ids_of_what_was_rolled_back_stay_used():
    """Version 7 is served again; 8 had a segment 6, which customers have seen."""
    overlap = Overlap(np.diag([10, 10, 10, 0])[:3].astype(np.int64), np.array([10, 10, 10, 10]))
    found = succeed(overlap, 4, PARENT, Known(7, {6: Used("seen once", "8")}))
    assert list(found.ids) == [1, 2, 5, 7]
    assert {"id": 6, "name": "seen once", "last_version": "8"} in found.record["retired"]
    assert "seen once" in found.taken


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2**32 - 1), st.booleans()), min_size=2, max_size=12)
)
def test_over_any_chain_no_id_is_renamed_or_used_again(retrains):
    """Random clusters, random numbers of them, rollbacks to any earlier model."""
    versions = [succeed(None, 3, Parent(), Known())]
    names = {i: f"n{i}" for i in versions[0].ids}
    used = {i: Used(name, "1") for i, name in names.items()}
    served = versions[0]
    for k, seed, rolled_back in retrains:
        random = np.random.default_rng(seed)
        if rolled_back:
            served = versions[random.integers(len(versions))]
        p = len(served.ids)
        old = random.integers(0, p, 60)
        # Most customers stay together, so that ids are kept as well as lost.
        new = np.where(random.random(60) < 0.7, old % k, random.integers(0, k, 60))
        parent = Parent("x", list(served.ids), [names[i] for i in served.ids])
        known = Known(max(used) + 1, dict(used))
        found = succeed(count_overlap(old, new, p, k), k, parent, known)
        assert len(set(found.ids)) == k
        for i, name in zip(found.ids, found.names, strict=True):
            if name is None:
                assert i not in used, "a new segment has an id that nobody had"
                names[i] = f"n{i}"
            else:
                assert name == names[i] and i in served.ids
        assert found.record["next_id"] > max({*used, *found.ids})
        alive, retired = set(found.ids), {each["id"] for each in found.record["retired"]}
        assert alive.isdisjoint(retired) and retired >= set(used) - alive
        used |= {i: Used(names[i], "x") for i in found.ids}
        served = found
        versions.append(found)


@given(st.integers(0, 2**32 - 1), st.permutations(range(4)))
def test_the_order_of_clusters_changes_no_kept_id(seed, order):
    random = np.random.default_rng(seed)
    old, new = random.integers(0, 3, 200), random.integers(0, 4, 200)
    new = np.where(random.random(200) < 0.8, old, new)
    place = np.argsort(order)

    def told(labels):
        found = succeed(count_overlap(old, labels, 3, 4), 4, PARENT, Known())
        return found, {i: s["kind"] for i, s in zip(found.ids, found.record["segments"], strict=True)}

    plain, kinds = told(new)
    shuffled, kinds_shuffled = told(place[new])
    kept = {i for i in kinds if i in PARENT.ids}
    assert kept == {i for i in kinds_shuffled if i in PARENT.ids}
    assert {i: kinds[i] for i in kept} == {i: kinds_shuffled[i] for i in kept}
    assert sorted(kinds.values()) == sorted(kinds_shuffled.values())
    for j, i in enumerate(plain.ids):
        if i in kept:
            assert shuffled.ids[place[j]] == i
