"""Segments over nights: membership periods, migrations with their causes, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.published import OPEN_END, OUTSIDE
from jobs.definitions.segments import NO_CONSENT, Scheme


def segment_key() -> SparkColumn:
    """``scheme:segment``."""
    return F.concat_ws(":", "scheme", "segment")


def standing(before: DataFrame, schemes: Sequence[Scheme]) -> DataFrame:
    """Where everybody is since when: one row per customer, ``<scheme>_was`` and ``<scheme>_since`` of each scheme.

    Args:
        before: segment_memberships as of the night before; empty on the first.
        schemes: those to tell of.
    """
    of_scheme = "max(CASE WHEN scheme = '{}' THEN {} END)"
    told = [
        F.expr(of_scheme.format(scheme.name, value)).alias(f"{scheme.name}_{name}")
        for scheme in schemes
        for name, value in (("was", "segment"), ("since", "valid_from"))
    ]
    return before.where("is_current").groupBy("customer_id").agg(*told)


def periods(stood: DataFrame, assigned: DataFrame, schemes: Sequence[Scheme]) -> DataFrame:
    """One row per (customer, scheme) of then or now: where it was since when, where it is, reason, rule_version.

    Args:
        stood: :func:`standing`.
        assigned: of every known person the code and ``<scheme>_reason`` of each scheme.
        schemes: those to tell of.
    """
    of_each = ", ".join(
        f"'{s.name}', {s.column}, {s.name}_reason, '{s.version}', {s.name}_was, {s.name}_since" for s in schemes
    )
    names = "scheme, segment, reason, rule_version, was, since"
    codes = assigned.select("customer_id", *(name for s in schemes for name in (s.column, f"{s.name}_reason")))
    both = stood.join(codes, "customer_id", "full")
    return both.selectExpr("customer_id", f"stack({len(schemes)}, {of_each}) AS ({names})")


def elsewhere(found: DataFrame) -> DataFrame:
    """Who is no more where it was: customer_id, scheme of :func:`periods`."""
    return found.where("was IS NOT NULL AND NOT (was <=> segment)").select("customer_id", "scheme")


def memberships(
    before: DataFrame, found: DataFrame, moved: DataFrame, schemes: Sequence[Scheme], day: str
) -> DataFrame:
    """Membership periods after tonight: one row per (customer, scheme, valid_from), no gap and no overlap.

    Args:
        before: the table as of the night before; empty on the first.
        found: :func:`periods`.
        moved: :func:`elsewhere`, few in most nights.
        schemes: those that there are; a period of any other ends.
        day: tonight's business date.
    """
    now = found.where("segment IS NOT NULL").select(
        "customer_id",
        "scheme",
        "segment",
        segment_key().alias("segment_key"),
        "reason",
        "rule_version",
        F.expr(f"CASE WHEN was = segment THEN since ELSE DATE'{day}' END").alias("valid_from"),
        F.expr(f"DATE'{OPEN_END}'").alias("valid_to"),
        F.lit(True).alias("is_current"),
    )
    known = F.col("scheme").isin([scheme.name for scheme in schemes])
    current = before.where("is_current")
    ends = current.where(known).join(moved, ["customer_id", "scheme"], "left_semi").unionByName(current.where(~known))
    # what began tonight and ends tonight, where a date is run on top of itself, was no period
    ended = ends.where(f"valid_from < DATE'{day}'").withColumns(
        {"valid_to": F.expr(f"DATE'{day}'"), "is_current": F.lit(False)}
    )
    past = before.where("NOT is_current").select(*now.columns)
    return past.unionByName(ended.select(*now.columns)).unionByName(now)


def migrations(
    before: DataFrame,
    tonight: DataFrame,
    between: DataFrame | None,
    events: DataFrame,
    corrected: DataFrame,
    schemes: Sequence[Scheme],
    changed: Mapping[str, str],
    previous_day: str,
) -> DataFrame:
    """Who changed segment since the previous snapshot: one row per (scheme, from_segment, to_segment, cause).

    Where rules or a model changed, the way from one night to the other has two parts: what tonight's rules would have
    made of the earlier night's customers, and what became of them since. So the customers' own movement stands apart.

    Args:
        before: customer_id, the schemes' columns and net_revenue_365d of the previous snapshot.
        tonight: the same of this one.
        between: customer_id and the columns of ``changed`` of everyone in the previous snapshot, as tonight's rules
            would have put them; None where nothing changed.
        events: customer_id of everyone whom a merge or a split touched tonight, and which of the two; a row each.
        corrected: customer_id of everyone of whose past something else is known than the previous snapshot knew.
        schemes: those to tell of.
        changed: schemes whose rules or model changed -> rules or model.
        previous_day: date of the previous snapshot.
    """
    old, new = (
        rows.select(
            "customer_id",
            F.col("net_revenue_365d").alias(f"net_{state}"),
            *(F.col(scheme.column).alias(f"{scheme.name}_{state}") for scheme in schemes),
        )
        for state, rows in (("was", before), ("now", tonight))
    )
    everyone = old.join(new, "customer_id", "full")
    if between is not None:
        ruled = [F.col(scheme.column).alias(f"{scheme.name}_ruled") for scheme in schemes if scheme.name in changed]
        everyone = everyone.join(between.select("customer_id", *ruled), "customer_id", "left")
    restated = corrected.select("customer_id", F.lit(True).alias("is_corrected"))
    everyone = everyone.join(events.select("customer_id", "event"), "customer_id", "left")
    everyone = everyone.join(restated, "customer_id", "left")
    of_each = ", ".join(_states(scheme, changed.get(scheme.name)) for scheme in schemes)
    long = everyone.selectExpr(
        "coalesce(net_now, net_was, CAST(0 AS DECIMAL(18,2))) AS net", "event", "is_corrected",
        f"stack({len(schemes)}, {of_each}) AS (scheme, was, middle, now, rule_cause)",
    ).where("NOT (was <=> middle AND middle <=> now)")  # fmt: skip
    parts = "stack(2, was, middle, rule_cause, middle, now, own_cause) AS (start, stop, cause)"
    return (
        long.withColumn("own_cause", _own_cause())
        .selectExpr("scheme", "net", parts)
        .where("NOT (start <=> stop)")
        .groupBy(
            "scheme",
            F.coalesce("start", F.lit(OUTSIDE)).alias("from_segment"),
            F.coalesce("stop", F.lit(OUTSIDE)).alias("to_segment"),
            "cause",
        )
        .agg(F.count("*").alias("customers"), F.sum("net").alias("net_revenue_365d"))
        .withColumn("previous_snapshot_date", F.expr(f"DATE'{previous_day}'"))
    )


def _states(scheme: Scheme, cause: str | None) -> str:
    """A scheme, where somebody was, would be by tonight's rules, and is; why by those rules."""
    was, ruled, now = (f"{scheme.name}_{state}" for state in ("was", "ruled", "now"))
    middle, why = (f"coalesce({ruled}, {was})", f"'{cause}'") if cause else (was, "CAST(NULL AS STRING)")
    return f"'{scheme.name}', {was}, {middle}, {now}, {why}"


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
