"""Segments over nights: membership periods, migrations with their causes, sizes."""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.published import OPEN_END, OUTSIDE
from jobs.definitions.segments import NO_CONSENT


def segment_key() -> SparkColumn:
    """``scheme:segment``."""
    return F.concat_ws(":", "scheme", "segment")


def memberships(before: DataFrame, tonight: DataFrame, day: str, rules_version: str) -> DataFrame:
    """Membership periods after tonight: one row per (customer, scheme, valid_from), no gap and no overlap.

    Args:
        before: the table as of the night before; empty on the first.
        tonight: customer_id, scheme, segment, reason.
        day: tonight's business date.
        rules_version: of tonight's rules.
    """
    open_before = before.where("is_current").select(
        "customer_id",
        "scheme",
        F.col("segment").alias("old_segment"),
        F.col("valid_from").alias("old_valid_from"),
    )
    now = tonight.join(open_before, ["customer_id", "scheme"], "left").select(
        "customer_id",
        "scheme",
        "segment",
        segment_key().alias("segment_key"),
        "reason",
        F.lit(rules_version).alias("rule_version"),
        F.expr(f"CASE WHEN old_segment = segment THEN old_valid_from ELSE DATE'{day}' END").alias("valid_from"),
        F.expr(f"DATE'{OPEN_END}'").alias("valid_to"),
        F.lit(True).alias("is_current"),
    )
    going_on = now.select("customer_id", "scheme", "valid_from")
    ended = before.join(going_on, ["customer_id", "scheme", "valid_from"], "left_anti").withColumns(
        {
            "valid_to": F.expr(f"CASE WHEN is_current THEN DATE'{day}' ELSE valid_to END"),
            "is_current": F.lit(False),
        }
    )
    return ended.select(*now.columns).unionByName(now)


def migrations(
    before: DataFrame,
    tonight: DataFrame,
    aliases: DataFrame,
    *,
    previous_day: str,
    rules_changed: bool,
    model_changed: bool,
) -> DataFrame:
    """Who changed segment since the previous snapshot: one row per (scheme, from_segment, to_segment, cause).

    Args:
        before: customer_id, scheme, segment, net_revenue_365d of the previous snapshot.
        tonight: the same of this one.
        aliases: old_customer_id of people whom another id took over tonight.
        previous_day: date of the previous snapshot.
        rules_changed: tonight's rules are others.
        model_changed: tonight's cut points are others.
    """
    old = before.select(
        "customer_id", "scheme", F.col("segment").alias("from_segment"), F.col("net_revenue_365d").alias("old_net")
    )
    new = tonight.select(
        "customer_id", "scheme", F.col("segment").alias("to_segment"), F.col("net_revenue_365d").alias("new_net")
    )
    gone = aliases.select(F.col("old_customer_id").alias("customer_id"), F.lit(True).alias("is_merged"))
    both = old.join(new, ["customer_id", "scheme"], "full").join(gone, "customer_id", "left")
    consent = F.expr(f"(from_segment = '{NO_CONSENT}') != (to_segment = '{NO_CONSENT}')")
    cause = (
        F.when(F.col("from_segment").isNull(), F.lit("joined"))
        .when(F.col("to_segment").isNull() & F.col("is_merged"), F.lit("merged"))
        .when(F.col("to_segment").isNull(), F.lit("left"))
        .when(consent, F.lit("consent"))
        .when(F.lit(rules_changed), F.lit("rules"))
        .when(F.lit(model_changed), F.lit("model"))
        .otherwise(F.lit("moved"))
    )
    moved = both.where("NOT (from_segment <=> to_segment)").withColumn("cause", cause)
    ends = {name: F.coalesce(name, F.lit(OUTSIDE)) for name in ("from_segment", "to_segment")}
    return (
        moved.withColumns(ends)
        .groupBy("scheme", "from_segment", "to_segment", "cause")
        .agg(
            F.count("*").alias("customers"),
            F.sum(F.coalesce("new_net", "old_net", F.lit(0).cast("decimal(18,2)"))).alias("net_revenue_365d"),
        )
        .withColumn("previous_snapshot_date", F.expr(f"DATE'{previous_day}'"))
    )


def trend(before: DataFrame, tonight: DataFrame, day: str) -> DataFrame:
    """Sizes of segments on every night up to this one: one row per (scheme, segment, snapshot_date)."""
    sizes = (
        tonight.groupBy("scheme", "segment")
        .agg(
            F.count("*").alias("customers"),
            F.sum(F.coalesce("net_revenue_365d", F.lit(0).cast("decimal(18,2)"))).alias("net_revenue_365d"),
        )
        .withColumns({"segment_key": segment_key(), "snapshot_date": F.expr(f"DATE'{day}'")})
    )
    earlier = before.where(f"snapshot_date < DATE'{day}'")
    return earlier.select(*sizes.columns).unionByName(sizes)
