"""What a model of churn learns from was known at the date; and it scores as it was fitted."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from jobs.models.churn import INPUTS, Churn
from jobs.transforms.as_of import as_of, stopped
from tests.spark.conftest import Table, rows_of

CUT = date(2026, 4, 1)
DDL = "customer_id STRING, business_date DATE, orders BIGINT, net_revenue DECIMAL(18,2)"


def _days(*rows: tuple[str, int, int, str]) -> list[dict[str, Any]]:
    return [
        {"customer_id": who, "business_date": CUT - timedelta(days=ago), "orders": n, "net_revenue": Decimal(money)}
        for who, ago, n, money in rows
    ]


#: a: two stores on one day, gaps 3, 87, 10, 270; b: one order; c: only later; d: long ago
KNOWN = _days(
    ("a", 0, 1, "10.00"), ("a", 0, 1, "5.00"), ("a", 3, 1, "20.00"), ("a", 90, 2, "30.00"), ("a", 100, 1, "1.00"),
    ("a", 370, 1, "99.00"), ("b", 29, 1, "7.00"), ("d", 365, 1, "8.00"),
)  # fmt: skip
LATER = _days(("a", -90, 3, "500.00"), ("b", -91, 1, "7.00"), ("c", -1, 1, "7.00"))


def test_customers_as_they_were(table: Table) -> None:
    found = rows_of(as_of(table(DDL, KNOWN), str(CUT)), "customer_id")
    names = (
        "recency_days", "tenure_days", "orders_total", "orders_365d", "orders_90d", "orders_30d", "orders_prev_90d",
        "median_gap_days", "average_order_value",
    )  # fmt: skip
    assert {row["customer_id"]: tuple(row[name] for name in names) for row in found} == {
        "a": (0, 370, 7, 6, 3, 3, 3, 48.5, Decimal("11.00")),
        "b": (29, 29, 1, 1, 1, 1, 0, None, Decimal("7.00")),
        "d": (365, 365, 1, 0, 0, 0, 0, None, None),
    }


def test_nothing_after_the_date_is_seen(table: Table) -> None:
    alone, with_more = (rows_of(as_of(table(DDL, rows), str(CUT)), "customer_id") for rows in (KNOWN, KNOWN + LATER))
    assert with_more == alone


def test_who_stopped_is_what_came_after_it_within_the_days(table: Table) -> None:
    found = rows_of(stopped(table(DDL, KNOWN + LATER), str(CUT), 90), "customer_id")
    assert {row["customer_id"]: row["has_stopped"] for row in found} == {"a": 0, "b": 1}


def test_a_customer_is_scored_as_the_formula_says_and_what_is_unknown_counts_as_the_mean(table: Table) -> None:
    weights = [0.0] * len(INPUTS)
    weights[0], weights[6] = 1.5, 2.0
    model = Churn("v", (1.0,) * len(INPUTS), (2.0,) * len(INPUTS), tuple(weights), -0.25)
    features = as_of(table(DDL, KNOWN), str(CUT)).where("customer_id IN ('a', 'b')")
    found = rows_of(features.selectExpr("customer_id", f"{model.sql} AS p"), "customer_id")
    of_a = -0.25 + 1.5 * (math.log(1) - 1) / 2 + 2.0 * (math.log(49.5) - 1) / 2
    of_b = -0.25 + 1.5 * (math.log(30) - 1) / 2
    assert [round(row["p"], 12) for row in found] == [round(1 / (1 + math.exp(-x)), 12) for x in (of_a, of_b)]
