"""Features -> scores, segments, memberships, migrations, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.definitions import published as p
from jobs.definitions.model import ddl
from jobs.definitions.segments import Scheme, version_of
from jobs.definitions.tags import TAGS
from jobs.models import rfm
from jobs.steps import receipts, value
from jobs.steps.context import Context
from jobs.steps.features import OWNERS
from jobs.steps.publishing import publish, published
from jobs.storage import files
from jobs.storage.parquet import read_staged, write_staged
from jobs.transforms import history, profiles, segments, stores, tags
from jobs.transforms.owners import OWNERS_DDL

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
    worth = value.run(context)
    chosen = context.settings.schemes
    people = context.spark.read.parquet(str(night.table("identity", "people")))
    people = people.select("customer_id", "is_marketing_allowed")
    assigned = segments.with_segments(rfm.with_scores(features, cuts), people, chosen)
    model_version = cuts.version if cuts else rfm.NONE_VERSION
    versions = {"model_version": model_version, "rules_version": version_of(*chosen)}
    constants = {name: F.lit(value) for name, value in versions.items()}
    write_staged(assigned.withColumns(constants), night, "assigned")
    assigned = read_staged(context.spark, night, "assigned")
    publish(context, assigned, p.CUSTOMER_SEGMENTS)
    record = {
        **versions,
        "rules": {scheme.name: scheme.version for scheme in chosen},
        "value": worth,
        "warnings": [warning] if warning else [],
    }
    _write_history(context, assigned, chosen, cuts, record)
    _write_groups(context, chosen)
    publish(context, tags.tags(features, TAGS), p.CUSTOMER_TAGS)
    publish(context, profiles.watchlist(assigned, published(context, p.CUSTOMER_VALUE)), p.CHURN_WATCHLIST)
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


def _write_history(
    context: Context, assigned: DataFrame, chosen: Sequence[Scheme], cuts: rfm.RfmCuts | None, record: dict[str, Any]
) -> None:
    tonight = segments.long_form(assigned, chosen)
    before = published(context, p.SEGMENT_MEMBERSHIPS, base=True)
    publish(context, history.memberships(before, tonight, str(context.day)), p.SEGMENT_MEMBERSHIPS)
    money = assigned.select("customer_id", "net_revenue_365d")
    sized = tonight.select("customer_id", "scheme", "segment").join(money, "customer_id")
    publish(
        context, history.trend(published(context, p.SEGMENT_TREND, base=True), sized, str(context.day)), p.SEGMENT_TREND
    )
    publish(context, _migrations(context, sized, chosen, cuts, record), p.SEGMENT_MIGRATIONS)


def _migrations(
    context: Context, sized: DataFrame, chosen: Sequence[Scheme], cuts: rfm.RfmCuts | None, record: dict[str, Any]
) -> DataFrame:
    if context.base is None:
        return context.spark.createDataFrame([], ddl(p.SEGMENT_MIGRATIONS.columns))
    codes = published(context, p.CUSTOMER_SEGMENTS, base=True)
    features = published(context, p.CUSTOMER_FEATURES, base=True)
    changed = changed_schemes(context.base.records()["segments"], record)
    aliases = context.spark.read.parquet(str(context.night.table("identity", "aliases")))
    return history.migrations(
        segments.sized(codes, features, chosen),
        sized,
        segments.as_ruled(codes, rfm.with_scores(features, cuts), chosen, changed),
        aliases.where(f"effective_on = DATE'{context.day}'"),
        previous_day=str(context.base.date),
    )


def changed_schemes(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """Schemes that would put customers elsewhere -> why: their rules are others, or else the model is.

    Args:
        was: what the segments step of one night recorded.
        now: the same of another.
    """
    before = was.get("rules", {})
    by_rules = {name: "rules" for name, version in now["rules"].items() if before.get(name) != version}
    by_model = {name: "model" for name in now["rules"] if was["model_version"] != now["model_version"]}
    return by_model | by_rules


def _write_groups(context: Context, chosen: Sequence[Scheme]) -> None:
    """Profiles of segments, and of stores by segment."""
    least = context.settings.privacy.min_group_size
    codes = published(context, p.CUSTOMER_SEGMENTS)
    bands = codes.select("customer_id", "churn_risk_band")
    members = segments.codes_of(codes, chosen).join(bands, "customer_id")
    features = published(context, p.CUSTOMER_FEATURES)
    worth = published(context, p.CUSTOMER_VALUE)
    publish(context, profiles.profiles(members, features, worth, least), p.SEGMENT_PROFILES)
    publish(context, profiles.kpis(members, features, least), p.SEGMENT_KPIS)
    publish(context, profiles.profile_features(members, features, least), p.SEGMENT_PROFILE_FEATURES)
    first = context.day - timedelta(days=stores.DAYS - 1)
    dates = [str(first + timedelta(days=n)) for n in range(stores.DAYS)]
    recent = receipts.of_dates(context, context.night, dates)
    publish(context, stores.demand(recent), p.STORE_DEMAND)
    publish(context, stores.best_sellers(recent, least), p.STORE_BEST_SELLERS)
    owners = receipts.read_kept(context, context.night, OWNERS, OWNERS_DDL)
    owned = recent.join(owners, "buyer", "left")
    publish(context, stores.segment_mix(owned, codes, chosen, least), p.STORE_SEGMENT_MIX)
