"""Who moved, and why."""

from __future__ import annotations

import numpy as np
import pytest

from components.migration.content import build_content
from components.migration.moves import find_moves
from components.served_model.ledger import Entry


def array(*values):
    return np.array(values, np.int64)


def test_a_move_is_the_customers_own_when_the_parent_would_have_moved_them_too():
    #               stays, model moved it, changed itself, both, not there before, left as the parent has it
    published = array(1, 1, 1, 1, -1, 2)
    parent_now = array(1, 1, 2, 2, 1, 1)
    after = array(1, 2, 2, 3, 1, 2)
    moves = find_moves(after, parent_now, published)
    assert moves.rows.tolist() == [0, 1, 2, 3, 5]
    assert moves.moved.tolist() == [False, True, True, True, False]
    assert moves.own_change == 2
    assert moves.counts(array(1, 2), array(1, 2, 3)).tolist() == [[1, 2, 1], [0, 1, 0]]


def test_without_a_table_all_were_where_the_parent_puts_them_today():
    moves = find_moves(array(1, 2, 3), array(1, 1, 3), None)
    assert (moves.moved.tolist(), moves.own_change) == ([False, True, False], None)
    of_others = find_moves(array(1, 2, 3), array(1, 1, 3), array(-1, -1, -1))
    assert (of_others.moved.tolist(), of_others.own_change) == ([False, True, False], None)


def test_without_a_parent_to_ask_nothing_tells_why():
    moves = find_moves(array(1, 2), None, array(1, 1))
    assert (moves.moved.tolist(), moves.own_change) == ([False, True], None)
    assert len(find_moves(array(1, 2), None, None).before) == 0


def segments(**names):
    return [{"id": int(i[1:]), "name": name, "share": 0.5} for i, name in names.items()]


def test_the_content():
    parent = {"segments": segments(_1="one", _4="four")}
    model = {
        "segments": segments(_7="seven", _1="one"),
        "identity": {"segments": [{"id": 7, "kind": "new"}, {"id": 1, "kind": "merged"}]},
    }
    moves = find_moves(array(*[1] * 9, 7, *[1] * 4, 7), None, array(*[1] * 10, *[4] * 5))
    entry = Entry("1", "r1", 5, segments(_1="one"))
    content = build_content("3", parent, model, moves, [entry], "moved.parquet")
    assert content == {
        "parent_version": "3",
        "customers": 15,
        "segments": [
            {
                "id": 7,
                "name": "seven",
                "kind": "new",
                "from": [
                    {"id": 1, "name": "one", "customers": 1, "share": 0.5},
                    {"id": 4, "name": "four", "customers": 1, "share": 0.5},
                ],
            },
            {
                "id": 1,
                "name": "one",
                "kind": "merged",
                "from": [
                    {"id": 1, "name": "one", "customers": 9, "share": pytest.approx(9 / 13)},
                    {"id": 4, "name": "four", "customers": 4, "share": pytest.approx(4 / 13)},
                ],
            },
        ],
        "retired": [
            {
                "id": 4,
                "name": "four",
                "to": [
                    {"id": 1, "name": "one", "customers": 4, "share": 0.8},
                    {"id": 7, "name": "seven", "customers": 1, "share": 0.2},
                ],
            }
        ],
        "matrix": {"from": [1, 4], "to": [1, 7], "counts": [[9, 1], [4, 1]]},
        "moved": {"customers": 6, "share": 0.4, "own_change": None},
        "history": [{"version": "1", "run_id": "r1", "segments": segments(_1="one")}],
        "table": "moved.parquet",
    }
