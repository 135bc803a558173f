"""Values at places of a sorted column, without sorting its rows: a few rows reach the driver, not the table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def place_of(count: int, numerator: int, denominator: int) -> int:
    """Place, from 1, of a quantile among ``count`` sorted values: inverted CDF, in whole numbers."""
    return -(-count * numerator // denominator)


def values_at(rows: DataFrame, column: str, places: Iterable[int]) -> dict[int, Any]:
    """Place (from 1, ascending) -> the value there. ``column`` holds no null."""
    # one row per distinct value first, so that the running count is over few rows
    counted = rows.groupBy(column).agg(F.count("*").alias("n"))
    upto = F.sum("n").over(Window.orderBy(column))
    runs = counted.withColumn("upto", upto).withColumn("after", F.col("upto") - F.col("n"))
    at = F.explode(F.array(*(F.lit(place) for place in sorted(set(places)))))
    found = runs.select(column, "upto", "after", at.alias("place")).where("place > after AND place <= upto").collect()
    return {row["place"]: row[column] for row in found}
