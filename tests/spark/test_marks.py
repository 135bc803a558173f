"""What marks a customer: small tables, worked out by hand."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import DataFrame

from jobs.transforms import marks
from tests.spark.conftest import Table


def people(frame: DataFrame) -> list[str]:
    return sorted(row["customer_id"] for row in frame.toArrow().to_pylist())


def test_a_first_order_is_one_since_the_night_before(table: Table) -> None:
    tenure = {"yesterday": 1, "today": 0, "years": 900, "never": None}
    features = table(
        "customer_id STRING, tenure_days INT", [{"customer_id": who, "tenure_days": n} for who, n in tenure.items()]
    )
    assert people(marks.first_orders(features, 1)) == ["today"]
    assert people(marks.first_orders(features, 2)) == ["today", "yesterday"]


def test_an_order_is_large_beside_the_customers_own_mean(table: Table) -> None:
    usual = {"a": (3, "10.00"), "b": (3, "10.00"), "c": (2, "10.00"), "d": (9, "0.00"), "e": (9, "100.00")}
    usual |= {"g": (3, "33.33")}
    before = table(
        "customer_id STRING, orders_365d BIGINT, average_order_value DECIMAL(18,2)",
        [{"customer_id": who, "orders_365d": n, "average_order_value": Decimal(v)} for who, (n, v) in usual.items()],
    )
    owners = table(
        "buyer BIGINT, customer_id STRING", [{"buyer": n, "customer_id": who} for n, who in enumerate("abcdefg")]
    )
    orders = [(0, 3000), (0, 9900), (1, 2999), (2, 99900), (4, 29999), (5, 99900), (6, 9999), (None, 99900)]
    receipts = table("buyer BIGINT, net_cents BIGINT", [{"buyer": buyer, "net_cents": n} for buyer, n in orders])
    # a: three times 10.00 and more, once; b, e: a cent less; c: two orders are no custom; f: new; g: exactly
    assert people(marks.large_orders(receipts, owners, before, 3.0)) == ["a", "g"]
    assert people(marks.large_orders(receipts, owners, before, 2.5)) == ["a", "b", "e", "g"]


def test_a_complaint_is_one_since_the_night_before(table: Table) -> None:
    notes = [("a", 0, True), ("a", 0, True), ("b", 1, True), ("c", 0, False), ("d", 0, None)]
    frame = table(
        "customer_id STRING, days_ago INT, is_complaint BOOLEAN",
        [{"customer_id": who, "days_ago": days, "is_complaint": is_one} for who, days, is_one in notes],
    )
    assert people(marks.complaints(frame, 1)) == ["a"]
    assert people(marks.complaints(frame, 2)) == ["a", "b"]
