"""Blocks of rows per slice value, without a pipeline."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis import constants

from components.evaluator import extractors
from components.evaluator.rows import MODEL_OUTPUTS
from components.evaluator.tfma_metric import ROW_KEYS

LISTS = pa.large_list(pa.large_binary())


def _batch(region: list, **more: pa.Array) -> dict:
    raw = pa.array([[b"example"]] * len(region), LISTS)
    columns = {constants.ARROW_INPUT_COLUMN: raw, "region": pa.array(region, LISTS), **more}
    return {
        constants.ARROW_RECORD_BATCH_KEY: pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    }


def _blocks(extracts: dict, columns: list[str], by_model: bool = False) -> dict:
    read = extractors._read(extracts, columns)
    n = len(read[constants.INPUT_KEY])
    outputs = {
        "features": np.arange(2 * n, dtype=np.float32).reshape(n, 2),
        "segment_id": np.arange(n),
        "distance": np.zeros(n, np.float32),
        "distances": np.zeros((n, 3), np.float32),
        "is_outlier": np.arange(n) == 1,
        "segment_name": np.array([b"unused"] * n),
    }
    read[constants.PREDICTIONS_KEY] = {"candidate": outputs, "baseline": outputs} if by_model else outputs
    return {
        block[constants.SLICE_KEY_TYPES_KEY][0]: block[constants.PREDICTIONS_KEY]
        for block in extractors._cut_by_slice(read)
    }


def test_a_block_for_the_whole_and_for_every_value():
    blocks = _blocks(_batch([[b"n"], [b"s"], [], None, [b"n"]]), ["region"])
    rows = {key: list(block["segment_id"]) for key, block in blocks.items()}
    assert rows == {(): [0, 1, 2, 3, 4], (("region", "n"),): [0, 4], (("region", "s"),): [1]}
    np.testing.assert_array_equal(blocks[(("region", "n"),)]["features"], [[0, 1], [8, 9]])
    assert set(blocks[()]) == {"features", "segment_id", "distance", "distances", "is_outlier"}


def test_both_models_are_cut_alike():
    blocks = _blocks(_batch([[b"n"], [b"s"]]), ["region"], by_model=True)
    for name in ("candidate", "baseline"):
        assert list(blocks[(("region", "s"),)][name]["segment_id"]) == [1]


def test_a_model_without_outliers_is_cut_too():
    read = extractors._read(_batch([[b"n"], [b"s"]]), [])
    read[constants.PREDICTIONS_KEY] = {name: np.ones((2, 1)) for name in MODEL_OUTPUTS}
    (block,) = extractors._cut_by_slice(read)
    assert set(block[constants.PREDICTIONS_KEY]) == set(MODEL_OUTPUTS)


def test_keys_are_of_the_record_wherever_it_stands():
    records = [b"a", b"", b"customer 7", b"customer 8", b"a"]
    batch = pa.RecordBatch.from_arrays(
        [pa.array([[r] for r in records], LISTS)], [constants.ARROW_INPUT_COLUMN]
    )

    def keys(part: pa.RecordBatch) -> list[int]:
        read = extractors._read({constants.ARROW_RECORD_BATCH_KEY: part}, [])
        return read[ROW_KEYS].tolist()

    whole = keys(batch)
    assert whole == keys(batch.slice(0, 2)) + keys(batch.slice(2, 3))
    assert whole[0] == whole[4]
    assert len(set(whole)) == 4


@pytest.mark.parametrize("region", [[None, None], [[], []]], ids=["null", "empty"])
def test_a_column_without_a_value_has_no_slices(region):
    assert set(_blocks(_batch(region), ["region"])) == {()}


def test_a_column_that_the_batch_lacks_has_no_slices():
    assert set(_blocks(_batch([[b"n"]]), ["elsewhere"])) == {()}


def test_numbers_slice_too_and_the_first_of_several_values_counts():
    tier = pa.array([[3], [4, 3], [3]], pa.large_list(pa.int64()))
    share = pa.array([[0.5], [float("nan")], [0.5]], pa.large_list(pa.float32()))
    blocks = _blocks(_batch([[b"n"]] * 3, tier=tier, share=share), ["tier", "share"])
    rows = {key: list(block["segment_id"]) for key, block in blocks.items() if key}
    assert rows == {(("tier", 3),): [0, 2], (("tier", 4),): [1], (("share", 0.5),): [0, 2]}


def test_slices_of_several_columns_are_refused():
    config = tfma.EvalConfig(slicing_specs=[tfma.SlicingSpec(feature_keys=["a", "b"])])
    with pytest.raises(ValueError, match="one column each"):
        extractors.block_extractors(None, config)


def test_keys_are_of_the_customer_however_the_record_is_written():
    def record(*names):
        example = {"customer_id": b"c7", "plan": b"pro"}
        # The entries of a map, in the order of the names.
        return b"".join(
            tf.train.Example(
                features=tf.train.Features(
                    feature={name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[example[name]]))}
                )
            ).SerializeToString()
            for name in names
        )

    def keys(records, id_column):
        raw = pa.array([[each] for each in records], LISTS)
        batch = pa.RecordBatch.from_arrays([raw], [constants.ARROW_INPUT_COLUMN])
        return extractors._read({constants.ARROW_RECORD_BATCH_KEY: batch}, [], id_column)[ROW_KEYS]

    written = [record("customer_id", "plan"), record("plan", "customer_id")]
    assert len(set(keys(written, None))) == 2
    assert len(set(keys(written, "customer_id"))) == 1
    assert len(set(keys([record("customer_id"), record("plan")], "customer_id"))) == 2
