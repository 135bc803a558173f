"""The views that features are computed over: a customer's history at the grain each feature needs.

Columns of each are listed in ``jobs.definitions.features.VIEWS``. Money is in whole cents.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.definitions.features.feature import FIRST_WEIGHT, HALF_LIFE_DAYS, YEAR


def of_people(receipts: DataFrame, owners: DataFrame, day: str) -> DataFrame:
    """Receipts of known people up to the business date ``day``: ``customer_id`` and ``days_ago`` beside.

    Args:
        receipts: rows of :func:`jobs.transforms.receipts.receipts`.
        owners: buyer, customer_id.
        day: business date of the snapshot; later receipts are not seen.
    """
    known = receipts.where(f"business_date <= DATE'{day}'").join(owners, "buyer")
    return known.withColumn("days_ago", F.expr(f"datediff(DATE'{day}', business_date)"))


def gaps(orders: DataFrame) -> DataFrame:
    """One row per distinct order date of a customer, with the days since the one before."""
    days = orders.select("customer_id", "days_ago").distinct()
    before = F.lead("days_ago").over(Window.partitionBy("customer_id").orderBy("days_ago"))
    return days.withColumn("gap_days", before - F.col("days_ago"))


def purchases(orders: DataFrame, products: DataFrame) -> DataFrame:
    """One row per customer and product bought in 365 days: what it is, and the net revenue, also by weight of age.

    All of a customer's rows lie together, so that what is ranked by customer moves no row again.
    """
    weight = F.expr(f"shiftright({FIRST_WEIGHT}, days_ago DIV {HALF_LIFE_DAYS})").cast("bigint").alias("weight")
    recent = orders.where(f"days_ago < {YEAR}").select("customer_id", weight, F.explode("basket").alias("one"))
    bought = recent.select("customer_id", "weight", "one.product_id", "one.net_cents").repartition("customer_id")
    sums = F.sum("net_cents").alias("net_cents"), F.expr("sum(net_cents * weight)").alias("recent_cents")
    known = products.select("product_id", "category", "department", "brand")
    return bought.groupBy("customer_id", "product_id").agg(*sums).join(F.broadcast(known), "product_id", "left")


def ranked_by_revenue(bought: DataFrame, column: str) -> DataFrame:
    """One row per value of ``column`` bought: its revenue, the customer's over all, its place."""
    amounts = (F.sum(name).alias(name) for name in ("net_cents", "recent_cents"))
    sums = bought.groupBy("customer_id", column).agg(*amounts)
    known = F.col(column).isNotNull()
    by_revenue = Window.partitionBy("customer_id").orderBy(known.desc(), F.col("net_cents").desc(), F.col(column))
    # in the same order as the places, so that rows are sorted once
    whole = F.sum("net_cents").over(by_revenue.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing))
    place = F.when(known, F.row_number().over(by_revenue))
    return sums.withColumns({"customer_net_cents": whole, "place": place})


def ranked_by_orders(orders: DataFrame, column: str, tie: list[SparkColumn]) -> DataFrame:
    """One row per value of ``column`` in 365 days: orders, revenue, place by orders and then ``tie``."""
    recent = orders.where(f"days_ago < {YEAR}")
    counted = recent.groupBy("customer_id", column).agg(
        F.count("*").alias("orders"), F.sum("net_cents").alias("net_cents")
    )
    order = [F.col("orders").desc(), *tie]
    place = F.row_number().over(Window.partitionBy("customer_id").orderBy(*order))
    return counted.withColumn("place", place)


def counted(orders: DataFrame, column: str) -> DataFrame:
    """One row per value of ``column`` in 365 days: orders."""
    recent = orders.where(f"days_ago < {YEAR} AND {column} IS NOT NULL")
    return recent.groupBy("customer_id", column).agg(F.count("*").alias("orders"))


def of_receipts(orders: DataFrame, products: DataFrame, hours: Mapping[str, int]) -> dict[str, DataFrame]:
    """Every view made from receipts, by name (``jobs.definitions.features.FROM_RECEIPTS``).

    Args:
        orders: receipts of the people asked for (:func:`of_people`).
        products: clean products.
        hours: daypart -> local hour at which it begins.
    """
    later = " ".join(f"WHEN '{name}' THEN {hour}" for name, hour in hours.items())
    bought = purchases(orders, products)
    return {
        "orders": orders,
        "gaps": gaps(orders),
        "months": counted(orders, "month"),
        "channels": counted(orders, "channel"),
        "fulfilments": counted(orders, "fulfilment"),
        "categories": ranked_by_revenue(bought, "category"),
        "departments": ranked_by_revenue(bought, "department"),
        "products": ranked_by_revenue(bought, "product_id"),
        "brands": ranked_by_revenue(bought, "brand"),
        "stores": ranked_by_orders(orders, "store_id", [F.col("net_cents").desc(), F.col("store_id")]),
        "dayparts": ranked_by_orders(orders, "daypart", [F.expr(f"CASE daypart {later} END").desc()]),
    }


def of_feedback(notes: DataFrame) -> DataFrame:
    """Notes given in 365 days, of notes with ``days_ago``."""
    return notes.where(f"days_ago BETWEEN 0 AND {YEAR - 1}")
