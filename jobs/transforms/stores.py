"""Stores by day type and daypart: when they are busy, what they sell, who comes. Money comes in whole cents."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.definitions.segments import GUEST, NO_CONSENT, OTHER, Scheme

CELL = ("store_id", "day_type", "daypart")
#: the window of every table about stores
DAYS = 90
#: products of a cell that are named
BEST = 10
_NET_REVENUE = "CAST(sum(cents) / 100BD AS DECIMAL(18,2))"


def demand(receipts: DataFrame) -> DataFrame:
    """One row per cell: orders, net revenue, the hour of most orders.

    Args:
        receipts: of 90 days, guests' too.
    """
    hourly = receipts.groupBy(*CELL, "hour").agg(F.count("*").alias("orders"), F.sum("net_cents").alias("cents"))
    peak = F.expr("min_by(hour, struct(-orders, hour))").alias("peak_hour")
    return hourly.groupBy(*CELL).agg(
        F.sum("orders").alias("orders_90d"), F.expr(_NET_REVENUE).alias("net_revenue_90d"), peak
    )


def best_sellers(receipts: DataFrame, least: int) -> DataFrame:
    """One row per cell and rank: the products of most net revenue, and everything else as the last.

    Args:
        receipts: of 90 days, guests' too.
        least: products in fewer orders than this are not named.
    """
    sold = receipts.select(*CELL, "source", "order_id", "business_date", F.explode("basket").alias("one"))
    order = ("source", "order_id", "business_date")
    by_order = sold.groupBy(*CELL, *order, "one.product_id").agg(F.sum("one.net_cents").alias("cents"))
    by_product = by_order.groupBy(*CELL, "product_id").agg(F.count("*").alias("orders"), F.sum("cents").alias("cents"))
    is_large = F.col("orders") >= least
    first = Window.partitionBy(*CELL).orderBy(F.when(is_large, 0).otherwise(1), F.desc("cents"), "product_id")
    ranked = by_product.withColumn("rank", F.row_number().over(first))
    is_named = is_large & (F.col("rank") <= BEST)
    shown = ranked.withColumn("product_id", F.when(is_named, F.col("product_id")).otherwise(F.lit(OTHER)))
    return shown.groupBy(*CELL, "product_id").agg(
        F.min("rank").alias("rank"), F.sum("orders").alias("orders_90d"), F.expr(_NET_REVENUE).alias("net_revenue_90d")
    )


def segment_mix(receipts: DataFrame, segments: DataFrame, schemes: Sequence[Scheme], least: int) -> DataFrame:
    """One row per cell, scheme and segment: orders and net revenue of its customers.

    Args:
        receipts: of 90 days, with customer_id where the buyer is known.
        segments: customer_segments.
        schemes: those to count by.
        least: segments of fewer customers than this are counted together.
    """
    by_customer = receipts.groupBy(*CELL, "customer_id").agg(
        F.count("*").alias("orders"), F.sum("net_cents").alias("cents")
    )
    codes = segments.select("customer_id", *(s.column for s in schemes))
    known = by_customer.join(codes, "customer_id", "left")
    missing = F.when(F.col("customer_id").isNull(), F.lit(GUEST)).otherwise(F.lit(NO_CONSENT))
    coded = known.withColumns({s.column: F.coalesce(s.column, missing) for s in schemes})
    pairs = ", ".join(f"'{s.name}', {s.column}" for s in schemes)
    long = coded.selectExpr(*CELL, "orders", "cents", f"stack({len(schemes)}, {pairs}) AS (scheme, segment)")
    by_segment = long.groupBy(*CELL, "scheme", "segment").agg(
        F.count("*").alias("customers"), F.sum("orders").alias("orders"), F.sum("cents").alias("cents")
    )
    is_small = (F.col("segment") != GUEST) & (F.col("customers") < least)
    shown = by_segment.withColumn("segment", F.when(is_small, F.lit(OTHER)).otherwise(F.col("segment")))
    found = shown.groupBy(*CELL, "scheme", "segment").agg(
        F.sum("orders").alias("orders_90d"), F.expr(_NET_REVENUE).alias("net_revenue_90d")
    )
    return found.withColumn("segment_key", F.concat_ws(":", "scheme", "segment"))
