"""Which columns become features, and how each is prepared. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from configs.features import FeaturesConfig
from configs.preparation import CategoricalOptions, NumericOptions

Kind = Literal["numeric", "categorical"]


@dataclass(frozen=True)
class NumericFeature:
    """A column that becomes one coordinate."""

    name: str
    options: NumericOptions


@dataclass(frozen=True)
class OrdinalFeature:
    """A column of ordered categories: its rank becomes one coordinate, normalized like a number."""

    name: str
    options: CategoricalOptions
    scaling: NumericOptions


@dataclass(frozen=True)
class FrequencyFeature:
    """A column of categories: the share of customers with the same becomes one coordinate, normalized like a number."""

    name: str
    options: CategoricalOptions
    scaling: NumericOptions


@dataclass(frozen=True)
class BlockFeature:
    """A column of categories that becomes several coordinates: a place per category, a point or a vector."""

    name: str
    options: CategoricalOptions


@dataclass(frozen=True)
class FeaturePlan:
    """The features of a pipeline, each group in the order of the columns' names."""

    numeric: tuple[NumericFeature, ...]
    ordinal: tuple[OrdinalFeature, ...]
    frequency: tuple[FrequencyFeature, ...]
    blocks: tuple[BlockFeature, ...]

    @property
    def scalars(self) -> tuple[NumericFeature | OrdinalFeature | FrequencyFeature, ...]:
        """The features that become one coordinate each."""
        return self.numeric + self.ordinal + self.frequency

    @property
    def scaling(self) -> list[NumericOptions]:
        """How each of `scalars` is normalized and weighed."""
        return [f.options if isinstance(f, NumericFeature) else f.scaling for f in self.scalars]

    @property
    def texts(self) -> tuple[OrdinalFeature | FrequencyFeature | BlockFeature, ...]:
        """The features that are categories."""
        return self.ordinal + self.frequency + self.blocks

    @property
    def with_vocabulary(self) -> list[FrequencyFeature | BlockFeature]:
        """The features that tell the most frequent categories apart, which are learned."""
        learned = [f for f in self.blocks if f.options.encode in ("one_hot", "multi_hot")]
        return [*self.frequency, *learned]

    @property
    def names(self) -> list[str]:
        """The raw columns used, in the order of their coordinates."""
        return [f.name for f in self.numeric] + [f.name for f in self.texts]

    def kind(self, name: str) -> Kind:
        """Whether a column is described by numbers or by categories."""
        return "numeric" if any(f.name == name for f in self.numeric) else "categorical"


def plan_features(config: FeaturesConfig, columns: Mapping[str, bool], id_column: str | None) -> FeaturePlan:
    """Decides for every column what it becomes.

    Args:
      config: the choices; zero choices are fine.
      columns: column name -> whether the data holds numbers there.
      id_column: the customer id, never a feature.

    Raises:
      ValueError: when no column is left, a chosen one is missing, or a text column is declared numeric.
    """
    numeric: list[NumericFeature] = []
    ordinal: list[OrdinalFeature] = []
    frequency: list[FrequencyFeature] = []
    blocks: list[BlockFeature] = []
    for name in sorted(columns):
        if name == id_column or not config.selects(name):
            continue
        choice = config.columns.get(name)
        kind = (choice.kind if choice else None) or ("numeric" if columns[name] else "categorical")
        if kind == "numeric":
            if not columns[name]:
                raise ValueError(f"features.columns.{name} is numeric, but the data holds text there")
            options = choice.numeric(config.numeric) if choice else config.numeric
            numeric.append(NumericFeature(name, options))
            continue
        categories = choice.categorical(config.categorical) if choice else config.categorical
        # Ranks are even steps and the mean stands for missing ones, whatever is chosen for amounts.
        scaling = NumericOptions(
            normalize=config.numeric.normalize, range=config.numeric.range, weight=categories.weight
        )
        if categories.encode == "ordinal":
            ordinal.append(OrdinalFeature(name, categories, scaling))
        elif categories.encode == "frequency":
            frequency.append(FrequencyFeature(name, categories, scaling))
        else:
            blocks.append(BlockFeature(name, categories))
    plan = FeaturePlan(tuple(numeric), tuple(ordinal), tuple(frequency), tuple(blocks))
    absent = sorted(set(config.columns).union(config.include or []) - set(plan.names) - {id_column})
    if absent:
        raise ValueError(f"no data for the feature '{absent[0]}': the column is missing from the schema")
    if not plan.names:
        raise ValueError("no features: every column is excluded; see features.include and features.exclude")
    if config.pca and not plan.scalars:
        raise ValueError("features.pca: there is no numeric coordinate to make components of")
    return plan
