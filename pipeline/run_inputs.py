"""What a run was decided to work on, for the functions that wire its nodes."""

from __future__ import annotations

from dataclasses import dataclass

from tfx.orchestration.data_types import RuntimeParameter


@dataclass(frozen=True)
class Submitted:
    """What a compiled pipeline can be submitted with: text `path` and `span`, and a number `k` where k is given."""

    path: RuntimeParameter
    span: RuntimeParameter
    k: RuntimeParameter | None = None


@dataclass(frozen=True)
class RunInputs:
    """What a run was decided to work on, besides its config.

    source: JSON of the resolved files (see `components.example_gen.source`). id_column: the customer id.
    schema_file: the curated schema under a name that changes with its content, or None to infer one. run_id: names
    the run. parent: the served version, or None. known: JSON of every segment id that was ever served. may_keep:
    whether the served model may stay where nothing has drifted. requests: how the rows that the served model was
    asked about are read, and their files, both as JSON; None without any. submitted: the parameters of a pipeline
    that is compiled; `source`, `id_column` and `run_id` are "" then, and `parent` is `NEWEST`.
    """

    source: str
    id_column: str
    schema_file: str | None
    run_id: str
    parent: str | None
    known: str = ""
    may_keep: bool = False
    requests: tuple[str, str] | None = None
    submitted: Submitted | None = None
