"""`migration.json`: what the page shows of a migration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from components.identity import lineage
from components.migration.moves import Moves
from components.served_model.ledger import Entry

MIGRATION_FILE = "migration.json"

HISTORY = 200
"""So many versions are in the history at most, the newest."""


def build_content(
    parent_version: str,
    parent: dict[str, Any],
    model: dict[str, Any],
    moves: Moves,
    history: Sequence[Entry],
    table: str | None,
) -> dict[str, Any]:
    """The content of `migration.json`.

    Args:
      parent_version: the version in production.
      parent: its segments.json.
      model: the new model's.
      moves: of the customers compared.
      history: all versions.
      table: the file of the customers who moved, if there is one.

    Returns:
      `parent_version`, `customers`, `segments`, `retired`, `matrix`, `moved`, `history` and `table`.
    """
    old_names, new_names = _names(parent), _names(model)
    old_ids, new_ids = np.array(sorted(old_names), np.int64), np.array(sorted(new_names), np.int64)
    counts = moves.counts(old_ids, new_ids)
    kinds = {each["id"]: each["kind"] for each in (model.get("identity") or {}).get("segments", [])}
    column = {int(i): counts[:, j] for j, i in enumerate(new_ids)}
    row = {int(i): counts[j] for j, i in enumerate(old_ids)}
    moved = int(moves.moved.sum())
    return {
        "parent_version": parent_version,
        "customers": len(moves.before),
        "segments": [
            {
                "id": i,
                "name": name,
                "kind": kinds.get(i, lineage.KEPT if i in old_names else lineage.NEW),
                "from": _named(lineage.flows(column[i], int(column[i].sum()), old_ids, i), old_names),
            }
            for i, name in new_names.items()
        ],
        "retired": [
            {
                "id": i,
                "name": name,
                "to": _named(lineage.flows(row[i], int(row[i].sum()), new_ids), new_names),
            }
            for i, name in sorted(old_names.items())
            if i not in new_names
        ],
        "matrix": {"from": old_ids.tolist(), "to": new_ids.tolist(), "counts": counts.tolist()},
        "moved": {
            "customers": moved,
            "share": moved / len(moves.before) if len(moves.before) else 0.0,
            "own_change": moves.own_change,
        },
        "history": [
            {"version": entry.version, "run_id": entry.run_id, "segments": entry.segments}
            for entry in history[-HISTORY:]
        ],
        "table": table,
    }


def _names(segments: dict[str, Any]) -> dict[int, str]:
    """Id -> name, in the order of the model."""
    return {int(each["id"]): str(each["name"]) for each in segments["segments"]}


def _named(flows: list[dict[str, Any]], names: dict[int, str]) -> list[dict[str, Any]]:
    return [{"id": flow["id"], "name": names[flow["id"]], **flow} for flow in flows]
