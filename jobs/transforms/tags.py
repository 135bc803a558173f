"""Tags of customers, as the definitions declare them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.model import rounded
from jobs.definitions.tags import Tag
from jobs.transforms.words import doubles_of, in_words


def tags(features: DataFrame, declared: Sequence[Tag]) -> DataFrame:
    """One row per (customer_id, tag) that holds: strength from 0 to 1, basis, reason.

    Where two say the same tag the stronger one stands.

    Args:
        features: customer_features.
        declared: the tags.
    """
    doubles = doubles_of(features)
    every = F.array(*(_one(tag, doubles) for tag in declared))
    found = features.select("customer_id", F.explode(every).alias("one")).where("one.tag IS NOT NULL")
    tag = found.select("customer_id", "one.tag", F.struct("one.strength", "one.basis", "one.reason").alias("said"))
    strongest = tag.groupBy("customer_id", "tag").agg(F.max("said").alias("said"))
    return strongest.select("customer_id", "tag", "said.*")


def _one(tag: Tag, doubles: Collection[str]) -> SparkColumn:
    """A tag with all that belongs to it; nothing but nulls where it does not hold."""
    said = {
        "tag": tag.code,
        "strength": rounded(f"greatest(0, least(1, {tag.strength}))"),
        "basis": f"'{tag.basis}'",
        "reason": f"CAST({in_words(tag.because, doubles)} AS STRING)",
    }
    return F.struct(*(F.expr(f"CASE WHEN {tag.when} THEN {sql} END").alias(name) for name, sql in said.items()))
