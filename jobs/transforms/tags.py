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

    Where two say the same tag the stronger one stands, of two as strong the one declared first.

    Args:
        features: customer_features.
        declared: the tags.
    """
    doubles = doubles_of(features)
    # who is outdone is found customer by customer: groups of (customer, tag) would be many times more
    every = F.array(*(_one(tag, _outdone(tag, declared), doubles) for tag in declared))
    found = features.select("customer_id", F.explode(every).alias("one")).where("one.tag IS NOT NULL")
    return found.select("customer_id", "one.*")


def _one(tag: Tag, outdone: Sequence[str], doubles: Collection[str]) -> SparkColumn:
    """A tag with all that belongs to it; nothing but nulls where it does not hold or another stands for it."""
    said = {
        "tag": tag.code,
        "strength": _strength(tag),
        "basis": f"'{tag.basis}'",
        "reason": f"CAST({in_words(tag.because, doubles)} AS STRING)",
    }
    holds = " AND ".join([f"({tag.when})", *(f"NOT coalesce({rival}, false)" for rival in outdone)])
    return F.struct(*(F.expr(f"CASE WHEN {holds} THEN {sql} END").alias(name) for name, sql in said.items()))


def _outdone(tag: Tag, declared: Sequence[Tag]) -> list[str]:
    """When each of the others that may say the same tag says it, and stands."""
    place = declared.index(tag)
    return [
        f"({other.when}) AND {other.code} = {tag.code}"
        f" AND {_strength(other)} {'>=' if n < place else '>'} {_strength(tag)}"
        for n, other in enumerate(declared)
        if n != place and other.name == tag.name
    ]


def _strength(tag: Tag) -> str:
    return rounded(f"greatest(0, least(1, {tag.strength}))")
