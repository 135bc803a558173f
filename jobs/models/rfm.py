"""RFM cut points: fitted once, frozen, scored as columns.

Quintiles are inverted-CDF: cut k of n buyers is the value at position ceil(n * k / 5) in ascending
order (definitions.md). F and M score 1 + cuts below the value, R scores 5 - cuts below it, so ties
share a score and 5 is always best.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.models.order_statistics import place_of, values_at

NONE_VERSION = "none"
_MEASURES = {"recency": "recency_days", "frequency": "orders_365d", "monetary": "net_revenue_365d"}


@dataclass(frozen=True)
class RfmCuts:
    """Four quintile cuts and the median of each measure; money in cents."""

    version: str
    recency: tuple[int, ...]
    frequency: tuple[int, ...]
    monetary: tuple[int, ...]
    medians: tuple[int, ...]  #: recency, frequency, monetary
    buyers: int

    def to_json(self) -> str:
        """The model file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> RfmCuts:
        """Read a model file."""
        content = json.loads(text)
        lists = {name: tuple(value) for name, value in content.items() if isinstance(value, list)}
        return cls(version=content["version"], buyers=content["buyers"], **lists)


def positions(count: int) -> tuple[int, ...]:
    """Places of the four cuts and of the median among ``count`` sorted values, from 1; integer ceilings."""
    return (*(place_of(count, k, 5) for k in range(1, 5)), place_of(count, 1, 2))


def fit(features: DataFrame, version: str) -> RfmCuts | None:
    """Cut points of the people who ordered in 365 days, or None if there is nobody.

    Five rows reach the driver, not the people.
    """
    buyers = features.where("orders_365d > 0").select(
        "recency_days", "orders_365d", F.expr("CAST(net_revenue_365d * 100 AS BIGINT)").alias("net_revenue_365d")
    )
    count = buyers.count()
    if count == 0:
        return None
    wanted = positions(count)
    found = {name: values_at(buyers, column, wanted) for name, column in _MEASURES.items()}
    cuts = {name: tuple(int(values[place]) for place in wanted[:4]) for name, values in found.items()}
    medians = tuple(int(values[wanted[4]]) for values in found.values())
    return RfmCuts(version, cuts["recency"], cuts["frequency"], cuts["monetary"], medians=medians, buyers=count)


def with_scores(features: DataFrame, cuts: RfmCuts | None) -> DataFrame:
    """Add recency_score, frequency_score, monetary_score, rfm_cell, the eight-class flags and the medians.

    All are null without cut points and for people without an order in 365 days.
    """
    if cuts is None:
        empty = {name: F.lit(None).cast("int") for name in ("recency_score", "frequency_score", "monetary_score")}
        flags = {name: F.lit(None).cast("boolean") for name in ("is_recent", "is_frequent", "is_big")}
        texts = ("rfm_cell", "recency_median", "frequency_median", "monetary_median")
        return features.withColumns(empty | flags | {name: F.lit(None).cast("string") for name in texts})
    money = F.expr("CAST(net_revenue_365d * 100 AS BIGINT)")
    scored = features.withColumns(
        {
            "recency_score": _when_buyer(F.lit(5) - _cuts_below(F.col("recency_days"), cuts.recency)),
            "frequency_score": _when_buyer(F.lit(1) + _cuts_below(F.col("orders_365d"), cuts.frequency)),
            "monetary_score": _when_buyer(F.lit(1) + _cuts_below(money, cuts.monetary)),
            "is_recent": _when_buyer(F.col("recency_days") <= cuts.medians[0]),
            "is_frequent": _when_buyer(F.col("orders_365d") > cuts.medians[1]),
            "is_big": _when_buyer(money > cuts.medians[2]),
            "recency_median": F.lit(cuts.medians[0]),
            "frequency_median": F.lit(cuts.medians[1]),
            "monetary_median": F.lit(f"{cuts.medians[2] / 100:.2f}"),
        }
    )
    return scored.withColumn("rfm_cell", F.expr("concat(recency_score, frequency_score, monetary_score)"))


def _cuts_below(value: SparkColumn, cuts: tuple[int, ...]) -> SparkColumn:
    below = F.lit(0)
    for cut in cuts:
        below = below + F.when(value > cut, 1).otherwise(0)
    return below


def _when_buyer(value: SparkColumn) -> SparkColumn:
    return F.when(F.col("orders_365d") > 0, value)
