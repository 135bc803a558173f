"""Views and features over one small history whose every feature was computed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame

from jobs import calendar
from jobs.definitions.features import FEATURES, FROM_RECEIPTS
from jobs.transforms import feed_views
from jobs.transforms.features import aggregated, carried, customer_features
from jobs.transforms.owners import buyer, buyers, owners
from jobs.transforms.receipts import receipts
from jobs.transforms.views import of_feedback, of_people, of_receipts
from tests.spark.conftest import Table, computed_once, rows_of
from tests.spark.history import (
    ANSWERS,
    ATTRIBUTES,
    DAY,
    EXPECTED,
    EXPECTED_OF_D,
    FAIR,
    HOURS,
    LINE_DDL,
    LINES,
    NOTES,
    ORDER_DDL,
    ORDERS,
    PEOPLE,
    PRODUCTS,
    SESSIONS,
    SOCIAL,
    STORES,
)

PEOPLE_DDL = (
    "customer_id STRING, snapshot_date DATE, registered_on DATE, registered_days_ago INT, birth_year INT,"
    " birth_month INT, age_band STRING, household_size STRING, kids_count STRING, marital_status STRING,"
    " education STRING, occupation STRING, declared_lifestyle STRING, declared_interests STRING"
)


def minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


@pytest.fixture(scope="module")
def history(table: Table) -> dict[str, DataFrame]:
    orders = [
        {
            "source": "p", "order_id": name, "source_customer_id": who, "store_id": store, "channel": channel,
            "business_date": DAY - timedelta(days=ago), "local_minutes": minutes(time), "status": "completed", **more,
        }
        for name, (who, ago, store, channel, time, more) in ORDERS.items()
    ]  # fmt: skip
    names = ("quantity", "gross", "discount", "coupon_discount", "refunded", "unit_cost")
    lines = [
        {
            "source": "p", "order_id": order, "product_id": product,
            "business_date": DAY - timedelta(days=ORDERS[order][1]),
            **{n: None if v is None else Decimal(v) for n, v in zip(names, values, strict=True)},
        }
        for order, product, *values in LINES
    ]  # fmt: skip
    dates = calendar.dates(date(2025, 6, 1), DAY + timedelta(days=1), "US", {"fair": [(FAIR, FAIR)]}).to_pylist()
    days = table(
        "business_date DATE, day_type STRING, is_own_day BOOLEAN",
        [{k: d[k] for k in ("business_date", "day_type", "is_own_day")} for d in dates],
    )
    sold = table(ORDER_DDL, orders)
    kept = receipts(sold, table(LINE_DDL, lines), days, HOURS)
    mine = computed_once(
        of_people(kept, buyers(sold).selectExpr("buyer", "source_customer_id AS customer_id"), str(DAY))
    )
    products = [(product, *said) for product, said in PRODUCTS.items()]
    known = tuples(table, "product_id STRING, category STRING, brand STRING, department STRING", products)
    notes = []
    for number, (who, ago, rating, is_complaint, hours, text) in enumerate(NOTES):
        given = datetime(2026, 6, 30, tzinfo=UTC) - timedelta(days=ago)
        answered = None if hours is None else given + timedelta(hours=hours)
        notes.append((who, ago, f"n{number}", given, answered, rating, is_complaint, text))
    ddl = (
        "customer_id STRING, days_ago INT, feedback_id STRING, given_at TIMESTAMP, responded_at TIMESTAMP, rating INT, "
        "is_complaint BOOLEAN, text STRING"
    )
    of_notes = {"feedback": of_feedback(tuples(table, ddl, notes))}
    stores = [(store, *said) for store, said in STORES.items()]
    ddl = "store_id STRING, region STRING, city STRING, city_tier STRING, climate STRING"
    found = of_receipts(mine, known, tuples(table, ddl, stores), HOURS)
    return found | of_notes | of_feeds(table)


@pytest.fixture(scope="module")
def parts(history: dict[str, DataFrame]) -> dict[str, DataFrame]:
    made = {name: rows for name, rows in history.items() if name in FROM_RECEIPTS}
    feeds = {name: {name: rows} for name, rows in history.items() if name not in FROM_RECEIPTS}
    return {name: computed_once(aggregated(views, FEATURES)) for name, views in {"receipts": made, **feeds}.items()}


def tuples(table: Table, ddl: str, rows: Sequence[Sequence[Any]]) -> DataFrame:
    names = [column.split()[0] for column in ddl.split(", ")]
    return table(ddl, [dict(zip(names, row, strict=True)) for row in rows])


def of_feeds(table: Table) -> dict[str, DataFrame]:
    of = "customer_id STRING, days_ago INT"
    sessions = tuples(
        table, f"{of}, minutes DECIMAL(18,4), device STRING, pages INT, favourites INT, abandoned_carts INT",
        [(who, ago, None if minutes is None else Decimal(minutes), *more) for who, ago, minutes, *more in SESSIONS],
    )  # fmt: skip
    by = "source STRING, source_customer_id STRING"
    answers = [(*row, None, "crm", row[0]) for row in ANSWERS]
    attributes = [(*row, "crm", row[0]) for row in ATTRIBUTES]
    return {
        "sessions": sessions,
        "devices": feed_views.devices(sessions),
        "social": tuples(table, f"{of}, kind STRING", SOCIAL),
        "answers": feed_views.answers(
            tuples(table, f"{of}, question STRING, answer STRING, answered_at TIMESTAMP, {by}", answers)
        ),
        "attributes": feed_views.attributes(
            tuples(table, f"{of}, name STRING, provider STRING, value STRING, {by}", attributes)
        ),
    }


@pytest.fixture(scope="module")
def computed(table: Table, parts: dict[str, DataFrame]) -> dict[str, dict[str, Any]]:
    people = table(PEOPLE_DDL, [{**person, "snapshot_date": DAY} for person in PEOPLE])
    found = customer_features(people, list(parts.values()), FEATURES, ())
    return {row["customer_id"]: row for row in rows_of(found, "customer_id")}


@pytest.mark.parametrize("name", [feature.name for feature in FEATURES])
def test_feature(computed: dict[str, dict[str, Any]], name: str) -> None:
    assert name in EXPECTED, f"compute {name} by hand for the customers here"
    assert tuple(computed[who][name] for who in "abc") == EXPECTED[name]


def test_features_of_a_regular_whose_taste_has_changed(computed: dict[str, dict[str, Any]]) -> None:
    assert {name: computed["d"][name] for name in EXPECTED_OF_D} == EXPECTED_OF_D


def test_the_next_anniversary_of_a_registration(table: Table) -> None:
    expected = [
        (date(2024, 2, 29), date(2026, 2, 28), 0),
        (date(2024, 2, 29), date(2027, 3, 1), 365),  # 2028 has that day again
        (date(2026, 6, 30), date(2026, 6, 30), 365),
        (date(2025, 6, 30), date(2026, 6, 30), 0),
        (date(2025, 7, 1), date(2026, 6, 30), 1),
        (date(2026, 7, 1), date(2026, 6, 30), None),
    ]
    people = [{"registered_on": registered, "snapshot_date": day} for registered, day, _ in expected]
    sql = next(feature.sql for feature in FEATURES if feature.name == "days_to_anniversary")
    found = table("registered_on DATE, snapshot_date DATE", people).selectExpr("*", f"{sql} AS days")
    assert [(row["registered_on"], row["snapshot_date"], row["days"]) for row in rows_of(found)] == expected


def test_features_of_an_absent_feed_are_null(table: Table, parts: dict[str, DataFrame]) -> None:
    chosen = [f for f in FEATURES if f.name in ("average_rating", "complaint_count", "sessions_30d", "median_gap_days")]
    people = table(PEOPLE_DDL, [{"customer_id": "a"}])
    found = rows_of(customer_features(people, [parts["receipts"]], chosen, {"feedback", "sessions"}))
    assert found == [
        {"customer_id": "a", "median_gap_days": 14.5, "average_rating": None, "complaint_count": None,
         "sessions_30d": None}
    ]  # fmt: skip


def test_events_are_somebodys_and_of_a_business_date(table: Table) -> None:
    # Shanghai is eight hours ahead and its day begins at 02:00: the business day of 30 June ends at 18:00 UTC
    rows = [
        ("crm", "1", "last second", datetime(2026, 6, 30, 17, 59, 59, tzinfo=UTC)),
        ("crm", "1", "tomorrow", datetime(2026, 6, 30, 18, tzinfo=UTC)),
        ("crm", "1", "first second", datetime(2026, 6, 29, 18, tzinfo=UTC)),
        ("crm", "1", "the day before", datetime(2026, 6, 29, 17, 59, 59, tzinfo=UTC)),
        ("crm", "2", "not profiled", datetime(2026, 6, 30, 12, tzinfo=UTC)),
        ("web", "1", "of another source", datetime(2026, 6, 30, 12, tzinfo=UTC)),
        ("crm", None, "nobody", datetime(2026, 6, 30, 12, tzinfo=UTC)),
    ]
    given = tuples(table, "source STRING, source_customer_id STRING, what STRING, at TIMESTAMP", rows)
    records = tuples(table, "source STRING, source_customer_id STRING, customer_id STRING", [("crm", "1", "a")])
    found = feed_views.events(given, records, feed_views.business_date("at", "Asia/Shanghai", 120), str(DAY))
    assert {row["what"]: (row["customer_id"], row["days_ago"]) for row in rows_of(found)} == {
        "last second": ("a", 0), "first second": ("a", 0), "the day before": ("a", 1),
    }  # fmt: skip


def test_of_answers_of_one_day_the_later_counts(table: Table) -> None:
    rows = [
        ("a", 3, "satisfaction", "5", datetime(2026, 6, 27, 9, tzinfo=UTC), "crm", "1"),
        ("a", 3, "satisfaction", "2", datetime(2026, 6, 27, 10, tzinfo=UTC), "crm", "2"),
    ]
    ddl = "customer_id STRING, days_ago INT, question STRING, answer STRING, answered_at TIMESTAMP"
    given = tuples(table, f"{ddl}, source STRING, source_customer_id STRING", rows)
    assert [row["answer"] for row in rows_of(feed_views.answers(given))] == ["2"]


def test_gaps_and_orders_that_count(history: dict[str, DataFrame]) -> None:
    found = history
    assert {row["order_id"] for row in rows_of(found["orders"])} == set(ORDERS) - {"o8", "o9", "o13"}
    gaps = [(row["days_ago"], row["gap_days"]) for row in rows_of(found["gaps"]) if row["customer_id"] == "a"]
    dates = [(0, 3), (3, 26), (29, 60), (89, 1), (90, 89), (179, 1), (180, 184), (364, 1), (365, None)]
    assert sorted(gaps) == dates
    costs = {row["order_id"]: row["cost_cents"] for row in rows_of(found["orders"])}
    assert (costs["o1"], costs["o7"], costs["b2"]) == (1400, None, None)


def test_orders_belong_to_the_first_that_leads_to_somebody(table: Table) -> None:
    orders = table(
        ORDER_DDL,
        [
            {"order_id": "by id", "source": "web", "source_customer_id": "7", "loyalty_card_hash": "h1"},
            {"order_id": "by card", "source": "pos", "loyalty_card_hash": "h1", "email_hash": "h2"},
            {"order_id": "by e-mail", "source": "pos", "loyalty_card_hash": "unknown", "email_hash": "h2"},
            {"order_id": "id of another source", "source": "pos", "source_customer_id": "7"},
            {"order_id": "hash of another kind", "source": "pos", "loyalty_card_hash": "h2"},
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
            {"name": "loyalty_card_hash", "hash": "h1", "customer_id": "carl"},
            {"name": "email_hash", "hash": "h2", "customer_id": "emma"},
        ],
    )
    known = owners(buyers(orders), records, identifiers)
    found = orders.withColumn("buyer", buyer()).join(known, "buyer", "left")
    assert {row["order_id"]: row["customer_id"] for row in rows_of(found)} == {
        "by id": "seven", "by card": "carl", "by e-mail": "emma", "id of another source": None,
        "hash of another kind": None, "nobody": None,
    }  # fmt: skip


def test_whoever_was_not_touched_is_only_older(table: Table, computed: dict[str, dict[str, Any]]) -> None:
    ddl = "customer_id STRING, " + ", ".join(f"{f.name} {f.type}" for f in FEATURES)
    before = table(ddl, [{"customer_id": who, **computed[who]} for who in "abc"])
    found = rows_of(carried(before, table("customer_id STRING", [{"customer_id": "a"}]), FEATURES, 3))
    assert [row["customer_id"] for row in found] == ["b"], "a was touched, and c has no receipt to keep"
    aged = {"recency_days": 103, "tenure_days": 103}
    assert found[0] == {name: aged.get(name, computed["b"][name]) for name in found[0]}
    assert len(found[0]) > 20
