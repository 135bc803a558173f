"""Views and features over one small history whose every feature was computed by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame

from jobs import calendar
from jobs.definitions.features import FEATURES
from jobs.transforms.features import customer_features
from jobs.transforms.views import attributed, completed_orders, order_lines_with_net, order_totals, purchases, views
from tests.spark.conftest import Table, computed_once, rows_of

DAY = date(2026, 6, 30)
HOURS = {"breakfast": 5, "lunch": 11, "afternoon": 14, "evening": 17, "late_night": 21}
ORDER_DDL = (
    "source STRING, order_id STRING, customer_id STRING, store_id STRING, channel STRING, fulfilment STRING,"
    " status STRING, party_size INT, coupon_id STRING, business_date DATE, local_minutes INT"
)
LINE_DDL = (
    "source STRING, order_id STRING, product_id STRING, quantity DECIMAL(18,4), gross DECIMAL(18,2),"
    " discount DECIMAL(18,2), coupon_discount DECIMAL(18,2), refunded DECIMAL(18,2), unit_cost DECIMAL(18,2)"
)

#: order: customer, days ago, store, channel, local time, and what differs from a plain completed order
ORDERS: dict[str, tuple[str, int, str, str, str, dict[str, Any]]] = {
    "o1": ("a", 0, "s1", "store", "12:30", {"party_size": 2}),  # Tuesday
    "o2": ("a", 3, "s2", "app", "19:00", {}),  # Saturday
    "o3": ("a", 3, "s2", "web", "23:00", {"party_size": 5}),
    "o4": ("a", 90, "s1", "marketplace", "06:00", {"coupon_id": "k"}),
    "o5": ("a", 180, "s1", "store", "12:00", {}),  # New Year's Day
    "o6": ("a", 364, "s3", "phone", "11:00", {}),  # Tuesday, the first minute of lunch
    "o7": ("a", 365, "s3", "store", "12:00", {"party_size": 9}),  # a day too old
    "o8": ("a", 1, "s3", "store", "12:00", {}),  # paid back whole
    "o9": ("a", 2, "s3", "store", "12:00", {"status": "cancelled"}),
    "o10": ("a", 29, "s2", "store", "15:00", {}),
    "o11": ("a", 89, "s1", "store", "17:00", {}),  # the first minute of the evening
    "o12": ("a", 179, "s1", "store", "02:00", {}),  # still the night
    "o13": ("a", -1, "s3", "store", "12:00", {}),  # tomorrow
    "b1": ("b", 100, "s9", "store", "18:00", {}),
    "b2": ("b", 100, "s8", "store", "22:00", {}),
}
#: order, product, quantity, gross, discount, coupon discount, refunded, unit cost
LINES = [
    ("o1", "p1", "2", "30.00", "3.00", "0.00", "0.00", "5.00"),
    ("o1", "p2", "1", "10.00", "0.00", "1.00", "0.00", "4.00"),
    ("o2", "p1", "1", "15.00", "0.00", "0.00", "0.00", "5.00"),
    ("o3", "p3", "1", "20.00", "0.00", "0.00", "5.00", "8.00"),
    ("o4", "p2", "1", "12.00", "0.00", "0.00", "0.00", "4.00"),
    ("o5", "p1", "1", "16.00", "0.00", "0.00", "0.00", "5.00"),
    ("o6", "p1", "1", "14.00", "0.00", "0.00", "0.00", "5.00"),
    ("o7", "p3", "1", "99.00", "0.00", "0.00", "0.00", None),
    ("o8", "p3", "1", "10.00", "0.00", "0.00", "10.00", "8.00"),
    ("o9", "p3", "1", "50.00", "0.00", "0.00", "0.00", "8.00"),
    ("o10", "p2", "1", "8.00", "0.00", "0.00", "0.00", "4.00"),
    ("o11", "p1", "1", "15.00", "0.00", "0.00", "0.00", "5.00"),
    ("o12", "p2", "1", "8.00", "0.00", "0.00", "0.00", "4.00"),
    ("o13", "p2", "1", "70.00", "0.00", "0.00", "0.00", "4.00"),
    ("b1", "p5", "1", "5.00", "0.00", "0.00", "0.00", "2.00"),
    ("b2", "p4", "1", "5.00", "0.00", "0.00", "0.00", None),
    ("b2", "p5", "0", "0.01", "0.00", "0.00", "0.01", "2.00"),
]
PRODUCTS = {
    "p1": ("mains", "x"),
    "p2": ("drinks", "y"),
    "p3": (None, None),
    "p4": ("mains", "x"),
    "p5": ("drinks", "y"),
}
#: customer, days ago, rating, complaint
NOTES = [("a", 10, 4, False), ("a", 364, 1, True), ("a", 365, 5, True), ("a", -1, 5, True), ("a", 20, None, None)]

#: feature -> values of a (a regular), b (ties and gaps), c (registered 12 days ago, no order)
EXPECTED: dict[str, tuple[Any, Any, Any]] = {
    "recency_days": (0, 100, None),
    "orders_365d": (9, 2, 0),
    # 36 + 15 + 15 + 12 + 16 + 14 + 8 + 15 + 8
    "net_revenue_365d": (Decimal("139.00"), Decimal("10.00"), Decimal("0.00")),
    # costs 14 + 5 + 8 + 4 + 5 + 5 + 4 + 5 + 4 = 54; b bought something without a cost
    "gross_margin_365d": (Decimal("85.00"), None, None),
    "average_order_value": (Decimal("15.44"), Decimal("5.00"), None),
    "tenure_days": (365, 100, 12),
    "orders_30d": (4, 0, 0),
    "orders_90d": (5, 0, 0),
    "orders_prev_90d": (2, 2, 0),
    "orders_total": (10, 2, 0),
    "frequency_trend": (0.428571, -1.0, None),
    # dates 0 3 29 89 90 179 180 364 365, gaps 3 26 60 1 89 1 184 1
    "median_gap_days": (14.5, None, None),
    "comeback_gap_days": (60, None, None),
    "online_share": (0.333333, 0.0, None),
    "weekday_lunch_share": (0.222222, 0.0, None),
    "weekend_share": (0.222222, 1.0, None),  # 100 days ago was a Sunday
    "evening_share": (0.222222, 0.5, None),
    "late_night_share": (0.222222, 0.5, None),
    "holiday_share": (0.111111, 0.0, None),
    "preferred_daypart": ("lunch", "late_night", None),  # b: the later of two
    "average_party_size": (3.5, None, None),
    "discount_share": (0.027027, 0.0, None),  # 4 of 148
    "coupon_order_share": (0.222222, 0.0, None),
    "refund_share": (0.033784, 0.000999, None),  # 5 of 148; 0.01 of 10.01
    "distinct_categories": (2, 2, 0),
    "top_category": ("mains", "drinks", None),  # b: 5.00 each, the smaller name
    "top_category_share": (0.625899, 0.5, None),  # 87 of 139
    "top_product_id": ("p1", "p4", None),
    "top_brand_share": (0.625899, 0.5, None),
    "home_store_id": ("s1", "s8", None),
    "average_rating": (2.5, None, None),
    "complaint_count": (1, 0, 0),
    "last_visit_days": (None, None, None),  # no feed
    "sessions_30d": (None, None, None),
}


def minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


@pytest.fixture(scope="module")
def history(table: Table) -> dict[str, DataFrame]:
    orders = [
        {
            "source": "p", "order_id": name, "customer_id": who, "store_id": store, "channel": channel,
            "business_date": DAY - timedelta(days=ago), "local_minutes": minutes(time), "status": "completed", **more,
        }
        for name, (who, ago, store, channel, time, more) in ORDERS.items()
    ]  # fmt: skip
    names = ("quantity", "gross", "discount", "coupon_discount", "refunded", "unit_cost")
    lines = [
        {
            "source": "p", "order_id": order, "product_id": product,
            **{n: None if v is None else Decimal(v) for n, v in zip(names, values, strict=True)},
        }
        for order, product, *values in LINES
    ]  # fmt: skip
    dates = calendar.dates(date(2025, 6, 1), DAY, "US").to_pylist()
    with_net = order_lines_with_net(table(LINE_DDL, lines))
    days = table(
        "business_date DATE, day_type STRING", [{k: d[k] for k in ("business_date", "day_type")} for d in dates]
    )
    done = computed_once(completed_orders(table(ORDER_DDL, orders), order_totals(with_net), days, HOURS, str(DAY)))
    products = [{"product_id": p, "category": c, "brand": b} for p, (c, b) in PRODUCTS.items()]
    bought = computed_once(
        purchases(with_net, done, table("product_id STRING, category STRING, brand STRING", products))
    )
    notes = table(
        "customer_id STRING, days_ago INT, rating INT, is_complaint BOOLEAN",
        [{"customer_id": w, "days_ago": d, "rating": r, "is_complaint": c} for w, d, r, c in NOTES],
    )
    return views(done, bought, notes, HOURS)


@pytest.fixture(scope="module")
def computed(table: Table, history: dict[str, DataFrame]) -> dict[str, dict[str, Any]]:
    people = table(
        "customer_id STRING, registered_days_ago INT",
        [
            {"customer_id": "a", "registered_days_ago": 9},
            {"customer_id": "b"},
            {"customer_id": "c", "registered_days_ago": 12},
        ],
    )
    found = customer_features(people, history, FEATURES, frozenset())
    return {row["customer_id"]: row for row in rows_of(found, "customer_id")}


@pytest.mark.parametrize("name", [feature.name for feature in FEATURES])
def test_feature(computed: dict[str, dict[str, Any]], name: str) -> None:
    assert name in EXPECTED, f"compute {name} by hand for the customers here"
    assert tuple(computed[who][name] for who in "abc") == EXPECTED[name]


def test_expectations_are_of_features_that_exist() -> None:
    assert set(EXPECTED) == {feature.name for feature in FEATURES}


def test_features_of_an_absent_feed_are_null(table: Table, history: dict[str, DataFrame]) -> None:
    people = table("customer_id STRING, registered_days_ago INT", [{"customer_id": "a"}])
    found = rows_of(customer_features(people, history, FEATURES, frozenset({"feedback"})))
    assert [(row["average_rating"], row["complaint_count"], row["median_gap_days"]) for row in found] == [
        (None, None, 14.5)
    ]


def test_gaps_and_orders_that_count(history: dict[str, DataFrame]) -> None:
    found = history
    assert {row["order_id"] for row in rows_of(found["orders"])} == set(ORDERS) - {"o8", "o9", "o13"}
    gaps = [(row["days_ago"], row["gap_days"]) for row in rows_of(found["gaps"])]
    assert sorted(gaps) == [(0, 3), (3, 26), (29, 60), (89, 1), (90, 89), (179, 1), (180, 184), (364, 1)]
    costs = {row["order_id"]: row["cost_cents"] for row in rows_of(found["orders"])}
    assert (costs["o1"], costs["o7"], costs["b2"]) == (1400, None, None)


def test_orders_belong_to_the_first_that_leads_to_somebody(table: Table) -> None:
    orders = table(
        "order_id STRING, source STRING, source_customer_id STRING, card STRING, email STRING",
        [
            {"order_id": "by id", "source": "web", "source_customer_id": "7", "card": "h1"},
            {"order_id": "by card", "source": "pos", "card": "h1", "email": "h2"},
            {"order_id": "by e-mail", "source": "pos", "card": "unknown", "email": "h2"},
            {"order_id": "id of another source", "source": "pos", "source_customer_id": "7"},
            {"order_id": "hash of another kind", "source": "pos", "card": "h2"},
            {"order_id": "nobody", "source": "pos"},
        ],
    )
    records = table(
        "source STRING, source_customer_id STRING, customer_id STRING",
        [{"source": "web", "source_customer_id": "7", "customer_id": "seven"}],
    )
    identifiers = table(
        "name STRING, hash STRING, customer_id STRING",
        [
            {"name": "card", "hash": "h1", "customer_id": "carl"},
            {"name": "email", "hash": "h2", "customer_id": "emma"},
        ],
    )
    found = attributed(orders, records, identifiers, ("card", "email"))
    assert {row["order_id"]: row["customer_id"] for row in rows_of(found)} == {
        "by id": "seven", "by card": "carl", "by e-mail": "emma", "id of another source": None,
        "hash of another kind": None, "nobody": None,
    }  # fmt: skip
