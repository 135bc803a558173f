"""The generated chain's features from its optional feeds, recomputed from the CRM's tables in SQL of another engine."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import duckdb
import pyarrow as pa
import pytest

from jobs.storage.night import Night
from tests.e2e.conftest import NIGHTS, Chain

TABLES = ("members", "web_sessions", "social_events", "survey_answers", "customer_attributes")
#: Shanghai is eight hours ahead of UTC and its business day begins at 02:00
ARITHMETIC = """
CREATE MACRO ago(instant) AS DATE '2026-06-30' - (instant::TIMESTAMP + INTERVAL 6 HOUR)::DATE;
CREATE TABLE whose AS
    SELECT customer_id, source_customer_id::BIGINT AS member_id FROM crosswalk
    WHERE source = 'crm' AND valid_to = DATE '9999-12-31';
CREATE TABLE visit AS
    SELECT customer_id, ago(started_at) AS ago, minutes::DECIMAL(18, 4) AS minutes, device, pages, favourites,
        abandoned_carts
    FROM web_sessions JOIN whose USING (member_id) WHERE ago(started_at) >= 0;
CREATE TABLE of_visits AS
    SELECT customer_id, min(ago) AS last_visit_days, count(*) FILTER (WHERE ago <= 29) AS sessions_30d,
        sum(minutes) FILTER (WHERE ago <= 29) AS minutes_30d, sum(pages) FILTER (WHERE ago <= 29) AS pages_30d,
        sum(favourites) FILTER (WHERE ago <= 89) AS favourites_90d,
        sum(abandoned_carts) FILTER (WHERE ago <= 89) AS abandoned_carts_90d
    FROM visit GROUP BY ALL;
CREATE TABLE of_devices AS
    SELECT DISTINCT ON (customer_id) customer_id, device AS preferred_device
    FROM (SELECT customer_id, device, count(*) AS n FROM visit WHERE ago <= 89 GROUP BY ALL)
    ORDER BY customer_id, n DESC, device;
CREATE TABLE of_events AS
    SELECT customer_id, count(*) FILTER (WHERE kind = 'referral' AND ago(occurred_at) <= 364) AS referrals_365d,
        count(*) FILTER (WHERE ago(occurred_at) <= 89) AS social_events_90d
    FROM social_events JOIN whose USING (member_id) WHERE ago(occurred_at) >= 0 GROUP BY ALL;
CREATE TABLE of_answers AS
    SELECT customer_id, count(*) AS questions_answered,
        max(answer) FILTER (WHERE question = 'satisfaction')::INTEGER AS survey_satisfaction
    FROM survey_answers JOIN whose USING (member_id) WHERE ago(answered_at) BETWEEN 0 AND 364 GROUP BY ALL;
CREATE TABLE of_panel AS
    SELECT customer_id, count(*) AS known_attributes, max(value) FILTER (WHERE name = 'interest') AS attributed_interest
    FROM customer_attributes JOIN whose USING (member_id) WHERE observed_on::DATE <= DATE '2026-06-30' GROUP BY ALL;
CREATE TABLE expected AS
    SELECT customer_id, last_visit_days, coalesce(sessions_30d, 0) AS sessions_30d,
        coalesce(minutes_30d, 0) AS minutes_30d, coalesce(pages_30d, 0) AS pages_30d,
        coalesce(favourites_90d, 0) AS favourites_90d, coalesce(abandoned_carts_90d, 0) AS abandoned_carts_90d,
        preferred_device, coalesce(referrals_365d, 0) AS referrals_365d,
        coalesce(social_events_90d, 0) AS social_events_90d, survey_satisfaction,
        coalesce(questions_answered, 0) AS questions_answered, coalesce(known_attributes, 0) AS known_attributes,
        attributed_interest
    FROM (SELECT customer_id FROM published)
    LEFT JOIN of_visits USING (customer_id) LEFT JOIN of_devices USING (customer_id)
    LEFT JOIN of_events USING (customer_id) LEFT JOIN of_answers USING (customer_id)
    LEFT JOIN of_panel USING (customer_id)
"""
FEATURES = (
    "last_visit_days", "sessions_30d", "minutes_30d", "pages_30d", "favourites_90d", "abandoned_carts_90d",
    "preferred_device", "referrals_365d", "social_events_90d", "survey_satisfaction", "questions_answered",
    "known_attributes", "attributed_interest",
)  # fmt: skip


def files(night: Night, table: str) -> str:
    return f"read_parquet({[str(part) for part in night.parts('published', table)]})"


@pytest.fixture(scope="module")
def computed(plain: Chain) -> Iterator[duckdb.DuckDBPyConnection]:
    """Tables ``published`` and ``expected``, one row per customer who allows profiling."""
    night = plain.night(NIGHTS[-1])
    with duckdb.connect() as connection, closing(sqlite3.connect(plain.sample / "crm.sqlite")) as crm:
        for table in TABLES:
            rows = crm.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in rows.description]
            connection.register(table, pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows]))
        for name, table in (("published", "customer_features"), ("crosswalk", "restricted/customer_crosswalk")):
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM {files(night, table)}")
        connection.execute(ARITHMETIC)
        yield connection


@pytest.mark.parametrize("name", FEATURES)
def test_feature(computed: duckdb.DuckDBPyConnection, name: str) -> None:
    compared = computed.execute(
        f"SELECT count(*), count(DISTINCT expected.{name}),"
        f" count(*) FILTER (WHERE expected.{name} IS DISTINCT FROM published.{name})"
        " FROM expected JOIN published USING (customer_id)"
    ).fetchone()
    assert compared is not None
    people, values, differing = compared
    assert people > 200
    assert values > 1, "nothing to tell apart"
    assert differing == 0
