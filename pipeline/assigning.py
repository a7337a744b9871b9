"""New customers from a file, read as the configuration says, to a table of their segments. Imports TensorFlow."""

from __future__ import annotations

import dataclasses
import os
import uuid
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from components.assignments.new_customers import score_customers
from components.assignments.table import table_schema
from components.example_gen.in_memory import read_customers
from components.example_gen.plan import make_plan
from components.example_gen.source import ROW_ID, Source, resolve_source
from components.served_model.loaded import Feature, LoadedModel
from configs.data import DataConfig
from configs.errors import ConfigError
from configs.evaluation import EvaluationConfig
from configs.features import FeaturesConfig
from configs.pipeline import PipelineConfig
from configs.selection import SelectionConfig
from configs.transactions import SHARE


def assign_file(config: PipelineConfig, model_dir: str, input_path: str, output: str) -> dict[str, Any]:
    """Scores the customers of a file with a served model.

    Args:
      config: its section `data` says how the file is read: types, missing values, conditions, transactions.
      model_dir: the served version.
      input_path: a file of any format, customers or transactions; a glob is fine.
      output: ends in `.csv`, or else is Parquet. It appears whole or not at all.

    Returns:
      `customers`, `rows_read`, `rows_dropped` (rule -> rows), `values_changed` (column -> rule -> values),
      `segments` (id, name, customers), `outliers`, `output`.

    Raises:
      ConfigError: the file lacks a column.
      DataError: the file must be mended.
      components.errors.ServingError: the model cannot be asked.
    """
    model = LoadedModel(model_dir)
    data = _of_file(config.data, model, input_path)
    # The model knows its features; slices and a target are for training: none need all their columns be there.
    needed = {
        "data": data,
        "features": FeaturesConfig(),
        "evaluation": EvaluationConfig(),
        "selection": SelectionConfig(),
    }
    source = resolve_source(config.model_copy(update=needed))
    source = _with_features_only(source, model.features, input_path)
    customers, tally = read_customers(make_plan(_typed(data, model.features), source))
    counts: Counter[int] = Counter()
    outliers = 0
    schema = table_schema(source.id_name)
    partial = f"{output}.{uuid.uuid4().hex[:12]}.part"
    try:
        with _writer(output, partial, schema) as writer:
            for batch in score_customers(model, customers, source.id_name):
                writer.write_batch(batch)
                counts.update(batch["segment_id"].to_numpy().tolist())
                outliers += batch["is_outlier"].true_count
        os.replace(partial, output)
    finally:
        if os.path.exists(partial):
            os.remove(partial)
    return {
        "customers": len(customers),
        "rows_read": tally.rows_read,
        "rows_dropped": dict(sorted(tally.rows_dropped.items())),
        "values_changed": tally.changes.by_column(),
        "segments": [
            {"id": each["id"], "name": each["name"], "customers": counts[each["id"]]}
            for each in model.content["segments"]
        ],
        "outliers": outliers,
        "output": output,
    }


def _of_file(data: DataConfig, model: LoadedModel, path: str) -> DataConfig:
    """The section for another file; the customer id is the model's where the section does not name it."""
    known = model.content.get("id_column")
    id_column = data.id or (known if known != ROW_ID else None)
    update: dict[str, Any] = {"path": path, "bigquery": None, "span": None, "id": id_column}
    parts = data.transactions
    if parts is not None and isinstance(parts.category_shares, int):
        # Those that are frequent in this file may be others.
        names = [feature.name for feature in model.features if feature.name.startswith(SHARE)]
        shares = [name.removeprefix(SHARE) for name in names]
        update["transactions"] = parts.model_copy(update={"category_shares": shares or None})
    return data.model_copy(update=update)


def _typed(data: DataConfig, features: list[Feature]) -> DataConfig:
    """Columns mean what they mean to the model, whatever the file's first rows hold."""
    if data.transactions is not None:
        return data
    # What a time becomes is a number to the model; what is read is a time.
    types = {
        feature.name: "text" if feature.is_text else "number"
        for feature in features
        if feature.name not in data.dates and feature.name != data.repeats_by
    }
    return data.model_copy(update={"types": {**types, **data.types}})


def _with_features_only(source: Source, features: list[Feature], path: str) -> Source:
    names = {feature.name for feature in features}
    absent = sorted(names - set(source.customer_columns))
    if absent:
        raise ConfigError(
            f"{path}: there is no column '{absent[0]}', which the served model asks for; an empty one will do"
        )
    kept = tuple(c for c in source.customer_columns if c in names or c == source.id_name)
    return dataclasses.replace(source, customer_columns=kept)


def _writer(output: str, partial: str, schema: pa.Schema) -> Any:
    if output.endswith(".csv"):
        return pyarrow.csv.CSVWriter(partial, schema)
    return pyarrow.parquet.ParquetWriter(partial, schema)
