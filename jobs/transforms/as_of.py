"""Customers as they were at an earlier date, from what they did on each day; nothing later is seen."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.definitions.model import rounded


def as_of(days: DataFrame, cut: str) -> DataFrame:
    """One row per customer with an order by then: columns of customer_features, as of the business date ``cut``.

    Args:
        days: customer_days of a later night.
        cut: the last business date that is seen.
    """
    seen = days.where(f"business_date <= DATE'{cut}'").groupBy("customer_id", "business_date")
    dates = seen.agg(F.sum("orders").alias("orders"), F.sum("net_revenue").alias("net_revenue"))
    before = F.lag("business_date").over(Window.partitionBy("customer_id").orderBy("business_date"))
    dated = dates.withColumns(
        {"gap_days": F.datediff("business_date", before), "ago": F.expr(f"datediff(DATE'{cut}', business_date)")}
    )
    windows = {"orders_365d": "ago < 365", "orders_90d": "ago < 90", "orders_30d": "ago < 30"}
    windows["orders_prev_90d"] = "ago BETWEEN 90 AND 179"
    counts = {name: f"coalesce(sum(orders) FILTER (WHERE {when}), 0)" for name, when in windows.items()}
    aggregates = {
        "recency_days": "min(ago)", "tenure_days": "max(ago)", "orders_total": "sum(orders)", **counts,
        "median_gap_days": rounded("median(gap_days)", unit="days"),
        "_money": "sum(net_revenue) FILTER (WHERE ago < 365)",
    }  # fmt: skip
    found = dated.groupBy("customer_id").agg(*(F.expr(sql).alias(name) for name, sql in aggregates.items()))
    worth = "CAST(round(_money / nullif(orders_365d, 0), 2) AS DECIMAL(18,2))"
    return found.withColumn("average_order_value", F.expr(worth)).drop("_money")


def stopped(days: DataFrame, cut: str, within: int) -> DataFrame:
    """Customers of :func:`as_of` with an order in the year before, and ``has_stopped``: none came in so many days."""
    came = days.where(f"business_date > DATE'{cut}' AND business_date <= date_add(DATE'{cut}', {within})")
    known = as_of(days, cut).where("orders_365d > 0")
    marked = known.join(came.select("customer_id").distinct().withColumn("_came", F.lit(1)), "customer_id", "left")
    return marked.withColumn("has_stopped", F.expr("CASE WHEN _came IS NULL THEN 1 ELSE 0 END")).drop("_came")
