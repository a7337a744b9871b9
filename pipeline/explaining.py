"""From a customer's id, or a row, to the explanation. Imports TensorFlow: the commands import it when they need it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from components.explanation.customers import find_customer, not_found
from components.explanation.explain import explain
from components.explanation.ranges import column_ranges
from components.explanation.rows import read_row
from components.served_model.loaded import LoadedModel, Value, read_example
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from pipeline.examples import CustomerFiles, newest_customers
from pipeline.workspace import Workspace


def explain_customer(config: PipelineConfig, place: Workspace, version: str, customer: str) -> dict[str, Any]:
    """Explains a customer of the last run's data.

    Raises:
      ConfigError: there is no such customer, or no such data any more.
      components.errors.ServingError: the model cannot be asked.
    """
    files = newest_customers(config, place)
    if files is None:
        raise ConfigError(
            f"the data of the last run is not in {place.root} any more; run again with --force, or give the"
            " customer with --row"
        )
    # Before the model is loaded, which takes longer.
    search = find_customer(files.examples_files, files.id_column, customer)
    if search.found is None:
        raise not_found(customer, search)
    row = read_example(search.found)
    return _explained(place, version, LoadedModel(_model_dir(place, version)), files, row, customer)


def explain_row(
    config: PipelineConfig, place: Workspace, version: str, given: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """Explains a customer given as column -> value; `where` names the row in errors.

    Raises:
      ConfigError: a column is not known, or a value is not what its column holds.
      components.errors.ServingError: the model cannot be asked.
    """
    files = newest_customers(config, place)
    model = LoadedModel(_model_dir(place, version))
    columns = files.ingest.get("columns", {}) if files else {}
    id_column = str(model.content.get("id_column"))
    row = read_row(given, model.features, config.data, {*columns, id_column}, where)
    customer = given.get(id_column)
    return _explained(place, version, model, files, row, None if customer is None else str(customer))


def _explained(
    place: Workspace,
    version: str,
    model: LoadedModel,
    files: CustomerFiles | None,
    row: Mapping[str, Value],
    customer: str | None,
) -> dict[str, Any]:
    ranges = column_ranges(files.table_files) if files else {}
    assignments = os.path.join(place.assignments, version, "assignments.parquet")
    return {"version": version, "customer": customer, **explain(model, row, ranges, assignments)}


def _model_dir(place: Workspace, version: str) -> str:
    return os.path.join(place.serving, version)
