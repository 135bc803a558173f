"""Daily aggregates per customer."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_MONEY = "CAST({} / 100BD AS DECIMAL(18,2))"


def customer_days(orders: DataFrame) -> DataFrame:
    """One row per (customer, business date, store, channel, fulfilment, daypart): orders, revenue, discount, lines.

    Args:
        orders: completed orders of people who allow profiling, amounts in cents.
    """
    key = ("customer_id", "business_date", "store_id", "channel", "fulfilment", "daypart")
    known = orders.withColumn("fulfilment", F.coalesce("fulfilment", F.lit("unknown")))
    return known.groupBy(*key).agg(
        F.count("*").alias("orders"),
        F.expr(_MONEY.format("sum(net_cents)")).alias("net_revenue"),
        F.expr(_MONEY.format("sum(discount_cents + coupon_discount_cents)")).alias("discount"),
        F.sum("lines").alias("lines"),
    )
