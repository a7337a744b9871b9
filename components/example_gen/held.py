"""Partial sums of a file, held back and added to each other: what leaves a reader grows with customers, not lines."""

from __future__ import annotations

from collections.abc import Iterator

from components.example_gen.customers import Piece, sums_up_early
from components.example_gen.plan import Plan
from components.example_gen.transactions import add_partial_sums

# About 100 bytes each, with the default features.
_MOST_ROWS = 1 << 21


class Held:
    """The pieces of a file by bucket, in the order of its batches.

    Rows that are no sums, and sums that adding does not halve (most orders are in one batch only), go on at once.
    """

    def __init__(self, plan: Plan, most_rows: int | None = None) -> None:
        self._most_rows = most_rows or _MOST_ROWS
        self._pieces: dict[int, list[tuple[int, Piece]]] = {}
        self._rows = 0
        self._adds_up = sums_up_early(plan)

    def add(self, bucket: int, number: int, piece: Piece) -> None:
        """Holds what `condense` made of the rows of a batch, the file's `number`th, in a bucket."""
        self._pieces.setdefault(bucket, []).append((number, piece))
        self._rows += _rows(piece)

    def overflow(self) -> Iterator[tuple[int, int, Piece]]:
        """(bucket, number, piece) of what is not to be held any longer."""
        if not self._adds_up:
            yield from self.rest()
        elif self._rows > self._most_rows:
            before = self._rows
            self._pieces = {bucket: [_sum(pieces)] for bucket, pieces in self._pieces.items()}
            self._rows = sum(_rows(piece) for pieces in self._pieces.values() for _, piece in pieces)
            if self._rows > before / 2:
                self._adds_up = False
                yield from self.rest()

    def rest(self) -> Iterator[tuple[int, int, Piece]]:
        """The same of all that is held."""
        pieces, self._pieces, self._rows = self._pieces, {}, 0
        for bucket, held in pieces.items():
            yield from ((bucket, number, piece) for number, piece in held)


def _rows(piece: Piece) -> int:
    return sum(map(len, piece.values()))


def _sum(pieces: list[tuple[int, Piece]]) -> tuple[int, Piece]:
    return pieces[0][0], add_partial_sums([piece for _, piece in pieces])
