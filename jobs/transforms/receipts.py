"""Clean orders and their lines -> receipts: what every feature is made from, kept by business date.

A receipt holds all that a feature may ask of an order, its basket nested in it, so that a night computes those of the
dates that changed and reads the others as they are. Money is in whole cents.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.transforms.owners import buyer

_CENTS = ("gross", "discount", "coupon_discount", "refunded")
_KEY = ("business_date", "source", "order_id")
#: columns of a receipt; it is restricted, for it says who bought what
DDL = (
    "source STRING, order_id STRING, business_date DATE, buyer BIGINT, store_id STRING, channel STRING,"
    " fulfilment STRING, hour INT, daypart STRING, day_type STRING, is_own_day BOOLEAN, month INT, party_size INT,"
    " has_coupon BOOLEAN, gross_cents BIGINT, discount_cents BIGINT, coupon_discount_cents BIGINT,"
    " refunded_cents BIGINT, net_cents BIGINT, cost_cents BIGINT, cut_gross_cents BIGINT, lines BIGINT,"
    " items DECIMAL(28,4), basket ARRAY<STRUCT<product_id: STRING, net_cents: BIGINT>>"
)
#: columns of the clean orders that a receipt keeps as they are
_KEPT = ("store_id", "channel", "fulfilment", "party_size")


def receipts(orders: DataFrame, lines: DataFrame, dates: DataFrame, hours: Mapping[str, int]) -> DataFrame:
    """One row per order that counts, with its sums, daypart, day type, ``buyer`` and basket.

    A cancelled or void order counts nowhere, and a fully refunded order is no order. An order and its lines stand on
    the same business date, so nothing is looked for beyond a date; rows come out together by date.

    Args:
        orders: clean orders of some business dates.
        lines: clean order lines of the same dates, restated by refunds.
        dates: business_date, day_type, is_own_day.
        hours: daypart -> local hour at which it begins.
    """
    counted = orders.where("status = 'completed'").select(
        *_KEY,
        *_KEPT,
        buyer().alias("buyer"),
        F.expr("CAST(local_minutes DIV 60 AS INT)").alias("hour"),
        daypart(hours).alias("daypart"),
        F.col("coupon_id").isNotNull().alias("_k"),
    )
    return (
        counted.repartition("business_date")
        .join(_baskets(lines), [*_KEY])
        .where("NOT (refunded_cents > 0 AND net_cents <= 0)")
        .join(F.broadcast(dates.select("business_date", "day_type", "is_own_day")), "business_date", "left")
        .withColumn("month", F.month("business_date"))
        .withColumn("has_coupon", F.expr("_k OR coupon_discount_cents > 0"))
        .drop("_k")
    )


def _baskets(lines: DataFrame) -> DataFrame:
    """One row per order: sums of its lines, and what was in it."""
    known = lines_in_cents(lines).repartition("business_date")
    sums = [F.sum(f"{name}_cents").alias(f"{name}_cents") for name in (*_CENTS, "net")]
    cost = F.expr("CASE WHEN count_if(cost_cents IS NULL) = 0 THEN sum(cost_cents) END").alias("cost_cents")
    cut = F.expr("sum(CASE WHEN discount_cents > 0 THEN gross_cents ELSE 0 END)").alias("cut_gross_cents")
    sizes = F.count("*").alias("lines"), F.sum("quantity").cast("decimal(28,4)").alias("items")
    basket = F.sort_array(F.collect_list(F.struct("product_id", "net_cents"))).alias("basket")
    return known.groupBy(*_KEY).agg(*sums, cost, cut, *sizes, basket)


def lines_in_cents(lines: DataFrame) -> DataFrame:
    """Lines with their amounts in cents and ``net_cents``; ``cost_cents`` is null where no cost is known."""
    return lines.select(
        *_KEY,
        "product_id",
        "quantity",
        *(cents(name).alias(f"{name}_cents") for name in _CENTS),
        F.expr("CAST(round(unit_cost * quantity * 100, 0) AS BIGINT)").alias("cost_cents"),
    ).withColumn("net_cents", F.expr("gross_cents - discount_cents - coupon_discount_cents - refunded_cents"))


def cents(column: str) -> SparkColumn:
    """An amount in whole cents, exact."""
    return F.expr(f"CAST(`{column}` * 100 AS BIGINT)")


def daypart(hours: Mapping[str, int]) -> SparkColumn:
    """Daypart of ``local_minutes``: the one whose hour began last; before the first it is the night's."""
    begins = sorted(hours.items(), key=lambda item: item[1])
    cases = " ".join(f"WHEN local_minutes >= {hour * 60} THEN '{name}'" for name, hour in reversed(begins))
    return F.expr(f"CASE {cases} ELSE '{begins[-1][0]}' END")
