"""Bad input, by the real command: what is said, the exit code, and that nothing already there is lost."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command import Segments, customer_table, write_csv

HEADER = "customer_id,age,city\n"
ROWS = "".join(f"c{n},{20 + n % 40},{'north' if n % 3 else 'south'}\n" for n in range(100))


@dataclass
class Case:
    """A way to spoil the input; what must be said; the exit code."""

    name: str
    text: str | bytes | None
    said: list[str]
    code: int
    config: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def data(**keys: Any) -> dict[str, Any]:
    return {"data": {"path": "customers.csv", **keys}}


# Refused before TensorFlow is even loaded.
AT_ONCE = [
    Case("missing file", None, ["customers.csv", "there is no file"], 2),
    Case("empty file", "", ["customers.csv", "is empty"], 4),
    Case("header and no rows", HEADER, ["no rows after the header"], 4),
    Case("wrong delimiter", (HEADER + ROWS).replace(",", ";"), ["data.delimiter", "';'"], 2),
    Case("duplicated column", "customer_id,age,age\n" + ROWS, ["'age'", "2 times"], 2),
    Case(
        "unknown id",
        HEADER + ROWS,
        ["data.id", "no column 'custmer_id'", "'customer_id'"],
        2,
        data(id="custmer_id"),
    ),
    Case(
        "unknown feature",
        HEADER + ROWS,
        ["features.columns", "no column 'agee'", "'age'"],
        2,
        {"features": {"columns": {"agee": {"log1p": True}}}},
    ),
    Case(
        "negative k",
        HEADER + ROWS,
        ["'model.k' is -1", "greater than or equal to 1"],
        2,
        {"model": {"k": -1}},
    ),
    Case(
        "amounts for people",
        "customer_id,spend\n" + "".join(f'c{n},"${n},000.50"\n' for n in range(1, 60)),
        ["customers.csv: line 2 (row 1), column 'spend': '$1,000.50' looks like a number", "thousands: ','"],
        4,
    ),
    Case(
        "bounds of text",
        HEADER + ROWS,
        ["data.bounds.city", "the column is text"],
        2,
        data(bounds={"city": {"min": 0}}),
    ),
    Case(
        "a broken line of JSON",
        '{"customer_id": "a", "age": 3}\n{"customer_id": "b", "age": }\n',
        ["customers.csv: line 2 (row 2): is not JSON"],
        4,
    ),
    Case("zero k", HEADER + ROWS, ["'model.k' is 0"], 2, {"model": {"k": 0}}),
    Case(
        "unknown key",
        HEADER + ROWS,
        ["unknown key 'model.clusters'", "allowed here: k,"],
        2,
        {"model": {"clusters": 3}},
    ),
]

# Found while reading.
WHILE_READING = [
    Case("ragged row", HEADER + ROWS + "x,1\n", ["customers.csv", "102", "3", "2"], 4),
    Case("latin-1 bytes", (HEADER + ROWS + "x,1,Köln\n").encode("latin-1"), ["102", "data.encoding"], 4),
    Case("text in numbers", HEADER + ROWS + "x,old,north\n", ["'age'", "102", "'old'", "data.missing"], 4),
    Case(
        "infinity",
        HEADER.replace("city", "debt") + "".join(f"c{n},1,{n}.5\n" for n in range(50)) + "x,1,inf\n",
        ["'debt'", "52", "inf"],
        4,
    ),
    Case(
        "an impossible value",
        HEADER + ROWS + "x,999,north\n",
        ["customers.csv: line 102 (row 101), column 'age': 999 is not within 0 to 120", "data.bounds.age"],
        4,
        data(bounds={"age": {"min": 0, "max": 120}}),
    ),
    Case("duplicated id", HEADER + ROWS + "c7,1,north\n", ["c7", "data.duplicate_ids"], 4),
    Case(
        "fewer customers than k",
        HEADER + "a,1,x\nb,2,y\nc,3,x\n",
        ["3 customers", "k = 5"],
        4,
        {"model": {"k": 5}},
    ),
]


def spoil(segments: Segments, case: Case) -> None:
    segments.config.update(case.config)
    if case.text is None:
        segments.data.unlink()
    elif isinstance(case.text, bytes):
        segments.data.write_bytes(case.text)
    else:
        segments.data.write_text(case.text)


@pytest.mark.parametrize("case", AT_ONCE, ids=str)
def test_refused_at_once(segments: Segments, case: Case) -> None:
    spoil(segments, case)
    began = time.monotonic()
    done = segments("run")
    assert time.monotonic() - began < 5
    assert done.returncode == case.code, done.stderr
    for words in case.said:
        assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, "one readable line"
    assert segments.versions() == []


@pytest.mark.slow
@pytest.mark.parametrize("case", WHILE_READING, ids=str)
def test_refused_while_reading(segments: Segments, case: Case) -> None:
    spoil(segments, case)
    done = segments("run")
    assert done.returncode == case.code, done.stdout + done.stderr
    for words in case.said:
        assert words in done.stderr
    assert "rejected" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert segments.versions() == []
    assert segments.json("runs")["runs"][0]["status"] == "rejected"


@pytest.mark.slow
def test_harmless_oddities_are_no_reason_to_stop(segments: Segments) -> None:
    """A byte order mark, a constant column, one without any value, and k as large as wanted."""
    table = customer_table(300)
    table["country"] = ["NL"] * 300
    table["constant"] = [1] * 300
    table["empty"] = [None] * 300
    write_csv(segments.data, table)
    segments.data.write_bytes(b"\xef\xbb\xbf" + segments.data.read_bytes())
    result = segments.json("run")
    assert result["status"] == "pushed"
    remarks = {column["name"]: column["remark"] for column in result["columns"] if column["remark"]}
    assert remarks == {
        "constant": "the same for every customer, so it has no effect",
        "country": "the same for every customer, so it has no effect",
        "empty": "no value in any row, so it has no effect",
    }
    shown = segments("run", "--force")
    assert shown.returncode == 0
    assert "note: column 'empty': no value in any row, so it has no effect" in shown.stdout


def test_a_workspace_that_cannot_be_written(segments: Segments) -> None:
    blocker = segments.folder / "file"
    blocker.write_text("mine")
    done = segments("run", "--workspace", str(blocker / "w"))
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "--workspace" in done.stderr
    assert blocker.read_text() == "mine"


@pytest.mark.slow
def test_a_workspace_in_use(segments: Segments) -> None:
    first = subprocess.Popen(
        segments.arguments("run"),
        cwd=segments.folder,
        env=segments.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: any((segments.workspace / "runs").glob("*.json")))
        second = segments("run")
        assert second.returncode == 1
        assert "in use by another run" in second.stderr
        assert segments.json("runs")["runs"][0]["status"] == "running"
        assert first.wait(timeout=300) == 0, "the first run is not disturbed"
    finally:
        first.kill()
        first.wait()
    assert segments.versions() == ["1"]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.mark.slow
def test_bad_data_after_a_good_run_leaves_everything_as_it_was(segments: Segments) -> None:
    segments.json("run")
    before = snapshot(segments.workspace / "serving") | snapshot(segments.workspace / "assignments")
    segments.data.write_text(HEADER + ROWS + "x,1\n")
    assert segments("run").returncode == 4
    assert snapshot(segments.workspace / "serving") | snapshot(segments.workspace / "assignments") == before


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        os.path.join(parent, name): Path(parent, name).read_bytes()
        for parent, _, names in os.walk(folder)
        for name in names
    }
