"""Features from views, as the definitions declare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.features import Feature


def customer_features(
    people: DataFrame, views: Mapping[str, DataFrame], features: Sequence[Feature], absent: frozenset[str]
) -> DataFrame:
    """One row per person in ``people``, one column per feature.

    Args:
        people: customer_id and the columns of the view ``profile``; who allows profiling.
        views: view name -> rows of those people.
        features: what to compute.
        absent: views whose feed does not exist; their features are null for everybody.
    """
    wide = people
    for view, rows in views.items():
        chosen = [f for f in features if f.over == view]
        if chosen and view not in absent:
            aggregates = [F.expr(f.sql).cast(f.type).alias(f.name) for f in chosen]
            wide = wide.join(rows.groupBy("customer_id").agg(*aggregates), "customer_id", "left")
    wide = wide.withColumns(_filled(features, views, absent))
    for scalar in ("profile", "features"):
        computed = {f.name: F.expr(f.sql).cast(f.type) for f in features if f.over == scalar}
        wide = wide.withColumns(computed) if computed else wide
    return wide.select("customer_id", *(f.name for f in features))


def _filled(
    features: Sequence[Feature], views: Mapping[str, DataFrame], absent: frozenset[str]
) -> dict[str, SparkColumn]:
    """Values for people without a row in a view, and nulls where there is no feed."""
    filled = {}
    for feature in features:
        if feature.over in absent:
            filled[feature.name] = F.lit(None).cast(feature.type)
        elif feature.over in views:
            filled[feature.name] = F.coalesce(F.col(feature.name), F.expr(feature.if_none).cast(feature.type))
    return filled
