"""What is timed, each in a process of its own: prints one JSON object with `seconds`, `cpu_seconds` and `sums`.

    python -m benchmarks.transactions.contenders aggregation|all_features|example_gen|pandas FOLDER

Imports are not timed; reading the file is, in all of them. Memory is measured from outside, imports and all.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from benchmarks.transactions.data import FILE, KEYS, NAMES

_DEFAULTS = ("recency_days", "frequency", "monetary", "tenure_days", "average_basket")


class _Watch:
    """Wall and processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        return {
            "seconds": time.perf_counter() - self._wall,
            "cpu_seconds": time.process_time() - self._cpu,
        }


def aggregation(folder: Path) -> dict[str, Any]:
    """The default features: the file read, checked and added up to customers, in one process."""
    return _aggregate(folder, {})


def all_features(folder: Path) -> dict[str, Any]:
    """Every feature there is, five category shares among them."""
    from configs.transactions import Feature

    wanted = {
        "category": "category",
        "product": "product",
        "features": list(get_args(Feature)),
        "category_shares": 5,
        "trend_days": 90,
        "returns": {"treat": "rate"},
    }
    return _aggregate(folder, wanted)


def example_gen(folder: Path) -> dict[str, Any]:
    """The default features through the component: Beam, and the customers written as tf.Examples and Parquet."""
    from tfx.types import standard_artifacts

    from components.example_gen.executor import Executor
    from components.example_gen.source import fingerprint_files, resolve_source, source_to_json
    from pipeline.dag import LOCAL_BEAM_ARGS

    config = _config(folder, {})
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        outputs = {"examples": standard_artifacts.Examples(), "table": standard_artifacts.Examples()}
        for name, artifact in outputs.items():
            artifact.uri = f"{scratch}/{name}"
        context = Executor.Context(
            beam_pipeline_args=LOCAL_BEAM_ARGS, tmp_dir=f"{scratch}/tmp", unique_id="1"
        )
        watch = _Watch()
        source = resolve_source(config)
        Executor(context).Do(
            {},
            {name: [artifact] for name, artifact in outputs.items()},
            {
                "data_config": config.data.model_dump_json(by_alias=True),
                "source": source_to_json(source, fingerprint_files(source.files)),
                "code_version": "",
            },
        )
        taken = watch.read()
        ingest = json.loads(Path(scratch, "examples", "ingest.json").read_text())
    return {**taken, "customers": sum(ingest["customers"].values()), "sums": {}}


def pandas(folder: Path) -> dict[str, Any]:
    """The default features by one groupby of pandas, the file read by it; nothing is checked."""
    import pandas as pd

    watch = _Watch()
    frame = pd.read_parquet(folder / FILE, columns=list(NAMES.values()))
    end = frame.time.max()
    grouped = frame.groupby("customer").agg(
        last=("time", "max"),
        first=("time", "min"),
        frequency=("order", "nunique"),
        monetary=("amount", "sum"),
    )
    day = pd.Timedelta(days=1)
    table = pd.DataFrame({
        "recency_days": (end - grouped["last"]) / day, "frequency": grouped.frequency,
        "monetary": grouped.monetary, "tenure_days": (end - grouped["first"]) / day,
    })  # fmt: skip
    table["average_basket"] = table.monetary / table.frequency
    taken = watch.read()
    return {**taken, "customers": len(table), "sums": {name: float(table[name].sum()) for name in _DEFAULTS}}


def _config(folder: Path, wanted: dict[str, Any]) -> Any:
    from configs.pipeline import PipelineConfig

    data = {"path": str(folder / FILE), **KEYS, "transactions": {**NAMES_OF_TRANSACTIONS, **wanted}}
    return PipelineConfig.model_validate({"name": "bench", "data": data})


NAMES_OF_TRANSACTIONS = {key: name for key, name in NAMES.items() if key != "id"}


def _aggregate(folder: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    import pyarrow.compute as pc

    from components.example_gen.in_memory import read_customers
    from components.example_gen.plan import make_plan
    from components.example_gen.source import resolve_source

    config = _config(folder, wanted)
    watch = _Watch()
    table, tally = read_customers(make_plan(config.data, resolve_source(config)))
    taken = watch.read()
    sums = {name: pc.sum(table[name]).as_py() for name in _DEFAULTS} if not wanted else {}
    return {**taken, "customers": tally.customers, "sums": sums}


CONTENDERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    function.__name__: function for function in (aggregation, all_features, example_gen, pandas)
}

if __name__ == "__main__":
    print(json.dumps(CONTENDERS[sys.argv[1]](Path(sys.argv[2]))))
