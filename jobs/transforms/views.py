"""The views that features are computed over: a customer's history at the grain each feature needs.

Columns of each are listed in ``jobs.definitions.features.VIEWS``. Money is in whole cents.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.definitions.features.feature import FIRST_WEIGHT, HALF_LIFE_DAYS, YEAR

_CENTS = ("gross", "discount", "coupon_discount", "refunded")


def cents(column: str) -> SparkColumn:
    """An amount in whole cents, exact."""
    return F.expr(f"CAST(`{column}` * 100 AS BIGINT)")


def daypart(hours: Mapping[str, int]) -> SparkColumn:
    """Daypart of ``local_minutes``: the one whose hour began last; before the first it is the night's."""
    begins = sorted(hours.items(), key=lambda item: item[1])
    cases = " ".join(f"WHEN local_minutes >= {hour * 60} THEN '{name}'" for name, hour in reversed(begins))
    return F.expr(f"CASE {cases} ELSE '{begins[-1][0]}' END")


def order_lines_with_net(lines: DataFrame) -> DataFrame:
    """Lines with their amounts in cents and ``net_cents``; ``cost_cents`` is null where no cost is known."""
    return lines.select(
        "source",
        "order_id",
        "product_id",
        "quantity",
        *(cents(name).alias(f"{name}_cents") for name in _CENTS),
        F.expr("CAST(round(unit_cost * quantity * 100, 0) AS BIGINT)").alias("cost_cents"),
    ).withColumn("net_cents", F.expr("gross_cents - discount_cents - coupon_discount_cents - refunded_cents"))


def order_totals(lines: DataFrame) -> DataFrame:
    """One row per order: sums of its lines."""
    sums = [F.sum(f"{name}_cents").alias(f"{name}_cents") for name in (*_CENTS, "net")]
    cost = F.expr("CASE WHEN count_if(cost_cents IS NULL) = 0 THEN sum(cost_cents) END").alias("cost_cents")
    cut = F.expr("sum(CASE WHEN discount_cents > 0 THEN gross_cents ELSE 0 END)").alias("cut_gross_cents")
    sizes = F.count("*").alias("lines"), F.sum("quantity").alias("items")
    return lines.groupBy("source", "order_id").agg(*sums, cost, cut, *sizes)


def completed_orders(
    orders: DataFrame, totals: DataFrame, dates: DataFrame, hours: Mapping[str, int], day: str
) -> DataFrame:
    """One row per order that counts, up to the business date ``day``, with its sums, daypart and day type.

    A cancelled or void order counts nowhere, and a fully refunded order is no order.
    """
    return (
        orders.where(f"status = 'completed' AND business_date <= DATE'{day}'")
        .join(totals.where("NOT (refunded_cents > 0 AND net_cents <= 0)"), ["source", "order_id"])
        .join(F.broadcast(dates.select("business_date", "day_type", "is_own_day")), "business_date", "left")
        .withColumn("daypart", daypart(hours))
        .withColumn("days_ago", F.expr(f"datediff(DATE'{day}', business_date)"))
        .withColumn("month", F.month("business_date"))
        .withColumn("has_coupon", F.expr("coupon_id IS NOT NULL OR coupon_discount_cents > 0"))
    )


def attributed(orders: DataFrame, records: DataFrame, identifiers: DataFrame, names: tuple[str, ...]) -> DataFrame:
    """Add ``customer_id`` to orders: by the source's own id, else by the first identifier that leads to somebody.

    Args:
        orders: clean orders.
        records: source, source_customer_id, customer_id.
        identifiers: name, hash, customer_id; one row per (name, hash).
        names: identifier columns in the order in which they are tried.
    """
    ids = records.select("source", "source_customer_id", F.col("customer_id").alias("_by_id"))
    found = orders.join(ids, ["source", "source_customer_id"], "left")
    for name in names:
        one = identifiers.where(F.col("name") == name).select(
            F.col("hash").alias(name), F.col("customer_id").alias(f"_by_{name}")
        )
        found = found.join(one, name, "left")
    tried = ["_by_id", *(f"_by_{name}" for name in names)]
    return found.withColumn("customer_id", F.coalesce(*tried)).drop(*tried)


def gaps(orders: DataFrame) -> DataFrame:
    """One row per distinct order date of a customer, with the days since the one before."""
    days = orders.select("customer_id", "days_ago").distinct()
    before = F.lead("days_ago").over(Window.partitionBy("customer_id").orderBy("days_ago"))
    return days.withColumn("gap_days", before - F.col("days_ago"))


def purchases(lines: DataFrame, orders: DataFrame, products: DataFrame) -> DataFrame:
    """One row per customer and product bought in 365 days: what it is, and the net revenue, also by weight of age."""
    weight = F.expr(f"shiftright({FIRST_WEIGHT}, days_ago DIV {HALF_LIFE_DAYS})").cast("bigint")
    recent = orders.where(f"days_ago < {YEAR}").select("source", "order_id", "customer_id", weight.alias("weight"))
    bought = lines.join(recent, ["source", "order_id"]).groupBy("customer_id", "product_id")
    known = products.select("product_id", "category", "department", "brand")
    sums = F.sum("net_cents").alias("net_cents"), F.expr("sum(net_cents * weight)").alias("recent_cents")
    return bought.agg(*sums).join(known, "product_id", "left")


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


def views(orders: DataFrame, bought: DataFrame, feedback: DataFrame, hours: Mapping[str, int]) -> dict[str, DataFrame]:
    """Every view that a feature may be computed over, by name; all of people who allow profiling.

    Args:
        orders: their completed orders with ``days_ago``.
        bought: their purchases (:func:`purchases`).
        feedback: their notes with ``days_ago``.
        hours: daypart -> local hour at which it begins.
    """
    later = " ".join(f"WHEN '{name}' THEN {hour}" for name, hour in hours.items())
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
        "feedback": feedback.where(f"days_ago BETWEEN 0 AND {YEAR - 1}"),
    }
