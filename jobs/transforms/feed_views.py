"""Views of what customers say and do beside buying, from the optional feeds.

Columns of each are listed in ``jobs.definitions.features.VIEWS``; ``days_ago`` is not negative.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.features.feature import YEAR


def business_date(instant: str, time_zone: str, cut_off_minutes: int) -> str:
    """SQL: the business date of an instant, UTC, in the chain's zone."""
    return f"to_date(from_utc_timestamp({instant}, '{time_zone}') - make_dt_interval(0, 0, {cut_off_minutes}))"


def events(rows: DataFrame, records: DataFrame, on: str, day: str) -> DataFrame:
    """Rows of a feed up to the snapshot, with ``customer_id`` and ``days_ago``; one per row that is somebody's.

    Args:
        rows: a clean table with source and source_customer_id.
        records: source, source_customer_id, customer_id of those who allow profiling.
        on: SQL of a row's business date.
        day: business date of the snapshot.
    """
    owned = rows.withColumn("days_ago", F.expr(f"datediff(DATE'{day}', {on})")).where("days_ago >= 0")
    ids = records.select("source", "source_customer_id", "customer_id")
    return owned.join(ids, ["source", "source_customer_id"])


def devices(sessions: DataFrame) -> DataFrame:
    """One row per customer and device used in 90 days: sessions."""
    recent = sessions.where("days_ago < 90 AND device IS NOT NULL")
    return recent.groupBy("customer_id", "device").agg(F.count("*").alias("sessions"))


def answers(given: DataFrame) -> DataFrame:
    """One row per customer and question answered in 365 days: the answer given last by any of the person's records."""
    last = "min_by(answer, struct(days_ago, -unix_micros(answered_at), source, source_customer_id))"
    recent = given.where(f"days_ago < {YEAR}")
    return recent.groupBy("customer_id", "question").agg(F.expr(last).alias("answer"))


def attributes(said: DataFrame) -> DataFrame:
    """One row per customer and attribute: the value observed last, then of the smallest provider."""
    last = "min_by(value, struct(days_ago, provider, source, source_customer_id))"
    return said.groupBy("customer_id", "name").agg(F.expr(last).alias("value"))
