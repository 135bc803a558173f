"""Who has to be computed anew: whose receipts changed, left a window, or turned out to be another's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def crossed(bounds: Iterable[int], before: date, day: date) -> list[date]:
    """Business dates that crossed the edge of a window between two nights.

    Args:
        bounds: days after which a window ends: a row is in it while ``days_ago`` is smaller.
        before: the earlier night.
        day: tonight.
    """
    step = (day - before).days
    return sorted({before - timedelta(days=bound - 1 - n) for bound in bounds for n in range(step)})


def moved(owners_before: DataFrame, owners: DataFrame) -> DataFrame:
    """Everyone who gave or was given a buyer since the earlier night: ``customer_id``, with repeats."""
    old = owners_before.select("buyer", F.col("customer_id").alias("_old"))
    both = owners.join(old, "buyer", "full_outer").where("NOT (_old <=> customer_id)")
    return both.select(F.explode(F.array("_old", "customer_id")).alias("customer_id")).where("customer_id IS NOT NULL")


def redescribed(before: DataFrame, now: DataFrame, key: str, said: Sequence[str]) -> DataFrame:
    """Products or stores of which something else is said than was, or for the first time: one row per ``key``."""
    old = before.select(key, F.struct(*said).alias("_old"))
    both = now.select(key, F.struct(*said).alias("_now")).join(old, key, "left")
    return both.where("NOT (_now <=> _old)").select(key)


def restated(matches_before: DataFrame, matches: DataFrame) -> DataFrame:
    """Order lines of which refunds take back another amount than they did: ``business_date``, with repeats."""
    line = ["business_date", "source", "order_id", "line_id"]
    now, old = (
        rows.groupBy(*line).agg(F.sum("amount").alias(name))
        for rows, name in ((matches, "_now"), (matches_before, "_old"))
    )
    return now.join(old, line, "full_outer").where("NOT (_now <=> _old)").select("business_date")


def recounted(before: DataFrame, now: DataFrame) -> DataFrame:
    """Buyers of whose receipts something else is said than was: ``buyer``, with repeats.

    Args:
        before: receipts of some business dates as an earlier night had them.
        now: the same dates as they are now.
    """
    return now.exceptAll(before).union(before.exceptAll(now)).select("buyer")
