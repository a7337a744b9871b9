"""What a run on a platform is submitted with, and the files that it finds itself."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from components.errors import DataError
from components.example_gen.at_runtime import as_submitted, find_source
from configs.data import DataConfig
from configs.errors import ConfigError

DATA = DataConfig(path="gs://bucket/customers-{SPAN}.csv", missing={"age": [-1]}, types={"zip": "text"})


def test_without_anything_the_section_stays() -> None:
    for nothing in (None, ""):
        assert as_submitted(DATA, nothing, nothing) == DATA


def test_a_path_several_paths_and_a_span() -> None:
    assert as_submitted(DATA, "gs://b/c.csv", None) == DATA.model_copy(update={"path": "gs://b/c.csv"})
    both = ["gs://b/one.csv", "gs://b/two.csv"]
    assert as_submitted(DATA, json.dumps(both), None).paths == both
    assert as_submitted(DATA, None, "7").span == 7
    assert as_submitted(DATA, None, "2026-11-24").span == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("path", "span", "message"),
    [
        ('["gs://b/one.csv"', None, 'data.path: ["gs://b/one.csv" is no JSON list of paths'),
        ("[]", None, "data.path: "),
        (None, "last week", "data.span: "),
    ],
)
def test_what_cannot_be_meant_is_refused(path: str | None, span: str | None, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        as_submitted(DATA, path, span)
    assert str(refused.value).startswith(message)


def test_the_newest_files_are_found_with_their_digests(tmp_path: Path) -> None:
    for span in (1, 2):
        (tmp_path / f"c-{span}.csv").write_text(f"customer_id,age\n1,{span}\n")
    data = DataConfig(path=str(tmp_path / "c-{SPAN}.csv"))
    source, fingerprints = find_source(data)
    assert (source.files, source.span) == ((str(tmp_path / "c-2.csv"),), 2)
    assert [path for path, *_ in fingerprints] == list(source.files)
    first, (fingerprint,) = find_source(as_submitted(data, None, "1"))
    assert (first.span, fingerprint[2] != fingerprints[0][2]) == (1, True)
    with pytest.raises((ConfigError, DataError), match="no file"):
        find_source(DataConfig(path=str(tmp_path / "nothing-*.csv")))
