"""What becomes of each column, known from the config and the first rows."""

from __future__ import annotations

from components.example_gen.plan import make_plan
from components.example_gen.source import Source
from configs.data import DataConfig
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from transforms.plan import FeaturePlan, plan_features


def typed_data(config: PipelineConfig) -> DataConfig:
    """The `data` section, with columns of `type: numeric` read as numbers: text there is then refused."""
    if config.data.transactions is not None:
        return config.data
    numeric = {
        name: "number"
        for name, feature in config.features.columns.items()
        if feature.type == "numeric" and name not in {**config.data.types, **config.data.dates}
    }
    return config.data.model_copy(update={"types": {**config.data.types, **numeric}})


def planned_features(config: PipelineConfig, source: Source) -> FeaturePlan:
    """The features that a run on this source would have.

    Raises:
      ConfigError: there would be none, or one cannot be what the config says.
      DataError: the first rows show that the data must be mended.
    """
    read = make_plan(typed_data(config), source)
    kinds = {**read.kinds, **(read.attributes.kinds if read.attributes else {})}
    # The transactions' own columns are no features, whatever they are called.
    if config.data.transactions is not None:
        kinds |= config.data.transactions.columns_made(source.categories)
    is_number = {
        column: kinds.get(column) != "text"
        for column in source.customer_columns
        if column not in (source.id_name, config.selection.is_on and config.selection.target)
    }
    try:
        plan = plan_features(config.features, is_number, source.id_name)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    wanted = config.features.pca.components if config.features.pca else None
    if isinstance(wanted, int) and wanted > len(plan.scalars):
        raise ConfigError(
            f"features.pca.components is {wanted}, but the numeric coordinates are {len(plan.scalars)}: "
            + ", ".join(f.name for f in plan.scalars)
        )
    return plan
