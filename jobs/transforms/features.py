"""Features from views, as the definitions declare them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import reduce

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.features import FROM_RECEIPTS, Feature
from jobs.definitions.model import rounded

#: computed of everybody every night, from the person and from the other features
_SCALAR = ("profile", "features")


def aggregated(views: Mapping[str, DataFrame], features: Sequence[Feature]) -> DataFrame:
    """One row per customer who has a row in the first view, one column per feature over any of the views.

    Args:
        views: view name -> its rows; a customer of another view is in the first one too.
        features: those over other views are left out.
    """
    frames = []
    for view, rows in views.items():
        chosen = [_computed(f).alias(f.name) for f in features if f.over == view]
        if chosen:
            frames.append(rows.groupBy("customer_id").agg(*chosen))
    return reduce(lambda wide, one: wide.join(one, "customer_id", "left"), frames)


def carried(before: DataFrame, touched: DataFrame, features: Sequence[Feature], days: int) -> DataFrame:
    """What is known of everyone with receipts who was not touched since the earlier night: the same, but older.

    Args:
        before: the customer_features of that night.
        touched: customer_id of everyone who is computed anew.
        features: those over receipts are kept, the others left out.
        days: nights between.
    """
    kept = [f for f in features if f.over in FROM_RECEIPTS]
    columns = [F.expr(f"{f.name} + {days}").cast(f.type).alias(f.name) if f.ages else F.col(f.name) for f in kept]
    known = before.where("recency_days IS NOT NULL").join(touched.select("customer_id"), "customer_id", "left_anti")
    return known.select("customer_id", *columns)


def customer_features(
    people: DataFrame, parts: Sequence[DataFrame], features: Sequence[Feature], absent: Collection[str]
) -> DataFrame:
    """One row per person in ``people``, one column per feature.

    Args:
        people: customer_id and the columns of the view ``profile``; who allows profiling.
        parts: frames by customer_id that hold the aggregated features between them.
        features: what to publish.
        absent: views whose feed does not exist; their features are null for everybody.
    """
    wide = reduce(lambda wide, part: wide.join(part, "customer_id", "left"), parts, people)
    wide = wide.withColumns({f.name: _filled(f, absent) for f in features if f.over not in _SCALAR})
    for scalar in _SCALAR:
        computed = {f.name: _computed(f) for f in features if f.over == scalar}
        wide = wide.withColumns(computed) if computed else wide
    return wide.select("customer_id", *(f.name for f in features))


def _computed(feature: Feature) -> SparkColumn:
    return F.expr(rounded(feature.sql, unit=feature.unit) if feature.type == "DOUBLE" else feature.sql).cast(
        feature.type
    )


def _filled(feature: Feature, absent: Collection[str]) -> SparkColumn:
    """The value, or that of a person without a row in the view; null where there is no feed."""
    if feature.over in absent:
        return F.lit(None).cast(feature.type)
    return F.coalesce(F.col(feature.name), F.expr(feature.if_none).cast(feature.type))
