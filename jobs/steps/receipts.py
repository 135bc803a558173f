"""Receipts by business date: those of the dates that changed are made from the clean tables, the others are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from jobs.definitions import clean
from jobs.steps.context import Context
from jobs.storage.night import Night
from jobs.storage.parquet import read, read_arrow, write, write_arrow
from jobs.transforms import owners, receipts, refunds, touched

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RECEIPTS, BUYERS, LINE_TOTALS = "receipts", "buyers", "line_totals"
#: net revenue of all order lines of a business date, whatever became of their orders
LINE_TOTALS_SCHEMA = pa.schema([("business_date", pa.date32()), ("net_cents", pa.int64())])
_MATCHES = clean.REFUND_MATCHES.name


def refresh(context: Context, base: Night | None, dates: DataFrame) -> list[str]:
    """Bring tonight's receipts and buyers up to date.

    Args:
        context: of a night whose clean tables are complete.
        base: the night whose receipts may be kept; None to make all anew.
        dates: business_date, day_type and is_own_day of every date up to tonight.

    Returns:
        the business dates that were made anew.
    """
    night = context.night
    for table in (RECEIPTS, BUYERS, LINE_TOTALS):
        night.restore(base, "features", table)
    changed = changed_dates(context, base)
    if changed:
        lines = _lines(context, changed)
        rows = receipts.receipts(_of(context, "orders", changed), lines, dates, context.hours)
        write(rows, night, "features", RECEIPTS, partitions=changed, by="business_date", together=True)
        _keep_buyers(context, changed)
        _keep_line_totals(context, lines, changed)
    return changed


def changed_dates(context: Context, base: Night | None) -> list[str]:
    """Business dates up to tonight whose clean facts are not those of the base, and every date after the base's."""
    night, last = context.night, str(context.day)
    if base is None:
        return [ds for ds in night.partitions("clean", "orders") if ds <= last]
    later = {str(base.date + timedelta(days=n + 1)) for n in range((context.day - base.date).days)}
    facts = {ds for table in ("orders", "order_lines") for ds in night.changed_partitions(base, "clean", table)}
    return sorted(ds for ds in facts | later | _restated(context, base) if ds <= last)


def of_dates(spark: SparkSession, night: Night, dates: Sequence[str | date] | None = None) -> DataFrame:
    """Receipts of a night, of some business dates or of all."""
    rows = read_kept(spark, night, RECEIPTS, f"{receipts.DDL}, ds STRING")
    return rows if dates is None else rows.where(F.col("ds").isin(*map(str, dates)))


def buyers(context: Context) -> DataFrame:
    """Every way in which an order of any night named its buyer."""
    return read_kept(context.spark, context.night, BUYERS, owners.BUYERS_DDL)


def read_kept(spark: SparkSession, night: Night, table: str, schema: str) -> DataFrame:
    """A table of the features zone; without rows where it has no file."""
    reader = spark.read.schema(schema)
    folder = str(night.table("features", table))
    return reader.parquet(folder) if night.parts("features", table) else spark.createDataFrame([], schema)


def _of(context: Context, table: str, dates: Sequence[str]) -> DataFrame:
    days = ", ".join(f"'{ds}'" for ds in dates)
    return read(
        context.spark, context.night, "clean", table, clean.table(table), partitioned=True, partitions=f"ds IN ({days})"
    )


def _lines(context: Context, dates: Sequence[str]) -> DataFrame:
    lines = _of(context, "order_lines", dates)
    if not context.night.parts("clean", _MATCHES):
        return lines
    return refunds.restated(
        lines, context.clean(_MATCHES).where(F.col("business_date").isin(*map(date.fromisoformat, dates)))
    )


def _restated(context: Context, base: Night) -> set[str]:
    """Business dates of which a refund is matched now and was not, or was and is not, or with another amount."""
    if not context.night.changed(base, "clean", _MATCHES):
        return set()
    before = read(context.spark, base, "clean", _MATCHES, clean.table(_MATCHES))
    differing = touched.restated(before, context.clean(_MATCHES)).distinct()
    return {str(row["business_date"]) for row in differing.collect()}


def _keep_buyers(context: Context, dates: Sequence[str]) -> None:
    found = owners.buyers(_of(context, "orders", dates))
    if context.night.parts("features", BUYERS):
        found = found.join(buyers(context).select("buyer"), "buyer", "left_anti")
    found = found.withColumn("first_seen_on", F.lit(str(context.day)).cast("date"))
    write(found, context.night, "features", BUYERS, partitions=[str(context.day)], by="first_seen_on")


def _keep_line_totals(context: Context, lines: DataFrame, dates: Sequence[str]) -> None:
    sums = receipts.lines_in_cents(lines).groupBy("business_date").agg(F.sum("net_cents").alias("net_cents"))
    kept = read_arrow(context.night, "features", LINE_TOTALS, LINE_TOTALS_SCHEMA)
    anew = pa.array([date.fromisoformat(ds) for ds in dates], pa.date32())
    kept = kept.filter(pc.invert(pc.is_in(kept["business_date"], anew)))
    rows = pa.concat_tables([kept, sums.toArrow().select(LINE_TOTALS_SCHEMA.names).cast(LINE_TOTALS_SCHEMA)])
    write_arrow(rows, context.night, "features", LINE_TOTALS, sort=["business_date"])
