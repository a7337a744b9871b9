"""What changed since the served model, as SegmentMigration's `migration.json` tells it, in sentences."""

from __future__ import annotations

import dataclasses
from typing import Any

from components.trainer.words import format_share, listed

_NOTABLE = 0.1
_MOST_NAMED = 3


@dataclasses.dataclass(frozen=True)
class Flow:
    """Customers of one segment that are in another now.

    Attributes:
      count: how many.
      share: of the customers that the old segment had.
      level: 0 to 4, how dark its cell is.
      same: whether both are the same segment.
    """

    count: int
    share: float
    level: int
    same: bool


@dataclasses.dataclass(frozen=True)
class Migration:
    """The way from the parent's segments to this model's.

    Attributes:
      parent: the version compared with.
      customers: how many were assigned by both.
      moved, moved_share: those whose segment has another id now.
      own_change: those of them who would have moved under the old model too; None where it was not measured.
      sentences: the story, one line per event: kept segments together, then split, merged, new and retired ones.
      old, new: id and name of the segments before and now, in the order of `flows`.
      flows: [old][new].
    """

    parent: str
    customers: int
    moved: int
    moved_share: float
    own_change: int | None
    sentences: list[str]
    old: list[tuple[int, str]]
    new: list[tuple[int, str]]
    flows: list[list[Flow]]


@dataclasses.dataclass(frozen=True)
class Version:
    """A past model: its name, its run and the share of each of its segments (id, name, share)."""

    version: str
    run_id: str
    segments: list[tuple[int, str, float]]


def migration_of(content: dict[str, Any], customers_word: str) -> Migration | None:
    """Reads the object in `migration.json`; None where nothing was served before.

    Raises:
      KeyError: it lacks a key.
    """
    if content.get("parent_version") is None:
        return None
    matrix = content["matrix"]
    new_names = {item["id"]: item["name"] for item in content["segments"]}
    old_names = _old_names(content)
    old = [(i, old_names.get(i, f"segment {i}")) for i in matrix["from"]]
    new = [(i, new_names.get(i, f"segment {i}")) for i in matrix["to"]]
    flows = [
        [_flow(count, sum(row), before == now) for count, now in zip(row, matrix["to"], strict=True)]
        for row, before in zip(matrix["counts"], matrix["from"], strict=True)
    ]
    moved = content["moved"]
    return Migration(
        parent=str(content["parent_version"]),
        customers=content["customers"],
        moved=moved["customers"],
        moved_share=moved["share"],
        own_change=moved.get("own_change"),
        sentences=_story(content, old, new, flows, customers_word),
        old=old,
        new=new,
        flows=flows,
    )


def history_of(content: dict[str, Any]) -> list[Version]:
    """The past versions in `migration.json`, oldest first."""
    return [
        Version(
            str(item["version"]),
            item.get("run_id") or "",
            [(segment["id"], segment["name"], segment["share"]) for segment in item["segments"]],
        )
        for item in content.get("history") or []
    ]


def _old_names(content: dict[str, Any]) -> dict[int, str]:
    """Of the parent's segments: from its place in the history, else from where customers came or what retired."""
    names = {item["id"]: item["name"] for segment in content["segments"] for item in segment.get("from", [])}
    names |= {item["id"]: item["name"] for item in content.get("retired", [])}
    for version in content.get("history") or []:
        if str(version["version"]) == str(content["parent_version"]):
            names |= {segment["id"]: segment["name"] for segment in version["segments"]}
    return names


def _flow(count: int, total: int, same: bool) -> Flow:
    share = count / total if total else 0.0
    return Flow(count, share, sum(share >= step for step in (0.02, 0.1, 0.3, 0.6)), same)


def _story(
    content: dict[str, Any],
    old: list[tuple[int, str]],
    new: list[tuple[int, str]],
    flows: list[list[Flow]],
    word: str,
) -> list[str]:
    kinds = {item["id"]: item["kind"] for item in content["segments"]}
    retired = {item["id"] for item in content.get("retired", [])}
    said: dict[str, list[str]] = {kind: [] for kind in ("kept", "split", "merged", "new", "retired")}
    kept = []
    for place, (segment_id, name) in enumerate(new):
        kind = kinds.get(segment_id, "kept")
        came = _largest(
            [(row[place].count, before) for row, (before, _) in zip(flows, old, strict=True)], word
        )
        if kind == "kept":
            kept.append(segment_id)
        elif kind == "split":
            said[kind].append(f'Segment {segment_id}, "{name}", split off{f" from {came}" if came else ""}.')
        elif kind == "merged":
            said[kind].append(f'Segment {segment_id}, "{name}", merges {came or "several"}.')
        else:
            origin = f", from {came}" if came else ""
            said["new"].append(f'Segment {segment_id}, "{name}", is new{origin}.')
    for (segment_id, name), row in zip(old, flows, strict=True):
        if segment_id in retired:
            went = _largest([(flow.count, now) for flow, (now, _) in zip(row, new, strict=True)], word)
            whereto = f", into {went}" if went else ""
            said["retired"].append(f'Segment {segment_id}, "{name}", is retired{whereto}.')
    if kept:
        said["kept"].append(_kept(kept, whole=len(kept) == len(new) == len(old), word=word))
    return [sentence for sentences in said.values() for sentence in sentences]


def _kept(ids: list[int], whole: bool, word: str) -> str:
    if whole and len(ids) > 1:
        return f"All {len(ids)} segments are kept: each number names the same kind of {word} as before."
    plural = len(ids) > 1
    return f"Segment{'s' if plural else ''} {listed([str(i) for i in ids])} {'are' if plural else 'is'} kept."


def _largest(parts: list[tuple[int, int]], word: str) -> str:
    """(customers, segment) -> such as "segment 2 (53% of its customers) and segment 3 (41%)": the notable ones."""
    total = sum(count for count, _ in parts)
    ranked = sorted(((c, i) for c, i in parts if total and c >= _NOTABLE * total), key=lambda part: -part[0])
    shares = [(segment_id, format_share(count / total)) for count, segment_id in ranked[:_MOST_NAMED]]
    named = [
        f"segment {segment_id} ({share}{'' if i else f' of its {word}'})"
        for i, (segment_id, share) in enumerate(shares)
    ]
    return listed(named)
