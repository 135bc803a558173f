"""What marks a customer for a refresh: an event that segments should not wait a night for."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

#: orders in 365 days from which on somebody has a size of order of their own
_USUAL_ORDERS = 3


def first_orders(features: DataFrame, since: int) -> DataFrame:
    """Customers whose first order is fewer than ``since`` days old: ``customer_id``."""
    return features.where(f"tenure_days < {since}").select("customer_id")


def large_orders(receipts: DataFrame, owners: DataFrame, before: DataFrame, times: float) -> DataFrame:
    """Customers with an order of so many times their own mean: ``customer_id``, once.

    Args:
        receipts: those since the earlier night.
        owners: buyer, customer_id.
        before: customer_features of the earlier night; who had fewer than three orders then has no mean to go by.
        times: how many times.
    """
    usual = before.where(f"orders_365d >= {_USUAL_ORDERS}").select("customer_id", "average_order_value")
    known = receipts.select("buyer", "net_cents").join(owners, "buyer").join(usual, "customer_id")
    return known.where(f"net_cents >= {times} * 100 * average_order_value").select("customer_id").distinct()


def complaints(notes: DataFrame, since: int) -> DataFrame:
    """Customers with a complaint that is fewer than ``since`` days old: ``customer_id``, once.

    Args:
        notes: of feedback: customer_id, days_ago, is_complaint.
        since: days since the earlier night.
    """
    return notes.where(F.col("is_complaint") & (F.col("days_ago") < since)).select("customer_id").distinct()
