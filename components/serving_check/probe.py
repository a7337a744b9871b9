"""Asks an exported model what a server would ask, in a process that knows TensorFlow and nothing of ours.

Run as a script: `python probe.py REQUEST RESULT`, two JSON files.
REQUEST: `model` (folder of the SavedModel), `examples` (TFRecord files), `rows` (how many to ask about).
RESULT: `failures` (a line for each check that failed), `checks` (how many were made) and `imported` (the
top-level modules of the process).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

OUTPUTS = {
    "segment_id": (tf.int64, 1),
    "segment_name": (tf.string, 1),
    "distance": (tf.float32, 1),
    "distances": (tf.float32, 2),
    "is_outlier": (tf.bool, 1),
}
SIGNATURES = ("serving_default", "assign", "evaluate")
UNSEEN = b"a category that no customer ever had"
# The signatures may read a whole number as int64 or as float32.
TOLERANCE = 1e-3

# Output name -> tensor, and once its form was checked, array.
Answer = dict[str, Any]


class Checks:
    """Counts the checks and keeps a line for each that failed."""

    def __init__(self) -> None:
        self.made = 0
        self.failures: list[str] = []

    def that(self, holds: Any, failure: str) -> bool:
        """Makes one check."""
        self.made += 1
        if not holds:
            self.failures.append(failure)
        return bool(holds)


def probe(model_dir: str, files: list[str], rows: int) -> Checks:
    """Makes all checks; what goes wrong in the model becomes a failed check."""
    checks = Checks()
    try:
        model = tf.saved_model.load(model_dir)
    except Exception as error:
        checks.that(False, f"the model cannot be loaded with TensorFlow alone: {_first_line(error)}")
        return checks
    for name in SIGNATURES:
        checks.that(name in model.signatures, f"there is no signature '{name}'")
    description = _description(model_dir, checks)
    segments = _segments(description, checks)
    if checks.failures:
        return checks
    real = _read(files, rows)
    checks.that(real, "there is no real row to ask about: the eval split is empty")
    for case, examples in _cases(real).items():
        answers = []
        for name, inputs in (
            ("serving_default", {"examples": _serialized(examples)}),
            ("assign", _columns(model.signatures["assign"], _raw_names(description), examples)),
        ):
            where = f"{name}, {case}"
            answer = _ask(model.signatures[name], inputs, where, checks)
            if answer is not None and _has_form(answer, len(examples), len(segments), where, checks):
                _check_values(answer, segments, where, checks)
                answers.append(answer)
        if len(answers) == 2:
            _check_agreement(answers[0], answers[1], case, checks)
    return checks


def _description(model_dir: str, checks: Checks) -> dict[str, Any]:
    path = f"{model_dir.rstrip('/')}/assets.extra/segments.json"
    try:
        with tf.io.gfile.GFile(path) as file:
            content: dict[str, Any] = json.loads(file.read())
            content["segments"] = [{"id": each["id"], "name": each["name"]} for each in content["segments"]]
    except Exception as error:
        said = f"{type(error).__name__}: {_first_line(error)}"
        checks.that(False, f"assets.extra/segments.json cannot be read: {said}")
        return {}
    return content


def _segments(description: dict[str, Any], checks: Checks) -> list[tuple[int, str]]:
    """Id and name of each segment, in the order of the columns of `distances`."""
    segments = [(segment["id"], segment["name"]) for segment in description.get("segments", [])]
    ids = [each[0] for each in segments]
    checks.that(segments, "assets.extra/segments.json names no segment")
    checks.that(len(set(ids)) == len(ids), f"assets.extra/segments.json gives an id twice: {ids}")
    return segments


def _raw_names(description: dict[str, Any]) -> dict[str, str]:
    """Input of `assign` -> raw column, where the two differ: not every column name can name an input."""
    return {each["input"]: each["name"] for each in description.get("features", []) if "input" in each}


def _read(files: list[str], rows: int) -> list[tf.train.Example]:
    found: list[tf.train.Example] = []
    for file in files:
        records = tf.data.TFRecordDataset(file, compression_type="GZIP" if file.endswith(".gz") else "")
        wanted = records.take(rows - len(found)).as_numpy_iterator()
        found += [tf.train.Example.FromString(record) for record in wanted]
        if len(found) >= rows:
            break
    return found


def _cases(real: list[tf.train.Example]) -> dict[str, list[tf.train.Example]]:
    """What is asked, by the words that name it in a failure."""
    unseen = []
    for example in real:
        changed = tf.train.Example.FromString(example.SerializeToString())
        for feature in changed.features.feature.values():
            if feature.WhichOneof("kind") == "bytes_list":
                feature.bytes_list.value[:] = [UNSEEN]
        unseen.append(changed)
    emptied = tf.train.Example()
    for name in real[0].features.feature if real else ():
        emptied.features.feature[name].Clear()
    return {
        "real rows": real,
        "one real row": real[:1],
        "rows with every value missing": [tf.train.Example(), emptied, tf.train.Example()],
        "rows with unseen categories": unseen,
        "an empty batch": [],
    }


def _serialized(examples: list[tf.train.Example]) -> tf.Tensor:
    return tf.constant(
        [example.SerializeToString() for example in examples], tf.string, shape=[len(examples)]
    )


def _columns(signature: Any, raw: dict[str, str], examples: list[tf.train.Example]) -> dict[str, tf.Tensor]:
    """The same rows as one tensor per column: NaN and "" where a value is missing."""
    inputs = {}
    for key, spec in signature.structured_input_signature[1].items():
        values = [_value(example, raw.get(key, key)) for example in examples]
        if spec.dtype == tf.string:
            inputs[key] = tf.constant([_as_bytes(text) for text in values], tf.string, shape=[len(values)])
        else:
            filled = [float("nan") if each is None else each for each in values]
            inputs[key] = tf.cast(tf.constant(filled, tf.float64, shape=[len(filled)]), spec.dtype)
    return inputs


def _value(example: tf.train.Example, column: str) -> Any:
    if column not in example.features.feature:
        return None
    feature = example.features.feature[column]
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else []
    return values[0] if values else None


def _as_bytes(value: Any) -> bytes:
    if value is None:
        return b""
    return value if isinstance(value, bytes) else str(value).encode()


def _ask(signature: Any, inputs: dict[str, tf.Tensor], where: str, checks: Checks) -> Answer | None:
    try:
        answer: Answer = signature(**inputs)
    except Exception as error:
        checks.that(False, f"{where}: not answered: {_first_line(error)}")
        return None
    return answer


def _has_form(answer: Answer, rows: int, segments: int, where: str, checks: Checks) -> bool:
    """Whether all outputs are there, with the right types and shapes; turns them into arrays."""
    before = len(checks.failures)
    for name, (dtype, rank) in OUTPUTS.items():
        if not checks.that(name in answer, f"{where}: no output '{name}'"):
            continue
        tensor, shape = answer[name], [rows, segments][:rank]
        checks.that(tensor.dtype == dtype, f"{where}: {name} is {tensor.dtype.name}, not {dtype.name}")
        checks.that(tensor.shape == shape, f"{where}: {name} has shape {tensor.shape.as_list()}, not {shape}")
        answer[name] = tensor.numpy()
    return len(checks.failures) == before


def _check_values(answer: Answer, segments: list[tuple[int, str]], where: str, checks: Checks) -> None:
    ids = np.array([segment for segment, _ in segments], np.int64)
    known = np.isin(answer["segment_id"], ids)
    strange = sorted(set(answer["segment_id"][~known].tolist()))
    checks.that(known.all(), f"{where}: segment ids that segments.json does not have: {strange}")

    expected = {segment: name.encode() for segment, name in segments}
    pairs = zip(answer["segment_id"].tolist(), answer["segment_name"].tolist(), strict=True)
    wrong = sorted({pair for pair in pairs if pair[0] in expected and expected[pair[0]] != pair[1]})
    checks.that(not wrong, f"{where}: segment names that are not those of segments.json: {wrong}")

    distance, distances = answer["distance"], answer["distances"]
    for output, values in (("distance", distance), ("distances", distances)):
        fine = np.isfinite(values) & (values >= 0)
        fine = fine.all(axis=1) if fine.ndim == 2 else fine
        detail = f"{np.count_nonzero(~fine)} of {len(fine)} rows"
        checks.that(fine.all(), f"{where}: {output} is negative or not finite in {detail}")
    if not (known.all() and np.isfinite(distances).all() and np.isfinite(distance).all() and len(distance)):
        return
    own = distances[np.arange(len(distance)), np.argmax(answer["segment_id"][:, None] == ids, axis=1)]
    far = np.count_nonzero(own > _more(distances.min(axis=1)))
    checks.that(not far, f"{where}: the segment is not the nearest one in {far} of {len(own)} rows")
    off = np.count_nonzero(~np.isclose(own, distance, rtol=TOLERANCE, atol=TOLERANCE))
    checks.that(not off, f"{where}: distance is not the one to the segment in {off} of {len(own)} rows")


def _check_agreement(examples: Answer, columns: Answer, case: str, checks: Checks) -> None:
    rows = len(examples["distance"])
    ours, theirs = examples["distances"], columns["distances"]
    close = np.isclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    off = np.count_nonzero(~close.all(axis=1))
    checks.that(not off, f"{case}: distances of serving_default and assign differ in {off} of {rows} rows")
    # Between two segments at the same distance, rounding may decide.
    tie = np.sort(ours, axis=1)[:, :2]
    tie = tie[:, -1] <= _more(tie[:, 0]) if tie.shape[1] == 2 else np.zeros(rows, bool)
    other = np.count_nonzero((examples["segment_id"] != columns["segment_id"]) & ~tie)
    checks.that(not other, f"{case}: segments of serving_default and assign differ in {other} of {rows} rows")


def _more(distance: np.ndarray) -> np.ndarray:
    return distance * (1 + TOLERANCE) + TOLERANCE


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # TensorFlow's errors open with where in the graph they arose, and say what happened at the end of it.
    where = ("Graph execution error", "Detected at", "File ", "<stack traces")
    told = [line for line in lines if not line.startswith(where)]
    return told[0][:300] if told else type(error).__name__


def main(request_file: str, result_file: str) -> None:
    """Reads the request, makes the checks, writes the result."""
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    checks = probe(request["model"], request["examples"], request["rows"])
    imported = sorted({name.partition(".")[0] for name in sys.modules})
    result = {"failures": checks.failures, "checks": checks.made, "imported": imported}
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
