"""Customer value from features and from what a fitted model says of each kind of history."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.model import in_cents, rounded

#: a kind of history: orders after the first, days from the first to the last in whole weeks, days observed likewise
KIND = ("repeats", "last_days", "observed_days")
_ABSENT = ("expected_orders_90d", "expected_orders_365d", "probability_alive", "probability_of_none_90d")
#: somebody unseen for longer has stopped, and is not expected on any day
_GONE_DAYS = 180


def histories(features: DataFrame) -> DataFrame:
    """One row per customer who ever ordered: customer_id and the columns of ``KIND``.

    Whole weeks, so that there are few kinds however many customers there are.
    """
    return features.where("orders_total > 0").select(
        "customer_id",
        F.expr("orders_total - 1").alias("repeats"),
        F.expr("(tenure_days - recency_days) DIV 7 * 7").alias("last_days"),
        F.expr("tenure_days DIV 7 * 7").alias("observed_days"),
    )


def spent(features: DataFrame) -> DataFrame:
    """One row per customer with orders in 365 days of a mean value above nothing: orders, mean_value in whole units."""
    return features.where("orders_365d > 0 AND average_order_value >= 0.5").select(
        F.col("orders_365d").alias("orders"), F.expr("CAST(round(average_order_value) AS DOUBLE)").alias("mean_value")
    )


def customer_value(
    features: DataFrame, scored: DataFrame | None, order_value: str, stops: str | None, day: str
) -> DataFrame:
    """One row per customer of customer_features; null where nothing can be said.

    Args:
        features: customer_features.
        scored: ``KIND`` and what the model says of it; None without a model.
        order_value: SQL over orders_365d and average_order_value: what an order is expected to be worth.
        stops: SQL over customer_features: the probability that no order comes in 90 days; what the model of orders
            says without.
        day: business date of the snapshot.
    """
    rows = features
    if scored is not None:
        kinds = histories(features).join(F.broadcast(scored), [*KIND])
        rows = rows.join(kinds.drop(*KIND), "customer_id", "left")
    missing = {name: F.lit(None).cast("double") for name in _ABSENT if name not in rows.columns}
    gap = "CAST(greatest(1, ceil(median_gap_days) - recency_days) AS INT)"
    worth = f"CASE WHEN recency_days IS NOT NULL THEN {in_cents(order_value)} END"
    due = f"CASE WHEN recency_days <= {_GONE_DAYS} THEN date_add(DATE'{day}', {gap}) END"
    churn = "probability_of_none_90d"
    if stops is not None:
        churn = f"CASE WHEN orders_365d > 0 THEN {rounded(stops)} ELSE {churn} END"
    # who has stopped cannot be about to; a model learns of those who still came, and knows little of others
    churn = f"CASE WHEN recency_days <= {_GONE_DAYS} THEN {churn} END"
    said = rows.withColumns(missing | {"expected_order_value": F.expr(worth)})
    return said.select(
        "customer_id",
        "expected_orders_90d",
        "expected_orders_365d",
        "probability_alive",
        F.expr(churn).alias("churn_probability_90d"),
        "expected_order_value",
        F.expr(in_cents("expected_orders_365d * expected_order_value")).alias("predicted_clv_365d"),
        F.expr(due).alias("next_order_expected_on"),
    )
