"""Features -> scores, segments, memberships, migrations, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.definitions import published as p
from jobs.definitions.model import ddl
from jobs.definitions.segments import SCHEMES, Scheme, version_of
from jobs.definitions.tags import TAGS
from jobs.steps import models, receipts, themes, value
from jobs.steps.context import Context
from jobs.steps.features import OWNERS
from jobs.steps.models import Models
from jobs.steps.publishing import publish, published
from jobs.storage.night import Night
from jobs.storage.parquet import read_staged, write_staged
from jobs.transforms import history, profiles, segments, stores, tags, touched
from jobs.transforms.owners import OWNERS_DDL

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: schemes whose segments a model finds
FOUND_BY_MODELS = frozenset(scheme.name for scheme in SCHEMES if scheme.kind == "model")


def run(context: Context) -> dict[str, Any]:
    """Assign every scheme's segment to every known person, and keep the history.

    Returns:
        versions of rules and model, and warnings.
    """
    night = context.night
    features = published(context, p.CUSTOMER_FEATURES)
    fits, fitted = models.tonights(context)
    value.run(context, fits)
    themes.keep(context, fits.topics, as_before=_topics_of(context.base) == fits.versions.get("topics"))
    chosen = fits.schemes(context.settings.schemes, context.settings.privacy.min_group_size)
    people = context.spark.read.parquet(str(night.table("identity", "people")))
    people = people.select("customer_id", "is_marketing_allowed")
    assigned = segments.with_segments(
        fits.scored(features, themes.kept(context.spark, night), published(context, p.CUSTOMER_VALUE)), people, chosen
    )
    versions = {"model_version": fits.version, "rules_version": version_of(*context.settings.schemes)}
    constants = {name: F.lit(value) for name, value in versions.items()}
    write_staged(assigned.withColumns(constants), night, "assigned")
    assigned = read_staged(context.spark, night, "assigned")
    publish(context, assigned, p.CUSTOMER_SEGMENTS)
    record = {**fitted, **versions, "rules": {scheme.name: scheme.version for scheme in chosen}}
    _write_history(context, assigned, chosen, fits, record)
    _write_groups(context, chosen)
    publish(context, tags.tags(features, TAGS), p.CUSTOMER_TAGS)
    publish(context, profiles.watchlist(assigned, published(context, p.CUSTOMER_VALUE)), p.CHURN_WATCHLIST)
    night.record("segments", record)
    return record


def _topics_of(night: Night | None) -> str | None:
    """Which topics a night had."""
    found: str | None = None if night is None else night.records()["segments"].get("models", {}).get("topics")
    return found


def _write_history(
    context: Context, assigned: DataFrame, chosen: Sequence[Scheme], fits: Models, record: dict[str, Any]
) -> None:
    tonight = segments.long_form(assigned, chosen)
    before = published(context, p.SEGMENT_MEMBERSHIPS, base=True)
    publish(context, history.memberships(before, tonight, str(context.day)), p.SEGMENT_MEMBERSHIPS)
    money = assigned.select("customer_id", "net_revenue_365d")
    sized = tonight.select("customer_id", "scheme", "segment").join(money, "customer_id")
    publish(
        context, history.trend(published(context, p.SEGMENT_TREND, base=True), sized, str(context.day)), p.SEGMENT_TREND
    )
    publish(context, _migrations(context, sized, chosen, fits, record), p.SEGMENT_MIGRATIONS)


def _migrations(
    context: Context, sized: DataFrame, chosen: Sequence[Scheme], fits: Models, record: dict[str, Any]
) -> DataFrame:
    if context.base is None:
        return context.spark.createDataFrame([], ddl(p.SEGMENT_MIGRATIONS.columns))
    codes = published(context, p.CUSTOMER_SEGMENTS, base=True)
    features = published(context, p.CUSTOMER_FEATURES, base=True)
    changed = changed_schemes(context.base.records()["segments"], record)
    topics = themes.kept(context.spark, context.base)
    if fits.topics is not None and _topics_of(context.base) != fits.topics.version:
        topics = themes.of_everyone(context.spark, context.base, features.select("customer_id"), fits.topics)
    worth = value.of_base(context, features, fits, context.base.records()["segments"].get("models", {}))
    return history.migrations(
        segments.sized(codes, features, chosen),
        sized,
        segments.as_ruled(codes, fits.scored(features, topics, worth), chosen, changed),
        _id_events(context),
        _corrected(context, context.base),
        previous_day=str(context.base.date),
    )


def _id_events(context: Context) -> DataFrame:
    """Everyone whom a merge or a split touched tonight: customer_id, event; one row each."""
    ledger = context.spark.read.parquet(str(context.night.table("identity", "ledger")))
    ids = F.explode(F.array("old_customer_id", "new_customer_id")).alias("customer_id")
    tonight = ledger.where(f"occurred_on = DATE'{context.day}'").select(ids, "event")
    return tonight.groupBy("customer_id").agg(F.min("event").alias("event"))


def _corrected(context: Context, base: Night) -> DataFrame:
    """Everyone of whose orders up to the night before something else is known than it knew: customer_id."""
    spark, night = context.spark, context.night
    dates = [ds for ds in night.changed_partitions(base, "features", receipts.RECEIPTS) if ds <= str(base.date)]
    before, now = (receipts.of_dates(spark, one, dates) for one in (base, night))
    owners = receipts.read_kept(spark, night, OWNERS, OWNERS_DDL)
    return owners.join(touched.recounted(before, now), "buyer", "left_semi").select("customer_id").distinct()


def changed_schemes(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """Schemes that would put customers elsewhere -> why: their rules are others, or else the model is.

    Args:
        was: what the segments step of one night recorded.
        now: the same of another.
    """
    before = was.get("rules", {})
    ruled = {name: version for name, version in now["rules"].items() if name not in FOUND_BY_MODELS}
    by_rules = {name: "rules" for name, version in ruled.items() if before.get(name) != version}
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
    recent = receipts.of_dates(context.spark, context.night, dates)
    publish(context, stores.demand(recent), p.STORE_DEMAND)
    publish(context, stores.best_sellers(recent, least), p.STORE_BEST_SELLERS)
    owners = receipts.read_kept(context.spark, context.night, OWNERS, OWNERS_DDL)
    owned = recent.join(owners, "buyer", "left")
    publish(context, stores.segment_mix(owned, codes, chosen, least), p.STORE_SEGMENT_MIX)
