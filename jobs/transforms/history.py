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


def memberships(before: DataFrame, tonight: DataFrame, day: str) -> DataFrame:
    """Membership periods after tonight: one row per (customer, scheme, valid_from), no gap and no overlap.

    Args:
        before: the table as of the night before; empty on the first.
        tonight: customer_id, scheme, segment, reason, rule_version.
        day: tonight's business date.
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
        "rule_version",
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
    between: DataFrame,
    events: DataFrame,
    corrected: DataFrame,
    previous_day: str,
) -> DataFrame:
    """Who changed segment since the previous snapshot: one row per (scheme, from_segment, to_segment, cause).

    Where rules or a model changed, the way from one night to the other has two parts: what tonight's rules would have
    made of the earlier night's customers, and what became of them since. So the customers' own movement stands apart.

    Args:
        before: customer_id, scheme, segment, net_revenue_365d of the previous snapshot.
        tonight: the same of this one.
        between: customer_id, scheme, segment and rule_cause (rules or model) of everyone in the previous snapshot, as
            tonight's rules would have put them; of the schemes whose rules or model changed.
        events: customer_id of everyone whom a merge or a split touched tonight, and which of the two; a row each.
        corrected: customer_id of everyone of whose past something else is known than the previous snapshot knew.
        previous_day: date of the previous snapshot.
    """
    key = ["customer_id", "scheme"]
    old = before.select(*key, F.col("segment").alias("was"), F.col("net_revenue_365d").alias("old_net"))
    new = tonight.select(*key, F.col("segment").alias("now"), F.col("net_revenue_365d").alias("new_net"))
    ruled = between.select(*key, F.col("segment").alias("ruled"), "rule_cause")
    happened = events.select("customer_id", "event")
    restated = corrected.select("customer_id", F.lit(True).alias("is_corrected"))
    all_three = old.join(ruled, key, "full").join(new, key, "full")
    all_three = all_three.join(happened, "customer_id", "left").join(restated, "customer_id", "left")
    all_three = all_three.withColumns(
        {
            "middle": F.coalesce("ruled", "was"),
            "net": F.coalesce("new_net", "old_net", F.lit(0).cast("decimal(18,2)")),
        }
    )
    by_rules = _step(all_three.where("ruled IS NOT NULL"), "was", "ruled", F.col("rule_cause"))
    own = _step(all_three, "middle", "now", _own_cause())
    return (
        by_rules.unionByName(own)
        .groupBy("scheme", "from_segment", "to_segment", "cause")
        .agg(F.count("*").alias("customers"), F.sum("net").alias("net_revenue_365d"))
        .withColumn("previous_snapshot_date", F.expr(f"DATE'{previous_day}'"))
    )


def _step(rows: DataFrame, start: str, end: str, cause: SparkColumn) -> DataFrame:
    """Those who are elsewhere at the end than at the start."""
    return rows.where(f"NOT ({start} <=> {end})").select(
        "scheme",
        F.coalesce(start, F.lit(OUTSIDE)).alias("from_segment"),
        F.coalesce(end, F.lit(OUTSIDE)).alias("to_segment"),
        cause.alias("cause"),
        "net",
    )


def _own_cause() -> SparkColumn:
    """Why somebody goes from ``middle`` to ``now``."""
    return (
        F.when(F.col("middle").isNull(), F.coalesce("event", F.lit("joined")))
        .when(F.col("now").isNull(), F.coalesce("event", F.lit("left")))
        .when(F.expr(f"(middle = '{NO_CONSENT}') != (now = '{NO_CONSENT}')"), F.lit("consent"))
        .otherwise(F.coalesce("event", F.expr("CASE WHEN is_corrected THEN 'correction' ELSE 'moved' END")))
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
