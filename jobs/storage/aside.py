"""Rows set aside: quarantine, in which every row lies in the partition of the night that took it in."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.storage.night import Night
from jobs.storage.parquet import write

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def set_aside(
    spark: SparkSession,
    night: Night,
    base: Night | None,
    table: str,
    rows: DataFrame | None,
    judged_again: Collection[str] | None,
) -> None:
    """Put rows into a table of quarantine, in the place of what the nights that took them in had there.

    Args:
        spark: the session.
        night: an open night.
        base: the night it was started from.
        table: the name.
        rows: what to set aside, with ``_feed`` and ``_landed``; None for nothing.
        judged_again: feeds whose rows of earlier nights were judged too, so that these are set aside by ``rows`` or no
            longer; None where tonight's rows alone were.
    """
    nights = {str(night.date)}
    if judged_again is not None:
        nights |= set(night.partitions("quarantine", table))
        rows = _with_others(spark, base, table, rows, judged_again)
    if rows is None:
        nothing = night.staged(f"none/{table}")
        nothing.mkdir(parents=True, exist_ok=True)
        night.adopt(nothing, "quarantine", table, partitions=nights)
    else:
        marked = rows.withColumn("_held_on", F.col("_landed").cast("string"))
        write(marked, night, "quarantine", table, partitions=nights, by="_held_on")


def kept(spark: SparkSession, base: Night | None, table: str, judged_again: Collection[str] | None) -> DataFrame | None:
    """Rows of a table of quarantine that stay as earlier nights left them; None if there is no table.

    Args:
        spark: the session.
        base: the night that tonight was started from.
        table: the name.
        judged_again: feeds whose rows of earlier nights are judged too, and do not stay; None for no feed.
    """
    if base is None or not base.parts("quarantine", table):
        return None
    rows = spark.read.option("mergeSchema", "true").parquet(str(base.table("quarantine", table))).drop("ds")
    return rows if judged_again is None else rows.where(~F.col("_feed").isin(*sorted(judged_again)))


def _with_others(
    spark: SparkSession, base: Night | None, table: str, rows: DataFrame | None, judged_again: Collection[str]
) -> DataFrame | None:
    """Add what was set aside of feeds that the settings no longer have, which nobody can judge."""
    others = kept(spark, base, table, judged_again)
    if others is None or not others.take(1):
        return rows
    return others if rows is None else rows.unionByName(others, allowMissingColumns=True)
