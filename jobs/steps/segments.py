"""Features -> scores, segments, memberships, migrations, sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.definitions import published as p
from jobs.definitions.model import ddl
from jobs.definitions.segments import SCHEMES, rules_version
from jobs.models import rfm
from jobs.steps.context import Context
from jobs.steps.publishing import publish, published
from jobs.storage import files
from jobs.storage.parquet import read_staged, write_staged
from jobs.transforms import history, segments

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MODEL = "rfm"


def run(context: Context) -> dict[str, Any]:
    """Assign every scheme's segment to every known person, and keep the history.

    Returns:
        versions of rules and model, and warnings.
    """
    night = context.night
    night.restore(context.base, "models", _MODEL)
    features = published(context, p.CUSTOMER_FEATURES)
    cuts, warning = _cuts(context, features)
    people = context.spark.read.parquet(str(night.table("identity", "people")))
    people = people.select("customer_id", "is_marketing_allowed")
    assigned = segments.with_segments(rfm.with_scores(features, cuts), people, SCHEMES)
    versions = {"model_version": cuts.version if cuts else rfm.NONE_VERSION, "rules_version": rules_version()}
    constants = {name: F.lit(value) for name, value in versions.items()}
    write_staged(assigned.withColumns(constants), night, "assigned")
    assigned = read_staged(context.spark, night, "assigned")
    publish(context, assigned, p.CUSTOMER_SEGMENTS)
    _write_history(context, assigned, versions)
    record = {**versions, "warnings": [warning] if warning else []}
    night.record("segments", record)
    return record


def _cuts(context: Context, features: DataFrame) -> tuple[rfm.RfmCuts | None, str | None]:
    """The frozen cut points, or those fitted tonight if it is the first night that has enough to go by."""
    path = context.night.table("models", _MODEL) / "cuts.json"
    if path.is_file():
        return rfm.RfmCuts.from_json(path.read_text("utf-8")), None
    bounds = context.settings.thresholds
    seen = features.agg(F.count_if(F.expr("orders_365d > 0")).alias("n"), F.max("tenure_days").alias("days"))
    found = seen.where("true").collect()[0]
    history_days = (found["days"] or 0) + 1
    if found["n"] < bounds.rfm_min_buyers or history_days < bounds.rfm_min_history_days:
        return None, (
            f"too little to score: {found['n']} buyers and {history_days} days of history, "
            f"of {bounds.rfm_min_buyers} and {bounds.rfm_min_history_days} needed"
        )
    cuts = rfm.fit(features, f"rfm-{context.day}")
    if cuts is not None:
        files.write_text(path, cuts.to_json())
    return cuts, None


def _write_history(context: Context, assigned: DataFrame, versions: dict[str, str]) -> None:
    tonight = segments.long_form(assigned, SCHEMES)
    before = published(context, p.SEGMENT_MEMBERSHIPS, base=True)
    periods = history.memberships(before, tonight, str(context.day), versions["rules_version"])
    publish(context, periods, p.SEGMENT_MEMBERSHIPS)
    money = assigned.select("customer_id", "net_revenue_365d")
    sized = tonight.drop("reason").join(money, "customer_id")
    publish(
        context, history.trend(published(context, p.SEGMENT_TREND, base=True), sized, str(context.day)), p.SEGMENT_TREND
    )
    publish(context, _migrations(context, sized, versions), p.SEGMENT_MIGRATIONS)


def _migrations(context: Context, sized: DataFrame, versions: dict[str, str]) -> DataFrame:
    if context.base is None:
        return context.spark.createDataFrame([], ddl(p.SEGMENT_MIGRATIONS.columns))
    old = published(context, p.CUSTOMER_SEGMENTS, base=True)
    money = published(context, p.CUSTOMER_FEATURES, base=True).select("customer_id", "net_revenue_365d")
    stack = ", ".join(f"'{s.name}', {s.column}" for s in SCHEMES)
    before = old.join(money, "customer_id", "left").selectExpr(
        "customer_id", "net_revenue_365d", f"stack({len(SCHEMES)}, {stack}) AS (scheme, segment)"
    )
    was = context.base.records()["segments"]
    aliases = context.spark.read.parquet(str(context.night.table("identity", "aliases")))
    return history.migrations(
        before,
        sized,
        aliases.where(f"effective_on = DATE'{context.day}'"),
        previous_day=str(context.base.date),
        rules_changed=was["rules_version"] != versions["rules_version"],
        model_changed=was["model_version"] != versions["model_version"],
    )
