"""Sums that are held back: added up while that makes them fewer, handed on where it does not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.example_gen.customers import Piece, condense, merge
from components.example_gen.hashing import hash_text
from components.example_gen.held import Held
from components.example_gen.plan import make_plan
from components.example_gen.rows import HASH, ID
from components.example_gen.source import resolve_source

TIMED = {"time": "when", "amount": "amount", "order": "order"}


@pytest.fixture
def plan(write, config):
    def plan_of(**keys):
        settings = config(write("id,when,amount,order\na,2024-01-01,1,1\n"), **keys)
        return make_plan(settings.data, resolve_source(settings))

    return plan_of


def batch_of(number: int, rows: int = 100) -> pa.Table:
    ids = pa.array([f"c{n % 10}" for n in range(rows)])
    orders = pa.array([f"{number}-{n}" for n in range(rows)])
    times = pa.array(np.full(rows, number), pa.int64()).cast(pa.timestamp("us"))
    return pa.table({ID: ids, HASH: hash_text(ids), "when": times, "amount": np.ones(rows), "order": orders})


def pieces_of(held: Held, plan, batches: int) -> tuple[list[Piece], int]:
    """What comes out, and the most pieces that were held."""
    out, most = [], 0
    for number in range(batches):
        held.add(0, number, condense(plan, batch_of(number)))
        out += [piece for _, _, piece in held.overflow()]
        most = max(most, sum(map(len, held._pieces.values())))
    return [*out, *(piece for _, _, piece in held.rest())], most


@pytest.mark.parametrize(
    ("keys", "fewest", "most"),
    [
        # Ten customers: ten rows per batch, and never more than 50 and those of a batch.
        ({"transactions": {**TIMED, "frequency": "lines"}}, 1, 6),
        # Every line is an order: nothing is gained, so all goes on.
        ({"transactions": TIMED}, 36, 40),
        # Copies may be in any batch.
        ({"transactions": TIMED, "duplicate_rows": "drop"}, 40, 40),
    ],
)
def test_what_comes_out(plan, keys, fewest, most):
    made = plan(**keys)
    out, held = pieces_of(Held(made, most_rows=50), made, 40)
    assert fewest <= len(out) <= most
    assert held <= 6
    if "duplicate_rows" not in keys:
        table, tally = merge(made, out)
        assert tally.customers == 10
        assert sum(table["\x01amount"].to_pylist()) == 4000
        assert set(table["\x01lines"].to_pylist()) == {400}
