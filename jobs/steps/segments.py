"""Features -> scores, segments, memberships, migrations, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import reduce
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
#: an exact median holds every value: memberships whose features are held at a time
_MEMBERSHIPS_AT_ONCE = 4_000_000


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
    _write_groups(context, assigned, chosen)
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
    night, day = context.night, str(context.day)
    before = published(context, p.SEGMENT_MEMBERSHIPS, base=True)
    write_staged(history.standing(before, chosen), night, "standing")
    found = history.periods(read_staged(context.spark, night, "standing"), assigned, chosen)
    write_staged(history.elsewhere(found), night, "elsewhere")
    moved = read_staged(context.spark, night, "elsewhere")
    publish(context, history.memberships(before, found, moved, chosen, day), p.SEGMENT_MEMBERSHIPS)
    sized = segments.codes_of(assigned, chosen, "net_revenue_365d")
    publish(context, history.trend(published(context, p.SEGMENT_TREND, base=True), sized, day), p.SEGMENT_TREND)
    publish(context, _migrations(context, assigned, chosen, fits, record), p.SEGMENT_MIGRATIONS)


def _migrations(
    context: Context, assigned: DataFrame, chosen: Sequence[Scheme], fits: Models, record: dict[str, Any]
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
        codes.join(features.select("customer_id", "net_revenue_365d"), "customer_id", "left"),
        assigned,
        segments.as_ruled(codes, fits.scored(features, topics, worth), chosen, changed),
        _id_events(context),
        _corrected(context, context.base),
        chosen,
        changed,
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


def at_once(chosen: Sequence[Scheme], people: int) -> list[Sequence[Scheme]]:
    """Schemes in parts of so many that their memberships are few enough, in order; one at the least."""
    size = max(1, _MEMBERSHIPS_AT_ONCE // max(1, people))
    return [chosen[first : first + size] for first in range(0, len(chosen), size)]


def _profile_features(context: Context, told: DataFrame, chosen: Sequence[Scheme]) -> DataFrame:
    """What sets segments apart, of so many schemes at a time that the values of all medians fit into memory."""
    night, least = context.night, context.settings.privacy.min_group_size
    parts = at_once(chosen, night.rows("published", p.CUSTOMER_SEGMENTS.name))
    found = [profiles.profile_features(told, part, least) for part in parts]
    if len(found) > 1:
        for number, rows in enumerate(found):
            write_staged(rows, night, f"profile_features.{number}")
        found = [read_staged(context.spark, night, f"profile_features.{number}") for number in range(len(found))]
    return reduce(lambda one, other: one.unionByName(other), found)


def _write_groups(context: Context, assigned: DataFrame, chosen: Sequence[Scheme]) -> None:
    """Profiles of segments, and of stores by segment."""
    least = context.settings.privacy.min_group_size
    codes = published(context, p.CUSTOMER_SEGMENTS)
    at_risk = published(context, p.CUSTOMER_VALUE).select("customer_id", F.expr(profiles.AT_RISK).alias("at_risk"))
    told = assigned.join(at_risk, "customer_id", "left")
    publish(context, profiles.profiles(told, chosen, least), p.SEGMENT_PROFILES)
    publish(context, profiles.kpis(told, chosen, least), p.SEGMENT_KPIS)
    publish(context, _profile_features(context, assigned, chosen), p.SEGMENT_PROFILE_FEATURES)
    first = context.day - timedelta(days=stores.DAYS - 1)
    dates = [str(first + timedelta(days=n)) for n in range(stores.DAYS)]
    recent = receipts.of_dates(context.spark, context.night, dates)
    publish(context, stores.demand(recent), p.STORE_DEMAND)
    publish(context, stores.best_sellers(recent, least), p.STORE_BEST_SELLERS)
    owners = receipts.read_kept(context.spark, context.night, OWNERS, OWNERS_DDL)
    owned = recent.join(owners, "buyer", "left")
    publish(context, stores.segment_mix(owned, codes, chosen, least), p.STORE_SEGMENT_MIX)
